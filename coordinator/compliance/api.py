"""What holds a bill and what applies to a patient, over HTTP."""

from typing import Any

from marshmallow import fields

from coordinator.compliance import claims, cures, standing
from coordinator.compliance.standing import State
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, work

blp = Blueprint("compliance", __name__, url_prefix="/api/v1", description="What the rules say of a patient today")


class BillHoldSchema(Schema):
    id = Id()
    branch_id = Id()
    patient_id = Id()
    episode_id = Id()
    subject = Text(metadata={"example": "visit:9"})
    visit_id = Id(allow_none=True)
    order_id = Id(allow_none=True)
    period = Whole(allow_none=True, metadata={"description": "Certification period of the episode"})
    rule = Text(metadata={"example": "EVV-01"})
    findings = fields.List(fields.Dict(), metadata={"description": "Sentence, citation, facts and cure of each"})
    opened_at = Instant()
    opened_by = Text(metadata={"description": "The event or job that found it", "example": "visit-completed"})
    cleared_at = Instant(allow_none=True)
    cleared_by = Text(allow_none=True)


class BillHoldQuery(Schema):
    cleared = fields.Boolean(load_default=False, metadata={"description": "Those that were cleared, too"})


class ReasonNotToClaimSchema(Schema):
    code = Text(metadata={"description": "`held` by a rule, or `not-ready` whatever the rules say"})
    rule = Text(allow_none=True)
    citation = Text()
    sentence = Text()
    facts = fields.Dict()
    cure = Text()
    visit = Id(allow_none=True)
    order = Id(allow_none=True)
    period = Whole(allow_none=True)
    since = Instant()


class ClaimableSchema(Schema):
    subject = Text(metadata={"example": "period:3/2"})
    exportable = fields.Boolean(metadata={"description": "Whether it may be exported for a claim now"})
    reasons = fields.List(fields.Nested(ReasonNotToClaimSchema), metadata={"description": "Every reason why not"})
    first = Day(allow_none=True)
    last = Day(allow_none=True)
    visits = fields.List(Id(), allow_none=True, metadata={"description": "Of a period: the visits given in it"})


class CureQuery(Schema):
    clinician_id = Id(load_default=None, metadata={"description": "Who would make it; else who has it"})
    starts_at = Instant(load_default=None, metadata={"description": "When; else where it stands"})


class CureStepSchema(Schema):
    step = Whole()
    rule = Text()
    severity = Text()
    citation = Text()
    sentence = Text()
    facts = fields.Dict()
    cure = Text()
    roles = fields.List(Text(), metadata={"description": "Who can cure it"})
    doors = fields.List(Text(), metadata={"example": ["POST /api/v1/visits/12/interpreter"]})
    may_override = fields.List(Text(), metadata={"description": "Who may set it aside; empty: nobody"})
    remains = fields.List(
        Text(), allow_none=True, metadata={"description": "What refuses still if this alone is cured; null: not known"}
    )
    remains_after = fields.List(
        Text(), allow_none=True, metadata={"description": "What refuses still if this and all before it are cured"}
    )


class ConflictStepSchema(Schema):
    code = Text()
    sentence = Text()
    doors = fields.List(Text())


class CuresSchema(Schema):
    visit = Id()
    version = Whole()
    possible = fields.Boolean()
    clinician_id = Id(allow_none=True)
    starts_at = Instant(allow_none=True)
    day = Day()
    steps = fields.List(fields.Nested(CureStepSchema))
    conflicts = fields.List(fields.Nested(ConflictStepSchema))
    set_aside = fields.List(Text(), metadata={"description": "Rules that somebody has set aside for these facts"})


@blp.route("/visits/<id:visit_id>/cures")
@blp.arguments(CureQuery, location="query")
@blp.response(200, CuresSchema)
def read_cures(args: dict[str, Any], visit_id: int) -> Any:
    """What would make this visit possible

    The findings in the order in which they can be cured, who can cure each and through which door, and what the rules
    would refuse still. Without a clinician, what depends on the patient, the order and the day.
    """
    return cures.of_visit(work(), visit_id, args["clinician_id"], args["starts_at"])


class RuleStandingSchema(Schema):
    rule = Text(metadata={"example": "THX-01"})
    family = Text()
    severity = Text()
    sentence = Text()
    citation = Text()
    verification = Text()
    state = Word(State)
    overdue = fields.Boolean()
    set_aside = fields.Boolean(metadata={"description": "Somebody permitted has set it aside for what it finds now"})
    next_date = Day(allow_none=True)
    owner = Text(metadata={"description": "The role that answers for the next date"})
    facts = fields.Dict()
    findings = fields.List(fields.Dict())
    why_not = Text(metadata={"description": "Why it does not apply"})


class FamilyStandingSchema(Schema):
    family = Text()
    rules = fields.List(fields.Nested(RuleStandingSchema))


class ComplianceSchema(Schema):
    patient_id = Id()
    day = Day(metadata={"description": "Today in the branch's zone"})
    zone = Text()
    programme = Text(allow_none=True)
    counts = fields.Dict(metadata={"description": "How many rules are in each state"})
    overdue = Whole()
    families = fields.List(fields.Nested(FamilyStandingSchema), metadata={"description": "The most urgent first"})


@blp.route("/patients/<id:patient_id>/compliance")
@blp.response(200, ComplianceSchema)
def read_compliance(patient_id: int) -> Any:
    """How the patient stands with every rule today

    Kept, warning, blocking, holding a bill, waiting for a day, or not applicable and why; with facts and citation.
    """
    return standing.of_patient(work(), patient_id)


@blp.route("/patients/<id:patient_id>/bill-holds")
@blp.arguments(BillHoldQuery, location="query")
@blp.response(200, BillHoldSchema(many=True))
def list_bill_holds(args: dict[str, Any], patient_id: int) -> Any:
    """What keeps the patient's care from being claimed"""
    return claims.of_patient(work(), patient_id, also_cleared=args["cleared"])


@blp.route("/patients/<id:patient_id>/certification-periods/<id:number>/claim")
@blp.response(200, ClaimableSchema)
def claim_period(patient_id: int, number: int) -> Any:
    """Whether a certification period may be claimed, and if not, why not

    Of the newest episode; the first period begins with the start of care.
    """
    return claims.of_period(work(), patient_id, number)


@blp.route("/visits/<id:visit_id>/claim")
@blp.response(200, ClaimableSchema)
def claim_visit(visit_id: int) -> Any:
    """Whether a visit may be claimed, and if not, why not"""
    return claims.of_visit(work(), visit_id)
