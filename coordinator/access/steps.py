"""What is asked of a browser and answered once within minutes: a row each, so that any process can take the answer."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import SignInStep
from coordinator.access.service import Doorman
from coordinator.core.work import Work


class Step(StrEnum):
    """What is asked."""

    #: The password was right; the second factor is wanted.
    FACTOR = "factor"
    #: An administrator has reset the password; a new one is to be chosen.
    RESET = "password-reset"
    #: A passkey's answer is wanted: to a new one's making, to sign in, to prove oneself again.
    PASSKEY_NEW = "passkey-new"
    PASSKEY = "passkey"
    PASSKEY_PROOF = "passkey-proof"
    #: The link in the mail of the day was sent; it is followed once.
    DIGEST = "digest-link"
    #: The browser went to the agency's own provider.
    OIDC = "oidc"


#: How long there is for the answer.
AGE = {
    Step.FACTOR: timedelta(minutes=5),
    Step.RESET: timedelta(days=1),
    Step.PASSKEY_NEW: timedelta(minutes=5),
    Step.PASSKEY: timedelta(minutes=5),
    Step.PASSKEY_PROOF: timedelta(minutes=5),
    Step.DIGEST: timedelta(days=3),
    Step.OIDC: timedelta(minutes=10),
}
#: Steps that nobody can answer any more are swept away by the next one that is opened, a day later.
_SWEPT_AFTER = timedelta(days=1)


def open_step(
    work: Work,
    doorman: Doorman,
    kind: Step,
    *,
    user_id: int | None,
    secret: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> tuple[str, SignInStep]:
    """A new step and the secret by which its answer is known; of the secret a keyed hash is stored."""
    work.session.execute(sa.delete(SignInStep).where(SignInStep.expires_at < work.now - _SWEPT_AFTER))
    secret = secret or secrets.token_urlsafe(32)
    row = SignInStep(
        kind=kind.value, secret_hash=doorman.digest(secret), user_id=user_id, facts=dict(facts or {}),
        created_at=work.now, expires_at=work.now + AGE[kind],
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number of the step is in answers and audit lines
    return secret, row


def find_step(work: Work, doorman: Doorman, kind: Step, secret: str | None, *, lock: bool = True) -> SignInStep | None:
    """The step that waits for this secret's answer, locked unless it is only looked at; None: there is none."""
    if not secret:
        return None
    waiting = sa.select(SignInStep).where(
        SignInStep.secret_hash == doorman.digest(secret),
        SignInStep.kind == kind.value,
        SignInStep.used_at.is_(None),
        SignInStep.expires_at > work.now,
    )
    return work.session.execute(waiting.with_for_update() if lock else waiting).scalar()


def end_steps(work: Work, user_id: int, *kinds: Step) -> None:
    """Nothing of these kinds waits for this person's answer any more."""
    work.session.execute(
        sa.update(SignInStep)
        .where(
            SignInStep.user_id == user_id,
            SignInStep.kind.in_([kind.value for kind in kinds]),
            SignInStep.used_at.is_(None),
        )
        .values(used_at=work.now)
    )
