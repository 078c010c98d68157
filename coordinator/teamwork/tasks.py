"""Tasks: asked once, on one list at a time, taken or given back with a reason, and ended with an outcome."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import (
    branch_of_patient,
    branches_of,
    patients_in_sight,
    require_sight,
    sees_own_visits_only,
)
from coordinator.agency import service as agency
from coordinator.core import db
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import TaskEscalated, TaskHandedOver
from coordinator.domain.teamwork import (
    LIVE_TASK,
    TELLS_ANSWERS,
    Desk,
    TaskCancel,
    TaskDecline,
    TaskDeed,
    TaskKind,
    TaskOutcome,
    TaskPriority,
    TaskSource,
    TaskStatus,
    next_desk,
)
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.jobs.context import JobContext
from coordinator.jobs.queue import insert_once
from coordinator.teamwork.model import Task, TaskStep
from coordinator.teamwork.people import acts_for, my_desks, own_branch, place, require_able, stands_in

# ------------------------------------------------------------------------------------ opening


def open_task(
    work: Work,
    *,
    patient_id: int | None,
    kind: TaskKind,
    source: TaskSource,
    source_ref: str,
    due: date | datetime,
    owner_role: Desk | None = None,
    owner_id: int | None = None,
    priority: TaskPriority = TaskPriority.ROUTINE,
    branch_id: int | None = None,
    about: str | None = None,
    note: str | None = None,
    asked_by_id: int | None = None,
) -> Task:
    """The task of that source, reference and kind is on somebody's list; a second asking finds the first, as it is.

    `due`: the last day in the branch's zone, or the latest instant. `owner_id` is a user's number; with `owner_role`
    as well, the task can go back to that desk. ValueError without either, or with neither patient nor branch. Asked by
    other rooms and by handlers, never by a door.
    """
    if owner_role is None and owner_id is None:
        raise ValueError("a task is on somebody's list: name a role or a person")
    if patient_id is not None:
        branch_id = branch_of_patient(work, patient_id)
    if branch_id is None:
        raise ValueError("a task without a patient names its branch")
    due_on, due_at, late_from = _due(work, branch_id, due)
    fresh = insert_once(
        work.session, Task,
        branch_id=branch_id, patient_id=patient_id, kind=kind, source=source, source_ref=source_ref, about=about,
        note=note, priority=priority, owner_role=owner_role, owner_id=owner_id, asked_by_id=asked_by_id, due_on=due_on,
        due_at=due_at, late_from=late_from, escalate_at=late_from, status=TaskStatus.OPEN, opened_at=work.now,
        version=1,
    )  # fmt: skip
    task = work.session.execute(
        sa.select(Task).where(Task.source == source, Task.source_ref == source_ref, Task.kind == kind)
    ).scalar_one()
    if fresh:
        _step(work, task, TaskDeed.OPENED)
        work.record("task.opened", f"task:{task.id}", patient_id=patient_id, kind=kind.value, source=source.value)
        _hand_over(work, task)
    return task


def _due(work: Work, branch_id: int, due: date | datetime) -> tuple[date, datetime | None, datetime]:
    zone = agency.zone_of(work, branch_id)
    if isinstance(due, datetime):
        return local_day(due, zone), due, due
    return due, None, day_bounds(due, zone)[1]


def _step(work: Work, task: Task, deed: TaskDeed, *, reason: str | None = None, note: str | None = None) -> None:
    work.session.add(
        TaskStep(
            task_id=task.id, at=work.now, by_id=work.actor.user_id, deed=deed, to_role=task.owner_role,
            to_id=task.owner_id, reason=reason, note=note,
        )
    )  # fmt: skip


def _hand_over(work: Work, task: Task) -> None:
    """Whose list it is on now hears of it, unless they put it there themselves."""
    if task.owner_id is None or task.owner_id != work.actor.user_id:
        work.publish(TaskHandedOver(task_id=task.id))


@permitted("task:ask")
def ask(
    work: Work, *, patient_id: int | None = None, branch_id: int | None = None, kind: TaskKind,
    owner_role: Desk | None = None, owner_id: int | None = None, due_on: date | None = None,
    due_at: datetime | None = None, priority: TaskPriority = TaskPriority.ROUTINE, about: str | None = None,
    note: str | None = None,
) -> Task:  # fmt: skip
    """A person asks another, or a desk, to do something by a day. The asked person must be able to see the patient."""
    branch_id = place(work, patient_id, branch_id)
    _require_one_owner(owner_role, owner_id)
    if (due_on is None) == (due_at is None):
        raise Invalid("Say by which day, or by which instant, and not both.", pointer="/due_on")
    if kind in TELLS_ANSWERS and not work.actor.may("assessment:read"):
        raise Invalid("What a patient answered is not yours to read, and so not to ask about.", pointer="/kind")
    if kind is TaskKind.OTHER and note is None:
        raise Invalid("Say in the note what is to be done.", pointer="/note")
    due = due_at or due_on
    assert due is not None
    late_from = _due(work, branch_id, due)[2]
    if late_from <= work.now:
        raise Invalid("This is past already.", pointer="/due_at" if due_at else "/due_on")
    if owner_id is not None:
        _require_able(work, owner_id, patient_id, branch_id, kind)
    task = open_task(
        work, patient_id=patient_id, kind=kind, source=TaskSource.PERSON,
        source_ref=f"user:{work.actor.user_id}:{secrets.token_hex(8)}", due=due, owner_role=owner_role,
        owner_id=owner_id, priority=priority, branch_id=branch_id, about=about, note=note,
        asked_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.flush()  # the answer says its number and version
    return task


def _require_one_owner(owner_role: Desk | None, owner_id: int | None) -> None:
    if (owner_role is None) == (owner_id is None):
        raise Invalid("Name one person, or one role.", pointer="/owner_role")


def _require_able(work: Work, user_id: int, patient_id: int | None, branch_id: int, kind: TaskKind) -> None:
    """Refuse a person who could not see the task that they are given."""
    them = require_able(work, user_id, patient_id, branch_id, permission="task:act", pointer="/owner_id")
    if kind in TELLS_ANSWERS and not them.may("assessment:read"):
        raise Invalid("This person may not read what a patient answered.", pointer="/owner_id")


# ------------------------------------------------------------------------------------ whose, and who sees


def in_sight(work: Work) -> sa.ColumnElement[bool]:
    """Tasks that the actor may see: those about patients in sight, and those of their branches that are about none.

    Whoever is to hand over a patient whom they see no more is told so. An aide sees their own alone; what tells answers
    is for those who may read answers (SEC-08).
    """
    mine = branches_of(work.actor)
    own = Task.owner_id == (work.actor.user_id or 0)
    if mine is None:
        seen: sa.ColumnElement[bool] = sa.true()
    else:
        here = sa.or_(
            own, Task.branch_id.in_(sorted(mine)), sa.and_(Task.branch_id == own_branch(work), on_my_list(work))
        )
        about_none = sa.and_(Task.patient_id.is_(None), here)
        to_hand_over = sa.and_(own, Task.source == TaskSource.HANDOFF)
        seen = sa.or_(Task.patient_id.in_(patients_in_sight(work)), about_none, to_hand_over)
    if sees_own_visits_only(work.actor):
        seen = sa.and_(seen, own)
    if not work.actor.may("assessment:read"):
        seen = sa.and_(seen, Task.kind.not_in(sorted(TELLS_ANSWERS)))
    return seen


def on_my_list(work: Work) -> sa.ColumnElement[bool]:
    """Of the tasks in sight, those that the actor may take or has: theirs, those of whom they stand in for, their
    desks', and what was escalated."""
    own = on_list(work.actor.user_id, my_desks(work.actor))
    return sa.or_(own, stands_in(work, Task.owner_id, Task.patient_id))  # type: ignore[arg-type]


def on_list(user_id: int | None, desks: frozenset[Desk]) -> sa.ColumnElement[bool]:
    """Tasks of that person and of those desks."""
    held = sorted(desks)
    return sa.or_(
        Task.owner_id == (user_id or 0),
        sa.and_(Task.owner_id.is_(None), Task.owner_role.in_(held)),
        Task.escalated_to.in_(held),
    )


def _visible(work: Work, task_id: int, *, lock: bool = False) -> Task:
    return db.in_sight(work.session, Task, task_id, in_sight(work), "task", lock=lock)


@permitted("task:act")
def for_change(work: Work, task_id: int) -> Task:
    """The task, locked until this transaction ends; NotFound if it is not the actor's to see."""
    return _visible(work, task_id, lock=True)


@permitted("task:read")
def get(work: Work, task_id: int) -> Task:
    """One task."""
    task = _visible(work, task_id)
    work.record("task.read", f"task:{task.id}", patient_id=task.patient_id)
    return task


@permitted("task:read")
def history(work: Work, task_id: int) -> Sequence[TaskStep]:
    """What happened to a task, first to last."""
    task = _visible(work, task_id)
    work.record("task.read", f"task:{task.id}", patient_id=task.patient_id)
    return (
        work.session.execute(sa.select(TaskStep).where(TaskStep.task_id == task.id).order_by(TaskStep.id))
        .scalars()
        .all()
    )


@permitted("task:read")
def search(
    work: Work, *, mine: bool = False, live: bool | None = True, overdue: bool | None = None,
    due_before: date | None = None, **wanted: Any,
) -> sa.Select[Any]:  # fmt: skip
    """Tasks in sight that fit, as a select for `page`; `mine`: those on the actor's list. `live`: still to be done.

    `wanted` are columns and what they must be, those that are None left out.
    """
    if wanted.get("patient_id") is not None:
        require_sight(work, wanted["patient_id"])
    query = sa.select(Task).where(in_sight(work))
    if mine:
        query = query.where(on_my_list(work))
    if live is not None:
        is_live = Task.status.in_(sorted(LIVE_TASK))
        query = query.where(is_live if live else sa.not_(is_live))
    if overdue is not None:
        late = sa.and_(Task.late_from <= work.now, Task.status.in_(sorted(LIVE_TASK)))
        query = query.where(late if overdue else sa.not_(late))
    if due_before is not None:
        query = query.where(Task.due_on < due_before)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Task, name) == value)
    work.record("task.listed", "task:list", patient_id=wanted.get("patient_id"))
    return query


# ------------------------------------------------------------------------------------ taking, giving back, ending


def _live(work: Work, task_id: int) -> Task:
    task = _visible(work, task_id, lock=True)
    if task.status not in LIVE_TASK:
        raise Conflict("This task has ended.", code="task-ended", status_now=task.status.value)
    return task


def _mine_to_take(work: Work, task: Task) -> bool:
    desks = my_desks(work.actor)
    return acts_for(work, task.owner_id, task.patient_id) or (
        task.owner_id is None and (task.owner_role in desks or task.escalated_to in desks)
    )


def _in_charge(work: Work, task: Task) -> bool:
    """The clinical manager, and whoever it was escalated to, may settle what is on another's list."""
    desks = my_desks(work.actor)
    return Desk.CLINICAL_MANAGER in desks or (task.escalated_to is not None and task.escalated_to in desks)


def _ended(work: Work, task: Task, status: TaskStatus) -> None:
    task.status, task.ended_at, task.ended_by_id, task.escalate_at = status, work.now, work.actor.user_id, None


@permitted("task:act")
def accept(work: Work, task_id: int) -> Task:
    """The task is the actor's own; by a second time nothing changes."""
    task = _live(work, task_id)
    if task.status is TaskStatus.ACCEPTED and task.owner_id == work.actor.user_id:
        return task
    if not _mine_to_take(work, task):
        raise Forbidden("This is on another list. Have it reassigned to you.")
    task.owner_id, task.status, task.accepted_at = work.actor.user_id, TaskStatus.ACCEPTED, work.now
    _step(work, task, TaskDeed.ACCEPTED)
    work.record("task.accepted", f"task:{task.id}", patient_id=task.patient_id)
    work.session.flush()  # the new version is in the answer
    return task


@permitted("task:act")
def decline(work: Work, task_id: int, reason: TaskDecline, note: str | None = None) -> Task:
    """The task is off the actor's list: back with the desk that they had it from, or else with whoever asked.

    Where neither is left, it goes to the next desk above.
    """
    task = _live(work, task_id)
    desks = my_desks(work.actor)
    own = acts_for(work, task.owner_id, task.patient_id)
    if not own and not (task.owner_id is None and task.owner_role in desks):
        raise Forbidden("Only whose list it is on may decline it.")
    if reason is TaskDecline.OTHER and note is None:
        raise Invalid("Say why.", pointer="/note")
    if own and task.owner_role is not None:
        task.owner_id = None
    elif task.asked_by_id is not None and task.asked_by_id != work.actor.user_id:
        task.owner_id, task.owner_role = task.asked_by_id, None
    else:
        above = next_desk(task.owner_role) or Desk.ADMINISTRATOR
        task.owner_id, task.owner_role = None, above
    task.status, task.accepted_at = TaskStatus.OPEN, None
    _step(work, task, TaskDeed.DECLINED, reason=reason.value, note=note)
    work.record("task.declined", f"task:{task.id}", patient_id=task.patient_id, reason=reason.value)
    work.session.flush()  # who hears of it reads the row
    _hand_over(work, task)
    return task


@permitted("task:act")
def reassign(
    work: Work, task_id: int, *, owner_role: Desk | None = None, owner_id: int | None = None, note: str | None = None
) -> Task:
    """The task is on another list, and waits there to be accepted."""
    task = _live(work, task_id)
    if not (_mine_to_take(work, task) or _in_charge(work, task) or task.asked_by_id == work.actor.user_id):
        raise Forbidden("Only whose list it is on, who asked, or the clinical manager may reassign it.")
    _require_one_owner(owner_role, owner_id)
    if owner_id is not None:
        _require_able(work, owner_id, task.patient_id, task.branch_id, task.kind)
        task.owner_id = owner_id
    else:
        task.owner_id, task.owner_role = None, owner_role
    task.status, task.accepted_at = TaskStatus.OPEN, None
    _step(work, task, TaskDeed.REASSIGNED, note=note)
    work.record("task.reassigned", f"task:{task.id}", patient_id=task.patient_id)
    work.session.flush()  # who hears of it reads the row
    _hand_over(work, task)
    return task


@permitted("task:act")
def finish(work: Work, task_id: int, outcome: TaskOutcome, note: str | None = None) -> Task:
    """The task is done, with what came of it."""
    task = _live(work, task_id)
    if not (_mine_to_take(work, task) or _in_charge(work, task)):
        raise Forbidden("This is on another list. Have it reassigned to you.")
    if outcome is not TaskOutcome.DONE and note is None:
        raise Invalid("Say what came of it.", pointer="/note")
    _ended(work, task, TaskStatus.DONE)
    task.outcome, task.outcome_note = outcome, note
    _step(work, task, TaskDeed.DONE, reason=outcome.value)
    work.record("task.done", f"task:{task.id}", patient_id=task.patient_id, came_of=outcome.value)
    work.session.flush()  # the new version is in the answer
    return task


@permitted("task:act")
def cancel(work: Work, task_id: int, reason: TaskCancel, note: str | None = None) -> Task:
    """Nobody has to do the task any more."""
    task = _live(work, task_id)
    if not (_in_charge(work, task) or task.asked_by_id == work.actor.user_id):
        raise Forbidden("Only who asked or the clinical manager may cancel it. You may decline it.")
    _cancel(work, task, reason, note)
    work.session.flush()  # the new version is in the answer
    return task


def _cancel(work: Work, task: Task, reason: TaskCancel, note: str | None = None) -> None:
    _ended(work, task, TaskStatus.CANCELLED)
    task.cancelled_for = reason
    _step(work, task, TaskDeed.CANCELLED, reason=reason.value, note=note)
    work.record("task.cancelled", f"task:{task.id}", patient_id=task.patient_id, reason=reason.value)


# ------------------------------------------------------------------------------------ what the facts end


def _of_source(work: Work, source: TaskSource, source_ref: str, kind: TaskKind | None) -> list[Task]:
    query = sa.select(Task).where(
        Task.source == source, Task.source_ref == source_ref, Task.status.in_(sorted(LIVE_TASK))
    )
    if kind is not None:
        query = query.where(Task.kind == kind)
    return list(work.session.execute(query.order_by(Task.id).with_for_update()).scalars())


def finish_tasks(
    work: Work, *, source: TaskSource, source_ref: str, kind: TaskKind | None = None,
    outcome: TaskOutcome = TaskOutcome.DONE,
) -> int:  # fmt: skip
    """What that source asked is done, as the record shows; how many tasks were open. Asked by other rooms and by
    handlers, never by a door."""
    rows = _of_source(work, source, source_ref, kind)
    for task in rows:
        _ended(work, task, TaskStatus.DONE)
        task.outcome = outcome
        _step(work, task, TaskDeed.DONE, reason=outcome.value)
        work.record("task.done", f"task:{task.id}", patient_id=task.patient_id, came_of=outcome.value)
    return len(rows)


def cancel_tasks(
    work: Work, *, source: TaskSource, source_ref: str, kind: TaskKind | None = None,
    reason: TaskCancel = TaskCancel.NO_LONGER_NEEDED,
) -> int:  # fmt: skip
    """What that source asked is asked no more; how many tasks were open. Asked by other rooms and by handlers, never
    by a door."""
    rows = _of_source(work, source, source_ref, kind)
    for task in rows:
        _cancel(work, task, reason)
    return len(rows)


# ------------------------------------------------------------------------------------ what is left lying


def escalate_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `teamwork.escalate`: the branch's late tasks are told one desk further."""
    with context.work() as work:
        escalate(work, int(arguments["branch_id"]))


def escalate(work: Work, branch_id: int) -> int:
    """Every task of the branch that is late, by its own clock, is on the list of the next desk as well; how many.

    Each desk has some hours (policy) before the one above hears; done twice at one time, the second changes nothing.
    """
    rows = (
        work.session.execute(
            sa.select(Task)
            .where(Task.branch_id == branch_id, Task.status.in_(sorted(LIVE_TASK)), Task.escalate_at <= work.now)
            .order_by(Task.id)
            .with_for_update()
        )
        .scalars()
        .all()
    )
    told = 0
    for task in rows:
        above = next_desk(task.escalated_to or task.owner_role)
        if above is None:
            task.escalate_at = None
            continue
        task.escalated_to = above
        again = work.now + timedelta(hours=work.policy.teamwork.escalate_again_hours)
        task.escalate_at = again if next_desk(above) is not None else None
        work.session.add(
            TaskStep(task_id=task.id, at=work.now, by_id=None, deed=TaskDeed.ESCALATED, to_role=above)
        )  # fmt: skip
        work.record("task.escalated", f"task:{task.id}", patient_id=task.patient_id, to=above.value)
        work.publish(TaskEscalated(task_id=task.id, desk=above.value))
        told += 1
    return told
