"""Of a conference's agenda, what happened and what waits: visits, orders, stays, tasks, deadlines, cards, referrals."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from coordinator.agency import service as agency
from coordinator.care.model import Conference
from coordinator.care.response_model import ConferenceDecision
from coordinator.core.work import Work
from coordinator.deadlines.care_clock import OF_ANSWERS
from coordinator.deadlines.model import Deadline
from coordinator.domain.handoffs import UNREAD_HANDOFF
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.linkage import LIVE_LINK
from coordinator.domain.teamwork import LIVE_TASK, TELLS_ANSWERS, TaskSource
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DeadlineStatus, OrderStatus, VisitStatus
from coordinator.episodes.model import InpatientStay
from coordinator.orders.model import Order
from coordinator.orders.queries import awaits_signature
from coordinator.teamwork.agenda_subjects import Subject, by_patient, patients, since_instants
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.model import Task
from coordinator.teamwork.resource_model import ResourceReferral
from coordinator.visits.model import Visit

Told = dict[int, list[dict[str, Any]]]
_UNMADE = frozenset({VisitStatus.MISSED, VisitStatus.NO_SHOW})


def decided(work: Work, subjects: Sequence[Subject]) -> Told:
    """What the last meetings decided since then, and how it stands: the order, or the task that carries it out."""
    rows = work.session.execute(
        sa.select(
            Conference.patient_id, ConferenceDecision.id, ConferenceDecision.kind, ConferenceDecision.words,
            ConferenceDecision.owner, ConferenceDecision.due_on, Conference.held_on,
            Order.status.label("order_status"), Task.status.label("task_status"),
        )
        .join(Conference, Conference.id == ConferenceDecision.conference_id)
        .outerjoin(Order, Order.id == ConferenceDecision.order_id)
        .outerjoin(
            Task,
            sa.and_(
                Task.source == TaskSource.CONFERENCE,
                Task.source_ref == sa.literal("conference-decision:") + sa.cast(ConferenceDecision.id, sa.String),
            ),
        )
        .where(Conference.patient_id.in_(patients(subjects)))
        .order_by(ConferenceDecision.id)
    )  # fmt: skip
    since = {one.patient_id: one.since for one in subjects}
    return by_patient(
        [row for row in rows if row.held_on >= since[row.patient_id]],
        lambda row: {
            "decision": row.id, "kind": row.kind.value, "words": row.words, "due_on": row.due_on,
            "owner": None if row.owner is None else row.owner.value,
            "order_status": None if row.order_status is None else row.order_status.value,
            "task_status": None if row.task_status is None else row.task_status.value,
        },
    )  # fmt: skip


def visits(work: Work, subjects: Sequence[Subject]) -> Told:
    """Visits since then that were made or missed, by discipline; of the missed, why and what was decided."""
    since = since_instants(subjects)
    rows = work.session.execute(
        sa.select(
            Visit.id, Visit.patient_id, Visit.branch_id, Visit.discipline, Visit.kind, Visit.status, Visit.starts_at,
            Visit.missed_reason, Visit.decision,
        )
        .where(
            Visit.patient_id.in_(patients(subjects)), Visit.status.in_(sorted(DONE_VISIT | _UNMADE)),
            Visit.starts_at >= min(since.values()), Visit.starts_at <= work.now, Visit.joint_with_id.is_(None),
        )
        .order_by(Visit.starts_at, Visit.id)
    )  # fmt: skip
    return by_patient(
        [row for row in rows if row.starts_at >= since[row.patient_id]],
        lambda row: {
            "visit": row.id, "on": local_day(row.starts_at, agency.zone_of(work, row.branch_id)),
            "discipline": row.discipline.value, "kind": row.kind.value, "made": row.status in DONE_VISIT,
            "missed_reason": row.missed_reason,
            "decision": None if row.decision is None else row.decision.value,
        },
    )  # fmt: skip


def orders(work: Work, subjects: Sequence[Subject]) -> Told:
    """Orders that were signed or declined since then, and those that wait for a signature, however long."""
    since = since_instants(subjects)
    rows = work.session.execute(
        sa.select(Order)
        .where(
            Order.patient_id.in_(patients(subjects)), Order.status.not_in([OrderStatus.DRAFT, OrderStatus.VOID])
        )
        .options(lazyload("*"))
        .order_by(Order.id)
    ).scalars()  # fmt: skip
    days = {one.patient_id: one.since for one in subjects}
    told = []
    for row in rows:
        if awaits_signature(row):
            told.append((row, "awaits"))
        elif row.signed_at is not None and row.signed_at >= since[row.patient_id]:
            told.append((row, "signed"))
        elif row.status is OrderStatus.DECLINED and (row.ended_on or days[row.patient_id]) >= days[row.patient_id]:
            told.append((row, "declined"))
    how = {row.id: word for row, word in told}
    return by_patient(
        [row for row, _ in told],
        lambda row: {
            "order": row.id, "discipline": row.discipline.value, "frequency": row.frequency,
            "effective_from": row.effective_from, "standing": how[row.id], "physician_id": row.physician_id,
            "decline_reason": None if row.decline_reason is None else row.decline_reason.value,
        },
    )  # fmt: skip


def stays(work: Work, subjects: Sequence[Subject]) -> Told:
    """Stays in hospital that began or ended since then, or last."""
    since = since_instants(subjects)
    rows = work.session.execute(
        sa.select(InpatientStay).where(InpatientStay.patient_id.in_(patients(subjects))).order_by(InpatientStay.id)
    ).scalars()
    return by_patient(
        [row for row in rows if row.home_at is None or max(row.left_home_at, row.home_at) >= since[row.patient_id]],
        lambda row: {
            "stay": row.id, "left_home_at": row.left_home_at, "admitted": row.admitted_at is not None,
            "planned": row.planned, "home_at": row.home_at,
        },
    )  # fmt: skip


def tasks(work: Work, subjects: Sequence[Subject], *, answers: bool) -> Told:
    """What people still have to do: `new` since then, `late` by its own clock. Their notes stay with them."""
    since = since_instants(subjects)
    query = sa.select(
        Task.id, Task.patient_id, Task.kind, Task.due_on, Task.opened_at, Task.late_from, Task.owner_role, Task.status
    ).where(Task.patient_id.in_(patients(subjects)), Task.status.in_(sorted(LIVE_TASK)))
    if not answers:
        query = query.where(Task.kind.not_in(sorted(TELLS_ANSWERS)))
    return by_patient(
        work.session.execute(query.order_by(Task.late_from, Task.id)),
        lambda row: {
            "task": row.id, "kind": row.kind.value, "due_on": row.due_on, "status": row.status.value,
            "owner_role": None if row.owner_role is None else row.owner_role.value,
            "new": row.opened_at >= since[row.patient_id], "late": row.late_from <= work.now,
        },
    )  # fmt: skip


def deadlines(work: Work, subjects: Sequence[Subject], *, answers: bool) -> Told:
    """What the rules have owed and nobody has done, the earliest first."""
    today = {one.patient_id: one.today for one in subjects}
    query = sa.select(Deadline.id, Deadline.patient_id, Deadline.rule, Deadline.task, Deadline.due_on).where(
        Deadline.patient_id.in_(patients(subjects)), Deadline.status == DeadlineStatus.OPEN
    )
    if not answers:
        query = query.where(Deadline.rule.not_in(sorted(OF_ANSWERS)))
    return by_patient(
        work.session.execute(query.order_by(Deadline.due_on, Deadline.id)),
        lambda row: {
            "deadline": row.id, "rule": row.rule, "task": row.task, "due_on": row.due_on,
            "late": row.due_on < today[row.patient_id],
        },
    )  # fmt: skip


def handoffs(work: Work, subjects: Sequence[Subject]) -> Told:
    """Cards that nobody has read."""
    rows = work.session.execute(
        sa.select(Handoff.id, Handoff.patient_id, Handoff.discipline, Handoff.cause, Handoff.status, Handoff.due_at)
        .where(Handoff.patient_id.in_(patients(subjects)), Handoff.status.in_(sorted(UNREAD_HANDOFF)))
        .order_by(Handoff.due_at, Handoff.id)
    )
    return by_patient(
        rows,
        lambda row: {
            "handoff": row.id, "cause": row.cause.value, "status": row.status.value, "due_at": row.due_at,
            "discipline": None if row.discipline is None else row.discipline.value,
        },
    )  # fmt: skip


def referrals(work: Work, subjects: Sequence[Subject]) -> Told:
    """Help elsewhere that is on its way, and what came of it since then (K-S1)."""
    since = since_instants(subjects)
    rows = work.session.execute(
        sa.select(ResourceReferral)
        .where(ResourceReferral.patient_id.in_(patients(subjects)))
        .order_by(ResourceReferral.id)
    ).scalars()
    return by_patient(
        [
            row
            for row in rows.all()
            if row.status in LIVE_LINK or any(step.at >= since[row.patient_id] for step in row.steps)
        ],
        lambda row: {
            "referral": row.id, "need": row.need, "status": row.status.value, "caregiver_id": row.caregiver_id,
            "follow_up_on": row.follow_up_on, "failure": None if row.failure is None else row.failure.value,
        },
    )  # fmt: skip
