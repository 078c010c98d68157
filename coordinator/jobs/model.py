"""Local queue (SQLite), receipts of finished jobs, and the clock's memory of what it has fired."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, row_id


class LocalJob(Base):
    """A job in the local table, which serves where there is no PostgreSQL."""

    __tablename__ = "local_job"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    key: Mapped[str] = mapped_column(sa.String(160), nullable=False, unique=True)
    arguments: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    #: todo, doing, done, failed
    status: Mapped[str] = mapped_column(sa.String(10), nullable=False, index=True)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    run_after: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Renewed by the worker; a `doing` job whose worker is silent for too long is taken over.
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(sa.String(80))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(sa.Text)


class JobReceipt(Base):
    """The effect of the job with this key is in the database; written in the transaction that made it."""

    __tablename__ = "job_receipt"
    key: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class ClockFiring(Base):
    """A firing of the clock: `entry` at `slot`, once, whichever process was first."""

    __tablename__ = "clock_firing"
    id: Mapped[int] = row_id()
    entry: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    scope: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    slot: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    fired_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("entry", "scope", "slot"),)
