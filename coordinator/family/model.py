"""Links to the family's page, what the family was told of visits, what they are to be told, and what they ask for."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.family import (
    FamilyLanguage,
    RequestConcern,
    RequestOutcome,
    RequestTopic,
    ToldHow,
    VisitChange,
)


class FamilyLink(Versioned, Base):
    """One person's way to the page of visits, in one language, until a day; the secret itself is nowhere kept."""

    __tablename__ = "family_link"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    #: Whose link it is; None: the patient's own.
    caregiver_id: Mapped[int | None] = may_refer_to("caregiver.id")
    language: Mapped[FamilyLanguage] = enum_column(FamilyLanguage, nullable=False)
    #: Keyed digest of the secret: worth nothing without this installation's key.
    token_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False, unique=True)
    created_by: Mapped[int | None] = may_refer_to("app_user.id")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    revoked_by: Mapped[int | None] = may_refer_to("app_user.id")
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ToldVisit(Base):
    """When a visit begins as the patient and family were told it."""

    __tablename__ = "told_visit"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int] = refers_to("visit.id", unique=True, index=False)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class FamilyNotice(Versioned, Base):
    """A change of a visit that somebody was told of, to be said to one person in their language."""

    __tablename__ = "family_notice"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    #: To whom; None: the patient.
    caregiver_id: Mapped[int | None] = may_refer_to("caregiver.id")
    visit_id: Mapped[int] = refers_to("visit.id")
    change: Mapped[VisitChange] = enum_column(VisitChange, nullable=False)
    language: Mapped[FamilyLanguage] = enum_column(FamilyLanguage, nullable=False)
    #: As they were told it, and as it is now; the latter None when nobody comes.
    old_starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    new_starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_by: Mapped[int | None] = may_refer_to("app_user.id")
    told_how: Mapped[ToldHow | None] = mapped_column(EnumText(ToldHow))
    #: The visit is again as they were told: there is nothing to say.
    void_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CareRequest(Versioned, Base):
    """Something that the patient or a caregiver asks for, for themselves or for the one they care for."""

    __tablename__ = "care_request"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    #: Who asks; None: the patient.
    caregiver_id: Mapped[int | None] = may_refer_to("caregiver.id")
    #: By which link it came; None: somebody of the team wrote it down.
    link_id: Mapped[int | None] = may_refer_to("family_link.id")
    concern: Mapped[RequestConcern] = enum_column(RequestConcern, nullable=False)
    topic: Mapped[RequestTopic] = enum_column(RequestTopic, nullable=False)
    #: As it was said, in the asker's language; in no log, no title and no notice.
    words: Mapped[str] = mapped_column(sa.Text, nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    raised_by: Mapped[int | None] = may_refer_to("app_user.id")
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    outcome: Mapped[RequestOutcome | None] = mapped_column(EnumText(RequestOutcome))
    outcome_note: Mapped[str | None] = mapped_column(sa.Text)
    #: Whether anything about the patient was said to whoever asked.
    shared: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    closed_by: Mapped[int | None] = may_refer_to("app_user.id")
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed_with_outcome"),
        sa.Index("ix_care_request_link_raised", "link_id", "raised_at"),
    )
