"""Clinicians, credentials, skills, languages, shifts, time off, exclusions; physicians."""

from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import ExclusionList, Gender, OvertimeProfile, Performer, PractitionerType


class Clinician(Versioned, Base):
    """Somebody who makes visits."""

    __tablename__ = "clinician"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    employee_no: Mapped[str] = mapped_column(sa.String(40), nullable=False, unique=True)
    given_name: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    family_name: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    performer: Mapped[Performer] = enum_column(Performer, nullable=False)
    gender: Mapped[Gender] = enum_column(Gender, nullable=False, default=Gender.UNKNOWN)
    start_lat: Mapped[float] = mapped_column(sa.Float, nullable=False)
    start_lon: Mapped[float] = mapped_column(sa.Float, nullable=False)
    end_lat: Mapped[float] = mapped_column(sa.Float, nullable=False)
    end_lon: Mapped[float] = mapped_column(sa.Float, nullable=False)
    #: Paid minutes a week before overtime, and the most that may be planned.
    weekly_minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=2400)
    weekly_maximum_minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=2700)
    #: Visits a day that the agency counts as a full day.
    productivity_target: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=6)
    max_visits_per_day: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=8)
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    demo: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: How overtime is counted (LAB-01).
    ot_profile: Mapped[OvertimeProfile] = enum_column(OvertimeProfile, nullable=False, default=OvertimeProfile.STANDARD)
    #: From which day a written waiver of the first and of the second meal holds; both may be revoked (LAB-02).
    first_meal_waived_on: Mapped[date | None] = mapped_column(sa.Date)
    second_meal_waived_on: Mapped[date | None] = mapped_column(sa.Date)
    #: Found on a federal exclusion list that day, and not cleared since; every list was last asked on that (CRD-01).
    excluded_on: Mapped[date | None] = mapped_column(sa.Date)
    exclusions_checked_on: Mapped[date | None] = mapped_column(sa.Date)

    credentials: Mapped[list["Credential"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Credential.id"
    )
    skills: Mapped[list["ClinicianSkill"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ClinicianSkill.skill"
    )
    languages: Mapped[list["ClinicianLanguage"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ClinicianLanguage.code"
    )
    shifts: Mapped[list["Shift"]] = relationship(cascade="all, delete-orphan", lazy="selectin", order_by="Shift.id")
    time_off: Mapped[list["TimeOff"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="TimeOff.starts_at"
    )
    exclusions: Mapped[list["Exclusion"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Exclusion.patient_id"
    )


class Credential(Base):
    """A licence, certificate or clearance with its period; the expiry day is a valid day (CRD-01)."""

    __tablename__ = "credential"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    #: `licence` decides whether the clinician may visit; others (`cpr`, `tb`, `driver`) remind.
    kind: Mapped[str] = mapped_column(sa.String(40), nullable=False, default="licence")
    number: Mapped[str | None] = mapped_column(sa.String(60))
    issued_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    expires_on: Mapped[date | None] = mapped_column(sa.Date)
    status: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="active")
    verified_on: Mapped[date | None] = mapped_column(sa.Date)
    #: Kinds of visits that a restriction on the licence forbids.
    restricted_kinds: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))


class ExclusionCheck(Base):
    """One look at a federal exclusion list for one clinician (CRD-01): monthly, of both lists."""

    __tablename__ = "exclusion_check"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    source: Mapped[ExclusionList] = enum_column(ExclusionList, nullable=False)
    checked_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    matched: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")


class AideCompetence(Base):
    """What keeps an aide's competence from lapsing besides the visits on record here (AID-03)."""

    __tablename__ = "aide_competence"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id", unique=True, index=False)
    #: Last day of paid work as an aide, wherever it was.
    last_paid_work_on: Mapped[date | None] = mapped_column(sa.Date)
    #: Day of the latest training and competency evaluation that was passed.
    requalified_on: Mapped[date | None] = mapped_column(sa.Date)
    #: First day of the twelve months in which twelve hours of in-service training are due.
    year_began_on: Mapped[date | None] = mapped_column(sa.Date)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class InService(Base):
    """In-service training that an aide attended (AID-03)."""

    __tablename__ = "in_service"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    held_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    topic: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.CheckConstraint("minutes BETWEEN 5 AND 1440", name="minutes"),)


class ClinicianSkill(Base):
    """Something beyond the profession that the clinician was found competent in: wound-vac, picc, iv."""

    __tablename__ = "clinician_skill"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    skill: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    __table_args__ = (sa.UniqueConstraint("clinician_id", "skill"),)


class ClinicianLanguage(Base):
    """A language in which the clinician is qualified to give care (LNG-01)."""

    __tablename__ = "clinician_language"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    code: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    qualified_on: Mapped[date | None] = mapped_column(sa.Date)
    expires_on: Mapped[date | None] = mapped_column(sa.Date)
    __table_args__ = (sa.UniqueConstraint("clinician_id", "code"),)


class Shift(Base):
    """Working hours: every `weekday` (Monday 0), or on one `on_date`, which then replaces that day's weekly hours.

    A dated row without hours is a day off. Wall clock of the branch.
    """

    __tablename__ = "shift"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    weekday: Mapped[int | None] = mapped_column(sa.Integer)
    on_date: Mapped[date | None] = mapped_column(sa.Date)
    starts: Mapped[time | None] = mapped_column(sa.Time)
    ends: Mapped[time | None] = mapped_column(sa.Time)
    __table_args__ = (sa.CheckConstraint("(weekday IS NULL) <> (on_date IS NULL)", name="weekday_or_date"),)


class TimeOff(Base):
    """A stretch in which the clinician does not work: leave, or a sick call."""

    __tablename__ = "time_off"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    reason: Mapped[str] = mapped_column(sa.String(60), nullable=False)


class Exclusion(Base):
    """This clinician does not visit this patient, and why, in a code."""

    __tablename__ = "exclusion"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    reason: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    __table_args__ = (sa.UniqueConstraint("clinician_id", "patient_id"),)


class MealPeriod(Base):
    """A meal as it was taken, off duty, by the clinician's own word (LAB-02): never rounded."""

    __tablename__ = "meal_period"
    id: Mapped[int] = row_id()
    clinician_id: Mapped[int] = refers_to("clinician.id")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    __table_args__ = (sa.CheckConstraint("ends_at > starts_at", name="times"),)


class Physician(Versioned, Base):
    """A practitioner who refers, certifies and orders."""

    __tablename__ = "physician"
    id: Mapped[int] = row_id()
    npi: Mapped[str] = mapped_column(sa.String(10), nullable=False, unique=True)
    given_name: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    family_name: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    practitioner_type: Mapped[PractitionerType] = enum_column(PractitionerType, nullable=False)
    organisation: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    is_kp: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    demo: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
