"""Several questions to one process apart: it is started once, answers each, and is gone at the end.

Starting a process and loading the planner takes a second or two; a promise asks twice and has ten.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection
from typing import Any

from coordinator.planner import warm_up
from coordinator.planning.search import LOOK_SECONDS, SearchFailedError, end_with_parent

#: Calls a function with its arguments, somewhere else or here, and hands back what it answers.
Call = Callable[..., Any]
#: Opens the place where calls are done; `beat` is called while one waits for them.
Room = Callable[[Callable[[], None]], AbstractContextManager[Call]]
#: A question that has no answer after so long will have none.
LONGEST_SECONDS = 120.0


@contextmanager
def here(beat: Callable[[], None]) -> Iterator[Call]:
    """Calls are done in this process; for tests and commands."""
    beat()
    warm_up()  # compiling, the first time, is not time to search
    yield lambda function, *arguments: function(*arguments)


@contextmanager
def apart(beat: Callable[[], None]) -> Iterator[Call]:
    """Calls are done in a child process, which loads the planner while the caller goes on reading.

    A call raises SearchFailedError when the child does not answer; the message names the error's class and no data.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs,), name="plan-apart", daemon=True)
    child.start()
    theirs.close()

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        ours.send((function, arguments))
        asked = time.monotonic()
        while not ours.poll(LOOK_SECONDS):
            beat()
            if time.monotonic() - asked > LONGEST_SECONDS:
                raise SearchFailedError(f"no answer after {LONGEST_SECONDS:.0f} seconds")
        try:
            failed, answer = ours.recv()
        except EOFError:
            raise SearchFailedError("the search's process ended without an answer") from None
        if failed:
            raise SearchFailedError(answer)
        return answer

    try:
        yield call
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        child.close()
        ours.close()


def _child(theirs: Connection) -> None:
    """The child's whole life: load the planner, answer what is asked, end with its parent."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    warm_up()
    while True:
        try:
            function, arguments = theirs.recv()
        except EOFError:
            return
        try:
            answer = (False, function(*arguments))
        except Exception as error:  # noqa: BLE001  (whatever it was, the parent must hear that there is no answer)
            answer = (True, f"{type(error).__name__} in the search")
        theirs.send(answer)
