"""The clock of refused orders: a practitioner who declines leaves no day behind, so the refusal opens the row."""

from datetime import date

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines, end, open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.visit_dues import of_order
from coordinator.domain.events import OrderDeclined, OrderEnded, OrderSent
from coordinator.domain.vocabulary import DeadlineStatus, OrderStatus
from coordinator.orders.model import Order
from coordinator.orders.queries import branch_of
from coordinator.rules.orders import ask_declined

REFUSED = "ORD-08"


def on_order_sent(work: Work, event: OrderSent) -> None:
    """That an order was sent answers an earlier refusal."""
    order = fetch(work.session, Order, event.order_id, "order")
    if order.replaces_id is not None:
        close_deadlines(work, subject=of_order(order.replaces_id), rule=REFUSED, reason="sent anew")


def on_order_declined(work: Work, event: OrderDeclined) -> None:
    """A refusal is answered the same day: who wrote the order calls, and sends a new one or withdraws the visits."""
    order = fetch(work.session, Order, event.order_id, "order")
    branch_id = branch_of(work, order.patient_id)
    today = agency.today(work, branch_id)
    finding = next(finding for finding in ask_declined(0, 0, today) if finding.due is not None)
    assert isinstance(finding.due, date)
    open_deadline(
        work, rule=REFUSED, subject=of_order(order.id), due_on=finding.due, owner_role=finding.owner,
        branch_id=branch_id, patient_id=order.patient_id, task="redraft-order", replacement=event.replacement_id,
        user=order.drafted_by_id, reason=str(order.decline_reason) if order.decline_reason else None,
    )  # fmt: skip


def on_order_ended(work: Work, event: OrderEnded) -> None:
    """A redraft that is voided withdraws what was refused."""
    order = fetch(work.session, Order, event.order_id, "order")
    if event.status == OrderStatus.VOID.value and order.replaces_id is not None:
        close_deadlines(work, subject=of_order(order.replaces_id), rule=REFUSED, reason="withdrawn")


def settle_refusals(work: Work, branch_id: int) -> None:
    """Nobody answers for a refusal whose new draft was sent or voided."""
    rows = (
        work.session.execute(
            sa.select(Deadline)
            .where(Deadline.branch_id == branch_id, Deadline.rule == REFUSED, Deadline.status == DeadlineStatus.OPEN)
            .order_by(Deadline.id)
            .with_for_update()
        )
        .scalars()
        .all()
    )
    if not rows:
        return
    drafts = sorted({row.facts["replacement"] for row in rows if "replacement" in row.facts})
    found = work.session.execute(sa.select(Order.id, Order.status).where(Order.id.in_(drafts))).all()
    states = {row.id: row.status for row in found}
    for row in rows:
        status = states.get(row.facts.get("replacement", 0))
        if status not in (None, OrderStatus.DRAFT):
            end(work, row, "withdrawn" if status is OrderStatus.VOID else "sent anew")
