"""The outbox: mail that waits, was sent or was given up, and where people want it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, refers_to, row_id


class MailStatus(StrEnum):
    """Life of a mail. One that is being sent is due again when its sender falls silent."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    #: Whom it was for has no address any more, or no account.
    WITHDRAWN = "withdrawn"
    GIVEN_UP = "given_up"


class Channel(StrEnum):
    """By which way a message leaves the house."""

    EMAIL = "email"
    SMS = "sms"


class Contact(Versioned, Base):
    """Where somebody wants to hear of notices outside the product, in which language, and of whose."""

    __tablename__ = "contact"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id", unique=True, index=False)
    email: Mapped[str | None] = mapped_column(sa.String(200))
    #: Where text messages go, as +14155550100. They tell of single notices alone, never of several.
    phone: Mapped[str | None] = mapped_column(sa.String(20))
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: Whether they hear of what a role of theirs is told as well, gathered unless it is urgent.
    of_roles: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    __table_args__ = (sa.CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="somewhere"),)


class Mail(Base):
    """One message that tells somebody that something waits, written in the transaction of its cause; one per key.

    It has no words of its own: what it says is made of `kind`, `number` and the reader's language when it is sent.
    """

    __tablename__ = "mail"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(sa.String(160), nullable=False, unique=True)
    branch_id: Mapped[int] = refers_to("branch.id", index=False)
    user_id: Mapped[int] = refers_to("app_user.id")
    channel: Mapped[Channel] = enum_column(Channel, nullable=False, default=Channel.EMAIL)
    #: `notice`, of which `number` is one; `digest`, which is of a day; or `roles`, of what came for one's roles.
    kind: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    number: Mapped[int | None] = mapped_column(sa.BigInteger)
    status: Mapped[MailStatus] = enum_column(MailStatus, nullable=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: When it may next be tried; while it is being sent, when its sender is taken to be dead.
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: From when the time counts after which it is given up: when it was first due.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Why the last attempt failed, as a code.
    problem: Mapped[str | None] = mapped_column(sa.String(40))
    #: What lists are ordered by, newest first.
    newest_first: Mapped[int] = column_property(-id)  # noqa: A003  (the column above)
    __table_args__ = (sa.Index("ix_mail_branch_due", "branch_id", "status", "next_try_at"),)
