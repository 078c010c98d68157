"""By which identity of the agency's provider an account is known: administrators say so; no name is matched."""

import sqlalchemy as sa

from coordinator.access.model import OutsideIdentity
from coordinator.access.oidc import provider_of, sound_subject
from coordinator.access.proof import Proof, prove_again
from coordinator.access.service import Doorman, managed
from coordinator.access.sessions import end_all
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted


@permitted("user:manage")
def link_identity(
    work: Work, doorman: Doorman, user_id: int, *, subject: str, password_off: bool, proof: Proof
) -> OutsideIdentity:
    """The account is entered by the provider's subject from now on, with `password_off` by no password any more.

    It takes the place of an identity that was linked before; the person's sessions end. Conflict for one's own account
    and for a subject of somebody else.
    """
    user = managed(work, user_id)
    _not_mine(work, user_id)
    issuer = provider_of(doorman).issuer
    if sound_subject(subject) != subject:
        raise Invalid("A subject has 1 to 255 printable characters.", pointer="/subject")
    prove_again(work, doorman, proof, to_sign=False)
    other = work.session.execute(
        sa.select(OutsideIdentity).where(OutsideIdentity.issuer == issuer, OutsideIdentity.subject == subject)
    ).scalar()
    if other is not None and other.user_id != user.id:
        raise Conflict("Somebody else is known by this subject.", code="identity-taken")
    row = _of(work, user.id)
    if row is None:
        row = OutsideIdentity(user_id=user.id)
        work.session.add(row)
    row.issuer, row.subject, row.password_off, row.linked_at = issuer, subject, password_off, work.now
    work.session.flush()  # a second link of the subject is refused here
    ended = end_all(work, user.id)
    work.record("identity.linked", f"user:{user.id}", password_off=password_off, ended=ended)
    return row


@permitted("user:manage")
def identity_of(work: Work, user_id: int) -> OutsideIdentity:
    """By which identity the account is known; NotFound if by none."""
    row = _of(work, managed(work, user_id).id)
    if row is None:
        raise NotFound("identity")
    work.record("identity.read", f"user:{user_id}")
    return row


@permitted("user:manage")
def unlink_identity(work: Work, doorman: Doorman, user_id: int, proof: Proof) -> None:
    """The account is entered by its own password alone again; the person's sessions end."""
    user = managed(work, user_id)
    _not_mine(work, user_id)
    row = _of(work, user.id)
    if row is None:
        raise NotFound("identity")
    prove_again(work, doorman, proof, to_sign=False)
    work.session.delete(row)
    ended = end_all(work, user.id)
    work.record("identity.unlinked", f"user:{user.id}", ended=ended)


def _not_mine(work: Work, user_id: int) -> None:
    if user_id == work.actor.user_id:
        raise Conflict("Another administrator must change how you sign in.", code="own-account")


def _of(work: Work, user_id: int) -> OutsideIdentity | None:
    return work.session.execute(sa.select(OutsideIdentity).where(OutsideIdentity.user_id == user_id)).scalar()
