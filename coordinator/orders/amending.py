"""A practitioner changes what they are asked to sign: it goes back, is rewritten and comes again, in one step."""

from typing import Any

from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Invalid, RuleBroken, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.events import OrderAmended
from coordinator.domain.vocabulary import OrderStatus
from coordinator.orders.drafting import fill
from coordinator.orders.endings import become, wrong_state
from coordinator.orders.model import Order
from coordinator.orders.queries import awaits_signature
from coordinator.orders.service import findings_about, settled
from coordinator.orders.signing import own_order
from coordinator.patients.model import Episode
from coordinator.rules.orders import ask_edit

#: What is changed in passing; another discipline or practitioner is another order.
AMENDABLE = frozenset({"frequency_text", "effective_from", "effective_to", "treatments", "goals_text", "visit_minutes"})


@permitted("order:sign")
def amend(work: Work, order_id: int, *, version: int, **changes: Any) -> Order:
    """The order in the actor's queue says what is given, at a new version that nobody has read. OrderAmended is told.

    As if it had been recalled, edited and sent again: every rule is asked as it was then. Conflict `order-live` for a
    verbal order, under whose words care is given already.
    """
    order = own_order(work, order_id)
    if not awaits_signature(order):
        raise wrong_state(order, OrderStatus.DRAFT)
    if order.status is not OrderStatus.SENT_FOR_SIGNATURE:
        raise Conflict(
            "Care is given under this order as it was taken by word of mouth: its words stay. Sign it for what was "
            "given, or reject it; a change is a new order.",
            code="order-live",
        )
    if order.version != version:
        raise StaleVersion("The order was changed since you read it. Read it again.", etag=f'"{order.version}"')
    for name in sorted(changes.keys() - AMENDABLE):
        raise Invalid(f"{name} is not changed here. Reject the order, and say why.", pointer=f"/{name}")
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    before = {name: getattr(order, name) for name in changes}
    with work.session.no_autoflush:  # one change, one version
        become(order, OrderStatus.DRAFT)
        refused = ask_edit(order.status)
        if refused is not None:
            raise RuleBroken([refused])
        fill(work, order, episode, changes)
        fields = sorted(name for name, value in before.items() if getattr(order, name) != value)
        if not fields:
            raise Invalid("Nothing is different from what was sent.", pointer="/")
        become(order, OrderStatus.SENT_FOR_SIGNATURE)
        order.needed_by = order.effective_from
        order.reviewed_at = order.reviewed_version = None
    settled(work, order, findings_about(work, order))
    work.session.flush()  # the new version is in the answer
    work.record("order.amended", f"order:{order.id}", patient_id=order.patient_id, fields=fields, version=order.version)
    work.publish(OrderAmended(order_id=order.id, version=order.version))
    return order
