"""A software authenticator: it makes passkeys and signs with them as a telephone would (WebAuthn level 2, "none")."""

import hashlib
import json
import secrets
import struct
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.encode_cbor import encode_cbor

ORIGIN = "https://coordinator.example.org"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class KeyRing:
    """One key. What it says wrong is said in `lies`: origin, host, type, flags, challenge, count, frame."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0
        self.handle = b""

    def make(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """What `navigator.credentials.create` answers."""
        self.handle = base64url_to_bytes(options["user"]["id"])
        point = self.key.public_key().public_numbers()
        public = encode_cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        host = lies.get("host", options["rp"]["id"])
        data = self._data(host, lies.get("flags", PRESENT | VERIFIED | ATTESTED)) + attested
        said = self._said("webauthn.create", options, lies)
        stated = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            {"clientDataJSON": said, "attestationObject": stated}, extra={"transports": ["internal", "hybrid"]}
        )

    def sign(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """What `navigator.credentials.get` answers."""
        self.count = lies.get("count", self.count + 1)
        data = self._data(lies.get("host", options["rpId"]), lies.get("flags", PRESENT | VERIFIED))
        said = self._said("webauthn.get", options, lies)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        handle = lies.get("handle", self.handle)
        return self._answer(
            {"clientDataJSON": said, "authenticatorData": data, "signature": signature, "userHandle": handle}
        )

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _said(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        said = {
            "type": lies.get("type", kind), "challenge": lies.get("challenge", options["challenge"]),
            "origin": lies.get("origin", ORIGIN), "crossOrigin": lies.get("frame", False),
        }  # fmt: skip
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, bytes], extra: dict[str, Any] | None = None) -> dict[str, Any]:
        number = bytes_to_base64url(self.id)
        return {
            "id": number, "rawId": number, "type": "public-key",
            "response": {name: bytes_to_base64url(value) for name, value in response.items()} | (extra or {}),
        }  # fmt: skip
