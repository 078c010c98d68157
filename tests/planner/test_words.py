"""What each word of the extended problem counts, on plans small enough to be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordinator.planner import Problem, ProblemError, score, validate
from coordinator.planner.engines import Engine, choose
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    Day,
    DayPatterns,
    Linked,
    LinkKind,
    Regularity,
    SeventhDay,
    Spacing,
    Touch,
    Weights,
    Window,
)
from tests.planner.builders import DAY, EIGHT, FIVE, NINE, NOON, TEN, make_problem, make_slot, make_visit


def counted(problem: Problem, plan: Plan, name: str) -> tuple[int, int]:
    part = score(problem, plan).part(name)
    return part.count, part.cost


def one_visit_at(minute: int, **changes: Any) -> tuple[Problem, Plan]:
    visit = make_visit(windows={0: (Window(0, DAY),)}, **changes)
    return make_problem([visit]), Plan.of([Assignment(0, 0, 0, minute)])


@pytest.mark.parametrize(("start", "minutes"), [(60, 0), (130, 10), (299, 179), (300, 0), (370, 10), (50, 0)])
def test_lateness_is_counted_from_the_last_window_that_has_opened(start: int, minutes: int):
    problem, plan = one_visit_at(start, preferred={0: (Window(60, 120), Window(300, 360))}, late_cost=7)
    assert counted(problem, plan, "late") == (minutes, 7 * minutes)


@pytest.mark.parametrize(("start", "minutes"), [(90, 0), (95, 5), (295, 205), (300, 0)])
def test_care_that_must_end_in_its_window_is_late_when_it_ends_late(start: int, minutes: int):
    thirty_minutes_before_the_close = (Window(60, 90), Window(300, 330))
    problem, plan = one_visit_at(start, preferred={0: thirty_minutes_before_the_close}, late_cost=1)
    assert counted(problem, plan, "late") == (minutes, minutes)


def test_a_window_shorter_than_the_care_is_missed_even_by_starting_at_once():
    problem, plan = one_visit_at(600, preferred={0: (Window(600, 590),)}, late_cost=2)
    assert counted(problem, plan, "late") == (10, 20)


def test_only_the_first_window_can_be_missed_by_coming_early():
    problem, plan = one_visit_at(50, preferred={0: (Window(60, 120), Window(300, 360))}, early_cost=3)
    assert counted(problem, plan, "early") == (10, 30)
    problem, plan = one_visit_at(200, preferred={0: (Window(60, 120), Window(300, 360))}, early_cost=3)
    assert counted(problem, plan, "early") == (0, 0)


def test_the_worst_lateness_is_that_of_one_visit():
    wished = {"preferred": {0: (Window(EIGHT, NINE),)}, "late_cost": 1}
    problem = make_problem([make_visit("a", **wished), make_visit("b", **wished)], weights=Weights(worst_late_minute=9))
    plan = Plan.of([Assignment(0, 0, 0, NINE + 5), Assignment(1, 0, 0, NINE + 35)])
    assert counted(problem, plan, "late") == (40, 40)
    assert counted(problem, plan, "worst-late") == (35, 315)


def test_overtime_from_a_minute_counts_until_the_return():
    problem = make_problem(
        [make_visit(windows={0: (Window(EIGHT, DAY),)})],
        slots=(make_slot(shift_end=DAY, overtime_from=FIVE),),
        weights=Weights(overtime_minute=3),
    )
    # From 16:45 to 17:15, and ten minutes home.
    assert counted(problem, Plan.of([Assignment(0, 0, 0, FIVE - 15)]), "overtime") == (25, 75)
    assert counted(problem, Plan(), "overtime") == (0, 0)


def test_a_second_step_of_overtime_comes_on_top():
    problem = make_problem(
        [make_visit(minutes=200)],
        slots=(make_slot(overtime_after_minutes=100, doubletime_after_minutes=150),),
        weights=Weights(overtime_minute=2, doubletime_minute=5),
    )
    plan = Plan.of([Assignment(0, 0, 0, TEN)])
    assert counted(problem, plan, "overtime") == (120, 240)
    assert counted(problem, plan, "doubletime") == (70, 350)


def test_a_day_worked_from_its_start_waits_for_the_first_visit():
    problem = make_problem(
        [make_visit()], slots=(make_slot(leaves_at_shift_start=True),), weights=Weights(waiting_minute=2)
    )
    plan = Plan.of([Assignment(0, 0, 0, NINE)])
    assert counted(problem, plan, "waiting") == (50, 100)
    assert counted(problem, plan, "longest-wait") == (50, 0)


def test_long_waits_are_priced_beyond_what_is_free():
    problem = make_problem(
        [make_visit("a"), make_visit("b"), make_visit("c")],
        weights=Weights(longest_wait_minute=1, idle_gap_minute=4, idle_gap_after_minutes=20),
    )
    plan = Plan.of([Assignment(0, 0, 0, 500), Assignment(1, 0, 0, 560), Assignment(2, 0, 0, 600)])
    assert counted(problem, plan, "waiting") == (40, 800)
    assert counted(problem, plan, "longest-wait") == (30, 30)
    assert counted(problem, plan, "idle-gap") == (10, 40)


def test_the_idlest_shift_may_be_an_unused_one_or_one_without_enough_to_do():
    people = (Clinician("Ada"), Clinician("Ben"), Clinician("Cy"))
    lunch = Break(NOON, NOON, 30)
    slots = (make_slot(0, breaks=(lunch,)), make_slot(1, shift_end=NOON), make_slot(2, counts_idle=False))
    problem = make_problem([make_visit()], clinicians=people, slots=slots, weights=Weights(longest_idle_minute=2))
    # Ada: 540 minutes of shift, 20 of driving, 30 of care, 30 of lunch; Ben's whole shift is 240; Cy does not count.
    plan = Plan.of([Assignment(0, 0, 0, NOON + 40)], [Rest(0, 0, 0, NOON)])
    assert score(problem, plan).hard == ()
    assert counted(problem, plan, "longest-idle") == (460, 920)
    assert counted(problem, Plan.of([Assignment(0, 1, 0, NINE)]), "longest-idle") == (540, 1080)


def test_idle_time_runs_to_the_return_when_that_is_after_the_shift():
    slot = make_slot(shift_end=DAY, overtime_from=NINE)
    problem = make_problem([make_visit()], slots=(slot,), weights=Weights(longest_idle_minute=1))
    # 8:00 to 9:50 is 110 minutes: 20 of driving, 30 of care.
    assert counted(problem, Plan.of([Assignment(0, 0, 0, NINE + 10)]), "longest-idle") == (60, 60)


def test_balance_is_the_distance_from_the_mean_rounded_up_for_each():
    people = (Clinician("Ada"), Clinician("Ben"), Clinician("Cy"))
    problem = make_problem(
        [make_visit()],
        clinicians=people,
        slots=(make_slot(0), make_slot(1), make_slot(2)),
        weights=Weights(balance_minute=10),
    )
    # Loads 50, 0, 0; the mean is 16 2/3: 33 1/3, 16 2/3 and 16 2/3 away.
    assert counted(problem, Plan.of([Assignment(0, 0, 0, NINE)]), "balance") == (34 + 17 + 17, 680)


WHOLE = Break(EIGHT, NOON, 30, skip_cost=70, owed_after_minutes=-1, splits_drive=False)


def with_whole_break(*starts: int, rest: int | None, **changes: Any) -> tuple[Problem, Plan]:
    visits = [make_visit(str(n), place=1 + n) for n in range(len(starts))]
    problem = make_problem(visits, slots=(make_slot(breaks=(WHOLE,), **changes),), weights=Weights(waiting_minute=1))
    rests = [] if rest is None else [Rest(0, 0, 0, rest)]
    return problem, Plan.of([Assignment(n, 0, 0, start) for n, start in enumerate(starts)], rests)


def test_a_break_that_opens_the_day_is_taken_on_arrival_and_the_wait_after_it_is_forgiven():
    problem, plan = with_whole_break(NINE, 580, rest=490)
    result = score(problem, plan)
    assert result.hard == ()
    # Leaves at 8:00, breaks from 8:10 to 8:40, waits twenty minutes for nothing; back at 10:20.
    assert result.measures.waiting_minutes == 0
    assert result.measures.worked_minutes == 10 + 30 + 10 + 30 + 10
    early, plan = with_whole_break(NINE, rest=485)
    assert [v.rule for v in score(early, plan).hard] == ["shift-start"]


def test_the_wait_after_an_opening_break_is_idle_all_the_same():
    problem, plan = with_whole_break(NINE, rest=490)
    assert counted(problem, plan, "longest-idle")[0] == 540 - 20 - 30 - 30


def test_a_break_never_falls_into_a_drive():
    # Free from 9:30, ten minutes to drive, next visit at 10:10: the break fits before driving on or on arrival only.
    for rest, allowed in ((570, True), (575, False), (580, True)):
        problem, plan = with_whole_break(NINE, 610, rest=rest)
        assert (score(problem, plan).hard == ()) is allowed, rest


def test_waits_before_and_after_a_break_between_visits_count():
    problem, plan = with_whole_break(NINE, 640, rest=590)
    assert counted(problem, plan, "waiting") == (10 + 20, 30)
    assert counted(problem, plan, "longest-wait") == (20, 0)


def test_a_closing_break_is_taken_before_driving_home():
    problem, plan = with_whole_break(NINE, rest=580)
    result = score(problem, plan)
    assert result.hard == ()
    assert result.measures.waiting_minutes == 10
    assert result.measures.worked_minutes == 10 + 30 + 10 + 10


def test_a_break_owed_on_an_unused_day_is_missed():
    problem, plan = with_whole_break(rest=None)
    assert counted(problem, plan, "skipped-break") == (1, 70)
    assert counted(problem, Plan.of([], [Rest(0, 0, 0, NINE)]), "skipped-break") == (1, 70)


def test_both_or_none_knows_no_time():
    people = (Clinician("Ada"), Clinician("Ben"))
    problem = make_problem(
        [make_visit("a"), make_visit("b")],
        clinicians=people,
        slots=(make_slot(0), make_slot(1)),
        links=(Linked(0, 1, LinkKind.BOTH),),
    )
    apart = [Assignment(0, 0, 0, NINE), Assignment(1, 1, 0, 900)]
    assert score(problem, Plan.of(apart)).hard == ()
    assert [v.rule for v in score(problem, Plan.of(apart[:1])).hard] == ["link"]
    by_one = [Assignment(0, 0, 0, NINE), Assignment(1, 0, 0, 900)]
    assert [v.rule for v in score(problem, Plan.of(by_one)).hard] == ["link"]


def test_three_visits_of_one_patient_may_be_tied_two_by_two():
    people = tuple(Clinician(name) for name in ("Ada", "Ben", "Cy"))
    problem = make_problem(
        [make_visit(key, patient="p") for key in "abc"],
        clinicians=people,
        slots=tuple(make_slot(c) for c in range(3)),
        links=(Linked(0, 1), Linked(1, 2, LinkKind.GAP, 0, 30), Linked(0, 2, LinkKind.BOTH)),
    )
    plan = Plan.of([Assignment(0, 0, 0, NINE), Assignment(1, 1, 0, NINE), Assignment(2, 2, 0, NINE + 20)])
    assert score(problem, plan).hard == ()
    late = Plan.of([Assignment(0, 0, 0, NINE), Assignment(1, 1, 0, NINE), Assignment(2, 2, 0, NINE + 40)])
    assert [v.rule for v in score(problem, late).hard] == ["link"]


def published(count: int, **touch: Any) -> Problem:
    """Visits of two patients in turn, all with Ada, one an hour from nine; the first was told."""
    visits = [
        make_visit(
            str(n), patient=f"p{n % 2}", current=Current(0, 0, NINE + 60 * n, told=n == 0, time_tolerance_minutes=5)
        )
        for n in range(count)
    ]
    people = (Clinician("Ada"), Clinician("Ben"))
    return make_problem(visits, clinicians=people, slots=(make_slot(0), make_slot(1)), touch=Touch(**touch))


def as_published(problem: Problem, **moved: Assignment | None) -> Plan:
    """The published plan, but for visits by their key."""
    now = {v.key: Assignment(n, v.current.clinician, v.current.day, v.current.start_minute)
           for n, v in enumerate(problem.visits) if v.current is not None}  # fmt: skip
    changed = {key.removeprefix("v"): a for key, a in moved.items()}
    return Plan.of([a for a in (now | changed).values() if a is not None])


def test_a_patient_is_touched_once_and_dearer_when_told():
    problem = published(4, patient_cost=100, told_patient_cost=300)
    assert counted(problem, as_published(problem), "touched-patient") == (0, 0)
    a_little = as_published(problem, v0=Assignment(0, 0, 0, NINE + 5))
    assert counted(problem, a_little, "touched-patient") == (0, 0)
    twice = as_published(problem, v1=None, v3=Assignment(3, 1, 0, NINE))
    assert counted(problem, twice, "touched-patient") == (1, 100)
    both = as_published(problem, v0=Assignment(0, 1, 0, NINE), v1=None)
    assert counted(problem, both, "touched-patient") == (2, 400)
    # The told visit stays; the same patient's other visit was not told.
    untold = as_published(problem, v2=None)
    assert counted(problem, untold, "touched-patient") == (1, 100)


def test_no_more_patients_are_touched_than_the_budget_allows_but_for_those_hit():
    problem = published(4, max_patients=1, patient_cost=100)
    plan = as_published(problem, v0=None, v1=None)
    (violation,) = score(problem, plan).hard
    assert (violation.rule, violation.visits, violation.fact, violation.limit) == ("touch-budget", (0, 1), 2, 1)
    hit = replace(problem, touch=replace(problem.touch, exempt_patients=("p0",)))
    assert score(hit, plan).hard == ()
    assert counted(hit, plan, "touched-patient") == (1, 100)


def test_a_clinicians_day_that_was_told_costs_once_when_it_changes():
    problem = published(4, clinician_cost=50)
    assert counted(problem, as_published(problem), "touched-day") == (0, 0)
    # Ben's day was never told, Ada's was.
    moved = as_published(problem, v1=Assignment(1, 1, 0, TEN), v3=None)
    assert counted(problem, moved, "touched-day") == (1, 50)
    newcomer = replace(problem, visits=(*problem.visits, make_visit("new")))
    assert counted(
        newcomer, Plan.of([*as_published(problem).assignments, Assignment(4, 0, 0, 500)]), "touched-day"
    ) == (
        1,
        50,
    )


def test_times_of_day_may_stray_by_the_tolerance():
    days = tuple(Day(d * DAY, (d + 1) * DAY) for d in range(3))
    visits = [make_visit(str(d), windows={d: (Window(d * DAY + EIGHT, d * DAY + 960),)}) for d in range(3)]
    tie = Regularity((0, 1, 2), tolerance_minutes=30, cost_minute=2)
    slots = tuple(make_slot(0, d) for d in range(3))
    problem = make_problem(visits, days=days, slots=slots, regularities=(tie,))
    plan = Plan.of([Assignment(0, 0, 0, 540), Assignment(1, 0, 1, DAY + 560), Assignment(2, 0, 2, 2 * DAY + 600)])
    assert counted(problem, plan, "stray") == (30, 60)
    assert counted(problem, Plan.of(list(plan.assignments[:2])), "stray") == (0, 0)
    held = replace(problem, regularities=(replace(tie, held_minutes=(500, 550)),))
    # From 8:20 to 10:00 is 100 minutes, 70 too many; what is held strays by 20 already, before any visit here.
    assert counted(held, plan, "stray") == (70 - 20, 100)


def test_visits_of_an_order_follow_one_of_its_patterns():
    days = tuple(Day(d * DAY, (d + 1) * DAY) for d in range(5))
    visits = [make_visit(str(n), windows={d: (Window(d * DAY, d * DAY + 900),) for d in range(5)}) for n in range(2)]
    tie = DayPatterns((0, 1), ((0, 4), (1, 2)))
    problem = make_problem(visits, days=days, slots=tuple(make_slot(0, d) for d in range(5)), patterns=(tie,))

    def broken(*on: int) -> list[str]:
        made = [Assignment(n, 0, day, day * DAY + NINE) for n, day in enumerate(on)]
        return [violation.rule for violation in score(problem, Plan.of(made)).hard]

    assert broken(0, 4) == broken(1, 2) == broken(1) == broken() == []
    assert broken(0, 2) == broken(4, 0) == broken(3) == ["pattern"]


OF_LINKED_DAYS: list[dict[str, Any]] = [
    {"visits": (make_visit(preferred={0: (Window(1, 2), Window(3, 4))}),)},
    {"slots": (make_slot(overtime_from=FIVE),)},
    {"slots": (make_slot(breaks=(WHOLE,)),)},
    {"links": (Linked(0, 1, LinkKind.BOTH),)},
    {"links": (Linked(0, 1), Linked(1, 2))},
    {"weights": Weights(worst_late_minute=1)},
    {"weights": Weights(longest_idle_minute=1)},
    {"weights": Weights(balance_minute=1)},
]


@pytest.mark.parametrize("changes", OF_LINKED_DAYS, ids=str)
def test_days_whose_visits_shape_each_others_times_have_an_engine_of_their_own(changes: dict[str, Any]):
    problem = make_problem([make_visit(key) for key in "abc"])
    assert choose(problem) is Engine.CALENDAR
    assert choose(replace(problem, **changes)) is Engine.OPERATIONS
    with pytest.raises(ProblemError, match="together with the rest"):
        choose(replace(problem, **changes, spacings=(Spacing((0, 1)),)))


OF_WEEKS: list[tuple[str, dict[str, Any]]] = [
    ("patterns[0]", {"patterns": (DayPatterns((0,), ((0,),)),)}),
    ("seventh_days", {"seventh_days": (SeventhDay(0, (), 0, 1),)}),
]


@pytest.mark.parametrize(("field", "changes"), OF_WEEKS, ids=[field for field, _ in OF_WEEKS])
def test_what_only_the_other_engine_plans_is_refused_by_its_field(field: str, changes: dict[str, Any]):
    problem = replace(make_problem([make_visit(key) for key in "abc"]), **changes)
    assert choose(problem) is Engine.CALENDAR
    with pytest.raises(ProblemError, match="no engine") as refused:
        validate(replace(problem, slots=(make_slot(overtime_from=FIVE),)))
    assert refused.value.field == field
