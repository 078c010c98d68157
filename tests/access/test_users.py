"""Accounts: opened, changed, closed and let in again, by whoever answers for them."""

from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.model import SignInSession, User
from coordinator.cli import register
from coordinator.core.audit import AuditEvent
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role
from tests.access.conftest import Scene
from tests.conftest import NOW
from tests.people import pointers

PASSWORD = "correct horse battery staple"


def _new(scene: Scene, **given: Any) -> dict[str, Any]:
    return {
        "username": "areyes", "password": PASSWORD, "display_name": "Ana Reyes, RN", "roles": ["clinician"],
        "branch_ids": [scene.branch.id], "clinician_id": scene.nurse.id,
    } | given  # fmt: skip


def _sign_in(app: Coordinator, password: str = PASSWORD):
    client = app.test_client()
    return client, client.post("/api/v1/sessions", json={"username": "areyes", "password": password})


def test_an_account_is_opened_and_its_owner_signs_in(scene: Scene, app: Coordinator) -> None:
    made = scene.admin.post("/users", _new(scene))
    assert made.status_code == 201, made.json
    assert (made.json["active"], made.json["demo"], made.headers["ETag"]) == (True, False, '"1"')
    assert "password" not in made.text
    client, answer = _sign_in(app)
    assert answer.status_code == 201
    assert client.get("/api/v1/me").json["clinician_id"] == scene.nurse.id


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"password": "too short"}, "/password"),
        ({"roles": ["system"]}, "/roles"),
        ({"roles": ["king"]}, "/roles"),
        ({"roles": []}, "/roles"),
        ({"branch_ids": [99999]}, "/branch_ids"),
        ({"clinician_id": 99999}, "/clinician_id"),
        ({"clinician_id": None}, "/clinician_id"),
        ({"roles": ["physician"], "clinician_id": None}, "/physician_id"),
        ({"roles": ["physician"], "physician_id": 99999}, "/physician_id"),
        ({"username": "a\x00b"}, "/username"),
        ({"username": 7}, "/username"),
        ({"clinician_id": 2**70}, "/clinician_id"),
        ({"demo": True}, "/demo"),
    ],
)
def test_what_is_not_an_account_is_refused_by_the_field(scene: Scene, given: dict[str, Any], pointer: str) -> None:
    refused = scene.admin.post("/users", _new(scene, **given))
    assert refused.status_code == 422
    assert pointers(refused) == {pointer}


def test_a_name_is_taken_once(scene: Scene) -> None:
    assert scene.admin.post("/users", _new(scene)).status_code == 201
    again = scene.admin.post("/users", _new(scene))
    assert (again.status_code, again.json["type"]) == (409, "/problems/user-exists")


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMINISTRATOR, Role.SYSTEM)])
def test_only_administrators_look_after_accounts(scene: Scene, role: Role) -> None:
    somebody = scene.signed_in(role, branch_ids=[scene.branch.id])
    assert somebody.post("/users", _new(scene)).status_code == 403
    assert somebody.get("/users").status_code == 403
    assert somebody.get("/users/1").status_code == 403
    assert somebody("PATCH", "/users/1", {"active": False}, match='"1"').status_code == 403
    assert somebody.post("/users/1/unlock").status_code == 403


def test_an_administrator_of_a_branch_answers_for_its_accounts_alone(scene: Scene) -> None:
    local = scene.local_admin
    assert pointers(local.post("/users", _new(scene, branch_ids=[]))) == {"/branch_ids"}
    assert pointers(local.post("/users", _new(scene, branch_ids=[scene.elsewhere.id]))) == {"/branch_ids"}
    mine = local.post("/users", _new(scene)).json["id"]
    both = scene.admin.post(
        "/users", _new(scene, username="both", branch_ids=[scene.branch.id, scene.elsewhere.id])
    ).json["id"]  # fmt: skip
    assert local.get(f"/users/{both}").status_code == 404
    assert local.get("/users/99999").status_code == 404
    assert {user["id"] for user in local.get("/users").json["items"]} == {mine, local.get("/me").json["id"]}
    assert local("PATCH", f"/users/{both}", {"active": False}, match='"1"').status_code == 404
    assert local.post(f"/users/{both}/unlock").status_code == 404
    moved = local.change("PATCH", f"/users/{mine}", {"branch_ids": [scene.elsewhere.id]})
    assert pointers(moved) == {"/branch_ids"}
    assert {mine, both} <= {user["id"] for user in scene.admin.get("/users").json["items"]}


def test_closing_an_account_ends_its_sessions_and_tokens_for_good(scene: Scene, app: Coordinator) -> None:
    admin = scene.admin
    path = f"/users/{admin.post('/users', _new(scene)).json['id']}"
    client, _ = _sign_in(app)
    bearer = {"Authorization": f"Bearer {client.post('/api/v1/tokens', json={'label': 'one'}).json['token']}"}
    closed = admin.change("PATCH", path, {"active": False})
    assert (closed.status_code, closed.json["active"]) == (200, False)
    assert client.get("/api/v1/me").status_code == 401
    assert _sign_in(app)[1].status_code == 401
    with scene.database.transaction(write=False) as session:
        assert None not in session.scalars(sa.select(SignInSession.revoked_at)).all()
    assert admin.post("/tokens", {"label": "late", "user_id": closed.json["id"]}).status_code == 409
    assert [user["id"] for user in admin.get("/users?active=false").json["items"]] == [closed.json["id"]]
    assert admin.change("PATCH", path, {"active": True}).status_code == 200
    assert client.get("/api/v1/me").status_code == 401, "what was ended stays so"
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 401
    assert _sign_in(app)[1].status_code == 201
    assert admin.get("/me").status_code == 200, "nobody else was signed out"


def test_a_role_is_given_and_taken_at_once(scene: Scene, app: Coordinator) -> None:
    admin = scene.admin
    path = f"/users/{admin.post('/users', _new(scene)).json['id']}"
    client, _ = _sign_in(app)
    assert client.get("/api/v1/users").status_code == 403
    assert admin.change("PATCH", path, {"roles": ["administrator", "clinician"]}).status_code == 200
    assert client.get("/api/v1/users").status_code == 200
    assert admin.change("PATCH", path, {"roles": ["clinician"], "branch_ids": [scene.elsewhere.id]}).status_code == 200
    assert client.get("/api/v1/users").status_code == 403
    assert client.get("/api/v1/me").json["branch_ids"] == [scene.elsewhere.id]
    assert pointers(admin.change("PATCH", path, {"roles": ["physician"]})) == {"/roles"}


def test_a_change_names_the_version_it_changes(scene: Scene) -> None:
    admin = scene.admin
    path = f"/users/{admin.post('/users', _new(scene)).json['id']}"
    assert admin("PATCH", path, {"active": False}).status_code == 428
    assert admin("PATCH", path, {"active": False}, match='"7"').status_code == 412
    for value in ("no", 2, None):
        assert pointers(admin.change("PATCH", path, {"active": value})) == {"/active"}
    assert admin.get(path).json["active"] is True


def test_nobody_locks_themselves_out(scene: Scene) -> None:
    admin = scene.admin
    path = f"/users/{admin.get('/me').json['id']}"
    for change in ({"active": False}, {"roles": ["scheduler"]}, {"branch_ids": [scene.branch.id]}):
        refused = admin.change("PATCH", path, change)
        assert (refused.status_code, refused.json["type"]) == (409, "/problems/own-account")
    assert admin.get(path).json["roles"] == ["administrator"]


def test_a_resting_account_is_let_in_again(scene: Scene, app: Coordinator) -> None:
    with freeze_time(NOW):
        admin = scene.admin
        number = admin.post("/users", _new(scene)).json["id"]
        for _ in range(5):
            assert _sign_in(app, "not the password")[1].status_code == 401
        assert _sign_in(app)[1].status_code == 429
        assert admin.get(f"/users/{number}").json["locked_until"] == "2026-11-09T16:15:00Z"
        unlocked = admin.post(f"/users/{number}/unlock")
        assert (unlocked.status_code, unlocked.json["locked_until"]) == (200, None)
        assert _sign_in(app)[1].status_code == 201


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def invoke(app: Coordinator, scene: Scene):
    register(app)

    def run(*words: str, said: str = PASSWORD + "\n") -> Any:
        return app.test_cli_runner().invoke(args=["access", "user", *words], input=said)

    return run


def test_the_first_administrator_comes_from_the_command_line(app: Coordinator, invoke) -> None:
    answer = invoke("areyes", "--role", "administrator", "--password-stdin")
    assert answer.exit_code == 0, answer.output
    assert PASSWORD not in answer.output
    client, opened = _sign_in(app)
    assert (opened.status_code, opened.json["display_name"]) == (201, "areyes")
    assert client.get("/api/v1/users").status_code == 200


def test_the_command_asks_twice_and_shows_nothing(app: Coordinator, invoke) -> None:
    answer = invoke("areyes", "--role", "administrator", said=f"{PASSWORD}\n{PASSWORD}\n")
    assert answer.exit_code == 0, answer.output
    assert PASSWORD not in answer.output
    assert _sign_in(app)[1].status_code == 201


def test_the_command_knows_branches_clinicians_and_physicians(scene: Scene, invoke) -> None:
    answer = invoke(
        "both", "--role", "clinician", "--role", "physician", "--name", "Both", "--branch", scene.branch.code,
        "--clinician", scene.nurse.employee_no, "--physician", scene.physician.npi, "--password-stdin",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    with scene.database.transaction(write=False) as session:
        made = session.scalars(sa.select(User).where(User.username == "both")).one()
        assert (made.roles, made.branch_ids) == (["clinician", "physician"], [scene.branch.id])
        assert (made.clinician_id, made.physician_id) == (scene.nurse.id, scene.physician.id)
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "user.created")).one()
        assert (line.actor, line.subject) == ("system:access-user", f"user:{made.id}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--role", "administrator", "--password-stdin"), "short\n"),
        (("x", "--role", "king", "--password-stdin"), PASSWORD),
        (("x", "--password-stdin"), PASSWORD),
        (("x", "--role", "scheduler", "--branch", "NOWHERE", "--password-stdin"), PASSWORD),
        (("x", "--role", "clinician", "--clinician", "E0", "--password-stdin"), PASSWORD),
        (("x", "--role", "physician", "--physician", "1", "--password-stdin"), PASSWORD),
        (("x", "--role", "clinician", "--password-stdin"), PASSWORD),
    ],
)
def test_the_command_refuses_and_makes_nobody(scene: Scene, invoke, words: tuple[str, ...], said: str) -> None:
    answer = invoke(*words, said=said)
    assert answer.exit_code != 0
    assert "Traceback" not in answer.output
    assert "Error" in answer.output
    with scene.database.transaction(write=False) as session:
        assert session.scalars(sa.select(User)).all() == []


def test_a_token_from_the_command_line_opens_the_door(app: Coordinator, invoke) -> None:
    invoke("areyes", "--role", "administrator", "--password-stdin")
    secret = app.test_cli_runner().invoke(args=["access", "token", "areyes"]).output.strip().splitlines()[-1]
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json["username"] == "areyes"
