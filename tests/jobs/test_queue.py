"""The queue: a job is asked for inside a transaction, once per key."""

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.jobs.model import QueuedJob
from tests.conftest import WorkAs


def _keys(database: Database) -> list[str]:
    with database.transaction(write=False) as session:
        return list(session.execute(sa.select(QueuedJob.key).order_by(QueuedJob.key)).scalars())


def _carried(database: Database) -> list[str]:
    """What procrastinate would do; on SQLite the rows themselves."""
    if not database.is_postgresql:
        return _keys(database)
    with database.transaction(write=False) as session:
        rows = session.execute(sa.text("SELECT args->>'key' FROM procrastinate_jobs WHERE status = 'todo' ORDER BY 1"))
        return list(rows.scalars())


def test_a_job_is_queued_when_its_transaction_commits(work_as: WorkAs, database: Database) -> None:
    with work_as() as work:
        work.later("test.mark", "mark:1", note=1)
        work.later("test.mark", "mark:2", note=2)
    assert _keys(database) == _carried(database) == ["mark:1", "mark:2"]


def test_a_rolled_back_transaction_leaves_no_job(work_as: WorkAs, database: Database) -> None:
    def book_and_fail() -> None:
        with work_as() as work:
            work.later("test.mark", "mark:1")
            raise LookupError

    with pytest.raises(LookupError):
        book_and_fail()
    assert _keys(database) == _carried(database) == []


def test_a_rolled_back_savepoint_leaves_no_job(work_as: WorkAs, database: Database) -> None:
    with work_as() as work:
        work.later("test.mark", "kept")
        savepoint = work.session.begin_nested()
        work.later("test.mark", "dropped")
        savepoint.rollback()
    assert _keys(database) == _carried(database) == ["kept"]


def test_the_same_key_twice_is_one_job(work_as: WorkAs, database: Database) -> None:
    with work_as() as work:
        work.later("test.mark", "mark:1")
        work.later("test.mark", "mark:1")
    with work_as() as work:
        work.later("test.mark", "mark:1")
    assert _keys(database) == _carried(database) == ["mark:1"]


def test_a_name_or_key_that_does_not_fit_is_refused(work_as: WorkAs, database: Database) -> None:
    for name, key in (("", "k"), ("n", ""), ("n" * 81, "k"), ("n", "k" * 161)):
        with work_as() as work, pytest.raises(ValueError, match="characters"):
            work.later(name, key)
    assert _keys(database) == []


def test_arguments_that_are_not_json_are_refused(work_as: WorkAs, database: Database) -> None:
    with work_as() as work, pytest.raises(TypeError):
        work.later("test.mark", "mark:1", note=object())
    assert _keys(database) == []
