"""What a visit carries besides its own purpose: a dated obligation that it is to meet when it is made."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, refers_to, row_id
from coordinator.domain.vocabulary import VisitKind


class VisitDuty(Base):
    """A visit is to meet an obligation: the aide's supervision, the therapist's reassessment, recertification.

    One visit at a time carries a deadline; a row is never taken away, it ends.
    """

    __tablename__ = "visit_duty"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int] = refers_to("visit.id")
    deadline_id: Mapped[int] = refers_to("deadline.id", index=False)
    rule: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: First and last day on which the visit would meet it, branch days, both included.
    first_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    last_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: What the visit was planned as before it carried this; None where that did not change.
    kind_before: Mapped[VisitKind | None] = mapped_column(EnumText(VisitKind))
    #: The visit was asked for because of it, and is not wanted without it.
    raised: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    attached_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: `met` by the visit, or `released`: the visit went elsewhere, or the obligation ended otherwise.
    outcome: Mapped[str | None] = mapped_column(sa.String(20))
    __table_args__ = (
        sa.CheckConstraint("last_on >= first_on", name="days"),
        sa.Index(
            "uq_visit_duty_deadline",
            "deadline_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )
