"""How often an order says to visit: the notation `3w2`, what it means in days, and how it changes (FRQ)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from coordinator.domain.timeline import WeekAnchor
from coordinator.domain.vocabulary import Discipline

#: Longest text that is read at all: an order's frequency is a line, not a letter.
MAX_TEXT = 500
MAX_SEGMENTS = 30
#: More visits than this in a week cannot be meant (FRQ-01, a design decision).
MAX_PER_WEEK = 21
MAX_PRN = 99
#: Longest stretch that one order may cover, in days: orders end with their certification, which some payers make a year.
MAX_COVERED_DAYS = 400


class FrequencyError(ValueError):
    """A text that is no frequency. `code` is stable, `position` counts characters of the text from 0."""

    def __init__(self, code: str, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class FrequencyWarning:
    """Something legal that was probably not meant. `params` fill the message."""

    code: str
    message: str
    params: dict[str, object] = field(default_factory=dict)

    def sentence(self) -> str:
        """The warning in words."""
        return self.message.format(**self.params)


class Unit(StrEnum):
    """Over what the visits of a segment are counted."""

    DAY = "d"
    WEEK = "w"
    MONTH = "m"


@dataclass(frozen=True, slots=True)
class Segment:
    """`minimum` to `maximum` visits in each stretch of `every` units, over `duration` units."""

    minimum: int
    maximum: int
    unit: Unit
    duration: int
    every: int = 1

    @property
    def blocks(self) -> int:
        """How many stretches the segment has; the last may be cut short."""
        return -(-self.duration // self.every)

    def render(self) -> str:
        """The segment as the book writes it: `3w2`, `1-2w4`, `1q2w8`."""
        count = str(self.maximum) if self.minimum == self.maximum else f"{self.minimum}-{self.maximum}"
        return f"{count}{'' if self.every == 1 else f'q{self.every}'}{self.unit.value}{self.duration}"


@dataclass(frozen=True, slots=True)
class Prn:
    """As-needed visits: at most `limit` of them, each for the symptoms named in `reason` (42 CFR 409.43(b))."""

    limit: int
    reason: str

    def render(self) -> str:
        """The allowance as the book writes it: `2 PRN for dyspnea`."""
        return f"{self.limit} PRN for {self.reason}"


@dataclass(frozen=True, slots=True)
class Frequency:
    """A frequency as ordered. `text` is what was typed; it takes no part in comparison."""

    segments: tuple[Segment, ...]
    prn: tuple[Prn, ...] = ()
    effective_from: date | None = None
    discipline: Discipline | None = None
    text: str = field(default="", compare=False)

    @property
    def maximum_total(self) -> int:
        """Scheduled visits at the upper limit of every range, which counts as the ordered frequency (FRQ-04)."""
        return sum(segment.maximum * segment.blocks for segment in self.segments)

    @property
    def minimum_total(self) -> int:
        """Scheduled visits at the lower limit of every range."""
        return sum(segment.minimum * segment.blocks for segment in self.segments)

    @property
    def prn_total(self) -> int:
        """As-needed visits allowed in all."""
        return sum(line.limit for line in self.prn)

    @property
    def weeks(self) -> int:
        """Calendar weeks covered by the segments counted in weeks."""
        return sum(segment.duration for segment in self.segments if segment.unit is Unit.WEEK)

    @property
    def warnings(self) -> tuple[FrequencyWarning, ...]:
        """What is odd about the text itself, whatever the dates."""
        return tuple(_oddities(self))

    def render(self) -> str:
        """The canonical text: `1w1, 3w2, 2w6, 2 PRN for dyspnea`. Parsing it gives an equal frequency."""
        parts = ", ".join([*(segment.render() for segment in self.segments), *(line.render() for line in self.prn)])
        prefix = f"{self.discipline.value} " if self.discipline else ""
        suffix = f" effective {self.effective_from:%m/%d/%Y}" if self.effective_from else ""
        return f"{prefix}{parts}{suffix}"


@dataclass(frozen=True, slots=True)
class OrderWeek:
    """A window of an order with its floor and ceiling: a calendar week, a day, a month or a block of them (FRQ-02).

    `per_day` is how many visits one day may have without a special reason (FRQ-03).
    """

    index: int
    starts_on: date
    ends_on: date
    minimum: int
    maximum: int
    per_day: int = 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.starts_on <= day <= self.ends_on

    @property
    def days(self) -> int:
        """Days in the window."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def fits(self) -> int:
        """How many of the maximum fit into the window at `per_day` a day."""
        return min(self.maximum, self.days * self.per_day)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A frequency laid out on the calendar."""

    weeks: tuple[OrderWeek, ...]
    prn: tuple[Prn, ...] = ()
    warnings: tuple[FrequencyWarning, ...] = ()

    def week_of(self, day: date) -> OrderWeek | None:
        """The window that holds `day`; `None` when the order schedules nothing then."""
        return next((week for week in self.weeks if day in week), None)

    @property
    def maximum_total(self) -> int:
        """The ceilings of all windows together."""
        return sum(week.maximum for week in self.weeks)


class RangeTarget(StrEnum):
    """Which end of a range the planner aims for (setting `frequency.range_target`)."""

    UPPER = "upper"
    LOWER = "lower"


class MidweekChange(StrEnum):
    """What earlier visits of a calendar week count for when a new order begins in it (FRQ-07)."""

    #: The new order's first week is counted from its first day.
    COUNT_FROM_CHANGE = "count_from_change"
    #: Visits already made in the calendar week use up the new order's first week too.
    COUNT_WHOLE_WEEK = "count_whole_week"


@dataclass(frozen=True, slots=True)
class MidweekSplit:
    """The calendar week in which one order follows another. `old_week` is `None` when nothing of it is left."""

    old_week: OrderWeek | None
    new_week: OrderWeek
    warnings: tuple[FrequencyWarning, ...] = ()


def parse(text: str) -> Frequency:
    """Read a frequency; FrequencyError says what is wrong and where."""
    raise NotImplementedError


def expand(
    frequency: Frequency,
    effective_from: date,
    *,
    effective_to: date | None = None,
    certification_end: date | None = None,
    ends_before: date | None = None,
    anchor: WeekAnchor = WeekAnchor.SUNDAY,
    soc: date | None = None,
) -> Expansion:
    """Lay the frequency out from `effective_from` (FRQ-02).

    `effective_to` and `certification_end` are last days. `ends_before` is the first day on which a superseded or
    discontinued order no longer holds: the window that it cuts keeps its ceiling and has no floor (FRQ-07).
    """
    raise NotImplementedError


def split_week(
    old: OrderWeek, new: OrderWeek, done_before: int, setting: MidweekChange = MidweekChange.COUNT_FROM_CHANGE
) -> MidweekSplit:
    """The week in which `new` (first week of the new order) takes over from `old` (FRQ-07).

    `done_before` counts visits of the discipline made in the calendar week before `new` begins.
    """
    raise NotImplementedError


def target(week: OrderWeek, setting: RangeTarget = RangeTarget.UPPER) -> int:
    """How many visits to plan for the window (FRQ-04)."""
    return week.maximum if setting is RangeTarget.UPPER else week.minimum


def implied_daily_run(weeks: Iterable[OrderWeek]) -> int:
    """Longest run of consecutive days that the order fills with a visit each (INT-02), in days."""
    raise NotImplementedError


def _oddities(frequency: Frequency) -> Iterator[FrequencyWarning]:
    raise NotImplementedError
