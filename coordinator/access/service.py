"""The doorman who knows sessions and tokens, signing out, and accounts. Signing in is in `entering`."""

import hashlib
import hmac
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from coordinator.access.model import ApiToken, Authenticator, OutsideIdentity, Passkey, SignInSession, User
from coordinator.access.scope import branches_of
from coordinator.access.vault import Vault
from coordinator.agency.model import Branch
from coordinator.core.db import ROW_ID, fetch
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from coordinator.core.settings import Settings
from coordinator.core.work import Actor, Work, permitted
from coordinator.domain.roles import PERMISSIONS, permissions_of
from coordinator.domain.vocabulary import Role
from coordinator.rules.security import session_over

COOKIE = "coordinator_session"
#: Failed attempts after which an account rests, and for how long.
FAILURES_BEFORE_LOCK = 5
LOCK_FOR = timedelta(minutes=15)
TOKEN_DAYS = 90
#: How often the use of a session is noted.
NOTED_EVERY = timedelta(minutes=1)
#: What is open to somebody whose role asks for a second factor, and who has none yet.
CONFINED_TO = frozenset({"self:read", "self:secure"})
SHORTEST_PASSWORD = 12

# The rooms of staff and physicians stand above this one, since they ask it whose rows they may show; here their tables
# are named by the columns that say who a user is, and `tests/access` asks through the real rows.
_clinician = sa.table("clinician", sa.column("id", ROW_ID), sa.column("performer", sa.String()))
_physician = sa.table("physician", sa.column("id", ROW_ID))


def password_is_off(session: Session, user: User) -> bool:
    """Whether the person signs in through the agency's provider and no password opens their account."""
    off = sa.select(OutsideIdentity.id).where(OutsideIdentity.user_id == user.id, OutsideIdentity.password_off)
    return session.execute(off).scalar() is not None


def has_factor(user_id: sa.SQLColumnExpression[int] | int) -> sa.ColumnElement[bool]:
    """Whether the user has a second factor that works."""
    return sa.or_(
        sa.exists().where(Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None)),
        sa.exists().where(Passkey.user_id == user_id),
    )


class Doorman:
    """Knows passwords and sessions; one per app, with that app's settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hasher = PasswordHasher(
            time_cost=settings.password_time_cost, memory_cost=settings.password_memory_kib, parallelism=1
        )
        self.vault = Vault(settings.secret_key)
        #: The agency's identity provider (`oidc.Provider`), once somebody signs in through it.
        self.provider: Any = None
        # Verified against when there is no such user, so that the answer takes as long either way.
        self._nobody = self.hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        return self.hasher.hash(password)

    def digest(self, secret: str) -> str:
        """What is stored of a session's or a token's secret: worth nothing without this installation's key."""
        return hmac.new(self.settings.secret_key.encode(), secret.encode(), hashlib.sha256).hexdigest()

    def admits(self, user: User) -> bool:
        """Whether the account is open; the demo's, whose password everybody knows, are so in the demo alone."""
        return user.active and (self.settings.is_demo or not user.demo)

    def wants_factor(self, user: User) -> bool:
        """Whether a role of the user asks for a second factor here."""
        return not self.settings.second_factor_roles.isdisjoint(user.roles)

    def matches(self, password: str, hashed: str | None) -> bool:
        try:
            return self.hasher.verify(hashed or self._nobody, password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    def prove(self, session: Session, user: User, password: str, now: datetime, *, forgives: bool = True) -> bool:
        """Check the password of a known user, and count failures; raises TooMany while the account rests.

        `forgives`: a right one sets the count back. Not so where a second factor is still to come: else somebody who
        knows the password could try codes without end.
        """
        require_awake(user, now)
        good = self.matches(password, user.password_hash)
        if not good:
            count_wrong(user, now)
        elif forgives:
            user.failed_attempts, user.locked_until = 0, None
        session.flush()  # the count is wanted even though the door answers with a refusal
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
            sa.select(ApiToken, User, _clinician.c.performer)
            .join(User, User.id == ApiToken.user_id)
            .outerjoin(_clinician, _clinician.c.id == User.clinician_id)
            .where(ApiToken.token_hash == self.digest(secret))
        ).one_or_none()
        if found is None or found.ApiToken.revoked_at is not None or found.ApiToken.expires_at <= now:
            raise Unauthenticated("The token is unknown, expired or revoked.")
        return self._actor(found.User, found.performer)

    def _by_session(self, session: Session, secret: str, now: datetime) -> Actor | None:
        found = session.execute(
            sa.select(SignInSession, User, _clinician.c.performer, has_factor(User.id).label("has_factor"))
            .join(User, User.id == SignInSession.user_id)
            .outerjoin(_clinician, _clinician.c.id == User.clinician_id)
            .where(SignInSession.token_hash == self.digest(secret))
        ).one_or_none()
        if found is None or found.SignInSession.revoked_at is not None:
            return None
        opened: SignInSession = found.SignInSession
        limits = self.settings
        if session_over(
            opened.created_at, opened.last_used_at, now, idle_minutes=limits.session_idle_minutes,
            absolute_minutes=limits.session_absolute_minutes,
        ):  # fmt: skip
            return None
        actor = self._actor(found.User, found.performer, opened.id)
        touch_due = opened.last_used_at < now - NOTED_EVERY
        confined = opened.proved_by == "password" and not found.has_factor and self.wants_factor(found.User)
        if confined:
            actor = replace(actor, permissions=actor.permissions & CONFINED_TO, confined=True)
        return replace(actor, touch_due=True) if touch_due else actor

    def _actor(self, user: User, performer: str | None, session_id: int | None = None) -> Actor:
        if not self.admits(user):
            raise Unauthenticated(
                "This account is closed." if not user.active else "Demo accounts work in the demo alone."
            )
        return actor_of(user, performer, session_id)

    def touch(self, session: Session, actor: Actor, now: datetime) -> None:
        """Note that the session was used, at most once a minute."""
        if actor.session_id is not None:
            session.execute(
                sa.update(SignInSession)
                .where(SignInSession.id == actor.session_id, SignInSession.last_used_at < now - NOTED_EVERY)
                .values(last_used_at=now)
            )


def require_awake(user: User, now: datetime) -> None:
    """Raises TooMany while the account rests after wrong passwords or codes."""
    if user.locked_until is not None and user.locked_until > now:
        raise TooMany(
            "Too many wrong passwords or codes. Wait, or ask an administrator.",
            retry_after=max(1, int((user.locked_until - now).total_seconds())),
        )


def count_wrong(user: User, now: datetime) -> None:
    """One more wrong password or code; after the fifth the account rests."""
    user.failed_attempts += 1
    if user.failed_attempts >= FAILURES_BEFORE_LOCK:
        user.failed_attempts, user.locked_until = 0, now + LOCK_FOR


def _refuse_foreign_pages(request: Any) -> None:
    """A change that rides on a cookie must come from our own pages (SameSite is the first fence, this the second)."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin", "none") or (origin is not None and origin != request.host_url.rstrip("/")):
        raise Forbidden("This change did not come from one of our own pages.", code="foreign-page")


def actor_of(user: User, performer: str | None, session_id: int | None = None) -> Actor:
    """The actor that a user is; `performer` is the profession of the clinician that they are, None if they are none."""
    roles = frozenset(Role(role) for role in user.roles)
    return Actor(
        name=f"user:{user.id}",
        user_id=user.id,
        roles=frozenset(role.value for role in roles),
        permissions=permissions_of(roles, performer),
        clinician_id=user.clinician_id,
        physician_id=user.physician_id,
        branch_ids=frozenset(user.branch_ids),
        session_id=session_id,
        performer=performer,
    )


def performer_of(session: Session, user: User) -> str | None:
    """The profession of the clinician that the user is, if they are one."""
    return session.execute(sa.select(_clinician.c.performer).where(_clinician.c.id == user.clinician_id)).scalar()


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


# ------------------------------------------------------------------------------------ tokens


@permitted("token:issue")
def issue_token(work: Work, doorman: Doorman, *, user_id: int, label: str) -> tuple[ApiToken, str]:
    """A bearer token for oneself, or by an administrator for another; the secret is shown once."""
    if user_id == work.actor.user_id:
        user = fetch(work.session, User, user_id, "user")
    elif work.actor.may("user:manage"):
        user = managed(work, user_id)
    else:
        raise Forbidden("Only an administrator may issue a token for somebody else.", permission="user:manage")
    if not user.active:
        raise Conflict("This account is closed. Open it before you issue a token for it.", code="account-closed")
    secret = secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user.id,
        label=label,
        token_hash=doorman.digest(secret),
        created_at=work.now,
        expires_at=work.now + timedelta(days=TOKEN_DAYS),
    )
    work.session.add(token)
    work.session.flush()  # the token's number is in the audit line
    work.record("token.issued", f"token:{token.id}", user=user.id)
    return token, secret


@permitted("self:read")
def my_tokens(work: Work) -> sa.Select[ApiToken]:
    """The tokens that act for the signed-in user, those past their time as well."""
    return sa.select(ApiToken).where(ApiToken.user_id == (work.actor.user_id or 0))


@permitted("token:issue")
def revoke_token(work: Work, token_id: int) -> None:
    """The token opens nothing any more: one's own, or by an administrator somebody else's. A second time is as well."""
    token = work.session.get(ApiToken, token_id, with_for_update=True, populate_existing=True)
    if token is None or not _may_revoke(work, token):
        raise NotFound("token")
    if token.revoked_at is None:
        token.revoked_at = work.now
        work.record("token.revoked", f"token:{token.id}", user=token.user_id)


def _may_revoke(work: Work, token: ApiToken) -> bool:
    if token.user_id == work.actor.user_id:
        return True
    return work.actor.may("user:manage") and in_charge_of(work, fetch(work.session, User, token.user_id, "user"))


# ------------------------------------------------------------------------------------ accounts


def in_charge_of(work: Work, user: User) -> bool:
    """Whether the acting administrator answers for this account: all of its branches are theirs.

    An account without branches may reach into each of them, so it is the business of administrators of them all.
    """
    mine = branches_of(work.actor)
    return mine is None or bool(user.branch_ids and mine.issuperset(user.branch_ids))


def managed(work: Work, user_id: int) -> User:
    """The account, if the actor answers for it; NotFound otherwise."""
    user = work.session.get(User, user_id)
    if user is None or not in_charge_of(work, user):
        raise NotFound("user")
    return user


def sound_roles(roles: list[str]) -> list[str]:
    """The roles that a person may hold, each once, in order; Invalid for others and for none."""
    for role in roles:
        if role not in {member.value for member in Role} or role == Role.SYSTEM:
            raise Invalid(f"There is no role {role!r}.", pointer="/roles")
    if not roles:
        raise Invalid("An account has at least one role.", pointer="/roles")
    return sorted(set(roles))


def sound_branches(work: Work, branch_ids: list[int]) -> list[int]:
    """Branches that there are and that the actor may give to others; none at all only by who works for all of them."""
    wanted = set(branch_ids)
    known = set(work.session.scalars(sa.select(Branch.id).where(Branch.id.in_(sorted(wanted)))))
    mine = branches_of(work.actor)
    if wanted - known or (mine is not None and wanted - mine):
        raise Invalid("There is no such branch, or it is not yours.", pointer="/branch_ids")
    if mine is not None and not wanted:
        raise Invalid("Name the branches of the account: you do not work for all of them.", pointer="/branch_ids")
    return sorted(wanted)


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
    held, branches = sound_roles(roles), sound_branches(work, branch_ids)
    for role, table, key, pointer in (
        (Role.CLINICIAN, _clinician, clinician_id, "/clinician_id"),
        (Role.PHYSICIAN, _physician, physician_id, "/physician_id"),
    ):
        if role.value in held and key is None:
            raise Invalid(f"A {role.value}'s account says which {role.value} it stands for.", pointer=pointer)
        if key is not None and work.session.execute(sa.select(table.c.id).where(table.c.id == key)).scalar() is None:
            raise Invalid(f"There is no such {role.value}.", pointer=pointer)
    taken = work.session.execute(sa.select(User.id).where(User.username == username)).scalar()
    if taken is not None:
        raise Conflict("There is a user of that name already.", code="user-exists")
    user = User(
        username=username,
        password_hash=doorman.hash(password),
        display_name=display_name,
        roles=held,
        branch_ids=branches,
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
