"""Codes that people type: those of an authenticator app (RFC 6238), and recovery codes for when it is lost."""

import base64
import hashlib
import re
import secrets
from datetime import datetime

import pyotp
import sqlalchemy as sa

from coordinator.access.model import Authenticator, RecoveryCode, User
from coordinator.access.service import Doorman, has_factor
from coordinator.core.work import Work

RECOVERY_CODES = 10


def confirmed_app(work: Work, user_id: int) -> Authenticator | None:
    """The person's authenticator app, if they have one that counts."""
    return work.session.execute(
        sa.select(Authenticator).where(Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None))
    ).scalar()


def takes_code(work: Work, doorman: Doorman, user: User, code: str) -> bool:
    """Whether the code is what the person's app shows now, and was not taken before. It is not taken again.

    The caller holds the lock on the account, and counts what is wrong.
    """
    row = confirmed_app(work, user.id)
    step = step_of(doorman, row, code, work.now) if row is not None else None
    if row is None or step is None:
        return False
    row.last_step = step
    return True


def step_of(doorman: Doorman, row: Authenticator, code: str, now: datetime) -> int | None:
    """The half minute whose code it is, one before and one after the present allowed; None if none, or it was used."""
    secret = doorman.vault.open(row.sealed_secret, of=whose(row.user_id))
    digits = re.sub(r"[\s-]", "", code)
    if secret is None or not re.fullmatch(r"[0-9]{6}", digits, re.ASCII):
        return None
    app = pyotp.TOTP(secret)
    present = app.timecode(now)
    steps = [step for step in (present - 1, present, present + 1) if row.last_step is None or step > row.last_step]
    return next((step for step in steps if secrets.compare_digest(app.generate_otp(step), digits)), None)


def whose(user_id: int) -> str:
    """To whom the secret of an app is sealed."""
    return f"authenticator of user:{user_id}"


def has_second_factor(work: Work, user_id: int) -> bool:
    """Whether the person has an authenticator app or a passkey."""
    return bool(work.session.execute(sa.select(has_factor(user_id))).scalar())


def fresh_codes(work: Work, user_id: int) -> list[str]:
    """Ten new codes of eighty bits each; a plain hash of so much chance is as good as a slow one."""
    work.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    work.session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(code), created_at=work.now) for code in codes)
    work.record("recovery-codes.renewed", f"user:{user_id}")
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def forget_idle_codes(work: Work, user_id: int) -> None:
    """Recovery codes go with the last second factor."""
    work.session.flush()  # what was removed is no factor any more
    if not has_second_factor(work, user_id):
        work.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def codes_left(work: Work, user_id: int) -> int:
    """How many recovery codes still open the account."""
    return work.session.execute(
        sa.select(sa.func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    ).scalar_one()


def takes_recovery_code(work: Work, user: User, code: str) -> bool:
    """Whether the code opens the account. It does so once; the caller holds the lock on the account."""
    typed = re.sub(r"[^a-z2-7]", "", code.lower())
    row = work.session.execute(
        sa.select(RecoveryCode).where(
            RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(typed), RecoveryCode.used_at.is_(None)
        )
    ).scalar()
    if row is None:
        return False
    row.used_at = work.now
    work.session.flush()  # the count below does not have it any more
    work.record("recovery-code.used", f"user:{user.id}", left=codes_left(work, user.id))
    return True


def _hash(code: str) -> str:
    return hashlib.sha256(f"recovery code: {code}".encode()).hexdigest()
