"""Tokens, accounts, emergencies and the audit trail over HTTP. Signing in is in `entering_api`."""

from typing import Any

import flask
from flask import Response
from marshmallow import fields, validate

from coordinator.access import emergency, service, trail, users
from coordinator.access.model import ApiToken, EmergencyAccess, User
from coordinator.access.user_schema import UserSchema
from coordinator.core.audit import AuditEvent
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.domain.vocabulary import EmergencyReason

blp = Blueprint("access", __name__, url_prefix="/api/v1", description="Tokens, accounts, the audit trail")


def doorman() -> service.Doorman:
    """This app's doorman."""
    found: service.Doorman = flask.current_app.extensions["doorman"]
    return found


class TokenRequestSchema(Schema):
    label = Text(required=True, max_length=100, metadata={"example": "nightly export"})
    user_id = Id(load_default=None, allow_none=True, metadata={"description": "Oneself, unless an administrator says"})


class TokenSchema(Schema):
    id = Id()
    label = Text()
    token = Text(metadata={"description": "Shown once"})
    expires_at = Instant()


class IssuedTokenSchema(Schema):
    """A token as it is listed: its secret is nowhere any more."""

    id = Id()
    label = Text()
    created_at = Instant()
    expires_at = Instant()
    revoked_at = Instant(allow_none=True)


class AccountSchema(UserSchema):
    """A user as administrators see them."""

    active = fields.Boolean()
    demo = fields.Boolean()
    locked_until = Instant(allow_none=True)
    version = Whole()


_ROLES_EXAMPLE = ["clinician"]
_MOST_BRANCHES = 200


def _roles(**given: Any) -> fields.List:
    return fields.List(
        Text(max_length=40), validate=validate.Length(min=1, max=10), metadata={"example": _ROLES_EXAMPLE}, **given
    )


def _branches(**given: Any) -> fields.List:
    return fields.List(
        Id(),
        validate=validate.Length(max=_MOST_BRANCHES),
        metadata={"example": [1], "description": "An administrator without branches works for all of them"},
        **given,
    )


class NewUserSchema(Schema):
    username = Text(required=True, max_length=80, metadata={"example": "areyes"})
    password = Text(
        required=True, max_length=200,
        metadata={"example": "correct horse battery staple", "description": "At least twelve characters"},
    )  # fmt: skip
    display_name = Text(required=True, max_length=200, metadata={"example": "Ana Reyes, RN"})
    roles = _roles(required=True)
    branch_ids = _branches(load_default=list)
    clinician_id = Id(load_default=None, allow_none=True, metadata={"example": 7})
    physician_id = Id(load_default=None, allow_none=True, metadata={"example": None})


class UserEditSchema(Schema):
    active = fields.Boolean(truthy={True}, falsy={False}, metadata={"example": False})
    roles = _roles()
    branch_ids = _branches()


class UserQuery(PageQuery):
    active = fields.Boolean(load_default=None, allow_none=True)


class AuditQuery(PageQuery):
    patient_id = Id(load_default=None, allow_none=True)
    user_id = Id(load_default=None, allow_none=True, metadata={"description": "Who did it"})
    action = Text(load_default=None, allow_none=True, max_length=80, metadata={"example": "patient.read"})
    since = Instant(data_key="from", load_default=None, allow_none=True)
    before = Instant(data_key="to", load_default=None, allow_none=True, metadata={"description": "Not included"})


class AuditEventSchema(Schema):
    """One line of the trail; `facts` are codes and numbers, never names."""

    id = Id()
    at = Instant()
    actor = Text()
    user_id = Id(allow_none=True)
    action = Text()
    outcome = Text()
    subject = Text()
    patient_id = Id(allow_none=True)
    facts = fields.Dict()
    request_id = Text(allow_none=True)
    hash = Text()


@blp.route("/me")
@blp.response(200, UserSchema)
def who_am_i() -> Any:
    """Who is signed in"""
    return service.me(work())


@blp.route("/tokens", methods=["POST"])
@blp.arguments(TokenRequestSchema)
@blp.response(201, TokenSchema)
def issue_token(args: dict[str, Any]) -> Any:
    """A bearer token for a program

    For oneself; an administrator may name another user. The secret is shown once.
    """
    token, secret = service.issue_token(
        work(), doorman(), user_id=args["user_id"] or work().actor.user_id or 0, label=args["label"]
    )
    return {"id": token.id, "label": token.label, "token": secret, "expires_at": token.expires_at}


@blp.route("/tokens")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(IssuedTokenSchema))
def list_tokens(args: dict[str, Any]) -> Any:
    """One's own tokens"""
    return page(work().session, service.my_tokens(work()), (ApiToken.id,), args)


@blp.route("/tokens/<id:token_id>", methods=["DELETE"])
@blp.response(204)
def revoke_token(token_id: int) -> Any:
    """Revoke a token

    One's own; an administrator may revoke anybody's of their branches.
    """
    service.revoke_token(work(), token_id)
    return Response(status=204)


# ------------------------------------------------------------------------------------ accounts


@blp.route("/users", methods=["POST"])
@blp.arguments(NewUserSchema)
@blp.response(201, AccountSchema)
def create_user(args: dict[str, Any]) -> Any:
    """Open an account

    A clinician's account names the clinician, a physician's the physician; the profession narrows what they may do.
    """
    return with_etag(service.create_user(work(), doorman(), **args))


@blp.route("/users")
@blp.arguments(UserQuery, location="query")
@blp.response(200, page_schema(AccountSchema))
def list_users(args: dict[str, Any]) -> Any:
    """Accounts of one's branches"""
    return page(work().session, users.search(work(), active=args["active"]), (User.id,), args)


@blp.route("/users/<id:user_id>")
@blp.response(200, AccountSchema)
def get_user(user_id: int) -> Any:
    """One account"""
    return with_etag(users.get(work(), user_id))


@blp.route("/users/<id:user_id>", methods=["PATCH"])
@blp.arguments(UserEditSchema)
@blp.response(200, AccountSchema)
def edit_user(args: dict[str, Any], user_id: int) -> Any:
    """Change or close an account

    Closing it ends its sessions and revokes its tokens.
    """
    require_match(users.get(work(), user_id))
    return with_etag(users.edit(work(), user_id, **args))


@blp.route("/users/<id:user_id>/unlock", methods=["POST"])
@blp.response(200, AccountSchema)
def unlock_user(user_id: int) -> Any:
    """Let a resting account sign in again"""
    return with_etag(users.unlock(work(), user_id))


# ------------------------------------------------------------------------------------ emergencies


class EmergencyOpenSchema(Schema):
    reason_code = Text(
        load_default="", blank=True, max_length=40,
        metadata={"example": "life-threat", "description": ", ".join(reason.value for reason in EmergencyReason)},
    )  # fmt: skip
    text = Text(load_default="", blank=True, metadata={"example": "The aide called: the patient does not wake up"})


class EmergencyReviewSchema(Schema):
    justified = fields.Boolean(required=True, metadata={"example": True})
    text = Text(required=True, metadata={"example": "The nurse on call was not to be reached"})


class EmergencyAccessSchema(Schema):
    id = Id()
    user_id = Id()
    patient_id = Id()
    reason_code = Text()
    opened_at = Instant()
    expires_at = Instant()
    review_due_on = Day()
    reviewed_at = Instant(allow_none=True)
    justified = fields.Boolean(allow_none=True)


class EmergencyToReviewSchema(EmergencyAccessSchema):
    """With what the person said: for those who judge it."""

    text = Text()
    reviewed_by_id = Id(allow_none=True)
    review_text = Text(allow_none=True)


class EmergencyQuery(PageQuery):
    reviewed = fields.Boolean(load_default=None, allow_none=True)
    patient_id = Id(load_default=None, allow_none=True)


@blp.route("/patients/<id:patient_id>/emergency-access", methods=["POST"])
@blp.arguments(EmergencyOpenSchema)
@blp.response(201, EmergencyAccessSchema)
def open_in_emergency(args: dict[str, Any], patient_id: int) -> Any:
    """Open a record in an emergency

    For four hours, to read, with a reason that a manager reviews on the next business day.
    """
    return emergency.open_record(work(), patient_id, **args)


@blp.route("/me/emergency-accesses")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(EmergencyAccessSchema))
def my_emergencies(args: dict[str, Any]) -> Any:
    """The records that one has open in an emergency"""
    return page(work().session, emergency.mine(work()), (EmergencyAccess.id,), args)


@blp.route("/emergency-accesses")
@blp.arguments(EmergencyQuery, location="query")
@blp.response(200, page_schema(EmergencyToReviewSchema))
def list_emergencies(args: dict[str, Any]) -> Any:
    """Who opened which record in an emergency, and why

    What they read is in `/audit-events` of that patient and person, from `opened_at` to `expires_at`.
    """
    query = emergency.search(work(), reviewed=args["reviewed"], patient_id=args["patient_id"])
    return page(work().session, query, (EmergencyAccess.id,), args)


@blp.route("/emergency-accesses/<id:access_id>/end", methods=["POST"])
@blp.response(200, EmergencyAccessSchema)
def end_emergency(access_id: int) -> Any:
    """Say that the emergency is over"""
    return emergency.end_early(work(), access_id)


@blp.route("/emergency-accesses/<id:access_id>/review", methods=["POST"])
@blp.arguments(EmergencyReviewSchema)
@blp.response(200, EmergencyAccessSchema)
def review_emergency(args: dict[str, Any], access_id: int) -> Any:
    """Say whether it was needed"""
    return emergency.review(work(), access_id, **args)


# ------------------------------------------------------------------------------------ the trail


@blp.route("/audit-events")
@blp.arguments(AuditQuery, location="query")
@blp.response(200, page_schema(AuditEventSchema))
def list_audit_events(args: dict[str, Any]) -> Any:
    """Who did or read what, the oldest first

    Reading the trail leaves a line in it.
    """
    limit, cursor = args.pop("limit"), args.pop("cursor")
    return page(work().session, trail.search(work(), **args), (AuditEvent.id,), {"limit": limit, "cursor": cursor})
