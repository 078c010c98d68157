"""How the server runs: `gunicorn -c config/gunicorn.py wsgi:app`.

On SQLite, and for the demo, one process serves, works and ticks (COORDINATOR_EMBEDDED_WORKER=1). On PostgreSQL, start
several (`--workers 4`, COORDINATOR_EMBEDDED_WORKER=0) and beside them `flask --app wsgi worker run`, once or more.
"""

from typing import Any

from coordinator.jobs import embedded
from coordinator.planning.search import warm_in_background

bind = "127.0.0.1:8000"
workers = 1
worker_class = "gthread"
threads = 16
timeout = 120
graceful_timeout = 30
preload_app = False  # connections, locks and threads belong to the process that uses them

_running: list[embedded.Embedded] = []


def post_worker_init(worker: Any) -> None:
    """Start worker and clock in the serving process, if the settings say so; load the planner beside, for repairs."""
    warm_in_background()
    started = embedded.start(worker.wsgi.extensions["workshop"])
    if started is not None:
        _running.append(started)


def worker_exit(_server: Any, _worker: Any) -> None:
    """Stop them with it."""
    while _running:
        _running.pop().stop(timeout=20)
