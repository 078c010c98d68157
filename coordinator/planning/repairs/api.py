"""Repairs over HTTP: say what happened, read what to do about it, call in order, approve or reject."""

from typing import Any

import flask
from marshmallow import fields, validate

from coordinator.agency.service import zone_of
from coordinator.core.errors import Busy
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, etag_of, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.thinking import thinks_first, thought
from coordinator.core.work import Work, may_call
from coordinator.domain.vocabulary import RepairDeed, RepairKind, RepairStatus
from coordinator.planning.api import PlaceSchema, ReasonSchema
from coordinator.planning.repairs import approval, calls, service
from coordinator.planning.repairs.model import Repair, RepairChange

blp = Blueprint(
    "repairs", __name__, url_prefix="/api/v1", description="Repairs of a published plan: what broke, what to do"
)


# ------------------------------------------------------------------------------------ shapes


class EventSchema(Schema):
    """What happened. Each kind has its own fields."""

    kind = Word(RepairKind, required=True, metadata={"example": "absence"})
    clinician_id = Id(load_default=None, allow_none=True, metadata={"description": "absence: who", "example": 3})
    starts_at = Instant(
        load_default=None, allow_none=True, metadata={"description": "absence, hospital: since when; now if left out"}
    )
    ends_at = Instant(load_default=None, allow_none=True, metadata={"description": "absence: until when"})
    first_day = Day(
        load_default=None, allow_none=True,
        metadata={"description": "absence: or whole days, the branch's", "example": "2026-11-24"},
    )  # fmt: skip
    last_day = Day(load_default=None, allow_none=True, metadata={"example": "2026-11-24"})
    reason = Text(
        load_default=None, allow_none=True, max_length=60,
        metadata={"description": "absence, cancelled: a code", "example": "sick"},
    )  # fmt: skip
    visit_id = Id(load_default=None, allow_none=True, metadata={"description": "cancelled, urgent, overrun: which"})
    latest_at = Instant(load_default=None, allow_none=True, metadata={"description": "urgent: begins by then"})
    minutes = Whole(
        low=1, high=480, load_default=None, allow_none=True, metadata={"description": "overrun: minutes over"}
    )
    patient_id = Id(load_default=None, allow_none=True, metadata={"description": "hospital: who"})


class BudgetSchema(Schema):
    max_patients = Whole(
        low=0, high=service.MOST_TOUCHED, load_default=service.DEFAULT_PATIENTS, allow_none=True,
        metadata={"description": "Other patients than those whom the event hits; null: any number", "example": 3},
    )  # fmt: skip
    max_visits = Whole(
        low=0, high=service.MOST_TOUCHED, load_default=None, allow_none=True,
        metadata={"description": "Other visits than those that the event hits; null: any number"},
    )  # fmt: skip


class RepairRequestSchema(Schema):
    branch_id = Id(required=True, metadata={"example": 1})
    event = fields.Nested(EventSchema, required=True)
    budget = fields.Nested(BudgetSchema, load_default=lambda: BudgetSchema().load({}))
    seconds = Whole(
        low=0, high=service.MOST_SECONDS, load_default=service.DEFAULT_SECONDS,
        metadata={"description": "How long a worker looks for a better one after this answer; 0: not at all"},
    )  # fmt: skip
    seed = Whole(low=0, high=2**31 - 1, load_default=0)


class RepairChangeSchema(Schema):
    visit = fields.Integer(attribute="visit_id")
    patient_id = fields.Integer()
    change = Word(
        RepairDeed,
        metadata={
            "description": "moved, added, removed (no place: wanted again), cancelled, rests, open (still wanted), "
            "decide (pinned or too far ahead: a person decides)"
        },
    )
    what = fields.List(fields.String(), metadata={"description": "clinician, day, time"})
    hit = fields.Boolean(metadata={"description": "By the event itself; else it makes room"})
    told = fields.Boolean(metadata={"description": "The patient had been told of the time before"})
    before = fields.Nested(PlaceSchema, allow_none=True)
    after = fields.Nested(PlaceSchema, allow_none=True)
    face = fields.String(allow_none=True, metadata={"description": "primary, known or new to the patient"})
    cause = fields.Dict(metadata={"description": "Why, as a code and a sentence"})
    reasons = fields.List(fields.Nested(ReasonSchema), metadata={"description": "Why it has no place, per clinician"})
    approved = fields.Boolean()


class PatientRepairSchema(Schema):
    patient_id = fields.Integer()
    hit = fields.Boolean(metadata={"description": "Hit by the event itself, so not counted against the budget"})
    changes = fields.List(fields.Nested(RepairChangeSchema))


class CallSchema(Schema):
    order = fields.Integer(metadata={"example": 1})
    whom = fields.String(metadata={"enum": ["patient", "clinician"]})
    patient_id = fields.Integer(allow_none=True)
    clinician_id = fields.Integer(allow_none=True)
    language = fields.String(allow_none=True)
    soonest = Instant()
    told = fields.Boolean(metadata={"description": "The patient expects somebody at another hour"})
    messages = fields.List(fields.Dict(), metadata={"description": "Kind of message, visit, before and after"})


class CallsSchema(Schema):
    repair = fields.Integer()
    zone = fields.String()
    calls = fields.List(fields.Nested(CallSchema))


class RemainingSchema(Schema):
    visit = fields.Integer()
    clinician_id = fields.Integer()
    starts_at = Instant()


class RepairSchema(Schema):
    id = Id()
    branch_id = Id()
    kind = Word(RepairKind)
    event = fields.Dict()
    budget = fields.Nested(BudgetSchema)
    status = Word(RepairStatus)
    version = fields.Integer()
    zone = fields.String(metadata={"example": "America/Los_Angeles"})
    start_on = Day()
    end_on = Day()
    searching = fields.Boolean(metadata={"description": "A worker is still looking for a better one"})
    stale = fields.List(fields.Dict(), metadata={"description": "Days that changed since: approval would be refused"})
    remaining = fields.List(
        fields.Nested(RemainingSchema),
        metadata={
            "description": "Of an approved absence: visits still with whoever is away. Ask again with the same event"
        },
    )
    needs = fields.List(fields.String(), metadata={"description": "The permissions that an approval takes"})
    counts = fields.Dict(metadata={"description": "How many visits are moved, added, removed, ... and kept"})
    touched = fields.Dict(
        metadata={"description": "Others: patients, visits; the event's own: hit_patients, hit_visits"}
    )
    held_slots = fields.List(
        fields.Dict(), metadata={"description": "Slots held for referrals that are hit: a person decides about each"}
    )
    cost = fields.Dict(metadata={"description": "Cents against what stood: total and by constraint"})
    curve = fields.List(fields.Dict(), metadata={"description": "The best known repair for each budget of patients"})
    requested_by_id = Id(allow_none=True)
    requested_at = Instant()
    decided_by_id = Id(allow_none=True)
    decided_at = Instant(allow_none=True)


class RepairWithChangesSchema(RepairSchema):
    patients = fields.List(fields.Nested(PatientRepairSchema))
    calls = fields.List(fields.Nested(CallSchema))


class RepairQuery(PageQuery):
    branch_id = Id(load_default=None, allow_none=True)
    status = Word(RepairStatus, load_default=None, allow_none=True)


class ApproveSchema(Schema):
    patient_ids = fields.List(
        Id(), load_default=None, allow_none=True, validate=validate.Length(max=500),
        metadata={"description": "Only what concerns these patients; left out: all of it", "example": [1, 2]},
    )  # fmt: skip


# ------------------------------------------------------------------------------------ routes


def shown(repair: Repair) -> dict[str, Any]:
    """The repair as it is spoken, without its changes."""
    result = repair.result
    own: dict[str, Any] = {
        name: getattr(repair, name)
        for name in (
            "id", "branch_id", "kind", "event", "status", "version", "start_on", "end_on",
            "requested_by_id", "requested_at", "decided_by_id", "decided_at",
        )
    }  # fmt: skip
    return own | {
        "budget": {"max_patients": repair.max_patients, "max_visits": repair.max_visits},
        "zone": zone_of(work(), repair.branch_id).key,
        "searching": service.is_searching(repair, work().now),
        "remaining": approval.remaining(work(), repair),
        "stale": service.stale_days(work(), repair),
        "needs": service.needs(repair),
        "counts": result["counts"],
        "touched": result["touched"],
        "held_slots": result.get("held_slots", []),
        "cost": result["cost"],
        "curve": result["curve"],
    }


def in_full(repair: Repair) -> dict[str, Any]:
    """The repair with its changes by patient and its calls."""
    by_patient: dict[int, list[RepairChange]] = {}
    for change in repair.changes:
        by_patient.setdefault(change.patient_id, []).append(change)
    return shown(repair) | {
        "patients": [
            {"patient_id": number, "hit": any(c.hit for c in mine), "changes": [_change(c) for c in mine]}
            for number, mine in sorted(by_patient.items())
        ],
        "calls": calls.listed(work(), repair),
    }


def _change(change: RepairChange) -> dict[str, Any]:
    before = None
    if change.old_clinician_id is not None:
        before = {"clinician_id": change.old_clinician_id, "starts_at": change.old_starts_at, "ends_at": None}
    after = None
    if change.clinician_id is not None:
        after = {"clinician_id": change.clinician_id, "starts_at": change.starts_at, "ends_at": change.ends_at}
    plain = ("visit_id", "patient_id", "change", "what", "hit", "told", "face", "cause", "reasons", "approved")
    return {name: getattr(change, name) for name in plain} | {"before": before, "after": after}


def _think(w: Work) -> Any:
    """Read what the request is about; the search itself needs no rows."""
    body = flask.request.get_json(silent=True)
    if not isinstance(body, dict):
        return None  # the view refuses it in the usual words
    args = RepairRequestSchema().load(body)
    event: dict[str, Any] = args["event"]
    return service.prepare(
        w, args["branch_id"], event.pop("kind"), event, seconds=args["seconds"], seed=args["seed"], **args["budget"]
    ).think


@blp.route("/repairs", methods=["POST"])
@blp.arguments(RepairRequestSchema)
@blp.response(201, RepairWithChangesSchema)
@thinks_first(_think)
def propose_repair(_args: dict[str, Any]) -> Any:
    """Say what happened, and read what to do

    The answer is a first proposal: what moves and why, what has no place, whom to call in which order, what it costs,
    and what a larger budget would buy. Nothing is changed before it is approved. A worker looks for a better one
    meanwhile: read it again while `searching` is true.
    """
    found = thought()
    if found is None:
        raise Busy("The same request was given up a moment ago. Send it again.", retry_after=1)
    repair = service.propose(work(), found)
    where = flask.url_for("repairs.read_repair", repair_id=repair.id)
    return in_full(repair), {"Location": where, "ETag": etag_of(repair)}


@blp.route("/repairs")
@blp.arguments(RepairQuery, location="query")
@blp.response(200, page_schema(RepairSchema))
def list_repairs(args: dict[str, Any]) -> Any:
    """Repairs of one's branches, oldest first"""
    query = service.search(work(), branch_id=args["branch_id"], status=args["status"])
    found = page(work().session, query, [Repair.requested_at, Repair.id], args)
    for repair in found["items"]:
        if "patient_id" in repair.event:
            work().record("repair.listed", f"repair:{repair.id}", patient_id=repair.event["patient_id"])
    return found | {"items": [shown(repair) for repair in found["items"]]}


@blp.route("/repairs/<id:repair_id>")
@blp.response(200, RepairWithChangesSchema)
def read_repair(repair_id: int) -> Any:
    """A repair with everything that it would change"""
    repair = service.get(work(), repair_id)
    return in_full(repair), with_etag(repair)[1]


@blp.route("/repairs/<id:repair_id>/calls")
@blp.response(200, CallsSchema)
def read_calls(repair_id: int) -> Any:
    """Whom to call, in order

    Patients whose visit is soonest first, told ones before others; then clinicians. Of an approved repair, only what
    was approved.
    """
    told = calls.calls(work(), repair_id)
    repair = service.visible_repair(work(), repair_id)
    return {"repair": repair_id, "zone": zone_of(work(), repair.branch_id).key, "calls": told}, with_etag(repair)[1]


@blp.route("/repairs/<id:repair_id>/approve", methods=["POST"])
@blp.arguments(ApproveSchema)
@blp.response(200, RepairWithChangesSchema)
def approve_repair(args: dict[str, Any], repair_id: int) -> Any:
    """Approve a repair, or what concerns some patients

    One transaction: what happened is recorded, visits move, rosters rise, clinicians are told. 412 when the days
    changed since it was proposed; 409 when it is decided already or something stands in the way; 422 with the rules'
    findings.
    """
    may_call(work(), approval.approve)
    repair = service.visible_repair(work(), repair_id)
    require_match(repair)
    repair = approval.approve(work(), repair_id, repair.version, args["patient_ids"])
    return in_full(repair), with_etag(repair)[1]


@blp.route("/repairs/<id:repair_id>/reject", methods=["POST"])
@blp.response(200, RepairSchema)
def reject_repair(repair_id: int) -> Any:
    """Reject a repair

    Nothing is changed, and what happened is not recorded by it.
    """
    may_call(work(), approval.reject)
    repair = service.visible_repair(work(), repair_id)
    require_match(repair)
    repair = approval.reject(work(), repair_id, repair.version)
    return shown(repair), with_etag(repair)[1]
