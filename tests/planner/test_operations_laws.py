"""What must hold for every day of linked visits: tried on random ones, and the smallest against every plan there is."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coordinator.planner import Stop, score, solve, warm_up
from coordinator.planner.engines import Engine, choose
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    Day,
    Linked,
    LinkKind,
    Preference,
    Problem,
    Reason,
    Slot,
    Visit,
    Weights,
    Window,
)

SEEDS = st.integers(0, 1_000_000)
calmly = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """A few minutes in a fresh checkout; afterwards it is read from the cache."""
    warm_up(Engine.OPERATIONS)


def random_day(seed: int) -> Problem:
    """A day with every word of this engine somewhere in it. Travel is neither symmetric nor metric."""
    rng = random.Random(seed)
    maybe = rng.random
    people, places, patients = rng.randint(1, 4), rng.randint(1, 6), rng.randint(0, 7)
    visits: list[Visit] = []
    links: list[Linked] = []
    for patient in range(patients):
        count = rng.choice((1, 1, 2, 2, 3))
        low = rng.randint(0, 300)
        wished = (Window(low, low + rng.choice((-5, 0, 40, 120))),)
        if maybe() < 0.3:
            begin = low + rng.randint(130, 200)
            wished += (Window(begin, begin + 60),)
        windows = (Window(rng.choice((0, low)), rng.choice((2000, 2000, low + 200))),)
        if maybe() < 0.2:
            windows = (Window(low, low + 50), Window(low + 80, 900))
        here = list(range(len(visits), len(visits) + count))
        mandatory, price = maybe() < 0.3, rng.choice((0, 300, 3_000))
        for number in here:
            current = None
            if maybe() < 0.15:
                current = Current(rng.randrange(people), 0, rng.randint(50, 400), False, rng.choice((0, 50)))
            visits.append(
                Visit(
                    key=str(number),
                    patient=f"p{patient}",
                    place=rng.randrange(places),
                    minutes=rng.randint(1, 50),
                    windows={0: windows} if maybe() < 0.95 else {},
                    minutes_by_clinician={rng.randrange(people): rng.randint(1, 60)} if maybe() < 0.2 else {},
                    unplaced_cost=price,
                    mandatory=mandatory,
                    preferred={0: wished} if maybe() < 0.7 else {},
                    late_cost=rng.choice((0, 1, 4)),
                    day_costs={0: 17} if maybe() < 0.2 else {},
                    preferences=(Preference("liked", {rng.randrange(people): 0}, 40),) if maybe() < 0.4 else (),
                    forbidden={rng.randrange(people): Reason.of("skill")} if maybe() < 0.3 else {},
                    current=current,
                    locked=current is not None and maybe() < 0.5,
                )
            )
        for one, two in itertools.combinations(here, 2):
            kind = rng.choice(tuple(LinkKind))
            low = rng.choice((0, 20, -30))
            mode = 0 if kind is LinkKind.TOGETHER else rng.choice((0, 0, 1, 2))
            links.append(Linked(one, two, kind, low, low + rng.choice((0, 15, 90)), mode == 0, mode == 2))
    slots = []
    for number in range(people):
        if maybe() < 0.1:
            continue
        start, end = rng.randint(0, 100), rng.randint(250, 600)
        soft = maybe() < 0.6
        leaves = maybe() < 0.2
        low = rng.randint(100, 300)
        pause = Break(low, low + rng.choice((0, 60)), 30, rng.choice((0, 200)), rng.choice((-1, 0)), False)
        slots.append(
            Slot(
                number, 0, rng.choice((None, 0, rng.randrange(places))), rng.randrange(places), start,
                2000 if soft else end,
                max_visits=rng.choice((None, None, 2)),
                breaks=(pause,) if maybe() < 0.5 and not leaves else (),
                overtime_from=end if soft else None,
                leaves_at_shift_start=leaves,
                counts_idle=maybe() < 0.9,
            )
        )  # fmt: skip
    matrix = np.array([[0 if i == j else rng.randint(0, 2400) for j in range(places)] for i in range(places)])
    return Problem(
        name=f"day-{seed}",
        days=(Day(0, 2001),),
        travel_seconds=matrix.astype(np.int32),
        travel_metres=(matrix * 7).astype(np.int32) if maybe() < 0.3 else None,
        clinicians=tuple(Clinician(str(number)) for number in range(people)),
        slots=tuple(slots),
        visits=tuple(visits),
        links=tuple(links),
        weights=Weights(
            travel_minute=rng.choice((0, 1, 8)),
            travel_kilometre=rng.choice((0, 43)),
            waiting_minute=rng.choice((0, 0, 1, 9)),
            overtime_minute=rng.choice((0, 5)),
            worst_late_minute=rng.choice((0, 3)),
            longest_idle_minute=rng.choice((0, 0, 10)),
            balance_minute=rng.choice((0, 0, 2)),
        ),
    )


def of_this_engine(seed: int) -> Problem | None:
    problem = random_day(seed)
    return problem if choose(problem) is Engine.OPERATIONS else None


@calmly
@example(43343, 0)  # a visit that must be with two others, who are with two people
@given(SEEDS, st.integers(0, 60))
def test_every_plan_heard_keeps_every_rule_and_costs_what_the_search_believes(seed: int, iterations: int):
    problem = of_this_engine(seed)
    if problem is None:
        return
    believed: list[tuple[Plan, int]] = []

    def listen(progress):
        if progress.plan is not None:
            believed.append((progress.plan, progress.cost))

    outcome = solve(problem, Stop(iterations=iterations), seed=seed, listen=listen)
    assert outcome.plan == believed[-1][0]
    for plan, cost in believed:
        counted = score(problem, plan)
        assert {broken.rule for broken in counted.hard} <= {"mandatory", "locked"}
        assert counted.cost == cost


@calmly
@given(SEEDS, SEEDS)
def test_a_warm_start_is_never_made_worse(seed: int, other: int):
    problem = of_this_engine(seed)
    if problem is None:
        return
    start = solve(problem, Stop(iterations=4), seed=other).plan
    better = solve(problem, Stop(iterations=20), seed=seed, start=start)
    assert better.score.key <= score(problem, start).key


@calmly
@given(SEEDS)
def test_same_seed_and_iterations_same_plan(seed: int):
    problem = of_this_engine(seed)
    if problem is None:
        return
    one, other = (solve(problem, Stop(iterations=50), seed=3) for _ in range(2))
    assert (one.plan, one.fingerprint, one.iterations) == (other.plan, other.fingerprint, other.iterations)


def small_day(seed: int, *, lunch: bool) -> Problem:
    """Two clinicians, three visits, starts within a few minutes: so few plans that each can be counted."""
    rng = random.Random(seed)
    visits = []
    for number in range(3):
        low = rng.randint(0, 3)
        visits.append(
            Visit(
                str(number), "p" if number < 2 else "q", rng.randint(0, 2), rng.randint(1, 4), {0: (Window(low, 9),)},
                preferred={0: (Window(low, low + rng.randint(-1, 4)),)}, late_cost=rng.randint(1, 9),
                unplaced_cost=rng.choice((5, 30, 90)),
                preferences=(Preference("liked", {rng.randint(0, 1): 0}, rng.randint(0, 9)),),
            )
        )  # fmt: skip
    least = rng.randint(-1, 3)
    kind = rng.choice(tuple(LinkKind))
    link = Linked(0, 1, kind, least, least + rng.randint(0, 2), kind is LinkKind.TOGETHER or rng.random() < 0.5)
    pause = Break(rng.randint(2, 5), 6, rng.randint(1, 2), rng.randint(0, 40), rng.choice((-1, 0)), False)
    slots = (
        Slot(0, 0, 0, 0, 0, 40, overtime_from=rng.randint(6, 12), breaks=(pause,) if lunch else ()),
        Slot(1, 0, 1, 0, 1, 40, overtime_from=rng.randint(6, 12)),
    )
    matrix = np.array([[0 if i == j else rng.randint(0, 3) for j in range(3)] for i in range(3)], dtype=np.int32) * 60
    weights = Weights(
        travel_minute=rng.randint(1, 4),
        waiting_minute=0,
        overtime_minute=rng.randint(0, 5),
        worst_late_minute=rng.randint(1, 5),
        longest_idle_minute=rng.choice((0, 6)),
        balance_minute=rng.choice((0, 3)),
    )
    return Problem("small", (Day(0, 50),), matrix, (Clinician("a"), Clinician("b")), slots, tuple(visits),
                   links=(link,), weights=weights)  # fmt: skip


def cheapest(problem: Problem) -> int:
    """The cost of the best of all plans."""
    rests: list[list[Rest]] = [[]]
    for pause in problem.slots[0].breaks:
        rests += [[Rest(0, 0, 0, m)] for m in range(pause.earliest_start, pause.latest_start + 1)]
    choices: list[list[Assignment | None]] = [
        [None, *(Assignment(n, c, 0, m) for c in range(2) for m in range(v.windows[0][0].earliest_start, 10))]
        for n, v in enumerate(problem.visits)
    ]
    best = 10**9
    for chosen in itertools.product(*choices):
        made = [a for a in chosen if a is not None]
        if (chosen[0] is None) != (chosen[1] is None):
            continue
        for rest in rests:
            counted = score(problem, Plan.of(made, list(rest)))
            if not counted.hard:
                best = min(best, counted.cost)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_no_plan_of_a_small_day_is_cheaper(seed: int):
    problem = small_day(seed, lunch=False)
    assert solve(problem, Stop(iterations=600)).score.cost == cheapest(problem)


@pytest.mark.parametrize("seed", range(100, 103))
def test_no_plan_of_a_small_day_with_a_lunch_is_cheaper(seed: int):
    problem = small_day(seed, lunch=True)
    assert solve(problem, Stop(iterations=600)).score.cost == cheapest(problem)
