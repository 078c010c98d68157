"""Secrets that must be read again, such as what an authenticator app computes with, sealed with our own key.

What need not be read again (passwords, tokens, codes) is stored as a hash and does not come here.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: Another purpose, another key, from the same secret (RFC 5869).
_PURPOSE = b"coordinator: secrets at rest, 1"
_NONCE = 12


class Vault:
    """Seals and opens texts; one per installation's key."""

    def __init__(self, secret_key: str) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
        self._cipher = AESGCM(key)

    def seal(self, text: str, *, of: str) -> str:
        """The text, unreadable without the key. `of` says whose it is: it opens for nobody else."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), of.encode())).decode()

    def open(self, sealed: str, *, of: str) -> str | None:
        """The text again; None if it was sealed with another key, for somebody else, or was tampered with."""
        try:
            kept = base64.urlsafe_b64decode(sealed)
            return self._cipher.decrypt(kept[:_NONCE], kept[_NONCE:], of.encode()).decode()
        except (InvalidTag, ValueError):
            return None
