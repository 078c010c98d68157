"""The register of constraints, each one named thing with a weight, a full cost, a delta cost and a sentence; the score.

Hard rules are in `hard.py`, what costs money is counted in `soft.py`. Nothing here is shared with the kernels, which
keep the same sums as differences of their own; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coordinator.planner import soft
from coordinator.planner.hard import HARD
from coordinator.planner.ledger import Ledger, write_out
from coordinator.planner.plan import Measures, Part, Plan, Score
from coordinator.planner.problem import Problem, Weights
from coordinator.planner.scope import Scope
from coordinator.planner.validate import validate_plan


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing that costs money in a plan."""

    name: str
    sentence: str
    """With `{count}` for what was counted."""
    count: Callable[[Ledger, Scope], soft.Counted]
    weight: Callable[[Weights], int] | None = None
    """Cents for one; None where the price is on the visit or tie."""

    def full(self, ledger: Ledger) -> Part:
        """What the whole plan has of it."""
        count, cost = self.count(ledger, ledger.whole)
        weight = 0 if self.weight is None else self.weight(ledger.problem.weights)
        priced = self.weight is None or weight > 0
        return Part(self.name, weight, count, cost, self.sentence.format(count=count), priced)

    def delta(self, before: Ledger, after: Ledger, scope: Scope) -> int:
        """Cents that a change costs which reaches no further than the scope (see `Ledger.moved`)."""
        return self.count(after, scope)[1] - self.count(before, scope)[1]


SOFT: tuple[Constraint, ...] = (
    Constraint("unplaced", "{count} visits are left out.", soft.unplaced),
    Constraint("travel", "{count} minutes of driving.", soft.travel, lambda w: w.travel_minute),
    Constraint("mileage", "{count} kilometres of driving.", soft.mileage, lambda w: w.travel_kilometre),
    Constraint("waiting", "{count} minutes of waiting between visits.", soft.waiting, lambda w: w.waiting_minute),
    Constraint(
        "overtime",
        "{count} minutes of overtime, by the day or by the week.",
        soft.overtime,
        lambda w: w.overtime_minute,
    ),
    Constraint(
        "doubletime", "{count} minutes of a second step of overtime.", soft.doubletime, lambda w: w.doubletime_minute
    ),
    Constraint("seventh-day", "{count} minutes on the seventh day of a week worked every day.", soft.seventh_day),
    Constraint("fair-share", "{count} minutes beyond the fair share.", soft.fair_share, lambda w: w.fairness_minute),
    Constraint("late", "{count} minutes later than patients prefer.", soft.late),
    Constraint(
        "worst-late", "{count} minutes is the latest visit late.", soft.worst_late, lambda w: w.worst_late_minute
    ),
    Constraint("early", "{count} minutes earlier than patients prefer.", soft.early),
    Constraint("other-day", "{count} visits on a day that is not the wished one.", soft.other_day),
    Constraint("skipped-break", "{count} breaks are skipped.", soft.skipped_break),
    Constraint(
        "crowding",
        "{count} days closer together than visits of an order should be.",
        soft.crowding,
    ),
    Constraint("faces", "{count} more faces than patients should see in a week.", soft.faces),
    Constraint("moved-clinician", "{count} visits change their clinician.", soft.moved_clinician),
    Constraint("moved-day", "{count} visits change their day.", soft.moved_day),
    Constraint("moved-time", "{count} visits change their time.", soft.moved_time),
    Constraint("touched-patient", "{count} patients are touched by changes.", soft.touched_patient),
    Constraint("touched-day", "{count} days that clinicians know are changed.", soft.touched_day),
    Constraint("stray", "{count} minutes stray from an order's usual time of day.", soft.stray),
    Constraint("idle-gap", "{count} minutes of long waits.", soft.idle_gap, lambda w: w.idle_gap_minute),
    Constraint(
        "longest-wait",
        "{count} minutes is the longest single wait.",
        soft.longest_wait,
        lambda w: w.longest_wait_minute,
    ),
    Constraint(
        "longest-idle", "{count} minutes is the idlest shift idle.", soft.longest_idle, lambda w: w.longest_idle_minute
    ),
    Constraint("balance", "{count} minutes from an even share of the work.", soft.balance, lambda w: w.balance_minute),
)


def constraints_of(problem: Problem) -> tuple[Constraint, ...]:
    """All that can cost money in plans of this problem: the fixed ones, and one for each name of a wish."""
    names = sorted({wish.name for visit in problem.visits for wish in visit.preferences})
    wishes = (Constraint(name, f"{{count}} visits are not as wished in {name}.", soft.wish(name)) for name in names)
    return (*SOFT, *wishes)


def _continuity_percent(ledger: Ledger) -> int:
    asked = kept = 0
    for a in ledger.placed.values():
        for wish in ledger.problem.visits[a.visit].preferences:
            if wish.name == "continuity":
                asked += 1
                lowest = min([*wish.costs.values(), wish.otherwise])
                kept += wish.costs.get(a.clinician, wish.otherwise) == lowest
    return 100 * kept // asked if asked else 100


def score(problem: Problem, plan: Plan) -> Score:
    """Count the plan from scratch. Raises ProblemError if it names what is not there.

    Shared with the search are only the dataclasses: no kernel, no arrays, no earlier sums.
    """
    validate_plan(problem, plan)
    ledger = write_out(problem, plan)
    hard = tuple(violation for rule in HARD for violation in rule.full(ledger))
    parts = tuple(constraint.full(ledger) for constraint in constraints_of(problem))
    metres = 0
    if problem.travel_metres is not None:
        metres = sum(int(problem.travel_metres[leg]) for sheet in ledger.days for leg in sheet.legs)
    measures = Measures(
        wanted=len(problem.visits),
        placed=len(ledger.placed),
        unplaced=len(problem.visits) - len(ledger.placed),
        travel_minutes=sum(sheet.travel for sheet in ledger.days),
        waiting_minutes=sum(sheet.waiting for sheet in ledger.days),
        worked_minutes=sum(sheet.worked for sheet in ledger.days),
        overtime_minutes=soft.overtime(ledger, ledger.whole)[0],
        continuity_percent=_continuity_percent(ledger),
        metres=metres,
    )
    return Score(hard, parts, measures)
