"""The search in a process of its own, so that the web's threads and the worker's heartbeat go on living.

The child is given the problem, says now and then how far it is, and hands back what it found. It ends by itself when
its parent is gone: a worker that was killed leaves nothing running.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, TypeVar, cast

from coordinator.planner import explain, solve, warm_up
from coordinator.planner.plan import Explanation, Outcome, Plan, Progress, Stop
from coordinator.planner.problem import Problem

#: How often the child speaks, and how long the parent waits for it before it looks after other things.
SPEAK_SECONDS = 0.5
LOOK_SECONDS = 0.5


class SearchFailedError(RuntimeError):
    """The search ended without an answer; the message names the error's class and no data."""


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
    """Something to search for, handed to another process whole; its answer is neither `Heard` nor a string."""

    def run(self, listen: Callable[[Progress], None]) -> T:
        """Search, telling of progress."""


#: Called about every half second with the last thing heard (None: nothing new); True ends the search.
Look = Callable[[Heard | None], bool]


def warm_in_background() -> threading.Thread:
    """Load the planner's kernels while the server begins to serve, so that no first request waits for them."""
    thread = threading.Thread(target=warm_up, name="planner-warm-up", daemon=True)
    thread.start()
    return thread


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
    if look(None):
        raise Cancelled
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs,), name="plan-search", daemon=True)
    child.start()
    theirs.close()
    try:
        ours.send(task)
        return cast(T, _listen(ours, look))
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        child.close()
        ours.close()


def _listen(ours: Connection, look: Look) -> Any:
    heard: Heard | None = None
    looked = 0.0
    while True:
        if ours.poll(LOOK_SECONDS):
            try:
                said = ours.recv()
            except EOFError:
                raise SearchFailedError("the search's process ended without an answer") from None
            if isinstance(said, str):
                raise SearchFailedError(said)
            if not isinstance(said, Heard):
                return said
            heard = said
        if time.monotonic() - looked >= LOOK_SECONDS:
            looked = time.monotonic()
            if look(heard):
                raise Cancelled
            heard = None


def _child(theirs: Connection) -> None:
    """The child's whole life: read the task, search, answer."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        task: Searchable[object] = theirs.recv()
        spoken = [0.0]

        def listen(progress: Progress) -> None:
            if time.monotonic() - spoken[0] >= SPEAK_SECONDS:
                spoken[0] = time.monotonic()
                theirs.send(Heard(progress.seconds, progress.iteration, progress.cost, progress.placed))

        warm_up()  # compiling, the first time, is not time to search
        theirs.send(task.run(listen))
    except Exception as error:  # noqa: BLE001  (whatever it was, the parent must hear that there is no answer)
        theirs.send(f"{type(error).__name__} in the search")


def end_with_parent() -> None:
    """Watches the parent, and ends this process when it is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
