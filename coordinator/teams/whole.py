"""The care team of a patient on a day as one page, and who answers to a role: the one who stands in goes first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import require_sight
from coordinator.agency.service import today
from coordinator.core.db import fetch
from coordinator.core.work import Work, permitted
from coordinator.domain.team import PRIMARY_OF, CareRole, CoverRole, SharedContent, TeamPost
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician, Physician
from coordinator.teams.covers import PEOPLE, who_covers
from coordinator.teams.members import history_of, team_of
from coordinator.teams.model import CareTeamMember, Cover, OutsideParticipant, PostHeld
from coordinator.teams.outside import participants, shareable
from coordinator.teams.posts import post_held, posts_of


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who answers to a role of a patient's team; one of the three numbers of a person is given.

    `covering_for`: the number of whoever they stand in for, of the same kind. `user_ids`: the person's open accounts.
    """

    role: CareRole
    name: str
    clinician_id: int | None = None
    physician_id: int | None = None
    user_id: int | None = None
    covering_for: int | None = None
    user_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody outside, and what may be told to them on the day."""

    participant: OutsideParticipant
    may_be_told: tuple[SharedContent, ...]


@dataclass(frozen=True, slots=True)
class CareTeam:
    """Who looks after a patient on a day. `vacant`: roles that should be held and are not."""

    patient_id: int
    day: date
    holders: tuple[Holder, ...]
    members: tuple[CareTeamMember, ...]
    outside: tuple[Told, ...]
    vacant: tuple[CareRole, ...]


@dataclass(frozen=True, slots=True)
class TeamHistory:
    """Everybody who held a place in the team, first to last."""

    members: Sequence[CareTeamMember]
    posts: Sequence[PostHeld]


@permitted("team:read")
def care_team(work: Work, patient_id: int, day: date | None = None) -> CareTeam:
    """The patient's team on that day, today unless told otherwise; participants for those who may read of them.

    Posts are as they are now: nobody is appointed ahead.
    """
    branch_id = require_sight(work, patient_id)
    day = day or today(work, branch_id)
    held = tuple(holder for role in CareRole for holder in holders(work, patient_id, role, day))
    seen = {holder.role for holder in held}
    work.record("patient.team-read", f"patient:{patient_id}", patient_id=patient_id)
    outside = participants(work, patient_id, day=day) if work.actor.may("participant:read") else ()
    return CareTeam(
        patient_id=patient_id,
        day=day,
        holders=held,
        members=tuple(team_of(work, patient_id, day)),
        outside=tuple(Told(one, tuple(sorted(shareable(one, day)))) for one in outside),
        vacant=tuple(role for role in (CareRole.MANAGING_PHYSICIAN, CareRole.COORDINATOR) if role not in seen),
    )


@permitted("team:read")
def team_history(work: Work, patient_id: int) -> TeamHistory:
    """Who was in the team when, and who held its posts."""
    require_sight(work, patient_id)
    work.record("patient.team-read", f"patient:{patient_id}", patient_id=patient_id, history=True)
    return TeamHistory(history_of(work, patient_id), posts_of(work, patient_id))


def holders(work: Work, patient_id: int, role: CareRole, day: date) -> list[Holder]:
    """Who answers to the role at that patient on that day: whoever stands in before the one who is away.

    Nobody, if the role is vacant. Asks for no permission. Asked by other rooms, which address people by their role.
    """
    if role is CareRole.MANAGING_PHYSICIAN:
        physician_id = fetch(work.session, Patient, patient_id, "patient").managing_physician_id
        return _with_cover(work, role, CoverRole.MANAGING_PHYSICIAN, physician_id, patient_id, day)
    if role is CareRole.COORDINATOR:
        held = post_held(work, patient_id, TeamPost.COORDINATOR)
        return _with_cover(work, role, CoverRole.COORDINATOR, held.user_id if held else None, patient_id, day)
    primary = primary_on(work, patient_id, PRIMARY_OF[role], day)
    return _with_cover(work, role, CoverRole.PRIMARY, primary, patient_id, day)


def primary_on(work: Work, patient_id: int, discipline: Discipline, day: date) -> int | None:
    """The clinician who is the discipline's primary on that day. Asked by other rooms."""
    return next(
        (
            member.clinician_id
            for member in team_of(work, patient_id, day)
            if member.is_primary and DISCIPLINE_OF[member.clinician.performer] is discipline
        ),
        None,
    )


def _with_cover(
    work: Work, role: CareRole, cover_role: CoverRole, person: int | None, patient_id: int, day: date
) -> list[Holder]:
    if person is None:
        return []
    own = _holder(work, role, cover_role, person)
    cover = who_covers(work, cover_role, person, patient_id, day)
    if cover is None:
        return [own]
    return [_holder(work, role, cover_role, _stands_in(cover), covering_for=person), own]


def _stands_in(cover: Cover) -> int:
    number = getattr(cover, PEOPLE[cover.role][1].key)
    assert isinstance(number, int)
    return number


def _holder(
    work: Work, role: CareRole, cover_role: CoverRole, number: int, *, covering_for: int | None = None
) -> Holder:
    if cover_role is CoverRole.COORDINATOR:
        user = fetch(work.session, User, number, "user")
        return Holder(
            role, user.display_name, user_id=user.id, covering_for=covering_for,
            user_ids=(user.id,) if user.active else (),
        )  # fmt: skip
    physician = cover_role is CoverRole.MANAGING_PHYSICIAN
    person: Physician | Clinician
    if physician:
        person = fetch(work.session, Physician, number, "physician")
    else:
        person = fetch(work.session, Clinician, number, "clinician")
    column = User.physician_id if physician else User.clinician_id
    open_ = sa.select(User.id).where(column == number, User.active).order_by(User.id)
    return Holder(
        role,
        f"{person.given_name} {person.family_name}",
        clinician_id=None if physician else number,
        physician_id=number if physician else None,
        covering_for=covering_for,
        user_ids=tuple(work.session.execute(open_).scalars()),
    )
