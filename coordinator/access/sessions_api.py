"""One's sessions and passwords over HTTP, and what administrators do about those of others."""

from typing import Any

from flask import Response
from marshmallow import fields

from coordinator.access import passwords, sessions
from coordinator.access.cookies import doorman
from coordinator.access.model import SignInSession
from coordinator.access.proof_schema import ProofSchema, take_proof
from coordinator.core.fields import Id, Instant, Schema, Text, Whole
from coordinator.core.http import Blueprint, no_rehearsal, public, quiet, unrepeatable, work
from coordinator.core.pages import PageQuery, page, page_schema

blp = Blueprint("sessions", __name__, url_prefix="/api/v1", description="Sessions and passwords")


class SessionStateSchema(Schema):
    id = Id()
    started_at = Instant()
    last_used_at = Instant()
    ends_at = Instant(metadata={"description": "When it ends if nothing more is done in it"})
    ends_by = Text(metadata={"enum": ["idle", "age"]})
    proved_by = Text(metadata={"example": "password+totp"})
    proof_until = Instant(allow_none=True, metadata={"description": "Until then a signature asks nothing more"})
    confined = fields.Boolean(metadata={"description": "Nothing is open but setting up a second factor"})
    now = Instant(metadata={"description": "The server's clock, for screens whose own is wrong"})


class OpenSessionSchema(Schema):
    id = Id()
    device = Text(allow_none=True, metadata={"example": "Firefox, Windows"})
    started_at = Instant(attribute="created_at")
    last_used_at = Instant()
    proved_by = Text()
    current = fields.Function(
        lambda row: row.id == work().actor.session_id,
        metadata={"type": "boolean", "description": "The session that asks"},
    )


class EndedSchema(Schema):
    ended = Whole(metadata={"description": "How many sessions were ended"})


class SessionEndSchema(Schema):
    tokens = fields.Boolean(
        load_default=False, truthy={True}, falsy={False}, metadata={"description": "Bearer tokens too", "example": True}
    )


class PasswordChangeSchema(ProofSchema):
    new_password = Text(required=True, max_length=200, metadata={"description": "At least twelve characters"})


class PasswordResetSchema(Schema):
    code = Text(metadata={"description": "Shown once; told in person, never mailed"})
    expires_at = Instant()


class PasswordChoiceSchema(Schema):
    username = Text(required=True, max_length=80, metadata={"example": "areyes"})
    code = Text(required=True, max_length=40, metadata={"example": "abcd-efgh-ijkl-mnop"})
    new_password = Text(required=True, max_length=200, metadata={"description": "At least twelve characters"})


@blp.route("/session")
@blp.response(200, SessionStateSchema)
@quiet
def session_state() -> Any:
    """When this session ends

    Asking does not prolong it, so a screen may ask as often as it likes.
    """
    return sessions.session_state(work(), doorman())


@blp.route("/sessions")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(OpenSessionSchema))
def list_sessions(args: dict[str, Any]) -> Any:
    """One's own open sessions"""
    return page(work().session, sessions.my_sessions(work(), doorman()), (SignInSession.id,), args)


@blp.route("/sessions/<id:session_id>", methods=["DELETE"])
@blp.response(204)
def end_session(session_id: int) -> Any:
    """End one of one's own sessions"""
    sessions.end_session(work(), session_id)
    return Response(status=204)


@blp.route("/sessions/end-others", methods=["POST"])
@blp.response(200, EndedSchema)
def end_other_sessions() -> Any:
    """End all of one's sessions but this one"""
    return {"ended": sessions.end_other_sessions(work())}


@blp.route("/users/<id:user_id>/end-sessions", methods=["POST"])
@blp.arguments(SessionEndSchema)
@blp.response(200, EndedSchema)
def end_sessions_of(args: dict[str, Any], user_id: int) -> Any:
    """Sign somebody out everywhere"""
    return {"ended": sessions.end_sessions_of(work(), user_id, **args)}


@blp.route("/me/password", methods=["POST"])
@blp.arguments(PasswordChangeSchema)
@blp.response(204)
@unrepeatable
def change_password(args: dict[str, Any]) -> Any:
    """Change one's password

    With a proof given now. One's other sessions end.
    """
    new = args.pop("new_password")
    passwords.change_password(work(), doorman(), take_proof(args), new)
    return Response(status=204)


@blp.route("/users/<id:user_id>/password-reset", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(201, PasswordResetSchema)
@unrepeatable
def reset_password(args: dict[str, Any], user_id: int) -> Any:
    """Give somebody a way back in

    The old password opens nothing any more. The code is good for a day and once: `POST /password-resets`.
    """
    code, expires_at = passwords.reset_password(work(), doorman(), user_id, take_proof(args))
    return {"code": code, "expires_at": expires_at}


@blp.route("/password-resets", methods=["POST"])
@blp.arguments(PasswordChoiceSchema)
@blp.doc(security=[])
@blp.response(204)
@unrepeatable
@public
def choose_password(args: dict[str, Any]) -> Any:
    """Choose a new password with a code from an administrator

    Nobody is signed in by it. Wrong codes count as wrong passwords do.
    """
    passwords.choose_password(work(), doorman(), args["username"], args["code"], args["new_password"])
    return Response(status=204)


@blp.route("/users/<id:user_id>/forget-factors", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(204)
@no_rehearsal
def forget_factors(args: dict[str, Any], user_id: int) -> Any:
    """Take the second factors of somebody who lost them away

    With their recovery codes; they are signed out everywhere.
    """
    passwords.forget_factors(work(), doorman(), user_id, take_proof(args))
    return Response(status=204)
