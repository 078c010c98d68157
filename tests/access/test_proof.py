"""Proving again who one is: by all that the account has, counted when wrong, good for some minutes of one session."""

from dataclasses import replace
from datetime import timedelta

from freezegun import freeze_time

from coordinator.app import furnish
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings
from tests.access.conftest import Scene
from tests.access.signing_in import Person, person, problem
from tests.builders import PASSWORD
from tests.conftest import NOW

HALF_MINUTE = timedelta(seconds=30)
#: Of an order that is not there: what is asked for before it is looked for.
BATCH = {"items": [{"id": 9, "version": 1, "content_hash": "0" * 64}]}


def _physician(scene: Scene) -> Person:
    return person(scene.app, scene.database, "physician", username="phil", physician_id=scene.physician.id)


def _sign(phil: Person, **proof: str):
    return phil.post("/signature-batches", BATCH | proof)


def test_a_signature_asks_for_all_that_the_account_has_and_then_not_for_some_minutes(scene: Scene) -> None:
    phil = _physician(scene)
    with freeze_time(NOW) as clock:
        phil.sign_in()
        asked = _sign(phil)
        assert (problem(asked), asked.json["methods"]) == ((403, "step-up-required"), ["password"])
        stepped = phil.post("/step-ups", {"password": PASSWORD})
        assert (stepped.status_code, stepped.json) == (200, {"until": "2026-11-09T16:05:00Z"})
        assert _sign(phil).json["results"][0]["status"] == 404
        phil.set_up_app(NOW)
        asked = _sign(phil)
        assert (problem(asked), asked.json["methods"]) == ((403, "step-up-required"), ["password+totp"])
        clock.tick(HALF_MINUTE)
        code = phil.code(NOW + HALF_MINUTE)
        assert problem(_sign(phil, password=PASSWORD)) == (403, "step-up-required")
        assert problem(_sign(phil, code=code)) == (403, "step-up-required")
        assert problem(_sign(phil, password="a guess", code=code)) == (403, "step-up-required")
        assert _sign(phil, password=PASSWORD, code=code).status_code == 200, "a wrong password uses up no code"
        assert problem(_sign(phil, password=PASSWORD, code=code)) == (403, "step-up-required"), "the code was used"
        clock.tick(timedelta(minutes=4, seconds=59))
        assert _sign(phil).status_code == 200
        other = phil.elsewhere()
        other.sign_in()
        other.post("/sessions/factor", {"code": phil.code(NOW + timedelta(minutes=5, seconds=29))})
        assert problem(_sign(other)) == (403, "step-up-required"), "another session proved nothing, nor does signing in"
        clock.tick(timedelta(seconds=1))
        assert problem(_sign(phil)) == (403, "step-up-required")


def test_wrong_proofs_let_the_account_rest(scene: Scene) -> None:
    phil = _physician(scene)
    with freeze_time(NOW):
        phil.sign_in()
        for _ in range(3):
            assert problem(_sign(phil, password="a guess")) == (403, "step-up-required")
        for _ in range(2):
            assert problem(phil.post("/step-ups", {"password": "a guess"})) == (403, "step-up-required")
        assert problem(phil.post("/step-ups", {"password": PASSWORD})) == (429, "too-many-attempts")
        assert problem(_sign(phil, password=PASSWORD)) == (429, "too-many-attempts")
        assert phil.post("/step-ups?dry_run=true", {"password": PASSWORD}).status_code == 422


def test_minutes_of_grace_are_the_settings_and_a_token_has_none(
    scene: Scene, settings: Settings, database: Database, app: Coordinator
) -> None:
    furnish(app, replace(settings, step_up_minutes=0), database=database)
    phil = _physician(scene)
    with freeze_time(NOW):
        phil.sign_in()
        assert phil.post("/step-ups", {"password": PASSWORD}).status_code == 200
        assert problem(_sign(phil)) == (403, "step-up-required")
        bearer = {"Authorization": f"Bearer {phil.post('/tokens', {'label': 'one'}).json['token']}"}
        program = phil.elsewhere()
        assert program("POST", "/step-ups", {"password": PASSWORD}, **bearer).status_code == 200
        assert problem(program("POST", "/signature-batches", BATCH, **bearer)) == (403, "step-up-required")
        assert program("POST", "/signature-batches", BATCH | {"password": PASSWORD}, **bearer).status_code == 200


def test_a_physician_whose_role_asks_for_a_second_factor_signs_nothing_without(
    scene: Scene, settings: Settings, database: Database, app: Coordinator
) -> None:
    phil = _physician(scene)
    with freeze_time(NOW):
        phil.sign_in()
        bearer = {"Authorization": f"Bearer {phil.post('/tokens', {'label': 'one'}).json['token']}"}
        furnish(app, replace(settings, second_factor_roles=frozenset({"physician"})), database=database)
        missing = phil.elsewhere()("POST", "/signature-batches", BATCH | {"password": PASSWORD}, **bearer)
        assert problem(missing) == (403, "second-factor-missing")


def test_a_refused_proof_is_not_the_answer_of_its_key(scene: Scene) -> None:
    phil = _physician(scene)
    with freeze_time(NOW):
        phil.sign_in()
        key = {"Idempotency-Key": "k"}
        assert problem(phil("POST", "/step-ups", {"password": "a guess"}, **key)) == (403, "step-up-required")
        assert phil("POST", "/step-ups", {"password": PASSWORD}, **key).status_code == 200
