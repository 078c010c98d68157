"""Tiny problems that everyone can work out on a napkin."""

from __future__ import annotations

import pytest

from coordinator.planner import Outcome, Problem, Stop, diff, explain, score, solve
from coordinator.planner.plan import Alternative, Assignment, Plan, Rest
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    DailyLimit,
    Day,
    FacesLimit,
    GroupCap,
    Interval,
    Linked,
    LinkKind,
    Preference,
    Reason,
    Spacing,
    Window,
)
from tests.planner.builders import (
    DAY,
    EIGHT,
    ELEVEN,
    FIVE,
    NINE,
    NOON,
    ONE,
    TEN,
    make_matrix,
    make_problem,
    make_slot,
    make_visit,
)
from tests.planner.checker import faults_of


def solved(problem: Problem, start: Plan | None = None) -> Outcome:
    outcome = solve(problem, Stop(iterations=200), start=start)
    assert faults_of(problem, outcome.plan) == []
    assert outcome.score.hard == ()
    return outcome


def reasons(problem: Problem, visit: int) -> dict[tuple[int, int | None], Reason]:
    plan = solve(problem, Stop(iterations=200)).plan
    return {(o.clinician, o.day): o.reason for o in explain(problem, plan).visits[visit].obstacles}


def test_an_empty_problem_has_an_empty_plan():
    outcome = solved(make_problem([]))
    assert outcome.plan == Plan()
    assert outcome.stopped_by == "nothing-to-do"
    assert outcome.score.cost == 0


def test_one_visit_starts_as_soon_as_the_clinician_is_there():
    outcome = solved(make_problem([make_visit()]))
    assert outcome.plan.assignments == (Assignment(0, 0, 0, EIGHT + 10),)
    assert outcome.score.part("travel").cost == 20 * 60
    assert outcome.score.cost == 20 * 60


def test_three_visits_go_the_short_way_round():
    way = make_matrix([[0, 5, 30, 30], [5, 0, 5, 30], [30, 5, 0, 5], [5, 30, 5, 0]])
    visits = [make_visit("a", place=2), make_visit("b", place=1), make_visit("c", place=3)]
    outcome = solved(make_problem(visits, travel_seconds=way))
    assert [a.visit for a in outcome.plan.route(0, 0)] == [1, 0, 2]
    assert outcome.score.measures.travel_minutes == 20


def test_travel_is_rounded_up_to_the_minute_once():
    way = make_matrix([[0, 10], [10, 0]]) + 1
    outcome = solved(make_problem([make_visit()], travel_seconds=way))
    assert outcome.score.measures.travel_minutes == 22


def test_a_visit_between_two_windows_waits_for_the_second():
    windows = {0: (Window(EIGHT, EIGHT + 5), Window(NINE, NINE + 30))}
    assert solved(make_problem([make_visit(windows=windows)])).plan.assignments[0].start_minute == NINE


def test_waiting_is_taken_out_of_the_day_by_leaving_later():
    visits = [
        make_visit("a", windows={0: (Window(EIGHT, NOON - 1),)}),
        make_visit("b", windows={0: (Window(NOON, NOON),)}),
    ]
    outcome = solved(make_problem(visits))
    assert outcome.plan.by_visit()[0].start_minute == NOON - 30
    assert outcome.score.measures.waiting_minutes == 0


def test_skill_decides_and_is_given_back_as_the_reason():
    skill = Reason.of("skill", needs="wound care")
    people = (Clinician("Ada"), Clinician("Ben"))
    visit = make_visit(forbidden={0: skill}, windows={0: (Window(EIGHT, NINE),)})
    both = make_problem([visit], clinicians=people, slots=(make_slot(0), make_slot(1)))
    assert solved(both).plan.assignments[0].clinician == 1
    alone = make_problem([visit], clinicians=people, slots=(make_slot(0),))
    assert reasons(alone, 0) == {(0, None): skill, (1, None): Reason.of("no-shift", fact=0, limit=0)}


def test_a_lunch_is_put_between_two_visits():
    lunch = Break(ELEVEN, NOON, 30)
    visits = [make_visit(k, minutes=90, windows={0: (Window(EIGHT, FIVE),)}) for k in "abcd"]
    outcome = solved(make_problem(visits, slots=(make_slot(breaks=(lunch,)),)))
    assert outcome.score.measures.placed == 4
    (rest,) = outcome.plan.rests
    assert ELEVEN <= rest.start_minute <= NOON
    assert outcome.score.measures.worked_minutes == 4 * 90 + 20


def test_a_short_day_owes_no_lunch():
    lunch = Break(EIGHT + 30, EIGHT + 40, 60, owed_after_minutes=300)
    outcome = solved(make_problem([make_visit(minutes=100)], slots=(make_slot(breaks=(lunch,)),)))
    assert outcome.plan.rests == ()


def test_a_break_is_skipped_when_that_is_cheaper():
    lunch = Break(NINE, NINE, 60, skip_cost=100)
    visit = make_visit(minutes=300, windows={0: (Window(EIGHT, EIGHT + 20),)})
    outcome = solved(make_problem([visit], slots=(make_slot(breaks=(lunch,)),)))
    assert outcome.score.part("skipped-break").cost == 100


def test_time_off_is_neither_worked_nor_driven():
    slot = make_slot(unavailable=(Interval(NINE, ONE),))
    visits = [make_visit("a", minutes=60), make_visit("b", minutes=45, windows={0: (Window(EIGHT, FIVE),)})]
    outcome = solved(make_problem(visits, slots=(slot,)))
    # The shorter one just before, the other from one o'clock on; at the same place, so nothing is driven between.
    assert [(a.visit, a.start_minute) for a in outcome.plan.route(0, 0)] == [(1, NINE - 45), (0, ONE)]
    assert outcome.score.measures.worked_minutes == 20 + 45 + 60


def test_overtime_is_counted_by_day_and_by_week_but_not_twice():
    days = (Day(0, DAY), Day(DAY, 2 * DAY))
    visits = [make_visit(str(d), minutes=80, windows={d: (Window(d * DAY + EIGHT, d * DAY + FIVE),)}) for d in (0, 1)]
    slots = (make_slot(overtime_after_minutes=90), make_slot(day=1))
    someone = Clinician("Ada", week_overtime_after_minutes=150)
    outcome = solved(make_problem(visits, days=days, slots=slots, clinicians=(someone,)))
    # 100 minutes each day: 10 over by the day, then 90 + 100 = 190 straight minutes, 40 over by the week.
    assert outcome.score.part("overtime").count == 50


def test_the_hard_day_limit_keeps_the_cheaper_visit_out():
    visits = [make_visit("a", minutes=60, unplaced_cost=50_000), make_visit("b", minutes=60, unplaced_cost=20_000)]
    problem = make_problem(visits, slots=(make_slot(max_minutes=120),))
    assert [a.visit for a in solved(problem).plan.assignments] == [0]
    assert reasons(problem, 1) == {(0, None): Reason.of("day-max", fact=140, limit=120)}


def test_the_hard_week_limit_counts_what_was_worked_before():
    someone = Clinician("Ada", week_max_minutes=100, already_worked_minutes=(60,))
    problem = make_problem([make_visit()], clinicians=(someone,))
    assert reasons(problem, 0) == {(0, None): Reason.of("week-max", fact=110, limit=100)}


def test_a_full_shift_says_when_the_day_would_end():
    visits = [make_visit("a", minutes=60, windows={0: (Window(EIGHT, FIVE),)}), make_visit("b", unplaced_cost=10_000)]
    problem = make_problem(visits, slots=(make_slot(shift_end=EIGHT + 100),))
    assert reasons(problem, 1) == {(0, None): Reason.of("shift-full", fact=EIGHT + 110, limit=EIGHT + 100)}


def test_spacing_keeps_two_days_between():
    days = tuple(Day(d * DAY, (d + 1) * DAY) for d in range(3))
    windows = {d: (Window(d * DAY + EIGHT, d * DAY + FIVE - 60),) for d in range(3)}
    visits = [make_visit("a", windows=windows, patient="p"), make_visit("b", windows=windows, patient="p")]
    slots = tuple(make_slot(day=d) for d in range(3))
    problem = make_problem(visits, days=days, slots=slots, spacings=(Spacing((0, 1), 2),))
    assert {a.day for a in solved(problem).plan.assignments} == {0, 2}
    problem = make_problem(visits, days=days, slots=slots, spacings=(Spacing((0, 1), 2, held_days=(-1,)),))
    outcome = solved(problem)
    assert outcome.score.measures.placed == 1
    left_out = 1 - outcome.plan.assignments[0].visit
    assert {r.code for r in reasons(problem, left_out).values()} == {"spacing"}


def test_ideal_spacing_costs_each_missing_day():
    days = tuple(Day(d * DAY, (d + 1) * DAY) for d in range(2))
    windows = {d: (Window(d * DAY + EIGHT, d * DAY + FIVE - 60),) for d in range(2)}
    visits = [make_visit("a", windows=windows), make_visit("b", windows=windows)]
    slots = tuple(make_slot(day=d) for d in range(2))
    problem = make_problem(visits, days=days, slots=slots, spacings=(Spacing((0, 1), 1, 3, cost=70),))
    assert solved(problem).score.part("crowding").cost == 140


def test_the_daily_limit_and_the_cap_of_a_group_hold():
    visits = [make_visit(k, minutes=60, patient="p") for k in "abc"]
    limited = make_problem(visits, daily_limits=(DailyLimit((0, 1, 2), 3, (1,)),))
    assert solved(limited).score.measures.placed == 2
    capped = make_problem(visits, group_caps=(GroupCap((0, 1, 2), day_cap_minutes=130),))
    assert solved(capped).score.measures.placed == 2
    out = ({0, 1, 2} - {a.visit for a in solved(capped).plan.assignments}).pop()
    assert reasons(capped, out) == {(0, None): Reason.of("cap", fact=60, limit=10)}


def test_a_patient_is_never_in_two_places():
    people = (Clinician("Ada"), Clinician("Ben"))
    windows = {0: (Window(TEN, TEN + 10),)}
    visits = [make_visit("a", patient="p", windows=windows), make_visit("b", patient="p", windows=windows)]
    problem = make_problem(visits, clinicians=people, slots=(make_slot(0), make_slot(1)))
    outcome = solved(problem)
    assert outcome.score.measures.placed == 1
    out = 1 - outcome.plan.assignments[0].visit
    codes = {r.code for r in reasons(problem, out).values()}
    assert codes <= {"patient-busy", "window-missed"}
    assert "patient-busy" in codes


def test_dialysis_is_kept_free():
    problem = make_problem([make_visit(patient="p")], patient_busy={"p": (Interval(EIGHT, NOON),)})
    assert solved(problem).plan.assignments[0].start_minute == NOON


def test_two_clinicians_start_together():
    people = (Clinician("Ada"), Clinician("Ben"))
    visits = [make_visit("a", patient="p"), make_visit("b", patient="p", place=1)]
    slots = (make_slot(0), make_slot(1, shift_start=TEN))
    problem = make_problem(visits, clinicians=people, slots=slots, links=(Linked(0, 1),))
    plan = solved(problem).plan
    assert {a.start_minute for a in plan.assignments} == {TEN + 10}
    assert {a.clinician for a in plan.assignments} == {0, 1}


def test_two_clinicians_that_never_meet_make_neither_visit():
    people = (Clinician("Ada"), Clinician("Ben"))
    slots = (make_slot(0, shift_end=NOON), make_slot(1, shift_start=NOON))
    problem = make_problem([make_visit("a"), make_visit("b")], clinicians=people, slots=slots, links=(Linked(0, 1),))
    assert solved(problem).plan == Plan()
    assert reasons(problem, 0)[0, None] == Reason.of("partner", fact=0, limit=0, partner=1)


def test_one_visit_follows_another_by_the_same_clinician():
    link = Linked(0, 1, LinkKind.GAP, 120, 180, different_clinicians=False, same_clinician=True)
    people = (Clinician("Ada"), Clinician("Ben"))
    visits = [make_visit("a"), make_visit("b")]
    plan = solved(make_problem(visits, clinicians=people, slots=(make_slot(0), make_slot(1)), links=(link,))).plan
    one, two = plan.assignments
    assert 120 <= two.start_minute - one.start_minute <= 180
    assert one.clinician == two.clinician


def test_continuity_is_worth_its_price_and_no_more():
    people = (Clinician("Ada"), Clinician("Ben"))
    way = make_matrix([[0, 40, 40, 40], [40, 0, 40, 40], [40, 40, 0, 5], [40, 40, 5, 0]])
    slots = (make_slot(0), make_slot(1, start_place=3, end_place=3))

    def who(price: int) -> int:
        visit = make_visit(place=2, preferences=(Preference("continuity", {0: 0}, price),))
        return (
            solved(make_problem([visit], clinicians=people, slots=slots, travel_seconds=way))
            .plan.assignments[0]
            .clinician
        )

    # Seventy minutes of driving less with Ben: 4,200 cents.
    assert who(4_199) == 1
    assert who(4_201) == 0


def test_the_next_best_clinician_and_what_it_would_cost():
    people = (Clinician("Ada"), Clinician("Ben"))
    way = make_matrix([[0, 10, 10, 10], [10, 0, 10, 25], [10, 10, 0, 10], [10, 25, 10, 0]])
    slots = (make_slot(0), make_slot(1, start_place=3, end_place=3))
    problem = make_problem([make_visit()], clinicians=people, slots=slots, travel_seconds=way)
    (entry,) = explain(problem, solved(problem).plan).visits
    assert entry.assignment == Assignment(0, 0, 0, EIGHT + 10)
    # Twice 25 instead of twice 10 minutes.
    assert entry.alternative == Alternative(1, 0, EIGHT + 25, 30 * 60)


def test_a_visit_that_is_not_worth_its_driving_says_so():
    problem = make_problem([make_visit(unplaced_cost=1_000)])
    assert solved(problem).plan == Plan()
    assert reasons(problem, 0) == {(0, None): Reason.of("cost", fact=1_200, limit=1_000)}


def test_more_faces_cost():
    people = (Clinician("Ada"), Clinician("Ben"))
    visits = [make_visit("a", forbidden={0: Reason.of("x")}), make_visit("b", forbidden={1: Reason.of("x")})]
    faces = (FacesLimit((0, 1), 210),)
    problem = make_problem(visits, clinicians=people, slots=(make_slot(0), make_slot(1)), faces_limits=faces)
    assert solved(problem).score.part("faces").cost == 210


def test_a_locked_visit_stays_and_the_others_go_round_it():
    held = make_visit("held", locked=True, current=Current(0, 0, NINE), windows={}, forbidden={0: Reason.of("skill")})
    outcome = solved(make_problem([held, make_visit("other")]))
    assert outcome.plan.by_visit()[0] == Assignment(0, 0, 0, NINE)
    assert outcome.score.measures.placed == 2


def test_what_is_locked_is_named_as_the_obstacle():
    held = make_visit("held", minutes=420, locked=True, current=Current(0, 0, NINE))
    assert reasons(make_problem([held, make_visit("other", minutes=60)]), 1)[0, None].code == "locked"


def test_a_visit_told_to_the_patient_stays_at_its_time():
    told = make_visit("told", current=Current(0, 0, TEN, told=True, time_change_cost=5_000))
    outcome = solved(make_problem([told, make_visit("other")]))
    assert outcome.plan.by_visit()[0].start_minute == TEN


def test_remote_visits_need_no_driving():
    outcome = solved(make_problem([make_visit("a"), make_visit("phone", place=None)]))
    assert outcome.score.measures.travel_minutes == 20


def test_mandatory_comes_before_any_priority():
    visits = [make_visit("a", minutes=300, mandatory=True, unplaced_cost=0), make_visit("b", unplaced_cost=900_000)]
    problem = make_problem(visits, slots=(make_slot(max_minutes=330),))
    assert [a.visit for a in solved(problem).plan.assignments] == [0]


def test_a_day_of_23_and_a_day_of_25_hours():
    days = (Day(0, 1380, "spring"), Day(1380, 2820, "plain"), Day(2820, 4320, "autumn"))
    windows = {n: (Window(day.start_minute + 450, day.end_minute - 480),) for n, day in enumerate(days)}
    visits = [make_visit(f"{n}{k}", windows={n: windows[n]}) for n in range(3) for k in range(3)]
    slots = tuple(
        make_slot(day=n, shift_start=day.start_minute + 450, shift_end=day.end_minute - 420)
        for n, day in enumerate(days)
    )
    outcome = solved(make_problem(visits, days=days, slots=slots))
    assert outcome.score.measures.placed == 9
    for a in outcome.plan.assignments:
        assert days[a.day].start_minute <= a.start_minute < days[a.day].end_minute


def test_the_diff_tells_what_moved_and_whom_it_concerns():
    people = (Clinician("Ada"), Clinician("Ben"))
    told = Current(0, 0, NINE, told=True)
    visits = [make_visit(k, current=told if k == "a" else None) for k in "abcd"]
    problem = make_problem(visits, clinicians=people, slots=(make_slot(0), make_slot(1)))
    old = Plan.of([Assignment(0, 0, 0, NINE), Assignment(1, 0, 0, TEN), Assignment(2, 0, 0, ELEVEN)])
    new = Plan.of([Assignment(0, 1, 0, TEN), Assignment(1, 0, 0, TEN), Assignment(3, 0, 0, ELEVEN)])
    found = diff(problem, old, new)
    assert [(c.visit, c.kinds, c.told) for c in found.changes] == [
        (0, ("clinician", "time"), True),
        (2, ("removed",), False),
        (3, ("added",), False),
    ]
    assert set(found.by_patient) == {"a", "c", "d"}
    assert [c.visit for c in found.by_clinician[1]] == [0]
    assert diff(problem, old, old).changes == ()


@pytest.mark.parametrize(
    ("plan", "rule"),
    [
        (Plan.of([Assignment(0, 0, 0, EIGHT)]), "shift-start"),
        (Plan.of([Assignment(0, 0, 0, FIVE - 35)]), "shift-end"),
        (Plan.of([Assignment(0, 0, 0, NINE), Assignment(1, 0, 0, NINE + 35)]), "travel"),
        (Plan.of([Assignment(0, 0, 0, NINE)], [Rest(0, 0, 0, NINE)]), "break"),
        (Plan.of([Assignment(0, 1, 0, NINE)]), "no-slot"),
    ],
)
def test_the_score_finds_each_broken_rule(plan: Plan, rule: str):
    problem = make_problem(
        [make_visit("a", windows={0: (Window(0, DAY),)}), make_visit("b", place=2)],
        clinicians=(Clinician("Ada"), Clinician("Ben")),
        slots=(make_slot(breaks=(Break(EIGHT, FIVE, 10, skip_cost=0),)),),
    )
    assert rule in {violation.rule for violation in score(problem, plan).hard}
    assert faults_of(problem, plan) != []
