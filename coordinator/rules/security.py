"""Entry to records in an emergency, sessions, and what is owed about records: access, breach, retention (SEC)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coordinator.domain.timeline import ONE_DAY, HolidayCalendar, add_business_days, add_months
from coordinator.domain.vocabulary import DisclosurePurpose, RecordRequestKind
from coordinator.rules.terms import RULES, Finding, Occasion, Policy, Rule, Severity, Verification, also, found, rule

FAMILY = "security"


def _kept_by(rule_id: str, citation: str, verification: str, sentence: str, sentence_zh: str, *functions: str) -> None:
    """Register a rule that no question about facts can keep: the functions named here keep it at every request."""
    RULES[rule_id] = Rule(
        rule_id, FAMILY, Severity.BLOCK, citation, Verification(verification), sentence, (), functions, sentence_zh,
        (Occasion.ACCESS,),
    )  # fmt: skip


_kept_by(
    "SEC-01", "45 CFR 164.312(a)(2)(i)", "V", "Everybody signs in as themselves.",
    "人人以自己的身分登入。",
    "coordinator.access.service.create_user", "coordinator.access.service.Doorman.admits",
)  # fmt: skip


# ------------------------------------------------------------------------------------ SEC-02, SEC-03


@rule(
    "SEC-02",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="45 CFR 164.312(a)(2)(ii)",
    verification="V",
    sentence="In an emergency a record is opened with a reason, for some hours, and somebody else reviews it.",
    sentence_zh="緊急時可憑理由開啟病歷數小時，並由他人覆核。",
    asked_on=("access",),
    settings=("records.emergency_hours", "records.emergency_review_business_days"),
)
def ask_emergency(reason_code: str, text: str) -> Finding | None:
    """Nobody opens a record in an emergency without saying why, in a code and in words."""
    if reason_code.strip() and text.strip():
        return None
    return found(
        "SEC-02",
        "A record is opened in an emergency only with a reason.",
        cure="Say why, in a code and in words; a clinical manager will read it.",
    )


@also("SEC-02")
def emergency_ends_at(opened_at: datetime, policy: Policy) -> datetime:
    """The instant from which the emergency's access is over."""
    policy = policy.on(opened_at.date())
    return opened_at + timedelta(hours=policy.records.emergency_hours)


@also("SEC-02")
def emergency_review_due(opened_on: date, policy: Policy) -> date:
    """The business day by which somebody else has looked at it."""
    policy = policy.on(opened_on)
    days = policy.records.emergency_review_business_days
    return add_business_days(opened_on, days, HolidayCalendar.US_FEDERAL)


@rule(
    "SEC-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="45 CFR 164.312(a)(2)(iii)",
    verification="V",
    sentence="Who does nothing for a while, or signed in long ago, signs in again.",
    sentence_zh="閒置一段時間或登入已久者須重新登入。",
    asked_on=("access",),
)
def session_over(
    opened_at: datetime, last_used_at: datetime, now: datetime, *, idle_minutes: int, absolute_minutes: int
) -> bool:
    """Whether the session has ended by idleness or by age; the last second of each still counts."""
    idle, age = timedelta(minutes=idle_minutes), timedelta(minutes=absolute_minutes)
    return last_used_at + idle < now or opened_at + age < now


_kept_by(
    "SEC-04", "45 CFR 164.312(a)(2)(iv), (e)", "V", "Nothing travels in the clear; disks are the installation's own.",
    "資料傳輸一律加密；磁碟由安裝單位負責。",
    "coordinator.core.http.open_door",
)  # fmt: skip
_kept_by(
    "SEC-05", "45 CFR 164.312(b)", "V", "Every reading, change and refusal leaves a line, and the lines are looked at.",
    "每次讀取、變更與拒絕均留下紀錄，並受查核。",
    "coordinator.core.audit.seal", "coordinator.core.work.refused_line", "coordinator.access.trail.search",
)  # fmt: skip
_kept_by(
    "SEC-06", "45 CFR 164.312(c)", "V", "No line of the trail and no signed order can be changed unseen.",
    "稽核紀錄與已簽署的醫囑不得暗中更改。",
    "coordinator.core.audit.verify",
)  # fmt: skip
_kept_by(
    "SEC-07", "45 CFR 164.312(d)", "V", "Whoever acts has proved who they are, and proves it again to sign.",
    "操作者須證明身分，簽署時再次證明。",
    "coordinator.access.service.Doorman.authenticate", "coordinator.access.entering.sign_in",
    "coordinator.access.proof.prove_again",
)  # fmt: skip
_kept_by(
    "SEC-08", "45 CFR 164.502(b), 164.514(d)", "K", "Everybody reads as much as their work needs.",
    "各人僅讀取工作所需的資料。",
    "coordinator.core.work.permitted", "coordinator.access.scope.visible_patients",
)  # fmt: skip


# ------------------------------------------------------------------------------------ SEC-09


@dataclass(frozen=True, slots=True)
class RequestDue:
    """The day by which a request is answered, and whose day that is: next_visit, federal, state."""

    on: date
    by: str


@rule(
    "SEC-09",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.110(e); California HSC 123110; 45 CFR 164.524",
    verification="K",
    sentence="A patient has the record at the next visit or within four business days, whichever comes first.",
    sentence_zh="病人於下次探訪或四個工作日內取得病歷，以先到者為準。",
    asked_on=("access",),
    settings=(
        "records.request_business_days",
        "records.request_calendar",
        "records.inspect_working_days",
        "records.copy_days",
        "records.access_days",
    ),
)
def record_request_due(
    kind: RecordRequestKind, requested_on: date, next_visit_on: date | None, policy: Policy
) -> RequestDue:
    """The earliest of the days that the laws name. The next visit counts from the day after the request."""
    policy = policy.on(requested_on)
    numbers = policy.records
    days = [
        RequestDue(add_business_days(requested_on, numbers.request_business_days, numbers.request_calendar), "federal")
    ]
    if next_visit_on is not None and next_visit_on > requested_on:
        days.append(RequestDue(next_visit_on, "next_visit"))
    if kind is RecordRequestKind.INSPECT:
        calendar = HolidayCalendar.CA_STATE
        days.append(RequestDue(add_business_days(requested_on, numbers.inspect_working_days, calendar), "state"))
    if kind is RecordRequestKind.COPY:
        days.append(RequestDue(requested_on + timedelta(days=numbers.copy_days), "state"))
    days.append(RequestDue(requested_on + timedelta(days=numbers.access_days), "federal"))
    return min(days, key=lambda due: due.on)


# ------------------------------------------------------------------------------------ SEC-10


@rule(
    "SEC-10",
    family=FAMILY,
    severity=Severity.WARN,
    citation="45 CFR 164.528, 164.316(b)(2)",
    verification="K",
    sentence="What was given out of a record is written down and told to the patient for six years.",
    sentence_zh="病歷對外提供的內容均予記錄，六年內可向病人說明。",
    asked_on=("access",),
    settings=("records.disclosure_years", "records.unaccounted_purposes"),
)
def is_accounted(purpose: DisclosurePurpose, disclosed_on: date, today: date, policy: Policy) -> bool:
    """Whether a disclosure is told to a patient who asks on `today`: not of care, payment and running the agency, nor
    what the patient authorised.
    """
    policy = policy.on(disclosed_on)
    since = add_months(today, -12 * policy.records.disclosure_years)
    return purpose.name not in policy.records.unaccounted_purposes and disclosed_on >= since


# ------------------------------------------------------------------------------------ SEC-11


@dataclass(frozen=True, slots=True)
class BreachDue:
    """The last days on which the state and the patients (by state law), and by federal law, are told."""

    state_on: date
    federal_on: date


@rule(
    "SEC-11",
    family=FAMILY,
    severity=Severity.TASK,
    citation="California HSC 1280.15; 45 CFR 164.404",
    verification="K",
    sentence="A breach is told to the state and the patients within fifteen business days, and federally within sixty.",
    sentence_zh="資料外洩於十五個工作日內通知州政府與病人，六十日內通知聯邦。",
    asked_on=("access",),
    settings=("records.breach_business_days", "records.breach_days"),
)
def breach_due(detected_on: date, policy: Policy) -> BreachDue:
    """The days by which a breach that was detected on that day is told; that day is day 0."""
    policy = policy.on(detected_on)
    return BreachDue(
        add_business_days(detected_on, policy.records.breach_business_days, HolidayCalendar.CA_STATE),
        detected_on + timedelta(days=policy.records.breach_days),
    )


# ------------------------------------------------------------------------------------ SEC-12


@rule(
    "SEC-12",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="22 CCR 74731(d); 42 CFR 484.110(c)",
    verification="V",
    sentence="A record is kept seven years after discharge, a minor's until nineteen, and longer under a hold.",
    sentence_zh="病歷於出院後保存七年，未成年者至十九歲，法律保全期間更久。",
    asked_on=("access",),
    settings=(
        "records.retention_years",
        "records.majority_age",
        "records.minor_years",
        "records.disclosure_years",
    ),
)
def keep_until(birth_date: date, discharged_on: date, policy: Policy) -> date:
    """The last day on which the record is kept whatever else holds."""
    policy = policy.on(discharged_on)
    numbers = policy.records
    of_age = add_months(birth_date, 12 * (numbers.majority_age + numbers.minor_years))
    return max(add_months(discharged_on, 12 * numbers.retention_years), of_age)


@also("SEC-12")
def ask_destruction(
    birth_date: date, discharged_on: date | None, holds: int, today: date, policy: Policy, *,
    accounted_on: date | None = None,
) -> tuple[Finding, ...]:  # fmt: skip
    """All that stands against destroying the record today. `discharged_on` None: the patient is in care.

    `accounted_on`: the last disclosure of which the patient may still be told (SEC-10).
    """
    findings = []
    if discharged_on is None:
        findings.append(found("SEC-12", "The patient is in care.", cure="Years are counted from the last discharge."))
    else:
        until = keep_until(birth_date, discharged_on, policy)
        if today <= until:
            findings.append(
                found(
                    "SEC-12",
                    "The record is kept to {until}.",
                    cure="Wait until {after}.",
                    until=until,
                    after=until + ONE_DAY,
                    facts={"discharged_on": discharged_on},
                )
            )
    if accounted_on is not None:
        until = add_months(accounted_on, 12 * policy.on(accounted_on).records.disclosure_years)
        findings.append(
            found(
                "SEC-12",
                "What was given out of the record on {day} is told to whoever asks until {until}.",
                cure="Wait until {after}.",
                day=accounted_on,
                until=until,
                after=until + ONE_DAY,
            )
        )
    if holds:
        findings.append(
            found(
                "SEC-12",
                "A legal hold keeps the record: {holds} stand.",
                cure="The administrator releases the hold when the matter is closed.",
                holds=holds,
            )
        )
    return tuple(findings)
