"""Named scenarios beside the live plan, and their runs. Nothing here refers to a visit: no row of care is touched."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import RunStatus


class Scenario(Versioned, Base):
    """What would be otherwise: people more or less, other prices, over some days of a branch."""

    __tablename__ = "scenario"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    name: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    start_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    end_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: {"new_clinicians": [...], "without_clinicians": [...], "more_referrals": [...], "prices": {name: cents}}
    changes: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    made_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("branch_id", "name"),)


class ScenarioRun(Base):
    """One comparison: the days as they are and as the scenario has them, searched alike. It cannot be published."""

    __tablename__ = "scenario_run"
    id: Mapped[int] = row_id()
    scenario_id: Mapped[int] = refers_to("scenario.id")
    seconds: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    seed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    iterations: Mapped[int | None] = mapped_column(sa.Integer)
    status: Mapped[RunStatus] = enum_column(RunStatus, nullable=False, index=True)
    cancel_requested: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    requested_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: {"part": "base" or "variant", "seconds", "iterations", "wanted", "placed", "cost"} while it runs.
    progress: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    #: {"base": {...}, "variant": {...}, "difference": {...}}
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(sa.Text)
