"""Webhooks over HTTP: registered by administrators, with the log of what was told and the way to tell it again."""

from typing import Any

from flask import current_app
from marshmallow import fields, validate

from coordinator.core.fields import Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, unrepeatable, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.notify import hooks
from coordinator.notify.hook_model import Webhook, WebhookDelivery
from coordinator.notify.hook_sending import message_id
from coordinator.notify.mail_model import MailStatus

blp = Blueprint("webhooks", __name__, url_prefix="/api/v1", description="Programs of others that hear of events")

_KINDS: dict[str, Any] = {
    "validate": validate.Length(min=1, max=len(hooks.KINDS)),
    "metadata": {"example": ["visit.booked", "visit.moved", "order.signed"]},
}


def _kind() -> Text:
    return Text(max_length=60, validate=validate.OneOf(hooks.KINDS))


class WebhookRegisterSchema(Schema):
    url = Text(required=True, max_length=500, metadata={"example": "https://hooks.example.org/coordinator"})
    kinds = fields.List(_kind(), required=True, **_KINDS)
    branch_id = Id(load_default=None, allow_none=True, metadata={"description": "Events of one branch; null: of all"})
    note = Text(load_default=None, allow_none=True, max_length=200, metadata={"example": "The pharmacy's system"})


class WebhookEditSchema(Schema):
    url = Text(max_length=500, metadata={"example": "https://hooks.example.org/coordinator"})
    kinds = fields.List(_kind(), **_KINDS)
    active = fields.Boolean(metadata={"example": False})
    note = Text(max_length=200)


class WebhookSchema(Schema):
    id = Id()
    version = Whole()
    url = fields.String()
    kinds = fields.List(fields.String())
    branch_id = Id(allow_none=True)
    note = fields.String(allow_none=True)
    active = fields.Boolean()
    off_because = fields.String(allow_none=True, metadata={"example": "gone"})
    created_at = Instant()


class WebhookMadeSchema(WebhookSchema):
    secret = fields.String(metadata={"description": "For checking signatures (Standard Webhooks). Said this once"})


class WebhookAttemptSchema(Schema):
    at = fields.String(metadata={"format": "date-time"})
    answer = Whole(allow_none=True, metadata={"description": "The status of the answer; null: there was none"})
    problem = fields.String(allow_none=True, metadata={"example": "server-down"})


class WebhookDeliverySchema(Schema):
    id = Id()
    webhook_id = Id()
    branch_id = Id()
    message_id = fields.Function(
        lambda row: message_id(row.key), metadata={"type": "string", "description": "The header webhook-id"}
    )
    kind = fields.String(metadata={"example": "visit.moved"})
    noun = fields.String(metadata={"example": "visit"})
    number = Id()
    of_version = Whole()
    happened_at = Instant()
    status = Word(MailStatus)
    next_try_at = Instant()
    attempts = Whole()
    ended_at = Instant(allow_none=True)
    log = fields.List(fields.Nested(WebhookAttemptSchema))


class WebhookDeliveryQuery(PageQuery):
    webhook_id = Id(load_default=None)
    status = Word(MailStatus, load_default=None)
    kind = Text(max_length=60, load_default=None, validate=validate.OneOf(hooks.KINDS))


def _digest(secret: str) -> str:
    digested: str = current_app.extensions["doorman"].digest(secret)
    return digested


def _made(hook: Webhook, secret: str) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in WebhookSchema().fields} | {"secret": secret}


@blp.route("/webhooks", methods=["POST"])
@blp.arguments(WebhookRegisterSchema)
@blp.response(201, WebhookMadeSchema)
@unrepeatable
def register(args: dict[str, Any]) -> Any:
    """Have an address told of events

    By https, to a server of the internet. Each telling is a POST of `type`, `timestamp` and `data` with the number and
    version of what has changed, signed as Standard Webhooks has it; the secret is shown this once. Whatever is not
    answered with 2xx within seconds is told again, with longer waits, for days. 410 switches the webhook off.
    """
    return _made(*hooks.register(work(), _digest, **args))


@blp.route("/webhooks")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(WebhookSchema))
def list_webhooks(args: dict[str, Any]) -> Any:
    """Webhooks, without their secrets"""
    return page(work().session, hooks.search(work()), (Webhook.id,), args)


@blp.route("/webhooks/<id:webhook_id>", methods=["PATCH"])
@blp.arguments(WebhookEditSchema)
@blp.response(200, WebhookSchema)
def edit(args: dict[str, Any], webhook_id: int) -> Any:
    """Change a webhook's address or kinds, or switch it off and on (If-Match)"""
    may_call(work(), hooks.edit)
    require_match(hooks.hook_for_change(work(), webhook_id))
    return with_etag(hooks.edit(work(), webhook_id, **args))


@blp.route("/webhooks/<id:webhook_id>/secret", methods=["POST"])
@blp.response(200, WebhookMadeSchema)
@unrepeatable
def renew_secret(webhook_id: int) -> Any:
    """Make a new secret, shown this once

    The old one signs nothing any more.
    """
    return _made(*hooks.renew_secret(work(), webhook_id, _digest))


@blp.route("/webhook-deliveries")
@blp.arguments(WebhookDeliveryQuery, location="query")
@blp.response(200, page_schema(WebhookDeliverySchema))
def list_deliveries(args: dict[str, Any]) -> Any:
    """What was told, waits or was given up, newest first, with every attempt"""
    paging = {name: args.pop(name) for name in ("limit", "cursor")}
    return page(work().session, hooks.deliveries(work(), **args), (WebhookDelivery.newest_first,), paging)


@blp.route("/webhook-deliveries/<id:delivery_id>/redeliver", methods=["POST"])
@blp.response(200, WebhookDeliverySchema)
def redeliver(delivery_id: int) -> Any:
    """Tell it once more, under the same webhook-id"""
    return hooks.redeliver(work(), delivery_id)
