"""Visit, EVV corrections and aide supervision.

A visit that an order asks for is a *unit* of its order week: `order_week_id`, `unit`, and `is_current`. Each week has
exactly `maximum` current units, one row each, so the ledger cannot lose or invent a visit; the database holds one
current row per unit. A missed visit that is made up inside its week hands its unit to the new row.
"""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.vocabulary import (
    Conversation,
    Discipline,
    EvvMethod,
    MissedDecision,
    VisitKind,
    VisitStatus,
    WaiveReason,
)


class Visit(Versioned, Base):
    """A visit to a patient's home."""

    __tablename__ = "visit"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    episode_id: Mapped[int] = refers_to("episode.id")
    #: None only for what needs no frequency order: the initial visit, supervision, observation (ORD-01).
    order_id: Mapped[int | None] = may_refer_to("care_order.id")
    order_week_id: Mapped[int | None] = may_refer_to("order_week.id")
    unit: Mapped[int | None] = mapped_column(sa.Integer)
    is_current: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    discipline: Mapped[Discipline] = enum_column(Discipline, nullable=False)
    kind: Mapped[VisitKind] = enum_column(VisitKind, nullable=False, default=VisitKind.ROUTINE)
    status: Mapped[VisitStatus] = enum_column(VisitStatus, nullable=False, index=True)
    #: First and last day on which the visit may be made, branch days, both included.
    window_from: Mapped[date] = mapped_column(sa.Date, nullable=False)
    window_to: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: Not later than this instant (the 48-hour clock), where one is set.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    #: Below the floor of a range: still wanted, but the first to give way.
    is_optional: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)

    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_patient_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The scheduler pinned it here: the planner leaves it alone.
    locked: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: A second person's visit names the first one's, and lies within its time; it alone may overlap it.
    joint_with_id: Mapped[int | None] = may_refer_to("visit.id")
    interpreter_booked: Mapped[str | None] = mapped_column(sa.String(40))
    #: The agency's or the line's own number of the booking.
    interpreter_reference: Mapped[str | None] = mapped_column(sa.String(80))
    #: Somebody who comes with the patient interprets: their age in years, and why that is allowed (`requested`,
    #: `emergency`; None: it is not). The age is None when it is unknown, or when nobody does.
    interpreter_companion: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    interpreter_companion_age: Mapped[int | None] = mapped_column(sa.Integer)
    interpreter_companion_basis: Mapped[str | None] = mapped_column(sa.String(20))

    prn_number: Mapped[int | None] = mapped_column(sa.Integer)
    prn_trigger: Mapped[str | None] = mapped_column(sa.Text)

    # The six elements of electronic visit verification (EVV-01): service, who receives, who provides and the day are
    # above and in `service_code`; place and times are here.
    service_code: Mapped[str | None] = mapped_column(sa.String(10))
    actual_start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    actual_end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evv_method: Mapped[EvvMethod | None] = mapped_column(EnumText(EvvMethod))
    #: IANA zone of the device that captured them, where it said so.
    device_zone: Mapped[str | None] = mapped_column(sa.String(60))
    start_lat: Mapped[float | None] = mapped_column(sa.Float)
    start_lon: Mapped[float | None] = mapped_column(sa.Float)
    evv_address: Mapped[str | None] = mapped_column(sa.String(300))
    #: When the clinician signed the note; 74735(a)(5) and the agency count from the visit's end to it (VIS-03).
    note_signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Tasks that the aide recorded, by their codes (AID-02); None where nobody recorded any.
    tasks_done: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    #: What a social worker's visit is for, in a code (QUAL-03).
    purpose: Mapped[str | None] = mapped_column(sa.String(40))
    #: What will be talked about that rests on words, in a code: consent, planning of care in advance (LNG-01).
    conversation: Mapped[Conversation | None] = mapped_column(EnumText(Conversation))
    #: Rule ids for which the visit may not be exported for a claim.
    hold_bill: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    #: Rule ids that were shown as warnings when it was last asked.
    warnings: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)

    missed_reason: Mapped[str | None] = mapped_column(sa.String(40))
    missed_note: Mapped[str | None] = mapped_column(sa.Text)
    missed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clinical_impact: Mapped[bool | None] = mapped_column(sa.Boolean)
    decision: Mapped[MissedDecision | None] = mapped_column(EnumText(MissedDecision))
    decision_note: Mapped[str | None] = mapped_column(sa.Text)
    decided_by_id: Mapped[int | None] = may_refer_to("physician.id")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waive_reason: Mapped[WaiveReason | None] = mapped_column(EnumText(WaiveReason))
    replaces_id: Mapped[int | None] = may_refer_to("visit.id")
    cancel_reason: Mapped[str | None] = mapped_column(sa.String(200))

    __table_args__ = (
        sa.CheckConstraint("window_to >= window_from", name="window"),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="times"),
        sa.CheckConstraint("minutes BETWEEN 5 AND 720", name="minutes"),
        sa.CheckConstraint(
            "status NOT IN ('pending', 'booked', 'en_route', 'arrived', 'in_progress', 'completed', 'note_signed', "
            "'verified') OR (clinician_id IS NOT NULL AND starts_at IS NOT NULL AND ends_at IS NOT NULL)",
            name="live_has_place",
        ),
        sa.CheckConstraint("(order_week_id IS NULL) = (unit IS NULL)", name="unit_of_week"),
        sa.Index(
            "uq_visit_unit",
            "order_week_id",
            "unit",
            unique=True,
            sqlite_where=sa.text("is_current"),
            postgresql_where=sa.text("is_current"),
        ),
        sa.Index("ix_visit_clinician_time", "clinician_id", "starts_at"),
        sa.Index("ix_visit_patient_time", "patient_id", "starts_at"),
        sa.Index("ix_visit_branch_window", "branch_id", "window_from", "window_to"),
    )


class EvvCorrection(Base):
    """A change of a captured element, with the original kept (EVV-04)."""

    __tablename__ = "evv_correction"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int] = refers_to("visit.id")
    element: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    original: Mapped[str | None] = mapped_column(sa.String(60))
    corrected: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    reason: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    user_id: Mapped[int] = refers_to("app_user.id")
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class Supervision(Base):
    """A supervisory assessment of aide care (SUP-01)."""

    __tablename__ = "supervision"
    id: Mapped[int] = row_id()
    patient_id: Mapped[int] = refers_to("patient.id")
    aide_id: Mapped[int | None] = may_refer_to("clinician.id")
    supervisor_id: Mapped[int] = refers_to("clinician.id")
    supervised_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    #: on_site or virtual (audio and video); audio alone never counts.
    method: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    virtual_reason: Mapped[str | None] = mapped_column(sa.String(300))
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    concern: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class LoneWork(Base):
    """What the office heard from somebody who makes a watched visit, and for which silence it was told (LAB-06)."""

    __tablename__ = "lone_work"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int] = refers_to("visit.id", unique=True, index=False)
    #: When the clinician last said that all is well.
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The instant by which they were to be heard of, for which the office was told: once for each.
    told_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
