"""Care plan, goals, problems, orders, their weeks, signatures, and the aide's written instructions.

One order is one line: one discipline with one frequency. The lines of a plan of care are drafted together, and each has
its own signature, supersession and ending, as practitioners treat them (docs/adr).
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import Discipline, GoalCategory, OrderDeclineReason, OrderStatus


class CarePlan(Versioned, Base):
    """The plan of care of an episode (FHIR CarePlan), under one managing physician."""

    __tablename__ = "care_plan"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id", unique=True, index=False)
    managing_physician_id: Mapped[int] = refers_to("physician.id")
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    goals: Mapped[list["Goal"]] = relationship(cascade="all, delete-orphan", lazy="selectin", order_by="Goal.id")
    problems: Mapped[list["Problem"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Problem.id"
    )


class Goal(Base):
    """What the care is for; what matters most is in the patient's own words and language."""

    __tablename__ = "goal"
    id: Mapped[int] = row_id()
    care_plan_id: Mapped[int] = refers_to("care_plan.id")
    category: Mapped[GoalCategory] = enum_column(GoalCategory, nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="en")


class Problem(Base):
    """Something that the plan addresses."""

    __tablename__ = "problem"
    id: Mapped[int] = row_id()
    care_plan_id: Mapped[int] = refers_to("care_plan.id")
    code: Mapped[str | None] = mapped_column(sa.String(10))
    text: Mapped[str] = mapped_column(sa.String(300), nullable=False)


class Order(Versioned, Base):
    """A practitioner's order for one discipline (FHIR ServiceRequest)."""

    __tablename__ = "care_order"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    care_plan_id: Mapped[int] = refers_to("care_plan.id")
    #: The practitioner who is asked to sign.
    physician_id: Mapped[int] = refers_to("physician.id")
    discipline: Mapped[Discipline] = enum_column(Discipline, nullable=False)
    status: Mapped[OrderStatus] = enum_column(OrderStatus, nullable=False, index=True)
    #: As it was said, and as it is read back (FRQ-01). Both None for "evaluate and treat".
    frequency_text: Mapped[str | None] = mapped_column(sa.String(400))
    frequency: Mapped[str | None] = mapped_column(sa.String(400))
    evaluate_and_treat: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    effective_from: Mapped[date] = mapped_column(sa.Date, nullable=False)
    effective_to: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: Number of the certification period the order belongs to (CERT-03); 1 before start of care.
    certification_number: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    #: Stored when the order becomes live, so that a later change of policy does not re-read old orders (rules 0.2).
    week_anchor: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="sunday")
    treatments: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    required_skills: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    goals_text: Mapped[str | None] = mapped_column(sa.Text)
    prn_limit: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    prn_signs: Mapped[str | None] = mapped_column(sa.Text)
    visit_minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    visits_per_day: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    two_person: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: How aide care will taper and who takes over (INT-03c).
    taper_plan: Mapped[str | None] = mapped_column(sa.Text)
    #: The finite and predictable end of daily nursing, in the practitioner's order (INT-02).
    daily_nursing_ends_on: Mapped[date | None] = mapped_column(sa.Date)
    #: Daily insulin, and nobody at home who can give it: the exception of INT-02.
    daily_insulin: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)

    # Verbal order (ORD-05)
    verbal_received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verbal_received_by_id: Mapped[int | None] = may_refer_to("clinician.id")
    verbal_read_back: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    responsible_clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    responsible_signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: First day on which a visit waits for this signature, or for a verbal order, whose visits do not wait, the day its
    #: countersignature is due (ORD-06); what the physician's queue is sorted by.
    needed_by: Mapped[date | None] = mapped_column(sa.Date)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_version: Mapped[int | None] = mapped_column(sa.Integer)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decline_reason: Mapped[OrderDeclineReason | None] = mapped_column(EnumText(OrderDeclineReason))
    decline_note: Mapped[str | None] = mapped_column(sa.Text)
    #: The order that this one replaces: a redraft after a refusal, or a change of frequency.
    replaces_id: Mapped[int | None] = may_refer_to("care_order.id")
    #: Last day on which the order holds, once it was ended early: superseded, discontinued, declined or voided.
    ended_on: Mapped[date | None] = mapped_column(sa.Date)
    #: What the order becomes when `ended_on` has passed, while it still holds until then.
    ends_as: Mapped[OrderStatus | None] = mapped_column(EnumText(OrderStatus))
    end_reason: Mapped[str | None] = mapped_column(sa.String(200))
    drafted_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    demo: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)

    weeks: Mapped[list["OrderWeek"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="OrderWeek.number"
    )


class OrderWeek(Base):
    """What one week of an order allows and asks for (FRQ-02). Days are the branch's."""

    __tablename__ = "order_week"
    id: Mapped[int] = row_id()
    order_id: Mapped[int] = refers_to("care_order.id")
    number: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date] = mapped_column(sa.Date, nullable=False, index=True)
    minimum: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    maximum: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        sa.UniqueConstraint("order_id", "number"),
        sa.CheckConstraint("minimum >= 0 AND maximum >= minimum", name="counts"),
        sa.CheckConstraint("ends_on >= starts_on", name="days"),
    )


class Signature(Base):
    """A practitioner's name under an exact text. UPDATE and DELETE are refused by the database."""

    __tablename__ = "signature"
    id: Mapped[int] = row_id()
    order_id: Mapped[int] = refers_to("care_order.id", unique=True, index=False)
    physician_id: Mapped[int] = refers_to("physician.id")
    user_id: Mapped[int] = refers_to("app_user.id")
    order_version: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    content_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    method: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class AideCarePlan(Base):
    """Written instructions for the aide, prepared by a nurse or therapist (AID-02). A change is a new row."""

    __tablename__ = "aide_care_plan"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    number: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    prepared_by_id: Mapped[int] = refers_to("clinician.id")
    effective_from: Mapped[date] = mapped_column(sa.Date, nullable=False)
    tasks: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    precautions: Mapped[str | None] = mapped_column(sa.Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("patient_id", "number"),)


class AideAcknowledgement(Base):
    """An aide has read this version of a patient's instructions (AID-02, `aide_ack_at`)."""

    __tablename__ = "aide_acknowledgement"
    id: Mapped[int] = row_id()
    plan_id: Mapped[int] = refers_to("aide_care_plan.id")
    clinician_id: Mapped[int] = refers_to("clinician.id")
    acknowledged_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("plan_id", "clinician_id"),)


class CaseReview(Base):
    """Approval to exceed 28 hours a week, up to 35, for a stated need and time (INT-01)."""

    __tablename__ = "case_review"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    approved_by_id: Mapped[int] = refers_to("app_user.id")
    need: Mapped[str] = mapped_column(sa.Text, nullable=False)
    starts_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    ends_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
