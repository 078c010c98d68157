"""Answers to instruments, readings and their limits, team conferences, plan domains, and advance care documents."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.care import (
    AssessmentStatus,
    CareDomain,
    ConferenceStatus,
    ContactMode,
    DirectiveKind,
    DirectiveSigner,
    DirectiveStatus,
    InstrumentCode,
    Measure,
    Presence,
    Respondent,
    Resuscitation,
    TeamRole,
)
from coordinator.domain.vocabulary import Performer, PractitionerType


class Assessment(Versioned, Base):
    """One set of answers to one instrument, with the score that the server made of it (rule book, section 13)."""

    __tablename__ = "assessment"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int | None] = may_refer_to("episode.id")
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    #: The caregiver whom it is about (ZBI-12); None: the patient.
    caregiver_id: Mapped[int | None] = may_refer_to("caregiver.id")
    instrument: Mapped[InstrumentCode] = enum_column(InstrumentCode, nullable=False)
    #: Of the structure in `config/instruments.toml` by which it was scored.
    structure: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    assessed_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: The branch's day of `assessed_at`: rules count days from it.
    assessed_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    respondent: Mapped[Respondent] = enum_column(Respondent, nullable=False)
    mode: Mapped[ContactMode] = enum_column(ContactMode, nullable=False)
    #: Answers by the code of their item: whole numbers, or words where the item asks for words.
    answers: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    #: None while an item that counts has no answer, and for instruments that are never summed.
    total: Mapped[int | None] = mapped_column(sa.Integer)
    band: Mapped[str | None] = mapped_column(sa.String(40))
    complete: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    #: What the rules answered when it was recorded: rule, severity and codes, no answers.
    flags: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    status: Mapped[AssessmentStatus] = enum_column(AssessmentStatus, nullable=False)
    error_reason: Mapped[str | None] = mapped_column(sa.String(300))
    recorded_by: Mapped[int | None] = may_refer_to("app_user.id")
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (
        sa.Index("ix_assessment_series", "patient_id", "instrument", "assessed_at"),
        sa.CheckConstraint("complete OR total IS NULL", name="no_partial_total"),
    )


class InstrumentText(Base):
    """The agency's own licensed wording of one item in one language; the product ships none that is copyrighted."""

    __tablename__ = "instrument_text"
    id: Mapped[int] = row_id()
    instrument: Mapped[InstrumentCode] = enum_column(InstrumentCode, nullable=False)
    #: Code of the item, or `title`.
    item: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    #: On whose permission the agency uses these words.
    licence: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("instrument", "item", "language"),)


class AlertLimit(Versioned, Base):
    """From when on a measure of this patient is told to the practitioner (VIS-02); one limit per measure."""

    __tablename__ = "alert_limit"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id", index=False)
    measure: Mapped[Measure] = enum_column(Measure, nullable=False)
    #: Told when below `low` or above `high`; in the unit of the measure, see `care.readings`.
    low: Mapped[float | None] = mapped_column(sa.Float)
    high: Mapped[float | None] = mapped_column(sa.Float)
    #: Told when it rose by at least `rise` within `rise_days` days.
    rise: Mapped[float | None] = mapped_column(sa.Float)
    rise_days: Mapped[int | None] = mapped_column(sa.Integer)
    set_by: Mapped[int | None] = may_refer_to("app_user.id")
    set_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (
        sa.UniqueConstraint("patient_id", "measure"),
        sa.CheckConstraint("(rise IS NULL) = (rise_days IS NULL)", name="rise_in_days"),
    )


class Reading(Base):
    """Something measured at home."""

    __tablename__ = "reading"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id", index=False)
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    measure: Mapped[Measure] = enum_column(Measure, nullable=False)
    value: Mapped[float] = mapped_column(sa.Float, nullable=False)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    taken_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    recorded_by: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.Index("ix_reading_series", "patient_id", "measure", "taken_at"),)


class Conference(Versioned, Base):
    """The team's review of one patient's plan on one day (IDT-02)."""

    __tablename__ = "conference"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    held_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    status: Mapped[ConferenceStatus] = enum_column(ConferenceStatus, nullable=False)
    #: Whether it counts as the review that is owed; None while it is open.
    counts: Mapped[bool | None] = mapped_column(sa.Boolean)
    #: What was said and decided, in the team's words.
    summary: Mapped[str | None] = mapped_column(sa.Text)
    #: What the rules answered when it was closed: rule, severity and codes.
    flags: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    opened_by: Mapped[int | None] = may_refer_to("app_user.id")
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    closed_by: Mapped[int | None] = may_refer_to("app_user.id")
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    seats: Mapped[list["ConferenceSeat"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ConferenceSeat.id"
    )
    __table_args__ = (sa.UniqueConstraint("episode_id", "held_on"),)


class ConferenceSeat(Base):
    """One seat at a conference: who took it, or who spoke for it, and when they signed."""

    __tablename__ = "conference_seat"
    id: Mapped[int] = row_id()
    conference_id: Mapped[int] = refers_to("conference.id")
    role: Mapped[TeamRole] = enum_column(TeamRole, nullable=False)
    presence: Mapped[Presence] = enum_column(Presence, nullable=False)
    #: The profession of whoever sat or spoke: assistants cannot stand for therapy (SUP-05).
    performer: Mapped[Performer | None] = mapped_column(EnumText(Performer))
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    physician_id: Mapped[int | None] = may_refer_to("physician.id")
    #: Somebody who is neither of the staff nor a physician on file.
    name: Mapped[str | None] = mapped_column(sa.String(200))
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_by: Mapped[int | None] = may_refer_to("app_user.id")


class PlanDomain(Versioned, Base):
    """What a palliative plan says in one of its eight domains: an entry, or that no need was identified (IDT-03)."""

    __tablename__ = "plan_domain"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id", index=False)
    domain: Mapped[CareDomain] = enum_column(CareDomain, nullable=False)
    entry: Mapped[str | None] = mapped_column(sa.Text)
    no_need: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    written_by: Mapped[int | None] = may_refer_to("app_user.id")
    written_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (
        sa.UniqueConstraint("episode_id", "domain"),
        sa.CheckConstraint("no_need = (entry IS NULL)", name="entry_or_none"),
    )


class Directive(Versioned, Base):
    """A document that speaks for the patient: what it says, who signed it, and whether it holds (ACP-01)."""

    __tablename__ = "directive"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    kind: Mapped[DirectiveKind] = enum_column(DirectiveKind, nullable=False)
    status: Mapped[DirectiveStatus] = enum_column(DirectiveStatus, nullable=False)
    #: The date it bears; of two that differ, the later controls.
    executed_on: Mapped[date | None] = mapped_column(sa.Date)
    signed_by: Mapped[DirectiveSigner | None] = mapped_column(EnumText(DirectiveSigner))
    signed_on: Mapped[date | None] = mapped_column(sa.Date)
    practitioner_type: Mapped[PractitionerType | None] = mapped_column(EnumText(PractitionerType))
    practitioner_name: Mapped[str | None] = mapped_column(sa.String(200))
    practitioner_signed_on: Mapped[date | None] = mapped_column(sa.Date)
    notarised: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: [{"name": ..., "bars": [WitnessBar], "related": bool, "beneficiary": bool}]
    witnesses: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    #: [{"name": ..., "relation": ..., "phone": ..., "alternate": bool}]
    agents: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    resuscitation: Mapped[Resuscitation] = enum_column(Resuscitation, nullable=False, default=Resuscitation.UNSTATED)
    #: Other choices of its sections by their codes (`interventions: selective`).
    choices: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    instructions: Mapped[str | None] = mapped_column(sa.Text)
    original_at: Mapped[str | None] = mapped_column(sa.String(200))
    scan: Mapped[str | None] = mapped_column(sa.String(200))
    #: What the rule answered when it was last recorded: codes of what is missing.
    flags: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    superseded_by_id: Mapped[int | None] = may_refer_to("directive.id")
    ended_on: Mapped[date | None] = mapped_column(sa.Date)
    end_reason: Mapped[str | None] = mapped_column(sa.String(300))
    #: A physician has settled what holds where it differs from another document.
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_by: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class RightsTalk(Base):
    """The patient was told of the right to make an advance directive (42 CFR 489.102), once per episode."""

    __tablename__ = "rights_talk"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id", unique=True, index=False)
    told_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: Whether written material was left.
    written: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    told_by: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
