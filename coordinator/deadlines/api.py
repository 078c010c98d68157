"""Deadlines over HTTP: what is owed, by when, and by whom."""

from typing import Any

from marshmallow import fields

from coordinator.agency.service import zone_of
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.deadlines import service
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.words import by_hand, sentence
from coordinator.domain.teamwork import Desk
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus, DeadlineWaiver

blp = Blueprint("deadlines", __name__, url_prefix="/api/v1", description="Dated obligations, each by its rule")


class DeadlineSchema(Schema):
    id = Id()
    branch_id = Id()
    zone = fields.Function(
        lambda row: zone_of(work(), row.branch_id).key, metadata={"type": "string", "description": "Zone of the branch"}
    )
    rule = Text(metadata={"example": "REF-02"})
    subject = Text(metadata={"example": "referral:7"})
    sentence = fields.Function(
        lambda row: sentence(row.facts), metadata={"type": "string", "example": "Hold the initial visit."}
    )
    due_on = Day(metadata={"description": "Last day, in the branch's zone"})
    due_at = Instant(allow_none=True, metadata={"description": "Latest instant, where the rule counts hours"})
    owner_role = Text()
    patient_id = Id(allow_none=True)
    status = Word(DeadlineStatus)
    opened_at = Instant()
    reminded_at = Instant(allow_none=True)
    escalated_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    close_reason = Text(allow_none=True)
    closed_by = Word(ClosedBy, allow_none=True, metadata={"description": "The facts, or a person whose word stands"})
    waiver = Word(DeadlineWaiver, allow_none=True)
    task = Text(metadata={"example": "initial-visit"})
    escalate_on = Day(metadata={"description": "The first day on which the clinical manager hears of it"})
    by_hand = fields.Function(
        lambda row: by_hand(row.facts),
        metadata={"type": "boolean", "description": "Whether a person may say it is done"},
    )
    facts = fields.Dict()
    version = Whole()


#: One class for both lists, so that the document names it once.
DeadlinePageSchema = page_schema(DeadlineSchema)


class DeadlineQuery(PageQuery):
    branch_id = Id(load_default=None)
    owner_role = Word(Desk, load_default=None)
    patient_id = Id(load_default=None)
    rule = Text(max_length=20, load_default=None, metadata={"example": "REF-02"})
    status = Word(DeadlineStatus, load_default=DeadlineStatus.OPEN, allow_none=True)
    due_before = Day(load_default=None, metadata={"description": "Due on an earlier day"})
    overdue = fields.Boolean(load_default=None, metadata={"description": "Only what is overdue, or only what is not"})
    mine = fields.Boolean(
        load_default=False,
        metadata={"description": "Only what I answer for as the patient's case manager or therapist, or stand in for"},
    )


class PatientDeadlineQuery(PageQuery):
    status = Word(DeadlineStatus, load_default=DeadlineStatus.OPEN, allow_none=True)


class HistorySchema(Schema):
    at = Instant()
    actor = Text(metadata={"example": "user:12"})
    action = Text(metadata={"example": "deadline.closed"})
    facts = fields.Dict()


class HistoryListSchema(Schema):
    items = fields.List(fields.Nested(HistorySchema))


class WaiveSchema(Schema):
    waiver = Word(DeadlineWaiver, required=True)
    reason = Text(required=True, max_length=300, metadata={"example": "The patient moved out of the state"})


class DoneSchema(Schema):
    note = Text(required=True, max_length=300, metadata={"example": "OASIS completed at the visit of 9 November"})


_KEYS = (Deadline.due_on, Deadline.id)


@blp.route("/deadlines")
@blp.arguments(DeadlineQuery, location="query")
@blp.response(200, DeadlinePageSchema)
def list_deadlines(args: dict[str, Any]) -> Any:
    """What is owed, earliest first

    Open obligations, unless `status` says otherwise.
    """
    query = service.search(
        work(), branch_id=args["branch_id"], owner_role=args["owner_role"], patient_id=args["patient_id"],
        rule=args["rule"], status=args["status"], due_before=args["due_before"],
        overdue=args["overdue"], mine=args["mine"],
    )  # fmt: skip
    return page(work().session, query, _KEYS, args)


@blp.route("/patients/<id:patient_id>/deadlines")
@blp.arguments(PatientDeadlineQuery, location="query")
@blp.response(200, DeadlinePageSchema)
def list_patient_deadlines(args: dict[str, Any], patient_id: int) -> Any:
    """What is owed to one patient, earliest first"""
    return page(work().session, service.of_patient(work(), patient_id, status=args["status"]), _KEYS, args)


@blp.route("/deadlines/<id:deadline_id>")
@blp.response(200, DeadlineSchema)
def read_deadline(deadline_id: int) -> Any:
    """One obligation"""
    return with_etag(service.get(work(), deadline_id))


@blp.route("/deadlines/<id:deadline_id>/history")
@blp.response(200, HistoryListSchema)
def read_history(deadline_id: int) -> Any:
    """What happened to an obligation, first to last"""
    return {"items": service.history(work(), deadline_id)}


@blp.route("/deadlines/<id:deadline_id>/waive", methods=["POST"])
@blp.arguments(WaiveSchema)
@blp.response(200, DeadlineSchema)
def waive(args: dict[str, Any], deadline_id: int) -> Any:
    """Waive an obligation, with a coded reason and in words

    Send If-Match. Only whose it is, or the clinical manager.
    """
    require_match(service.for_change(work(), deadline_id))
    return with_etag(service.waive(work(), deadline_id, args["waiver"], args["reason"]))


@blp.route("/deadlines/<id:deadline_id>/done", methods=["POST"])
@blp.arguments(DoneSchema)
@blp.response(200, DeadlineSchema)
def done(args: dict[str, Any], deadline_id: int) -> Any:
    """Say that an obligation was met

    Send If-Match. Only for what the product cannot see for itself (`by_hand`).
    """
    require_match(service.for_change(work(), deadline_id))
    return with_etag(service.done(work(), deadline_id, args["note"]))
