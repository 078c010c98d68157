"""One inbox: what waits for a person, by what they are and where they sit. Nothing in it is copied from anywhere."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from coordinator.core.work import Work, permitted
from coordinator.deadlines import owners
from coordinator.deadlines import service as deadlines
from coordinator.deadlines.model import Deadline
from coordinator.domain.handoffs import UNREAD_HANDOFF, HandoffStatus
from coordinator.domain.teamwork import LIVE_TASK, Desk, TaskPriority
from coordinator.domain.vocabulary import Role
from coordinator.teamwork import handoffs, notes, tasks
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.model import Task
from coordinator.teamwork.notes_model import Note, NoteAddress
from coordinator.teamwork.people import my_desks

#: Roles whose list a deadline may be on; professions have theirs under the clinical manager or the clinician.
_LISTS = frozenset(role.value for role in Role) - {Role.SYSTEM.value}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits, by kind: messages, those of them that ask to be acknowledged, tasks, deadlines and so on."""

    messages: int
    to_acknowledge: int
    tasks: int
    tasks_late: int
    tasks_urgent: int
    deadlines: int
    deadlines_late: int
    #: Cards that the person is to finish, and to read; they are of persons, so a role alone has none.
    handoffs_to_write: int
    handoffs_to_read: int


def _waiting_notes(work: Work, desk: Desk | None) -> sa.ColumnElement[bool]:
    mine = notes.to_me(work, None if desk is None else my_desks(work.actor) & {desk})
    waiting = sa.select(NoteAddress.note_id).where(NoteAddress.acknowledged_at.is_(None), NoteAddress.id.in_(mine))
    return sa.and_(notes.readable(work), Note.retracted_at.is_(None), Note.id.in_(waiting))


def _waiting_tasks(work: Work, desk: Desk | None) -> sa.ColumnElement[bool]:
    mine = tasks.on_my_list(work) if desk is None else tasks.on_list(None, my_desks(work.actor) & {desk})
    return sa.and_(tasks.in_sight(work), mine, Task.status.in_(sorted(LIVE_TASK)))


@permitted("inbox:read")
def messages(
    work: Work, *, role: Desk | None = None, patient_id: int | None = None, to_acknowledge: bool | None = None
) -> sa.Select[Any]:
    """Notes addressed to the actor (with `role`, to that desk of theirs) that they have not acknowledged, as heads."""
    query = sa.select(Note).where(_waiting_notes(work, role))
    if patient_id is not None:
        query = query.where(Note.patient_id == patient_id)
    if to_acknowledge is not None:
        query = query.where(Note.wants_acknowledgement.is_(to_acknowledge))
    work.record("inbox.read", "inbox:messages", patient_id=patient_id)
    return query


@permitted("inbox:read")
def tasks_waiting(
    work: Work, *, role: Desk | None = None, patient_id: int | None = None, late: bool | None = None
) -> sa.Select[Any]:
    """Tasks on the actor's list (with `role`, on that desk's), as a select for `page`."""
    query = sa.select(Task).where(_waiting_tasks(work, role))
    if patient_id is not None:
        query = query.where(Task.patient_id == patient_id)
    if late is not None:
        query = query.where(Task.late_from <= work.now if late else Task.late_from > work.now)
    work.record("inbox.read", "inbox:tasks", patient_id=patient_id)
    return query


def _lists(work: Work, role: Desk | None) -> list[str]:
    held = set(work.actor.roles) & _LISTS
    return sorted(held if role is None else held & {role.value})


@permitted("inbox:read")
def deadlines_waiting(
    work: Work, *, role: Desk | None = None, patient_id: int | None = None, late: bool | None = None
) -> sa.Select[Any]:
    """Obligations of the book that are on a list of the actor's roles, or that are the actor's own as case manager or
    therapist of the patient (with `role`, those of that desk alone), as a select for `page`; none is copied.
    """
    if not work.actor.may("deadline:read"):
        return sa.select(Deadline).where(sa.false())
    query = deadlines.search(work, patient_id=patient_id, overdue=late)
    listed = Deadline.owner_role.in_(_lists(work, role))
    return query.where(listed if role is not None else sa.or_(listed, owners.mine(work)))


@permitted("inbox:read")
def counts(work: Work, *, role: Desk | None = None) -> Counts:
    """How much waits; the numbers are those of the lists, also of what is restricted."""
    found = work.session.execute(
        sa.select(sa.func.count(), _how_many(Note.wants_acknowledgement.is_(True)))
        .select_from(Note)
        .where(_waiting_notes(work, role))
    ).one()
    asked = work.session.execute(
        sa.select(
            sa.func.count(),
            _how_many(Task.late_from <= work.now),
            _how_many(Task.priority != TaskPriority.ROUTINE),
        )
        .select_from(Task)
        .where(_waiting_tasks(work, role))
    ).one()
    owed = [
        work.session.execute(
            sa.select(sa.func.count()).select_from(deadlines_waiting(work, role=role, late=late).subquery())
        ).scalar_one()
        for late in (None, True)
    ]
    to_write, to_read = (0, 0) if role is not None else _waiting_cards(work)
    work.record("inbox.read", "inbox:counts")
    return Counts(
        messages=found[0], to_acknowledge=found[1], tasks=asked[0], tasks_late=asked[1], tasks_urgent=asked[2],
        deadlines=owed[0], deadlines_late=owed[1], handoffs_to_write=to_write, handoffs_to_read=to_read,
    )  # fmt: skip


def _waiting_cards(work: Work) -> tuple[int, int]:
    """Cards that wait for the actor's words, and those that were finished and wait for their reading."""
    write = sa.and_(handoffs.to_write(work), Handoff.status == HandoffStatus.DRAFT)
    read = sa.and_(handoffs.to_read(work), Handoff.status == HandoffStatus.FINISHED)
    found = work.session.execute(
        sa.select(_how_many(write), _how_many(read)).where(Handoff.status.in_(sorted(UNREAD_HANDOFF)))
    ).one()
    return found[0], found[1]


def _how_many(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
