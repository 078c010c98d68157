"""The verbs on deadlines: to see what is owed, to say that it is done, and to waive it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import branches_of, own_lists
from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.audit import AuditEvent
from coordinator.core.db import in_sight
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.deadlines import owners
from coordinator.deadlines.book import close_deadlines, end, open_deadline
from coordinator.deadlines.care_clock import OF_ANSWERS
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.words import by_hand
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus, DeadlineWaiver, Role
from coordinator.patients.scope import patients_in_sight, require_sight

__all__ = ["close_deadlines", "done", "for_change", "get", "history", "of_patient", "open_deadline", "search", "waive"]


#: Office roles that answer for whatever a branch owes.
_WHOLE_BRANCH = (Role.SCHEDULER, Role.INTAKE, Role.CLINICAL_MANAGER)


def _in_sight(work: Work) -> sa.ColumnElement[bool]:
    """Office roles: their branches; an administrator there only what is an administrator's. Clinicians and physicians:
    what concerns the patients whom they may see, and a profession its own list.

    What would tell how a patient answered is shown to those alone who may read answers (SEC-08).
    """
    mine = branches_of(work.actor)
    if mine is None and work.actor.has_role(Role.SYSTEM.value):
        return sa.true()
    if not work.actor.may("assessment:read"):
        return sa.and_(_mine(work, mine), Deadline.rule.not_in(sorted(OF_ANSWERS)))
    return _mine(work, mine)


def _mine(work: Work, mine: frozenset[int] | None) -> sa.ColumnElement[bool]:
    ways: list[sa.ColumnElement[bool]] = []
    if mine is None or mine:
        here: sa.ColumnElement[bool] = sa.true() if mine is None else Deadline.branch_id.in_(sorted(mine))
        if not work.actor.has_role(*(role.value for role in _WHOLE_BRANCH)):
            here = sa.and_(here, Deadline.owner_role == Role.ADMINISTRATOR.value)
        ways.append(here)
    lists, branch = own_lists(work.actor)
    if lists:
        ways.append(sa.and_(Deadline.owner_role.in_(sorted(lists)), Deadline.branch_id.in_(branch)))
    if work.actor.clinician_id is not None or work.actor.physician_id is not None:
        ways.append(Deadline.patient_id.in_(patients_in_sight(work)))
    return sa.or_(*ways) if ways else sa.false()


def _visible(work: Work, deadline_id: int, *, lock: bool = False) -> Deadline:
    return in_sight(work.session, Deadline, deadline_id, _in_sight(work), "deadline", lock=lock)


@permitted("deadline:close")
def for_change(work: Work, deadline_id: int) -> Deadline:
    """The obligation, locked until this transaction ends; NotFound if it is not the actor's to see."""
    return _visible(work, deadline_id, lock=True)


@permitted("deadline:read")
def get(work: Work, deadline_id: int) -> Deadline:
    """One obligation."""
    found = _visible(work, deadline_id)
    work.record("deadline.read", f"deadline:{found.id}", patient_id=found.patient_id)
    return found


@permitted("deadline:read")
def search(
    work: Work,
    *,
    branch_id: int | None = None,
    owner_role: str | None = None,
    patient_id: int | None = None,
    rule: str | None = None,
    status: DeadlineStatus | None = DeadlineStatus.OPEN,
    due_before: date | None = None,
    overdue: bool | None = None,
    mine: bool = False,
) -> sa.Select[Any]:
    """The obligations in sight that fit, as a select for `page`. `overdue`: past its day or instant.

    `mine`: those alone for which the actor answers as case manager or therapist of the patient.
    """
    query = sa.select(Deadline).where(_in_sight(work))
    if mine:
        query = query.where(owners.mine(work))
    for column, value in (
        (Deadline.branch_id, branch_id),
        (Deadline.owner_role, owner_role),
        (Deadline.patient_id, patient_id),
        (Deadline.rule, rule),
        (Deadline.status, status),
    ):
        if value is not None:
            query = query.where(column == value)
    if due_before is not None:
        query = query.where(Deadline.due_on < due_before)
    if overdue is not None:
        late = _late(work)
        query = query.where(late if overdue else sa.not_(late))
    work.record("deadline.listed", "deadline:list", patient_id=patient_id, branch=branch_id)
    return query


def _late(work: Work) -> sa.ColumnElement[bool]:
    """Overdue in SQL: by the instant where there is one, else by the day of the deadline's own branch."""
    by_day: dict[Any, list[int]] = {}
    for branch_id in work.session.execute(sa.select(Branch.id).order_by(Branch.id)).scalars().all():
        by_day.setdefault(local_day(work.now, agency.zone_of(work, branch_id)), []).append(branch_id)
    days = [
        sa.and_(Deadline.branch_id.in_(ids), Deadline.due_at.is_(None), Deadline.due_on < today)
        for today, ids in by_day.items()
    ]
    return sa.or_(sa.and_(Deadline.due_at.is_not(None), Deadline.due_at < work.now), *days)


@permitted("deadline:read")
def of_patient(work: Work, patient_id: int, *, status: DeadlineStatus | None = DeadlineStatus.OPEN) -> sa.Select[Any]:
    """What is owed to one patient, as a select for `page`."""
    require_sight(work, patient_id)
    query = sa.select(Deadline).where(Deadline.patient_id == patient_id, _in_sight(work))
    if status is not None:
        query = query.where(Deadline.status == status)
    work.record("deadline.listed", f"patient:{patient_id}", patient_id=patient_id)
    return query


@permitted("deadline:read")
def history(work: Work, deadline_id: int) -> Sequence[AuditEvent]:
    """What happened to one obligation, first to last: opened, closed, waived, by whom; who read it is in the trail."""
    found = _visible(work, deadline_id)
    work.record("deadline.read", f"deadline:{found.id}", patient_id=found.patient_id)
    return (
        work.session.execute(
            sa.select(AuditEvent)
            .where(AuditEvent.subject == f"deadline:{found.id}", AuditEvent.action != "deadline.read")
            .order_by(AuditEvent.id)
        )
        .scalars()
        .all()
    )


@permitted("deadline:close")
def done(work: Work, deadline_id: int, note: str) -> Deadline:
    """It was done, as a person says. Refused where the product sees for itself whether it was."""
    row = _closable(work, deadline_id, note)
    if not by_hand(row.facts):
        raise Conflict(
            "This closes by itself when what it asks for is recorded. Record it, or waive it with a reason.",
            code="deadline-closes-itself",
        )
    end(work, row, note, DeadlineStatus.DONE, by=ClosedBy.PERSON)
    work.session.flush()  # the new version is in the answer
    return row


@permitted("deadline:close")
def waive(work: Work, deadline_id: int, waiver: DeadlineWaiver, reason: str) -> Deadline:
    """It is owed no more, for a coded reason and in words that stay with it."""
    row = _closable(work, deadline_id, reason)
    row.waiver = waiver
    end(work, row, reason, DeadlineStatus.WAIVED, by=ClosedBy.PERSON)
    work.session.flush()  # the new version is in the answer
    return row


def _whose(owner_role: str) -> str:
    manager = Role.CLINICAL_MANAGER.value
    owner = f"the {owner_role.replace('_', ' ')}" if owner_role != Role.INTAKE.value else "intake"
    return owner if owner_role == manager else f"{owner} or the {manager.replace('_', ' ')}"


def _closable(work: Work, deadline_id: int, reason: str) -> Deadline:
    row = _visible(work, deadline_id, lock=True)
    lists = own_lists(work.actor)[0]
    own = work.actor.user_id in owners.people_of(work, [row]).get(row.id, ())
    if not own and row.owner_role not in lists and not work.actor.has_role(row.owner_role, Role.CLINICAL_MANAGER.value):
        raise Forbidden(f"Only {_whose(row.owner_role)} may close this.")
    if row.status is not DeadlineStatus.OPEN:
        raise Conflict("This is closed already.", code="deadline-closed", status_now=row.status.value)
    if not reason.strip():
        raise Invalid("Say why.", pointer="/reason")
    return row
