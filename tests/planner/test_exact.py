"""Timing against brute force: worlds so small that every plan of a day can be listed."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coordinator.planner import Stop, explain, solve
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import Break, Clinician, Day, Interval, Problem, Reason, Slot, Visit, Window
from tests.planner.builders import make_matrix
from tests.planner.checker import faults_of


def tiny_world(seed: int) -> Problem:
    """One clinician, one day of thirty minutes, two or three visits of a few minutes each."""
    rng = random.Random(seed)
    visits = []
    for index in range(rng.randint(1, 3)):
        low = rng.randint(0, 20)
        windows = (Window(low, low + rng.randint(0, 6)),)
        if rng.random() < 0.3:
            begin = windows[0].latest_start + rng.randint(1, 4)
            windows += (Window(begin, begin + rng.randint(0, 3)),)
        place = None if rng.random() < 0.1 else rng.randint(0, 3)
        visits.append(Visit(str(index), f"p{rng.randint(0, 2)}", place, rng.randint(1, 6), {0: windows}))
    low = rng.randint(3, 15)
    breaks = (Break(low, low + rng.randint(0, 6), rng.randint(1, 5), None, rng.choice((0, 8, 15))),)
    away = (Interval(8, 11),)
    # A break and time off on one day are always taken in order of their earliest start: one or the other here.
    lot = rng.random()
    slot = Slot(
        0,
        0,
        rng.randint(0, 3),
        rng.randint(0, 3),
        rng.randint(0, 3),
        rng.randint(18, 30),
        breaks=breaks if lot < 0.5 else (),
        unavailable=away if lot > 0.7 else (),
    )
    way = make_matrix([[0 if i == j else rng.randint(0, 6) for j in range(4)] for i in range(4)])
    busy = {"p0": (Interval(5, 9),)} if rng.random() < 0.3 else {}
    return Problem("tiny", (Day(0, 60),), way, (Clinician("Ada"),), (slot,), tuple(visits), patient_busy=busy)


def possible(problem: Problem, visits: list[int]) -> bool:
    """Whether any starts and any break let one clinician make exactly these visits."""
    starts = []
    for visit in visits:
        windows = problem.visits[visit].windows[0]
        starts.append([m for w in windows for m in range(w.earliest_start, w.latest_start + 1)])
    slot = problem.slots[0]
    rests: list[list[Rest]] = [[]]
    for pause in slot.breaks:
        rests += [[Rest(0, 0, 0, m)] for m in range(pause.earliest_start, pause.latest_start + 1)]
    for chosen in itertools.product(*starts):
        plan = [Assignment(visit, 0, 0, start) for visit, start in zip(visits, chosen, strict=True)]
        if any(not faults_of(problem, Plan.of(plan, rest)) for rest in rests):
            return True
    return False


def misses_later_returns(problem: Problem) -> bool:
    """Whether the search may miss a plan: its day is shortest if left late for the earliest return. With several
    windows a later return can be shorter still, and spare a break that only long days owe.
    """
    several = any(len(windows) > 1 for visit in problem.visits for windows in visit.windows.values())
    return several and any(pause.owed_after_minutes for pause in problem.slots[0].breaks)


def owing_always(problem: Problem) -> Problem:
    """The same day with every break owed however short it is."""
    (slot,) = problem.slots
    always = tuple(replace(pause, owed_after_minutes=0) for pause in slot.breaks)
    return replace(problem, slots=(replace(slot, breaks=always),))


@example(210997)
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000))
def test_what_is_left_out_truly_does_not_fit_and_what_fits_is_found(seed: int):
    problem = tiny_world(seed)
    outcome = solve(problem, Stop(iterations=60), seed=seed)
    placed = [a.visit for a in outcome.plan.assignments]
    assert faults_of(problem, outcome.plan) == []
    explained = explain(problem, outcome.plan)
    for visit in range(len(problem.visits)):
        if visit in placed:
            continue
        together = sorted([*placed, visit])
        # What fits with its break taken must be found always.
        assert not possible(owing_always(problem) if misses_later_returns(problem) else problem, together)
        (obstacle,) = explained.visits[visit].obstacles
        alone = possible(problem, [visit])
        never = {"outside-shift", "too-far", "no-window", "no-shift"}
        assert (obstacle.reason.code in never) <= (not alone)
        assert (obstacle.reason.code in {"shift-full", "travel", "window-missed", "break"}) <= alone
        assert isinstance(obstacle.reason, Reason)
