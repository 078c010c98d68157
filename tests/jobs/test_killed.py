"""Real worker processes: one is killed with SIGKILL in the middle of a job, the next one finishes it, once."""

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
from coordinator.jobs import ledger
from tests.builders import make_branch
from tests.conftest import WorkAs
from tests.jobs.conftest import job_row

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """`start("-c", "...")`: a Python process on the test's database, gone afterwards."""
    running: list[subprocess.Popen[bytes]] = []
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COORDINATOR_PROFILE": "test",
        "COORDINATOR_DATABASE_URL": settings.database_url,
        "COORDINATOR_SECRET_KEY": settings.secret_key,
    }

    def started(*arguments: str, **further: str) -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen([sys.executable, *arguments], env=environment | further, cwd=ROOT))
        return running[-1]

    yield started
    for process in running:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()


def _wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _effects(database: Database) -> int:
    with database.transaction(write=False) as session:
        return session.execute(
            sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.action == "test.marked")
        ).scalar_one()


@pytest.mark.slow
@pytest.mark.parametrize("kill", ["before", "after"])
def test_a_job_whose_worker_is_killed_is_finished_by_the_next_with_one_effect(
    kill: str, start: Start, work_as: WorkAs, database: Database, tmp_path: Path
) -> None:
    """`before` its effect was committed, and `after` that but before the job was marked done."""
    script = str(Path(__file__).with_name("script_worker.py"))
    flag = tmp_path / "in-the-middle"
    with work_as() as work:
        work.later("test.mark", "mark:1", number=1, kill=kill, flag=str(flag))
    first = start(script, "slow")
    _wait_for(flag.exists)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert job_row(database, "mark:1").status == "doing"
    assert _effects(database) == (0 if kill == "before" else 1)
    second = start(script, "quick")
    _wait_for(lambda: job_row(database, "mark:1").status == "done")
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0
    assert _effects(database) == 1
    assert job_row(database, "mark:1").attempts == 2


def _all_done(database: Database) -> bool:
    with database.transaction(write=False) as session:
        counts = ledger.counts(session)
    return counts["done"] > 0 and counts["todo"] == counts["doing"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ticks_and_works_until_it_is_told_to_stop(
    number: signal.Signals, start: Start, session: Session, database: Database
) -> None:
    make_branch(session)
    session.commit()
    worker = start("-m", "flask", "--app", "tests.jobs.script_wsgi", "worker", "run")
    _wait_for(lambda: _all_done(database))
    assert worker.poll() is None
    worker.send_signal(number)
    assert worker.wait(30) == 0


@pytest.mark.slow
def test_the_server_ticks_and_works_by_itself_where_the_settings_say_so(
    start: Start, session: Session, database: Database, tmp_path: Path
) -> None:
    make_branch(session)
    session.commit()
    socket = f"unix:{tmp_path / 's'}"
    command = ("-m", "gunicorn", "-c", "config/gunicorn.py", "-b", socket, "tests.jobs.script_wsgi:app")
    server = start(*command, COORDINATOR_EMBEDDED_WORKER="1")
    _wait_for(lambda: _all_done(database))
    server.send_signal(signal.SIGTERM)
    assert server.wait(40) == 0


@pytest.mark.slow
def test_the_server_only_serves_where_a_worker_runs_beside_it(
    start: Start, session: Session, database: Database, tmp_path: Path
) -> None:
    make_branch(session)
    session.commit()
    socket = tmp_path / "s"
    server = start("-m", "gunicorn", "-c", "config/gunicorn.py", "-b", f"unix:{socket}", "tests.jobs.script_wsgi:app")
    _wait_for(socket.exists)
    time.sleep(3)
    assert server.poll() is None
    assert not _all_done(database)
