"""Bringing people to help elsewhere: what matters of a patient for it, referrals with their steps, suggestions, and
what was given to watch or read.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.linkage import (
    ConsentBy,
    ConsentForm,
    Dismissal,
    EducationWay,
    LinkFailure,
    LinkStatus,
    LinkWay,
    SuggestionReason,
    SuggestionStatus,
)


class ResourceProfile(Base):
    """What opens doors elsewhere and stands nowhere else in the record; None: nobody has asked."""

    __tablename__ = "resource_profile"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id", unique=True, index=False)
    is_veteran: Mapped[bool | None] = mapped_column(sa.Boolean)
    health_system: Mapped[str | None] = mapped_column(sa.String(40))
    county: Mapped[str | None] = mapped_column(sa.String(60))
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class ResourceReferral(Versioned, Base):
    """A patient, or somebody who cares for one, is being brought to an organisation's help (K-S1)."""

    __tablename__ = "resource_referral"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    #: The caregiver for whom it is; None: the patient.
    caregiver_id: Mapped[int | None] = may_refer_to("caregiver.id")
    resource_id: Mapped[int] = refers_to("resource.id")
    #: What is needed: a service of the directory.
    need: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    #: The social worker's visit on which it was found, where it was one.
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    suggestion_id: Mapped[int | None] = may_refer_to("resource_suggestion.id")
    status: Mapped[LinkStatus] = enum_column(LinkStatus, nullable=False)
    way: Mapped[LinkWay | None] = mapped_column(EnumText(LinkWay))
    #: Who started it with the organisation: self, nurse, physician, social_worker, ...
    referred_by: Mapped[str | None] = mapped_column(sa.String(40))
    consent_by: Mapped[ConsentBy | None] = mapped_column(EnumText(ConsentBy))
    consent_form: Mapped[ConsentForm | None] = mapped_column(EnumText(ConsentForm))
    consent_on: Mapped[date | None] = mapped_column(sa.Date)
    consent_recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    #: By when somebody asks how it stands.
    follow_up_on: Mapped[date | None] = mapped_column(sa.Date)
    failure: Mapped[LinkFailure | None] = mapped_column(EnumText(LinkFailure))
    steps: Mapped[list["ResourceReferralStep"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ResourceReferralStep.id"
    )


class ResourceReferralStep(Base):
    """One step of the loop: where it led, when, and by whom. Never changed."""

    __tablename__ = "resource_referral_step"
    id: Mapped[int] = row_id()
    referral_id: Mapped[int] = refers_to("resource_referral.id")
    status: Mapped[LinkStatus] = enum_column(LinkStatus, nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    by_id: Mapped[int | None] = may_refer_to("app_user.id")


class ResourceSuggestion(Versioned, Base):
    """Help elsewhere is suggested, for a reason and because of something: once for each, however often it is found."""

    __tablename__ = "resource_suggestion"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    #: None: a referral that was declined before there was a record.
    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    reason: Mapped[SuggestionReason] = enum_column(SuggestionReason, nullable=False)
    #: What it was found from: `referral:7`, `assessment:3`, `resource-referral:4`, `patient:9`.
    source_ref: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    #: What the rule answered: message, cure, due day; codes and no names.
    finding: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)
    #: Keys of the organisations, best first.
    resource_keys: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    status: Mapped[SuggestionStatus] = enum_column(SuggestionStatus, nullable=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    dismissal: Mapped[Dismissal | None] = mapped_column(EnumText(Dismissal))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    __table_args__ = (sa.UniqueConstraint("reason", "source_ref"),)


class EducationGiven(Versioned, Base):
    """Something to watch or read is meant for a patient or caregiver; when it was sent and when it was seen."""

    __tablename__ = "education_given"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    caregiver_id: Mapped[int | None] = may_refer_to("caregiver.id")
    item_id: Mapped[int] = refers_to("education_item.id")
    #: In which it is to be given; where the item lacks it, English stands in, marked.
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    assigned_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    way: Mapped[EducationWay | None] = mapped_column(EnumText(EducationWay))
    sent_on: Mapped[date | None] = mapped_column(sa.Date)
    sent_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    viewed_on: Mapped[date | None] = mapped_column(sa.Date)
    viewed_noted_by_id: Mapped[int | None] = may_refer_to("app_user.id")
