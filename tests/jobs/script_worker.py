"""A worker process for `test_killed.py`: `python script_worker.py slow|quick`, with the settings of the environment.

Its one job writes its effect, says so by making a file, and then takes its time.
"""

import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from coordinator.app import create_app
from coordinator.jobs.context import JobContext
from coordinator.jobs.worker import Worker


def main(pace: str) -> None:
    def job(context: JobContext, arguments: dict[str, Any]) -> None:
        if arguments["kill"] == "before":
            _linger(pace, arguments)
        with context.work() as work:
            if context.once(work):
                work.record("test.marked", f"mark:{arguments['number']}")
        if arguments["kill"] == "after":
            _linger(pace, arguments)

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    workshop = replace(
        create_app().extensions["workshop"],
        jobs={"test.mark": job},
        clock=(),
        silence=timedelta(seconds=1.5),
        heartbeat=timedelta(seconds=0.3),
    )
    Worker(workshop).run_forever(stop)


def _linger(pace: str, arguments: dict[str, Any]) -> None:
    if pace == "slow":
        Path(arguments["flag"]).touch()
        time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1])
