"""What a practitioner has signed, and what an order that waits would bring."""

from collections.abc import Sequence

import sqlalchemy as sa

from coordinator.core.db import fetch
from coordinator.core.errors import NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.frequency import OrderWeek as Window
from coordinator.domain.vocabulary import OrderStatus
from coordinator.orders import weeks
from coordinator.orders.model import Order, Signature
from coordinator.orders.queries import AWAITS_SIGNATURE, visible_order
from coordinator.patients.model import Episode
from coordinator.teams.service import acts_for


@permitted("order:sign")
def my_signatures(work: Work, *, before: int | None = None, most: int = 50) -> list[tuple[Signature, Order]]:
    """The actor's own signatures with their orders, newest first; `before` is the number of the last one seen."""
    query = (
        sa.select(Signature, Order)
        .join(Order, Order.id == Signature.order_id)
        .where(Signature.user_id == work.actor.user_id)
        .order_by(Signature.id.desc())
        .limit(most)
    )
    if before is not None:
        query = query.where(Signature.id < before)
    found = [(row.Signature, row.Order) for row in work.session.execute(query)]
    work.record("order.signed-listed", "order:list", orders=[order.id for _, order in found])
    return found


@permitted("order:sign")
def my_signature(work: Work, order_id: int) -> tuple[Signature, Order]:
    """What the actor put their name to, word for word; NotFound where the name is somebody else's."""
    found = work.session.execute(
        sa.select(Signature, Order)
        .join(Order, Order.id == Signature.order_id)
        .where(Signature.order_id == order_id, Signature.user_id == work.actor.user_id)
    ).one_or_none()
    if found is None:
        raise NotFound("signature")
    work.record("order.read", f"order:{order_id}", patient_id=found.Order.patient_id)
    return found.Signature, found.Order


@permitted("order:sign")
def queue_counts(work: Work) -> tuple[int, int]:
    """How many orders wait for the actor's name, and how many of them hold visits; numbers alone."""
    holding = sa.case((Order.status == OrderStatus.SENT_FOR_SIGNATURE, 1), else_=0)
    row = work.session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(holding), 0)).where(
            acts_for(work, Order.physician_id, Order.patient_id), AWAITS_SIGNATURE
        )
    ).one()
    return row[0], row[1]


@permitted("order:read")
def weeks_ahead(work: Work, order_id: int) -> Sequence[Window]:
    """The weeks that the order gives or would give, first to last: what waits for its signature."""
    order = visible_order(work, order_id)
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    work.record("order.read", f"order:{order.id}", patient_id=order.patient_id)
    return weeks.lay_out(work, order, episode).weeks
