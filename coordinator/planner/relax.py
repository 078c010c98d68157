"""Which change would place a visit that is left out, found by really planning with each.

Every offer has been tried: the changed problem was searched again around the visit, everybody who was placed is placed,
no rule is broken that was whole before, and the whole plan was counted from scratch. The smallest step that works is
offered. Where no single change works pairs are tried, the most promising first; where none does, that is said, with how
many were tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from coordinator.planner.candidates import allowed
from coordinator.planner.cut import Piece, cut
from coordinator.planner.easing import Cell, Easing, Family, ease, families
from coordinator.planner.explain import explain
from coordinator.planner.moves import Measure, Move, moves_of
from coordinator.planner.plan import Assignment, Plan, Stop
from coordinator.planner.problem import Problem, ProblemError
from coordinator.planner.search import search_briefly
from coordinator.planner.suggest import suggest
from coordinator.planner.validate import validate

EFFORT = 200
"""Rounds of search that one change is given before it counts as no help."""
SINGLES = 90
"""How many single changes are tried, the most promising first."""
PAIRS = 150
"""How many pairs are tried where no single change works."""
ENOUGH_PAIRS = 3
"""So many pairs that work end the search for more."""
CORE, KEPT = 5, 14
"""Shifts that the visit might go to, and shifts in all, in the piece that is searched again."""
NEAR = 30
"""Shifts that the visit might go to in which it is only put in, everybody else staying in their shift."""

_HELPS: dict[str, tuple[str, ...]] = {
    "outside-shift": ("window-earlier", "window-later", "shift-end"),
    "too-far": ("shift-end", "day-hours"),
    "patient-busy": ("window-earlier", "window-later", "day"),
    "spacing": ("spacing", "day"),
    "pattern": ("pattern", "day"),
    "day-limit": ("day-limit", "day"),
    "cap": ("day-cap", "week-cap"),
    "max-visits": ("max-visits",),
    "locked": ("unlock",),
    "locked-elsewhere": ("unlock",),
    "day-max": ("day-hours",),
    "week-max": ("week-hours",),
    "shift-full": ("shift-end", "window-earlier"),
    "break": ("shift-end", "window-earlier", "window-later"),
    "travel": ("shift-end", "window-earlier", "window-later"),
    "window-missed": ("window-earlier", "window-later"),
    "partner": ("apart", "window-earlier", "window-later"),
    "no-window": ("day",),
}
"""What may help against each of the planner's own reasons; it decides the order in which changes are tried, no more."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A change (or two, or none) under which the visit is placed, and the whole plan that then holds."""

    easings: tuple[Easing, ...]
    """Empty: it can be placed as things are, if others move or if it may cost more than leaving it out."""
    assignment: Assignment
    extra_cost: int
    """Cents of the whole plan after less before; the price of leaving the visit out is part of it."""
    parts: tuple[tuple[str, int], ...]
    moves: tuple[Move, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Relaxations:
    """What would place the visit, and what was tried."""

    visit: int
    as_it_is: Relaxation | None
    """Nothing has to change for it; changes are then offered only where they come cheaper."""
    singles: tuple[Relaxation, ...]
    """Single changes that work, cheapest first."""
    pairs: tuple[Relaxation, ...]
    """Two changes that work together; asked for only when no single one does."""
    tried: int
    """Single changes that were tried, of `possible`."""
    possible: int
    pairs_tried: int
    pairs_possible: int
    complete: bool = True
    """Everything that may be proposed was tried, or enough pairs were found; False: more might help."""

    @property
    def none(self) -> bool:
        """Nothing that was tried places the visit."""
        return self.as_it_is is None and not self.singles and not self.pairs


class _StoppedError(Exception):
    """Somebody asked to stop."""


def relax(
    problem: Problem,
    plan: Plan,
    visit: int,
    *,
    effort: int = EFFORT,
    stop: Callable[[], bool] | None = None,
) -> Relaxations:
    """What would place this visit, which the plan leaves out. The same question has the same answer unless `stop`,
    asked between tries, says that it is enough.

    Raises ProblemError on bad input, and for a visit that is placed.
    """
    validate(problem, plan)
    if not 0 <= visit < len(problem.visits):
        raise ProblemError("visit", f"there is no visit {visit}")
    if any(at.visit == visit for at in plan.assignments):
        raise ProblemError("visit", f"visit {visit} is placed: only one that is left out can be helped")
    return _Question(problem, plan, visit, effort, stop).answer()


class _Question:
    """One visit that is left out, and everything tried for it."""

    def __init__(self, problem: Problem, plan: Plan, visit: int, effort: int, stop: Callable[[], bool] | None) -> None:
        self.problem, self.plan, self.visit = problem, plan, visit
        self.effort, self.stop = effort, stop
        self.measure = Measure(problem, plan)
        placed = plan.by_visit()
        self.partner = next(
            (
                other
                for link in problem.links
                for one, other in ((link.first, link.second), (link.second, link.first))
                if one == visit and other not in placed
            ),
            -1,
        )
        self.slot_at = {(slot.clinician, slot.day): index for index, slot in enumerate(problem.slots)}
        broken = {(one.clinician, one.day) for one in self.measure.before.hard}
        self.sound = [index for cell, index in self.slot_at.items() if cell not in broken]
        self.routes: dict[int, list[Assignment]] = {index: [] for index in range(len(problem.slots))}
        for at in plan.assignments:
            if (at.clinician, at.day) in self.slot_at:
                self.routes[self.slot_at[at.clinician, at.day]].append(at)
        self.way = {index: self._way(index) for index in range(len(problem.slots))}
        mine = problem.visits[visit]
        self.now = frozenset(cell for cell in self.slot_at if allowed(mine, *cell))

    def answer(self) -> Relaxations:
        """Nothing first, then single changes, then pairs."""
        as_it_is: Relaxation | None = None
        singles: list[Relaxation] = []
        pairs: list[Relaxation] = []
        tried = pairs_tried = 0
        ordered: list[Family] = []
        couples: list[tuple[Family, Family]] = []
        complete = False
        try:
            as_it_is = self._as_it_is()
            ordered = self._by_promise(families(self.problem, self.visit, self.partner))
            for family in ordered[:SINGLES]:
                found = self._smallest(family)
                tried += 1
                if found is not None and (as_it_is is None or found.extra_cost < as_it_is.extra_cost):
                    singles.append(found)
            if as_it_is is None and not singles:
                couples = self._couples(ordered)
                for one, other in couples[:PAIRS]:
                    if len(pairs) == ENOUGH_PAIRS:
                        break
                    found = self._smallest_pair(one, other)
                    pairs_tried += 1
                    if found is not None:
                        pairs.append(found)
            complete = tried == len(ordered) and (pairs_tried == len(couples) or len(pairs) == ENOUGH_PAIRS)
        except _StoppedError:
            pass  # what was found until then is told, and that it is not all
        return Relaxations(
            self.visit,
            as_it_is,
            _cheapest_first(singles),
            _cheapest_first(pairs),
            tried,
            len(ordered),
            pairs_tried,
            len(couples),
            complete,
        )

    # ---- one try -----------------------------------------------------------------------------------------------------

    def _as_it_is(self) -> Relaxation | None:
        """With nothing changed, were leaving it out no way out."""
        for suggestion in suggest(self.problem, self.plan, self.visit, 1):
            return Relaxation(
                (), suggestion.assignment, suggestion.extra_cost, suggestion.parts, suggestion.moves, suggestion.plan
            )
        return self._try((), self.now)

    def _smallest(self, family: Family) -> Relaxation | None:
        """The smallest step that places the visit; None if the largest does not."""
        if family.widest.visit == self.visit and not family.cells & self._open(family.widest):
            return None  # it is about this visit, and nobody could come then either
        last = self._try((family.widest,), family.cells)
        if last is None:
            return None
        for step in family.steps[:-1]:
            found = self._try((step,), family.cells)
            if found is not None:
                return found
        return last

    def _smallest_pair(self, one: Family, other: Family) -> Relaxation | None:
        cells = (one.cells & other.cells) or (one.cells | other.cells)
        best = self._try((one.widest, other.widest), cells)
        if best is None:
            return None
        first = one.widest
        for step in one.steps[:-1]:
            found = self._try((step, other.widest), cells)
            if found is not None:
                first, best = step, found
                break
        for step in other.steps[:-1]:
            found = self._try((first, step), cells)
            if found is not None:
                return found
        return best

    def _open(self, *easings: Easing) -> frozenset[Cell]:
        """Where the visit, or the partner that must come with it, may be once these changes are made."""
        changed = self.problem
        for easing in easings:
            changed = ease(changed, easing)
        targets = [self.visit] if self.partner < 0 else [self.visit, self.partner]
        return frozenset(cell for cell in self.slot_at for target in targets if allowed(changed.visits[target], *cell))

    def _try(self, easings: Sequence[Easing], cells: Iterable[Cell]) -> Relaxation | None:
        """Plan again with these changes: a little, then more. None if the visit finds no place."""
        if self.stop is not None and self.stop():
            raise _StoppedError
        changed = self.problem
        for easing in easings:
            changed = ease(changed, easing)
        wanted = [self.visit]
        if self.partner >= 0 and any(self.visit in (link.first, link.second) for link in changed.links):
            wanted.append(self.partner)
        near, kept = self._kept(cells, NEAR, NEAR), self._kept(cells, CORE, KEPT)
        limited = any(changed.clinicians[changed.slots[i].clinician].week_max_minutes is not None for i in kept)
        # At last without any wish about times: a day that is timed by wishes may be a little longer than it must.
        last = ((kept, self.effort // 4, True),) if limited else ()
        for slots, rounds, at_any_time in ((near, 1, False), (kept, self.effort, False), *last):
            piece = cut(changed, self.plan, slots, wanted, at_any_time=at_any_time)
            found = search_briefly(piece.problem, piece.plan, Stop(iterations=max(1, rounds)))
            if len(found.assignments) == len(piece.visits):
                return self._judged(changed, easings, piece, found)
        return None

    def _judged(self, changed: Problem, easings: Sequence[Easing], piece: Piece, found: Plan) -> Relaxation | None:
        plan = piece.whole(found)
        after = self.measure.judge(plan, self.visit, changed=changed)
        if after is None:
            return None
        return Relaxation(
            tuple(easings),
            plan.by_visit()[self.visit],
            after.cost - self.measure.before.cost,
            self.measure.parts(after),
            moves_of(changed, self.plan, plan, self.visit, self.partner),
            plan,
        )

    # ---- where to look -----------------------------------------------------------------------------------------------

    def _way(self, index: int) -> int:
        """Seconds from the visit to the nearest stop of a shift: how near the shift is."""
        place = self.problem.visits[self.visit].place
        slot = self.problem.slots[index]
        stops = [self.problem.visits[at.visit].place for at in self.routes[index]]
        stops += [slot.start_place, slot.end_place]
        if place is None:
            return 0
        return min((int(self.problem.travel_seconds[place, stop]) for stop in stops if stop is not None), default=0)

    def _kept(self, cells: Iterable[Cell], most_core: int, most: int) -> list[int]:
        """The shifts that are searched again: all of a small problem, else the nearest that the change is about, those
        of the visit's ties, and those that could best take what must give way."""
        sound = set(self.sound)
        if len(sound) <= most:
            return sorted(sound)
        about = sorted({self.slot_at[cell] for cell in cells} & sound, key=lambda i: (self.way[i], i))
        core = about[:most_core]
        core += [index for index in self._tied() if index in sound and index not in core]
        rest = [index for index in sorted(sound) if index not in set(core)]
        movable = [at.visit for index in core for at in self.routes[index]]

        def takes(index: int) -> int:
            slot = self.problem.slots[index]
            return sum(1 for v in movable if allowed(self.problem.visits[v], slot.clinician, slot.day))

        rest.sort(key=lambda index: (-takes(index), self.way[index], index))
        return sorted(core + rest[: max(0, most - len(core))])

    def _tied(self) -> list[int]:
        """Shifts with visits that share a tie, a link or the patient with this one."""
        problem = self.problem
        mine = {self.visit, self.partner}
        found = {v for v, other in enumerate(problem.visits) if other.patient == problem.visits[self.visit].patient}
        groups = [tie.visits for tie in problem.spacings] + [tie.visits for tie in problem.daily_limits]
        groups += [tie.visits for tie in problem.patterns] + [tie.visits for tie in problem.group_caps]
        groups += [(link.first, link.second) for link in problem.links]
        for group in groups:
            if mine & set(group):
                found |= set(group)
        return sorted({index for index, route in self.routes.items() for at in route if at.visit in found})

    def _by_promise(self, found: list[Family]) -> list[Family]:
        """First what helps against the reason that was found on its own shift, near shifts before far ones."""
        helps: dict[Cell, tuple[str, ...]] = {}
        lifted: set[str] = set()
        (entry,) = explain(self.problem, self.plan, only=[self.visit]).visits
        days = range(len(self.problem.days))
        for obstacle in entry.obstacles:
            for day in days if obstacle.day is None else (obstacle.day,):
                helps[obstacle.clinician, day] = _HELPS.get(obstacle.reason.code, ())
            lifted.add(obstacle.reason.code)

        def promise(family: Family) -> tuple[int, int]:
            easing = family.widest
            hits = [cell for cell in family.cells if easing.kind in helps.get(cell, ())]
            named = easing.kind in ("clinician", "day") and easing.code in lifted
            near = hits or list(family.cells)
            return (0 if hits or named else 1, min((self.way[self.slot_at[cell]] for cell in near), default=0))

        return sorted(found, key=promise)

    def _couples(self, ordered: list[Family]) -> list[tuple[Family, Family]]:
        """Pairs of changes: first those about the same shifts, the most promising ones before others."""
        found = []
        for (i, one), (j, other) in combinations(enumerate(ordered), 2):
            sides = {one.widest.kind, other.widest.kind} == {"window-earlier", "window-later"}
            if sides and one.widest.visit == other.widest.visit:
                continue  # a visit has one start: to open both sides helps no more than to open one
            apart = not one.cells & other.cells & self._open(one.widest, other.widest)
            found.append((apart, i + j, i, one, other))
        found.sort(key=lambda couple: couple[:3])
        return [(one, other) for *_, one, other in found]


def _cheapest_first(found: list[Relaxation]) -> tuple[Relaxation, ...]:
    return tuple(sorted(found, key=lambda one: (one.extra_cost, sum(easing.amount for easing in one.easings))))
