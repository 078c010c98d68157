"""Signing in through the agency's identity provider over HTTP, and who is known by which identity."""

from typing import Any

import flask
from flask import Response, request
from markupsafe import escape
from marshmallow import fields

from coordinator.access import cookies, identities, oidc
from coordinator.access.cookies import doorman
from coordinator.access.proof_schema import ProofSchema, take_proof
from coordinator.core.errors import Unauthenticated
from coordinator.core.fields import Instant, Schema, Text
from coordinator.core.http import Blueprint, no_rehearsal, public, unrepeatable, work, writes
from coordinator.core.thinking import thinks_first, thought
from coordinator.core.work import Work

blp = Blueprint("oidc", __name__, url_prefix="/api/v1", description="Signing in through the agency's provider")


class DepartureRequestSchema(Schema):
    wanted = Text(load_default="/", max_length=500, metadata={"description": "A path to go on to", "example": "/"})


class DepartureSchema(Schema):
    authorization_url = Text()


class CallbackQuery(Schema):
    """What providers add to their answer is theirs: it is not looked at."""

    class Meta:
        unknown = "exclude"

    state = Text(required=True, max_length=200)
    code = Text(load_default=None, allow_none=True, max_length=4000)
    error = Text(load_default=None, allow_none=True, max_length=200)


class IdentityLinkSchema(ProofSchema):
    subject = Text(required=True, max_length=255, metadata={"example": "248289761001"})
    password_off = fields.Boolean(
        load_default=False, truthy={True}, falsy={False}, metadata={"description": "No password opens the account"}
    )


class IdentitySchema(Schema):
    issuer = Text()
    subject = Text()
    password_off = fields.Boolean()
    linked_at = Instant()


@blp.route("/oidc/departures", methods=["POST"])
@blp.arguments(DepartureRequestSchema)
@blp.doc(security=[])
@blp.response(201, DepartureSchema)
@unrepeatable
@public
@thinks_first(lambda asked: oidc.prepare_departure(asked, doorman()))
def depart(args: dict[str, Any]) -> Any:
    """Begin to sign in through the agency's provider

    The browser goes to the address answered; a cookie ties its return to it.
    """
    left = oidc.depart(work(), doorman(), agent=request.headers.get("User-Agent", ""), wanted=args["wanted"])
    answer = flask.jsonify({"authorization_url": left.url})
    answer.status_code = 201
    return cookies.remember_departure(answer, left.secret)


def _ask_who_it_is(asked: Work) -> Any:
    sent = CallbackQuery().load(request.args.to_dict())
    if sent["code"] is None:
        raise Unauthenticated("The agency's sign-in did not vouch for you. Begin again.", code="oidc-refused")
    return oidc.prepare_return(asked, doorman(), request.cookies.get(oidc.OIDC_COOKIE), sent["state"], sent["code"])


@blp.route("/oidc/callback")
@blp.arguments(CallbackQuery, location="query")
@blp.doc(security=[])
@blp.response(200, content_type="text/html", description="A page that goes on by itself")
@no_rehearsal
@writes
@public
@thinks_first(_ask_who_it_is)
def come_back(args: dict[str, Any]) -> Any:
    """Where the provider sends the browser back to

    Opens the session, and goes on from a page of our own: browsers keep the session's cookie back on the way from
    another site.
    """
    secret = request.cookies.get(oidc.OIDC_COOKIE)
    came, wanted = oidc.come_back(work(), doorman(), secret, args["state"], thought())
    flask.session.clear()  # forms that were made before are somebody else's
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Signed in</title>'
        f'<meta http-equiv="refresh" content="0;url={escape(wanted)}"><p><a href="{escape(wanted)}">Go on</a></p>'
    )
    return cookies.forget_departure(cookies.give(Response(page, mimetype="text/html"), came))


@blp.route("/users/<id:user_id>/identity")
@blp.response(200, IdentitySchema)
def show_identity(user_id: int) -> Any:
    """By which identity of the provider an account is known"""
    return identities.identity_of(work(), user_id)


@blp.route("/users/<id:user_id>/identity", methods=["PUT"])
@blp.arguments(IdentityLinkSchema)
@blp.response(200, IdentitySchema)
@no_rehearsal
def link_identity(args: dict[str, Any], user_id: int) -> Any:
    """Say by which identity an account is known

    Whoever says so proves again who they are; the person's sessions end.
    """
    proof = take_proof(args)
    return identities.link_identity(work(), doorman(), user_id, proof=proof, **args)


@blp.route("/users/<id:user_id>/identity/remove", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(204)
@no_rehearsal
def unlink_identity(args: dict[str, Any], user_id: int) -> Any:
    """Let an account be entered by its own password alone again"""
    identities.unlink_identity(work(), doorman(), user_id, take_proof(args))
    return Response(status=204)
