"""Secrets are worth nothing without the installation's key, and demo accounts nothing outside the demo."""

import hashlib
from dataclasses import replace

import pytest
import sqlalchemy as sa

from coordinator.access.model import ApiToken, SignInSession, User
from coordinator.access.service import Doorman
from coordinator.app import furnish
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings
from coordinator.domain.vocabulary import Role
from tests.access.conftest import Scene
from tests.builders import PASSWORD, make_user


@pytest.fixture
def sam(app: Coordinator, database: Database) -> User:
    with database.transaction() as session:
        return make_user(session, app.extensions["doorman"].hash(PASSWORD), Role.SCHEDULER, username="sam")


def _sign_in(app: Coordinator, username: str = "sam"):
    client = app.test_client()
    return client, client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})


def test_one_secret_has_another_digest_under_another_key(settings: Settings) -> None:
    other = replace(settings, secret_key="b" * 40)
    assert Doorman(settings).digest("secret") == Doorman(settings).digest("secret")
    assert Doorman(settings).digest("secret") != Doorman(other).digest("secret")
    assert Doorman(settings).digest("secret") != hashlib.sha256(b"secret").hexdigest()


def test_what_is_stored_of_a_token_and_a_session_is_keyed(
    app: Coordinator, database: Database, settings: Settings, sam: User
) -> None:
    client, _ = _sign_in(app)
    secret = client.post("/api/v1/tokens", json={"label": "export"}).json["token"]
    cookie = client.get_cookie("coordinator_session").value
    doorman: Doorman = app.extensions["doorman"]
    with database.transaction(write=False) as session:
        assert session.scalars(sa.select(ApiToken.token_hash)).all() == [doorman.digest(secret)]
        assert session.scalars(sa.select(SignInSession.token_hash)).all() == [doorman.digest(cookie)]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 200
    database.dispose()
    furnish(app, replace(settings, secret_key="another-secret-of-the-tests-0123456789"))
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 401
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(("profile", "opens"), [("demo", True), ("test", False), ("production", False)])
def test_demo_accounts_sign_in_in_the_demo_alone(
    app: Coordinator, database: Database, settings: Settings, sam: User, profile: str, opens: bool
) -> None:
    client, _ = _sign_in(app)
    secret = client.post("/api/v1/tokens", json={"label": "export"}).json["token"]
    with database.transaction() as session:
        session.get_one(User, sam.id).demo = True
    database.dispose()
    furnish(app, replace(settings, profile=profile))
    bearer = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == (200 if opens else 401)
    _, answer = _sign_in(app)
    assert answer.status_code == (201 if opens else 401)


def test_one_lists_and_revokes_ones_own_tokens(scene: Scene) -> None:
    nurse, other = scene.clinician(scene.nurse), scene.clinician(scene.nurse)
    made = nurse.post("/tokens", {"label": "export"}).json
    listed = nurse.get("/tokens").json["items"]
    assert [token["label"] for token in listed] == ["test", "export"]
    assert all("token" not in token and "token_hash" not in token for token in listed)
    assert other("DELETE", f"/tokens/{made['id']}").status_code == 404, "somebody else's"
    assert scene.app.test_client().get(
        "/api/v1/me", headers={"Authorization": f"Bearer {made['token']}"}
    ).status_code == 200  # fmt: skip
    for _ in range(2):
        assert nurse("DELETE", f"/tokens/{made['id']}").status_code == 204
    assert scene.app.test_client().get(
        "/api/v1/me", headers={"Authorization": f"Bearer {made['token']}"}
    ).status_code == 401  # fmt: skip
    assert nurse.get("/tokens").json["items"][1]["revoked_at"] is not None
    assert nurse("DELETE", "/tokens/99999").status_code == 404


def test_an_administrator_revokes_tokens_of_their_branches(scene: Scene) -> None:
    nurse = scene.clinician(scene.nurse)
    local, far = scene.local_admin, scene.signed_in(Role.ADMINISTRATOR, branch_ids=[scene.elsewhere.id])
    first, second = (nurse.post("/tokens", {"label": label}).json["id"] for label in ("one", "two"))
    assert far("DELETE", f"/tokens/{first}").status_code == 404
    assert local("DELETE", f"/tokens/{first}").status_code == 204
    assert scene.admin("DELETE", f"/tokens/{second}").status_code == 204


def test_nobody_issues_a_token_for_an_account_beyond_their_charge(scene: Scene) -> None:
    above = scene.admin.get("/me").json["id"]
    assert scene.local_admin.post("/tokens", {"label": "up", "user_id": above}).status_code == 404
    assert scene.clinician(scene.nurse).post("/tokens", {"label": "up", "user_id": above}).status_code == 403
    assert scene.admin.post("/tokens", {"label": "for them", "user_id": above}).status_code == 201
