"""Changing one's password, and the way back in for whoever lost theirs: a code from an administrator, told in person.

No secret is ever mailed: whoever resets tells the code in person or by a telephone number they know.
"""

import base64
import secrets
from datetime import datetime

import sqlalchemy as sa

from coordinator.access.model import Authenticator, OutsideIdentity, Passkey, RecoveryCode, User
from coordinator.access.proof import Proof, own_account, prove_again
from coordinator.access.service import SHORTEST_PASSWORD, Doorman, count_wrong, managed, password_is_off, require_awake
from coordinator.access.sessions import end_all
from coordinator.access.steps import Step, end_steps, find_step, open_step
from coordinator.core.errors import Conflict, Invalid, Unauthenticated
from coordinator.core.work import Work, permitted

#: No hash of anything: no password matches it.
NO_PASSWORD = "!"  # noqa: S105  (it opens nothing)


@permitted("self:secure")
def change_password(work: Work, doorman: Doorman, proof: Proof, new: str) -> None:
    """The person's password is the new one, and their other sessions are over.

    The proof is given now: one of minutes ago is not enough. Invalid if the new one is too short, is the old one, or
    has the user name in it.
    """
    user = own_account(work)
    require_sound(user, new)
    prove_again(work, doorman, proof, to_sign=False, afresh=True)
    if doorman.matches(new, user.password_hash):  # asked of nobody who has not proved themselves: it would tell
        raise Invalid("This is the old password. Choose another.", pointer="/new_password", code="weak-password")
    user.password_hash = doorman.hash(new)
    ended = end_all(work, user.id, but=work.actor.session_id)
    end_steps(work, user.id, Step.RESET)
    work.record("password.changed", f"user:{user.id}", ended=ended)


@permitted("user:manage")
def reset_password(work: Work, doorman: Doorman, user_id: int, proof: Proof | None) -> tuple[str, datetime]:
    """The old password opens nothing any more; with the code answered, until the instant answered, a new one is chosen.

    The code is shown this once. An administrator proves again who they are; the installation's own command has nobody
    to prove (None). Second factors stay. Conflict for one's own account, and for one that no password opens; the
    command ends the link to the agency's provider.
    """
    user = _somebody_else(work, doorman, user_id, proof)
    if work.actor.user_id is None:  # the installation's own command is the last way in: no provider stands before it
        work.session.execute(sa.delete(OutsideIdentity).where(OutsideIdentity.user_id == user.id))
    elif password_is_off(work.session, user):
        raise Conflict("No password opens this account: they sign in through the agency.", code="password-off")
    end_steps(work, user.id, Step.RESET)
    code = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    _, step = open_step(work, doorman, Step.RESET, user_id=user.id, secret=code)
    user.password_hash = NO_PASSWORD
    ended = end_all(work, user.id)
    work.record("password.reset", f"user:{user.id}", ended=ended)
    return "-".join(code[start : start + 4] for start in range(0, 16, 4)), step.expires_at


def choose_password(work: Work, doorman: Doorman, username: str, code: str, new: str) -> None:
    """The code of a reset is used up, and the password is the new one. Nobody is signed in by it.

    Unauthenticated `wrong-reset-code` (kept: it counts) for a wrong, used or old code and for an unknown name alike;
    TooMany while the account rests; Invalid for a password that is none. Nobody is signed in who asks this.
    """
    user = work.session.execute(sa.select(User).where(User.username == username).with_for_update()).scalar()
    if user is not None:
        require_awake(user, work.now)
    typed = "".join(letter for letter in code.lower() if letter.isalnum())
    step = find_step(work, doorman, Step.RESET, typed)
    if user is None or step is None or step.user_id != user.id or not doorman.admits(user):
        if user is not None:
            count_wrong(user, work.now)
        work.record("password.not-chosen", f"user:{user.id}" if user else "user:unknown", outcome="deny")
        raise Unauthenticated(
            "The user name or the code is not right, or the code is too old. Ask an administrator for a new one.",
            code="wrong-reset-code",
        ).kept()
    require_sound(user, new)
    step.used_at = work.now
    user.password_hash, user.failed_attempts = doorman.hash(new), 0
    work.record("password.chosen", f"user:{user.id}")


@permitted("user:manage")
def forget_factors(work: Work, doorman: Doorman, user_id: int, proof: Proof | None) -> None:
    """Somebody who lost them has no second factor and no recovery codes any more, and is signed out everywhere.

    The administrator proves again who they are, as for `reset_password`.
    """
    user = _somebody_else(work, doorman, user_id, proof)
    for row in (Authenticator, Passkey, RecoveryCode):
        work.session.execute(sa.delete(row).where(row.user_id == user.id))
    ended = end_all(work, user.id)
    work.record("factors.forgotten", f"user:{user.id}", ended=ended)


def _somebody_else(work: Work, doorman: Doorman, user_id: int, proof: Proof | None) -> User:
    user = managed(work, user_id)
    if user.id == work.actor.user_id:
        raise Conflict("Change your own password and keys yourself.", code="own-account")
    if work.actor.user_id is not None:
        prove_again(work, doorman, proof or Proof(), to_sign=False)
    work.session.refresh(user, with_for_update=True)
    return user


def require_sound(user: User, new: str) -> None:
    """Raises Invalid for a password that somebody would guess."""
    said = None
    if len(new) < SHORTEST_PASSWORD:
        said = f"A password has at least {SHORTEST_PASSWORD} characters. Several words are easy to keep in mind."
    elif user.username.lower() in new.lower():
        said = "The user name has no place in the password."
    elif len(set(new)) < SHORTEST_PASSWORD // 3:
        said = "This is the same few characters again and again."
    if said is not None:
        raise Invalid(said, pointer="/new_password", code="weak-password")
