"""The night's sweep of deadlines against size: time, statements, and how both grow with the branch.

    python -m benchmarks.sweep [--patients 500 1000 2000 5000] [--engine sqlite|postgresql|both] [--json]

A branch is made on a fresh database: everybody in care with nursing, every third
with an aide, every fourth with therapy, two months of visits. PostgreSQL is a server that is started for it, without
`fsync`. Timed are the first night, which opens the book, the
same night again, which changes nothing, and the night after; then what a plan of the coming week asks first:
obligations are given to the visits that are wanted (one for each order), and asked again, nothing changes.
`processor` is the seconds of this process, which a busy machine does not stretch (PostgreSQL's own are not in it);
`slowest` those of the slowest statement.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.report import Row, heading, machine, table, write_json
from coordinator.access.service import system_actor
from coordinator.agency.model import Branch
from coordinator.app import create_app
from coordinator.cli.db import upgrade_database
from coordinator.core import audit
from coordinator.core.db import Base, Database
from coordinator.core.http import Door
from coordinator.core.settings import load_settings
from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.remind import look_after
from coordinator.domain.vocabulary import Discipline, OrderStatus, VisitKind, VisitStatus
from coordinator.orders.model import CarePlan, Order
from coordinator.patients.model import Coverage, Episode, Home, Patient
from coordinator.planning.clocks import attach
from coordinator.planning.horizon import Horizon
from coordinator.staff.model import Physician
from coordinator.visits.duty_model import VisitDuty
from coordinator.visits.model import Visit
from tests import postgres
from tests.builders import make_branch, make_care_plan, make_clinician, make_episode, make_patient, make_physician

ENGINES = ("sqlite", "postgresql")
SIZES = [500, 1000, 2000, 5000]
TODAY = date(2026, 11, 9)
PACIFIC = ZoneInfo("America/Los_Angeles")
COLUMNS = [
    "engine", "patients", "what", "seconds", "processor", "statements", "slowest", "opened", "closed", "open",
    "carried",
]  # fmt: skip


def measure(patients: int, engine: str = "sqlite") -> list[Row]:
    """Three nights over a branch of that size."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{Path(folder) / 'sweep.sqlite3'}"
        if engine == "postgresql":
            name = f"sweep{patients}"
            with psycopg.connect(_server().url("postgres"), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name}")
                connection.execute(f"CREATE DATABASE {name}")
            address = _server().url(name)
        app = create_app(
            load_settings(
                {
                    "COORDINATOR_PROFILE": "test", "COORDINATOR_DATABASE_URL": address,
                    "COORDINATOR_SECRET_KEY": "a-secret-of-the-benchmarks-alone-0123456789",
                }
            )
        )  # fmt: skip
        database: Database = app.extensions["database"]
        upgrade_database(database)
        with database.transaction() as session:
            branch_id = _people(session, patients)
        door = app.extensions["door"]
        rows = [
            _night(database, door, branch_id, day, name)
            for day, name in ((TODAY, "first night"), (TODAY, "again"), (TODAY + timedelta(days=1), "next night"))
        ]
        with database.transaction() as session:
            _wanted(session, branch_id)
        rows += [_given(database, door, branch_id, name) for name in ("visits carry", "carry again")]
        database.dispose()
    return [{"engine": engine, "patients": patients} | row for row in rows]


@cache
def _server() -> postgres.Server:
    return postgres.Server()


def _timed(database: Database, door: Door, day: date, ask: Callable[[Work], Row]) -> Row:
    """What that asks of the database, and for how long."""
    begun_at: list[float] = []
    took: list[float] = []

    def before(*_: Any) -> None:
        begun_at.append(time.perf_counter())

    def after(*_: Any) -> None:
        took.append(time.perf_counter() - begun_at[-1])

    sa.event.listen(database.engine, "before_cursor_execute", before)
    sa.event.listen(database.engine, "after_cursor_execute", after)
    begun, processor = time.perf_counter(), time.process_time()
    with database.transaction() as session:
        now = datetime(day.year, day.month, day.day, 11, 15, tzinfo=UTC)
        work = Work(
            session=session, actor=system_actor("sweep"), now=now,
            policy=door.policy, handlers=door.handlers, enqueue=door.enqueue,
        )  # fmt: skip
        found = ask(work)
        session.flush()
        audit.seal(session, work.trail)
    seconds, own = time.perf_counter() - begun, time.process_time() - processor
    sa.event.remove(database.engine, "before_cursor_execute", before)
    sa.event.remove(database.engine, "after_cursor_execute", after)
    return {
        "seconds": round(seconds, 2), "processor": round(own, 2), "statements": len(took),
        "slowest": round(max(took), 2),
    } | found  # fmt: skip


def _night(database: Database, door: Door, branch_id: int, day: date, name: str) -> Row:
    def look(work: Work) -> Row:
        change = look_after(work, branch_id)
        return {"opened": change.opened, "closed": change.closed}

    row = {"what": name} | _timed(database, door, day, look)
    with database.transaction(write=False) as session:
        left = session.execute(sa.select(sa.func.count()).where(Deadline.status == "open")).scalar_one()
    return row | {"open": left}


def _given(database: Database, door: Door, branch_id: int, name: str) -> Row:
    week = Horizon(PACIFIC, TODAY + timedelta(days=2), TODAY + timedelta(days=8))

    def give(work: Work) -> Row:
        attach(work, branch_id, week)
        return {}

    row = {"what": name} | _timed(database, door, TODAY + timedelta(days=1), give)
    with database.transaction(write=False) as session:
        carried = session.execute(sa.select(sa.func.count()).where(VisitDuty.ended_at.is_(None))).scalar_one()
    return row | {"carried": carried}


def _wanted(session: Session, branch_id: int) -> None:
    """A visit of the coming week for each order."""
    orders = session.execute(sa.select(Order.id, Order.patient_id, Order.episode_id, Order.discipline)).all()
    session.execute(
        sa.insert(Visit),
        [
            {
                "branch_id": branch_id, "patient_id": order.patient_id, "episode_id": order.episode_id,
                "order_id": order.id, "discipline": order.discipline, "kind": VisitKind.ROUTINE,
                "status": VisitStatus.PROPOSED, "window_from": TODAY + timedelta(days=2),
                "window_to": TODAY + timedelta(days=8), "minutes": 45, "is_current": True, "hold_bill": [],
                "warnings": [], "locked": False, "is_optional": False, "version": 1,
            }
            for order in orders
        ],
    )  # fmt: skip


def _people(session: Session, count: int) -> int:
    """A branch with that many in care, admitted over the last hundred days."""
    branch, physician = make_branch(session), make_physician(session)
    nurses = [make_clinician(session, branch) for _ in range(max(4, count // 20))]
    visits: list[dict[str, Any]] = []
    orders: list[dict[str, Any]] = []
    for number, (patient_id, episode_id, plan_id, soc) in enumerate(_in_care(session, branch, physician, count)):
        wanted = [Discipline.SN] + [Discipline.HHA] * (number % 3 == 0) + [Discipline.PT] * (number % 4 == 0)
        for discipline in wanted:
            orders.append(
                {
                    "patient_id": patient_id, "episode_id": episode_id, "care_plan_id": plan_id,
                    "physician_id": physician.id, "discipline": discipline, "status": OrderStatus.ACTIVE_SIGNED,
                    "frequency_text": "2w9", "frequency": "2w9", "evaluate_and_treat": False, "effective_from": soc,
                    "effective_to": soc + timedelta(days=59 + 60 * (number % 100 >= 60)), "visit_minutes": 45,
                    "certification_number": 1 + (number % 100 >= 60), "visits_per_day": 1, "treatments": [],
                    "required_skills": [], "week_anchor": "sunday", "prn_limit": 0, "two_person": False,
                    "daily_insulin": False, "verbal_read_back": False, "demo": False, "version": 1,
                    "signed_at": datetime(2026, 8, 1, tzinfo=UTC),
                }
            )  # fmt: skip
            for step in range(0, min(60, (TODAY - soc).days), 4):
                begins = datetime(TODAY.year, TODAY.month, TODAY.day, 15, tzinfo=UTC) - timedelta(
                    days=step + 1, minutes=-50 * (len(visits) % 9)
                )
                visits.append(
                    {
                        "branch_id": branch.id, "patient_id": patient_id, "episode_id": episode_id,
                        "discipline": discipline, "kind": VisitKind.EVALUATION if step > 50 else VisitKind.ROUTINE,
                        "status": VisitStatus.NOTE_SIGNED, "window_from": begins.date(), "window_to": begins.date(),
                        "minutes": 45, "is_current": True, "hold_bill": [], "warnings": [], "locked": False,
                        "is_optional": False, "clinician_id": nurses[number % len(nurses)].id, "version": 1,
                        "actual_start_at": begins, "actual_end_at": begins + timedelta(minutes=45),
                        "starts_at": begins, "ends_at": begins + timedelta(minutes=45),
                    }
                )  # fmt: skip
    session.execute(sa.insert(Order), orders)
    _without_guards(session, visits)
    return branch.id


def _in_care(session: Session, branch: Branch, physician: Physician, count: int) -> list[tuple[int, int, int, date]]:
    """Patient, episode, care plan and start of care of so many: the first is built, the others are written like it."""
    patient = make_patient(session, branch, coverages=[Coverage(payer="KP", starts_on=date(2020, 1, 1))])
    episode = make_episode(session, patient, soc=TODAY)
    plan = make_care_plan(session, episode, physician)
    starts = [TODAY - timedelta(days=number % 100) for number in range(count)]
    first: dict[str, tuple[type[Base], int]] = {
        "patient": (Patient, patient.id), "home": (Home, patient.home.id),
        "coverage": (Coverage, patient.coverages[0].id), "episode": (Episode, episode.id),
        "care_plan": (CarePlan, plan.id),
    }  # fmt: skip
    for kind, number in first.values():
        table = cast(sa.Table, kind.__table__)
        like = dict(session.execute(sa.select(table).where(table.c.id == number)).mappings().one())
        rows = []
        for step in range(1, count):
            row = like | {"id": number + step}
            for name, (_, of) in first.items():
                if f"{name}_id" in row:
                    row[f"{name}_id"] = of + step
            own = {"mrn": f"S{step:06d}", "soc_date": starts[step], "starts_on": starts[step]}
            rows.append(row | {name: value for name, value in own.items() if name in row and kind is not Coverage})
        if rows:
            session.execute(sa.insert(table), rows)
    return [(patient.id + step, episode.id + step, plan.id + step, soc) for step, soc in enumerate(starts)]


def _without_guards(session: Session, visits: list[dict[str, Any]]) -> None:
    """Visits that stand are not asked whether they overlap: their times mean nothing here."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        for name in ("no_clinician_overlap", "no_patient_overlap"):
            session.execute(sa.text(f"ALTER TABLE visit DROP CONSTRAINT {name}"))
        session.execute(sa.insert(Visit), visits)
        return
    guards = session.execute(
        sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'visit'")
    ).all()
    for name, _ in guards:
        session.execute(sa.text(f"DROP TRIGGER {name}"))
    session.execute(sa.insert(Visit), visits)
    for _, statement in guards:
        session.execute(sa.text(statement))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, nargs="+", default=SIZES)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    parser.add_argument("--seconds", type=float, help="not used: a night takes what it takes")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    for engine in ENGINES if given.engine == "both" else [given.engine]:
        for patients in given.patients:
            rows += measure(patients, engine)
    if given.json:
        write_json(machine(), rows)
    else:
        print(heading(machine()))
        print()
        print(table(rows, COLUMNS))


if __name__ == "__main__":
    main()
