"""Watching aides at work, and standing behind assistants (SUP-02, SUP-03, and more of SUP-05)."""

from collections.abc import Iterable
from datetime import date, timedelta

from coordinator.domain.vocabulary import Discipline, Performer, VisitKind
from coordinator.rules.aides import ASSISTANTS, FAMILY, assistant_supervision_due
from coordinator.rules.facts import VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

#: Stands for every task of an aide.
ALL = "ALL"
#: Skills that are judged together: a deficiency in one asks for an evaluation of all of them (484.80(h)(3)).
RELATED: tuple[frozenset[str], ...] = (
    frozenset({"BATHING", "SKIN_CARE", "GROOMING", "ORAL_CARE", "HAIR_CARE", "NAIL_CARE", "DRESSING", "LINEN_CHANGE"}),
    frozenset({"TRANSFERS", "AMBULATION", "POSITIONING"}),
    frozenset({"FEEDING", "ORAL_CARE"}),
    frozenset({"TOILETING", "SKIN_CARE", "POSITIONING"}),
)


def with_related(tasks: Iterable[str]) -> frozenset[str]:
    """The tasks and all skills related to them."""
    named = frozenset(tasks)
    return named.union(*(group for group in RELATED if group & named))


@rule(
    "SUP-02",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.80(h)(1)(ii), (h)(3)",
    verification="K",
    sentence="A concern about an aide is looked into on site within days; the tasks in question wait until then.",
    sentence_zh="對助理的照護有疑慮時，須在數日內實地觀察；有疑慮的照護項目在釐清前暫停。",
    settings=("aides.concern_observation_days",),
    asked_on=("promise", "visit", "check-in", "afterwards", "planning", "publication", "question"),
)
def ask_blocked_tasks(case: VisitCase) -> Finding | None:
    """Whether the aide would be sent to do what is not theirs until a concern is settled."""
    clinician = case.clinician
    if (
        clinician is None
        or clinician.performer is not Performer.CHHA
        or not clinician.blocked_tasks
        or case.visit.discipline is not Discipline.HHA
    ):
        return None
    listed = case.aide_plan.tasks if case.aide_plan is not None else frozenset()
    blocked = listed if ALL in clinician.blocked_tasks else listed & clinician.blocked_tasks
    if not blocked and ALL not in clinician.blocked_tasks:
        return None
    return found(
        "SUP-02",
        "The aide is not to do these tasks until a concern about them is settled: {tasks}.",
        cure="Assign another aide, or the nurse observes this one on site and finds nothing wanting.",
        tasks=", ".join(sorted(blocked)) or "all",
    )


@also("SUP-02")
def concern_observation_due(noted_on: date, policy: Policy) -> date:
    """Last day for the visit on site at which the aide is watched."""
    policy = policy.on(noted_on)
    return noted_on + timedelta(days=policy.aides.concern_observation_days)


@also("SUP-02")
def ask_concern(noted_on: date, policy: Policy) -> Finding:
    """The task that a concern makes."""
    due = concern_observation_due(noted_on, policy)
    return found(
        "SUP-02",
        "A concern about the aide was noted on {noted_on}: the aide is observed on site by {due_on}.",
        cure="A nurse or therapist watches the aide give care by {due_on}.",
        severity=Severity.TASK,
        due=due,
        owner="clinical_manager",
        noted_on=noted_on,
        due_on=due,
    )


@rule(
    "SUP-03",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.80(h)(1)(iii)",
    verification="V",
    sentence="Each aide is watched while giving care at least once a year.",
    sentence_zh="每位助理每年至少一次在照護現場接受觀察。",
    settings=("aides.annual_observation_days",),
    asked_on=("promise", "visit", "planning", "publication", "clock", "question"),
)
def annual_observation_due(last_on: date, policy: Policy) -> date:
    """Last day for the next observation of the aide; `last_on` is the latest, or the first visit here."""
    policy = policy.on(last_on)
    return last_on + timedelta(days=policy.aides.annual_observation_days)


@also("SUP-03")
def ask_observed(case: VisitCase, policy: Policy) -> Finding | None:
    """A warning where the aide's yearly observation is overdue on the day of the visit. Never a refusal."""
    clinician = case.clinician
    if clinician is None or clinician.performer is not Performer.CHHA or case.visit.discipline is not Discipline.HHA:
        return None
    last_on = clinician.last_observed_on
    if last_on is None or case.visit.day <= annual_observation_due(last_on, policy):
        return None
    return found(
        "SUP-03",
        "The aide was last observed at work, or first worked here, on {last_on}: more than a year before {day}.",
        cure="A nurse or therapist watches the aide give care.",
        severity=Severity.WARN,
        last_on=last_on,
        day=case.visit.day,
    )


@also("SUP-05")
def ask_assistant_supervised(case: VisitCase, policy: Policy) -> Finding | None:
    """A warning where the assistant's supervision with this patient is overdue."""
    clinician, facts = case.clinician, case.assistant
    if clinician is None or facts is None or facts.counted_from is None:
        return None
    due = assistant_supervision_due(clinician.performer, facts.counted_from, policy)
    if due is None or case.visit.day <= due:
        return None
    return found(
        "SUP-05",
        "Supervision of the {performer} was due on {due_on}.",
        cure="The supervising nurse or therapist visits with or after the {performer}.",
        severity=Severity.WARN,
        performer=clinician.performer,
        due_on=due,
        facts={"day": case.visit.day},
    )


@also("SUP-05")
def ask_reach(case: VisitCase) -> Finding | None:
    """A therapy assistant is sent only while the therapist of record can be reached."""
    clinician, facts = case.clinician, case.assistant
    if (
        clinician is None
        or clinician.performer not in ASSISTANTS
        or case.visit.kind is VisitKind.SUPERVISION
        or facts is None
        or facts.therapist_reachable is not False
    ):
        return None
    return found(
        "SUP-05",
        "The therapist of record cannot be reached on {day}.",
        cure="The clinical manager reassigns the patient to another therapist, in writing, or assign the therapist.",
        severity=Severity.BLOCK_OVR,
        day=case.visit.day,
    )
