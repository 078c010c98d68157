"""Closing an order week: what of its floor was not given is missed, and the rest of its range is let go (FRQ-03)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Conflict
from coordinator.core.work import Work, permitted
from coordinator.domain.events import VisitCancelled, VisitMissed
from coordinator.domain.frequency import OrderWeek as Window
from coordinator.domain.lifecycle import BEGUN_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import MissedReason, VisitStatus, WaiveReason
from coordinator.jobs.context import JobContext
from coordinator.orders.model import Order, OrderWeek
from coordinator.orders.queries import last_day
from coordinator.patients.model import Patient
from coordinator.rules.frequencies import missed_at_close
from coordinator.visits import missed, queries, units
from coordinator.visits.doing import CLOSED
from coordinator.visits.model import Visit

_OPEN = units.AHEAD | {VisitStatus.PROPOSED}
_NEVER_HELD = "order-never-live"


@permitted("visit:close-week")
def close_week(work: Work, branch_id: int, week_end: date) -> int:
    """Every order week of the branch that ended by `week_end` is closed; how many were. Twice changes nothing.

    What has begun counts as given. Below the floor, what was not given is missed and waits for its decision; above it,
    and in a week that the order's end cut short, it is waived.
    """
    if week_end >= agency.today(work, branch_id):
        raise Conflict("That week is not over.", code="week-not-over", week_end=str(week_end))
    found = work.session.execute(
        sa.select(OrderWeek.id, Order.patient_id)
        .join(Order, Order.id == OrderWeek.order_id)
        .join(Patient, Patient.id == Order.patient_id)
        .where(Patient.branch_id == branch_id, OrderWeek.closed_at.is_(None), OrderWeek.ends_on <= week_end)
    ).all()
    queries.lock_people(work, [], {row.patient_id for row in found})
    weeks = work.session.scalars(
        sa.select(OrderWeek)
        .where(OrderWeek.id.in_([row.id for row in found]), OrderWeek.closed_at.is_(None))
        .order_by(OrderWeek.id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    units_of = _units_of(work, weeks)
    orders = {
        order.id: order
        for order in work.session.scalars(sa.select(Order).where(Order.id.in_({week.order_id for week in weeks})))
    }
    for week in weeks:
        _close(work, week, orders[week.order_id], units_of.get(week.id, []))
        week.closed_at = work.now
    _let_go_of_slots(work, branch_id, week_end)
    work.session.flush()  # the count is of what the database took
    work.record("visit.week-closed", f"branch:{branch_id}", week_end=str(week_end), weeks=len(weeks))
    return len(weeks)


def _units_of(work: Work, weeks: Sequence[OrderWeek]) -> dict[int, list[Visit]]:
    rows = work.session.scalars(
        sa.select(Visit)
        .where(Visit.order_week_id.in_([week.id for week in weeks]), Visit.is_current)
        .order_by(Visit.id)
        .with_for_update(key_share=True),
        execution_options={"populate_existing": True},
    )
    found: dict[int, list[Visit]] = {}
    for visit in rows:
        found.setdefault(visit.order_week_id or 0, []).append(visit)
    return found


def _close(work: Work, week: OrderWeek, order: Order, rows: list[Visit]) -> None:
    ended_early = order.ended_on is not None and order.ended_on < order.effective_to and order.ended_on <= week.ends_on
    floor = 0 if last_day(order) < week.ends_on else week.minimum
    for visit in rows:
        if visit.status is VisitStatus.ON_HOLD:
            units.withdraw(work, visit, WaiveReason.ON_HOLD)
    # Given, missed already, decided or away: all of these answer for a visit of the floor.
    answered = [visit for visit in rows if visit.status not in _OPEN and _answers(visit)]
    open_ = [visit for visit in rows if visit.status in _OPEN]
    # Those that were planned are missed before those that never had an hour; optional ones last.
    open_.sort(key=lambda visit: (visit.status is VisitStatus.PROPOSED, visit.is_optional, visit.unit))
    # A week that the order's end cut short has no floor (FRQ-07).
    ordered = Window(week.number, week.starts_on, week.ends_on, floor, week.maximum)
    short = missed_at_close(ordered, len(answered))
    for visit in open_[:short]:
        visit.cancel_reason = CLOSED
        missed.mark(work, visit, MissedReason.WEEK_CLOSED)
        work.session.flush()  # whoever hears of it finds it missed
        work.publish(VisitMissed(visit_id=visit.id, reason=MissedReason.WEEK_CLOSED.value))
    for visit in open_[short:]:
        visit.cancel_reason = CLOSED
        units.withdraw(work, visit, WaiveReason.ORDER_ENDED if ended_early else WaiveReason.RANGE_FLOOR_MET)


def _answers(visit: Visit) -> bool:
    if visit.status in BEGUN_VISIT or visit.status in (VisitStatus.MISSED, VisitStatus.NO_SHOW):
        return True
    return visit.waive_reason in (WaiveReason.ON_HOLD, WaiveReason.PATIENT_DISCHARGED, WaiveReason.ORDER_ENDED)


def _let_go_of_slots(work: Work, branch_id: int, week_end: date) -> None:
    """Slots that were only held, against an order that nobody signed in time, are nobody's any more."""
    zone = agency.zone_of(work, branch_id)
    rows = work.session.scalars(
        sa.select(Visit).where(
            Visit.branch_id == branch_id,
            Visit.status == VisitStatus.PENDING,
            Visit.unit.is_(None),
            Visit.order_id.is_not(None),
            Visit.joint_with_id.is_(None),
            Visit.starts_at < work.now,
        )
    ).all()
    for visit in rows:
        if visit.starts_at is None or local_day(visit.starts_at, zone) > week_end:
            continue
        visit.status, visit.is_current, visit.cancel_reason = VisitStatus.CANCELLED, False, _NEVER_HELD
        work.record("visit.withdrawn", f"visit:{visit.id}", patient_id=visit.patient_id, reason=_NEVER_HELD)
        work.publish(VisitCancelled(visit_id=visit.id, clinician_id=visit.clinician_id))


def last_week_end(now: datetime, zone: ZoneInfo) -> date:
    """The last day of what is over: yesterday, in the branch's zone."""
    return local_day(now, zone) - timedelta(days=1)


def close_week_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Sunday at half past midnight, branch time: close what ended with Saturday (appendix B)."""
    with context.work() as work:
        if not context.once(work):
            return
        branch_id = int(arguments["branch_id"])
        slot = arguments.get("slot")
        at = datetime.fromisoformat(slot) if slot else context.now()
        close_week(work, branch_id, last_week_end(at, agency.zone_of(work, branch_id)))
