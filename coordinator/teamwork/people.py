"""Who sits where, and whether somebody can be asked: what tasks and notes have in common."""

from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import branches_of, require_branch, require_sight, stands_in_today, visible_patients
from coordinator.access.service import actor_of, performer_of
from coordinator.agency import service as agency
from coordinator.core.db import ROW_ID
from coordinator.core.errors import Invalid
from coordinator.core.work import Actor, Work
from coordinator.domain.team import CoverRole
from coordinator.domain.teamwork import Desk, desks_of
from coordinator.domain.timeline import local_day
from coordinator.teams.model import Cover

_clinician = sa.table("clinician", sa.column("id", ROW_ID), sa.column("branch_id", ROW_ID))


def my_desks(actor: Actor) -> frozenset[Desk]:
    """The desks at which the actor sits."""
    return desks_of(actor.roles, actor.performer)


def stands_in(work: Work, user: sa.ColumnElement[Any], patient: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the actor stands in today for the user in one column, at the patient in another."""
    actor = work.actor
    ways = [
        sa.and_(Cover.role == CoverRole.COORDINATOR, Cover.by_user_id == actor.user_id, Cover.user_id == User.id),
        sa.and_(
            Cover.role == CoverRole.PRIMARY,
            Cover.by_clinician_id == actor.clinician_id,
            Cover.clinician_id == User.clinician_id,
        ),
        sa.and_(
            Cover.role == CoverRole.MANAGING_PHYSICIAN,
            Cover.by_physician_id == actor.physician_id,
            Cover.physician_id == User.physician_id,
        ),
    ]
    # Joined outright: where there is no branch there is no today, and what is left would be two tables side by side.
    return (
        sa.select(sa.literal(1))
        .select_from(Cover)
        .join(User, sa.or_(*ways))
        .where(
            User.id == user,
            Cover.withdrawn_at.is_(None),
            sa.or_(Cover.patient_id.is_(None), Cover.patient_id == patient),
            stands_in_today(work, Cover.starts_on, Cover.ends_on, patient),
        )
        .exists()
    )


def acts_for(work: Work, user_id: int | None, patient_id: int | None) -> bool:
    """Whether the actor is that user, or stands in for them today at the patient."""
    if user_id is None or user_id == work.actor.user_id:
        return user_id is not None
    if patient_id is None:
        return False
    return bool(work.session.execute(sa.select(stands_in(work, sa.literal(user_id), sa.literal(patient_id)))).scalar())


def place(work: Work, patient_id: int | None, branch_id: int | None) -> int:
    """The branch of what is about that patient, or about none; NotFound out of sight, Invalid if they contradict."""
    if patient_id is not None:
        of_patient = require_sight(work, patient_id)
        if branch_id not in (None, of_patient):
            raise Invalid("The patient is of another branch.", pointer="/branch_id")
        return of_patient
    if branch_id is None:
        raise Invalid("Name the patient, or the branch if it is about none.", pointer="/patient_id")
    if branch_id != own_branch(work):
        require_branch(work, branch_id)
        agency.zone_of(work, branch_id)  # somebody who sees all branches may name one that is not there
    return branch_id


def own_branch(work: Work, actor: Actor | None = None) -> int | None:
    """The branch for which the actor (or another) makes visits, if they are a clinician."""
    clinician_id = (actor or work.actor).clinician_id
    if clinician_id is None:
        return None
    query = sa.select(_clinician.c.branch_id).where(_clinician.c.id == clinician_id)
    return work.session.execute(query).scalar()


def require_able(
    work: Work, user_id: int, patient_id: int | None, branch_id: int, *, permission: str, pointer: str
) -> Actor:
    """The person as an actor; Invalid for somebody who could not see what they are given."""
    user = work.session.get(User, user_id)
    if user is None or not user.active:
        raise Invalid("There is no such person, or their account is closed.", pointer=pointer)
    them = actor_of(user, performer_of(work.session, user))
    if not them.may(permission):
        raise Invalid("This person has no inbox.", pointer=pointer)
    if patient_id is None:
        theirs = branches_of(them)
        if theirs is not None and branch_id not in theirs and branch_id != own_branch(work, them):
            raise Invalid("This person does not work for the branch.", pointer=pointer)
        return them
    zone = agency.zone_of(work, branch_id)
    seen = visible_patients(them, local_day(work.now, zone), zone)
    # The select names the patient's number alone.
    if work.session.execute(seen.where(seen.selected_columns[0] == patient_id)).scalar() is None:
        raise Invalid(
            "This person may not see the patient. Put them in the care team, or name a role.", pointer=pointer
        )
    return them
