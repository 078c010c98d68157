"""A slot held for a referral that nobody accepted yet."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import HoldStatus


class SlotHold(Versioned, Base):
    """A clinician's time for the start of care of a referral: while it is `held`, the database lets nothing overlap it.

    A visit's own held slot is a visit that is `pending`; here there is no patient yet who could have one.
    """

    __tablename__ = "slot_hold"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    referral_id: Mapped[int] = refers_to("referral.id")
    clinician_id: Mapped[int] = refers_to("clinician.id", index=False)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    status: Mapped[HoldStatus] = enum_column(HoldStatus, nullable=False)
    held_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    held_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Why it is held no longer: `by-hand`, `expired`, `accepted`, `referral-closed`, or the code of a refusal.
    end_reason: Mapped[str | None] = mapped_column(sa.String(40))
    #: The start-of-care visit that it became.
    visit_id: Mapped[int | None] = may_refer_to("visit.id")

    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="times"),
        sa.Index("ix_slot_hold_clinician_time", "clinician_id", "starts_at"),
        sa.Index("ix_slot_hold_expiry", "status", "expires_at"),
        sa.Index(
            "uq_slot_hold_referral",
            "referral_id",
            unique=True,
            sqlite_where=sa.text("status = 'held'"),
            postgresql_where=sa.text("status = 'held'"),
        ),
    )
