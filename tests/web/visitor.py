"""Somebody at a screen, without a browser: signs in with a password and sends forms as the page gave them."""

import html
import itertools
import re
from typing import Any
from urllib.parse import urlsplit

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from tests.builders import make_user

PASSWORD = "correct horse battery staple"
_count = itertools.count(1)


class Visitor:
    """`open` reads a page, `send` sends the form with that address from the page that was read last."""

    def __init__(self, app: Coordinator, *, language: str = "en") -> None:
        self.client = app.test_client()
        self.headers = {"Accept": "text/html", "Accept-Language": language}
        self.page: Any = None

    def open(self, path: str, *, follow: bool = False) -> Any:
        self.page = self.client.get(path, headers=self.headers, follow_redirects=follow)
        return self.page

    def send(self, action: str, *, follow: bool = False, **typed: Any) -> Any:
        """The form's own hidden fields, and what was typed; a field of None is left out."""
        fields = self.hidden(action) | typed
        given = {name: value for name, value in fields.items() if value is not None}
        answer = self.client.post(action, data=given, headers=self.headers, follow_redirects=follow)
        if answer.status_code == 200 or follow:
            self.page = answer
        return answer

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the form with this address."""
        form = next(
            found.group(0)
            for found in re.finditer(r"<form\b.*?</form>", self.page.text, re.S)
            if f'action="{html.escape(action)}"' in found.group(0).replace("&#39;", "'")
        )
        return {
            html.unescape(name): html.unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
        }


def visitor(app: Coordinator, database: Database, *roles: str, language: str = "en", **identity: Any) -> Visitor:
    """A signed-in visitor with these roles."""
    name = f"visitor{next(_count)}"
    with database.transaction() as session:
        make_user(session, app.extensions["doorman"].hash(PASSWORD), *roles, username=name, **identity)
    there = Visitor(app, language=language)
    there.open("/sign-in")
    answer = there.send("/sign-in", username=name, password=PASSWORD)
    assert answer.status_code == 303, answer.text
    assert urlsplit(answer.location).netloc == ""
    return there
