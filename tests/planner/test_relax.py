"""What would place a visit that is left out: held against every plan there is."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import combinations

import pytest

from coordinator.planner import ProblemError, Stop, relax, score, solve
from coordinator.planner.easing import ease, families
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Clinician, Current, Day, Linked, LinkKind, Problem, Reason, Spacing, Window
from coordinator.planner.relax import Relaxation, Relaxations
from tests.planner.builders import DAY, EIGHT, NINE, make_problem, make_slot, make_visit, random_problem
from tests.planner.checker import faults_of
from tests.planner.oracle import can_place, small_problem


def asked(seed: int) -> list[tuple[Problem, Plan, Relaxations]]:
    """A small problem, its plan, and what would place each visit that is left out."""
    problem = small_problem(seed)
    plan = solve(problem, Stop(iterations=150), seed=seed).plan
    if score(problem, plan).hard:
        return []  # a locked visit that cannot stand: the plan itself is not sound
    left = [visit for visit in range(len(problem.visits)) if visit not in plan.by_visit()]
    return [(problem, plan, relax(problem, plan, visit)) for visit in left]


def offers(answer: Relaxations) -> list[Relaxation]:
    """All that is offered."""
    return [one for one in (answer.as_it_is, *answer.singles, *answer.pairs) if one is not None]


@pytest.mark.parametrize("seeds", [range(n, n + 20) for n in range(0, 120, 20)])
def test_the_offers_are_exactly_what_every_plan_there_is_would_allow(seeds: range):
    for seed in seeds:
        for problem, plan, answer in asked(seed):
            wanted = frozenset(plan.by_visit()) | {answer.visit}
            assert (answer.as_it_is is not None) == can_place(problem, wanted), seed
            if answer.as_it_is is not None:
                continue
            expected = set()
            for family in families(problem, answer.visit):
                works = (step for step in family.steps if can_place(ease(problem, step), wanted))
                expected |= {step for step, _ in zip(works, range(1), strict=False)}
            assert {one.easings[0] for one in answer.singles} == expected, seed
            if not expected:
                pairs = combinations([family.widest for family in families(problem, answer.visit)], 2)
                possible = any(can_place(ease(ease(problem, one), two), wanted) for one, two in pairs)
                assert bool(answer.pairs) == possible, seed
                assert answer.none != possible, seed


@pytest.mark.parametrize("seed", range(60))
def test_every_offer_places_the_visit_leaves_nobody_out_and_breaks_nothing(seed: int):
    problem = random_problem(seed)
    ties = {"spacing", "pattern", "day-limit", "cap", "partner"}
    problem = replace(problem, liftable=problem.liftable | ties | {"skill", "leave"})
    plan = solve(problem, Stop(iterations=60), seed=seed).plan
    if score(problem, plan).hard:
        return
    for visit in [visit for visit in range(len(problem.visits)) if visit not in plan.by_visit()][:2]:
        answer = relax(problem, plan, visit, effort=60)
        for offer in offers(answer):
            changed = problem
            for easing in offer.easings:
                changed = ease(changed, easing)
            assert offer.plan.by_visit().keys() >= {visit, *plan.by_visit()}
            assert score(changed, offer.plan).hard == ()
            assert faults_of(changed, offer.plan) == []
            assert offer.extra_cost == score(changed, offer.plan).cost - score(problem, plan).cost
            moved = {one.visit for one in offer.plan.assignments if plan.by_visit().get(one.visit) != one}
            assert {move.change.visit for move in offer.moves} == moved - {visit}


def test_the_same_question_has_the_same_answer():
    for problem, plan, answer in asked(7) + asked(11):
        assert relax(problem, plan, answer.visit) == answer


def _left_out(problem: Problem, plan: Plan | None = None) -> Relaxations:
    return relax(problem, Plan() if plan is None else plan, len(problem.visits) - 1)


def test_fifteen_minutes_are_offered_before_thirty():
    late = make_visit(windows={0: (Window(EIGHT, EIGHT),)})  # ten minutes of driving lie between eight and the visit
    (first,) = [one for one in _left_out(make_problem([late])).singles if one.easings[0].kind == "window-later"]
    assert (first.easings[0].limit, first.easings[0].new_limit, first.easings[0].amount) == (EIGHT, EIGHT + 15, 15)
    assert first.assignment.start_minute == EIGHT + 10


def test_a_window_opens_no_further_than_it_may():
    late = make_visit(windows={0: (Window(EIGHT, EIGHT),)}, widest={0: Window(EIGHT, EIGHT + 5)})
    assert _left_out(make_problem([late])).none


def test_a_wish_is_lifted_and_a_law_is_not():
    def asked_of(code: str) -> Relaxations:
        visit = make_visit(forbidden={0: Reason.of(code)})
        return _left_out(make_problem([visit], liftable=frozenset({"wish"})))

    (offer,) = asked_of("wish").singles
    assert (offer.easings[0].kind, offer.easings[0].clinician, offer.assignment.clinician) == ("clinician", 0, 0)
    assert asked_of("law").none
    assert asked_of("law").tried == 0


def test_a_lock_that_somebody_set_may_be_lifted_and_a_visit_that_has_begun_may_not():
    def asked_of(why: Reason | None) -> Relaxations:
        now = Current(0, 0, NINE)
        stands = make_visit("stands", minutes=60, current=now, locked=True, lock_reason=why)
        new = make_visit("new", minutes=60, windows={0: (Window(NINE, NINE + 30),)})
        problem = make_problem([stands, new], liftable=frozenset({"locked"}))
        return _left_out(problem, solve(problem, Stop(iterations=20)).plan)

    (offer,) = asked_of(None).singles
    assert offer.easings[0].kind == "unlock"
    assert [move.change.visit for move in offer.moves] == [0]
    assert asked_of(Reason.of("begun")).none


def test_two_changes_are_offered_where_no_single_one_helps():
    visit = make_visit(forbidden={0: Reason.of("wish")}, closed_days={0: Reason.of("held")}, windows={})
    problem = make_problem([visit], liftable=frozenset({"wish", "held"}))
    answer = _left_out(problem)
    assert answer.singles == ()
    (pair,) = answer.pairs
    assert {easing.kind for easing in pair.easings} == {"day", "clinician"}


@pytest.mark.parametrize("cut", ["SINGLES", "PAIRS"])
def test_a_list_that_was_cut_short_is_not_called_complete(monkeypatch: pytest.MonkeyPatch, cut: str):
    late = make_visit(windows={0: (Window(DAY - 30, DAY - 30),)})  # long after the shift, whatever is asked for
    everything = _left_out(make_problem([late]))
    assert (everything.none, everything.complete) == (True, True)
    assert everything.tried == everything.possible > 1
    assert everything.pairs_tried == everything.pairs_possible > 0
    monkeypatch.setattr(
        sys.modules["coordinator.planner.relax"], cut, everything.possible - 1 if cut == "SINGLES" else 0
    )
    some = _left_out(make_problem([late]))
    assert (some.none, some.complete) == (True, False)


def test_a_day_s_hours_are_offered_only_where_they_end_before_the_day():
    visit = make_visit(minutes=60)
    short = make_problem([visit], slots=(make_slot(max_minutes=50),), liftable=frozenset({"day-max", "shift-full"}))
    assert "day-hours" in {one.widest.kind for one in families(short, 0)}
    slot = short.slots[0]
    long = replace(short, slots=(replace(slot, max_minutes=slot.shift_end - slot.shift_start + 60),))
    assert "day-hours" not in {one.widest.kind for one in families(long, 0)}


def test_nothing_to_change_is_said_when_leaving_out_is_only_cheaper():
    dear = make_visit(unplaced_cost=10)
    answer = _left_out(make_problem([dear]))
    assert answer.as_it_is is not None
    assert answer.as_it_is.easings == ()
    assert answer.as_it_is.extra_cost > 0


def test_a_linked_visit_is_placed_with_its_partner_or_apart_from_it():
    pair = [make_visit("one"), make_visit("two")]
    ties = {"links": (Linked(0, 1, LinkKind.TOGETHER),)}
    assert _left_out(make_problem(pair, **ties)).none  # one clinician cannot be two people
    (offer,) = _left_out(make_problem(pair, **ties, liftable=frozenset({"partner"}))).singles
    assert offer.easings[0].kind == "apart"
    short = make_slot(1, shift_end=EIGHT + 35)
    two = {"clinicians": (Clinician("Ada"), Clinician("Ben")), "slots": (make_slot(), short)}
    offered = _left_out(make_problem(pair, **ties, **two)).singles
    assert [(one.easings[0].kind, one.easings[0].clinician) for one in offered] == [("shift-end", 1)]
    assert offered[0].plan.by_visit().keys() == {0, 1}


def test_ties_are_lifted_only_where_that_is_allowed():
    days = (Day(0, DAY), Day(DAY, 2 * DAY))
    pair = [make_visit("one", patient="p"), make_visit("two", patient="p")]
    ties = {"spacings": (Spacing((0, 1), 2, at_most_one_per_day=True),), "days": days}
    start = solve(make_problem(pair, **ties), Stop(iterations=20)).plan
    left = 1 if 0 in start.by_visit() else 0
    assert relax(make_problem(pair, **ties, liftable=frozenset()), start, left).none
    (offer,) = relax(make_problem(pair, **ties, liftable=frozenset({"spacing"})), start, left).singles
    assert (offer.easings[0].limit, offer.easings[0].new_limit) == (2, 0)


def test_who_is_placed_or_not_there_is_not_asked_about():
    problem = make_problem([make_visit()])
    plan = solve(problem, Stop(iterations=5)).plan
    with pytest.raises(ProblemError, match="is placed"):
        relax(problem, plan, 0)
    for nobody in (1, -1):
        with pytest.raises(ProblemError, match="there is no visit"):
            relax(problem, plan, nobody)


def test_it_can_be_stopped_and_says_that_it_was():
    visit = make_visit(windows={0: (Window(EIGHT, EIGHT),)})
    answer = relax(make_problem([visit]), Plan(), 0, stop=lambda: True)
    assert not answer.complete
    assert answer.none
