"""Long waits, patterns of days and seventh days, planned: against every plan there is, and by hand."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.weeks import make_week
from coordinator.planner import Problem, Stop, explain, relax, score, search, solve, suggest
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    Day,
    DayPatterns,
    SeventhDay,
    Slot,
    Visit,
    Weights,
    Window,
)
from coordinator.planner.reasons import sentence
from tests.planner.builders import DAY, EIGHT, NINE, NOON, TEN, make_matrix, make_problem, make_slot, make_visit
from tests.planner.checker import faults_of

PLAIN = Weights(waiting_minute=0, fairness_minute=0)
ADA_AND_BEN = (Clinician("Ada"), Clinician("Ben"))


# ---- waits -----------------------------------------------------------------------------------------------------------


def world_of_waits(seed: int) -> Problem:
    """Two or three visits in one day of sixty minutes, where waiting is what costs; one or two clinicians."""
    rng = random.Random(seed)
    people = rng.randint(1, 2)
    visits = []
    for index in range(rng.randint(2, 3)):
        low = rng.randint(3, 35)
        windows = {0: (Window(low, low + rng.randint(0, 5 - people)),)}
        visits.append(Visit(str(index), f"p{index}", rng.randint(0, 3), rng.randint(1, 4), windows, unplaced_cost=5000))
    long_ones_or_the_longest = rng.choice(((7, 0), (0, 9)))
    return Problem(
        "waits",
        (Day(0, 60),),
        make_matrix([[0 if i == j else rng.randint(0, 3) for j in range(4)] for i in range(4)]),
        ADA_AND_BEN[:people],
        tuple(Slot(c, 0, rng.randint(0, 3), rng.randint(0, 3), rng.randint(0, 3), 60) for c in range(people)),
        tuple(visits),
        weights=replace(
            PLAIN, travel_minute=5, waiting_minute=rng.choice((0, 2)), idle_gap_minute=long_ones_or_the_longest[0],
            idle_gap_after_minutes=rng.choice((0, 3, 8)), longest_wait_minute=long_ones_or_the_longest[1],
        ),
    )  # fmt: skip


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000))
def test_long_waits_are_as_cheap_as_in_the_best_plan_there_is(seed: int):
    problem = world_of_waits(seed)
    places = [
        [None, *(Assignment(v, c, 0, t) for c in range(len(problem.clinicians)) for w in visit.windows[0]
                 for t in range(w.earliest_start, w.latest_start + 1))]
        for v, visit in enumerate(problem.visits)
    ]  # fmt: skip
    plans = (Plan.of([a for a in chosen if a is not None]) for chosen in itertools.product(*places))
    cheapest = min(result.cost for result in (score(problem, plan) for plan in plans) if not result.hard)
    assert solve(problem, Stop(iterations=400), seed=seed).score.cost == cheapest


def round_of_three(**changes: Any) -> Problem:
    """At nine, from ten to half past two, at three; all at one place ten minutes from home."""
    times = (Window(NINE, NINE), Window(TEN, 870), Window(900, 900))
    visits = [make_visit(str(n), windows={0: (window,)}) for n, window in enumerate(times)]
    return make_problem(visits, **changes)


def starts(problem: Problem) -> list[int]:
    return [a.start_minute for a in sorted(solve(problem, Stop(iterations=30)).plan.assignments)]


def test_a_visit_between_two_waits_is_made_where_neither_is_long():
    # 300 minutes lie between the first and the last; without a price the second ends when the third begins.
    assert starts(round_of_three(weights=PLAIN)) == [NINE, 870, 900]
    dear = replace(PLAIN, idle_gap_minute=9, idle_gap_after_minutes=200)
    assert starts(round_of_three(weights=dear)) == [NINE, 570 + 200, 900]
    shortest = replace(PLAIN, longest_wait_minute=9)
    result = solve(round_of_three(weights=shortest), Stop(iterations=30)).score
    assert result.part("longest-wait").count == 150


def test_a_break_in_a_long_wait_is_no_waiting():
    problem = round_of_three(
        slots=(make_slot(breaks=(Break(NOON, NOON, 30),)),),
        weights=replace(PLAIN, idle_gap_minute=9, idle_gap_after_minutes=100),
    )
    outcome = solve(problem, Stop(iterations=30))
    # 300 minutes less 30 of lunch: 100 for nothing in one of the two waits, 170 in the other, or as dear another way.
    assert outcome.score.part("idle-gap").count == 70
    assert faults_of(problem, outcome.plan) == []


def test_a_wish_for_a_time_is_not_given_up_for_a_shorter_wait():
    problem = round_of_three(weights=replace(PLAIN, idle_gap_minute=1, idle_gap_after_minutes=60))
    told = replace(problem.visits[1], current=Current(0, 0, 870, time_change_cost=50_000))
    assert starts(replace(problem, visits=(problem.visits[0], told, problem.visits[2]))) == [NINE, 870, 900]


# ---- patterns of days ------------------------------------------------------------------------------------------------

WEEK = tuple(Day(d * DAY, (d + 1) * DAY) for d in range(5))
MON, TUE, WED, THU, FRI = range(5)


def order_of_two(patterns: tuple[tuple[int, ...], ...], **changes: Any) -> Problem:
    """Two visits of one order that may be made on any working day, by Ada."""
    windows = {d: (Window(d * DAY + EIGHT, d * DAY + 960),) for d in range(5)}
    visits = [make_visit(str(n), patient="p", windows=windows) for n in range(2)]
    slots = tuple(make_slot(0, d) for d in range(5))
    plain: dict[str, Any] = {"days": WEEK, "slots": slots, "patterns": (DayPatterns((0, 1), patterns),)}
    return make_problem(visits, **plain | changes)


def days_of(problem: Problem, **changes: Any) -> list[int]:
    return [a.day for a in sorted(solve(problem, Stop(iterations=60), **changes).plan.assignments)]


def test_visits_of_an_order_are_made_on_days_of_one_pattern():
    assert days_of(order_of_two(((MON, FRI), (TUE, WED)))) in ([MON, FRI], [TUE, WED])
    friday_off = tuple(make_slot(0, d) for d in range(4))
    assert days_of(order_of_two(((MON, FRI), (TUE, WED)), slots=friday_off)) == [TUE, WED]
    assert days_of(order_of_two(())) == []


def test_a_published_plan_of_one_pattern_goes_over_to_another_where_that_is_cheaper():
    problem = order_of_two(((MON, FRI), (TUE, WED)))
    dear = tuple(replace(visit, day_costs={MON: 9_000, FRI: 9_000}) for visit in problem.visits)
    start = Plan.of([Assignment(0, 0, MON, NINE), Assignment(1, 0, FRI, FRI * DAY + NINE)])
    assert days_of(replace(problem, visits=dear), start=start) == [TUE, WED]


def test_a_plan_that_follows_no_pattern_is_mended():
    problem = order_of_two(((MON, FRI), (TUE, WED)))
    start = Plan.of([Assignment(0, 0, MON, NINE), Assignment(1, 0, WED, WED * DAY + NINE)])
    assert [violation.rule for violation in score(problem, start).hard] == ["pattern"]
    assert days_of(problem, start=start) in ([MON, FRI], [TUE, WED])


def test_what_is_locked_is_a_fact_that_the_other_visits_follow():
    problem = order_of_two(((MON, FRI), (TUE, WED)))
    first = replace(problem.visits[0], current=Current(0, TUE, TUE * DAY + NINE), locked=True)
    assert days_of(replace(problem, visits=(first, problem.visits[1]))) == [TUE, WED]
    nowhere = replace(problem.visits[0], current=Current(0, THU, THU * DAY + NINE), locked=True)
    assert days_of(replace(problem, visits=(nowhere, problem.visits[1]))) == [THU]


def test_why_no_pattern_has_a_visit_there_is_said_and_the_change_that_helps_is_offered():
    problem = order_of_two(((MON, FRI), (TUE, WED)), liftable=frozenset({"pattern"}))
    first = replace(problem.visits[0], current=Current(0, MON, NINE), locked=True)
    second = replace(problem.visits[1], windows={d: problem.visits[1].windows[d] for d in (TUE, WED)})
    problem = replace(problem, visits=(first, second))
    plan = solve(problem, Stop(iterations=30)).plan
    assert [a.visit for a in plan.assignments] == [0]
    why = {o.day: o.reason for o in explain(problem, plan, only=[1]).visits[0].obstacles}
    assert (why[TUE].code, why[TUE].facts()) == ("pattern", {"fact": 1, "limit": 2})
    assert sentence(why[WED]).startswith("With the order's 1 other visits where they are, none of its 2")
    assert why[FRI].code == "no-window"
    (offer,) = relax(problem, plan, 1).singles
    (easing,) = offer.easings
    assert (easing.kind, easing.tie, easing.limit, easing.new_limit) == ("pattern", 0, 2, 1)
    assert relax(replace(problem, liftable=frozenset()), plan, 1).none


def test_another_visit_of_the_order_makes_room_for_one_by_going_to_the_day_of_a_pattern():
    problem = order_of_two(((MON, FRI), (TUE, WED)))
    second = replace(problem.visits[1], windows={WED: problem.visits[1].windows[WED]})
    problem = replace(problem, visits=(problem.visits[0], second))
    (offer,) = suggest(problem, Plan.of([Assignment(0, 0, MON, NINE)]), 1)
    assert offer.assignment.day == WED
    assert [(move.change.visit, move.change.after.day if move.change.after else None) for move in offer.moves] == [
        (0, TUE)
    ]


def test_a_large_week_with_patterns_and_long_waits_is_searched_in_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "PART_VISITS", 20)
    monkeypatch.setattr(search, "EPOCH_ROUNDS", 2)
    rng = random.Random(5)
    week = make_week(8, 10, seed=3)
    patterns = tuple(
        DayPatterns(tie.visits, tuple(rng.sample(list(itertools.combinations(range(5), len(tie.visits))), 3)))
        for tie in week.spacings
        if len(tie.visits) in (2, 3)
    )
    assert len(patterns) > 5
    weights = replace(week.weights, idle_gap_minute=40, idle_gap_after_minutes=30)
    heard: list[tuple[Plan, int]] = []

    def listen(progress: Any) -> None:
        if progress.plan is not None:
            heard.append((progress.plan, progress.cost))

    week = replace(week, patterns=patterns, spacings=(), weights=weights)
    solve(week, Stop(iterations=3_000), seed=4, listen=listen)
    assert len(heard) > 5
    for plan, cost in heard:
        assert faults_of(week, plan) == []
        assert score(week, plan).cost == cost


# ---- the seventh day -------------------------------------------------------------------------------------------------


def seven_days(minutes: int, **changes: Any) -> Problem:
    """A visit a day for seven days; Ada lives at the door, Ben twenty minutes away."""
    days = tuple(Day(d * DAY, (d + 1) * DAY) for d in range(7))
    visits = [
        make_visit(str(d), minutes=minutes, windows={d: (Window(d * DAY + EIGHT, d * DAY + NOON),)}) for d in range(7)
    ]
    slots = [make_slot(0, d, start_place=1, end_place=1) for d in range(7)]
    slots += [make_slot(1, d, start_place=2, end_place=2) for d in range(7)]
    plain: dict[str, Any] = {"days": days, "clinicians": ADA_AND_BEN, "slots": tuple(slots), "weights": PLAIN}
    return make_problem(visits, **plain | changes)


def tie_of(**changes: Any) -> tuple[SeventhDay, ...]:
    return (replace(SeventhDay(0, (0, 1, 2, 3, 4, 5), 6, 120), **changes),)


def ada_works(problem: Problem) -> int:
    return sum(a.clinician == 0 for a in solve(problem, Stop(iterations=150)).plan.assignments)


def test_nobody_is_sent_out_on_a_seventh_day_where_that_costs_more_than_the_way_of_another():
    assert ada_works(seven_days(30)) == 7
    assert ada_works(seven_days(30, seventh_days=tie_of())) == 6
    assert ada_works(seven_days(30, seventh_days=tie_of(cost_minute=30))) == 7  # 900 cents, twenty minutes are 1,200
    assert ada_works(seven_days(30, seventh_days=tie_of(others=(0, 1)))) == 6


def test_a_seventh_day_costs_what_neither_the_day_nor_the_week_has_as_overtime():
    def counted(problem: Problem) -> tuple[int, int]:
        plan = Plan.of([Assignment(d, 0, d, d * DAY + NINE) for d in range(7)])
        part = score(problem, plan).part("seventh-day")
        return part.count, part.cost

    long_days = seven_days(400, seventh_days=tie_of(double_after_minutes=300, double_cost_minute=7))
    assert counted(long_days) == (400, 400 * 120 + 100 * 7)
    slots = tuple(
        replace(s, overtime_after_minutes=350, doubletime_after_minutes=380, shift_end=s.day * DAY + 1300)
        for s in long_days.slots
    )
    assert counted(replace(long_days, slots=slots)) == (350, 350 * 120 + 80 * 7)

    def week_after(limit: int, already: int = 0) -> Problem:
        ada = Clinician("Ada", week_overtime_after_minutes=limit, already_worked_minutes=(already,))
        return replace(long_days, clinicians=(ada, ADA_AND_BEN[1]))

    assert counted(week_after(6 * 400)) == (0, 700)
    assert counted(week_after(6 * 400 + 150)) == (150, 150 * 120 + 700)
    assert counted(week_after(6 * 400 + 150, already=100)) == (50, 50 * 120 + 700)
    assert counted(replace(long_days, seventh_days=tie_of(clinician=1))) == (0, 0)
