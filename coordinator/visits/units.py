"""Units of an order week: how one row hands its place in the ledger to the next, so that none is lost or invented.

Whoever changes `is_current`, `unit` or `waive_reason` does it here. Callers hold the rows.
"""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.events import VisitCancelled
from coordinator.domain.lifecycle import BEGUN_VISIT, VISIT, may_become
from coordinator.domain.vocabulary import Discipline, VisitKind, VisitStatus, WaiveReason
from coordinator.orders.model import Order
from coordinator.patients.model import Patient
from coordinator.visits.model import Visit

#: Placed, and nobody is on the way yet.
AHEAD = frozenset({VisitStatus.PENDING, VisitStatus.BOOKED})


def wanted(
    work: Work,
    *,
    branch_id: int,
    patient_id: int,
    episode_id: int,
    discipline: Discipline,
    kind: VisitKind,
    window_from: date,
    window_to: date,
    minutes: int,
) -> Visit:
    """A new proposed visit, not yet flushed; what sets it apart is the caller's to write."""
    visit = Visit(
        branch_id=branch_id,
        patient_id=patient_id,
        episode_id=episode_id,
        discipline=discipline,
        kind=kind,
        status=VisitStatus.PROPOSED,
        window_from=window_from,
        window_to=window_to,
        minutes=minutes,
        is_current=True,
        is_optional=False,
        locked=False,
        hold_bill=[],
        warnings=[],
    )
    work.session.add(visit)
    return visit


def hand_over(work: Work, visit: Visit, status: VisitStatus, today: date | None = None) -> Visit:
    """The row is history in that status, and a new proposed row wants what it wanted: unit, window, lead and all."""
    visit.status = status
    visit.is_current = False
    work.session.flush()  # one current row per unit: the old one lets go before the new one takes hold
    visit_from = visit.window_from if today is None else max(visit.window_from, min(today, visit.window_to))
    fresh = wanted(
        work,
        branch_id=visit.branch_id,
        patient_id=visit.patient_id,
        episode_id=visit.episode_id,
        discipline=visit.discipline,
        kind=visit.kind,
        window_from=visit_from,
        window_to=visit.window_to,
        minutes=visit.minutes,
    )
    fresh.order_id, fresh.order_week_id, fresh.unit = visit.order_id, visit.order_week_id, visit.unit
    fresh.is_optional, fresh.due_at, fresh.joint_with_id = visit.is_optional, visit.due_at, visit.joint_with_id
    fresh.prn_number, fresh.prn_trigger = visit.prn_number, visit.prn_trigger
    fresh.conversation = visit.conversation
    fresh.replaces_id = visit.id
    work.session.flush()  # companions and events name the new row
    return fresh


def clear(visit: Visit) -> None:
    """The visit has no place any more: nobody, no time, nothing said about it."""
    visit.clinician_id = visit.starts_at = visit.ends_at = None
    visit.published_at = visit.told_patient_at = None
    visit.hold_bill, visit.warnings = [], []


def waive(visit: Visit, reason: WaiveReason) -> None:
    """The unit is no longer owed; the row stays current and keeps its place in the ledger."""
    if may_become(VISIT, visit.status, VisitStatus.CANCELLED):
        visit.status = VisitStatus.CANCELLED
    visit.waive_reason = reason


def withdraw(work: Work, visit: Visit, reason: WaiveReason) -> None:
    """What is ahead will not be: its unit is waived, or the row, if it has none, is cancelled. Whoever was to go hears.

    A visit on hold, proposed or placed may be withdrawn; one that has begun, or is missed, is left to its own end.
    """
    was_placed, clinician_id = visit.status in AHEAD, visit.clinician_id
    visit.cancel_reason = visit.cancel_reason or reason.value
    if visit.unit is None:
        visit.status, visit.is_current = VisitStatus.CANCELLED, False
    else:
        waive(visit, reason)
    work.record("visit.withdrawn", f"visit:{visit.id}", patient_id=visit.patient_id, reason=reason.value)
    drop_companions(work, visit, reason.value)
    if was_placed:
        work.publish(VisitCancelled(visit_id=visit.id, clinician_id=clinician_id))


# ------------------------------------------------------------------------------------ two people together


def companions(work: Work, visit_ids: Iterable[int]) -> list[Visit]:
    """The visits of second persons that still stand beside these."""
    return list(
        work.session.scalars(
            sa.select(Visit)
            .where(
                Visit.joint_with_id.in_(sorted(set(visit_ids))),
                Visit.is_current,
                Visit.status.not_in([VisitStatus.CANCELLED, VisitStatus.ENTERED_IN_ERROR]),
            )
            .order_by(Visit.id)
        )
    )


def two_go(work: Work, lead: Visit, order: Order | None) -> bool:
    """Whether two go together: the order asks for it, or the home does (LAB-06).

    The first visit is one person's, whoever else comes along: there is no order yet that a second could be sent under.
    """
    if order is not None and order.two_person:
        return True
    home = work.session.get_one(Patient, lead.patient_id).home
    return lead.kind is not VisitKind.INITIAL and home is not None and home.two_person


def raise_companion(work: Work, lead: Visit, order: Order | None) -> Visit | None:
    """The second person's visit beside `lead`, where order or home asks for two; it has no unit of its own."""
    if lead.joint_with_id is not None or not two_go(work, lead, order):
        return None
    second = wanted(
        work,
        branch_id=lead.branch_id,
        patient_id=lead.patient_id,
        episode_id=lead.episode_id,
        discipline=lead.discipline,
        kind=lead.kind,
        window_from=lead.window_from,
        window_to=lead.window_to,
        minutes=lead.minutes,
    )
    second.order_id, second.joint_with_id, second.is_optional = lead.order_id, lead.id, lead.is_optional
    return second


def drop_companions(work: Work, lead: Visit, reason: str) -> None:
    """Nobody goes beside a visit that is not made."""
    for second in companions(work, [lead.id]):
        if second.status in BEGUN_VISIT or not may_become(VISIT, second.status, VisitStatus.CANCELLED):
            continue
        was_placed, clinician_id = second.status in AHEAD, second.clinician_id
        second.status, second.is_current, second.cancel_reason = VisitStatus.CANCELLED, False, reason
        work.record("visit.withdrawn", f"visit:{second.id}", patient_id=second.patient_id, reason=reason)
        if was_placed:
            work.publish(VisitCancelled(visit_id=second.id, clinician_id=clinician_id))
