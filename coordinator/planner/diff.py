"""What is different between two plans of one problem, in the words of those whom it concerns."""

from __future__ import annotations

from coordinator.planner.plan import Assignment, Change, Diff, Plan
from coordinator.planner.problem import Problem
from coordinator.planner.validate import validate_plan


def _kinds(before: Assignment | None, after: Assignment | None) -> tuple[str, ...]:
    if before is None:
        return ("added",)
    if after is None:
        return ("removed",)
    kinds = []
    if before.clinician != after.clinician:
        kinds.append("clinician")
    if before.day != after.day:
        kinds.append("day")
    elif before.start_minute != after.start_minute:
        kinds.append("time")
    return tuple(kinds)


def diff(problem: Problem, old: Plan, new: Plan) -> Diff:
    """Every visit that is not where it was, in order of visits; a change of day is not also called one of time.

    Raises ProblemError if a plan names what is not there.
    """
    validate_plan(problem, old)
    validate_plan(problem, new)
    were, are = old.by_visit(), new.by_visit()
    changes = []
    by_patient: dict[str, list[Change]] = {}
    by_clinician: dict[int, list[Change]] = {}
    for index in sorted(were.keys() | are.keys()):
        before, after = were.get(index), are.get(index)
        if before == after:
            continue
        visit = problem.visits[index]
        told = visit.current is not None and visit.current.told
        change = Change(index, visit.patient, _kinds(before, after), before, after, told)
        changes.append(change)
        by_patient.setdefault(visit.patient, []).append(change)
        for clinician in sorted({a.clinician for a in (before, after) if a is not None}):
            by_clinician.setdefault(clinician, []).append(change)
    return Diff(
        tuple(changes),
        {patient: tuple(mine) for patient, mine in by_patient.items()},
        {clinician: tuple(mine) for clinician, mine in sorted(by_clinician.items())},
    )
