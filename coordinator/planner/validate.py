"""Refuse a problem that does not make sense, naming the field."""

from __future__ import annotations

import numbers
from collections.abc import Iterable

import numpy as np

from coordinator.planner.engines import choose
from coordinator.planner.kernel import INF, MAX_BREAKS
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Problem, ProblemError, Slot, Visit

LARGEST = INF >> 12
"""No time, duration or price may be larger: sums of many must stay below the kernel's infinity."""


def _whole(field: str, value: object, least: int = 0, most: int = LARGEST) -> None:
    """An integer (a NaN, float or boolean is none) from `least` to `most`."""
    if type(value) is int and least <= value <= most:
        return  # most of a hundred thousand numbers
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ProblemError(field, f"must be a whole number, not {value!r}")
    if not least <= int(value) <= most:
        raise ProblemError(field, f"must be from {least} to {most}, not {value}")


def _optional(field: str, value: object) -> None:
    if value is not None:
        _whole(field, value)


def _index(field: str, value: object, count: int) -> None:
    if count == 0:
        raise ProblemError(field, "there is nothing to name here")
    _whole(field, value, 0, count - 1)


def _matrix(field: str, matrix: object, size: int | None = None) -> None:
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ProblemError(field, "must be a square matrix")
    if not np.issubdtype(matrix.dtype, np.integer):
        raise ProblemError(field, f"must hold whole numbers, not {matrix.dtype}")
    if size is not None and matrix.shape[0] != size:
        raise ProblemError(field, f"must be {size} by {size} like travel_seconds")
    if matrix.size and int(matrix.min()) < 0:
        raise ProblemError(field, "must not be negative")
    if matrix.size and int(matrix.max()) > LARGEST:
        raise ProblemError(field, "is too large")


def _range(field: str, low: object, high: object, *, empty: bool = True) -> None:
    """Two minutes in order; `empty`: they may be equal."""
    for value in (low, high):
        _whole(field, value, -LARGEST)
    if isinstance(low, int) and isinstance(high, int) and (low > high or (low == high and not empty)):
        raise ProblemError(field, f"is inverted: {low} to {high}")


def _slot(field: str, slot: Slot, problem: Problem) -> None:
    _index(f"{field}.clinician", slot.clinician, len(problem.clinicians))
    _index(f"{field}.day", slot.day, len(problem.days))
    for name in ("start_place", "end_place"):
        if getattr(slot, name) is not None:
            _index(f"{field}.{name}", getattr(slot, name), problem.places)
    _range(f"{field}.shift", slot.shift_start, slot.shift_end, empty=False)
    for name in ("overtime_after_minutes", "doubletime_after_minutes", "max_minutes", "max_visits"):
        _optional(f"{field}.{name}", getattr(slot, name))
    if slot.overtime_from is not None:
        _whole(f"{field}.overtime_from", slot.overtime_from, slot.shift_start)
        if slot.overtime_after_minutes is not None:
            raise ProblemError(f"{field}.overtime_from", "is instead of overtime_after_minutes, not besides it")
    whole = [not pause.splits_drive for pause in slot.breaks]
    if any(whole) and not (all(whole) and not slot.unavailable):
        raise ProblemError(f"{field}.breaks", "that may not split a drive go with no others and no time off")
    if len(slot.breaks) > MAX_BREAKS:
        raise ProblemError(f"{field}.breaks", f"at most {MAX_BREAKS}")
    for number, pause in enumerate(slot.breaks):
        _range(f"{field}.breaks[{number}]", pause.earliest_start, pause.latest_start)
        _whole(f"{field}.breaks[{number}].minutes", pause.minutes, 1)
        _optional(f"{field}.breaks[{number}].skip_cost", pause.skip_cost)
        _whole(f"{field}.breaks[{number}].owed_after_minutes", pause.owed_after_minutes, -1)
    last = None
    for number, off in enumerate(slot.unavailable):
        _range(f"{field}.unavailable[{number}]", off.start_minute, off.end_minute, empty=False)
        if last is not None and off.start_minute < last:
            raise ProblemError(f"{field}.unavailable[{number}]", "must be in order and not overlap")
        last = off.end_minute


def _visit(field: str, visit: Visit, problem: Problem) -> None:
    people, days = len(problem.clinicians), len(problem.days)
    if visit.place is not None:
        _index(f"{field}.place", visit.place, problem.places)
    _whole(f"{field}.minutes", visit.minutes, 1)
    for clinician, minutes in visit.minutes_by_clinician.items():
        _index(f"{field}.minutes_by_clinician", clinician, people)
        _whole(f"{field}.minutes_by_clinician[{clinician}]", minutes, 1)
    for day, windows in visit.windows.items():
        _index(f"{field}.windows", day, days)
        last = None
        for window in windows:
            _range(f"{field}.windows[{day}]", window.earliest_start, window.latest_start)
            if last is not None and window.earliest_start <= last:
                raise ProblemError(f"{field}.windows[{day}]", "must be in order and not touch")
            last = window.latest_start
    for day, windows in visit.preferred.items():
        _index(f"{field}.preferred", day, days)
        last = None
        for window in windows:
            for value in (window.earliest_start, window.latest_start):
                _whole(f"{field}.preferred[{day}]", value, -LARGEST)
            if last is not None and window.earliest_start <= last:
                raise ProblemError(f"{field}.preferred[{day}]", "must be in order of their opening")
            last = window.earliest_start
    for name in ("unplaced_cost", "late_cost", "early_cost"):
        _whole(f"{field}.{name}", getattr(visit, name))
    for day, cost in visit.day_costs.items():
        _index(f"{field}.day_costs", day, days)
        _whole(f"{field}.day_costs[{day}]", cost)
    for number, wish in enumerate(visit.preferences):
        _whole(f"{field}.preferences[{number}].otherwise", wish.otherwise)
        for clinician, cost in wish.costs.items():
            _index(f"{field}.preferences[{number}].costs", clinician, people)
            _whole(f"{field}.preferences[{number}].costs[{clinician}]", cost)
    for clinician in visit.forbidden:
        _index(f"{field}.forbidden", clinician, people)
    for clinician, day in visit.forbidden_days:
        _index(f"{field}.forbidden_days", clinician, people)
        _index(f"{field}.forbidden_days", day, days)
    for day in visit.closed_days:
        _index(f"{field}.closed_days", day, days)
    for day, window in visit.widest.items():
        _index(f"{field}.widest", day, days)
        _range(f"{field}.widest[{day}]", window.earliest_start, window.latest_start)
    if visit.current is not None:
        now = visit.current
        _index(f"{field}.current.clinician", now.clinician, people)
        _index(f"{field}.current.day", now.day, days)
        _whole(f"{field}.current.start_minute", now.start_minute, -LARGEST)
        for name in ("clinician_change_cost", "day_change_cost", "time_change_cost", "time_tolerance_minutes"):
            _whole(f"{field}.current.{name}", getattr(now, name))
    elif visit.locked:
        raise ProblemError(f"{field}.locked", "needs `current` to say where")


def _members(field: str, visits: Iterable[int], problem: Problem) -> None:
    seen = set()
    for visit in visits:
        _index(f"{field}.visits", visit, len(problem.visits))
        if visit in seen:
            raise ProblemError(f"{field}.visits", f"names visit {visit} twice")
        seen.add(visit)


def _ties(problem: Problem, weeks: int) -> None:
    for number, spacing in enumerate(problem.spacings):
        field = f"spacings[{number}]"
        _members(field, spacing.visits, problem)
        for name in ("min_gap_days", "ideal_gap_days", "cost"):
            _whole(f"{field}.{name}", getattr(spacing, name))
        for day in spacing.held_days:
            _whole(f"{field}.held_days", day, -LARGEST)
    for number, limit in enumerate(problem.daily_limits):
        _members(f"daily_limits[{number}]", limit.visits, problem)
        _whole(f"daily_limits[{number}].max_per_day", limit.max_per_day)
        for held in limit.held:
            _whole(f"daily_limits[{number}].held", held)
    for number, faces in enumerate(problem.faces_limits):
        _members(f"faces_limits[{number}]", faces.visits, problem)
        _whole(f"faces_limits[{number}].cost", faces.cost)
        _whole(f"faces_limits[{number}].free_faces", faces.free_faces)
        for week, clinician in faces.held_faces:
            _index(f"faces_limits[{number}].held_faces", week, weeks)
            _index(f"faces_limits[{number}].held_faces", clinician, len(problem.clinicians))
    for number, cap in enumerate(problem.group_caps):
        _members(f"group_caps[{number}]", cap.visits, problem)
        _optional(f"group_caps[{number}].day_cap_minutes", cap.day_cap_minutes)
        _optional(f"group_caps[{number}].week_cap_minutes", cap.week_cap_minutes)
        for used in (*cap.used_by_day, *cap.used_by_week):
            _whole(f"group_caps[{number}].used", used)
    for number, regularity in enumerate(problem.regularities):
        field = f"regularities[{number}]"
        _members(field, regularity.visits, problem)
        _whole(f"{field}.tolerance_minutes", regularity.tolerance_minutes)
        _whole(f"{field}.cost_minute", regularity.cost_minute)
        for held in regularity.held_minutes:
            _whole(f"{field}.held_minutes", held)
    for number, tie in enumerate(problem.patterns):
        field = f"patterns[{number}]"
        _members(field, tie.visits, problem)
        for days in tie.patterns:
            if len(days) != len(tie.visits):
                raise ProblemError(f"{field}.patterns", "must have one day for each visit")
            for day in days:
                _index(f"{field}.patterns", day, len(problem.days))
    weeks_seen: set[tuple[int, int]] = set()
    for number, seventh in enumerate(problem.seventh_days):
        field = f"seventh_days[{number}]"
        _index(f"{field}.clinician", seventh.clinician, len(problem.clinicians))
        _index(f"{field}.last", seventh.last, len(problem.days))
        for day in seventh.others:
            _index(f"{field}.others", day, len(problem.days))
            if problem.days[day].week != problem.days[seventh.last].week:
                raise ProblemError(f"{field}.others", "must be days of the week of `last`")
        if len({seventh.last, *seventh.others}) != 1 + len(seventh.others):
            raise ProblemError(f"{field}.others", "names a day twice")
        mine = (seventh.clinician, problem.days[seventh.last].week)
        if mine in weeks_seen:
            raise ProblemError(field, "is a second one of this clinician's week")
        weeks_seen.add(mine)
        for name in ("cost_minute", "double_cost_minute"):
            _whole(f"{field}.{name}", getattr(seventh, name))
        _optional(f"{field}.double_after_minutes", seventh.double_after_minutes)
    for name in ("patient_cost", "told_patient_cost", "clinician_cost"):
        _whole(f"touch.{name}", getattr(problem.touch, name))
    _optional("touch.max_patients", problem.touch.max_patients)
    pairs: set[frozenset[int]] = set()
    for number, link in enumerate(problem.links):
        field = f"links[{number}]"
        _members(field, (link.first, link.second), problem)
        _range(f"{field}.minutes", link.min_minutes, link.max_minutes)
        if link.different_clinicians and link.same_clinician:
            raise ProblemError(f"{field}.same_clinician", "contradicts different_clinicians")
        if {link.first, link.second} in pairs:
            raise ProblemError(field, "is a second link of the same two visits")
        pairs.add(frozenset((link.first, link.second)))


def validate(problem: Problem, start: Plan | None = None) -> None:
    """Raise ProblemError for the first field that is out of range, negative, inverted, not whole or contradictory,
    or that no engine plans together with the rest.

    With `start`: also for an assignment that names what is not there, or one visit twice.
    """
    _matrix("travel_seconds", problem.travel_seconds)
    if problem.travel_metres is not None:
        _matrix("travel_metres", problem.travel_metres, problem.places)
    last = None
    for number, day in enumerate(problem.days):
        _range(f"days[{number}]", day.start_minute, day.end_minute, empty=False)
        _whole(f"days[{number}].week", day.week, 0, len(problem.days))
        if last is not None and day.start_minute < last:
            raise ProblemError(f"days[{number}]", "must be in order and not overlap")
        last = day.end_minute
    weeks = max((day.week for day in problem.days), default=0) + 1
    for name in problem.weights.__slots__:
        _whole(f"weights.{name}", getattr(problem.weights, name))
    for number, person in enumerate(problem.clinicians):
        field = f"clinicians[{number}]"
        for name in ("week_overtime_after_minutes", "week_max_minutes", "fair_share_minutes"):
            _optional(f"{field}.{name}", getattr(person, name))
        for minutes in person.already_worked_minutes:
            _whole(f"{field}.already_worked_minutes", minutes)
    seen = set()
    for number, slot in enumerate(problem.slots):
        _slot(f"slots[{number}]", slot, problem)
        if (slot.clinician, slot.day) in seen:
            raise ProblemError(f"slots[{number}]", "is a second slot of this clinician on this day")
        seen.add((slot.clinician, slot.day))
    for number, visit in enumerate(problem.visits):
        _visit(f"visits[{number}]", visit, problem)
    for patient, intervals in problem.patient_busy.items():
        for busy in intervals:
            _range(f"patient_busy[{patient!r}]", busy.start_minute, busy.end_minute, empty=False)
    _ties(problem, weeks)
    choose(problem)
    if start is not None:
        validate_plan(problem, start)


def _plainly(a: Assignment, visits: int, people: int, days: int) -> bool:
    """Whether the assignment names what is there, in plain integers; if not, somebody has to say which field."""
    numbers = (a.visit, a.clinician, a.day, a.start_minute)
    return (
        all(type(number) is int for number in numbers)
        and 0 <= a.visit < visits
        and 0 <= a.clinician < people
        and 0 <= a.day < days
        and -LARGEST <= a.start_minute <= LARGEST
    )


def validate_plan(problem: Problem, plan: Plan) -> None:
    """Raise ProblemError when the plan names a visit, clinician or day that is not there, or a visit twice."""
    seen = set()
    sizes = len(problem.visits), len(problem.clinicians), len(problem.days)
    for number, a in enumerate(plan.assignments):
        if a.visit not in seen and _plainly(a, *sizes):
            seen.add(a.visit)
            continue
        field = f"assignments[{number}]"
        _index(f"{field}.visit", a.visit, len(problem.visits))
        _index(f"{field}.clinician", a.clinician, len(problem.clinicians))
        _index(f"{field}.day", a.day, len(problem.days))
        _whole(f"{field}.start_minute", a.start_minute, -LARGEST)
        if a.visit in seen:
            raise ProblemError(f"{field}.visit", f"visit {a.visit} is there twice")
        seen.add(a.visit)
    for number, rest in enumerate(plan.rests):
        field = f"rests[{number}]"
        _index(f"{field}.clinician", rest.clinician, len(problem.clinicians))
        _index(f"{field}.day", rest.day, len(problem.days))
        _whole(f"{field}.number", rest.number, 0, MAX_BREAKS - 1)
        _whole(f"{field}.start_minute", rest.start_minute, -LARGEST)
