"""Team conferences and the domains of the plan over HTTP (IDT-01, IDT-02, IDT-03)."""

from typing import Any

from marshmallow import fields

from coordinator.care import conferences, decisions, room
from coordinator.care.api import FlagSchema
from coordinator.care.model import Conference
from coordinator.core.errors import NotFound
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.care import CareDomain, ConferenceStatus, DecisionKind, Presence, TeamRole
from coordinator.domain.teamwork import Desk
from coordinator.domain.vocabulary import Discipline, Performer

blp = Blueprint("conferences", __name__, url_prefix="/api/v1", description="The team's reviews, and the plan's domains")


class SeatRequestSchema(Schema):
    role = Word(TeamRole, required=True, metadata={"example": "nurse"})
    presence = Word(Presence, required=True, metadata={"example": "present"})
    clinician_id = Id(load_default=None, allow_none=True)
    physician_id = Id(load_default=None, allow_none=True)
    name = Text(max_length=200, load_default=None, allow_none=True)


class SeatSchema(SeatRequestSchema):
    id = Id()
    performer = Word(Performer, allow_none=True)
    signed_at = Instant(allow_none=True)


_SEATS = {"example": [{"role": "nurse", "presence": "present", "clinician_id": 7}]}


class ConferenceRequestSchema(Schema):
    held_on = Day(required=True, metadata={"example": "2026-11-05"})
    seats = fields.List(fields.Nested(SeatRequestSchema), load_default=list, metadata=_SEATS)
    summary = Text(load_default=None, allow_none=True)


class ConferenceEditSchema(Schema):
    seats = fields.List(fields.Nested(SeatRequestSchema), metadata=_SEATS)
    summary = Text(allow_none=True)


class ConferenceSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    episode_id = Id()
    held_on = Day()
    status = Word(ConferenceStatus)
    counts = fields.Boolean(allow_none=True, metadata={"description": "Whether it had its quorum; null while open"})
    summary = fields.String(allow_none=True)
    seats = fields.List(fields.Nested(SeatSchema))
    flags = fields.List(fields.Nested(FlagSchema))
    opened_at = Instant()
    closed_at = Instant(allow_none=True)


class TeamReviewSchema(Schema):
    episode_id = Id(allow_none=True)
    last_on = Day(allow_none=True, metadata={"description": "The last that counted"})
    due_on = Day(allow_none=True)
    findings = fields.List(fields.Nested(FlagSchema))


class PlanDomainRequestSchema(Schema):
    entry = Text(load_default=None, allow_none=True, metadata={"example": "Pain is the first concern"})
    no_need = fields.Boolean(load_default=False)


class PlanDomainSchema(PlanDomainRequestSchema):
    id = Id()
    domain = Word(CareDomain)
    written_at = Instant()


class PlanDomainsSchema(Schema):
    items = fields.List(fields.Nested(PlanDomainSchema))


@blp.route("/patients/<id:patient_id>/conferences", methods=["POST"])
@blp.arguments(ConferenceRequestSchema)
@blp.response(201, ConferenceSchema)
def open_conference(args: dict[str, Any], patient_id: int) -> Any:
    """Record a team conference

    It stays open for seats, words and signatures until it is closed.
    """
    return with_etag(conferences.open_conference(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/conferences")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(ConferenceSchema))
def list_conferences(args: dict[str, Any], patient_id: int) -> Any:
    """A patient's conferences, oldest first"""
    return page(
        work().session, conferences.search(work(), patient_id), (Conference.held_on, Conference.id), args
    )  # fmt: skip


@blp.route("/patients/<id:patient_id>/team-review")
@blp.response(200, TeamReviewSchema)
def team_review(patient_id: int) -> Any:
    """When the next conference is due, who is missing in the team, which domains the plan is silent about"""
    found = conferences.standing(work(), patient_id)
    return {
        "episode_id": found.episode_id, "last_on": found.last_on, "due_on": found.due_on,
        "findings": [one.as_dict() for one in found.findings],
    }  # fmt: skip


@blp.route("/conferences/<id:conference_id>")
@blp.response(200, ConferenceSchema)
def read_conference(conference_id: int) -> Any:
    """One conference"""
    return with_etag(conferences.get(work(), conference_id))


@blp.route("/conferences/<id:conference_id>", methods=["PATCH"])
@blp.arguments(ConferenceEditSchema)
@blp.response(200, ConferenceSchema)
def edit_conference(args: dict[str, Any], conference_id: int) -> Any:
    """Change the seats or the words of an open conference

    Send If-Match.
    """
    may_call(work(), conferences.edit)
    require_match(conferences.conference_for_change(work(), conference_id))
    return with_etag(conferences.edit(work(), conference_id, **args))


@blp.route("/conferences/<id:conference_id>/sign", methods=["POST"])
@blp.response(200, ConferenceSchema)
def sign_conference(conference_id: int) -> Any:
    """Sign the conference that you took part in"""
    return with_etag(conferences.sign(work(), conference_id))


@blp.route("/conferences/<id:conference_id>/close", methods=["POST"])
@blp.response(200, ConferenceSchema)
def close_conference(conference_id: int) -> Any:
    """Close a conference

    Send If-Match. Without its quorum it stays on record and does not count; `flags` says why.
    """
    may_call(work(), conferences.close)
    require_match(conferences.conference_for_change(work(), conference_id))
    return with_etag(conferences.close(work(), conference_id))


class QueuedOrderSchema(Schema):
    order_id = Id()
    discipline = Word(Discipline)
    frequency = fields.String(allow_none=True)
    physician_id = Id()
    needed_by = Day(allow_none=True)
    here = fields.Boolean(metadata={"description": "Whoever may sign it has a seat and is present"})


class ConferenceRoomSchema(Schema):
    counts = fields.Boolean(metadata={"description": "Whether the seats make the quorum as they are now"})
    missing = fields.List(Word(TeamRole))
    unsigned = fields.List(Word(TeamRole), metadata={"description": "Seats that were taken and have not signed"})
    findings = fields.List(fields.Nested(FlagSchema))
    orders = fields.List(fields.Nested(QueuedOrderSchema))


@blp.route("/conferences/<id:conference_id>/room")
@blp.response(200, ConferenceRoomSchema)
def conference_room(conference_id: int) -> Any:
    """Whether the meeting counts as its seats are now, who has not signed, and the orders that can be signed there

    Physicians sign by their own queue: `/orders/{id}/review` and `/signature-batches`.
    """
    found = room.room(work(), conference_id)
    return {
        "counts": found.counts, "missing": found.missing, "unsigned": found.unsigned,
        "findings": [one.as_dict() for one in found.findings],
        "orders": [
            {
                "order_id": one.order.id, "discipline": one.order.discipline, "frequency": one.order.frequency,
                "physician_id": one.order.physician_id, "needed_by": one.order.needed_by, "here": one.here,
            }
            for one in found.orders
        ],
    }  # fmt: skip


class DecidedOrderSchema(Schema):
    discipline = Word(Discipline, required=True, metadata={"example": "SN"})
    frequency_text = Text(max_length=400, metadata={"example": "3w2"})
    effective_from = Day(required=True, metadata={"example": "2026-11-10"})
    physician_id = Id(metadata={"description": "Who signs; else the managing physician"})
    treatments = fields.List(Text(max_length=120))
    goals_text = Text(max_length=2000)


class DecideSchema(Schema):
    kind = Word(DecisionKind, required=True, metadata={"example": "task"})
    words = Text(required=True, max_length=1000, metadata={"example": "Ask the pharmacy about the night dose"})
    owner = Word(Desk, load_default=None, allow_none=True, metadata={"example": "nurse"})
    due_on = Day(load_default=None, allow_none=True, metadata={"example": "2026-11-13"})
    order = fields.Nested(DecidedOrderSchema, load_default=None, allow_none=True)


class DecisionSchema(Schema):
    id = Id()
    conference_id = Id()
    kind = Word(DecisionKind)
    words = fields.String()
    order_id = Id(allow_none=True)
    owner = Word(Desk, allow_none=True)
    due_on = Day(allow_none=True)
    made_at = Instant()


class DecisionsSchema(Schema):
    items = fields.List(fields.Nested(DecisionSchema))


@blp.route("/conferences/<id:conference_id>/decisions", methods=["POST"])
@blp.arguments(DecideSchema)
@blp.response(201, DecisionSchema)
def decide(args: dict[str, Any], conference_id: int) -> Any:
    """Write down what the team decided, and let it be so

    An order is drafted and waits for its signature, a task is on its owner's list, a deadline is in the book. Minutes
    that print are at `/conferences/{id}/minutes`.
    """
    return decisions.decide(work(), conference_id, **args)


@blp.route("/conferences/<id:conference_id>/decisions")
@blp.response(200, DecisionsSchema)
def list_decisions(conference_id: int) -> Any:
    """What the conference decided, in order"""
    return {"items": decisions.decisions(work(), conference_id)}


@blp.route("/episodes/<id:episode_id>/domains")
@blp.response(200, PlanDomainsSchema)
def list_domains(episode_id: int) -> Any:
    """What the plan says in each of the eight domains that it speaks of"""
    return {"items": conferences.domains(work(), episode_id)}


@blp.route("/episodes/<id:episode_id>/domains/<string:domain>", methods=["PUT"])
@blp.arguments(PlanDomainRequestSchema)
@blp.response(200, PlanDomainSchema)
def write_domain(args: dict[str, Any], episode_id: int, domain: str) -> Any:
    """Write what the plan says in a domain, or that no need was identified"""
    if domain not in {one.value for one in CareDomain}:
        raise NotFound("domain")
    return conferences.write_domain(work(), episode_id, CareDomain(domain), **args)
