"""When a clinician works: pure reading of loaded shifts and time off. Wall clock in, instants out."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from coordinator.domain.timeline import at_wall_clock
from coordinator.staff.model import Clinician


def working_hours(clinician: Clinician, day: date) -> list[tuple[time, time]]:
    """Hours of that day in the branch's wall clock, in order: dated rows replace the weekly ones, even by a day off."""
    rows = [row for row in clinician.shifts if row.on_date == day]
    if not rows:
        rows = [row for row in clinician.shifts if row.weekday == day.weekday()]
    return sorted((row.starts, row.ends) for row in rows if row.starts is not None and row.ends is not None)


def availability(clinician: Clinician, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Stretches of that day's hours that are not time off, as UTC instants, in order.

    On the days of a clock change the hours are what clocks in `zone` show, so a shift may last an hour more or less.
    """
    free = [
        (at_wall_clock(day, starts, zone), at_wall_clock(day, ends, zone))
        for starts, ends in working_hours(clinician, day)
    ]
    for off in clinician.time_off:
        free = [part for stretch in free for part in _without(stretch, off.starts_at, off.ends_at)]
    return free


def _without(
    stretch: tuple[datetime, datetime], starts_at: datetime, ends_at: datetime
) -> list[tuple[datetime, datetime]]:
    begins, ends = stretch
    parts = [(begins, min(ends, starts_at)), (max(begins, ends_at), ends)]
    return [(first, last) for first, last in parts if first < last]
