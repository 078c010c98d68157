"""One's own second factors over HTTP, and proving again who one is."""

from typing import Any

from flask import Response
from marshmallow import fields

from coordinator.access import factors, passkeys, proof
from coordinator.access.cookies import doorman
from coordinator.access.model import Passkey
from coordinator.access.proof_schema import PasskeyOptionsSchema, ProofSchema, take_proof
from coordinator.core.fields import Id, Instant, Schema, Text, Whole
from coordinator.core.http import Blueprint, no_rehearsal, unrepeatable, work
from coordinator.core.pages import PageQuery, page, page_schema

blp = Blueprint("factors", __name__, url_prefix="/api/v1", description="One's own second factors")


class StepUpSchema(Schema):
    until = Instant(metadata={"description": "Until then nothing asks once more in this session"})


class FactorsSchema(Schema):
    authenticator_since = Instant(allow_none=True)
    recovery_codes_left = Whole()
    required = fields.Boolean(metadata={"description": "Whether one's role asks for a second factor here"})


class AuthenticatorStartSchema(Schema):
    secret = Text(metadata={"description": "To type, where the picture cannot be read; shown once"})
    uri = Text(metadata={"example": "otpauth://totp/Coordinator:areyes?secret=...&issuer=Coordinator"})
    svg = Text(metadata={"description": "The address as a QR code: an svg element without style and script"})
    confirm_by = Instant()


class FirstCodeSchema(Schema):
    code = Text(required=True, max_length=20, metadata={"example": "492039"})


class PasskeySchema(Schema):
    id = Id()
    label = Text()
    created_at = Instant()
    last_used_at = Instant(allow_none=True)


class PasskeyAddSchema(Schema):
    label = Text(required=True, max_length=100, metadata={"example": "Work telephone"})
    credential = fields.Dict(required=True, metadata={"description": "PublicKeyCredential.toJSON()"})


class RecoveryCodesSchema(Schema):
    recovery_codes = fields.List(Text(), metadata={"description": "Shown once; none if there are some left"})


@blp.route("/step-ups", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(200, StepUpSchema)
@no_rehearsal
def step_up(args: dict[str, Any]) -> Any:
    """Prove again who one is

    By all that one of the account's methods asks for; a refusal names them. Then, for some minutes, signing and
    changing one's own keys ask nothing more in this session.
    """
    return {"until": proof.step_up(work(), doorman(), take_proof(args))}


@blp.route("/step-ups/passkey-options", methods=["POST"])
@blp.response(200, PasskeyOptionsSchema)
@unrepeatable
def proof_options() -> Any:
    """What the browser is given to prove again who one is, with a passkey

    Its answer is the `passkey` of a step-up, a signature or a change of one's own keys: once, within five minutes.
    """
    return {"public_key": passkeys.proof_options(work(), doorman())}


@blp.route("/me/factors")
@blp.response(200, FactorsSchema)
def show_factors() -> Any:
    """What one has set up"""
    return factors.factors(work(), doorman())


@blp.route("/me/authenticator", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(201, AuthenticatorStartSchema)
@unrepeatable
def start_authenticator(args: dict[str, Any]) -> Any:
    """Begin with an authenticator app

    It counts once its first code was given, within fifteen minutes; until then an old one does.
    """
    return factors.start_authenticator(work(), doorman(), take_proof(args))


@blp.route("/me/authenticator/confirm", methods=["POST"])
@blp.arguments(FirstCodeSchema)
@blp.response(200, RecoveryCodesSchema)
@unrepeatable
def confirm_authenticator(args: dict[str, Any]) -> Any:
    """Give the app's first code

    Answers ten recovery codes, shown once, unless some are left.
    """
    return {"recovery_codes": factors.confirm_authenticator(work(), doorman(), args["code"])}


@blp.route("/me/authenticator/remove", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(204)
@no_rehearsal
def remove_authenticator(args: dict[str, Any]) -> Any:
    """Do without the authenticator app"""
    factors.remove_authenticator(work(), doorman(), take_proof(args))
    return Response(status=204)


@blp.route("/me/recovery-codes", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(201, RecoveryCodesSchema)
@unrepeatable
def renew_recovery_codes(args: dict[str, Any]) -> Any:
    """Ten new recovery codes

    Each opens the account once, in place of the second factor. The old ones open nothing any more.
    """
    return {"recovery_codes": factors.renew_recovery_codes(work(), doorman(), take_proof(args))}


class PasskeyAddedSchema(RecoveryCodesSchema):
    passkey = fields.Nested(PasskeySchema)


@blp.route("/me/passkeys")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(PasskeySchema))
def list_passkeys(args: dict[str, Any]) -> Any:
    """One's own passkeys"""
    return page(work().session, passkeys.my_passkeys(work()), (Passkey.id,), args)


@blp.route("/me/passkeys/options", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(200, PasskeyOptionsSchema)
@unrepeatable
def start_passkey(args: dict[str, Any]) -> Any:
    """What the browser is given to make a passkey"""
    return {"public_key": passkeys.start_passkey(work(), doorman(), take_proof(args))}


@blp.route("/me/passkeys", methods=["POST"])
@blp.arguments(PasskeyAddSchema)
@blp.response(201, PasskeyAddedSchema)
@unrepeatable
def add_passkey(args: dict[str, Any]) -> Any:
    """Take the passkey that the browser made

    Answers ten recovery codes, shown once, unless some are left.
    """
    return passkeys.add_passkey(work(), doorman(), args["label"], args["credential"])


@blp.route("/me/passkeys/<id:passkey_id>/remove", methods=["POST"])
@blp.arguments(ProofSchema)
@blp.response(204)
@no_rehearsal
def remove_passkey(args: dict[str, Any], passkey_id: int) -> Any:
    """Do without a passkey"""
    passkeys.remove_passkey(work(), doorman(), passkey_id, take_proof(args))
    return Response(status=204)
