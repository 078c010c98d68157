"""Who could take one visit, when, at what cost, and what else would move.

Every shift that may hold the visit is tried at every position, as the plan is; then with one other visit moved out of
the way, which is itself put where it is cheapest. What is offered has been counted from scratch: it breaks no rule that
was whole before and leaves nobody out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coordinator.planner import kernel as k
from coordinator.planner.candidates import Ints
from coordinator.planner.moves import Measure, Move, moves_of
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import Problem, ProblemError
from coordinator.planner.states import plan_of
from coordinator.planner.trial import Trial
from coordinator.planner.validate import validate

EJECTIONS = 1500
"""How many (shift, visit that moves) pairs are tried: in a week of 500 visits all of them, in most."""
TROUBLE_MINUTES = 20
"""What it is worth to leave everybody else where they are, in minutes of driving: only the order goes by it."""
PAIRED = 8
"""In how many shifts a visit is tried together with its linked partner, both anywhere."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One place for the visit: the whole plan with it, and what is other than before."""

    assignment: Assignment
    extra_cost: int
    """Cents of the whole plan after less before; the price of leaving the visit out is part of it."""
    parts: tuple[tuple[str, int], ...]
    """(name, cents more) of each part of the cost that differs."""
    moves: tuple[Move, ...]
    plan: Plan

    @property
    def is_direct(self) -> bool:
        """Whether no other visit changes its clinician or day."""
        return all(move.change.kinds == ("time",) for move in self.moves)


def suggest(problem: Problem, plan: Plan, visit: int, limit: int = 5) -> tuple[Suggestion, ...]:
    """The cheapest places for one visit (placed or not), one for each clinician and day; empty if there is none.

    Best first, by cents; where another visit must change its shift, `TROUBLE_MINUTES` of driving count on top.
    Raises ProblemError on bad input.
    """
    validate(problem, plan)
    if not 0 <= visit < len(problem.visits):
        raise ProblemError("visit", f"there is no visit {visit}")
    if limit < 1:
        raise ProblemError("limit", f"must be at least 1, not {limit}")
    desk = Desk(problem, plan)
    measure = Measure(problem, plan)
    trouble = TROUBLE_MINUTES * problem.weights.travel_minute
    options = [(option.total + trouble * (option.moved >= 0), option) for option in desk.options(visit)]
    found: dict[tuple[int, int], tuple[int, Suggestion]] = {}
    for _, option in sorted(options, key=lambda one: (one[0], one[1].slot, one[1].moved)):
        shift = problem.slots[option.slot]
        if len(found) == limit:
            break
        if (shift.clinician, shift.day) in found:
            continue
        new = desk.carried_out(visit, option)
        after = None if new is None or new == plan else measure.judge(new, visit)
        if new is None or after is None:
            continue
        suggestion = Suggestion(
            new.by_visit()[visit],
            after.cost - measure.before.cost,
            measure.parts(after),
            moves_of(problem, plan, new, visit, desk.partner(visit)),
            new,
        )
        cost = suggestion.extra_cost + (0 if suggestion.is_direct else trouble)
        found[shift.clinician, shift.day] = (cost, suggestion)
    ordered = sorted(found.values(), key=lambda one: (one[0], len(one[1].moves), one[1].assignment))
    return tuple(suggestion for _, suggestion in ordered)


@dataclass(frozen=True, slots=True)
class Option:
    """One way to place the visit, not yet counted from scratch."""

    total: int
    """Cents of the whole plan by the search's own bookkeeping."""
    slot: int
    entry: int
    moved: int = -1
    """Another visit that is taken out first and put back where it is cheapest."""
    paired: bool = False
    """Placed anew together with its linked partner."""


class Desk(Trial):
    """One plan on which one visit is tried everywhere."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        super().__init__(problem, plan)
        self.plan = plan
        self.stands = plan_of(self.arrays, self.state)
        self.given = by_day(plan)
        self.held = by_day(self.stands)

    def options(self, visit: int) -> Iterator[Option]:
        """Every shift as it is, then every shift with another visit moved."""
        out = self.without(visit)
        if out is None:
            return
        partner = self.partner(visit)
        if partner >= 0 and self.slot_of(partner) < 0:
            yield from self._pairs(out, visit)
            return
        left_out = self.get(self.data, k.V_UNPLACED, visit)
        tries = EJECTIONS
        for entry in self.entries(visit):
            slot = self.get(self.data, k.CANDIDATE_SLOT, entry)
            if not self.is_sound(slot):
                continue
            found = self.price(out, visit, entry)
            if found is not None:
                yield Option(self.get(out, k.S_TOTAL, 0) + found[0] - left_out, slot, entry)
            for other in self._in_the_way(out, visit, slot):
                if tries == 0:
                    break
                tries -= 1
                state = self._ejected(out, visit, entry, other)
                if state is not None:
                    yield Option(self.get(state, k.S_TOTAL, 0), slot, entry, moved=other)
        if partner >= 0 and not any(self.problem.visits[v].locked for v in (visit, partner)):
            both = self.without(visit, partner)
            if both is not None:
                yield from self._pairs(both, visit)

    def carried_out(self, visit: int, option: Option) -> Plan | None:
        """The whole plan with the option; None if it touches a day that cannot be timed as the plan has it."""
        state: Ints | None
        if option.paired:
            state = self._paired(self.without(visit, self.partner(visit)), visit, option.entry)
        elif option.moved >= 0:
            state = self._ejected(self.without(visit), visit, option.entry, option.moved)
        else:
            state = self.without(visit)
            found = None if state is None else self.price(state, visit, option.entry)
            if state is None or found is None or not self.put(state, visit, option.entry, found[1]):
                return None
        return None if state is None else self.whole(state)

    def whole(self, state: Ints) -> Plan | None:
        """The plan that the state stands for: days that it leaves alone stay to the minute as they were given."""
        assignments: list[Assignment] = []
        rests: list[Rest] = []
        new = by_day(plan_of(self.arrays, state))
        for key in sorted({*new, *self.held, *self.given}):
            day = new.get(key, Plan())
            if day == self.held.get(key, Plan()):
                day = self.given.get(key, Plan())
            elif not self._as_given(key):
                return None
            assignments += day.assignments
            rests += day.rests
        return Plan.of(assignments, rests)

    def is_sound(self, slot: int) -> bool:
        """Whether the day can be timed as the plan has it; another is left alone."""
        shift = self.problem.slots[slot]
        key = (shift.clinician, shift.day)
        return self._as_given(key)

    def _as_given(self, key: tuple[int, int]) -> bool:
        return self.held.get(key, Plan()).assignments == self.given.get(key, Plan()).assignments

    def without(self, *visits: int) -> Ints | None:
        """The state without these visits; None if a day would not fit without one."""
        state = self.state.copy()
        for visit in visits:
            if self.get(state, k.S_SLOT, visit) < 0:
                continue
            if self.problem.visits[visit].locked or not k.take_out(self.data, state, self.arrays.scratch, visit):
                return None
        return state

    def _in_the_way(self, out: Ints, visit: int, slot: int) -> list[int]:
        """Visits that may make room in this shift: its own, and those that ties or the patient hold against its day."""
        shift = self.problem.slots[slot]
        row = self.arrays.at(k.S_ROUTE) + slot * self.arrays.at(k.N_LENGTH)
        length = self.get(out, k.S_LENGTH, slot)
        found = [int(other) for other in out[row : row + length]]
        tied = bool(k.tie_broken(self.data, out, visit, shift.day))
        entry = self.candidate(visit, slot)
        minutes = 0 if entry is None else self.get(self.data, k.CANDIDATE_MINUTES, entry)
        week = self.problem.days[shift.day].week
        tied = tied or int(k.minutes_left(self.data, out, visit, shift.day, week)) < minutes
        if tied:
            found = []
        for other in self._mates(visit):
            at = self.get(out, k.S_SLOT, other)
            if at >= 0 and other not in found and (tied or self.problem.slots[at].day == shift.day):
                found.append(other)
        if not tied and self.problem.clinicians[shift.clinician].week_max_minutes is not None:
            for (clinician, day), index in sorted(self.slot_at.items()):
                if clinician == shift.clinician and index != slot and self.problem.days[day].week == week:
                    row = self.arrays.at(k.S_ROUTE) + index * self.arrays.at(k.N_LENGTH)
                    found += [int(other) for other in out[row : row + self.get(out, k.S_LENGTH, index)]]
        return [
            other
            for other in dict.fromkeys(found)
            if other != visit and not self.problem.visits[other].locked and other not in self.links
        ]

    def _mates(self, visit: int) -> list[int]:
        """Visits that share a tie or the patient with this one."""
        problem = self.problem
        patient = problem.visits[visit].patient
        found = {index for index, other in enumerate(problem.visits) if other.patient == patient}
        groups = [tie.visits for tie in problem.spacings] + [tie.visits for tie in problem.daily_limits]
        groups += [tie.visits for tie in problem.patterns]
        for group in groups + [tie.visits for tie in problem.group_caps]:
            if visit in group:
                found |= set(group)
        return sorted(found - {visit})

    def _ejected(self, out: Ints | None, visit: int, entry: int, other: int) -> Ints | None:
        """The state with the visit in this shift and the other one moved to where it is then cheapest."""
        if out is None or not self.is_sound(self.get(out, k.S_SLOT, other)):
            return None
        state = out.copy()
        scratch = self.arrays.scratch
        if not k.take_out(self.data, state, scratch, other):
            return None
        found = self.price(state, visit, entry)
        if found is None or not self.put(state, visit, entry, found[1]):
            return None
        cost = k.best_insertion(self.data, state, scratch, self.random, other, 0, k.INF, k.ANYONE, -1)
        if cost >= k.INF or not k.put_best(self.data, state, scratch, other):
            return None
        return state

    def _pairs(self, out: Ints, visit: int) -> Iterator[Option]:
        """The visit with its linked partner, both anew, in the shifts that are cheapest for the visit alone."""
        partner = self.partner(visit)
        if self.problem.visits[partner].locked or self.problem.visits[visit].locked:
            return
        tries = []
        for entry in self.entries(visit):
            slot = self.get(self.data, k.CANDIDATE_SLOT, entry)
            found = self.price(out.copy(), visit, entry) if self.is_sound(slot) else None
            if found is not None:
                tries.append((found[0], slot, entry))
        for _, slot, entry in sorted(tries)[:PAIRED]:
            state = self._paired(out, visit, entry)
            if state is not None:
                yield Option(self.get(state, k.S_TOTAL, 0), slot, entry, paired=True)

    def _paired(self, out: Ints | None, visit: int, entry: int) -> Ints | None:
        if out is None:
            return None
        slot = self.get(self.data, k.CANDIDATE_SLOT, entry)
        state, pair = out.copy(), self.arrays.pair()
        room = (state, pair, self.arrays.scratch, self.random)
        if k.pair_in_slot(self.data, *room, visit, slot, entry) >= k.INF:
            return None
        return pair[state.size :].copy()


def by_day(plan: Plan) -> dict[tuple[int, int], Plan]:
    """The plan in parts, one for each clinician and day."""
    parts: dict[tuple[int, int], tuple[list[Assignment], list[Rest]]] = {}
    for at in plan.assignments:
        parts.setdefault((at.clinician, at.day), ([], []))[0].append(at)
    for rest in plan.rests:
        if (rest.clinician, rest.day) in parts:
            parts[rest.clinician, rest.day][1].append(rest)
    return {key: Plan.of(*lists) for key, lists in parts.items()}
