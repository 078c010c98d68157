"""A handoff card: what the next clinician of a patient is to know, from whom, and whether it was read."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.handoffs import HandoffCause, HandoffStatus, StartOverHandoff
from coordinator.domain.vocabulary import Discipline

_LIVE = sa.text("status IN ('draft', 'finished', 'acknowledged')")


class Handoff(Versioned, Base):
    """One card. A draft's content is read from the record; a person's finishing keeps it as it is then."""

    __tablename__ = "handoff"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id", index=False)
    discipline: Mapped[Discipline] = enum_column(Discipline, nullable=False)
    cause: Mapped[HandoffCause] = enum_column(HandoffCause, nullable=False)
    status: Mapped[HandoffStatus] = enum_column(HandoffStatus, nullable=False)
    from_clinician_id: Mapped[int] = refers_to("clinician.id")
    to_clinician_id: Mapped[int] = refers_to("clinician.id")
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
        sa.CheckConstraint("from_clinician_id <> to_clinician_id", name="two_people"),
    )
