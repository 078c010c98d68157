"""Documents that speak for the patient, over HTTP (ACP-01)."""

from typing import Any

from marshmallow import fields

from coordinator.care import directives
from coordinator.care.api import FlagSchema
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.work import may_call
from coordinator.domain.care import (
    CODE_STATUS_WORDS,
    CodeStatus,
    DirectiveKind,
    DirectiveSigner,
    DirectiveStatus,
    Resuscitation,
    WitnessBar,
)
from coordinator.domain.vocabulary import PractitionerType

blp = Blueprint("directives", __name__, url_prefix="/api/v1", description="Documents that speak for the patient")


class WitnessSchema(Schema):
    name = Text(required=True, max_length=200)
    bars = fields.List(Word(WitnessBar), load_default=list, metadata={"description": "What bars them from witnessing"})
    related = fields.Boolean(load_default=False)
    beneficiary = fields.Boolean(load_default=False)


class AgentSchema(Schema):
    name = Text(required=True, max_length=200)
    relation = Text(max_length=60, load_default=None, allow_none=True)
    phone = Text(max_length=40, load_default=None, allow_none=True)
    alternate = fields.Boolean(load_default=False)


class DirectiveEditSchema(Schema):
    stage = Word(
        DirectiveStatus, allow_none=True, metadata={"description": "discussed or in_progress: no document yet"}
    )
    executed_on = Day(allow_none=True, metadata={"example": "2026-11-01"})
    signed_by = Word(DirectiveSigner, allow_none=True)
    signed_on = Day(allow_none=True)
    practitioner_type = Word(PractitionerType, allow_none=True)
    practitioner_name = Text(max_length=200, allow_none=True)
    practitioner_signed_on = Day(allow_none=True)
    notarised = fields.Boolean()
    witnesses = fields.List(fields.Nested(WitnessSchema), validate=lambda rows: len(rows) <= 10)
    agents = fields.List(fields.Nested(AgentSchema), validate=lambda rows: len(rows) <= 10)
    resuscitation = Word(Resuscitation)
    choices = fields.Dict(
        keys=Text(max_length=40), values=Text(max_length=200), metadata={"example": {"interventions": "selective"}}
    )
    instructions = Text(allow_none=True)
    original_at = Text(max_length=200, allow_none=True, metadata={"description": "Where the original is kept"})
    scan = Text(max_length=200, allow_none=True, metadata={"description": "Reference of the scan"})


class DirectiveCreateSchema(DirectiveEditSchema):
    kind = Word(DirectiveKind, required=True, metadata={"example": "polst"})


class DirectiveSchema(DirectiveCreateSchema):
    class Meta:
        exclude = ("stage",)

    id = Id()
    version = Whole()
    patient_id = Id()
    status = Word(DirectiveStatus)
    flags = fields.List(fields.Nested(FlagSchema), metadata={"description": "For want of what it does not hold"})
    superseded_by_id = Id(allow_none=True)
    ended_on = Day(allow_none=True)
    end_reason = fields.String(allow_none=True)
    settled_at = Instant(allow_none=True)
    recorded_at = Instant()


class DirectivesSchema(Schema):
    code_status = Word(CodeStatus)
    code_status_words = fields.String()
    items = fields.List(fields.Nested(DirectiveSchema))


class RevokeDirectiveSchema(Schema):
    on = Day(required=True, metadata={"example": "2026-11-10"})
    reason = Text(required=True, max_length=300)


class RightsRequestSchema(Schema):
    told_on = Day(required=True, metadata={"example": "2026-11-10"})
    language = Text(required=True, max_length=20, metadata={"example": "zh-Hant"})
    written = fields.Boolean(required=True, metadata={"description": "Written material was left"})


class RightsSchema(RightsRequestSchema):
    id = Id()
    episode_id = Id()


@blp.route("/patients/<id:patient_id>/directives")
@blp.response(200, DirectivesSchema)
def list_directives(patient_id: int) -> Any:
    """A patient's documents, the ended ones too, and the code status that they make together"""
    patient, rows = directives.of_patient(work(), patient_id)
    return {
        "code_status": patient.code_status, "code_status_words": CODE_STATUS_WORDS[patient.code_status], "items": rows,
    }  # fmt: skip


@blp.route("/patients/<id:patient_id>/directives", methods=["POST"])
@blp.arguments(DirectiveCreateSchema)
@blp.response(201, DirectiveSchema)
def record_directive(args: dict[str, Any], patient_id: int) -> Any:
    """Record a document

    The rule says whether it holds, and `flags` for want of what it does not.
    """
    return with_etag(directives.record(work(), patient_id, **args))


@blp.route("/directives/<id:directive_id>")
@blp.response(200, DirectiveSchema)
def read_directive(directive_id: int) -> Any:
    """One document"""
    return with_etag(directives.get(work(), directive_id))


@blp.route("/directives/<id:directive_id>", methods=["PATCH"])
@blp.arguments(DirectiveEditSchema)
@blp.response(200, DirectiveSchema)
def edit_directive(args: dict[str, Any], directive_id: int) -> Any:
    """Correct or complete a document

    Send If-Match. The rule is asked anew.
    """
    may_call(work(), directives.edit)
    require_match(directives.directive_for_change(work(), directive_id))
    return with_etag(directives.edit(work(), directive_id, **args))


@blp.route("/directives/<id:directive_id>/revoke", methods=["POST"])
@blp.arguments(RevokeDirectiveSchema)
@blp.response(200, DirectiveSchema)
def revoke_directive(args: dict[str, Any], directive_id: int) -> Any:
    """Record that the patient took a document back

    Send If-Match.
    """
    may_call(work(), directives.revoke)
    require_match(directives.directive_for_change(work(), directive_id))
    return with_etag(directives.revoke(work(), directive_id, **args))


@blp.route("/directives/<id:directive_id>/settle", methods=["POST"])
@blp.response(200, DirectiveSchema)
def settle_directive(directive_id: int) -> Any:
    """Settle which of documents that differ holds: the most recent, as the physician has asked

    Send If-Match.
    """
    may_call(work(), directives.settle)
    require_match(directives.directive_for_change(work(), directive_id))
    return with_etag(directives.settle(work(), directive_id))


@blp.route("/episodes/<id:episode_id>/rights", methods=["POST"])
@blp.arguments(RightsRequestSchema)
@blp.response(201, RightsSchema)
def tell_rights(args: dict[str, Any], episode_id: int) -> Any:
    """Record that the patient was told of the right to make an advance directive"""
    return directives.tell_rights(work(), episode_id, **args)
