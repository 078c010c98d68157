"""Orders over HTTP: writing, taking, sending, ending them; the physician's queue and the batch that is signed."""

from collections.abc import Iterable
from typing import Any

import flask
import marshmallow as ma
from marshmallow import fields, validate
from webargs.fields import DelimitedList

from coordinator.access.service import Doorman
from coordinator.agency import service as agency
from coordinator.core.errors import Forbidden, Invalid
from coordinator.core.fields import MAX_ID, Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, PageQuery, etag_of, page, page_schema, require_match, work
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import Discipline, OrderDeclineReason, OrderStatus
from coordinator.orders import cards, service, signing
from coordinator.orders.cards import content_hash, notation, plain_line
from coordinator.orders.drafting import LONGEST, SHORTEST
from coordinator.orders.model import Order
from coordinator.orders.queries import awaits_signature, last_day, names, visible_order, weeks_of
from coordinator.patients.model import Patient

blp = Blueprint("orders", __name__, url_prefix="/api/v1", description="Orders, from draft to signature and end")

_FREQUENCY = {"description": "The notation of the trade (FRQ-01)", "example": "1w1 3w2 2w6 + 2 PRN for dyspnea"}
#: Words of the `status` filter beside the states themselves.
_AWAITING, _LIVE = "awaiting_signature", "live"
_STATUS_WORDS = [*(status.value for status in OrderStatus), _AWAITING, _LIVE]


# ------------------------------------------------------------------------------------ shapes


class OrderContentSchema(Schema):
    """What an order says; every field may be rewritten while it is a draft."""

    physician_id = Id(metadata={"example": 1})
    effective_from = Day(metadata={"example": "2026-11-24"})
    effective_to = Day(allow_none=True, metadata={"description": "Default: the certification period's last day"})
    frequency = Text(max_length=400, allow_none=True, attribute="frequency_text", metadata=_FREQUENCY)
    evaluate_and_treat = fields.Boolean()
    treatments = fields.List(
        Text(max_length=300), validate=validate.Length(max=40),
        metadata={"description": "Procedures with amount; for an aide the duties", "example": ["gait training 15 min"]},
    )  # fmt: skip
    required_skills = fields.List(Text(max_length=40), validate=validate.Length(max=20))
    goals_text = Text(allow_none=True, metadata={"example": "Walks to the bathroom with a walker"})
    visit_minutes = Whole(low=SHORTEST, high=LONGEST, allow_none=True)
    visits_per_day = Whole(low=1, high=6)
    two_person = fields.Boolean()
    taper_plan = Text(allow_none=True)
    daily_nursing_ends_on = Day(allow_none=True)
    daily_insulin = fields.Boolean()
    replaces_id = Id(allow_none=True)


class OrderDraftSchema(OrderContentSchema):
    discipline = Word(Discipline, required=True, metadata={"example": "PT"})
    physician_id = Id(required=True, metadata={"example": 1})
    effective_from = Day(required=True, metadata={"example": "2026-11-24"})


class OrderWeekSchema(Schema):
    id = Id()
    number = Whole()
    starts_on = Day()
    ends_on = Day()
    minimum = Whole()
    maximum = Whole()
    closed_at = Instant(allow_none=True)


class OrderWarningSchema(Schema):
    code = fields.String(metadata={"description": "A rule's id, or a code of the notation"})
    severity = fields.String(metadata={"description": "BLOCK and BLOCK-OVR keep the order from going further"})
    sentence = fields.String()
    cure = fields.String()


class OrderSchema(Schema):
    """An order. Clinical narrative is left out for readers who schedule."""

    id = Id()
    version = Whole()
    patient_id = Id()
    episode_id = Id()
    care_plan_id = Id()
    physician_id = Id()
    discipline = Word(Discipline)
    status = Word(OrderStatus)
    plain = fields.String(metadata={"example": "PT 2 visits a week for 4 weeks, from 24 Nov"})
    frequency = fields.String(allow_none=True)
    frequency_text = fields.String(allow_none=True)
    evaluate_and_treat = fields.Boolean()
    effective_from = Day()
    effective_to = Day()
    ended_on = Day(allow_none=True)
    last_day = Day(metadata={"description": "Last day on which the order holds"})
    ends_as = Word(OrderStatus, allow_none=True)
    end_reason = fields.String(allow_none=True)
    certification_number = Whole()
    treatments = fields.List(fields.String())
    required_skills = fields.List(fields.String())
    goals_text = fields.String(allow_none=True)
    prn_limit = Whole()
    prn_signs = fields.String(allow_none=True)
    visit_minutes = Whole()
    visits_per_day = Whole()
    two_person = fields.Boolean()
    taper_plan = fields.String(allow_none=True)
    daily_nursing_ends_on = Day(allow_none=True)
    daily_insulin = fields.Boolean()
    verbal_received_at = Instant(allow_none=True)
    verbal_received_by_id = Id(allow_none=True)
    verbal_read_back = fields.Boolean()
    responsible_clinician_id = Id(allow_none=True)
    responsible_signed_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    needed_by = Day(allow_none=True)
    reviewed_version = Whole(allow_none=True)
    signed_at = Instant(allow_none=True)
    awaits_signature = fields.Boolean()
    decline_reason = Word(OrderDeclineReason, allow_none=True)
    decline_note = fields.String(allow_none=True)
    replaces_id = Id(allow_none=True)
    drafted_by_id = Id(allow_none=True)
    zone = fields.String(metadata={"description": "Zone of the branch, in which its days are"})
    weeks = fields.List(fields.Nested(OrderWeekSchema))
    warnings = fields.List(fields.Nested(OrderWarningSchema))


OrderPageSchema = page_schema(OrderSchema)

_PLAIN_FIELDS = tuple(
    name
    for name in OrderSchema._declared_fields
    if name not in {"plain", "frequency", "last_day", "awaits_signature", "zone", "weeks", "warnings"}
)
#: Words about the patient's illness, which those who schedule do not need.
_NARRATIVE = frozenset(
    {
        "frequency_text", "treatments", "goals_text", "prn_signs", "taper_plan", "decline_note", "end_reason",
        "daily_insulin",
    }
)  # fmt: skip


class Figure(Whole):
    """A whole number in a query, where everything is text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        plain = (
            int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17 else value
        )
        return super()._deserialize(plain, attr, data, **kwargs)


class OrderQuery(PageQuery):
    limit = Figure(low=1, high=200, load_default=50)
    status = DelimitedList(Text(max_length=40, validate=validate.OneOf(_STATUS_WORDS)), load_default=list)
    blocks_within = Figure(
        low=0, high=400, load_default=None, metadata={"description": "Unsigned, and needed within so many days"}
    )
    patient_id = Figure(low=1, high=MAX_ID, load_default=None)
    physician_id = Figure(low=1, high=MAX_ID, load_default=None)
    discipline = Word(Discipline, load_default=None)


class OrderVerbalSchema(Schema):
    received_at = Instant(required=True, metadata={"example": "2026-11-09T18:05:00Z"})
    received_by_clinician_id = Id(
        load_default=None, allow_none=True, metadata={"description": "Null when the office took the call"}
    )
    read_back = fields.Boolean(required=True)
    responsible_clinician_id = Id(required=True)


class OrderDiscontinueSchema(Schema):
    last_day = Day(load_default=None, allow_none=True, metadata={"description": "Null ends it at once"})
    reason = Text(required=True, max_length=200)


class OrderReasonSchema(Schema):
    reason = Text(required=True, max_length=200)


class OrderVersionSchema(Schema):
    version = Whole(required=True, low=1)


class OrderDeclineSchema(OrderVersionSchema):
    reason = Word(OrderDeclineReason, required=True, metadata={"example": "goal_not_measurable"})
    note = Text(load_default=None, allow_none=True)


class OrderDeclinedSchema(Schema):
    order = fields.Nested(OrderSchema)
    replacement = fields.Nested(OrderSchema)


class OrderReviewedSchema(Schema):
    id = Id()
    version = Whole()
    reviewed_version = Whole()
    reviewed_at = Instant()
    content_hash = fields.String()


class OrderCardPatientSchema(Schema):
    id = Id()
    given_name = fields.String()
    family_name = fields.String()
    birth_date = Day()


class OrderChangeSchema(Schema):
    field = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class OrderCardSchema(Schema):
    """An order that can be read in a minute."""

    plain = fields.String(metadata={"example": "PT 2 visits a week for 4 weeks, from 24 Nov"})
    previous_id = Id(allow_none=True)
    previous = fields.String(allow_none=True, metadata={"description": "The last signed order of the discipline"})
    changes = fields.List(fields.Nested(OrderChangeSchema))
    asked_by = fields.String(allow_none=True)
    received_by = fields.String(allow_none=True)
    version = Whole()
    content_hash = fields.String()
    reviewed = fields.Boolean()
    holds_visits = fields.Boolean(metadata={"description": "No visit can be confirmed before this is signed"})
    awaits_signature = fields.Boolean()
    patient = fields.Nested(OrderCardPatientSchema)
    order = fields.Nested(OrderSchema)


class SigningQueueSchema(Schema):
    items = fields.List(fields.Nested(OrderCardSchema))


class SignItemSchema(Schema):
    id = Id(required=True)
    version = Whole(required=True, low=1)
    content_hash = Text(
        required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z", error="This is not a content hash."),
        metadata={"example": "0" * 64},
    )  # fmt: skip


class SignatureBatchSchema(Schema):
    items = fields.List(
        fields.Nested(SignItemSchema), required=True, validate=validate.Length(min=1, max=signing.LARGEST_BATCH)
    )
    password = Text(required=True, max_length=200, metadata={"description": "Asked for again at every batch"})

    @ma.validates_schema
    def _once(self, data: dict[str, Any], **_: Any) -> None:
        ids = [item.get("id") for item in data.get("items", [])]
        if len(ids) != len(set(ids)):
            raise ma.ValidationError("An order is named twice.", "items")


class SignResultSchema(Schema):
    id = Id()
    code = fields.String(metadata={"description": "`signed`, or why not", "example": "stale-version"})
    status = fields.Integer(metadata={"description": "The HTTP status that this item alone would have had"})
    detail = fields.String()
    version = Whole(allow_none=True)
    signed_at = Instant(allow_none=True)
    findings = fields.List(fields.Dict())


class SignedBatchSchema(Schema):
    results = fields.List(fields.Nested(SignResultSchema))


# ------------------------------------------------------------------------------------ presenting


def documents(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Orders as this reader may see them, with the zone of each one's branch."""
    orders, clinical = list(orders), work().actor.may("patient:read-clinical")
    patients = names(work(), Patient, (order.patient_id for order in orders))
    found = []
    for order in orders:
        document = {name: getattr(order, name) for name in _PLAIN_FIELDS if clinical or name not in _NARRATIVE}
        document |= {
            "plain": plain_line(order, clinical=clinical),
            "frequency": notation(order, clinical=clinical),
            "last_day": last_day(order),
            "awaits_signature": awaits_signature(order),
            "zone": str(agency.zone_of(work(), patients[order.patient_id].branch_id)),
            "weeks": weeks_of(order),
        }
        found.append(document)
    return found


def _one(order: Order) -> tuple[dict[str, Any], dict[str, str]]:
    document = documents([order])[0]
    if work().actor.may("patient:read-clinical"):
        document["warnings"] = service.warnings_of(work(), order)
    return document, {"ETag": etag_of(order)}


def _card(card: cards.Card) -> dict[str, Any]:
    changes = [
        {"field": change.field, "before": _plain(change.before), "after": _plain(change.after)}
        for change in card.changes
    ]
    shown = {name: getattr(card, name) for name in OrderCardSchema._declared_fields if name not in {"order", "changes"}}
    return shown | {"changes": changes, "order": documents([card.order])[0]}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _match_if_sent(order_id: int) -> None:
    """A step of the life cycle is safe without a version; whoever sends one is held to it."""
    if "If-Match" in flask.request.headers:
        require_match(visible_order(work(), order_id))


# ------------------------------------------------------------------------------------ routes


@blp.route("/patients/<id:patient_id>/orders", methods=["POST"])
@blp.arguments(OrderDraftSchema)
@blp.response(201, OrderSchema)
def draft(args: dict[str, Any], patient_id: int) -> Any:
    """Draft an order

    The answer's `warnings` say what is odd about it, and what would keep it from being sent.
    """
    return _one(service.draft(work(), patient_id=patient_id, **args))


@blp.route("/orders")
@blp.arguments(OrderQuery, location="query")
@blp.response(200, OrderPageSchema)
def list_orders(args: dict[str, Any]) -> Any:
    """Orders, those that take effect first before others

    `status` is one or more states, `awaiting_signature` or `live`, with commas between.
    """
    words = set(args["status"])
    statuses = [OrderStatus(word) for word in words - {_AWAITING, _LIVE}]
    query = service.search(
        work(),
        statuses=[*statuses, *(LIVE_ORDER if _LIVE in words else ())],
        awaiting_signature=_AWAITING in words,
        blocks_within=args["blocks_within"],
        patient_id=args["patient_id"],
        discipline=args["discipline"],
        physician_id=args["physician_id"],
    )
    found = page(work().session, query, (Order.effective_from, Order.id), args)
    return found | {"items": documents(found["items"])}


@blp.route("/orders/<id:order_id>")
@blp.response(200, OrderSchema)
def get_order(order_id: int) -> Any:
    """One order with its weeks"""
    return _one(service.get(work(), order_id))


@blp.route("/orders/<id:order_id>", methods=["PATCH"])
@blp.arguments(OrderContentSchema)
@blp.response(200, OrderSchema)
def edit_order(args: dict[str, Any], order_id: int) -> Any:
    """Rewrite a draft (If-Match)

    What somebody put a name to is never edited: a correction is a new order.
    """
    order = visible_order(work(), order_id)
    require_match(order)
    return _one(service.edit_draft(work(), order_id, version=order.version, **args))


@blp.route("/orders/<id:order_id>/verbal", methods=["POST"])
@blp.arguments(OrderVerbalSchema)
@blp.response(200, OrderSchema)
def take_verbal(args: dict[str, Any], order_id: int) -> Any:
    """Record that the draft was given by word of mouth (ORD-05)"""
    _match_if_sent(order_id)
    return _one(service.take_verbal(work(), order_id, **args))


@blp.route("/orders/<id:order_id>/receipt", methods=["POST"])
@blp.response(200, OrderSchema)
def sign_receipt(order_id: int) -> Any:
    """Sign the receipt of a verbal order: it is live

    Only the clinician who is responsible for the service.
    """
    _match_if_sent(order_id)
    return _one(service.sign_receipt(work(), order_id))


@blp.route("/orders/<id:order_id>/send", methods=["POST"])
@blp.response(200, OrderSchema)
def send(order_id: int) -> Any:
    """Send for signature"""
    _match_if_sent(order_id)
    return _one(service.send(work(), order_id))


@blp.route("/orders/<id:order_id>/recall", methods=["POST"])
@blp.response(200, OrderSchema)
def recall(order_id: int) -> Any:
    """Take an unsigned order back to draft"""
    _match_if_sent(order_id)
    return _one(service.recall(work(), order_id))


@blp.route("/orders/<id:order_id>/discontinue", methods=["POST"])
@blp.arguments(OrderDiscontinueSchema)
@blp.response(200, OrderSchema)
def discontinue(args: dict[str, Any], order_id: int) -> Any:
    """End a live order, at once or after a day"""
    _match_if_sent(order_id)
    return _one(service.discontinue(work(), order_id, **args))


@blp.route("/orders/<id:order_id>/void", methods=["POST"])
@blp.arguments(OrderReasonSchema)
@blp.response(200, OrderSchema)
def void(args: dict[str, Any], order_id: int) -> Any:
    """Void an order that was entered in error"""
    _match_if_sent(order_id)
    return _one(service.void(work(), order_id, **args))


# ------------------------------------------------------------------------------------ the physician


@blp.route("/orders/<id:order_id>/card")
@blp.response(200, OrderCardSchema)
def get_card(order_id: int) -> Any:
    """The order's card: plain line, what changed, who asked, and the hash of what would be signed"""
    card = cards.card(work(), order_id)
    return _card(card), {"ETag": etag_of(card.order)}


@blp.route("/signing-queue")
@blp.response(200, SigningQueueSchema)
def signing_queue() -> Any:
    """What waits for one's own signature, most urgent first"""
    return {"items": [_card(card) for card in signing.queue(work())]}


@blp.route("/orders/<id:order_id>/review", methods=["POST"])
@blp.arguments(OrderVersionSchema)
@blp.response(200, OrderReviewedSchema)
def review(args: dict[str, Any], order_id: int) -> Any:
    """Mark an order as read at that version

    Only what is marked so can be signed, and only at that version.
    """
    order = signing.mark_reviewed(work(), order_id, args["version"])
    return {
        "id": order.id,
        "version": order.version,
        "reviewed_version": order.reviewed_version,
        "reviewed_at": order.reviewed_at,
        "content_hash": content_hash(order),
    }, {"ETag": etag_of(order)}


@blp.route("/orders/<id:order_id>/decline", methods=["POST"])
@blp.arguments(OrderDeclineSchema)
@blp.response(200, OrderDeclinedSchema)
def decline(args: dict[str, Any], order_id: int) -> Any:
    """Decline to sign, with a coded reason

    The author gets a linked draft with the same content.
    """
    order, replacement = signing.decline(work(), order_id, **args)
    first, second = documents([order, replacement])
    return {"order": first, "replacement": second}, {"ETag": etag_of(order)}


@blp.route("/signature-batches", methods=["POST"])
@blp.arguments(SignatureBatchSchema)
@blp.response(200, SignedBatchSchema)
def sign_batch(args: dict[str, Any]) -> Any:
    """Sign what was reviewed; the answer says of each item what became of it

    A wrong password signs nothing and counts as a failed attempt.
    """
    if "dry_run" in flask.request.args:
        # A rehearsal would be rolled back with its count of wrong passwords: anybody could guess without end.
        raise Invalid("A signature cannot be rehearsed.", pointer="/query/dry_run")
    doorman: Doorman = flask.current_app.extensions["doorman"]
    items = [signing.SignItem(**item) for item in args["items"]]
    try:
        results = signing.sign_batch(work(), doorman, items, args["password"])
    except Forbidden as refusal:
        if refusal.problem_code != "step-up-required":
            raise
        # An answer, not an exception: the failed attempt is committed with it.
        work().record("order.not-signed", work().actor.name, outcome="deny", code=refusal.problem_code)
        answer: flask.Response = flask.current_app.extensions["answer_refusal"](refusal)
        return answer
    return {
        "results": [
            {
                "id": result.id,
                "code": result.code,
                "status": result.status,
                "detail": result.detail,
                "version": result.order.version if result.order else None,
                "signed_at": result.order.signed_at if result.order else None,
                "findings": list(result.findings),
            }
            for result in results
        ]
    }
