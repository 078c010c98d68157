"""Referrals: what must be in them, by when the first visit is due, and how they end (REF-01 to REF-03)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import ReferralSetting
from coordinator.rules.facts import ReferralClosing, ReferralFacts
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "referrals"


@dataclass(frozen=True, slots=True)
class InitialVisitDue:
    """By when the initial visit must be held (REF-02). `due_at` is aware UTC, `None` while discharge is unknown.

    `on_day`: the visit must be on exactly that local day. `warn_at`: from then on warn while no visit is booked.
    """

    due_at: datetime | None
    on_day: date | None = None
    warn_at: datetime | None = None


def missing_content(referral: ReferralFacts) -> tuple[str, ...]:
    """The names of what a complete referral still lacks (REF-01), in the order of the form; empty when complete."""
    present = {
        "patient_name": referral.patient_name_known,
        "date_of_birth": referral.date_of_birth,
        "contact": referral.contact.strip(),
        "care_address": referral.care_address.strip(),
        "practitioner_name": referral.practitioner_name.strip(),
        "practitioner_npi": referral.practitioner_npi.strip(),
        "practitioner_type": referral.practitioner_type,
        "practitioner_organisation": referral.practitioner_organisation.strip(),
        "reason": referral.reason.strip(),
        "disciplines": referral.disciplines,
        "received_at": referral.received_at,
        "setting": referral.setting,
        "expected_discharge_on": referral.setting is not ReferralSetting.INPATIENT
        or referral.expected_discharge_on
        or referral.returned_home_at,
        "payer": referral.payer,
        "preferred_language": referral.preferred_language.strip(),
        "interpreter_needed": referral.interpreter_needed is not None,
    }
    return tuple(name for name, value in present.items() if not value)


@rule(
    "REF-01",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.60(a), 484.105(i); OASIS M0102, M0104",
    verification="K",
    sentence="A referral names the patient, the practitioner, the reason, the disciplines, the place and the payer.",
    sentence_zh="轉介須寫明病人、執業者、原因、所需專業、地點和付款方。",
    asked_on=("referral",),
)
def ask_content(referral: ReferralFacts, today: date) -> Finding | None:
    """A task for intake, due the same day, while the referral is incomplete. The clock of REF-02 runs on regardless."""
    missing = missing_content(referral)
    if not missing:
        return None
    return found(
        "REF-01",
        "The referral lacks {missing}.",
        cure="Intake asks the referring practitioner for {missing}.",
        due=today,
        owner="intake",
        missing=", ".join(missing),
        facts={"missing_fields": missing},
    )


@rule(
    "REF-02",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.55(a)(1)",
    verification="V",
    sentence="The initial visit is held within 48 hours of referral or return home, or on the ordered day.",
    sentence_zh="首次探訪須在轉介或回家後48小時內進行，或在醫囑指定的日子進行。",
    settings=("referrals.initial_visit_hours", "referrals.initial_visit_warning_hours"),
    asked_on=("referral", "promise", "clock"),
)
def initial_visit_due(referral: ReferralFacts, zone: ZoneInfo, policy: Policy) -> InitialVisitDue:
    """By when the initial visit is due; ValueError when the referral has not been received.

    A later day counts only when the practitioner ordered it before the first due time had passed.
    """
    due = _first_due(referral, zone, policy)
    changed_to, ordered_at = referral.soc_date_changed_to, referral.soc_date_change_ordered_at
    if changed_to and ordered_at and (due.due_at is None or ordered_at < due.due_at):
        return _on_day(changed_to, zone, policy)
    return due


def _first_due(referral: ReferralFacts, zone: ZoneInfo, policy: Policy) -> InitialVisitDue:
    if referral.received_at is None:
        raise ValueError("a referral that was not received has no due time")
    if referral.ordered_soc_date:
        return _on_day(referral.ordered_soc_date, zone, policy)
    trigger = referral.returned_home_at if referral.setting is ReferralSetting.INPATIENT else referral.received_at
    if trigger is None:
        return InitialVisitDue(None)
    if trigger.tzinfo is None:
        raise ValueError(f"{trigger.isoformat()} carries no zone")
    policy = policy.on(local_day(trigger, zone))
    # Elapsed hours: added in UTC, so that a clock change in between does not stretch or shorten them.
    due_at = trigger.astimezone(UTC) + timedelta(hours=policy.referrals.initial_visit_hours)
    return InitialVisitDue(due_at, None, due_at - timedelta(hours=policy.referrals.initial_visit_warning_hours))


def _on_day(day: date, zone: ZoneInfo, policy: Policy) -> InitialVisitDue:
    policy = policy.on(day)
    _, end = day_bounds(day, zone)
    return InitialVisitDue(end, day, end - timedelta(hours=policy.referrals.initial_visit_warning_hours))


@also("REF-02")
def ask_initial_visit(
    referral: ReferralFacts, visit_at: datetime | None, now: datetime, zone: ZoneInfo, policy: Policy
) -> Finding | None:
    """What is to be said at `now` of an initial visit at `visit_at` (aware; `None`: not booked). Never a refusal."""
    due = initial_visit_due(referral, zone, policy)
    if due.due_at is None:
        return found(
            "REF-02",
            "The patient is in hospital and the day of discharge is not known.",
            cure="Intake confirms the discharge today.",
            due=local_day(now, zone),
            owner="intake",
        )
    if visit_at is not None:
        day = local_day(visit_at, zone)
        if due.on_day and day != due.on_day:
            return found(
                "REF-02",
                "The visit on {day} is not on the ordered date {ordered}.",
                cure="Move the visit to {ordered}, or record that the practitioner agreed to {day} before then.",
                severity=Severity.WARN,
                day=day,
                ordered=due.on_day,
            )
        return _say(due.due_at, zone, "The initial visit is later than {due_local}.") if visit_at > due.due_at else None
    if now > due.due_at:
        return _say(due.due_at, zone, "No initial visit was made by {due_local}.")
    if due.warn_at and now >= due.warn_at:
        return _say(due.due_at, zone, "No initial visit is booked, and it is due by {due_local}.")
    return _say(due.due_at, zone, "The initial visit is due by {due_local}.", Severity.TASK)


def _say(due_at: datetime, zone: ZoneInfo, message: str, severity: Severity = Severity.WARN) -> Finding:
    return found(
        "REF-02",
        message,
        cure="The scheduler books the initial visit, or the practitioner orders a later start of care in time.",
        severity=severity,
        due=due_at,
        owner="scheduler",
        due_local=due_at.astimezone(zone).isoformat(timespec="minutes"),
    )


@rule(
    "REF-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.105(i); agency policy",
    verification="D",
    sentence="A referral is closed without admission only with a reason and somewhere else to turn to.",
    sentence_zh="未收案而結束轉介，須有理由，並告知病人還可以向哪裡求助。",
    asked_on=("referral",),
)
def ask_close(closing: ReferralClosing) -> tuple[Finding, ...]:
    """Why a referral may not be declined or closed without admission yet."""
    findings = []
    if closing.reason is None:
        findings.append(
            found("REF-03", "The reason for closing is missing.", cure="Intake chooses one of the coded reasons.")
        )
    if closing.onward_resources < 1:
        findings.append(
            found(
                "REF-03",
                "No other resource has been offered.",
                cure="Intake offers at least one resource from the directory.",
            )
        )
    return tuple(findings)
