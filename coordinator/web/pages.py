"""Pages for people: what runs here, where its document is, and the rules it asks."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from coordinator.core.http import door, public, work
from coordinator.core.settings import ROOT
from coordinator.rules.catalogue import by_family
from coordinator.rules.conventions import CONVENTIONS
from coordinator.web import directory_page
from coordinator.web.navigation import home_of
from coordinator.web.rules_words import VERIFY, VERIFY_ZH, entry
from coordinator.web.squeezed import squeeze

pages = Blueprint(
    "pages", __name__, template_folder="../templates", static_folder="../static", static_url_path="/static"
)


@pages.after_request
def _sent_small(answer: Response) -> Response:
    if request.endpoint != "pages.static" or request.method != "GET":
        return answer
    return squeeze(answer, ROOT / "coordinator" / "static")


@pages.get("/")
@public
def front_page() -> Any:
    """What this is, for somebody who opens the address in a browser; whoever is signed in goes to their work."""
    if work().actor.user_id is not None:
        return redirect(url_for(home_of(work().actor)), 303)
    return render_template("index.html", demo=door().settings.is_demo)


@pages.get("/rules")
@public
def rules_page() -> str:
    """Every rule in two languages. It says nothing of anybody, so it needs no sign-in."""
    policy = door().policy
    families = {family: [entry(known, policy) for known in rules] for family, rules in by_family().items()}
    return render_template("rules.html", families=families, conventions=CONVENTIONS, verify=VERIFY, verify_zh=VERIFY_ZH)


@pages.get("/directory")
@public
def directory() -> str:
    """The directory in English or Traditional Chinese. It says nothing of anybody, so it needs no sign-in."""
    return directory_page.page()
