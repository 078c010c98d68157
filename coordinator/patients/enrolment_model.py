"""Where else a patient is enrolled, what excuses from verification, and screenings for Medi-Cal palliative care."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import Determination, EvvCircumstanceKind, Payer, Programme


class EnrolmentRow(Base):
    """A programme elsewhere that the patient is in: a hospice election, PACE. Both days included (PRG-02, EVV-03)."""

    __tablename__ = "enrolment"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    programme: Mapped[Programme] = mapped_column(EnumText(Programme), nullable=False)
    payer: Mapped[Payer] = enum_column(Payer, nullable=False)
    #: ICD-10-CM code of the illness that it is for; None: not known.
    condition: Mapped[str | None] = mapped_column(sa.String(10))
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)


class EvvCircumstance(Base):
    """What excuses visits from verification, from day to day, both included (EVV-03)."""

    __tablename__ = "evv_circumstance"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    kind: Mapped[EvvCircumstanceKind] = enum_column(EvvCircumstanceKind, nullable=False)
    #: Who lives with the patient, for a live-in caregiver.
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    #: The day on which the exemption was put on record; None: it is claimed and not on record.
    exemption_on: Mapped[date | None] = mapped_column(sa.Date)


class PalliativeScreening(Base):
    """One screening for Medi-Cal palliative care: what was found, and what the rule answered (SB-01)."""

    __tablename__ = "palliative_screening"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    screened_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: The managed care plan whose numbers were used; None: the state's.
    plan: Mapped[str | None] = mapped_column(sa.String(40))
    #: Fields of `rules.palliative.ScreeningFacts` that are known.
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    answer: Mapped[Determination] = enum_column(Determination, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
