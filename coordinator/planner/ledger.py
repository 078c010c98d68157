"""A plan written out: every day with its driving, waiting and worked minutes, from the plan's own times.

Plain Python on purpose, and nothing shared with the kernel: what the search believes of its plan is checked against
this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Protocol

from coordinator.planner.plan import Assignment, Plan, Rest, Violation
from coordinator.planner.problem import Problem, Slot
from coordinator.planner.scope import Index, Scope, Shift


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
    broken: list[Violation] = field(default_factory=list)
    """What of the day is impossible or beyond its limits."""

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


@dataclass(frozen=True)
class Ledger:
    """The whole plan written out. `moved` gives the ledger after a change, writing out only the days it reaches."""

    problem: Problem
    index: Index
    placed: dict[int, Assignment]
    sheets: dict[Shift, DaySheet]
    """One for each slot, used or not."""
    rests: dict[Shift, list[Rest]]

    @property
    def days(self) -> Iterable[DaySheet]:
        """All day sheets."""
        return self.sheets.values()

    @property
    def whole(self) -> Scope:
        """Everything."""
        return self.index.whole

    def minutes(self, assignment: Assignment) -> int:
        """How long the visit takes the one who makes it."""
        return _minutes(self.problem, assignment)

    def week(self, day: int) -> int:
        """The pay week of a day."""
        return self.problem.days[day].week

    def made(self, scope: Scope) -> Iterator[Assignment]:
        """Visits in scope that are placed, in their order."""
        for visit in scope.visits:
            if visit in self.placed:
                yield self.placed[visit]

    def sheets_in(self, scope: Scope) -> Iterator[DaySheet]:
        """Day sheets in scope; a day without a slot has none."""
        for shift in scope.shifts:
            if shift in self.sheets:
                yield self.sheets[shift]

    def weeks(self, scope: Scope | None = None) -> dict[tuple[int, int], list[DaySheet]]:
        """Day sheets by (clinician, week), in order; all of a week that is in scope."""
        only = None if scope is None else scope.weeks
        sheets: dict[tuple[int, int], list[DaySheet]] = {}
        for (clinician, day), sheet in self.sheets.items():
            week = (clinician, self.week(day))
            if only is None or week in only:
                sheets.setdefault(week, []).append(sheet)
        return sheets

    def already(self, clinician: int, week: int) -> int:
        """Minutes worked in the week outside the problem."""
        worked = self.problem.clinicians[clinician].already_worked_minutes
        return worked[week] if week < len(worked) else 0

    def moved(
        self, visit: int, to: Assignment | None, rests: Mapping[Shift, list[Rest]] | None = None
    ) -> tuple[Ledger, Scope]:
        """The plan with this visit made there, or left out if None; and what that reaches.

        `rests` are the breaks of the days it leaves and joins, where they change too; otherwise they stay.
        """
        before = self.placed.get(visit)
        scope = self.index.around(visit, (before, to))
        placed = {number: a for number, a in self.placed.items() if number != visit}
        if to is not None:
            placed[visit] = to
        after = replace(self, placed=placed, sheets=dict(self.sheets), rests=self.rests | dict(rests or {}))
        for shift in scope.shifts:
            sheet = self.sheets.get(shift)
            if sheet is not None:
                route = [a for a in sheet.visits if a.visit != visit]
                if to is not None and (to.clinician, to.day) == shift:
                    route.append(to)
                after.sheets[shift] = write_day(self.problem, sheet.slot, route, after.rests.get(shift, []))
        return after, scope


class Broken(Protocol):
    """Notes a broken rule of the day that is being written."""

    def __call__(self, rule: str, visits: tuple[int, ...] = (), *, fact: int, limit: int = 0) -> None: ...


def _minutes(problem: Problem, assignment: Assignment) -> int:
    visit = problem.visits[assignment.visit]
    return visit.minutes_by_clinician.get(assignment.clinician, visit.minutes)


def way_minutes(problem: Problem, origin: int | None, target: int | None) -> int:
    """Driving minutes, rounded up; none from or to nowhere."""
    if origin is None or target is None:
        return 0
    return -(-int(problem.travel_seconds[origin, target]) // 60)


def write_out(problem: Problem, plan: Plan) -> Ledger:
    """Follow every day of the plan minute by minute."""
    routes: dict[Shift, list[Assignment]] = {}
    for a in plan.assignments:
        routes.setdefault((a.clinician, a.day), []).append(a)
    rests: dict[Shift, list[Rest]] = {}
    for rest in plan.rests:
        rests.setdefault((rest.clinician, rest.day), []).append(rest)
    slots = {(slot.clinician, slot.day): slot for slot in problem.slots}
    sheets = {
        shift: write_day(problem, slots[shift], routes.get(shift, []), rests.get(shift, [])) for shift in sorted(slots)
    }
    return Ledger(problem, Index(problem), plan.by_visit(), sheets, rests)


def write_day(problem: Problem, slot: Slot, visits: list[Assignment], rests: list[Rest]) -> DaySheet:
    """One shift with these visits in the order of their starts."""
    route = tuple(sorted(visits, key=lambda a: (a.start_minute, a.visit)))
    sheet = DaySheet(slot, route, departure=slot.shift_start, home=slot.shift_start)
    sheet.rested = sum(off.end_minute - off.start_minute for off in slot.unavailable)

    def broken(rule: str, visits: tuple[int, ...] = (), *, fact: int, limit: int = 0) -> None:
        sheet.broken.append(Violation(rule, visits, slot.clinician, slot.day, fact, limit))

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
            _drive_whole(problem, sheet, taken, broken)
        else:
            _drive(problem, sheet, taken, broken)
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


def _drive(problem: Problem, sheet: DaySheet, taken: Mapping[int, int], broken: Broken) -> None:
    """Fill in one day whose breaks may split a drive."""
    slot = sheet.slot
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
        finish = a.start_minute + _minutes(problem, a)
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


def _drive_whole(problem: Problem, sheet: DaySheet, taken: Mapping[int, int], broken: Broken) -> None:
    """Fill in one day whose breaks are stops like the visits, never in mid-drive."""
    slot = sheet.slot
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
        free = a.start_minute + _minutes(problem, a)
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
