"""VROOM through pyvroom: one vehicle for each (clinician, day), one job for each visit.

Jobs have all their windows of the week, so the day follows from the window; who may go is one skill for each distinct
set of clinicians; visits a day are `max_tasks`; prices of visits left out become priorities. VROOM first places as
much priority as it can and then saves driving; it does not weigh one against the other. Both cores, the highest
exploration level. There is no seed, and it stops by itself, often long before its time.
"""

from __future__ import annotations

import time
from datetime import timedelta

import numpy as np
import vroom

from benchmarks.peers.common import Week, flatten, plan_of
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem

EXPLORATION = 5
THREADS = 2
HIGHEST_PRIORITY = 100


def solve(problem: Problem, seconds: float, seed: int) -> Plan:  # noqa: ARG001 - VROOM knows no seed
    """The plan VROOM finds in so many seconds, building the model included."""
    began = time.monotonic()
    week = flatten(problem)
    model = _model(week)
    left = max(0.05, seconds - (time.monotonic() - began))
    answer = model.solve(EXPLORATION, nb_threads=THREADS, timeout=timedelta(seconds=left))
    routes: list[list[int]] = [[] for _ in week.slots]
    for row in answer.routes.itertuples():
        if row.type == "job":
            routes[int(row.vehicle_id) - 1].append(int(row.id) - 1)
    return plan_of(week, routes)


def _model(week: Week) -> vroom.Input:
    problem = vroom.Input()
    problem.set_durations_matrix(profile="car", matrix_input=week.minutes.astype(np.uint32))
    sets = sorted({_people(week, visit) for visit in range(len(week.visits))})
    skill = {people: number + 1 for number, people in enumerate(sets)}
    skills = [{skill[people] for people in sets if number in people} for number in range(len(week.slots))]
    problem.add_vehicle(
        [
            vroom.Vehicle(
                number + 1,
                start=slot.start_place,
                end=slot.end_place,
                skills=skills[number],
                time_window=vroom.TimeWindow(slot.shift_start, slot.shift_end),
                **({} if slot.max_visits is None else {"max_tasks": slot.max_visits}),
            )
            for number, slot in enumerate(week.slots)
        ]
    )
    dearest = max((visit.unplaced_cost for visit in week.visits), default=1) or 1
    problem.add_job(
        [
            vroom.Job(
                number + 1,
                location=week.place(number),
                default_service=visit.minutes,
                skills={skill[_people(week, number)]},
                priority=round(HIGHEST_PRIORITY * visit.unplaced_cost / dearest),
                time_windows=[vroom.TimeWindow(w.earliest_start, w.latest_start) for w in week.windows(number)],
            )
            for number, visit in enumerate(week.visits)
            if visit.windows
        ]
    )
    return problem


def _people(week: Week, visit: int) -> tuple[int, ...]:
    """The slots whose clinician may make the visit, whatever its days."""
    wanted = week.visits[visit]
    return tuple(
        number
        for number, slot in enumerate(week.slots)
        if slot.clinician not in wanted.forbidden and (slot.clinician, slot.day) not in wanted.forbidden_days
    )
