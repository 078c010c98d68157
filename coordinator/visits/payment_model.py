"""What is known of the payment of an episode: the threshold of each period, and the notice of admission (PAY)."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, may_refer_to, refers_to, row_id


class PaymentPeriod(Base):
    """The case-mix group of one payment period of 30 days, and its threshold in visits. For people alone (PAY-01)."""

    __tablename__ = "payment_period"
    id: Mapped[int] = row_id()
    episode_id: Mapped[int] = refers_to("episode.id", index=False)
    #: 1, 2, ... from the start of care.
    number: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    case_mix_group: Mapped[str] = mapped_column(sa.String(10), nullable=False)
    threshold: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    __table_args__ = (sa.UniqueConstraint("episode_id", "number", name="uq_payment_period_number"),)


class AdmissionNotice(Base):
    """The notice of admission as it was submitted (PAY-02)."""

    __tablename__ = "admission_notice"
    id: Mapped[int] = row_id()
    episode_id: Mapped[int] = refers_to("episode.id", index=False, unique=True)
    submitted_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
