"""A worker process for `test_killed.py`, by the settings of the environment: quick to notice another's silence."""

import signal
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coordinator.app import create_app
from coordinator.jobs.worker import Worker


def main(moment: str) -> None:
    began, real = datetime.fromisoformat(moment), datetime.now(UTC)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    workshop = replace(
        create_app().extensions["workshop"],
        clock=(),
        # The tests' own day, going on at the pace of the real one.
        now=lambda: began + (datetime.now(UTC) - real),
        silence=timedelta(seconds=3),
        heartbeat=timedelta(seconds=0.5),
    )
    Worker(workshop).run_forever(stop)


if __name__ == "__main__":
    main(sys.argv[1])
