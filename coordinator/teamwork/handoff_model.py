"""A handoff card: what the next clinician of a patient is to know, from whom, and whether it was read."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.core.work import Actor
from coordinator.domain.handoffs import HandoffCause, HandoffStatus, StartOverHandoff
from coordinator.domain.vocabulary import Discipline

_LIVE = sa.text("status IN ('draft', 'finished', 'acknowledged')")
#: A card is between two clinicians of a discipline, or between two physicians.
_CLINICIANS = (
    "discipline IS NOT NULL AND from_clinician_id IS NOT NULL AND to_clinician_id IS NOT NULL "
    "AND from_clinician_id <> to_clinician_id AND from_physician_id IS NULL AND to_physician_id IS NULL"
)
_PHYSICIANS = (
    "discipline IS NULL AND from_clinician_id IS NULL AND to_clinician_id IS NULL "
    "AND from_physician_id IS NOT NULL AND to_physician_id IS NOT NULL AND from_physician_id <> to_physician_id"
)


class Handoff(Versioned, Base):
    """One card. A draft's content is read from the record; a person's finishing keeps it as it is then."""

    __tablename__ = "handoff"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id", index=False)
    #: None between physicians, whose card is about the whole care.
    discipline: Mapped[Discipline | None] = mapped_column(EnumText(Discipline))
    cause: Mapped[HandoffCause] = enum_column(HandoffCause, nullable=False)
    status: Mapped[HandoffStatus] = enum_column(HandoffStatus, nullable=False)
    from_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    to_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    from_physician_id: Mapped[int | None] = may_refer_to("physician.id")
    to_physician_id: Mapped[int | None] = may_refer_to("physician.id")
    #: The visit before which it is to be read; None where none is booked yet.
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    cover_id: Mapped[int | None] = may_refer_to("cover.id")
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: How often it was given to somebody else, so that each receiver's tasks are their own.
    turn: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    #: What the record said when it was finished; see `handoff_drafts`.
    content: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    #: In the words of whoever finished it.
    changed: Mapped[str | None] = mapped_column(sa.Text)
    watch: Mapped[str | None] = mapped_column(sa.Text)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    passed_over_for: Mapped[StartOverHandoff | None] = mapped_column(EnumText(StartOverHandoff))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        sa.Index(
            "uq_handoff_live",
            "patient_id",
            "discipline",
            "to_clinician_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        sa.Index(
            "uq_handoff_live_physician",
            "patient_id",
            "to_physician_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        sa.CheckConstraint(f"({_CLINICIANS}) OR ({_PHYSICIANS})", name="two_people"),
    )

    def is_giver(self, actor: Actor) -> bool:
        """Whether the actor is whoever was there last, or directed the care until now."""
        return _same(self.from_clinician_id, actor.clinician_id) or _same(self.from_physician_id, actor.physician_id)

    def is_receiver(self, actor: Actor) -> bool:
        """Whether the actor is whoever comes next, or directs the care from now on."""
        return _same(self.to_clinician_id, actor.clinician_id) or _same(self.to_physician_id, actor.physician_id)


def _same(one: int | None, other: int | None) -> bool:
    return one is not None and one == other
