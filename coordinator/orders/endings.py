"""How an order ends: superseded, discontinued, voided, expired, or with the episode; and its states (ORD-08)."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import OrderEnded, PatientDischarged
from coordinator.domain.lifecycle import LIVE_ORDER, ORDER, may_become
from coordinator.domain.timeline import ONE_DAY
from coordinator.domain.vocabulary import OrderStatus
from coordinator.jobs.context import JobContext
from coordinator.orders import weeks
from coordinator.orders.model import Order
from coordinator.orders.queries import LAST_DAY, last_day, today_of, visible_order
from coordinator.patients.model import Patient
from coordinator.rules.orders import STATE_WORDS

_REASON_COLUMN = 200
#: The steps to each state, as people say them.
_STEPS = {
    OrderStatus.DRAFT: "become a draft again",
    OrderStatus.VERBAL_RECEIVED: "be taken down as a verbal order",
    OrderStatus.ACTIVE_VERBAL: "begin to hold as a verbal order",
    OrderStatus.SENT_FOR_SIGNATURE: "be sent for signature",
    OrderStatus.ACTIVE_SIGNED: "be signed",
    OrderStatus.DECLINED: "be declined",
    OrderStatus.SUPERSEDED: "be replaced by a later one",
    OrderStatus.DISCONTINUED: "be discontinued",
    OrderStatus.EXPIRED: "expire",
    OrderStatus.COMPLETED: "be completed",
    OrderStatus.VOID: "be withdrawn as entered in error",
}
#: What is not live yet and goes with the episode.
_UNSIGNED = (OrderStatus.DRAFT, OrderStatus.VERBAL_RECEIVED, OrderStatus.SENT_FOR_SIGNATURE)


def require_step(order: Order, status: OrderStatus) -> None:
    """Conflict if the order cannot become `status` from what it is (ORD-08)."""
    if not may_become(ORDER, order.status, status):
        raise wrong_state(order, status)


def become(order: Order, status: OrderStatus) -> None:
    """The order is `status` now; Conflict if it cannot become that from what it is."""
    require_step(order, status)
    order.status = status


def wrong_state(order: Order, wanted: OrderStatus) -> Conflict:
    """The refusal of a step that the order's state does not allow."""
    return Conflict(
        f"Order {order.id} {STATE_WORDS[order.status]}; it cannot {_STEPS[wanted]}.",
        code="order-state",
        blocking=[{"order": order.id, "status": order.status.value}],
    )


def cut_off(work: Work, order: Order, end: date, status: OrderStatus, *, reason: str) -> None:
    """The order holds to `end` and then is `status`: now if `end` is past, else when `expire` finds it past.

    Other rooms are told now, since nothing may be given under it after `end`.
    """
    end = min(end, last_day(order))
    weeks.cut(order, end)
    order.ended_on, order.end_reason = end, reason[:_REASON_COLUMN]
    if end < today_of(work, order.patient_id):
        become(order, status)
        order.ends_as = None
    else:
        order.ends_as = status
    _tell(work, order, status, end + ONE_DAY)


def stop(work: Work, order: Order, status: OrderStatus, *, reason: str) -> None:
    """The order is `status` at once: what was given today stands, nothing more is given today."""
    today = today_of(work, order.patient_id)
    end = min(last_day(order), max(today, order.effective_from - ONE_DAY))
    weeks.cut(order, end)
    order.ended_on, order.ends_as, order.end_reason = end, None, reason[:_REASON_COLUMN]
    become(order, status)
    _tell(work, order, status, today if order.effective_from <= end == today else end + ONE_DAY)


def _tell(work: Work, order: Order, status: OrderStatus, from_day: date) -> None:
    work.session.flush()  # the order is as it will be before others are told
    work.record(
        "order.ended", f"order:{order.id}", patient_id=order.patient_id, status=status.value, from_day=str(from_day)
    )
    work.publish(OrderEnded(order_id=order.id, status=status.value, from_day=from_day))


@permitted("order:discontinue")
def discontinue(work: Work, order_id: int, *, last_day: date | None, reason: str) -> Order:
    """The order holds to `last_day` and no longer; None ends it at once, the rest of today included."""
    order = visible_order(work, order_id, lock=True)
    if order.status not in LIVE_ORDER:
        raise wrong_state(order, OrderStatus.DISCONTINUED)
    if last_day is None:
        stop(work, order, OrderStatus.DISCONTINUED, reason=reason)
        return order
    first, current = order.effective_from - ONE_DAY, order.ended_on or order.effective_to
    if not first <= last_day <= current:
        raise Invalid(f"The last day lies between {first} and {current}.", pointer="/last_day")
    cut_off(work, order, last_day, OrderStatus.DISCONTINUED, reason=reason)
    return order


@permitted("order:void")
def void(work: Work, order_id: int, *, reason: str) -> Order:
    """The order was entered in error and never held. A live one is voided by whoever may discontinue it."""
    order = visible_order(work, order_id, lock=True)
    was_live = order.status in LIVE_ORDER
    if was_live and not work.actor.may("order:discontinue"):
        raise Forbidden("A live order is voided by a clinical manager.", permission="order:discontinue")
    become(order, OrderStatus.VOID)
    order.end_reason = reason[:_REASON_COLUMN]
    if was_live:
        order.ended_on, order.ends_as = order.effective_from - ONE_DAY, None
        weeks.cut(order, order.ended_on)
    # A slot may be held even against an order that never was live, and somebody may be chasing its signature.
    _tell(work, order, OrderStatus.VOID, order.effective_from)
    work.session.flush()  # the new version is in the answer
    work.record("order.voided", f"order:{order.id}", patient_id=order.patient_id, was_live=was_live)
    return order


def end_for_discharge(work: Work, event: PatientDischarged) -> None:
    """Answers `PatientDischarged`: live orders of the episode end with it, those not live yet never will be.

    After a death nothing is given on the day itself either.
    """
    patient = work.session.get(Patient, event.patient_id)
    died = patient is not None and patient.deceased_on is not None and patient.deceased_on <= event.on
    end = event.on - ONE_DAY if died else event.on
    orders = work.session.execute(
        sa.select(Order)
        .where(Order.episode_id == event.episode_id, Order.status.in_(sorted({*LIVE_ORDER, *_UNSIGNED})))
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalars()
    for order in orders.all():
        if order.status in LIVE_ORDER:
            cut_off(work, order, end, OrderStatus.DISCONTINUED, reason="discharged")
        else:
            become(order, OrderStatus.VOID)
            order.end_reason = "discharged"
            work.record("order.voided", f"order:{order.id}", patient_id=order.patient_id, was_live=False)
    work.session.flush()  # whoever is told next finds the orders ended


# ------------------------------------------------------------------------------------ by the calendar


@permitted("order:expire")
def expire(work: Work, branch_id: int | None = None) -> list[Order]:
    """Orders of the branch (of all, if None) whose last day is past its today have ended, each once.

    A signed order is completed, an unsigned one expired; one that was ended early becomes what was decided then, of
    which others were told then. A verbal order still owes its signature afterwards (`queries.awaits_signature`).
    """
    if branch_id is None:
        branches = list(work.session.execute(sa.select(Branch.id).order_by(Branch.id)).scalars())
        return [order for each in branches for order in expire(work, each)]
    today = agency.today(work, branch_id)
    ended = work.session.execute(
        sa.select(Order)
        .where(
            Order.status.in_(sorted({*LIVE_ORDER, OrderStatus.SENT_FOR_SIGNATURE})),
            today > LAST_DAY,
            Order.patient_id.in_(sa.select(Patient.id).where(Patient.branch_id == branch_id)),
        )
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalars()
    orders = list(ended.all())
    for order in orders:
        decided, order.ends_as = order.ends_as, None
        if decided is not None:
            become(order, decided)
            work.session.flush()  # the order is as it will be before the line is written
            work.record("order.expired", f"order:{order.id}", patient_id=order.patient_id, status=decided.value)
            continue
        status = OrderStatus.EXPIRED if order.signed_at is None else OrderStatus.COMPLETED
        become(order, status)
        _tell(work, order, status, last_day(order) + ONE_DAY)
    return orders


def expire_due(context: JobContext, arguments: dict[str, Any]) -> None:
    """The job `orders.expire`: after midnight of a branch, its orders of yesterday have ended. Twice is once."""
    with context.work() as work:
        expire(work, arguments.get("branch_id"))
