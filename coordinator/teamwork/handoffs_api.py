"""Handoff cards over HTTP: what is due, what a card says, finishing it and having read it."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.handoffs import HandoffCause, HandoffStatus, StartOverHandoff
from coordinator.domain.vocabulary import Discipline
from coordinator.teamwork import handoffs
from coordinator.teamwork.handoff_drafts import draft, for_reader
from coordinator.teamwork.handoff_model import Handoff

blp = Blueprint("handoffs", __name__, url_prefix="/api/v1", description="Handing a patient over to who comes next")


class HandoffListedSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    discipline = Word(Discipline, allow_none=True, metadata={"description": "None between physicians"})
    cause = Word(HandoffCause)
    status = Word(HandoffStatus)
    from_clinician_id = Id(allow_none=True)
    to_clinician_id = Id(allow_none=True)
    from_physician_id = Id(allow_none=True)
    to_physician_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    due_at = Instant()
    finished_at = Instant(allow_none=True)
    acknowledged_at = Instant(allow_none=True)
    passed_over_for = Word(StartOverHandoff, allow_none=True)
    ended_at = Instant(allow_none=True)


class HandoffSchema(HandoffListedSchema):
    changed = fields.String(allow_none=True, metadata={"description": "In the words of whoever finished it"})
    watch = fields.String(allow_none=True)
    content = fields.Dict(
        metadata={
            "description": "What the record says since the receiver was last there: visits, scores, orders, limits, "
            "open tasks, deadlines, access and safety, code status, and what matters most"
        }
    )


class HandoffQuery(PageQuery):
    patient_id = Id(load_default=None)
    clinician_id = Id(load_default=None, metadata={"description": "Who gives or receives"})
    unread = fields.Boolean(load_default=None, allow_none=True)
    live = fields.Boolean(load_default=True, allow_none=True)


class HandoffFinishSchema(Schema):
    watch = Text(required=True, metadata={"example": "Pain after dressing changes"})
    changed = Text(load_default=None, allow_none=True)


_LISTED = tuple(HandoffListedSchema().fields)


def _told(card: Handoff) -> Any:
    """The card with its content: as it was when it was finished, or as the record has it now."""
    said = card.content if card.content is not None else draft(work(), card)
    body = {name: getattr(card, name) for name in _LISTED}
    body |= {"changed": card.changed, "watch": card.watch, "content": for_reader(work(), said)}
    return body, with_etag(card)[1]


@blp.route("/handoffs")
@blp.arguments(HandoffQuery, location="query")
@blp.response(200, page_schema(HandoffListedSchema))
def list_handoffs(args: dict[str, Any]) -> Any:
    """Cards by when they are due: whose they are and how they stand, without what they say"""
    paging = {"limit": args.pop("limit"), "cursor": args.pop("cursor")}
    return page(work().session, handoffs.search(work(), **args), (Handoff.due_at, Handoff.id), paging)


@blp.route("/handoffs/<id:handoff_id>")
@blp.response(200, HandoffSchema)
def read_handoff(handoff_id: int) -> Any:
    """One card with what it says

    A draft is read from the record as it is now. To read is not yet to acknowledge.
    """
    return _told(handoffs.get(work(), handoff_id))


@blp.route("/handoffs/<id:handoff_id>/finish", methods=["POST"])
@blp.arguments(HandoffFinishSchema)
@blp.response(200, HandoffSchema)
def finish_handoff(args: dict[str, Any], handoff_id: int) -> Any:
    """Finish a card: what to watch, in your words

    Send If-Match. Whoever was there last, or directed the care, does it, or the clinical manager; until it is read,
    again.
    """
    may_call(work(), handoffs.finish)
    require_match(handoffs.card_for_change(work(), handoff_id))
    return _told(handoffs.finish(work(), handoff_id, **args))


@blp.route("/handoffs/<id:handoff_id>/acknowledge", methods=["POST"])
@blp.response(200, HandoffSchema)
def acknowledge_handoff(handoff_id: int) -> Any:
    """Say that you have read a card

    Send If-Match: what is acknowledged is the version that was read.
    """
    may_call(work(), handoffs.acknowledge)
    require_match(handoffs.card_for_change(work(), handoff_id))
    return _told(handoffs.acknowledge(work(), handoff_id))
