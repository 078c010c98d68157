"""Webhooks: programs of others that hear of events, and each telling of one."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.notify.mail_model import MailStatus


class Webhook(Versioned, Base):
    """An address that hears of some kinds of events, of one branch or of all. Its secret stands in no row.

    The secret is made of the installation's key, the number and the `salt`; another salt is another secret.
    """

    __tablename__ = "webhook"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int | None] = may_refer_to("branch.id")
    url: Mapped[str] = mapped_column(sa.String(500), nullable=False)
    note: Mapped[str | None] = mapped_column(sa.String(200))
    kinds: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    salt: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    created_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    #: Why it is off, as a code: `switched-off`, or `gone` when the receiver said so.
    off_because: Mapped[str | None] = mapped_column(sa.String(40))


class WebhookDelivery(Base):
    """One event for one webhook, written in the transaction of its cause; one per key.

    What is sent is made of the row: kind, subject and version, the same however often it is tried.
    """

    __tablename__ = "webhook_delivery"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(sa.String(160), nullable=False, unique=True)
    webhook_id: Mapped[int] = refers_to("webhook.id", index=False)
    branch_id: Mapped[int] = refers_to("branch.id", index=False)
    kind: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    #: What it is about: a noun, its number and its version then.
    noun: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    number: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    of_version: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    status: Mapped[MailStatus] = enum_column(MailStatus, nullable=False)
    #: When it may next be tried; while it is being sent, when its sender is taken to be dead.
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: From when the time counts after which it is given up.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Each attempt, the latest last: {at, answer (a status or null), problem (a code or null)}.
    log: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    #: What lists are ordered by, newest first.
    newest_first: Mapped[int] = column_property(-id)  # noqa: A003  (the column above)
    __table_args__ = (
        sa.Index("ix_webhook_delivery_due", "branch_id", "status", "next_try_at"),
        sa.Index("ix_webhook_delivery_webhook", "webhook_id", "status"),
    )
