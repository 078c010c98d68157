"""Whose patients: which rows an actor may see. One select for lists, one question for a single patient.

The answer depends on visits, the care team, plans and orders, whose rooms stand above this one. Their tables are named
here by their columns alone (`sa.table`), so that the rule is written once, below everybody who must obey it, and no
lower room imports a higher one. `tests/patients/test_scope.py` asks through the real rows, so that a renamed
column shows.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.access.model import EmergencyAccess
from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.db import ROW_ID, UtcDateTime
from coordinator.core.errors import NotFound
from coordinator.core.work import Actor, Work
from coordinator.domain.team import CoverRole
from coordinator.domain.teamwork import Desk, desks_of
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import OrderStatus, Performer, Role, VisitStatus

#: Days before and after today within which a visit opens the patient's record to whoever makes it.
VISIT_DAYS = 7
#: Roles that work for branches and see all of them.
OFFICE = (Role.SCHEDULER, Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR)


def _columns(*names: str, **typed: Any) -> list[sa.ColumnClause[Any]]:
    return [sa.column(name, ROW_ID) for name in names] + [sa.column(name, kind) for name, kind in typed.items()]


_patient = sa.table("patient", *_columns("id", "branch_id", "managing_physician_id"))
_clinician = sa.table("clinician", *_columns("id", "branch_id"))
_visit = sa.table(
    "visit",
    *_columns(
        "patient_id", "clinician_id", status=sa.String(), starts_at=UtcDateTime(), actual_start_at=UtcDateTime(),
        window_from=sa.Date(), window_to=sa.Date(),
    ),
)  # fmt: skip
_team = sa.table(
    "care_team_member",
    *_columns("patient_id", "clinician_id", starts_on=sa.Date(), ends_on=sa.Date(), is_primary=sa.Boolean()),
)
_cover = sa.table(
    "cover",
    *_columns(
        "patient_id", "clinician_id", "by_clinician_id", "physician_id", "by_physician_id", role=sa.String(),
        starts_on=sa.Date(), ends_on=sa.Date(), withdrawn_at=UtcDateTime(),
    ),
)  # fmt: skip
_plan = sa.table("care_plan", *_columns("patient_id", "managing_physician_id"))
_order = sa.table("care_order", *_columns("patient_id", "physician_id", status=sa.String(), signed_at=UtcDateTime()))


def branches_of(actor: Actor) -> frozenset[int] | None:
    """The branches whose rows an office role may see; None means all of them."""
    if actor.has_role(Role.SYSTEM.value):
        return None
    if actor.has_role(Role.ADMINISTRATOR.value) and not actor.branch_ids:
        return None
    return actor.branch_ids if actor.has_role(*(role.value for role in OFFICE)) else frozenset()


#: Professions on whose own list obligations stand. Who is on call is not known here: the nurses' list is everyone's
#: of them at the branch. What is a therapist's or an aide's is with their patients, and a physician's with theirs.
LISTED = frozenset({Desk.NURSE, Desk.SOCIAL_WORKER, Desk.CHAPLAIN})


def own_lists(actor: Actor) -> tuple[frozenset[Desk], sa.Select[tuple[int]]]:
    """The desks of the actor's profession on whose lists obligations stand, and the branch whose desks they are."""
    here = sa.select(_clinician.c.branch_id).where(_clinician.c.id == actor.clinician_id)
    return desks_of(actor.roles & {Role.CLINICIAN.value}, actor.performer) & LISTED, here


def require_branch(work: Work, branch_id: int) -> None:
    """Refuse, as if it were not there, a branch that the actor does not work for."""
    mine = branches_of(work.actor)
    if mine is not None and branch_id not in mine:
        raise NotFound("branch")


def visible_patients(actor: Actor, today: date, zone: ZoneInfo | None = None) -> sa.Select[tuple[int]]:
    """Ids of the patients whose record the actor may see, to be used as `.where(X.patient_id.in_(...))`.

    Office roles: their branches. Clinicians: whom they visit from seven days ago to seven days ahead, and whose care
    team they are in or stand in for the primary of, unless they are aides. Physicians: whom they manage or write orders
    for, and those of the physician for whom they stand in, on the days of it. With `zone` the seven
    days begin and end at its midnights; without, at those of every zone of the United States, which may be some hours
    more.
    """
    mine = branches_of(actor)
    if mine is None:
        return sa.select(_patient.c.id)
    ways: list[sa.ColumnElement[bool]] = []
    if mine:
        ways.append(_patient.c.branch_id.in_(sorted(mine)))
    if actor.clinician_id is not None and actor.has_role(Role.CLINICIAN.value):
        ways += _as_clinician(actor.clinician_id, today, zone, team=not _is_aide(actor))
    if actor.physician_id is not None and actor.has_role(Role.PHYSICIAN.value):
        ways += _as_physician(actor.physician_id, today)
    return sa.select(_patient.c.id).where(sa.or_(*ways) if ways else sa.false())


def _is_aide(actor: Actor) -> bool:
    return actor.performer == Performer.CHHA.value


def sees_own_visits_only(actor: Actor) -> bool:
    """Whether, of a patient in sight, the actor sees no visits but their own: an aide who has no other role."""
    return _is_aide(actor) and actor.roles <= {Role.CLINICIAN.value}


def _as_clinician(clinician_id: int, today: date, zone: ZoneInfo | None, *, team: bool) -> list[sa.ColumnElement[bool]]:
    first, last = today - timedelta(days=VISIT_DAYS), today + timedelta(days=VISIT_DAYS)
    if zone is not None:
        begins, ends = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    else:
        begins = datetime.combine(first, time(), UTC)
        ends = datetime.combine(last + timedelta(days=1), time(10), UTC)
    visited = sa.select(_visit.c.patient_id).where(
        _visit.c.clinician_id == clinician_id,
        _visit.c.status != VisitStatus.ENTERED_IN_ERROR.value,
        sa.or_(
            sa.and_(_visit.c.starts_at >= begins, _visit.c.starts_at < ends),
            sa.and_(_visit.c.actual_start_at >= begins, _visit.c.actual_start_at < ends),
            sa.and_(_visit.c.starts_at.is_(None), _visit.c.window_from <= last, _visit.c.window_to >= first),
        ),
    )
    if not team:
        return [_patient.c.id.in_(visited)]
    members = sa.select(_team.c.patient_id).where(
        _team.c.clinician_id == clinician_id,
        _team.c.starts_on <= today,
        sa.or_(_team.c.ends_on.is_(None), _team.c.ends_on >= today),
    )
    covered = (
        sa.select(_team.c.patient_id)
        .join(_cover, _cover.c.clinician_id == _team.c.clinician_id)
        .where(
            _cover.c.role == CoverRole.PRIMARY.value,
            _cover.c.by_clinician_id == clinician_id,
            _holds(today, _team.c.patient_id),
            _team.c.is_primary,
            _team.c.starts_on <= today,
            sa.or_(_team.c.ends_on.is_(None), _team.c.ends_on >= today),
        )
    )
    return [_patient.c.id.in_(visited), _patient.c.id.in_(members), _patient.c.id.in_(covered)]


def _holds(today: date, patient: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the cover holds on that day, for that patient."""
    return sa.and_(
        _cover.c.withdrawn_at.is_(None),
        _cover.c.starts_on <= today,
        _cover.c.ends_on >= today,
        sa.or_(_cover.c.patient_id.is_(None), _cover.c.patient_id == patient),
    )


def _as_physician(physician_id: int, today: date) -> list[sa.ColumnElement[bool]]:
    def theirs(physician: sa.ColumnElement[Any], patient: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The physician's own, or of one for whom they stand in that day."""
        stands_in = sa.exists().where(
            _cover.c.role == CoverRole.MANAGING_PHYSICIAN.value,
            _cover.c.by_physician_id == physician_id,
            _cover.c.physician_id == physician,
            _holds(today, patient),
        )
        return sa.or_(physician == physician_id, stands_in)

    planned = sa.select(_plan.c.patient_id).where(theirs(_plan.c.managing_physician_id, _plan.c.patient_id))
    # A draft was not sent to anybody yet, so it opens nobody's record to the practitioner it happens to name.
    unsent = (OrderStatus.DRAFT.value, OrderStatus.VOID.value)
    ordered = sa.select(_order.c.patient_id).where(
        theirs(_order.c.physician_id, _order.c.patient_id),
        sa.or_(_order.c.status.not_in(unsent), _order.c.signed_at.is_not(None)),
    )
    return [
        theirs(_patient.c.managing_physician_id, _patient.c.id),
        _patient.c.id.in_(planned),
        _patient.c.id.in_(ordered),
    ]


def stands_in_today(
    work: Work, starts_on: sa.SQLColumnExpression[Any], ends_on: sa.SQLColumnExpression[Any], patient: Any
) -> sa.ColumnElement[bool]:
    """Whether the days between two columns, both included, hold today in the branch of the patient in a third."""
    by_day: dict[date, list[int]] = {}
    for branch_id in work.session.execute(sa.select(Branch.id).order_by(Branch.id)).scalars().all():
        by_day.setdefault(local_day(work.now, agency.zone_of(work, branch_id)), []).append(branch_id)
    ways = [
        sa.and_(
            starts_on <= day,
            ends_on >= day,
            patient.in_(sa.select(_patient.c.id).where(_patient.c.branch_id.in_(branches))),
        )
        for day, branches in by_day.items()
    ]
    return sa.or_(*ways) if ways else sa.false()


def patients_in_sight(work: Work) -> sa.Select[tuple[int]]:
    """`visible_patients` for whoever acts, on the day of their own branch."""
    zone = None
    if work.actor.clinician_id is not None:
        branch_id = work.session.execute(
            sa.select(_clinician.c.branch_id).where(_clinician.c.id == work.actor.clinician_id)
        ).scalar()
        zone = agency.zone_of(work, branch_id) if branch_id is not None else None
    today = local_day(work.now, zone) if zone is not None else work.now.date()
    return _or_in_emergency(work, visible_patients(work.actor, today, zone))


def emergency_patients(work: Work) -> sa.Select[Any]:
    """Whose records the actor has opened in an emergency that is not over (SEC-02)."""
    return sa.select(EmergencyAccess.patient_id).where(
        EmergencyAccess.user_id == work.actor.user_id, EmergencyAccess.expires_at > work.now
    )


def _or_in_emergency(work: Work, seen: sa.Select[tuple[int]]) -> sa.Select[tuple[int]]:
    """Besides those in sight: nobody is on an emergency's list whom it does not name."""
    if work.actor.user_id is None:
        return seen
    opened = _patient.c.id.in_(emergency_patients(work))
    return sa.select(_patient.c.id).where(sa.or_(_patient.c.id.in_(seen), opened))


def branch_of_patient(work: Work, patient_id: int) -> int:
    """The patient's branch, whoever asks; NotFound if there is no such patient."""
    branch_id = work.session.execute(sa.select(_patient.c.branch_id).where(_patient.c.id == patient_id)).scalar()
    if branch_id is None:
        raise NotFound("patient")
    return int(branch_id)


def require_sight(work: Work, patient_id: int) -> int:
    """The number of the patient's branch; NotFound if there is no such patient or the actor may not see the record."""
    branch_id = branch_of_patient(work, patient_id)
    zone = agency.zone_of(work, branch_id)
    seen = visible_patients(work.actor, local_day(work.now, zone), zone).where(_patient.c.id == patient_id)
    if work.session.execute(seen).scalar() is not None:
        return branch_id
    if work.actor.user_id is not None:
        opened = emergency_patients(work).where(EmergencyAccess.patient_id == patient_id).limit(1)
        if work.session.execute(opened).scalar() is not None:
            return branch_id
    raise NotFound("patient")
