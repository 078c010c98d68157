"""The fields with which a request proves again who asks; bodies of signing and of one's own keys begin with them."""

from typing import Any

from marshmallow import fields

from coordinator.access.proof import Proof
from coordinator.core.fields import Schema, Text


class ProofSchema(Schema):
    """All that one of the account's methods asks for; nothing where the session proved itself minutes ago."""

    password = Text(
        load_default=None, allow_none=True, max_length=200,
        metadata={"description": "Asked for again before a signature", "example": "correct horse battery staple"},
    )  # fmt: skip
    code = Text(
        load_default=None, allow_none=True, max_length=20,
        metadata={"description": "What the authenticator app shows, beside the password", "example": "492039"},
    )  # fmt: skip
    passkey = fields.Dict(
        load_default=None, allow_none=True,
        metadata={"description": "The browser's answer (PublicKeyCredential.toJSON) to /step-ups/passkey-options"},
    )  # fmt: skip


def take_proof(args: dict[str, Any]) -> Proof:
    """The proof among the arguments, which do not have it any more."""
    return Proof(password=args.pop("password"), code=args.pop("code"), passkey=args.pop("passkey"))


class PasskeyOptionsSchema(Schema):
    """What a browser's `navigator.credentials` is given, in JSON (`parseCreationOptionsFromJSON` and its like)."""

    public_key = fields.Dict()
