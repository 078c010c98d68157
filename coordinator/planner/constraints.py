"""The soft constraints: each one named thing with a weight, a full cost and a sentence; and the score made of them.

Everything is counted from scratch on the written-out plan (`ledger.py`), in plain Python. The kernel keeps the same
sums as
differences; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from coordinator.planner.hard import HARD
from coordinator.planner.ledger import Ledger, write_out
from coordinator.planner.plan import Measures, Part, Plan, Score
from coordinator.planner.problem import Problem, Weights
from coordinator.planner.validate import validate_plan

Counted = tuple[int, int]
"""How many, and how many cents."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing that costs money in a plan."""

    name: str
    sentence: str
    """With `{count}` for what was counted."""
    count: Callable[[Ledger], Counted]
    weight: Callable[[Weights], int]
    """Cents for one; 0 where the price is on the visit or tie."""


def _priced_elsewhere(_weights: Weights) -> int:
    return 0


def unplaced(ledger: Ledger) -> Counted:
    """Visits left out, each at its priority."""
    visits = ledger.problem.visits
    left = [visit for index, visit in enumerate(visits) if index not in ledger.placed]
    must = ledger.problem.weights.mandatory
    return len(left), sum(must if visit.mandatory or visit.locked else visit.unplaced_cost for visit in left)


def travel(ledger: Ledger) -> Counted:
    """Minutes of driving."""
    minutes = sum(sheet.travel for sheet in ledger.days)
    return minutes, minutes * ledger.problem.weights.travel_minute


def mileage(ledger: Ledger) -> Counted:
    """Kilometres of driving, each leg rounded down to the cent."""
    metres = ledger.problem.travel_metres
    if metres is None:
        return 0, 0
    legs = [int(metres[leg]) for sheet in ledger.days for leg in sheet.legs]
    return sum(legs) // 1000, sum(leg * ledger.problem.weights.travel_kilometre // 1000 for leg in legs)


def waiting(ledger: Ledger) -> Counted:
    """Minutes on duty that are neither care nor driving nor rest."""
    minutes = sum(sheet.waiting for sheet in ledger.days)
    return minutes, minutes * ledger.problem.weights.waiting_minute


def overtime(ledger: Ledger) -> Counted:
    """Minutes beyond the day's pay, and beyond the week's where the day has not paid them as overtime already."""
    minutes = sum(sheet.overtime for sheet in ledger.days)
    for (clinician, week), sheets in ledger.weeks().items():
        limit = ledger.problem.clinicians[clinician].week_overtime_after_minutes
        if limit is not None:
            already = ledger.already(clinician, week)
            straight = already + sum(sheet.worked - sheet.overtime for sheet in sheets)
            minutes += max(0, straight - limit) - max(0, already - limit)
    return minutes, minutes * ledger.problem.weights.overtime_minute


def fair_share(ledger: Ledger) -> Counted:
    """Worked minutes beyond a clinician's fair share of the week."""
    minutes = 0
    for (clinician, week), sheets in ledger.weeks().items():
        share = ledger.problem.clinicians[clinician].fair_share_minutes
        if share is not None:
            already = ledger.already(clinician, week)
            minutes += max(0, already + sum(sheet.worked for sheet in sheets) - share) - max(0, already - share)
    return minutes, minutes * ledger.problem.weights.fairness_minute


def late(ledger: Ledger) -> Counted:
    """Minutes after the preferred window."""
    minutes = cost = 0
    for a in ledger.plan.assignments:
        visit = ledger.problem.visits[a.visit]
        wished = visit.preferred.get(a.day)
        if wished is not None and not visit.locked and a.start_minute > wished.latest_start and visit.late_cost:
            minutes += a.start_minute - wished.latest_start
            cost += (a.start_minute - wished.latest_start) * visit.late_cost
    return minutes, cost


def early(ledger: Ledger) -> Counted:
    """Minutes before the preferred window."""
    minutes = cost = 0
    for a in ledger.plan.assignments:
        visit = ledger.problem.visits[a.visit]
        wished = visit.preferred.get(a.day)
        if wished is not None and not visit.locked and a.start_minute < wished.earliest_start and visit.early_cost:
            minutes += wished.earliest_start - a.start_minute
            cost += (wished.earliest_start - a.start_minute) * visit.early_cost
    return minutes, cost


def other_day(ledger: Ledger) -> Counted:
    """Visits on a day that is not the wished one."""
    costs = [ledger.problem.visits[a.visit].day_costs.get(a.day, 0) for a in ledger.plan.assignments]
    return sum(1 for cost in costs if cost), sum(costs)


def skipped_break(ledger: Ledger) -> Counted:
    """Breaks that were owed and may be bought off."""
    skipped = [sheet.slot.breaks[number].skip_cost or 0 for sheet in ledger.days for number in sheet.skipped_breaks]
    return len(skipped), sum(skipped)


def crowding(ledger: Ledger) -> Counted:
    """Days by which visits of one order stand closer than ideal."""
    short = cost = 0
    for tie in ledger.problem.spacings:
        days = sorted([*(ledger.placed[v].day for v in tie.visits if v in ledger.placed), *tie.held_days])
        held = sorted(tie.held_days)
        missing = _short(days, tie.ideal_gap_days) - _short(held, tie.ideal_gap_days)
        if tie.cost:
            short += missing
        cost += missing * tie.cost
    return short, cost


def _short(days: list[int], ideal: int) -> int:
    """Days missing between neighbours in this sorted list."""
    return sum(max(0, ideal - (after - before)) for before, after in pairwise(days))


def faces(ledger: Ledger) -> Counted:
    """Clinicians beyond the free number that a patient sees in a week."""
    extra = cost = 0
    for tie in ledger.problem.faces_limits:
        held: dict[int, set[int]] = {}
        for week, clinician in tie.held_faces:
            held.setdefault(week, set()).add(clinician)
        seen = {week: set(people) for week, people in held.items()}
        for v in tie.visits:
            if v in ledger.placed:
                seen.setdefault(ledger.week(ledger.placed[v].day), set()).add(ledger.placed[v].clinician)
        for week, people in seen.items():
            more = max(0, len(people) - tie.free_faces) - max(0, len(held.get(week, ())) - tie.free_faces)
            extra += more
            cost += more * tie.cost
    return extra, cost


def moved_clinician(ledger: Ledger) -> Counted:
    """Visits that another clinician now makes."""
    costs = []
    for a in ledger.plan.assignments:
        now = ledger.problem.visits[a.visit].current
        if now is not None and now.clinician != a.clinician:
            costs.append(now.clinician_change_cost)
    return len(costs), sum(costs)


def moved_day(ledger: Ledger) -> Counted:
    """Visits on another day than now."""
    costs = []
    for a in ledger.plan.assignments:
        now = ledger.problem.visits[a.visit].current
        if now is not None and now.day != a.day:
            costs.append(now.day_change_cost)
    return len(costs), sum(costs)


def moved_time(ledger: Ledger) -> Counted:
    """Visits on the same day at another time than now, beyond the tolerance."""
    costs = []
    for a in ledger.plan.assignments:
        visit = ledger.problem.visits[a.visit]
        now = visit.current
        if now is None or now.day != a.day or visit.locked:
            continue
        if abs(a.start_minute - now.start_minute) > now.time_tolerance_minutes:
            costs.append(now.time_change_cost)
    return len(costs), sum(costs)


SOFT: tuple[Constraint, ...] = (
    Constraint("unplaced", "{count} visits are left out.", unplaced, _priced_elsewhere),
    Constraint("travel", "{count} minutes of driving.", travel, lambda w: w.travel_minute),
    Constraint("mileage", "{count} kilometres of driving.", mileage, lambda w: w.travel_kilometre),
    Constraint("waiting", "{count} minutes of waiting between visits.", waiting, lambda w: w.waiting_minute),
    Constraint(
        "overtime", "{count} minutes of overtime, by the day or by the week.", overtime, lambda w: w.overtime_minute
    ),
    Constraint("fair-share", "{count} minutes beyond the fair share.", fair_share, lambda w: w.fairness_minute),
    Constraint("late", "{count} minutes later than patients prefer.", late, _priced_elsewhere),
    Constraint("early", "{count} minutes earlier than patients prefer.", early, _priced_elsewhere),
    Constraint("other-day", "{count} visits on a day that is not the wished one.", other_day, _priced_elsewhere),
    Constraint("skipped-break", "{count} breaks are skipped.", skipped_break, _priced_elsewhere),
    Constraint(
        "crowding", "{count} days closer together than visits of an order should be.", crowding, _priced_elsewhere
    ),
    Constraint("faces", "{count} more faces than patients should see in a week.", faces, _priced_elsewhere),
    Constraint("moved-clinician", "{count} visits change their clinician.", moved_clinician, _priced_elsewhere),
    Constraint("moved-day", "{count} visits change their day.", moved_day, _priced_elsewhere),
    Constraint("moved-time", "{count} visits change their time.", moved_time, _priced_elsewhere),
)


def _wishes(ledger: Ledger) -> list[Part]:
    """One part for each name of a wish: continuity, language, gender and whatever else the problem brings."""
    names = sorted({wish.name for visit in ledger.problem.visits for wish in visit.preferences})
    counts, costs = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for a in ledger.plan.assignments:
        for wish in ledger.problem.visits[a.visit].preferences:
            cost = wish.costs.get(a.clinician, wish.otherwise)
            counts[wish.name] += 1 if cost else 0
            costs[wish.name] += cost
    return [
        Part(name, 0, counts[name], costs[name], f"{counts[name]} visits are not as wished in {name}.")
        for name in names
    ]


def _continuity_percent(ledger: Ledger) -> int:
    asked = kept = 0
    for a in ledger.plan.assignments:
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
    hard = [violation for rule in HARD for violation in rule(ledger)]
    parts = []
    for constraint in SOFT:
        count, cost = constraint.count(ledger)
        sentence = constraint.sentence.format(count=count)
        parts.append(Part(constraint.name, constraint.weight(problem.weights), count, cost, sentence))
    parts += _wishes(ledger)
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
        overtime_minutes=overtime(ledger)[0],
        continuity_percent=_continuity_percent(ledger),
        metres=metres,
    )
    return Score(tuple(hard), tuple(parts), measures)
