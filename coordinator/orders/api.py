"""Orders over HTTP: writing, taking, sending, ending them; the physician's queue and the batch that is signed."""

from collections.abc import Iterable
from typing import Any

import flask

from coordinator.access.proof_schema import take_proof
from coordinator.access.service import Doorman
from coordinator.agency import service as agency
from coordinator.core.errors import Forbidden
from coordinator.core.http import Blueprint, etag_of, no_rehearsal, require_match, work
from coordinator.core.pages import page
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import OrderStatus
from coordinator.orders import cards, service, signing
from coordinator.orders.cards import content_hash, notation, plain_line
from coordinator.orders.model import Order
from coordinator.orders.queries import awaits_signature, last_day, names, visible_order, weeks_of
from coordinator.orders.schemas import (
    AWAITING,
    LIVE,
    OrderCardSchema,
    OrderContentSchema,
    OrderDeclinedSchema,
    OrderDeclineSchema,
    OrderDiscontinueSchema,
    OrderDraftSchema,
    OrderOverriddenSchema,
    OrderPageSchema,
    OrderQuery,
    OrderReasonSchema,
    OrderReviewedSchema,
    OrderSchema,
    OrderSetAsideSchema,
    OrderVerbalSchema,
    OrderVersionSchema,
    SignatureBatchSchema,
    SignedBatchSchema,
    SigningQueueSchema,
)
from coordinator.patients.model import Patient

blp = Blueprint("orders", __name__, url_prefix="/api/v1", description="Orders, from draft to signature and end")

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
    statuses = [OrderStatus(word) for word in words - {AWAITING, LIVE}]
    query = service.search(
        work(),
        statuses=[*statuses, *(LIVE_ORDER if LIVE in words else ())],
        awaiting_signature=AWAITING in words,
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


@blp.route("/orders/<id:order_id>/overrides", methods=["GET"])
@blp.response(200, OrderOverriddenSchema(many=True))
def list_overrides(order_id: int) -> Any:
    """What was set aside for the order, by whom and why"""
    return service.set_aside_so_far(work(), order_id)


@blp.route("/orders/<id:order_id>/overrides", methods=["POST"])
@blp.arguments(OrderSetAsideSchema)
@blp.response(201, OrderOverriddenSchema(many=True))
def set_aside(args: dict[str, Any], order_id: int) -> Any:
    """Set one rule aside that keeps the order from becoming live

    For what it finds in the text as it stands: a draft that is edited is asked about again.
    """
    return service.set_aside(work(), order_id, args.pop("rule"), args)


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
@no_rehearsal
def sign_batch(args: dict[str, Any]) -> Any:
    """Sign what was reviewed; the answer says of each item what became of it

    Whoever signs proves again who they are: by password, by password and code, or by a passkey, as the account has it;
    not again within some minutes. A wrong proof signs nothing and counts as a failed attempt.
    """
    doorman: Doorman = flask.current_app.extensions["doorman"]
    items = [signing.SignItem(**item) for item in args["items"]]
    try:
        results = signing.sign_batch(work(), doorman, items, take_proof(args))
    except Forbidden as refusal:
        if refusal.problem_code == "step-up-required":
            work().record("order.not-signed", work().actor.name, outcome="deny", code=refusal.problem_code)
        raise
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
