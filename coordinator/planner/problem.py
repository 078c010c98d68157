"""What is to be planned: days, places, clinicians with their shifts, visits, and what ties visits to each other.

Units, everywhere: a *minute* is counted from the start of the horizon (minute 0), durations are in minutes, travel
comes in seconds and is rounded up to whole minutes once, distance is in metres, money is in cents. All numbers are
integers.
Clinicians, days, places and visits are named by their position in the problem's tuples. A day carries its own start and
end, so that a day on which the clocks change has 23 or 25 hours and needs no further care.

The planner knows no law and no people: it is given allowed pairs, caps and prices, and for each forbidden pair a
`Reason` that it hands back unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class ProblemError(ValueError):
    """The problem or plan is wrong in `field`, such as `visits[3].windows[0]`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not possible: a code and the facts to say it with.

    Reasons that come with the problem are opaque to the planner. Its own codes are listed in `reasons.py`.
    """

    code: str
    parameters: tuple[tuple[str, int | str], ...] = ()

    @classmethod
    def of(cls, code: str, **parameters: int | str) -> Reason:
        """A reason with its parameters in alphabetical order, so that equal reasons compare equal."""
        return cls(code, tuple(sorted(parameters.items())))

    def facts(self) -> dict[str, int | str]:
        """The parameters by name."""
        return dict(self.parameters)


@dataclass(frozen=True, slots=True)
class Day:
    """One day, `start_minute` up to but not including `end_minute`; days are in order and never overlap."""

    start_minute: int
    end_minute: int
    label: str = ""
    week: int = 0
    """Which pay week the day belongs to (0, 1, ...): week limits, week caps and faces per week are counted by it."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a visit may *start*, both ends included. One that must also end in time has an earlier `latest_start`.

    As a preferred window it may be so short for the care that it must end in it that `latest_start` comes before
    `earliest_start`: then even the visit that starts at once is late.
    """

    earliest_start: int
    latest_start: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time, `start_minute` up to but not including `end_minute`."""

    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True)
class Break:
    """A meal or rest break: `minutes` long, starting between `earliest_start` and `latest_start`, unpaid.

    It is taken in one piece between two visits (driving may be before or after it), or in free time before leaving
    or after returning. It is owed only when the day's worked minutes exceed `owed_after_minutes`.

    With `splits_drive` off it is taken on the round and never in mid-drive: on arrival at a visit, or before driving on
    when there is no time to arrive first; after the last visit, before driving home. One that opens the day is taken on
    arrival at the first visit, and the wait between it and what comes next is nobody's waiting.
    """

    earliest_start: int
    latest_start: int
    minutes: int
    skip_cost: int | None = None
    """Cents for going without it on a day it is owed; None: it may not be skipped (hard)."""
    owed_after_minutes: int = 0
    """-1: owed on a day without visits too, where it cannot be taken."""
    splits_drive: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """One clinician's shift on one day: at most one per (clinician, day). No slot: the clinician is off that day.

    Worked minutes of a day run from leaving `start_place` (so as to be just in time for the first visit) to reaching
    `end_place`, waiting included, breaks and time off excluded. A place of None: the way from or to it is not work.
    """

    clinician: int
    day: int
    start_place: int | None
    end_place: int | None
    shift_start: int
    shift_end: int
    overtime_after_minutes: int | None = None
    """Worked minutes of this day that are paid before overtime; None: no daily overtime."""
    max_minutes: int | None = None
    """Hard limit of worked minutes this day."""
    max_visits: int | None = None
    """Hard limit of visits this day, locked ones included."""
    breaks: tuple[Break, ...] = ()
    """At most four; in order of their earliest start."""
    unavailable: tuple[Interval, ...] = ()
    """Time off within the shift: neither care nor driving happens in it."""
    overtime_from: int | None = None
    """Minute of the horizon from which being on the way is overtime; instead of `overtime_after_minutes`. The shift as
    `Weights.longest_idle_minute` sees it ends here."""
    doubletime_after_minutes: int | None = None
    """Worked minutes of this day after which each costs `Weights.doubletime_minute` besides any overtime."""
    leaves_at_shift_start: bool = False
    """The day is worked from `shift_start`, so that waiting for the first visit counts."""
    counts_idle: bool = True
    """False: `Weights.longest_idle_minute` does not look at this shift (somebody without fixed hours)."""


@dataclass(frozen=True, slots=True)
class Clinician:
    """One who makes visits. The week's numbers hold for each pay week of the horizon."""

    key: str
    week_overtime_after_minutes: int | None = None
    """Worked minutes of a week paid before overtime (minutes already overtime by the day are not counted twice)."""
    week_max_minutes: int | None = None
    """Hard limit of worked minutes in a week."""
    fair_share_minutes: int | None = None
    """Worked minutes a week that are this clinician's fair share; what goes beyond costs `Weights.fairness_minute`."""
    already_worked_minutes: tuple[int, ...] = ()
    """Minutes already worked in each week, outside this problem's slots (missing: 0)."""


@dataclass(frozen=True, slots=True)
class Preference:
    """What it costs, in cents, that this clinician makes the visit: one wish, such as continuity, language or gender.

    A wish named `continuity` is also what the continuity ratio is measured by.
    """

    name: str
    costs: Mapping[int, int]
    """Cents by clinician."""
    otherwise: int = 0
    """Cents for any clinician that is not in `costs`."""


@dataclass(frozen=True, slots=True)
class Current:
    """Where a visit is now (in the published plan), and what it costs to move it."""

    clinician: int
    day: int
    start_minute: int
    told: bool = False
    """The patient has been told; only carried through to the diff: the prices below should already be higher for it."""
    clinician_change_cost: int = 0
    day_change_cost: int = 0
    time_change_cost: int = 0
    """Cents once, when the day stays and the start moves by more than `time_tolerance_minutes`."""
    time_tolerance_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One wanted visit.

    It is made at most once, by one clinician, on one day that has a window. A visit that needs two clinicians is two
    visits with a `Linked` tie, and one that needs three has three.
    """

    key: str
    patient: str
    place: int | None
    """None: by telephone or video, made from wherever the clinician's previous stop is."""
    minutes: int
    """Minutes with the patient, at least 1."""
    windows: Mapping[int, tuple[Window, ...]]
    """Hard windows by day, in order; a day without an entry is not allowed (say why in `closed_days`)."""
    discipline: str = ""
    minutes_by_clinician: Mapping[int, int] = field(default_factory=dict)
    """Where it differs from `minutes`."""
    unplaced_cost: int = 100_000
    """Cents for leaving the visit out: its priority. Not used for a mandatory visit."""
    mandatory: bool = False
    """Leaving it out is a broken hard rule, priced at `Weights.mandatory`."""
    preferred: Mapping[int, tuple[Window, ...]] = field(default_factory=dict)
    """Soft windows by day, in order of their opening. In force is the last that has opened by the start of the visit
    (before any has, the first): a visit in the gap between two is late for the one, not early for the other."""
    late_cost: int = 0
    """Cents for each minute that the visit starts after the `latest_start` of the preferred window in force."""
    early_cost: int = 0
    """Cents for each minute that the visit starts before the first preferred window."""
    day_costs: Mapping[int, int] = field(default_factory=dict)
    """Cents for making it on this day (missing: 0)."""
    preferences: tuple[Preference, ...] = ()
    forbidden: Mapping[int, Reason] = field(default_factory=dict)
    """Clinicians that may not make it on any day, and why: skill, credential, exclusion, language rule."""
    forbidden_days: Mapping[tuple[int, int], Reason] = field(default_factory=dict)
    """(clinician, day) pairs that are not allowed, and why: a credential that lapses midweek."""
    closed_days: Mapping[int, Reason] = field(default_factory=dict)
    """Why a day has no window: before the order starts, a dialysis day."""
    current: Current | None = None
    locked: bool = False
    """Stays exactly where `current` says, whatever windows, skills or prices say; needs `current`."""
    lock_reason: Reason | None = None
    """Why it is locked, where that is not for people to change (it has begun); None: somebody locked it, and may
    unlock it where `Problem.liftable` has `locked`. Only `relax` reads it."""
    widest: Mapping[int, Window] = field(default_factory=dict)
    """How far the windows of a day might be changed (missing: over the whole day, so that the visit ends in it). Only
    `relax` reads it."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """Visits of one order that must not crowd: hard minimum, soft ideal, in days from one to the next."""

    visits: tuple[int, ...]
    min_gap_days: int = 0
    """Hard: any two are at least this many days apart (1: never on the same day)."""
    ideal_gap_days: int = 0
    """Soft: each day that one visit and the next are closer than this costs `cost`."""
    at_most_one_per_day: bool = True
    """Hard; the same as a minimum of one day."""
    cost: int = 0
    """Cents per missing day."""
    held_days: tuple[int, ...] = ()
    """Days of visits of this order outside the problem, as day indices; may be negative or beyond the horizon."""


@dataclass(frozen=True, slots=True)
class DailyLimit:
    """At most `max_per_day` of these visits on one day, e.g. all visits of one patient."""

    visits: tuple[int, ...]
    max_per_day: int
    held: tuple[int, ...] = ()
    """Visits outside the problem that count too, by day (missing: 0)."""


@dataclass(frozen=True, slots=True)
class FacesLimit:
    """Soft: each distinct clinician beyond `free_faces` among these visits in one pay week costs `cost`."""

    visits: tuple[int, ...]
    cost: int
    free_faces: int = 1
    held_faces: tuple[tuple[int, int], ...] = ()
    """(week, clinician) pairs already seen outside this problem."""


@dataclass(frozen=True, slots=True)
class GroupCap:
    """Hard: minutes of these visits together, by day and by pay week; e.g. nurse plus aide care of one patient."""

    visits: tuple[int, ...]
    day_cap_minutes: int | None = None
    week_cap_minutes: int | None = None
    used_by_day: tuple[int, ...] = ()
    """Minutes already used on each day, counted against the day cap (missing: 0)."""
    used_by_week: tuple[int, ...] = ()
    """Minutes already used in each week, counted against the week cap; includes those in `used_by_day`."""


@dataclass(frozen=True, slots=True)
class DayPatterns:
    """Hard: the days of an order's visits follow one of some patterns, such as Monday and Friday or Tuesday and
    Wednesday. Where a list of days for each visit says the same, its windows say it better."""

    visits: tuple[int, ...]
    patterns: tuple[tuple[int, ...], ...]
    """Each has the day of every visit, in the order of `visits`; of visits left out nothing is asked."""


@dataclass(frozen=True, slots=True)
class SeventhDay:
    """Soft: whoever works on every day of a week is paid more from the first minute of the last.

    On top of the week's and the day's overtime: what those pay already is not paid twice (California Labor Code 510).
    """

    clinician: int
    others: tuple[int, ...]
    """The other days of the week, of the pay week of `last`; without those already worked outside the problem."""
    last: int
    cost_minute: int
    """Cents for each minute of the last day that is not overtime already."""
    double_after_minutes: int | None = None
    """Minutes of the last day after which each costs `double_cost_minute` besides; None: none does."""
    double_cost_minute: int = 0
    """As `Weights.doubletime_minute`, and never for minutes that the day's second step of overtime has already."""


@dataclass(frozen=True, slots=True)
class Regularity:
    """Soft: visits of one order that should be made at about the same time of the day."""

    visits: tuple[int, ...]
    tolerance_minutes: int
    """How far the earliest and the latest time of day may lie apart for nothing."""
    cost_minute: int
    """Cents for each minute beyond it."""
    held_minutes: tuple[int, ...] = ()
    """Starts of visits of this order outside the problem, in minutes from the start of their day."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What it costs to change what is published, by patient and by clinician, and how many patients may be touched.

    A visit is changed when it has a `current` and is not made there: left out, by somebody else, on another day, or
    beyond its `time_tolerance_minutes`. These prices come besides those of `Current`.
    """

    patient_cost: int = 0
    """Cents once for each patient any of whose visits is changed."""
    told_patient_cost: int = 0
    """The same when any of the patient's changed visits had been told; not added to `patient_cost`."""
    clinician_cost: int = 0
    """Cents once for each clinician's day that changes and of which something had been told: one of its visits is
    changed, or another comes in."""
    max_patients: int | None = None
    """Hard: at most so many patients are touched."""
    exempt_patients: tuple[str, ...] = ()
    """Patients whom the event itself has touched: they cost nothing and do not count."""


class LinkKind(StrEnum):
    """How two visits are tied in time."""

    TOGETHER = "together"
    """They start at the same minute."""
    GAP = "gap"
    """The second starts between `min_minutes` and `max_minutes` after the first starts."""
    BOTH = "both"
    """No relation in time."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Hard: two visits that are made both or not at all, mostly tied in time. A visit may be in several links."""

    first: int
    second: int
    kind: LinkKind = LinkKind.TOGETHER
    min_minutes: int = 0
    max_minutes: int = 0
    different_clinicians: bool = True
    """True: two people; False: either way unless together, and `same_clinician` may ask for one."""
    same_clinician: bool = False


LIFTABLE = frozenset({"window", "no-window", "locked", "shift-full", "day-max", "week-max", "max-visits"})
"""What people usually may change for one visit's sake: its time, a day that nobody closed, a lock that somebody set, a
shift's end, worked minutes of a day or week, the number of visits a day."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Prices in cents of what is not priced on the visit itself."""

    travel_minute: int = 60
    travel_kilometre: int = 0
    """Applied to whole legs, rounded down to the cent; needs `Problem.travel_metres`."""
    waiting_minute: int = 20
    overtime_minute: int = 120
    doubletime_minute: int = 0
    """Cents on top of overtime for a minute beyond `Slot.doubletime_after_minutes`."""
    fairness_minute: int = 5
    worst_late_minute: int = 0
    """Cents for each minute of the greatest lateness of all visits with a preferred window."""
    longest_wait_minute: int = 0
    """Cents for each minute of the longest single wait of all shifts."""
    longest_idle_minute: int = 0
    """Cents for each minute of the greatest idle time of all shifts: from the start of the shift to its end, or to the
    return if that is later, without travel, care, breaks and time off. An unused shift is idle from end to end."""
    balance_minute: int = 0
    """Cents for each minute by which a clinician's care and travel differ from the mean of all clinicians, rounded up
    for each of them."""
    idle_gap_minute: int = 0
    """Cents for each minute of a single wait beyond `idle_gap_after_minutes`, besides `waiting_minute`."""
    idle_gap_after_minutes: int = 60
    mandatory: int = 10_000_000
    """Cents for a mandatory visit, or a locked one, that is left out; it is a broken hard rule as well."""


@dataclass(frozen=True, eq=False)
class Problem:
    """One planning run. Nothing in it is changed by the planner."""

    name: str
    days: tuple[Day, ...]
    travel_seconds: NDArray[np.int32]
    """Square: seconds from row place to column place; need not be symmetric or metric."""
    clinicians: tuple[Clinician, ...]
    slots: tuple[Slot, ...]
    visits: tuple[Visit, ...]
    travel_metres: NDArray[np.int32] | None = None
    spacings: tuple[Spacing, ...] = ()
    daily_limits: tuple[DailyLimit, ...] = ()
    faces_limits: tuple[FacesLimit, ...] = ()
    group_caps: tuple[GroupCap, ...] = ()
    links: tuple[Linked, ...] = ()
    regularities: tuple[Regularity, ...] = ()
    patterns: tuple[DayPatterns, ...] = ()
    seventh_days: tuple[SeventhDay, ...] = ()
    """At most one for each clinician and week."""
    touch: Touch = field(default_factory=Touch)
    patient_busy: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)
    """When a patient cannot be visited at all (dialysis, an appointment); holds for every visit but a locked one.

    Besides, two visits of one patient never overlap unless they are linked to each other."""
    weights: Weights = field(default_factory=Weights)
    liftable: frozenset[str] = LIFTABLE
    """Codes of what `relax` may propose to change: the planner's own (those of `LIFTABLE`, `spacing`, `pattern`,
    `day-limit`, `cap`, `partner`) and codes of reasons given with the problem (a language wish). What is not named,
    such as a law, is never lifted."""

    @property
    def places(self) -> int:
        """How many places the travel matrix knows."""
        return int(self.travel_seconds.shape[0])
