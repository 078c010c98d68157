"""LAB-01 to LAB-03, LAB-05: hours, meals, rests and miles."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.vocabulary import OvertimeProfile, Performer
from coordinator.rules.facts import Moment, NeighbourFacts
from coordinator.rules.visit import ask
from coordinator.rules.work_facts import Leg, Stretch, Waivers, WorkFacts
from coordinator.rules.workday import (
    in_sum,
    limits_of,
    may_be_exempt,
    meals_missed,
    meals_owed,
    mileage,
    premium_minutes,
    rests_owed,
    week_hours,
    worked_minutes,
)
from tests.rules.cases import DAY, POLICY, at, local, make_case, rules_of

LABOUR = POLICY.labour
SUNDAY = date(2026, 11, 8)
STANDARD = limits_of(LABOUR, OvertimeProfile.STANDARD)


def paid(*hours: float, limits=STANDARD):
    """Regular, overtime and double hours of a week whose days from Sunday are so long."""
    minutes = {SUNDAY + timedelta(days=step): int(worked * 60) for step, worked in enumerate(hours)}
    total = in_sum(week_hours(minutes, SUNDAY, limits).values())
    return total.regular / 60, total.overtime / 60, total.double / 60


# ------------------------------------------------------------------------------------ LAB-01


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param((13,), (8, 4, 1), marks=pytest.mark.example("LAB-01", 1)),
        pytest.param((7,) * 6, (40, 2, 0), marks=pytest.mark.example("LAB-01", 2)),
        pytest.param((6,) * 7, (36, 6, 0), marks=pytest.mark.example("LAB-01", 3)),
        pytest.param((10, 10, 10, 10, 5), (37, 8, 0), marks=pytest.mark.example("LAB-01", 4)),
        pytest.param((8,) * 6 + (9,), (40, 16, 1), marks=pytest.mark.example("LAB-01", 5)),
    ],
)
def test_hours_are_paid_as_the_book_says(hours, expected):
    assert paid(*hours) == expected


def test_six_days_and_a_seventh_in_the_next_workweek_are_no_seventh_day():
    assert paid(0, 6, 6, 6, 6, 6, 6) == (36, 0, 0)


def test_an_alternative_workweek_pays_no_overtime_within_its_day():
    twelve = limits_of(LABOUR, OvertimeProfile.ALTERNATIVE_12)
    assert paid(12, 12, 12, limits=twelve) == (36, 0, 0)
    assert paid(12, 12, 13, limits=twelve) == (36, 0, 1)
    ten = limits_of(LABOUR, OvertimeProfile.ALTERNATIVE_10)
    assert paid(10, 10, 10, 11, limits=ten) == (40, 1, 0)
    assert paid(10, 10, 10, 10, 10, limits=ten) == (40, 10, 0)


def test_an_agreement_keeps_the_week_and_exemption_keeps_nothing():
    assert paid(13, 13, 13, 13, limits=limits_of(LABOUR, OvertimeProfile.AGREEMENT)) == (40, 12, 0)
    assert paid(13, 13, 13, 13, 13, 13, 13, limits=limits_of(LABOUR, OvertimeProfile.EXEMPT)) == (91, 0, 0)
    assert not may_be_exempt(Performer.RN, POLICY)
    assert may_be_exempt(Performer.MD, POLICY)


@given(st.lists(st.integers(0, 1440), min_size=7, max_size=7), st.sampled_from(OvertimeProfile))
def test_every_minute_is_paid_once_and_no_more_than_forty_hours_at_the_usual_rate(minutes, profile):
    limits = limits_of(LABOUR, profile)
    week = {SUNDAY + timedelta(days=step): worked for step, worked in enumerate(minutes)}
    hours = week_hours(week, SUNDAY, limits)
    assert in_sum(hours.values()).worked == sum(minutes)
    if profile is not OvertimeProfile.EXEMPT:
        assert in_sum(hours.values()).regular <= LABOUR.weekly_overtime_after_minutes
    assert all(one.regular >= 0 and one.overtime >= 0 and one.double >= 0 for one in hours.values())


# ------------------------------------------------------------------------------------ LAB-02

BEGINS = local("2026-11-10 08:00")


def clocks(text: str):
    return local(f"2026-11-10 {text}")


@pytest.mark.example("LAB-02", 1)
def test_a_meal_begun_at_12_59_is_in_time_and_at_13_00_is_not():
    half = timedelta(minutes=30)
    for text, good in (("12:59", True), ("13:00", False)):
        taken = [(clocks(text), clocks(text) + half)]
        assert (meals_missed(BEGINS, 480, taken, Waivers(), LABOUR) == ()) is good
    # No punch is rounded: a second is enough, and so is a minute that is missing (Donohue).
    late = clocks("12:59") + timedelta(seconds=59)
    assert meals_missed(BEGINS, 480, [(late, late + half)], Waivers(), LABOUR) == ()
    short = [(clocks("12:00"), clocks("12:29"))]
    assert [meal.number for meal in meals_missed(BEGINS, 480, short, Waivers(), LABOUR)] == [1]
    assert premium_minutes(meals_missed(BEGINS, 480, short, Waivers(), LABOUR), LABOUR) == 60
    assert premium_minutes((), LABOUR) == 0


@pytest.mark.example("LAB-02", 2)
def test_six_hours_with_a_waiver_need_no_meal():
    waived = Waivers(first=True)
    assert meals_missed(BEGINS, 360, [], waived, LABOUR) == ()
    assert [meal.number for meal in meals_missed(BEGINS, 361, [], waived, LABOUR)] == [1]
    assert [meal.number for meal in meals_missed(BEGINS, 360, [], Waivers(), LABOUR)] == [1]
    assert meals_missed(BEGINS, 300, [], Waivers(), LABOUR) == ()


@pytest.mark.example("LAB-02", 3)
def test_ten_and_a_half_hours_owe_a_second_meal_by_17_59_unless_waived():
    first, second = meals_owed(BEGINS, 630, Waivers(), LABOUR)
    assert (first.latest_at, second.latest_at) == (clocks("12:59"), clocks("17:59"))
    assert [meal.waived for meal in meals_owed(BEGINS, 630, Waivers(second=True), LABOUR)] == [False, True]
    # Whoever took the first off duty from 08:00 to 18:30 has worked ten hours, not more: no second is owed.
    assert len(meals_owed(BEGINS, 600, Waivers(), LABOUR)) == 1


def test_one_of_two_meals_may_be_waived_and_only_if_the_other_is_taken():
    waived = Waivers(first=True, second=True)
    lunch = [(clocks("12:00"), clocks("12:30"))]
    assert meals_missed(BEGINS, 700, lunch, waived, LABOUR) == ()
    assert [meal.number for meal in meals_missed(BEGINS, 700, [], waived, LABOUR)] == [1, 2]
    # Beyond twelve hours in health care alone (Gerard).
    assert [meal.number for meal in meals_missed(BEGINS, 780, lunch, waived, LABOUR)] == [2]
    assert meals_missed(BEGINS, 780, lunch, waived, LABOUR, Performer.RN) == ()


# ------------------------------------------------------------------------------------ the planned day


def stretch(begins: str, ends: str, way: int = 0) -> Stretch:
    return Stretch(clocks(begins), clocks(ends), way)


def with_day(*stops: Stretch, others: tuple[Stretch, ...] = (), **more):
    facts = WorkFacts(DAY, SUNDAY, tuple(stops), others, **more)
    return at(make_case(neighbours=NeighbourFacts(buffer_minutes=0, work=facts)), "2026-11-10 12:00")


def said(case):
    return rules_of(ask(case, Moment.CONFIRM, POLICY))


def test_a_day_without_room_for_a_meal_refuses_the_visit_that_takes_it():
    morning, noon, later = stretch("08:00", "11:00"), stretch("11:00", "13:10"), stretch("13:10", "14:00")
    assert said(with_day(morning, noon, later, others=(morning, later))) == [("LAB-02", "BLOCK-OVR")]
    # It had none without the visit either: the visit is not what is wrong.
    assert said(with_day(morning, noon, later, others=(morning, noon))) == [("LAB-02", "WARN")]
    assert said(with_day(morning, stretch("11:30", "14:00"))) == []
    # Driving is not a meal.
    assert said(with_day(morning, stretch("11:30", "14:00", way=1))) == [("LAB-02", "BLOCK-OVR")]


def test_a_planned_meal_is_not_work():
    long = (stretch("08:00", "12:00"), stretch("12:30", "17:00"))
    assert worked_minutes(long, 0, 0, Waivers(), LABOUR) == 510
    assert worked_minutes(long, 20, 10, Waivers(), LABOUR) == 540
    assert worked_minutes((), 0, 0, Waivers(), LABOUR) == 0


def test_overtime_is_said_with_its_cost_and_more_than_twelve_hours_are_refused():
    day = (stretch("08:00", "12:00"), stretch("12:30", "16:30"))
    (found,) = ask(with_day(*day, stretch("16:30", "17:30"), others=day), Moment.CONFIRM, POLICY)
    assert (found.rule, found.severity.value) == ("LAB-01", "WARN")
    assert found.facts["overtime_minutes"] == 60
    assert found.facts["cost_cents"] == 60 * POLICY.prices.overtime_minute
    long = (*day, stretch("17:00", "21:01"))
    assert ("LAB-01", "BLOCK-OVR") in said(with_day(*long, others=day))
    assert ("LAB-01", "BLOCK-OVR") not in said(with_day(*long, others=long))


def test_the_week_counts_what_its_other_days_have_paid_at_the_usual_rate():
    rest = {SUNDAY + timedelta(days=step): 600 for step in (1, 3, 4, 5)}
    short = (stretch("08:00", "13:00"),)
    assert said(with_day(*short, week_minutes=rest)) == []
    rest = {SUNDAY + timedelta(days=step): 480 for step in (1, 3, 4, 5, 6)}
    assert said(with_day(*short, week_minutes=rest)) == [("LAB-01", "WARN")]
    assert said(with_day(*short, week_minutes=rest, profile=OvertimeProfile.EXEMPT)) == []


# ------------------------------------------------------------------------------------ LAB-03, LAB-05


@pytest.mark.parametrize(
    ("hours", "rests"),
    [
        pytest.param(6.0, 1, marks=pytest.mark.example("LAB-03", 1)),
        pytest.param(6.5, 2, marks=pytest.mark.example("LAB-03", 2)),
        (3.4, 0), (3.5, 1), (10, 2), (10.1, 3), (14, 3),
    ],
)  # fmt: skip
def test_rests_are_owed_for_four_hours_or_most_of_them(hours, rests):
    assert rests_owed(round(hours * 60), LABOUR) == rests


HOME_TO_HOME = (Leg(12, commute=True), Leg(7), Leg(5), Leg(15, commute=True))


@pytest.mark.example("LAB-05", 1)
def test_miles_between_patients_are_paid_and_the_way_from_home_is_not():
    owed = mileage(HOME_TO_HOME, date(2026, 11, 9), LABOUR)
    assert (owed.miles, owed.mills_per_mile, owed.cents) == (12, 725, 870)


def test_the_rate_is_that_of_the_day():
    assert mileage(HOME_TO_HOME, date(2025, 12, 31), LABOUR).cents == 840
    assert mileage(HOME_TO_HOME, date(2026, 1, 1), LABOUR).cents == 870
    with pytest.raises(ValueError, match="no mileage rate"):
        mileage(HOME_TO_HOME, date(2024, 12, 31), LABOUR)


def test_nothing_is_asked_of_a_day_that_nobody_looked_at():
    assert ask(replace(make_case(), neighbours=NeighbourFacts()), Moment.CONFIRM, POLICY) == ()
