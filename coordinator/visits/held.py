"""Slots that are held for referrals, as everybody who reaches for a clinician's hour must see them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.events import HoldExpired
from coordinator.domain.vocabulary import HoldStatus
from coordinator.referrals.model import Referral
from coordinator.visits.hold_model import SlotHold


def in_the_way(work: Work, clinician_id: int, starts_at: datetime, ends_at: datetime) -> list[dict[str, Any]]:
    """What is held of the clinician's time then: number, begin and end."""
    rows = work.session.execute(
        sa.select(SlotHold.id, SlotHold.starts_at, SlotHold.ends_at)
        .where(
            SlotHold.clinician_id == clinician_id,
            SlotHold.status == HoldStatus.HELD,
            SlotHold.starts_at < ends_at,
            SlotHold.ends_at > starts_at,
        )
        .order_by(SlotHold.starts_at)
    )
    return [
        {
            "hold": row.id,
            "clinician": clinician_id,
            "busy": "clinician",
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
        }
        for row in rows
    ]


def standing(
    work: Work, clinician_ids: Iterable[int], begins: datetime, ends: datetime
) -> list[tuple[SlotHold, Referral]]:
    """What is held of these clinicians' time and not yet overdue, with the referral that says where; by time."""
    rows = work.session.execute(
        sa.select(SlotHold, Referral)
        .join(Referral, Referral.id == SlotHold.referral_id)
        .where(
            SlotHold.clinician_id.in_(sorted(set(clinician_ids))),
            SlotHold.status == HoldStatus.HELD,
            SlotHold.expires_at > work.now,
            SlotHold.starts_at < ends,
            SlotHold.ends_at > begins,
        )
        .order_by(SlotHold.starts_at, SlotHold.id)
    )
    return [(row[0], row[1]) for row in rows]


def expire_overdue(
    work: Work, *, clinician_ids: Iterable[int] | None = None, branch_id: int | None = None
) -> int:  # fmt: skip
    """Holds whose time is up let go; how many did."""
    query = sa.select(SlotHold).where(SlotHold.status == HoldStatus.HELD, SlotHold.expires_at <= work.now)
    if clinician_ids is not None:
        query = query.where(SlotHold.clinician_id.in_(sorted(set(clinician_ids))))
    if branch_id is not None:
        query = query.where(SlotHold.branch_id == branch_id)
    overdue = list(
        work.session.scalars(
            query.order_by(SlotHold.id).with_for_update(), execution_options={"populate_existing": True}
        )
    )
    for hold in overdue:
        end(work, hold, HoldStatus.EXPIRED, "expired")
    return len(overdue)


def end(work: Work, hold: SlotHold, status: HoldStatus, reason: str) -> None:
    """The slot is held no longer, and why."""
    hold.status, hold.ended_at, hold.end_reason = status, work.now, reason
    work.session.flush()  # the guards let go before anybody else takes hold
    work.record(f"hold.{status.value}", f"hold:{hold.id}", referral=hold.referral_id, reason=reason)
    if status is HoldStatus.EXPIRED:
        work.publish(HoldExpired(hold_id=hold.id))
