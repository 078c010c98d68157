"""Repairing a plan that an event broke, gently: what the event hits is placed anew, and as few others as may be moved.

A change budget is kept exactly, because only those may move who were let loose: first the visits that the event hits
(`first`: everybody else stays), then also the other visits of those patients, then a neighbourhood without limit, whose
touched patients are the ones worth asking for; these are let loose one by one and in chains, cheapest result first.
Every plan found on the way is kept, so that the best one within any budget is known: that is the cost curve.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from coordinator.planner.constraints import score
from coordinator.planner.disruption import Disruption, held, partners_of
from coordinator.planner.engines import Engine, choose
from coordinator.planner.explain import explain
from coordinator.planner.plan import Assignment, Plan, Score, Stop, VisitExplanation
from coordinator.planner.problem import Problem, Visit
from coordinator.planner.search import search_briefly, solve
from coordinator.planner.validate import validate

FIRST_ITERATIONS = 200
"""Rounds of the first proposal: a handful of visits need no more."""
ROUNDS = 1_500
"""Rounds of one search with a few visits let loose."""
WIDE_ROUNDS = 6_000
"""Rounds of the search without a limit."""
NEIGHBOURS = 40
"""Visits that may be let loose besides those that the event hits."""
MOST_GROUPS = 14
"""Chains and single patients that are tried for each further patient of the budget."""
CALL, CHANGE = 2_000, 300
"""Cents that a repair must save for each further patient who has to be called, and for each further visit."""
PATIENCE = 6
"""Searches in a row that found nothing better, after which nothing more is tried."""
CURVE: tuple[int | None, ...] = (0, 1, 2, 3, 5, None)
"""Budgets that the cost curve names; None: no limit."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a repair may touch besides what the event itself hits; None: no limit."""

    max_patients: int | None = None
    """Patients whose visits are moved, dropped or added."""
    max_visits: int | None = None
    """Visits that are moved, dropped or added, those of the patients that the event hits included."""

    def allows(self, repair: Repair) -> bool:
        """Whether the repair keeps within the budget."""
        return (self.max_patients is None or len(repair.patients) <= self.max_patients) and (
            self.max_visits is None or len(repair.visits) <= self.max_visits
        )


@dataclass(frozen=True, slots=True)
class Repair:
    """A plan after an event."""

    plan: Plan
    score: Score
    """By `Disruption.problem`."""
    left: tuple[int, ...]
    """Visits that the event hits and that have no place."""
    visits: tuple[int, ...]
    """Others that are not where they were."""
    patients: frozenset[str]
    """Of those, the patients whom the event does not hit."""

    @property
    def key(self) -> tuple[int, int, int, int]:
        """What repairs are compared by: hard rules, cents and the calls to make, then how many are touched."""
        hard, cost = self.score.key
        calls = CALL * len(self.patients) + CHANGE * len(self.visits)
        return (hard, cost + calls, len(self.patients), len(self.visits))


@dataclass(frozen=True, slots=True)
class Point:
    """The best known repair within a budget of patients."""

    max_patients: int | None
    cost: int
    left: int
    patients: int
    visits: int


@dataclass(slots=True)
class Workshop:
    """The search for repairs of one disruption, and every plan that it found.

    `scale` scales the rounds of each search (1.0: as above); same disruption, seed and scale without a limit of
    time: same repairs.
    """

    disruption: Disruption
    seed: int = 0
    scale: float = 1.0
    found: list[Repair] = field(default_factory=list)
    searches: int = 0
    _deadline: float | None = None
    _chosen: Engine | None = None
    _known: dict[Plan, Repair] = field(default_factory=dict)

    def first(self) -> Repair:
        """Everybody else stays where they are; in a fraction of a second."""
        return self._search(set(self.disruption.hit), self.disruption.start, self._rounds(FIRST_ITERATIONS))

    def improve(
        self, budget: Budget, seconds: float | None = None, listen: Callable[[Repair], None] | None = None
    ) -> Repair:
        """The best repair within the budget, found until `seconds` are over (None: when nothing is left to try).

        `listen` hears of each that is better than the one before. ValueError if `first` was not asked.
        """
        began = time.monotonic()
        self._deadline = None if seconds is None else began + seconds
        best = self.best(budget)

        def over() -> bool:
            nonlocal best
            better = self.best(budget)
            if better is not best:
                best = better
                if listen is not None:
                    listen(best)
            return seconds is not None and time.monotonic() - began >= seconds

        own = self._of_patients(self.disruption.patients)
        base = self._search(own | set(self.disruption.hit), best.plan, self._rounds(ROUNDS))
        if over():
            return best
        near = own | set(self.disruption.hit) | set(neighbours(self.disruption, NEIGHBOURS))
        wide = self._search(near, base.plan, self._rounds(WIDE_ROUNDS))
        if over():
            return best
        if wide.score.key < base.score.key and (len(wide.patients) > 1 or not budget.allows(wide)):
            self._spend(budget, wide, over)  # and if it is within the budget: what less would have bought
        idle = 0
        while seconds is not None and idle < PATIENCE and not over():
            known = best
            self._again(budget, near)
            idle = 0 if self.best(budget) is not known else idle + 1
        return self.best(budget)

    def best(self, budget: Budget) -> Repair:
        """The best of those found that keeps within the budget. ValueError if there is none yet."""
        return min((repair for repair in self.found if budget.allows(repair)), key=lambda repair: repair.key)

    def curve(self, budgets: Sequence[int | None] = CURVE, max_visits: int | None = None) -> tuple[Point, ...]:
        """What one more patient buys: the best known repair within each budget."""
        points = []
        for limit in budgets:
            best = self.best(Budget(limit, max_visits))
            points.append(Point(limit, best.score.cost, len(best.left), len(best.patients), len(best.visits)))
        return tuple(points)

    # -------------------------------------------------------------------------------- searching

    def _rounds(self, rounds: int) -> int:
        return max(1, int(rounds * self.scale))

    def _again(self, budget: Budget, near: set[int]) -> None:
        """More rounds around the best, with another seed: among those touched already, or all if there is no limit."""
        best = self.best(budget)
        loose = near if budget.max_patients is None and budget.max_visits is None else self._of_patients(best.patients)
        self._search(loose | self._own(), best.plan, self._rounds(2 * ROUNDS))

    def _own(self) -> set[int]:
        return self._of_patients(self.disruption.patients) | set(self.disruption.hit)

    def _spend(self, budget: Budget, wide: Repair, over: Callable[[], bool]) -> None:
        """Patient by patient: of those that the wide search touched, whoever buys most for one more of the budget."""
        chains = _chains(self.disruption, wide)
        chosen: frozenset[str] = frozenset()
        limit = len(wide.patients) if budget.max_patients is None else budget.max_patients
        while len(chosen) < limit:
            start = self.best(Budget(len(chosen), budget.max_visits))
            groups = _groups(chains, chosen, limit - len(chosen))[:MOST_GROUPS]
            tried: list[tuple[Repair, frozenset[str]]] = []
            for group in groups:
                loose = self._of_patients(chosen | group) | self._own()
                tried.append((self._search(loose, start.plan, self._rounds(ROUNDS)), chosen | group))
                if over():
                    return
            better = [(r, g) for r, g in tried if r.key < start.key and budget.allows(r)]
            if not better:
                return
            _, chosen = min(better, key=lambda pair: (pair[0].key, sorted(pair[1])))

    def _of_patients(self, patients: Iterable[str]) -> set[int]:
        """Their visits that may be moved at all."""
        wanted = set(patients)
        gone = {*self.disruption.gone, *self.disruption.stuck}
        return {
            number
            for number, visit in enumerate(self.disruption.problem.visits)
            if visit.patient in wanted and not visit.locked and number not in gone
        }

    def _search(self, loose: set[int], start: Plan, rounds: int) -> Repair:
        """The best plan with these visits let loose and all others where `start` has them."""
        problem = self.disruption.problem
        loose = loose | {p for v in loose for p in partners_of(problem, v) if not problem.visits[p].locked}
        part = confine(self.disruption, loose, start)
        self.searches += 1
        left = None if self._deadline is None else max(0.01, self._deadline - time.monotonic())
        stop = Stop(iterations=rounds, seconds=left)
        seed = self.seed + self.searches
        if self._engine() is Engine.CALENDAR:
            plan = part.whole(search_briefly(part.problem, part.start, stop, seed=seed))
        else:
            plan = part.whole(solve(part.problem, stop, seed=seed, start=part.start).plan)
        repair = self._measured(start)
        if self._stands(plan, start, loose):
            found = self._measured(plan)
            if found.score.key <= repair.score.key:
                repair = found
        self.found.append(repair)
        return repair

    def _engine(self) -> Engine:
        """Who searches all parts of the problem, which is looked at once."""
        if self._chosen is None:
            validate(self.disruption.problem)
            self._chosen = choose(self.disruption.problem)
        return self._chosen

    def _measured(self, plan: Plan) -> Repair:
        """`measure`, once for each plan: most searches go on from one that is known, and many come back to it."""
        known = self._known.get(plan)
        if known is None:
            known = self._known[plan] = measure(self.disruption, plan)
        return known

    def _stands(self, plan: Plan, start: Plan, loose: set[int]) -> bool:
        """Whether nobody has lost a place for the event, and whoever was not let loose is where `start` has them."""
        placed = plan.by_visit()
        return all(at.visit in placed for at in self.disruption.start.assignments) and all(
            placed.get(at.visit) == at for at in start.assignments if at.visit not in loose
        )


# ------------------------------------------------------------------------------------ what is touched


def measure(disruption: Disruption, plan: Plan) -> Repair:
    """A plan after the event, with what it touches."""
    before, after = disruption.before.by_visit(), plan.by_visit()
    excused = {*disruption.hit, *disruption.gone, *disruption.stuck}
    touched = tuple(
        sorted(v for v in before.keys() | after.keys() if v not in excused and before.get(v) != after.get(v))
    )
    visits = disruption.problem.visits
    return Repair(
        plan=plan,
        score=score(disruption.problem, plan),
        left=tuple(v for v in disruption.hit if v not in after),
        visits=touched,
        patients=frozenset(visits[v].patient for v in touched) - disruption.patients,
    )


def neighbours(disruption: Disruption, most: int) -> list[int]:
    """Visits that could make room, nearest first: on days and with clinicians that a hit visit may have; and, where
    time comes free, visits that wait for a place.

    Nearness is the way between the homes and half the time between the hours, in minutes.
    """
    problem, before = disruption.problem, disruption.before.by_visit()
    after = disruption.start.by_visit()
    sources = [(v, before.get(v)) for v in (*disruption.hit, *disruption.gone)]
    excused = {v for v, _ in sources} | set(disruption.stuck)
    ranked = []
    for number, visit in enumerate(problem.visits):
        if number in excused or visit.locked:
            continue
        at = after.get(number)
        distances = [_distance(problem, source, was, number, at) for source, was in sources]
        known = [distance for distance in distances if distance is not None]
        if known:
            ranked.append((min(known), number))
    return [number for _, number in sorted(ranked)[:most]]


def _distance(
    problem: Problem, source: int, was: Assignment | None, number: int, at: Assignment | None
) -> float | None:
    """How near a visit is to a hit one; None if neither can help the other."""
    hit, other = problem.visits[source], problem.visits[number]
    way = 0.0
    if hit.place is not None and other.place is not None:
        way = int(problem.travel_seconds[hit.place, other.place]) / 60
    if at is None:  # it waits: can it have the time that comes free?
        return way if was is not None and may_go(other, was.clinician, was.day) else None
    freed = was is not None and at.day == was.day and may_go(other, was.clinician, was.day)
    if not may_go(hit, at.clinician, at.day) and not freed:
        return None
    wanted = was.start_minute if was is not None else None
    spans = [window for spans in hit.windows.values() for window in spans]
    if wanted is None and spans:
        wanted = min(window.earliest_start for window in spans)
    return way + (0.5 * abs(at.start_minute - wanted) if wanted is not None else 0.0)


def may_go(visit: Visit, clinician: int, day: int) -> bool:
    """Whether the clinician may make the visit on that day, as far as it is known beforehand."""
    return day in visit.windows and clinician not in visit.forbidden and (clinician, day) not in visit.forbidden_days


def _chains(disruption: Disruption, wide: Repair) -> list[frozenset[str]]:
    """The touched patients that move through each other's days: one set for each chain."""
    before, after = disruption.before.by_visit(), wide.plan.by_visit()
    days: dict[str, set[tuple[int, int]]] = {}
    for visit in wide.visits:
        patient = disruption.problem.visits[visit].patient
        if patient in wide.patients:
            for at in (before.get(visit), after.get(visit)):
                if at is not None:
                    days.setdefault(patient, set()).add((at.clinician, at.day))
    chains: list[tuple[set[str], set[tuple[int, int]]]] = []
    for patient in sorted(days):
        mine, slots = {patient}, set(days[patient])
        apart = []
        for others, theirs in chains:
            if theirs & slots:
                mine |= others
                slots |= theirs
            else:
                apart.append((others, theirs))
        chains = [*apart, (mine, slots)]
    return [frozenset(mine) for mine, _ in chains]


def _groups(chains: list[frozenset[str]], chosen: frozenset[str], room: int) -> list[frozenset[str]]:
    """Whom to try next: single patients, then pairs of one chain, then whole chains, as far as there is room."""
    left = [chain - chosen for chain in chains]
    singles = [frozenset({patient}) for chain in left for patient in sorted(chain)]
    whole = [chain for chain in left if 2 < len(chain) <= room]
    pairs = [
        frozenset({one, two})
        for chain in left
        if room >= 2
        for i, one in enumerate(sorted(chain))
        for two in sorted(chain)[i + 1 :]
    ]
    return [*singles[: MOST_GROUPS // 2], *whole, *pairs, *singles[MOST_GROUPS // 2 :]] if room else []


# ------------------------------------------------------------------------------------ the part that may move


@dataclass(frozen=True, slots=True)
class Part:
    """The clinicians whom a repair can concern, with everything that stands with them locked but the loose visits."""

    problem: Problem
    start: Plan
    visits: tuple[int, ...]
    """Number in the whole problem of each visit of the part."""
    outside: Plan
    """What stands with other clinicians, and their breaks."""

    def whole(self, plan: Plan) -> Plan:
        """The plan of the part put back into the whole."""
        inside = [replace(at, visit=self.visits[at.visit]) for at in plan.assignments]
        return Plan.of([*inside, *self.outside.assignments], [*plan.rests, *self.outside.rests])


def confine(disruption: Disruption, loose: set[int], plan: Plan) -> Part:
    """The smallest part of the problem in which the loose visits can be placed and everything they are tied to counts.

    Clinicians keep their numbers; those who can make no loose visit, and none of whose visits is of the same patient
    as one, are left out with their days. A loose visit that stands may be moved but is not dropped.
    """
    problem, placed = disruption.problem, plan.by_visit()
    people = {
        slot.clinician
        for slot in problem.slots
        if any(may_go(problem.visits[v], slot.clinician, slot.day) for v in loose)
    }
    patients = {problem.visits[v].patient for v in loose}
    people |= {at.clinician for v, at in placed.items() if problem.visits[v].patient in patients}
    inside = sorted(loose | {v for v, at in placed.items() if at.clinician in people})
    number = {visit: index for index, visit in enumerate(inside)}
    stands = disruption.start.by_visit()
    visits = tuple(
        replace(problem.visits[v], mandatory=v in stands or problem.visits[v].mandatory)
        if v in loose
        else _still(problem.visits[v], placed[v])
        for v in inside
    )

    def mine(members: Iterable[int]) -> tuple[int, ...]:
        return tuple(number[v] for v in members if v in number)

    part = replace(
        problem,
        visits=visits,
        slots=tuple(slot for slot in problem.slots if slot.clinician in people),
        spacings=tuple(replace(s, visits=own) for s in problem.spacings if (own := mine(s.visits))),
        daily_limits=tuple(replace(t, visits=own) for t in problem.daily_limits if (own := mine(t.visits))),
        faces_limits=tuple(replace(f, visits=own) for f in problem.faces_limits if (own := mine(f.visits))),
        group_caps=tuple(replace(c, visits=own) for c in problem.group_caps if (own := mine(c.visits))),
        regularities=tuple(replace(r, visits=own) for r in problem.regularities if (own := mine(r.visits))),
        patterns=tuple(
            replace(p, visits=own, patterns=tuple(_picked(days, p.visits, number) for days in p.patterns))
            for p in problem.patterns
            if (own := mine(p.visits))
        ),
        links=tuple(
            replace(link, first=number[link.first], second=number[link.second])
            for link in problem.links
            if link.first in number and link.second in number
        ),
    )
    start = Plan.of(
        [replace(placed[v], visit=number[v]) for v in inside if v in placed],
        [rest for rest in plan.rests if rest.clinician in people],
    )
    outside = Plan.of(
        [at for v, at in placed.items() if v not in number],
        [rest for rest in plan.rests if rest.clinician not in people],
    )
    return Part(part, start, tuple(inside), outside)


def _picked(days: tuple[int, ...], visits: tuple[int, ...], number: Mapping[int, int]) -> tuple[int, ...]:
    """The days of a pattern for the visits that are in the part."""
    return tuple(day for day, visit in zip(days, visits, strict=True) if visit in number)


def _still(visit: Visit, at: Assignment) -> Visit:
    """The visit locked where it is, without all that says where else it could be: nobody asks."""
    still = held(visit, at)
    elsewhere = (
        still.windows, still.forbidden, still.forbidden_days, still.closed_days, still.preferences, still.preferred,
        still.day_costs,
    )  # fmt: skip
    if not any(elsewhere):
        return still  # as the product gives what is fixed: nine of ten
    return replace(
        still, windows={}, forbidden={}, forbidden_days={}, closed_days={}, preferences=(), preferred={}, day_costs={}
    )


def why_left(disruption: Disruption, repair: Repair) -> dict[int, VisitExplanation]:
    """For each visit that has no place: what stops it with each clinician while everybody else stays where they are."""
    if not repair.left:
        return {}
    part = confine(disruption, set(repair.left), repair.plan)
    said = explain(part.problem, part.start).visits
    return {part.visits[entry.visit]: entry for entry in said if part.visits[entry.visit] in repair.left}


__all__ = [
    "CURVE", "Budget", "Part", "Point", "Repair", "Workshop", "confine", "may_go", "measure", "neighbours", "why_left",
]  # fmt: skip
