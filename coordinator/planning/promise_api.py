"""Promises over HTTP: asked before a referral is accepted, answered within seconds, and one offered slot held."""

from typing import Any

import flask
from marshmallow import fields, validate

from coordinator.agency.service import zone_of
from coordinator.core.fields import Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.work import may_call
from coordinator.domain.vocabulary import Discipline, HoldStatus, InterpreterMode, RunStatus
from coordinator.planning import promise
from coordinator.planning.promise_model import Promise
from coordinator.visits import holds

blp = Blueprint("promises", __name__, url_prefix="/api/v1", description="Promises about referrals, and held slots")


# ------------------------------------------------------------------------------------ shapes


class WantedServiceSchema(Schema):
    discipline = Word(Discipline, required=True, metadata={"example": "SN"})
    frequency = Text(
        max_length=200, load_default=None, allow_none=True,
        metadata={"description": "None: the discipline's usual (policy)", "example": "3w2 2w3"},
    )  # fmt: skip
    minutes = Whole(low=5, high=720, load_default=None, allow_none=True, metadata={"example": 45})
    skills = fields.List(Text(max_length=40), load_default=list, validate=validate.Length(max=10))


class PromiseRequestSchema(Schema):
    services = fields.List(
        fields.Nested(WantedServiceSchema), load_default=list, validate=validate.Length(max=len(Discipline)),
        metadata={"description": "None: what the referral asks for", "example": [{"discipline": "PT"}]},
    )  # fmt: skip
    offers = Whole(low=1, high=promise.MOST_OFFERS, load_default=3, metadata={"example": 3})
    interpreter = Word(
        InterpreterMode, load_default=None, allow_none=True,
        metadata={"description": "Count on an interpreter of this kind; it must be booked then", "example": "phone"},
    )  # fmt: skip
    seconds = Whole(low=1, high=promise.MOST_SECONDS, load_default=promise.DEFAULT_SECONDS)
    iterations = Whole(
        low=1, high=100_000, load_default=None, allow_none=True, metadata={"description": "Instead of seconds"}
    )


class SlotOfferSchema(Schema):
    number = fields.Integer()
    clinician_id = fields.Integer()
    performer = fields.String()
    day = fields.String(metadata={"example": "2026-11-10"})
    starts_at = fields.String()
    ends_at = fields.String()
    minutes = fields.Integer()
    arrive_from = fields.String(metadata={"description": "What the patient is told: between these two"})
    arrive_to = fields.String()
    way_minutes = fields.Integer(metadata={"description": "On the road from the stop before"})
    speaks_language = fields.Boolean()
    in_time = fields.Boolean(metadata={"description": "Within 48 hours, or on the ordered day (REF-02)"})


class PromisedWeekSchema(Schema):
    first = fields.String(attribute="from", data_key="from")
    to = fields.String()
    wanted = fields.Integer(metadata={"description": "At one a day, in what is left of the week"})
    fits = fields.Integer()
    by = fields.List(fields.Dict())
    reasons = fields.List(fields.Dict(), metadata={"description": "Per clinician, why no more fit"})


class PromisedServiceSchema(Schema):
    discipline = fields.String()
    frequency = fields.String()
    defaulted = fields.Boolean(metadata={"description": "Nobody said how often: the policy's usual"})
    minutes = fields.Integer()
    wanted = fields.Integer()
    fits = fields.Integer()
    by = fields.List(fields.Dict(), metadata={"description": "Clinicians and their visits"})
    weeks = fields.List(fields.Nested(PromisedWeekSchema))
    reasons = fields.List(fields.Dict())


class PromiseResultSchema(Schema):
    conclusion = fields.String(metadata={"enum": ["yes", "yes_but", "no"]})
    sentence = fields.String()
    zone = fields.String()
    due_at = fields.String(allow_none=True)
    due_on = fields.String(allow_none=True)
    offers = fields.List(fields.Nested(SlotOfferSchema))
    first_visit_reasons = fields.List(fields.Dict())
    with_interpreter = fields.Nested(
        SlotOfferSchema, allow_none=True,
        metadata={"description": "Where the language delays: the earliest slot if an interpreter were booked"},
    )  # fmt: skip
    weeks = fields.Integer()
    services = fields.List(fields.Nested(PromisedServiceSchema))
    others_left_out = fields.Integer(metadata={"description": "Visits of others in these weeks without a place"})
    but = fields.List(fields.String())
    assumptions = fields.List(fields.String())
    seconds = fields.Float()


class PromiseSchema(Schema):
    id = Id()
    branch_id = Id()
    referral_id = Id()
    status = Word(RunStatus)
    request = fields.Dict()
    requested_by_id = Id(allow_none=True)
    requested_at = Instant()
    started_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)
    result = fields.Nested(PromiseResultSchema, allow_none=True)
    error = fields.String(allow_none=True)


class HoldRequestSchema(Schema):
    promise_id = Id(required=True, metadata={"example": 1})
    offer = Whole(low=1, high=promise.MOST_OFFERS, load_default=1, metadata={"description": "Its number"})


class HoldSchema(Schema):
    id = Id()
    branch_id = Id()
    referral_id = Id()
    clinician_id = Id()
    zone = fields.Function(lambda one: zone_of(work(), one.branch_id).key, metadata={"type": "string"})
    starts_at = Instant()
    ends_at = Instant()
    status = Word(HoldStatus)
    held_by_id = Id(allow_none=True)
    held_at = Instant()
    expires_at = Instant()
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)
    visit_id = Id(allow_none=True)
    version = fields.Integer()


class HoldsSchema(Schema):
    items = fields.List(fields.Nested(HoldSchema))


# ------------------------------------------------------------------------------------ routes


def _where(row: Promise) -> dict[str, str]:
    return {"Location": flask.url_for("promises.read_promise", promise_id=row.id)}


@blp.route("/referrals/<id:referral_id>/promise", methods=["POST"])
@blp.arguments(PromiseRequestSchema)
@blp.response(202, PromiseSchema)
def ask_promise(args: dict[str, Any], referral_id: int) -> Any:
    """Ask when care could start, and whether the frequencies fit

    Before a referral is accepted. The answer names where to look; it is there within ten seconds.
    """
    row = promise.ask(work(), referral_id, **args)
    return row, _where(row)


@blp.route("/promises/<id:promise_id>")
@blp.response(200, PromiseSchema)
def read_promise(promise_id: int) -> Any:
    """A promise: the earliest slots, what fits in four weeks, and the conclusion in words"""
    return promise.get(work(), promise_id)


@blp.route("/referrals/<id:referral_id>/hold", methods=["POST"])
@blp.arguments(HoldRequestSchema)
@blp.response(201, HoldSchema)
def hold_slot(args: dict[str, Any], referral_id: int) -> Any:
    """Hold an offered slot

    The clinician's time is nobody else's until the hold expires, is released, or becomes the initial visit when the
    referral is accepted. 409 names who was faster; 422 carries what the rules refuse.
    """
    shown, headers = with_etag(promise.hold(work(), referral_id, args["promise_id"], args["offer"]))
    return shown, headers


@blp.route("/referrals/<id:referral_id>/holds")
@blp.response(200, HoldsSchema)
def list_holds(referral_id: int) -> Any:
    """Slots that were held for a referral, oldest first"""
    return {"items": holds.of_referral(work(), referral_id)}


@blp.route("/holds/<id:hold_id>", methods=["DELETE"])
@blp.response(200, HoldSchema)
def release_hold(hold_id: int) -> Any:
    """Let a held slot go

    Send If-Match.
    """
    may_call(work(), holds.release)
    require_match(holds.visible(work(), hold_id))
    return with_etag(holds.release(work(), hold_id))
