"""How long whoever rings waits for a first proposal: POST /repairs on a published week, rows and rules included.

The demo agency in an SQLite file of its own, its coming week planned and published; then each event is told to the
door, as a browser would, and the whole request is timed: reading, asking the rules, searching, writing. The kernels are
warm; the first request of the process still loads what later ones find loaded,
and is a row like any other. `seconds` are by the clock; `processor` is what the process used of all cores meanwhile,
which can be compared on a machine that does other work as well; `questions` are those to the database.
Asked for by `python -m benchmarks.repair --door`.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.report import Row
from coordinator.access.model import ApiToken, User
from coordinator.agency.model import Branch
from coordinator.app import create_app
from coordinator.cli.db import upgrade_database
from coordinator.cli.demo import load_demo
from coordinator.cli.planning import plan_days
from coordinator.core.settings import load_settings
from coordinator.domain.vocabulary import VisitStatus
from coordinator.visits.model import Visit


def measure(clinicians: int, patients: int, planning: float, repeat: int) -> list[Row]:
    """One row for each request: its event, seconds until the answer, and what the answer counts."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            load_settings(
                {
                    "COORDINATOR_PROFILE": "test",
                    "COORDINATOR_DATABASE_URL": f"sqlite:///{Path(folder) / 'door.sqlite3'}",
                    "COORDINATOR_SECRET_KEY": "a-secret-of-this-benchmark-alone-0123456789",
                }
            )
        )
        try:
            return _measured(app, clinicians, patients, planning, repeat)
        finally:
            app.extensions["database"].dispose()


def _measured(app: Any, clinicians: int, patients: int, planning: float, repeat: int) -> list[Row]:
    database = app.extensions["database"]
    upgrade_database(database)
    with app.app_context(), contextlib.redirect_stdout(io.StringIO()):
        load_demo(patients, clinicians, 1)
        plan_days("SF", datetime.now(UTC).date() + timedelta(days=1), seconds=int(planning), and_publish=True)
    token = _signed_in(app)
    with database.transaction(write=False) as session:
        branch = session.execute(sa.select(Branch.id).where(Branch.code == "SF")).scalar_one()
        ahead = session.scalars(
            sa.select(Visit)
            .where(
                Visit.branch_id == branch,
                Visit.status == VisitStatus.BOOKED,
                Visit.starts_at > datetime.now(UTC) + timedelta(hours=12),
            )
            .order_by(Visit.starts_at, Visit.id)
        ).all()
    rows = []
    questions = [0]

    def hear(*_: Any) -> None:
        questions[0] += 1

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    for event in _events(list(ahead), repeat):
        began, used, questions[0] = time.monotonic(), time.process_time(), 0
        answer = app.test_client().post(
            "/api/v1/repairs",
            json={"branch_id": branch, "event": event, "seconds": 0},
            headers={"Authorization": f"Bearer {token}"},
        )
        took, used = time.monotonic() - began, time.process_time() - used
        said = answer.json if answer.status_code == 201 else {}
        counts = {word: number for word, number in said.get("counts", {}).items() if number and word != "kept"}
        rows.append(
            {
                "event": event["kind"],
                "clinicians": clinicians,
                "visits": len(ahead),
                "status": answer.status_code,
                "seconds": round(took, 2),
                "processor": round(used, 2),
                "questions": questions[0],
                "hit": said.get("touched", {}).get("hit_visits"),
                "counts": ", ".join(f"{word} {number}" for word, number in counts.items()),
            }
        )
    return rows


def _signed_in(app: Any) -> str:
    """The token of a clinical manager of every branch."""
    secret, now = secrets.token_urlsafe(16), datetime.now(UTC)
    with app.extensions["database"].transaction() as session:
        user = User(
            username="benchmark", display_name="Benchmark", password_hash=secrets.token_hex(16),
            roles=["clinical_manager"], branch_ids=list(session.scalars(sa.select(Branch.id))),
            active=True, failed_attempts=0, demo=False,
        )  # fmt: skip
        session.add(user)
        session.flush()
        session.add(
            ApiToken(
                user_id=user.id, label="benchmark", token_hash=app.extensions["doorman"].digest(secret),
                created_at=now, expires_at=now + timedelta(days=1),
            )
        )  # fmt: skip
    return secret


def _events(ahead: list[Visit], repeat: int) -> list[dict[str, Any]]:
    """Sick calls of the busiest clinicians of the week's busiest day, then a cancellation and a hospital stay each."""
    per_day = Counter(visit.starts_at.date() for visit in ahead if visit.starts_at is not None)
    busiest = max(per_day, key=lambda day: (per_day[day], -day.toordinal()))
    there = [visit for visit in ahead if visit.starts_at is not None and visit.starts_at.date() == busiest]
    people = [who for who, _ in Counter(visit.clinician_id for visit in there).most_common(repeat)]
    told: list[dict[str, Any]] = [
        {"kind": "absence", "clinician_id": who, "first_day": busiest.isoformat()} for who in people
    ]
    told += [{"kind": "cancelled", "visit_id": visit.id} for visit in there[:repeat]]
    return told + [{"kind": "hospital", "patient_id": visit.patient_id} for visit in there[:repeat]]
