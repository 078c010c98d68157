"""One's own account: an app is set up with its picture and first code, sessions are ended, a password is changed."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.access.model import Authenticator
from coordinator.app import furnish
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from tests.conftest import NOW
from tests.web.visitor import PASSWORD, Visitor, visitor


def test_an_app_is_set_up_on_the_page_and_its_secret_is_shown_once(app: Coordinator, database: Database) -> None:
    with freeze_time(NOW) as clock:
        there = visitor(app, database, "scheduler")
        assert "My account" in there.open("/account/").text
        assert there.send("/account/authenticator", password="a guess at it").status_code == 403
        shown = there.send("/account/authenticator", password=PASSWORD)
        assert "<svg" in shown.text
        assert " style=" not in shown.text
        secret = re.findall(r"<code>([A-Z2-7]{16,})</code>", shown.text)[0]
        wrong = there.send("/account/authenticator/confirm", code="000000")
        assert wrong.status_code == 422
        assert 'action="/account/authenticator/confirm"' in wrong.text, "one types it once more"
        there.page = shown
        done = there.send("/account/authenticator/confirm", code=pyotp.TOTP(secret).at(NOW))
        assert len(re.findall(r"<li><code>", done.text)) == 10
        again = there.open("/account/").text
        assert secret not in again
        assert "10 recovery codes are left" in again
        clock.tick(timedelta(seconds=60))
        code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=60))
        assert there.send("/account/authenticator/remove", password=PASSWORD, code="123456").status_code == 403
        assert there.send("/account/authenticator/remove", password=PASSWORD, code=code).status_code == 303
        with database.session(write=False) as session:
            assert session.scalars(sa.select(Authenticator)).all() == []


def test_sessions_are_seen_and_ended_and_a_new_password_ends_the_others(app: Coordinator, database: Database) -> None:
    with freeze_time(NOW):
        there = visitor(app, database, "scheduler")
        with database.session(write=False) as session:
            name = session.execute(sa.text("SELECT username FROM app_user")).scalar_one()
        other = Visitor(app)
        other.open("/sign-in")
        other.send("/sign-in", username=name, password=PASSWORD)
        page = there.open("/account/")
        assert page.text.count("Sign out there") == 2
        assert there.send("/account/password", password=PASSWORD, new_password="short").status_code == 422
        new = "a longer sentence that nobody knows"
        assert there.send("/account/password", password=PASSWORD, new_password=new).status_code == 303
        assert other.open("/account/").status_code == 303, "signed out there"
        assert "Your password was changed." in there.open("/account/").text
        mine = re.findall(r'action="(/account/sessions/\d+/end)"', there.page.text)
        assert len(mine) == 1
        assert "/account/sessions/end-others" not in there.page.text, "there is no other"
        assert there.send(mine[0]).status_code == 303
        assert there.open("/account/").status_code == 303


def test_whoever_needs_a_second_factor_is_led_to_it_and_nowhere_else(app: Coordinator, database: Database) -> None:
    settings = replace(app.extensions["settings"], second_factor_roles=frozenset({"scheduler"}))
    furnish(app, settings, database=database, policy=app.extensions["door"].policy)
    with freeze_time(NOW):
        there = visitor(app, database, "scheduler")
        assert there.open("/inbox/").location == "/account/"
        page = there.open("/account/", follow=True)
        assert "Your role asks for a second factor." in page.text
