"""The clock of authorisations: the payer is asked for more while there is still something left (INT-04)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import AuthorisationChanged
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER, LIVE_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, OrderStatus, Payer, VisitKind
from coordinator.orders.model import Order
from coordinator.patients.model import Authorisation, Episode, Patient
from coordinator.visits.model import Visit

AUTHORISATION = "INT-04"
#: Orders under which there is, or soon will be, somebody to visit.
_WANTED = LIVE_ORDER | {OrderStatus.SENT_FOR_SIGNATURE}

Kind = tuple[int, Payer, Discipline]


@dataclass(frozen=True, slots=True)
class Want:
    """What is to be asked of a payer, by when, and why: `ends`, or `visits` when few are left."""

    row: Authorisation
    why: str
    due_on: date
    left: int


def of_authorisation(authorisation_id: int) -> str:
    """The subject under which an authorisation's obligation stands."""
    return f"authorisation:{authorisation_id}"


def on_authorisation_changed(work: Work, event: AuthorisationChanged) -> None:
    """More visits, or a period that follows, answer what was asked for."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    follow_authorisations(work, patient.branch_id, patient.id)


def follow_authorisations(work: Work, branch_id: int, patient_id: int | None = None) -> None:
    """The last authorisation of each payer and discipline under which care goes on stands in the book once it runs out.

    It runs out when it ends within `intermittent.authorisation_reminder_days`, or has no more visits left than
    `intermittent.authorisation_warning_visits`; visits to be made are used. Done twice, nothing is said twice.
    """
    wants = {of_authorisation(want.row.id): want for want in _wants(work, branch_id, patient_id)}
    standing = _standing(work, branch_id, patient_id)
    for row in [row for row in standing if row.status is DeadlineStatus.OPEN]:
        want = wants.get(row.subject)
        if want is None or _asks(row) != _wanted(want):
            # Superseded, not done: a day may come on which the same is owed again.
            end(work, row, "more was authorised or none is needed", DeadlineStatus.SUPERSEDED)
        elif row.facts.get("left") != want.left:
            row.facts = {**row.facts, "left": want.left}
    settled = {
        (row.subject, _asks(row)) for row in standing if row.status is not DeadlineStatus.SUPERSEDED
    }  # told, done by hand or waived
    today = agency.today(work, branch_id)
    there = {(row.subject, _asks(row), row.due_on) for row in standing if row.status is DeadlineStatus.OPEN}
    for subject, want in wants.items():
        if (subject, _wanted(want)) in settled or (subject, _wanted(want), want.due_on) in there:
            continue
        open_deadline(
            work, rule=AUTHORISATION, subject=subject, due_on=want.due_on, owner_role="intake", branch_id=branch_id,
            patient_id=want.row.patient_id, task=f"authorisation-{want.why}", why=want.why,
            discipline=want.row.discipline.value, payer=want.row.payer.value, left=want.left,
            maximum=want.row.maximum_visits, ends_on=want.row.ends_on.isoformat(), remind_on=[today.isoformat()],
        )  # fmt: skip


def _asks(row: Deadline) -> tuple[object, ...]:
    return row.facts.get("why"), row.facts.get("maximum"), row.facts.get("ends_on")


def _wanted(want: Want) -> tuple[object, ...]:
    return want.why, want.row.maximum_visits, want.row.ends_on.isoformat()


def _standing(work: Work, branch_id: int, patient_id: int | None) -> list[Deadline]:
    query = sa.select(Deadline).where(
        Deadline.branch_id == branch_id, Deadline.rule == AUTHORISATION, Deadline.subject.startswith("authorisation:")
    )
    if patient_id is not None:
        query = query.where(Deadline.patient_id == patient_id)
    return list(work.session.execute(query.order_by(Deadline.id).with_for_update()).scalars())


def _wants(work: Work, branch_id: int, patient_id: int | None) -> list[Want]:
    today = agency.today(work, branch_id)
    policy = work.policy.on(today).intermittent
    soon = today + timedelta(days=policy.authorisation_reminder_days)
    last = _last_of_each(work, branch_id, patient_id)
    going_on = _going_on(work, sorted({row.patient_id for row in last}))
    last = [row for row in last if _kind(row) in going_on and row.starts_on <= soon]
    used = _used(work, last, agency.zone_of(work, branch_id))
    wants = []
    for row in last:
        left = max(0, row.maximum_visits - used[row.id])
        if row.ends_on <= soon:
            wants.append(Want(row, "ends", row.ends_on, left))
        elif left <= policy.authorisation_warning_visits:
            wants.append(Want(row, "visits", soon, left))
    return wants


def _kind(row: Authorisation) -> Kind:
    return row.patient_id, row.payer, row.discipline


def _last_of_each(work: Work, branch_id: int, patient_id: int | None) -> list[Authorisation]:
    """Of those that follow each other, the last: one that has a successor is owed nothing."""
    query = (
        sa.select(Authorisation)
        .join(Patient, Patient.id == Authorisation.patient_id)
        .where(Patient.branch_id == branch_id, Patient.active)
    )
    if patient_id is not None:
        query = query.where(Patient.id == patient_id)
    rows = work.session.execute(query.order_by(Authorisation.starts_on, Authorisation.id)).scalars()
    return sorted({_kind(row): row for row in rows}.values(), key=lambda row: row.id)


def _going_on(work: Work, patient_ids: Sequence[int]) -> set[Kind]:
    """For whom care of a discipline goes on at a payer's cost: an episode with an order that holds or is asked for."""
    rows = work.session.execute(
        sa.select(Episode.patient_id, Episode.payer, Order.discipline)
        .join(Order, Order.episode_id == Episode.id)
        .where(Episode.patient_id.in_(patient_ids), Episode.discharged_on.is_(None), Order.status.in_(_WANTED))
        .distinct()
    )
    return {(row.patient_id, row.payer, row.discipline) for row in rows}


def _used(work: Work, rows: Sequence[Authorisation], zone: ZoneInfo) -> dict[int, int]:
    """Visits of each period, made or to be made, as the rule counts them (`visits.book.Placed.is_charged`)."""
    found = work.session.execute(
        sa.select(
            Visit.patient_id,
            Episode.payer,
            Visit.discipline,
            Visit.status,
            Visit.starts_at,
            Visit.actual_start_at,
            Visit.actual_end_at,
        )
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            Visit.patient_id.in_(sorted({row.patient_id for row in rows})),
            Visit.status.in_(LIVE_VISIT),
            Visit.kind != VisitKind.SUPERVISION,
            Visit.joint_with_id.is_(None),
            Visit.starts_at.is_not(None),
        )
    )
    days: dict[Kind, list[date]] = defaultdict(list)
    for one in found:
        done = one.status in DONE_VISIT and one.actual_start_at and one.actual_end_at
        begun = one.actual_start_at if done else one.starts_at
        days[one.patient_id, one.payer, one.discipline].append(local_day(begun, zone))
    return {row.id: sum(1 for day in days[_kind(row)] if row.starts_on <= day <= row.ends_on) for row in rows}
