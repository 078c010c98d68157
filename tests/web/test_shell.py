"""The frame of the screens: signing in, our own forms, both languages, refusals as pages."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import url_for

from coordinator.access.model import SignInSession
from coordinator.app import SCREENS
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.teamwork import TaskKind, TaskSource, TaskStatus
from coordinator.teamwork import tasks
from coordinator.teamwork.model import Task
from tests.builders import make_branch, make_patient
from tests.conftest import NOW, WorkAs
from tests.people import at
from tests.web.visitor import PASSWORD, Visitor, visitor


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at():
        yield


def test_whoever_is_not_signed_in_is_asked_to_and_comes_back(app: Coordinator, database: Database) -> None:
    known = visitor(app, database, "scheduler")
    assert known.open("/").location == "/board/"
    assert "Sign out" in known.open("/inbox/").text
    stranger = Visitor(app)
    answer = stranger.open("/inbox/?role=scheduler")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/inbox/?role%3Dscheduler"
    stranger.open(answer.location)
    wrong = stranger.send("/sign-in", username="visitor", password="not this")
    assert wrong.status_code == 401
    assert "is not right" in wrong.text
    assert "not this" not in wrong.text, "a password is never shown"


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "/\\example.org", "inbox", "/a\nb"])
def test_signing_in_leads_to_our_own_pages_alone(app: Coordinator, database: Database, elsewhere: str) -> None:
    there = visitor(app, database, "scheduler")
    answer = there.client.get("/sign-in", query_string={"next": elsewhere})
    assert answer.location == "/"


def test_a_form_that_our_page_did_not_make_for_this_sign_in_changes_nothing(
    app: Coordinator, database: Database
) -> None:
    one, other = visitor(app, database, "scheduler"), visitor(app, database, "scheduler")
    one.open("/inbox/")
    other.open("/inbox/")
    for token in (None, "made-up", other.hidden("/sign-out")["csrf_token"]):
        answer = one.send("/sign-out", csrf_token=token)
        assert answer.status_code == 403
        assert "This form can no longer be sent" in answer.text
    foreign = one.client.post("/sign-out", data=one.hidden("/sign-out"), headers={"Origin": "https://example.org"})
    assert foreign.status_code == 403
    assert one.open("/inbox/").status_code == 200
    assert one.send("/sign-out").status_code == 303
    assert one.open("/inbox/").status_code == 303
    with database.session(write=False) as session:
        ended = session.scalars(sa.select(SignInSession.revoked_at).order_by(SignInSession.id)).all()
    assert [moment is not None for moment in ended] == [True, False]


def test_the_language_changes_where_one_is(app: Coordinator, database: Database) -> None:
    there = visitor(app, database, "scheduler")
    page = there.open("/inbox/?x=1")
    assert '<html lang="en">' in page.text
    answer = there.send("/language", language="zh-Hant")
    assert (answer.status_code, answer.location) == (303, "/inbox/?x=1")
    assert "收件匣" in there.open("/inbox/?x=1").text
    there.send("/language", language="xx")
    assert '<html lang="zh-Hant">' in there.open("/inbox/").text
    assert "登入" in Visitor(app, language="zh-TW,en;q=0.5").open("/sign-in").text


def test_a_refusal_is_a_page_with_the_way_out(app: Coordinator, database: Database) -> None:
    there = visitor(app, database, "scheduler")
    there.open("/inbox/")
    answer = there.client.post(
        "/inbox/tasks/999/accept", data=there.hidden("/sign-out"), headers={"Accept": "text/html"}
    )
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "There is no such task" in answer.text
    lost = there.open("/no/such/page")
    assert (lost.status_code, lost.mimetype) == (404, "text/html")
    assert there.client.get("/no/such/page").mimetype == "application/problem+json"
    assert there.client.get("/api/v1/no-such", headers={"Accept": "text/html"}).mimetype == "application/problem+json"


def test_a_task_is_taken_from_the_inbox_and_sent_twice_it_is_taken_once(
    app: Coordinator, database: Database, work_as: WorkAs
) -> None:
    with database.transaction() as session:
        branch = make_branch(session)
        patient_id, branch_id = make_patient(session, branch, given_name="Mei", family_name="Lee").id, branch.id
    with work_as(now=NOW) as work:
        tasks.open_task(
            work, patient_id=patient_id, kind=TaskKind.CALL_PATIENT, source=TaskSource.HANDOFF, source_ref="handoff:1",
            owner_role="scheduler", due=NOW.date(),
        )  # fmt: skip
    there = visitor(app, database, "scheduler", branch_ids=[branch_id])
    page = there.open("/inbox/")
    assert "Call the patient" in page.text
    assert "Mei Lee" in page.text
    action = re.findall(r'action="(/inbox/tasks/\d+/accept)"', page.text)[0]
    typed = there.hidden(action)
    first, again = there.send(action, **typed), there.send(action, **typed)
    assert (first.status_code, again.status_code) == (303, 303)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "The task is yours." in there.open("/inbox/").text
    there.headers["Accept-Language"] = "zh-Hant"
    assert "致電病人" in there.open("/inbox/").text
    with database.session(write=False) as session:
        assert session.scalars(sa.select(Task.status)).all() == [TaskStatus.ACCEPTED]
        told = session.execute(sa.text("SELECT count(*) FROM audit_event WHERE action = 'patient.named'")).scalar_one()
    assert told == 3


def test_wrong_passwords_let_the_account_rest_on_the_page_as_well(app: Coordinator, database: Database) -> None:
    there = Visitor(app)
    visitor(app, database, "scheduler")
    with database.session(write=False) as session:
        name = session.execute(sa.text("SELECT username FROM app_user")).scalar_one()
    there.open("/sign-in")
    codes = [there.send("/sign-in", username=name, password="wrong").status_code for _ in range(5)]
    assert codes == [401] * 5
    rests = there.send("/sign-in", username=name, password=PASSWORD)
    assert rests.status_code == 429
    assert "Too many wrong passwords or codes" in rests.text
    for bad in ("a\x00b", "", "x" * 300):
        assert there.send("/sign-in", username=bad, password=PASSWORD).status_code == 422


def test_the_second_factor_is_asked_for_before_anything_is_shown(app: Coordinator, database: Database) -> None:
    there = visitor(app, database, "scheduler")
    secret = there.client.post("/api/v1/me/authenticator", json={"password": PASSWORD}).json["secret"]
    code = pyotp.TOTP(secret)
    confirmed = there.client.post("/api/v1/me/authenticator/confirm", json={"code": code.at(NOW)})
    assert confirmed.status_code in (200, 201), confirmed.json
    with database.session(write=False) as session:
        name = session.execute(sa.text("SELECT username FROM app_user")).scalar_one()
    again = Visitor(app)
    assert again.open("/sign-in/code").location == "/sign-in?next=/"
    again.open("/sign-in?next=/inbox/")
    asked = again.send("/sign-in", username=name, password=PASSWORD)
    assert asked.location == "/sign-in/code?next=/inbox/"
    assert again.client.get("/inbox/", headers=again.headers).status_code == 303
    again.open(asked.location)
    assert again.send("/sign-in/code", code="").status_code == 422
    used = again.send("/sign-in/code", code=code.at(NOW))
    assert used.status_code == 401
    assert "was used already" in used.text
    with at(NOW + timedelta(seconds=45)):
        entered = again.send("/sign-in/code", code=code.at(NOW + timedelta(seconds=45)))
    assert (entered.status_code, entered.location) == (303, "/inbox/")
    assert "Sign out" in again.open("/inbox/").text


def test_every_form_of_every_screen_refuses_a_missing_or_foreign_mark(app: Coordinator, database: Database) -> None:
    there, other = visitor(app, database, "scheduler"), visitor(app, database, "scheduler")
    other.open("/inbox/")
    foreign = other.hidden("/sign-out")["csrf_token"]
    names = {blueprint.name for blueprint in SCREENS}
    tried = 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] not in names or "POST" not in (rule.methods or ()):
            continue
        with app.test_request_context():
            path = url_for(rule.endpoint, **(dict.fromkeys(rule.arguments, "1") | {"kind": "order"}))
        for token in ({}, {"csrf_token": foreign}):
            answer = there.client.post(path, data=token, headers=there.headers)
            assert answer.status_code == 403, path
            assert "This form can no longer be sent" in answer.text, path
        tried += 1
    assert tried > 30
