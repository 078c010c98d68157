"""Whether somebody may stand in for somebody, and what may be told outside. The agency's own rules; no law's. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from coordinator.domain.team import SharedContent
from coordinator.domain.vocabulary import Performer

#: Professions that work under another of their discipline: they stand in for their own kind alone.
ASSISTANTS = frozenset({Performer.LVN, Performer.PTA, Performer.COTA})


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days, both included, of something that is there already; `row` is its number."""

    row: int
    starts_on: date
    ends_on: date

    def meets(self, starts_on: date, ends_on: date) -> bool:
        return self.starts_on <= ends_on and starts_on <= self.ends_on


@dataclass(frozen=True, slots=True)
class CoverFacts:
    """A cover as it is asked for, and what is known of the two people in its days."""

    starts_on: date
    ends_on: date
    today: date
    same_person: bool
    #: Both professions, where clinicians are concerned.
    away: Performer | None = None
    stands_in: Performer | None = None
    same_discipline: bool = True
    #: The one who would stand in practises, works and may sign in.
    stands_in_active: bool = True
    #: Covers of the same person for the same role that overlap in patients.
    already: tuple[Stretch, ...] = ()
    #: When the one who would stand in is away, and when somebody stands in for them.
    own_absences: tuple[Stretch, ...] = ()
    own_covers: tuple[Stretch, ...] = ()
    #: Where the one who goes away was to stand in for somebody else.
    promised: tuple[Stretch, ...] = ()
    #: Patients of the one away whom the other does not visit.
    excluded_patients: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason against a cover: a code, a sentence with the way out, and what stands there."""

    code: str
    sentence: str
    facts: dict[str, object] = field(default_factory=dict)


LONGEST_COVER_DAYS = 366


def uncovered(away: Stretch, covers: Iterable[Stretch]) -> bool:
    """Whether a day of `away` is in none of the covers, which may overlap and come in any order."""
    day = away.starts_on
    for one in sorted(covers, key=lambda cover: cover.starts_on):
        if one.starts_on > day:
            return True
        day = max(day, one.ends_on + timedelta(days=1))
        if day > away.ends_on:
            return False
    return day <= away.ends_on


def obstacles(facts: CoverFacts) -> tuple[Obstacle, ...]:
    """Everything that stands against the cover, not the first alone; nothing if it may be."""
    found: list[Obstacle] = []
    if facts.same_person:
        found.append(Obstacle("cover-of-oneself", "Nobody stands in for themself. Name somebody else."))
    if facts.ends_on < facts.starts_on:
        found.append(Obstacle("cover-backwards", "The last day is before the first. Give the days in order."))
    elif (facts.ends_on - facts.starts_on).days >= LONGEST_COVER_DAYS:
        found.append(
            Obstacle(
                "cover-too-long", "For more than a year nobody is covered. Name somebody else for the post instead."
            )
        )
    if facts.ends_on < facts.today:
        found.append(Obstacle("cover-past", "Those days are over. Give days to come.", {"today": facts.today}))
    if not facts.stands_in_active:
        found.append(Obstacle("coverer-inactive", "Whoever is to stand in is not active. Name somebody who is."))
    if not facts.same_discipline:
        found.append(Obstacle("cover-discipline", "Whoever stands in is of the same discipline. Name one who is."))
    elif facts.stands_in in ASSISTANTS and facts.stands_in is not facts.away:
        found.append(
            Obstacle(
                "cover-assistant",
                "An assistant does not stand in for whoever directs the discipline. Name a colleague of the same rank.",
                {"profession": facts.stands_in},
            )
        )
    found += _each(
        "cover-overlaps", "Somebody stands in there already in these days. Withdraw that first.", facts.already, facts
    )
    found += _each(
        "coverer-away", "Whoever is to stand in is away in these days. Name somebody else.", facts.own_absences, facts
    )
    found += _each(
        "coverer-covered",
        "Somebody stands in for this person in these days. Name somebody who is there.",
        facts.own_covers,
        facts,
    )
    found += _each(
        "away-covers",
        "Whoever goes away was to stand in for somebody in these days. Arrange that cover anew first.",
        facts.promised,
        facts,
    )
    found += [
        Obstacle(
            "cover-excluded",
            "Whoever is to stand in does not visit this patient. Cover that patient apart.",
            {"patient": one},
        )
        for one in facts.excluded_patients
    ]
    return tuple(found)


def _each(code: str, sentence: str, stretches: Iterable[Stretch], facts: CoverFacts) -> list[Obstacle]:
    return [
        Obstacle(code, sentence, {"row": one.row, "starts_on": one.starts_on, "ends_on": one.ends_on})
        for one in stretches
        if one.meets(facts.starts_on, facts.ends_on)
    ]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody agreed may be told: from a day, to a day or without end, until taken back."""

    scopes: frozenset[SharedContent]
    given_on: date
    ends_on: date | None = None
    withdrawn_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Consent holds from the day it was given; on the day it is taken back it holds no more."""
        if day < self.given_on or (self.ends_on is not None and day > self.ends_on):
            return False
        return self.withdrawn_on is None or day < self.withdrawn_on


def may_share(agreed: Iterable[Agreed], day: date) -> frozenset[SharedContent]:
    """What may be told on that day: all that any consent in force names, and nothing without one."""
    return frozenset().union(*(one.scopes for one in agreed if one.holds_on(day)))
