"""Weeks small enough that the best plan is known, and what it costs."""

from __future__ import annotations

import random
from itertools import permutations

import numpy as np

from coordinator.planner.problem import Clinician, Day, Problem, Reason, Slot, Visit, Weights, Window

DAY = 1440


def tiny_week(seed: int) -> Problem:
    """Two clinicians, two days, five or six visits: skills, days, windows, gaps in windows, too little room for all."""
    rng = random.Random(seed)
    count = rng.choice((5, 6))
    places = 2 + count
    spots = np.array([(rng.randrange(30), rng.randrange(30)) for _ in range(places)])
    minutes = np.abs(spots[:, None, :] - spots[None, :, :]).sum(axis=2)
    slots = []
    for clinician in range(2):
        for day in range(2):
            begin = day * DAY + 480
            end = begin + rng.choice((150, 240, 300))
            slots.append(Slot(clinician, day, clinician, clinician, begin, end, max_visits=rng.choice((2, 3, None))))
    visits = []
    for number in range(count):
        windows = {}
        for day in range(2) if rng.random() < 0.7 else [rng.randrange(2)]:
            begin = day * DAY + 480
            lot = rng.random()
            if lot < 0.4:
                windows[day] = (Window(begin, begin + 300),)
            elif lot < 0.7:
                windows[day] = (Window(begin + 30, begin + 90),)
            else:
                windows[day] = (Window(begin, begin + 40), Window(begin + 120, begin + 200))
        visits.append(
            Visit(
                key=f"visit-{number}",
                patient=f"patient-{number}",
                place=2 + number,
                minutes=rng.choice((30, 45, 60)),
                windows=windows,
                unplaced_cost=rng.choice((20_000, 50_000, 100_000)),
                forbidden={rng.randrange(2): Reason.of("skill")} if rng.random() < 0.4 else {},
            )
        )
    return Problem(
        name=f"tiny-{seed}",
        days=(Day(0, DAY, "Mon"), Day(DAY, 2 * DAY, "Tue")),
        travel_seconds=(minutes * 60).astype(np.int32),
        clinicians=(Clinician("one"), Clinician("two")),
        slots=tuple(slots),
        visits=tuple(visits),
        weights=Weights(waiting_minute=0, overtime_minute=0, fairness_minute=0),
    )


def least_cost(problem: Problem) -> int:
    """The cost of the best plan: the cheapest order of each set of visits by slot, then every way to share them out."""
    minutes = problem.travel_seconds // 60
    price = problem.weights.travel_minute
    everything = range(len(problem.visits))
    cheapest: list[dict[frozenset[int], int]] = []
    for slot in problem.slots:
        mine = [
            v
            for v in everything
            if slot.day in problem.visits[v].windows and slot.clinician not in problem.visits[v].forbidden
        ]
        found = {frozenset[int](): 0}
        for size in range(1, min(len(mine), slot.max_visits or len(mine)) + 1):
            for order in permutations(mine, size):
                driving = _driving(problem, slot, order, minutes)
                key = frozenset(order)
                if driving is not None and price * driving < found.get(key, 10**12):
                    found[key] = price * driving
        cheapest.append(found)
    best: dict[frozenset[int], int] = {frozenset(): 0}
    for found in cheapest:
        more: dict[frozenset[int], int] = {}
        for done, cost in best.items():
            for visits, extra in found.items():
                if not done & visits:
                    key = done | visits
                    more[key] = min(more.get(key, 10**12), cost + extra)
        best = more
    return min(
        cost + sum(problem.visits[v].unplaced_cost for v in everything if v not in done) for done, cost in best.items()
    )


def _driving(problem: Problem, slot: Slot, order: tuple[int, ...], minutes: np.ndarray) -> int | None:
    """Minutes of driving when the visits are made in this order, each as early as can be; None if that is too late."""
    here, now, total = slot.start_place, slot.shift_start, 0
    for v in order:
        visit = problem.visits[v]
        way = int(minutes[here, visit.place])
        starts = [
            max(now + way, span.earliest_start) for span in visit.windows[slot.day] if now + way <= span.latest_start
        ]
        if not starts:
            return None
        here, now, total = visit.place, min(starts) + visit.minutes, total + way
    way = int(minutes[here, slot.end_place])
    return total + way if now + way <= slot.shift_end else None
