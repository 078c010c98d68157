"""Proving again who one is, before a signature and before the keys of one's own account change (SEC-07)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coordinator.access import ceremonies, codes
from coordinator.access.model import SignInSession, User
from coordinator.access.service import Doorman, count_wrong, password_is_off, require_awake
from coordinator.access.steps import Step
from coordinator.core.errors import Forbidden, NotFound
from coordinator.core.work import Work, permitted


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person gives to prove who they are; nothing at all where they have just done so in this session."""

    password: str | None = None
    code: str | None = None
    #: A browser's answer to `passkeys.proof_options`.
    passkey: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return any((self.password, self.code, self.passkey))


#: Nothing: enough for whoever proved themselves a few minutes ago.
NOTHING = Proof()


def own_account(work: Work) -> User:
    """The account of whoever acts, locked: their secrets change one at a time."""
    user = work.session.get(User, work.actor.user_id or 0, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound("user")
    return user


def methods_of(work: Work, user: User) -> list[str]:
    """How the person can prove again who they are: by all parts of one of these."""
    off = password_is_off(work.session, user)  # then the agency's provider stands for the password
    app = codes.confirmed_app(work, user.id)
    methods = ["totp" if off else "password+totp"] if app is not None else []
    if ceremonies.passkeys_of(work, user.id):
        methods.append("passkey")
    return methods or ([] if off else ["password"])


def prove_again(work: Work, doorman: Doorman, proof: Proof, *, to_sign: bool = True, afresh: bool = False) -> str:
    """How the person has proved who they are: now, or (not `afresh`) in this session a few minutes ago.

    Forbidden `step-up-required` names the ways that this account has; a wrong password or code is counted, and the
    door keeps the count. Forbidden `second-factor-missing` before a signature (`to_sign`) if a role asks for a second
    factor that was never set up. TooMany while the account rests.
    """
    user = own_account(work)
    if to_sign and doorman.wants_factor(user) and not codes.has_second_factor(work, user.id):
        raise Forbidden(
            "Your role asks for a second factor. Set one up before you sign: an authenticator app or a passkey.",
            code="second-factor-missing", methods=[],
        )  # fmt: skip
    methods = methods_of(work, user)
    method = next((name for name in methods if _is_complete(proof, name)), None)
    if method is None:
        recent = None if afresh else _recent(work, doorman)
        if recent is not None and recent in methods:  # not by what was enough before a second factor was set up
            return recent
        if recent == "oidc" and not methods and not to_sign:
            return recent
        raise _refusal(
            "Set up an authenticator app or a passkey: you have nothing here to prove yourself with."
            if not methods
            else "This is not all that is asked for. Nothing was checked."
            if proof
            else "Prove again who you are.",
            methods,
        )
    if not _holds(work, doorman, user, proof, method):
        work.record("session.proof-refused", f"user:{user.id}", outcome="deny", method=method)
        what = {"password": "password is", "passkey": "passkey's answer is"}.get(method, "password or the code is")
        raise _refusal(f"The {what} not right. Nothing was signed or changed.", methods).kept()
    if work.actor.session_id is not None:
        opened = work.session.get_one(SignInSession, work.actor.session_id)
        opened.proved_again_at, opened.proved_again_by = work.now, method
    work.record("session.proved-again", f"user:{user.id}", method=method)
    return method


def _refusal(said: str, methods: list[str]) -> Forbidden:
    return Forbidden(said, code="step-up-required", methods=methods)


def _is_complete(proof: Proof, method: str) -> bool:
    given = {"password": bool(proof.password), "totp": bool(proof.code), "passkey": bool(proof.passkey)}
    return all(given[part] for part in method.split("+"))


def _holds(work: Work, doorman: Doorman, user: User, proof: Proof, method: str) -> bool:
    """Whether all that the method asks for is right; a wrong password or code is counted, once.

    A passkey's answer cannot be guessed: it is neither counted nor kept out by others' wrong guesses.
    """
    if method == "passkey":
        return ceremonies.asserted(work, doorman, Step.PASSKEY_PROOF, proof.passkey or {}, user.id) is not None
    require_awake(user, work.now)
    parts = method.split("+")
    good = "password" not in parts or doorman.matches(proof.password or "", user.password_hash)
    # A code is used up only beside a right password.
    good = good and ("totp" not in parts or codes.takes_code(work, doorman, user, proof.code or ""))
    if good:
        user.failed_attempts, user.locked_until = 0, None
    else:
        count_wrong(user, work.now)
    return good


def _recent(work: Work, doorman: Doorman) -> str | None:
    """How the person proved themselves in this session within the minutes of the setting; None: they did not."""
    if work.actor.session_id is None:
        return None
    opened = work.session.get_one(SignInSession, work.actor.session_id)
    until = proof_lasts_until(doorman, opened)
    return opened.proved_again_by if until is not None and work.now < until else None


def proof_lasts_until(doorman: Doorman, opened: SignInSession) -> datetime | None:
    """Until when nobody asks this session again; None if it would be asked at once."""
    if opened.proved_again_at is None or opened.proved_again_by is None:
        return None
    return opened.proved_again_at + timedelta(minutes=doorman.settings.step_up_minutes)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form has to ask for: the ways of the account, and until when nothing at all (None: at once)."""

    methods: tuple[str, ...]
    nothing_until: datetime | None


@permitted("self:read")
def asked_of_me(work: Work, doorman: Doorman) -> Asked:
    """How the actor would prove again who they are."""
    user = work.session.get(User, work.actor.user_id or 0)
    if user is None:
        raise NotFound("user")
    recent = _recent(work, doorman)
    until = None
    methods = methods_of(work, user)
    if recent in methods and work.actor.session_id is not None:
        until = proof_lasts_until(doorman, work.session.get_one(SignInSession, work.actor.session_id))
    return Asked(tuple(methods), until)


@permitted("self:secure")
def step_up(work: Work, doorman: Doorman, proof: Proof) -> datetime:
    """The person proves again who they are; until the instant answered nothing asks once more in this session."""
    prove_again(work, doorman, proof, to_sign=False)
    return work.now + timedelta(minutes=doorman.settings.step_up_minutes)
