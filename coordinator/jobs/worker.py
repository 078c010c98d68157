"""The worker: does what is in the queue, one process or several, on either engine."""

import os
import secrets
import socket
import threading
import time

import structlog

from coordinator.jobs import ledger
from coordinator.jobs.attempt import Heart, UnknownJobError, perform, where
from coordinator.jobs.carrier import Carrier
from coordinator.jobs.context import Workshop

log = structlog.get_logger("coordinator.jobs")

#: Seconds between looks into the local queue, before a new start after a fault, and between tidyings.
POLL_EVERY, AFTER_FAULT, TIDY_EVERY = 1.0, 5.0, 3600.0


class Worker:
    """Does jobs. UnknownJobError if the clock names a job that nobody does: better at start than at midnight."""

    def __init__(self, workshop: Workshop, *, concurrency: int = 2) -> None:
        unknown = sorted({entry.job for entry in workshop.clock} - workshop.jobs.keys())
        if unknown:
            raise UnknownJobError(f"The clock names jobs that nobody does: {', '.join(unknown)}. See wiring.py.")
        self.workshop = workshop
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
        self._carrier = (
            Carrier(workshop, self.name, concurrency=concurrency) if workshop.database.is_postgresql else None
        )

    def run_once(self, stop: threading.Event | None = None) -> int:
        """Do everything that is due now; the number of attempts made."""
        if self._carrier is not None:
            return self._carrier.drain()
        made = 0
        while stop is None or not stop.is_set():
            attempt = ledger.next_due(self.workshop, self.name)
            if attempt is None:
                break
            with Heart(self.workshop, attempt):
                perform(self.workshop, attempt)
            made += 1
        return made

    def run_forever(self, stop: threading.Event) -> None:
        """Work until `stop` is set; the job at hand is finished first. A fault of the database is outlived."""
        log.info("worker started", worker=self.name)
        tidying = threading.Thread(target=self._tidy_forever, args=(stop,), name="job-tidy", daemon=True)
        tidying.start()
        while not stop.is_set():
            try:
                if self._carrier is not None:
                    self._carrier.serve(stop)
                else:
                    self.run_once(stop)
                    stop.wait(POLL_EVERY)
            except Exception as error:  # noqa: BLE001  (a worker that gave up would leave the office without deadlines)
                log.error("worker fault", worker=self.name, error=ledger.code_of(error), where=where(error))
                stop.wait(AFTER_FAULT)
        tidying.join()
        log.info("worker stopped", worker=self.name)

    def _tidy_forever(self, stop: threading.Event) -> None:
        due = time.monotonic() + TIDY_EVERY
        while not stop.wait(1.0):
            if time.monotonic() < due:
                continue
            due = time.monotonic() + TIDY_EVERY
            try:
                ledger.tidy(self.workshop)
            except Exception as error:  # noqa: BLE001  (old rows may wait for the next hour)
                log.warning("tidying failed", error=ledger.code_of(error))
