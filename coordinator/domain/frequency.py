"""How often an order says to visit: the notation `3w2`, what it means in days, and how it changes (FRQ)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from coordinator.domain.timeline import ONE_DAY, WeekAnchor, add_months, week_start
from coordinator.domain.vocabulary import Discipline

#: Longest text that is read at all: an order's frequency is a line, not a letter.
MAX_TEXT = 500
MAX_SEGMENTS = 30
#: More visits than this in a week cannot be meant (FRQ-01, a design decision).
MAX_PER_WEEK = 21
MAX_PRN = 99
#: Longest stretch that one order may cover, in days: orders end with their certification, at most a year.
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
        suffix = f" effective {_american(self.effective_from)}" if self.effective_from else ""
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


# ------------------------------------------------------------------------------------------ reading

#: Signs that people paste in place of the plain ones; each stands for one character, so that positions stay true.
_PLAIN = str.maketrans({"×": "x", "–": "-", "—": "-", "−": "-", "\u00a0": " "})
_FLAGS = re.IGNORECASE | re.ASCII
_UNIT = r"days?|d|weeks?|wks?|w|months?|mos?|m"
_COUNT = r"(?P<low>\d+)(?:\s*-\s*(?P<high>\d+))?"
#: `3w2`, `3 wk 2`, `3x/wk x2wks`, `7/wk x 1 wk`, `3 times a week for 2 weeks`.
_PLAINLY = re.compile(
    rf"{_COUNT}\s*(?:x|times)?\s*(?:/|per\b|an?\b)?\s*(?P<unit>{_UNIT})(?![a-z])"
    rf"\s*(?:(?:x|for)\s*)?(?P<duration>\d+)(?:\s*(?P<again>{_UNIT}))?(?!\w)",
    _FLAGS,
)
#: `1q2w8`.
_EVERY = re.compile(
    rf"{_COUNT}\s*q\s*(?P<every>\d+)\s*(?P<unit>days?|d|weeks?|wks?|w)(?![a-z])"
    rf"\s*(?:(?:x|for)\s*)?(?P<duration>\d+)(?:\s*(?P<again>{_UNIT}))?(?!\w)",
    _FLAGS,
)
#: `QOW x4`: four visits, one every other week.
_EVERY_OTHER_WEEK = re.compile(r"qow\s*(?:(?:x|for)\s*)?(?P<times>\d+)(?!\w)", _FLAGS)
#: `daily x5`.
_DAILY = re.compile(r"daily\s*(?:(?:x|for)\s*)?(?P<duration>\d+)(?:\s*(?:days?|d))?(?!\w)", _FLAGS)
_SEPARATORS = re.compile(r"(?:\s|[,;]|then\b)*", _FLAGS)
_DISCIPLINE = re.compile(r"\s*(?P<code>SN|PT|OT|SLP|ST|MSW|HHA|CHAP|MDV)(?![a-z])\s*(?::|x(?=[\s\d]))?\s*", _FLAGS)
_EFFECTIVE = re.compile(r"\beff(?:ective|\.)?\s*(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?!\w)", _FLAGS)
_PRN = re.compile(r"(?:(?<![\w.-])(?P<limit>\d+)\s*)?(?<![a-z])prn(?![a-z])", _FLAGS)
_PRN_LINK = re.compile(r"\s*(?::|for\b)\s*", _FLAGS)
_SEGMENT_IN_REASON = re.compile(r"(?<!\S)\d+(?:-\d+)?(?:q\d+)?[dwm]\d+(?!\w)", _FLAGS)
_REASON_EDGES = re.compile(r"^[\s,;.:+]+|(?:[\s,;.:+]|(?<=\s)then(?!\S))+$", _FLAGS)
#: Words that name no symptom.
_NO_REASON = frozenset({"as needed", "needed", "need", "prn"})

#: What a text that is no segment lacks: tried in this order.
_DIAGNOSES = (
    (re.compile(r"(?:.{0,40}?\b)?(?:remainder|rest of)\b", _FLAGS), "REMAINDER",
     "say for how many weeks, not 'for the remainder'"),
    (re.compile(r"eff", _FLAGS), "DATE_INVALID", "write the effective date as MM/DD/YYYY"),
    (re.compile(rf"{_COUNT}\s*(?:x|times)?\s*(?:/|per\b|an?\b)?\s*(?:q\s*\d+\s*)?(?:{_UNIT})(?![a-z0-9])", _FLAGS),
     "DURATION_MISSING", "say for how long"),
    (re.compile(r"(?:daily|qow)\b", _FLAGS), "DURATION_MISSING", "say for how long"),
    (re.compile(rf"(?:q\s*\d+\s*)?(?:{_UNIT})\s*\d", _FLAGS), "COUNT_MISSING", "say how many visits"),
)  # fmt: skip


def _american(day: date) -> str:
    return f"{day.month:02}/{day.day:02}/{day.year:04}"


def _number(digits: str, position: int) -> int:
    if len(digits) > 3:
        raise FrequencyError("NUMBER_TOO_LARGE", f"{digits[:6]} is too large a number", position)
    return int(digits)


def parse(text: str) -> Frequency:
    """Read a frequency; FrequencyError says what is wrong and where."""
    if len(text) > MAX_TEXT:
        raise FrequencyError("TOO_LONG", f"a frequency has at most {MAX_TEXT} characters", MAX_TEXT)
    plain = text.translate(_PLAIN)
    plain, effective_from = _take_effective(plain)
    first_prn = _PRN.search(plain)
    ordered = plain[: first_prn.start()].rstrip().removesuffix("+") if first_prn else plain
    prn = _read_prn(plain, first_prn) if first_prn else ()
    prefix = _DISCIPLINE.match(ordered)
    discipline, start = None, 0
    if prefix:
        code = prefix["code"].upper()
        discipline, start = Discipline.SLP if code == "ST" else Discipline(code), prefix.end()
    segments = tuple(_read_segments(ordered, start))
    if not segments and not prn:
        raise FrequencyError("EMPTY", "say how often to visit", 0)
    return Frequency(segments, prn, effective_from, discipline, text)


def _take_effective(plain: str) -> tuple[str, date | None]:
    """The text with its effective date blanked out, and that date."""
    dates = list(_EFFECTIVE.finditer(plain))
    if not dates:
        return plain, None
    if len(dates) > 1:
        raise FrequencyError("EFFECTIVE_TWICE", "one order takes effect on one day", dates[1].start())
    found = dates[0]
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        raise FrequencyError("DATE_INVALID", f"{found[0]} is no date", found.start()) from None
    if not 1900 <= day.year < 2200:
        raise FrequencyError("DATE_INVALID", f"{found[0]} is no date of our time", found.start())
    return plain[: found.start()] + " " * (found.end() - found.start()) + plain[found.end() :], day


def _read_segments(plain: str, position: int) -> Iterator[Segment]:
    count = covered = 0
    while True:
        separators = _SEPARATORS.match(plain, position)
        position = separators.end() if separators else position
        if position >= len(plain):
            return
        segment, end = _read_segment(plain, position)
        count += 1
        covered += segment.duration * {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31}[segment.unit]
        if count > MAX_SEGMENTS:
            raise FrequencyError("TOO_MANY_SEGMENTS", f"at most {MAX_SEGMENTS} parts", position)
        if covered > MAX_COVERED_DAYS:
            raise FrequencyError("DURATION_TOO_LONG", f"an order covers at most {MAX_COVERED_DAYS} days", position)
        yield segment
        position = end


def _read_segment(plain: str, position: int) -> tuple[Segment, int]:
    """The segment at `position`, and where it ends."""
    if found := _EVERY_OTHER_WEEK.match(plain, position):
        times = _number(found["times"], found.start("times"))
        return _segment("1", None, Unit.WEEK, 2 * times, 2, position), found.end()
    if found := _DAILY.match(plain, position):
        duration = _number(found["duration"], found.start("duration"))
        return _segment("1", None, Unit.DAY, duration, 1, position), found.end()
    every = 1
    if found := _EVERY.match(plain, position):
        every = _number(found["every"], found.start("every"))
    else:
        found = _PLAINLY.match(plain, position)
    if not found:
        raise _diagnosis(plain, position)
    unit = Unit(found["unit"][0].lower())
    if found["again"] and found["again"][0].lower() != unit.value:
        raise FrequencyError("UNIT_MISMATCH", "count and duration must be in the same unit", found.start("again"))
    duration = _number(found["duration"], found.start("duration"))
    return _segment(found["low"], found["high"], unit, duration, every, position), found.end()


def _segment(low: str, high: str | None, unit: Unit, duration: int, every: int, position: int) -> Segment:
    minimum = _number(low, position)
    maximum = minimum if high is None else _number(high, position)
    if maximum < minimum:
        raise FrequencyError("RANGE_REVERSED", f"the range {minimum}-{maximum} runs backwards", position)
    if maximum == 0:
        raise FrequencyError("COUNT_ZERO", "an order for no visits is no order", position)
    if duration == 0:
        raise FrequencyError("DURATION_ZERO", "an order that lasts no time is no order", position)
    if every == 0:
        raise FrequencyError("PERIOD_ZERO", "every how many?", position)
    if every > duration:
        raise FrequencyError("PERIOD_TOO_LONG", "the period is longer than the order", position)
    # Counted without fractions: visits in as many days as the unit has, against 21 in seven.
    days = every * {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31}[unit]
    if maximum * 7 > MAX_PER_WEEK * days:
        raise FrequencyError("COUNT_TOO_HIGH", f"more than {MAX_PER_WEEK} visits a week", position)
    return Segment(minimum, maximum, unit, duration, every)


def _diagnosis(plain: str, position: int) -> FrequencyError:
    for pattern, code, message in _DIAGNOSES:
        if pattern.match(plain, position):
            return FrequencyError(code, message, position)
    return FrequencyError("UNREADABLE", f"cannot read {plain[position : position + 20]!r}", position)


def _read_prn(plain: str, first: re.Match[str]) -> tuple[Prn, ...]:
    lines: list[Prn] = []
    found: re.Match[str] | None = first
    while found:
        if found["limit"] is None:
            raise FrequencyError("PRN_NUMBER_MISSING", "say how many as-needed visits at most", found.start())
        limit = _number(found["limit"], found.start())
        if limit == 0:
            raise FrequencyError("PRN_ZERO", "as-needed visits need a number above 0", found.start())
        if limit > MAX_PRN:
            raise FrequencyError("NUMBER_TOO_LARGE", f"at most {MAX_PRN} as-needed visits", found.start())
        link = _PRN_LINK.match(plain, found.end())
        following = next((line for line in _PRN.finditer(plain, found.end()) if line["limit"]), None)
        end = following.start() if following else len(plain)
        reason = _REASON_EDGES.sub("", " ".join(plain[link.end() : end].split())) if link else ""
        if not any(letter.isalpha() for letter in reason) or reason.lower() in _NO_REASON:
            raise FrequencyError("PRN_REASON_MISSING", "say for which symptoms: '2 PRN for ...'", found.start())
        if _SEGMENT_IN_REASON.search(reason):
            raise FrequencyError("PRN_NOT_LAST", "write scheduled visits before as-needed ones", found.start())
        lines.append(Prn(limit, reason))
        if len(lines) > MAX_SEGMENTS:
            raise FrequencyError("TOO_MANY_SEGMENTS", f"at most {MAX_SEGMENTS} parts", found.start())
        found = following
    return tuple(lines)


def _oddities(frequency: Frequency) -> Iterator[FrequencyWarning]:
    for segment in frequency.segments:
        if segment.minimum == 0:
            yield FrequencyWarning(
                "FLOOR_ZERO", "{segment} allows a week without any visit", {"segment": segment.render()}
            )
        if segment.duration % segment.every:
            yield FrequencyWarning(
                "BLOCK_CUT_SHORT", "the last stretch of {segment} is cut short", {"segment": segment.render()}
            )


# ------------------------------------------------------------------------------------------ on the calendar


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

    `effective_to` and `certification_end` are last days; windows after them are left out with a warning, windows
    across them are cut and keep floor and ceiling. `ends_before` is the first day on which a superseded or discontinued
    order no longer holds: the window that it cuts keeps its ceiling and has no floor (FRQ-07).

    Segments run back to back: a segment in weeks begins with the calendar week of the day on which the one before it
    ended, however little is left of that week.
    """
    last = min((day for day in (effective_to, certification_end) if day), default=None)
    weeks: list[OrderWeek] = []
    warnings = list(frequency.warnings)
    outside: list[date] = []
    cursor = effective_from
    for segment in frequency.segments:
        crowded = False
        windows, cursor = _windows(segment, cursor, anchor, soc)
        per_day = segment.maximum if segment.unit is Unit.DAY and segment.every == 1 else 1
        for starts_on, ends_on in windows:
            if last and starts_on > last:
                outside += [starts_on, ends_on]
                continue
            minimum, end = segment.minimum, min(ends_on, last) if last else ends_on
            if ends_before and end >= ends_before:
                if starts_on >= ends_before:
                    continue
                minimum, end = 0, ends_before - ONE_DAY
            week = OrderWeek(len(weeks) + 1, starts_on, end, minimum, segment.maximum, per_day)
            weeks.append(week)
            if week.fits < week.maximum and not crowded:
                crowded = True
                warnings.append(_crowded(segment, week))
    if outside:
        count = (week_start(max(outside), anchor, soc) - week_start(min(outside), anchor, soc)).days // 7 + 1
        warnings.append(
            FrequencyWarning("OUTSIDE_PERIOD", "{weeks} weeks fall outside the period", {"weeks": count, "last": last})
        )
    return Expansion(tuple(weeks), frequency.prn, tuple(warnings))


def _windows(
    segment: Segment, cursor: date, anchor: WeekAnchor, soc: date | None
) -> tuple[list[tuple[date, date]], date]:
    """The first and last day of each stretch of the segment, and the first day after them."""
    if segment.unit is Unit.MONTH:
        edges = [add_months(cursor, months) for months in range(0, segment.duration, segment.every)]
        after = add_months(cursor, segment.duration)
    else:
        unit = 7 if segment.unit is Unit.WEEK else 1
        base = week_start(cursor, anchor, soc) if segment.unit is Unit.WEEK else cursor
        edges = [base + timedelta(days=unit * at) for at in range(0, segment.duration, segment.every)]
        edges[0] = cursor
        after = base + timedelta(days=unit * segment.duration)
    return [(first, second - ONE_DAY) for first, second in zip(edges, [*edges[1:], after], strict=True)], after


def _crowded(segment: Segment, week: OrderWeek) -> FrequencyWarning:
    if segment.unit is Unit.WEEK and week.days < 7:
        suggestion = f"{max(1, round(week.maximum * week.days / 7))}w1"
    else:
        suggestion = f"{-(-week.maximum // week.days)}d{week.days}"
    return FrequencyWarning(
        "CANNOT_FIT",
        "{maximum} visits cannot fit at {per_day}/day into {days} days from {starts_on}; suggest {suggestion}",
        {
            "maximum": week.maximum,
            "per_day": week.per_day,
            "days": week.days,
            "starts_on": week.starts_on,
            "suggestion": suggestion,
        },
    )


def split_week(
    old: OrderWeek,
    new: OrderWeek,
    done_before: int,
    setting: MidweekChange = MidweekChange.COUNT_FROM_CHANGE,
    anchor: WeekAnchor = WeekAnchor.SUNDAY,
    soc: date | None = None,
) -> MidweekSplit:
    """The calendar week in which `new` (first week of the new order) takes over from `old` (FRQ-07).

    `done_before` counts visits of the discipline made in that week before `new` begins. An old week that had already
    ended closes normally, floor and all.
    """
    if old.ends_on < new.starts_on:
        return MidweekSplit(old, new)
    maximum = new.maximum - done_before if setting is MidweekChange.COUNT_WHOLE_WEEK else new.maximum
    maximum = max(0, min(maximum, new.days * new.per_day))
    first = replace(new, minimum=min(new.minimum, maximum), maximum=maximum)
    if old.starts_on >= new.starts_on:
        return MidweekSplit(None, first)
    cut = replace(old, ends_on=new.starts_on - ONE_DAY, minimum=0)
    better = week_start(new.starts_on, anchor, soc) + timedelta(days=7)
    return MidweekSplit(
        cut,
        first,
        (FrequencyWarning("MIDWEEK", "the order changes mid-week; consider {suggestion}", {"suggestion": better}),),
    )


def target(week: OrderWeek, setting: RangeTarget = RangeTarget.UPPER) -> int:
    """How many visits to plan for the window (FRQ-04)."""
    return week.maximum if setting is RangeTarget.UPPER else week.minimum


def shortfall(week: OrderWeek, done: int) -> int:
    """How many visits of the window were missed when it closed with `done` made (FRQ-03, FRQ-04)."""
    return max(0, week.minimum - done)


def implied_daily_run(weeks: Iterable[OrderWeek]) -> int:
    """Longest run of consecutive days that the order fills with a visit each (INT-02), in days.

    Only windows that are full count: `6w9` leaves a free day in every week, whichever it is.
    """
    longest = run = 0
    expected: date | None = None
    for week in weeks:
        if week.starts_on != expected:
            run = 0
        run = run + week.days if week.maximum >= week.days else 0
        longest = max(longest, run)
        expected = week.ends_on + ONE_DAY
    return longest
