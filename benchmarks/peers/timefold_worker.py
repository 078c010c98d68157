"""What a worker process of `timefold.py` does; importing this starts Java."""

from __future__ import annotations

import time

from timefold.solver import SolverFactory
from timefold.solver.config import (
    Duration,
    EnvironmentMode,
    ScoreDirectorFactoryConfig,
    SolverConfig,
    SolverConfigOverride,
    TerminationConfig,
)

from benchmarks.peers import timefold_model as model
from benchmarks.peers.common import Week, flatten
from coordinator.planner.problem import Problem


def solve(problem: Problem, seconds: float, seed: int) -> list[list[int]]:
    """Visits by slot, in the order in which they are made."""
    began = time.monotonic()
    week = flatten(problem)
    given = _week(week)
    factory = _factory(seed)
    left = max(0.1, seconds - (time.monotonic() - began))
    limit = TerminationConfig(spent_limit=Duration(milliseconds=int(1000 * left)))
    best = factory.build_solver(SolverConfigOverride(termination_config=limit)).solve(given)
    return [[int(stop.id) for stop in route.stops] for route in best.routes]


def _factory(seed: int) -> SolverFactory:
    config = SolverConfig(
        solution_class=model.Week,
        entity_class_list=[model.Route, model.Stop],
        environment_mode=EnvironmentMode.NO_ASSERT,
        random_seed=seed,
        score_director_factory_config=ScoreDirectorFactoryConfig(constraint_provider_function=model.define_constraints),
        termination_config=TerminationConfig(spent_limit=Duration(seconds=1)),
    )
    return SolverFactory.create(config)


def _week(week: Week) -> model.Week:
    stops = []
    for number, visit in enumerate(week.visits):
        able = set(week.able[number])
        here = week.place(number)
        openings = [
            [minute for span in visit.windows.get(day, ()) for minute in (span.earliest_start, span.latest_start)]
            for day in range(len(week.problem.days))
        ]
        stops.append(
            model.Stop(
                id=number,
                minutes=visit.minutes,
                price=visit.unplaced_cost,
                place=here,
                able="".join("y" if slot in able else "n" for slot in range(len(week.slots))),
                openings=openings,
                ways_here="".join(map(chr, week.minutes[:, here].tolist())),
                ways_on="".join(map(chr, week.minutes[here, :].tolist())),
            )
        )
    routes = [
        model.Route(
            id=number,
            day=slot.day,
            home=slot.start_place or 0,
            end=slot.end_place or 0,
            shift_start=slot.shift_start,
            shift_end=slot.shift_end,
            max_visits=len(week.visits) if slot.max_visits is None else slot.max_visits,
            price=week.problem.weights.travel_minute,
        )
        for number, slot in enumerate(week.slots)
    ]
    return model.Week(routes, stops)


_factory(0)
"""The first one translates the model; that is part of warming up."""
