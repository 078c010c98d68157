"""`flask worker`: what the office's administrator sees of the jobs, and can do about them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.jobs.context import JobContext
from coordinator.jobs.timetable import ClockEntry
from tests.builders import make_branch
from tests.conftest import WorkAs
from tests.jobs.conftest import MakeWorkshop, job_row

WATCH = ClockEntry(name="watch", job="test.nothing", every=15, grace=timedelta(hours=1))


def _nothing(_context: JobContext, _arguments: dict[str, Any]) -> None:
    """Does nothing."""


def _fail(_context: JobContext, _arguments: dict[str, Any]) -> None:
    raise TimeoutError("Mrs. Lee's line was dead")


@pytest.fixture
def flask(app: Coordinator, make_workshop: MakeWorkshop) -> FlaskCliRunner:
    register(app)
    app.extensions["workshop"] = make_workshop(clock=(WATCH,), jobs={"test.nothing": _nothing, "test.fail": _fail})
    return app.test_cli_runner()


def test_once_ticks_and_does_what_is_due(flask: FlaskCliRunner, session: Session) -> None:
    make_branch(session)
    session.commit()
    answer = flask.invoke(args=["worker", "once"])
    assert (answer.exit_code, answer.output.splitlines()[-1]) == (0, "1 jobs tried.")
    answer = flask.invoke(args=["worker", "once", "--no-clock"])
    assert answer.output.splitlines()[-1] == "0 jobs tried."


def test_status_counts_jobs_and_names_failures_by_code(flask: FlaskCliRunner, work_as: WorkAs) -> None:
    with work_as() as work:
        work.later("test.fail", "fail:1")
        work.later("test.nothing", "nothing:1")
    flask.invoke(args=["worker", "once", "--no-clock"])
    answer = flask.invoke(args=["worker", "status"])
    counts, failed = answer.output.splitlines()
    assert counts == "todo: 0  doing: 0  done: 1  failed: 1"
    assert failed.endswith("fail:1  TimeoutError")
    assert "Lee" not in answer.output


def test_a_failed_job_is_put_back_by_its_key_and_the_trail_says_so(
    flask: FlaskCliRunner, app: Coordinator, work_as: WorkAs, database: Database
) -> None:
    with work_as() as work:
        work.later("test.fail", "fail:1")
    flask.invoke(args=["worker", "once", "--no-clock"])
    assert flask.invoke(args=["worker", "retry", "fail:1"]).exit_code == 0
    waiting = job_row(database, "fail:1")
    assert (waiting.status, waiting.attempts) == ("todo", 0)
    with database.transaction(write=False) as session:
        lines = session.execute(sa.select(AuditEvent.action, AuditEvent.subject)).all()
    assert lines == [("job.retried", f"job:{waiting.id}")]
    app.extensions["workshop"] = replace(app.extensions["workshop"], jobs={"test.fail": _nothing}, clock=())
    flask.invoke(args=["worker", "once", "--no-clock"])
    assert job_row(database, "fail:1").status == "done"


def test_a_job_that_has_not_failed_cannot_be_put_back(flask: FlaskCliRunner) -> None:
    answer = flask.invoke(args=["worker", "retry", "nothing:1"])
    assert answer.exit_code == 1
    assert "no such failed job" in answer.output


def test_a_clock_that_names_a_job_nobody_does_is_a_message_at_start(flask: FlaskCliRunner, app: Coordinator) -> None:
    app.extensions["workshop"] = replace(app.extensions["workshop"], jobs={})
    for command in (["worker", "run"], ["worker", "once"]):
        answer = flask.invoke(args=command)
        assert answer.exit_code == 1
        assert "test.nothing" in answer.output
