"""Where the link in the mail of the day leads: one tap, and signing in where nobody is signed in, to what waits."""

from typing import Any

from flask import make_response, render_template
from flask_babel import gettext

from coordinator.access import cookies
from coordinator.core.errors import Conflict
from coordinator.core.http import public, work
from coordinator.notify.digest_links import follow_link
from coordinator.orders.history import queue_counts
from coordinator.visits.missed import decisions_waiting
from coordinator.web.shell import Screens, done

blueprint = Screens("digest_screen", __name__, url_prefix="/q")


@blueprint.get("/<string(maxlength=64):secret>")
@public
def show(secret: str) -> Any:
    """A button. Looking at the page uses nothing up, so that a mail scanner that follows links spoils none.

    It is shown without a session too: a browser that comes from a mail page leaves our cookie at home.
    """
    w = work()
    waits = (queue_counts(w), decisions_waiting(w)) if w.actor.may("order:sign") else None
    return render_template("screens/digest_link.html", secret=secret, waits=waits, over=False)


@blueprint.post("/<string(maxlength=64):secret>")
def follow(secret: str) -> Any:
    """Use the link up, and go to what waits; without a session, by signing in and back here."""
    try:
        follow_link(work(), cookies.doorman(), secret)
    except Conflict as refusal:
        work().record("digest-link.refused", f"user:{work().actor.user_id}", outcome="deny", code=refusal.problem_code)
        return make_response(render_template("screens/digest_link.html", secret=secret, waits=None, over=True), 410)
    return done("signing_screen.show", gettext("This is what waits for you."))
