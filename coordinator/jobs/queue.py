"""The port through which work is put off: `enqueue`, inside the caller's transaction, once per key.

Used as `work.later(name, key, **arguments)`. A rolled-back transaction leaves no job behind.
"""

import json
from datetime import datetime
from typing import Any

import procrastinate
import sqlalchemy as sa
from procrastinate import SyncPsycopgConnector
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coordinator.core.db import Base
from coordinator.core.work import Work
from coordinator.jobs.model import KEY_LENGTH, NAME_LENGTH, TODO, QueuedJob

#: procrastinate's name of the one task that carries every job of ours, and of its queue.
TASK = "coordinator.run"
QUEUE = "coordinator"

#: Never opened: it only speaks through connections that are given to it.
_deferrer = procrastinate.App(connector=SyncPsycopgConnector())


def insert_once(session: Session, row: type[Base], **values: Any) -> bool:
    """Insert the row unless a unique key stands against it; whether it was inserted.

    Waits for a transaction that inserts the same key at this moment, and answers by how that one ends.
    """
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    first = sa.inspect(row).primary_key[0]
    inserted = session.execute(make(row).values(**values).on_conflict_do_nothing().returning(first)).first()
    return inserted is not None


def enqueue(work: Work, name: str, key: str, arguments: dict[str, Any]) -> None:
    """The job is in the queue when the work's transaction commits; a second time with the same key changes nothing.

    ValueError for a name or key that is empty or too long, TypeError for arguments that are no plain JSON.
    """
    if not 1 <= len(name) <= NAME_LENGTH or not 1 <= len(key) <= KEY_LENGTH:
        raise ValueError(f"a job's name has 1 to {NAME_LENGTH} characters and its key 1 to {KEY_LENGTH}: {name!r}")
    json.dumps(arguments)
    fresh = insert_once(
        work.session, QueuedJob,
        name=name, key=key, arguments=arguments, status=TODO, attempts=0, queued_at=work.now, run_after=work.now,
    )  # fmt: skip
    if fresh:
        defer(work.session, key)


def defer(session: Session, key: str, *, at: datetime | None = None) -> None:
    """On PostgreSQL, hand the job over to procrastinate in this transaction; elsewhere the row is the queue."""
    if session.get_bind().dialect.name != "postgresql":
        return
    # The connection is asked for here, so that the job is inserted inside a savepoint that may be open.
    connection = session.connection().connection.driver_connection
    _deferrer.configure_task(TASK, queue=QUEUE, lock=key, schedule_at=at, connection=connection).defer(key=key)
