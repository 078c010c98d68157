"""Days, weeks and periods of home care (rule book 0.1 to 0.3), and the bridge between instants and local days.

A day is a `date` in the agency's zone; an instant is aware. Nothing here asks the computer for the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Length of a certification period in days, counted with start of care as day 1 (42 CFR 424.22(b)).
CERTIFICATION_DAYS = 60
#: The recertification assessment is made in the last five days of the period (42 CFR 484.55(d)(1)).
RECERTIFICATION_WINDOW_DAYS = 5
#: Length of a PDGM payment period in days (42 CFR 484.205, 484.230(b)).
PAYMENT_PERIOD_DAYS = 30
#: Comprehensive assessment and notice of admission: days after start of care as day 0 (484.55(b)(1), 484.205(j)).
ASSESSMENT_DAYS = 5

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += ONE_DAY

    @property
    def days(self) -> int:
        """Number of days; never negative."""
        return max(0, (self.last - self.first).days + 1)


# ------------------------------------------------------------------------------------ periods of care


def _period(soc: date, number: int, length: int) -> DateSpan:
    if number < 1:
        raise ValueError(f"periods are numbered from 1, not {number}")
    first = soc + timedelta(days=length * (number - 1))
    return DateSpan(first, first + timedelta(days=length - 1))


def certification_period(soc: date, number: int) -> DateSpan:
    """Certification period `number` (1, 2, ...): sixty days, of which start of care is day 1."""
    return _period(soc, number, CERTIFICATION_DAYS)


def certification_period_of(soc: date, day: date) -> int:
    """The number of the certification period that holds `day`; ValueError before start of care."""
    elapsed = (day - soc).days
    if elapsed < 0:
        raise ValueError(f"{day} is before start of care {soc}")
    return elapsed // CERTIFICATION_DAYS + 1


def recertification_window(soc: date, number: int) -> DateSpan:
    """Days 56 to 60 of certification period `number`, in which recertification is assessed."""
    last = certification_period(soc, number).last
    return DateSpan(last - timedelta(days=RECERTIFICATION_WINDOW_DAYS - 1), last)


def payment_period(soc: date, number: int) -> DateSpan:
    """PDGM payment period `number` (1, 2, ...): thirty days, of which start of care is day 1."""
    return _period(soc, number, PAYMENT_PERIOD_DAYS)


def assessment_due(soc: date) -> date:
    """Last day on which the comprehensive assessment is in time: start of care is day 0."""
    return soc + timedelta(days=ASSESSMENT_DAYS)


def notice_of_admission_due(soc: date) -> date:
    """Last day on which the notice of admission is in time: start of care is day 0."""
    return soc + timedelta(days=ASSESSMENT_DAYS)


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later (or earlier), or that month's last day when it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    last = (date(year + month // 12, month % 12 + 1, 1) - ONE_DAY).day
    return date(year, month, min(day.day, last))


# ------------------------------------------------------------------------------------------ weeks


class WeekAnchor(StrEnum):
    """On which weekday a week begins (setting `visit_week_anchor`)."""

    SUNDAY = "sunday"
    MONDAY = "monday"
    SOC_WEEKDAY = "soc_weekday"


def first_weekday(anchor: WeekAnchor, soc: date | None = None) -> int:
    """ISO weekday (Monday 1 to Sunday 7) on which weeks begin; `SOC_WEEKDAY` needs `soc`."""
    if anchor is WeekAnchor.SUNDAY:
        return 7
    if anchor is WeekAnchor.MONDAY:
        return 1
    if soc is None:
        raise ValueError("weeks that begin on the weekday of start of care need its date")
    return soc.isoweekday()


def week_start(day: date, anchor: WeekAnchor = WeekAnchor.SUNDAY, soc: date | None = None) -> date:
    """First day of the week that holds `day`."""
    return day - timedelta(days=(day.isoweekday() - first_weekday(anchor, soc)) % 7)


def week_of(day: date, anchor: WeekAnchor = WeekAnchor.SUNDAY, soc: date | None = None) -> DateSpan:
    """The seven days of the week that holds `day`."""
    first = week_start(day, anchor, soc)
    return DateSpan(first, first + timedelta(days=6))


def weeks_touched(first: date, days: int = CERTIFICATION_DAYS, anchor: WeekAnchor = WeekAnchor.SUNDAY) -> int:
    """How many weeks hold at least one of the `days` days from `first`, which is start of care where the anchor asks.

    A certification that starts Sunday to Wednesday touches nine, Thursday to Saturday ten.
    """
    if days < 1:
        return 0
    offset = (first - week_start(first, anchor, first)).days
    return (offset + days + 6) // 7


def order_week_index(effective_from: date, day: date, anchor: WeekAnchor = WeekAnchor.SUNDAY,
                     soc: date | None = None) -> int:  # fmt: skip
    """Which week of an order holds `day`: week 1 is the calendar week of `effective_from`, however little is left."""
    if day < effective_from:
        raise ValueError(f"{day} is before the order takes effect on {effective_from}")
    return (week_start(day, anchor, soc) - week_start(effective_from, anchor, soc)).days // 7 + 1


def order_week(effective_from: date, index: int, anchor: WeekAnchor = WeekAnchor.SUNDAY,
               soc: date | None = None) -> DateSpan:  # fmt: skip
    """The days of week `index` (1, 2, ...) of an order; week 1 begins on `effective_from`."""
    if index < 1:
        raise ValueError(f"weeks of an order are numbered from 1, not {index}")
    first = week_start(effective_from, anchor, soc) + timedelta(weeks=index - 1)
    return DateSpan(max(first, effective_from), first + timedelta(days=6))


# ------------------------------------------------------------------------------------ business days


class HolidayCalendar(StrEnum):
    """Whose holidays are no business days."""

    #: 5 U.S.C. 6103: a Saturday holiday is observed on Friday, a Sunday one on Monday.
    US_FEDERAL = "US_FEDERAL"
    #: California Government Code 19853, the days on which state offices close: a Sunday holiday is observed on
    #: Monday; of Saturday ones only Veterans Day is, on Friday. Juneteenth closes no state office.
    CA_STATE = "CA_STATE"


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    """The `nth` `weekday` (Monday 0) of a month; from the end when `nth` is negative."""
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = add_months(date(year, month, 1), 1) - ONE_DAY
    return last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-nth - 1))


@lru_cache(maxsize=256)
def holidays(year: int, calendar: HolidayCalendar) -> frozenset[date]:
    """Weekdays of `year` on which the calendar's offices are closed, with observed days in place of weekend ones."""
    return frozenset(day for source in (year, year + 1) for day in _observed(source, calendar) if day.year == year)


def _observed(year: int, calendar: HolidayCalendar) -> Iterator[date]:
    thanksgiving = _nth(year, 11, 3, 4)
    veterans = date(year, 11, 11)
    fixed = [date(year, 1, 1), date(year, 7, 4), veterans, date(year, 12, 25)]
    floating = [_nth(year, 1, 0, 3), _nth(year, 2, 0, 3), _nth(year, 5, 0, -1), _nth(year, 9, 0, 1), thanksgiving]
    if calendar is HolidayCalendar.US_FEDERAL:
        fixed.append(date(year, 6, 19))
        floating.append(_nth(year, 10, 0, 2))
    else:
        fixed.append(date(year, 3, 31))
        floating.append(thanksgiving + ONE_DAY)
    yield from floating
    for day in fixed:
        if day.weekday() == 6:
            yield day + ONE_DAY
        elif day.weekday() < 5:
            yield day
        elif calendar is HolidayCalendar.US_FEDERAL or day == veterans:
            yield day - ONE_DAY


def is_business_day(day: date, calendar: HolidayCalendar) -> bool:
    """Monday to Friday and no holiday of the calendar."""
    return day.weekday() < 5 and day not in holidays(day.year, calendar)


def add_business_days(day: date, count: int, calendar: HolidayCalendar) -> date:
    """The `count`-th business day after `day`, which itself is day 0 whether or not it is a business day."""
    if count < 0:
        raise ValueError(f"business days are counted forward, not {count}")
    while count:
        day += ONE_DAY
        if is_business_day(day, calendar):
            count -= 1
    return day


# ------------------------------------------------------------------------------------ zones


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} carries no zone")
    return instant


def at_wall_clock(day: date, clock: time, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """The instant, in UTC, at which clocks in `zone` show `clock` on `day`.

    A time that the spring change skips is moved forward by the hour that is missing (02:30 becomes 03:30), as a clock
    that nobody set would do. A time that the autumn change repeats is the first of the two, or the second with `later`.
    """
    if clock.tzinfo is not None:
        raise ValueError("a wall-clock time carries no zone of its own")
    local = datetime.combine(day, clock.replace(fold=0), zone)
    if later:
        second = local.replace(fold=1)
        # Only in the fold is the second reading the later one; in the gap it would lead backwards.
        if second.astimezone(UTC) > local.astimezone(UTC):
            local = second
    return local.astimezone(UTC)


@lru_cache(maxsize=4096)  # a plan of four weeks asks for the same midnights some ten thousand times
def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of the local day and the first instant after it, in UTC: 23, 24 or 25 hours apart."""
    return at_wall_clock(day, time(), zone), at_wall_clock(day + ONE_DAY, time(), zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day in `zone` at an aware instant; ValueError for a naive one."""
    return _aware(instant).astimezone(zone).date()


def minutes_by_day(start: datetime, end: datetime, zone: ZoneInfo) -> dict[date, int]:
    """Elapsed whole minutes of [start, end) on each local day that it touches, split at local midnight.

    The parts always add up to the whole minutes between `start` and `end`. A day that gets no whole minute is left out.
    """
    start, end = _aware(start).astimezone(UTC), _aware(end).astimezone(UTC)
    if end < start:
        raise ValueError(f"{end.isoformat()} is before {start.isoformat()}")
    minutes: dict[date, int] = {}
    day, counted = local_day(start, zone), 0
    while start + timedelta(minutes=counted) < end:
        upto = min(end, day_bounds(day, zone)[1])
        total = int((upto - start).total_seconds()) // 60
        if total > counted:
            minutes[day] = total - counted
            counted = total
        if upto == end:
            break
        day += ONE_DAY
    return minutes
