"""Reading visits as the actor may, and taking them for a change without two hands on the same hour."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.access.scope import sees_own_visits_only
from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Invalid, NotFound, StaleVersion
from coordinator.core.http import etag_of
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import LIVE_ORDER, LIVE_VISIT
from coordinator.domain.timeline import day_bounds
from coordinator.domain.vocabulary import OrderStatus, Role, VisitStatus
from coordinator.orders.model import Order
from coordinator.orders.queries import last_day
from coordinator.patients.model import Patient
from coordinator.patients.scope import patients_in_sight
from coordinator.staff.model import Clinician
from coordinator.visits import held
from coordinator.visits.model import Visit

_OFFICE = (Role.SCHEDULER, Role.CLINICAL_MANAGER, Role.INTAKE, Role.ADMINISTRATOR, Role.SYSTEM)


def visible(work: Work) -> sa.Select[Visit]:
    """The visits of patients in sight; of them, an aide sees the own ones alone.

    A slot that is only held is the office's business: clinicians do not see it.
    """
    query = sa.select(Visit).where(Visit.patient_id.in_(patients_in_sight(work)))
    if not work.actor.has_role(*_OFFICE, Role.PHYSICIAN):
        query = query.where(Visit.status != VisitStatus.PENDING)
    if sees_own_visits_only(work.actor):
        query = query.where(Visit.clinician_id == work.actor.clinician_id)
    return query


def the_visit(work: Work, visit_id: int) -> Visit:
    """The visit, if the actor may see it; NotFound otherwise."""
    found = work.session.scalar(visible(work).where(Visit.id == visit_id))
    if found is None:
        raise NotFound("visit")
    return found


@permitted("visit:read")
def get_visit(work: Work, visit_id: int) -> Visit:
    """One visit; the reading is on record."""
    visit = the_visit(work, visit_id)
    work.record("visit.read", f"visit:{visit.id}", patient_id=visit.patient_id)
    return visit


@permitted("visit:read")
def search(
    work: Work,
    *,
    branch_id: int | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    clinician_id: int | None = None,
    patient_id: int | None = None,
    order_id: int | None = None,
    statuses: Sequence[VisitStatus] = (),
) -> sa.Select[Visit]:
    """Current and past visits in sight; the days are the branch's, and a visit without a time counts by its window."""
    if from_day is not None and to_day is not None and to_day < from_day:
        raise Invalid("The first day comes after the last.", pointer="/query/from")
    query = visible(work)
    if branch_id is not None:
        query = query.where(Visit.branch_id == branch_id)
    if clinician_id is not None:
        query = query.where(Visit.clinician_id == clinician_id)
    if patient_id is not None:
        query = query.where(Visit.patient_id == patient_id)
    if order_id is not None:
        query = query.where(Visit.order_id == order_id)
    if statuses:
        query = query.where(Visit.status.in_(list(statuses)))
    if from_day is not None or to_day is not None:
        query = query.where(sa.or_(*_in_days(work, branch_id, from_day, to_day)))
    work.record("visit.listed", f"branch:{branch_id or 0}", patient_id=patient_id)
    return query


def _in_days(work: Work, branch_id: int | None, first: date | None, last: date | None) -> list[sa.ColumnElement[bool]]:
    """Placed visits by the instants of those days in each branch's zone, others by their windows."""
    rows = {branch_id} if branch_id is not None else set(work.session.scalars(sa.select(Visit.branch_id).distinct()))
    ways: list[sa.ColumnElement[bool]] = []
    for number in sorted(rows):
        zone = agency.zone_of(work, number)
        placed: list[sa.ColumnElement[bool]] = [Visit.branch_id == number, Visit.starts_at.is_not(None)]
        if first is not None:
            placed.append(Visit.starts_at >= day_bounds(first, zone)[0])
        if last is not None:
            placed.append(Visit.starts_at < day_bounds(last, zone)[1])
        ways.append(sa.and_(*placed))
    open_: list[sa.ColumnElement[bool]] = [Visit.starts_at.is_(None)]
    if first is not None:
        open_.append(Visit.window_to >= first)
    if last is not None:
        open_.append(Visit.window_from <= last)
    return [*ways, sa.and_(*open_)]


# ------------------------------------------------------------------------------------ taking rows for a change


def lock_people(work: Work, clinician_ids: Iterable[int | None], patient_ids: Iterable[int]) -> None:
    """Hold everybody's calendar until this transaction ends: clinicians first, then patients, each by number.

    One order for all keeps writers from waiting for each other in a circle. The lock is one that lets others go on
    referring to these people (FOR NO KEY UPDATE); SQLite has one writer anyway.
    """
    for row, numbers in ((Clinician, clinician_ids), (Patient, patient_ids)):
        wanted = sorted({number for number in numbers if number is not None})
        if wanted:
            work.session.execute(
                sa.select(row.id).where(row.id.in_(wanted)).order_by(row.id).with_for_update(key_share=True)
            ).all()
            if row is Clinician:
                held.expire_overdue(work, clinician_ids=wanted)  # what is held no longer is in nobody's way


def claim(work: Work, visit_id: int, *clinician_ids: int) -> Visit:
    """The visit, its patient's calendar and the clinicians' (its own too), all held until this transaction ends.

    StaleVersion if it changed while we waited for our turn.
    """
    visit = the_visit(work, visit_id)
    version = visit.version
    lock_people(work, {visit.clinician_id, *clinician_ids}, [visit.patient_id])
    fresh = reread(work, [visit.id])[0]
    if fresh.version != version:
        raise StaleVersion("Somebody else changed the visit in the same moment. Read it again.", etag=etag_of(fresh))
    return fresh


def reread(work: Work, visit_ids: Iterable[int]) -> list[Visit]:
    """The rows as they are now, locked, by number."""
    return list(
        work.session.scalars(
            sa.select(Visit)
            .where(Visit.id.in_(sorted(set(visit_ids))))
            .order_by(Visit.id)
            .with_for_update(key_share=True),
            execution_options={"populate_existing": True},
        )
    )


def the_clinician(work: Work, clinician_id: int, branch_id: int) -> Clinician:
    """A clinician of the branch; one of another branch sounds like a missing one."""
    found = work.session.get(Clinician, clinician_id)
    if found is None or found.branch_id != branch_id:
        raise NotFound("clinician")
    return found


def zone(work: Work, visit: Visit) -> ZoneInfo:
    """The zone of the home."""
    return agency.zone_of(work, visit.branch_id)


def today(work: Work, visit: Visit) -> date:
    """The home's calendar day."""
    return agency.today(work, visit.branch_id)


def order_over(order: Order | None, day: date) -> bool:
    """Whether nothing may be given under the order on `day` or later, as it stands now."""
    if order is None:
        return False
    in_order = (OrderStatus.SUPERSEDED, OrderStatus.EXPIRED, OrderStatus.COMPLETED)
    return last_day(order) < day or not (order.status in LIVE_ORDER or order.status in in_order)


# ------------------------------------------------------------------------------------ double booking


def in_the_way(
    work: Work,
    visit: Visit,
    clinician_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    besides: Iterable[int] = (),
) -> list[dict[str, Any]]:
    """The live visits that hold the clinician's or the patient's time: number, clinician, begin and end, no names.

    Slots of the clinician that are held for a referral come after them, as `hold` instead of `visit`.
    `busy` says whose time it is; a visit of both is the clinician's, who cannot make two, be they joint or not.
    """
    query = sa.select(Visit.id, Visit.clinician_id, Visit.starts_at, Visit.ends_at).where(
        Visit.status.in_(LIVE_VISIT),
        Visit.starts_at < ends_at,
        Visit.ends_at > starts_at,
        Visit.id.not_in([visit.id or 0, *besides]),
    )
    same_home: list[sa.ColumnElement[bool]] = [Visit.patient_id == visit.patient_id]
    if visit.joint_with_id is not None:
        same_home.append(Visit.id != visit.joint_with_id)
    else:
        same_home.append(sa.or_(Visit.joint_with_id.is_(None), Visit.joint_with_id != (visit.id or 0)))
    rows = work.session.execute(
        query.where(sa.or_(Visit.clinician_id == clinician_id, sa.and_(*same_home))).order_by(Visit.starts_at, Visit.id)
    )
    visits = [
        {
            "visit": row.id,
            "clinician": row.clinician_id,
            "busy": "clinician" if row.clinician_id == clinician_id else "patient",
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
        }
        for row in rows
    ]
    return visits + held.in_the_way(work, clinician_id, starts_at, ends_at)


#: What is said of those whose time is taken, and what can be done about it.
_TAKEN = {
    "clinician": ("The clinician", "Choose another time or another clinician."),
    "patient": ("The patient", "Choose another time, or record a joint visit."),
}


def double_booking(blocking: list[dict[str, Any]], zone: ZoneInfo) -> Conflict:
    """The refusal that says whose time is taken, by which visits and when; `zone` is the home's."""
    said = []
    for busy, (whom, way_out) in _TAKEN.items():
        mine = [entry for entry in blocking if entry["busy"] == busy]
        if mine:
            listed = "; ".join(f"{_what(entry)}, {_hours(entry, zone)}" for entry in mine[:5])
            some = "another visit" if len(mine) == 1 else "other visits"
            if all("hold" in entry for entry in mine):
                some = "a slot held for a referral" if len(mine) == 1 else "slots held for referrals"
            said.append(f"{whom} has {some} then ({listed}). {way_out}")
    return Conflict(
        " ".join(said) or "That time is taken by another visit. Choose another time.",
        code="double-booking",
        blocking=blocking,
    )


def _what(entry: dict[str, Any]) -> str:
    return f"visit {entry['visit']}" if "visit" in entry else f"hold {entry['hold']}"


def _hours(entry: dict[str, Any], zone: ZoneInfo) -> str:
    begins, ends = (datetime.fromisoformat(entry[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    return f"{begins:%H:%M} to {ends:%H:%M}"
