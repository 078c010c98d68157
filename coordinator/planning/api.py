"""Planning runs over HTTP: long work is a resource that is asked for, watched, compared and published."""

from typing import Any

import flask
from marshmallow import fields, validate

from coordinator.agency.service import zone_of
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.vocabulary import RunStatus
from coordinator.planning import publication, service
from coordinator.planning.limits import DEFAULT_SECONDS, LONGEST_DAYS, MOST_ITERATIONS, MOST_SECONDS
from coordinator.planning.model import PlanRun
from coordinator.visits.publishing import SetAside
from coordinator.visits.schemas import VisitOverrideSchema

blp = Blueprint("planning", __name__, url_prefix="/api/v1", description="Planning runs: proposals, diffs, publication")


# ------------------------------------------------------------------------------------ shapes


class PlanRunRequestSchema(Schema):
    branch_id = Id(required=True, metadata={"example": 1})
    start_on = Day(required=True, metadata={"example": "2026-11-23", "description": "First day, the branch's"})
    end_on = Day(load_default=None, allow_none=True, metadata={"description": "Last day; or say `days`"})
    days = Whole(low=1, high=LONGEST_DAYS, load_default=7)
    kind = Text(load_default="week", validate=validate.OneOf(("week",)), metadata={"example": "week"})
    seconds = Whole(
        low=1, high=MOST_SECONDS, load_default=DEFAULT_SECONDS, metadata={"example": 30}
    )  # fmt: skip
    seed = Whole(low=0, high=2**31 - 1, load_default=0)
    iterations = Whole(
        low=1, high=MOST_ITERATIONS, load_default=None, allow_none=True,
        metadata={"description": "Stop after so many, whatever the time: same rows, seed and number, same plan"},
    )  # fmt: skip


class ReasonSchema(Schema):
    code = fields.String(metadata={"example": "CRD-01"})
    sentence = fields.String(metadata={"example": "licence is valid to 2026-11-01, not on 2026-11-24."})
    clinician_id = fields.Integer(allow_none=True)
    clinician_ids = fields.List(fields.Integer(), metadata={"description": "Whom it concerns; none: whoever it were"})
    day = fields.String(allow_none=True)
    days = fields.List(fields.String(), metadata={"description": "On which days; none: on all"})
    at_best_on = fields.String(
        allow_none=True, metadata={"description": "Of several days, the one that comes closest, and speaks"}
    )
    facts = fields.Dict()


class UnplacedSchema(Schema):
    visit = Id(attribute="visit_id")
    reasons = fields.List(fields.Nested(ReasonSchema))


class WaitingSchema(Schema):
    order = fields.Integer()
    patient_id = fields.Integer()
    discipline = fields.String(metadata={"example": "PT"})
    status = fields.String()
    code = fields.String(metadata={"example": "ORD-01"})
    sentence = fields.String()
    cure = fields.String()
    citation = fields.String()
    needed_by = fields.String(allow_none=True)
    visits = fields.Integer(metadata={"description": "Visits that the order would ask for in the weeks of the run"})
    weeks = fields.List(fields.Dict())


class PlanRunClockSchema(Schema):
    """A dated obligation that is due by the end of the run."""

    deadline = fields.Integer()
    rule = fields.String(metadata={"example": "SUP-01"})
    about = fields.String(metadata={"example": "patient:7"})
    patient_id = fields.Integer()
    due_on = fields.String()
    visit = fields.Integer(allow_none=True, metadata={"description": "The visit that carries it; none: no visit does"})


class ResultSchema(Schema):
    """How good the proposal is. An incomplete plan is a result, not an error."""

    wanted = fields.Integer()
    placed = fields.Integer()
    fixed = fields.Integer(metadata={"description": "Visits that stay as they are: begun, locked, or to be decided"})
    later = fields.Integer(metadata={"description": "Wanted, with days after the run: they wait for a later one"})
    unplaced = fields.List(fields.Nested(UnplacedSchema))
    waiting = fields.List(fields.Nested(WaitingSchema))
    clocks = fields.List(fields.Nested(PlanRunClockSchema))
    travel_minutes = fields.Integer()
    waiting_minutes = fields.Integer()
    overtime_minutes = fields.Integer()
    continuity = fields.Integer(metadata={"description": "Percent of visits made by who is known there best"})
    violations = fields.List(fields.Dict(), metadata={"description": "Broken hard rules; empty unless fixed so"})
    score = fields.List(fields.Dict(), metadata={"description": "Each constraint: count, cents and a sentence"})
    cost = fields.Integer()
    iterations = fields.Integer()
    seconds = fields.Float()
    stopped_by = fields.String()
    seed = fields.Integer()
    problem_hash = fields.String()
    fingerprint = fields.String()
    unconfirmable = fields.List(
        fields.Dict(), metadata={"description": "Visits that stand, that the rules would not confirm: to be decided"}
    )
    unlocated_patients = fields.List(fields.Integer(), metadata={"description": "The branch's office stands in"})
    imprecise_patients = fields.List(
        fields.Dict(), metadata={"description": "Homes whose point may be streets away: patient_id and precision"}
    )
    travel_sources = fields.Dict(
        metadata={
            "description": "What the travel times stand on: ways by_road (asked for this run), remembered, estimated, "
            "no_road (asked, and the server knows no way: estimated), oldest, traffic factor, note"
        }
    )


class PlanRunSchema(Schema):
    id = Id()
    branch_id = Id()
    kind = Text()
    status = Word(RunStatus)
    version = fields.Integer()
    zone = fields.String(metadata={"example": "America/Los_Angeles"})
    start_on = Day()
    end_on = Day()
    seconds = fields.Integer()
    seed = fields.Integer()
    iterations = fields.Integer(allow_none=True)
    requested_by_id = Id(allow_none=True)
    requested_at = Instant()
    started_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)
    published_at = Instant(allow_none=True)
    published_by_id = Id(allow_none=True)
    cancel_requested = fields.Boolean()
    progress = fields.Dict(allow_none=True)
    problem_hash = fields.String(allow_none=True)
    fingerprint = fields.String(allow_none=True)
    error = fields.String(allow_none=True)


class PlanRunResultSchema(PlanRunSchema):
    result = fields.Nested(ResultSchema, allow_none=True)


class PlaceSchema(Schema):
    clinician_id = fields.Integer()
    starts_at = Instant()
    ends_at = Instant(allow_none=True)


class ChangeSchema(Schema):
    visit = fields.Integer()
    patient_id = fields.Integer()
    discipline = fields.String()
    kind = fields.String()
    change = fields.String(metadata={"enum": list(publication.WORDS)})
    what = fields.List(fields.String(), metadata={"description": "Of a moved visit: clinician, day, time"})
    before = fields.Nested(PlaceSchema, allow_none=True)
    after = fields.Nested(PlaceSchema, allow_none=True)
    cause = fields.Dict(metadata={"description": "Why, as a code and a sentence"})
    told = fields.Boolean(metadata={"description": "The patient had been told of the time before"})
    stale = fields.Boolean(metadata={"description": "The visit changed since: publication would refuse it"})


class PatientChangesSchema(Schema):
    patient_id = fields.Integer()
    changes = fields.List(fields.Nested(ChangeSchema))


class ClinicianChangesSchema(Schema):
    clinician_id = fields.Integer()
    changes = fields.List(fields.Nested(ChangeSchema))


class DiffSchema(Schema):
    run_id = fields.Integer()
    branch_id = fields.Integer()
    status = Word(RunStatus)
    zone = fields.String()
    counts = fields.Dict()
    by_patient = fields.List(fields.Nested(PatientChangesSchema))
    by_clinician = fields.List(fields.Nested(ClinicianChangesSchema))
    stale = fields.List(fields.Integer())


class ExplanationSchema(Schema):
    visit = fields.Integer()
    placed = fields.Boolean()
    clinician_id = fields.Integer()
    starts_at = Instant()
    ends_at = Instant()
    travel_minutes = fields.Integer()
    alternative = fields.Dict(allow_none=True, metadata={"description": "The next best clinician, and cents more"})
    reasons = fields.List(fields.Nested(ReasonSchema))
    relaxations = fields.String(
        metadata={"description": "Where to ask what would place it: by what stands then, not by what the run has"}
    )


class ExplanationsSchema(Schema):
    zone = fields.String()
    visits = fields.List(fields.Nested(ExplanationSchema))


class SetAsideSchema(VisitOverrideSchema):
    visit = Id(required=True)
    rules = fields.List(Text(max_length=20), required=True, validate=validate.Length(min=1, max=20))


class PublishSchema(Schema):
    only_visit_ids = fields.List(
        Id(), load_default=None, allow_none=True, validate=validate.Length(max=2000),
        metadata={"description": "Only these visits; the others stay as they are", "example": [1, 2]},
    )  # fmt: skip
    overrides = fields.List(
        fields.Nested(SetAsideSchema), load_default=list, validate=validate.Length(max=200),
        metadata={"description": "Rules that are set aside for visits of the plan, each with its reason"},
    )  # fmt: skip


class RunQuery(PageQuery):
    branch_id = Id(load_default=None, allow_none=True)
    status = Word(RunStatus, load_default=None, allow_none=True)


class ExplanationQuery(Schema):
    visit_id = Id(load_default=None, allow_none=True)


# ------------------------------------------------------------------------------------ routes


def _shown(run: PlanRun) -> dict[str, Any]:
    """The run as it is spoken, its zone beside its instants."""
    said: dict[str, Any] = {
        column.key: getattr(run, column.key) for column in PlanRun.__table__.columns if column.key != "result"
    }
    return said | {"zone": zone_of(work(), run.branch_id).key}


def _with_result(run: PlanRun) -> dict[str, Any]:
    result = None if run.result is None else run.result | {"unplaced": service.unplaced_of(work(), run.id)}
    return _shown(run) | {"result": result}


def _location(run: PlanRun) -> str:
    return flask.url_for("planning.read_run", run_id=run.id)


@blp.route("/plan-runs", methods=["POST"])
@blp.arguments(PlanRunRequestSchema)
@blp.response(202, PlanRunSchema)
def start_run(args: dict[str, Any]) -> Any:
    """Ask for a plan

    The answer names where to look: a run is queued, searched by a worker, and ends as a proposal that changes nothing
    until it is published.
    """
    run = service.start_run(work(), args.pop("branch_id"), args.pop("start_on"), **args)
    return _shown(run), {"Location": _location(run), "ETag": f'"{run.version}"'}


@blp.route("/plan-runs")
@blp.arguments(RunQuery, location="query")
@blp.response(200, page_schema(PlanRunSchema))
def list_runs(args: dict[str, Any]) -> Any:
    """Planning runs of one's branches, oldest first"""
    query = service.search_runs(work(), branch_id=args["branch_id"], status=args["status"])
    found = page(work().session, query, [PlanRun.requested_at, PlanRun.id], args)
    return found | {"items": [_shown(run) for run in found["items"]]}


@blp.route("/plan-runs/<id:run_id>")
@blp.response(200, PlanRunResultSchema)
def read_run(run_id: int) -> Any:
    """A run with its progress, or its result"""
    run = service.get(work(), run_id)
    return _with_result(run), with_etag(run)[1]


@blp.route("/plan-runs/<id:run_id>", methods=["DELETE"])
@blp.response(202, PlanRunSchema)
def cancel_run(run_id: int) -> Any:
    """Stop a run

    One that waits is cancelled at once; one at work within a second or two.
    """
    run = service.cancel(work(), run_id)
    return _shown(run), with_etag(run)[1]


@blp.route("/plan-runs/<id:run_id>/diff")
@blp.response(200, DiffSchema)
def read_diff(run_id: int) -> Any:
    """What the proposal would change

    By patient and by clinician: before, after, and why.
    """
    found = publication.diff(work(), run_id)
    return found, with_etag(service.visible_run(work(), run_id))[1]


@blp.route("/plan-runs/<id:run_id>/explanation")
@blp.arguments(ExplanationQuery, location="query")
@blp.response(200, ExplanationsSchema)
def read_explanation(args: dict[str, Any], run_id: int) -> Any:
    """Why each visit is where it is, or nowhere"""
    visits = service.explanation(work(), run_id, args["visit_id"])
    return {"zone": zone_of(work(), service.visible_run(work(), run_id).branch_id).key, "visits": visits}


@blp.route("/plan-runs/<id:run_id>/publish", methods=["POST"])
@blp.arguments(PublishSchema)
@blp.response(200, PlanRunResultSchema)
def publish_run(args: dict[str, Any], run_id: int) -> Any:
    """Publish a proposal

    All of it in one transaction, or the visits that are named. 412 names the visits that changed since the plan was
    made; 409 says that it is no longer a proposal; 422 carries every finding of the rules.
    """
    may_call(work(), publication.publish)
    run = service.visible_run(work(), run_id)
    require_match(run)
    asides = [SetAside(one.pop("visit"), frozenset(one.pop("rules")), one) for one in args["overrides"]]
    run = publication.publish(work(), run_id, run.version, args["only_visit_ids"], asides)
    return _with_result(run), with_etag(run)[1]
