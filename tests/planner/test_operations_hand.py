"""Days whose visits shape each other's times, on plans small enough to be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.planner import Outcome, Problem, ProblemError, Stop, operations, score, solve, warm_up
from coordinator.planner.engines import Engine, choose
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    Linked,
    LinkKind,
    Preference,
    Reason,
    Spacing,
    Visit,
    Weights,
    Window,
)
from tests.planner.builders import DAY, EIGHT, FIVE, NINE, NOON, TEN, make_matrix, make_problem, make_slot, make_visit

ONLY_LATENESS = Weights(travel_minute=1, waiting_minute=0, overtime_minute=0, worst_late_minute=1)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """A few minutes in a fresh checkout; afterwards it is read from the cache."""
    warm_up(Engine.OPERATIONS)


def visit(key: str, **changes: Any) -> Visit:
    """Any time of the day, thirty minutes, mandatory."""
    return make_visit(key, **{"windows": {0: (Window(0, DAY),)}, "mandatory": True} | changes)


def day(visits: list[Visit], people: int = 2, **changes: Any) -> Problem:
    """Clinicians whose shifts begin at eight, places ten minutes apart."""
    plain = {
        "clinicians": tuple(Clinician(str(n)) for n in range(people)),
        "slots": tuple(make_slot(n, shift_end=DAY) for n in range(people)),
        "weights": ONLY_LATENESS,
    }
    return make_problem(visits, **plain | changes)


def planned(problem: Problem, iterations: int = 400) -> Outcome:
    assert choose(problem) is Engine.OPERATIONS
    outcome = solve(problem, Stop(iterations=iterations))
    assert outcome.score.hard == ()
    assert operations.running_cost(problem, outcome.plan)[1] == outcome.score.cost
    return outcome


def starts(outcome: Outcome) -> list[int]:
    return [a.start_minute for a in outcome.plan.assignments]


def test_two_visits_start_together_when_the_later_of_both_can_be_there():
    only_second = {"forbidden": {0: Reason.of("skill")}}
    before = visit("before", place=2, preferred={0: (Window(EIGHT, EIGHT + 10),)}, late_cost=1, **only_second)
    problem = day(
        [visit("a", patient="p", forbidden={1: Reason.of("skill")}), visit("b", patient="p", **only_second), before],
        links=(Linked(0, 1),),
    )
    # The other patient wants to be first: both begin when the second clinician comes from there.
    assert starts(planned(problem)) == [EIGHT + 50, EIGHT + 50, EIGHT + 10]


def test_a_partner_that_is_late_makes_its_partner_late():
    free_at_nine = Window(NINE, DAY)
    problem = day(
        [
            visit("a", patient="p", preferred={0: (Window(EIGHT, EIGHT + 30),)}, late_cost=3),
            visit("b", patient="p", windows={0: (free_at_nine,)}),
        ],
        links=(Linked(0, 1),),
    )
    outcome = planned(problem)
    assert starts(outcome) == [NINE, NINE]
    assert (outcome.score.part("late").cost, outcome.score.part("worst-late").cost) == (90, 30)


def test_the_second_of_a_sequence_waits_and_holds_the_first_back():
    problem = day(
        [visit("a", patient="p"), visit("b", patient="p", windows={0: (Window(TEN, DAY),)})],
        links=(Linked(0, 1, LinkKind.GAP, 15, 60),),
    )
    # The first may not begin more than an hour before the second can.
    assert starts(planned(problem)) == [NINE, TEN]


def test_a_sequence_may_overlap():
    problem = day(
        [visit("a", patient="p", minutes=120), visit("b", patient="p")], links=(Linked(0, 1, LinkKind.GAP, 15, 60),)
    )
    assert starts(planned(problem)) == [EIGHT + 10, EIGHT + 25]


def test_three_services_are_given_by_three_people_together():
    visits = [visit(key, patient="p") for key in "abc"]
    visits[2] = visit("c", patient="p", windows={0: (Window(TEN, DAY),)})
    problem = day(visits, people=3, links=(Linked(0, 1), Linked(1, 2), Linked(0, 2)))
    outcome = planned(problem)
    assert starts(outcome) == [TEN, TEN, TEN]
    assert sorted(a.clinician for a in outcome.plan.assignments) == [0, 1, 2]


def test_what_is_made_both_or_not_at_all_is_left_out_as_a_whole():
    cheap = {"mandatory": False, "unplaced_cost": 10, "patient": "p"}
    problem = day(
        [visit("a", **cheap), visit("b", **cheap, forbidden={0: Reason.of("skill"), 1: Reason.of("skill")})],
        links=(Linked(0, 1, LinkKind.BOTH),),
    )
    outcome = planned(problem)
    assert outcome.plan.assignments == ()
    assert outcome.score.cost == 20


def test_both_visits_of_a_patient_pay_for_each_other():
    each = {"mandatory": False, "unplaced_cost": 25, "patient": "p"}
    problem = day([visit("a", **each), visit("b", **each)], links=(Linked(0, 1, LinkKind.BOTH),))
    # Two people drive twenty minutes each: 40 is less than 50, though one alone would not be worth it to both.
    assert len(planned(problem).plan.assignments) == 2


def test_a_start_in_the_gap_between_windows_waits_for_the_next_when_that_is_cheaper():
    wished = {0: (Window(EIGHT, EIGHT), Window(EIGHT + 60, NOON))}
    for earliest, start in ((EIGHT + 15, EIGHT + 15), (EIGHT + 50, EIGHT + 60)):
        problem = day(
            [visit("a", windows={0: (Window(earliest, DAY),)}, preferred=wished, late_cost=1)],
            people=1,
            weights=Weights(travel_minute=1, waiting_minute=1, worst_late_minute=1),
        )
        assert starts(planned(problem)) == [start]


def lunch(earliest: int, latest: int, skip_cost: int = 500) -> Break:
    return Break(earliest, latest, 30, skip_cost, -1, splits_drive=False)


def test_lunch_is_eaten_on_arrival_or_before_driving_on_but_never_on_the_way():
    far = make_matrix([[0, 10, 10], [10, 0, 60], [10, 60, 0]])
    visits = [
        visit("a", windows={0: (Window(EIGHT + 10, EIGHT + 10),)}),
        visit("b", place=2, windows={0: (Window(NINE + 10, DAY),)}),
    ]
    for window, rest, start in (
        ((NINE, NOON), EIGHT + 100, EIGHT + 130),
        ((NINE, NINE + 30), NINE, NINE + 90),
    ):
        problem = day(visits, people=1, travel_seconds=far, slots=(make_slot(breaks=(lunch(*window),), shift_end=DAY),))
        outcome = planned(problem)
        assert outcome.plan.rests == (Rest(0, 0, 0, rest),)
        assert starts(outcome) == [EIGHT + 10, start]


def test_lunch_is_skipped_when_being_late_costs_more():
    visits = [
        visit("a", minutes=60, windows={0: (Window(NINE, NINE),)}),
        visit("b", place=1, preferred={0: (Window(TEN, TEN),)}, late_cost=20, windows={0: (Window(TEN, DAY),)}),
    ]
    slot = make_slot(breaks=(lunch(NINE, TEN + 20, 500),), shift_end=DAY)
    outcome = planned(day(visits, people=1, slots=(slot,)))
    # Thirty minutes late would cost 600 and 30; without lunch it is 500.
    assert outcome.plan.rests == ()
    assert outcome.score.part("skipped-break").cost == 500


def test_the_beginning_of_a_day_is_put_off_when_that_saves_waiting():
    visits = [visit("a"), visit("b", place=2, windows={0: (Window(NOON, NOON),)})]
    problem = day(visits, people=1, weights=Weights(travel_minute=1, waiting_minute=5, worst_late_minute=1))
    outcome = planned(problem)
    assert starts(outcome) == [NOON - 40, NOON]
    assert outcome.score.part("waiting").count == 0


def test_who_leaves_at_the_start_of_the_shift_waits_for_the_first_visit():
    slot = make_slot(leaves_at_shift_start=True, shift_end=DAY)
    problem = day(
        [visit("a", windows={0: (Window(NINE, DAY),)})],
        people=1,
        slots=(slot,),
        weights=Weights(travel_minute=1, waiting_minute=5, worst_late_minute=1),
    )
    assert planned(problem).score.part("waiting").count == 50


def test_the_idlest_shift_is_given_work():
    visits = [visit(key, place=1) for key in "abcd"]
    weights = Weights(travel_minute=1, waiting_minute=0, longest_idle_minute=10)
    slots = tuple(make_slot(n, shift_end=DAY, overtime_from=FIVE) for n in range(2))
    outcome = planned(day(visits, slots=slots, weights=weights))
    assert sorted(a.clinician for a in outcome.plan.assignments) == [0, 0, 1, 1]
    assert outcome.score.part("longest-idle").count == 540 - 20 - 60


def test_work_is_shared_evenly():
    visits = [visit(key, place=1) for key in "abcd"]
    weights = Weights(travel_minute=1, waiting_minute=0, balance_minute=10)
    outcome = planned(day(visits, weights=weights))
    assert outcome.score.part("balance").count == 0


def test_a_locked_visit_stays_and_its_partner_comes_to_it():
    held = visit("a", patient="p", current=Current(1, 0, NINE + 7), locked=True)
    problem = day([held, visit("b", patient="p")], links=(Linked(0, 1, LinkKind.GAP, 20, 30),))
    outcome = planned(problem)
    assert outcome.plan.assignments == (Assignment(0, 1, 0, NINE + 7), Assignment(1, 0, 0, NINE + 27))


def test_wishes_and_limits_of_visits_are_kept():
    liked = (Preference("continuity", {1: 0}, 100),)
    slots = (make_slot(0, shift_end=DAY), make_slot(1, shift_end=DAY, max_visits=1))
    visits = [visit("a", preferences=liked), visit("b", preferences=liked)]
    outcome = planned(day(visits, slots=slots))
    assert sorted(a.clinician for a in outcome.plan.assignments) == [0, 1]
    assert outcome.score.part("continuity").cost == 100


def test_a_better_start_plan_is_kept_and_a_poor_one_improved():
    problem = day([visit("a"), visit("b", place=2)], people=1)
    poor = Plan.of([Assignment(0, 0, 0, NINE), Assignment(1, 0, 0, TEN)])
    outcome = solve(problem, Stop(iterations=20), start=poor)
    assert outcome.score.key <= score(problem, poor).key
    again = solve(problem, Stop(iterations=20), start=outcome.plan)
    assert again.score.key <= outcome.score.key


def test_a_start_plan_that_nobody_can_keep_to_is_no_obstacle():
    problem = day([visit("a"), visit("b", patient="a")], links=(Linked(0, 1, LinkKind.GAP, 0, 10),), people=2)
    impossible = Plan.of([Assignment(0, 0, 0, NINE), Assignment(1, 0, 0, TEN)])
    assert solve(problem, Stop(iterations=20), start=impossible).score.hard == ()


def test_the_search_is_cancelled_and_tells_of_progress():
    heard = []
    problem = day([visit(str(n), place=1 + n % 3) for n in range(6)])
    asked = iter([False, False, True])
    outcome = solve(problem, Stop(iterations=10**9, cancel=lambda: next(asked)), listen=heard.append)
    assert outcome.stopped_by == "cancel"
    assert heard[0].plan is not None
    assert heard[-1].iteration == outcome.iterations


def test_a_rule_of_the_week_is_refused_by_its_field():
    problem = day([visit("a"), visit("b")], spacings=(Spacing((0, 1)),))
    with pytest.raises(ProblemError, match="spacings"):
        solve(problem, Stop(iterations=1))
