"""What is done with one tap: on my way, begun, ended, missed, late, all well, and what the office changed.

Each is a form that works without script. The telephone's outbox sends the same forms, later, with the instant at which
they were tapped (`at`), a key of its own, and `Accept: application/json`: it is answered in a few plain values.
"""

from datetime import datetime
from typing import Any

from flask import Response, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from coordinator.core.errors import Invalid, Refusal, Unauthenticated
from coordinator.core.fields import Instant
from coordinator.core.http import require_match, work
from coordinator.core.work import may_call
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.vocabulary import MissedReason, MswPurpose, VisitStatus
from coordinator.notify import service as notices
from coordinator.teamwork import handoffs
from coordinator.visits import doing, lateness, lone_work, missed
from coordinator.web import roster_words as words
from coordinator.web.roster_days import of_roster
from coordinator.web.shell import Screens, answer_refusal, done, explained

blueprint = Screens("roster_doing", __name__, url_prefix="/roster")

_MOST_WORDS = 2000


# ------------------------------------------------------------------------------------------ answers


def asks_plainly() -> bool:
    """Whether the outbox asks, rather than a page."""
    return request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"


def told(endpoint: str, said: str, **values: Any) -> Response:
    """What was done: on to the page that shows it, or in plain values for the outbox."""
    if asks_plainly():
        return jsonify(said=said, to=url_for(endpoint, **values))
    return done(endpoint, said, **values)


def refused(refusal: Refusal) -> Response:
    """Every finding and every way out, as a page that a thumb can answer, or in plain values for the outbox."""
    if not asks_plainly():
        if isinstance(refusal, Unauthenticated) or request.method == "GET":
            return answer_refusal(refusal)
        page = render_template("screens/roster_refused.html", **_in_words(refusal), sent=_sent_again())
        return make_response(page, refusal.status)
    said = _in_words(refusal)
    answer = jsonify(code=refusal.problem_code, **said)
    answer.status_code = refusal.status
    if (wait := refusal.extra.get("retry_after")) is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _in_words(refusal: Refusal) -> dict[str, Any]:
    said = explained(refusal)
    known = words.REFUSALS.get(refusal.problem_code)
    if known is not None:
        said |= {"detail": gettext(known), "detail_known": True}
    said["errors"] = list(said["errors"])
    said["ways"] = list(_ways_out(refusal))
    return said


def _ways_out(refusal: Refusal) -> list[dict[str, Any]]:
    """What may be done about it at the door: somewhere to go (`to`), or the same again with one more word (`add`)."""
    if refusal.problem_code != "handoff-unread":
        return []
    card = refusal.extra["blocking"][0]["handoff"]
    to = url_for("roster_visit.handoff", handoff_id=card)
    return [
        {"words": gettext("Read the handoff card"), "to": to},
        *({"words": gettext(said), "add": {"over_handoff": code.value}} for code, said in words.OVER_HANDOFF.items()),
    ]


def _sent_again() -> list[tuple[str, str]]:
    """What was typed, to be sent once more with a reason."""
    return [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if not name.startswith("_") and name not in ("csrf_token", "over_handoff") and len(value) <= _MOST_WORDS
    ]


def _no_form_of_ours(error: HTTPException) -> Response:
    """For the outbox: the form's mark is of another sign-in. It fetches a fresh one and sends again."""
    answer = jsonify(code="form-expired", title=error.name, detail="", found=[], errors=[], ways=[])
    answer.status_code = error.code or 500
    return answer


def open_for_outbox(screens: Screens) -> None:
    """Let this family of screens answer the outbox in plain values."""
    pages = dict(screens.error_handler_spec[None][None])

    def plainly(error: HTTPException) -> Any:
        return _no_form_of_ours(error) if asks_plainly() else pages[HTTPException](error)

    screens.register_error_handler(Refusal, refused)
    screens.register_error_handler(HTTPException, plainly)


open_for_outbox(blueprint)


# ------------------------------------------------------------------------------------------ what was sent


def tapped_at() -> datetime:
    """When it was tapped; without script that is now."""
    text = request.form.get("at", "")
    if not text:
        return work().now
    try:
        moment: datetime = Instant().deserialize(text)
    except ValidationError:
        raise Invalid("This must be an instant with its offset from UTC.", pointer="/at") from None
    return moment


def sent_words(name: str, most: int = _MOST_WORDS) -> str | None:
    """What was typed into a field, without the space around it; None if nothing was."""
    text = request.form.get(name, "").strip()
    if "\x00" in text or len(text) > most:
        raise Invalid(f"At most {most} characters.", pointer=f"/{name}")
    return text or None


def _choice(name: str, kind: Any) -> Any:
    """One of the words of an enumeration; None if nothing was chosen."""
    text = request.form.get(name, "")
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Invalid("Choose one of those that are offered.", pointer=f"/{name}") from None


def whole(name: str) -> int | None:
    """A whole number that was typed or tapped; None if none was."""
    text = request.form.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid("This must be a whole number.", pointer=f"/{name}")
    return int(text)


# ------------------------------------------------------------------------------------------ the visit


@blueprint.post("/visits/<id:visit_id>/on-my-way")
def on_my_way(visit_id: int) -> Any:
    """On the way."""
    doing.en_route(work(), visit_id, tapped_at())
    return told("roster_screen.show", gettext("On your way."))


@blueprint.post("/visits/<id:visit_id>/start")
def start(visit_id: int) -> Any:
    """Begun, at the instant of the tap."""
    visit = doing.start(work(), visit_id, tapped_at(), over_handoff=_choice("over_handoff", StartOverHandoff))
    return told("roster_visit.show", gettext("Started."), visit_id=visit.id)


@blueprint.post("/visits/<id:visit_id>/finish")
def finish(visit_id: int) -> Any:
    """Ended, at the instant of the tap; with the aide's tasks or what the social worker's visit was for."""
    tasks = [task for task in request.form.getlist("task") if 0 < len(task) <= 40]
    visit = doing.finish(
        work(), visit_id, tapped_at(), reassessed="reassessed" in request.form, trigger=sent_words("trigger"),
        tasks=tasks[:60] if "tasks" in request.form else None, purpose=_choice("purpose", MswPurpose),
    )  # fmt: skip
    return told("roster_visit.show", gettext("Finished. Sign the note when it is written."), visit_id=visit.id)


@blueprint.post("/visits/<id:visit_id>/sign-note")
def sign_note(visit_id: int) -> Any:
    """The note is signed."""
    doing.note(work(), visit_id)
    return told("roster_screen.show", gettext("The note is signed."))


@blueprint.post("/visits/<id:visit_id>/missed")
def miss(visit_id: int) -> Any:
    """Not made, for a coded reason."""
    reason = _choice("reason", MissedReason)
    if reason is None:
        raise Invalid("Choose a reason.", pointer="/reason")
    visit = missed.miss(work(), visit_id, reason, sent_words("note"))
    said = gettext("Noted as missed. The office and the practitioner know.")
    if visit.status is not VisitStatus.MISSED:
        said = gettext("Noted as missed. It is wanted again at once.")
    return told("roster_screen.show", said)


@blueprint.post("/visits/<id:visit_id>/late")
def late(visit_id: int) -> Any:
    """Running late by so many minutes."""
    minutes = whole("minutes")
    if minutes is None:
        raise Invalid("Say how late.", pointer="/minutes")
    lateness.running_late(work(), visit_id, minutes)
    return told("roster_screen.show", gettext("The office knows, and tells the family."))


@blueprint.post("/visits/<id:visit_id>/all-well")
def all_well(visit_id: int) -> Any:
    """All is well in a home where whoever is alone is heard of."""
    lone_work.all_well(work(), visit_id, tapped_at())
    return told("roster_visit.show", gettext("Heard: all is well."), visit_id=visit_id)


# ------------------------------------------------------------------------------------------ what others did


@blueprint.post("/changes/acknowledge")
def acknowledge_changes() -> Any:
    """What changed on my roster is read: those that were shown, and no later one."""
    shown = {int(text) for text in request.form.getlist("notice") if text.isascii() and text.isdecimal()}
    for notice in work().session.scalars(of_roster(work())):
        if notice.id in shown:
            notices.read(work(), notice.id)
    return told("roster_screen.show", gettext("Changes acknowledged."))


@blueprint.post("/handoffs/<id:handoff_id>/acknowledge")
def acknowledge_handoff(handoff_id: int) -> Any:
    """The card is read, as it was shown."""
    may_call(work(), handoffs.acknowledge)
    require_match(handoffs.card_for_change(work(), handoff_id))
    handoffs.acknowledge(work(), handoff_id)
    return told("roster_screen.show", gettext("The card is read. You can start the visit."))
