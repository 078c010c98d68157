"""What comes out: a plan, how good it is, why it is so, and how it differs from another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from coordinator.planner.problem import Reason


@dataclass(frozen=True, slots=True, order=True)
class Assignment:
    """One visit, where it is made: positions in the problem's tuples, start in minutes of the horizon."""

    visit: int
    clinician: int
    day: int
    start_minute: int


@dataclass(frozen=True, slots=True, order=True)
class Rest:
    """A break that is taken: `number` is its position in the slot's `breaks`."""

    clinician: int
    day: int
    number: int
    start_minute: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is where when. The order of a day's route is the order of its starts.

    Canonical: assignments by visit, rests by clinician, day and number. `Plan.of` sorts.
    """

    assignments: tuple[Assignment, ...] = ()
    rests: tuple[Rest, ...] = ()

    @classmethod
    def of(cls, assignments: list[Assignment], rests: list[Rest] | None = None) -> Plan:
        """The canonical plan of these parts."""
        return cls(tuple(sorted(assignments)), tuple(sorted(rests or [])))

    def by_visit(self) -> dict[int, Assignment]:
        """Assignment by visit."""
        return {assignment.visit: assignment for assignment in self.assignments}

    def route(self, clinician: int, day: int) -> tuple[Assignment, ...]:
        """The visits of one clinician on one day in order of their start."""
        mine = (a for a in self.assignments if a.clinician == clinician and a.day == day)
        return tuple(sorted(mine, key=lambda a: (a.start_minute, a.visit)))


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken hard rule: which, about whom, what was found and what would have been the limit."""

    rule: str
    visits: tuple[int, ...] = ()
    clinician: int | None = None
    day: int | None = None
    fact: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One soft constraint's share of the cost."""

    name: str
    weight: int
    """Cents per counted thing; 0 where the price is on the visit or tie itself."""
    count: int
    """What was counted: minutes, visits, faces or days, as the sentence says."""
    cost: int
    sentence: str
    priced: bool = True
    """False: counted all the same, but the problem's weights put no price on it."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What a coordinator asks first. Times in minutes."""

    wanted: int
    placed: int
    unplaced: int
    travel_minutes: int
    waiting_minutes: int
    worked_minutes: int
    overtime_minutes: int
    continuity_percent: int
    """Of the placed visits with a wish named `continuity`: the share made at its lowest cost; 100 if none."""
    metres: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """How good a plan is: broken hard rules apart from the price of the soft ones."""

    hard: tuple[Violation, ...]
    parts: tuple[Part, ...]
    measures: Measures

    @property
    def cost(self) -> int:
        """Cents of all parts, unplaced visits included."""
        return sum(part.cost for part in self.parts)

    @property
    def key(self) -> tuple[int, int]:
        """What plans are compared by: hard rules first, then cents."""
        return (len(self.hard), self.cost)

    def part(self, name: str) -> Part:
        """The part of this name; KeyError if there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Stop:
    """When to stop searching: whichever comes first; at least one of seconds and iterations must be given.

    `cancel` is asked between batches (some tens of milliseconds) and ends the search with the best plan so far.
    """

    seconds: float | None = None
    iterations: int | None = None
    cancel: Callable[[], bool] | None = None
    threads: int | None = None
    """How many may search at once; None: one for each core. The plan does not depend on it when iterations count, which
    are those of all searches together."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What `listen` hears between batches. The plan is the best so far, complete and usable."""

    seconds: float
    iteration: int
    cost: int
    placed: int
    plan: Plan | None = None
    """Only when it is better than what was last heard."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best plan found, and how it was come by."""

    plan: Plan
    score: Score
    iterations: int
    seconds: float
    seed: int
    fingerprint: str
    """SHA-256 of the problem and the plan in canonical form."""
    history: tuple[tuple[float, int, int], ...]
    """(seconds, iteration, cost) at each improvement that was noticed between batches."""
    stopped_by: str
    """`seconds`, `iterations`, `cancel` or `nothing-to-do`."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The first thing that keeps a visit from a clinician on a day; `day` is None when it holds on every day."""

    clinician: int
    day: int | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Alternative:
    """Where else a visit could go with nothing else moved, and how many cents more (or less) that would cost."""

    clinician: int
    day: int
    start_minute: int
    extra_cost: int


@dataclass(frozen=True, slots=True)
class VisitExplanation:
    """Why a visit is where it is, or nowhere."""

    visit: int
    assignment: Assignment | None
    alternative: Alternative | None = None
    """For a placed visit: the cheapest place with another clinician; None if no other can take it as things are."""
    obstacles: tuple[Obstacle, ...] = ()
    """For an unplaced visit: one for each clinician (where it holds on every day) or each clinician and day."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One entry for each visit that was asked about, in order."""

    visits: tuple[VisitExplanation, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One visit that is not where it was."""

    visit: int
    patient: str
    kinds: tuple[str, ...]
    """`added`, `removed`, or any of `clinician`, `day`, `time`."""
    before: Assignment | None
    after: Assignment | None
    told: bool = False
    """The patient had been told of the old place."""


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes by visit, and the same ones by whom they concern."""

    changes: tuple[Change, ...]
    by_patient: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    by_clinician: dict[int, tuple[Change, ...]] = field(default_factory=dict)
    """A change of clinician is listed under both."""
