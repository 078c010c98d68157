"""Patient, home, caregivers, coverage, diagnoses, preferences, unavailability and episodes of care."""

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.care import CodeStatus
from coordinator.domain.care_types import condition_group
from coordinator.domain.vocabulary import Discipline, Gender, HomeSafety, InterpreterMode, Payer, Programme

#: Precisions with which a home may lie streets away from its point: a plan that stands on one says so.
IMPRECISE = frozenset({"street", "zip-centroid"})


class Patient(Versioned, Base):
    """A person in the agency's care."""

    __tablename__ = "patient"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    mrn: Mapped[str] = mapped_column(sa.String(40), nullable=False, unique=True)
    given_name: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    family_name: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    birth_date: Mapped[date] = mapped_column(sa.Date, nullable=False)
    gender: Mapped[Gender] = enum_column(Gender, nullable=False, default=Gender.UNKNOWN)
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    #: BCP-47. Spoken and written differ: Cantonese and Mandarin share written Chinese (LNG-01).
    spoken_language: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="en")
    written_language: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="en")
    interpreter_needed: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    interpreter_mode: Mapped[InterpreterMode | None] = mapped_column(EnumText(InterpreterMode))
    #: The patient was offered an interpreter and declined, and it was written down (LNG-01).
    interpreter_declined_on: Mapped[date | None] = mapped_column(sa.Date)
    #: Only female or male clinicians, if the patient asked for it: for personal care alone, unless `gender_required`.
    preferred_clinician_gender: Mapped[Gender | None] = mapped_column(EnumText(Gender))
    gender_required: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    spiritual_tradition: Mapped[str | None] = mapped_column(sa.String(200))
    cultural_notes: Mapped[str | None] = mapped_column(sa.Text)
    decision_style: Mapped[str | None] = mapped_column(sa.String(40))
    diet: Mapped[str | None] = mapped_column(sa.String(200))
    #: How much the patient wants to hear of the illness, and who hears it first.
    truth_telling: Mapped[str | None] = mapped_column(sa.String(40))
    death_rituals: Mapped[str | None] = mapped_column(sa.Text)
    #: Self-identified, in the categories of the Office of Management and Budget; it routes nobody (CUL-01).
    race_ethnicity: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    managing_physician_id: Mapped[int | None] = may_refer_to("physician.id")
    #: Treatment meant to cure goes on beside palliative care; nothing here stops its orders (San Francisco page).
    concurrent_treatment: Mapped[bool | None] = mapped_column(sa.Boolean)
    #: Tags of `ConditionGroup` as people named them; None: those that the diagnoses suggest (K-02).
    condition_groups: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    deceased_on: Mapped[date | None] = mapped_column(sa.Date)
    #: What documents in force say about resuscitation (ACP-01): written by the room of care alone, shown on rosters.
    code_status: Mapped[CodeStatus] = enum_column(CodeStatus, nullable=False, default=CodeStatus.NOT_RECORDED)
    demo: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)

    # Not joined: PostgreSQL does not lock a row through an outer join (`core.db.locked`).
    home: Mapped["Home"] = relationship(cascade="all, delete-orphan", uselist=False, lazy="selectin")
    caregivers: Mapped[list["Caregiver"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Caregiver.id"
    )
    coverages: Mapped[list["Coverage"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Coverage.id"
    )
    diagnoses: Mapped[list["Diagnosis"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Diagnosis.rank"
    )
    no_visit_windows: Mapped[list["NoVisitWindow"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="NoVisitWindow.id"
    )
    unavailabilities: Mapped[list["Unavailability"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Unavailability.starts_at"
    )
    episodes: Mapped[list["Episode"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Episode.id"
    )

    @property
    def suggested_condition_groups(self) -> list[str]:
        """The groups of the diagnoses, in the order of their rank, each once."""
        return list(dict.fromkeys(condition_group(row.code).value for row in self.diagnoses))


class Home(Base):
    """Where care is given: the care address, which may differ from the residence (ELG-5)."""

    __tablename__ = "home"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id", unique=True, index=False)
    address: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    city: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    state: Mapped[str] = mapped_column(sa.String(2), nullable=False)
    zip: Mapped[str] = mapped_column(sa.String(10), nullable=False)
    lat: Mapped[float | None] = mapped_column(sa.Float)
    lon: Mapped[float | None] = mapped_column(sa.Float)
    #: Where the point came from: `given`, `street-file`, `zip-centroid`.
    point_source: Mapped[str | None] = mapped_column(sa.String(40))
    #: How near the front door it is: `given`, `street-range`, `street`, `zip-centroid` (docs/travel.md).
    point_precision: Mapped[str | None] = mapped_column(sa.String(20))
    #: Why it is no better, or what of the address contradicts itself.
    point_note: Mapped[str | None] = mapped_column(sa.String(200))
    access_notes: Mapped[str | None] = mapped_column(sa.Text)
    hazards: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    safety: Mapped[HomeSafety] = enum_column(HomeSafety, nullable=False, default=HomeSafety.NOT_ASSESSED)
    safety_assessed_on: Mapped[date | None] = mapped_column(sa.Date)
    mitigations_open: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    #: Precautions that the office has set for whoever goes there (LAB-06): two go together; one who is there alone is
    #: heard of every so many minutes; visits end before the sun sets.
    two_person: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
    check_in_minutes: Mapped[int | None] = mapped_column(sa.Integer)
    until_sunset: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())


class Caregiver(Base):
    """A family member or friend who helps (FHIR RelatedPerson)."""

    __tablename__ = "caregiver"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    name: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    relation: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="en")
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    #: Weekly windows at home, [{"weekday": 0..6 (Monday 0), "from": "HH:MM", "to": "HH:MM"}].
    availability: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, nullable=False, default=list)
    participating: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    #: Willing to take part in the plan (ELG-3); None until asked, and the day on which they were.
    willing: Mapped[bool | None] = mapped_column(sa.Boolean)
    willing_on: Mapped[date | None] = mapped_column(sa.Date)
    #: The patient agrees that this person is told about the patient, from day to day; None until asked (CAR-01).
    consent_to_share: Mapped[bool | None] = mapped_column(sa.Boolean)
    consent_from: Mapped[date | None] = mapped_column(sa.Date)
    consent_until: Mapped[date | None] = mapped_column(sa.Date)
    #: May be rung and written to; None until asked.
    may_contact: Mapped[bool | None] = mapped_column(sa.Boolean)
    #: Score of the caregiver's burden, and the day on which it was asked.
    burden_score: Mapped[int | None] = mapped_column(sa.Integer)
    burden_scored_on: Mapped[date | None] = mapped_column(sa.Date)
    #: What is to be learned, [{"goal", "taught_on", "result", "independence", "next_on"}]: `result` of the teach-back,
    #: `next_on` the day on which it is taught again.
    teaching: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))


class Coverage(Base):
    """Who pays, from when to when, both days included."""

    __tablename__ = "coverage"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    payer: Mapped[Payer] = enum_column(Payer, nullable=False)
    member_id: Mapped[str | None] = mapped_column(sa.String(60))
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)


class Authorisation(Base):
    """A payer's leave for so many visits of one discipline, from day to day, both included (INT-04).

    Not a list of `Patient`: most who read a patient have no use for it, and who counts visits asks for many at once.
    """

    __tablename__ = "authorisation"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    payer: Mapped[Payer] = enum_column(Payer, nullable=False)
    discipline: Mapped[Discipline] = enum_column(Discipline, nullable=False)
    #: The payer's own number of it, as it stands on the letter.
    number: Mapped[str | None] = mapped_column(sa.String(60))
    maximum_visits: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date] = mapped_column(sa.Date, nullable=False)


class Diagnosis(Base):
    """A diagnosis as ICD-10-CM; rank 1 is the primary reason for home care."""

    __tablename__ = "diagnosis"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    code: Mapped[str] = mapped_column(sa.String(10), nullable=False)
    display: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    rank: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    snomed: Mapped[str | None] = mapped_column(sa.String(20))
    recorded_on: Mapped[date | None] = mapped_column(sa.Date)


class NoVisitWindow(Base):
    """When the patient does not want a visit: prayer, dialysis, family (CUL-01). Wall clock of the branch."""

    __tablename__ = "no_visit_window"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    #: Monday 0 to Sunday 6; None with `on_date` for a single day, or with neither for every day. Ends before it starts
    #: when it runs past midnight.
    weekday: Mapped[int | None] = mapped_column(sa.Integer)
    on_date: Mapped[date | None] = mapped_column(sa.Date)
    starts: Mapped[time] = mapped_column(sa.Time, nullable=False)
    ends: Mapped[time] = mapped_column(sa.Time, nullable=False)
    #: It begins, or ends, when the sun sets over the branch; `starts` or `ends` holds where it does not set that day.
    starts_at_sunset: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
    ends_at_sunset: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
    reason: Mapped[str] = mapped_column(sa.String(200), nullable=False)


class Unavailability(Base):
    """A stretch in which the patient cannot be visited: an appointment, a journey."""

    __tablename__ = "unavailability"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    reason: Mapped[str] = mapped_column(sa.String(200), nullable=False)


class Episode(Versioned, Base):
    """An episode of care under one programme: from acceptance, through start of care, to discharge.

    Certification periods are computed from `soc_date` (rules 0.1); there is none before the start-of-care visit.
    """

    __tablename__ = "episode"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    programme: Mapped[Programme] = enum_column(Programme, nullable=False)
    payer: Mapped[Payer] = enum_column(Payer, nullable=False)
    referral_id: Mapped[int | None] = may_refer_to("referral.id")
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: Latest instant for the first visit (REF-02); None while the patient is still an inpatient.
    initial_visit_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ordered_soc_date: Mapped[date | None] = mapped_column(sa.Date)
    soc_date: Mapped[date | None] = mapped_column(sa.Date)
    on_hold_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    discharged_on: Mapped[date | None] = mapped_column(sa.Date)
    discharge_reason: Mapped[str | None] = mapped_column(sa.String(60))
    #: Everything that ELG-00 answered when it was last asked.
    eligibility: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="pending")
