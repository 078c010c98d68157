"""Changing a password takes a proof given now; a lost one is replaced with a code from an administrator, once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.model import User
from coordinator.cli.access import group
from coordinator.core.audit import AuditEvent
from tests.access.conftest import Scene
from tests.access.signing_in import Person, person, problem
from tests.builders import PASSWORD
from tests.conftest import NOW

NEW = "four plain words here"


def test_a_password_is_changed_with_a_proof_given_now_and_other_sessions_end(scene: Scene) -> None:
    ana = person(scene.app, scene.database)
    with freeze_time(NOW) as clock:
        ana.sign_in()
        other = ana.elsewhere()
        other.sign_in()
        ana.post("/step-ups", {"password": PASSWORD})
        assert problem(ana.post("/me/password", {"new_password": NEW})) == (403, "step-up-required"), "given now"
        for weak in ("too short", "ana's own password", "abcabcabcabcabc", PASSWORD):
            answer = ana.post("/me/password", {"password": PASSWORD, "new_password": weak})
            assert problem(answer) == (422, "weak-password"), weak
        told = ana.post("/me/password", {"password": "a guess of mine", "new_password": "a guess of mine"})
        assert problem(told) == (403, "step-up-required"), "a wrong proof tells nothing of the old password"
        assert ana.post("/me/password", {"password": PASSWORD, "new_password": NEW}).status_code == 204
        assert ana.get("/me").status_code == 200
        assert other.get("/me").status_code == 401
        assert ana.elsewhere().sign_in().status_code == 401
        assert ana.elsewhere().sign_in(NEW).status_code == 201
        secret = ana.post("/me/authenticator", {"password": NEW}).json["secret"]
        ana.secret = secret
        ana.post("/me/authenticator/confirm", {"code": ana.code(NOW)})
        clock.tick(timedelta(seconds=30))
        body = {"password": NEW, "new_password": PASSWORD}
        assert problem(ana.post("/me/password", body)) == (403, "step-up-required"), "the second factor as well"
        assert ana.post("/me/password", body | {"code": ana.code(NOW + timedelta(seconds=30))}).status_code == 204
    with scene.database.transaction(write=False) as session:
        told = str([(line.subject, line.facts) for line in session.scalars(sa.select(AuditEvent))])
        assert NEW not in told
        assert PASSWORD not in told


def _admin(scene: Scene) -> Person:
    admin = person(scene.app, scene.database, "administrator", username="boss", branch_ids=[scene.branch.id])
    admin.sign_in()
    return admin


def _choose(ana: Person, code: str, new: str = NEW, username: str = "ana"):
    return ana.elsewhere().post("/password-resets", {"username": username, "code": code, "new_password": new})


def test_a_lost_password_is_replaced_with_a_code_that_opens_once(scene: Scene) -> None:
    ana = person(scene.app, scene.database, branch_ids=[scene.branch.id])
    far = person(scene.app, scene.database, username="far", branch_ids=[scene.elsewhere.id])
    with freeze_time(NOW) as clock:
        ana.sign_in()
        boss = _admin(scene)
        path = f"/users/{ana.id}/password-reset"
        assert problem(boss.post(path)) == (403, "step-up-required")
        proof = {"password": PASSWORD}
        assert problem(boss.post(f"/users/{far.id}/password-reset", proof)) == (404, "not-found")
        assert problem(boss.post(f"/users/{boss.id}/password-reset", proof)) == (409, "own-account")
        assert problem(ana.post(f"/users/{boss.id}/password-reset", proof)) == (403, "forbidden")
        earlier = boss.post(path, proof).json["code"]
        given = boss.post(path, proof)
        assert (given.status_code, given.json["expires_at"]) == (201, "2026-11-10T16:00:00Z")
        code = given.json["code"]
        assert ana.get("/me").status_code == 401, "signed out"
        assert ana.sign_in().status_code == 401, "the old password opens nothing"
        assert problem(_choose(ana, earlier)) == (401, "wrong-reset-code"), "the later code counts"
        assert problem(_choose(far, code, username="far")) == (401, "wrong-reset-code"), "somebody else's"
        assert problem(_choose(ana, code, username="nobody")) == (401, "wrong-reset-code")
        assert problem(_choose(ana, code, "too short")) == (422, "weak-password")
        assert _choose(ana, code.upper().replace("-", " ")).status_code == 204
        assert problem(_choose(ana, code)) == (401, "wrong-reset-code"), "used"
        assert ana.sign_in(NEW).status_code == 201
        late = boss.post(path, proof).json["code"]
        clock.tick(timedelta(days=1))
        assert problem(_choose(ana, late)) == (401, "wrong-reset-code"), "too old"
    with scene.database.transaction(write=False) as session:
        told = str([(line.subject, line.facts) for line in session.scalars(sa.select(AuditEvent))])
        assert code not in told
        assert code.replace("-", "") not in told


def test_guessed_reset_codes_let_the_account_rest(scene: Scene) -> None:
    ana = person(scene.app, scene.database, branch_ids=[scene.branch.id])
    with freeze_time(NOW):
        code = _admin(scene).post(f"/users/{ana.id}/password-reset", {"password": PASSWORD}).json["code"]
        for _ in range(5):
            assert problem(_choose(ana, "a guess")) == (401, "wrong-reset-code")
        assert problem(_choose(ana, code)) == (429, "too-many-attempts")
    with scene.database.transaction(write=False) as session:
        assert session.get_one(User, ana.id).locked_until is not None


def test_lost_second_factors_are_taken_away_by_an_administrator(scene: Scene) -> None:
    ana = person(scene.app, scene.database, branch_ids=[scene.branch.id])
    with freeze_time(NOW):
        ana.sign_in()
        codes = ana.set_up_app(NOW)
        boss = _admin(scene)
        path = f"/users/{ana.id}/forget-factors"
        assert problem(boss.post(path)) == (403, "step-up-required")
        half = ana.elsewhere()
        half.sign_in()
        assert boss.post(path, {"password": PASSWORD}).status_code == 204
        assert problem(half.post("/sessions/factor", {"recovery_code": codes[0]})) == (401, "sign-in-again")
        assert ana.get("/me").status_code == 401
        assert ana.sign_in().status_code == 201


@pytest.mark.parametrize("factors", [True, False])
def test_the_command_gives_the_last_administrator_a_way_back_in(scene: Scene, factors: bool) -> None:
    boss = person(scene.app, scene.database, "administrator", username="boss")
    with freeze_time(NOW):
        boss.sign_in()
        boss.set_up_app(NOW)
    scene.app.cli.add_command(group)
    words = ["access", "reset", "boss", *(["--factors"] if factors else [])]
    runner = scene.app.test_cli_runner()
    assert runner.invoke(args=["access", "reset", "nobody"]).exit_code != 0
    code = runner.invoke(args=words).output.strip().splitlines()[-1]
    assert _choose(boss, code, username="boss").status_code == 204
    assert boss.elsewhere().sign_in(NEW).status_code == (201 if factors else 202)
