"""A repair of a published plan, and what it would change."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import RepairDeed, RepairKind, RepairStatus


class Repair(Versioned, Base):
    """What happened, and the best answer found so far; it touches no visit before it is approved."""

    __tablename__ = "repair"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    kind: Mapped[RepairKind] = enum_column(RepairKind, nullable=False)
    #: What happened, in plain values (`events.Happening.as_json`).
    event: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    #: The change budget: others than those the event hits. None: no limit.
    max_patients: Mapped[int | None] = mapped_column(sa.Integer)
    max_visits: Mapped[int | None] = mapped_column(sa.Integer)
    start_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    end_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    seconds: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    seed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    status: Mapped[RepairStatus] = enum_column(RepairStatus, nullable=False, index=True)
    #: A worker is still looking for a better one.
    searching: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: The clinician-days that it was made from, as {"<clinician>/<day>": hash of what stands there}.
    base: Mapped[dict[str, str]] = mapped_column(sa.JSON, nullable=False)
    #: Counts, cost and its parts, the cost curve.
    result: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    requested_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    decided_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    changes: Mapped[list["RepairChange"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="RepairChange.visit_id"
    )
    __table_args__ = (sa.Index("ix_repair_branch_time", "branch_id", "requested_at"),)


class RepairChange(Base):
    """What a repair does to one visit, or that it can do nothing for it."""

    __tablename__ = "repair_change"
    id: Mapped[int] = row_id()
    repair_id: Mapped[int] = refers_to("repair.id")
    visit_id: Mapped[int] = refers_to("visit.id")
    visit_version: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    patient_id: Mapped[int] = refers_to("patient.id")
    change: Mapped[RepairDeed] = enum_column(RepairDeed, nullable=False)
    #: Any of `clinician`, `day`, `time`.
    what: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    #: The event itself hits it; else it makes room.
    hit: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    #: The patient had been told of where it stood.
    told: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    old_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    old_starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Whether the patient knows who comes: `primary`, `known`, `new`, or nothing where nobody is known.
    face: Mapped[str | None] = mapped_column(sa.String(10))
    #: Why: {"code", "sentence", "visit" or nothing}.
    cause: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    #: Why it has no place, as of a run's visit that is left out.
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    #: Done by the approval.
    approved: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    __table_args__ = (sa.UniqueConstraint("repair_id", "visit_id"),)
