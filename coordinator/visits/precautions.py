"""Two people to a home for which the office wants two: their visits follow the precautions of the home (LAB-06)."""

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.events import PrecautionsChanged
from coordinator.domain.vocabulary import VisitStatus
from coordinator.orders.model import Order
from coordinator.visits import units
from coordinator.visits.model import Visit


def follow_precautions(work: Work, event: PrecautionsChanged) -> None:
    """Every visit ahead has a second person's beside it, or has one no longer where neither home nor order asks.

    Answered twice, nothing is added.
    """
    ahead = list(
        work.session.scalars(
            sa.select(Visit)
            .where(
                Visit.patient_id == event.patient_id,
                Visit.is_current,
                Visit.joint_with_id.is_(None),
                Visit.status.in_([*units.AHEAD, VisitStatus.PROPOSED]),
            )
            .order_by(Visit.id)
            .with_for_update(key_share=True),
            execution_options={"populate_existing": True},
        )
    )
    beside = {second.joint_with_id for second in units.companions(work, [visit.id for visit in ahead])}
    raised = 0
    for visit in ahead:
        order = work.session.get(Order, visit.order_id) if visit.order_id is not None else None
        if not units.two_go(work, visit, order):
            units.drop_companions(work, visit, "one-person")
        elif visit.id not in beside:
            raised += units.raise_companion(work, visit, order) is not None
    work.session.flush()  # whoever answers next sees who goes
    work.record("visit.precautions-followed", f"patient:{event.patient_id}", patient_id=event.patient_id, raised=raised)
