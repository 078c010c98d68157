"""The search as a whole: from a problem to the best plan that the time allows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from coordinator.planner import kernel, operations
from coordinator.planner.arrays import Arrays, build
from coordinator.planner.candidates import Ints
from coordinator.planner.constraints import score
from coordinator.planner.engines import Engine, choose
from coordinator.planner.fingerprint import fingerprint
from coordinator.planner.parts import Part, Splitter, may_split
from coordinator.planner.plan import Outcome, Plan, Progress, Stop
from coordinator.planner.problem import Problem
from coordinator.planner.states import plan_of, state_of
from coordinator.planner.validate import validate

BATCH_SECONDS = 0.05
"""How long one batch in the kernel should last: between batches the clock, `cancel` and `listen` have their turn."""
DIALS = np.zeros(8, dtype=np.int64)
DIALS[[kernel.DIAL_REMOVED, kernel.DIAL_LONGEST, kernel.DIAL_BLINK, kernel.DIAL_BLINK_MORE]] = 6, 8, 10, 80
DIALS[[kernel.DIAL_STRINGS, kernel.DIAL_PATIENTS, kernel.DIAL_RELATED, kernel.DIAL_SLOTS]] = 60, 12, 10, 8
PART_VISITS = 200
"""A part of a large week has at least so many visits on average."""
MOST_PARTS = 16
EPOCH_SECONDS = 0.3
"""How long one epoch should last when the clock counts."""
EPOCH_ROUNDS = 1
"""Rounds of one epoch for each visit when iterations are counted."""
POLISH = 0.05
"""The last share of the time belongs to one search of the whole plan."""
MEMBERS = 8
"""At most so many search the whole plan, each with luck of its own. When rounds are counted, how many there are has
nothing to do with the cores, so that the plan is the same on every machine."""
MEMBER_ROUNDS = 400
"""Rounds for each visit that a member is worth having for."""
ROUNDS_A_SECOND = 10_000
"""What one thread is taken to do, where only the clock counts."""
EPOCHS = 20
ALONE = 15
"""After each epoch beyond this one the member whose best plan is the worst goes on from the best of all."""
HOT_MINUTES, COLD_MINUTES = 30.0, 0.5
"""Annealing begins and ends at the price of this many minutes of driving."""


def solve(
    problem: Problem,
    stop: Stop,
    *,
    seed: int = 0,
    start: Plan | None = None,
    listen: Callable[[Progress], None] | None = None,
) -> Outcome:
    """The best plan found until `stop`; never worse than `start` in broken hard rules, then cents.

    Same problem, seed, start and number of iterations: same plan, byte for byte (a limit in seconds alone also
    steers the
    cooling, and is not repeatable). `listen` hears of progress between batches and must not take long.

    Raises ProblemError when the problem or the start names something that is not there, and ValueError when `stop` has
    neither seconds nor iterations.
    """
    if stop.seconds is None and stop.iterations is None:
        raise ValueError("stop needs seconds or iterations")
    began = time.monotonic()
    validate(problem, start)
    if choose(problem) is Engine.OPERATIONS:
        return operations.solve(problem, stop, seed=seed, start=start, listen=listen, began=began)
    run = _Run(problem, stop, seed, began, listen)
    stopped_by = run.go(start)
    plan = plan_of(run.arrays, run.best)
    result = score(problem, plan)
    if start is not None:
        # Days are timed anew, by a rule; a start that was timed better than that rule does stays as it was.
        given = score(problem, start)
        if given.key < result.key:
            plan, result = start, given
    return Outcome(
        plan=plan,
        score=result,
        iterations=run.iterations,
        seconds=time.monotonic() - began,
        seed=seed,
        fingerprint=fingerprint(problem, plan),
        history=tuple(run.history),
        stopped_by=stopped_by,
    )


def search_briefly(problem: Problem, start: Plan, stop: Stop, *, seed: int = 0) -> Plan:
    """The best plan found until `stop` from `start`, of a problem that has passed `validate` and is planned by the
    engine for weeks; it is not scored, and may be worse than a start whose days were timed better.

    For questions that need many small searches; everybody else asks `solve`.
    """
    run = _Run(problem, stop, seed, time.monotonic(), None)
    run.go(start)
    return plan_of(run.arrays, run.best)


def search_in_parts(problem: Problem, rounds: int) -> Plan:
    """The best plan after so many rounds in two parts, however small the problem, which has passed `validate`; it is
    not scored. Large problems are searched so by `solve` itself: this is for what is loaded before they are.
    """
    run = _Run(problem, Stop(iterations=rounds), 0, time.monotonic(), None)
    state = run.arrays.empty.copy()
    run._fill(state)
    run.best[:] = state
    run._search_parts(state, 2)
    return plan_of(run.arrays, run.best)


@dataclass
class _Member:
    """One of several searches of the same plan."""

    state: Ints
    best: Ints
    paper: Ints
    luck: NDArray[np.uint64]
    first: int
    """Where its cooling begins, in its own rounds."""
    quota: int
    """How many rounds it has, where rounds are counted."""
    done: int = 0
    batch: int = 8

    def due(self, epoch: int) -> int:
        """Rounds until the end of an epoch."""
        return self.quota * epoch // EPOCHS


class _Run:
    """One search: its state, its clock, its listener."""

    def __init__(
        self, problem: Problem, stop: Stop, seed: int, began: float, listen: Callable[[Progress], None] | None
    ) -> None:
        self.arrays = build(problem)
        self.stop = stop
        self.began = began
        self.listen = listen
        control = self.arrays.at(kernel.X_CONTROL)
        self.arrays.scratch[control + kernel.CONTROL_NOTES] = 1
        self.seed = seed
        self.random = _random_state(seed)
        self.iterations = 0
        self.history: list[tuple[float, int, int]] = []
        self.best: Ints = self.arrays.empty.copy()
        unit = max(1, problem.weights.travel_minute)
        self.hot = HOT_MINUTES * unit
        self.cold = COLD_MINUTES * unit

    def go(self, start: Plan | None) -> str:
        """Search until something says stop; what it was."""
        arrays = self.arrays
        state = arrays.empty.copy() if start is None else state_of(arrays, start)
        self._fill(state)
        self.best[:] = state
        self._report(improved=True)
        if not any(not visit.locked for visit in arrays.problem.visits) or not arrays.problem.slots:
            return "nothing-to-do"
        parts = min(MOST_PARTS, len(arrays.problem.visits) // PART_VISITS, len(arrays.problem.clinicians) // 2)
        if parts > 1 and may_split(arrays):
            self._search_parts(state, parts)
            state = self.best.copy()
        why = self._search_whole(state)
        self._fill(self.best)
        self._pair_up()
        self._settle()
        return why

    def _search_whole(self, state: Ints) -> str:
        """Search everything until something says stop, by several members that each try their own luck; what it was.

        With rounds counted, how many members there are and what each does depends on the problem and `stop` alone.
        """
        members = self._members(state)
        before = self.iterations
        threads = min(self.stop.threads or os.cpu_count() or 1, len(members))
        beat = BATCH_SECONDS * threads / len(members)
        with ThreadPoolExecutor(threads) as pool:
            for epoch in range(1, EPOCHS + 1):
                while not self._over(members, epoch):
                    why = self._why_stop()
                    if why is not None:
                        return why
                    share = self._share()
                    list(pool.map(lambda member: self._beat(member, epoch, share, beat), members))  # noqa: B023
                    self.iterations = before + sum(member.done for member in members)
                    leader = min(members, key=lambda member: self._rank(member.best))
                    improved = self._rank(leader.best) < self._rank(self.best)
                    if improved:
                        self.best = leader.best.copy()
                    self._report(improved=improved)
                if epoch > ALONE and len(members) > 1:
                    self._follow(members)
        return self._why_stop() or "seconds"

    def _members(self, state: Ints) -> list[_Member]:
        """Those who search from `state`; each has its luck, its scratch paper and its number of rounds."""
        total = self.stop.iterations
        threads = self.stop.threads or os.cpu_count() or 1
        least = MEMBER_ROUNDS * len(self.arrays.problem.visits)
        if total is None:
            left = int((self.stop.seconds or 0) * threads * ROUNDS_A_SECOND)
            count = max(min(MEMBERS, threads), min(MEMBERS, left // least))
        else:
            left = total - self.iterations
            count = max(1, min(MEMBERS, left // least))
        quotas = [max(0, left + count - 1 - number) // count for number in range(count)]
        members = []
        for number, quota in enumerate(quotas):
            paper = self.arrays.scratch if number == 0 else self.arrays.paper()
            paper[self.arrays.at(kernel.X_CONTROL) + kernel.CONTROL_NOTES] = 1
            luck = self.random if number == 0 else _random_state(self.seed * MEMBERS + number + (1 << 40))
            first = 0 if total is None else self.iterations * quota // max(1, total - self.iterations)
            members.append(_Member(state.copy(), self.best.copy(), paper, luck, first, quota))
        return members

    def _beat(self, member: _Member, epoch: int, share: int, seconds: float) -> None:
        """Let one member go on for about so long; with rounds counted never beyond the end of the epoch."""
        counted = self.stop.iterations is not None
        rounds = min(member.batch, member.due(epoch) - member.done) if counted else member.batch
        if rounds <= 0:
            return
        total = member.first + member.quota if counted else 0
        tick = time.monotonic()
        kernel.search(
            self.arrays.data, member.state, member.best, member.paper, member.luck, rounds,
            member.first + member.done, total, self.hot, self.cold, share, DIALS,
        )  # fmt: skip
        took = time.monotonic() - tick
        member.done += rounds
        # The size of a batch never changes what is found when rounds are counted.
        member.batch = max(1, min(4 * member.batch, int(member.batch * seconds / max(took, 1e-6)), 100_000))

    def _over(self, members: list[_Member], epoch: int) -> bool:
        """Whether an epoch is at its end for all members."""
        if self.stop.iterations is None:
            return self._share() * EPOCHS >= 1000 * epoch
        return all(member.done >= member.due(epoch) for member in members)

    def _follow(self, members: list[_Member]) -> None:
        """Let the member whose best plan is the worst go on from the best plan of all."""
        worst = max(members, key=lambda member: self._rank(member.best))
        if self._rank(worst.best) > self._rank(self.best):
            worst.best[:] = worst.state[:] = self.best
            self._open(worst.paper)

    def _search_parts(self, state: Ints, most: int) -> None:
        """Search parts of the plan at the same time, anew shared out in each epoch, until little is left of the time.

        How many parts there are depends on the problem alone, and what one finds on nothing but the plan, its share
        and its luck: however many threads there are, the plan is the same.
        """
        arrays = self.arrays
        splitter = Splitter(arrays)
        lots = np.random.default_rng(self.seed)
        total = int((self.stop.iterations or 0) * (1 - POLISH))
        rounds = most * 64 if self.stop.iterations is None else EPOCH_ROUNDS * len(arrays.problem.visits)
        threads = min(self.stop.threads or os.cpu_count() or 1, most)
        papers: SimpleQueue[Ints] = SimpleQueue()
        for paper in (arrays.scratch, *(arrays.paper() for _ in range(threads - 1))):
            paper[arrays.at(kernel.X_CONTROL) + kernel.CONTROL_NOTES] = 1
            papers.put(paper)
        with ThreadPoolExecutor(threads) as pool:
            while self._why_stop() is None:
                if (total and self.iterations >= total) or (not total and self._share() >= 1000 * (1 - POLISH)):
                    break
                if total:
                    rounds = min(rounds, total - self.iterations)
                tick = time.monotonic()
                bound = self._epoch(state, splitter, most, rounds, total, lots, pool, papers)
                took = time.monotonic() - tick
                self.iterations += rounds
                improved = self._rank(bound) < self._rank(self.best)
                if improved:
                    self.best = bound
                self._report(improved=improved)
                if not total:
                    rounds = max(most, min(4 * rounds, int(rounds * EPOCH_SECONDS / max(took, 1e-6))))
        for _ in range(threads):
            self._open(papers.get())

    def _epoch(
        self,
        state: Ints,
        splitter: Splitter,
        most: int,
        rounds: int,
        total: int,
        lots: np.random.Generator,
        pool: ThreadPoolExecutor,
        papers: SimpleQueue[Ints],
    ) -> Ints:
        """Search every part for its share of the rounds. `state` becomes what all parts have come to; returned is the
        plan made of the best that each part has seen."""
        arrays, data = self.arrays, self.arrays.data
        parts, held = splitter.split(state, most, lots)
        self._hold(state, held)
        seeds = [int(lot) for lot in lots.integers(1, 1 << 62, len(parts))]
        movable = sum(part.visits.size for part in parts)
        share = self._share()

        def run(part: Part, seed: int) -> tuple[Ints, Ints]:
            mine = max(1, rounds * part.visits.size // movable)
            paper = papers.get()
            self._shut(paper, part)
            now = state.copy()
            best = state.copy()
            first, last = (self.iterations * mine // rounds, total * mine // rounds) if total else (0, 0)
            luck = _random_state(seed)
            kernel.search(data, now, best, paper, luck, mine, first, last, self.hot, self.cold, share, DIALS)
            papers.put(paper)
            return now, best

        found = list(pool.map(run, parts, seeds))
        at = arrays.at(kernel.S_TOTAL)
        before = int(state[at])
        best = state.copy()
        base = state.copy()
        for part, (now, peak) in zip(parts, found, strict=True):
            kernel.copy_slots(data, peak, best, part.slots, int(best[at]) + int(peak[at]) - before)
            kernel.copy_slots(data, now, base, part.slots, int(base[at]) + int(now[at]) - before)
        state[:] = base
        for plan in (state, best):
            self._release(plan, held)
        return best

    def _hold(self, state: Ints, visits: Ints) -> None:
        """Bind visits to the minute they have."""
        starts = state[self.arrays.at(kernel.S_START) + visits]
        state[self.arrays.at(kernel.S_LOW) + visits] = starts
        state[self.arrays.at(kernel.S_HIGH) + visits] = starts
        self._restamp(state, visits)

    def _release(self, state: Ints, visits: Ints) -> None:
        state[self.arrays.at(kernel.S_LOW) + visits] = -kernel.INF
        state[self.arrays.at(kernel.S_HIGH) + visits] = kernel.INF
        self._restamp(state, visits)

    def _restamp(self, state: Ints, visits: Ints) -> None:
        for slot in np.unique(state[self.arrays.at(kernel.S_SLOT) + visits]):
            kernel.restamp(self.arrays.data, state, int(slot))

    def _shut(self, paper: Ints, part: Part) -> None:
        """Let a search touch nothing but this part."""
        at = self.arrays.at
        self._open(paper)
        paper[at(kernel.X_FROZEN) : at(kernel.X_FROZEN) + len(self.arrays.problem.visits)] = 1
        paper[at(kernel.X_FROZEN) + part.visits] = 0
        paper[at(kernel.X_SHUT) : at(kernel.X_SHUT) + len(self.arrays.problem.slots)] = 1
        paper[at(kernel.X_SHUT) + part.slots] = 0
        paper[at(kernel.X_MEMBER) : at(kernel.X_MEMBER) + part.visits.size] = part.visits
        paper[at(kernel.X_CONTROL) + kernel.CONTROL_MEMBERS] = part.visits.size

    def _open(self, paper: Ints) -> None:
        """Let a search touch everything; nothing is known to differ from the best."""
        at = self.arrays.at
        paper[at(kernel.X_FROZEN) : at(kernel.X_FROZEN) + len(self.arrays.problem.visits)] = 0
        paper[at(kernel.X_SHUT) : at(kernel.X_SHUT) + len(self.arrays.problem.slots)] = 0
        paper[at(kernel.X_IS_DIRTY) : at(kernel.X_IS_DIRTY) + len(self.arrays.problem.slots)] = 0
        paper[at(kernel.X_CONTROL) + kernel.CONTROL_DIRTY] = 0
        paper[at(kernel.X_CONTROL) + kernel.CONTROL_MEMBERS] = 0

    def _rank(self, state: Ints) -> int:
        return int(kernel.rank(self.arrays.data, state))

    def _pair_up(self) -> None:
        """Try every start for linked visits that are still out; the search only tries the likeliest."""
        arrays, data = self.arrays, self.arrays.data
        pair = arrays.pair()
        size = self.best.size
        for link in arrays.problem.links:
            slots = [int(self.best[arrays.at(kernel.S_SLOT) + visit]) for visit in (link.first, link.second)]
            if max(slots) >= 0 or any(arrays.problem.visits[v].locked for v in (link.first, link.second)):
                continue
            first, last = (int(data[arrays.at(kernel.V_CANDIDATES) + link.first + i]) for i in range(2))
            for entry in range(first, last):
                slot = int(data[arrays.at(kernel.CANDIDATE_SLOT) + entry])
                room = (self.best, pair, arrays.scratch, self.random)
                total = kernel.pair_in_slot(data, *room, link.first, slot, entry)
                if total < kernel.INF and self._rank(pair[size:]) < self._rank(self.best):
                    self.best[:] = pair[size:]
                    break

    def _settle(self) -> None:
        """Time every day once more: a patient's other visits may have moved away since a day was last timed."""
        arrays = self.arrays
        for slot in range(len(arrays.problem.slots)):
            trial = self.best.copy()
            if not kernel.retime(arrays.data, trial, arrays.scratch, slot):
                continue
            if self._rank(trial) < self._rank(self.best):
                self.best = trial

    def _fill(self, state: Ints) -> None:
        """Put into the plan whatever still fits, so that every visit left out is left out for a reason."""
        kernel.fill(self.arrays.data, state, self.arrays.scratch, self.random)

    def _share(self) -> int:
        """How much of the time is gone, of 1,000."""
        if self.stop.seconds is None:
            return 0
        return min(1000, int(1000 * (time.monotonic() - self.began) / max(self.stop.seconds, 1e-9)))

    def _why_stop(self) -> str | None:
        if self.stop.cancel is not None and self.stop.cancel():
            return "cancel"
        if self.stop.iterations is not None and self.iterations >= self.stop.iterations:
            return "iterations"
        if self.stop.seconds is not None and time.monotonic() - self.began >= self.stop.seconds:
            return "seconds"
        return None

    def _report(self, *, improved: bool) -> None:
        seconds = time.monotonic() - self.began
        arrays = self.arrays
        cost = int(self.best[arrays.at(kernel.S_TOTAL)])
        if improved:
            self.history.append((seconds, self.iterations, cost))
        if self.listen is None:
            return
        at = arrays.at(kernel.S_SLOT)
        placed = int((self.best[at : at + len(arrays.problem.visits)] >= 0).sum())
        plan = plan_of(arrays, self.best) if improved else None
        self.listen(Progress(seconds, self.iterations, cost, placed, plan))


def _random_state(seed: int) -> NDArray[np.uint64]:
    """A start for the generator that is never zero and differs much for neighbouring seeds (splitmix64)."""
    mask = (1 << 64) - 1
    z = (seed + 1) * 0x9E3779B97F4A7C15 & mask
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
    return np.array([(z ^ (z >> 31)) or 1], dtype=np.uint64)


def running_cost(problem: Problem, plan: Plan) -> tuple[Plan, int]:
    """The plan as the search would hold it, and its cost by the search's own bookkeeping; for tests and benchmarks."""
    arrays: Arrays = build(problem, near=False)
    state = state_of(arrays, plan)
    return plan_of(arrays, state), int(state[arrays.at(kernel.S_TOTAL)])
