"""Rows of a care team. Each is a period; what was is kept, and nothing of it is written over."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.team import ConsentGiver, CoverReason, CoverRole, OutsideKind, TeamPost
from coordinator.staff.model import Clinician


class CareTeamMember(Versioned, Base):
    """A clinician's place in a patient's care team; the primary of a discipline is whom continuity prefers."""

    __tablename__ = "care_team_member"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    clinician_id: Mapped[int] = refers_to("clinician.id")
    role: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    is_primary: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    added_by: Mapped[int | None] = may_refer_to("app_user.id")

    clinician: Mapped["Clinician"] = relationship(lazy="select")


class PostHeld(Versioned, Base):
    """Who held a post for a patient, from one instant to another. The last managing physician is also the patient's."""

    __tablename__ = "team_post"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    post: Mapped[TeamPost] = enum_column(TeamPost, nullable=False)
    physician_id: Mapped[int | None] = may_refer_to("physician.id")
    user_id: Mapped[int | None] = may_refer_to("app_user.id")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    __table_args__ = (
        sa.CheckConstraint("(physician_id IS NULL) <> (user_id IS NULL)", name="one_holder"),
        sa.Index(
            "uq_team_post_held",
            "patient_id",
            "post",
            unique=True,
            sqlite_where=sa.text("ends_at IS NULL"),
            postgresql_where=sa.text("ends_at IS NULL"),
        ),
    )


class Cover(Versioned, Base):
    """Who stands in for somebody, for what, from day to day, both included; for all their patients or for one."""

    __tablename__ = "cover"
    id: Mapped[int] = row_id()
    role: Mapped[CoverRole] = enum_column(CoverRole, nullable=False)
    reason: Mapped[CoverReason] = enum_column(CoverReason, nullable=False)
    #: None: all patients of the person who is away.
    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    physician_id: Mapped[int | None] = may_refer_to("physician.id")
    user_id: Mapped[int | None] = may_refer_to("app_user.id")
    by_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    by_physician_id: Mapped[int | None] = may_refer_to("physician.id")
    by_user_id: Mapped[int | None] = may_refer_to("app_user.id")
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        sa.CheckConstraint("ends_on >= starts_on", name="days"),
        sa.CheckConstraint(
            "(role = 'managing_physician' AND physician_id IS NOT NULL AND by_physician_id IS NOT NULL) OR "
            "(role = 'coordinator' AND user_id IS NOT NULL AND by_user_id IS NOT NULL) OR "
            "(role = 'primary' AND clinician_id IS NOT NULL AND by_clinician_id IS NOT NULL)",
            name="people",
        ),
    )


class OutsideParticipant(Versioned, Base):
    """Somebody elsewhere who takes part in the patient's care: another doctor, a clinic, an agency, a congregation."""

    __tablename__ = "outside_participant"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    kind: Mapped[OutsideKind] = enum_column(
        OutsideKind, nullable=False, default=OutsideKind.OTHER_PROFESSIONAL, server_default="other_professional"
    )
    name: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    role: Mapped[str] = mapped_column(sa.String(80), nullable=False)
    organisation: Mapped[str | None] = mapped_column(sa.String(200))
    npi: Mapped[str | None] = mapped_column(sa.String(10))
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    email: Mapped[str | None] = mapped_column(sa.String(200))
    #: None: from when is not known (rows that came with an import).
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")

    consents: Mapped[list["SharingConsent"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="SharingConsent.id"
    )


class SharingConsent(Base):
    """What may be told to somebody outside: who agreed, when, to what, until when, and when it was taken back."""

    __tablename__ = "sharing_consent"
    id: Mapped[int] = row_id()
    participant_id: Mapped[int] = refers_to("outside_participant.id")
    given_by: Mapped[ConsentGiver] = enum_column(ConsentGiver, nullable=False)
    #: Name of a representative; None for the patient.
    giver_name: Mapped[str | None] = mapped_column(sa.String(200))
    given_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    #: Words of `SharedContent`.
    scopes: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    withdrawn_on: Mapped[date | None] = mapped_column(sa.Date)
    withdrawn_by: Mapped[ConsentGiver | None] = mapped_column(EnumText(ConsentGiver))
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
