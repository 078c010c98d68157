"""The search as a whole for days whose visits shape each other's times: walkers on the cores, the best continued."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.planner.constraints import score
from coordinator.planner.fingerprint import fingerprint
from coordinator.planner.operations import kernel
from coordinator.planner.operations.arrays import Arrays, Ints, build, plan_of, state_of
from coordinator.planner.plan import Outcome, Plan, Progress, Stop
from coordinator.planner.problem import Clinician, Day, Linked, Problem, Slot, Visit, Window

BEAT_SECONDS = 0.1
"""How long the walkers go on by themselves: between beats the clock, `cancel` and `listen` have their turn."""
WALKERS = 2
"""When rounds are counted: the same on every machine, so that the plan is the same too."""
MOST_WALKERS = 8
EPOCHS = 10
"""After each of these shares of the time the walker that is worst goes on from the best plan."""
HOT, COLD = 3.0, 0.03
"""Annealing begins and ends at these shares of the average way to a visit, in cents."""
SHARING = 1.0
"""Shifts that are less idle than the idlest by about this share of the average visit and its way share the price of
the idlest at the beginning: what is put in or taken out is always a visit."""
AVERAGE_REMOVED = 10
"""Operations taken out in one round, on average (SISR's c-bar)."""
BLINK = 0.05
"""Share of places that a round overlooks."""
TRIES = 10
"""Places of the first of two linked operations for which the second is tried."""
TICKS = 1_000_000


def solve(
    problem: Problem,
    stop: Stop,
    *,
    seed: int,
    start: Plan | None,
    listen: Callable[[Progress], None] | None,
    began: float,
) -> Outcome:
    """As `planner.solve`, for a valid problem that `engines.choose` gives to this engine."""
    run = _Run(problem, stop, seed, began, listen)
    stopped_by = run.go(start)
    plan = plan_of(run.arrays, run.best)
    result = score(problem, plan)
    if start is not None:
        given = score(problem, start)
        if given.key <= result.key:
            plan, result = start, given
    return Outcome(
        plan=plan,
        score=result,
        iterations=run.rounds,
        seconds=time.monotonic() - began,
        seed=seed,
        fingerprint=fingerprint(problem, plan),
        history=tuple(run.history),
        stopped_by=stopped_by,
    )


@dataclass
class _Walker:
    """One search of its own."""

    state: Ints
    best: Ints
    saved: Ints
    work: Ints
    random: NDArray[np.uint64]
    done: int = 0
    """Rounds."""
    batch: int = 8
    """Rounds in a beat: only ever a matter of how often the clock is asked."""

    @property
    def cost(self) -> int:
        """Cents of its best plan."""
        return int(self.best[kernel.COST])


class _Run:
    """One search by several walkers."""

    def __init__(
        self, problem: Problem, stop: Stop, seed: int, began: float, listen: Callable[[Progress], None] | None
    ) -> None:
        self.arrays: Arrays = build(problem)
        self.stop, self.seed, self.began, self.listen = stop, seed, began, listen
        self.history: list[tuple[float, int, int]] = []
        self.walkers: list[_Walker] = []
        self.hot = self.cold = self.spread = 1.0

    @property
    def rounds(self) -> int:
        """Rounds of all walkers."""
        return sum(walker.done for walker in self.walkers)

    @property
    def best(self) -> Ints:
        """The best plan of all walkers; of equals, that of the first."""
        return min(self.walkers, key=lambda walker: walker.cost).best

    def go(self, start: Plan | None) -> str:
        """Search until something says stop; what it was."""
        problem = self.arrays.problem
        first = self._begin(start)
        count = WALKERS if self.stop.iterations is not None else max(1, min(MOST_WALKERS, os.cpu_count() or 1))
        for number in range(count):
            copies = (first.copy(), first.copy(), first.copy())
            self.walkers.append(_Walker(*copies, self.arrays.work(), _random_state(self.seed * MOST_WALKERS + number)))
        self._report(improved=True)
        if not any(not visit.locked for visit in problem.visits) or not problem.slots:
            return "nothing-to-do"
        unit = max(1.0, self._average(first, kernel.S_LEGS))
        self.hot, self.cold = HOT * unit, COLD * unit
        self.spread = SHARING * (self._average(first, kernel.S_DRIVE) + self._average(first, kernel.S_CARE))
        with ThreadPoolExecutor(count) as pool:
            return self._walk(pool)

    def _average(self, state: Ints, table: int) -> float:
        """What the ways of a plan add up to, for each of its visits."""
        problem, at = self.arrays.problem, int(self.arrays.data[table])
        return float(state[at : at + len(problem.slots)].sum()) / max(1, len(problem.visits))

    def _begin(self, start: Plan | None) -> Ints:
        """Where the walkers begin: the start plan with what still fits, or a plan put together from nothing."""
        arrays = self.arrays
        random = _random_state(self.seed)
        if start is not None:
            state = state_of(arrays, start)
            if kernel.begin(arrays.data, state, arrays.work(), random):
                return state
        state = arrays.empty()
        kernel.begin(arrays.data, state, arrays.work(), random)
        return state

    def _walk(self, pool: ThreadPoolExecutor) -> str:
        for epoch in range(1, EPOCHS + 1):
            while not self._over(epoch):
                why = self._why_stop()
                if why is not None:
                    return why
                before = int(self.best[kernel.COST])
                list(pool.map(lambda number: self._beat(number, epoch), range(len(self.walkers))))  # noqa: B023
                self._report(improved=int(self.best[kernel.COST]) < before)
            self._follow()
        return "seconds" if self.stop.iterations is None else "iterations"

    def _beat(self, number: int, epoch: int) -> None:
        """Let one walker go on for about a beat; with counted rounds never beyond the end of the epoch."""
        walker = self.walkers[number]
        rounds, done, total = walker.batch, self._share(), TICKS
        counted = self.stop.iterations is not None
        if counted:
            rounds = min(rounds, self._quota(number, epoch) - walker.done)
            done, total = walker.done, self._quota(number, EPOCHS)
        if rounds <= 0:
            return
        tick = time.monotonic()
        kernel.search(
            self.arrays.data, walker.state, walker.best, walker.saved, walker.work, walker.random,
            rounds, self.hot, self.cold, self.spread, done, total, counted, AVERAGE_REMOVED, BLINK, TRIES,
        )  # fmt: skip
        took = time.monotonic() - tick
        walker.done += rounds
        walker.batch = max(1, min(4 * walker.batch, int(walker.batch * BEAT_SECONDS / max(took, 1e-6)), 100_000))

    def _quota(self, number: int, epoch: int) -> int:
        """Rounds of one walker until the end of an epoch."""
        count = len(self.walkers)
        mine = ((self.stop.iterations or 0) + count - 1 - number) // count
        return mine * epoch // EPOCHS

    def _over(self, epoch: int) -> bool:
        """Whether an epoch is at its end for all walkers."""
        if self.stop.iterations is None:
            return self._share() * EPOCHS >= epoch * TICKS
        return all(walker.done >= self._quota(number, epoch) for number, walker in enumerate(self.walkers))

    def _follow(self) -> None:
        """Let the walker whose best is worst go on from the best plan of all."""
        worst = max(self.walkers, key=lambda walker: walker.cost)
        if worst.cost > self.best[kernel.COST]:
            worst.best[:] = worst.state[:] = worst.saved[:] = self.best

    def _share(self) -> int:
        """How much of the time is gone, in ticks."""
        if self.stop.seconds is None:
            return 0
        return min(TICKS, int(TICKS * (time.monotonic() - self.began) / max(self.stop.seconds, 1e-9)))

    def _why_stop(self) -> str | None:
        if self.stop.cancel is not None and self.stop.cancel():
            return "cancel"
        if self.stop.seconds is not None and time.monotonic() - self.began >= self.stop.seconds:
            return "seconds"
        return None

    def _report(self, *, improved: bool) -> None:
        seconds = time.monotonic() - self.began
        best, data = self.best, self.arrays.data
        cost = int(best[kernel.COST])
        if improved:
            self.history.append((seconds, self.rounds, cost))
        if self.listen is None:
            return
        at = int(data[kernel.S_SLOT])
        placed = int((best[at : at + len(self.arrays.problem.visits)] >= 0).sum())
        self.listen(Progress(seconds, self.rounds, cost, placed, plan_of(self.arrays, best) if improved else None))


def _random_state(seed: int) -> NDArray[np.uint64]:
    """A start for the generator that is never zero and differs much for neighbouring seeds (splitmix64)."""
    mask = (1 << 64) - 1
    z = (seed + 1) * 0x9E3779B97F4A7C15 & mask
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
    return np.array([(z ^ (z >> 31)) or 1], dtype=np.uint64)


def running_cost(problem: Problem, plan: Plan) -> tuple[Plan, int]:
    """The plan as this engine would time it, and its cost by the kernel's bookkeeping; for tests and benchmarks.

    Raises ValueError when the routes of the plan cannot be timed.
    """
    arrays = build(problem)
    state, work = state_of(arrays, plan), arrays.work()
    if not kernel.earliest(arrays.data, state, work):
        raise ValueError("these routes cannot be timed")
    cost = kernel.measure(arrays.data, state, work)
    return plan_of(arrays, state), int(cost)


def warm_up() -> None:
    """Compile the kernel or load it from the cache, on two visits that start together; about two minutes cold."""
    window = {0: (Window(480, 900),)}
    problem = Problem(
        name="warm-up",
        days=(Day(0, 1440),),
        travel_seconds=np.array([[0, 600], [600, 0]], dtype=np.int32),
        clinicians=(Clinician("one"), Clinician("other")),
        slots=(Slot(0, 0, 0, 0, 480, 1020), Slot(1, 0, 0, 0, 480, 1020)),
        visits=(Visit("a", "a", 1, 30, window), Visit("b", "a", 1, 30, window)),
        links=(Linked(0, 1),),
    )
    first = solve(problem, Stop(iterations=4), seed=0, start=None, listen=None, began=time.monotonic())
    solve(problem, Stop(iterations=1), seed=0, start=first.plan, listen=None, began=time.monotonic())
