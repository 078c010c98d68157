"""What one change can reach: the days, weeks, patients and ties that must be counted anew, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from coordinator.planner.plan import Assignment
from coordinator.planner.problem import (
    DailyLimit,
    DayPatterns,
    FacesLimit,
    GroupCap,
    Linked,
    Problem,
    Regularity,
    Spacing,
)


class _Group(Protocol):
    @property
    def visits(self) -> tuple[int, ...]: ...


Shift = tuple[int, int]
"""Clinician and day."""
Tie = TypeVar("Tie")
Group = TypeVar("Group", bound=_Group)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: all of a plan, or what one change reaches."""

    visits: Sequence[int]
    patients: Sequence[str]
    shifts: Sequence[Shift]
    """Days of clinicians, in order."""
    told: Sequence[Shift]
    """Days of clinicians of which somebody knows something and that may have changed."""
    weeks: frozenset[tuple[int, int]] | None
    """(clinician, week); None: all."""
    spacings: Sequence[Spacing]
    daily_limits: Sequence[DailyLimit]
    faces_limits: Sequence[FacesLimit]
    group_caps: Sequence[GroupCap]
    links: Sequence[Linked]
    regularities: Sequence[Regularity]
    patterns: Sequence[DayPatterns]


class Index:
    """Which ties, patients and published days each visit belongs to; made once for a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        visits = problem.visits
        self.by_patient: dict[str, list[int]] = {}
        self.now: dict[Shift, list[int]] = {}
        for number, visit in enumerate(visits):
            self.by_patient.setdefault(visit.patient, []).append(number)
            if visit.current is not None:
                self.now.setdefault((visit.current.clinician, visit.current.day), []).append(number)
        told = (v.current for v in visits if v.current is not None and v.current.told)
        self.told = sorted({(now.clinician, now.day) for now in told})
        self.linked = {frozenset((link.first, link.second)) for link in problem.links}
        self.whole = Scope(
            range(len(visits)),
            sorted(self.by_patient),
            sorted((slot.clinician, slot.day) for slot in problem.slots),
            self.told,
            None,
            problem.spacings,
            problem.daily_limits,
            problem.faces_limits,
            problem.group_caps,
            problem.links,
            problem.regularities,
            problem.patterns,
        )
        self._spacings = _by_visit(problem.spacings)
        self._limits = _by_visit(problem.daily_limits)
        self._faces = _by_visit(problem.faces_limits)
        self._caps = _by_visit(problem.group_caps)
        self._patterns = _by_visit(problem.patterns)
        self._regularities = _by_visit(problem.regularities)
        self._links = _sorted_out((member, link) for link in problem.links for member in (link.first, link.second))
        self._told = set(self.told)

    def around(self, visit: int, places: Iterable[Assignment | None]) -> Scope:
        """What it can reach that this visit is made at one of these places and not at another."""
        shifts = sorted({(a.clinician, a.day) for a in places if a is not None})
        return Scope(
            (visit,),
            (self.problem.visits[visit].patient,),
            shifts,
            [shift for shift in shifts if shift in self._told],
            frozenset((clinician, self.problem.days[day].week) for clinician, day in shifts),
            self._spacings.get(visit, ()),
            self._limits.get(visit, ()),
            self._faces.get(visit, ()),
            self._caps.get(visit, ()),
            self._links.get(visit, ()),
            self._regularities.get(visit, ()),
            self._patterns.get(visit, ()),
        )


def _by_visit(groups: Sequence[Group]) -> Mapping[int, Sequence[Group]]:
    return _sorted_out((member, group) for group in groups for member in group.visits)


def _sorted_out(pairs: Iterable[tuple[int, Tie]]) -> Mapping[int, Sequence[Tie]]:
    found: dict[int, list[Tie]] = {}
    for member, tie in pairs:
        found.setdefault(member, []).append(tie)
    return found
