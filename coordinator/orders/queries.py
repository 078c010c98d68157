"""Reading orders: which are whose, which hold on a day, and lists with filters."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, OrderStatus
from coordinator.orders.model import CarePlan, Order, OrderWeek
from coordinator.patients.model import Episode, Patient
from coordinator.patients.scope import patients_in_sight

#: Ended in some way other than refusal: a verbal order among these still owes its signature (ORD-06).
ENDED_ORDER = frozenset({OrderStatus.SUPERSEDED, OrderStatus.DISCONTINUED, OrderStatus.EXPIRED, OrderStatus.COMPLETED})
#: Orders that keep a visit from being confirmed until somebody signs.
_BLOCKING = (OrderStatus.DRAFT, OrderStatus.VERBAL_RECEIVED, OrderStatus.SENT_FOR_SIGNATURE)


def last_day(order: Order) -> date:
    """Last day on which the order holds; before `effective_from` when it never did."""
    return order.effective_to if order.ended_on is None else min(order.effective_to, order.ended_on)


#: The same in SQL; `ended_on` is never after `effective_to`.
LAST_DAY = sa.func.coalesce(Order.ended_on, Order.effective_to)


def awaits_signature(order: Order) -> bool:
    """Whether the practitioner is asked to sign it now, be it only because its verbal days are over (ORD-06)."""
    if order.signed_at is not None or order.decline_reason is not None:
        return False
    if order.status in (OrderStatus.SENT_FOR_SIGNATURE, OrderStatus.ACTIVE_VERBAL):
        return True
    return order.responsible_signed_at is not None and order.status in ENDED_ORDER


#: The same in SQL.
AWAITS_SIGNATURE = sa.and_(
    Order.signed_at.is_(None),
    Order.decline_reason.is_(None),
    sa.or_(
        Order.status.in_((OrderStatus.SENT_FOR_SIGNATURE, OrderStatus.ACTIVE_VERBAL)),
        sa.and_(Order.responsible_signed_at.is_not(None), Order.status.in_(sorted(ENDED_ORDER))),
    ),
)


def in_sight(work: Work) -> sa.ColumnElement[bool]:
    """Which orders the actor may see: those of the patients in sight, and a physician's own once they were sent."""
    return Order.patient_id.in_(patients_in_sight(work))


def visible_order(work: Work, order_id: int, *, lock: bool = False) -> Order:
    """The order, if it is the actor's to see; locked against other writers if asked. Not audited: see `get`."""
    query = sa.select(Order).where(Order.id == order_id, in_sight(work))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = work.session.execute(query).scalar()
    if found is None:
        raise NotFound("order")
    return found


def branch_of(work: Work, patient_id: int) -> int:
    """The branch that looks after the patient."""
    branch_id = work.session.execute(sa.select(Patient.branch_id).where(Patient.id == patient_id)).scalar()
    if branch_id is None:
        raise NotFound("patient")
    return branch_id


def today_of(work: Work, patient_id: int) -> date:
    """The calendar day at the patient's branch."""
    return agency.today(work, branch_of(work, patient_id))


def open_episode(work: Work, patient_id: int) -> Episode:
    """The patient's current episode of care; Conflict if there is none."""
    found = work.session.execute(
        sa.select(Episode)
        .where(Episode.patient_id == patient_id, Episode.discharged_on.is_(None))
        .order_by(Episode.id.desc())
        .limit(1)
    ).scalar()
    if found is None:
        raise Conflict("The patient has no open episode of care. Accept a referral first.", code="no-open-episode")
    return found


def plan_of_episode(work: Work, episode_id: int) -> CarePlan | None:
    """The care plan of the episode, if it was opened."""
    return work.session.execute(sa.select(CarePlan).where(CarePlan.episode_id == episode_id)).scalar()


@permitted("order:read")
def get(work: Work, order_id: int) -> Order:
    """The order with its weeks."""
    order = visible_order(work, order_id)
    work.record("order.read", f"order:{order.id}", patient_id=order.patient_id)
    return order


@permitted("order:read")
def search(
    work: Work,
    *,
    statuses: Iterable[OrderStatus] = (),
    awaiting_signature: bool = False,
    blocks_within: int | None = None,
    patient_id: int | None = None,
    discipline: Discipline | None = None,
    physician_id: int | None = None,
) -> sa.Select[Order]:
    """The orders in sight that fit, as a select for `page`. `blocks_within` days: unsigned, and needed by then."""
    query = sa.select(Order).where(in_sight(work))
    wanted = sorted(set(statuses))
    if wanted and awaiting_signature:
        query = query.where(sa.or_(Order.status.in_(wanted), AWAITS_SIGNATURE))
    elif wanted:
        query = query.where(Order.status.in_(wanted))
    elif awaiting_signature:
        query = query.where(AWAITS_SIGNATURE)
    if patient_id is not None:
        query = query.where(Order.patient_id == patient_id)
    if discipline is not None:
        query = query.where(Order.discipline == discipline)
    if physician_id is not None:
        query = query.where(Order.physician_id == physician_id)
    if blocks_within is not None:
        query = query.where(Order.status.in_(_BLOCKING), _effective_within(work, blocks_within))
    work.record("order.listed", "order:list", patient_id=patient_id)
    return query


def _effective_within(work: Work, days: int) -> sa.ColumnElement[bool]:
    """Orders whose first day comes within so many days of their own branch's today."""
    branches = work.session.execute(sa.select(Branch.id)).scalars().all()
    by_day: dict[date, list[int]] = {}
    for branch_id in branches:
        by_day.setdefault(local_day(work.now, agency.zone_of(work, branch_id)), []).append(branch_id)
    ways = [
        sa.and_(
            Order.effective_from <= today + timedelta(days=days),
            Order.patient_id.in_(sa.select(Patient.id).where(Patient.branch_id.in_(ids))),
        )
        for today, ids in by_day.items()
    ]
    return sa.or_(*ways) if ways else sa.false()


@permitted("order:read")
def live_orders(work: Work, patient_id: int, discipline: Discipline | None, day: date) -> list[Order]:
    """The orders under which the discipline (any, if None) may be given to the patient on `day`, oldest first."""
    query = sa.select(Order).where(
        Order.patient_id == patient_id,
        Order.status.in_(sorted(LIVE_ORDER)),
        Order.effective_from <= day,
        day <= LAST_DAY,
    )
    if discipline is not None:
        query = query.where(Order.discipline == discipline)
    return list(work.session.execute(query.order_by(Order.effective_from, Order.id)).scalars())


def weeks_of(order: Order) -> list[OrderWeek]:
    """The weeks in which the order holds, first to last; none before it is live."""
    end = last_day(order)
    return [week for week in order.weeks if week.starts_on <= end]


def week_on(order: Order, day: date) -> OrderWeek | None:
    """The week of the order that holds `day`; None when nothing is scheduled then."""
    return next((week for week in weeks_of(order) if week.starts_on <= day <= week.ends_on), None)


def last_signed(work: Work, pairs: Iterable[tuple[int, Discipline]]) -> dict[tuple[int, Discipline], list[Order]]:
    """Signed orders of those (patient, discipline) pairs, latest signature first, in one query."""
    wanted = set(pairs)
    if not wanted:
        return {}
    rows = work.session.execute(
        sa.select(Order)
        .where(Order.patient_id.in_(sorted({patient for patient, _ in wanted})), Order.signed_at.is_not(None))
        .order_by(Order.signed_at.desc(), Order.id.desc())
    ).scalars()
    found: dict[tuple[int, Discipline], list[Order]] = {}
    for row in rows:
        if (row.patient_id, row.discipline) in wanted:
            found.setdefault((row.patient_id, row.discipline), []).append(row)
    return found


def names(work: Work, row: Any, ids: Iterable[int | None]) -> dict[int, Any]:
    """Rows of a table by their numbers, in one query."""
    wanted = sorted({key for key in ids if key is not None})
    if not wanted:
        return {}
    return {found.id: found for found in work.session.execute(sa.select(row).where(row.id.in_(wanted))).scalars()}
