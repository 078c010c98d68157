"""Over HTTP: visits that scores propose, safety protocols, and treatments scored before and after."""

from typing import Any

from marshmallow import fields

from coordinator.care import proposals, safety, treatments
from coordinator.care.response_model import SafetyProtocol, SymptomTreatment, VisitProposal
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.care import ProposalStatus, SafetyOutcome, SafetyStep
from coordinator.domain.vocabulary import Discipline

blp = Blueprint("responses", __name__, url_prefix="/api/v1", description="What scores lead to: visits, safety, scores")


# ------------------------------------------------------------------------------------ visits that scores propose


class VisitProposalSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    assessment_id = Id()
    discipline = Word(Discipline)
    rule = fields.String(metadata={"example": "INS-02"})
    because = fields.List(fields.String(), metadata={"description": "Codes of what calls for it", "example": ["pain"]})
    status = Word(ProposalStatus)
    order_id = Id(allow_none=True)
    left = Whole(metadata={"description": "As-needed visits that the order had left"})
    physician_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    decline_reason = fields.String(allow_none=True)
    proposed_at = Instant()
    decided_at = Instant(allow_none=True)


class VisitProposalQuery(PageQuery):
    waiting = fields.Boolean(load_default=False, metadata={"description": "Those alone that wait for an answer"})


class AcceptProposalSchema(Schema):
    signs = Text(
        max_length=500, load_default=None, allow_none=True,
        metadata={"description": "The symptoms that call for it; else the codes", "example": "Pain is not controlled"},
    )  # fmt: skip
    window_to = Day(load_default=None, allow_none=True, metadata={"description": "Last day on which it may be made"})


class DeclineProposalSchema(Schema):
    reason = Text(required=True, max_length=300, metadata={"example": "Settled by telephone"})


class AnswerProposalSchema(Schema):
    order_id = Id(required=True, metadata={"example": 12})


@blp.route("/patients/<id:patient_id>/visit-proposals")
@blp.arguments(VisitProposalQuery, location="query")
@blp.response(200, page_schema(VisitProposalSchema))
def list_proposals(args: dict[str, Any], patient_id: int) -> Any:
    """Visits that a patient's scores proposed, oldest first"""
    query = proposals.search(work(), patient_id, waiting=args["waiting"])
    return page(work().session, query, (VisitProposal.id,), args)


@blp.route("/visit-proposals/<id:proposal_id>")
@blp.response(200, VisitProposalSchema)
def read_proposal(proposal_id: int) -> Any:
    """One proposed visit"""
    return with_etag(proposals.get(work(), proposal_id))


def _proposal(proposal_id: int, verb: Any) -> None:
    may_call(work(), verb)
    require_match(proposals.proposal_for_change(work(), proposal_id))


@blp.route("/visit-proposals/<id:proposal_id>/accept", methods=["POST"])
@blp.arguments(AcceptProposalSchema)
@blp.response(200, VisitProposalSchema)
def accept_proposal(args: dict[str, Any], proposal_id: int) -> Any:
    """Want the visit, within the order's as-needed limit

    Send If-Match. Beyond the limit the rules refuse (FRQ-05): then the physician is asked for an order.
    """
    _proposal(proposal_id, proposals.accept)
    return with_etag(proposals.accept(work(), proposal_id, **args))


@blp.route("/visit-proposals/<id:proposal_id>/decline", methods=["POST"])
@blp.arguments(DeclineProposalSchema)
@blp.response(200, VisitProposalSchema)
def decline_proposal(args: dict[str, Any], proposal_id: int) -> Any:
    """Say why no visit follows

    Send If-Match.
    """
    _proposal(proposal_id, proposals.decline)
    return with_etag(proposals.decline(work(), proposal_id, args["reason"]))


@blp.route("/visit-proposals/<id:proposal_id>/answer", methods=["POST"])
@blp.arguments(AnswerProposalSchema)
@blp.response(200, VisitProposalSchema)
def answer_proposal(args: dict[str, Any], proposal_id: int) -> Any:
    """Put the live order on record that answers it

    Send If-Match. With an as-needed visit left under that order, the proposal may be accepted now.
    """
    _proposal(proposal_id, proposals.answer)
    return with_etag(proposals.answer(work(), proposal_id, args["order_id"]))


# ------------------------------------------------------------------------------------ safety protocols


class SafetyStepTakenSchema(Schema):
    step = Word(SafetyStep)
    taken_at = Instant()
    taken_by = Id(allow_none=True)
    note = fields.String(allow_none=True)


class SafetyProtocolSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    assessment_id = Id()
    opened_at = Instant()
    needed = fields.Function(
        lambda _row: sorted(work().policy.instruments.safety_steps),
        metadata={"type": "array", "items": {"type": "string"}, "description": "Steps that closing it takes"},
    )
    steps = fields.List(fields.Nested(SafetyStepTakenSchema))
    outcome = Word(SafetyOutcome, allow_none=True)
    outcome_note = fields.String(allow_none=True)
    closed_by = Id(allow_none=True)
    closed_at = Instant(allow_none=True)


class TakeStepSchema(Schema):
    step = Word(SafetyStep, required=True, metadata={"example": "practitioner_told"})
    note = Text(load_default=None, allow_none=True, max_length=2000)


class CloseProtocolSchema(Schema):
    outcome = Word(
        SafetyOutcome, load_default=None, allow_none=True,
        metadata={"example": "safety_plan_agreed", "description": "Without one it is not closed"},
    )  # fmt: skip
    note = Text(load_default=None, allow_none=True, max_length=2000)


@blp.route("/patients/<id:patient_id>/safety-protocols")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(SafetyProtocolSchema))
def list_protocols(args: dict[str, Any], patient_id: int) -> Any:
    """A patient's safety protocols, oldest first"""
    return page(work().session, safety.search(work(), patient_id), (SafetyProtocol.id,), args)


@blp.route("/safety-protocols/<id:protocol_id>")
@blp.response(200, SafetyProtocolSchema)
def read_protocol(protocol_id: int) -> Any:
    """One safety protocol"""
    return with_etag(safety.get(work(), protocol_id))


@blp.route("/safety-protocols/<id:protocol_id>/steps", methods=["POST"])
@blp.arguments(TakeStepSchema)
@blp.response(201, SafetyProtocolSchema)
def take_step(args: dict[str, Any], protocol_id: int) -> Any:
    """Record a step that was taken now; each step once"""
    return with_etag(safety.take_step(work(), protocol_id, args["step"], args["note"]))


@blp.route("/safety-protocols/<id:protocol_id>/close", methods=["POST"])
@blp.arguments(CloseProtocolSchema)
@blp.response(200, SafetyProtocolSchema)
def close_protocol(args: dict[str, Any], protocol_id: int) -> Any:
    """Close it with its outcome

    Send If-Match. Refused with everything that is lacking: the outcome, and the steps that the policy asks for.
    """
    may_call(work(), safety.close)
    require_match(safety.protocol_for_change(work(), protocol_id))
    return with_etag(safety.close(work(), protocol_id, args["outcome"], args["note"]))


# ------------------------------------------------------------------------------------ before and after a treatment


class GiveTreatmentSchema(Schema):
    order_id = Id(required=True, metadata={"example": 12, "description": "A live order that names the treatment"})
    treatment = Text(required=True, max_length=120, metadata={"example": "morphine"})
    symptom = Text(required=True, max_length=40, metadata={"example": "pain", "description": "An item of the ESAS-r"})
    score_before = Whole(required=True, high=10, metadata={"example": 8})
    given_at = Instant(load_default=None, allow_none=True)
    visit_id = Id(load_default=None, allow_none=True)


class ScoreAfterSchema(Schema):
    score = Whole(required=True, high=10, metadata={"example": 3})
    scored_at = Instant(load_default=None, allow_none=True)


class SymptomTreatmentSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    visit_id = Id(allow_none=True)
    order_id = Id()
    activity = fields.Constant(treatments.ACTIVITY)
    treatment = fields.String()
    symptom = fields.String()
    given_at = Instant()
    given_by = Id(allow_none=True)
    score_before = Whole()
    score_due_at = Instant()
    score_after = Whole(allow_none=True)
    scored_at = Instant(allow_none=True)
    change = fields.Integer(
        allow_none=True, metadata={"description": "After less before: below nought, the symptom eased"}
    )


@blp.route("/patients/<id:patient_id>/treatments", methods=["POST"])
@blp.arguments(GiveTreatmentSchema)
@blp.response(201, SymptomTreatmentSchema)
def give_treatment(args: dict[str, Any], patient_id: int) -> Any:
    """Record a treatment given to manage a symptom, with the score before it

    Refused without a live order that names it (ORD-01). The score after is asked for, and reminded of.
    """
    return with_etag(treatments.give(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/treatments")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_schema(SymptomTreatmentSchema))
def list_treatments(args: dict[str, Any], patient_id: int) -> Any:
    """A patient's treatments with the scores before and after, oldest first"""
    query = treatments.search(work(), patient_id)
    return page(work().session, query, (SymptomTreatment.given_at, SymptomTreatment.id), args)


@blp.route("/treatments/<id:treatment_id>")
@blp.response(200, SymptomTreatmentSchema)
def read_treatment(treatment_id: int) -> Any:
    """One treatment with its scores"""
    return with_etag(treatments.get(work(), treatment_id))


@blp.route("/treatments/<id:treatment_id>/score", methods=["POST"])
@blp.arguments(ScoreAfterSchema)
@blp.response(200, SymptomTreatmentSchema)
def score_after(args: dict[str, Any], treatment_id: int) -> Any:
    """Rate the symptom after the treatment

    Send If-Match. Once: what was rated stands.
    """
    may_call(work(), treatments.score_after)
    require_match(treatments.treatment_for_change(work(), treatment_id))
    return with_etag(treatments.score_after(work(), treatment_id, args["score"], scored_at=args["scored_at"]))
