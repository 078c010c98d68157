"""Repairs of a broken plan: tiny days worked out by hand, and what must hold for every event on every plan."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.planner import ProblemError, Stop, score, solve
from coordinator.planner.disruption import Absence, Cancellation, Event, Hospital, Overrun, Urgency, strike
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Clinician, Current, Day, Linked, Problem, Reason, Visit, Window
from coordinator.planner.repair import CURVE, Budget, Workshop, measure, why_left
from tests.planner.builders import (
    DAY,
    EIGHT,
    ELEVEN,
    NINE,
    NOON,
    TEN,
    make_matrix,
    make_problem,
    make_slot,
    make_visit,
    random_problem,
)
from tests.planner.checker import faults_of

TOLD = {"told": True, "clinician_change_cost": 8_000, "day_change_cost": 15_000, "time_change_cost": 6_000}
UNTOLD = {"clinician_change_cost": 4_000, "day_change_cost": 8_000, "time_change_cost": 2_500}


def standing(key: str, clinician: int, start: int, *, told: bool = False, **changes: Any) -> Visit:
    """A visit that stands there on day 0."""
    now = Current(clinician, 0, start, **(TOLD if told else UNTOLD))  # type: ignore[arg-type]
    return make_visit(key, current=now, **{"unplaced_cost": 600_000, **changes})


def published(visits: list[Visit], **changes: Any) -> tuple[Problem, Plan]:
    """Ada and Ben, each from eight to five, with these visits where they stand."""
    given_now = {"clinicians": (Clinician("Ada"), Clinician("Ben")), "slots": (make_slot(0), make_slot(1)), **changes}
    problem = make_problem(visits, **given_now)
    at = [
        Assignment(number, visit.current.clinician, visit.current.day, visit.current.start_minute)
        for number, visit in enumerate(visits)
        if visit.current is not None
    ]
    plan = Plan.of(at)
    assert score(problem, plan).hard == ()
    return problem, plan


def repaired(problem: Problem, plan: Plan, event: Event, budget: Budget, *, now: int = 0) -> Any:
    workshop = Workshop(strike(problem, plan, event, now=now), scale=0.1)
    workshop.first()
    return workshop, workshop.improve(budget)


def where(plan: Plan, visit: int) -> tuple[int, int] | None:
    at = plan.by_visit().get(visit)
    return None if at is None else (at.clinician, at.start_minute)


def test_who_is_away_is_replaced_at_the_same_hour_and_nobody_else_is_touched():
    problem, plan = published([standing("a", 0, NINE, told=True), standing("b", 1, NOON)])
    _, best = repaired(problem, plan, Absence(0, 0, DAY), Budget(0))
    assert where(best.plan, 0) == (1, NINE)
    assert where(best.plan, 1) == (1, NOON)
    assert (best.left, best.visits, best.patients) == ((), (), frozenset())


def test_what_has_begun_stays_with_who_fell_ill():
    problem, plan = published([standing("a", 0, NINE), standing("b", 0, ELEVEN)])
    disruption = strike(problem, plan, Absence(0, NINE + 10, DAY), now=NINE + 10)
    assert disruption.hit == (1,)
    assert Workshop(disruption).first().plan.by_visit()[0] == plan.by_visit()[0]


def test_whoever_comes_back_at_noon_keeps_the_afternoon():
    problem, plan = published([standing("a", 0, NINE), standing("b", 0, NOON + 30)])
    disruption = strike(problem, plan, Absence(0, 0, NOON), now=0)
    assert disruption.hit == (0,)
    first = Workshop(disruption).first()
    # Later with the same person is a smaller change than a stranger at the same hour.
    assert (where(first.plan, 0), where(first.plan, 1)) == ((0, NOON + 60), (0, NOON + 30))


def _tight(told_b: bool = False, told_c: bool = False) -> tuple[Problem, Plan]:
    """Ada's visit at nine can only be Ben's at nine, where he has `b`; `b` or `c` may go later."""
    nine = {0: (Window(NINE, NINE),)}
    only_nine = standing("a", 0, NINE, windows=nine)
    return published([only_nine, standing("b", 1, NINE, told=told_b), standing("c", 1, NOON, told=told_c)])


def test_without_a_budget_for_others_the_visit_is_left_with_the_reason():
    problem, plan = _tight()
    workshop, best = repaired(problem, plan, Absence(0, 0, DAY), Budget(0))
    assert best.left == (0,)
    said = why_left(workshop.disruption, best)[0]
    by_clinician = {obstacle.clinician: obstacle.reason.code for obstacle in said.obstacles}
    assert by_clinician == {0: "no-shift", 1: "locked"}


def test_one_patient_more_buys_a_place_and_the_curve_says_so():
    problem, plan = _tight()
    workshop, best = repaired(problem, plan, Absence(0, 0, DAY), Budget(1))
    assert best.left == ()
    assert where(best.plan, 0) == (1, NINE)
    assert best.patients == {"b"}
    curve = {point.max_patients: (point.left, point.patients) for point in workshop.curve()}
    assert curve[0] == (1, 0)
    assert curve[1] == curve[None] == (0, 1)


def test_who_was_told_is_moved_after_who_was_not():
    """At nine Ben may have either of two; the one who was told stays."""
    nine = {0: (Window(NINE, NINE),)}
    for told in (0, 1):
        problem, plan = published(
            [
                standing("a", 0, NINE, windows=nine, minutes=60),
                standing("b", 1, NINE, told=told == 0, minutes=30),
                standing("c", 2, NINE, told=told == 1, minutes=30),
            ],
            clinicians=(Clinician("Ada"), Clinician("Ben"), Clinician("Cleo")),
            slots=(make_slot(0), make_slot(1), make_slot(2)),
        )
        _, best = repaired(problem, plan, Absence(0, 0, DAY), Budget(1))
        assert best.left == ()
        assert best.patients == ({"c"} if told == 0 else {"b"})


def test_nobody_is_called_for_a_saving_of_cents():
    """Ben's visit at noon is five minutes out of the way for the one he takes over: no reason to move him."""
    away = make_matrix([[0, 10, 10, 10], [10, 0, 15, 10], [10, 15, 0, 10], [10, 10, 10, 0]])
    problem, plan = published([standing("a", 0, NINE), standing("b", 1, NINE + 45, place=2)], travel_seconds=away)
    cheap = replace(problem.visits[1].current, clinician_change_cost=0, day_change_cost=0, time_change_cost=0)  # type: ignore[type-var]
    problem = replace(problem, visits=(problem.visits[0], replace(problem.visits[1], current=cheap)))
    _, best = repaired(problem, plan, Absence(0, 0, DAY), Budget())
    assert best.patients == frozenset()


def test_a_budget_of_visits_is_kept_as_well():
    problem, plan = _tight()
    _, best = repaired(problem, plan, Absence(0, 0, DAY), Budget(None, max_visits=0))
    assert (best.left, best.visits) == ((0,), ())


def test_a_cancelled_visit_is_wanted_on_another_day_or_not_at_all():
    days = (Day(0, DAY, "Mon"), Day(DAY, 2 * DAY, "Tue"))
    open_days = {d: (Window(d * DAY + EIGHT, d * DAY + 960),) for d in range(2)}
    problem, plan = published(
        [standing("a", 0, NINE, windows=open_days)], days=days, slots=(make_slot(0), make_slot(0, 1))
    )
    _, again = repaired(problem, plan, Cancellation(0), Budget(0))
    assert again.plan.by_visit()[0].day == 1
    workshop, gone = repaired(problem, plan, Cancellation(0, again=False), Budget(0))
    assert (gone.plan, gone.left, workshop.disruption.gone) == (Plan(), (), (0,))


def test_time_that_comes_free_is_offered_to_who_waits_if_the_budget_allows():
    long = {"minutes": 400, "windows": {0: (Window(EIGHT, 600),)}}
    waiting = make_visit("w", minutes=400, windows={0: (Window(EIGHT, 600),)})
    problem, plan = published(
        [standing("a", 0, EIGHT + 10, **long), waiting], clinicians=(Clinician("Ada"),), slots=(make_slot(0),)
    )
    _, still = repaired(problem, plan, Hospital("a", 0), Budget(0))
    assert where(still.plan, 1) is None
    _, offered = repaired(problem, plan, Hospital("a", 0), Budget(1))
    assert offered.plan.by_visit()[1].clinician == 0
    assert offered.patients == {"w"}


def test_an_urgent_visit_begins_in_time():
    urgent = make_visit("u", unplaced_cost=1_000)
    problem, plan = published([standing("a", 0, NINE), standing("b", 1, NINE), urgent])
    _, best = repaired(problem, plan, Urgency(2, TEN), Budget(0), now=EIGHT + 30)
    assert best.left == ()
    assert EIGHT + 30 <= best.plan.by_visit()[2].start_minute <= TEN


def test_nobody_is_dropped_for_an_urgent_visit():
    full = {"minutes": 480, "windows": {0: (Window(EIGHT + 10, EIGHT + 20),)}}
    problem, plan = published(
        [standing("a", 0, EIGHT + 10, unplaced_cost=1, **full), make_visit("u", unplaced_cost=500_000)],
        clinicians=(Clinician("Ada"),),
        slots=(make_slot(0),),
    )
    _, best = repaired(problem, plan, Urgency(1, NOON), Budget(None))
    assert best.left == (1,)
    assert where(best.plan, 0) == (0, EIGHT + 10)


def test_a_visit_that_runs_long_pushes_only_whom_it_reaches():
    problem, plan = published([standing("a", 0, NINE), standing("b", 0, NINE + 45), standing("c", 0, NOON)])
    disruption = strike(problem, plan, Overrun(0, 40), now=NINE + 20)
    assert disruption.hit == (1,)
    first = Workshop(disruption).first()
    moved = first.plan.by_visit()[1]
    assert moved.start_minute >= NINE + 30 + 40 or moved.clinician == 1
    assert (where(first.plan, 0), where(first.plan, 2)) == ((0, NINE), (0, NOON))
    assert first.score.hard == ()


def test_a_visit_that_is_pinned_to_who_is_away_waits_for_a_person():
    problem, plan = published([standing("a", 0, NINE, locked=True)])
    disruption = strike(problem, plan, Absence(0, 0, DAY), now=0)
    assert (disruption.hit, disruption.stuck) == ((), (0,))


def test_two_who_go_together_move_together():
    problem, plan = published(
        [standing("a", 0, NINE, patient="p"), standing("a2", 1, NINE, patient="p")],
        clinicians=tuple(Clinician(name) for name in "ABC"),
        slots=tuple(make_slot(c) for c in range(3)),
        links=(Linked(0, 1),),
    )
    _, best = repaired(problem, plan, Absence(0, 0, DAY), Budget(0))
    at = best.plan.by_visit()
    assert at[0].start_minute == at[1].start_minute
    assert {at[0].clinician, at[1].clinician} == {1, 2}


def test_what_stood_is_counted_with_the_same_visits_locked():
    """A visit that has begun is late no more: that saves nothing."""
    late = {"preferred": {0: (Window(EIGHT, EIGHT),)}, "late_cost": 10}
    problem, plan = published([standing("a", 0, NINE, **late), standing("b", 1, NOON)])
    disruption = strike(problem, plan, Absence(1, 0, DAY), now=NINE)
    assert score(problem, plan).cost - score(disruption.calm, plan).cost == 600
    assert score(disruption.calm, plan).part("late").cost == 0


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (Absence(7, 0, 10), "event.clinician"),
        (Absence(0, 10, 10), "event.until_minute"),
        (Cancellation(9), "event.visit"),
        (Cancellation(1), "event.visit"),
        (Urgency(0, NOON), "event.visit"),
        (Urgency(-1, NOON), "event.visit"),
        (Overrun(1, 10), "event.visit"),
        (Overrun(0, 0), "event.minutes"),
        (Hospital("nobody", 0), "event.patient"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused_by_name(event: Event, field: str):
    problem, plan = published([standing("a", 0, NINE), make_visit("b")])
    with pytest.raises(ProblemError) as refused:
        strike(problem, plan, event, now=0)
    assert refused.value.field == field


def test_a_visit_that_stands_must_say_where():
    problem, plan = published([standing("a", 0, NINE)])
    bare = replace(problem, visits=(replace(problem.visits[0], current=None),))
    with pytest.raises(ProblemError, match="current"):
        strike(bare, plan, Absence(0, 0, DAY), now=0)


# ------------------------------------------------------------------------------------ laws


def _event(problem: Problem, plan: Plan, rng: random.Random) -> Event | None:
    """Something that can happen to this plan; None if there is nothing to happen to."""
    placed = [a.visit for a in plan.assignments]
    kinds: list[Event] = []
    if problem.clinicians:
        first = rng.randrange(0, DAY * len(problem.days))
        kinds.append(Absence(rng.randrange(len(problem.clinicians)), first, first + rng.randint(30, 2 * DAY)))
    if placed:
        visit = rng.choice(placed)
        kinds += [Cancellation(visit, rng.random() < 0.7), Overrun(visit, rng.randint(1, 120))]
    if problem.visits:
        kinds.append(Hospital(rng.choice(problem.visits).patient, rng.randrange(0, DAY)))
        kinds.append(Urgency(rng.randrange(len(problem.visits)), rng.randint(500, DAY * len(problem.days))))
    return rng.choice(kinds) if kinds else None


def _with_prices(visit: Visit, at: Assignment | None, rng: random.Random) -> Visit:
    if at is None:
        return replace(visit, current=None, locked=False)
    prices = TOLD if rng.random() < 0.5 else UNTOLD
    return replace(visit, current=Current(at.clinician, at.day, at.start_minute, **prices))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000))
def test_a_repair_keeps_what_has_begun_the_budget_and_every_hard_rule(seed: int):
    rng = random.Random(seed)
    problem = random_problem(seed)
    plan = solve(problem, Stop(iterations=30), seed=seed).plan
    placed = plan.by_visit()
    problem = replace(
        problem, visits=tuple(_with_prices(visit, placed.get(i), rng) for i, visit in enumerate(problem.visits))
    )
    event = _event(problem, plan, rng)
    now = rng.choice((0, 0, rng.randrange(0, DAY)))
    try:
        disruption = strike(problem, plan, event, now=now) if event is not None else None
    except ProblemError:
        return  # this event cannot happen to this plan
    if disruption is None:
        return
    broken = {violation.rule for violation in score(disruption.problem, disruption.start).hard}
    workshop = Workshop(disruption, seed=seed, scale=0.02)
    workshop.first()
    for budget in (Budget(0), Budget(1), Budget(2, 2), Budget()):
        best = workshop.improve(budget)
        assert budget.allows(best)
        assert measure(disruption, best.plan) == best
        after = best.plan.by_visit()
        for visit, at in placed.items():
            if problem.visits[visit].locked or at.start_minute <= now:
                if visit not in disruption.stuck and visit not in disruption.gone:
                    assert after[visit] == at
            elif visit not in disruption.hit and visit not in disruption.gone and visit not in disruption.stuck:
                assert visit in after
        new = {v.rule for v in best.score.hard}
        assert new <= broken
        assert bool(faults_of(disruption.problem, best.plan)) == bool(best.score.hard)
    keys = [workshop.best(Budget(limit)).key for limit in CURVE]
    assert keys == sorted(keys, reverse=True)
    assert [point.cost for point in workshop.curve()] == [workshop.best(Budget(k)).score.cost for k in CURVE]


def test_an_unknown_reason_is_handed_back_unread():
    """What the rules forbid comes back in their own words."""
    problem, plan = published([standing("a", 0, NINE, forbidden={1: Reason.of("CRD-01", sentence="No licence.")})])
    workshop, best = repaired(problem, plan, Absence(0, 0, DAY), Budget())
    (obstacle,) = (o for o in why_left(workshop.disruption, best)[0].obstacles if o.clinician == 1)
    assert obstacle.reason.facts()["sentence"] == "No licence."
