"""The ledger: for every order week, ordered = planned + done + waived + owed, counted from its current units."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_VISIT, PLANNED_VISIT
from coordinator.domain.timeline import WeekAnchor, minutes_by_day, week_start
from coordinator.domain.vocabulary import INTERMITTENT, Discipline, OrderStatus
from coordinator.orders.model import CaseReview, Order, OrderWeek
from coordinator.orders.queries import visible_order
from coordinator.patients.model import Patient
from coordinator.patients.scope import require_sight
from coordinator.visits.model import Visit


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One order week. `missed` are those of `owed` that are missed and wait for a decision."""

    order_id: int
    order_week_id: int
    discipline: Discipline
    order_status: OrderStatus
    number: int
    starts_on: date
    ends_on: date
    minimum: int
    ordered: int
    planned: int
    done: int
    waived: int
    owed: int
    missed: int
    closed_at: datetime | None

    @property
    def balances(self) -> bool:
        """Whether nothing was lost or invented."""
        return self.ordered == self.planned + self.done + self.waived + self.owed


@permitted("ledger:read")
def ledger(work: Work, order_id: int | None = None, patient_id: int | None = None) -> list[LedgerLine]:
    """The weeks of one order, or of all orders of a patient, first to last."""
    if (order_id is None) == (patient_id is None):
        raise Invalid("Say either which order or which patient.")
    if order_id is not None:
        patient_id = visible_order(work, order_id).patient_id
        where = Order.id == order_id
    else:
        require_sight(work, patient_id or 0)
        where = Order.patient_id == patient_id
    work.record("ledger.read", f"order:{order_id}" if order_id else f"patient:{patient_id}", patient_id=patient_id)
    return _lines(work, where)


def _lines(work: Work, where: sa.ColumnElement[bool]) -> list[LedgerLine]:
    weeks = work.session.execute(
        sa.select(OrderWeek, Order.discipline, Order.status)
        .join(Order, Order.id == OrderWeek.order_id)
        .where(where)
        .order_by(Order.discipline, OrderWeek.starts_on, OrderWeek.order_id, OrderWeek.number)
    ).all()
    counts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("planned", "done", "waived", "owed"), 0))
    missed: dict[int, int] = defaultdict(int)
    rows = work.session.execute(
        sa.select(Visit.order_week_id, Visit.status, Visit.waive_reason, Visit.missed_at).where(
            Visit.order_week_id.in_([row.OrderWeek.id for row in weeks]), Visit.is_current
        )
    )
    for week_id, status, waive_reason, missed_at in rows:
        column = column_of(status, waived=waive_reason is not None)
        counts[week_id or 0][column] += 1
        missed[week_id or 0] += column == "owed" and missed_at is not None
    return [
        LedgerLine(
            order_id=row.OrderWeek.order_id,
            order_week_id=row.OrderWeek.id,
            discipline=row.discipline,
            order_status=row.status,
            number=row.OrderWeek.number,
            starts_on=row.OrderWeek.starts_on,
            ends_on=row.OrderWeek.ends_on,
            minimum=row.OrderWeek.minimum,
            ordered=row.OrderWeek.maximum,
            missed=missed[row.OrderWeek.id],
            closed_at=row.OrderWeek.closed_at,
            **counts[row.OrderWeek.id],
        )
        for row in weeks
    ]


def column_of(status: str, *, waived: bool) -> str:
    """In which column of the ledger a current unit stands; a visit that was made is done, whatever else is said."""
    if status in DONE_VISIT:
        return "done"
    if waived:
        return "waived"
    return "planned" if status in PLANNED_VISIT else "owed"


# ------------------------------------------------------------------------------------ hours (INT-01)


@dataclass(frozen=True, slots=True)
class Usage:
    """Nurse and aide minutes in the home, day by day of one week, against the limits (INT-01)."""

    patient_id: int
    week_from: date
    week_to: date
    days: dict[date, int]
    minutes: int
    day_maximum: int
    week_maximum: int
    week_reviewed_maximum: int
    reviewed: bool


@permitted("ledger:read")
def intermittent_usage(work: Work, patient_id: int, day: date | None = None) -> Usage:
    """The week that holds `day` (default today): planned minutes of what is planned, verified ones of what is done."""
    branch_id = require_sight(work, patient_id)
    day = day or agency.today(work, branch_id)
    patient = work.session.get_one(Patient, patient_id)
    zone = agency.zone_of(work, branch_id)
    soc = next((row.soc_date for row in reversed(patient.episodes) if row.soc_date is not None), None)
    anchor: WeekAnchor = work.policy.on(day).weeks.hours_week_anchor
    first = week_start(day, anchor, soc or day)
    days = {first + timedelta(days=step): 0 for step in range(7)}
    rows = work.session.execute(
        sa.select(Visit.status, Visit.starts_at, Visit.ends_at, Visit.actual_start_at, Visit.actual_end_at).where(
            Visit.patient_id == patient_id,
            Visit.discipline.in_(INTERMITTENT),
            Visit.status.in_(LIVE_VISIT),
        )
    )
    for row in rows:
        begins, ends = row.starts_at, row.ends_at
        if row.status in DONE_VISIT and row.actual_start_at and row.actual_end_at:
            begins, ends = row.actual_start_at, row.actual_end_at
        if ends <= begins:
            continue
        for at, minutes in minutes_by_day(begins, ends, zone).items():
            if at in days:
                days[at] += minutes
    reviewed = work.session.scalar(
        sa.select(sa.func.count())
        .select_from(CaseReview)
        .where(CaseReview.patient_id == patient_id, CaseReview.starts_on <= day, CaseReview.ends_on >= day)
    )
    limits = work.policy.on(day).intermittent
    work.record("ledger.read", f"patient:{patient_id}", patient_id=patient_id, week=str(first))
    return Usage(
        patient_id=patient_id,
        week_from=first,
        week_to=first + timedelta(days=6),
        days=days,
        minutes=sum(days.values()),
        day_maximum=limits.day_maximum_minutes,
        week_maximum=limits.week_maximum_minutes,
        week_reviewed_maximum=limits.week_reviewed_minutes,
        reviewed=bool(reviewed),
    )
