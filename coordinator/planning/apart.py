"""Work for the planner in a process of its own, so that the web's threads and the worker's heartbeat go on living.

The child loads the planner, does what it is given, one thing after the other, and says how far it is. It ends by itself
when its parent is gone: a worker that was killed leaves nothing running. Starting it takes a second or two, so whoever
asks twice asks the same child.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any

from coordinator.planner import warm_up

#: How often a child may speak, and how long the parent waits for it before it looks after other things.
SPEAK_SECONDS = 0.5
LOOK_SECONDS = 0.5
#: A child that is silent for so long will not answer; compiling the planner, the first time, takes minutes.
LONGEST_SILENCE = 600.0

#: Takes what a child says before it answers.
Tell = Callable[[Any], None]
#: Calls a function with its arguments, somewhere else or here, and hands back what it answers.
Call = Callable[..., Any]
#: Opens the place where calls are done; `beat` is called while one waits for them, and may raise to end it all.
Room = Callable[[Callable[[], None]], AbstractContextManager[Call]]


class SearchFailedError(RuntimeError):
    """The search ended without an answer; the message names the error's class and no data."""


@contextmanager
def here(beat: Callable[[], None]) -> Iterator[Call]:
    """Calls are done in this process; for tests and commands."""
    beat()
    warm_up()  # compiling, the first time, is not time to search
    yield lambda function, *arguments: function(*arguments)


@contextmanager
def apart(beat: Callable[[], None], hear: Tell | None = None) -> Iterator[Call]:
    """Calls are done in a child process, which loads the planner while the caller goes on reading.

    With `hear`, the function is given one argument more, a `Tell`; what it tells, at most twice a second, is heard
    here. A call raises SearchFailedError when the child does not answer.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs,), name="plan-apart", daemon=True)
    child.start()
    theirs.close()

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        ours.send((function, arguments, hear is not None))
        looked = spoken = time.monotonic()
        while True:
            if ours.poll(LOOK_SECONDS):
                what, said = _receive(ours)
                spoken = time.monotonic()
                if what == "answer":
                    return said
                if hear is not None:
                    hear(said)
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                beat()
            if time.monotonic() - spoken > LONGEST_SILENCE:
                raise SearchFailedError(f"no word after {LONGEST_SILENCE:.0f} seconds")

    try:
        yield call
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        child.close()
        ours.close()


def _receive(ours: Connection) -> tuple[str, Any]:
    try:
        what, said = ours.recv()
    except EOFError:
        raise SearchFailedError("the search's process ended without an answer") from None
    if what == "failed":
        raise SearchFailedError(said)
    return what, said


def _child(theirs: Connection) -> None:
    """The child's whole life: load the planner, answer what is asked, end with its parent."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    spoken = [0.0]

    def tell(said: Any) -> None:
        if time.monotonic() - spoken[0] >= SPEAK_SECONDS:
            spoken[0] = time.monotonic()
            theirs.send(("said", said))

    warm_up()  # compiling, the first time, is not time to search
    while True:
        try:
            function, arguments, tells = theirs.recv()
        except EOFError:
            return
        try:
            answer = ("answer", function(*arguments, *([tell] if tells else [])))
        except Exception as error:  # noqa: BLE001  (whatever it was, the parent must hear that there is no answer)
            answer = ("failed", f"{type(error).__name__} in the search")
        theirs.send(answer)


def _end_with_parent() -> None:
    """Watches the parent, and ends this process when it is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
