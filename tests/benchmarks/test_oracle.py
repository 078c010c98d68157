"""Our plan of a tiny rich week against what CP-SAT proves to be the least cost."""

from __future__ import annotations

import random
from dataclasses import replace
from importlib import import_module

import pytest

from coordinator.planner import Stop, score, solve
from coordinator.planner.problem import Linked, Preference, Problem, Spacing, Weights, Window
from tests.benchmarks.tiny import tiny_week
from tests.planner.checker import faults_of

pytest.importorskip("ortools.sat.python.cp_model", reason="ortools is not installed: see requirements-bench.txt")


def rich_tiny_week(seed: int) -> Problem:
    """A tiny week with waiting, overtime, wishes, preferred times, an order of two visits and a visit for two."""
    rng = random.Random(f"rich {seed}")
    plain = tiny_week(seed)
    visits = [
        replace(
            visit,
            preferences=(Preference("continuity", {rng.randrange(2): 0}, 1500),),
            preferred={day: (_half_an_hour(spans[0]),) for day, spans in visit.windows.items()},
            late_cost=rng.choice((0, 10)),
        )
        for visit in plain.visits
    ]
    visits[1] = replace(visits[1], patient=visits[0].patient, place=visits[0].place)
    visits[2] = replace(visits[2], forbidden={})
    visits[3] = replace(
        visits[3], patient=visits[2].patient, place=visits[2].place, windows=visits[2].windows, forbidden={}
    )
    return replace(
        plain,
        name=f"rich-tiny-{seed}",
        visits=tuple(visits),
        slots=tuple(replace(slot, overtime_after_minutes=rng.choice((None, 120))) for slot in plain.slots),
        spacings=(Spacing((0, 1), min_gap_days=1),),
        links=(Linked(2, 3),),
        weights=Weights(waiting_minute=20, overtime_minute=120, fairness_minute=0),
    )


def _half_an_hour(window: Window) -> Window:
    return Window(window.earliest_start, min(window.latest_start, window.earliest_start + 30))


ABOVE = pytest.mark.xfail(
    reason="days are timed by a rule: starting a pair ten minutes late would save overtime (345 against 332)",
    strict=False,
)


@pytest.mark.parametrize("seed", [*range(9), pytest.param(9, marks=ABOVE), 10, 11])
def test_our_plan_of_a_tiny_rich_week_costs_what_cp_sat_proves_to_be_the_least(seed):
    problem = rich_tiny_week(seed)
    best, cost = import_module("tests.benchmarks.oracle").best_plan(problem)
    assert faults_of(problem, best) == []
    assert (score(problem, best).cost, score(problem, best).hard) == (cost, ())
    outcome = solve(problem, Stop(iterations=4000), seed=1)
    assert faults_of(problem, outcome.plan) == []
    assert outcome.score.hard == ()
    assert outcome.score.cost == cost
