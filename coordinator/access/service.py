"""Signing in and out, tokens, and proving again who one is."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from coordinator.access.model import ApiToken, SignInSession, User
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from coordinator.core.settings import Settings
from coordinator.core.work import Actor, Work, permitted
from coordinator.domain.roles import PERMISSIONS, permissions_of
from coordinator.domain.vocabulary import Role

COOKIE = "coordinator_session"
#: Failed attempts after which an account rests, and for how long.
FAILURES_BEFORE_LOCK = 5
LOCK_FOR = timedelta(minutes=15)
TOKEN_DAYS = 90
SHORTEST_PASSWORD = 12


class Doorman:
    """Knows passwords and sessions; one per app, with that app's settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hasher = PasswordHasher(
            time_cost=settings.password_time_cost, memory_cost=settings.password_memory_kib, parallelism=1
        )
        # Verified against when there is no such user, so that the answer takes as long either way.
        self._nobody = self.hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        return self.hasher.hash(password)

    def matches(self, password: str, hashed: str | None) -> bool:
        try:
            return self.hasher.verify(hashed or self._nobody, password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    def prove(self, session: Session, user: User, password: str, now: datetime) -> bool:
        """Check the password of a known user, and count failures; raises TooMany while the account rests."""
        if user.locked_until is not None and user.locked_until > now:
            raise TooMany(
                "Too many wrong passwords. Wait, or ask an administrator.",
                retry_after=max(1, int((user.locked_until - now).total_seconds())),
            )
        good = self.matches(password, user.password_hash)
        if good:
            user.failed_attempts, user.locked_until = 0, None
        else:
            user.failed_attempts += 1
            if user.failed_attempts >= FAILURES_BEFORE_LOCK:
                user.failed_attempts, user.locked_until = 0, now + LOCK_FOR
        session.flush()  # the count is wanted even though the door answers with a refusal: see `sign_in`
        return good

    # -------------------------------------------------------------------------------------------- the door's questions

    def authenticate(self, session: Session, request: Any, now: datetime) -> Actor | None:
        """Who is asking: by bearer token, else by session cookie; None if neither says."""
        header = request.headers.get("Authorization", "")
        if header:
            scheme, _, secret = header.partition(" ")
            if scheme.lower() != "bearer" or not secret.strip():
                raise Unauthenticated("The Authorization header must be: Bearer, a space, and a token.")
            return self._by_token(session, secret.strip(), now)
        secret = request.cookies.get(COOKIE)
        if not secret:
            return None
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _refuse_foreign_pages(request)
        return self._by_session(session, secret, now)

    def _by_token(self, session: Session, secret: str, now: datetime) -> Actor:
        found = session.execute(
            sa.select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(ApiToken.token_hash == _hash(secret))
        ).one_or_none()
        if found is None or found.ApiToken.revoked_at is not None or found.ApiToken.expires_at <= now:
            raise Unauthenticated("The token is unknown, expired or revoked.")
        return self._actor(found.User, None)

    def _by_session(self, session: Session, secret: str, now: datetime) -> Actor | None:
        found = session.execute(
            sa.select(SignInSession, User)
            .join(User, User.id == SignInSession.user_id)
            .where(SignInSession.token_hash == _hash(secret))
        ).one_or_none()
        if found is None or found.SignInSession.revoked_at is not None:
            return None
        opened: SignInSession = found.SignInSession
        idle = timedelta(minutes=self.settings.session_idle_minutes)
        if opened.last_used_at + idle < now:
            return None
        if opened.created_at + timedelta(minutes=self.settings.session_absolute_minutes) < now:
            return None
        return self._actor(found.User, opened.id)

    def _actor(self, user: User, session_id: int | None) -> Actor:
        if not user.active:
            raise Unauthenticated("This account is closed.")
        if user.demo and self.settings.profile == "production":
            raise Unauthenticated("Demo accounts do not work here.")
        return actor_of(user, session_id)

    def touch(self, session: Session, actor: Actor, now: datetime) -> None:
        """Note that the session was used, at most once a minute."""
        if actor.session_id is not None:
            session.execute(
                sa.update(SignInSession)
                .where(SignInSession.id == actor.session_id, SignInSession.last_used_at < now - timedelta(minutes=1))
                .values(last_used_at=now)
            )

    def sign_in(self, work: Work, username: str, password: str) -> tuple[User, str] | None:
        """Open a session; None if the pair is wrong. The caller commits either way: failures count."""
        user = work.session.execute(sa.select(User).where(User.username == username).with_for_update()).scalar()
        if user is None:
            self.matches(password, None)
            work.record("session.refused", "user:unknown", outcome="deny")
            return None
        usable = user.active and not (user.demo and self.settings.profile == "production")
        if not self.prove(work.session, user, password, work.now) or not usable:
            work.record("session.refused", f"user:{user.id}", outcome="deny")
            return None
        secret = secrets.token_urlsafe(32)
        work.session.add(
            SignInSession(user_id=user.id, token_hash=_hash(secret), created_at=work.now, last_used_at=work.now)
        )
        work.record("session.opened", f"user:{user.id}")
        return user, secret


def _refuse_foreign_pages(request: Any) -> None:
    """A change that rides on a cookie must come from our own pages (SameSite is the first fence, this the second)."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin", "none") or (origin is not None and origin != request.host_url.rstrip("/")):
        raise Forbidden("This change did not come from one of our own pages.", code="foreign-page")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def actor_of(user: User, session_id: int | None = None) -> Actor:
    """The actor that a user is."""
    roles = frozenset(Role(role) for role in user.roles)
    return Actor(
        name=f"user:{user.id}",
        user_id=user.id,
        roles=frozenset(role.value for role in roles),
        permissions=permissions_of(roles),
        clinician_id=user.clinician_id,
        physician_id=user.physician_id,
        branch_ids=frozenset(user.branch_ids),
        session_id=session_id,
    )


def system_actor(job: str) -> Actor:
    """The product itself, doing a named job."""
    return Actor(
        name=f"system:{job}", roles=frozenset({Role.SYSTEM.value}), permissions=permissions_of(frozenset({Role.SYSTEM}))
    )


def installer_actor(name: str) -> Actor:
    """Whoever runs a command on the server that fills the agency with data: the demo, an import."""
    return Actor(name=f"system:{name}", roles=frozenset({Role.SYSTEM.value}), permissions=frozenset(PERMISSIONS))


@permitted("self:read")
def sign_out(work: Work) -> None:
    """End the session that asks."""
    if work.actor.session_id is not None:
        opened = fetch(work.session, SignInSession, work.actor.session_id, "session")
        opened.revoked_at = work.now
    work.record("session.closed", work.actor.name)


@permitted("self:read")
def me(work: Work) -> User:
    """The signed-in user."""
    return fetch(work.session, User, work.actor.user_id or 0, "user")


@permitted("token:issue")
def issue_token(work: Work, *, user_id: int, label: str) -> tuple[ApiToken, str]:
    """A bearer token for oneself, or by an administrator for another; the secret is shown once."""
    if user_id != work.actor.user_id and not work.actor.may("user:manage"):
        raise Forbidden("Only an administrator may issue a token for somebody else.")
    user = fetch(work.session, User, user_id, "user")
    secret = secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user.id,
        label=label,
        token_hash=_hash(secret),
        created_at=work.now,
        expires_at=work.now + timedelta(days=TOKEN_DAYS),
    )
    work.session.add(token)
    work.session.flush()  # the token's number is in the audit line
    work.record("token.issued", f"token:{token.id}", user=user.id)
    return token, secret


@permitted("user:manage")
def create_user(
    work: Work,
    doorman: Doorman,
    *,
    username: str,
    password: str,
    display_name: str,
    roles: list[str],
    branch_ids: list[int],
    clinician_id: int | None = None,
    physician_id: int | None = None,
    demo: bool = False,
) -> User:
    """A new account. The password has at least twelve characters."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(f"A password has at least {SHORTEST_PASSWORD} characters.", pointer="/password")
    taken = work.session.execute(sa.select(User.id).where(User.username == username)).scalar()
    if taken is not None:
        raise Conflict("There is a user of that name already.", code="user-exists")
    for role in roles:
        if role not in {member.value for member in Role} or role == Role.SYSTEM:
            raise Invalid(f"There is no role {role!r}.", pointer="/roles")
    user = User(
        username=username,
        password_hash=doorman.hash(password),
        display_name=display_name,
        roles=sorted(set(roles)),
        branch_ids=sorted(set(branch_ids)),
        clinician_id=clinician_id,
        physician_id=physician_id,
        demo=demo,
        failed_attempts=0,
        active=True,
    )
    work.session.add(user)
    work.session.flush()  # the user's number is in the audit line
    work.record("user.created", f"user:{user.id}", roles=user.roles)
    return user


def prove_again(work: Work, doorman: Doorman, password: str) -> None:
    """Ask for the password again before something that cannot be undone, such as a signature (SEC-07)."""
    user = fetch(work.session, User, work.actor.user_id or 0, "user")
    if not doorman.prove(work.session, user, password, work.now):
        raise Forbidden("The password is not right. Nothing was signed.", code="step-up-required", methods=["password"])
