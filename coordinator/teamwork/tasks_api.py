"""Tasks over HTTP: asked of a person or a role, taken, given back, reassigned and ended."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.teamwork import (
    LIVE_TASK,
    Desk,
    TaskCancel,
    TaskDecline,
    TaskDeed,
    TaskKind,
    TaskOutcome,
    TaskPriority,
    TaskSource,
    TaskStatus,
)
from coordinator.teamwork import tasks
from coordinator.teamwork.model import Task
from coordinator.teamwork.words import TASKS

blp = Blueprint("tasks", __name__, url_prefix="/api/v1", description="What the team asks of each other")

_ABOUT = validate.Regexp(r"^[a-z][a-z-]{0,39}:[1-9][0-9]{0,15}\Z", error="This must be a kind and a number: order:12.")


class TaskRequestSchema(Schema):
    patient_id = Id(load_default=None, allow_none=True)
    branch_id = Id(load_default=None, allow_none=True, metadata={"description": "Where it is about no patient"})
    kind = Word(TaskKind, required=True, metadata={"example": "call-patient"})
    owner_role = Word(Desk, load_default=None, allow_none=True, metadata={"example": "nurse"})
    owner_id = Id(load_default=None, allow_none=True, metadata={"description": "A user; or else owner_role"})
    due_on = Day(load_default=None, allow_none=True, metadata={"example": "2026-11-20"})
    due_at = Instant(load_default=None, allow_none=True)
    priority = Word(TaskPriority, load_default=TaskPriority.ROUTINE)
    about = Text(
        max_length=60, load_default=None, allow_none=True, validate=_ABOUT, metadata={"description": "order:12"}
    )  # fmt: skip
    note = Text(load_default=None, allow_none=True, metadata={"description": "Words for whoever does it"})


class TaskSchema(Schema):
    id = Id()
    version = Whole()
    branch_id = Id()
    patient_id = Id(allow_none=True)
    kind = Word(TaskKind)
    title = fields.Function(
        lambda row: TASKS[row.kind][0], metadata={"type": "string", "example": "Call the patient"}
    )  # fmt: skip
    title_zh_hant = fields.Function(lambda row: TASKS[row.kind][1], metadata={"type": "string", "example": "致電病人"})
    source = Word(TaskSource)
    source_ref = fields.String(metadata={"example": "assessment:7"})
    about = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    priority = Word(TaskPriority)
    owner_role = Word(Desk, allow_none=True)
    owner_id = Id(allow_none=True)
    asked_by_id = Id(allow_none=True)
    due_on = Day()
    due_at = Instant(allow_none=True)
    late_from = Instant(metadata={"description": "The first instant at which it is late"})
    overdue = fields.Function(
        lambda row: row.status in LIVE_TASK and row.late_from <= work().now, metadata={"type": "boolean"}
    )
    status = Word(TaskStatus)
    opened_at = Instant()
    accepted_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)
    ended_by_id = Id(allow_none=True)
    outcome = Word(TaskOutcome, allow_none=True)
    outcome_note = fields.String(allow_none=True)
    cancelled_for = Word(TaskCancel, allow_none=True)
    escalated_to = Word(Desk, allow_none=True, metadata={"description": "Who heard last that it is late"})


#: One class for both lists, so that the document names it once.
TaskPageSchema = page_schema(TaskSchema)


class TaskFilterSchema(PageQuery):
    mine = fields.Boolean(load_default=False, metadata={"description": "Those on the asker's own list alone"})
    live = fields.Boolean(load_default=True, allow_none=True, metadata={"description": "Still to be done"})
    overdue = fields.Boolean(load_default=None)
    due_before = Day(load_default=None, metadata={"description": "Due on an earlier day"})
    kind = Word(TaskKind, load_default=None)
    source = Word(TaskSource, load_default=None)
    status = Word(TaskStatus, load_default=None)
    priority = Word(TaskPriority, load_default=None)
    owner_role = Word(Desk, load_default=None)
    owner_id = Id(load_default=None)
    branch_id = Id(load_default=None)


class TaskQuery(TaskFilterSchema):
    patient_id = Id(load_default=None)


class TaskStepSchema(Schema):
    at = Instant()
    by_id = Id(allow_none=True, metadata={"description": "Null: the product itself"})
    deed = Word(TaskDeed)
    to_role = Word(Desk, allow_none=True)
    to_id = Id(allow_none=True)
    reason = fields.String(allow_none=True)
    note = fields.String(allow_none=True)


class TaskHistorySchema(Schema):
    items = fields.List(fields.Nested(TaskStepSchema))


class TaskDeclineSchema(Schema):
    reason = Word(TaskDecline, required=True, metadata={"example": "not_my_patient"})
    note = Text(load_default=None, allow_none=True)


class TaskReassignSchema(Schema):
    owner_role = Word(Desk, load_default=None, allow_none=True, metadata={"example": "social_worker"})
    owner_id = Id(load_default=None, allow_none=True)
    note = Text(load_default=None, allow_none=True)


class TaskDoneSchema(Schema):
    outcome = Word(TaskOutcome, required=True, metadata={"example": "done"})
    note = Text(load_default=None, allow_none=True)


class TaskCancelSchema(Schema):
    reason = Word(TaskCancel, required=True, metadata={"example": "no_longer_needed"})
    note = Text(load_default=None, allow_none=True)


_KEYS = (Task.late_from, Task.id)


def _list(args: dict[str, Any], **more: Any) -> Any:
    paging = {name: args.pop(name) for name in ("limit", "cursor")}
    return page(work().session, tasks.search(work(), **args, **more), _KEYS, paging)


@blp.route("/tasks", methods=["POST"])
@blp.arguments(TaskRequestSchema)
@blp.response(201, TaskSchema)
def ask_task(args: dict[str, Any]) -> Any:
    """Ask a person or a role to do something by a day"""
    return with_etag(tasks.ask(work(), **args))


@blp.route("/tasks")
@blp.arguments(TaskQuery, location="query")
@blp.response(200, TaskPageSchema)
def list_tasks(args: dict[str, Any]) -> Any:
    """Tasks in sight, the soonest due first

    Those still to be done, unless `live` says otherwise; `mine=true` for one's own list and that of one's roles.
    """
    return _list(args)


@blp.route("/patients/<id:patient_id>/tasks")
@blp.arguments(TaskFilterSchema, location="query")
@blp.response(200, TaskPageSchema)
def list_patient_tasks(args: dict[str, Any], patient_id: int) -> Any:
    """Tasks about one patient, the soonest due first"""
    return _list(args, patient_id=patient_id)


@blp.route("/tasks/<id:task_id>")
@blp.response(200, TaskSchema)
def read_task(task_id: int) -> Any:
    """One task"""
    return with_etag(tasks.get(work(), task_id))


@blp.route("/tasks/<id:task_id>/history")
@blp.response(200, TaskHistorySchema)
def read_task_history(task_id: int) -> Any:
    """What happened to a task, first to last"""
    return {"items": tasks.history(work(), task_id)}


def _matched(task_id: int, verb: Any) -> None:
    may_call(work(), verb)
    require_match(tasks.for_change(work(), task_id))


@blp.route("/tasks/<id:task_id>/accept", methods=["POST"])
@blp.response(200, TaskSchema)
def accept_task(task_id: int) -> Any:
    """Take a task that is on your list or your role's

    Send If-Match.
    """
    _matched(task_id, tasks.accept)
    return with_etag(tasks.accept(work(), task_id))


@blp.route("/tasks/<id:task_id>/decline", methods=["POST"])
@blp.arguments(TaskDeclineSchema)
@blp.response(200, TaskSchema)
def decline_task(args: dict[str, Any], task_id: int) -> Any:
    """Give a task back, with a reason

    Send If-Match. It goes back to the role it was on, else to whoever asked, else to the next role above.
    """
    _matched(task_id, tasks.decline)
    return with_etag(tasks.decline(work(), task_id, args["reason"], args["note"]))


@blp.route("/tasks/<id:task_id>/reassign", methods=["POST"])
@blp.arguments(TaskReassignSchema)
@blp.response(200, TaskSchema)
def reassign_task(args: dict[str, Any], task_id: int) -> Any:
    """Put a task on another list

    Send If-Match.
    """
    _matched(task_id, tasks.reassign)
    return with_etag(tasks.reassign(work(), task_id, **args))


@blp.route("/tasks/<id:task_id>/done", methods=["POST"])
@blp.arguments(TaskDoneSchema)
@blp.response(200, TaskSchema)
def finish_task(args: dict[str, Any], task_id: int) -> Any:
    """Say that a task is done, and what came of it

    Send If-Match. Whatever came of it besides `done` needs a note.
    """
    _matched(task_id, tasks.finish)
    return with_etag(tasks.finish(work(), task_id, args["outcome"], args["note"]))


@blp.route("/tasks/<id:task_id>/cancel", methods=["POST"])
@blp.arguments(TaskCancelSchema)
@blp.response(200, TaskSchema)
def cancel_task(args: dict[str, Any], task_id: int) -> Any:
    """Cancel a task: nobody has to do it any more

    Send If-Match. Only who asked, or the clinical manager.
    """
    _matched(task_id, tasks.cancel)
    return with_etag(tasks.cancel(work(), task_id, args["reason"], args["note"]))
