"""The timetable: which job is due when, in branch time. Pure; `clock.py` acts on it.

Entries are data (`wiring.CLOCK`). When the server was down, only the latest missed slot of an entry is fired, so what
answers it must catch up with everything before its slot.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coordinator.domain.timeline import ONE_DAY, at_wall_clock, local_day

#: Wall-clock times that a clock change skips or repeats somewhere in the United States: nothing is timed in here.
UNSAFE_FROM, UNSAFE_UNTIL = time(1), time(3)


@dataclass(frozen=True, kw_only=True)
class ClockEntry:
    """A job that recurs for every branch: daily `at` a local time, on one `weekday` (Monday 0) or one day of the month,
    or `every` minutes.

    `grace` is how long after its slot a missed firing is still made good.
    """

    name: str
    job: str
    at: time | None = None
    weekday: int | None = None
    month_day: int | None = None
    every: int | None = None
    grace: timedelta

    def __post_init__(self) -> None:
        if (self.at is None) == (self.every is None):
            raise ValueError(f"clock entry {self.name} has either a time of day or an interval")
        if self.at is not None and self.at.tzinfo is not None:
            raise ValueError(f"clock entry {self.name} has a zone of its own; it is the branch's that counts")
        if self.at is not None and UNSAFE_FROM <= self.at < UNSAFE_UNTIL:
            raise ValueError(f"clock entry {self.name} lies where clock changes skip or repeat time")
        if self.every is not None and (self.every < 1 or 1440 % self.every or self.weekday is not None):
            raise ValueError(f"clock entry {self.name}: the interval must divide the day and has no weekday")
        if self.weekday is not None and not 0 <= self.weekday <= 6:
            raise ValueError(f"clock entry {self.name}: weekdays run from Monday 0 to Sunday 6")
        if self.month_day is not None and (
            self.at is None or self.weekday is not None or not 1 <= self.month_day <= 28
        ):
            raise ValueError(
                f"clock entry {self.name}: a day of the month has a time, no weekday, and is in every month"
            )
        if self.grace <= timedelta():
            raise ValueError(f"clock entry {self.name} needs a grace")


def slots_due(entry: ClockEntry, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """The slots of `entry` after `since` up to and with `until`, in order, in UTC.

    A daily entry has one slot on every local day (of its weekday, or of its day of the month), also where a clock
    change skips its time (then it is as much later as clocks moved) or repeats it (then it is the first). Intervals
    count from midnight UTC.
    """
    if entry.every is not None:
        step = timedelta(minutes=entry.every)
        midnight = datetime.combine(since.astimezone(UTC).date(), time(), UTC)
        slot = midnight + ((since - midnight) // step + 1) * step
        found = []
        while slot <= until:
            found.append(slot)
            slot += step
        return found
    assert entry.at is not None
    found = []
    # A day more on either side: a skipped time may land on the day after its own.
    day, last = local_day(since, zone) - ONE_DAY, local_day(until, zone) + ONE_DAY
    while day <= last:
        if entry.weekday in (None, day.weekday()) and entry.month_day in (None, day.day):
            slot = at_wall_clock(day, entry.at, zone)
            if since < slot <= until:
                found.append(slot)
        day += ONE_DAY
    return found
