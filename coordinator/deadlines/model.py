"""A dated obligation."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus, DeadlineWaiver


class Deadline(Versioned, Base):
    """Something that must have happened by a day, because a rule says so; one row per rule, subject and due day."""

    __tablename__ = "deadline"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    rule: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: What it is about: `referral:7`, `order:12`, `visit:9`, `patient:3`.
    subject: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    due_on: Mapped[date] = mapped_column(sa.Date, nullable=False, index=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: What is to be done, as a code of `words.TASKS`.
    task: Mapped[str] = mapped_column(sa.String(40), nullable=False, server_default="")
    owner_role: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    status: Mapped[DeadlineStatus] = enum_column(DeadlineStatus, nullable=False, index=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The first day on which it is overdue: the day after the due day, and after the rule's grace.
    escalate_on: Mapped[date] = mapped_column(sa.Date, nullable=False, server_default="9999-12-31")
    #: The next day on which somebody is to be told; None when all was said, and for what is watched by the hour.
    tell_on: Mapped[date | None] = mapped_column(sa.Date)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_reason: Mapped[str | None] = mapped_column(sa.String(300))
    #: Who closed it: what the facts closed, the facts may open again; what a person closed stays closed.
    closed_by: Mapped[ClosedBy | None] = mapped_column(EnumText(ClosedBy))
    waiver: Mapped[DeadlineWaiver | None] = mapped_column(EnumText(DeadlineWaiver))
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    __table_args__ = (
        sa.UniqueConstraint("rule", "subject", "due_on"),
        sa.Index("ix_deadline_branch_status", "branch_id", "status"),
        sa.Index("ix_deadline_branch_tell", "branch_id", "tell_on"),
    )
