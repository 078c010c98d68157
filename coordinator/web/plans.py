"""Plans: ask for one, watch it being searched, read what it would change and what it leaves out, publish, compare."""

import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, make_response, render_template, request, stream_with_context
from flask_babel import gettext

from coordinator.agency.service import today, zone_of
from coordinator.core.errors import Invalid, Refusal
from coordinator.core.fields import MAX_ID
from coordinator.core.http import door, require_match, work
from coordinator.core.work import may_call
from coordinator.domain.vocabulary import RunStatus
from coordinator.patients.names import names_of
from coordinator.planning import comparing, publication, service
from coordinator.planning.limits import LONGEST_DAYS, MOST_SECONDS
from coordinator.planning.model import PlanRun
from coordinator.visits.model import Visit
from coordinator.web.board import asked_branch
from coordinator.web.board_visit import clinician_names, named
from coordinator.web.shell import Screens, done, explained

blueprint = Screens("plans_screen", __name__, url_prefix="/plans")

#: Marks words for the catalogue.
_ = str

STATUSES = {
    RunStatus.QUEUED: (_("waits for a worker"), "wait"),
    RunStatus.RUNNING: (_("being searched"), "wait"),
    RunStatus.PROPOSED: (_("proposal"), "plain"),
    RunStatus.PUBLISHED: (_("published"), "done"),
    RunStatus.CANCELLED: (_("cancelled"), "off"),
    RunStatus.FAILED: (_("failed"), "late"),
    RunStatus.STALE: (_("out of date"), "off"),
    RunStatus.ANSWERED: (_("answered"), "plain"),
}
WORDS = {
    "added": (_("added"), "plain"), "moved": (_("moved"), "plain"), "removed": (_("no place, wanted again"), "late"),
    "kept": (_("stays"), "done"),
}  # fmt: skip
#: Numbers of a result that are set beside each other, with what is said of them.
NUMBERS = {
    "placed": _("placed"), "left_out": _("left out"), "travel_minutes": _("minutes on the road"),
    "waiting_minutes": _("minutes of waiting"), "overtime_minutes": _("minutes of overtime"),
    "continuity": _("percent by who is known best"), "cost": _("cost"),
}  # fmt: skip
AT_WORK = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
_MOST = 30
#: For how long one stream of progress stays open, and how often it says something; the browser comes back by itself.
_STREAM_SECONDS, _EVERY_SECONDS = 50, 1.0


def _list(problem: Refusal | None = None) -> Response:
    branch = asked_branch()
    runs = work().session.scalars(
        service.search_runs(work(), branch_id=branch.id).order_by(PlanRun.id.desc()).limit(_MOST)
    )
    return make_response(
        render_template(
            "screens/plans.html", branch=branch, runs=list(runs), statuses=STATUSES, typed=request.values,
            first=today(work(), branch.id) + timedelta(days=1), problem=explained(problem) if problem else None,
            zone=zone_of(work(), branch.id), longest=LONGEST_DAYS, most=MOST_SECONDS,
        ),
        problem.status if problem else 200,
    )  # fmt: skip


@blueprint.get("/")
def show() -> Any:
    """The latest plans of the branch, and a form for a new one."""
    return _list()


def _number(name: str, default: int) -> int:
    text = request.form.get(name, "") or str(default)
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(gettext("This must be a whole number."), pointer=f"/{name}")
    return int(text)


@blueprint.post("/")
def start() -> Any:
    """Ask for a plan: a worker searches it, nothing changes before it is published."""
    may_call(work(), service.start_run)
    branch = asked_branch()
    try:
        try:
            first = date.fromisoformat(request.form.get("start_on", ""))
        except ValueError:
            raise Invalid(gettext("Choose the first day."), pointer="/start_on") from None
        run = service.start_run(
            work(), branch.id, first, days=_number("days", 7), seconds=_number("seconds", 60), seed=_number("seed", 0)
        )
    except Invalid as refusal:
        return _list(refusal)
    return done("plans_screen.plan", run_id=run.id)


@blueprint.get("/<id:run_id>")
def plan(run_id: int) -> Any:
    """One plan: how far it is, or what it would change, by patient, with each cause."""
    w = work()
    run = service.get(w, run_id)
    zone = zone_of(w, run.branch_id)
    told: dict[str, Any] = {}
    if run.result is not None and run.status in (RunStatus.PROPOSED, RunStatus.PUBLISHED):
        told = publication.diff(w, run_id)
    changed = [
        one | {"changes": [change for change in one["changes"] if change["change"] in publication.CHANGES]}
        for one in told.get("by_patient", ())
    ]
    changed = [one for one in changed if one["changes"]]
    left = service.unplaced_of(w, run_id) if run.result is not None else []
    homes = {
        row.id: row.patient_id
        for row in w.session.execute(
            sa.select(Visit.id, Visit.patient_id).where(Visit.id.in_([one.visit_id for one in left]))
        )
    }
    people = {
        place["clinician_id"] for one in changed for change in one["changes"]
        for place in (change["before"], change["after"]) if place
    } | {number for one in left for reason in one.reasons[:3] for number in reason["clinician_ids"]}  # fmt: skip
    others = w.session.scalars(
        service.search_runs(w, branch_id=run.branch_id)
        .where(PlanRun.id != run.id, PlanRun.start_on == run.start_on, PlanRun.result.is_not(None))
        .order_by(PlanRun.id.desc()).limit(5)
    )  # fmt: skip
    return render_template(
        "screens/plan.html", run=run, zone=zone, status=STATUSES[run.status], at_work=run.status in AT_WORK, told=told,
        changed=changed, left=left, homes=homes, words=WORDS, numbers=NUMBERS, named=named, others=list(others),
        names=names_of(w, {one["patient_id"] for one in changed} | set(homes.values())), people=clinician_names(people),
        may_publish=w.actor.may("run:publish") and run.status is RunStatus.PROPOSED,
    )  # fmt: skip


@blueprint.get("/<id:run_id>/progress")
def progress(run_id: int) -> Any:
    """How far the search is, as server-sent events, until it is over. What is read is this run's progress alone."""
    service.get(work(), run_id)
    database = door().database

    def said() -> Iterator[str]:
        until = time.monotonic() + _STREAM_SECONDS
        while time.monotonic() < until:
            with database.transaction(write=False) as session:
                row = session.execute(sa.select(PlanRun.status, PlanRun.progress).where(PlanRun.id == run_id)).one()
            over = row.status not in AT_WORK
            yield f"event: {'over' if over else 'progress'}\ndata: {json.dumps(row.progress or {})}\n\n"
            if over:
                return
            time.sleep(_EVERY_SECONDS)

    return Response(stream_with_context(said()), mimetype="text/event-stream")


@blueprint.post("/<id:run_id>/publish")
def publish(run_id: int) -> Any:
    """Book what is ticked (all of it, if nothing was taken off): one transaction, and the rosters rise."""
    may_call(work(), publication.publish)
    run = service.visible_run(work(), run_id)
    require_match(run)
    changes = publication.diff(work(), run_id)["by_patient"]
    ticked = {
        int(text) for text in request.form.getlist("patient") if text.isdecimal() and 0 < int(text[:17]) <= MAX_ID
    }
    moving = {
        one["patient_id"]
        for one in changes
        if any(change["change"] in publication.CHANGES for change in one["changes"])
    }
    if moving and not moving & ticked:
        raise Invalid(gettext("Tick at least one patient."), pointer="/patient")
    only = None
    if not moving <= ticked:
        only = [
            change["visit"] for one in changes if one["patient_id"] in ticked for change in one["changes"]
            if change["change"] in publication.CHANGES
        ]  # fmt: skip
    publication.publish(work(), run_id, run.version, only)
    return done("plans_screen.plan", gettext("Published. Everybody concerned is told."), run_id=run_id)


@blueprint.post("/<id:run_id>/cancel")
def cancel(run_id: int) -> Any:
    """Stop a search that is no longer wanted."""
    service.cancel(work(), run_id)
    return done("plans_screen.plan", gettext("The search is being stopped."), run_id=run_id)


@blueprint.get("/compare")
def compare() -> Any:
    """Two plans side by side: numbers, what each leaves out, and every visit that they put elsewhere."""
    numbers = [request.args.get(side, "") for side in ("left", "right")]
    if not all(text.isdecimal() and 0 < int(text[:17]) <= MAX_ID for text in numbers):
        raise Invalid(gettext("Choose two plans."), pointer="/left")
    told = comparing.compare_runs(work(), int(numbers[0]), int(numbers[1]))
    places = [
        place for one in told["by_patient"] for change in one["changes"] for place in (change["left"], change["right"])
        if place
    ]  # fmt: skip
    return render_template(
        "screens/plans_compare.html", told=told, numbers=NUMBERS, left=int(numbers[0]), right=int(numbers[1]),
        names=names_of(work(), {one["patient_id"] for one in told["by_patient"]}), named=named,
        people=clinician_names({place["clinician_id"] for place in places}),
        zone=zone_of(work(), service.visible_run(work(), int(numbers[0])).branch_id),
    )  # fmt: skip
