"""The inbox over HTTP: messages, tasks and deadlines that wait for the asker or for a role of theirs."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Instant, Schema, Whole, Word
from coordinator.core.http import Blueprint, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.words import by_hand, sentence
from coordinator.domain.teamwork import Desk
from coordinator.teamwork import inbox
from coordinator.teamwork.model import Task
from coordinator.teamwork.notes_api import NoteHeadPageSchema
from coordinator.teamwork.notes_model import Note
from coordinator.teamwork.tasks_api import TaskPageSchema

blp = Blueprint("inbox", __name__, url_prefix="/api/v1", description="What waits for a person or a role")


class InboxCountsSchema(Schema):
    messages = Whole(metadata={"description": "Addressed and not yet acknowledged"})
    to_acknowledge = Whole(metadata={"description": "Of these, that ask for it"})
    tasks = Whole()
    tasks_late = Whole()
    tasks_urgent = Whole()
    deadlines = Whole()
    deadlines_late = Whole()
    handoffs_to_write = Whole(metadata={"description": "Cards that wait for the asker's words"})
    handoffs_to_read = Whole(metadata={"description": "Finished cards that the asker has still to read"})


class InboxDeadlineSchema(Schema):
    """A line of the book as the inbox shows it; `/deadlines/{id}` has the rest."""

    id = Id()
    rule = fields.String(metadata={"example": "REF-02"})
    subject = fields.String(metadata={"example": "referral:7"})
    sentence = fields.Function(lambda row: sentence(row.facts), metadata={"type": "string"})
    owner_role = fields.String()
    patient_id = Id(allow_none=True)
    due_on = Day()
    due_at = Instant(allow_none=True)
    by_hand = fields.Function(lambda row: by_hand(row.facts), metadata={"type": "boolean"})
    version = Whole()


class RoleQuery(Schema):
    role = Word(Desk, load_default=None, metadata={"description": "What waits for that role of the asker's alone"})


class MessageQuery(PageQuery):
    role = Word(Desk, load_default=None)
    patient_id = Id(load_default=None)
    to_acknowledge = fields.Boolean(load_default=None)


class WaitingQuery(PageQuery):
    role = Word(Desk, load_default=None)
    patient_id = Id(load_default=None)
    late = fields.Boolean(load_default=None)


def _paged(args: dict[str, Any], verb: Any, *keys: Any) -> Any:
    paging = {name: args.pop(name) for name in ("limit", "cursor")}
    return page(work().session, verb(work(), **args), keys, paging)


@blp.route("/inbox")
@blp.arguments(RoleQuery, location="query")
@blp.response(200, InboxCountsSchema)
def count_inbox(args: dict[str, Any]) -> Any:
    """How much waits for the asker, or for one of their roles"""
    return inbox.counts(work(), role=args["role"])


@blp.route("/inbox/messages")
@blp.arguments(MessageQuery, location="query")
@blp.response(200, NoteHeadPageSchema)
def list_inbox_messages(args: dict[str, Any]) -> Any:
    """Notes that wait for the asker, newest first

    One leaves the list when it is acknowledged.
    """
    return _paged(args, inbox.messages, Note.newest_first)


@blp.route("/inbox/tasks")
@blp.arguments(WaitingQuery, location="query")
@blp.response(200, TaskPageSchema)
def list_inbox_tasks(args: dict[str, Any]) -> Any:
    """Tasks that wait for the asker, the soonest due first"""
    return _paged(args, inbox.tasks_waiting, Task.late_from, Task.id)


@blp.route("/inbox/deadlines")
@blp.arguments(WaitingQuery, location="query")
@blp.response(200, page_schema(InboxDeadlineSchema))
def list_inbox_deadlines(args: dict[str, Any]) -> Any:
    """Obligations on the lists of the asker's roles, earliest first"""
    return _paged(args, inbox.deadlines_waiting, Deadline.due_on, Deadline.id)
