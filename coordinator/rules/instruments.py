"""What scores ask for, and when they are taken next (rule book, section 13). Scores themselves: `questionnaires`.

Findings carry codes of items and the limits that they crossed; a person's answers stay in the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coordinator.domain.care import Direction, InstrumentCode, SafetyOutcome, SafetyStep
from coordinator.domain.timeline import add_business_days, certification_period_of, recertification_window
from coordinator.rules.questionnaires import Instrument, problems, score
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "instruments"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A set of answers that was recorded before: its day, its total and its numbers by item."""

    on: date
    total: int | None
    numbers: Mapping[str, int]


@rule(
    "INS-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Instruments' own scoring rules (rule book, section 13)",
    verification="V",
    sentence="Answers lie in the range of their item; the server scores them, and a partial set has no total.",
    sentence_zh="答案須在該項目的範圍內；由系統計分，答案不全就沒有總分。",
    asked_on=("care",),
)
def ask_answers(instrument: Instrument, answers: Mapping[str, object]) -> tuple[Finding, ...]:
    """One refusal for each answer that cannot be meant. What is missing refuses nothing: see `ask_missing`."""
    return tuple(
        found(
            "INS-01",
            "{instrument}, {item}: {problem}",
            cure="Whoever took the answers corrects {item}.",
            instrument=instrument.code,
            item=item,
            problem=problem,
        )
        for item, problem in problems(instrument, answers).items()
    )


@also("INS-01")
def ask_missing(instrument: Instrument, answers: Mapping[str, object]) -> Finding | None:
    """A partial set is kept, has no total, and says what is missing."""
    missing = score(instrument, answers).missing
    if not missing:
        return None
    return found(
        "INS-01",
        "{instrument} has no score: {items} not answered.",
        cure="Ask for what is missing, and record the whole set.",
        severity=Severity.WARN,
        instrument=instrument.code,
        items=", ".join(missing),
        facts={"items": missing},
    )


def _band(bands: Mapping[str, int], total: int) -> str:
    return [name for name, least in bands.items() if total >= least][-1]


def band(code: InstrumentCode, total: int | None, policy: Policy) -> str | None:
    """The name of what a total means, where the instrument has bands."""
    if total is None:
        return None
    settings = policy.instruments
    if code is InstrumentCode.PHQ_9:
        return _band(settings.phq9_bands, total)
    if code is InstrumentCode.PHQ_2:
        return "positive" if total >= settings.phq2_positive_from else "negative"
    if code is InstrumentCode.ZBI_12:
        if total >= settings.zbi_high_from:
            return "high"
        return "screen" if total >= settings.zbi_screen_from else "none"
    return None


def symptom_band(rating: int, policy: Policy) -> str:
    """none, mild, moderate or severe: one symptom of an ESAS-r."""
    return _band(policy.instruments.esas_bands, rating)


# ------------------------------------------------------------------------------------ thresholds


@rule(
    "INS-02",
    family=FAMILY,
    severity=Severity.TASK,
    citation="ESAS-r guidelines; CMS HOPE symptom follow-up",
    verification="K",
    sentence="A moderate symptom is asked about again within two days; a severe one has a nurse's contact that day.",
    settings=(
        "instruments.esas_act_from", "instruments.esas_severe_from", "instruments.esas_contact_days",
        "instruments.esas_rise", "instruments.esas_bands", "instruments.after_treatment_minutes",
    ),
    sentence_zh="中度症狀兩天內再詢問；嚴重症狀當日由護士聯絡。",
    asked_on=("care",),
)  # fmt: skip
def ask_symptoms(
    ratings: Mapping[str, int],
    today: date,
    policy: Policy,
    *,
    before: Earlier | None = None,
    owner: str = "case_manager",
) -> tuple[Finding, ...]:
    """One flag for each symptom that is moderate or severe, and for each that rose. Partial sets are flagged too."""
    policy = policy.on(today)
    settings = policy.instruments
    findings = []
    for symptom, rating in ratings.items():
        if rating >= settings.esas_severe_from:
            findings.append(
                found(
                    "INS-02", "{symptom} is severe.", cure="A nurse makes contact today.", due=today, owner=owner,
                    symptom=symptom, facts={"band": symptom_band(rating, policy), "from": settings.esas_severe_from,
                    "task": "severe-symptom", "discipline": "SN"},
                )
            )  # fmt: skip
        elif rating >= settings.esas_act_from:
            due = today + timedelta(days=settings.esas_contact_days)
            findings.append(
                found(
                    "INS-02", "{symptom} is moderate; it is asked about again by {due_on}.",
                    cure="Address it, and rate it again by {due_on}.", due=due, owner="case_manager", symptom=symptom,
                    due_on=due, facts={"band": symptom_band(rating, policy), "from": settings.esas_act_from,
                    "task": "recontact"},
                )
            )  # fmt: skip
        earlier = before.numbers.get(symptom) if before is not None else None
        if earlier is not None and rating - earlier >= settings.esas_rise:
            findings.append(
                found(
                    "INS-02", "{symptom} rose by {least} or more since {since}.", severity=Severity.WARN,
                    cure="Look for the cause, and tell the practitioner if the plan may have to change.",
                    symptom=symptom, least=settings.esas_rise, since=before.on if before else None,
                )
            )  # fmt: skip
    return tuple(findings)


@also("INS-02")
def ask_after_score(symptom: str, given_at: datetime, policy: Policy) -> Finding:
    """A symptom that was treated is rated again. `given_at` is the branch's wall clock; due on the day it falls on."""
    policy = policy.on(given_at.date())
    until = given_at + timedelta(minutes=policy.instruments.after_treatment_minutes)
    return found(
        "INS-02", "{symptom} was treated; it is rated again by {until}.", due=until.date(), owner="case_manager",
        cure="Rate it again by {until}.", symptom=symptom, until=until.strftime("%H:%M"),
        facts={"task": "score-after-treatment", "until": until.isoformat(timespec="minutes")},
    )  # fmt: skip


@rule(
    "INS-03",
    family=FAMILY,
    severity=Severity.TASK,
    citation="PPSv2 (Victoria Hospice); rule book, section 13",
    verification="D",
    sentence="A low performance score asks whether hospice is nearer; one that falls fast goes to the team.",
    settings=(
        "instruments.pps_review_at", "instruments.pps_review_days", "instruments.pps_drop",
        "instruments.pps_drop_days",
    ),
    sentence_zh="功能分數低時，檢視是否接近安寧療護；下降很快時，交團隊討論。",
    asked_on=("care",),
)  # fmt: skip
def ask_performance(
    level: int, today: date, policy: Policy, *, before: Sequence[Earlier] = ()
) -> tuple[Finding, ...]:  # fmt: skip
    """What a level asks for. A fall is counted from the highest level of the days before it; columns are not read."""
    policy = policy.on(today)
    settings = policy.instruments
    due = today + timedelta(days=settings.pps_review_days)
    findings = []
    if level <= settings.pps_review_at:
        findings.append(
            found(
                "INS-03", "The performance level is {limit} or less.", due=due, owner="case_manager",
                cure="The team reviews whether the patient is ready for hospice.", limit=settings.pps_review_at,
                facts={"task": "hospice-readiness"},
            )
        )  # fmt: skip
    since = today - timedelta(days=settings.pps_drop_days)
    highest = max((one.total for one in before if one.total is not None and one.on >= since), default=level)
    if highest - level >= settings.pps_drop:
        findings.append(
            found(
                "INS-03", "The performance level fell by {least} or more within {days} days.", due=due,
                owner="case_manager", cure="The team discusses it.", least=settings.pps_drop,
                days=settings.pps_drop_days, facts={"task": "performance-fell"},
            )
        )  # fmt: skip
    return tuple(findings)


@rule(
    "INS-04",
    family=FAMILY,
    severity=Severity.TASK,
    citation="Kroenke, Spitzer, Williams 2003",
    verification="V",
    sentence="Two items that screen positive are followed by all nine.",
    settings=("instruments.phq2_positive_from", "instruments.phq9_after_days"),
    sentence_zh="兩題篩查呈陽性，即須完成全部九題。",
    asked_on=("care",),
)
def ask_screen(total: int, today: date, policy: Policy) -> Finding | None:
    """Whether the PHQ-9 is required."""
    policy = policy.on(today)
    settings = policy.instruments
    if total < settings.phq2_positive_from:
        return None
    due = today + timedelta(days=settings.phq9_after_days)
    return found(
        "INS-04", "The two items screened positive: the PHQ-9 is required by {due_on}.", due=due, owner="case_manager",
        cure="Take the PHQ-9 by {due_on}.", due_on=due,
        facts={"task": "take-phq-9", "from": settings.phq2_positive_from},
    )  # fmt: skip


@rule(
    "INS-05",
    family=FAMILY,
    severity=Severity.TASK,
    citation="Kroenke, Spitzer, Williams 2001",
    verification="V",
    sentence="Any answer but none about self-harm opens the safety protocol at once, whatever the total.",
    settings=(
        "instruments.phq9_bands", "instruments.phq9_act_from", "instruments.phq9_act_days",
        "instruments.phq9_safety_from", "instruments.safety_steps",
    ),
    sentence_zh="自我傷害一題只要不是「完全沒有」，無論總分多少，立即啟動安全程序。",
    asked_on=("care",),
)  # fmt: skip
def ask_depression(
    total: int | None, self_harm: int | None, today: date, policy: Policy, *, owner: str = "case_manager"
) -> tuple[Finding, ...]:
    """What nine items ask for. The item on self-harm is asked of a partial set as well."""
    policy = policy.on(today)
    settings = policy.instruments
    findings = []
    if self_harm is not None and self_harm >= settings.phq9_safety_from:
        findings.append(
            found(
                "INS-05", "The item on self-harm was not answered with none.", due=today, owner=owner,
                cure="Stay with the patient, begin the safety protocol, and tell the practitioner now.",
                facts={"task": "safety-protocol", "at_once": True},
            )
        )  # fmt: skip
    if total is not None and total >= settings.phq9_act_from:
        due = today + timedelta(days=settings.phq9_act_days)
        findings.append(
            found(
                "INS-05", "The nine items score {least} or more.", due=due, owner="social_worker",
                cure="The social worker makes contact, and the practitioner is told, by {due_on}.",
                least=settings.phq9_act_from, due_on=due, facts={"task": "mood-follow-up", "discipline": "MSW"},
            )
        )  # fmt: skip
    return tuple(findings)


@also("INS-05")
def ask_safety_close(done: Iterable[SafetyStep], outcome: SafetyOutcome | None, policy: Policy) -> tuple[Finding, ...]:
    """Everything for want of which a safety protocol is not closed; one that was opened in error lacks nothing."""
    if outcome is SafetyOutcome.ENTERED_IN_ERROR:
        return ()
    findings = []
    if outcome is None:
        findings.append(
            found(
                "INS-05", "The safety protocol has no outcome.", severity=Severity.BLOCK,
                cure="Say how it ended.", facts={"missing": "outcome"},
            )
        )  # fmt: skip
    taken = set(done)
    for step in SafetyStep:
        if step in policy.instruments.safety_steps and step not in taken:
            findings.append(
                found(
                    "INS-05", "The safety protocol lacks a step: {step}.", severity=Severity.BLOCK,
                    cure="Take the step and record it, then close the protocol.", step=step.value.replace("_", " "),
                    facts={"missing": step.value},
                )
            )  # fmt: skip
    return tuple(findings)


@rule(
    "INS-06",
    family=FAMILY,
    severity=Severity.TASK,
    citation="Gratao 2019; Bedard 2001",
    verification="V",
    sentence="A strained caregiver is seen by the social worker; one under high strain is discussed by the team.",
    settings=(
        "instruments.zbi_screen_from", "instruments.zbi_high_from", "instruments.zbi_business_days",
        "instruments.zbi_calendar",
    ),
    sentence_zh="壓力大的照護者由社工探訪；壓力很大的，交團隊討論。",
    asked_on=("care",),
)  # fmt: skip
def ask_burden(total: int, today: date, policy: Policy) -> tuple[Finding, ...]:
    """What a caregiver's score asks for."""
    policy = policy.on(today)
    settings = policy.instruments
    if total < settings.zbi_screen_from:
        return ()
    due = add_business_days(today, settings.zbi_business_days, settings.zbi_calendar)
    findings = [
        found(
            "INS-06", "The caregiver's score is {least} or more.", due=due, owner="social_worker",
            cure="The social worker makes contact by {due_on}.", least=settings.zbi_screen_from, due_on=due,
            facts={"task": "caregiver-strain", "discipline": "MSW"},
        )
    ]  # fmt: skip
    if total >= settings.zbi_high_from:
        findings.append(
            found(
                "INS-06", "The caregiver's score is {least} or more: high.", due=due, owner="case_manager",
                cure="The team discusses it at its next conference.", least=settings.zbi_high_from,
                facts={"task": "caregiver-high-strain"},
            )
        )  # fmt: skip
    return tuple(findings)


@rule(
    "INS-07",
    family=FAMILY,
    severity=Severity.TASK,
    citation="FICA spiritual history (Puchalski)",
    verification="K",
    sentence="Who wants faith and meaning addressed in care is referred to the chaplain.",
    settings=("instruments.chaplain_referral_days",),
    sentence_zh="希望照護顧及信仰與人生意義的病人，轉介給靈性關懷師。",
    asked_on=("care",),
)
def ask_spiritual(address: object, today: date, policy: Policy) -> Finding | None:
    """Whether a chaplain is asked for: the answer to `address in care` is yes."""
    policy = policy.on(today)
    if address != "yes":
        return None
    due = today + timedelta(days=policy.instruments.chaplain_referral_days)
    return found(
        "INS-07", "The patient wants this addressed in care.", due=due, owner="chaplain",
        cure="The chaplain makes contact by {due_on}.", due_on=due,
        facts={"task": "chaplain-referral", "discipline": "CHAP"},
    )  # fmt: skip


# ------------------------------------------------------------------------------------ the product's own checks

#: Who takes up a dimension of suffering: the role, the task of the deadlines' table, and the discipline of a visit.
_TAKES_UP: Mapping[str, tuple[str, str, str]] = {
    "physical": ("case_manager", "take-up-physical", "SN"),
    "mental": ("social_worker", "take-up-psychosocial", "MSW"),
    "emotional": ("social_worker", "take-up-psychosocial", "MSW"),
    "psychological": ("social_worker", "take-up-psychosocial", "MSW"),
    "spiritual": ("chaplain", "chaplain-referral", "CHAP"),
}
_GOES_ON = "go_on"


@rule(
    "INS-09",
    family=FAMILY,
    severity=Severity.TASK,
    citation="San Francisco page: strained caregivers; physical, mental, emotional, psychological, spiritual suffering",
    verification="P",
    sentence="A caregiver who lacks much is asked by the whole interview; suffering of any kind is taken up in days.",
    settings=(
        "instruments.caregiver_check_from", "instruments.suffering_from", "instruments.suffering_days",
        "instruments.zbi_business_days", "instruments.zbi_calendar",
    ),
    sentence_zh="照護者缺少多項支持時須完成完整訪談；病人任何一方面的痛苦，都在數日內處理。",
    asked_on=("care",),
)  # fmt: skip
def ask_caregiver_check(answers: Mapping[str, object], today: date, policy: Policy) -> tuple[Finding, ...]:
    """What a caregiver's check asks for: contact today where they cannot go on, the interview where much is lacking."""
    policy = policy.on(today)
    settings = policy.instruments
    lacking = [item for item, answer in answers.items() if answer == "no"]
    findings = []
    if _GOES_ON in lacking:
        findings.append(
            found(
                "INS-09", "The caregiver cannot go on like this.", due=today, owner="social_worker",
                cure="The social worker makes contact today.", facts={"task": "caregiver-strain", "discipline": "MSW"},
            )
        )  # fmt: skip
    if len(lacking) >= settings.caregiver_check_from:
        due = add_business_days(today, settings.zbi_business_days, settings.zbi_calendar)
        findings.append(
            found(
                "INS-09", "The caregiver lacks {count} things, of which {least} call for the interview.", due=due,
                owner="social_worker", cure="Take the ZBI-12 by {due_on}.", count=len(lacking),
                least=settings.caregiver_check_from, due_on=due, facts={"task": "take-burden-interview"},
            )
        )  # fmt: skip
    return tuple(findings)


@also("INS-09")
def ask_suffering(ratings: Mapping[str, int], today: date, policy: Policy) -> tuple[Finding, ...]:
    """Each dimension that weighs much is taken up by whoever answers for it. One does not make up for another."""
    policy = policy.on(today)
    due = today + timedelta(days=policy.instruments.suffering_days)
    return tuple(
        found(
            "INS-09", "{dimension} suffering weighs much.", due=due, owner=owner, cure="Take it up by {due_on}.",
            dimension=dimension.capitalize(), due_on=due, facts={"task": task, "discipline": discipline},
        )
        for dimension, (owner, task, discipline) in _TAKES_UP.items()
        if ratings.get(dimension, 0) >= policy.instruments.suffering_from
    )  # fmt: skip


# ------------------------------------------------------------------------------------ cadence


@rule(
    "INS-08",
    family=FAMILY,
    severity=Severity.TASK,
    citation="ESAS-r guidelines; rule book, section 13 (cadence)",
    verification="D",
    sentence="Each instrument is taken at the start of care and on its cadence.",
    settings=(
        "instruments.esas_cadence_days", "instruments.zbi_cadence_days", "instruments.fica_days",
        "instruments.start_days",
    ),
    sentence_zh="每份量表在開始服務時填寫，之後按既定週期填寫。",
    asked_on=("clock",),
)  # fmt: skip
def ask_cadence(
    code: InstrumentCode, soc: date, last_on: date | None, today: date, policy: Policy
) -> Finding | None:  # fmt: skip
    """When the instrument is due next, counted from `last_on` (day 0), or from the start of care."""
    due = cadence_due(code, soc, last_on, today, policy)
    if due is None:
        return None
    return found(
        "INS-08", "{instrument} is due by {due_on}.", due=due, owner="case_manager", cure="Take it by {due_on}.",
        instrument=code, due_on=due, facts={"last_on": last_on, "task": "take-instrument"},
    )  # fmt: skip


#: What stands on a cadence of days; the others are taken when they are wanted, or with each nurse's visit (PPSv2).
ON_CADENCE = (InstrumentCode.ESAS_R, InstrumentCode.PHQ_2, InstrumentCode.ZBI_12, InstrumentCode.FICA)


def cadence_due(code: InstrumentCode, soc: date, last_on: date | None, today: date, policy: Policy) -> date | None:
    """The day by which the instrument is due, or None if it is not owed on a cadence.

    ESAS-r weekly, ZBI-12 every 60 days, FICA once by SOC + 14. PHQ-2 at the start of care and in each recertification
    window: what was taken since the window before is that window's.
    """
    policy = policy.on(last_on or soc)
    settings = policy.instruments
    if last_on is not None and last_on < soc:
        last_on = None
    if code is InstrumentCode.FICA:
        return None if last_on is not None else soc + timedelta(days=settings.fica_days)
    if code not in ON_CADENCE:
        return None
    if last_on is None:
        return soc + timedelta(days=settings.start_days)
    if code is InstrumentCode.PHQ_2:
        number = certification_period_of(soc, max(today, last_on))
        window = recertification_window(soc, number)
        return recertification_window(soc, number + 1).last if last_on >= window.first else window.last
    days = settings.esas_cadence_days if code is InstrumentCode.ESAS_R else settings.zbi_cadence_days
    return last_on + timedelta(days=days)


def numbers(answers: Mapping[str, object], items: Iterable[str]) -> dict[str, int]:
    """Those answers that are numbers, of these items, in their order."""
    return {item: value for item in items if isinstance(value := answers.get(item), int)}


# ------------------------------------------------------------------------------------ which way it went

#: Of these, more is better: function. Of all others, more is worse: symptoms, low mood, burden.
_MORE_IS_BETTER = frozenset({InstrumentCode.PPS, InstrumentCode.KPS})


def direction(code: InstrumentCode, change: int) -> Direction:
    """Whether a change of a score of the instrument is for the better."""
    if change == 0:
        return Direction.SAME
    return Direction.BETTER if (change > 0) == (code in _MORE_IS_BETTER) else Direction.WORSE
