"""Who was watched at work, by whom, with what result; who stands for assistants; what was told of missed visits."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import Discipline


class AideConcern(Base):
    """A concern about an aide's work: the named tasks are the aide's no more until observed and passed (SUP-02)."""

    __tablename__ = "aide_concern"
    id: Mapped[int] = row_id()
    aide_id: Mapped[int] = refers_to("clinician.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    noted_by_id: Mapped[int] = refers_to("clinician.id")
    supervision_id: Mapped[int | None] = may_refer_to("supervision.id")
    noted_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: Tasks in question; after a verified deficiency those related to them as well. Empty: all.
    tasks: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    #: What the observation on site found: None until it was made.
    deficient: Mapped[bool | None] = mapped_column(sa.Boolean)
    #: From this day on the aide may do the tasks again.
    cleared_on: Mapped[date | None] = mapped_column(sa.Date)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class AideObservation(Base):
    """An aide was watched on site while giving care (SUP-02, SUP-03, SUP-04)."""

    __tablename__ = "aide_observation"
    id: Mapped[int] = row_id()
    aide_id: Mapped[int] = refers_to("clinician.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    observer_id: Mapped[int] = refers_to("clinician.id")
    concern_id: Mapped[int | None] = may_refer_to("aide_concern.id")
    observed_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    passed: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class AssistantSupervision(Base):
    """The nurse or therapist saw to the work of an LVN, PTA or COTA with this patient (SUP-05)."""

    __tablename__ = "assistant_supervision"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    assistant_id: Mapped[int] = refers_to("clinician.id")
    supervisor_id: Mapped[int] = refers_to("clinician.id")
    supervised_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class TherapistOfRecord(Base):
    """The therapist who answers for a discipline's assistants with this patient, from that day on (SUP-05).

    The evaluating therapist needs no row; a row is the reassignment in writing.
    """

    __tablename__ = "therapist_of_record"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    discipline: Mapped[Discipline] = enum_column(Discipline, nullable=False)
    clinician_id: Mapped[int] = refers_to("clinician.id")
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    reason: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    assigned_by_id: Mapped[int] = refers_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class BillException(Base):
    """Somebody permitted released a visit's bill from a rule, under a listed exception (QUAL-02, THX-01)."""

    __tablename__ = "bill_exception"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int] = refers_to("visit.id")
    rule: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    code: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    user_id: Mapped[int] = refers_to("app_user.id")
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("visit_id", "rule"),)


class MissedNotice(Base):
    """The practitioner or the patient was told of a missed visit: when, how, and what was instructed (VIS-01)."""

    __tablename__ = "missed_notice"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int] = refers_to("visit.id")
    #: `practitioner` or `patient`.
    told: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    how: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    instruction: Mapped[str | None] = mapped_column(sa.Text)
    told_by_id: Mapped[int] = refers_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class WrittenSchedule(Base):
    """The patient has the visits to come in writing, in their language (VIS-05)."""

    __tablename__ = "written_schedule"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    given_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    given_by_id: Mapped[int] = refers_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
