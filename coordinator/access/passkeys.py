"""One's own passkeys: making, naming, listing, and doing without (SEC-07)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from webauthn.helpers import bytes_to_base64url

from coordinator.access import ceremonies, codes
from coordinator.access.model import Passkey
from coordinator.access.proof import Proof, own_account, prove_again
from coordinator.access.service import Doorman
from coordinator.access.steps import Step
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted

#: Enough for every machine of a person, and few enough to look through.
MOST_PASSKEYS = 20


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that counts from now on, and ten recovery codes, shown once, if the person had none left."""

    passkey: Passkey
    recovery_codes: list[str]


@permitted("self:secure")
def start_passkey(work: Work, doorman: Doorman, proof: Proof) -> dict[str, Any]:
    """What `navigator.credentials.create` is given; its answer is taken once, within minutes, in this session.

    Conflict `passkeys-off` where nobody said under which address the installation is found.
    """
    prove_again(work, doorman, proof, to_sign=False)
    user = own_account(work)
    if len(ceremonies.passkeys_of(work, user.id)) >= MOST_PASSKEYS:
        raise Conflict(
            f"{MOST_PASSKEYS} passkeys are enough. Remove one that you do not use.", code="too-many-passkeys"
        )
    work.record("passkey.started", f"user:{user.id}")
    return ceremonies.creation_options(work, doorman, user)


@permitted("self:secure")
def add_passkey(work: Work, doorman: Doorman, label: str, credential: Mapping[str, Any]) -> NewPasskey:
    """The passkey that the browser made counts from now on. Invalid `wrong-passkey` if its answer is not right."""
    user = own_account(work)
    answer = ceremonies.created(work, doorman, user, credential)
    if answer is None:
        raise Invalid(
            "The browser's answer does not fit what was asked, or came too late. Start again.",
            pointer="/credential", code="wrong-passkey",
        )  # fmt: skip
    found, transports = answer
    number = bytes_to_base64url(found.credential_id)
    if work.session.execute(sa.select(Passkey.id).where(Passkey.credential_id == number)).scalar() is not None:
        raise Conflict("This passkey is known already.", code="passkey-known")
    row = Passkey(
        user_id=user.id, credential_id=number, public_key=found.credential_public_key, sign_count=found.sign_count,
        label=label, transports=transports, created_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the passkey's number is in the audit line
    work.record("passkey.added", f"user:{user.id}", passkey=row.id)
    return NewPasskey(row, codes.fresh_codes(work, user.id) if codes.codes_left(work, user.id) == 0 else [])


@permitted("self:read")
def my_passkeys(work: Work) -> sa.Select[Passkey]:
    """The signed-in person's passkeys."""
    return sa.select(Passkey).where(Passkey.user_id == (work.actor.user_id or 0))


@permitted("self:secure")
def remove_passkey(work: Work, doorman: Doorman, passkey_id: int, proof: Proof) -> None:
    """The passkey opens nothing any more. Who keeps no second factor keeps no recovery codes either."""
    row = work.session.get(Passkey, passkey_id)
    if row is None or row.user_id != work.actor.user_id:
        raise NotFound("passkey")
    prove_again(work, doorman, proof, to_sign=False)
    work.session.delete(row)
    codes.forget_idle_codes(work, row.user_id)
    work.record("passkey.removed", f"user:{row.user_id}", passkey=passkey_id)


@permitted("self:secure")
def proof_options(work: Work, doorman: Doorman) -> dict[str, Any]:
    """What `navigator.credentials.get` is given before a signature or a change of one's own keys; its answer is the
    `passkey` of a `Proof`, once, within minutes, in this session.
    """
    user = own_account(work)
    if not ceremonies.passkeys_of(work, user.id):
        raise Conflict("You have no passkey. Make one first, or prove yourself in another way.", code="no-passkey")
    return ceremonies.request_options(work, doorman, Step.PASSKEY_PROOF, user)
