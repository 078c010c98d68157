"""How long a promise takes on the demo agency, from the question to the answer.

    python -m benchmarks.promise --clinicians 16 40 --patients 60 150 [--seconds 2] [--repeat 3] [--json]

Each size: the demo agency in an SQLite file of its own, its coming week planned and published, then the referral that
waits there is asked about. Measured around the job (`promise.perform`, its searches in a process apart), without the
queue's wait of a second at most.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.week import machine
from coordinator.access.service import installer_actor
from coordinator.app import create_app
from coordinator.cli.common import command_work
from coordinator.cli.db import upgrade_database
from coordinator.cli.demo import load_demo
from coordinator.cli.planning import plan_days
from coordinator.core.settings import load_settings
from coordinator.jobs.context import JobContext
from coordinator.planner import warm_up
from coordinator.planning import promise
from coordinator.planning.apart import apart
from coordinator.referrals.model import Referral
from coordinator.visits.model import Visit


def measure(folder: Path, clinicians: int, patients: int, seconds: int, repeat: int) -> list[dict[str, object]]:
    """One row for each time that the agency of that size was asked."""
    path = folder / f"demo-{clinicians}-{patients}.sqlite3"
    app = create_app(
        load_settings(
            {
                "COORDINATOR_PROFILE": "test",
                "COORDINATOR_DATABASE_URL": f"sqlite:///{path}",
                "COORDINATOR_SECRET_KEY": "a-secret-of-this-benchmark-alone-0123456789",
            }
        )
    )
    upgrade_database(app.extensions["database"])
    rows: list[dict[str, object]] = []
    with app.app_context():
        load_demo(patients, clinicians, 1)
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        with contextlib.redirect_stdout(io.StringIO()):
            plan_days("SF", tomorrow, seconds=10, and_publish=True)
        for number in range(repeat):
            with command_work("benchmark", actor=installer_actor("benchmark")) as work:
                referral = work.session.scalars(sa.select(Referral.id)).one()
                asked = promise.ask(work, referral, seconds=seconds, queue=False).id
                visits = work.session.scalar(sa.select(sa.func.count()).select_from(Visit))
            context = JobContext(
                workshop=app.extensions["workshop"], name=promise.JOB, key=promise.job_key(asked)
            )  # fmt: skip
            began = time.monotonic()
            promise.perform(context, asked, apart)
            took = time.monotonic() - began
            with command_work("benchmark", actor=installer_actor("benchmark")) as work:
                row = promise.get(work, asked)
                result = row.result or {}
            rows.append(
                {
                    "clinicians": clinicians,
                    "patients": patients,
                    "visits": visits,
                    "asked": number + 1,
                    "seconds": round(took, 2),
                    "status": row.status.value,
                    "conclusion": result.get("conclusion"),
                    "offers": len(result.get("offers", [])),
                    "wanted": sum(one["wanted"] for one in result.get("services", [])),
                    "fits": sum(one["fits"] for one in result.get("services", [])),
                    "sentence": result.get("sentence") or row.error,
                }
            )
    app.extensions["database"].dispose()
    return rows


def main() -> None:
    """Print the table, or the same as JSON."""
    parser = argparse.ArgumentParser(description="Measure promises on the demo agency.")
    parser.add_argument("--clinicians", type=int, nargs="+", default=[16, 40])
    parser.add_argument("--patients", type=int, nargs="+", default=[60, 150], help="one for each number of clinicians")
    parser.add_argument("--seconds", type=int, default=promise.DEFAULT_SECONDS, help="of search")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warm_up()
    about = machine() | {"load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for clinicians, patients in zip(options.clinicians, options.patients, strict=True)
            for row in measure(Path(folder), clinicians, patients, options.seconds, options.repeat)
        ]
    if options.json:
        json.dump({"about": about, "rows": rows}, sys.stdout, indent=1)
        print()
        return
    print("  ".join(f"{key} {value}" for key, value in about.items()))
    titles = [title for title in rows[0] if title != "sentence"]
    cells = [titles, *([str(row[title]) for title in titles] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(titles))]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    for row in rows[:: options.repeat]:
        print(f"{row['clinicians']}: {row['sentence']}")


if __name__ == "__main__":
    main()
