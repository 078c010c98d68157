"""What may not be claimed yet."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, may_refer_to, refers_to, row_id


class BillHold(Base):
    """A rule keeps a visit, or a certification period, from being claimed (HOLD-BILL), from `opened_at` until cleared.

    About one visit (`visit_id`), about all visits of an order (`order_id`), or about one certification period of an
    episode (`period`; 0 is the time before start of care). At most one is open for a rule and a subject.
    """

    __tablename__ = "bill_hold"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    #: `visit:9`, `order:12` or `period:3/2`: the second certification period of episode 3.
    subject: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    order_id: Mapped[int | None] = may_refer_to("care_order.id")
    period: Mapped[int | None] = mapped_column(sa.Integer)
    rule: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: The findings as they were answered last: sentence, citation, facts and cure of each, never a name.
    findings: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: The event or the job that found it: `visit-completed`, `sweep`.
    opened_by: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cleared_by: Mapped[str | None] = mapped_column(sa.String(40))
    __table_args__ = (
        sa.Index(
            "uq_bill_hold_open",
            "subject",
            "rule",
            unique=True,
            sqlite_where=sa.text("cleared_at IS NULL"),
            postgresql_where=sa.text("cleared_at IS NULL"),
        ),
    )
