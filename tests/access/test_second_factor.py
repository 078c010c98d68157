"""A password and an authenticator app: between the two there is no session; a code opens once; recovery codes too."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.entering import device_words
from coordinator.access.model import Authenticator, RecoveryCode, SignInSession, SignInStep, User
from coordinator.access.vault import Vault
from coordinator.app import furnish
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings
from tests.access.signing_in import FIREFOX, Person, person, problem
from tests.builders import PASSWORD
from tests.conftest import NOW

HALF_MINUTE = timedelta(seconds=30)


@pytest.fixture
def ana(app: Coordinator, database: Database) -> Person:
    return person(app, database)


def _audit(database: Database) -> list[str]:
    with database.transaction(write=False) as session:
        lines = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)).all()
        return [f"{line.action}:{line.outcome}" for line in lines]


def test_an_app_is_set_up_with_a_picture_and_its_first_code(ana: Person, database: Database) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        assert problem(ana.post("/me/authenticator")) == (403, "step-up-required")
        assert problem(ana.post("/me/authenticator", {"password": "a guess"})) == (403, "step-up-required")
        assert problem(ana.post("/me/authenticator/confirm", {"code": "123456"})) == (409, "nothing-to-confirm")
        begun = ana.post("/me/authenticator", {"password": PASSWORD})
        assert begun.json["uri"].startswith("otpauth://totp/Coordinator:ana?secret=" + begun.json["secret"])
        drawn = ET.fromstring(begun.json["svg"])
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
        assert "style" not in begun.json["svg"]
        assert ana.get("/me/factors").json["authenticator_since"] is None
        assert ana.elsewhere().sign_in().status_code == 201, "an app that showed no code yet is asked for nothing"
        ana.secret = begun.json["secret"]
        wrong = ana.post("/me/authenticator/confirm", {"code": ana.code(NOW, 5)})
        assert problem(wrong) == (422, "wrong-code")
        clock.tick(timedelta(minutes=15))
        late = ana.post("/me/authenticator/confirm", {"code": ana.code(NOW + timedelta(minutes=15))})
        assert problem(late) == (409, "nothing-to-confirm")
        later = NOW + timedelta(minutes=15)
        codes = ana.set_up_app(later)
        assert len(set(codes)) == 10
        shown = ana.get("/me/factors").json
        assert (shown["recovery_codes_left"], shown["required"]) == (10, False)
        with database.transaction(write=False) as session:
            kept = session.scalars(sa.select(Authenticator)).one()
            assert ana.secret not in kept.sealed_secret
            stored = set(session.scalars(sa.select(RecoveryCode.code_hash)))
            assert not stored & {*codes, *(code.replace("-", "") for code in codes)}
            told = str([line.facts for line in session.scalars(sa.select(AuditEvent))])
        assert ana.secret not in told
        assert not any(code in told for code in codes)


def test_between_password_and_code_nothing_is_open_but_the_code(ana: Person, database: Database) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        ana.set_up_app(NOW)
        other = ana.elsewhere()
        half = other.sign_in()
        assert (half.status_code, half.json["methods"]) == (202, ["totp", "recovery-code"])
        assert half.json["expires_at"] == "2026-11-09T16:05:00Z"
        assert other.client.get_cookie("coordinator_session") is None
        assert other.get("/me").status_code == 401
        secret = other.client.get_cookie("coordinator_half_open").value
        other.client.set_cookie("coordinator_session", secret)
        assert other.get("/me").status_code == 401, "the half-open secret is no session's"
        other.client.delete_cookie("coordinator_session")
        assert problem(other.post("/sessions/factor", {"code": other.code(NOW)})) == (401, "wrong-code"), "used already"
        clock.tick(HALF_MINUTE)
        assert problem(other.post("/sessions/factor", {})) == (422, "invalid")
        both = {"code": "000000", "recovery_code": "x"}
        assert problem(other.post("/sessions/factor", both)) == (422, "invalid")
        entered = other.post("/sessions/factor", {"code": other.code(NOW + HALF_MINUTE)})
        assert (entered.status_code, entered.json["username"]) == (201, "ana")
        assert other.get("/me").status_code == 200
        assert other.client.get_cookie("coordinator_session").value != secret
        assert other.client.get_cookie("coordinator_half_open") is None
        thief = ana.elsewhere()
        thief.client.set_cookie("coordinator_half_open", secret)
        clock.tick(HALF_MINUTE)
        again = thief.post("/sessions/factor", {"code": ana.code(NOW + 2 * HALF_MINUTE)})
        assert problem(again) == (401, "sign-in-again"), "the step was answered"
        late = ana.elsewhere()
        late.sign_in()
        clock.tick(timedelta(minutes=5))
        code = ana.code(NOW + timedelta(minutes=6))
        assert problem(late.post("/sessions/factor", {"code": code})) == (401, "sign-in-again"), "too old"
        assert problem(ana.elsewhere().post("/sessions/factor", {"code": code})) == (401, "sign-in-again")
    with database.transaction(write=False) as session:
        opened = session.scalars(sa.select(SignInSession).order_by(SignInSession.id)).all()
        assert [row.proved_by for row in opened] == ["password", "password+totp"]
        assert opened[1].device == "Firefox, Windows"


def test_codes_of_the_neighbouring_half_minutes_are_taken_and_none_twice(ana: Person) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        ana.set_up_app(NOW)
        clock.tick(timedelta(minutes=5))
        now = NOW + timedelta(minutes=5)
        outcomes = []
        for ahead in (-2, 2, 1, 0, 1, -1):
            browser = ana.elsewhere()
            browser.sign_in()
            outcomes.append(browser.post("/sessions/factor", {"code": browser.code(now, ahead)}).status_code)
        assert outcomes == [401, 401, 201, 401, 401, 401], "after a later code an earlier one is old"
        clock.tick(timedelta(minutes=1))
        spaced = ana.elsewhere()
        spaced.sign_in()
        code = spaced.code(now + timedelta(minutes=1))
        assert spaced.post("/sessions/factor", {"code": f"{code[:3]} {code[3:]}"}).status_code == 201


def test_wrong_codes_let_the_account_rest_whoever_knows_the_password(ana: Person, database: Database) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        ana.set_up_app(NOW)
        clock.tick(HALF_MINUTE)
        guesser = ana.elsewhere()
        for _ in range(5):
            assert guesser.sign_in().status_code == 202, "a right password does not set the count back"
            assert problem(guesser.post("/sessions/factor", {"code": "not six"})) == (401, "wrong-code")
        right = {"code": ana.code(NOW + HALF_MINUTE)}
        assert problem(guesser.post("/sessions/factor", right)) == (429, "too-many-attempts")
        assert problem(guesser.sign_in()) == (429, "too-many-attempts")
        assert _audit(database).count("session.refused:deny") == 5
        clock.tick(timedelta(minutes=16))
        assert guesser.sign_in().status_code == 202
        assert guesser.post("/sessions/factor", {"code": ana.code(NOW + timedelta(minutes=16.5))}).status_code == 201
        with database.transaction(write=False) as session:
            assert session.scalars(sa.select(User.failed_attempts)).all() == [0]


def test_a_recovery_code_opens_once_and_new_ones_end_the_old(ana: Person, database: Database) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        codes = ana.set_up_app(NOW)
        clock.tick(HALF_MINUTE)
        for typed, status in ((codes[0].upper().replace("-", " "), 201), (codes[0], 401), ("", 422)):
            browser = ana.elsewhere()
            browser.sign_in()
            assert browser.post("/sessions/factor", {"recovery_code": typed}).status_code == status
        assert ana.get("/me/factors").json["recovery_codes_left"] == 9
        assert problem(ana.post("/me/recovery-codes", {"password": PASSWORD})) == (403, "step-up-required")
        clock.tick(HALF_MINUTE)
        proof = {"password": PASSWORD, "code": ana.code(NOW + 2 * HALF_MINUTE)}
        renewed = ana.post("/me/recovery-codes", proof).json["recovery_codes"]
        assert len(renewed) == 10
        browser = ana.elsewhere()
        browser.sign_in()
        assert browser.post("/sessions/factor", {"recovery_code": codes[1]}).status_code == 401
        assert browser.post("/sessions/factor", {"recovery_code": renewed[0]}).status_code == 201
    assert _audit(database).count("recovery-code.used:ok") == 2


def test_what_is_shown_once_is_kept_for_nobody(ana: Person) -> None:
    with freeze_time(NOW):
        ana.sign_in()
        kept = ana("POST", "/me/authenticator", {"password": PASSWORD}, **{"Idempotency-Key": "k"})
        assert problem(kept) == (422, "idempotency-not-offered")
        assert ana("POST", "/me/authenticator?dry_run=true", {"password": PASSWORD}).status_code == 422


def test_a_new_app_takes_the_place_of_the_old_and_without_any_the_codes_go(ana: Person) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        ana.set_up_app(NOW)
        old = ana.elsewhere()
        clock.tick(HALF_MINUTE)
        moment = NOW + HALF_MINUTE
        begun = ana.post("/me/authenticator", {"password": PASSWORD, "code": ana.code(moment)})
        ana.secret = begun.json["secret"]
        assert ana.post("/me/authenticator/confirm", {"code": ana.code(moment)}).json == {"recovery_codes": []}
        clock.tick(HALF_MINUTE)
        moment += HALF_MINUTE
        old.sign_in()
        assert old.post("/sessions/factor", {"code": old.code(moment)}).status_code == 401
        assert ana.post("/me/authenticator/remove").status_code == 204, "proved again a minute ago"
        assert ana.get("/me/factors").json["recovery_codes_left"] == 0
        assert problem(ana.post("/me/authenticator/remove", {"password": PASSWORD})) == (409, "no-authenticator")
        assert problem(ana.post("/me/recovery-codes", {"password": PASSWORD})) == (409, "second-factor-missing")
        assert ana.elsewhere().sign_in().status_code == 201


def test_whose_role_asks_for_a_second_factor_can_do_nothing_before_it_is_set_up(
    app: Coordinator, database: Database, settings: Settings
) -> None:
    furnish(app, replace(settings, second_factor_roles=frozenset({"scheduler"})), database=database)
    ana, ben = person(app, database), person(app, database, "intake", username="ben")
    with freeze_time(NOW) as clock:
        assert ana.sign_in().status_code == 201
        assert ana.get("/me").status_code == 200
        assert problem(ana.get("/patients")) == (403, "second-factor-missing")
        assert problem(ana.post("/tokens", {"label": "export"})) == (403, "second-factor-missing")
        ana.set_up_app(NOW)
        assert ana.get("/patients").status_code == 200, "at once"
        clock.tick(HALF_MINUTE)
        assert ana.post("/me/authenticator/remove", {"password": PASSWORD}).status_code == 403
        ben.sign_in()
        assert ben.get("/patients").status_code == 200
        assert ben.get("/me/factors").json["required"] is False


def test_steps_that_nobody_answered_are_swept_away(ana: Person, database: Database) -> None:
    with freeze_time(NOW) as clock:
        ana.sign_in()
        ana.set_up_app(NOW)
        for days in (0, 0, 2):
            clock.tick(timedelta(days=days))
            ana.elsewhere().sign_in()
    with database.transaction(write=False) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SignInStep)) == 1


def test_a_sealed_secret_opens_with_its_key_for_its_owner_alone() -> None:
    vault = Vault("a" * 40)
    sealed = vault.seal("secret", of="user:1")
    assert vault.open(sealed, of="user:1") == "secret"
    assert vault.seal("secret", of="user:1") != sealed
    assert vault.open(sealed, of="user:2") is None
    assert Vault("b" * 40).open(sealed, of="user:1") is None
    for broken in ("", "AAAA", sealed[:-8] + "AAAAAAA=", "not base64!"):
        assert vault.open(broken, of="user:1") is None


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) Version/20.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36 Edg/140.0", "Edge, Android"),
        ("curl/8.0\x00<b>", "curl"),
        ("x" * 10_000, None),
        ("", None),
    ],
)
def test_a_browser_is_known_by_two_words(agent: str, words: str | None) -> None:
    assert device_words(agent) == words
