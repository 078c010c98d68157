"""What all peers share: the week in plain numbers, and from a peer's routes back to a `Plan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from coordinator.planner import score
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Problem, Slot, Visit, Window


class NotExpressibleError(ValueError):
    """The problem has something that routing solvers do not know."""


@dataclass(frozen=True)
class Week:
    """A relaxed week as peers see it. Times in minutes of the horizon, money in cents."""

    problem: Problem
    slots: tuple[Slot, ...]
    visits: tuple[Visit, ...]
    minutes: NDArray[np.int64]
    """Driving between places."""
    able: tuple[tuple[int, ...], ...]
    """By visit: the slots whose clinician may make it and on whose day it has a window."""

    def place(self, visit: int) -> int:
        """Where a visit is made; the relaxed week has no visits by telephone."""
        place = self.visits[visit].place
        assert place is not None
        return place

    def windows(self, visit: int) -> list[Window]:
        """All windows of a visit in order of time."""
        spans = (span for spans in self.visits[visit].windows.values() for span in spans)
        return sorted(spans, key=lambda span: span.earliest_start)

    def times_of_day(self, visit: int) -> dict[tuple[int, int], list[int]]:
        """(earliest, latest) start in minutes of a day, and the slots that may make the visit then.

        For solvers that do better with all days laid on top of each other: most visits have one time of day.
        """
        found: dict[tuple[int, int], list[int]] = {}
        for number in self.able[visit]:
            slot = self.slots[number]
            midnight = self.midnight(number)
            for span in self.visits[visit].windows[slot.day]:
                found.setdefault((span.earliest_start - midnight, span.latest_start - midnight), []).append(number)
        return found

    def midnight(self, slot: int) -> int:
        """The minute at which the day of a slot begins."""
        return self.problem.days[self.slots[slot].day].start_minute


def flatten(problem: Problem) -> Week:
    """The week in plain numbers. Raises NotExpressibleError naming the first thing that a peer would have to ignore."""
    slots, visits = problem.slots, problem.visits
    foreign = {
        "breaks": any(s.breaks for s in slots),
        "time off": any(s.unavailable for s in slots),
        "overtime or daily limits": any(s.overtime_after_minutes is not None or s.max_minutes for s in slots),
        "a shift without a place": any(s.start_place is None or s.end_place is None for s in slots),
        "visits by telephone": any(v.place is None for v in visits),
        "minutes by clinician": any(v.minutes_by_clinician for v in visits),
        "preferences": any(v.preferences or v.preferred or v.day_costs for v in visits),
        "mandatory or locked visits": any(v.mandatory or v.locked or v.current for v in visits),
        "ties between visits": any(
            (problem.spacings, problem.daily_limits, problem.faces_limits, problem.group_caps, problem.links)
        )
        or bool(problem.patterns or problem.regularities),
        "busy patients": bool(problem.patient_busy),
        "two visits of one patient": len({v.patient for v in visits}) < len(visits),
        "prices besides driving": any(
            (problem.weights.waiting_minute, problem.weights.travel_kilometre, problem.weights.idle_gap_minute)
        )
        or problem.weights.longest_wait_minute > 0,
        "weekly limits": any(
            (c.week_max_minutes, c.week_overtime_after_minutes, c.fair_share_minutes) != (None, None, None)
            for c in problem.clinicians
        ),
    }
    for name, there in foreign.items():
        if there:
            raise NotExpressibleError(f"{problem.name} has {name}, which peers do not know")
    able = tuple(
        tuple(
            number
            for number, slot in enumerate(slots)
            if slot.day in visit.windows
            and slot.clinician not in visit.forbidden
            and (slot.clinician, slot.day) not in visit.forbidden_days
        )
        for visit in visits
    )
    minutes = -(-problem.travel_seconds.astype(np.int64) // 60)
    return Week(problem, slots, visits, minutes, able)


def plan_of(week: Week, routes: Sequence[Sequence[int]]) -> Plan:
    """The plan that makes these visits in this order, by slot, each as early as it may be.

    Nothing is mended: an order that cannot be driven gives a plan that the score reports as broken.
    """
    assignments = []
    for slot, route in zip(week.slots, routes, strict=True):
        here, free = slot.start_place, slot.shift_start
        for visit in route:
            there = week.place(visit)
            arrival = free + int(week.minutes[here, there])
            spans = week.visits[visit].windows.get(slot.day, ())
            start = min(
                (max(arrival, span.earliest_start) for span in spans if arrival <= span.latest_start), default=arrival
            )
            assignments.append(Assignment(visit, slot.clinician, slot.day, start))
            here, free = there, start + week.visits[visit].minutes
    return Plan.of(assignments)


def best_of_two(
    solve: Callable[[Problem, float, int], Plan], problem: Problem, seconds: float, seeds: tuple[int, int]
) -> Plan:
    """For solvers of one thread: two runs side by side, one on each core, and the better plan of the two."""
    with get_context("fork").Pool(2) as pool:
        plans = pool.starmap(solve, [(problem, seconds, seed) for seed in seeds])
    return min(plans, key=lambda plan: score(problem, plan).key)
