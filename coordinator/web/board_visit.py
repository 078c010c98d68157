"""One visit on the board: who could take it and what stands in the way; try, place, lock, take off, cancel, undo.

Whatever the mouse does by dragging is a form here. A question that is searched (`thinks_first`) is thought over with no
transaction open.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import flask
import sqlalchemy as sa
from flask import Response, make_response, render_template, request, session
from flask_babel import gettext

from coordinator.agency.service import today
from coordinator.core.errors import Conflict, Invalid, Refusal
from coordinator.core.fields import MAX_ID
from coordinator.core.http import require_match, work
from coordinator.core.thinking import thinks_first, thought
from coordinator.core.work import Work, may_call
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import PERFORMERS, VisitStatus
from coordinator.patients.names import names_of
from coordinator.planning import asking, offers
from coordinator.staff.model import Clinician
from coordinator.visits import queries, service, units
from coordinator.visits.model import Visit
from coordinator.web.board import UNDO
from coordinator.web.shell import Screens, done, explained
from coordinator.web.visit_words import DISCIPLINES, KINDS, chips_of

blueprint = Screens("board_visit_screen", __name__, url_prefix="/board")

#: How long a search for what would help may take while somebody looks at the page.
_SECONDS = 5


def clinician_names(numbers: set[int]) -> dict[int, str]:
    """Number -> name and profession."""
    rows = work().session.execute(
        sa.select(Clinician.id, Clinician.given_name, Clinician.family_name, Clinician.performer).where(
            Clinician.id.in_(sorted(numbers))
        )
    )
    return {row.id: f"{row.given_name} {row.family_name}, {row.performer.value}" for row in rows}


def named(sentence: str, people: dict[int, str]) -> str:
    """A sentence of the planner, which knows clinicians by number, with their names."""
    return re.sub(r"\b([Cc]linician) (\d+)\b", lambda found: people.get(int(found[2]), found[0]), sentence)


def _page(visit: Visit, *, problem: Refusal | None = None, **more: Any) -> Response:
    w = work()
    zone = queries.zone(w, visit)
    able = (
        w.session.execute(
            sa.select(Clinician.id, Clinician.given_name, Clinician.family_name, Clinician.performer)
            .where(
                Clinician.branch_id == visit.branch_id, Clinician.active.is_(True),
                Clinician.performer.in_(PERFORMERS[visit.discipline]),
            )
            .order_by(Clinician.family_name, Clinician.given_name)
        ).all()
        if visit.status is VisitStatus.PROPOSED or visit.status in units.AHEAD
        else []
    )  # fmt: skip
    day = (
        visit.starts_at.astimezone(zone).date()
        if visit.starts_at
        else max(visit.window_from, today(w, visit.branch_id))
    )
    return make_response(
        render_template(
            "screens/board_visit.html", visit=visit, zone=zone, chips=chips_of(visit), kind=gettext(KINDS[visit.kind]),
            discipline=gettext(DISCIPLINES[visit.discipline]), able=able, day=day,
            name=names_of(w, [visit.patient_id]).get(visit.patient_id, ""),
            holder=clinician_names({visit.clinician_id}).get(visit.clinician_id) if visit.clinician_id else None,
            movable=bool(able), ahead=visit.status in units.AHEAD, problem=explained(problem) if problem else None,
            typed=request.values, named=named, **({"answer": None, "offers": None, "told": None, "people": {}} | more),
        ),
        problem.status if problem else 200,
    )  # fmt: skip


# ------------------------------------------------------------------------------------ looking and trying


@blueprint.get("/visits/<id:visit_id>")
def visit(visit_id: int) -> Any:
    """The visit; with a clinician, day and time in the address, what would be said if it were put there."""
    row = queries.get_visit(work(), visit_id)
    if "clinician" not in request.args:
        return _page(row)
    try:
        clinician_id, starts_at, minutes = _place_typed(row)
        answer = service.ask_about(work(), row.id, clinician_id, starts_at, minutes)
    except Refusal as refusal:
        return _page(row, problem=refusal)
    findings = explained(_Findings(answer.findings))["found"] if answer.findings else []
    return _page(row, answer=answer, findings_found=findings, blocking=_blocking(answer.blocking))


class _Findings(Refusal):
    """Findings to be explained, of an answer that refuses nothing yet."""

    def __init__(self, findings: Any) -> None:
        super().__init__("")
        self.findings = findings


def _blocking(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stands in the way, with a link where it is a visit."""
    return [
        entry | ({"at": datetime.fromisoformat(entry["starts_at"])} if "starts_at" in entry else {})
        for entry in entries
    ]


def _place_typed(row: Visit) -> tuple[int, datetime, int | None]:
    """Clinician, instant and minutes as they were typed or dropped; Invalid by field."""
    typed = request.values
    number = typed.get("clinician", "")
    if not number.isdecimal() or not 0 < int(number[:17]) <= MAX_ID:
        raise Invalid(gettext("Choose who makes the visit."), pointer="/clinician")
    try:
        day, clock = date.fromisoformat(typed.get("day", "")), time.fromisoformat(typed.get("time", ""))
    except ValueError:
        raise Invalid(gettext("Choose the day and the time."), pointer="/time") from None
    if clock.tzinfo is not None or not date(2000, 1, 1) <= day <= date(2200, 1, 1):
        raise Invalid(gettext("Choose the day and the time."), pointer="/time")
    minutes = typed.get("minutes", "")
    if minutes and not (minutes.isdecimal() and len(minutes) <= 3 and 5 <= int(minutes) <= 720):
        raise Invalid(gettext("A visit lasts from 5 to 720 minutes."), pointer="/minutes")
    return int(number), at_wall_clock(day, clock, queries.zone(work(), row)), int(minutes) if minutes else None


def _asked(*questions: Callable[[Work, int], asking.Inquiry]) -> Callable[..., Any]:
    """The searches of a page, one after the other, before it is drawn. A refusal is thought of as well: it is shown."""

    def think(w: Work) -> Callable[[], Any]:
        visit_id = (flask.request.view_args or {})["visit_id"]
        inquiries: list[asking.Inquiry | Refusal] = []
        for ask in questions:
            try:
                inquiries.append(ask(w, visit_id))
            except Invalid as refusal:
                inquiries.append(refusal)

        def search() -> list[asking.Found | Refusal]:
            found: list[asking.Found | Refusal] = []
            for one in inquiries:
                try:
                    found.append(one if isinstance(one, Refusal) else one.search())
                except Conflict as refusal:
                    found.append(refusal)
            return found

        return search

    return thinks_first(think)


@blueprint.get("/visits/<id:visit_id>/who")
@_asked(asking.suggestions)
def who(visit_id: int) -> Any:
    """Who could take it, when, and what else would move: best first."""
    return _offered(visit_id, "suggestions")


@blueprint.get("/visits/<id:visit_id>/why-not")
@_asked(asking.explanation, lambda w, visit_id: asking.relaxations(w, visit_id, _SECONDS))
def why_not(visit_id: int) -> Any:
    """Why it has no place, per clinician, and which changes were found to give it one."""
    return _offered(visit_id, "relaxations")


def _offered(visit_id: int, what: str) -> Response:
    row = queries.get_visit(work(), visit_id)
    told: dict[str, Any] = {}
    for one in thought() or []:
        if isinstance(one, Refusal):
            return _page(row, problem=one)
        told |= asking.tell(work(), one)
    found = told.get(what, [])
    seen = {number for entry in told.get("reasons", ()) for number in entry["clinician_ids"]}
    seen |= {change["clinician_id"] for one in found for change in one.get("changes", ()) if change["clinician_id"]}
    seen |= {one["clinician_id"] for one in found} | {
        move[side]["clinician_id"]
        for one in found
        for move in one["moves"]
        for side in ("before", "after")
        if move[side]
    }
    moved = {move["patient_id"] for one in found for move in one["moves"]}
    for entry in told.get("reasons", ()):
        entry["on"] = [date.fromisoformat(text) for text in entry["days"]]
    for one in found:
        one["as_text"] = json.dumps(one["steps"], default=lambda value: value.isoformat())
        one["needs"] = sorted({change["permission"] for change in one.get("changes", ())} - work().actor.permissions)
    return _page(
        row, offers=found, told=told, people=clinician_names(seen), patients=names_of(work(), moved), asked=what
    )


# ------------------------------------------------------------------------------------ changing


def _change(visit_id: int, verb: Callable[..., Any], said: str, *args: Any) -> Any:
    """Do it to the version that was shown; a refusal is said on the visit's page."""
    may_call(work(), verb)
    row = queries.the_visit(work(), visit_id)
    require_match(row)
    verb(work(), visit_id, *args)
    return _back(row, said)


def _back(row: Visit, said: str) -> Response:
    zone = queries.zone(work(), row)
    day = row.starts_at.astimezone(zone).date() if row.starts_at else row.window_from
    return done("board_screen.show", said, branch=row.branch_id, day=day.isoformat())


@blueprint.post("/visits/<id:visit_id>/place")
def place(visit_id: int) -> Any:
    """Put the visit with that clinician at that time: it is booked, and those concerned are told."""
    may_call(work(), service.move)
    row = queries.the_visit(work(), visit_id)
    require_match(row)
    clinician_id, starts_at, minutes = _place_typed(row)
    before = None if row.starts_at is None else (row.clinician_id, row.starts_at.isoformat(), row.minutes)
    if row.status is VisitStatus.PROPOSED:
        service.assign(work(), visit_id, clinician_id, starts_at, minutes)
    else:
        service.move(work(), visit_id, clinician_id, starts_at, minutes)
    work().session.flush()  # the version after it is what an undo takes back
    session[UNDO] = {"visit": row.id, "version": row.version, "before": before}
    return _back(row, gettext("Placed."))


@blueprint.post("/undo")
def undo() -> Any:
    """Take back the last placing of this browser, if nobody has changed the visit since. The rules are asked again."""
    kept = session.get(UNDO)
    if not kept or str(kept["visit"]) != request.form.get("visit"):
        raise Conflict(gettext("There is nothing to take back any more."), code="nothing-to-undo")
    may_call(work(), service.move)
    row = queries.the_visit(work(), kept["visit"])
    if row.version != kept["version"]:
        session.pop(UNDO)
        raise Conflict(gettext("Somebody changed the visit since. Look at it before you move it."), code="stale-undo")
    if kept["before"] is None:
        service.unassign(work(), row.id)
    else:
        clinician_id, starts_at, minutes = kept["before"]
        service.move(work(), row.id, clinician_id, datetime.fromisoformat(starts_at), minutes)
    session.pop(UNDO)
    return _back(row, gettext("Taken back."))


@blueprint.post("/visits/<id:visit_id>/lock")
def lock(visit_id: int) -> Any:
    """Nobody moves it until it is unlocked."""
    return _change(visit_id, service.lock, gettext("Locked."))


@blueprint.post("/visits/<id:visit_id>/unlock")
def unlock(visit_id: int) -> Any:
    """It may be moved again."""
    return _change(visit_id, service.unlock, gettext("Unlocked."))


@blueprint.post("/visits/<id:visit_id>/unplace")
def unplace(visit_id: int) -> Any:
    """Wanted again, with nobody and no hour."""
    return _change(visit_id, service.unassign, gettext("Taken off. It is wanted again."))


@blueprint.post("/visits/<id:visit_id>/cancel")
def cancel(visit_id: int) -> Any:
    """It will not be made as planned; what an order asks for is wanted again."""
    reason = request.form.get("reason", "").strip()
    if not offers.is_code(reason):
        raise Invalid(gettext("Choose why it is cancelled."), pointer="/reason")
    return _change(visit_id, service.cancel, gettext("Cancelled."), reason)


@blueprint.post("/visits/<id:visit_id>/carry-out")
def carry_out(visit_id: int) -> Any:
    """Do what was offered: all of it or nothing; every rule is asked again."""
    may_call(work(), offers.carry_out)
    row = queries.the_visit(work(), visit_id)
    require_match(row)
    steps = _steps_sent()
    reason = request.form.get("reason", "").strip() or None
    text = request.form.get("text", "").strip()
    override = {"reason_code": reason or "", "text": text} if steps["overrides"] else None
    offers.carry_out(
        work(), visit_id, offers.offer_of(steps), override=override, agreed_reason=reason if steps["agreed"] else None
    )
    return _back(row, gettext("Done as offered."))


def _steps_sent() -> dict[str, list[Any]]:
    """The steps of an offer as the page carried them; Invalid for what no page of ours holds."""
    try:
        sent = json.loads(request.form.get("steps", ""))
        steps: dict[str, list[Any]] = {name: list(sent[name]) for name in ("unlock", "place", "overrides", "agreed")}
        for one in steps["place"]:
            for name in ("starts_at", "ends_at"):
                one[name] = datetime.fromisoformat(one[name])
                if one[name].tzinfo is None:
                    raise ValueError(name)
            if one["ends_at"] - one["starts_at"] > timedelta(days=1):
                raise ValueError("a visit ends within a day")
        for one in steps["agreed"]:
            one["day"] = date.fromisoformat(one["day"]) if one["day"] else None
        numbers = [one[name] for kind in ("unlock", "place") for one in steps[kind] for name in ("visit", "version")]
        numbers += [one["clinician_id"] for kind in ("place", "agreed") for one in steps[kind]]
        if not all(type(number) is int and 0 < number <= MAX_ID for number in numbers) or len(numbers) > 700:
            raise ValueError("numbers")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Invalid(gettext("The offer cannot be read. Ask for it again."), pointer="/steps") from None
    return steps
