"""Sessions and tokens over HTTP."""

from typing import Any

import flask
from flask import Response
from marshmallow import fields

from coordinator.access import service
from coordinator.core.errors import Unauthenticated
from coordinator.core.fields import Id, Instant, Schema, Text
from coordinator.core.http import Blueprint, no_rehearsal, public, work

blp = Blueprint("access", __name__, url_prefix="/api/v1", description="Signing in, tokens, who one is")


def doorman() -> service.Doorman:
    """This app's doorman."""
    found: service.Doorman = flask.current_app.extensions["doorman"]
    return found


class SignInSchema(Schema):
    username = Text(required=True, max_length=80, metadata={"example": "scheduler"})
    password = Text(required=True, max_length=200, metadata={"example": "correct horse battery staple"})


class UserSchema(Schema):
    id = Id()
    username = Text()
    display_name = Text()
    roles = fields.List(Text())
    branch_ids = fields.List(Id())
    clinician_id = Id(allow_none=True)
    physician_id = Id(allow_none=True)


class TokenRequestSchema(Schema):
    label = Text(required=True, max_length=100, metadata={"example": "nightly export"})
    user_id = Id(load_default=None, allow_none=True)


class TokenSchema(Schema):
    id = Id()
    label = Text()
    token = Text(metadata={"description": "Shown once"})
    expires_at = Instant()


@blp.route("/sessions", methods=["POST"])
@blp.arguments(SignInSchema)
@blp.response(201, UserSchema)
@no_rehearsal
@public
def open_session(args: dict[str, str]) -> Any:
    """Sign in

    Sets the session cookie. Five wrong passwords let the account rest for fifteen minutes.
    """
    opened = doorman().sign_in(work(), args["username"], args["password"])
    if opened is None:
        # An answer, not an exception: the failed attempt is committed with it.
        return _wrong()
    user, secret = opened
    answer = flask.jsonify(UserSchema().dump(user))
    answer.status_code = 201
    answer.set_cookie(
        service.COOKIE,
        secret,
        httponly=True,
        samesite="Strict",
        secure=doorman().settings.secure_cookies,
        path="/",
        max_age=doorman().settings.session_absolute_minutes * 60,
    )
    return answer


def _wrong() -> Response:
    refusal = Unauthenticated("The user name or the password is not right.", code="wrong-credentials")
    handler = flask.current_app.extensions["answer_refusal"]
    answer: Response = handler(refusal)
    return answer


@blp.route("/sessions/current", methods=["DELETE"])
@blp.response(204)
def close_session() -> Any:
    """Sign out"""
    service.sign_out(work())
    answer = Response(status=204)
    answer.delete_cookie(service.COOKIE, path="/")
    return answer


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
        work(), user_id=args["user_id"] or work().actor.user_id or 0, label=args["label"]
    )
    return {"id": token.id, "label": token.label, "token": secret, "expires_at": token.expires_at}
