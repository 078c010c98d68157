"""What browsers and passkeys say to each other, and what of it is believed (WebAuthn level 2).

A challenge is a step (`steps`): a row with an age, for one kind of ceremony, of one person where they are known, and
answered once, rightly or wrongly. The key stays with the person; here is the public half.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from coordinator.access.model import Passkey, SignInStep, User
from coordinator.access.service import Doorman
from coordinator.access.steps import AGE, Step, find_step, open_step
from coordinator.core.errors import Conflict
from coordinator.core.work import Work

#: What a browser calls the product when it asks for a passkey.
NAME = "Coordinator"
_VERIFIED = UserVerificationRequirement.REQUIRED
#: Identifiers and challenges travel as base64url without padding; the longest identifier has 1023 bytes.
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,1364}", re.ASCII)


def site(doorman: Doorman) -> tuple[str, str]:
    """The host to which passkeys are bound, and the address from which alone answers are taken; Conflict without."""
    address = doorman.settings.public_url
    if address is None:
        raise Conflict(
            "Passkeys need to know where browsers find this installation. Whoever runs it sets COORDINATOR_PUBLIC_URL.",
            code="passkeys-off",
        )
    return urlsplit(address).hostname or "", address


def creation_options(work: Work, doorman: Doorman, user: User) -> dict[str, Any]:
    """What `navigator.credentials.create` is given, with a new challenge: a key of the person's own, behind a PIN,
    a finger or a face.
    """
    host, _ = site(doorman)
    challenge = _ask(work, doorman, Step.PASSKEY_NEW, user.id)
    options = generate_registration_options(
        rp_id=host, rp_name=NAME, user_id=handle_of(user.id), user_name=user.username,
        user_display_name=user.display_name, challenge=challenge, timeout=_milliseconds(Step.PASSKEY_NEW),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_named(passkeys_of(work, user.id)),
    )  # fmt: skip
    return dict(options_to_json_dict(options))


def request_options(work: Work, doorman: Doorman, kind: Step, user: User | None) -> dict[str, Any]:
    """What `navigator.credentials.get` is given, with a new challenge. Of nobody known, no key is named."""
    host, _ = site(doorman)
    challenge = _ask(work, doorman, kind, user.id if user else None)
    options = generate_authentication_options(
        rp_id=host, challenge=challenge, timeout=_milliseconds(kind), user_verification=_VERIFIED,
        allow_credentials=_named(passkeys_of(work, user.id)) if user else None,
    )  # fmt: skip
    return dict(options_to_json_dict(options))


def created(
    work: Work, doorman: Doorman, user: User, credential: Mapping[str, Any]
) -> tuple[VerifiedRegistration, list[str]] | None:
    """The new key and how it can be reached, if the answer is right; None if not. The challenge is used up."""
    host, origin = site(doorman)
    step = _answered(work, doorman, Step.PASSKEY_NEW, credential)
    if step is None or step.user_id != user.id:
        return None
    try:
        found = verify_registration_response(
            credential=dict(credential), expected_challenge=base64url_to_bytes(_challenge_of(credential) or ""),
            expected_rp_id=host, expected_origin=origin, require_user_verification=True,
        )  # fmt: skip
        transports = [AuthenticatorTransport(word).value for word in credential["response"].get("transports") or ()]
    except Exception:  # noqa: BLE001  (bytes from a stranger: whatever the library stumbles over is a wrong answer)
        return None
    return found, transports


def asserted(
    work: Work, doorman: Doorman, kind: Step, credential: Mapping[str, Any], user_id: int | None
) -> Passkey | None:
    """The key that answered rightly, locked and counted; None if the answer is not right. The challenge is used up.

    `user_id`: whose it must be; None: whoever holds it. A key whose own count went back may be a copy: it is refused
    and the trail says so.
    """
    host, origin = site(doorman)
    step = _answered(work, doorman, kind, credential)
    number = credential.get("id")
    if step is None or not isinstance(number, str) or not _BASE64URL.fullmatch(number):
        return None
    row = work.session.execute(sa.select(Passkey).where(Passkey.credential_id == number).with_for_update()).scalar()
    if row is None or user_id not in (None, row.user_id) or step.user_id not in (None, row.user_id):
        return None
    try:
        given = credential["response"].get("userHandle")
        if given and base64url_to_bytes(given) != handle_of(row.user_id):
            return None
        found = verify_authentication_response(
            credential=dict(credential), expected_challenge=base64url_to_bytes(_challenge_of(credential) or ""),
            expected_rp_id=host, expected_origin=origin, credential_public_key=row.public_key,
            credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
    except Exception:  # noqa: BLE001  (as above)
        return None
    if max(found.new_sign_count, row.sign_count) > 0 and found.new_sign_count <= row.sign_count:
        work.record("passkey.count-went-back", f"user:{row.user_id}", outcome="deny", passkey=row.id)
        return None
    row.sign_count, row.last_used_at = found.new_sign_count, work.now
    return row


def passkeys_of(work: Work, user_id: int) -> list[Passkey]:
    """The person's passkeys, oldest first."""
    return list(work.session.scalars(sa.select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def handle_of(user_id: int) -> bytes:
    """By which name a key knows the person: none that tells anything."""
    return hashlib.sha256(f"coordinator user {user_id}".encode()).digest()


def _ask(work: Work, doorman: Doorman, kind: Step, user_id: int | None) -> bytes:
    challenge = secrets.token_bytes(32)
    facts = {"session": work.actor.session_id}
    open_step(work, doorman, kind, user_id=user_id, secret=bytes_to_base64url(challenge), facts=facts)
    return challenge


def _answered(work: Work, doorman: Doorman, kind: Step, credential: Mapping[str, Any]) -> SignInStep | None:
    """The step whose challenge the answer names, used up; None if none waits, or it waits in another session."""
    challenge = _challenge_of(credential)
    step = find_step(work, doorman, kind, challenge) if challenge else None
    if step is None or step.facts.get("session") != work.actor.session_id:
        return None
    step.used_at = work.now
    return step


def _challenge_of(credential: Mapping[str, Any]) -> str | None:
    """The challenge that the browser says it answered, in a page that is in no frame; None: it says none."""
    try:
        said = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        challenge = said["challenge"]
        framed = said.get("crossOrigin", False)
    except Exception:  # noqa: BLE001  (as above)
        return None
    if framed is not False or not isinstance(challenge, str) or not _BASE64URL.fullmatch(challenge):
        return None
    return challenge


def _named(keys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(key.credential_id),
            transports=[AuthenticatorTransport(word) for word in key.transports] or None,
        )
        for key in keys
    ]


def _milliseconds(kind: Step) -> int:
    return int(AGE[kind].total_seconds() * 1000)
