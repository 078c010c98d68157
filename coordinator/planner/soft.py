"""What costs money in a plan: each counted from scratch on the written-out plan (`ledger.py`), in plain Python.

Every function counts what is in the scope and returns how many and how many cents. Sums over the parts of a plan look
only at the scope; what compares everybody with everybody looks at the whole plan whatever the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from coordinator.planner.hard import changed, touched
from coordinator.planner.ledger import Ledger
from coordinator.planner.plan import Assignment
from coordinator.planner.problem import Visit, Window
from coordinator.planner.scope import Scope

Counted = tuple[int, int]
"""How many, and how many cents."""


def unplaced(ledger: Ledger, scope: Scope) -> Counted:
    """Visits left out, each at its priority."""
    left = [ledger.problem.visits[index] for index in scope.visits if index not in ledger.placed]
    must = ledger.problem.weights.mandatory
    return len(left), sum(must if visit.mandatory or visit.locked else visit.unplaced_cost for visit in left)


def travel(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes of driving."""
    minutes = sum(sheet.travel for sheet in ledger.sheets_in(scope))
    return minutes, minutes * ledger.problem.weights.travel_minute


def mileage(ledger: Ledger, scope: Scope) -> Counted:
    """Kilometres of driving, each leg rounded down to the cent."""
    metres = ledger.problem.travel_metres
    if metres is None:
        return 0, 0
    legs = [int(metres[leg]) for sheet in ledger.sheets_in(scope) for leg in sheet.legs]
    return sum(legs) // 1000, sum(leg * ledger.problem.weights.travel_kilometre // 1000 for leg in legs)


def waiting(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes on duty that are neither care nor driving nor rest."""
    minutes = sum(sheet.waiting for sheet in ledger.sheets_in(scope))
    return minutes, minutes * ledger.problem.weights.waiting_minute


def overtime(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes beyond the day's pay, and beyond the week's where the day has not paid them as overtime already."""
    minutes = 0
    for (clinician, week), sheets in ledger.weeks(scope).items():
        minutes += sum(sheet.overtime for sheet in sheets)
        limit = ledger.problem.clinicians[clinician].week_overtime_after_minutes
        if limit is not None:
            already = ledger.already(clinician, week)
            straight = already + sum(sheet.worked - sheet.overtime for sheet in sheets)
            minutes += max(0, straight - limit) - max(0, already - limit)
    return minutes, minutes * ledger.problem.weights.overtime_minute


def fair_share(ledger: Ledger, scope: Scope) -> Counted:
    """Worked minutes beyond a clinician's fair share of the week."""
    minutes = 0
    for (clinician, week), sheets in ledger.weeks(scope).items():
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


def late(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes after the preferred window."""
    minutes = [(lateness(ledger, a), ledger.problem.visits[a.visit].late_cost) for a in ledger.made(scope)]
    return sum(late for late, _ in minutes), sum(late * price for late, price in minutes)


def worst_late(ledger: Ledger, _scope: Scope) -> Counted:
    """Minutes that the latest of all visits is late."""
    minutes = max((lateness(ledger, a) for a in ledger.placed.values()), default=0)
    return minutes, minutes * ledger.problem.weights.worst_late_minute


def early(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes before the preferred window."""
    minutes = cost = 0
    for a in ledger.made(scope):
        visit = ledger.problem.visits[a.visit]
        wished = _wished(visit, a)
        if wished is not None and a.start_minute < wished.earliest_start:
            minutes += wished.earliest_start - a.start_minute
            cost += (wished.earliest_start - a.start_minute) * visit.early_cost
    return minutes, cost


def longest_wait(ledger: Ledger, _scope: Scope) -> Counted:
    """Minutes of the longest single wait."""
    minutes = max((wait for sheet in ledger.days for wait in sheet.waits), default=0)
    return max(0, minutes), max(0, minutes) * ledger.problem.weights.longest_wait_minute


def idle_gap(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes of waits beyond what a wait may last for nothing."""
    free = ledger.problem.weights.idle_gap_after_minutes
    minutes = sum(max(0, wait - free) for sheet in ledger.sheets_in(scope) for wait in sheet.waits)
    return minutes, minutes * ledger.problem.weights.idle_gap_minute


def longest_idle(ledger: Ledger, _scope: Scope) -> Counted:
    """Minutes that the idlest shift is idle."""
    minutes = max((sheet.idle for sheet in ledger.days if sheet.slot.counts_idle), default=0)
    return max(0, minutes), max(0, minutes) * ledger.problem.weights.longest_idle_minute


def balance(ledger: Ledger, _scope: Scope) -> Counted:
    """Minutes by which clinicians' care and travel differ from the mean, rounded up for each."""
    loads = [0] * len(ledger.problem.clinicians)
    for sheet in ledger.days:
        loads[sheet.slot.clinician] += sheet.care + sheet.travel
    total = sum(loads)
    minutes = sum(-(-abs(load * len(loads) - total) // len(loads)) for load in loads)
    return minutes, minutes * ledger.problem.weights.balance_minute


def doubletime(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes beyond the second step of overtime."""
    minutes = sum(sheet.doubletime for sheet in ledger.sheets_in(scope))
    return minutes, minutes * ledger.problem.weights.doubletime_minute


def seventh_day(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes of the last day of a week that is worked every day, as far as neither day nor week has them as overtime.

    Its price has minutes beyond `SeventhDay.double_after_minutes` once more, without those that are `doubletime`.
    """
    minutes = cost = 0
    for tie in ledger.problem.seventh_days:
        week = (tie.clinician, ledger.week(tie.last))
        if scope.weeks is not None and week not in scope.weeks:
            continue
        shifts = [(tie.clinician, day) for day in (*tie.others, tie.last)]
        if not all(shift in ledger.sheets and ledger.sheets[shift].visits for shift in shifts):
            continue
        last = ledger.sheets[tie.clinician, tie.last]
        mine = last.worked - last.overtime
        limit = ledger.problem.clinicians[tie.clinician].week_overtime_after_minutes
        if limit is not None:
            # What the week pays as overtime anyway, were this its last day.
            straight = sum(sheet.worked - sheet.overtime for sheet in ledger.weeks()[week])
            before = ledger.already(*week) + straight - mine
            mine -= max(0, before + mine - limit) - max(0, before - limit)
        minutes += mine
        cost += mine * tie.cost_minute
        if tie.double_after_minutes is not None:
            double = max(0, last.worked - tie.double_after_minutes) - last.doubletime
            cost += max(0, double) * tie.double_cost_minute
    return minutes, cost


def other_day(ledger: Ledger, scope: Scope) -> Counted:
    """Visits on a day that is not the wished one."""
    costs = [ledger.problem.visits[a.visit].day_costs.get(a.day, 0) for a in ledger.made(scope)]
    return sum(1 for cost in costs if cost), sum(costs)


def skipped_break(ledger: Ledger, scope: Scope) -> Counted:
    """Breaks that were owed and may be bought off."""
    skipped = [
        sheet.slot.breaks[number].skip_cost or 0 for sheet in ledger.sheets_in(scope) for number in sheet.skipped_breaks
    ]
    return len(skipped), sum(skipped)


def crowding(ledger: Ledger, scope: Scope) -> Counted:
    """Days by which visits of one order stand closer than ideal."""
    short = cost = 0
    for tie in scope.spacings:
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


def faces(ledger: Ledger, scope: Scope) -> Counted:
    """Clinicians beyond the free number that a patient sees in a week."""
    extra = cost = 0
    for tie in scope.faces_limits:
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


def moved_clinician(ledger: Ledger, scope: Scope) -> Counted:
    """Visits that another clinician now makes."""
    costs = []
    for a in ledger.made(scope):
        now = ledger.problem.visits[a.visit].current
        if now is not None and now.clinician != a.clinician:
            costs.append(now.clinician_change_cost)
    return len(costs), sum(costs)


def moved_day(ledger: Ledger, scope: Scope) -> Counted:
    """Visits on another day than now."""
    costs = []
    for a in ledger.made(scope):
        now = ledger.problem.visits[a.visit].current
        if now is not None and now.day != a.day:
            costs.append(now.day_change_cost)
    return len(costs), sum(costs)


def moved_time(ledger: Ledger, scope: Scope) -> Counted:
    """Visits on the same day at another time than now, beyond the tolerance."""
    costs = []
    for a in ledger.made(scope):
        visit = ledger.problem.visits[a.visit]
        now = visit.current
        if now is None or now.day != a.day or visit.locked:
            continue
        if abs(a.start_minute - now.start_minute) > now.time_tolerance_minutes:
            costs.append(now.time_change_cost)
    return len(costs), sum(costs)


def touched_patient(ledger: Ledger, scope: Scope) -> Counted:
    """Patients whose published visits change."""
    touch = ledger.problem.touch
    found = touched(ledger, scope.patients)
    costs = (touch.told_patient_cost if _any_told(ledger, mine) else touch.patient_cost for mine in found.values())
    return len(found), sum(costs)


def _any_told(ledger: Ledger, visits: Iterable[int]) -> bool:
    current = (ledger.problem.visits[v].current for v in visits)
    return any(now is not None and now.told for now in current)


def touched_day(ledger: Ledger, scope: Scope) -> Counted:
    """Clinicians' days that had been told and change."""
    days = 0
    for shift in scope.told:
        known = ledger.index.now[shift]
        sheet = ledger.sheets.get(shift)
        newcomers = {a.visit for a in sheet.visits} - set(known) if sheet is not None else ()
        days += bool(newcomers) or bool(changed(ledger, known))
    return days, days * ledger.problem.touch.clinician_cost


def stray(ledger: Ledger, scope: Scope) -> Counted:
    """Minutes by which visits of one order stray from each other's time of day."""
    minutes = cost = 0
    for tie in scope.regularities:
        mine = [ledger.placed[v] for v in tie.visits if v in ledger.placed]
        times = [a.start_minute - ledger.problem.days[a.day].start_minute for a in mine]
        held = max(0, _spread(tie.held_minutes) - tie.tolerance_minutes)
        more = max(0, _spread((*times, *tie.held_minutes)) - tie.tolerance_minutes) - held
        minutes += more
        cost += more * tie.cost_minute
    return minutes, cost


def _spread(times: tuple[int, ...]) -> int:
    return max(times) - min(times) if times else 0


def wish(name: str) -> Callable[[Ledger, Scope], Counted]:
    """Visits that are not as wished, in one kind of wish: continuity, language, gender, whatever the problem brings."""

    def count(ledger: Ledger, scope: Scope) -> Counted:
        wishes = [(a, w) for a in ledger.made(scope) for w in ledger.problem.visits[a.visit].preferences]
        costs = [w.costs.get(a.clinician, w.otherwise) for a, w in wishes if w.name == name]
        return sum(1 for cost in costs if cost), sum(costs)

    return count
