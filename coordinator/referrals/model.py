"""Referral and the determinations of its criteria."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import (
    Criterion,
    Determination,
    Gender,
    Payer,
    PractitionerType,
    Programme,
    ReferralDeclineReason,
    ReferralSetting,
    ReferralStatus,
)


class Referral(Versioned, Base):
    """A request that somebody be cared for at home. Content may be missing: it is then incomplete (REF-01)."""

    __tablename__ = "referral"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    programme: Mapped[Programme] = enum_column(Programme, nullable=False)
    status: Mapped[ReferralStatus] = enum_column(ReferralStatus, nullable=False, index=True)
    #: When the practitioner's authorisation to start care arrived; the 48-hour clock runs from here.
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    complete_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: None while nobody has said; the clock then runs as if at home.
    setting: Mapped[ReferralSetting | None] = mapped_column(EnumText(ReferralSetting))
    #: For an inpatient: the day of discharge that the hospital expects.
    expected_discharge_on: Mapped[date | None] = mapped_column(sa.Date)
    returned_home_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ordered_soc_date: Mapped[date | None] = mapped_column(sa.Date)
    #: A later start of care that the practitioner agreed to, and when; it counts only before the first due (REF-02).
    soc_date_changed_to: Mapped[date | None] = mapped_column(sa.Date)
    soc_date_change_ordered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    requester_relationship: Mapped[str] = mapped_column(sa.String(60), nullable=False, default="practitioner")

    given_name: Mapped[str | None] = mapped_column(sa.String(100))
    family_name: Mapped[str | None] = mapped_column(sa.String(100))
    birth_date: Mapped[date | None] = mapped_column(sa.Date)
    gender: Mapped[Gender] = enum_column(Gender, nullable=False, default=Gender.UNKNOWN)
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    address: Mapped[str | None] = mapped_column(sa.String(300))
    city: Mapped[str | None] = mapped_column(sa.String(100))
    state: Mapped[str | None] = mapped_column(sa.String(2))
    zip: Mapped[str | None] = mapped_column(sa.String(10))
    lat: Mapped[float | None] = mapped_column(sa.Float)
    lon: Mapped[float | None] = mapped_column(sa.Float)
    spoken_language: Mapped[str | None] = mapped_column(sa.String(20))
    written_language: Mapped[str | None] = mapped_column(sa.String(20))
    interpreter_needed: Mapped[bool | None] = mapped_column(sa.Boolean)
    diagnosis_code: Mapped[str | None] = mapped_column(sa.String(10))
    reason: Mapped[str | None] = mapped_column(sa.Text)
    disciplines: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    payer: Mapped[Payer | None] = mapped_column(EnumText(Payer))
    member_id: Mapped[str | None] = mapped_column(sa.String(60))
    coverage_from: Mapped[date | None] = mapped_column(sa.Date)
    coverage_to: Mapped[date | None] = mapped_column(sa.Date)

    practitioner_name: Mapped[str | None] = mapped_column(sa.String(200))
    practitioner_npi: Mapped[str | None] = mapped_column(sa.String(10))
    practitioner_type: Mapped[PractitionerType | None] = mapped_column(EnumText(PractitionerType))
    practitioner_organisation: Mapped[str | None] = mapped_column(sa.String(200))
    practitioner_phone: Mapped[str | None] = mapped_column(sa.String(40))
    #: Of the health plan (ELG-8); None while nobody has said.
    practitioner_is_kp: Mapped[bool | None] = mapped_column(sa.Boolean)
    physician_id: Mapped[int | None] = may_refer_to("physician.id")

    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decline_reason: Mapped[ReferralDeclineReason | None] = mapped_column(EnumText(ReferralDeclineReason))
    decline_note: Mapped[str | None] = mapped_column(sa.Text)
    onward_resource_key: Mapped[str | None] = mapped_column(sa.String(40))
    withdraw_reason: Mapped[str | None] = mapped_column(sa.String(300))

    determinations: Mapped[list["CriterionDetermination"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="CriterionDetermination.id"
    )


class CriterionDetermination(Base):
    """One answer to one criterion, with its evidence; the newest for a criterion holds, older ones stay (ELG-00)."""

    __tablename__ = "criterion_determination"
    id: Mapped[int] = row_id()
    referral_id: Mapped[int] = refers_to("referral.id")
    criterion: Mapped[Criterion] = enum_column(Criterion, nullable=False)
    result: Mapped[Determination] = enum_column(Determination, nullable=False)
    #: The parts that the criterion asks for (ELG-2: three; HB-01: six), each with its narrative.
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    evidence: Mapped[str] = mapped_column(sa.Text, nullable=False)
    determined_by_id: Mapped[int] = refers_to("app_user.id")
    determined_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    effective_from: Mapped[date] = mapped_column(sa.Date, nullable=False)
    review_on: Mapped[date | None] = mapped_column(sa.Date)
