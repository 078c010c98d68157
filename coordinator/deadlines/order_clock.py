"""The clocks of orders: the signature, what follows a refusal, and the end of an order that nobody renewed."""

from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines, end, open_deadline, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import OrderActivated, OrderDeclined, OrderEnded, OrderSent, OrderSigned
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, OrderStatus
from coordinator.orders.model import Order
from coordinator.orders.queries import LAST_DAY, awaits_signature, branch_of
from coordinator.patients.model import Episode, Patient
from coordinator.rules.orders import ask_declined, countersignature_due

SIGNATURE, REFUSED, RENEWAL = "ORD-06", "ORD-08", "ORD-01"
#: How many days before its last day an order that nobody renewed is brought up, and then again.
RENEWAL_REMINDERS = (14, 7, 2)
#: Days before a visit waits for the signature at which the signature is asked for once more.
NEEDED_SOON = timedelta(days=2)


def of_order(order_id: int) -> str:
    """The subject under which an order's obligations stand."""
    return f"order:{order_id}"


def on_order_activated(work: Work, event: OrderActivated) -> None:
    """A verbal order is to be signed within thirty working days of its receipt (ORD-06)."""
    order = fetch(work.session, Order, event.order_id, "order")
    if event.verbal:
        _await_signature(work, order, "verbal")
    _forget_renewal_of_predecessors(work, order)


def on_order_sent(work: Work, event: OrderSent) -> None:
    """A sent order is chased until it is signed; that it was sent answers an earlier refusal."""
    order = fetch(work.session, Order, event.order_id, "order")
    _await_signature(work, order, "written")
    if order.replaces_id is not None:
        close_deadlines(work, subject=of_order(order.replaces_id), rule=REFUSED, reason="sent anew")
    _forget_renewal_of_predecessors(work, order)


def _await_signature(work: Work, order: Order, how: str) -> None:
    subject, branch_id = of_order(order.id), branch_of(work, order.patient_id)
    if open_rows(work, subject=subject, rules=(SIGNATURE,)):
        return
    zone = agency.zone_of(work, branch_id)
    since = order.verbal_received_at or order.sent_at or work.now
    answer = countersignature_due(local_day(since, zone), work.policy)
    reminders = set(answer.reminders)
    if order.needed_by is not None:
        reminders.add(order.needed_by - NEEDED_SOON)
    open_deadline(
        work, rule=SIGNATURE, subject=subject, due_on=answer.due_on, owner_role="orders_desk", branch_id=branch_id,
        patient_id=order.patient_id, task="sign-order", how=how, physician=order.physician_id,
        remind_on=sorted(day.isoformat() for day in reminders),
    )  # fmt: skip


def on_order_signed(work: Work, event: OrderSigned) -> None:
    """The signature is there."""
    close_deadlines(work, subject=of_order(event.order_id), rule=SIGNATURE, reason="signed")


def on_order_declined(work: Work, event: OrderDeclined) -> None:
    """A refusal is answered the same day: who wrote the order calls, and sends a new one or withdraws the visits."""
    order = fetch(work.session, Order, event.order_id, "order")
    branch_id = branch_of(work, order.patient_id)
    close_deadlines(
        work, subject=of_order(order.id), rule=SIGNATURE, reason="declined", status=DeadlineStatus.SUPERSEDED
    )
    today = agency.today(work, branch_id)
    finding = next(finding for finding in ask_declined(0, 0, today) if finding.due is not None)
    assert isinstance(finding.due, date)
    open_deadline(
        work, rule=REFUSED, subject=of_order(order.id), due_on=finding.due, owner_role=finding.owner,
        branch_id=branch_id, patient_id=order.patient_id, task="redraft-order", replacement=event.replacement_id,
        user=order.drafted_by_id, reason=str(order.decline_reason) if order.decline_reason else None,
    )  # fmt: skip


def on_order_ended(work: Work, event: OrderEnded) -> None:
    """Nothing is asked for an order that ended, but for the signature of one under which care was given."""
    order = fetch(work.session, Order, event.order_id, "order")
    subject = of_order(order.id)
    close_deadlines(work, subject=subject, rule=RENEWAL, reason=event.status, status=DeadlineStatus.SUPERSEDED)
    if not awaits_signature(order):
        close_deadlines(work, subject=subject, rule=SIGNATURE, reason=event.status, status=DeadlineStatus.SUPERSEDED)
    if event.status == OrderStatus.VOID.value and order.replaces_id is not None:
        close_deadlines(work, subject=of_order(order.replaces_id), rule=REFUSED, reason="withdrawn")


# ------------------------------------------------------------------------------------ orders that run out

_SUCCEEDS = LIVE_ORDER | {OrderStatus.SENT_FOR_SIGNATURE}


def open_renewals(work: Work, branch_id: int) -> None:
    """Every live order that ends soon without a successor is brought up; those that found one are not any more."""
    today = agency.today(work, branch_id)
    later = sa.orm.aliased(Order)
    succeeded = (
        sa.select(later.id)
        .where(
            later.patient_id == Order.patient_id,
            later.discipline == Order.discipline,
            later.id != Order.id,
            later.status.in_(_SUCCEEDS),
            later.effective_to > Order.effective_to,
        )
        .exists()
    )
    ending = work.session.execute(
        sa.select(Order)
        .join(Patient, Patient.id == Order.patient_id)
        .join(Episode, Episode.id == Order.episode_id)
        .where(
            Patient.branch_id == branch_id,
            Episode.discharged_on.is_(None),
            Order.status.in_(LIVE_ORDER),
            Order.ended_on.is_(None),
            Order.evaluate_and_treat.is_(False),
            Order.effective_to >= today,
            Order.effective_to <= today + timedelta(days=max(RENEWAL_REMINDERS)),
            ~succeeded,
        )
        .order_by(Order.id)
    ).scalars()
    for order in ending:
        open_deadline(
            work, rule=RENEWAL, subject=of_order(order.id), due_on=order.effective_to, owner_role="case_manager",
            branch_id=branch_id, patient_id=order.patient_id, task="renew-order", discipline=order.discipline.value,
            ends_on=order.effective_to.isoformat(),
            remind_on=[(order.effective_to - timedelta(days=days)).isoformat() for days in RENEWAL_REMINDERS],
        )  # fmt: skip


def settle_signatures(work: Work, branch_id: int) -> None:
    """Nobody chases an order that was recalled or voided before it was live."""
    rows = (
        work.session.execute(
            sa.select(Deadline)
            .where(
                Deadline.branch_id == branch_id,
                Deadline.rule.in_((SIGNATURE, REFUSED)),
                Deadline.status == DeadlineStatus.OPEN,
            )
            .order_by(Deadline.id)
            .with_for_update()
        )
        .scalars()
        .all()
    )
    wanted = {int(row.subject.partition(":")[2]) for row in rows} | {
        row.facts["replacement"] for row in rows if "replacement" in row.facts
    }
    orders = {
        order.id: order
        for order in work.session.execute(sa.select(Order).where(Order.id.in_(sorted(wanted)))).scalars()
    }
    for row in rows:
        if row.rule == SIGNATURE:
            order = orders.get(int(row.subject.partition(":")[2]))
            if order is None or not awaits_signature(order):
                end(work, row, "not asked for any more", DeadlineStatus.SUPERSEDED)
        else:
            redraft = orders.get(row.facts.get("replacement", 0))
            if redraft is not None and redraft.status is OrderStatus.VOID:
                end(work, row, "withdrawn")


def _forget_renewal_of_predecessors(work: Work, order: Order) -> None:
    """An order that goes on where others of its discipline end is their renewal."""
    earlier = work.session.execute(
        sa.select(Order.id)
        .join(Deadline, sa.and_(Deadline.subject == sa.literal("order:") + sa.cast(Order.id, sa.String)))
        .where(
            Order.patient_id == order.patient_id,
            Order.discipline == order.discipline,
            Order.id != order.id,
            Order.effective_to < order.effective_to,
            Deadline.rule == RENEWAL,
            Deadline.status == DeadlineStatus.OPEN,
        )
    ).scalars()
    for order_id in earlier.all():
        close_deadlines(work, subject=of_order(order_id), rule=RENEWAL, reason="renewed")


def live_orders(
    work: Work, patient_id: int, disciplines: frozenset[Discipline], today: date, *, but: int | None = None
) -> bool:
    """Whether an order of one of the disciplines, other than `but`, is live for the patient today or later."""
    query = sa.select(Order.id).where(
        Order.patient_id == patient_id,
        Order.discipline.in_(sorted(disciplines)),
        Order.status.in_(sorted(LIVE_ORDER)),
        today <= LAST_DAY,
    )
    if but is not None:
        query = query.where(Order.id != but)
    return work.session.execute(query.limit(1)).scalar() is not None
