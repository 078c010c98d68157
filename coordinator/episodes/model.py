"""Encounters, certifications and their signatures, homebound assessments and absences, stays, assessments, discharges.

What is corrected is followed by another row and stays (`replaced_by`); what was signed is never changed at all.
Days are the branch's.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.npi import NpiKind
from coordinator.domain.vocabulary import (
    AbsencePurpose,
    AssessmentKind,
    CertificationStatus,
    Determination,
    DischargeStatus,
    Discipline,
    EncounterModality,
    NoticeKind,
    PractitionerType,
)


class FaceToFace(Base):
    """A practitioner's encounter about the reason for home care (F2F-01). A correction is a new row."""

    __tablename__ = "face_to_face"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    encounter_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    modality: Mapped[EncounterModality] = enum_column(EncounterModality, nullable=False)
    performer_type: Mapped[PractitionerType] = enum_column(PractitionerType, nullable=False)
    #: Compared with the certifier's: the same number is the same person.
    performer_npi: Mapped[str | None] = mapped_column(sa.String(10))
    #: ICD-10-CM code of what the encounter was about.
    reason_code: Mapped[str | None] = mapped_column(sa.String(10))
    related_to_primary_reason: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    #: The performer cared for the patient in the acute or post-acute stay, or worked with the certifier.
    from_inpatient_or_collaborating: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    same_practice: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: Where the paper lies that shows how the findings reached the certifier.
    coordination_evidence: Mapped[str | None] = mapped_column(sa.String(200))
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: The row that corrects this one; None for the one that counts.
    replaced_by_id: Mapped[int | None] = may_refer_to("face_to_face.id")
    correction_reason: Mapped[str | None] = mapped_column(sa.String(200))


class Certification(Versioned, Base):
    """A practitioner's statement for one certification period: number 1 certifies, later ones recertify (CERT-01).

    Its text is drafted by the office and signed by the practitioner alone; what was signed is never changed.
    """

    __tablename__ = "certification"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    number: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    physician_id: Mapped[int] = refers_to("physician.id")
    status: Mapped[CertificationStatus] = enum_column(CertificationStatus, nullable=False)
    homebound: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    skilled_need: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    plan_established: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    under_care: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    face_to_face_on: Mapped[date | None] = mapped_column(sa.Date)
    #: In the practitioner's words; needed on a recertification.
    estimated_further_duration: Mapped[str | None] = mapped_column(sa.String(300))
    drafted_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_version: Mapped[int | None] = mapped_column(sa.Integer)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Why it was withdrawn, or superseded though it was signed.
    withdrawn_reason: Mapped[str | None] = mapped_column(sa.String(200))
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    __table_args__ = (
        sa.CheckConstraint("number >= 1", name="number"),
        sa.Index(
            "uq_certification_period",
            "episode_id",
            "number",
            unique=True,
            sqlite_where=sa.text("status NOT IN ('withdrawn', 'superseded')"),
            postgresql_where=sa.text("status NOT IN ('withdrawn', 'superseded')"),
        ),
    )


class CertificationSignature(Base):
    """A practitioner's name under the exact text of a certification. UPDATE and DELETE are refused by the database."""

    __tablename__ = "certification_signature"
    id: Mapped[int] = row_id()
    certification_id: Mapped[int] = refers_to("certification.id", unique=True, index=False)
    physician_id: Mapped[int] = refers_to("physician.id")
    user_id: Mapped[int] = refers_to("app_user.id")
    certification_version: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    content_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    method: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class IdleInterval(Base):
    """A practitioner's word that the plan goes on without a covered skilled visit up to a day, and why (CERT-05)."""

    __tablename__ = "idle_interval"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    physician_id: Mapped[int] = refers_to("physician.id")
    said_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: The last day up to which the interval is right.
    until: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: In the practitioner's words.
    reason: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class PractitionerCheck(Base):
    """What the registries said of a practitioner on a day (CERT-06). The latest that was made counts."""

    __tablename__ = "practitioner_check"
    id: Mapped[int] = row_id()
    physician_id: Mapped[int] = refers_to("physician.id")
    checked_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: NPPES: 1 a person, 2 an organisation.
    npi_kind: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=int(NpiKind.INDIVIDUAL))
    #: PECOS: enrolled, or opted out, from this day on to that one, both included; None with `to` None: not enrolled.
    enrolled_from: Mapped[date | None] = mapped_column(sa.Date)
    enrolled_to: Mapped[date | None] = mapped_column(sa.Date)
    financial_relationship: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    checked_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class HomeboundAssessment(Base):
    """The homebound test as a clinician answered it, each claim with its words (HB-01)."""

    __tablename__ = "homebound_assessment"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    assessed_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: Leaf of the test -> its words; a leaf that is not named was not claimed.
    leaves: Mapped[dict[str, str]] = mapped_column(sa.JSON, nullable=False)
    result: Mapped[Determination] = enum_column(Determination, nullable=False)
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class HomeAbsence(Base):
    """Once that the patient left the home, for what and with how much effort (HB-02)."""

    __tablename__ = "home_absence"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    day: Mapped[date] = mapped_column(sa.Date, nullable=False)
    purpose: Mapped[AbsencePurpose] = enum_column(AbsencePurpose, nullable=False)
    minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    taxing_effort: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Entered in error: it says nothing any more.
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InpatientStay(Versioned, Base):
    """The patient is, or was, in hospital (ASM-02). It is a transfer once the admission has lasted long enough."""

    __tablename__ = "inpatient_stay"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    left_home_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Admitted as an inpatient; None for observation and the emergency room.
    admitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    diagnostic_only: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    facility: Mapped[str | None] = mapped_column(sa.String(200))
    #: The agency sent the patient there.
    planned: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    learned_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Since when it counts as a transfer: the episode has been on hold from then on.
    transferred_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The stay itself, and when the patient was home again.
    discharged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    home_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The day for the resumption that the practitioner ordered, where there is one.
    ordered_resumption_on: Mapped[date | None] = mapped_column(sa.Date)
    summary_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    __table_args__ = (
        sa.Index(
            "uq_inpatient_stay_open",
            "episode_id",
            unique=True,
            sqlite_where=sa.text("home_at IS NULL"),
            postgresql_where=sa.text("home_at IS NULL"),
        ),
    )


class ComprehensiveAssessment(Base):
    """A comprehensive assessment that was completed, by whom, for which event (ASM-01, ASM-03, CERT-02)."""

    __tablename__ = "comprehensive_assessment"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    kind: Mapped[AssessmentKind] = enum_column(AssessmentKind, nullable=False)
    #: Day 0: start of care, return home, transfer, death, discharge, change; a recertification's is its own day.
    event_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    completed_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: Last day on which it was in time, as the rules said when it was recorded.
    due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    clinician_id: Mapped[int] = refers_to("clinician.id")
    #: Number of the certification period that it recertifies for, where it does.
    serves_period: Mapped[int | None] = mapped_column(sa.Integer)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class Discharge(Versioned, Base):
    """The way out of an episode, or of one discipline of it while the case stays (DIS-01, DIS-03).

    Steps carry the instant at which they were done; a discharge becomes final when no rule refuses it.
    """

    __tablename__ = "discharge"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    #: None: the patient leaves; else only this discipline ends.
    discipline: Mapped[Discipline | None] = mapped_column(EnumText(Discipline))
    status: Mapped[DischargeStatus] = enum_column(DischargeStatus, nullable=False)
    planned_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: A `DischargeReason`; None until it is known, and while a discipline ends.
    reason: Mapped[str | None] = mapped_column(sa.String(60))
    #: Step of `rules.discharge` -> when it was done, ISO, UTC.
    steps: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    drafted_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    finalised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CoverageNotice(Versioned, Base):
    """Written notice that covered services end or shrink (DIS-04). A frequency in it is fixed, never a range."""

    __tablename__ = "coverage_notice"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    kind: Mapped[NoticeKind] = enum_column(NoticeKind, nullable=False)
    discipline: Mapped[Discipline | None] = mapped_column(EnumText(Discipline))
    #: Last day of what the notice ends, or of the frequency that it reduces.
    last_covered_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: For a reduction: what is given from then on.
    frequency: Mapped[str | None] = mapped_column(sa.String(400))
    delivered_on: Mapped[date | None] = mapped_column(sa.Date)
    #: The end of which it tells does not come: nobody owes it any more.
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
