"""The same request twice has one effect: what a caller's key was answered with."""

import hashlib
import hmac
import json
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, current_app, request
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from coordinator.core.db import Base, UtcDateTime, is_busy
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work

IDEMPOTENCY_HOURS = 48
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


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


def sent_key() -> str | None:
    """The caller's key: programs send a header, our forms a hidden field `_key`."""
    key = request.headers.get("Idempotency-Key")
    return request.form.get("_key") if key is None and request.mimetype in _FORMS else key


def claim(w: Work) -> IdempotencyRecord | Response | None:
    """Take the caller's Idempotency-Key, or give back the answer it was taken with."""
    key = sent_key()
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid("Idempotency-Key must be 1 to 255 printable characters.", code="idempotency-key-invalid")
    caller = caller_of(w)
    # Keyed: a body may hold a password, which a plain hash would let somebody try out at leisure.
    digest = hmac.new(
        current_app.extensions["door"].settings.secret_key.encode(),
        b"\n".join([request.method.encode(), request.full_path.encode("utf-8", "replace"), _body()]),
        hashlib.sha256,
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
        mimetype = "text/html" if request.mimetype in _FORMS else "application/json"
        answer = Response(earlier.body or "", status=earlier.status or 200, mimetype=mimetype)
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


def _body() -> bytes:
    """What was sent. Of a form that somebody has read already, the bytes are gone: its fields are as good."""
    if request.mimetype in _FORMS:
        fields = sorted((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")
        return repr(fields).encode("utf-8", "replace")
    return request.get_data(cache=True)


def caller_of(w: Work) -> str:
    """Whose keys they are."""
    return f"user:{w.actor.user_id}" if w.actor.user_id else f"nobody:{request.remote_addr}"


def answered(w: Work) -> bool:
    """Whether the caller's Idempotency-Key has its answer already."""
    key = sent_key()
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


def forget_old(session: Session, now: datetime) -> int:
    """Answers whose hours are over are gone, with all that they said of patients; how many."""
    before = now - timedelta(hours=IDEMPOTENCY_HOURS)
    gone = session.execute(sa.delete(IdempotencyRecord).where(IdempotencyRecord.at < before))
    return int(getattr(gone, "rowcount", 0))


def empty_answers(session: Session, patient_id: int, words: Collection[str]) -> int:
    """Answers that name the patient, by number or by any of these words, say nothing any more; how many.

    The key stays taken, so that a request that comes twice still has one effect. Words are whole, and case is nothing.
    """
    spoken = [re.escape(word.strip()) for word in words if word.strip()]
    # Chinese names have no space around them: only Latin letters and digits make a longer word of a shorter one.
    said_of = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(spoken)})(?![A-Za-z0-9])", re.IGNORECASE) if spoken else None
    emptied = 0
    kept = session.scalars(sa.select(IdempotencyRecord).where(IdempotencyRecord.body.is_not(None)))
    for record in kept:
        body = record.body or ""
        if _names(_parsed(body), patient_id) or (said_of is not None and said_of.search(body)):
            record.body, record.headers = None, None
            emptied += 1
    return emptied


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _names(said: Any, patient_id: int) -> bool:
    """Whether anything in it, however deep, is of the patient with that number."""
    if isinstance(said, dict):
        return said.get("patient_id") == patient_id or any(_names(value, patient_id) for value in said.values())
    return isinstance(said, list) and any(_names(value, patient_id) for value in said)
