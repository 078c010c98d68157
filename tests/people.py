"""People of the tests over HTTP: a browser for each role, signed in by token, at the clock of the tests."""

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from freezegun import freeze_time

from coordinator.access.model import ApiToken
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from tests.builders import make_user
from tests.conftest import NOW

_count = itertools.count(1)


class Browser:
    """Speaks JSON for one person; `match` sends the version that was read."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client, self.token = client, token

    def __call__(self, method: str, path: str, body: Any = None, *, match: str | None = None, raw: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        if match is not None:
            headers["If-Match"] = match
        told = {"data": raw, "content_type": "application/json"} if raw is not None else {"json": body}
        if body is None and raw is None:
            told = {}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **told)

    def get(self, path: str) -> Any:
        return self("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self("POST", path, body if body is not None else {})

    def etag(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.json
        return str(answer.headers["ETag"])

    def change(self, method: str, path: str, body: Any = None, *, of: str | None = None) -> Any:
        """A change of `path`, with the version of `of` (or of the path itself) as it is now."""
        return self(method, path, body, match=self.etag(of or path))


def browser(app: Coordinator, database: Database, *roles: str, **identity: Any) -> Browser:
    """A browser in which somebody with these roles is signed in."""
    secret = secrets.token_urlsafe(16)
    with database.transaction() as session:
        user = make_user(session, "no password", *roles, username=f"person{next(_count)}", **identity)
        session.add(
            ApiToken(
                user_id=user.id,
                label="test",
                token_hash=app.extensions["doorman"].digest(secret),
                created_at=NOW - timedelta(days=1),
                expires_at=NOW + timedelta(days=3650),
            )
        )
    return Browser(app.test_client(), secret)


@contextmanager
def at(moment: datetime = NOW) -> Iterator[None]:
    """The door's clock stands at `moment`."""
    with freeze_time(moment):
        yield


def pointers(answer: Any) -> set[str]:
    """Which fields a refusal names."""
    assert answer.content_type == "application/problem+json", answer.data
    return {entry["pointer"] for entry in answer.json.get("errors", [])}
