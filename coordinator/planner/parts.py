"""A large week in parts: who searches what at the same time without getting into each other's way.

In each epoch the clinicians, with all their shifts, are shared out among the parts: those who live near each other and
could make the same visits stay together, around centres that change with every epoch. A visit may move if everything
that is tied to it (its patient's other visits, orders, caps, links) is in one part; the others stay in their routes
until the next epoch. So nothing that one part changes has a price in another, the parts' gains add up exactly, and
what all parts found is one plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.planner import kernel as k
from coordinator.planner.arrays import Arrays, travel_minutes
from coordinator.planner.candidates import Ints

APART = 0.5
"""How many typical ways it counts as being apart that two clinicians have no visit in common that both could make."""


@dataclass(frozen=True, eq=False)
class Part:
    """What one search may touch in one epoch."""

    slots: Ints
    visits: Ints
    """Those that may move, in order."""


class Splitter:
    """Shares out one problem again and again."""

    def __init__(self, arrays: Arrays) -> None:
        problem = arrays.problem
        self.arrays = arrays
        self.slot_clinician = np.array([slot.clinician for slot in problem.slots], dtype=np.int64)
        self.slot_day = np.array([slot.day for slot in problem.slots], dtype=np.int64)
        self.places = np.array([-1 if v.place is None else v.place for v in problem.visits], dtype=np.int64)
        self.groups = _tied(arrays)
        self.minutes = travel_minutes(problem)
        self.typical = max(1, int(np.median(self.minutes)))
        people = len(problem.clinicians)
        self.home = np.zeros(people, dtype=np.int64)
        for slot in problem.slots:
            if slot.start_place is not None:
                self.home[slot.clinician] = slot.start_place
        able = np.zeros((people, len(problem.visits)), dtype=np.float32)
        first = arrays.data[arrays.at(k.V_CANDIDATES) :]
        count = int(first[len(problem.visits)])
        entries = arrays.data[arrays.at(k.CANDIDATE_SLOT) : arrays.at(k.CANDIDATE_SLOT) + count]
        owner = np.repeat(np.arange(len(problem.visits)), np.diff(first[: len(problem.visits) + 1]))
        able[self.slot_clinician[entries], owner] = 1
        sizes = np.maximum(1, able.sum(axis=1))
        self.share = (able @ able.T) / np.minimum(sizes[:, None], sizes[None, :])
        self.able = able > 0
        mates = arrays.data[arrays.at(k.V_MATES) : arrays.at(k.V_MATES) + len(problem.visits)] > 0
        followed = arrays.data[arrays.at(k.V_FOLLOWED) : arrays.at(k.V_FOLLOWED) + len(problem.visits)] > 0
        self.timed = mates | followed
        """Visits whose very minute means something to others."""

    def split(self, state: Ints, count: int, rng: np.random.Generator) -> tuple[list[Part], Ints]:
        """At most `count` parts of about equally many visits, and the visits to bind to their minute meanwhile."""
        visits = len(self.places)
        at = self.arrays.at(k.S_SLOT)
        slots = state[at : at + visits]
        placed = slots >= 0
        clinician = np.where(placed, self.slot_clinician[slots], -1)
        part_of = self._share_out(clinician, count, rng)
        home = np.where(placed, part_of[clinician], -1)
        groups = int(self.groups.max()) + 1
        lowest = np.full(groups, count)
        highest = np.full(groups, -1)
        np.minimum.at(lowest, self.groups[placed], home[placed])
        np.maximum.at(highest, self.groups[placed], home[placed])
        for group in np.unique(self.groups[~placed]):
            if highest[group] < 0:
                # Nothing of it is placed: anywhere where its first visit has somebody.
                first = int(np.flatnonzero(self.groups == group)[0])
                people = np.flatnonzero(self.able[:, first])
                lowest[group] = highest[group] = part_of[rng.choice(people)] if people.size else 0
        whole = lowest[self.groups] == highest[self.groups]
        parts = [
            Part(
                np.flatnonzero(part_of[self.slot_clinician] == part),
                np.flatnonzero(whole & (lowest[self.groups] == part)),
            )
            for part in range(count)
        ]
        low = self.arrays.at(k.S_LOW)
        free = state[low : low + visits] <= -k.INF
        return [part for part in parts if part.visits.size], np.flatnonzero(~whole & placed & free & self.timed)

    def _share_out(self, clinician: Ints, count: int, rng: np.random.Generator) -> Ints:
        """The part of each clinician."""
        people = self.home.size
        load = np.bincount(clinician[clinician >= 0], minlength=people).astype(np.float64) + 0.5
        centre = self.home.copy()
        for person in range(people):
            mine = self.places[(clinician == person) & (self.places >= 0)]
            if mine.size:
                centre[person] = mine[int(np.argmin(self.minutes[np.ix_(mine, mine)].sum(axis=1)))]
        way = self.minutes[np.ix_(centre, centre)] + (1 - self.share) * APART * self.typical
        part_of = np.zeros(people, dtype=np.int64)
        _halve(np.arange(people), way, load, 0, count, part_of, rng)
        return part_of


def _halve(
    people: Ints,
    way: NDArray[np.float64],
    load: NDArray[np.float64],
    first: int,
    count: int,
    part_of: Ints,
    rng: np.random.Generator,
) -> None:
    """Give these people to the `count` parts from `first` on: those nearest to one of them chosen by lot to the one
    half, the rest to the other."""
    if count == 1 or people.size < 2:
        part_of[people] = first
        return
    middle = int(rng.choice(people))
    order = people[np.argsort(way[middle, people], kind="stable")]
    half = count // 2
    reached = np.cumsum(load[order])
    cut = int(np.searchsorted(reached, reached[-1] * half / count)) + 1
    cut = min(max(1, cut), people.size - 1)
    _halve(order[:cut], way, load, first, half, part_of, rng)
    _halve(order[cut:], way, load, first + half, count - half, part_of, rng)


def _tied(arrays: Arrays) -> Ints:
    """The group of each visit: visits of one group have a price or a rule in common."""
    problem = arrays.problem
    parent = list(range(len(problem.visits)))

    def root(v: int) -> int:
        while parent[v] != v:
            parent[v] = parent[parent[v]]
            v = parent[v]
        return v

    by_patient: dict[str, list[int]] = {}
    for index, visit in enumerate(problem.visits):
        by_patient.setdefault(visit.patient, []).append(index)
    groups: list[tuple[int, ...]] = [tuple(members) for members in by_patient.values()]
    groups += [tie.visits for tie in problem.spacings]
    groups += [tie.visits for tie in problem.daily_limits]
    groups += [tie.visits for tie in problem.faces_limits]
    groups += [tie.visits for tie in problem.group_caps]
    groups += [tie.visits for tie in problem.regularities]
    groups += [tie.visits for tie in problem.patterns]
    groups += [(link.first, link.second) for link in problem.links]
    for members in groups:
        for v in members[1:]:
            parent[root(v)] = root(members[0])
    roots = [root(v) for v in range(len(problem.visits))]
    numbers = {r: n for n, r in enumerate(dict.fromkeys(roots))}
    return np.array([numbers[r] for r in roots], dtype=np.int64)


def may_split(arrays: Arrays) -> bool:
    """Whether nothing is priced across the whole plan: a budget of patients, days of clinicians that were told, the
    longest of all waits."""
    touch = arrays.problem.touch
    return touch.max_patients is None and not touch.clinician_cost and not arrays.problem.weights.longest_wait_minute
