"""Care plans, the aide's instructions and reviews of long hours over HTTP."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.domain.vocabulary import GoalCategory
from coordinator.orders import aides, plans
from coordinator.orders.queries import open_episode, today_of
from coordinator.patients.scope import require_sight

blp = Blueprint("care plans", __name__, url_prefix="/api/v1", description="Care plans, goals, aide instructions")


class CareGoalSchema(Schema):
    id = Id(dump_only=True)
    category = Word(GoalCategory, required=True, metadata={"example": "what_matters_most"})
    text = Text(required=True, max_length=2000, metadata={"example": "To sit in the garden with my granddaughter"})
    language = Text(max_length=20, load_default="en", metadata={"description": "BCP-47", "example": "zh-Hant"})


class CareGoalEditSchema(Schema):
    category = Word(GoalCategory, metadata={"example": "comfort"})
    text = Text(max_length=2000, metadata={"example": "To sleep through the night without pain"})
    language = Text(max_length=20, metadata={"example": "en"})


class CareProblemSchema(Schema):
    id = Id(dump_only=True)
    text = Text(required=True, max_length=300, metadata={"example": "Breathless when walking"})
    code = Text(max_length=10, load_default=None, allow_none=True, metadata={"example": "R06.02"})


class CarePlanSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    episode_id = Id()
    managing_physician_id = Id()
    starts_on = Day()
    goals = fields.List(fields.Nested(CareGoalSchema))
    problems = fields.List(fields.Nested(CareProblemSchema))


class CarePlanOpenSchema(Schema):
    managing_physician_id = Id(required=True, metadata={"example": 1})
    starts_on = Day(required=True, metadata={"example": "2026-11-09"})
    goals = fields.List(fields.Nested(CareGoalSchema), load_default=list, validate=validate.Length(max=50))
    problems = fields.List(fields.Nested(CareProblemSchema), load_default=list, validate=validate.Length(max=50))


class CarePlanEditSchema(Schema):
    managing_physician_id = Id(metadata={"example": 1})
    starts_on = Day(metadata={"example": "2026-11-09"})


class AideInstructionsWriteSchema(Schema):
    tasks = fields.List(
        Text(max_length=120), required=True, validate=validate.Length(min=1, max=60),
        metadata={"example": ["bathing", "transfers"]},
    )  # fmt: skip
    precautions = Text(load_default=None, allow_none=True)
    effective_from = Day(required=True, metadata={"example": "2026-11-09"})


class AideInstructionsSchema(Schema):
    id = Id()
    patient_id = Id()
    number = Whole()
    prepared_by_id = Id()
    effective_from = Day()
    tasks = fields.List(fields.String())
    precautions = fields.String(allow_none=True)
    recorded_at = Instant()


class AideAcknowledgementSchema(Schema):
    plan_id = Id()
    clinician_id = Id()
    acknowledged_at = Instant()


class AideInstructionsListSchema(Schema):
    current = fields.Nested(AideInstructionsSchema, allow_none=True)
    versions = fields.List(fields.Nested(AideInstructionsSchema))


class AideInstructionsQuery(Schema):
    on = Day(load_default=None, metadata={"description": "Default: today at the branch"})


class CaseReviewWriteSchema(Schema):
    need = Text(required=True, max_length=2000, metadata={"example": "Wound care twice a day until the graft holds"})
    starts_on = Day(required=True, metadata={"example": "2026-11-09"})
    ends_on = Day(required=True, metadata={"example": "2026-11-29"})


class CaseReviewSchema(Schema):
    id = Id()
    patient_id = Id()
    approved_by_id = Id()
    need = fields.String()
    starts_on = Day()
    ends_on = Day()


class CaseReviewListSchema(Schema):
    items = fields.List(fields.Nested(CaseReviewSchema))


# ------------------------------------------------------------------------------------ the plan


@blp.route("/patients/<id:patient_id>/care-plan", methods=["POST"])
@blp.arguments(CarePlanOpenSchema)
@blp.response(201, CarePlanSchema)
def open_plan(args: dict[str, Any], patient_id: int) -> Any:
    """Open the care plan of the current episode

    Under the physician who manages the patient's care; another is refused, and the answer says how care changes hands.
    """
    require_sight(work(), patient_id)
    episode = open_episode(work(), patient_id)
    return with_etag(plans.open_plan(work(), episode_id=episode.id, patient_id=patient_id, **args))


@blp.route("/patients/<id:patient_id>/care-plan")
@blp.response(200, CarePlanSchema)
def get_plan(patient_id: int) -> Any:
    """The care plan with goals and problems"""
    return with_etag(plans.get_plan(work(), patient_id))


@blp.route("/patients/<id:patient_id>/care-plan", methods=["PATCH"])
@blp.arguments(CarePlanEditSchema)
@blp.response(200, CarePlanSchema)
def edit_plan(args: dict[str, Any], patient_id: int) -> Any:
    """Change the managing physician or the first day (If-Match)"""
    plan = plans.get_plan(work(), patient_id)
    require_match(plan)
    if "starts_on" in args:
        plan = plans.edit_plan(work(), patient_id, starts_on=args["starts_on"])
    if "managing_physician_id" in args:
        plan = plans.change_managing_physician(work(), patient_id, args["managing_physician_id"])
    return with_etag(plan)


@blp.route("/patients/<id:patient_id>/care-plan/goals", methods=["POST"])
@blp.arguments(CareGoalSchema)
@blp.response(201, CarePlanSchema)
def add_goal(args: dict[str, Any], patient_id: int) -> Any:
    """Add a goal"""
    return with_etag(plans.add_goal(work(), patient_id, **args)[0])


@blp.route("/patients/<id:patient_id>/care-plan/goals/<id:goal_id>", methods=["PATCH"])
@blp.arguments(CareGoalEditSchema)
@blp.response(200, CarePlanSchema)
def edit_goal(args: dict[str, Any], patient_id: int, goal_id: int) -> Any:
    """Edit a goal (If-Match of the plan)"""
    require_match(plans.get_plan(work(), patient_id))
    return with_etag(plans.edit_goal(work(), patient_id, goal_id, **args))


@blp.route("/patients/<id:patient_id>/care-plan/goals/<id:goal_id>", methods=["DELETE"])
@blp.response(200, CarePlanSchema)
def remove_goal(patient_id: int, goal_id: int) -> Any:
    """Remove a goal (If-Match of the plan)"""
    require_match(plans.get_plan(work(), patient_id))
    return with_etag(plans.remove_goal(work(), patient_id, goal_id))


@blp.route("/patients/<id:patient_id>/care-plan/problems", methods=["POST"])
@blp.arguments(CareProblemSchema)
@blp.response(201, CarePlanSchema)
def add_problem(args: dict[str, Any], patient_id: int) -> Any:
    """Add a problem"""
    return with_etag(plans.add_problem(work(), patient_id, **args)[0])


# ------------------------------------------------------------------------------------ aides, long hours


@blp.route("/patients/<id:patient_id>/aide-instructions", methods=["PUT"])
@blp.arguments(AideInstructionsWriteSchema)
@blp.response(200, AideInstructionsSchema)
def write_instructions(args: dict[str, Any], patient_id: int) -> Any:
    """Write the aide's instructions anew (AID-02)

    A nurse or therapist. Earlier versions are kept.
    """
    return aides.write_instructions(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/aide-instructions")
@blp.arguments(AideInstructionsQuery, location="query")
@blp.response(200, AideInstructionsListSchema)
def read_instructions(args: dict[str, Any], patient_id: int) -> Any:
    """The aide's instructions in force, and every version"""
    versions = aides.all_instructions(work(), patient_id)
    day = args["on"] or today_of(work(), patient_id)
    return {"current": next((found for found in versions if found.effective_from <= day), None), "versions": versions}


@blp.route("/patients/<id:patient_id>/aide-instructions/<id:number>/acknowledgement", methods=["POST"])
@blp.response(201, AideAcknowledgementSchema)
def acknowledge_instructions(patient_id: int, number: int) -> Any:
    """The aide has read this version (AID-02)"""
    return aides.acknowledge(work(), patient_id, number)


@blp.route("/patients/<id:patient_id>/case-reviews", methods=["POST"])
@blp.arguments(CaseReviewWriteSchema)
@blp.response(201, CaseReviewSchema)
def approve_case_review(args: dict[str, Any], patient_id: int) -> Any:
    """Approve up to 35 hours a week for a stated need and time (INT-01)"""
    return aides.approve_case_review(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/case-reviews")
@blp.response(200, CaseReviewListSchema)
def list_case_reviews(patient_id: int) -> Any:
    """Reviews of the patient's hours"""
    return {"items": aides.case_reviews(work(), patient_id)}
