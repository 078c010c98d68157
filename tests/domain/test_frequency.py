"""Visit frequencies: the notation and what it means on the calendar (FRQ-01 to FRQ-07)."""

import time
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coordinator.domain import frequency as frq
from coordinator.domain.frequency import (
    Frequency,
    FrequencyError,
    MidweekChange,
    OrderWeek,
    Prn,
    RangeTarget,
    Segment,
    Unit,
)
from coordinator.domain.timeline import WeekAnchor, certification_period
from coordinator.domain.vocabulary import Discipline


def windows(expansion):
    return [(week.starts_on.isoformat()[5:], week.ends_on.isoformat()[5:], week.maximum) for week in expansion.weeks]


def codes(found):
    return [warning.code for warning in found.warnings]


# ------------------------------------------------------------------------------------ FRQ-01


@pytest.mark.example("FRQ-01", 1)
def test_frq_01_example_three_segments_and_prn():
    read = frq.parse("1w1 3w2 2w6 +2 PRN for dyspnea")
    assert read.segments == (
        Segment(1, 1, Unit.WEEK, 1),
        Segment(3, 3, Unit.WEEK, 2),
        Segment(2, 2, Unit.WEEK, 6),
    )
    assert (read.weeks, read.maximum_total, read.prn) == (9, 19, (Prn(2, "dyspnea"),))
    assert read.render() == "1w1, 3w2, 2w6, 2 PRN for dyspnea"


@pytest.mark.example("FRQ-01", 2)
def test_frq_01_example_from_the_manual():
    read = frq.parse("SN x 7/wk x 1 wk; 3/wk x 4 wk; 2/wk x 3 wk")
    assert read.discipline is Discipline.SN
    assert read.render() == "SN 7w1, 3w4, 2w3"
    assert (read.maximum_total, read.weeks) == (25, 8)


@pytest.mark.example("FRQ-01", 3)
def test_frq_01_example_every_other_week():
    read = frq.parse("1q2w8")
    assert (read.maximum_total, read.weeks) == (4, 8)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("3x/wk x2wks", "3w2"),
        ("3 wk 2", "3w2"),
        ("3wk2", "3w2"),
        ("3W2", "3w2"),
        ("3×/wk ×2 wks", "3w2"),
        ("3 times a week for 2 weeks", "3w2"),
        ("daily x5", "1d5"),
        ("Daily x 5 days", "1d5"),
        ("QOW x4", "1q2w8"),
        ("1 q 2 w 8", "1q2w8"),
        ("1q1w8", "1w8"),
        ("2d14", "2d14"),
        ("1m2", "1m2"),
        ("1-2w4", "1-2w4"),
        ("1 – 2 w4", "1-2w4"),
        ("3w2,2w3;1w1 then 1w2", "3w2, 2w3, 1w1, 1w2"),
        ("3w2   2w3", "3w2, 2w3"),
        ("3w2 + 2 prn: fall, pain; 1 PRN for fever", "3w2, 2 PRN for fall, pain, 1 PRN for fever"),
        ("PT 2w4 effective 11/04/2026", "PT 2w4 effective 11/04/2026"),
        ("ST: 1w1", "SLP 1w1"),
        ("2 PRN for weight gain >3 lb/day", "2 PRN for weight gain >3 lb/day"),
    ],
)
def test_frq_01_aliases_and_separators(text, canonical):
    assert frq.parse(text).render() == canonical


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("0w1", "COUNT_ZERO", 0),
        ("3-1w2", "RANGE_REVERSED", 0),
        ("2w0", "DURATION_ZERO", 0),
        ("2w", "DURATION_MISSING", 0),
        ("1w1 2w", "DURATION_MISSING", 4),
        ("daily", "DURATION_MISSING", 0),
        ("1q2w", "DURATION_MISSING", 0),
        ("w3", "COUNT_MISSING", 0),
        ("q2w8", "COUNT_MISSING", 0),
        ("PRN as needed", "PRN_NUMBER_MISSING", 0),
        ("3w2 PRN for pain", "PRN_NUMBER_MISSING", 4),
        ("2 PRN", "PRN_REASON_MISSING", 0),
        ("2 PRN as needed", "PRN_REASON_MISSING", 0),
        ("2 PRN for as needed", "PRN_REASON_MISSING", 0),
        ("0 PRN for pain", "PRN_ZERO", 0),
        ("2 PRN for pain 3w2", "PRN_NOT_LAST", 0),
        ("2w for remainder of cert", "REMAINDER", 0),
        ("1w9 for the remainder of cert", "REMAINDER", 4),
        ("22w1", "COUNT_TOO_HIGH", 0),
        ("4d3", "COUNT_TOO_HIGH", 0),
        ("3w9999", "NUMBER_TOO_LARGE", 2),
        ("3w99", "DURATION_TOO_LONG", 0),
        ("1q0w3", "PERIOD_ZERO", 0),
        ("1q4w2", "PERIOD_TOO_LONG", 0),
        ("3/wk x 60 days", "UNIT_MISMATCH", 10),
        ("2w4 effective soon", "DATE_INVALID", 4),
        ("2w4 effective 02/30/2026", "DATE_INVALID", 4),
        ("2w4 effective 01/01/2026 effective 01/02/2026", "EFFECTIVE_TWICE", 25),
        ("", "EMPTY", 0),
        ("SN", "EMPTY", 0),
        ("3w22w3", "UNREADABLE", 0),
        ("often", "UNREADABLE", 0),
        ("1w1 PT 2w2", "UNREADABLE", 4),
        ("３w2", "UNREADABLE", 0),
    ],
)
def test_frq_01_rejections(text, code, position):
    with pytest.raises(FrequencyError) as refused:
        frq.parse(text)
    assert (refused.value.code, refused.value.position) == (code, position)
    assert refused.value.message


@pytest.mark.parametrize(
    "text", ["3" * 10_000, "1w1 " * 125, "9" * 400 + "w1", "1 PRN for a " * 40, " " * 499, "1-" * 249, "q2w" * 160]
)
def test_absurd_texts_are_answered_at_once(text):
    began = time.perf_counter()
    with pytest.raises(FrequencyError):
        frq.parse(text)
    assert time.perf_counter() - began < 0.5


def test_a_floor_of_zero_is_legal_and_warned_of():
    assert codes(frq.parse("0-1w4")) == ["FLOOR_ZERO"]
    assert "0-1w4" in frq.parse("0-1w4").warnings[0].sentence()
    assert codes(frq.parse("1q2w7")) == ["BLOCK_CUT_SHORT"]
    assert codes(frq.parse("3w2")) == []


def test_the_text_typed_is_kept_and_takes_no_part_in_comparison():
    assert frq.parse("3x/wk x2wks").text == "3x/wk x2wks"
    assert frq.parse("3x/wk x2wks") == frq.parse("3w2")


@st.composite
def segments(draw):
    unit = draw(st.sampled_from(Unit))
    duration = draw(st.integers(1, {Unit.DAY: 20, Unit.WEEK: 9, Unit.MONTH: 2}[unit]))
    every = 1 if unit is Unit.MONTH else draw(st.integers(1, duration))
    days = every * {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31}[unit]
    maximum = draw(st.integers(1, min(99, 3 * days)))
    return Segment(draw(st.integers(0, maximum)), maximum, unit, duration, every)


SYMPTOMS = ["pain", "dyspnea", "fever", "fall", ">3lb/day", "O2<88%", "喘", "wound"]
REASONS = st.lists(st.sampled_from(SYMPTOMS), min_size=1, max_size=4).map(" ".join)
PRN = st.builds(Prn, st.integers(1, 99), REASONS.filter(lambda reason: any(map(str.isalpha, reason))))
FREQUENCIES = st.builds(
    Frequency,
    st.lists(segments(), min_size=1, max_size=4).map(tuple),
    st.lists(PRN, max_size=3).map(tuple),
    st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    st.none() | st.sampled_from(Discipline),
)


@given(FREQUENCIES)
def test_reading_what_was_written_gives_the_same(frequency):
    assert frq.parse(frequency.render()) == frequency
    assert frq.parse(frequency.render().upper().replace("×", "x")).segments == frequency.segments


@given(st.text("0123456789dwmqx/- ,;+prnPRNfor:then", max_size=60))
def test_any_text_is_read_or_refused_and_what_is_read_is_canonical(text):
    try:
        read = frq.parse(text)
    except FrequencyError as refusal:
        position = refusal.position
    else:
        position = 0
        assert frq.parse(read.render()) == read
    assert 0 <= position <= len(text)


# ------------------------------------------------------------------------------------ FRQ-02

SOC = date(2026, 10, 1)


@pytest.mark.example("FRQ-02", 1)
def test_frq_02_worked_1():
    laid = frq.expand(
        frq.parse("1w1 3w2 2w6 +2 PRN for uncontrolled dyspnea"), SOC, certification_end=date(2026, 11, 29)
    )
    assert windows(laid) == [
        ("10-01", "10-03", 1),
        ("10-04", "10-10", 3),
        ("10-11", "10-17", 3),
        ("10-18", "10-24", 2),
        ("10-25", "10-31", 2),
        ("11-01", "11-07", 2),
        ("11-08", "11-14", 2),
        ("11-15", "11-21", 2),
        ("11-22", "11-28", 2),
    ]
    assert laid.maximum_total == 19
    assert laid.prn == (Prn(2, "uncontrolled dyspnea"),)
    assert laid.warnings == ()
    # Day 60 is in week 10, for which nothing is ordered.
    assert laid.week_of(date(2026, 11, 29)) is None


@pytest.mark.example("FRQ-02", 2)
def test_frq_02_worked_2():
    soc = date(2026, 10, 4)
    laid = frq.expand(frq.parse("1w1 2w8"), soc, certification_end=certification_period(soc, 1).last)
    assert windows(laid)[-1] == ("11-29", "12-02", 2)
    assert len(laid.weeks) == 9


@pytest.mark.example("FRQ-02", 3)
def test_frq_02_worked_3():
    laid = frq.expand(frq.parse("3w1"), date(2026, 11, 13))
    assert windows(laid) == [("11-13", "11-14", 3)]
    assert codes(laid) == ["CANNOT_FIT"]
    assert "3 visits cannot fit at 1/day" in laid.warnings[0].sentence()
    assert laid.warnings[0].sentence().endswith("suggest 1w1")
    assert laid.weeks[0].fits == 2


def test_frq_02_weeks_after_the_certification_are_left_out_with_a_warning():
    laid = frq.expand(frq.parse("2w12"), SOC, certification_end=date(2026, 11, 29))
    assert laid.weeks[-1].ends_on == date(2026, 11, 29)
    assert len(laid.weeks) == 10
    assert laid.warnings[-1].sentence() == "2 weeks fall outside the period"


def test_frq_02_units():
    monday = date(2026, 11, 2)
    assert windows(frq.expand(frq.parse("2d2"), monday)) == [("11-02", "11-02", 2), ("11-03", "11-03", 2)]
    assert frq.expand(frq.parse("2d2"), monday).weeks[0].per_day == 2
    assert windows(frq.expand(frq.parse("1m2"), date(2027, 1, 31))) == [("01-31", "02-27", 1), ("02-28", "03-30", 1)]
    assert windows(frq.expand(frq.parse("1q2w4"), monday)) == [("11-02", "11-14", 1), ("11-15", "11-28", 1)]
    assert windows(frq.expand(frq.parse("1q2w3"), monday))[-1] == ("11-15", "11-21", 1)
    # Back to back: the days end on Wednesday, the first week of 3w2 is what is left of that week.
    assert windows(frq.expand(frq.parse("1d3 3w2"), monday))[3:] == [("11-05", "11-07", 3), ("11-08", "11-14", 3)]


def test_frq_02_other_anchors():
    wednesday = date(2026, 11, 4)
    assert windows(frq.expand(frq.parse("2w2"), wednesday, anchor=WeekAnchor.MONDAY)) == [
        ("11-04", "11-08", 2),
        ("11-09", "11-15", 2),
    ]
    assert windows(frq.expand(frq.parse("2w2"), wednesday, anchor=WeekAnchor.SOC_WEEKDAY, soc=SOC)) == [
        ("11-04", "11-04", 2),
        ("11-05", "11-11", 2),
    ]


@given(FREQUENCIES, st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(WeekAnchor))
def test_order_weeks_tile_the_order_and_their_maxima_add_up(frequency, effective_from, anchor):
    laid = frq.expand(frequency, effective_from, anchor=anchor, soc=effective_from)
    assert laid.weeks[0].starts_on == effective_from
    for this, following in zip(laid.weeks, laid.weeks[1:], strict=False):
        assert following.starts_on == this.ends_on + timedelta(days=1)
    assert [week.index for week in laid.weeks] == list(range(1, len(laid.weeks) + 1))
    assert all(week.days >= 1 for week in laid.weeks)
    assert laid.maximum_total == frequency.maximum_total
    assert sum(week.minimum for week in laid.weeks) == frequency.minimum_total


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(WeekAnchor), st.integers(1, 6))
def test_weeks_of_two_certifications_meet_without_gap_or_overlap(soc, anchor, number):
    this, following = certification_period(soc, number), certification_period(soc, number + 1)
    weekly = frq.parse("1w20")
    before = frq.expand(weekly, this.first, certification_end=this.last, anchor=anchor, soc=soc)
    after = frq.expand(weekly, following.first, certification_end=following.last, anchor=anchor, soc=soc)
    assert before.weeks[-1].ends_on == this.last
    assert after.weeks[0].starts_on == this.last + timedelta(days=1)
    assert sum(week.days for week in before.weeks) == sum(week.days for week in after.weeks) == 60


@given(FREQUENCIES, st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(-3, 70), st.integers(0, 70))
def test_clipping_never_adds_a_visit_and_never_passes_a_bound(frequency, effective_from, end_after, cut_after):
    end, cut = effective_from + timedelta(days=end_after), effective_from + timedelta(days=cut_after)
    whole = frq.expand(frequency, effective_from)
    laid = frq.expand(frequency, effective_from, certification_end=end, ends_before=cut)
    assert laid.maximum_total <= whole.maximum_total
    assert all(week.ends_on <= end and week.ends_on < cut for week in laid.weeks)
    assert all(week.starts_on <= week.ends_on for week in laid.weeks)
    assert ("OUTSIDE_PERIOD" in codes(laid)) == any(week.starts_on > end for week in whole.weeks)


@pytest.mark.parametrize("sunday", ["2026-03-08", "2026-11-01"])
def test_a_week_with_a_clock_change_is_a_week(sunday):
    laid = frq.expand(frq.parse("3w2"), date.fromisoformat(sunday))
    assert [week.days for week in laid.weeks] == [7, 7]


def test_a_leap_day_and_a_year_end_are_days():
    assert frq.expand(frq.parse("1d2"), date(2028, 2, 28)).weeks[1].starts_on == date(2028, 2, 29)
    assert windows(frq.expand(frq.parse("1w2"), date(2026, 12, 31))) == [("12-31", "01-02", 1), ("01-03", "01-09", 1)]


# ------------------------------------------------------------------------------------ FRQ-04


@pytest.mark.example("FRQ-04", 2)
@pytest.mark.example("FRQ-04", 3)
@pytest.mark.example("FRQ-04", 4)
def test_frq_04_examples():
    laid = frq.expand(frq.parse("1-2w4"), date(2026, 11, 2))
    week = laid.week_of(date(2026, 11, 10))
    assert (week.starts_on, week.ends_on) == (date(2026, 11, 8), date(2026, 11, 14))
    assert (week.minimum, week.maximum) == (1, 2)
    assert frq.target(week) == 2
    assert frq.target(week, RangeTarget.LOWER) == 1
    assert frq.shortfall(week, 1) == 0
    assert frq.shortfall(week, 0) == 1
    assert frq.parse("1-2w4").maximum_total == 8


# ------------------------------------------------------------------------------------ FRQ-07


@pytest.mark.example("FRQ-07", 1)
def test_frq_07_example_under_both_settings():
    old = frq.expand(frq.parse("1w9"), date(2026, 11, 8)).weeks[0]
    new = frq.expand(frq.parse("3w1"), date(2026, 11, 11)).weeks[0]
    split = frq.split_week(old, new, done_before=1)
    assert (split.new_week.starts_on, split.new_week.ends_on, split.new_week.maximum) == (
        date(2026, 11, 11),
        date(2026, 11, 14),
        3,
    )
    assert (split.old_week.ends_on, split.old_week.minimum) == (date(2026, 11, 10), 0)
    assert split.warnings[0].params["suggestion"] == date(2026, 11, 15)
    stricter = frq.split_week(old, new, 1, MidweekChange.COUNT_WHOLE_WEEK)
    assert stricter.new_week.maximum == 2


@pytest.mark.example("FRQ-07", 2)
def test_frq_07_a_new_order_from_sunday_lets_the_old_week_close_normally():
    old = frq.expand(frq.parse("2w9"), date(2026, 11, 1)).weeks[0]
    new = frq.expand(frq.parse("3w1"), date(2026, 11, 8)).weeks[0]
    split = frq.split_week(old, new, 1)
    assert split == frq.MidweekSplit(old, new)
    assert frq.shortfall(split.old_week, 1) == 1


def test_frq_07_the_new_week_holds_no_more_than_fits():
    old = frq.expand(frq.parse("1w9"), date(2026, 11, 8)).weeks[0]
    new = frq.expand(frq.parse("3w1"), date(2026, 11, 13)).weeks[0]
    assert frq.split_week(old, new, 0).new_week.maximum == 2
    assert frq.split_week(old, new, 5, MidweekChange.COUNT_WHOLE_WEEK).new_week.maximum == 0


def test_frq_07_the_cut_week_of_a_superseded_order_has_no_floor():
    laid = frq.expand(frq.parse("2w4"), date(2026, 11, 1), ends_before=date(2026, 11, 11))
    assert [(week.minimum, week.maximum, week.ends_on.day) for week in laid.weeks] == [(2, 2, 7), (0, 2, 10)]
    assert laid.warnings == ()


# ------------------------------------------------------------------------------------ INT-02 on the calendar


@pytest.mark.parametrize(
    ("text", "effective_from", "run"),
    [
        ("1d30", "2026-11-02", 30),
        ("7w4", "2026-11-01", 28),
        ("1d21", "2026-11-02", 21),
        ("6w9", "2026-11-01", 0),
        ("3w9", "2026-11-01", 0),
        ("1d5 7w1", "2026-11-02", 6),
        ("1q2d10", "2026-11-02", 0),
    ],
)
@pytest.mark.example("INT-02", 3)
def test_int_02_daily_run_that_an_order_implies(text, effective_from, run):
    assert frq.implied_daily_run(frq.expand(frq.parse(text), date.fromisoformat(effective_from)).weeks) == run


def test_a_gap_breaks_a_daily_run():
    first = OrderWeek(1, date(2026, 11, 2), date(2026, 11, 3), 2, 2)
    later = OrderWeek(2, date(2026, 11, 5), date(2026, 11, 7), 3, 3)
    assert frq.implied_daily_run([first, later]) == 3


@given(FREQUENCIES)
def test_totals_agree_with_the_segments(frequency):
    assume(frequency.segments)
    assert 0 <= frequency.minimum_total <= frequency.maximum_total
    assert frequency.prn_total == sum(line.limit for line in frequency.prn)
