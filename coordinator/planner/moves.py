"""What else moves when one visit is placed, and why; and whether a plan breaks nothing that was whole before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from coordinator.planner.constraints import score
from coordinator.planner.diff import diff
from coordinator.planner.plan import Assignment, Change, Plan, Score, Violation
from coordinator.planner.problem import Problem, Reason
from coordinator.planner.reasons import reason


@dataclass(frozen=True, slots=True)
class Move:
    """Another visit that does not stay where it is, and why."""

    change: Change
    cause: Reason
    """One of `makes-room`, `moves-on`, `goes-along`, `later`, `earlier`."""


class Measure:
    """How a plan is, to hold others against: they must break no further rule and leave nobody out."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self.before: Score = score(problem, plan)
        self.placed = frozenset(plan.by_visit())
        self.broken = Counter(_name(violation) for violation in self.before.hard)

    def judge(self, plan: Plan, *visits: int, changed: Problem | None = None) -> Score | None:
        """The score of another plan (of the `changed` problem); None unless it holds these visits, everybody that was
        placed, and breaks nothing that was whole."""
        if not (self.placed | set(visits)) <= plan.by_visit().keys():
            return None
        after = score(self.problem if changed is None else changed, plan)
        more = Counter(_name(violation) for violation in after.hard) - self.broken
        return None if more else after

    def parts(self, after: Score) -> tuple[tuple[str, int], ...]:
        """(name, cents more) of each part of the cost that differs."""
        were = {part.name: part.cost for part in self.before.parts}
        return tuple(
            (part.name, part.cost - were.get(part.name, 0)) for part in after.parts if part.cost != were.get(part.name)
        )


def _name(violation: Violation) -> tuple[object, ...]:
    return (violation.rule, violation.visits, violation.clinician, violation.day)


def moves_of(problem: Problem, old: Plan, new: Plan, visit: int, partner: int = -1) -> tuple[Move, ...]:
    """What other visits do when `visit` is placed, those of other days and people first."""
    changes = diff(problem, old, new).changes
    came = [change for change in changes if change.after is not None and change.kinds != ("time",)]
    found = []
    for change in changes:
        if change.visit == visit:
            continue
        found.append(Move(change, _cause(change, came, visit, partner)))
    return tuple(sorted(found, key=lambda move: (move.change.kinds == ("time",), move.change.visit)))


def _cause(change: Change, came: list[Change], visit: int, partner: int) -> Reason:
    """Why this visit moves: who comes where it was, or that its day is timed anew."""
    before, after = change.before, change.after
    if change.visit == partner:
        return reason("goes-along", visit=visit)
    if before is None or after is None:
        return reason("moves-on")
    if change.kinds == ("time",):
        minutes = after.start_minute - before.start_minute
        return reason("later" if minutes > 0 else "earlier", abs(minutes))
    others = [other.after for other in came if other.visit != change.visit and _same_day(other.after, before)]
    nearest = min(
        (other for other in others if other is not None),
        key=lambda other: (abs(other.start_minute - before.start_minute), other.visit),
        default=None,
    )
    return reason("moves-on") if nearest is None else reason("makes-room", visit=nearest.visit)


def _same_day(one: Assignment | None, other: Assignment) -> bool:
    return one is not None and (one.clinician, one.day) == (other.clinician, other.day)
