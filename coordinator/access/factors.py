"""What a person has besides a password: an authenticator app (RFC 6238) and recovery codes (SEC-07)."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import segno
import sqlalchemy as sa

from coordinator.access.codes import (
    codes_left,
    confirmed_app,
    forget_idle_codes,
    fresh_codes,
    has_second_factor,
    step_of,
    whose,
)
from coordinator.access.model import Authenticator, User
from coordinator.access.proof import Proof, own_account, prove_again
from coordinator.access.service import Doorman
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work, permitted

ISSUER = "Coordinator"
#: How long a new app waits for its first code.
CONFIRM_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is told, once: as an address, as a picture of it, and as text to type."""

    secret: str
    uri: str
    #: An `<svg>` element without style and script.
    svg: str
    confirm_by: datetime


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person can prove themselves with."""

    authenticator_since: datetime | None
    recovery_codes_left: int
    #: Whether a role of theirs asks for a second factor here.
    required: bool


@permitted("self:secure")
def factors(work: Work, doorman: Doorman) -> Factors:
    """What the signed-in person has set up."""
    user = fetch(work.session, User, work.actor.user_id or 0, "user")
    app = confirmed_app(work, user.id)
    return Factors(
        authenticator_since=app.confirmed_at if app else None,
        recovery_codes_left=codes_left(work, user.id),
        required=doorman.wants_factor(user),
    )


# ------------------------------------------------------------------------------------ authenticator app


@permitted("self:secure")
def start_authenticator(work: Work, doorman: Doorman, proof: Proof) -> Enrolment:
    """A secret for a new authenticator app. It counts from its first code on; until then the old one does, if any."""
    prove_again(work, doorman, proof, to_sign=False)
    user = own_account(work)
    work.session.execute(
        sa.delete(Authenticator).where(Authenticator.user_id == user.id, Authenticator.confirmed_at.is_(None))
    )
    secret = pyotp.random_base32()
    work.session.add(
        Authenticator(user_id=user.id, sealed_secret=doorman.vault.seal(secret, of=whose(user.id)), started_at=work.now)
    )
    work.record("authenticator.started", f"user:{user.id}")
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    return Enrolment(secret=secret, uri=uri, svg=picture(uri), confirm_by=work.now + CONFIRM_WITHIN)


def picture(text: str) -> str:
    """A QR code of the text as an `<svg>` element: no style, no script, nothing that a strict page would refuse."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, scale=4, border=4, dark="#000", light="#fff", svgclass=None,
        lineclass=None, omitsize=False,
    )  # fmt: skip
    return out.getvalue().decode().strip()


@permitted("self:secure")
def confirm_authenticator(work: Work, doorman: Doorman, code: str) -> list[str]:
    """The new app counts from now on, and no other. Answers ten recovery codes if the person had none left, else none.

    Conflict if no app waits for its first code; Invalid if the code is not the app's.
    """
    user = own_account(work)
    row = work.session.execute(
        sa.select(Authenticator).where(
            Authenticator.user_id == user.id,
            Authenticator.confirmed_at.is_(None),
            Authenticator.started_at > work.now - CONFIRM_WITHIN,
        )
    ).scalar()
    if row is None:
        raise Conflict("No authenticator app waits for its first code. Start again.", code="nothing-to-confirm")
    step = step_of(doorman, row, code, work.now)
    if step is None:
        raise Invalid(
            "This is not what the app should show. Check the clock of the telephone, and type the newest code.",
            pointer="/code", code="wrong-code",
        )  # fmt: skip
    work.session.execute(sa.delete(Authenticator).where(Authenticator.user_id == user.id, Authenticator.id != row.id))
    row.confirmed_at, row.last_step = work.now, step
    work.record("authenticator.confirmed", f"user:{user.id}")
    return fresh_codes(work, user.id) if codes_left(work, user.id) == 0 else []


@permitted("self:secure")
def remove_authenticator(work: Work, doorman: Doorman, proof: Proof) -> None:
    """No app's codes are taken any more. Who keeps no second factor keeps no recovery codes either."""
    prove_again(work, doorman, proof, to_sign=False)
    user = own_account(work)
    if confirmed_app(work, user.id) is None:
        raise Conflict("There is no authenticator app to remove.", code="no-authenticator")
    work.session.execute(sa.delete(Authenticator).where(Authenticator.user_id == user.id))
    forget_idle_codes(work, user.id)
    work.record("authenticator.removed", f"user:{user.id}")


# ------------------------------------------------------------------------------------ recovery codes


@permitted("self:secure")
def renew_recovery_codes(work: Work, doorman: Doorman, proof: Proof) -> list[str]:
    """Ten new recovery codes; the old ones open nothing any more. They are shown this once."""
    prove_again(work, doorman, proof, to_sign=False)
    user = own_account(work)
    if not has_second_factor(work, user.id):
        raise Conflict("Recovery codes stand in for a second factor. Set one up first.", code="second-factor-missing")
    return fresh_codes(work, user.id)
