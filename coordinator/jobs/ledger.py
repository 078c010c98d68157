"""How a job stands: taken, alive, done, failed. One short transaction each; the same on both engines.

An attempt is known by its number: a worker that was silent for too long and comes back finds that its attempt is no
longer the current one, and changes nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from coordinator.core import idempotency
from coordinator.core.db import broken_constraint
from coordinator.core.errors import NotFound, Refusal
from coordinator.core.work import Work
from coordinator.jobs.context import Workshop
from coordinator.jobs.model import DOING, DONE, FAILED, TODO, ClockFiring, JobReceipt, QueuedJob
from coordinator.jobs.queue import defer

log = structlog.get_logger("coordinator.jobs")

#: How long the keys of finished jobs, receipts and firings are remembered.
REMEMBERED = timedelta(days=90)


class Superseded(Exception):  # noqa: N818  (an answer to "am I still wanted?")
    """Another worker has taken this job over."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one job, by one worker."""

    name: str
    key: str
    arguments: dict[str, Any]
    number: int


def code_of(error: BaseException) -> str:
    """Class of the error and its code, if it has one; nothing that could quote a record."""
    code = None
    if isinstance(error, Refusal):
        code = error.problem_code
    elif isinstance(error, DBAPIError):
        code = broken_constraint(error) or getattr(error.orig, "sqlstate", None)
    return f"{type(error).__name__}: {code}"[:200] if code else type(error).__name__[:200]


def next_due(workshop: Workshop, worker: str) -> Attempt | None:
    """Take the job that has waited longest, or one whose worker has fallen silent; None if nothing is due (SQLite)."""
    now = workshop.now()
    due = (
        sa.select(QueuedJob)
        .where(
            sa.or_(
                sa.and_(QueuedJob.status == TODO, QueuedJob.run_after <= now),
                sa.and_(QueuedJob.status == DOING, QueuedJob.heartbeat_at < now - workshop.silence),
            )
        )
        .order_by(QueuedJob.run_after, QueuedJob.id)
        .limit(1)
    )
    while True:
        with workshop.database.transaction(write=False) as session:  # a look costs nobody their place in line
            if session.execute(due.with_only_columns(QueuedJob.id)).first() is None:
                return None
        with workshop.database.transaction() as session:
            row = session.execute(due).scalar()
            attempt = _take(workshop, row, worker) if row is not None else None
        if attempt is not None:
            return attempt


def take(workshop: Workshop, key: str, worker: str) -> Attempt | None:
    """Take the job with that key; None if there is nothing left to do for it (PostgreSQL)."""
    with workshop.database.transaction() as session:
        row = session.execute(sa.select(QueuedJob).where(QueuedJob.key == key).with_for_update()).scalar()
        if row is None or row.status in (DONE, FAILED):
            return None
        return _take(workshop, row, worker)


def _take(workshop: Workshop, row: QueuedJob, worker: str) -> Attempt | None:
    now = workshop.now()
    if row.attempts >= workshop.attempts:  # whoever tried it last did not live to say how it went
        row.status, row.finished_at, row.error = FAILED, now, "WorkerLost"
        log.error("job failed", job=row.name, key=row.key, attempts=row.attempts, error=row.error)
        return None
    if row.status == DOING:
        log.warning("job taken over", job=row.name, key=row.key, silent=row.worker)
    row.status, row.worker, row.heartbeat_at, row.attempts = DOING, worker, now, row.attempts + 1
    return Attempt(name=row.name, key=row.key, arguments=dict(row.arguments), number=row.attempts)


def _settle(workshop: Workshop, attempt: Attempt, **values: Any) -> bool:
    with workshop.database.transaction() as session:
        current = (
            sa.update(QueuedJob)
            .where(QueuedJob.key == attempt.key, QueuedJob.attempts == attempt.number, QueuedJob.status == DOING)
            .values(**values)
            .returning(QueuedJob.id)
        )
        return session.execute(current).first() is not None


def beat(workshop: Workshop, attempt: Attempt) -> None:
    """The job is alive; Superseded if it is somebody else's by now."""
    if not _settle(workshop, attempt, heartbeat_at=workshop.now()):
        raise Superseded(attempt.key)


def finish(workshop: Workshop, attempt: Attempt) -> None:
    """The job is done; Superseded if it is somebody else's by now."""
    if not _settle(workshop, attempt, status=DONE, finished_at=workshop.now(), error=None):
        raise Superseded(attempt.key)


def fail(workshop: Workshop, attempt: Attempt, error: BaseException) -> timedelta | None:
    """The attempt came to nothing: how long to wait before the next one, None if that was the last."""
    now, code = workshop.now(), code_of(error)
    if attempt.number >= workshop.attempts:
        if not _settle(workshop, attempt, status=FAILED, finished_at=now, error=code):
            raise Superseded(attempt.key)
        return None
    wait = workshop.back_off[attempt.number - 1]
    if not _settle(workshop, attempt, status=TODO, run_after=now + wait, error=code):
        raise Superseded(attempt.key)
    return wait


def try_again(work: Work, key: str) -> QueuedJob:
    """A failed job is in the queue again, with all its attempts; NotFound if none with that key has failed."""
    row = work.session.execute(
        sa.select(QueuedJob).where(QueuedJob.key == key, QueuedJob.status == FAILED).with_for_update()
    ).scalar()
    if row is None:
        raise NotFound("failed job")
    row.status, row.attempts, row.run_after, row.finished_at = TODO, 0, work.now, None
    work.session.flush()  # the row is ready before anybody may be handed the job
    defer(work.session, key)
    work.record("job.retried", f"job:{row.id}")
    return row


def counts(session: Session) -> dict[str, int]:
    """How many jobs there are of each status."""
    found = dict.fromkeys((TODO, DOING, DONE, FAILED), 0)
    for status, number in session.execute(sa.select(QueuedJob.status, sa.func.count()).group_by(QueuedJob.status)):
        found[status] = number
    return found


def tidy(workshop: Workshop) -> None:
    """Forget finished jobs, receipts and firings too old to come back, and answers to keys whose hours are over.

    Failed jobs stay until looked at.
    """
    before = workshop.now() - REMEMBERED
    with workshop.database.transaction() as session:
        session.execute(sa.delete(QueuedJob).where(QueuedJob.status == DONE, QueuedJob.finished_at < before))
        session.execute(sa.delete(JobReceipt).where(JobReceipt.at < before))
        session.execute(sa.delete(ClockFiring).where(ClockFiring.slot < before))
        idempotency.forget_old(session, workshop.now())
