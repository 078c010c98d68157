"""What durable work remembers: every job that was asked for, receipts of effects, and what the clock has fired."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, row_id

NAME_LENGTH = 80
KEY_LENGTH = 160
#: Words of `QueuedJob.status`.
TODO, DOING, DONE, FAILED = "todo", "doing", "done", "failed"


class QueuedJob(Base):
    """A job that was asked for: once per key, whoever asks, on both engines.

    On SQLite this row is the queue. On PostgreSQL procrastinate carries the job from hand to hand, and this row keeps
    the key unique for longer than the job is in its queue, and remembers how the job ended.
    """

    __tablename__ = "queued_job"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), nullable=False)
    key: Mapped[str] = mapped_column(sa.String(KEY_LENGTH), nullable=False, unique=True)
    #: Codes and ids only, never a patient's words.
    arguments: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    #: todo, doing, done, failed
    status: Mapped[str] = mapped_column(sa.String(10), nullable=False, index=True)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    run_after: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Renewed while the job is done; on SQLite a `doing` job that is silent for too long is taken over.
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(sa.String(80))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    #: Class and code of the last failure; never its message, which may quote a patient's record.
    error: Mapped[str | None] = mapped_column(sa.String(200))


class JobReceipt(Base):
    """The effect of the job with this key is in the database; written in the transaction that made it."""

    __tablename__ = "job_receipt"
    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, index=True)


class ClockFiring(Base):
    """A firing of the clock: `entry` at `slot`, once, whichever process was first."""

    __tablename__ = "clock_firing"
    id: Mapped[int] = row_id()
    entry: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    #: Number of the branch.
    scope: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    slot: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, index=True)
    fired_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("entry", "scope", "slot"),)
