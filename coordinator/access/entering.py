"""Signing in: a password, then the second factor of whoever has one.

Between the two there is no session: the browser holds the secret of a step (`steps`), with which nothing can be done
but give the factor. Nobody is signed in yet, so these verbs name no permission. What is wrong is counted: the caller
lets the door commit, or answers the refusal, which is kept.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from coordinator.access import ceremonies, codes
from coordinator.access.model import SignInSession, SignInStep, User
from coordinator.access.service import Doorman, count_wrong, password_is_off, require_awake
from coordinator.access.steps import Step, find_step, open_step
from coordinator.core.errors import Unauthenticated
from coordinator.core.work import Work

#: The cookie that holds the secret of a half-open sign-in.
HALF_OPEN_COOKIE = "coordinator_half_open"


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is signed in; `secret` is for the session's cookie."""

    user: User
    secret: str
    opened: SignInSession


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """The password was right; one of `methods` is still wanted. `secret` is for the half-open cookie."""

    secret: str
    methods: tuple[str, ...]
    step: SignInStep


def sign_in(work: Work, doorman: Doorman, username: str, password: str, *, agent: str = "") -> Entered | HalfOpen:
    """A session, or, if the account has a second factor, the question for it.

    Unauthenticated `wrong-credentials` if the pair is wrong, kept so that it counts. TooMany while the account rests.
    `agent`: what the browser calls itself.
    """
    user = work.session.execute(sa.select(User).where(User.username == username).with_for_update()).scalar()
    if user is None:
        doorman.matches(password, None)
        work.record("session.refused", "user:unknown", outcome="deny")
        raise _wrong()
    methods = factor_methods(work, user)
    if password_is_off(work.session, user):
        count_wrong(user, work.now)
        work.record("session.refused", f"user:{user.id}", outcome="deny", method="password")
        raise _wrong()
    if not doorman.prove(work.session, user, password, work.now, forgives=not methods) or not doorman.admits(user):
        work.record("session.refused", f"user:{user.id}", outcome="deny")
        raise _wrong()
    if not methods:
        return open_session(work, doorman, user, proved_by="password", device=device_words(agent))
    secret, step = open_step(
        work, doorman, Step.FACTOR, user_id=user.id, facts={"proved_by": "password", "device": device_words(agent)}
    )
    work.record("session.half-opened", f"user:{user.id}")
    return HalfOpen(secret, methods, step)


def factor_methods(work: Work, user: User) -> tuple[str, ...]:
    """What is asked of the person beside the password: any one of these; nothing if they set nothing up."""
    app, keys = codes.confirmed_app(work, user.id), ceremonies.passkeys_of(work, user.id)
    methods = tuple(name for name, held in (("totp", app), ("passkey", keys)) if held)
    return (*methods, "recovery-code") if methods and codes.codes_left(work, user.id) else methods


def give_factor(
    work: Work,
    doorman: Doorman,
    secret: str | None,
    *,
    code: str | None = None,
    recovery_code: str | None = None,
    passkey: Mapping[str, Any] | None = None,
) -> Entered:
    """The session that the half-open sign-in asked for, with a secret of its own.

    `secret`: of the half-open sign-in; one of the others is given, `passkey` as the browser's answer to
    `passkey_options`. Unauthenticated `sign-in-again` if the sign-in is too old or was used, `wrong-code` (kept: it
    counts as a wrong password does) or `wrong-passkey` if the factor is wrong. TooMany while the account rests.
    """
    step, user = half_open(work, doorman, secret, lock=True)
    if passkey is not None:
        if ceremonies.asserted(work, doorman, Step.PASSKEY, passkey, user.id) is None:
            raise _wrong_passkey(work, user.id)
        method = "passkey"
    else:
        method = _typed(work, doorman, user, code, recovery_code)
    step.used_at = work.now
    return open_session(
        work, doorman, user, proved_by=f"{step.facts['proved_by']}+{method}", device=step.facts.get("device")
    )


def _typed(work: Work, doorman: Doorman, user: User, code: str | None, recovery_code: str | None) -> str:
    """By which of the two, if it is right."""
    require_awake(user, work.now)
    if code is not None:
        method, good = "totp", codes.takes_code(work, doorman, user, code)
    else:
        method, good = "recovery-code", codes.takes_recovery_code(work, user, recovery_code or "")
    if not good:
        count_wrong(user, work.now)
        work.record("session.refused", f"user:{user.id}", outcome="deny", method=method)
        raise Unauthenticated(
            "The code is not right, or was used already. Wait for the next one.",
            code="wrong-code", methods=list(factor_methods(work, user)),
        ).kept()  # fmt: skip
    return method


def half_open(work: Work, doorman: Doorman, secret: str | None, *, lock: bool = False) -> tuple[SignInStep, User]:
    """The step and the account of a half-open sign-in, to look at or locked; Unauthenticated if it is over."""
    step = find_step(work, doorman, Step.FACTOR, secret, lock=lock)
    user = (
        work.session.get(User, step.user_id, with_for_update=lock or None, populate_existing=True)
        if step is not None and step.user_id is not None
        else None
    )
    if step is None or user is None or not doorman.admits(user):
        raise Unauthenticated("Begin again with the password: this took too long, or was done.", code="sign-in-again")
    return step, user


def passkey_options(work: Work, doorman: Doorman, secret: str | None = None) -> dict[str, Any]:
    """What `navigator.credentials.get` is given to sign in: by itself, or beside the password of a half-open sign-in.

    Conflict `passkeys-off` where there are none.
    """
    user = half_open(work, doorman, secret)[1] if secret else None
    return ceremonies.request_options(work, doorman, Step.PASSKEY, user)


def sign_in_with_passkey(work: Work, doorman: Doorman, passkey: Mapping[str, Any], *, agent: str = "") -> Entered:
    """A session of whoever holds the passkey, without a password: the key, and what opens it, are two factors.

    Unauthenticated `wrong-passkey` if the answer is not right, came too late or comes a second time. That an account
    rests after wrong guesses of others keeps nobody's passkey out.
    """
    row = ceremonies.asserted(work, doorman, Step.PASSKEY, passkey, None)
    if row is None:
        raise _wrong_passkey(work, None)
    user = work.session.get_one(User, row.user_id, with_for_update=True, populate_existing=True)
    if not doorman.admits(user):
        raise _wrong_passkey(work, user.id)
    return open_session(work, doorman, user, proved_by="passkey", device=device_words(agent))


def _wrong_passkey(work: Work, user_id: int | None) -> Unauthenticated:
    subject = f"user:{user_id}" if user_id is not None else "user:unknown"
    work.record("session.refused", subject, outcome="deny", method="passkey")
    return Unauthenticated(
        "The passkey's answer does not fit what was asked, or came too late. Try again.", code="wrong-passkey"
    ).kept()


def open_session(work: Work, doorman: Doorman, user: User, *, proved_by: str, device: str | None) -> Entered:
    """A session of the person, who has proved who they are. Asked by other modules of this room."""
    if not proved_by.startswith("passkey"):  # which does not say that the guesses were theirs
        user.failed_attempts, user.locked_until = 0, None
    secret = secrets.token_urlsafe(32)
    opened = SignInSession(
        user_id=user.id, token_hash=doorman.digest(secret), created_at=work.now, last_used_at=work.now,
        proved_by=proved_by, device=device,
    )  # fmt: skip
    if proved_by == "oidc":  # enough to set up the first key of one's own, not to sign with
        opened.proved_again_at, opened.proved_again_by = work.now, proved_by
    work.session.add(opened)
    work.session.flush()  # the session's number is in the answer
    work.record("session.opened", f"user:{user.id}", proved_by=proved_by)
    return Entered(user, secret, opened)


def _wrong() -> Unauthenticated:
    return Unauthenticated("The user name or the password is not right.", code="wrong-credentials").kept()


#: What browsers and systems are called, looked for in this order: many call themselves by others' names as well.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
    ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def device_words(agent: str) -> str | None:
    """`Firefox, Windows` of a User-Agent: enough to know one's own again, nothing that tells people apart."""
    said = re.sub(r"[^\x20-\x7e]", "", agent)[:500]
    words = [next((word for mark, word in known if mark in said), None) for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(word for word in words if word) or None
