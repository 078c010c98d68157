"""The room while a conference is held: whether its seats make the quorum, and which orders can be signed there."""

from dataclasses import dataclass

import sqlalchemy as sa

from coordinator.care import conferences
from coordinator.care.model import Conference
from coordinator.core.work import Work, permitted
from coordinator.domain.care import Presence, TeamRole
from coordinator.orders.model import Order
from coordinator.orders.queries import AWAITS_SIGNATURE
from coordinator.rules.terms import Finding
from coordinator.teams.covers import covering_physicians


@dataclass(frozen=True, slots=True)
class QueuedOrder:
    """An order of the patient that waits for a signature. `here`: whoever may sign it has a seat and is present."""

    order: Order
    here: bool


@dataclass(frozen=True, slots=True)
class Room:
    """How the meeting stands now. `findings`: why it would not count, all of them; empty while it would."""

    missing: list[TeamRole]
    findings: tuple[Finding, ...]
    unsigned: list[TeamRole]
    orders: list[QueuedOrder]

    @property
    def counts(self) -> bool:
        return not self.findings


@permitted("conference:read")
def room(work: Work, conference_id: int) -> Room:
    """The light over the door: whether the meeting counts as its seats are now, and what the physicians there may sign.

    They sign by their own queue, each with their own name: nothing is signed here.
    """
    row = conferences.get(work, conference_id)
    findings = conferences.ask_quorum(work, row)
    lacking = [role for finding in findings for role in finding.facts.get("missing", ())]  # type: ignore[attr-defined]
    return Room(
        missing=lacking,
        findings=findings,
        unsigned=[seat.role for seat in row.seats if seat.presence is not Presence.ABSENT and seat.signed_at is None],
        orders=_queued(work, row),
    )


def _queued(work: Work, row: Conference) -> list[QueuedOrder]:
    present = {
        seat.physician_id for seat in row.seats if seat.physician_id is not None and seat.presence is Presence.PRESENT
    }
    waiting = work.session.execute(
        sa.select(Order)
        .where(Order.patient_id == row.patient_id, AWAITS_SIGNATURE)
        .order_by(sa.func.coalesce(Order.needed_by, Order.effective_from), Order.id)
    ).scalars()
    found = []
    for order in waiting.all():
        signers = {order.physician_id} | covering_physicians(work, order.physician_id, row.patient_id)
        found.append(QueuedOrder(order, not present.isdisjoint(signers)))
    return found
