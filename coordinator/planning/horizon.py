"""The days of a run as the planner counts them: minutes of elapsed time from the first local midnight.

Wall clock becomes an instant first and minutes after, so that a day on which the clocks change has 23 or 25 hours.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coordinator.domain.timeline import at_wall_clock, day_bounds, local_day

ONE_DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Horizon:
    """From the beginning of `start_on` to the end of `end_on`, days of `zone`."""

    zone: ZoneInfo
    start_on: date
    end_on: date

    @property
    def days(self) -> tuple[date, ...]:
        """Every day, in order."""
        return tuple(self.start_on + timedelta(days=n) for n in range((self.end_on - self.start_on).days + 1))

    @property
    def starts_at(self) -> datetime:
        """Minute 0."""
        return day_bounds(self.start_on, self.zone)[0]

    @property
    def ends_at(self) -> datetime:
        """The first instant after the last day."""
        return day_bounds(self.end_on, self.zone)[1]

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start_on <= day <= self.end_on

    def minute(self, instant: datetime) -> int:
        """Whole minutes from minute 0, rounded down; may be negative or beyond the end."""
        return (instant.astimezone(UTC) - self.starts_at) // MINUTE

    def minute_up(self, instant: datetime) -> int:
        """Whole minutes from minute 0, rounded up."""
        return -((self.starts_at - instant.astimezone(UTC)) // MINUTE)

    def instant(self, minute: int) -> datetime:
        """The instant of a minute, UTC."""
        return self.starts_at + minute * MINUTE

    def at(self, day: date, clock: time, *, later: bool = False) -> int:
        """The minute at which clocks show `clock` on `day`; of a time that comes twice the first, or the `later`."""
        return self.minute(at_wall_clock(day, clock, self.zone, later=later))

    def index(self, day: date) -> int:
        """Position of a day; negative before the first, beyond the last after it."""
        return (day - self.start_on).days

    def day_of(self, instant: datetime) -> date:
        """The local day of an instant."""
        return local_day(instant, self.zone)

    def bounds(self, day: date) -> tuple[int, int]:
        """First minute of a day, and first minute after it."""
        first, after = day_bounds(day, self.zone)
        return self.minute(first), self.minute(after)
