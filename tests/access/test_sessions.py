"""A person sees and ends their sessions; asking when one ends does not prolong it, and doing anything does."""

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.model import SignInSession
from coordinator.app import furnish
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings
from tests.access.conftest import Scene
from tests.access.signing_in import person, problem
from tests.builders import PASSWORD
from tests.conftest import NOW


def test_asking_when_a_session_ends_does_not_prolong_it_and_reading_does(app: Coordinator, database: Database) -> None:
    ana = person(app, database)
    with freeze_time(NOW) as clock:
        ana.sign_in()
        state = ana.get("/session").json
        assert (state["ends_at"], state["ends_by"], state["proved_by"]) == ("2026-11-09T16:15:00Z", "idle", "password")
        assert (state["proof_until"], state["confined"], state["now"]) == (None, False, "2026-11-09T16:00:00Z")
        clock.tick(timedelta(minutes=10))
        assert ana.get("/session").json["ends_at"] == "2026-11-09T16:15:00Z"
        assert ana.get("/me").status_code == 200, "a reading that leaves no line in the trail"
        assert ana.get("/session").json["ends_at"] == "2026-11-09T16:25:00Z"
        ana.post("/step-ups", {"password": PASSWORD})
        assert ana.get("/session").json["proof_until"] == "2026-11-09T16:15:00Z"
        clock.tick(timedelta(minutes=15))
        assert ana.get("/session").json["proof_until"] is None
        clock.tick(timedelta(seconds=1))
        assert problem(ana.get("/session")) == (401, "sign-in-required")


def test_a_session_in_use_ends_by_its_age(app: Coordinator, database: Database, settings: Settings) -> None:
    furnish(app, replace(settings, session_absolute_minutes=20), database=database)
    ana = person(app, database)
    with freeze_time(NOW) as clock:
        ana.sign_in()
        bearer = {"Authorization": f"Bearer {ana.post('/tokens', {'label': 'one'}).json['token']}"}
        clock.tick(timedelta(minutes=10))
        ana.get("/me")
        state = ana.get("/session").json
        assert (state["ends_at"], state["ends_by"]) == ("2026-11-09T16:20:00Z", "age")
        assert problem(ana.elsewhere()("GET", "/session", **bearer)) == (404, "not-found")


def test_one_sees_ones_open_sessions_and_ends_them(app: Coordinator, database: Database) -> None:
    ana, ben = person(app, database), person(app, database, username="ben")
    with freeze_time(NOW) as clock:
        forgotten = ana.elsewhere()
        forgotten.sign_in()
        clock.tick(timedelta(minutes=16))
        first, second, third = ana, ana.elsewhere(), ana.elsewhere()
        for browser in (first, second, third, ben):
            browser.sign_in()
        listed = first.get("/sessions").json["items"]
        assert [row["current"] for row in listed] == [True, False, False], "the forgotten one ended by itself"
        assert listed[0]["device"] == "Firefox, Windows"
        assert listed[0]["started_at"] == listed[0]["last_used_at"] == "2026-11-09T16:16:00Z"
        theirs = ben.get("/sessions").json["items"][0]["id"]
        assert problem(first("DELETE", f"/sessions/{theirs}")) == (404, "not-found")
        assert first("DELETE", f"/sessions/{listed[1]['id']}").status_code == 204
        assert first("DELETE", f"/sessions/{listed[1]['id']}").status_code == 204, "a second time as well"
        assert second.get("/me").status_code == 401
        assert third.get("/me").status_code == 200
        assert first.post("/sessions/end-others").json["ended"] >= 1
        assert third.get("/me").status_code == 401
        assert first.get("/me").status_code == 200
        assert ben.get("/me").status_code == 200
    with database.transaction(write=False) as session:
        actions = session.scalars(sa.select(AuditEvent.action).where(AuditEvent.action.like("session.%revoked"))).all()
        assert sorted(actions) == ["session.others-revoked", "session.revoked"]


def test_an_administrator_signs_somebody_out_everywhere(scene: Scene) -> None:
    ana = person(scene.app, scene.database, branch_ids=[scene.branch.id])
    far = person(scene.app, scene.database, username="far", branch_ids=[scene.elsewhere.id])
    with freeze_time(NOW):
        for browser in (ana, far):
            browser.sign_in()
        bearer = {"Authorization": f"Bearer {ana.post('/tokens', {'label': 'one'}).json['token']}"}
        admin = scene.local_admin
        assert admin.post(f"/users/{far.id}/end-sessions").status_code == 404
        own = admin.get("/me").json["id"]
        assert admin.post(f"/users/{own}/end-sessions").status_code == 409
        assert admin.post(f"/users/{ana.id}/end-sessions").json == {"ended": 1}
        assert ana.get("/me").status_code == 401
        program = ana.elsewhere()
        assert program("GET", "/me", **bearer).status_code == 200
        assert admin.post(f"/users/{ana.id}/end-sessions", {"tokens": True}).json == {"ended": 0}
        assert program("GET", "/me", **bearer).status_code == 401
        assert far.get("/me").status_code == 200
        assert problem(far.post(f"/users/{ana.id}/end-sessions")) == (403, "forbidden")


def test_signing_out_and_closing_an_account_end_a_half_open_sign_in(scene: Scene) -> None:
    ana = person(scene.app, scene.database)
    with freeze_time(NOW) as clock:
        ana.sign_in()
        ana.set_up_app(NOW)
        clock.tick(timedelta(seconds=30))
        half = ana.elsewhere()
        half.sign_in()
        ana.post("/sessions/end-others")
        code = {"code": ana.code(NOW + timedelta(seconds=30))}
        assert problem(half.post("/sessions/factor", code)) == (401, "sign-in-again")
        half.sign_in()
        admin = scene.admin
        assert admin.change("PATCH", f"/users/{ana.id}", {"active": False}).status_code == 200
        assert problem(half.post("/sessions/factor", code)) == (401, "sign-in-again")
    with scene.database.transaction(write=False) as session:
        assert None not in session.scalars(sa.select(SignInSession.revoked_at)).all()
