"""A clinician's day as they carry it: booked visits in order, with what is needed at each door."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.access.scope import branches_of
from coordinator.agency import service as agency
from coordinator.core.errors import NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_VISIT
from coordinator.domain.timeline import day_bounds
from coordinator.domain.vocabulary import Discipline, VisitKind, VisitStatus
from coordinator.orders.model import AideCarePlan, Order
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician
from coordinator.visits.doing import service_code
from coordinator.visits.duty_model import VisitDuty
from coordinator.visits.handed import CardShown, cards_for, is_handed_over, standing_in
from coordinator.visits.model import Visit

#: What a clinician sees: a slot that is only held is nobody's promise.
ON_ROSTER = LIVE_VISIT - {VisitStatus.PENDING}


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One stop. Instants are UTC, `zone` is the home's."""

    visit: Visit
    patient: Patient
    zone: str
    order_line: str | None
    last_clinician: str | None
    last_clinician_id: int | None
    service_code: str
    aide_tasks: list[str]
    joint: bool
    #: The card that was handed over for this visit, and the name of the primary for whom the clinician stands in.
    handoff: CardShown | None
    covering_for: str | None
    #: Obligations that are to be met with this visit: rule, what, first and last day.
    carries: list[dict[str, Any]]
    #: As-needed visits that the order has left; None where it gives none.
    prn_left: int | None


@dataclass(frozen=True, slots=True)
class Roster:
    """A clinician's local day. `fingerprint` changes when anything on it does."""

    clinician_id: int
    day: date
    zone: str
    entries: list[RosterEntry]
    fingerprint: str


@permitted("roster:read")
def roster(work: Work, clinician_id: int, day: date, *, visit_id: int | None = None) -> Roster:
    """The clinician's booked visits of the local day, in order. Clinicians read their own, the office its branches'.

    `visit_id`: that visit alone, if it is one of them.
    """
    clinician = work.session.get(Clinician, clinician_id)
    if clinician is None or not _may_read(work, clinician):
        raise NotFound("roster")
    zone = agency.zone_of(work, clinician.branch_id)
    begins, ends = day_bounds(day, zone)
    rows = work.session.execute(
        sa.select(Visit, Patient, Order)
        .join(Patient, Patient.id == Visit.patient_id)
        .outerjoin(Order, Order.id == Visit.order_id)
        .where(
            Visit.clinician_id == clinician.id,
            Visit.status.in_(ON_ROSTER),
            Visit.starts_at >= begins,
            Visit.starts_at < ends,
            *(() if visit_id is None else (Visit.id == visit_id,)),
        )
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    last = _last_clinicians(work, [(row.Visit.patient_id, row.Visit.discipline) for row in rows], begins)
    tasks = _aide_tasks(work, {row.Visit.patient_id for row in rows if row.Visit.discipline is Discipline.HHA}, day)
    seen = {row.Visit.patient_id for row in rows}
    cards = cards_for(work, clinician.id, seen)
    covered = standing_in(work, clinician.id, day, seen)
    carried = _carried(work, [row.Visit.id for row in rows])
    prn_left = _prn_left(work, [row.Order for row in rows if row.Order is not None])
    entries = []
    for row in rows:
        visit, patient = row.Visit, row.Patient
        programme = next(episode.programme for episode in patient.episodes if episode.id == visit.episode_id)
        seen_by = last.get((visit.patient_id, visit.discipline))
        entries.append(
            RosterEntry(
                visit=visit,
                patient=patient,
                zone=agency.zone_of(work, visit.branch_id).key,
                order_line=_order_line(row.Order),
                last_clinician=seen_by[1] if seen_by else None,
                last_clinician_id=seen_by[0] if seen_by else None,
                service_code=visit.service_code or service_code(clinician.performer, visit.kind, programme),
                aide_tasks=tasks.get(visit.patient_id, []) if visit.discipline is Discipline.HHA else [],
                joint=visit.joint_with_id is not None,
                handoff=cards.get((visit.patient_id, visit.discipline)) if is_handed_over(visit) else None,
                covering_for=covered.get((visit.patient_id, visit.discipline), (0, None))[1],
                carries=carried.get(visit.id, []),
                prn_left=prn_left.get(visit.order_id or 0),
            )
        )
        work.record("roster.read", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=clinician.id)
    return Roster(clinician.id, day, zone.key, entries, _fingerprint(clinician.id, day, zone, entries))


def _may_read(work: Work, clinician: Clinician) -> bool:
    if work.actor.clinician_id == clinician.id:
        return True
    mine = branches_of(work.actor)
    return mine is None or clinician.branch_id in mine


def _order_line(order: Order | None) -> str | None:
    """`SN 2w4, signed`: what is ordered and whether it stands on a signature; no words of the order's own."""
    if order is None:
        return None
    what = order.frequency or ("evaluate and treat" if order.evaluate_and_treat else "")
    state = "signed" if order.signed_at is not None else "verbal"
    return f"{order.discipline.value} {what}, {state}"


def _last_clinicians(
    work: Work, pairs: list[tuple[int, Discipline]], before: datetime
) -> dict[tuple[int, Discipline], tuple[int, str]]:
    """Who last visited each of these patients in that discipline before the day."""
    rows = work.session.execute(
        sa.select(Visit.patient_id, Visit.discipline, Clinician.id, Clinician.given_name, Clinician.family_name)
        .join(Clinician, Clinician.id == Visit.clinician_id)
        .where(
            Visit.patient_id.in_(sorted({patient for patient, _ in pairs})),
            Visit.status.in_(DONE_VISIT),
            Visit.starts_at < before,
            Visit.joint_with_id.is_(None),
        )
        .order_by(Visit.starts_at, Visit.id)
    )
    return {(row.patient_id, row.discipline): (row.id, f"{row.given_name} {row.family_name}") for row in rows}


def _aide_tasks(work: Work, patient_ids: set[int], day: date) -> dict[int, list[str]]:
    """The aide's written instructions in force: reading them here is on record (AID-02)."""
    newest: dict[int, list[str]] = defaultdict(list)
    rows = work.session.execute(
        sa.select(AideCarePlan.patient_id, AideCarePlan.tasks)
        .where(AideCarePlan.patient_id.in_(sorted(patient_ids)), AideCarePlan.effective_from <= day)
        .order_by(AideCarePlan.effective_from, AideCarePlan.number)
    )
    for patient_id, tasks in rows:
        newest[patient_id] = list(tasks)
    return newest


#: What meets an obligation of a rule, in a word (SUP, THX, CERT).
_WITH_IT = {
    "SUP-01": "supervision", "SUP-04": "supervision", "SUP-05": "supervision", "THX-01": "reassessment",
    "CERT-02": "recertification",
}  # fmt: skip


def _carried(work: Work, visit_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """What each visit carries: "supervision with this visit"."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    query = sa.select(VisitDuty).where(VisitDuty.visit_id.in_(visit_ids), VisitDuty.ended_at.is_(None))
    for duty in work.session.scalars(query.order_by(VisitDuty.last_on, VisitDuty.id)):
        found[duty.visit_id].append(
            {"rule": duty.rule, "what": _WITH_IT[duty.rule], "first_on": duty.first_on, "last_on": duty.last_on}
        )
    return found


def _prn_left(work: Work, orders: list[Order]) -> dict[int, int]:
    """As-needed visits that each order has left, of those that give any: none wanted, placed or made yet."""
    limits = {order.id: order.prn_limit for order in orders if order.prn_limit}
    if not limits:
        return {}
    used = work.session.execute(
        sa.select(Visit.order_id, sa.func.count(Visit.id))
        .where(
            Visit.order_id.in_(sorted(limits)),
            Visit.kind == VisitKind.PRN,
            Visit.status.in_(sorted(LIVE_VISIT | {VisitStatus.PROPOSED})),
        )
        .group_by(Visit.order_id)
    )
    for order_id, count in used:
        limits[order_id or 0] -= count
    return {order_id: max(0, left) for order_id, left in limits.items()}


def _fingerprint(clinician_id: int, day: date, zone: ZoneInfo, entries: list[RosterEntry]) -> str:
    parts = [f"{clinician_id}|{day}|{zone.key}"]
    for entry in entries:
        home = entry.patient.home
        parts.append(f"{entry.visit.id}:{entry.visit.version}:{entry.patient.version}:{entry.last_clinician_id}")
        card = entry.handoff
        parts.append(f"{card.id if card else 0}:{card.status if card else ''}:{entry.covering_for}")
        parts.append(
            f"{entry.order_line}:{home.access_notes}:{home.hazards}:{entry.aide_tasks}:{entry.carries}:{entry.prn_left}"
        )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
