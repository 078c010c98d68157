"""A plan written out: every day with its driving, waiting and worked minutes, from the plan's own times.

Plain Python on purpose, and nothing shared with the kernel: what the search believes of its plan is checked against
this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from coordinator.planner.plan import Assignment, Plan, Rest, Violation
from coordinator.planner.problem import Problem, Slot


@dataclass
class DaySheet:
    """One clinician's day as it is driven."""

    slot: Slot
    visits: tuple[Assignment, ...]
    legs: list[tuple[int, int]] = field(default_factory=list)
    """(from, to) of each way that is driven."""
    departure: int = 0
    home: int = 0
    travel: int = 0
    care: int = 0
    paused: int = 0
    skipped_breaks: list[int] = field(default_factory=list)
    """Owed but not taken, by number."""

    @property
    def worked(self) -> int:
        """Minutes from leaving to returning without breaks and time off."""
        return self.home - self.departure - self.paused

    @property
    def waiting(self) -> int:
        """Worked minutes that are neither driving nor care."""
        return self.worked - self.travel - self.care

    @property
    def overtime(self) -> int:
        """Minutes beyond what this day pays before overtime."""
        limit = self.slot.overtime_after_minutes
        return 0 if limit is None else max(0, self.worked - limit)


@dataclass
class Ledger:
    """The whole plan written out, and what of it is physically impossible."""

    problem: Problem
    plan: Plan
    placed: dict[int, Assignment]
    days: list[DaySheet]
    broken: list[Violation]

    def minutes(self, assignment: Assignment) -> int:
        """How long the visit takes the one who makes it."""
        visit = self.problem.visits[assignment.visit]
        return visit.minutes_by_clinician.get(assignment.clinician, visit.minutes)

    def week(self, day: int) -> int:
        """The pay week of a day."""
        return self.problem.days[day].week

    def weeks(self) -> dict[tuple[int, int], list[DaySheet]]:
        """Day sheets by (clinician, week)."""
        sheets: dict[tuple[int, int], list[DaySheet]] = {}
        for sheet in self.days:
            sheets.setdefault((sheet.slot.clinician, self.week(sheet.slot.day)), []).append(sheet)
        return sheets

    def already(self, clinician: int, week: int) -> int:
        """Minutes worked in the week outside the problem."""
        worked = self.problem.clinicians[clinician].already_worked_minutes
        return worked[week] if week < len(worked) else 0


def way_minutes(problem: Problem, origin: int | None, target: int | None) -> int:
    """Driving minutes, rounded up; none from or to nowhere."""
    if origin is None or target is None:
        return 0
    return -(-int(problem.travel_seconds[origin, target]) // 60)


def write_out(problem: Problem, plan: Plan) -> Ledger:
    """Follow every day of the plan minute by minute."""
    ledger = Ledger(problem, plan, plan.by_visit(), [], [])
    slots = {(slot.clinician, slot.day): slot for slot in problem.slots}
    routes: dict[tuple[int, int], list[Assignment]] = {}
    for a in plan.assignments:
        routes.setdefault((a.clinician, a.day), []).append(a)
    rests: dict[tuple[int, int], list[Rest]] = {}
    for rest in plan.rests:
        rests.setdefault((rest.clinician, rest.day), []).append(rest)
    for key in sorted(routes):
        route = sorted(routes[key], key=lambda a: (a.start_minute, a.visit))
        if key not in slots:
            ledger.broken += [Violation("no-slot", (a.visit,), a.clinician, a.day) for a in route]
            continue
        sheet = DaySheet(slots[key], tuple(route))
        _drive(ledger, sheet, rests.get(key, []))
        ledger.days.append(sheet)
    return ledger


def _drive(ledger: Ledger, sheet: DaySheet, rests: Iterable[Rest]) -> None:
    """Fill in one day, noting what cannot be."""
    problem, slot = ledger.problem, sheet.slot

    def broken(rule: str, visits: tuple[int, ...] = (), *, fact: int, limit: int = 0) -> None:
        ledger.broken.append(Violation(rule, visits, slot.clinician, slot.day, fact, limit))

    # Everything that is not work, in order: (start, end, break number or None for time off).
    pauses: list[tuple[int, int, int | None]] = [(off.start_minute, off.end_minute, None) for off in slot.unavailable]
    taken: dict[int, int] = {}
    for rest in rests:
        if rest.number >= len(slot.breaks):
            broken("break", fact=rest.start_minute)
            continue
        taken[rest.number] = rest.start_minute
        pauses.append((rest.start_minute, rest.start_minute + slot.breaks[rest.number].minutes, rest.number))
    pauses.sort(key=lambda p: (p[0], p[1]))
    for one, other in pairwise(pauses):
        if other[0] < one[1]:
            broken("break", fact=other[0], limit=one[1])

    here = slot.start_place
    free = slot.shift_start
    for number, a in enumerate(sheet.visits):
        place = problem.visits[a.visit].place
        target = here if place is None else place
        way = way_minutes(problem, here, target)
        if here is not None and target is not None:
            sheet.legs.append((here, target))
        sheet.travel += way
        if number == 0:
            sheet.departure = a.start_minute - way
            if sheet.departure < slot.shift_start:
                broken("shift-start", (a.visit,), fact=sheet.departure, limit=slot.shift_start)
            for begin, end, _ in pauses:
                if begin < a.start_minute and end > sheet.departure:
                    broken("break", (a.visit,), fact=begin, limit=sheet.departure)
        else:
            rested = sum(end - begin for begin, end, _ in pauses if begin >= free and end <= a.start_minute)
            sheet.paused += rested
            if free + rested + way > a.start_minute:
                broken("travel", (a.visit,), fact=free + rested + way, limit=a.start_minute)
        finish = a.start_minute + ledger.minutes(a)
        for begin, end, _ in pauses:
            if begin < finish and end > a.start_minute:
                broken("break", (a.visit,), fact=begin, limit=finish)
        sheet.care += finish - a.start_minute
        free = finish
        here = target

    way = way_minutes(problem, here, slot.end_place)
    if here is not None and slot.end_place is not None:
        sheet.legs.append((here, slot.end_place))
    sheet.travel += way
    for begin, end, _ in pauses:
        # A pause on the way home: what was driven before it is driven.
        if begin >= free and begin < free + way:
            way -= begin - free
            free = end
            sheet.paused += end - begin
    sheet.home = free + way
    if sheet.home > slot.shift_end:
        broken("shift-end", fact=sheet.home, limit=slot.shift_end)

    for number, owed in enumerate(slot.breaks):
        start = taken.get(number)
        if start is None:
            if sheet.worked > owed.owed_after_minutes:
                if owed.skip_cost is None:
                    broken("break", fact=sheet.worked, limit=owed.owed_after_minutes)
                else:
                    sheet.skipped_breaks.append(number)
        elif not owed.earliest_start <= start <= owed.latest_start:
            broken("break", fact=start, limit=owed.latest_start)
    if slot.max_minutes is not None and sheet.worked > slot.max_minutes:
        broken("day-max", fact=sheet.worked, limit=slot.max_minutes)
    if slot.max_visits is not None and len(sheet.visits) > slot.max_visits:
        broken("max-visits", fact=len(sheet.visits), limit=slot.max_visits)
