"""A piece of a problem around some shifts: what lies outside stands still and is counted as given.

A change for one visit's sake is tried many times; on a piece of some thirty shifts that takes a few hundredths of a
second however large the week is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coordinator.planner.ledger import write_out
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Current, DayPatterns, Interval, Problem, Slot, Touch, Visit

WANTED = 50_000_000
"""Cents for leaving out, in the piece, what must be in; nothing that a plan saves comes near it."""
MUST = 100_000_000
"""Cents for leaving out what is locked: never for another's sake."""
STAY_SHIFT, STAY_TIME = 6000, 600
"""Cents on top for moving a visit to another shift or to another minute: the fewer move, the better."""


@dataclass(frozen=True)
class Piece:
    """Some shifts with the visits in them, those that must be placed as well, and the way back."""

    problem: Problem
    plan: Plan
    visits: tuple[int, ...]
    """Position in the whole problem, by position in the piece."""
    outside: Plan

    def whole(self, plan: Plan) -> Plan:
        """The plan of the whole problem: this one's days, and everything outside as it was."""
        inside = [replace(at, visit=self.visits[at.visit]) for at in plan.assignments]
        return Plan.of([*self.outside.assignments, *inside], [*self.outside.rests, *plan.rests])


def cut(
    problem: Problem, plan: Plan, slots: Collection[int], wanted: Sequence[int], *, at_any_time: bool = False
) -> Piece:
    """The piece of these slots in which the `wanted` visits, not in the plan, and all that are there must be placed.

    Visits that nobody placed are left out of it. Ties to visits outside are counted as already used. `at_any_time`: no
    start within a window is dearer than another.
    """
    held = [problem.slots[index] for index in sorted(slots)]
    keys = {(slot.clinician, slot.day) for slot in held}
    inside = [at for at in plan.assignments if (at.clinician, at.day) in keys]
    far = [at for at in plan.assignments if (at.clinician, at.day) not in keys]
    outside = Plan.of(far, [rest for rest in plan.rests if (rest.clinician, rest.day) not in keys])
    visits = tuple(sorted({*wanted, *(at.visit for at in inside)}))
    number = {visit: index for index, visit in enumerate(visits)}
    placed = {at.visit: at for at in inside}
    alone = {
        visit
        for link in problem.links
        for visit, other in ((link.first, link.second), (link.second, link.first))
        if visit in number and other not in number
    }
    places = sorted(
        {slot.start_place for slot in held if slot.start_place is not None}
        | {slot.end_place for slot in held if slot.end_place is not None}
        | {place for visit in visits if (place := problem.visits[visit].place) is not None}
    )
    spot = {place: index for index, place in enumerate(places)}
    grid = np.ix_(*[np.array(places, dtype=np.int64)] * 2)
    facts = _Facts(problem, far)
    worked = {(at.clinician, at.day) for at in far}
    piece = replace(
        problem,
        travel_seconds=problem.travel_seconds[grid],
        travel_metres=None if problem.travel_metres is None else problem.travel_metres[grid],
        clinicians=tuple(
            replace(person, already_worked_minutes=facts.worked(index))
            for index, person in enumerate(problem.clinicians)
        ),
        slots=tuple(_moved_slot(slot, spot) for slot in held),
        visits=tuple(
            _wanted(problem.visits[visit], placed.get(visit), spot, fixed=visit in alone, at_any_time=at_any_time)
            for visit in visits
        ),
        spacings=tuple(
            replace(
                tie,
                visits=tuple(number[v] for v in tie.visits if v in number),
                held_days=(*tie.held_days, *(at.day for at in facts.of(tie.visits))),
            )
            for tie in problem.spacings
            if any(v in number for v in tie.visits)
        ),
        daily_limits=tuple(
            replace(
                tie,
                visits=tuple(number[v] for v in tie.visits if v in number),
                held=facts.by_day(tie.held, tie.visits, minutes=False),
            )
            for tie in problem.daily_limits
            if any(v in number for v in tie.visits)
        ),
        faces_limits=tuple(
            replace(
                tie,
                visits=tuple(number[v] for v in tie.visits if v in number),
                held_faces=(
                    *tie.held_faces,
                    *((problem.days[at.day].week, at.clinician) for at in facts.of(tie.visits)),
                ),
            )
            for tie in problem.faces_limits
            if any(v in number for v in tie.visits)
        ),
        group_caps=tuple(
            replace(
                tie,
                visits=tuple(number[v] for v in tie.visits if v in number),
                used_by_day=facts.by_day(tie.used_by_day, tie.visits, minutes=True),
                used_by_week=facts.by_week(tie.used_by_week, tie.visits),
            )
            for tie in problem.group_caps
            if any(v in number for v in tie.visits)
        ),
        links=tuple(
            replace(link, first=number[link.first], second=number[link.second])
            for link in problem.links
            if link.first in number and link.second in number
        ),
        regularities=tuple(
            replace(
                tie,
                visits=tuple(number[v] for v in tie.visits if v in number),
                held_minutes=(
                    *tie.held_minutes,
                    *(at.start_minute - problem.days[at.day].start_minute for at in facts.of(tie.visits)),
                ),
            )
            for tie in problem.regularities
            if any(v in number for v in tie.visits)
        ),
        patterns=tuple(
            _left_of(tie, number, facts) for tie in problem.patterns if any(v in number for v in tie.visits)
        ),
        seventh_days=tuple(
            replace(tie, others=tuple(day for day in tie.others if (tie.clinician, day) in keys))
            for tie in problem.seventh_days
            if (tie.clinician, tie.last) in keys
            and all((tie.clinician, day) in keys or (tie.clinician, day) in worked for day in tie.others)
        ),
        touch=Touch(),
        patient_busy=facts.busy(),
        weights=replace(problem.weights, mandatory=MUST),
    )
    start = Plan.of(
        [replace(at, visit=number[at.visit]) for at in inside],
        [rest for rest in plan.rests if (rest.clinician, rest.day) in keys],
    )
    return Piece(piece, start, visits, outside)


def _left_of(tie: DayPatterns, number: Mapping[int, int], facts: _Facts) -> DayPatterns:
    """What is left of an order's patterns where the visits outside stand."""
    inside = [position for position, visit in enumerate(tie.visits) if visit in number]
    held = [(tie.visits.index(at.visit), at.day) for at in facts.of(tie.visits)]
    followed = (days for days in tie.patterns if all(days[position] == day for position, day in held))
    return DayPatterns(
        tuple(number[tie.visits[position]] for position in inside),
        tuple(dict.fromkeys(tuple(days[position] for position in inside) for days in followed)),
    )


def _moved_slot(slot: Slot, spot: dict[int, int]) -> Slot:
    return replace(
        slot,
        start_place=None if slot.start_place is None else spot[slot.start_place],
        end_place=None if slot.end_place is None else spot[slot.end_place],
    )


def _wanted(visit: Visit, at: Assignment | None, spot: dict[int, int], *, fixed: bool, at_any_time: bool) -> Visit:
    """The visit as it must be placed: dear to leave out, and to move from where it is; `fixed`: not to be moved."""
    now = visit.current
    if at is not None and not visit.locked:
        stays = now is not None and (now.clinician, now.day) == (at.clinician, at.day)
        now = Current(
            at.clinician,
            at.day,
            at.start_minute,
            clinician_change_cost=STAY_SHIFT + (now.clinician_change_cost if stays and now else 0),
            day_change_cost=STAY_SHIFT + (now.day_change_cost if stays and now else 0),
            time_change_cost=0 if at_any_time else STAY_TIME + (now.time_change_cost if stays and now else 0),
        )
    return replace(
        visit,
        place=None if visit.place is None else spot[visit.place],
        unplaced_cost=WANTED,
        mandatory=False,
        late_cost=0 if at_any_time else visit.late_cost,
        early_cost=0 if at_any_time else visit.early_cost,
        current=now,
        locked=visit.locked or (fixed and at is not None),
    )


class _Facts:
    """What the visits outside use up."""

    def __init__(self, problem: Problem, far: Sequence[Assignment]) -> None:
        self.problem = problem
        self.placed = {at.visit: at for at in far}
        self.weeks = max((day.week for day in problem.days), default=0) + 1
        self._worked: dict[int, list[int]] = defaultdict(lambda: [0] * self.weeks)
        for (clinician, week), sheets in write_out(problem, Plan.of(list(far))).weeks().items():
            self._worked[clinician][week] += sum(sheet.worked for sheet in sheets)

    def of(self, visits: Sequence[int]) -> list[Assignment]:
        """Where those of the visits are that lie outside."""
        return [self.placed[visit] for visit in visits if visit in self.placed]

    def worked(self, clinician: int) -> tuple[int, ...]:
        """Minutes of each week, with what was already worked."""
        already = self.problem.clinicians[clinician].already_worked_minutes
        more = self._worked.get(clinician)
        return already if more is None else tuple(_get(already, week) + more[week] for week in range(self.weeks))

    def minutes(self, at: Assignment) -> int:
        visit = self.problem.visits[at.visit]
        return visit.minutes_by_clinician.get(at.clinician, visit.minutes)

    def by_day(self, used: tuple[int, ...], visits: Sequence[int], *, minutes: bool) -> tuple[int, ...]:
        """What is used on each day, in minutes or in visits."""
        totals = [_get(used, day) for day in range(len(self.problem.days))]
        for at in self.of(visits):
            totals[at.day] += self.minutes(at) if minutes else 1
        return tuple(totals)

    def by_week(self, used: tuple[int, ...], visits: Sequence[int]) -> tuple[int, ...]:
        """Minutes used in each week."""
        totals = [_get(used, week) for week in range(self.weeks)]
        for at in self.of(visits):
            totals[self.problem.days[at.day].week] += self.minutes(at)
        return tuple(totals)

    def busy(self) -> dict[str, tuple[Interval, ...]]:
        """When each patient has a visit outside, besides what they were busy with."""
        found: dict[str, list[Interval]] = {
            patient: list(times) for patient, times in self.problem.patient_busy.items()
        }
        for at in self.placed.values():
            times = found.setdefault(self.problem.visits[at.visit].patient, [])
            times.append(Interval(at.start_minute, at.start_minute + self.minutes(at)))
        return {patient: tuple(times) for patient, times in found.items()}


def _get(values: Sequence[int], index: int) -> int:
    return values[index] if index < len(values) else 0
