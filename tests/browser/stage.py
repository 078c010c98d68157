"""The demo agency as the browser tests find it, in a process of its own whose clock stands on a Monday morning.

`python -m tests.browser.stage build DATABASE` loads and plans it on the evening before; `... serve DATABASE` serves it,
and prints its address. The clock goes on from there, so that an age or a session is as long as it says.
"""

import os
import sys
from datetime import UTC, datetime

from freezegun import freeze_time

#: Sunday 18:00 and Monday 06:40 in San Francisco.
EVENING = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 9, 14, 40, tzinfo=UTC)
PATIENTS, CLINICIANS = 24, 8


def _app(path: str):  # type: ignore[no-untyped-def]
    os.environ.update(
        COORDINATOR_PROFILE="demo", COORDINATOR_DATABASE_URL=f"sqlite:///{path}", COORDINATOR_EMBEDDED_WORKER="0",
        COORDINATOR_PASSWORD_TIME_COST="1", COORDINATOR_PASSWORD_MEMORY_KIB="64",
    )  # fmt: skip
    from coordinator.app import create_app  # noqa: PLC0415  (the environment first)

    return create_app()


def build(path: str) -> None:
    """Tables, agency, and a published week from Monday on."""
    from coordinator.cli.db import upgrade_here  # noqa: PLC0415
    from coordinator.cli.demo import load_demo  # noqa: PLC0415
    from coordinator.cli.planning import plan_days  # noqa: PLC0415
    from coordinator.demo.agency import BRANCH  # noqa: PLC0415

    with freeze_time(EVENING, tick=True), _app(path).app_context():
        upgrade_here()
        load_demo(PATIENTS, CLINICIANS, 1)
        # A count of rounds, not of seconds, ends the search: the same week on every machine.
        plan_days(BRANCH, datetime(2026, 11, 9).date(), days=5, seconds=60, iterations=20_000, and_publish=True)  # noqa: DTZ001


def serve(path: str) -> None:
    """Until somebody ends the process."""
    from werkzeug.serving import make_server  # noqa: PLC0415

    app = _app(path)
    with freeze_time(MORNING, tick=True):
        server = make_server("127.0.0.1", 0, app, threaded=True)
        sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    {"build": build, "serve": serve}[sys.argv[1]](sys.argv[2])
