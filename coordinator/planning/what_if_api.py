"""Scenarios over HTTP: named, run beside the live plan, compared with it, thrown away. Nothing of them is published."""

from typing import Any

import flask
from marshmallow import fields

from coordinator.agency.service import zone_of
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.vocabulary import RunStatus
from coordinator.planning import what_if
from coordinator.planning.limits import DEFAULT_SECONDS, LONGEST_DAYS, MOST_ITERATIONS, MOST_SECONDS
from coordinator.planning.what_if_changes import ChangesSchema
from coordinator.planning.what_if_model import Scenario, ScenarioRun

blp = Blueprint("scenarios", __name__, url_prefix="/api/v1", description="What if: scenarios beside the live plan")


# ------------------------------------------------------------------------------------ shapes


class ScenarioCreateSchema(Schema):
    branch_id = Id(required=True, metadata={"example": 1})
    name = Text(required=True, max_length=80, metadata={"example": "A Spanish-speaking nurse in the Mission"})
    start_on = Day(required=True, metadata={"example": "2026-11-23", "description": "First day, the branch's"})
    end_on = Day(load_default=None, allow_none=True, metadata={"description": "Last day; or say `days`"})
    days = Whole(low=1, high=LONGEST_DAYS, load_default=7)
    changes = fields.Nested(
        ChangesSchema, required=True, metadata={"example": {"without_clinicians": [{"clinician_id": 1}]}}
    )


class ScenarioSchema(Schema):
    id = Id()
    branch_id = Id()
    zone = fields.Function(lambda one: zone_of(work(), one.branch_id).key, metadata={"type": "string"})
    name = Text()
    start_on = Day()
    end_on = Day()
    changes = fields.Dict(metadata={"description": "As kept: every place a point, every day filled in"})
    made_by_id = Id(allow_none=True)
    made_at = Instant()
    version = fields.Integer()


class ScenarioRunRequestSchema(Schema):
    seconds = Whole(
        low=1, high=MOST_SECONDS, load_default=DEFAULT_SECONDS, metadata={"description": "For each plan", "example": 30}
    )
    seed = Whole(low=0, high=2**31 - 1, load_default=0)
    iterations = Whole(low=1, high=MOST_ITERATIONS, load_default=None, allow_none=True)


class LeftOutSchema(Schema):
    discipline = fields.String(metadata={"example": "SN"})
    visits = fields.Integer()
    visit_ids = fields.List(fields.Integer(), metadata={"description": "Those that are rows"})
    imagined = fields.Integer(metadata={"description": "Of referrals that the scenario brings"})
    reasons = fields.List(
        fields.Dict(),
        metadata={
            "description": "Code, how many visits it concerns; what it says of one, and of which if that is a row"
        },
    )


class SummarySchema(Schema):
    clinicians = fields.Integer(metadata={"description": "Who have a day in the plan"})
    wanted = fields.Integer()
    placed = fields.Integer()
    unplaced = fields.Integer()
    fixed = fields.Integer()
    travel_minutes = fields.Integer()
    overtime_minutes = fields.Integer()
    worked_minutes = fields.Integer()
    waiting_minutes = fields.Integer()
    continuity = fields.Integer(metadata={"description": "Percent"})
    patients_moved = fields.Integer(metadata={"description": "Whose standing visits are elsewhere, or nowhere"})
    visits_moved = fields.Integer()
    held_slots = fields.Integer(metadata={"description": "Held for referrals; fewer: of clinicians who are gone"})
    violations = fields.Integer()
    cost = fields.Integer(metadata={"description": "Cents, at this plan's own prices"})
    parts = fields.List(fields.Dict())
    left_out = fields.List(fields.Nested(LeftOutSchema))
    iterations = fields.Integer()
    seconds = fields.Float()
    seed = fields.Integer()
    stopped_by = fields.String()
    fingerprint = fields.String()


class ComparisonSchema(Schema):
    base = fields.Nested(SummarySchema)
    variant = fields.Nested(SummarySchema)
    difference = fields.Dict(metadata={"description": "Variant less base, by name"})
    cost_at_base_prices = fields.Integer(
        metadata={"description": "Where only prices differ: the variant's plan at the prices that hold now"}
    )


class ScenarioRunSchema(Schema):
    id = Id()
    scenario_id = Id()
    status = Word(RunStatus)
    seconds = fields.Integer()
    seed = fields.Integer()
    iterations = fields.Integer(allow_none=True)
    requested_by_id = Id(allow_none=True)
    requested_at = Instant()
    started_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)
    cancel_requested = fields.Boolean()
    progress = fields.Dict(allow_none=True)
    result = fields.Nested(ComparisonSchema, allow_none=True)
    error = fields.String(allow_none=True)


class ScenarioQuery(PageQuery):
    branch_id = Id(load_default=None, allow_none=True)


# ------------------------------------------------------------------------------------ routes


def _result_of(run: ScenarioRun) -> dict[str, str]:
    return {"Location": flask.url_for("scenarios.read_result", scenario_id=run.scenario_id)}


@blp.route("/scenarios", methods=["POST"])
@blp.arguments(ScenarioCreateSchema)
@blp.response(201, ScenarioSchema)
def create_scenario(args: dict[str, Any]) -> Any:
    """Name a scenario

    What would be otherwise: clinicians more or less, more referrals, other prices. Nothing is searched yet, and nothing
    of it ever touches a visit.
    """
    scenario = what_if.create(
        work(), args["branch_id"], args["name"], args["start_on"], args["changes"], end_on=args["end_on"],
        days=args["days"],
    )  # fmt: skip
    shown, headers = with_etag(scenario)
    return shown, headers | {"Location": flask.url_for("scenarios.read_scenario", scenario_id=scenario.id)}


@blp.route("/scenarios")
@blp.arguments(ScenarioQuery, location="query")
@blp.response(200, page_schema(ScenarioSchema))
def list_scenarios(args: dict[str, Any]) -> Any:
    """Scenarios of one's branches, oldest first"""
    return page(work().session, what_if.search(work(), branch_id=args["branch_id"]), [Scenario.id], args)


@blp.route("/scenarios/<id:scenario_id>")
@blp.response(200, ScenarioSchema)
def read_scenario(scenario_id: int) -> Any:
    """A scenario and its changes"""
    return with_etag(what_if.get(work(), scenario_id))


@blp.route("/scenarios/<id:scenario_id>", methods=["DELETE"])
@blp.response(204)
def delete_scenario(scenario_id: int) -> None:
    """Throw a scenario and its results away

    Send If-Match.
    """
    may_call(work(), what_if.delete)
    require_match(what_if.visible(work(), scenario_id))
    what_if.delete(work(), scenario_id)


@blp.route("/scenarios/<id:scenario_id>/run", methods=["POST"])
@blp.arguments(ScenarioRunRequestSchema)
@blp.response(202, ScenarioRunSchema)
def run_scenario(args: dict[str, Any], scenario_id: int) -> Any:
    """Compare a scenario with what stands

    Both plans are searched from the same rows with the same seed, for as long or for as many iterations. The answer
    names where to look.
    """
    run = what_if.start_run(work(), scenario_id, **args)
    return run, _result_of(run)


@blp.route("/scenarios/<id:scenario_id>/run", methods=["DELETE"])
@blp.response(202, ScenarioRunSchema)
def cancel_scenario(scenario_id: int) -> Any:
    """Stop the scenario's run

    One that waits is cancelled at once; one at work within a second or two.
    """
    run = what_if.cancel(work(), scenario_id)
    return run, _result_of(run)


@blp.route("/scenarios/<id:scenario_id>/result")
@blp.response(200, ScenarioRunSchema)
def read_result(scenario_id: int) -> Any:
    """The newest run of a scenario: how far it is, or both plans side by side"""
    return what_if.newest_run(work(), scenario_id)
