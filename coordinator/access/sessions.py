"""The sessions of a person: which are open, when this one ends, and ending others (SEC-03)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from coordinator.access.model import ApiToken, SignInSession
from coordinator.access.proof import proof_lasts_until
from coordinator.access.service import Doorman, managed
from coordinator.access.steps import Step, end_steps
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.work import Work, permitted


@dataclass(frozen=True, slots=True)
class SessionState:
    """When the session that asks ends by itself, and what it has proved."""

    id: int
    started_at: datetime
    last_used_at: datetime
    #: The earlier of the two: nobody did anything (`idle`), or signed in too long ago (`age`).
    ends_at: datetime
    ends_by: str
    proved_by: str
    #: Until then nothing asks again who one is; None: it is asked at once.
    proof_until: datetime | None
    #: Nothing is open but setting up a second factor.
    confined: bool
    now: datetime


@permitted("self:read")
def session_state(work: Work, doorman: Doorman) -> SessionState:
    """When this session ends if nothing more is done in it; NotFound to a program with a token. It prolongs nothing."""
    opened = work.session.get(SignInSession, work.actor.session_id) if work.actor.session_id is not None else None
    if opened is None:
        raise NotFound("session")
    limits = doorman.settings
    by_idleness = opened.last_used_at + timedelta(minutes=limits.session_idle_minutes)
    by_age = opened.created_at + timedelta(minutes=limits.session_absolute_minutes)
    until = proof_lasts_until(doorman, opened)
    return SessionState(
        id=opened.id, started_at=opened.created_at, last_used_at=opened.last_used_at, ends_at=min(by_idleness, by_age),
        ends_by="idle" if by_idleness <= by_age else "age", proved_by=opened.proved_by,
        proof_until=until if until is not None and until > work.now else None, confined=work.actor.confined,
        now=work.now,
    )  # fmt: skip


@permitted("self:read")
def my_sessions(work: Work, doorman: Doorman) -> sa.Select[SignInSession]:
    """The signed-in person's sessions that are open."""
    limits = doorman.settings
    return sa.select(SignInSession).where(
        SignInSession.user_id == (work.actor.user_id or 0),
        SignInSession.revoked_at.is_(None),
        SignInSession.last_used_at >= work.now - timedelta(minutes=limits.session_idle_minutes),
        SignInSession.created_at >= work.now - timedelta(minutes=limits.session_absolute_minutes),
    )


@permitted("self:secure")
def end_session(work: Work, session_id: int) -> None:
    """One of the person's own sessions is over, this one or another. A second time is as well."""
    opened = work.session.get(SignInSession, session_id, with_for_update=True, populate_existing=True)
    if opened is None or opened.user_id != work.actor.user_id:
        raise NotFound("session")
    if opened.revoked_at is None:
        opened.revoked_at = work.now
        work.record("session.revoked", f"session:{opened.id}", user=opened.user_id)


@permitted("self:secure")
def end_other_sessions(work: Work) -> int:
    """All of the person's sessions but this one are over; how many that were. Half-open sign-ins are over as well."""
    number = work.actor.user_id or 0
    ended = end_all(work, number, but=work.actor.session_id)
    work.record("session.others-revoked", f"user:{number}", ended=ended)
    return ended


@permitted("user:manage")
def end_sessions_of(work: Work, user_id: int, *, tokens: bool = False) -> int:
    """Somebody is signed out everywhere, with `tokens` their programs as well; how many sessions that were.

    NotFound if the actor does not answer for the account; Conflict for one's own.
    """
    user = managed(work, user_id)
    if user.id == work.actor.user_id:
        raise Conflict("End your own sessions in your own list.", code="own-account")
    ended = end_all(work, user.id)
    if tokens:
        end_tokens(work, user.id)
    work.record("session.all-revoked", f"user:{user.id}", ended=ended, tokens=tokens)
    return ended


def end_all(work: Work, user_id: int, *, but: int | None = None) -> int:
    """No session of the person is open any more, except one; nor is a sign-in half open. Asked by this room alone."""
    open_ones = sa.update(SignInSession).where(SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None))
    if but is not None:
        open_ones = open_ones.where(SignInSession.id != but)
    done: sa.CursorResult[tuple[()]] = work.session.execute(open_ones.values(revoked_at=work.now))  # type: ignore[assignment]
    end_steps(work, user_id, Step.FACTOR)
    return done.rowcount


def end_tokens(work: Work, user_id: int) -> None:
    """No program acts for the person any more. Asked by this room alone."""
    work.session.execute(
        sa.update(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=work.now)
    )
