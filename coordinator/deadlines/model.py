"""A dated obligation."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import DeadlineStatus


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
    owner_role: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    status: Mapped[DeadlineStatus] = enum_column(DeadlineStatus, nullable=False, index=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_reason: Mapped[str | None] = mapped_column(sa.String(300))
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    __table_args__ = (sa.UniqueConstraint("rule", "subject", "due_on"),)
