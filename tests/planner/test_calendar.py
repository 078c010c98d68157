"""What the weekly engine alone must hold: words that only it knows, notes of prices, and searching in parts."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.weeks import make_week
from coordinator.planner import Problem, Stop, score, search, solve
from coordinator.planner import kernel as k
from coordinator.planner.arrays import build
from coordinator.planner.candidates import allowed, candidates_of, static_cost, visit_minutes
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Clinician, Current, Regularity, Touch
from tests.planner.builders import make_problem, make_slot, make_visit, random_problem
from tests.planner.checker import faults_of

SEEDS = st.integers(0, 1_000_000)
calmly = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def published(problem: Problem, plan: Plan, rng: random.Random, touch: Touch) -> Problem:
    """The problem after this plan was published and some patients were told of it."""
    placed = plan.by_visit()
    visits = []
    for index, visit in enumerate(problem.visits):
        a = placed.get(index)
        if a is None or visit.locked:
            visits.append(visit)
            continue
        now = Current(
            a.clinician, a.day, a.start_minute, rng.random() < 0.5, time_tolerance_minutes=rng.choice((0, 15))
        )
        visits.append(replace(visit, current=now))
    return replace(problem, visits=tuple(visits), touch=touch)


def with_more_words(problem: Problem, seed: int) -> Problem:
    """The same week with prices for what is touched, times that should be regular, and a second step of overtime."""
    rng = random.Random(seed)
    count = len(problem.visits)
    some = [tuple(rng.sample(range(count), k=min(count, 4))) for _ in range(2)]
    visits = [
        v if v.current is None else replace(v, current=replace(v.current, told=rng.random() < 0.5))
        for v in problem.visits
    ]
    return replace(
        problem,
        visits=tuple(visits),
        slots=tuple(replace(slot, doubletime_after_minutes=rng.choice((None, 90))) for slot in problem.slots),
        regularities=tuple(
            Regularity(members, rng.choice((0, 45)), 3, (600,) if rng.random() < 0.5 else ()) for members in some
        ),
        touch=Touch(rng.choice((0, 300)), 700, rng.choice((0, 110)), None, ("p0",)),
        weights=replace(problem.weights, doubletime_minute=35),
    )


@calmly
@given(SEEDS, st.integers(0, 60))
def test_prices_of_what_is_touched_regular_and_overtime_are_kept_exactly(seed: int, iterations: int):
    problem = with_more_words(random_problem(seed), seed)
    heard: list[tuple[Plan, int]] = []

    def listen(progress):
        if progress.plan is not None:
            heard.append((progress.plan, progress.cost))

    outcome = solve(problem, Stop(iterations=iterations), seed=seed, listen=listen)
    for plan, cost in heard:
        assert score(problem, plan).cost == cost
    assert all("mandatory" in fault or "locked" in fault for fault in faults_of(problem, outcome.plan))


@calmly
@given(SEEDS, SEEDS, st.integers(0, 2))
def test_no_more_patients_are_touched_than_the_budget_has(seed: int, other: int, most: int):
    problem = random_problem(seed)
    rng = random.Random(other)
    start = solve(problem, Stop(iterations=3), seed=other).plan
    problem = published(problem, start, rng, Touch(50, 100, 30, most))
    if any(violation.rule == "touch-budget" for violation in score(problem, start).hard):
        return
    outcome = solve(problem, Stop(iterations=60), seed=seed, start=start)
    assert not any(violation.rule == "touch-budget" for violation in outcome.score.hard)
    assert outcome.score.key <= score(problem, start).key


@pytest.mark.parametrize(
    ("touch", "clinician"),
    [
        (Touch(told_patient_cost=1000), 1),
        (Touch(told_patient_cost=1100), 0),
        (Touch(patient_cost=1100), 1),  # the price of those who had not been told
        (Touch(told_patient_cost=1100, exempt_patients=("visit",)), 1),
        (Touch(clinician_cost=1100), 0),
        (Touch(max_patients=0), 0),
    ],
)
def test_a_published_visit_goes_to_the_nearer_clinician_only_if_that_saves_more(touch: Touch, clinician: int):
    eighteen_minutes_saved = np.array([[0, 10, 40, 1], [10, 0, 40, 1], [40, 40, 0, 1], [1, 1, 1, 0]]) * 60
    problem = make_problem(
        [make_visit(current=Current(0, 0, 600, told=True))],
        travel_seconds=eighteen_minutes_saved.astype(np.int32),
        clinicians=(Clinician("Ada"), Clinician("Ben")),
        slots=(make_slot(0), make_slot(1, start_place=3, end_place=3)),
        touch=touch,
    )
    start = Plan.of([Assignment(0, 0, 0, 600)])
    outcome = solve(problem, Stop(iterations=100), start=start)
    assert outcome.plan.assignments[0].clinician == clinician


def test_a_second_step_of_overtime_is_paid_by_the_minute():
    visits = [make_visit(str(n), minutes=200) for n in range(2)]
    week = make_problem(visits, slots=(make_slot(doubletime_after_minutes=300),))
    assert solve(week, Stop(iterations=50)).score.part("doubletime").cost == 0
    priced = replace(week, weights=replace(week.weights, doubletime_minute=100))
    ten_minutes_there_and_ten_back = 420
    assert solve(priced, Stop(iterations=50)).score.part("doubletime").cost == 100 * (
        ten_minutes_there_and_ten_back - 300
    )


def week_in_parts(clinicians: int = 8) -> Problem:
    return make_week(clinicians, 10, seed=3)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weeks of eighty visits are searched in parts, too."""
    monkeypatch.setattr(search, "PART_VISITS", 20)
    monkeypatch.setattr(search, "EPOCH_ROUNDS", 2)


def test_a_week_searched_in_parts_keeps_every_rule_and_costs_what_the_search_believes(small_parts):
    problem = week_in_parts()
    heard: list[tuple[Plan, int]] = []

    def listen(progress):
        if progress.plan is not None:
            heard.append((progress.plan, progress.cost))

    outcome = solve(problem, Stop(iterations=6_000), seed=4, listen=listen)
    assert len(heard) > 5
    for plan, cost in heard:
        assert faults_of(problem, plan) == []
        assert score(problem, plan).cost == cost
    assert outcome.score.cost < heard[0][1]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_plan_does_not_depend_on_how_many_search_at_once(small_parts, threads: int):
    problem = week_in_parts()
    two = solve(problem, Stop(iterations=3_000, threads=2), seed=9)
    other = solve(problem, Stop(iterations=3_000, threads=threads), seed=9)
    assert two.iterations == other.iterations == 3_000
    assert two.fingerprint == other.fingerprint


@pytest.fixture
def many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred rounds are searched by four at once, too."""
    monkeypatch.setattr(search, "MEMBER_ROUNDS", 1)


@pytest.mark.parametrize("threads", [1, 3])
def test_members_count_their_rounds_together_and_find_the_same_on_any_number_of_threads(many_members, threads: int):
    problem = week_in_parts()
    heard: list[tuple[Plan, int]] = []

    def listen(progress):
        if progress.plan is not None:
            heard.append((progress.plan, progress.cost))

    two = solve(problem, Stop(iterations=2_001, threads=2), seed=9, listen=listen)
    other = solve(problem, Stop(iterations=2_001, threads=threads), seed=9)
    alone = solve(problem, Stop(iterations=500), seed=9)
    assert two.iterations == other.iterations == 2_001
    assert two.fingerprint == other.fingerprint != alone.fingerprint
    assert len(heard) > 3
    for plan, cost in heard:
        assert faults_of(problem, plan) == []
        assert score(problem, plan).cost == cost
    assert [cost for _, cost in heard] == sorted((cost for _, cost in heard), reverse=True)


@pytest.mark.parametrize("seed", range(20))
def test_members_keep_the_budget_of_patients_and_what_the_start_had(many_members, seed: int):
    problem = random_problem(seed)
    start = solve(problem, Stop(iterations=3), seed=seed + 1).plan
    problem = published(problem, start, random.Random(seed), Touch(50, 100, 30, seed % 3))
    if any(violation.rule == "touch-budget" for violation in score(problem, start).hard):
        return
    outcome = solve(problem, Stop(iterations=200), seed=seed, start=start)
    assert not any(violation.rule == "touch-budget" for violation in outcome.score.hard)
    assert outcome.score.key <= score(problem, start).key


def test_members_stop_when_they_are_told_to(many_members):
    asked = iter([False] * 4 + [True] * 4)
    outcome = solve(week_in_parts(), Stop(iterations=10**9, cancel=lambda: next(asked)))
    assert outcome.stopped_by == "cancel"


@calmly
@given(SEEDS)
def test_what_is_undone_is_as_it_was(seed: int):
    problem = with_more_words(random_problem(seed), seed)
    arrays = build(problem)
    d, s, x = arrays.data, arrays.empty.copy(), arrays.scratch
    luck = np.array([seed + 1], dtype=np.uint64)
    k.fill(d, s, x, luck)
    before = s.copy()
    mark = k.start_log(d, x)
    for visit in range(len(problem.visits)):
        k.remove(d, s, x, visit)  # may refuse: the rest of a day need not fit without it
        if s[arrays.at(k.S_SLOT) + visit] < 0:
            k.insert(d, s, x, luck, visit, 0)
    k.undo(d, s, x, mark)
    k.end_log(d, x)
    visits, slots = len(problem.visits), len(problem.slots)
    sizes = {
        k.S_TOTAL: 1,
        k.S_TOUCHED: len({visit.patient for visit in problem.visits}),
        k.S_STRAY: len(problem.regularities),
        k.S_WEEK_WORKED: len(problem.clinicians),
        k.S_WORST: 1,
        **dict.fromkeys((k.S_SLOT, k.S_LOW, k.S_CHANGED, k.S_NEWCOMER), visits),
        **dict.fromkeys((k.S_LENGTH, k.S_COST, k.S_STAMP, k.S_WORKED, k.S_LONGEST), slots),
    }
    for field, size in sizes.items():
        at = arrays.at(field)
        assert (s[at : at + size] == before[at : at + size]).all()
    counts = arrays.at(k.S_COUNT)
    assert (s[counts : counts + 4] == before[counts : counts + 4]).all()


@calmly
@given(SEEDS)
def test_the_shifts_of_a_visit_are_those_that_are_allowed_the_cheapest_first(seed: int):
    problem = random_problem(seed)
    for visit, rows in zip(problem.visits, candidates_of(problem), strict=True):
        one_by_one = [
            [index, static_cost(visit, slot.clinician, slot.day), visit_minutes(visit, slot.clinician)]
            for index, slot in enumerate(problem.slots)
            if allowed(visit, slot.clinician, slot.day)
        ]
        assert rows.tolist() == sorted(one_by_one, key=lambda row: row[1])
