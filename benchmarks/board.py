"""The scheduler's board against size: seconds of the server, bytes and statements of the day's page.

    python -m benchmarks.board [--clinicians 10 30 60] [--visits 7] [--times 15] [--json]

A branch is made on a fresh SQLite database: each clinician has that many visits on one day, one in ten more waits for a
place. Timed is the whole request over the test client (door, verbs, template), median of `--times` after two that
are not counted; `processor` is the seconds of this process, which a busy machine does not stretch.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from freezegun import freeze_time

from benchmarks.report import Row, heading, machine, table, write_json
from coordinator.app import create_app
from coordinator.cli.db import upgrade_database
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import load_settings
from coordinator.domain.vocabulary import VisitStatus
from tests.builders import make_branch, make_clinician, make_episode, make_patient, make_visit
from tests.web.visitor import visitor

NOW = datetime(2026, 11, 9, 14, 40, tzinfo=UTC)
DAY = date(2026, 11, 9)
COLUMNS = ["clinicians", "visits", "waiting", "view", "seconds", "processor", "statements", "bytes"]


def made(clinicians: int, visits: int, folder: Path) -> tuple[Coordinator, Database, int]:
    """An app on a branch of that size, and the branch's number."""
    app = create_app(
        load_settings(
            {
                "COORDINATOR_PROFILE": "test", "COORDINATOR_SECRET_KEY": "a-secret-of-this-benchmark-alone-012345",
                "COORDINATOR_DATABASE_URL": f"sqlite:///{folder / 'board.sqlite3'}",
            }
        )
    )  # fmt: skip
    database: Database = app.extensions["database"]
    upgrade_database(database)
    with database.transaction() as session:
        branch = make_branch(session)
        for _ in range(clinicians):
            clinician = make_clinician(session, branch)
            for number in range(visits):
                patient = make_patient(session, branch)
                begins = datetime(2026, 11, 9, 16, 0, tzinfo=UTC) + timedelta(minutes=70 * number)
                make_visit(
                    session, patient, make_episode(session, patient), window_from=DAY,
                    window_to=DAY + timedelta(days=4), minutes=45, status=VisitStatus.BOOKED,
                    clinician_id=clinician.id, starts_at=begins, ends_at=begins + timedelta(minutes=45),
                )  # fmt: skip
        for _ in range(clinicians * visits // 10):
            patient = make_patient(session, branch)
            make_visit(
                session, patient, make_episode(session, patient), window_from=DAY, window_to=DAY + timedelta(days=4),
                minutes=45,
            )  # fmt: skip
        number = branch.id
    return app, database, number


def measured(clinicians: int, visits: int, times: int) -> list[Row]:
    """One row for each view of the day."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, freeze_time(NOW, tick=True):
        app, database, branch = made(clinicians, visits, Path(folder))
        there = visitor(app, database, "scheduler", branch_ids=[branch])
        heard: list[str] = []
        sa.event.listen(database.engine, "before_cursor_execute", lambda *told: heard.append(told[2]))
        for view in ("day", "list"):
            seconds, processor = [], []
            for count in range(times + 2):
                heard.clear()
                begun, worked = time.perf_counter(), time.process_time()
                page = there.open(f"/board/?view={view}")
                if count > 1:
                    seconds.append(time.perf_counter() - begun)
                    processor.append(time.process_time() - worked)
            assert page.status_code == 200
            rows.append(
                {
                    "clinicians": clinicians, "visits": clinicians * visits, "waiting": clinicians * visits // 10,
                    "view": view, "seconds": round(statistics.median(seconds), 3),
                    "processor": round(statistics.median(processor), 3), "statements": len(heard),
                    "bytes": len(page.data),
                }
            )  # fmt: skip
        database.dispose()
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clinicians", type=int, nargs="+", default=[10, 30, 60])
    parser.add_argument("--visits", type=int, default=7, help="visits of each clinician on the day")
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [row for size in given.clinicians for row in measured(size, given.visits, given.times)]
    if given.json:
        write_json(machine(), rows)
        return
    print(heading(machine()))
    print(table(rows, COLUMNS))


if __name__ == "__main__":
    main()
