"""When somebody works: weekly hours, single days, time off, and the days on which clocks change."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from coordinator.staff.model import Clinician, Shift, TimeOff
from coordinator.staff.service import availability, working_hours

ZONE = ZoneInfo("America/Los_Angeles")
MONDAY = date(2026, 11, 9)


def clinician(*shifts: Shift, off: tuple[tuple[datetime, datetime], ...] = ()) -> Clinician:
    return Clinician(
        shifts=list(shifts), time_off=[TimeOff(starts_at=first, ends_at=last, reason="sick") for first, last in off]
    )


def utc(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_weekly_hours_are_in_order_of_the_day() -> None:
    nurse = clinician(
        Shift(weekday=0, starts=time(13), ends=time(17)), Shift(weekday=0, starts=time(8), ends=time(12)),
        Shift(weekday=1, starts=time(9), ends=time(10)),
    )  # fmt: skip
    assert working_hours(nurse, MONDAY) == [(time(8), time(12)), (time(13), time(17))]
    assert working_hours(nurse, date(2026, 11, 11)) == []


def test_a_dated_row_replaces_the_weekly_hours_of_its_day_alone() -> None:
    nurse = clinician(
        Shift(weekday=0, starts=time(8), ends=time(16)), Shift(on_date=MONDAY, starts=time(10), ends=time(12))
    )
    assert working_hours(nurse, MONDAY) == [(time(10), time(12))]
    assert working_hours(nurse, date(2026, 11, 16)) == [(time(8), time(16))]


def test_a_dated_row_without_hours_is_a_day_off() -> None:
    nurse = clinician(Shift(weekday=0, starts=time(8), ends=time(16)), Shift(on_date=MONDAY))
    assert working_hours(nurse, MONDAY) == []
    assert availability(nurse, MONDAY, ZONE) == []


def test_time_off_cuts_the_hours() -> None:
    shift = Shift(weekday=0, starts=time(8), ends=time(16))
    assert availability(clinician(shift), MONDAY, ZONE) == [(utc(9, 16), utc(10, 0))]
    middle = clinician(shift, off=((utc(9, 18), utc(9, 19)),))
    assert availability(middle, MONDAY, ZONE) == [(utc(9, 16), utc(9, 18)), (utc(9, 19), utc(10, 0))]
    morning = clinician(shift, off=((utc(9, 10), utc(9, 17)),))
    assert availability(morning, MONDAY, ZONE) == [(utc(9, 17), utc(10, 0))]
    all_day = clinician(shift, off=((utc(9, 16), utc(10, 0)),))
    assert availability(all_day, MONDAY, ZONE) == []
    touching = clinician(shift, off=((utc(9, 10), utc(9, 16)), (utc(10, 0), utc(10, 8))))
    assert availability(touching, MONDAY, ZONE) == [(utc(9, 16), utc(10, 0))]
    twice = clinician(shift, off=((utc(9, 17), utc(9, 20)), (utc(9, 19), utc(9, 21))))
    assert availability(twice, MONDAY, ZONE) == [(utc(9, 16), utc(9, 17)), (utc(9, 21), utc(10, 0))]


def test_hours_follow_the_clock_on_the_wall_when_it_changes() -> None:
    sunday = Shift(weekday=6, starts=time(0), ends=time(8))
    # Clocks go back on 1 November 2026: the shift lasts nine hours.
    assert availability(clinician(sunday), date(2026, 11, 1), ZONE) == [(utc(1, 7), utc(1, 16))]
    # Clocks go forward on 8 March 2026: it lasts seven.
    assert availability(clinician(sunday), date(2026, 3, 8), ZONE) == [(utc(8, 8, month=3), utc(8, 15, month=3))]


def test_time_off_across_a_clock_change_is_cut_at_its_instants() -> None:
    sunday = Shift(weekday=6, starts=time(0), ends=time(8))
    off = ((utc(1, 8, 30), utc(1, 9, 30)),)  # 01:30 by summer time to 01:30 by winter time
    assert availability(clinician(sunday, off=off), date(2026, 11, 1), ZONE) == [
        (utc(1, 7), utc(1, 8, 30)),
        (utc(1, 9, 30), utc(1, 16)),
    ]
