"""Comprehensive assessments: who may make which, by when, and what a late one means (ASM-01, ASM-03, CERT-02)."""

from dataclasses import dataclass
from datetime import date, timedelta

from coordinator.domain.timeline import certification_period_of
from coordinator.domain.vocabulary import DISCIPLINE_OF, AssessmentKind, Performer
from coordinator.rules.certification import event_assessment_due, recertification_assessment
from coordinator.rules.facts import EpisodeFacts, VisitCase
from coordinator.rules.staffing import ASSESSORS, may_open_case
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "assessments"


@dataclass(frozen=True, slots=True)
class AssessorFacts:
    """Who is to make an assessment of which kind, in which episode."""

    kind: AssessmentKind
    performer: Performer
    episode: EpisodeFacts


@also("ASM-01")
def ask_assessor(facts: AssessorFacts, policy: Policy) -> Finding | None:
    """Whether the profession may make the assessment: the start of care as the case is opened, others by four.

    A recertification is made by a discipline that is ordered (the table of ASM-01: "own active skilled discipline").
    """
    performer, kind = facts.performer, facts.kind
    ordered = ", ".join(sorted(facts.episode.ordered_disciplines)) or "nothing"
    if kind is AssessmentKind.START_OF_CARE:
        allowed = may_open_case(performer, facts.episode, policy)
    elif kind is AssessmentKind.RECERTIFICATION:
        allowed = performer in ASSESSORS and DISCIPLINE_OF[performer] in facts.episode.ordered_disciplines
    else:
        allowed = performer in ASSESSORS
    if allowed:
        return None
    return found(
        "ASM-01",
        "{performer} may not make the {kind} assessment when {ordered} is ordered.",
        cure="A registered nurse, or the therapist whom the rule allows, makes the assessment.",
        performer=performer,
        kind=kind.value.replace("_", " "),
        ordered=ordered,
    )


@dataclass(frozen=True, slots=True)
class Recertified:
    """Which period a recertification or resumption assessment serves, `None` for none, and whether late."""

    period: int | None
    due_on: date
    findings: tuple[Finding, ...] = ()


@also("CERT-02")
def ask_recertified(soc: date, assessed_on: date, served: frozenset[int]) -> Recertified:
    """What an assessment of that day recertifies, given the periods that are `served` already.

    In the window of its period it serves that. Else, if the period before was never served, it serves that one late:
    with its true date, and never by discharge and readmission. Else it is too early and does not count.
    """
    number = certification_period_of(soc, assessed_on)
    now = recertification_assessment(soc, number, assessed_on)
    if now.satisfied:
        return Recertified(number, now.window.last)
    if number > 1 and number - 1 not in served:
        missed = recertification_assessment(soc, number - 1, assessed_on)
        late = found(
            "CERT-02",
            "The recertification of period {number} is late: its window was {first} to {last}.",
            cure="The clinical manager records the late recertification as an incident; the date stays the true one.",
            severity=Severity.TASK,
            due=assessed_on,
            owner="clinical_manager",
            number=number - 1,
            first=missed.window.first,
            last=missed.window.last,
        )
        return Recertified(number - 1, missed.window.last, (late,))
    early = found(
        "CERT-02",
        "An assessment of {day} recertifies nothing: the window is {first} to {last}.",
        cure="The nurse or therapist assesses again from {first} to {last}.",
        severity=Severity.WARN,
        day=assessed_on,
        first=now.window.first,
        last=now.window.last,
    )
    return Recertified(None, now.window.last, (early,))


def assessment_due(kind: AssessmentKind, event_on: date, policy: Policy) -> date:
    """Last day on which the assessment of an event is in time: five days after start of care, two after others."""
    return (
        comprehensive_due(event_on, policy)
        if kind is AssessmentKind.START_OF_CARE
        else event_assessment_due(event_on, policy)
    )


@rule(
    "ASM-03",
    family=FAMILY,
    severity=Severity.WARN,
    citation="42 CFR 484.55(b)(1)",
    verification="V",
    sentence="The comprehensive assessment is completed within five days of the start of care.",
    sentence_zh="全面評估須在開始服務後五天內完成。",
    settings=("assessment.comprehensive_days",),
    asked_on=("promise", "episode", "visit", "check-in", "planning", "publication", "question"),
)
def ask_comprehensive(soc: date, completed_on: date | None, today: date, policy: Policy) -> tuple[Finding, ...]:
    """From the sixth day on a warning on every later visit and an incident, until it is completed; late, an incident.

    `completed_on`: day of the completed start-of-care assessment, `None` while there is none.
    """
    due = comprehensive_due(soc, policy)
    if (completed_on or today) <= due:
        return ()
    incident = found(
        "ASM-03",
        "The comprehensive assessment was due on {due_on} and was completed on {completed_on}."
        if completed_on
        else "The comprehensive assessment was due on {due_on} and is not completed.",
        cure="The clinical manager records the incident and why it was late.",
        severity=Severity.TASK,
        due=max(due, today),
        owner="clinical_manager",
        due_on=due,
        completed_on=completed_on,
    )
    if completed_on is not None:
        return (incident,)
    warning = found(
        "ASM-03",
        "The comprehensive assessment was due on {due_on} and is not completed.",
        cure="The nurse or therapist who opened the case completes the comprehensive assessment.",
        due_on=due,
    )
    return (warning, incident)


@also("ASM-03")
def ask_assessed(case: VisitCase) -> Finding | None:
    """A warning on every visit from the day on which the assessment of the start is late, until it is complete."""
    late_from = case.episode.assessment_late_from
    if late_from is None or case.visit.day < late_from:
        return None
    return found(
        "ASM-03",
        "The comprehensive assessment was due on {due_on} and is not completed.",
        cure="The nurse or therapist who opened the case completes the comprehensive assessment.",
        due_on=late_from - timedelta(days=1),
        facts={"day": case.visit.day},
    )


def comprehensive_due(soc: date, policy: Policy) -> date:
    """Last day for the comprehensive assessment, start of care being day 0."""
    policy = policy.on(soc)
    return soc + timedelta(days=policy.assessment.comprehensive_days)
