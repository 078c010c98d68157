"""Signing in through an agency's own identity provider: OpenID Connect, code flow with PKCE, state and nonce.

A person is known by the provider's stored subject and by nothing else: nobody is made or matched by name or mail. What
asks the provider over the network does so with no transaction open (`ask_later`).
"""

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from coordinator.access.entering import Entered, device_words, open_session
from coordinator.access.model import OutsideIdentity, SignInStep, User
from coordinator.access.service import Doorman
from coordinator.access.steps import Step, find_step, open_step
from coordinator.core.errors import Busy, Conflict, Forbidden, Unauthenticated
from coordinator.core.settings import Settings
from coordinator.core.work import Work

#: The cookie that ties a provider's answer to the browser that asked.
OIDC_COOKIE = "coordinator_oidc"
CALLBACK = "/api/v1/oidc/callback"
#: Signatures that are believed: those with a key pair. The provider's secret signs nothing.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]
_TIMEOUT = 8.0
_METADATA_FOR = timedelta(hours=1)
_LEEWAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes to sign in, and what it keeps in a cookie meanwhile."""

    url: str
    secret: str


class Provider:
    """The identity provider that the settings name, asked over the network. Its document is kept for an hour."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer or ""
        self.client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret
        self.callback = f"{settings.public_url}{CALLBACK}"
        self._known: tuple[datetime, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def metadata(self, now: datetime) -> dict[str, Any]:
        """What the provider says of itself; Busy if it cannot be asked or speaks for another issuer."""
        with self._lock:
            if self._known is None or self._known[0] + _METADATA_FOR < now:
                self._known = now, self._discover()
            return self._known[1]

    def _discover(self) -> dict[str, Any]:
        found = _read(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != self.issuer or not all(is_guarded(found.get(name)) for name in names):
            raise _unreachable()
        return found

    def departure(self, now: datetime, *, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self.metadata(now)["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def claims(self, code: str, *, nonce: str, verifier: str, now: datetime) -> dict[str, Any]:
        """What the provider says of whoever came back with the code. Unauthenticated if anything of it is wrong."""
        known = self.metadata(now)
        try:
            with self._client() as client:
                token = client.fetch_token(
                    known["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier,
                    timeout=_TIMEOUT,
                )  # fmt: skip
            keys = KeySet.import_key_set(_read(known["jwks_uri"]))  # type: ignore[arg-type]
            read = jwt.decode(str(token["id_token"]), keys, algorithms=ALGORITHMS)
            said = CodeIDToken(
                read.claims, read.header,
                {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.client_id}},
                {"nonce": nonce, "client_id": self.client_id},
            )  # fmt: skip
            said.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
        except (requests.RequestException, ConnectionError) as error:
            raise _unreachable() from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            raise _not_believed() from error
        if not secrets.compare_digest(str(said.get("nonce", "")).encode(), nonce.encode()):
            raise _not_believed()
        return dict(read.claims)

    def _client(self) -> Any:
        return OAuth2Session(
            self.client_id, self._client_secret, scope="openid", redirect_uri=self.callback,
            code_challenge_method="S256", default_timeout=_TIMEOUT,
        )  # fmt: skip


def is_guarded(address: object) -> bool:
    """Whether nobody on the way reads what is sent there: TLS, or this machine itself."""
    parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
    )


def _read(address: str) -> dict[str, Any]:
    try:
        answer = requests.get(address, timeout=_TIMEOUT, allow_redirects=False)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError) as error:
        raise _unreachable() from error
    if not isinstance(found, dict):
        raise _unreachable()
    return found


def _unreachable() -> Busy:
    return Busy(
        "The agency's sign-in does not answer as it should. Try again, or sign in with your password.",
        code="oidc-unreachable", retry_after=10,
    )  # fmt: skip


def _not_believed() -> Unauthenticated:
    return Unauthenticated("The agency's sign-in did not vouch for you. Begin again.", code="oidc-refused")


# ------------------------------------------------------------------------------------ there and back


def provider_of(doorman: Doorman) -> Provider:
    """The provider of this installation; Conflict if the settings name none."""
    if doorman.settings.oidc_issuer is None:
        raise Conflict("This installation has no sign-in through the agency. Use your password.", code="oidc-off")
    if doorman.provider is None:
        doorman.provider = Provider(doorman.settings)
    found: Provider = doorman.provider
    return found


def prepare_departure(work: Work, doorman: Doorman) -> Callable[[], Any]:
    """What is asked of the provider before a departure, with no transaction open."""
    provider = provider_of(doorman)
    return lambda: provider.metadata(work.now)


def depart(work: Work, doorman: Doorman, *, agent: str = "", wanted: str = "/") -> Departure:
    """Where the browser goes to sign in. Its return is taken once, within ten minutes, from the same browser.

    `wanted`: the path of our own to which it goes afterwards. Conflict `oidc-off` where there is no provider.
    """
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    kept = doorman.vault.seal(json.dumps({"state": state, "nonce": nonce, "verifier": verifier}), of=_SEALED_FOR)
    facts = {"sealed": kept, "device": device_words(agent), "wanted": wanted if is_own_path(wanted) else "/"}
    secret, _ = open_step(work, doorman, Step.OIDC, user_id=None, facts=facts)
    url = provider_of(doorman).departure(work.now, state=state, nonce=nonce, verifier=verifier)
    return Departure(url, secret)


def is_own_path(text: str) -> bool:
    """Whether the text is a path of this installation, and no address of another."""
    return text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and len(text) <= 500


def prepare_return(work: Work, doorman: Doorman, secret: str | None, state: str, code: str) -> Callable[[], Any]:
    """What is asked of the provider when the browser comes back, with no transaction open: who it is.

    Unauthenticated `sign-in-again` if this browser did not depart, too long ago, or with another state.
    """
    provider = provider_of(doorman)
    kept = _kept(doorman, find_step(work, doorman, Step.OIDC, secret, lock=False), state)
    return lambda: provider.claims(code, nonce=kept["nonce"], verifier=kept["verifier"], now=work.now)


def come_back(
    work: Work, doorman: Doorman, secret: str | None, state: str, claims: dict[str, Any]
) -> tuple[Entered, str]:
    """A session of the person whom the provider vouched for, and the path they wanted.

    `claims`: what `prepare_return` has asked for. Forbidden `oidc-unknown` (kept), with the subject to tell an
    administrator, if nobody here is known by it. The provider answers for second factors; none is asked for here.
    """
    step = find_step(work, doorman, Step.OIDC, secret)
    _kept(doorman, step, state)
    assert step is not None  # or `_kept` has refused
    step.used_at = work.now
    provider, subject = provider_of(doorman), str(claims.get("sub", ""))
    user = work.session.execute(
        sa.select(User)
        .join(OutsideIdentity, OutsideIdentity.user_id == User.id)
        .where(OutsideIdentity.issuer == provider.issuer, OutsideIdentity.subject == sound_subject(subject))
        .with_for_update(of=User)
    ).scalar()
    if user is None or not doorman.admits(user):
        number = f"user:{user.id}" if user else "user:unknown"
        work.record("session.refused", number, outcome="deny", method="oidc")
        raise Forbidden(
            "The agency knows you, and nobody here is known by that. Tell an administrator the subject.",
            code="oidc-unknown", identity=subject[:255],
        ).kept()  # fmt: skip
    return open_session(work, doorman, user, proved_by="oidc", device=step.facts["device"]), str(step.facts["wanted"])


def sound_subject(subject: str) -> str:
    """The subject as it is stored; one that cannot be is nobody's."""
    return subject if subject.isprintable() and 1 <= len(subject) <= 255 else ""


_SEALED_FOR = "a departure"


def _kept(doorman: Doorman, step: SignInStep | None, state: str) -> dict[str, str]:
    opened = doorman.vault.open(step.facts["sealed"], of=_SEALED_FOR) if step is not None else None
    kept: dict[str, str] = json.loads(opened) if opened is not None else {}
    if not kept or not secrets.compare_digest(kept["state"].encode(), state.encode()):
        raise Unauthenticated(
            "This sign-in was not begun in this browser, or too long ago. Begin again.", code="sign-in-again"
        )
    return kept
