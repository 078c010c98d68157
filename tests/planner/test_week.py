"""A whole week of an agency of twenty-five."""

from __future__ import annotations

from benchmarks.week import make_week
from coordinator.planner import Stop, explain, solve
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
