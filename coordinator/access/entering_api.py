"""Signing in and out over HTTP."""

from typing import Any

import flask
import marshmallow as ma
from flask import Response, request
from marshmallow import fields

from coordinator.access import cookies, entering, service
from coordinator.access.cookies import doorman
from coordinator.access.proof_schema import PasskeyOptionsSchema
from coordinator.access.user_schema import UserSchema
from coordinator.core.fields import Instant, Schema, Text
from coordinator.core.http import Blueprint, no_rehearsal, public, unrepeatable, work

blp = Blueprint("entering", __name__, url_prefix="/api/v1", description="Signing in and out")


class SignInSchema(Schema):
    username = Text(required=True, max_length=80, metadata={"example": "scheduler"})
    password = Text(required=True, max_length=200, metadata={"example": "correct horse battery staple"})


class HalfOpenSchema(Schema):
    """The password was right; one of the methods is still wanted."""

    methods = fields.List(Text(), metadata={"example": ["totp", "recovery-code"]})
    expires_at = Instant()


class PasskeySignInSchema(Schema):
    passkey = fields.Dict(
        required=True,
        metadata={"description": "PublicKeyCredential.toJSON()", "example": {"id": "..."}},
    )


class FactorSchema(Schema):
    code = Text(
        load_default=None, allow_none=True, max_length=20,
        metadata={"description": "What the authenticator app shows", "example": "492039"},
    )  # fmt: skip
    recovery_code = Text(load_default=None, allow_none=True, max_length=40)
    passkey = fields.Dict(load_default=None, allow_none=True, metadata={"description": "The browser's answer"})

    @ma.validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if sum(data.get(name) is not None for name in self.fields) != 1:
            raise ma.ValidationError("Give one of: code, recovery_code, passkey.", field_name="code")


@blp.route("/sessions", methods=["POST"])
@blp.arguments(SignInSchema)
@blp.doc(security=[])
@blp.response(201, UserSchema)
@blp.alt_response(202, schema=HalfOpenSchema, description="The password was right; the second factor is wanted")
@no_rehearsal
@public
def open_session(args: dict[str, str]) -> Any:
    """Sign in

    Sets the session cookie; of an account with a second factor, a cookie with which nothing can be done but to give it
    (202, then `POST /sessions/factor`). Five wrong passwords or codes let the account rest for fifteen minutes.
    """
    came = entering.sign_in(
        work(), doorman(), args["username"], args["password"], agent=request.headers.get("User-Agent", "")
    )
    if isinstance(came, entering.HalfOpen):
        shown = HalfOpenSchema().dump({"methods": came.methods, "expires_at": came.step.expires_at})
        answer = flask.jsonify(shown)
        answer.status_code = 202
        return cookies.give(answer, came)
    return _entered(came)


@blp.route("/sessions/factor", methods=["POST"])
@blp.arguments(FactorSchema)
@blp.doc(security=[])
@blp.response(201, UserSchema)
@no_rehearsal
@public
def give_factor(args: dict[str, Any]) -> Any:
    """Give the second factor

    Within five minutes of the password. A wrong code counts as a wrong password does.
    """
    return _entered(entering.give_factor(work(), doorman(), request.cookies.get(entering.HALF_OPEN_COOKIE), **args))


@blp.route("/sessions/passkey-options", methods=["POST"])
@blp.doc(security=[])
@blp.response(200, PasskeyOptionsSchema)
@unrepeatable
@public
def passkey_options() -> Any:
    """What the browser is given to sign in with a passkey

    Beside the password, if a sign-in is half open; else instead of it. The answer is taken once, within five minutes.
    """
    secret = request.cookies.get(entering.HALF_OPEN_COOKIE)
    return {"public_key": entering.passkey_options(work(), doorman(), secret)}


@blp.route("/sessions/passkey", methods=["POST"])
@blp.arguments(PasskeySignInSchema)
@blp.doc(security=[])
@blp.response(201, UserSchema)
@no_rehearsal
@public
def open_session_with_passkey(args: dict[str, Any]) -> Any:
    """Sign in with a passkey"""
    agent = request.headers.get("User-Agent", "")
    return _entered(entering.sign_in_with_passkey(work(), doorman(), args["passkey"], agent=agent))


def _entered(came: entering.Entered) -> Response:
    answer = flask.jsonify(UserSchema().dump(came.user))
    answer.status_code = 201
    return cookies.give(answer, came)


@blp.route("/sessions/current", methods=["DELETE"])
@blp.response(204)
def close_session() -> Any:
    """Sign out"""
    service.sign_out(work())
    return cookies.take_away(Response(status=204))
