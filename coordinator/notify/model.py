"""A notice."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column

from coordinator.core.db import Base, UtcDateTime, may_refer_to, row_id


class Notice(Base):
    """Something a person or a role at a branch should know; carries codes and ids, never a patient's name."""

    __tablename__ = "notice"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int | None] = may_refer_to("branch.id")
    user_id: Mapped[int | None] = may_refer_to("app_user.id")
    role: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    kind: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    subject: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    #: One notice per key: an event that is handled twice tells once.
    key: Mapped[str] = mapped_column(sa.String(120), nullable=False, unique=True)
    #: What lists are ordered by, newest first: pages go upwards, and this does when numbers go down.
    newest_first: Mapped[int] = column_property(-id)  # noqa: A003  (the column above)
