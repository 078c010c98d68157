"""What scores and the team lead to: proposed visits, safety protocols, scored treatments, decisions of conferences."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.care import DecisionKind, ProposalStatus, SafetyOutcome, SafetyStep
from coordinator.domain.teamwork import Desk
from coordinator.domain.vocabulary import Discipline


class VisitProposal(Versioned, Base):
    """A visit that a score proposes, inside an order's as-needed limit, or asked of the physician (FRQ-05)."""

    __tablename__ = "visit_proposal"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    assessment_id: Mapped[int] = refers_to("assessment.id")
    discipline: Mapped[Discipline] = enum_column(Discipline, nullable=False)
    #: The rule under which the score called for it: whoever may not read its answers does not read this.
    rule: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: Codes of what calls for it: `pain`, `caregiver-strain`.
    because: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    status: Mapped[ProposalStatus] = enum_column(ProposalStatus, nullable=False)
    #: The order with an as-needed visit left, and how many were left then.
    order_id: Mapped[int | None] = may_refer_to("care_order.id")
    left: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    #: Who is asked for an order.
    physician_id: Mapped[int | None] = may_refer_to("physician.id")
    #: The as-needed visit that it became.
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    decline_reason: Mapped[str | None] = mapped_column(sa.String(300))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    decided_by: Mapped[int | None] = may_refer_to("app_user.id")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        sa.UniqueConstraint("assessment_id", "discipline"),
        sa.CheckConstraint("status <> 'proposed' OR order_id IS NOT NULL", name="proposed_under_order"),
        sa.CheckConstraint("status <> 'accepted' OR visit_id IS NOT NULL", name="accepted_is_visit"),
    )


class SafetyProtocol(Versioned, Base):
    """What is done after an answer about self-harm, step by step; it ends with an outcome alone (INS-05)."""

    __tablename__ = "safety_protocol"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    assessment_id: Mapped[int] = refers_to("assessment.id", unique=True, index=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    outcome: Mapped[SafetyOutcome | None] = mapped_column(EnumText(SafetyOutcome))
    outcome_note: Mapped[str | None] = mapped_column(sa.Text)
    closed_by: Mapped[int | None] = may_refer_to("app_user.id")
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    steps: Mapped[list["SafetyStepTaken"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="SafetyStepTaken.id"
    )
    __table_args__ = (sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed_with_outcome"),)


class SafetyStepTaken(Base):
    """One step of a safety protocol, taken once, by whom and when."""

    __tablename__ = "safety_step"
    id: Mapped[int] = row_id()
    protocol_id: Mapped[int] = refers_to("safety_protocol.id")
    step: Mapped[SafetyStep] = enum_column(SafetyStep, nullable=False)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    taken_by: Mapped[int | None] = may_refer_to("app_user.id")
    note: Mapped[str | None] = mapped_column(sa.Text)
    __table_args__ = (sa.UniqueConstraint("protocol_id", "step"),)


class SymptomTreatment(Versioned, Base):
    """A treatment given to manage a symptom, under a live order that names it, with the score before and after."""

    __tablename__ = "symptom_treatment"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    order_id: Mapped[int] = refers_to("care_order.id")
    treatment: Mapped[str] = mapped_column(sa.String(120), nullable=False)
    #: The item of the ESAS-r.
    symptom: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    given_by: Mapped[int | None] = may_refer_to("clinician.id")
    score_before: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    #: Until when the score after is owed; it is taken late as well.
    score_due_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    score_after: Mapped[int | None] = mapped_column(sa.Integer)
    scored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_by: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (
        sa.CheckConstraint("score_before BETWEEN 0 AND 10 AND score_after BETWEEN 0 AND 10", name="scores"),
        sa.CheckConstraint("(score_after IS NULL) = (scored_at IS NULL)", name="scored_then"),
    )

    @property
    def change(self) -> int | None:
        """The score after less the one before: below nought, the symptom eased."""
        return None if self.score_after is None else self.score_after - self.score_before


class ConferenceDecision(Base):
    """Something that a conference decided; it became an order, a task or a deadline when it was decided."""

    __tablename__ = "conference_decision"
    id: Mapped[int] = row_id()
    conference_id: Mapped[int] = refers_to("conference.id")
    kind: Mapped[DecisionKind] = enum_column(DecisionKind, nullable=False)
    #: In the team's words.
    words: Mapped[str] = mapped_column(sa.Text, nullable=False)
    order_id: Mapped[int | None] = may_refer_to("care_order.id")
    #: Who carries it out, and by which day; None for an order.
    owner: Mapped[Desk | None] = mapped_column(EnumText(Desk))
    due_on: Mapped[date | None] = mapped_column(sa.Date)
    made_by: Mapped[int | None] = may_refer_to("app_user.id")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (
        sa.CheckConstraint("(kind = 'order') = (order_id IS NOT NULL)", name="order_is_there"),
        sa.CheckConstraint("kind = 'order' OR (owner IS NOT NULL AND due_on IS NOT NULL)", name="owner_and_day"),
    )
