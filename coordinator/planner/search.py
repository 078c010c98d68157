"""The search as a whole: from a problem to the best plan that the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from coordinator.planner import kernel, operations
from coordinator.planner.arrays import Arrays, Ints, build
from coordinator.planner.constraints import score
from coordinator.planner.engines import Engine, choose
from coordinator.planner.fingerprint import fingerprint
from coordinator.planner.plan import Outcome, Plan, Progress, Stop
from coordinator.planner.problem import Clinician, Day, Problem, Slot, Visit, Window
from coordinator.planner.states import plan_of, state_of
from coordinator.planner.validate import validate

BATCH_SECONDS = 0.05
"""How long one batch in the kernel should last: between batches the clock, `cancel` and `listen` have their turn."""
AVERAGE_REMOVED = 6
"""Visits taken out in one round, on average (SISR's c-bar)."""
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


def search_briefly(problem: Problem, start: Plan, rounds: int) -> Plan:
    """The best plan after so many rounds from `start`, of a problem that has passed `validate`; it is not scored.

    For questions that need hundreds of small searches; everybody else asks `solve`.
    """
    run = _Run(problem, Stop(iterations=rounds), 0, time.monotonic(), None)
    run.go(start)
    return plan_of(run.arrays, run.best)


class _Run:
    """One search: its state, its clock, its listener."""

    def __init__(
        self, problem: Problem, stop: Stop, seed: int, began: float, listen: Callable[[Progress], None] | None
    ) -> None:
        self.arrays = build(problem)
        self.stop = stop
        self.began = began
        self.listen = listen
        self.pair = self.arrays.pair()
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
        saved = state.copy()
        batch = 8
        total = self.stop.iterations or 0
        while True:
            why = self._why_stop()
            if why is not None:
                break
            if total:
                batch = min(batch, total - self.iterations)
            before = int(self.best[arrays.at(kernel.S_TOTAL)])
            tick = time.monotonic()
            kernel.search(
                arrays.data,
                state,
                self.best,
                saved,
                self.pair,
                arrays.scratch,
                self.random,
                batch,
                self.iterations,
                total,
                self.hot,
                self.cold,
                self._share(),
                AVERAGE_REMOVED,
            )
            took = time.monotonic() - tick
            self.iterations += batch
            self._report(improved=int(self.best[arrays.at(kernel.S_TOTAL)]) < before)
            # The size of a batch never changes what is found when iterations are counted.
            batch = max(1, min(4 * batch, int(batch * BATCH_SECONDS / max(took, 1e-6)), 100_000))
        self._fill(self.best)
        self._pair_up()
        self._settle()
        return why

    def _pair_up(self) -> None:
        """Try every start for linked visits that are still out; the search only tries the likeliest."""
        arrays, data = self.arrays, self.arrays.data
        size = self.best.size
        for link in arrays.problem.links:
            slots = [int(self.best[arrays.at(kernel.S_SLOT) + visit]) for visit in (link.first, link.second)]
            if max(slots) >= 0 or any(arrays.problem.visits[v].locked for v in (link.first, link.second)):
                continue
            first, last = (int(data[arrays.at(kernel.V_CANDIDATES) + link.first + i]) for i in range(2))
            for entry in range(first, last):
                slot = int(data[arrays.at(kernel.CANDIDATE_SLOT) + entry])
                room = (self.best, self.pair, arrays.scratch, self.random)
                total = kernel.pair_in_slot(data, *room, link.first, slot, entry)
                if total < self.best[arrays.at(kernel.S_TOTAL)]:
                    self.best[:] = self.pair[size:]
                    break

    def _settle(self) -> None:
        """Time every day once more: a patient's other visits may have moved away since a day was last timed."""
        arrays = self.arrays
        for slot in range(len(arrays.problem.slots)):
            trial = self.best.copy()
            if not kernel.retime(arrays.data, trial, arrays.scratch, slot):
                continue
            if trial[arrays.at(kernel.S_TOTAL)] < self.best[arrays.at(kernel.S_TOTAL)]:
                self.best = trial

    def _fill(self, state: Ints) -> None:
        """Put into the plan whatever still fits, so that every visit left out is left out for a reason."""
        kernel.fill(self.arrays.data, state, self.pair, self.arrays.scratch, self.random)

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
    arrays: Arrays = build(problem)
    state = state_of(arrays, plan)
    return plan_of(arrays, state), int(state[arrays.at(kernel.S_TOTAL)])


def warm_up(engine: Engine = Engine.CALENDAR) -> None:
    """Compile one engine's kernel or load it from the cache, on a problem of two visits.

    About a minute cold, under a second warm.
    """
    if engine is Engine.OPERATIONS:
        operations.warm_up()
        return
    windows = {0: (Window(480, 900),)}
    problem = Problem(
        name="warm-up",
        days=(Day(0, 1440),),
        travel_seconds=np.array([[0, 600], [600, 0]], dtype=np.int32),
        clinicians=(Clinician("someone"),),
        slots=(Slot(0, 0, 0, 0, 480, 1020),),
        visits=(Visit("a", "a", 1, 30, windows), Visit("b", "b", 1, 30, windows)),
    )
    first = solve(problem, Stop(iterations=3))
    solve(problem, Stop(iterations=1), start=first.plan)
