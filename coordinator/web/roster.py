"""The roster on a telephone: today and tomorrow, what is next, what others changed (product: 3b, 4b)."""

from typing import Any

from flask import Response, jsonify, make_response, render_template
from flask_wtf.csrf import generate_csrf

from coordinator.agency.service import zone_of
from coordinator.care import shelf
from coordinator.core.http import public, work
from coordinator.core.settings import ROOT
from coordinator.core.work import Work
from coordinator.domain.care import InstrumentCode
from coordinator.domain.vocabulary import VisitStatus
from coordinator.visits.roster import RosterEntry
from coordinator.web import roster_words as words
from coordinator.web.roster_days import (
    changes,
    keep_until,
    kept,
    next_of,
    primary_diagnosis,
    two_days,
    whose,
)
from coordinator.web.roster_doing import open_for_outbox
from coordinator.web.shell import Screens

blueprint = Screens("roster_screen", __name__, url_prefix="/roster")
open_for_outbox(blueprint)

#: What somebody may say they are late by, in minutes.
LATE_BY = (10, 15, 20, 30, 45, 60)


@blueprint.get("/")
def show() -> Any:
    """Today and tomorrow."""
    w = work()
    me = whose(w)
    days = two_days(w, me)
    zone = zone_of(w, me.branch_id)
    upcoming = next_of(days[0].entries) or next_of(days[1].entries)
    until = keep_until(w, days[1].day, zone)
    page = render_template(
        "screens/roster.html", days=days, zone=zone, upcoming=upcoming, changes=changes(w), until=until,
        rates=may_rate(w), **card_words(),
        reason=None if upcoming is None else primary_diagnosis(w, upcoming),
        print_of="-".join(one.fingerprint[:12] for one in days),
    )  # fmt: skip
    return kept(w, make_response(page), until)


def card_words() -> dict[str, Any]:
    """What the card of a visit is told with, on the roster and on the visit's own page."""
    return {
        "words": words, "state": state, "states": VisitStatus, "late_by": LATE_BY, "missed_reasons": words.MISSED,
        "purposes": words.PURPOSES,
    }  # fmt: skip


def state(entry: RosterEntry) -> tuple[str, str]:
    """A visit's state in a word, and the shape of its chip."""
    label, shape = words.STATES[entry.visit.status]
    return words.said(label), shape


def may_rate(w: Work) -> bool:
    """Whether the actor takes the scale of symptoms that is kept on the telephone for every visit."""
    return w.actor.may("assessment:record") and shelf.may_record(w, shelf.instruments()[InstrumentCode.ESAS_R])


@blueprint.get("/pulse")
def pulse() -> Response:
    """For the outbox, before it sends: whose session this is, and a fresh mark for its forms."""
    return jsonify(user=work().actor.user_id, mark=generate_csrf())


@blueprint.get("/no-signal")
@public
def no_signal() -> Any:
    """What is shown where there is no signal and nothing is kept; it says nothing of anybody."""
    return render_template("screens/roster_no_signal.html")


@blueprint.get("/sw.js")
@public
def service_worker() -> Any:
    """What keeps the roster on the telephone; it says nothing of anybody, and is asked for anew each time."""
    script = ROOT / "coordinator" / "static" / "screens" / "roster_sw.js"
    answer = Response(script.read_text(encoding="utf-8"), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = "/roster/"
    return answer
