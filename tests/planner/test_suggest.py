"""Who could take one visit: held against every place there is, and against what was found to stop it."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from coordinator.planner import ProblemError, Stop, explain, score, solve, suggest
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import (
    Clinician,
    Day,
    Linked,
    Preference,
    Problem,
    Reason,
    Slot,
    Spacing,
    Visit,
    Weights,
    Window,
)
from tests.planner.builders import DAY, EIGHT, NINE, make_matrix, make_problem, make_slot, make_visit, random_problem
from tests.planner.checker import faults_of


def little_world(seed: int) -> Problem:
    """Two clinicians, two days of thirty minutes, four visits; cost is driving and wishes, whatever the minute."""
    rng = random.Random(seed)
    visits = []
    for index in range(4):
        windows = {}
        for day in range(2):
            low = 100 * day + rng.randint(0, 15)
            windows[day] = (Window(low, low + rng.randint(2, 8)),)
        wishes = (Preference("continuity", {rng.randrange(2): 0}, 70),)
        visits.append(Visit(str(index), f"p{index}", rng.randint(0, 3), rng.randint(2, 6), windows, preferences=wishes))
    slots = tuple(Slot(c, d, 0, 0, 100 * d, 100 * d + 30) for c in range(2) for d in range(2))
    return Problem(
        "little",
        (Day(0, 100), Day(100, 200)),
        make_matrix([[0 if i == j else rng.randint(1, 6) for j in range(4)] for i in range(4)]),
        (Clinician("Ada"), Clinician("Ben")),
        slots,
        tuple(visits),
        spacings=(Spacing((0, 1), 1),),
        weights=Weights(waiting_minute=0, fairness_minute=0),
    )


def cheapest_in(problem: Problem, plan: Plan, visit: int, clinician: int, day: int) -> int | None:
    """The cost of the cheapest plan with the visit in this shift, its others in their order; by trying every minute."""
    route = [at.visit for at in plan.route(clinician, day) if at.visit != visit]
    others = [at for at in plan.assignments if at.visit != visit and (at.clinician, at.day) != (clinician, day)]
    costs = []
    for position in range(len(route) + 1):
        order = [*route[:position], visit, *route[position:]]
        starts = [range(w.earliest_start, w.latest_start + 1) for v in order for w in problem.visits[v].windows[day]]
        for chosen in itertools.product(*starts):
            if list(chosen) != sorted(set(chosen)):
                continue
            day_plan = [Assignment(v, clinician, day, start) for v, start in zip(order, chosen, strict=True)]
            whole = Plan.of([*others, *day_plan])
            if not faults_of(problem, whole):
                costs.append(score(problem, whole).cost)
                break
    return min(costs, default=None)


@pytest.mark.parametrize("seed", range(25))
def test_the_best_place_with_nobody_else_moved_is_the_best_of_all_there_are(seed: int):
    problem = little_world(seed)
    plan = solve(problem, Stop(iterations=3), seed=seed).plan
    before = score(problem, plan).cost
    for visit in range(4):
        expected = {
            cell: cost - before
            for cell in itertools.product(range(2), range(2))
            if (cost := cheapest_in(problem, plan, visit, *cell)) is not None
        }
        now = plan.by_visit().get(visit)
        found = {(one.assignment.clinician, one.assignment.day): one for one in suggest(problem, plan, visit, 9)}
        for cell, cost in expected.items():
            if now is None or (now.clinician, now.day) != cell:
                assert found[cell].extra_cost <= cost + (0 if found[cell].is_direct else 1200)
                assert not found[cell].is_direct or found[cell].extra_cost == cost
        assert all(not one.is_direct for cell, one in found.items() if cell not in expected)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_suggested_holds_everybody_and_breaks_nothing(seed: int):
    problem = random_problem(seed)
    plan = solve(problem, Stop(iterations=40), seed=seed).plan
    before = score(problem, plan)
    for visit in range(len(problem.visits)):
        suggestions = suggest(problem, plan, visit, 3)
        assert suggestions == suggest(problem, plan, visit, 3)
        for one in suggestions:
            after = score(problem, one.plan)
            assert {visit, *plan.by_visit()} <= one.plan.by_visit().keys()
            assert len(after.hard) <= len(before.hard)
            assert before.hard or faults_of(problem, one.plan) == []
            assert one.extra_cost == after.cost - before.cost == sum(cents for _, cents in one.parts)


@pytest.mark.parametrize("seed", range(0, 200, 2))
def test_what_is_called_possible_is_suggested(seed: int):
    problem = random_problem(seed)
    plan = solve(problem, Stop(iterations=20), seed=seed).plan
    one_out = Plan.of([at for at in plan.assignments if at.visit % 3], list(plan.rests))
    for entry in explain(problem, one_out).visits:
        possible = [one for one in entry.obstacles if one.reason.code == "possible"]
        if possible and not score(problem, one_out).hard:
            assert suggest(problem, one_out, entry.visit), (seed, entry.visit, possible)


def test_one_visit_makes_room_for_another():
    pinned = make_visit("pinned", minutes=60, windows={0: (Window(NINE, NINE),)})
    roams = make_visit("roams", minutes=60)
    problem = make_problem([pinned, roams])
    plan = Plan.of([Assignment(1, 0, 0, NINE)])
    (found,) = suggest(problem, plan, 0)
    assert found.assignment == Assignment(0, 0, 0, NINE)
    assert [(move.change.visit, move.cause.code) for move in found.moves] == [(1, "later")]
    two = make_problem(
        [pinned, replace(roams, windows={0: (Window(NINE, NINE),)})],
        clinicians=(Clinician("Ada"), Clinician("Ben")),
        slots=(make_slot(), make_slot(1)),
    )
    two = replace(two, visits=(replace(two.visits[0], forbidden={1: Reason.of("skill")}), two.visits[1]))
    (found,) = suggest(two, plan, 0)
    assert found.plan.by_visit()[1].clinician == 1
    (move,) = found.moves
    assert (move.change.kinds, move.cause.code, move.cause.facts()["visit"]) == (("clinician",), "makes-room", 0)


def test_linked_visits_go_together():
    pair = [make_visit("one"), make_visit("two", windows={0: (Window(EIGHT, NINE),)})]
    problem = make_problem(
        pair, links=(Linked(0, 1),), clinicians=(Clinician("Ada"), Clinician("Ben")),
        slots=(make_slot(), make_slot(1)),
    )  # fmt: skip
    first, second = suggest(problem, Plan(), 0)
    assert {first.assignment.clinician, second.assignment.clinician} == {0, 1}
    assert [move.cause.code for move in first.moves] == ["goes-along"]


def test_a_day_that_cannot_be_as_the_plan_has_it_is_left_alone():
    visits = [
        make_visit("late"),
        make_visit("new", windows={0: (Window(EIGHT, 960),), 1: (Window(DAY + EIGHT, DAY + 960),)}),
    ]
    problem = make_problem(visits, days=(Day(0, DAY), Day(DAY, 2 * DAY)), slots=(make_slot(), make_slot(0, 1)))
    plan = Plan.of([Assignment(0, 0, 0, EIGHT)])  # nobody is there at eight: ten minutes of driving
    assert [one.assignment.day for one in suggest(problem, plan, 1)] == [1]
    assert suggest(problem, plan, 1)[0].plan.by_visit()[0] == plan.assignments[0]


def test_bad_questions_are_refused():
    problem = make_problem([make_visit()])
    for visit in (1, -1):
        with pytest.raises(ProblemError, match="there is no visit"):
            suggest(problem, Plan(), visit)
    with pytest.raises(ProblemError, match="limit"):
        suggest(problem, Plan(), 0, 0)
