"""When the day breaks: somebody is sick, a visit falls out, a patient is in hospital. Proposal, diff, approval, calls.

Nothing reaches anybody before it is approved here.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import Response, make_response, render_template, request
from flask_babel import gettext

from coordinator.agency.service import zone_of
from coordinator.core.errors import Busy, Invalid, Refusal
from coordinator.core.fields import MAX_ID
from coordinator.core.http import require_match, work
from coordinator.core.thinking import thinks_first, thought
from coordinator.core.work import Work, may_call
from coordinator.domain.vocabulary import RepairDeed, RepairKind, RepairStatus
from coordinator.patients.names import names_of
from coordinator.planning.repairs import approval, calls, service
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.staff.model import Clinician
from coordinator.web.board import asked_branch, asked_day
from coordinator.web.board_visit import clinician_names, named
from coordinator.web.shell import Screens, done, explained

blueprint = Screens("board_repair_screen", __name__, url_prefix="/board")

#: Marks words for the catalogue.
_ = str

DEEDS: dict[RepairDeed, tuple[str, str]] = {
    RepairDeed.MOVED: (_("moved"), "plain"),
    RepairDeed.ADDED: (_("added"), "plain"),
    RepairDeed.REMOVED: (_("no place, wanted again"), "late"),
    RepairDeed.CANCELLED: (_("cancelled"), "off"),
    RepairDeed.RESTS: (_("rests: in hospital"), "off"),
    RepairDeed.OPEN: (_("still without a place"), "wait"),
    RepairDeed.DECIDE: (_("you decide"), "late"),
}
KINDS: dict[RepairKind, str] = {
    RepairKind.ABSENCE: _("Somebody is away"),
    RepairKind.CANCELLED: _("A visit falls out"),
    RepairKind.URGENT: _("An urgent visit"),
    RepairKind.OVERRUN: _("A visit runs long"),
    RepairKind.HOSPITAL: _("A patient is in hospital"),
}
FACES = {"primary": _("their own clinician"), "known": _("somebody they know"), "new": _("somebody new to them")}
STATUSES = {
    RepairStatus.PROPOSED: (_("proposal"), "wait"),
    RepairStatus.APPROVED: (_("approved"), "done"),
    RepairStatus.REJECTED: (_("rejected"), "off"),
}
#: Why somebody is away, as codes that may stand in the record.
AWAY_FOR = {"sick": _("sick"), "family": _("family"), "vehicle": _("car trouble"), "other": _("other")}


def _absence_form(problem: Refusal | None = None) -> Response:
    branch = asked_branch()
    people = work().session.execute(
        sa.select(Clinician.id, Clinician.given_name, Clinician.family_name, Clinician.performer)
        .where(Clinician.branch_id == branch.id, Clinician.active.is_(True))
        .order_by(Clinician.family_name, Clinician.given_name)
    )
    return make_response(
        render_template(
            "screens/board_absence.html", branch=branch, day=asked_day(branch), people=people, typed=request.values,
            reasons=AWAY_FOR, problem=explained(problem) if problem else None,
        ),
        problem.status if problem else 200,
    )  # fmt: skip


@blueprint.get("/absence")
def absence() -> Any:
    """Who is away, from when until when."""
    may_call(work(), service.propose)
    return _absence_form()


def _prepare(w: Work) -> Any:
    """Read what the absence hits; the search needs no rows. What was typed badly is said beside the form."""
    try:
        typed = request.form
        number, branch = typed.get("clinician", ""), typed.get("branch", "")
        if not (number.isdecimal() and 0 < int(number[:17]) <= MAX_ID):
            raise Invalid(gettext("Choose who is away."), pointer="/clinician")
        if not (branch.isdecimal() and 0 < int(branch[:17]) <= MAX_ID):
            raise Invalid(gettext("Choose the branch."), pointer="/branch")
        try:
            first = date.fromisoformat(typed.get("first_day", ""))
            last = date.fromisoformat(typed.get("last_day") or typed.get("first_day", ""))
        except ValueError:
            raise Invalid(gettext("Choose the first and the last day."), pointer="/first_day") from None
        most = typed.get("most_patients", "")
        if most and not (most.isdecimal() and int(most[:6]) <= service.MOST_TOUCHED):
            raise Invalid(gettext("How many other patients may be touched is a number."), pointer="/most_patients")
        reason = typed.get("reason", "sick")
        event = {"clinician_id": int(number), "first_day": first, "last_day": last,
                 "reason": reason if reason in AWAY_FOR else "other"}  # fmt: skip
        ready = service.prepare(
            w, int(branch), RepairKind.ABSENCE, event, max_patients=int(most) if most else service.DEFAULT_PATIENTS
        )
    except Invalid as refusal:
        kept = refusal
        return lambda: kept
    return ready.think


@blueprint.post("/absence")
@thinks_first(_prepare)
def propose_absence() -> Any:
    """A first proposal at once; a worker looks for a better one meanwhile."""
    found = thought()
    if isinstance(found, Invalid):
        return _absence_form(found)
    if found is None:
        raise Busy(gettext("The same request was given up a moment ago. Send it again."), retry_after=1)
    repair = service.propose(work(), found)
    return done("board_repair_screen.repair", repair_id=repair.id)


@blueprint.get("/repairs/<id:repair_id>")
def repair(repair_id: int) -> Any:
    """What would change, by patient, why, what it costs; then whom to call, in order."""
    row = service.get(work(), repair_id)
    by_patient: dict[int, list[RepairChange]] = {}
    for change in sorted(row.changes, key=lambda one: (not one.hit, _when(one), one.visit_id)):
        by_patient.setdefault(change.patient_id, []).append(change)
    told = calls.listed(work(), row)
    people = {number for one in row.changes for number in (one.old_clinician_id, one.clinician_id) if number}
    people |= {one["clinician_id"] for one in told if one["clinician_id"]}
    away = row.event.get("clinician_id")
    zone = zone_of(work(), row.branch_id)
    return render_template(
        "screens/board_repair.html", repair=row, zone=zone, by_patient=by_patient, calls=told, deeds=DEEDS, faces=FACES,
        named=named,
        deeds_by_word={deed.value: words for deed, (words, _shape) in DEEDS.items()},
        kind=gettext(KINDS[row.kind]), status=STATUSES[row.status], names=names_of(work(), by_patient.keys()),
        people=clinician_names(people | ({away} if away else set())), away=away, open=row.decided_at is None,
        searching=service.is_searching(row, work().now), stale=service.stale_days(work(), row),
        remaining=approval.remaining(work(), row),
        lacks=[one for one in service.needs(row) if not work().actor.may(one)],
    )  # fmt: skip


def _when(change: RepairChange) -> str:
    at: datetime | None = change.old_starts_at or change.starts_at
    return at.isoformat() if at else ""


@blueprint.post("/repairs/<id:repair_id>/approve")
def approve(repair_id: int) -> Any:
    """Approve all of it, or what concerns the patients that are ticked: one transaction, and those concerned hear."""
    may_call(work(), approval.approve)
    row = _matched(repair_id)
    ticked = [
        int(text) for text in request.form.getlist("patient") if text.isdecimal() and 0 < int(text[:17]) <= MAX_ID
    ]
    everyone = {change.patient_id for change in row.changes}
    if not ticked and everyone:
        raise Invalid(gettext("Tick at least one patient, or reject the proposal."), pointer="/patient")
    some = None if everyone <= set(ticked) else sorted(set(ticked))
    approval.approve(work(), repair_id, row.version, some)
    return done("board_repair_screen.repair", gettext("Approved. Now call, in this order."), repair_id=repair_id)


@blueprint.post("/repairs/<id:repair_id>/reject")
def reject(repair_id: int) -> Any:
    """Nothing of it is done, and what happened is not recorded by it."""
    may_call(work(), approval.reject)
    row = _matched(repair_id)
    approval.reject(work(), repair_id, row.version)
    return done("board_screen.show", gettext("Rejected. Nothing was changed."), branch=row.branch_id,
                day=row.start_on.isoformat())  # fmt: skip


def _matched(repair_id: int) -> Repair:
    row = service.visible_repair(work(), repair_id)
    require_match(row)
    return row
