"""The audit trail: who did or read what, when; append-only, each line sealed with the hash of the last (SEC-05/06).

Lines gather in the work and are written just before the commit, under one lock, so that ids have no gaps and the chain
has one order. Facts carry codes and ids, never a patient's name or words.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from coordinator.core.db import Base, UtcDateTime

#: Any fixed number: the name of the lock under which lines are chained on PostgreSQL.
_CHAIN_LOCK = 7_001_001
GENESIS = "0" * 64
#: Characters of what a line says was done.
LONGEST_ACTION = 80


class AuditEvent(Base):
    """One line of the trail. UPDATE and DELETE are refused by the database."""

    __tablename__ = "audit_event"
    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    actor: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    user_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    action: Mapped[str] = mapped_column(sa.String(LONGEST_ACTION), nullable=False, index=True)
    outcome: Mapped[str] = mapped_column(sa.String(10), nullable=False)
    subject: Mapped[str] = mapped_column(sa.String(80), nullable=False, index=True)
    patient_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    previous_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    hash: Mapped[str] = mapped_column(sa.String(64), nullable=False)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line that waits to be sealed."""

    at: datetime
    actor: str
    user_id: int | None
    action: str
    subject: str
    outcome: str = "ok"
    patient_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None


def _digest(previous: str, number: int, event: AuditEvent | AuditLine) -> str:
    body = json.dumps(
        [
            number,
            event.at.isoformat(timespec="microseconds"),
            event.actor,
            event.user_id,
            event.action,
            event.outcome,
            event.subject,
            event.patient_id,
            event.facts,
            event.request_id,
        ],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def seal(session: Session, lines: Iterable[AuditLine]) -> None:
    """Append `lines` to the chain, inside the session's transaction. Call it last: it holds the chain's lock."""
    lines = list(lines)
    if not lines:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    last = session.execute(
        sa.select(AuditEvent.id, AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.id, last.hash) if last else (0, GENESIS)
    rows = []
    for line in lines:
        number += 1
        sealed = _digest(previous, number, line)
        rows.append(
            {
                "id": number,
                "at": line.at,
                "actor": line.actor,
                "user_id": line.user_id,
                "action": line.action,
                "outcome": line.outcome,
                "subject": line.subject,
                "patient_id": line.patient_id,
                "facts": line.facts,
                "request_id": line.request_id,
                "previous_hash": previous,
                "hash": sealed,
            }
        )
        previous = sealed
    session.execute(sa.insert(AuditEvent), rows)


@dataclass(frozen=True, slots=True)
class Verification:
    """Answer of `verify`: how many lines were read, and the first one that does not fit, if any."""

    lines: int
    broken_at: int | None
    problem: str | None

    @property
    def ok(self) -> bool:
        return self.broken_at is None


def verify(session: Session) -> Verification:
    """Walk the whole chain from its first line and recompute every hash."""
    previous, expected, count = GENESIS, 1, 0
    for event in session.execute(sa.select(AuditEvent).order_by(AuditEvent.id)).scalars().yield_per(1000):
        if event.id != expected:
            return Verification(count, expected, "a line is missing")
        if event.previous_hash != previous:
            return Verification(count, event.id, "the line does not follow the one before it")
        if event.hash != _digest(previous, event.id, event):
            return Verification(count, event.id, "the line was changed after it was sealed")
        previous, expected, count = event.hash, expected + 1, count + 1
    return Verification(count, None, None)
