"""A worker that is killed in the middle of a search: the next one does the run again, and its effect is there once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.settings import ROOT, Settings
from coordinator.domain.vocabulary import RunStatus
from coordinator.planning import service
from coordinator.planning.model import Placement, PlanRun
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, WEEK, make_agency


@pytest.fixture
def worker(settings: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COORDINATOR_PROFILE": "test",
        "COORDINATOR_DATABASE_URL": settings.database_url,
        "COORDINATOR_SECRET_KEY": settings.secret_key,
    }
    script = str(Path(__file__).with_name("script_worker.py"))

    def started() -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen([sys.executable, script, EVE.isoformat()], env=environment, cwd=ROOT))
        return running[-1]

    yield started
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def _wait_for(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def _run(database: Database, run_id: int) -> PlanRun:
    with database.transaction(write=False) as session:
        return session.get_one(PlanRun, run_id)


@pytest.mark.slow
def test_a_killed_search_is_done_again_by_the_next_worker_once(
    session: Session, database: Database, work_as: WorkAs, worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    agency = make_agency(session)
    for _ in range(2):
        agency.hire()
    for _ in range(6):
        agency.admit()
    session.commit()
    with work_as(now=EVE) as work:
        run_id = service.start_run(work, agency.branch.id, WEEK[0], seconds=8).id
    first = worker()
    _wait_for(lambda: _run(database, run_id).progress is not None)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert _run(database, run_id).status is RunStatus.RUNNING
    second = worker()
    _wait_for(lambda: _run(database, run_id).status is RunStatus.PROPOSED)
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    with database.transaction(write=False) as reading:
        placed = reading.execute(sa.select(sa.func.count()).select_from(Placement)).scalar_one()
        proposed = reading.execute(
            sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.action == "run.proposed")
        ).scalar_one()
    assert (placed, proposed) == (12, 1)
