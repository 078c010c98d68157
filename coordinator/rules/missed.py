"""Missed visits: what is owed to the practitioner and by when (VIS-01)."""

from collections.abc import Sequence
from datetime import date, timedelta

from coordinator.domain.timeline import add_business_days
from coordinator.domain.vocabulary import THERAPIES, Discipline, MissedReason
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "missed"

#: Reasons that are the agency's own and feed its quality programme.
AGENCY_REASONS = frozenset(
    {
        MissedReason.STAFF_ILLNESS,
        MissedReason.NO_STAFF_AVAILABLE,
        MissedReason.INTERPRETER_UNAVAILABLE,
        MissedReason.AGENCY_ERROR,
    }
)
#: Reasons that count as a refusal of care.
REFUSALS = frozenset({MissedReason.PATIENT_REFUSED, MissedReason.PATIENT_CANCELLED, MissedReason.FAMILY_REQUEST})
_SKILLED = THERAPIES | {Discipline.SN}


def decision_needed(reason: MissedReason, clinical_impact: bool | None) -> bool:
    """Whether the practitioner must be told and decides: on any potential for clinical impact, and while it is unknown.

    A visit on hold is not missed, and for the dead there is nothing to decide.
    """
    if reason in (MissedReason.ON_HOLD, MissedReason.DECEASED):
        return False
    return clinical_impact is not False


def notice_due(
    noticed_on: date, discipline: Discipline, clinical_impact: bool | None, daily_order: bool, policy: Policy
) -> date:
    """By when the practitioner is told: the same day for nursing or therapy with impact and for daily orders.

    Unknown impact counts as none here, so that the clock does not outrun the nurse who judges it.
    """
    policy = policy.on(noticed_on)
    if daily_order or (clinical_impact and discipline in _SKILLED):
        return noticed_on
    return add_business_days(noticed_on, policy.missed.notify_business_days, policy.missed.notify_calendar)


@rule(
    "VIS-01",
    family=FAMILY,
    severity=Severity.TASK,
    citation="CMS State Operations Manual, G572; 42 CFR 484.60(c)(1)",
    verification="V",
    sentence="A missed visit is told to the practitioner, who decides when it may matter clinically.",
    sentence_zh="漏訪須告知執業者；若可能影響病情，由執業者決定如何處理。",
    settings=(
        "missed.notify_business_days",
        "missed.notify_calendar",
        "missed.miss_count_for_team",
        "missed.miss_window_days",
        "missed.refusal_count_for_team",
    ),
    asked_on=("afterwards",),
)
def ask_missed(
    reason: MissedReason,
    discipline: Discipline,
    noticed_on: date,
    policy: Policy,
    *,
    clinical_impact: bool | None = None,
    daily_order: bool = False,
    not_found_days: Sequence[date] = (),
) -> tuple[Finding, ...]:
    """What a missed visit asks of the office. `not_found_days`: other days this patient was not found at home."""
    if reason is MissedReason.ON_HOLD:
        return ()
    findings = []
    if reason is not MissedReason.DECEASED:
        due = notice_due(noticed_on, discipline, clinical_impact, daily_order, policy)
        decides = decision_needed(reason, clinical_impact)
        findings.append(
            found(
                "VIS-01",
                "One {discipline} visit was missed ({reason}); the practitioner is to be told by {due_on} and decides."
                if decides
                else "One {discipline} visit was missed ({reason}); the practitioner is to be told by {due_on}.",
                cure="The clinician or the office tells the practitioner and records the answer.",
                due=due,
                owner="case_manager",
                discipline=discipline,
                reason=reason,
                due_on=due,
                facts={"clinical_impact": clinical_impact, "decision_needed": decides},
            )
        )
    if reason is MissedReason.NOT_HOME_NOT_FOUND and any(
        timedelta(0) <= noticed_on - day < timedelta(days=7) for day in not_found_days
    ):
        findings.append(
            found(
                "VIS-01",
                "The patient was not found at home twice within a week.",
                cure="The office makes a welfare check today.",
                due=noticed_on,
                owner="clinical_manager",
            )
        )
    return tuple(findings)


@also("VIS-01")
def ask_pattern(missed: Sequence[tuple[date, MissedReason]], today: date, policy: Policy) -> Finding | None:
    """The third miss in 30 days, or the second refusal, goes to the team. `missed` has the newest too."""
    policy = policy.on(today)
    settings = policy.missed
    window = timedelta(days=settings.miss_window_days)
    recent = [
        reason for day, reason in missed if reason is not MissedReason.ON_HOLD and timedelta(0) <= today - day < window
    ]
    refusals = sum(reason in REFUSALS for reason in recent)
    if len(recent) < settings.miss_count_for_team and refusals < settings.refusal_count_for_team:
        return None
    return found(
        "VIS-01",
        "{missed} visits were missed in {days} days, {refusals} of them refused.",
        cure="The team discusses why, and with the practitioner what follows.",
        due=today,
        owner="case_manager",
        missed=len(recent),
        days=settings.miss_window_days,
        refusals=refusals,
    )
