"""Passkeys, with an authenticator in software: made, signed in with, proved with; nothing replayed, foreign or old."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.model import Passkey, SignInSession
from coordinator.app import furnish
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings
from tests.access.conftest import Scene
from tests.access.key_ring import PRESENT, VERIFIED, KeyRing
from tests.access.signing_in import Person, person, problem
from tests.builders import PASSWORD
from tests.conftest import NOW


@pytest.fixture
def ana(app: Coordinator, database: Database) -> Person:
    return person(app, database)


def _asked(browser: Person, path: str, body: Any = None) -> dict[str, Any]:
    answer = browser.post(path, body)
    assert answer.status_code == 200, answer.json
    options: dict[str, Any] = answer.json["public_key"]
    return options


def _make(browser: Person, ring: KeyRing, **lies: Any) -> Any:
    options = _asked(browser, "/me/passkeys/options", {"password": PASSWORD})
    return browser.post("/me/passkeys", {"label": "Telephone", "credential": ring.make(options, **lies)})


def _prove(browser: Person, ring: KeyRing) -> None:
    answer = browser.post("/step-ups", {"passkey": ring.sign(_asked(browser, "/step-ups/passkey-options"))})
    assert answer.status_code == 200, answer.json


def _enter(browser: Person, ring: KeyRing, **lies: Any) -> Any:
    options = _asked(browser, "/sessions/passkey-options")
    return browser.post("/sessions/passkey", {"passkey": ring.sign(options, **lies)})


def test_a_passkey_is_made_and_opens_without_a_password(ana: Person, database: Database) -> None:
    ring = KeyRing()
    with freeze_time(NOW) as clock:
        ana.sign_in()
        assert problem(ana.post("/me/passkeys/options")) == (403, "step-up-required")
        options = _asked(ana, "/me/passkeys/options", {"password": PASSWORD})
        assert options["rp"] == {"name": "Coordinator", "id": "coordinator.example.org"}
        assert options["authenticatorSelection"]["userVerification"] == "required"
        added = ana.post("/me/passkeys", {"label": "Telephone", "credential": ring.make(options)})
        assert (added.status_code, added.json["passkey"]["label"]) == (201, "Telephone")
        assert len(added.json["recovery_codes"]) == 10
        again = ana.post("/me/passkeys", {"label": "Telephone", "credential": ring.make(options)})
        assert problem(again) == (422, "wrong-passkey"), "a challenge is answered once"
        _prove(ana, ring)
        named = _asked(ana, "/me/passkeys/options")["excludeCredentials"]
        assert [key["id"] for key in named] == [ring.make(options)["id"]]
        browser = ana.elsewhere()
        options = _asked(browser, "/sessions/passkey-options")
        assert options.get("allowCredentials", []) == [], "nobody is named to a stranger"
        answer = ring.sign(options)
        entered = browser.post("/sessions/passkey", {"passkey": answer})
        assert (entered.status_code, entered.json["username"]) == (201, "ana")
        assert browser.get("/session").json["proved_by"] == "passkey"
        replayed = ana.elsewhere().post("/sessions/passkey", {"passkey": answer})
        assert problem(replayed) == (401, "wrong-passkey")
        late = ana.elsewhere()
        options = _asked(late, "/sessions/passkey-options")
        clock.tick(timedelta(minutes=5))
        assert problem(late.post("/sessions/passkey", {"passkey": ring.sign(options)})) == (401, "wrong-passkey")
        assert _enter(late, KeyRing()).status_code == 401, "a key that nobody made here"
        assert ana.get("/me/passkeys").json["items"][0]["last_used_at"] == "2026-11-09T16:00:00Z"
    with database.transaction(write=False) as session:
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "session.refused")).all()
        assert {line.facts["method"] for line in lines} == {"passkey"}


#: What an answer may say wrong.
LIES: tuple[dict[str, Any], ...] = (
    {"origin": "https://coordinator.example.org.evil.test"},
    {"origin": "http://coordinator.example.org"},
    {"host": "evil.test"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"type": "webauthn.create"},
    {"challenge": "AAAA"},
    {"challenge": "\x00"},
    {"challenge": 7},
    {"frame": True},
    {"handle": b"somebody else"},
    {"count": 0},
)


def test_an_answer_that_is_wrong_in_anything_opens_nothing(ana: Person, database: Database) -> None:
    ring = KeyRing()
    with freeze_time(NOW):
        ana.sign_in()
        assert _make(ana, ring).status_code == 201
        assert _enter(ana.elsewhere(), ring).status_code == 201
        for lies in LIES:
            ring.count = 10
            assert problem(_enter(ana.elsewhere(), ring, **lies)) == (401, "wrong-passkey"), lies
        ring.count = 10
        assert _enter(ana.elsewhere(), ring).status_code == 201, "the right one still does"
    with database.transaction(write=False) as session:
        copies = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "passkey.count-went-back")).all()
        assert [line.outcome for line in copies] == ["deny"]


def test_bytes_of_strangers_are_refused_and_no_fault(ana: Person) -> None:
    ring = KeyRing()
    with freeze_time(NOW):
        ana.sign_in()
        assert _make(ana, ring).status_code == 201
        for name, value in (
            ("id", "\x00"), ("id", 7), ("id", "é"), ("rawId", "AAAA"), ("type", "x"), ("response", None),
            ("response", {}), ("signature", "AAAA"), ("authenticatorData", "AAAA"), ("clientDataJSON", "!!"),
            ("clientDataJSON", "W10"), ("userHandle", 7),
        ):  # fmt: skip
            browser = ana.elsewhere()
            answer = deepcopy(ring.sign(_asked(browser, "/sessions/passkey-options")))
            (answer if name in answer else answer["response"])[name] = value
            assert problem(browser.post("/sessions/passkey", {"passkey": answer})) == (401, "wrong-passkey"), name
        assert problem(ana.post("/sessions/passkey", {"passkey": "text"})) == (422, "invalid")
        _prove(ana, ring)
        for lies in ({"origin": "https://evil.test"}, {"host": "evil.test"}, {"flags": 0x41}, {"type": "webauthn.get"}):
            assert problem(_make(ana, KeyRing(), **lies)) == (422, "wrong-passkey")
        assert problem(ana.post("/me/passkeys", {"label": "x", "credential": {}})) == (422, "wrong-passkey")
        assert problem(_make(ana, ring)) == (409, "passkey-known")


def test_a_passkey_is_a_second_factor_beside_the_password(ana: Person, database: Database) -> None:
    ring = KeyRing()
    with freeze_time(NOW):
        ana.sign_in()
        codes = _make(ana, ring).json["recovery_codes"]
        browser = ana.elsewhere()
        half = browser.sign_in()
        assert (half.status_code, half.json["methods"]) == (202, ["passkey", "recovery-code"])
        options = _asked(browser, "/sessions/passkey-options")
        assert len(options["allowCredentials"]) == 1, "whose password was right is told their keys"
        stranger = KeyRing()
        stranger.id = ring.id
        wrong = browser.post("/sessions/factor", {"passkey": stranger.sign(options)})
        assert problem(wrong) == (401, "wrong-passkey")
        options = _asked(browser, "/sessions/passkey-options")
        assert browser.post("/sessions/factor", {"passkey": ring.sign(options)}).status_code == 201
        ben = person(ana.app, database, username="ben")
        ben.sign_in()
        theirs = KeyRing()
        assert _make(ben, theirs).status_code == 201
        browser = ana.elsewhere()
        browser.sign_in()
        options = _asked(browser, "/sessions/passkey-options")
        assert problem(browser.post("/sessions/factor", {"passkey": theirs.sign(options)})) == (401, "wrong-passkey")
        assert browser.post("/sessions/factor", {"recovery_code": codes[0]}).status_code == 201
    with database.transaction(write=False) as session:
        ways = session.scalars(sa.select(SignInSession.proved_by).order_by(SignInSession.id)).all()
        assert ways == ["password", "password+passkey", "password", "password+recovery-code"]


def test_a_physician_signs_with_a_passkey_in_the_session_that_asked(scene: Scene) -> None:
    phil = person(scene.app, scene.database, "physician", username="phil", physician_id=scene.physician.id)
    ring = KeyRing()
    batch = {"items": [{"id": 9, "version": 1, "content_hash": "0" * 64}]}
    with freeze_time(NOW) as clock:
        phil.sign_in()
        assert problem(phil.post("/step-ups/passkey-options")) == (409, "no-passkey")
        assert _make(phil, ring).status_code == 201
        refused = phil.post("/signature-batches", batch | {"password": PASSWORD})
        assert (problem(refused), refused.json["methods"]) == ((403, "step-up-required"), ["passkey"])
        answer = ring.sign(_asked(phil, "/step-ups/passkey-options"))
        other = phil.elsewhere()
        assert _enter(other, ring).status_code == 201
        elsewhere = other.post("/signature-batches", batch | {"passkey": answer})
        assert problem(elsewhere) == (403, "step-up-required"), "it was asked in another session"
        to_enter = ring.sign(_asked(phil, "/sessions/passkey-options"))
        assert problem(phil.post("/step-ups", {"passkey": to_enter})) == (403, "step-up-required"), (
            "asked for another end"
        )
        signed = phil.post(
            "/signature-batches", batch | {"passkey": ring.sign(_asked(phil, "/step-ups/passkey-options"))}
        )
        assert signed.status_code == 200
        assert phil.post("/signature-batches", batch).status_code == 200, "for some minutes"
        clock.tick(timedelta(minutes=5))
        assert problem(phil.post("/signature-batches", batch)) == (403, "step-up-required")


def test_guesses_of_others_keep_no_passkey_out_and_are_not_forgiven_by_it(ana: Person) -> None:
    ring = KeyRing()
    with freeze_time(NOW):
        ana.sign_in()
        _make(ana, ring)
        for _ in range(5):
            ana.elsewhere().sign_in("a guess")
        assert _enter(ana.elsewhere(), ring).status_code == 201
        assert ana.elsewhere().sign_in().status_code == 429


def test_one_removes_ones_own_passkeys_and_the_codes_go_with_the_last(ana: Person, database: Database) -> None:
    first, second = KeyRing(), KeyRing()
    ben = person(ana.app, database, username="ben")
    with freeze_time(NOW):
        for browser in (ana, ben):
            browser.sign_in()
        _make(ana, first)
        _prove(ana, first)
        assert _make(ana, second).json["recovery_codes"] == []
        numbers = [row["id"] for row in ana.get("/me/passkeys").json["items"]]
        assert problem(ben.post(f"/me/passkeys/{numbers[0]}/remove", {"password": PASSWORD})) == (404, "not-found")
        assert ana.post(f"/me/passkeys/{numbers[0]}/remove").status_code == 204
        assert problem(ana.post(f"/me/passkeys/{numbers[0]}/remove")) == (404, "not-found")
        assert ana.get("/me/factors").json["recovery_codes_left"] == 10
        assert problem(_enter(ana.elsewhere(), first)) == (401, "wrong-passkey")
        assert ana.post(f"/me/passkeys/{numbers[1]}/remove").status_code == 204
        assert ana.get("/me/factors").json["recovery_codes_left"] == 0
        assert ana.elsewhere().sign_in().status_code == 201
    with database.transaction(write=False) as session:
        assert session.scalars(sa.select(Passkey)).all() == []


def test_closed_accounts_and_installations_without_an_address_take_no_passkeys(
    scene: Scene, settings: Settings, database: Database, app: Coordinator
) -> None:
    ana, ring = person(app, database), KeyRing()
    with freeze_time(NOW):
        ana.sign_in()
        _make(ana, ring)
        options = _asked(ana.elsewhere(), "/sessions/passkey-options")
        assert scene.admin.change("PATCH", f"/users/{ana.id}", {"active": False}).status_code == 200
        assert problem(ana.elsewhere().post("/sessions/passkey", {"passkey": ring.sign(options)})) == (
            401, "wrong-passkey",
        )  # fmt: skip
        furnish(app, replace(settings, public_url=None), database=database)
        assert problem(ana.elsewhere().post("/sessions/passkey-options")) == (409, "passkeys-off")
