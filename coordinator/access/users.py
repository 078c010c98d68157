"""Accounts after they were made: who has one, what they are there to do, and when they no longer are."""

from collections.abc import Sequence

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import branches_of
from coordinator.access.service import in_charge_of, managed, sound_branches, sound_roles
from coordinator.access.sessions import end_all, end_tokens
from coordinator.access.steps import Step, end_steps
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import Role


@permitted("user:manage")
def search(work: Work, *, active: bool | None = None) -> sa.Select[User]:
    """The accounts that the actor answers for, open and closed unless `active` says which."""
    query = sa.select(User)
    if branches_of(work.actor) is not None:
        # Which branches an account has is a list in one column, read alike on both engines; accounts are few.
        query = query.where(User.id.in_(those_in_charge_of(work)))
    if active is not None:
        query = query.where(User.active == active)
    work.record("user.listed", "user:all")
    return query


def those_in_charge_of(work: Work) -> list[int]:
    """Numbers of the accounts that the actor answers for."""
    return [user.id for user in work.session.scalars(sa.select(User)) if in_charge_of(work, user)]


@permitted("user:manage")
def get(work: Work, user_id: int) -> User:
    """One account."""
    user = managed(work, user_id)
    work.record("user.read", f"user:{user.id}")
    return user


@permitted("user:manage")
def edit(
    work: Work,
    user_id: int,
    *,
    active: bool | None = None,
    roles: Sequence[str] | None = None,
    branch_ids: Sequence[int] | None = None,
) -> User:
    """Change what an account may do, at once. Closing it ends its sessions and revokes its tokens, for good.

    Nobody closes their own account or gives up being administrator: the last one would lock everybody out.
    """
    user = managed(work, user_id)
    if roles is not None:
        held = sound_roles(list(roles))
        for role, key in ((Role.CLINICIAN, user.clinician_id), (Role.PHYSICIAN, user.physician_id)):
            if role.value in held and key is None:
                raise Invalid(f"This account names no {role.value}, so it cannot act as one.", pointer="/roles")
        if user.id == work.actor.user_id and Role.ADMINISTRATOR.value not in held:
            raise Conflict("Another administrator must take this role from you.", code="own-account")
        user.roles = held
    if branch_ids is not None:
        if user.id == work.actor.user_id:
            raise Conflict("Another administrator must change your branches.", code="own-account")
        user.branch_ids = sound_branches(work, list(branch_ids))
    if active is not None and active != user.active:
        if user.id == work.actor.user_id:
            raise Conflict("Another administrator must close your account.", code="own-account")
        user.active = active
        if not active:
            _shut_out(work, user)
    work.session.flush()  # the new version is in the answer
    work.record("user.edited", f"user:{user.id}", active=user.active, roles=user.roles, branches=user.branch_ids)
    return user


def _shut_out(work: Work, user: User) -> None:
    end_all(work, user.id)
    end_tokens(work, user.id)
    end_steps(work, user.id, Step.RESET)


@permitted("user:manage")
def unlock(work: Work, user_id: int) -> User:
    """Let the account sign in again although it rests after wrong passwords."""
    user = managed(work, user_id)
    user.failed_attempts, user.locked_until = 0, None
    work.session.flush()  # the new version is in the answer
    work.record("user.unlocked", f"user:{user.id}")
    return user
