"""What must hold for every problem, tried on random ones."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.planner import Stop, explain, score, solve
from coordinator.planner.plan import Plan
from coordinator.planner.reasons import SENTENCES, sentence
from coordinator.planner.search import running_cost
from tests.planner.builders import random_problem
from tests.planner.checker import faults_of

SEEDS = st.integers(0, 1_000_000)
calmly = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@calmly
@given(SEEDS, st.integers(0, 120))
def test_every_plan_keeps_every_hard_rule_and_costs_what_the_search_believes(seed: int, iterations: int):
    problem = random_problem(seed)
    outcome = solve(problem, Stop(iterations=iterations), seed=seed)
    assert score(problem, outcome.plan) == outcome.score
    # The checker and the score are written apart and must agree; only a mandatory or locked visit may be left out.
    faults = faults_of(problem, outcome.plan)
    assert bool(faults) == bool(outcome.score.hard)
    assert {violation.rule for violation in outcome.score.hard} <= {"mandatory", "locked"}
    assert all("mandatory" in fault or "locked" in fault for fault in faults)


@calmly
@given(SEEDS, SEEDS)
def test_the_running_cost_is_the_full_cost_after_every_kind_of_change(seed: int, other: int):
    problem = random_problem(seed)
    believed: list[tuple[Plan, int]] = []

    def listen(progress):
        if progress.plan is not None:
            believed.append((progress.plan, progress.cost))

    solve(problem, Stop(iterations=40), seed=other, listen=listen)
    for plan, cost in believed:
        assert score(problem, plan).cost == cost


@calmly
@given(SEEDS, SEEDS)
def test_a_warm_start_is_never_made_worse(seed: int, other: int):
    problem = random_problem(seed)
    start = solve(problem, Stop(iterations=5), seed=other).plan
    held, cost = running_cost(problem, start)
    assert score(problem, held).cost == cost
    better = solve(problem, Stop(iterations=30), seed=seed, start=start)
    assert better.score.key <= score(problem, start).key


@calmly
@given(SEEDS)
def test_same_seed_and_iterations_same_plan(seed: int):
    problem = random_problem(seed)
    one = solve(problem, Stop(iterations=60), seed=7)
    two = solve(problem, Stop(iterations=60), seed=7)
    assert one.plan == two.plan
    assert one.fingerprint == two.fingerprint


@calmly
@given(SEEDS)
def test_every_visit_left_out_has_a_reason_for_everyone(seed: int):
    problem = random_problem(seed)
    plan = solve(problem, Stop(iterations=60), seed=seed).plan
    placed = plan.by_visit()
    for entry in explain(problem, plan).visits:
        assert entry.assignment == placed.get(entry.visit)
        if entry.assignment is not None:
            assert entry.obstacles == ()
            continue
        told = {}
        for obstacle in entry.obstacles:
            days = range(len(problem.days)) if obstacle.day is None else [obstacle.day]
            told |= {(obstacle.clinician, day): obstacle.reason for day in days}
            assert sentence(obstacle.reason)
        assert set(told) == {(c, d) for c in range(len(problem.clinicians)) for d in range(len(problem.days))}
        given_ones = problem.visits[entry.visit].forbidden
        for (clinician, _), why in told.items():
            if clinician in given_ones and not problem.visits[entry.visit].locked:
                assert why == given_ones[clinician]
            assert why.code in SENTENCES or why.code in {"skill", "leave"}


@calmly
@given(SEEDS)
def test_an_alternative_is_another_allowed_clinician_at_an_allowed_time(seed: int):
    problem = random_problem(seed)
    plan = solve(problem, Stop(iterations=60), seed=seed).plan
    for entry in explain(problem, plan).visits:
        if entry.alternative is None:
            continue
        other, visit = entry.alternative, problem.visits[entry.visit]
        assert entry.assignment is not None
        assert other.clinician != entry.assignment.clinician
        assert other.clinician not in visit.forbidden
        assert (other.clinician, other.day) not in visit.forbidden_days
        windows = visit.windows[other.day]
        assert any(w.earliest_start <= other.start_minute <= w.latest_start for w in windows)
