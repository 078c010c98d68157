"""The care team: who belongs to a patient, and who is the first of each discipline."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload

from coordinator.access.scope import require_sight
from coordinator.agency.service import today
from coordinator.core.db import ROW_ID, locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import DISCIPLINE_OF
from coordinator.staff import sheet
from coordinator.staff.clinicians import get_clinician
from coordinator.staff.model import CareTeamMember, Clinician

# Patients stand beside this room; the team needs no more of theirs than a row to lock.
_patient = sa.table("patient", sa.column("id", ROW_ID))


def _overlaps(starts_on: date, ends_on: date | None) -> sa.ColumnElement[bool]:
    overlap = sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= starts_on)
    return overlap if ends_on is None else sa.and_(overlap, CareTeamMember.starts_on <= ends_on)


def team_of(work: Work, patient_id: int, day: date) -> list[CareTeamMember]:
    """Who is in the patient's team on that day, with their clinicians; primaries first. Asks for no permission."""
    return list(
        work.session.execute(
            sa.select(CareTeamMember)
            .where(CareTeamMember.patient_id == patient_id, _overlaps(day, day))
            .options(joinedload(CareTeamMember.clinician).options(lazyload("*")))
            .order_by(CareTeamMember.is_primary.desc(), CareTeamMember.id)
        ).scalars()
    )


@permitted("patient:read")
def read_team(work: Work, patient_id: int, day: date | None = None) -> list[CareTeamMember]:
    """`team_of` for somebody who may see the patient, on the branch's today unless told otherwise."""
    branch_id = require_sight(work, patient_id)
    work.record("patient.team-read", f"patient:{patient_id}", patient_id=patient_id)
    return team_of(work, patient_id, day or today(work, branch_id))


@permitted("team:edit")
def add_to_team(
    work: Work, patient_id: int, clinician_id: int, role: str, is_primary: bool, starts_on: date,
    ends_on: date | None = None,
) -> CareTeamMember:  # fmt: skip
    """The clinician is in the patient's team from that day on; a discipline has one primary at a time."""
    require_sight(work, patient_id)
    work.session.execute(sa.select(_patient.c.id).where(_patient.c.id == patient_id).with_for_update())
    clinician = get_clinician(work, clinician_id)
    if not clinician.active:
        raise Conflict("This clinician is not active.", code="clinician-inactive")
    if any(row.patient_id == patient_id for row in clinician.exclusions):
        raise Conflict("This clinician does not visit this patient.", code="clinician-excluded")
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("The last day is before the first.", pointer="/ends_on")
    sheet.code(role, "/role")
    _refuse_second(work, patient_id, clinician, is_primary, starts_on, ends_on)
    member = CareTeamMember(
        patient_id=patient_id, clinician=clinician, role=role, is_primary=is_primary, starts_on=starts_on,
        ends_on=ends_on, added_by=work.actor.user_id,
    )  # fmt: skip
    work.session.add(member)
    work.session.flush()  # the member's number is in the answer and in the trail
    work.record(
        "team.joined",
        f"care-team-member:{member.id}",
        patient_id=patient_id,
        clinician=clinician_id,
        primary=is_primary,
    )
    return member


def _refuse_second(
    work: Work, patient_id: int, clinician: Clinician, is_primary: bool, starts_on: date, ends_on: date | None,
    besides: int | None = None,
) -> None:  # fmt: skip
    others = work.session.execute(
        sa.select(CareTeamMember)
        .where(
            CareTeamMember.patient_id == patient_id,
            _overlaps(starts_on, ends_on),
            CareTeamMember.id != (besides or 0),
        )
        .options(joinedload(CareTeamMember.clinician).options(lazyload("*")))
    ).scalars()
    discipline = DISCIPLINE_OF[clinician.performer]
    for other in others:
        if other.clinician_id == clinician.id:
            raise Conflict(
                "This clinician is in the team in these days already.", code="team-member-exists",
                blocking=[{"member": other.id}],
            )  # fmt: skip
        if is_primary and other.is_primary and DISCIPLINE_OF[other.clinician.performer] is discipline:
            raise Conflict(
                f"Another clinician is the primary {discipline.value} in these days. End that first.",
                code="primary-exists",
                blocking=[{"member": other.id, "clinician": other.clinician_id}],
            )


def member_for_change(work: Work, patient_id: int, member_id: int) -> CareTeamMember:
    """Like `member_of`, and nobody else changes the patient's team until this transaction ends."""
    require_sight(work, patient_id)
    work.session.execute(sa.select(_patient.c.id).where(_patient.c.id == patient_id).with_for_update())
    member_of(work, patient_id, member_id)
    return locked(work.session, CareTeamMember, member_id, "care team member")


@permitted("team:edit")
def edit_member(work: Work, patient_id: int, member_id: int, **changes: Any) -> CareTeamMember:
    """The member with those fields changed: role, is_primary, ends_on."""
    member = member_for_change(work, patient_id, member_id)
    sheet.refuse_unknown(changes, frozenset({"role", "is_primary", "ends_on"}))
    role, is_primary = changes.get("role", member.role), changes.get("is_primary", member.is_primary)
    ends_on = changes.get("ends_on", member.ends_on)
    sheet.code(role or "", "/role")
    if is_primary is None:
        raise Invalid("is_primary is needed.", pointer="/is_primary")
    if ends_on is not None and ends_on < member.starts_on:
        raise Invalid("The last day is before the first.", pointer="/ends_on")
    _refuse_second(work, patient_id, member.clinician, is_primary, member.starts_on, ends_on, member.id)
    member.role, member.is_primary, member.ends_on = role, is_primary, ends_on
    work.session.flush()  # the new version is in the answer
    work.record(
        "team.edited", f"care-team-member:{member.id}", patient_id=patient_id, clinician=member.clinician_id,
        fields=sorted(changes),
    )  # fmt: skip
    return member


def leave_team(work: Work, patient_id: int, member_id: int, ends_on: date) -> CareTeamMember:
    """The member's last day in the team is `ends_on`."""
    return edit_member(work, patient_id, member_id, ends_on=ends_on)


def member_of(work: Work, patient_id: int, member_id: int) -> CareTeamMember:
    """That member of that patient's team, if the actor may see the patient."""
    require_sight(work, patient_id)
    member = work.session.get(CareTeamMember, member_id)
    if member is None or member.patient_id != patient_id:
        raise NotFound("care team member")
    return member
