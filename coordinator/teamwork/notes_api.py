"""Notes and threads over HTTP. Lists show heads; words are shown by note or by thread, and on record."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.care_types import Activity, CareType
from coordinator.domain.teamwork import Desk, Independence, Learner, NoteKind, Retraction, TeachBack
from coordinator.teamwork import activities, notes
from coordinator.teamwork.notes import Addressee
from coordinator.teamwork.notes_model import Note

blp = Blueprint("notes", __name__, url_prefix="/api/v1", description="What the team tells each other")


class AddresseeSchema(Schema):
    user_id = Id(load_default=None, allow_none=True)
    role = Word(Desk, load_default=None, allow_none=True, metadata={"example": "nurse"})


_TO = fields.List(
    fields.Nested(AddresseeSchema), load_default=list, validate=validate.Length(max=20),
    metadata={"example": [{"role": "nurse"}], "description": "People or roles, one each"},
)  # fmt: skip


class NoteRequestSchema(Schema):
    kind = Word(NoteKind, required=True, metadata={"example": "sbar"})
    patient_id = Id(load_default=None, allow_none=True)
    branch_id = Id(load_default=None, allow_none=True, metadata={"description": "Where it is about no patient"})
    text = Text(load_default=None, allow_none=True, metadata={"example": "Pain is less since the new dose"})
    parts = fields.Dict(
        keys=fields.String(), load_default=dict,
        metadata={
            "description": "What the kind asks for: four parts of an SBAR, teach-back and independence, ...",
            "example": {
                "situation": "More pain", "background": "Lung cancer", "assessment": "8 of 10",
                "recommendation": "Review the dose",
            },
        },
    )  # fmt: skip
    language = Text(max_length=20, load_default="en", metadata={"example": "zh-Hant"})
    visit_id = Id(load_default=None, allow_none=True)
    to = _TO
    wants_acknowledgement = fields.Boolean(load_default=False)


class ReplySchema(Schema):
    text = Text(required=True, metadata={"example": "I called her; she will come at ten"})
    language = Text(max_length=20, load_default="en")
    to = _TO
    wants_acknowledgement = fields.Boolean(load_default=False)


class AddendumSchema(Schema):
    text = Text(required=True, metadata={"example": "The dose was 5 mg, not 10 mg"})
    language = Text(max_length=20, load_default="en")


class RetractSchema(Schema):
    reason = Word(Retraction, required=True, metadata={"example": "wrong_patient"})
    why = Text(required=True, max_length=300, metadata={"example": "Meant for the next patient"})


class NoteAddressSchema(Schema):
    user_id = Id(allow_none=True)
    role = Word(Desk, attribute="desk", allow_none=True)
    acknowledged_at = Instant(allow_none=True)
    acknowledged_by_id = Id(allow_none=True)


class NoteHeadSchema(Schema):
    """What lists show: no words of anybody."""

    id = Id()
    version = Whole()
    kind = Word(NoteKind)
    branch_id = Id()
    patient_id = Id(allow_none=True)
    restricted = fields.Boolean()
    thread_id = Id(allow_none=True, metadata={"description": "The first note of the thread; null for the first itself"})
    reply_to_id = Id(allow_none=True)
    addendum_to_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    language = fields.String()
    wants_acknowledgement = fields.Boolean()
    author_id = Id()
    written_at = Instant()
    retracted_at = Instant(allow_none=True)
    retracted_by_id = Id(allow_none=True)
    retracted_for = Word(Retraction, allow_none=True)
    to = fields.List(fields.Nested(NoteAddressSchema))


class NoteSchema(NoteHeadSchema):
    text = fields.Function(
        lambda row: row.text if notes.shows_words(work(), row) else None, metadata={"type": ["string", "null"]}
    )
    parts = fields.Function(
        lambda row: row.parts if notes.shows_words(work(), row) else {}, metadata={"type": "object"}
    )
    retraction_note = fields.Function(
        lambda row: row.retraction_note if notes.shows_words(work(), row) else None,
        metadata={"type": ["string", "null"]},
    )


class ThreadSchema(Schema):
    items = fields.List(fields.Nested(NoteSchema))


class NoteReadingSchema(Schema):
    at = Instant()
    user_id = Id(allow_none=True)
    action = fields.String(metadata={"example": "note.read"})
    outcome = fields.String(metadata={"example": "ok"})


class NoteReadingsSchema(Schema):
    items = fields.List(fields.Nested(NoteReadingSchema))


class NoteFilterSchema(PageQuery):
    kind = Word(NoteKind, load_default=None)
    author_id = Id(load_default=None)
    visit_id = Id(load_default=None)
    thread_id = Id(load_default=None)
    waiting = fields.Boolean(load_default=None, metadata={"description": "Whether somebody has still to acknowledge"})


class NoteQuery(NoteFilterSchema):
    patient_id = Id(load_default=None)


#: One class for both lists, so that the document names it once.
NoteHeadPageSchema = page_schema(NoteHeadSchema)


def _to(args: dict[str, Any]) -> list[Addressee]:
    return [Addressee(user_id=one["user_id"], desk=one["role"]) for one in args.pop("to")]


def _list(args: dict[str, Any], **more: Any) -> Any:
    paging = {name: args.pop(name) for name in ("limit", "cursor")}
    return page(work().session, notes.search(work(), **args, **more), (Note.newest_first,), paging)


@blp.route("/notes", methods=["POST"])
@blp.arguments(NoteRequestSchema)
@blp.response(201, NoteSchema)
def write_note(args: dict[str, Any]) -> Any:
    """Write a note, and address it to people or roles

    Its kind says which `parts` it has. It is never changed: add to it, answer it, or retract it.
    """
    return with_etag(notes.write(work(), to=_to(args), **args))


@blp.route("/notes")
@blp.arguments(NoteQuery, location="query")
@blp.response(200, NoteHeadPageSchema)
def list_notes(args: dict[str, Any]) -> Any:
    """Heads of the notes that the asker may read, newest first"""
    return _list(args)


class ActivityDoneSchema(Schema):
    activity = Word(Activity)
    record = fields.String(metadata={"description": "What tells of it", "example": "note:7"})
    learner = Word(Learner, allow_none=True)
    caregiver_id = Id(allow_none=True)
    teach_back = Word(TeachBack, allow_none=True)
    independence = Word(Independence, allow_none=True)


class VisitActivitiesSchema(Schema):
    care_type = Word(CareType, allow_none=True)
    done = fields.List(fields.Nested(ActivityDoneSchema))


@blp.route("/visits/<id:visit_id>/activities")
@blp.response(200, VisitActivitiesSchema)
def visit_activities(visit_id: int) -> Any:
    """What was done on a visit: teaching with its teach-back, treatments, coordination, counselling, resources

    Gathered from what was recorded about the visit, as far as the asker may read it.
    """
    return activities.of_visit(work(), visit_id)


@blp.route("/patients/<id:patient_id>/notes")
@blp.arguments(NoteFilterSchema, location="query")
@blp.response(200, NoteHeadPageSchema)
def list_patient_notes(args: dict[str, Any], patient_id: int) -> Any:
    """Heads of the notes about one patient, newest first"""
    return _list(args, patient_id=patient_id)


@blp.route("/notes/<id:note_id>")
@blp.response(200, NoteSchema)
def read_note(note_id: int) -> Any:
    """One note with its words"""
    return with_etag(notes.get(work(), note_id))


@blp.route("/notes/<id:note_id>/thread")
@blp.response(200, ThreadSchema)
def read_thread(note_id: int) -> Any:
    """The thread of a note with its words, first to last"""
    return {"items": notes.thread(work(), note_id)}


@blp.route("/notes/<id:note_id>/readings")
@blp.response(200, NoteReadingsSchema)
def list_readings(note_id: int) -> Any:
    """Who wrote, read, acknowledged or retracted a note, and when"""
    return {"items": notes.readings(work(), note_id)}


@blp.route("/notes/<id:note_id>/replies", methods=["POST"])
@blp.arguments(ReplySchema)
@blp.response(201, NoteSchema)
def reply_note(args: dict[str, Any], note_id: int) -> Any:
    """Answer a note in its thread

    To its author, unless `to` names others.
    """
    return with_etag(notes.reply(work(), note_id, to=_to(args), **args))


@blp.route("/notes/<id:note_id>/addenda", methods=["POST"])
@blp.arguments(AddendumSchema)
@blp.response(201, NoteSchema)
def add_note(args: dict[str, Any], note_id: int) -> Any:
    """Complete or correct one's own note; what was written stays"""
    return with_etag(notes.add(work(), note_id, **args))


@blp.route("/notes/<id:note_id>/acknowledge", methods=["POST"])
@blp.response(200, NoteSchema)
def acknowledge_note(note_id: int) -> Any:
    """Say that you have a note that is addressed to you or your role"""
    return with_etag(notes.acknowledge(work(), note_id))


@blp.route("/notes/<id:note_id>/retract", methods=["POST"])
@blp.arguments(RetractSchema)
@blp.response(200, NoteSchema)
def retract_note(args: dict[str, Any], note_id: int) -> Any:
    """Take a note back, with a reason

    Send If-Match. Its words stay for its author and the clinical manager.
    """
    may_call(work(), notes.retract)
    require_match(notes.for_change(work(), note_id))
    return with_etag(notes.retract(work(), note_id, args["reason"], args["why"]))
