"""Requests for a record, what was given out of it, breaches, and holds that keep it (SEC-09 to SEC-12)."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import ROW_ID, Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import DisclosurePurpose, RecordRequestKind, RecordRequestStatus


class RecordRequest(Versioned, Base):
    """A patient, or who speaks for them, asks for the record (SEC-09)."""

    __tablename__ = "record_request"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    kind: Mapped[RecordRequestKind] = enum_column(RecordRequestKind, nullable=False)
    #: `patient` or `representative`.
    requested_by: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    requested_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: Which of the laws' days `due_on` is: `next_visit`, `federal`, `state`.
    due_by: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    status: Mapped[RecordRequestStatus] = enum_column(
        RecordRequestStatus, nullable=False, default=RecordRequestStatus.OPEN
    )
    closed_on: Mapped[date | None] = mapped_column(sa.Date)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")


class Disclosure(Base):
    """Something of a record was given to somebody outside (SEC-10): apart from the trail of who read it inside."""

    __tablename__ = "disclosure"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    disclosed_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    recipient: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    recipient_address: Mapped[str | None] = mapped_column(sa.String(300))
    purpose: Mapped[DisclosurePurpose] = enum_column(DisclosurePurpose, nullable=False)
    #: What was given out, and for what, in a sentence each (45 CFR 164.528(b)(2)).
    what: Mapped[str] = mapped_column(sa.Text, nullable=False)
    statement: Mapped[str] = mapped_column(sa.Text, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class Breach(Versioned, Base):
    """Records were seen by somebody who may not see them (SEC-11)."""

    __tablename__ = "breach"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    detected_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: What happened, in a code: `lost-device`, `wrong-address`, `snooping`.
    kind: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    state_due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    federal_due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    state_told_on: Mapped[date | None] = mapped_column(sa.Date)
    patients_told_on: Mapped[date | None] = mapped_column(sa.Date)
    federal_told_on: Mapped[date | None] = mapped_column(sa.Date)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")


class BreachPatient(Base):
    """A patient whose record was seen in a breach."""

    __tablename__ = "breach_patient"
    id: Mapped[int] = row_id()
    breach_id: Mapped[int] = refers_to("breach.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    __table_args__ = (sa.UniqueConstraint("breach_id", "patient_id"),)


class LegalHold(Base):
    """Nothing of the record is destroyed while this stands, whatever the years (SEC-12)."""

    __tablename__ = "legal_hold"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    reason: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    placed_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    placed_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    released_on: Mapped[date | None] = mapped_column(sa.Date)
    released_by_id: Mapped[int | None] = may_refer_to("app_user.id")


class Destruction(Base):
    """A record that was destroyed after its years: what is left of it (SEC-12).

    While `finished_at` is None, in the transaction that destroys it, the database lets go what was signed.
    """

    __tablename__ = "destruction"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    #: The patient's number, which the trail still names; there is no such row any more.
    patient_number: Mapped[int] = mapped_column(ROW_ID, nullable=False, unique=True)
    kept_until: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: How many rows went, by table.
    rows: Mapped[dict[str, int]] = mapped_column(sa.JSON, nullable=False)
    by_id: Mapped[int | None] = may_refer_to("app_user.id")
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
