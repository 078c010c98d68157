"""Worker and clock inside the serving process: for the demo and small installations, where one process does it all."""

import threading

from coordinator.jobs.clock import Clock
from coordinator.jobs.context import Workshop
from coordinator.jobs.worker import Worker


class Embedded:
    """Running threads; `stop` ends them after the job and the tick at hand."""

    def __init__(self, workshop: Workshop) -> None:
        worker = Worker(workshop, concurrency=1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=worker.run_forever, args=(self._stop,), name="worker", daemon=True)
        self._clock = Clock(workshop)
        self._thread.start()
        self._clock.start()

    def stop(self, timeout: float | None = None) -> None:
        """Stop, waiting at most `timeout` seconds; a job that takes longer is taken over after the next start."""
        self._stop.set()
        self._clock.stop()
        self._thread.join(timeout)


def start(workshop: Workshop) -> Embedded | None:
    """Start the threads if the settings say so. Called by the server once it has forked, never at import."""
    return Embedded(workshop) if workshop.settings.embedded_worker else None
