"""Beside the queue: what follows a missed visit, and who stands in for a physician who is away."""

from datetime import date, timedelta
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from coordinator.agency.service import today, zone_of
from coordinator.core.errors import Invalid
from coordinator.core.http import work
from coordinator.core.work import Work
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.vocabulary import MissedDecision, MissedReason
from coordinator.orders.model import Order
from coordinator.orders.queries import names
from coordinator.patients.names import names_of
from coordinator.staff.model import Physician
from coordinator.teams import covers
from coordinator.teams.model import Cover
from coordinator.visits import missed
from coordinator.visits.model import Visit
from coordinator.web.order_words import DECIDED, MISSED, plain
from coordinator.web.shell import attempt, done, explained
from coordinator.web.signing_queue import SAID_HERE, blueprint, tabs, words_of

#: Lines on one page.
_MOST = 50


# ------------------------------------------------------------------------------------ missed visits


@blueprint.get("/decisions")
def decisions() -> Any:
    """Missed visits that wait for the physician's decision, the oldest first."""
    return _decisions()


def _decisions(refusal: Any = None, about: int | None = None) -> Any:
    w = work()
    rows = w.session.scalars(missed.decisions_queue(w).order_by(Visit.missed_at, Visit.id).limit(_MOST)).all()
    orders = names(w, Order, (row.order_id for row in rows))
    patients = names_of(w, {row.patient_id for row in rows})
    answer = render_template(
        "screens/signing_decisions.html",
        lines=[
            {
                "visit": row,
                "name": patients.get(row.patient_id),
                "plain": plain(orders[row.order_id]) if row.order_id in orders else None,
                "reason": gettext(MISSED[MissedReason(row.missed_reason)]) if row.missed_reason else None,
                "zone": zone_of(w, row.branch_id),
                "in_week": today(w, row.branch_id) <= row.window_to,
            }
            for row in rows
        ],
        said=explained(refusal) if refusal is not None else None, about=about, typed=request.form, tabs=tabs(w),
    )  # fmt: skip
    return answer, refusal.status if refusal is not None else 200


@blueprint.post("/decisions/<id:visit_id>")
def decide(visit_id: int) -> Any:
    """Skip, make up, or something else."""
    try:
        try:
            decision = MissedDecision(request.form.get("decision", ""))
        except ValueError:
            raise Invalid(gettext("Choose what follows."), pointer="/decision") from None
        note = words_of("note")
        with attempt(work()):
            missed.decide(work(), visit_id, decision, note)
    except SAID_HERE as refusal:
        return _decisions(refusal, visit_id)
    return done("signing_screen.decisions", gettext("Decided.") + " " + gettext(DECIDED[decision]))


# ------------------------------------------------------------------------------------ cover


@blueprint.get("/cover")
def cover() -> Any:
    """Who stands in for me, and for whom I stand in."""
    return _cover()


def _cover(refusal: Any = None) -> Any:
    w = work()
    mine = w.actor.physician_id
    day = _today(w)
    found = w.session.scalars(
        covers.search_covers(w, role=CoverRole.MANAGING_PHYSICIAN, physician_id=mine)
        .where(Cover.ends_on >= day)
        .order_by(Cover.starts_on, Cover.id)
        .limit(_MOST)
    ).all()
    answer = render_template(
        "screens/signing_cover.html",
        away=[row for row in found if row.physician_id == mine],
        other=[row for row in found if row.physician_id != mine],
        doctors=names(w, Physician, {row.physician_id for row in found} | {row.by_physician_id for row in found}),
        patients=names_of(w, {row.patient_id for row in found if row.patient_id is not None}),
        colleagues=covers.colleagues(w), today=day,
        said=explained(refusal) if refusal is not None else None, typed=request.form, tabs=tabs(w),
        next_monday=day + timedelta(days=7 - day.weekday()),
    )  # fmt: skip
    return answer, refusal.status if refusal is not None else 200


def _today(w: Work) -> date:
    """The day of the physician's first branch, which is theirs as far as covers go."""
    branch_id = next(iter(sorted(w.actor.branch_ids)), None)
    return w.now.date() if branch_id is None else today(w, branch_id)


@blueprint.post("/cover")
def arrange() -> Any:
    """A colleague reads and signs for me in these days."""
    try:
        by_id, starts_on, ends_on = _number("by"), _day("starts_on"), _day("ends_on")
        with attempt(work()):
            covers.arrange_own(work(), by_id=by_id, starts_on=starts_on, ends_on=ends_on, reason=CoverReason.TIME_OFF)
    except SAID_HERE as refusal:
        return _cover(refusal)
    return done("signing_screen.cover", gettext("Arranged."))


@blueprint.post("/cover/<id:cover_id>/withdraw")
def withdraw(cover_id: int) -> Any:
    """Nobody stands in there any more."""
    try:
        with attempt(work()):
            covers.withdraw_own(work(), cover_id)
    except SAID_HERE as refusal:
        return _cover(refusal)
    return done("signing_screen.cover", gettext("Withdrawn."))


def _number(name: str) -> int:
    text = request.form.get(name, "")
    if not text.isdecimal() or len(text) > 15:
        raise Invalid(gettext("Choose a colleague."), pointer=f"/{name}")
    return int(text)


def _day(name: str) -> date:
    try:
        found = date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise Invalid(gettext("Give a day."), pointer=f"/{name}") from None
    if not 2000 <= found.year <= 2100:
        raise Invalid(gettext("Give a day."), pointer=f"/{name}")
    return found
