"""The soft constraints: each one named thing with a weight, a full cost and a sentence; and the score made of them.

Everything is counted from scratch on the written-out plan (`ledger.py`), in plain Python. The kernel keeps the same
sums as
differences; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from coordinator.planner.hard import HARD, changed_visits, touched_patients
from coordinator.planner.ledger import Ledger, write_out
from coordinator.planner.plan import Assignment, Measures, Part, Plan, Score
from coordinator.planner.problem import Problem, Visit, Weights, Window
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
    weight: Callable[[Weights], int] | None = None
    """Cents for one; None where the price is on the visit or tie."""


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


def _wished(visit: Visit, a: Assignment) -> Window | None:
    """The preferred window in force: the last that has opened by the start, the first before any has."""
    windows = visit.preferred.get(a.day, ())
    if visit.locked or not windows:
        return None
    opened = [window for window in windows if window.earliest_start <= a.start_minute]
    return opened[-1] if opened else windows[0]


def lateness(ledger: Ledger, a: Assignment) -> int:
    """Minutes that the visit starts after the preferred window in force."""
    wished = _wished(ledger.problem.visits[a.visit], a)
    return 0 if wished is None else max(0, a.start_minute - wished.latest_start)


def late(ledger: Ledger) -> Counted:
    """Minutes after the preferred window."""
    minutes = [(lateness(ledger, a), ledger.problem.visits[a.visit].late_cost) for a in ledger.plan.assignments]
    return sum(late for late, _ in minutes), sum(late * price for late, price in minutes)


def worst_late(ledger: Ledger) -> Counted:
    """Minutes that the latest of all visits is late."""
    minutes = max((lateness(ledger, a) for a in ledger.plan.assignments), default=0)
    return minutes, minutes * ledger.problem.weights.worst_late_minute


def early(ledger: Ledger) -> Counted:
    """Minutes before the preferred window."""
    minutes = cost = 0
    for a in ledger.plan.assignments:
        visit = ledger.problem.visits[a.visit]
        wished = _wished(visit, a)
        if wished is not None and a.start_minute < wished.earliest_start:
            minutes += wished.earliest_start - a.start_minute
            cost += (wished.earliest_start - a.start_minute) * visit.early_cost
    return minutes, cost


def longest_wait(ledger: Ledger) -> Counted:
    """Minutes of the longest single wait."""
    minutes = max((wait for sheet in ledger.days for wait in sheet.waits), default=0)
    return max(0, minutes), max(0, minutes) * ledger.problem.weights.longest_wait_minute


def idle_gap(ledger: Ledger) -> Counted:
    """Minutes of waits beyond what a wait may last for nothing."""
    free = ledger.problem.weights.idle_gap_after_minutes
    minutes = sum(max(0, wait - free) for sheet in ledger.days for wait in sheet.waits)
    return minutes, minutes * ledger.problem.weights.idle_gap_minute


def longest_idle(ledger: Ledger) -> Counted:
    """Minutes that the idlest shift is idle."""
    minutes = max((sheet.idle for sheet in ledger.days if sheet.slot.counts_idle), default=0)
    return max(0, minutes), max(0, minutes) * ledger.problem.weights.longest_idle_minute


def balance(ledger: Ledger) -> Counted:
    """Minutes by which clinicians' care and travel differ from the mean, rounded up for each."""
    loads = [0] * len(ledger.problem.clinicians)
    for sheet in ledger.days:
        loads[sheet.slot.clinician] += sheet.care + sheet.travel
    total = sum(loads)
    minutes = sum(-(-abs(load * len(loads) - total) // len(loads)) for load in loads)
    return minutes, minutes * ledger.problem.weights.balance_minute


def doubletime(ledger: Ledger) -> Counted:
    """Minutes beyond the second step of overtime."""
    minutes = sum(sheet.doubletime for sheet in ledger.days)
    return minutes, minutes * ledger.problem.weights.doubletime_minute


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


def touched_patient(ledger: Ledger) -> Counted:
    """Patients whose published visits change."""
    touch, visits = ledger.problem.touch, ledger.problem.visits
    patients = touched_patients(ledger)
    told = {visits[v].patient for v in changed_visits(ledger) if _told(visits[v])}
    costs = (touch.told_patient_cost if patient in told else touch.patient_cost for patient in patients)
    return len(patients), sum(costs)


def _told(visit: Visit) -> bool:
    return visit.current is not None and visit.current.told


def touched_day(ledger: Ledger) -> Counted:
    """Clinicians' days that had been told and change."""
    told, touched = set(), set()
    changed = set(changed_visits(ledger))
    for index, visit in enumerate(ledger.problem.visits):
        now, a = visit.current, ledger.placed.get(index)
        was = None if now is None else (now.clinician, now.day)
        if was is not None and _told(visit):
            told.add(was)
        if was is not None and index in changed:
            touched.add(was)
        if a is not None and (a.clinician, a.day) != was:
            touched.add((a.clinician, a.day))
    days = len(told & touched)
    return days, days * ledger.problem.touch.clinician_cost


def stray(ledger: Ledger) -> Counted:
    """Minutes by which visits of one order stray from each other's time of day."""
    minutes = cost = 0
    for tie in ledger.problem.regularities:
        mine = [ledger.placed[v] for v in tie.visits if v in ledger.placed]
        times = [a.start_minute - ledger.problem.days[a.day].start_minute for a in mine]
        held = max(0, _spread(tie.held_minutes) - tie.tolerance_minutes)
        more = max(0, _spread((*times, *tie.held_minutes)) - tie.tolerance_minutes) - held
        minutes += more
        cost += more * tie.cost_minute
    return minutes, cost


def _spread(times: tuple[int, ...]) -> int:
    return max(times) - min(times) if times else 0


SOFT: tuple[Constraint, ...] = (
    Constraint("unplaced", "{count} visits are left out.", unplaced),
    Constraint("travel", "{count} minutes of driving.", travel, lambda w: w.travel_minute),
    Constraint("mileage", "{count} kilometres of driving.", mileage, lambda w: w.travel_kilometre),
    Constraint("waiting", "{count} minutes of waiting between visits.", waiting, lambda w: w.waiting_minute),
    Constraint(
        "overtime", "{count} minutes of overtime, by the day or by the week.", overtime, lambda w: w.overtime_minute
    ),
    Constraint(
        "doubletime", "{count} minutes of a second step of overtime.", doubletime, lambda w: w.doubletime_minute
    ),
    Constraint("fair-share", "{count} minutes beyond the fair share.", fair_share, lambda w: w.fairness_minute),
    Constraint("late", "{count} minutes later than patients prefer.", late),
    Constraint("worst-late", "{count} minutes is the latest visit late.", worst_late, lambda w: w.worst_late_minute),
    Constraint("early", "{count} minutes earlier than patients prefer.", early),
    Constraint("other-day", "{count} visits on a day that is not the wished one.", other_day),
    Constraint("skipped-break", "{count} breaks are skipped.", skipped_break),
    Constraint(
        "crowding",
        "{count} days closer together than visits of an order should be.",
        crowding,
    ),
    Constraint("faces", "{count} more faces than patients should see in a week.", faces),
    Constraint("moved-clinician", "{count} visits change their clinician.", moved_clinician),
    Constraint("moved-day", "{count} visits change their day.", moved_day),
    Constraint("moved-time", "{count} visits change their time.", moved_time),
    Constraint("touched-patient", "{count} patients are touched by changes.", touched_patient),
    Constraint("touched-day", "{count} days that clinicians know are changed.", touched_day),
    Constraint("stray", "{count} minutes stray from an order's usual time of day.", stray),
    Constraint("idle-gap", "{count} minutes of long waits.", idle_gap, lambda w: w.idle_gap_minute),
    Constraint(
        "longest-wait", "{count} minutes is the longest single wait.", longest_wait, lambda w: w.longest_wait_minute
    ),
    Constraint(
        "longest-idle", "{count} minutes is the idlest shift idle.", longest_idle, lambda w: w.longest_idle_minute
    ),
    Constraint("balance", "{count} minutes from an even share of the work.", balance, lambda w: w.balance_minute),
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
        weight = 0 if constraint.weight is None else constraint.weight(problem.weights)
        sentence = constraint.sentence.format(count=count)
        priced = constraint.weight is None or weight > 0
        parts.append(Part(constraint.name, weight, count, cost, sentence, priced))
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
