"""Tasks, and what happened to them."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.teamwork import (
    Desk,
    TaskCancel,
    TaskDeed,
    TaskKind,
    TaskOutcome,
    TaskPriority,
    TaskSource,
    TaskStatus,
)


class Task(Versioned, Base):
    """Something that a person, or whoever sits at a desk, is asked to do by a day; one per source and kind.

    What a patient or a member of the team wrote stands in `note` and `outcome_note` alone, never in a title.
    """

    __tablename__ = "task"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    kind: Mapped[TaskKind] = enum_column(TaskKind, nullable=False)
    source: Mapped[TaskSource] = enum_column(TaskSource, nullable=False)
    #: What asks: `assessment:7`, `conference:3`; with source and kind, the task's natural key.
    source_ref: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    #: What it is about besides, as a kind and a number: `order:12`.
    about: Mapped[str | None] = mapped_column(sa.String(60))
    note: Mapped[str | None] = mapped_column(sa.Text)
    priority: Mapped[TaskPriority] = enum_column(TaskPriority, nullable=False)
    #: The desk whose list it is on; kept when a person takes it, so that it can go back there.
    owner_role: Mapped[Desk | None] = mapped_column(EnumText(Desk))
    owner_id: Mapped[int | None] = may_refer_to("app_user.id")
    asked_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    #: The last day in the branch's zone, and the latest instant where there is one.
    due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The first instant at which it is late: `due_at`, or the end of the branch's `due_on`.
    late_from: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    status: Mapped[TaskStatus] = enum_column(TaskStatus, nullable=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    outcome: Mapped[TaskOutcome | None] = mapped_column(EnumText(TaskOutcome))
    outcome_note: Mapped[str | None] = mapped_column(sa.Text)
    cancelled_for: Mapped[TaskCancel | None] = mapped_column(EnumText(TaskCancel))
    #: The desk that heard last that it is late, and when the next one hears; None: nobody is left to tell.
    escalated_to: Mapped[Desk | None] = mapped_column(EnumText(Desk))
    escalate_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        sa.UniqueConstraint("source", "source_ref", "kind"),
        sa.CheckConstraint("owner_role IS NOT NULL OR owner_id IS NOT NULL", name="has_owner"),
        sa.Index("ix_task_branch_status", "branch_id", "status", "late_from"),
        sa.Index("ix_task_branch_escalate", "branch_id", "escalate_at"),
    )


class TaskStep(Base):
    """One thing that happened to a task: by whom, from which list to which, and why. Never changed."""

    __tablename__ = "task_step"
    id: Mapped[int] = row_id()
    task_id: Mapped[int] = refers_to("task.id")
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    by_id: Mapped[int | None] = may_refer_to("app_user.id")
    deed: Mapped[TaskDeed] = enum_column(TaskDeed, nullable=False)
    to_role: Mapped[Desk | None] = mapped_column(EnumText(Desk))
    to_id: Mapped[int | None] = may_refer_to("app_user.id")
    reason: Mapped[str | None] = mapped_column(sa.String(40))
    note: Mapped[str | None] = mapped_column(sa.Text)
