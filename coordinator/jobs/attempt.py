"""Doing one attempt: the handler is called, its fate is written down, and nothing of a record gets into the log."""

import threading
import traceback
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from coordinator.jobs import ledger
from coordinator.jobs.context import JobContext, Workshop
from coordinator.jobs.ledger import Attempt, Superseded

log = structlog.get_logger("coordinator.jobs")


class UnknownJobError(LookupError):
    """Nobody is named in `wiring.JOBS` for this job."""


def where(error: BaseException) -> list[str]:
    """The lines of code that led to the error, without its message, which may quote a record."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def perform(workshop: Workshop, attempt: Attempt) -> timedelta | None:
    """Do the job once: None if it is settled (done, or failed for good), else how long to wait before trying again."""
    context = JobContext(
        workshop=workshop, name=attempt.name, key=attempt.key, beat=partial(ledger.beat, workshop, attempt)
    )
    said = log.bind(job=attempt.name, key=attempt.key, attempt=attempt.number)
    try:
        handler = workshop.jobs.get(attempt.name)
        if handler is None:
            raise UnknownJobError(attempt.name)
        handler(context, attempt.arguments)
        ledger.finish(workshop, attempt)
    except Superseded:
        said.warning("job superseded")
        return None
    except Exception as error:  # noqa: BLE001  (whatever a job does, the worker goes on and the job is tried again)
        return _failed(workshop, attempt, error)
    said.info("job done")
    return None


def _failed(workshop: Workshop, attempt: Attempt, error: Exception) -> timedelta | None:
    said = log.bind(job=attempt.name, key=attempt.key, attempt=attempt.number, error=ledger.code_of(error))
    try:
        wait = ledger.fail(workshop, attempt, error)
    except Superseded:
        said.warning("job superseded")
        return None
    if wait is None:
        said.error("job failed", where=where(error))
    else:
        said.warning("job will be tried again", wait_seconds=wait.total_seconds(), where=where(error))
    return wait


class Heart:
    """Beats for an attempt while it is done, in a thread of its own: `with Heart(workshop, attempt):`."""

    def __init__(self, workshop: Workshop, attempt: Attempt) -> None:
        self._workshop, self._attempt = workshop, attempt
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="job-heart", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._workshop.heartbeat.total_seconds()):
            try:
                ledger.beat(self._workshop, self._attempt)
            except Superseded:
                return
            except DBAPIError as error:
                log.warning("heartbeat missed", key=self._attempt.key, error=ledger.code_of(error))
