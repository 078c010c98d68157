"""Somebody at a browser of their own, with an authenticator app in the other hand."""

from datetime import datetime
from typing import Any

import pyotp
from flask.testing import FlaskClient

from coordinator.access.model import User
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from tests.builders import PASSWORD, make_user

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0"


class Person:
    """One browser of one person: it keeps cookies, and the secret of the app that was set up in it."""

    def __init__(self, app: Coordinator, username: str, client: FlaskClient | None = None) -> None:
        self.app, self.username = app, username
        self.client = client or app.test_client()
        self.secret = ""

    def elsewhere(self) -> "Person":
        """The same person, with the same telephone, at another browser."""
        other = Person(self.app, self.username)
        other.secret = self.secret
        return other

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        told = {} if body is None else {"json": body}
        return self.client.open(f"/api/v1{path}", method=method, headers={"User-Agent": FIREFOX, **headers}, **told)

    def get(self, path: str) -> Any:
        return self("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self("POST", path, {} if body is None else body)

    def sign_in(self, password: str = PASSWORD) -> Any:
        return self.post("/sessions", {"username": self.username, "password": password})

    def code(self, moment: datetime, ahead: int = 0) -> str:
        """What the app shows at that moment, or some half minutes ahead of it."""
        return pyotp.TOTP(self.secret).at(moment, counter_offset=ahead)

    def set_up_app(self, moment: datetime) -> list[str]:
        """An authenticator app is set up; the recovery codes that are shown for it."""
        begun = self.post("/me/authenticator", {"password": PASSWORD})
        assert begun.status_code == 201, begun.json
        self.secret = begun.json["secret"]
        confirmed = self.post("/me/authenticator/confirm", {"code": self.code(moment)})
        assert confirmed.status_code == 200, confirmed.json
        codes: list[str] = confirmed.json["recovery_codes"]
        return codes


def person(app: Coordinator, database: Database, *roles: str, username: str = "ana", **given: Any) -> Person:
    """Somebody with an account and a password."""
    with database.transaction() as session:
        made: User = make_user(
            session, app.extensions["doorman"].hash(PASSWORD), *(roles or ("scheduler",)), username=username, **given
        )
        number = made.id
    found = Person(app, username)
    found.id = number  # type: ignore[attr-defined]
    return found


def problem(answer: Any) -> tuple[int, str]:
    """Status and name of a refusal."""
    assert answer.content_type == "application/problem+json", answer.data
    return answer.status_code, answer.json["type"].removeprefix("/problems/")
