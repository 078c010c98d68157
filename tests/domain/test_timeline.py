"""Days, weeks, periods and zones (rule book 0.1 to 0.3)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import timeline
from coordinator.domain.timeline import DateSpan, HolidayCalendar, WeekAnchor

CALIFORNIA = ZoneInfo("America/Los_Angeles")
SOC = date(2026, 10, 1)
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def span(first: str, last: str) -> DateSpan:
    return DateSpan(date.fromisoformat(first), date.fromisoformat(last))


# ------------------------------------------------------------------------------------ 0.1


@pytest.mark.example("CAL-01", 1)
def test_0_1_example_1_certification_periods():
    assert timeline.certification_period(SOC, 1) == span("2026-10-01", "2026-11-29")
    assert timeline.certification_period(SOC, 2) == span("2026-11-30", "2027-01-28")


@pytest.mark.example("CAL-01", 2)
def test_0_1_example_2_recertification_windows():
    assert timeline.recertification_window(SOC, 1) == span("2026-11-25", "2026-11-29")
    assert timeline.recertification_window(SOC, 2) == span("2027-01-24", "2027-01-28")


@pytest.mark.example("CAL-01", 3)
def test_0_1_example_3_payment_periods_and_assessment():
    assert timeline.payment_period(SOC, 1) == span("2026-10-01", "2026-10-30")
    assert timeline.payment_period(SOC, 2) == span("2026-10-31", "2026-11-29")
    assert timeline.payment_period(SOC, 3) == span("2026-11-30", "2026-12-29")
    assert timeline.assessment_due(SOC) == timeline.notice_of_admission_due(SOC) == date(2026, 10, 6)


def test_soc_is_day_1_of_the_certification_and_day_0_of_the_assessment():
    assert timeline.certification_period(SOC, 1).last == SOC + timedelta(days=59)
    assert timeline.assessment_due(SOC) == SOC + timedelta(days=5)


@given(DAYS, st.integers(1, 30))
def test_certification_periods_tile_time(soc, number):
    this, following = timeline.certification_period(soc, number), timeline.certification_period(soc, number + 1)
    assert this.days == 60
    assert following.first == this.last + timedelta(days=1)
    assert timeline.certification_period_of(soc, this.first) == number
    assert timeline.certification_period_of(soc, this.last) == number


@given(DAYS, st.integers(0, 3000))
def test_every_day_after_soc_is_in_exactly_one_period_and_two_payment_periods_make_one(soc, later):
    day = soc + timedelta(days=later)
    number = timeline.certification_period_of(soc, day)
    assert day in timeline.certification_period(soc, number)
    assert day not in timeline.certification_period(soc, number + 1)
    halves = timeline.payment_period(soc, 2 * number - 1), timeline.payment_period(soc, 2 * number)
    assert (halves[0].first, halves[1].last) == (
        timeline.certification_period(soc, number).first,
        timeline.certification_period(soc, number).last,
    )


def test_there_is_no_period_before_start_of_care():
    with pytest.raises(ValueError, match="before start of care"):
        timeline.certification_period_of(SOC, date(2026, 9, 30))
    with pytest.raises(ValueError, match="numbered from 1"):
        timeline.certification_period(SOC, 0)


def test_a_period_across_a_leap_day_still_has_sixty_days():
    assert timeline.certification_period(date(2028, 1, 15), 1) == span("2028-01-15", "2028-03-14")
    assert timeline.certification_period(date(2027, 1, 15), 1) == span("2027-01-15", "2027-03-15")


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-10-01", 6, "2027-04-01"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-01-31", -1, "2025-12-31"),
        ("2024-11-20", 24, "2026-11-20"),
    ],
)
def test_adding_months(day, months, expected):
    assert timeline.add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)


# ------------------------------------------------------------------------------------ 0.2


@pytest.mark.parametrize(
    ("soc", "weeks"), [("2026-10-07", 9), ("2026-10-08", 10), ("2026-10-10", 10), ("2026-10-04", 9)]
)
@pytest.mark.example("CAL-02", 1)
@pytest.mark.example("CAL-02", 2)
@pytest.mark.example("CAL-02", 3)
def test_0_2_weeks_touched_by_a_certification(soc, weeks):
    assert timeline.weeks_touched(date.fromisoformat(soc)) == weeks


def test_0_2_the_last_week_after_a_thursday_start_has_one_day():
    assert timeline.week_start(date(2026, 10, 8) + timedelta(days=59)) == date(2026, 10, 8) + timedelta(days=59)


@given(DAYS)
def test_sunday_to_wednesday_touch_nine_weeks_thursday_to_saturday_ten(soc):
    assert timeline.weeks_touched(soc) == (10 if soc.weekday() in (3, 4, 5) else 9)


@given(DAYS, st.integers(1, 120), st.sampled_from(WeekAnchor))
def test_weeks_touched_counts_the_weeks(first, days, anchor):
    starts = {timeline.week_start(first + timedelta(days=d), anchor, first) for d in range(days)}
    assert timeline.weeks_touched(first, days, anchor) == len(starts)


@given(DAYS, st.sampled_from(WeekAnchor), DAYS)
def test_a_week_begins_on_its_anchor_and_holds_its_day(day, anchor, soc):
    week = timeline.week_of(day, anchor, soc)
    assert day in week
    assert week.days == 7
    wanted = {WeekAnchor.SUNDAY: 6, WeekAnchor.MONDAY: 0, WeekAnchor.SOC_WEEKDAY: soc.weekday()}[anchor]
    assert week.first.weekday() == wanted


def test_weeks_from_the_weekday_of_start_of_care_need_it():
    with pytest.raises(ValueError, match="start of care"):
        timeline.week_start(SOC, WeekAnchor.SOC_WEEKDAY)


def test_a_week_across_the_year_end():
    assert timeline.week_of(date(2026, 12, 31)) == span("2026-12-27", "2027-01-02")


@given(DAYS, st.integers(1, 60), st.sampled_from(WeekAnchor))
def test_order_weeks_tile_time_and_agree_with_their_index(effective_from, index, anchor):
    this = timeline.order_week(effective_from, index, anchor, effective_from)
    following = timeline.order_week(effective_from, index + 1, anchor, effective_from)
    assert following.first == this.last + timedelta(days=1)
    for day in (this.first, this.last):
        assert timeline.order_week_index(effective_from, day, anchor, effective_from) == index


def test_week_1_of_an_order_is_the_week_of_its_effective_date():
    assert timeline.order_week(date(2026, 10, 10), 1) == span("2026-10-10", "2026-10-10")
    with pytest.raises(ValueError, match="before the order takes effect"):
        timeline.order_week_index(date(2026, 10, 10), date(2026, 10, 9))


# ------------------------------------------------------------------------------------ 0.3


@pytest.mark.example("CAL-03", 1)
@pytest.mark.example("CAL-03", 2)
def test_0_3_thirty_working_days():
    start = date(2026, 10, 1)
    assert timeline.add_business_days(start, 30, HolidayCalendar.CA_STATE) == date(2026, 11, 13)
    assert timeline.add_business_days(start, 30, HolidayCalendar.US_FEDERAL) == date(2026, 11, 16)


def test_federal_holidays_2026():
    assert timeline.holidays(2026, HolidayCalendar.US_FEDERAL) == {
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        # Independence Day 2026 is a Saturday.
        date(2026, 7, 3),
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
    }


def test_california_holidays_2026():
    assert timeline.holidays(2026, HolidayCalendar.CA_STATE) == {
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 3, 31),
        date(2026, 5, 25),
        # No observed day for Independence Day on a Saturday.
        date(2026, 9, 7),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 11, 27),
        date(2026, 12, 25),
    }


def test_new_year_on_a_saturday_is_observed_in_the_old_year_by_federal_offices():
    assert date(2021, 12, 31) in timeline.holidays(2021, HolidayCalendar.US_FEDERAL)
    assert date(2021, 12, 31) not in timeline.holidays(2021, HolidayCalendar.CA_STATE)


def test_sunday_holidays_are_observed_on_monday_and_veterans_day_on_friday():
    assert date(2027, 7, 5) in timeline.holidays(2027, HolidayCalendar.CA_STATE)
    assert date(2023, 11, 10) in timeline.holidays(2023, HolidayCalendar.CA_STATE)
    assert date(2023, 11, 10) in timeline.holidays(2023, HolidayCalendar.US_FEDERAL)


@given(DAYS, st.integers(0, 20), st.integers(0, 60), st.sampled_from(HolidayCalendar))
def test_a_later_event_or_a_longer_count_is_never_due_earlier(day, later, count, calendar):
    due = timeline.add_business_days(day, count, calendar)
    assert due >= day + timedelta(days=count)
    assert timeline.add_business_days(day + timedelta(days=later), count, calendar) >= due
    assert timeline.add_business_days(day, count + 1, calendar) > due


@given(DAYS, st.integers(1, 6), st.sampled_from(WeekAnchor))
def test_visit_weeks_tile_a_certification_and_none_is_lost_at_its_end(soc, number, anchor):
    period = timeline.certification_period(soc, number)
    weeks = sorted({timeline.week_of(day, anchor, soc).first for day in period})
    inside = [
        day
        for first in weeks
        for day in DateSpan(first, first + timedelta(days=6))
        if period.first <= day <= period.last
    ]
    assert inside == list(period)
    # The week that holds the last day and the next period's first day belongs to both, day by day, and leaves no gap.
    following = timeline.certification_period(soc, number + 1)
    assert following.first - period.last == timedelta(days=1)
    assert timeline.recertification_window(soc, number).last == period.last


@given(DAYS, st.integers(0, 60), st.sampled_from(HolidayCalendar))
def test_as_many_business_days_lie_after_the_event_as_were_counted(day, count, calendar):
    last = timeline.add_business_days(day, count, calendar)
    between = DateSpan(day + timedelta(days=1), last)
    assert sum(timeline.is_business_day(d, calendar) for d in between) == count
    assert count == 0 or timeline.is_business_day(last, calendar)


def test_business_days_are_not_counted_backwards():
    with pytest.raises(ValueError, match="forward"):
        timeline.add_business_days(SOC, -1, HolidayCalendar.CA_STATE)


# ------------------------------------------------------------------------------------ zones


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)])
def test_a_day_has_its_own_length(day, hours):
    start, end = timeline.day_bounds(date.fromisoformat(day), CALIFORNIA)
    assert end - start == timedelta(hours=hours)
    assert start.tzinfo is UTC
    assert timeline.local_day(start, CALIFORNIA) == date.fromisoformat(day)
    assert timeline.local_day(end - timedelta(microseconds=1), CALIFORNIA) == date.fromisoformat(day)


def test_a_time_that_spring_skips_moves_forward_by_the_missing_hour():
    spring = date(2026, 3, 8)
    expected = datetime(2026, 3, 8, 10, 30, tzinfo=UTC)
    assert timeline.at_wall_clock(spring, time(2, 30), CALIFORNIA) == expected
    assert timeline.at_wall_clock(spring, time(2, 30), CALIFORNIA, later=True) == expected
    assert timeline.at_wall_clock(spring, time(3, 30), CALIFORNIA) == expected


def test_a_time_that_autumn_repeats_is_the_first_unless_asked_otherwise():
    autumn = date(2026, 11, 1)
    assert timeline.at_wall_clock(autumn, time(1, 30), CALIFORNIA) == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert timeline.at_wall_clock(autumn, time(1, 30), CALIFORNIA, later=True) == datetime(
        2026, 11, 1, 9, 30, tzinfo=UTC
    )
    assert timeline.at_wall_clock(autumn, time(9, 0), CALIFORNIA, later=True) == datetime(2026, 11, 1, 17, tzinfo=UTC)


def test_naive_instants_are_refused():
    naive = datetime(2026, 11, 1, 9, 0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone"):
        timeline.local_day(naive, CALIFORNIA)
    with pytest.raises(ValueError, match="no zone"):
        timeline.minutes_by_day(naive, datetime(2026, 11, 2, tzinfo=UTC), CALIFORNIA)
    with pytest.raises(ValueError, match="no zone of its own"):
        timeline.at_wall_clock(date(2026, 11, 1), time(9, tzinfo=UTC), CALIFORNIA)


def test_minutes_split_at_local_midnight_on_the_night_of_the_clock_change():
    start = timeline.at_wall_clock(date(2026, 10, 31), time(23, 0), CALIFORNIA)
    end = timeline.at_wall_clock(date(2026, 11, 1), time(3, 0), CALIFORNIA)
    # From midnight to three is four hours that night.
    assert timeline.minutes_by_day(start, end, CALIFORNIA) == {date(2026, 10, 31): 60, date(2026, 11, 1): 240}


def test_a_visit_that_ends_at_midnight_belongs_to_one_day():
    start = timeline.at_wall_clock(date(2026, 11, 9), time(23, 0), CALIFORNIA)
    end = timeline.at_wall_clock(date(2026, 11, 10), time(), CALIFORNIA)
    assert timeline.minutes_by_day(start, end, CALIFORNIA) == {date(2026, 11, 9): 60}
    assert timeline.minutes_by_day(start, start, CALIFORNIA) == {}
    with pytest.raises(ValueError, match="before"):
        timeline.minutes_by_day(end, start, CALIFORNIA)


INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


ZONES = st.sampled_from(["America/Los_Angeles", "Asia/Taipei", "Australia/Lord_Howe"])


@given(INSTANTS, st.integers(0, 5 * 86400), ZONES)
def test_split_minutes_add_up_and_lie_on_the_days_they_touch(start, seconds, name):
    zone, end = ZoneInfo(name), start + timedelta(seconds=seconds)
    minutes = timeline.minutes_by_day(start, end, zone)
    assert sum(minutes.values()) == seconds // 60
    assert all(value > 0 for value in minutes.values())
    for day in minutes:
        first, after = timeline.day_bounds(day, zone)
        assert start < after
        assert end > first


@given(DAYS, st.sampled_from(["America/Los_Angeles", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe"]))
def test_days_follow_each_other_without_gap(day, name):
    zone = ZoneInfo(name)
    start, end = timeline.day_bounds(day, zone)
    assert end == timeline.day_bounds(day + timedelta(days=1), zone)[0]
    assert timedelta(hours=23) <= end - start <= timedelta(hours=25)
    assert timeline.local_day(start, zone) == day
