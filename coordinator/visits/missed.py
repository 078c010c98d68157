"""Missed visits, and what the practitioner decides about them (VIS-01, FRQ-06)."""

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import MissedVisitDecided, VisitMissed
from coordinator.domain.lifecycle import LIVE_ORDER, VISIT, may_become
from coordinator.domain.vocabulary import MissedDecision, MissedReason, Role, VisitKind, VisitStatus, WaiveReason
from coordinator.orders.model import Order, OrderWeek
from coordinator.orders.queries import last_day
from coordinator.patients.model import Patient
from coordinator.teams.service import acts_for, covering_physicians
from coordinator.visits import placing, queries, units
from coordinator.visits.model import Visit

#: Reasons that only the product itself gives.
_OWN_REASONS = frozenset({MissedReason.WEEK_CLOSED, MissedReason.ON_HOLD})
#: Reasons that somebody finds at the door, and nobody knows before.
_AT_THE_DOOR = frozenset({MissedReason.NOT_HOME_NOT_FOUND, MissedReason.UNSAFE_CONDITIONS})
#: What is said of the reasons that can be known before the visit begins.
_AHEAD_OF_TIME = (
    "Ahead of time these reasons are possible: the patient refused or cancelled, is in hospital, has a doctor's "
    "appointment or has died; the family asked; weather or disaster; illness or want of staff; no interpreter; "
    "an error of the agency."
)
_OFFICE = (Role.SCHEDULER, Role.CLINICAL_MANAGER)


@permitted("visit:miss")
def miss(
    work: Work, visit_id: int, reason: MissedReason, note: str | None = None, clinical_impact: bool | None = None
) -> Visit:
    """The visit was not, or will not be, made. It stays owed until the practitioner has decided.

    A clinician says it of their own visits. The first visit of all is wanted again at once: its clock does not stop.
    """
    if reason in _OWN_REASONS:
        raise Invalid("This reason is not for people to give.", pointer="/reason")
    visit = queries.claim(work, visit_id)
    if not work.actor.has_role(*_OFFICE) and visit.clinician_id != work.actor.clinician_id:
        raise NotFound("visit")
    if visit.status is VisitStatus.MISSED and visit.missed_reason == reason and visit.missed_note == note:
        return visit
    if not may_become(VISIT, visit.status, VisitStatus.MISSED) or visit.status is VisitStatus.ON_HOLD:
        raise placing.not_in_state(visit, "missed")
    if reason in _AT_THE_DOOR:
        _require_due(work, visit)
    mark(work, visit, reason, note, clinical_impact)
    if visit.kind is VisitKind.INITIAL:
        units.hand_over(work, visit, VisitStatus.MISSED, queries.today(work, visit))
    work.session.flush()  # the new version is in the answer
    work.publish(VisitMissed(visit_id=visit.id, reason=reason.value))
    return visit


def _require_due(work: Work, visit: Visit) -> None:
    """Conflict if nobody can have been at the door yet. Whoever is on the way may be there before the hour."""
    if visit.status not in (VisitStatus.PROPOSED, VisitStatus.PENDING, VisitStatus.BOOKED):
        return
    if visit.starts_at is not None:
        if visit.starts_at <= work.now:
            return
        begins = f"{visit.starts_at.astimezone(queries.zone(work, visit)):%Y-%m-%d at %H:%M}"
        door = "Whoever is at the door already says first that they are on the way."
        said, starts_at = f"The visit begins on {begins}: nobody can have been at the door. {door}", visit.starts_at
    else:
        said, starts_at = "The visit has no hour yet: nobody can have been at the door.", None
    raise Conflict(
        f"{said} {_AHEAD_OF_TIME}",
        code="visit-not-due",
        starts_at=starts_at,
        reasons=sorted(reason.value for reason in MissedReason if reason not in _AT_THE_DOOR | _OWN_REASONS),
    )


def mark(
    work: Work, visit: Visit, reason: MissedReason, note: str | None = None, clinical_impact: bool | None = None
) -> None:
    """Write onto the row that it was missed; whoever calls has asked for permission and tells the others."""
    visit.status = VisitStatus.MISSED
    visit.missed_reason, visit.missed_note, visit.missed_at = reason, note, work.now
    visit.clinical_impact = clinical_impact
    visit.locked = False
    units.drop_companions(work, visit, "lead-missed")
    work.record(
        "visit.missed",
        f"visit:{visit.id}",
        patient_id=visit.patient_id,
        reason=reason.value,
        clinical_impact=clinical_impact,
    )


@permitted("visit:decide-missed")
def decide(work: Work, visit_id: int, decision: MissedDecision, note: str | None = None) -> Visit:
    """The practitioner has decided: the visit may be skipped, is made up, or something else is done instead.

    Within its order week it is made up by a new wanted visit that takes over its place. After the week it uses a visit
    of a later week, which the order must have: more than the order gives needs an order (FRQ-06).
    """
    if work.actor.physician_id is None:
        raise Forbidden("Only a practitioner decides about a missed visit.", permission="visit:decide-missed")
    visit = queries.claim(work, visit_id)
    if not _is_theirs(work, visit):
        raise NotFound("visit")
    if visit.status is not VisitStatus.MISSED:
        raise placing.not_in_state(visit, "decided about")
    if visit.decision is not None:
        if visit.decision == decision and visit.decided_by_id == work.actor.physician_id:
            return visit
        raise Conflict("This was decided already.", code="already-decided", decision=visit.decision)
    if decision is MissedDecision.OTHER and not (note or "").strip():
        raise Invalid("Say what is to be done instead.", pointer="/note")
    visit.decision, visit.decision_note = decision, note
    visit.decided_by_id, visit.decided_at = work.actor.physician_id, work.now
    if decision is MissedDecision.MAKE_UP:
        _make_up(work, visit)
    elif visit.waive_reason is None:
        # Something else instead of the visit is a visit skipped, as far as the order's count goes.
        visit.waive_reason = WaiveReason.PRACTITIONER_SKIP
    work.session.flush()  # the new version is in the answer
    work.record("visit.decided", f"visit:{visit.id}", patient_id=visit.patient_id, decision=decision.value)
    work.publish(MissedVisitDecided(visit_id=visit.id, decision=decision.value))
    return visit


def _is_theirs(work: Work, visit: Visit) -> bool:
    """Whether the practitioner manages the patient or wrote the order, or stands in today for who does or did."""
    mine = work.actor.physician_id
    order = work.session.get(Order, visit.order_id) if visit.order_id is not None else None
    patient = work.session.get_one(Patient, visit.patient_id)
    theirs = {patient.managing_physician_id, order.physician_id if order is not None else None} - {None}
    return mine in theirs or any(
        mine in covering_physicians(work, physician_id, patient.id) for physician_id in theirs if physician_id
    )


def _make_up(work: Work, visit: Visit) -> None:
    today = queries.today(work, visit)
    order = work.session.get(Order, visit.order_id, populate_existing=True) if visit.order_id is not None else None
    if order is not None and queries.order_over(order, today):
        raise Conflict(
            f"Order {order.id} holds no longer. To make the visit up, write an order.",
            code="order-not-active",
            order_id=order.id,
        )
    week = work.session.get(OrderWeek, visit.order_week_id) if visit.order_week_id is not None else None
    closed = week is not None and week.closed_at is not None
    if today <= visit.window_to and not closed:
        fresh = units.hand_over(work, visit, VisitStatus.MISSED, today)
        units.raise_companion(work, fresh, order)
        return
    if visit.unit is not None and not _later_unit(work, visit, order):
        raise Conflict(
            "Its order week is over, and the order gives no later visit that could stand for it. "
            "A further visit needs an order.",
            code="frequency-exceeded",
            order_id=visit.order_id,
        )
    visit.waive_reason = WaiveReason.MADE_UP_ELSEWHERE


def _later_unit(work: Work, visit: Visit, order: Order | None) -> bool:
    """Whether a later week of the order has a visit that is still wanted or planned."""
    if order is None or order.status not in LIVE_ORDER:
        return False
    found = work.session.scalars(
        sa.select(Visit.id)
        .where(
            Visit.order_id == order.id,
            Visit.unit.is_not(None),
            Visit.is_current,
            Visit.status.in_([VisitStatus.PROPOSED, VisitStatus.PENDING, VisitStatus.BOOKED]),
            Visit.window_from > visit.window_to,
            Visit.window_from <= last_day(order),
        )
        .limit(1)
    ).first()
    return found is not None


@permitted("visit:read")
def decisions_queue(work: Work, branch_id: int | None = None) -> sa.Select[Visit]:
    """Missed visits in sight that wait for a practitioner's decision; a physician sees those that are theirs."""
    query = queries.visible(work).where(
        Visit.status == VisitStatus.MISSED,
        Visit.is_current,
        Visit.decision.is_(None),
        Visit.waive_reason.is_(None),
        Visit.kind != VisitKind.SUPERVISION,
        Visit.joint_with_id.is_(None),
    )
    if branch_id is not None:
        query = query.where(Visit.branch_id == branch_id)
    if work.actor.physician_id is not None and work.actor.has_role(Role.PHYSICIAN):
        managed = sa.select(Patient.id).where(acts_for(work, Patient.managing_physician_id, Patient.id))
        ordered = sa.select(Order.id).where(acts_for(work, Order.physician_id, Order.patient_id))
        query = query.where(sa.or_(Visit.patient_id.in_(managed), Visit.order_id.in_(ordered)))
    work.record("visit.missed-listed", f"branch:{branch_id or 0}")
    return query


@permitted("visit:read")
def decisions_waiting(work: Work) -> int:
    """How many missed visits wait for the actor's decision; the number alone."""
    return work.session.execute(
        sa.select(sa.func.count()).select_from(decisions_queue(work).with_only_columns(Visit.id).subquery())
    ).scalar_one()
