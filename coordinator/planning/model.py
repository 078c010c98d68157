"""Planning run, its placements and what it could not place; versions of published rosters."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import RunStatus


class PlanRun(Versioned, Base):
    """One run of the planner over a branch and a stretch of days; its result does not change once written."""

    __tablename__ = "plan_run"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    kind: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="week")
    start_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    end_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    seconds: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    seed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    #: If set, the search stops after so many iterations: same seed and iterations, same plan.
    iterations: Mapped[int | None] = mapped_column(sa.Integer)
    status: Mapped[RunStatus] = enum_column(RunStatus, nullable=False, index=True)
    requested_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    cancel_requested: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: {"seconds", "iterations", "wanted", "placed", "cost"} while it runs.
    progress: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    #: Hash of the problem, and of problem and plan together.
    problem_hash: Mapped[str | None] = mapped_column(sa.String(64))
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64))
    #: wanted, placed, unplaced, travel_minutes, overtime_minutes, continuity, violations, score per constraint.
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(sa.Text)


class Placement(Base):
    """Where a run puts one visit, and the version of the visit it read: publication refuses if that changed."""

    __tablename__ = "placement"
    id: Mapped[int] = row_id()
    run_id: Mapped[int] = refers_to("plan_run.id")
    visit_id: Mapped[int] = refers_to("visit.id")
    visit_version: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    clinician_id: Mapped[int] = refers_to("clinician.id")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Where the visit was when the run began, if anywhere.
    old_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    old_starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Minutes of travel before the visit, for the roster.
    travel_minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    #: Why it is here and not where it was: {"code", "sentence", "visit" or nothing}.
    cause: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    published: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    __table_args__ = (sa.UniqueConstraint("run_id", "visit_id"),)


class Unplaced(Base):
    """A visit that a run could not place, with its reasons per clinician."""

    __tablename__ = "unplaced"
    id: Mapped[int] = row_id()
    run_id: Mapped[int] = refers_to("plan_run.id")
    visit_id: Mapped[int] = refers_to("visit.id")
    visit_version: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    #: Where the visit was when the run began, if anywhere: publication takes it away from there.
    old_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    old_starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: [{"code", "sentence", "clinician_id" or null, "clinician_ids", "day" or null, "days", "facts"}]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False)
    __table_args__ = (sa.UniqueConstraint("run_id", "visit_id"),)


class RosterVersion(Base):
    """A published state of one clinician's day; numbers rise by one with each publication that changes the day."""

    __tablename__ = "roster_version"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    day: Mapped[date] = mapped_column(sa.Date, nullable=False)
    number: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    run_id: Mapped[int | None] = may_refer_to("plan_run.id")
    #: Why it changed: `publish`, `move`, `cancel`, `missed`.
    cause: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    published_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    __table_args__ = (sa.UniqueConstraint("clinician_id", "day", "number"),)
