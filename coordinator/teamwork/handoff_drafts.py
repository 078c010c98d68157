"""What the record says to whoever comes next: codes, numbers and days, and what the patient said matters most.

Notes are never read here, so that nothing restricted gets into a card. Scores are of instruments, and shown to those
alone who may read that instrument's answers (SEC-08); an aide's card has none.
"""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.model import AlertLimit, Assessment
from coordinator.care.shelf import readable
from coordinator.core.work import Work
from coordinator.deadlines.care_clock import OF_ANSWERS
from coordinator.deadlines.model import Deadline
from coordinator.domain.care import AssessmentStatus
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER
from coordinator.domain.teamwork import LIVE_TASK, TELLS_ANSWERS, TaskSource
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, GoalCategory, VisitStatus
from coordinator.orders.cards import plain_line
from coordinator.orders.model import CarePlan, Order
from coordinator.patients.model import Patient
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.model import Task
from coordinator.visits.model import Visit

#: How far back a card looks for somebody who was never there.
NEVER_THERE_DAYS = 14
#: Of each kind at most so many lines: a card is read at the door.
MOST = 20
_UNMADE = (VisitStatus.MISSED, VisitStatus.NO_SHOW)


def draft(work: Work, card: Handoff) -> dict[str, Any]:
    """The card's content as the record has it now, since the receiver was last there."""
    patient = work.session.get_one(Patient, card.patient_id)
    since = _last_there(work, card) or local_day(work.now, agency.zone_of(work, patient.branch_id)) - timedelta(
        days=NEVER_THERE_DAYS
    )
    clinical = card.discipline is not Discipline.HHA
    return {
        "since": since.isoformat(),
        "visits": _visits(work, card, since),
        "scores": _scores(work, card, since) if clinical else [],
        "orders": _orders(work, card, since, clinical=clinical),
        "limits": _limits(work, card) if clinical else [],
        "open_tasks": _tasks(work, card),
        "deadlines": _deadlines(work, card) if clinical else [],
        "access": {
            "access_notes": patient.home.access_notes,
            "hazards": list(patient.home.hazards),
            "safety": patient.home.safety.value,
            "mitigations_open": patient.home.mitigations_open,
        },
        "spoken_language": patient.spoken_language,
        "interpreter_needed": patient.interpreter_needed,
        "code_status": patient.code_status.value,
        "matters_most": _matters(work, card),
    }


def for_reader(work: Work, content: dict[str, Any]) -> dict[str, Any]:
    """The content without scores of instruments whose answers the actor may not read."""
    allowed = {code.value for code in readable(work)} if work.actor.may("assessment:read") else set()
    return content | {"scores": [row for row in content["scores"] if row["instrument"] in allowed]}


def _last_there(work: Work, card: Handoff) -> date | None:
    if card.to_clinician_id is None:
        return None
    at = work.session.execute(
        sa.select(sa.func.max(Visit.starts_at, type_=Visit.starts_at.type)).where(
            Visit.patient_id == card.patient_id, Visit.clinician_id == card.to_clinician_id,
            Visit.status.in_(DONE_VISIT),
        )
    ).scalar()  # fmt: skip
    return None if at is None else local_day(at, agency.zone_of(work, card.branch_id))


def _since(work: Work, card: Handoff, since: date) -> datetime:
    return day_bounds(since, agency.zone_of(work, card.branch_id))[0]


def _visits(work: Work, card: Handoff, since: date) -> list[dict[str, Any]]:
    """Made and missed since then, of all disciplines, the latest first."""
    zone = agency.zone_of(work, card.branch_id)
    rows = work.session.execute(
        sa.select(Visit.id, Visit.discipline, Visit.kind, Visit.status, Visit.starts_at, Visit.missed_reason)
        .where(
            Visit.patient_id == card.patient_id, Visit.starts_at >= _since(work, card, since),
            Visit.starts_at <= work.now, Visit.status.in_(sorted({*DONE_VISIT, *_UNMADE})),
        )
        .order_by(Visit.starts_at.desc(), Visit.id)
        .limit(MOST)
    )  # fmt: skip
    return [
        {
            "visit": row.id, "on": local_day(row.starts_at, zone).isoformat(), "discipline": row.discipline.value,
            "kind": row.kind.value, "made": row.status in DONE_VISIT, "missed_reason": row.missed_reason,
        }
        for row in rows
    ]  # fmt: skip


def _scores(work: Work, card: Handoff, since: date) -> list[dict[str, Any]]:
    """Totals since then, each with the one before it; no answers."""
    rows = (
        work.session.execute(
            sa.select(Assessment)
            .where(
                Assessment.patient_id == card.patient_id, Assessment.caregiver_id.is_(None),
                Assessment.status == AssessmentStatus.FINAL, Assessment.total.is_not(None),
            )
            .order_by(Assessment.assessed_at.desc(), Assessment.id.desc())
            .limit(MOST * 3)
        )
        .scalars()
        .all()
    )  # fmt: skip
    found: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        if row.assessed_on >= since and len(found) < MOST:
            before = next((one for one in rows[place + 1 :] if one.instrument is row.instrument), None)
            found.append(
                {
                    "instrument": row.instrument.value, "on": row.assessed_on.isoformat(), "total": row.total,
                    "band": row.band, "before": None if before is None else before.total,
                }
            )  # fmt: skip
    return found


def _orders(work: Work, card: Handoff, since: date, *, clinical: bool) -> list[dict[str, Any]]:
    """Orders in force, those of other disciplines where they are new since then."""
    rows = work.session.execute(
        sa.select(Order)
        .where(Order.patient_id == card.patient_id, Order.status.in_(sorted(LIVE_ORDER)))
        .order_by(Order.effective_from.desc(), Order.id)
        .limit(MOST)
    ).scalars()
    return [
        {
            "order": row.id, "discipline": row.discipline.value, "line": plain_line(row, clinical=clinical),
            "new": row.effective_from >= since,
        }
        for row in rows
        if card.discipline in (None, row.discipline) or (clinical and row.effective_from >= since)
    ]  # fmt: skip


def _limits(work: Work, card: Handoff) -> list[dict[str, Any]]:
    """From when on a measure of this patient is told to the practitioner."""
    rows = work.session.execute(
        sa.select(AlertLimit).where(AlertLimit.patient_id == card.patient_id).order_by(AlertLimit.measure)
    ).scalars()
    return [{"measure": row.measure.value, "low": row.low, "high": row.high} for row in rows]


def _tasks(work: Work, card: Handoff) -> list[dict[str, Any]]:
    """What somebody has still to do for the patient, without words and without what tells answers."""
    rows = work.session.execute(
        sa.select(Task.id, Task.kind, Task.due_on)
        .where(
            Task.patient_id == card.patient_id, Task.status.in_(sorted(LIVE_TASK)),
            Task.kind.not_in(sorted(TELLS_ANSWERS)), Task.source != TaskSource.HANDOFF,
        )
        .order_by(Task.due_on, Task.id)
        .limit(MOST)
    )  # fmt: skip
    return [{"task": row.id, "kind": row.kind.value, "due_on": row.due_on.isoformat()} for row in rows]


def _deadlines(work: Work, card: Handoff) -> list[dict[str, Any]]:
    rows = work.session.execute(
        sa.select(Deadline.rule, Deadline.task, Deadline.due_on)
        .where(
            Deadline.patient_id == card.patient_id, Deadline.status == DeadlineStatus.OPEN,
            Deadline.rule.not_in(sorted(OF_ANSWERS)),
        )
        .order_by(Deadline.due_on, Deadline.id)
        .limit(MOST)
    )  # fmt: skip
    return [{"rule": row.rule, "task": row.task, "due_on": row.due_on.isoformat()} for row in rows]


def _matters(work: Work, card: Handoff) -> list[dict[str, str]]:
    """What matters most, in the patient's own words and language."""
    plan = work.session.execute(
        sa.select(CarePlan).where(CarePlan.patient_id == card.patient_id).order_by(CarePlan.episode_id.desc()).limit(1)
    ).scalar()
    goals = plan.goals if plan is not None else []
    return [
        {"text": goal.text, "language": goal.language}
        for goal in goals
        if goal.category is GoalCategory.WHAT_MATTERS_MOST
    ]
