"""The same request twice has one effect: what a caller's key was answered with."""

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Response, request
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, is_busy
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work

IDEMPOTENCY_HOURS = 48


class IdempotencyRecord(Base):
    """The answer that was given to a caller's key, so that the same request twice has one effect."""

    __tablename__ = "idempotency_record"
    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    caller: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    key: Mapped[str] = mapped_column(sa.String(255), nullable=False)
    request_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, index=True)
    status: Mapped[int | None] = mapped_column(sa.Integer)
    headers: Mapped[dict[str, str] | None] = mapped_column(sa.JSON)
    body: Mapped[str | None] = mapped_column(sa.Text)
    __table_args__ = (sa.UniqueConstraint("caller", "key"),)


def claim(w: Work) -> IdempotencyRecord | Response | None:
    """Take the caller's Idempotency-Key, or give back the answer it was taken with."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid("Idempotency-Key must be 1 to 255 printable characters.", code="idempotency-key-invalid")
    caller = caller_of(w)
    body = request.get_data(cache=True)
    digest = hashlib.sha256(
        b"\n".join([request.method.encode(), request.full_path.encode("utf-8", "replace"), body])
    ).hexdigest()
    record = IdempotencyRecord(caller=caller, key=key, request_hash=digest, at=w.now)
    try:
        with w.session.begin_nested():
            w.session.add(record)
            w.session.flush()  # the unique key decides who was first; a second caller waits here
    except IntegrityError:
        earlier = w.session.execute(
            sa.select(IdempotencyRecord).where(IdempotencyRecord.caller == caller, IdempotencyRecord.key == key)
        ).scalar_one()
        if earlier.at < w.now - timedelta(hours=IDEMPOTENCY_HOURS):
            earlier.request_hash, earlier.at, earlier.status = digest, w.now, None
            return earlier
        if earlier.request_hash != digest:
            raise Invalid(
                "This Idempotency-Key was used for another request. Use a new key.", code="idempotency-mismatch"
            ) from None
        answer = Response(earlier.body or "", status=earlier.status or 200, mimetype="application/json")
        answer.headers.update(earlier.headers or {})
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
    except DBAPIError as error:
        if is_busy(error):
            raise Conflict(
                "The first request with this key is still being worked on.",
                code="idempotency-in-progress",
                retry_after=1,
            ) from error
        raise
    return record


def caller_of(w: Work) -> str:
    """Whose keys they are."""
    return f"user:{w.actor.user_id}" if w.actor.user_id else f"nobody:{request.remote_addr}"


def answered(w: Work) -> bool:
    """Whether the caller's Idempotency-Key has its answer already."""
    key = request.headers.get("Idempotency-Key")
    return (
        key is not None
        and w.session.execute(
            sa.select(IdempotencyRecord.id).where(
                IdempotencyRecord.caller == caller_of(w),
                IdempotencyRecord.key == key,
                IdempotencyRecord.at >= w.now - timedelta(hours=IDEMPOTENCY_HOURS),
            )
        ).first()
        is not None
    )
