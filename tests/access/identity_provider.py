"""A small OpenID Connect provider of the tests: a server of its own, which checks PKCE and takes each code once."""

import base64
import hashlib
import secrets
import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import flask
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from werkzeug.serving import make_server

CLIENT, SECRET = "coordinator", "a secret of the client"


class IdentityProvider:
    """Speaks for one person. What it says wrong is in `lies`: claims of the token, `alg`, `key`, `issuer`, `broken`."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.subject, self.lies = "248289761001", {}  # type: ignore[var-annotated]
        self.waiting: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.server = make_server("localhost", 0, self._app(), threaded=True)
        self.issuer = f"http://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def agree(self, url: str) -> dict[str, str]:
        """The person signs in at the provider: what it sends the browser back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.issuer}/authorize?")
        assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT, "openid")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.waiting[code] = asked
        return {"state": asked["state"], "code": code}

    def _app(self) -> flask.Flask:
        app = flask.Flask("identity-provider")

        @app.before_request
        def note() -> None:
            self.asked.append(flask.request.path)

        @app.get("/.well-known/openid-configuration")
        def configuration() -> dict[str, Any]:
            if self.lies.get("broken"):
                flask.abort(500)
            return {
                "issuer": self.lies.get("issuer", self.issuer), "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": self.lies.get("token_endpoint", f"{self.issuer}/token"),
                "jwks_uri": f"{self.issuer}/jwks",
            }  # fmt: skip

        @app.get("/jwks")
        def keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.post("/token")
        def token() -> Any:
            sent, asked = flask.request.form, self.waiting.pop(flask.request.form.get("code", ""), None)
            told = flask.request.authorization
            challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
            if (
                asked is None or told is None or (told.username, told.password) != (CLIENT, SECRET)
                or challenge.decode().rstrip("=") != asked["code_challenge"]
                or sent.get("redirect_uri") != asked["redirect_uri"]
            ):  # fmt: skip
                return {"error": "invalid_grant"}, 400
            return {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(asked["nonce"])}

        return app

    def _signed(self, nonce: str) -> str:
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= {name: value for name, value in self.lies.items() if name in claims}
        algorithm = self.lies.get("alg", "ES256")
        key = self.lies.get("key", self.key)
        if algorithm == "HS256":
            key = OctKey.import_key(SECRET.ljust(32, "."))
        if algorithm == "none":
            return ".".join(
                base64.urlsafe_b64encode(part).decode().rstrip("=")
                for part in (b'{"alg":"none"}', flask.json.dumps(claims).encode(), b"")
            )
        return jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, algorithms=[algorithm])


def back(sent: dict[str, str]) -> str:
    """The path at which the browser comes back."""
    return f"/oidc/callback?{urlencode(sent)}"
