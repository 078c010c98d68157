"""What is searched, how one hears of it, and where: in a process apart, or in this one."""

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from coordinator.patients import diagnoses
from coordinator.planner import explain, solve, warm_up
from coordinator.planner.plan import Explanation, Outcome, Plan, Progress, Stop
from coordinator.planner.problem import Problem
from coordinator.planning.apart import LOOK_SECONDS, Tell, apart


class Cancelled(Exception):  # noqa: N818  (an answer, not an error)
    """Somebody asked for the search to stop."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan, and why each visit is where it is."""

    outcome: Outcome
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be searched. Without `iterations` the search stops after `seconds`, with them it counts only those."""

    problem: Problem
    start: Plan
    seconds: int
    seed: int
    iterations: int | None = None

    def run(self, listen: Callable[[Progress], None]) -> Found:
        """Search, and explain what was found."""
        outcome = solve(self.problem, self.stop(), seed=self.seed, start=self.start, listen=listen)
        return Found(outcome, explain(self.problem, outcome.plan))

    def stop(self, cancel: Callable[[], bool] | None = None) -> Stop:
        """When to stop: time never cuts short a search that is counted, so that it can be repeated."""
        if self.iterations is not None:
            return Stop(iterations=self.iterations, cancel=cancel)
        return Stop(seconds=float(self.seconds), cancel=cancel)


@dataclass(frozen=True, slots=True)
class Heard:
    """How far the search is."""

    seconds: float
    iteration: int
    cost: int
    placed: int


T = TypeVar("T", covariant=True)


class Searchable(Protocol[T]):
    """Something to search for, handed to another process whole."""

    def run(self, listen: Callable[[Progress], None]) -> T:
        """Search, telling of progress."""


#: Called about every half second with the last thing heard (None: nothing new); True ends the search.
Look = Callable[[Heard | None], bool]


def warm_in_background() -> threading.Thread:
    """Load kernels and diagnosis codes while the server begins to serve, so that no first request waits for them."""
    thread = threading.Thread(target=_warm, name="warm-up", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    diagnoses.load()  # two seconds; the kernels may take a minute
    warm_up()
    # What has been loaded stays. Looked through again and again for rubbish, in the middle of requests that make many
    # objects, it cost each of those a third of a second.
    gc.collect()
    gc.freeze()


def search_here(task: Task, look: Look) -> Found:
    """Search in this process; for tests and for machines that allow no second one. Raises `Cancelled`."""
    last: list[Heard | None] = [None]
    looked = [time.monotonic()]
    cancelled = [False]

    def listen(progress: Progress) -> None:
        last[0] = Heard(progress.seconds, progress.iteration, progress.cost, progress.placed)

    def cancel() -> bool:
        if not cancelled[0] and time.monotonic() - looked[0] >= LOOK_SECONDS:
            looked[0] = time.monotonic()
            cancelled[0] = look(last[0])
        return cancelled[0]

    if look(None):
        raise Cancelled
    warm_up()  # compiling, the first time, is not time to search
    outcome = solve(task.problem, task.stop(cancel), seed=task.seed, start=task.start, listen=listen)
    if cancelled[0]:
        raise Cancelled
    return Found(outcome, explain(task.problem, outcome.plan))


def search_apart(task: Searchable[T], look: Look) -> T:
    """Search in a child process. Raises `Cancelled`, or SearchFailedError when the child does not answer."""
    heard: list[Heard | None] = [None]

    def beat() -> None:
        said, heard[0] = heard[0], None
        if look(said):
            raise Cancelled

    def hear(said: Any) -> None:
        heard[0] = said

    beat()
    with apart(beat, hear) as call:
        return cast(T, call(_run, task))


def _run(task: Searchable[T], tell: Tell) -> T:
    """Done by the child."""
    return task.run(lambda progress: tell(Heard(progress.seconds, progress.iteration, progress.cost, progress.placed)))
