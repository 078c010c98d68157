"""The therapist's reassessment every thirty days (THX-01)."""

from datetime import date, timedelta

from coordinator.domain.vocabulary import THERAPIES, Performer, VisitKind
from coordinator.rules.facts import VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "therapy"

#: Who may reassess: the therapists themselves, never an assistant.
QUALIFIED_THERAPISTS = frozenset({Performer.PT, Performer.OT, Performer.SLP})
_ASSISTANTS = frozenset({Performer.PTA, Performer.COTA})
#: Why a visit after the due day is billed nevertheless: sources differ about a stay in hospital (rule book, THX-01).
EXCEPTIONS = frozenset({"INPATIENT", "UNEXPECTED_CHANGE"})
#: Visits that reassess and so restart the clock.
REASSESSING = frozenset({VisitKind.EVALUATION, VisitKind.REASSESSMENT})


@rule(
    "THX-01",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 409.44(c)(2)(i)",
    verification="V",
    sentence="A therapist of each discipline reassesses at least every 30 days, whatever the certification period.",
    sentence_zh="每個治療專業的治療師至少每30天再評估一次，不受核證期影響。",
    settings=("therapy.reassessment_days", "therapy.reassessment_warning_days"),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def reassessment_due(last_qualifying_on: date, policy: Policy) -> date:
    """Last day for the next reassessment: the last evaluation or reassessment is day 0. Nothing pauses the clock."""
    policy = policy.on(last_qualifying_on)
    return last_qualifying_on + timedelta(days=policy.therapy.reassessment_days)


@also("THX-01")
def is_covered(visit_on: date, last_qualifying_on: date, reassessed_on: date | None, policy: Policy) -> bool:
    """Whether a visit of the discipline counts: late visits do not, from the day after due until the reassessment."""
    if visit_on <= reassessment_due(last_qualifying_on, policy):
        return True
    return reassessed_on is not None and visit_on >= reassessed_on


@also("THX-01")
def ask_therapy_done(
    visit_on: date, last_qualifying_on: date, reassessed_on: date | None, policy: Policy, exception: str = ""
) -> Finding | None:
    """A visit made after the reassessment was due, and before it, is not billed without a coded exception."""
    if is_covered(visit_on, last_qualifying_on, reassessed_on, policy) or exception in EXCEPTIONS:
        return None
    due = reassessment_due(last_qualifying_on, policy)
    return found(
        "THX-01",
        "The visit of {visit_on} came after {due_on}, when therapy was to be reassessed.",
        cure="The clinical manager records why: {exceptions}.",
        severity=Severity.HOLD_BILL,
        visit_on=visit_on,
        due_on=due,
        exceptions=", ".join(sorted(EXCEPTIONS)),
    )


@also("THX-01")
def ask_reassessment_booked(
    last_qualifying_on: date, booked_on: date | None, today: date, policy: Policy
) -> tuple[Finding, ...]:
    """The task to reassess, and from a week before it is due a warning while no therapist's visit is booked in time."""
    policy = policy.on(last_qualifying_on)
    due = reassessment_due(last_qualifying_on, policy)
    findings = [
        found(
            "THX-01",
            "Therapy is to be reassessed by {due_on}.",
            cure="The therapist reassesses by {due_on}.",
            due=due,
            owner="therapist",
            due_on=due,
        )
    ]
    warn_from = due - timedelta(days=policy.therapy.reassessment_warning_days)
    if (booked_on is None or booked_on > due) and today >= warn_from:
        findings.append(
            found(
                "THX-01",
                "No therapist's visit is booked by {due_on}, when therapy is to be reassessed.",
                cure="The scheduler books the therapist by {due_on}.",
                severity=Severity.WARN,
                due_on=due,
            )
        )
    return tuple(findings)


@also("THX-01")
def ask_reassessed(case: VisitCase, policy: Policy) -> Finding | None:
    """A therapy visit after the reassessment was due is warned of, unless it is the reassessment."""
    due = _overdue(case, policy)
    if due is None:
        return None
    return found(
        "THX-01",
        "{discipline} was to be reassessed by {due_on}; this visit is not covered before that is done.",
        cure="Make this a reassessment by the therapist, or book one before it.",
        severity=Severity.WARN,
        discipline=case.visit.discipline,
        due_on=due,
        facts={"day": case.visit.day},
    )


@also("THX-01")
def ask_assistant_in_time(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """An assistant is not sent after the reassessment was due, and what is done so is not billed."""
    if case.clinician is None or case.clinician.performer not in _ASSISTANTS:
        return ()
    due = _overdue(case, policy)
    if due is None:
        return ()
    return tuple(
        found(
            "THX-01",
            "{performer} is to visit after {due_on}, when the therapist was to reassess.",
            cure="Assign the therapist, who reassesses.",
            severity=severity,
            performer=case.clinician.performer,
            due_on=due,
            facts={"day": case.visit.day},
        )
        for severity in (Severity.BLOCK_OVR, Severity.HOLD_BILL)
    )


def _overdue(case: VisitCase, policy: Policy) -> date | None:
    """The due day, when the visit lies after it and does not itself reassess."""
    therapy, visit = case.therapy, case.visit
    if therapy is None or therapy.last_qualifying_on is None or visit.discipline not in THERAPIES:
        return None
    if visit.kind in REASSESSING:
        return None
    due = reassessment_due(therapy.last_qualifying_on, policy)
    return due if visit.day > due else None
