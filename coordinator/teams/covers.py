"""Who stands in for somebody who is away: arranged, withdrawn, and asked for by those who act for others.

Days are the branch's. Whoever stands in for a physician may, in those days, read and sign what the other may (ORD-04);
a clinician who stands in sees the patients whose primary is away. After the last day nothing of it is left.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import branches_of, patients_in_sight, require_sight, stands_in_today
from coordinator.agency.service import today, zone_of
from coordinator.core.db import fetch, in_sight
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CoverChanged
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DISCIPLINE_OF
from coordinator.patients.model import Patient
from coordinator.rules.teams import CoverFacts, Stretch, obstacles
from coordinator.staff.clinicians import get_clinician
from coordinator.staff.model import Clinician, Exclusion, Physician, TimeOff
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.teams.posts import require_coordinator

#: Role -> the columns of the one who is away and of the one who stands in.
PEOPLE = {
    CoverRole.PRIMARY: (Cover.clinician_id, Cover.by_clinician_id),
    CoverRole.MANAGING_PHYSICIAN: (Cover.physician_id, Cover.by_physician_id),
    CoverRole.COORDINATOR: (Cover.user_id, Cover.by_user_id),
}


@permitted("cover:arrange")
def arrange(
    work: Work, *, role: CoverRole, away_id: int, by_id: int, starts_on: date, ends_on: date, reason: CoverReason,
    patient_id: int | None = None,
) -> Cover:  # fmt: skip
    """Somebody stands in for the one away in these days, for all their patients or for one.

    Conflict with every reason against it at once: overlapping covers, absences, another discipline, exclusions.
    CoverChanged is published.
    """
    return _arrange(
        work, role=role, away_id=away_id, by_id=by_id, starts_on=starts_on, ends_on=ends_on, reason=reason,
        patient_id=patient_id,
    )  # fmt: skip


def _arrange(
    work: Work, *, role: CoverRole, away_id: int, by_id: int, starts_on: date, ends_on: date, reason: CoverReason,
    patient_id: int | None = None,
) -> Cover:  # fmt: skip
    if patient_id is not None:
        require_sight(work, patient_id)
    away, by = _people(work, role, away_id, by_id, patient_id)
    _hold(work, role, {away_id, by_id})
    day = _today(work, away, patient_id)
    against = obstacles(_facts(work, role, away, by, starts_on, ends_on, day, patient_id))
    if against:
        raise Conflict(
            " ".join(dict.fromkeys(one.sentence for one in against)),
            code=against[0].code if len({one.code for one in against}) == 1 else "cover-refused",
            blocking=[{"code": one.code, **one.facts} for one in against],
        )
    absent, present = PEOPLE[role]
    cover = Cover(
        role=role, reason=reason, patient_id=patient_id, starts_on=starts_on, ends_on=ends_on,
        recorded_by_id=work.actor.user_id, recorded_at=work.now, **{absent.key: away_id, present.key: by_id},
    )  # fmt: skip
    work.session.add(cover)
    work.session.flush()  # the cover's number is in the answer, the trail and the event
    work.record(
        "cover.arranged", f"cover:{cover.id}", patient_id=patient_id, role=role.value, away=away_id, by=by_id,
        starts_on=str(starts_on), ends_on=str(ends_on),
    )  # fmt: skip
    work.publish(CoverChanged(cover_id=cover.id))
    return cover


def cover_for_change(work: Work, cover_id: int) -> Cover:
    """The cover, if it is the actor's to see, held until this transaction ends."""
    return in_sight(work.session, Cover, cover_id, _in_sight(work), "cover", lock=True)


@permitted("cover:arrange-own")
def arrange_own(work: Work, *, by_id: int, starts_on: date, ends_on: date, reason: CoverReason) -> Cover:
    """A colleague with an account reads and signs for the acting physician in these days, at all their patients.

    Invalid for somebody who could not sign in to do so; otherwise as `arrange`.
    """
    if not any(row.id == by_id for row in colleagues(work)):
        raise Invalid("Choose a colleague who can sign in and sign for you.", pointer="/by_id")
    return _arrange(
        work, role=CoverRole.MANAGING_PHYSICIAN, away_id=_own_number(work), by_id=by_id, starts_on=starts_on,
        ends_on=ends_on, reason=reason,
    )  # fmt: skip


@permitted("cover:arrange-own")
def withdraw_own(work: Work, cover_id: int) -> Cover:
    """Nobody stands in for the acting physician there from this moment on; another's cover sounds like none."""
    cover = cover_for_change(work, cover_id)
    if cover.physician_id != _own_number(work):
        raise NotFound("cover")
    return _withdraw(work, cover)


@permitted("cover:arrange-own")
def colleagues(work: Work) -> Sequence[Physician]:
    """Physicians who have an account and could stand in for the acting one, by name."""
    able = sa.select(User.physician_id).where(User.active, User.physician_id.is_not(None))
    return (
        work.session.execute(
            sa.select(Physician)
            .where(Physician.active, Physician.id.in_(able), Physician.id != _own_number(work))
            .order_by(Physician.family_name, Physician.given_name, Physician.id)
        )
        .scalars()
        .all()
    )


def _own_number(work: Work) -> int:
    if work.actor.physician_id is None:
        raise Forbidden("Only a practitioner with an account of their own is stood in for.", code="not-a-practitioner")
    return work.actor.physician_id


@permitted("cover:arrange")
def withdraw(work: Work, cover_id: int) -> Cover:
    """Nobody stands in there from this moment on; the row stays. CoverChanged is published."""
    return _withdraw(work, cover_for_change(work, cover_id))


def _withdraw(work: Work, cover: Cover) -> Cover:
    if cover.withdrawn_at is not None:
        raise Conflict("This cover was withdrawn already.", code="cover-withdrawn", at=cover.withdrawn_at)
    cover.withdrawn_at = work.now
    work.session.flush()  # the new version is in the answer
    work.record("cover.withdrawn", f"cover:{cover.id}", patient_id=cover.patient_id, role=cover.role.value)
    work.publish(CoverChanged(cover_id=cover.id))
    return cover


@permitted("cover:read")
def get_cover(work: Work, cover_id: int) -> Cover:
    """One cover."""
    cover = _visible(work, cover_id)
    work.record("cover.read", f"cover:{cover.id}", patient_id=cover.patient_id)
    return cover


@permitted("cover:read")
def search_covers(
    work: Work, *, day: date | None = None, role: CoverRole | None = None, clinician_id: int | None = None,
    physician_id: int | None = None, patient_id: int | None = None,
) -> sa.Select[Any]:  # fmt: skip
    """Covers in sight that were not withdrawn, as a select for `page`; a person is meant away or standing in."""
    if patient_id is not None:
        require_sight(work, patient_id)
    query = sa.select(Cover).where(_in_sight(work), Cover.withdrawn_at.is_(None))
    if day is not None:
        query = query.where(Cover.starts_on <= day, Cover.ends_on >= day)
    if role is not None:
        query = query.where(Cover.role == role)
    if clinician_id is not None:
        query = query.where(sa.or_(Cover.clinician_id == clinician_id, Cover.by_clinician_id == clinician_id))
    if physician_id is not None:
        query = query.where(sa.or_(Cover.physician_id == physician_id, Cover.by_physician_id == physician_id))
    if patient_id is not None:
        query = query.where(Cover.patient_id == patient_id)
    work.record("cover.listed", "cover:list", patient_id=patient_id)
    return query


# ------------------------------------------------------------------------------------ asked by other rooms


def covers_between(work: Work, role: CoverRole, away: Iterable[int], first: date, last: date) -> Sequence[Cover]:
    """Covers of these people for that role that hold on some of the days, in the order of their rows.

    Asked by other rooms.
    """
    absent, _ = PEOPLE[role]
    return (
        work.session.execute(
            sa.select(Cover)
            .where(
                Cover.role == role, absent.in_(sorted(set(away))), Cover.withdrawn_at.is_(None),
                Cover.starts_on <= last, Cover.ends_on >= first,
            )
            .order_by(Cover.id)
        )
        .scalars()
        .all()
    )  # fmt: skip


def who_covers(work: Work, role: CoverRole, away_id: int, patient_id: int, day: date) -> Cover | None:
    """Who stands in for that person at that patient on that day; a cover for the patient alone goes before one for all.

    Asked by other rooms.
    """
    found = [
        cover for cover in covers_between(work, role, [away_id], day, day) if cover.patient_id in (None, patient_id)
    ]
    return next((cover for cover in found if cover.patient_id is not None), found[0] if found else None)


def covering_physicians(work: Work, physician_id: int, patient_id: int) -> frozenset[int]:
    """Who may act for that physician at that patient today. Asked by other rooms."""
    branch_id = fetch(work.session, Patient, patient_id, "patient").branch_id
    cover = who_covers(work, CoverRole.MANAGING_PHYSICIAN, physician_id, patient_id, today(work, branch_id))
    return frozenset() if cover is None or cover.by_physician_id is None else frozenset({cover.by_physician_id})


def acts_for(work: Work, physician: Any, patient: Any) -> sa.ColumnElement[bool]:
    """Whether the acting physician is the one in the column `physician`, or stands in for them today at `patient`.

    As a condition for a select over both columns. Asked by other rooms.
    """
    mine = work.actor.physician_id
    return sa.or_(
        physician == mine,
        sa.exists().where(
            Cover.role == CoverRole.MANAGING_PHYSICIAN,
            Cover.by_physician_id == mine,
            Cover.physician_id == physician,
            sa.or_(Cover.patient_id.is_(None), Cover.patient_id == patient),
            Cover.withdrawn_at.is_(None),
            stands_in_today(work, Cover.starts_on, Cover.ends_on, patient),
        ),
    )


# ------------------------------------------------------------------------------------ whose, and what stands against


def _in_sight(work: Work) -> sa.ColumnElement[bool]:
    """The office: of clinicians of its branches, of its patients, and of physicians; everybody else: their own."""
    mine = branches_of(work.actor)
    if mine is None:
        return sa.true()
    actor = work.actor
    ways: list[sa.ColumnElement[bool]] = []
    if mine:
        staff = sa.select(Clinician.id).where(Clinician.branch_id.in_(sorted(mine)))
        ways += [
            sa.and_(Cover.patient_id.is_(None), Cover.clinician_id.in_(staff)),
            Cover.patient_id.in_(patients_in_sight(work)),
            sa.and_(Cover.patient_id.is_(None), Cover.clinician_id.is_(None)),
        ]
    if actor.clinician_id is not None:
        ways += [Cover.clinician_id == actor.clinician_id, Cover.by_clinician_id == actor.clinician_id]
    if actor.physician_id is not None:
        ways += [Cover.physician_id == actor.physician_id, Cover.by_physician_id == actor.physician_id]
    if actor.user_id is not None:
        ways += [Cover.user_id == actor.user_id, Cover.by_user_id == actor.user_id]
    return sa.or_(*ways) if ways else sa.false()


def _visible(work: Work, cover_id: int) -> Cover:
    return in_sight(work.session, Cover, cover_id, _in_sight(work), "cover")


def _people(work: Work, role: CoverRole, away_id: int, by_id: int, patient_id: int | None) -> tuple[Any, Any]:
    """Both people; a clinician who is not the actor's to see sounds like a missing one."""
    found: list[Any] = []
    for pointer, number in (("/away_id", away_id), ("/by_id", by_id)):
        try:
            if role is CoverRole.PRIMARY:
                found.append(get_clinician(work, number))
            elif role is CoverRole.MANAGING_PHYSICIAN:
                found.append(fetch(work.session, Physician, number, "physician"))
            else:
                found.append(_coordinator(work, number, patient_id, pointer))
        except NotFound as missing:
            raise Invalid(missing.detail, pointer=pointer) from None
    return found[0], found[1]


def _coordinator(work: Work, user_id: int, patient_id: int | None, pointer: str) -> User:
    if patient_id is not None:
        return require_coordinator(work, fetch(work.session, Patient, patient_id, "patient"), user_id, pointer)
    user = fetch(work.session, User, user_id, "user")
    mine = branches_of(work.actor)
    if mine is not None and mine.isdisjoint(user.branch_ids) and user.clinician_id is None:
        raise NotFound("user")
    return user


def _hold(work: Work, role: CoverRole, numbers: set[int]) -> None:
    """Two who arrange for the same people at once wait for each other, always in the same order."""
    table: Any = {CoverRole.PRIMARY: Clinician, CoverRole.MANAGING_PHYSICIAN: Physician, CoverRole.COORDINATOR: User}[
        role
    ]
    work.session.execute(
        sa.select(table.id).where(table.id.in_(sorted(numbers))).order_by(table.id).with_for_update()
    ).all()


def _today(work: Work, away: Any, patient_id: int | None) -> date:
    if patient_id is not None:
        return today(work, fetch(work.session, Patient, patient_id, "patient").branch_id)
    branch_id = getattr(away, "branch_id", None) or next(iter(sorted(work.actor.branch_ids)), None)
    return work.now.date() if branch_id is None else today(work, branch_id)


def _facts(
    work: Work, role: CoverRole, away: Any, by: Any, starts_on: date, ends_on: date, day: date, patient_id: int | None
) -> CoverFacts:
    absent, present = PEOPLE[role]

    def live(column: Any, number: int, *, patients: bool) -> tuple[Stretch, ...]:
        query = sa.select(Cover.id, Cover.starts_on, Cover.ends_on).where(
            Cover.role == role, column == number, Cover.withdrawn_at.is_(None), Cover.ends_on >= starts_on
        )
        if patients and patient_id is not None:
            query = query.where(sa.or_(Cover.patient_id.is_(None), Cover.patient_id == patient_id))
        rows = work.session.execute(query.order_by(Cover.starts_on, Cover.id))
        return tuple(Stretch(row.id, row.starts_on, row.ends_on) for row in rows)

    clinical = role is CoverRole.PRIMARY
    return CoverFacts(
        starts_on=starts_on, ends_on=ends_on, today=day, same_person=away.id == by.id,
        away=away.performer if clinical else None, stands_in=by.performer if clinical else None,
        same_discipline=not clinical or DISCIPLINE_OF[away.performer] is DISCIPLINE_OF[by.performer],
        stands_in_active=bool(by.active),
        already=live(absent, away.id, patients=True),
        own_absences=_absences(work, by, starts_on) if clinical else (),
        own_covers=live(absent, by.id, patients=False),
        promised=live(present, away.id, patients=False),
        excluded_patients=_excluded(work, away, by, starts_on, ends_on, patient_id) if clinical else (),
    )  # fmt: skip


def _absences(work: Work, clinician: Clinician, starts_on: date) -> tuple[Stretch, ...]:
    """The branch's days on which the clinician is away, wholly or for hours."""
    zone = zone_of(work, clinician.branch_id)
    rows = work.session.execute(
        sa.select(TimeOff.id, TimeOff.starts_at, TimeOff.ends_at).where(TimeOff.clinician_id == clinician.id)
    ).all()
    days = [Stretch(row.id, local_day(row.starts_at, zone), local_day(row.ends_at, zone)) for row in rows]
    return tuple(one for one in days if one.ends_on >= starts_on)


def _excluded(
    work: Work, away: Clinician, by: Clinician, starts_on: date, ends_on: date, patient_id: int | None
) -> tuple[int, ...]:
    query = sa.select(Exclusion.patient_id).where(Exclusion.clinician_id == by.id)
    if patient_id is not None:
        query = query.where(Exclusion.patient_id == patient_id)
    else:
        primary = sa.select(CareTeamMember.patient_id).where(
            CareTeamMember.clinician_id == away.id, CareTeamMember.is_primary, CareTeamMember.starts_on <= ends_on,
            sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= starts_on),
        )  # fmt: skip
        query = query.where(Exclusion.patient_id.in_(primary))
    return tuple(work.session.execute(query.order_by(Exclusion.patient_id)).scalars())
