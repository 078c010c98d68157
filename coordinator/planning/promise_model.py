"""What was promised of a referral before it was accepted."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import RunStatus


class Promise(Base):
    """One answer to "can you start, and can you go on": its question, its offers and its words. It never changes."""

    __tablename__ = "promise"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    referral_id: Mapped[int] = refers_to("referral.id")
    #: {"services": [...], "offers", "interpreter", "seconds"}, every default filled in.
    request: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    status: Mapped[RunStatus] = enum_column(RunStatus, nullable=False, index=True)
    requested_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(sa.Text)
