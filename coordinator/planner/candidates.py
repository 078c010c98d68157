"""Which shifts could take each visit, at what price; and which visits are near each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coordinator.planner.problem import Problem, Visit

Ints = NDArray[np.int64]

NEIGHBOURS = 60
"""How many nearby visits each visit knows; removal never reaches further."""
POOL = 4
"""Neighbours are chosen among so many times as many that are nearest by the way alone."""
ROWS = 64
"""Visits whose neighbours are found at a time."""


def visit_minutes(visit: Visit, clinician: int) -> int:
    """How long this clinician needs for the visit."""
    return visit.minutes_by_clinician.get(clinician, visit.minutes)


def static_cost(visit: Visit, clinician: int, day: int) -> int:
    """Cents of making the visit with this clinician on this day, whatever else happens."""
    cost = visit.day_costs.get(day, 0)
    for wish in visit.preferences:
        cost += wish.costs.get(clinician, wish.otherwise)
    if visit.current is not None:
        if visit.current.clinician != clinician:
            cost += visit.current.clinician_change_cost
        if visit.current.day != day:
            cost += visit.current.day_change_cost
    return cost


def allowed(visit: Visit, clinician: int, day: int) -> bool:
    """Whether anything that came with the problem forbids the pair; ties and time are not asked here."""
    if visit.locked:
        return visit.current is not None and (visit.current.clinician, visit.current.day) == (clinician, day)
    return (
        clinician not in visit.forbidden
        and (clinician, day) not in visit.forbidden_days
        and bool(visit.windows.get(day))
    )


def candidates_of(problem: Problem) -> list[Ints]:
    """For each visit the shifts that may take it: rows of (slot, `static_cost`, `visit_minutes`), cheapest first.

    The same as asking `allowed` of every pair, for all shifts of a visit at once.
    """
    people, days = len(problem.clinicians), len(problem.days)
    clinician = np.array([slot.clinician for slot in problem.slots], dtype=np.int64)
    day = np.array([slot.day for slot in problem.slots], dtype=np.int64)
    return [_candidates(visit, clinician, day, people, days) for visit in problem.visits]


def _candidates(visit: Visit, clinician: Ints, day: Ints, people: int, days: int) -> Ints:
    if visit.locked:
        now = visit.current
        pairs = np.zeros(0, dtype=np.int64)
        if now is not None:
            pairs = np.flatnonzero((clinician == now.clinician) & (day == now.day))
    else:
        able = np.ones(people, dtype=bool)
        able[list(visit.forbidden)] = False
        opened = np.zeros(days, dtype=bool)
        opened[[d for d, windows in visit.windows.items() if windows]] = True
        pairs = np.flatnonzero(able[clinician] & opened[day])
        if visit.forbidden_days:
            barred = [(c, d) in visit.forbidden_days for c, d in zip(clinician[pairs], day[pairs], strict=True)]
            pairs = pairs[~np.array(barred, dtype=bool)]
    by_person = np.zeros(people, dtype=np.int64)
    by_day = np.zeros(days, dtype=np.int64)
    minutes = np.full(people, visit.minutes, dtype=np.int64)
    _set(minutes, visit.minutes_by_clinician)
    _set(by_day, visit.day_costs)
    for wish in visit.preferences:
        costs = np.full(people, wish.otherwise, dtype=np.int64)
        _set(costs, wish.costs)
        by_person += costs
    if visit.current is not None:
        by_person += visit.current.clinician_change_cost
        by_person[visit.current.clinician] -= visit.current.clinician_change_cost
        by_day += visit.current.day_change_cost
        by_day[visit.current.day] -= visit.current.day_change_cost
    costs = by_person[clinician[pairs]] + by_day[day[pairs]]
    order = np.argsort(costs, kind="stable")
    return np.stack([pairs, costs, minutes[clinician[pairs]]], axis=1)[order]


def _set(array: Ints, values: Mapping[int, int]) -> None:
    """Write a mapping's values at its keys."""
    if values:
        array[list(values)] = list(values.values())


def neighbours(problem: Problem, candidates: list[Ints], minutes: Ints) -> Ints:
    """For each visit the others it could best change places with: near, and with shifts in common. -1 fills up."""
    count = len(problem.visits)
    width = max(1, min(NEIGHBOURS, count - 1))
    near = np.full((count, width), -1, dtype=np.int64)
    if count < 2:
        return near
    places = np.array([-1 if v.place is None else v.place for v in problem.visits])
    can = np.zeros((count, -(-len(problem.slots) // 64) * 64), dtype=np.bool_)
    for index, row in enumerate(candidates):
        can[index, row[:, 0]] = True
    sizes = can.sum(axis=1, dtype=np.float32)
    # One bit a shift: five thousand visits would else move gigabytes.
    shifts = np.packbits(can, axis=1).view(np.uint64)
    typical = int(np.median(minutes)) if minutes.size else 0
    pool = min(count, POOL * width + 1)
    nowhere = places < 0
    for first in range(0, count, ROWS):
        own = np.arange(first, min(first + ROWS, count))[:, None]
        way = np.where(nowhere | nowhere[own], typical, minutes[places[own], places])
        nearest = np.broadcast_to(np.arange(count), way.shape)
        if pool < count:
            nearest = np.sort(np.argpartition(way, pool - 1, axis=1)[:, :pool], axis=1)
            way = np.take_along_axis(way, nearest, axis=1)
        both = np.bitwise_count(shifts[nearest] & shifts[own]).sum(axis=2, dtype=np.float32)
        common = both / np.maximum(1, np.minimum(sizes[nearest], sizes[own]))
        # Half of the shifts in common weighs as much as the typical way.
        distance = way + ((1 - common) * 2 * max(1, typical)).astype(np.int64)
        distance[nearest == own] = np.iinfo(np.int64).max
        found = np.argsort(distance, axis=1, kind="stable")[:, :width]
        near[own, np.arange(found.shape[1])] = np.take_along_axis(nearest, found, axis=1)
    near[near == np.arange(count)[:, None]] = -1
    return near


def longest_route(problem: Problem, candidates: list[Ints]) -> int:
    """No feasible route has more visits than this."""
    takers = np.zeros(len(problem.slots), dtype=np.int64)
    shortest = np.full(len(problem.slots), np.iinfo(np.int64).max, dtype=np.int64)
    for row in candidates:
        takers[row[:, 0]] += 1
        shortest[row[:, 0]] = np.minimum(shortest[row[:, 0]], row[:, 2])
    longest = 0
    for index, shift in enumerate(problem.slots):
        if takers[index]:
            fits = min((shift.shift_end - shift.shift_start) // int(shortest[index]), int(takers[index]))
            longest = max(longest, fits if shift.max_visits is None else min(fits, shift.max_visits))
    return longest
