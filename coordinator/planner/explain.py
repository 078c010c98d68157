"""Why each visit is where it is, and why a visit that is left out is left out: found by really trying.

A reason for "not this clinician on this day" is the first of a fixed list that holds: given with the problem, no
shift, no window, window or way too far for an otherwise empty day, patient busy, spacing, patterns of days, daily
limit, caps, number of visits, what is locked there, hours, shift, breaks, driving, the other visits' windows. For the
last ones every position of the route is tried as it is, and then with that one thing lifted; what makes it fit is the
reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from coordinator.planner import kernel as k
from coordinator.planner.candidates import Ints
from coordinator.planner.plan import Alternative, Assignment, Explanation, Obstacle, Plan, VisitExplanation
from coordinator.planner.problem import DayPatterns, Problem, Reason, Visit
from coordinator.planner.reasons import reason
from coordinator.planner.trial import Trial
from coordinator.planner.validate import validate

FOREVER = k.INF >> 4


@dataclass(frozen=True)
class _Fit:
    """The best of all positions in one route: cents, or None if none is possible."""

    cost: int | None
    home: int = 0
    worked: int = 0
    too_long: bool = False
    """Some position failed only by worked minutes."""


class _Trial(Trial):
    """One plan, and the problem with one rule or another lifted."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        super().__init__(problem, plan)
        slots, people = len(problem.slots), len(problem.clinicians)
        self.any_hours = self._with((k.SLOT_MAX, slots, FOREVER), (k.CLIN_MAX, people, FOREVER))
        self.any_end = self._with((k.SLOT_END, slots, FOREVER), base=self.any_hours)
        self.no_pause = self._with((k.SLOT_PAUSES, slots + 1, 0), (k.SLOT_BREAKS, slots, 0))
        self.no_way = self._with((k.TRAVEL, (problem.places + 1) ** 2, 0))
        patients = len({visit.patient for visit in problem.visits})
        self.never_busy = self._with((k.P_BUSY, patients + 1, 0))

    def _with(self, *changes: tuple[int, int, int], base: Ints | None = None) -> Ints:
        """The problem's data with whole tables set to one value."""
        data = (self.data if base is None else base).copy()
        for field, size, value in changes:
            data[self.arrays.at(field) : self.arrays.at(field) + size] = value
        return data

    def fit(self, data: Ints, state: Ints, visit: int, slot: int, minutes: int) -> _Fit:
        """Every position of the route as `state` has it, under the rules of `data`; ties are not asked."""
        state[self.arrays.at(k.S_MINUTES) + visit] = minutes
        out = self.arrays.at(k.X_OUT)
        scratch = self.arrays.scratch
        costs, homes, hours = [], [], []
        too_long = False
        for position in range(self.get(state, k.S_LENGTH, slot) + 1):
            cost = int(k.insertion(data, state, scratch, visit, slot, position))
            if cost < k.INF:
                costs.append(cost)
                homes.append(int(scratch[out + k.OUT_RETURN]))
                hours.append(int(scratch[out + k.OUT_WORKED]))
            elif scratch[out + k.OUT_STATUS] == k.TOO_LONG:
                too_long = True
        return _Fit(min(costs), min(homes), min(hours)) if costs else _Fit(None, too_long=too_long)

    def only(self, slot: int, keep_locked: bool) -> Ints:
        """The state with this route emptied, or left with its locked visits; everything else stays."""
        state = self.state.copy()
        row = self.arrays.at(k.S_ROUTE) + slot * self.arrays.at(k.N_LENGTH)
        kept = []
        for i in range(self.get(state, k.S_LENGTH, slot)):
            visit = int(state[row + i])
            if keep_locked and self.problem.visits[visit].locked:
                kept.append(visit)
        state[row : row + len(kept)] = kept
        state[self.arrays.at(k.S_LENGTH) + slot] = len(kept)
        return state

    # ---- the first thing that stops it -----------------------------------------------------------------------------

    def obstacle(self, index: int, clinician: int, day: int) -> Reason:
        """Why this unplaced visit is not with this clinician on this day."""
        visit = self.problem.visits[index]
        if visit.locked:
            now = visit.current
            if now is None or (now.clinician, now.day) != (clinician, day):
                return reason("locked-elsewhere")
        else:
            if clinician in visit.forbidden:
                return visit.forbidden[clinician]
            if (clinician, day) in visit.forbidden_days:
                return visit.forbidden_days[clinician, day]
        slot = self.slot_at.get((clinician, day))
        if slot is None:
            return reason("no-shift")
        if not visit.locked and not visit.windows.get(day):
            return visit.closed_days.get(day, reason("no-window"))
        entry = self.candidate(index, slot)
        if entry is None:
            return reason("no-window")
        minutes = self.get(self.data, k.CANDIDATE_MINUTES, entry)
        if self.partner_refuses(self.state, index, clinician):
            return self._partner(index)
        return (
            self._alone(index, visit, slot, day, minutes)
            or self._ties(index, slot, day, minutes)
            or self._full(index, visit, slot, day, minutes)
            or self._affordable(index, slot, entry)
        )

    def _window(self, visit: Visit, day: int) -> tuple[int, int]:
        if visit.locked and visit.current is not None:
            return visit.current.start_minute, visit.current.start_minute
        windows = visit.windows[day]
        return windows[0].earliest_start, windows[-1].latest_start

    def _alone(self, index: int, visit: Visit, slot: int, day: int, minutes: int) -> Reason | None:
        """What stops it even if the clinician had nothing else that day."""
        shift = self.problem.slots[slot]
        empty = self.arrays.empty.copy()
        if self.fit(self.data, empty, index, slot, minutes).cost is None:
            low, high = self._window(visit, day)
            if self.fit(self.never_busy, empty, index, slot, minutes).cost is not None:
                busy = self.problem.patient_busy[visit.patient]
                return reason("patient-busy", max(b.end_minute for b in busy if b.start_minute < high + minutes), high)
            longer = self.fit(self.any_hours, empty, index, slot, minutes)
            if longer.cost is not None:
                return self._hours(slot, longer.worked, self.arrays.empty)
            if self.fit(self.no_way, empty, index, slot, minutes).cost is not None:
                return reason("too-far", self._way(slot, visit))
            ends = {"shift_start": shift.shift_start, "shift_end": shift.shift_end}
            return reason("outside-shift", low, shift.shift_end - minutes, **ends, earliest=low, latest=high)
        beside = self.only(slot, keep_locked=False)
        if self.fit(self.any_hours, beside, index, slot, minutes).cost is None:
            _, high = self._window(visit, day)
            ends_of = [
                self.get(self.state, k.S_START, u) + self.get(self.state, k.S_MINUTES, u)
                for u, other in enumerate(self.problem.visits)
                if other.patient == visit.patient and self.get(self.state, k.S_SLOT, u) >= 0
            ]
            return reason("patient-busy", max([end for end in ends_of if end > high] or ends_of), high)
        if index in self.links:
            self.bound_by_partner(beside, index)
            if self.fit(self.any_hours, beside, index, slot, minutes).cost is None:
                return self._partner(index)
        return None

    def _way(self, slot: int, visit: Visit) -> int:
        """Minutes from the day's start to the visit and on to the day's end."""
        shift = self.problem.slots[slot]
        ways = ((shift.start_place, visit.place), (visit.place, shift.end_place))
        seconds = self.problem.travel_seconds
        return sum(-(-int(seconds[a, b]) // 60) for a, b in ways if a is not None and b is not None)

    def _partner(self, index: int) -> Reason:
        link = self.links[index]
        return reason("partner", partner=link.second if index == link.first else link.first)

    def _ties(self, index: int, slot: int, day: int, minutes: int) -> Reason | None:
        """Spacing, patterns of days, daily limits, caps and the number of visits."""
        data, state = self.data, self.state
        placed = {u: self.problem.slots[s].day for u in range(len(self.problem.visits)) if (s := self.slot_of(u)) >= 0}
        if k.spacing_broken(data, state, index, day):
            gaps = []
            for tie in self.problem.spacings:
                least = max(tie.min_gap_days, 1 if tie.at_most_one_per_day else 0)
                if index in tie.visits:
                    others = [*(placed[u] for u in tie.visits if u in placed), *tie.held_days]
                    gaps += [(abs(other - day), least) for other in others if abs(other - day) < least]
            return reason("spacing", *min(gaps))
        if k.pattern_broken(data, state, index, day):
            order = next(tie for tie in self.problem.patterns if self._strays(tie, {**placed, index: day}, index))
            return reason("pattern", sum(1 for u in order.visits if u in placed), len(order.patterns))
        if k.limit_broken(data, state, index, day):
            counts = []
            for limit in self.problem.daily_limits:
                held = limit.held[day] if day < len(limit.held) else 0
                if index in limit.visits:
                    count = held + 1 + sum(1 for u in limit.visits if placed.get(u) == day)
                    counts.append((limit.max_per_day, count))
            most, count = next((most, count) for most, count in counts if count > most)
            return reason("day-limit", count, most)
        left = int(k.minutes_left(data, state, index, day, self.problem.days[day].week))
        if minutes > left:
            return reason("cap", minutes, left)
        most_visits = self.problem.slots[slot].max_visits
        count = self.get(state, k.S_LENGTH, slot)
        if most_visits is not None and count >= most_visits:
            return reason("max-visits", count, most_visits)
        return None

    def _strays(self, tie: DayPatterns, made: Mapping[int, int], index: int) -> bool:
        """Whether the visit is in the tie, and its visits, not all of them locked, follow none of its patterns."""
        mine = [visit for visit in tie.visits if visit in made]
        if index not in mine or all(self.problem.visits[visit].locked for visit in mine):
            return False
        return not any(
            all(made.get(visit, day) == day for visit, day in zip(tie.visits, days, strict=True))
            for days in tie.patterns
        )

    def _full(self, index: int, visit: Visit, slot: int, day: int, minutes: int) -> Reason | None:
        """What in the day as it is keeps it out; None if it fits."""
        state = self.state.copy()
        self.bound_by_partner(state, index)
        as_is = self.fit(self.data, state, index, slot, minutes)
        if as_is.cost is not None:
            return None
        locked = self.only(slot, keep_locked=True)
        self.bound_by_partner(locked, index)
        if self.get(locked, k.S_LENGTH, slot) and self.fit(self.any_hours, locked, index, slot, minutes).cost is None:
            return reason("locked", self.get(locked, k.S_LENGTH, slot))
        if as_is.too_long:
            longer = self.fit(self.any_hours, state, index, slot, minutes)
            if longer.cost is not None:
                return self._hours(slot, longer.worked, state)
        later = self.fit(self.any_end, state, index, slot, minutes)
        if later.cost is not None:
            return reason("shift-full", later.home, self.problem.slots[slot].shift_end)
        if self.fit(self.no_pause, state, index, slot, minutes).cost is not None:
            return reason("break")
        if self.fit(self.no_way, state, index, slot, minutes).cost is not None:
            return reason("travel")
        low, high = self._window(visit, day)
        return reason("window-missed", low, high, earliest=low, latest=high)

    def _hours(self, slot: int, worked: int, state: Ints) -> Reason:
        """Which limit of worked minutes it is."""
        shift = self.problem.slots[slot]
        if shift.max_minutes is not None and worked > shift.max_minutes:
            return reason("day-max", worked, shift.max_minutes)
        week = self.problem.days[shift.day].week
        cell = shift.clinician * self.arrays.at(k.N_WEEKS) + week
        already = self.get(self.data, k.CLIN_ALREADY, cell)
        total = already + self.get(state, k.S_WEEK_WORKED, cell) + worked - self.get(state, k.S_WORKED, slot)
        return reason("week-max", total, self.problem.clinicians[shift.clinician].week_max_minutes or 0)

    def _affordable(self, index: int, slot: int, entry: int) -> Reason:
        """It fits: what it would cost against leaving it out."""
        link = self.links.get(index)
        left_out = self.get(self.data, k.V_UNPLACED, index)
        if link is not None:
            partner = link.second if index == link.first else link.first
            if self.slot_of(partner) < 0 and not self.problem.visits[index].locked:
                if self.problem.visits[partner].locked:
                    return self._partner(index)
                state = self.state.copy()
                before = self.get(state, k.S_TOTAL, 0)
                pair = self.arrays.pair()
                args = (self.data, state, pair, self.arrays.scratch, self.random, index, slot, entry)
                total = int(k.pair_in_slot(*args))
                if total >= k.INF:
                    return self._partner(index)
                both = left_out + self.get(self.data, k.V_UNPLACED, partner)
                return reason("cost" if total >= before else "possible", total - before + both, both)
        state = self.state.copy()
        found = self.price(state, index, entry)
        extra = None
        if found is not None and self.put(state, index, entry, found[1]):
            extra = self.get(state, k.S_TOTAL, 0) - self.get(self.state, k.S_TOTAL, 0) + left_out
        return reason("cost" if extra is None or extra >= left_out else "possible", extra or 0, left_out)

    # ---- where else --------------------------------------------------------------------------------------------------

    def alternative(self, index: int, now: Assignment) -> Alternative | None:
        """The cheapest place with another clinician, everything else left where it is."""
        if self.problem.visits[index].locked or self.slot_of(index) < 0:
            return None
        state = self.state.copy()
        scratch = self.arrays.scratch
        if not k.take_out(self.data, state, scratch, index):
            return None
        best: tuple[int, int, int, int] | None = None
        for entry in self.entries(index):
            slot = self.get(self.data, k.CANDIDATE_SLOT, entry)
            if self.problem.slots[slot].clinician == now.clinician:
                continue
            found = self.price(state, index, entry)
            if found is not None and (best is None or (found[0], slot) < best[:2]):
                best = (found[0], slot, entry, found[1])
        if best is None:
            return None
        _, slot, entry, position = best
        self.put(state, index, entry, position)
        shift = self.problem.slots[slot]
        extra = self.get(state, k.S_TOTAL, 0) - self.get(self.state, k.S_TOTAL, 0)
        return Alternative(shift.clinician, shift.day, self.get(state, k.S_START, index), extra)


def _obstacles(trial: _Trial, index: int) -> tuple[Obstacle, ...]:
    """One for each clinician if the same reason holds on every day, else one for each day."""
    found = []
    days = range(len(trial.problem.days))
    for clinician in range(len(trial.problem.clinicians)):
        reasons = [trial.obstacle(index, clinician, day) for day in days]
        if reasons and all(one == reasons[0] for one in reasons):
            found.append(Obstacle(clinician, None, reasons[0]))
        else:
            found += [Obstacle(clinician, day, one) for day, one in zip(days, reasons, strict=True)]
    return tuple(found)


def explain(problem: Problem, plan: Plan, only: Collection[int] | None = None) -> Explanation:
    """For each visit (or those named in `only`) where it is and what the next clinician would cost, or what stops it.

    Everything is tried on this very plan with nothing else moved. A plan that breaks hard rules is explained as far
    as it
    can stand: what cannot stand is listed where the plan has it, without an alternative. Raises ProblemError on bad
    input.
    """
    validate(problem, plan)
    trial = _Trial(problem, plan)
    placed = plan.by_visit()
    entries = []
    for index in range(len(problem.visits)) if only is None else sorted(only):
        now = placed.get(index)
        if now is None:
            entries.append(VisitExplanation(index, None, obstacles=_obstacles(trial, index)))
        else:
            entries.append(VisitExplanation(index, now, alternative=trial.alternative(index, now)))
    return Explanation(tuple(entries))
