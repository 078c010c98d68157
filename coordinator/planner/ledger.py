"""A plan written out: every day with its driving, waiting and worked minutes, from the plan's own times.

Plain Python on purpose, and nothing shared with the kernel: what the search believes of its plan is checked against
this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

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
    """Minutes between leaving and returning that are not work."""
    rested: int = 0
    """Minutes of breaks taken and of time off, whenever they were."""
    waits: list[int] = field(default_factory=list)
    """Minutes of each wait between two stops; of the wait for the first, when the day is worked from its start."""
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
        if self.slot.overtime_from is not None:
            return max(0, self.home - self.slot.overtime_from) if self.visits else 0
        limit = self.slot.overtime_after_minutes
        return 0 if limit is None else max(0, self.worked - limit)

    @property
    def doubletime(self) -> int:
        """Minutes beyond the second step."""
        limit = self.slot.doubletime_after_minutes
        return 0 if limit is None else max(0, self.worked - limit)

    @property
    def idle(self) -> int:
        """Minutes of the shift that are neither care nor driving nor rest; all of an unused one."""
        slot = self.slot
        end = slot.shift_end if slot.overtime_from is None else slot.overtime_from
        if self.visits:
            end = max(end, self.home)
        return end - slot.shift_start - self.travel - self.care - self.rested


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


class Broken(Protocol):
    """Notes a broken rule of the day that is being written."""

    def __call__(self, rule: str, visits: tuple[int, ...] = (), *, fact: int, limit: int = 0) -> None: ...


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
    for key in sorted(routes.keys() | slots.keys()):
        route = sorted(routes.get(key, ()), key=lambda a: (a.start_minute, a.visit))
        if key in slots:
            ledger.days.append(write_day(ledger, slots[key], route, rests.get(key, [])))
        else:
            ledger.broken += [Violation("no-slot", (a.visit,), a.clinician, a.day) for a in route]
    return ledger


def write_day(ledger: Ledger, slot: Slot, route: list[Assignment], rests: list[Rest]) -> DaySheet:
    """One shift with these visits in order, noting in the ledger what cannot be."""
    sheet = DaySheet(slot, tuple(route), departure=slot.shift_start, home=slot.shift_start)
    sheet.rested = sum(off.end_minute - off.start_minute for off in slot.unavailable)

    def broken(rule: str, visits: tuple[int, ...] = (), *, fact: int, limit: int = 0) -> None:
        ledger.broken.append(Violation(rule, visits, slot.clinician, slot.day, fact, limit))

    taken: dict[int, int] = {}
    # On a day without visits nobody is at work to take a break.
    for rest in rests if route else ():
        if rest.number >= len(slot.breaks):
            broken("break", fact=rest.start_minute)
            continue
        taken[rest.number] = rest.start_minute
        sheet.rested += slot.breaks[rest.number].minutes
    if route:
        if any(not pause.splits_drive for pause in slot.breaks):
            _drive_whole(ledger, sheet, taken, broken)
        else:
            _drive(ledger, sheet, taken, broken)
    _check_limits(sheet, taken, broken)
    return sheet


def _check_limits(sheet: DaySheet, taken: Mapping[int, int], broken: Broken) -> None:
    """Breaks that are missing or at a wrong time, and the limits of the day."""
    slot = sheet.slot
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
    if not sheet.visits:
        return
    if sheet.home > slot.shift_end:
        broken("shift-end", fact=sheet.home, limit=slot.shift_end)
    if slot.max_minutes is not None and sheet.worked > slot.max_minutes:
        broken("day-max", fact=sheet.worked, limit=slot.max_minutes)
    if slot.max_visits is not None and len(sheet.visits) > slot.max_visits:
        broken("max-visits", fact=len(sheet.visits), limit=slot.max_visits)


def _drive(ledger: Ledger, sheet: DaySheet, taken: Mapping[int, int], broken: Broken) -> None:
    """Fill in one day whose breaks may split a drive."""
    problem, slot = ledger.problem, sheet.slot
    # Everything that is not work, in order: (start, end).
    pauses = [(off.start_minute, off.end_minute) for off in slot.unavailable]
    pauses += [(start, start + slot.breaks[number].minutes) for number, start in taken.items()]
    pauses.sort()
    for one, other in pairwise(pauses):
        if other[0] < one[1]:
            broken("break", fact=other[0], limit=one[1])

    here = slot.start_place
    free = slot.shift_start
    for number, a in enumerate(sheet.visits):
        place = problem.visits[a.visit].place
        target = here if place is None else place
        way = _drive_leg(problem, sheet, here, target)
        if number == 0 and not slot.leaves_at_shift_start:
            sheet.departure = a.start_minute - way
            if sheet.departure < slot.shift_start:
                broken("shift-start", (a.visit,), fact=sheet.departure, limit=slot.shift_start)
            for begin, end in pauses:
                if begin < a.start_minute and end > sheet.departure:
                    broken("break", (a.visit,), fact=begin, limit=sheet.departure)
        else:
            rested = sum(end - begin for begin, end in pauses if begin >= free and end <= a.start_minute)
            sheet.paused += rested
            sheet.waits.append(a.start_minute - free - rested - way)
            if sheet.waits[-1] < 0:
                broken("travel", (a.visit,), fact=free + rested + way, limit=a.start_minute)
        finish = a.start_minute + ledger.minutes(a)
        for begin, end in pauses:
            if begin < finish and end > a.start_minute:
                broken("break", (a.visit,), fact=begin, limit=finish)
        sheet.care += finish - a.start_minute
        free = finish
        here = target

    way = _drive_leg(problem, sheet, here, slot.end_place)
    for begin, end in pauses:
        # A pause on the way home: what was driven before it is driven.
        if begin >= free and begin < free + way:
            way -= begin - free
            free = end
            sheet.paused += end - begin
    sheet.home = free + way


def _drive_whole(ledger: Ledger, sheet: DaySheet, taken: Mapping[int, int], broken: Broken) -> None:
    """Fill in one day whose breaks are stops like the visits, never in mid-drive."""
    problem, slot = ledger.problem, sheet.slot
    pauses = sorted((start, start + slot.breaks[number].minutes) for number, start in taken.items())
    opened_by_break = bool(pauses) and pauses[0][0] < sheet.visits[0].start_minute
    here = slot.start_place
    stops = 0
    free = slot.shift_start

    def wait_until(start: int, rule: str, visits: tuple[int, ...] = ()) -> None:
        nonlocal stops
        wait = start - free
        if wait < 0:
            broken(rule, visits, fact=free, limit=start)
        if stops == 1 and opened_by_break:
            sheet.paused += max(0, wait)
        else:
            sheet.waits.append(wait)
        stops += 1

    for number, a in enumerate(sheet.visits):
        place = problem.visits[a.visit].place
        target = here if place is None else place
        way = _drive_leg(problem, sheet, here, target)
        mine = [pause for pause in pauses if pause[0] < a.start_minute]
        pauses = pauses[len(mine) :]
        if number == 0:
            first = mine[0][0] if mine else a.start_minute
            if not slot.leaves_at_shift_start:
                sheet.departure = free = first - way
                if free < slot.shift_start:
                    broken("shift-start", (a.visit,), fact=free, limit=slot.shift_start)
            free += way
            way = 0
        for begin, end in mine:
            if way and begin >= free + way:
                free += way
                way = 0
            wait_until(begin, "break")
            free = end
            sheet.paused += end - begin
        free += way
        wait_until(a.start_minute, "travel", (a.visit,))
        free = a.start_minute + ledger.minutes(a)
        sheet.care += free - a.start_minute
        here = target
    for begin, end in pauses:
        wait_until(begin, "break")
        free = end
        sheet.paused += end - begin
    sheet.home = free + _drive_leg(problem, sheet, here, slot.end_place)


def _drive_leg(problem: Problem, sheet: DaySheet, origin: int | None, target: int | None) -> int:
    """Minutes of one way, written down on the sheet."""
    way = way_minutes(problem, origin, target)
    if origin is not None and target is not None:
        sheet.legs.append((origin, target))
    sheet.travel += way
    return way
