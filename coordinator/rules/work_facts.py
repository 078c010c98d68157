"""The facts of a clinician's day and week at work, as small frozen values. Instants are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from coordinator.domain.vocabulary import OvertimeProfile


@dataclass(frozen=True, slots=True)
class Stretch:
    """A visit, or another stop, of the day. `way` is the minutes of travel from the stop before; 0 for the first."""

    starts_at: datetime
    ends_at: datetime
    way: int = 0


@dataclass(frozen=True, slots=True)
class Waivers:
    """Which meals the employee has waived in writing, by mutual consent and revocably (LAB-02)."""

    first: bool = False
    second: bool = False


@dataclass(frozen=True, slots=True)
class WorkFacts:
    """The clinician's day with the visit that is asked about, and without it.

    `lead` and `tail`: minutes of travel before the first stop and after the last that are work, because the day begins
    or ends at the office; ordinary commuting is none (LAB-04). `others` is the day without the visit.
    `week_minutes`: worked minutes of the other days of the workweek.
    """

    day: date
    week_first: date
    stops: tuple[Stretch, ...]
    others: tuple[Stretch, ...] = ()
    lead: int = 0
    tail: int = 0
    others_lead: int = 0
    others_tail: int = 0
    week_minutes: Mapping[date, int] = field(default_factory=dict)
    profile: OvertimeProfile = OvertimeProfile.STANDARD
    waivers: Waivers = Waivers()


@dataclass(frozen=True, slots=True)
class Leg:
    """One way driven on a day. `commute`: ordinary travel between home and the first or last place of work."""

    miles: float
    commute: bool = False
