"""The front door: who is asking, one transaction a request, idempotency, versions, and clear problem documents."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.model import ApiToken, User
from coordinator.core import audit
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from tests.builders import PASSWORD, make_user
from tests.conftest import NOW


@pytest.fixture
def user(app: Coordinator, database: Database) -> User:
    with database.transaction() as session:
        return make_user(session, app.extensions["doorman"].hash(PASSWORD), "scheduler", username="sam")


def _sign_in(client, password: str = PASSWORD):
    return client.post("/api/v1/sessions", json={"username": "sam", "password": password})


def test_a_signed_in_person_is_known_until_they_sign_out(app: Coordinator, user: User) -> None:
    client = app.test_client()
    assert client.get("/api/v1/me").status_code == 401
    assert _sign_in(client).status_code == 201
    assert client.get("/api/v1/me").json["username"] == "sam"
    assert client.delete("/api/v1/sessions/current").status_code == 204
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.example("SEC-03", 1)
def test_an_idle_session_ends(app: Coordinator, user: User) -> None:
    client = app.test_client()
    with freeze_time(NOW) as clock:
        _sign_in(client)
        clock.tick(timedelta(minutes=14))
        assert client.post("/api/v1/tokens", json={"label": "one"}).status_code == 201
        clock.tick(timedelta(minutes=14))
        assert client.get("/api/v1/me").status_code == 200
        clock.tick(timedelta(minutes=15, seconds=1))
        assert client.get("/api/v1/me").status_code == 401


def test_wrong_passwords_let_the_account_rest(app: Coordinator, user: User) -> None:
    client = app.test_client()
    with freeze_time(NOW) as clock:
        for _ in range(5):
            refused = _sign_in(client, "not the password")
            assert refused.status_code == 401
            assert refused.content_type == "application/problem+json"
        refused = _sign_in(client)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        clock.tick(timedelta(minutes=16))
        assert _sign_in(client).status_code == 201


def test_the_same_request_twice_has_one_effect(app: Coordinator, user: User, database: Database) -> None:
    client = app.test_client()
    _sign_in(client)
    first = client.post("/api/v1/tokens", json={"label": "one"}, headers={"Idempotency-Key": "k1"})
    again = client.post("/api/v1/tokens", json={"label": "one"}, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post("/api/v1/tokens", json={"label": "two"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert other.json["type"] == "/problems/idempotency-mismatch"
    with database.transaction(write=False) as session:
        assert session.execute(sa.select(sa.func.count()).select_from(ApiToken)).scalar_one() == 1


def test_a_dry_run_answers_and_changes_nothing(app: Coordinator, user: User, database: Database) -> None:
    client = app.test_client()
    _sign_in(client)
    answer = client.post("/api/v1/tokens?dry_run=true", json={"label": "one"})
    assert answer.status_code == 201
    assert answer.headers["Dry-Run"] == "true"
    with database.transaction(write=False) as session:
        assert session.execute(sa.select(sa.func.count()).select_from(ApiToken)).scalar_one() == 0


def test_a_password_cannot_be_guessed_in_rehearsals(app: Coordinator, user: User) -> None:
    answer = app.test_client().post(
        "/api/v1/sessions?dry_run=true", json={"username": "sam", "password": "not the password"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"label": "a\x00b"}, "/label"),
        ({"label": 7}, "/label"),
        ({"label": "x" * 5000}, "/label"),
        ({"label": "\ud800"}, "/label"),
        ({"label": "ok", "user_id": 10**30}, "/user_id"),
        ({"label": "ok", "surprise": 1}, "/surprise"),
        ({}, "/label"),
    ],
)
def test_bad_input_names_the_field(app: Coordinator, user: User, body: dict, pointer: str) -> None:
    client = app.test_client()
    _sign_in(client)
    answer = client.post("/api/v1/tokens", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert pointer in {entry["pointer"] for entry in answer.json["errors"]}


def test_a_body_that_is_not_json_is_a_clear_problem(app: Coordinator, user: User) -> None:
    client = app.test_client()
    _sign_in(client)
    answer = client.post("/api/v1/tokens", data=b"{oh", content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.content_type == "application/problem+json"


def test_an_unknown_page_and_method_are_problems_too(app: Coordinator) -> None:
    client = app.test_client()
    assert client.get("/api/v1/nothing").content_type == "application/problem+json"
    assert client.put("/api/v1/sessions").status_code == 405


def test_every_line_of_the_trail_is_sealed_and_a_change_shows(app: Coordinator, user: User, database: Database) -> None:
    client = app.test_client()
    _sign_in(client)
    client.post("/api/v1/tokens", json={"label": "one"})
    with database.transaction(write=False) as session:
        assert audit.verify(session).ok
        assert audit.verify(session).lines == 2
    with pytest.raises(sa.exc.IntegrityError, match="audit_is_append_only"), database.transaction() as session:
        session.execute(sa.text("UPDATE audit_event SET actor = 'nobody'"))


def test_the_document_is_openapi_and_public(app: Coordinator) -> None:
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json["openapi"] == "3.1.0"


def test_a_body_nested_without_end_is_a_clear_problem(app: Coordinator, user: User) -> None:
    client = app.test_client()
    _sign_in(client)
    answer = client.post("/api/v1/tokens", data=b"[" * 100_000, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.content_type == "application/problem+json"


def test_a_number_that_no_row_has_is_an_address_without_anything(app: Coordinator, user: User) -> None:
    client = app.test_client()
    _sign_in(client)
    for number in ("9007199254740993", "0", "-1", "1" * 40, "abc"):
        answer = client.get(f"/api/v1/patients/{number}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), number
