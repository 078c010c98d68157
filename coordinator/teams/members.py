"""Clinicians in a care team: who belongs to a patient, and who is the first of each discipline."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload

from coordinator.access.scope import require_sight
from coordinator.agency.service import today
from coordinator.core.db import ROW_ID, locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import PrimaryChanged
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline
from coordinator.staff import sheet
from coordinator.staff.clinicians import get_clinician
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember

_patient = sa.table("patient", sa.column("id", ROW_ID))
_DAY = timedelta(days=1)


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


def history_of(work: Work, patient_id: int) -> list[CareTeamMember]:
    """Everybody who was, is or will be in the team, first to last. Asks for no permission."""
    return list(
        work.session.execute(
            sa.select(CareTeamMember)
            .where(CareTeamMember.patient_id == patient_id)
            .options(joinedload(CareTeamMember.clinician).options(lazyload("*")))
            .order_by(CareTeamMember.starts_on, CareTeamMember.id)
        ).scalars()
    )


@permitted("patient:read")
def read_team(work: Work, patient_id: int, day: date | None = None) -> list[CareTeamMember]:
    """`team_of` for somebody who may see the patient, on the branch's today unless told otherwise."""
    branch_id = require_sight(work, patient_id)
    work.record("patient.team-read", f"patient:{patient_id}", patient_id=patient_id)
    return team_of(work, patient_id, day or today(work, branch_id))


def _hold_team(work: Work, patient_id: int) -> int:
    """Nobody else changes the patient's team until this transaction ends; the number of the patient's branch."""
    branch_id = require_sight(work, patient_id)
    work.session.execute(sa.select(_patient.c.id).where(_patient.c.id == patient_id).with_for_update())
    return branch_id


def _able(work: Work, patient_id: int, clinician_id: int) -> Clinician:
    clinician = get_clinician(work, clinician_id)
    if not clinician.active:
        raise Conflict("This clinician is not active.", code="clinician-inactive")
    if any(row.patient_id == patient_id for row in clinician.exclusions):
        raise Conflict("This clinician does not visit this patient.", code="clinician-excluded")
    return clinician


@permitted("team:edit")
def add_to_team(
    work: Work, patient_id: int, clinician_id: int, role: str, is_primary: bool, starts_on: date,
    ends_on: date | None = None,
) -> CareTeamMember:  # fmt: skip
    """The clinician is in the patient's team from that day on; a discipline has one primary at a time."""
    _hold_team(work, patient_id)
    clinician = _able(work, patient_id, clinician_id)
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("The last day is before the first.", pointer="/ends_on")
    sheet.code(role, "/role")
    _refuse_second(work, patient_id, clinician, is_primary, starts_on, ends_on)
    return _join(work, patient_id, clinician, role, is_primary, starts_on, ends_on)


def _join(
    work: Work, patient_id: int, clinician: Clinician, role: str, is_primary: bool, starts_on: date,
    ends_on: date | None, *, instead_of: int | None = None,
) -> CareTeamMember:  # fmt: skip
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
        clinician=clinician.id,
        primary=is_primary,
    )
    if is_primary:
        _tell(work, patient_id, clinician, instead_of, clinician.id, starts_on)
    return member


def _tell(work: Work, patient_id: int, of: Clinician, old: int | None, new: int | None, on: date) -> None:
    discipline = DISCIPLINE_OF[of.performer].value
    work.publish(
        PrimaryChanged(patient_id=patient_id, discipline=discipline, old_clinician_id=old, clinician_id=new, on=on)
    )


def _others(work: Work, patient_id: int, starts_on: date, ends_on: date | None, besides: int) -> list[CareTeamMember]:
    return list(
        work.session.execute(
            sa.select(CareTeamMember)
            .where(
                CareTeamMember.patient_id == patient_id,
                _overlaps(starts_on, ends_on),
                CareTeamMember.id != besides,
            )
            .options(joinedload(CareTeamMember.clinician).options(lazyload("*")))
            .order_by(CareTeamMember.starts_on, CareTeamMember.id)
        ).scalars()
    )


def _refuse_second(
    work: Work, patient_id: int, clinician: Clinician, is_primary: bool, starts_on: date, ends_on: date | None,
    besides: int | None = None,
) -> None:  # fmt: skip
    discipline = DISCIPLINE_OF[clinician.performer]
    for other in _others(work, patient_id, starts_on, ends_on, besides or 0):
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


@permitted("team:edit")
def name_primary(
    work: Work, patient_id: int, discipline: Discipline, clinician_id: int, *, starts_on: date, role: str | None = None
) -> CareTeamMember:
    """The clinician is the discipline's primary from that day on; whoever was, is so until the day before.

    The same person again changes nothing. PrimaryChanged is published, which asks for a handoff.
    """
    _hold_team(work, patient_id)
    clinician = _able(work, patient_id, clinician_id)
    if DISCIPLINE_OF[clinician.performer] is not discipline:
        raise Invalid(f"A {clinician.performer.value} is no primary {discipline.value}.", pointer="/clinician_id")
    role = sheet.code(role or discipline.value.lower(), "/role")
    in_the_way = _others(work, patient_id, starts_on, None, 0)
    primaries = [row for row in in_the_way if row.is_primary and DISCIPLINE_OF[row.clinician.performer] is discipline]
    if len(primaries) == 1 and primaries[0].clinician_id == clinician.id and primaries[0].starts_on <= starts_on:
        return primaries[0]
    touched = primaries + [row for row in in_the_way if row.clinician_id == clinician.id and row not in primaries]
    later = [row for row in touched if row.starts_on >= starts_on]
    if later:
        raise Conflict(
            "Something else is arranged for this discipline from that day on. End that first, or name a later day.",
            code="primary-arranged",
            blocking=[{"member": row.id, "clinician": row.clinician_id, "starts_on": row.starts_on} for row in later],
        )
    for row in touched:
        _end(work, row, starts_on - _DAY)
    before = next((row.clinician_id for row in primaries), None)
    return _join(work, patient_id, clinician, role, True, starts_on, None, instead_of=before)


def _end(work: Work, member: CareTeamMember, ends_on: date) -> None:
    member.ends_on = ends_on
    work.session.flush()  # nobody is in the team twice when the next one joins
    work.record(
        "team.edited", f"care-team-member:{member.id}", patient_id=member.patient_id, clinician=member.clinician_id,
        fields=["ends_on"],
    )  # fmt: skip


def member_for_change(work: Work, patient_id: int, member_id: int) -> CareTeamMember:
    """Like `member_of`, and nobody else changes the patient's team until this transaction ends."""
    _hold_team(work, patient_id)
    member_of(work, patient_id, member_id)
    return locked(work.session, CareTeamMember, member_id, "care team member")


@permitted("team:edit")
def edit_member(work: Work, patient_id: int, member_id: int, **changes: Any) -> CareTeamMember:
    """The member with those fields changed: role, is_primary, ends_on.

    What was so is kept: another role, or a primary's place given or taken, ends the row yesterday and begins a new one
    today, which is what is answered. A place that is over is changed no more.
    """
    member = member_for_change(work, patient_id, member_id)
    sheet.refuse_unknown(changes, frozenset({"role", "is_primary", "ends_on"}))
    day = today(work, require_sight(work, patient_id))
    role, is_primary = changes.get("role", member.role), changes.get("is_primary", member.is_primary)
    ends_on = changes.get("ends_on", member.ends_on)
    sheet.code(role or "", "/role")
    if is_primary is None:
        raise Invalid("is_primary is needed.", pointer="/is_primary")
    if ends_on is not None and ends_on < member.starts_on:
        raise Invalid("The last day is before the first.", pointer="/ends_on")
    if member.ends_on is not None and member.ends_on < day:
        raise Conflict(
            "This place in the team is over and stays as it was. Put the clinician into the team anew.",
            code="team-place-over", blocking=[{"member": member.id, "ends_on": member.ends_on}],
        )  # fmt: skip
    another = (role, is_primary) != (member.role, member.is_primary) and member.starts_on < day
    if another and ends_on is not None and ends_on < day:
        raise Invalid("A place that changes today cannot end before today.", pointer="/ends_on")
    starts_on = day if another else member.starts_on
    _refuse_second(work, patient_id, member.clinician, is_primary, starts_on, ends_on, member.id)
    was_primary, was_until = member.is_primary, member.ends_on
    if another:
        _end(work, member, day - _DAY)
        old = member.clinician_id if was_primary else None
        member = _join(work, patient_id, member.clinician, role, is_primary, day, ends_on, instead_of=old)
    else:
        member.role, member.is_primary, member.ends_on = role, is_primary, ends_on
        work.session.flush()  # the new version is in the answer
        work.record(
            "team.edited", f"care-team-member:{member.id}", patient_id=patient_id, clinician=member.clinician_id,
            fields=sorted(changes),
        )  # fmt: skip
        if is_primary and not was_primary:
            _tell(work, patient_id, member.clinician, None, member.clinician_id, member.starts_on)
    if was_primary and not is_primary:
        _tell(work, patient_id, member.clinician, member.clinician_id, None, starts_on)
    elif was_primary and ends_on != was_until and ends_on is not None:
        _tell(work, patient_id, member.clinician, member.clinician_id, None, ends_on + _DAY)
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
