"""Signing in through the agency's provider, against a real one: known by a stored subject, and by nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time
from joserfc.jwk import ECKey

from coordinator.access.model import SignInSession, SignInStep, User
from coordinator.app import furnish
from coordinator.cli.access import group
from coordinator.core.audit import AuditEvent
from coordinator.core.settings import Settings, SettingsError, load_settings
from tests.access.conftest import Scene
from tests.access.identity_provider import CLIENT, SECRET, IdentityProvider, back
from tests.access.signing_in import Person, person, problem
from tests.builders import PASSWORD
from tests.conftest import NOW


@pytest.fixture
def provider(scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityProvider]:
    monkeypatch.setenv("NO_PROXY", "localhost")
    made = IdentityProvider()
    wired = replace(settings, oidc_issuer=made.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET)
    furnish(scene.app, wired, database=scene.database)
    yield made
    made.close()


@pytest.fixture
def boss(scene: Scene) -> Person:
    return person(scene.app, scene.database, "administrator", username="boss")


def _link(boss: Person, ana: Person, subject: str, *, password_off: bool = False) -> Any:
    body = {"subject": subject, "password_off": password_off, "password": PASSWORD}
    return boss("PUT", f"/users/{ana.id}/identity", body)


def _depart(browser: Person, wanted: str = "/") -> str:
    left = browser.post("/oidc/departures", {"wanted": wanted})
    assert left.status_code == 201, left.json
    url: str = left.json["authorization_url"]
    return url


def test_whoever_is_known_by_their_subject_comes_in_once(
    scene: Scene, provider: IdentityProvider, boss: Person
) -> None:
    ana = person(scene.app, scene.database)
    with freeze_time(NOW) as clock:
        boss.sign_in()
        linked = _link(boss, ana, provider.subject)
        assert (linked.status_code, linked.json["issuer"]) == (200, provider.issuer)
        sent = provider.agree(_depart(ana, "/inbox/?a=1&b=2"))
        came = ana.get(back(sent))
        assert (came.status_code, came.content_type) == (200, "text/html; charset=utf-8")
        assert 'content="0;url=/inbox/?a=1&amp;b=2"' in came.text
        assert ana.get("/me").json["username"] == "ana"
        assert ana.get("/session").json["proved_by"] == "oidc"
        assert problem(ana.get(back(sent))) == (401, "sign-in-again"), "a return is taken once"
        assert provider.asked.count("/.well-known/openid-configuration") == 1
        thief = ana.elsewhere()
        assert problem(thief.get(back(provider.agree(_depart(ana))))) == (401, "sign-in-again"), "another browser"
        other = provider.agree(_depart(thief))
        _depart(thief)
        assert problem(thief.get(back(other))) == (401, "sign-in-again"), "an earlier departure"
        late = provider.agree(_depart(thief))
        clock.tick(timedelta(minutes=10))
        assert problem(thief.get(back(late))) == (401, "sign-in-again"), "too late"
        refused = provider.agree(_depart(thief))
        said = back({"state": refused["state"], "error": "access_denied", "session_state": "x"})
        assert problem(thief.get(said)) == (401, "oidc-refused")
        assert problem(thief.get("/oidc/callback")) == (422, "invalid")
        guessed = refused | {"code": "guessed"}
        assert problem(thief.get(back(guessed))) == (401, "oidc-refused")
        assert 'url=/"' in thief.get(back(provider.agree(_depart(thief, "//evil.test")))).text
    with scene.database.transaction(write=False) as session:
        kept = str([step.facts for step in session.scalars(sa.select(SignInStep))])
        assert sent["state"] not in kept
        told = str([line.facts for line in session.scalars(sa.select(AuditEvent))])
        assert provider.subject not in told


def test_nobody_is_made_and_nobody_matched_by_name(scene: Scene, provider: IdentityProvider, boss: Person) -> None:
    ana = person(scene.app, scene.database, username=provider.subject)
    with freeze_time(NOW):
        boss.sign_in()
        unknown = ana.get(back(provider.agree(_depart(ana))))
        assert (problem(unknown), unknown.json["identity"]) == ((403, "oidc-unknown"), provider.subject)
        assert _link(boss, ana, provider.subject).status_code == 200
        assert boss.post(f"/users/{ana.id}/end-sessions").status_code == 200
        with scene.database.transaction() as session:
            session.get_one(User, ana.id).active = False
        assert problem(ana.get(back(provider.agree(_depart(ana))))) == (403, "oidc-unknown")
        provider.subject = "\x00"
        assert problem(ana.get(back(provider.agree(_depart(ana))))) == (403, "oidc-unknown")
    with scene.database.transaction(write=False) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(User)) == 2
        assert set(session.scalars(sa.select(SignInSession.proved_by))) == {"password"}


def test_a_token_that_is_wrong_in_anything_opens_nothing(
    scene: Scene, provider: IdentityProvider, boss: Person
) -> None:
    ana = person(scene.app, scene.database)
    with freeze_time(NOW):
        boss.sign_in()
        _link(boss, ana, provider.subject)
        now = int(NOW.timestamp())
        lies: tuple[dict[str, Any], ...] = (
            {"iss": "https://evil.test"}, {"aud": "another"}, {"aud": [CLIENT, "another"]}, {"exp": now - 61},
            {"iat": now + 3600}, {"nonce": "another"}, {"nonce": ""}, {"alg": "HS256"}, {"alg": "none"},
            {"key": ECKey.generate_key("P-256")},
        )  # fmt: skip
        for wrong in lies:
            provider.lies = wrong
            assert problem(ana.get(back(provider.agree(_depart(ana))))) == (401, "oidc-refused"), wrong
        provider.lies = {}
        assert ana.get(back(provider.agree(_depart(ana)))).status_code == 200


def test_a_provider_that_cannot_be_believed_or_reached_is_said_so(
    scene: Scene, provider: IdentityProvider, settings: Settings
) -> None:
    ana = person(scene.app, scene.database)
    lies = ({"broken": True}, {"issuer": "https://evil.test"}, {"token_endpoint": "http://evil.test"})
    with freeze_time(NOW):
        for provider.lies in lies:
            assert problem(ana.post("/oidc/departures", {})) == (503, "oidc-unreachable")
        provider.lies = {}
        assert ana.post("/oidc/departures", {}).status_code == 201
        furnish(scene.app, settings, database=scene.database)
        assert problem(ana.post("/oidc/departures", {})) == (409, "oidc-off")
        assert problem(ana.get(back({"state": "x", "code": "y"}))) == (409, "oidc-off")


def test_whose_password_is_off_comes_in_through_the_provider_alone_and_signs_with_a_key_of_their_own(
    scene: Scene, provider: IdentityProvider, boss: Person
) -> None:
    phil = person(scene.app, scene.database, "physician", username="phil", physician_id=scene.physician.id)
    batch = {"items": [{"id": 9, "version": 1, "content_hash": "0" * 64}]}
    with freeze_time(NOW) as clock:
        for browser in (boss, phil):
            browser.sign_in()
        assert _link(boss, phil, provider.subject, password_off=True).status_code == 200
        assert phil.get("/me").status_code == 401, "signed out"
        assert problem(phil.sign_in()) == (401, "wrong-credentials")
        reset = boss.post(f"/users/{phil.id}/password-reset", {"password": PASSWORD})
        assert problem(reset) == (409, "password-off"), "the command alone would end the link"
        phil.get(back(provider.agree(_depart(phil))))
        without = phil.post("/signature-batches", batch | {"password": PASSWORD})
        assert (problem(without), without.json["methods"]) == ((403, "step-up-required"), [])
        begun = phil.post("/me/authenticator", {})
        assert begun.status_code == 201, "just vouched for"
        phil.secret = begun.json["secret"]
        phil.post("/me/authenticator/confirm", {"code": phil.code(NOW)})
        asked = phil.post("/signature-batches", batch)
        assert (problem(asked), asked.json["methods"]) == ((403, "step-up-required"), ["totp"])
        clock.tick(timedelta(seconds=30))
        signed = phil.post("/signature-batches", batch | {"code": phil.code(NOW + timedelta(seconds=30))})
        assert signed.status_code == 200
        assert boss.post(f"/users/{phil.id}/identity/remove", {"password": PASSWORD}).status_code == 204
        assert phil.sign_in().status_code == 202, "the password opens again, with the app beside it"


def test_administrators_link_others_and_prove_themselves(
    scene: Scene, provider: IdentityProvider, boss: Person
) -> None:
    ana, ben = person(scene.app, scene.database), person(scene.app, scene.database, username="ben")
    with freeze_time(NOW):
        for browser in (boss, ana):
            browser.sign_in()
        path = f"/users/{ana.id}/identity"
        assert problem(boss.get(path)) == (404, "not-found")
        assert problem(boss("PUT", path, {"subject": "one"})) == (403, "step-up-required")
        assert problem(_link(boss, ana, "a\u2028b")) == (422, "invalid")
        assert _link(boss, ana, "one").status_code == 200
        assert problem(_link(boss, ben, "one")) == (409, "identity-taken")
        assert problem(_link(boss, boss, "two")) == (409, "own-account")
        assert boss.get(path).json["subject"] == "one"
        ana.sign_in()
        assert problem(_link(ana, ben, "two")) == (403, "forbidden")
        local = scene.local_admin
        assert local.get(f"/users/{ana.id}/identity").status_code == 404
        assert problem(boss.post(f"/users/{ben.id}/identity/remove", {})) == (404, "not-found")


def test_the_command_lets_in_whoever_a_provider_has_locked_out(
    scene: Scene, provider: IdentityProvider, boss: Person
) -> None:
    root = person(scene.app, scene.database, "administrator", username="root")
    with freeze_time(NOW):
        boss.sign_in()
        assert _link(boss, root, provider.subject, password_off=True).status_code == 200
    scene.app.cli.add_command(group)
    code = scene.app.test_cli_runner().invoke(args=["access", "reset", "root"]).output.strip().splitlines()[-1]
    chosen = {"username": "root", "code": code, "new_password": "four plain words here"}
    assert root.post("/password-resets", chosen).status_code == 204
    assert root.sign_in("four plain words here").status_code == 201


OWN = {
    "COORDINATOR_PROFILE": "test", "COORDINATOR_DATABASE_URL": "sqlite://", "COORDINATOR_SECRET_KEY": "k" * 40,
    "COORDINATOR_OIDC_ISSUER": "https://id.example.org", "COORDINATOR_OIDC_CLIENT_ID": "c",
    "COORDINATOR_OIDC_CLIENT_SECRET": "s3cret",
}  # fmt: skip


def test_the_provider_s_settings_are_all_there_or_none() -> None:
    given = load_settings(OWN)
    assert given.oidc_issuer == "https://id.example.org"
    assert "s3cret" not in repr(given)
    for name in ("COORDINATOR_OIDC_ISSUER", "COORDINATOR_OIDC_CLIENT_ID", "COORDINATOR_OIDC_CLIENT_SECRET"):
        with pytest.raises(SettingsError, match=name):
            load_settings({key: value for key, value in OWN.items() if key != name})
    for wrong in ("http://id.example.org", "id.example.org", "https://me:x@id.example.org", "https://[id"):
        with pytest.raises(SettingsError, match="COORDINATOR_OIDC_ISSUER"):
            load_settings(OWN | {"COORDINATOR_OIDC_ISSUER": wrong})
