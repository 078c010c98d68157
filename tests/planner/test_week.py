"""A whole week of an agency of twenty-five."""

from __future__ import annotations

import pytest

from benchmarks.weeks import make_week, published, relaxed
from coordinator.planner import Stop, explain, score, solve
from coordinator.planner.plan import Plan
from tests.planner.checker import faults_of


def test_a_week_of_three_hundred_visits_is_placed_with_every_hard_rule_kept():
    problem = make_week(25, 12, seed=1)
    outcome = solve(problem, Stop(seconds=6), seed=1)
    assert faults_of(problem, outcome.plan) == []
    assert outcome.score.hard == ()
    # There is room for everyone: no shift of this week is fuller than two thirds.
    assert outcome.score.measures.placed == len(problem.visits)


def test_a_week_that_is_too_full_leaves_out_the_least_urgent_and_says_why():
    problem = make_week(10, 24, seed=2)
    outcome = solve(problem, Stop(seconds=5), seed=1)
    assert faults_of(problem, outcome.plan) == []
    placed = outcome.plan.by_visit()
    left_out = [v for v in range(len(problem.visits)) if v not in placed]
    for entry in explain(problem, outcome.plan).visits:
        assert bool(entry.obstacles) == (entry.visit in left_out)
        assert all(obstacle.reason.code != "possible" for obstacle in entry.obstacles)
    prices = [visit.unplaced_cost for visit in problem.visits]
    assert left_out
    mean_out = sum(prices[v] for v in left_out) / len(left_out)
    assert mean_out < sum(prices) / len(prices)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_published_plan_of_a_week_keeps_every_hard_rule_and_the_planner_takes_it_up(seed):
    problem, before = published(make_week(6, 12, seed), seed)
    assert faults_of(problem, before) == []
    assert score(problem, before).hard == ()
    locked = [v for v, visit in enumerate(problem.visits) if visit.locked]
    assert locked
    outcome = solve(problem, Stop(iterations=300), seed=1, start=before)
    assert faults_of(problem, outcome.plan) == []
    placed, wanted = outcome.plan.by_visit(), before.by_visit()
    assert all(placed[v] == wanted[v] for v in locked)


def test_the_relaxed_week_is_no_harder_than_the_rich_one():
    rich = make_week(8, 12, seed=4)
    easy = relaxed(rich)
    plan = solve(rich, Stop(iterations=2000), seed=1).plan
    # Made at home or by telephone is another driving, and links want two at once: everything else carries over.
    apart = {v for v, visit in enumerate(rich.visits) if visit.place is None}
    days = {(a.clinician, a.day) for a in plan.assignments if a.visit in apart}
    kept = Plan.of([a for a in plan.assignments if (a.clinician, a.day) not in days])
    assert len(kept.assignments) > len(rich.visits) // 2
    assert score(easy, kept).hard == ()
    assert faults_of(easy, kept) == []
