"""What is owed about records, over HTTP."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.work import may_call
from coordinator.domain.vocabulary import BreachNotice, DisclosurePurpose, RecordRequestKind, RecordRequestStatus
from coordinator.privacy import destruction, service

blp = Blueprint("privacy", __name__, url_prefix="/api/v1", description="What is owed to patients about their records")

_CODE = validate.Regexp(r"\A[a-z0-9][a-z0-9-]*\Z", error="This is a code of small letters, digits and dashes.")


class RecordRequestCreateSchema(Schema):
    kind = Word(RecordRequestKind, required=True, metadata={"example": "clinical_record"})
    requested_by = Text(
        required=True, max_length=20, validate=validate.OneOf(("patient", "representative")),
        metadata={"enum": ["patient", "representative"], "example": "patient"},
    )  # fmt: skip
    requested_on = Day(required=True, metadata={"example": "2026-11-25"})


class RecordRequestCloseSchema(Schema):
    closed_on = Day(required=True, metadata={"example": "2026-11-30"})
    withdrawn = fields.Boolean(load_default=False)


class RecordRequestSchema(RecordRequestCreateSchema):
    id = Id()
    patient_id = Id()
    due_on = Day()
    due_by = Text(metadata={"enum": ["next_visit", "federal", "state"]})
    status = Word(RecordRequestStatus)
    closed_on = Day(allow_none=True)
    version = Whole()


class RecordRequestsSchema(Schema):
    items = fields.List(fields.Nested(RecordRequestSchema))


class DisclosureCreateSchema(Schema):
    disclosed_on = Day(required=True, metadata={"example": "2026-11-09"})
    recipient = Text(required=True, max_length=200, metadata={"example": "County Public Health"})
    recipient_address = Text(max_length=300, allow_none=True)
    purpose = Word(DisclosurePurpose, required=True, metadata={"example": "public_health"})
    what = Text(required=True, metadata={"example": "Diagnosis and address"})
    statement = Text(required=True, metadata={"example": "Report of a notifiable disease"})


class DisclosureSchema(DisclosureCreateSchema):
    id = Id()
    patient_id = Id()
    recorded_at = Instant()


class DisclosuresSchema(Schema):
    items = fields.List(fields.Nested(DisclosureSchema))


class BreachCreateSchema(Schema):
    branch_id = Id(required=True)
    detected_on = Day(required=True, metadata={"example": "2026-11-20"})
    kind = Text(required=True, max_length=40, validate=_CODE, metadata={"example": "lost-device"})
    patient_ids = fields.List(Id(), required=True, validate=validate.Length(min=1, max=10_000))


class BreachNoticeSchema(Schema):
    whom = Word(BreachNotice, required=True, metadata={"example": "state"})
    on = Day(required=True, metadata={"example": "2026-12-01"})


class BreachSchema(Schema):
    id = Id()
    branch_id = Id()
    detected_on = Day()
    kind = Text()
    state_due_on = Day(metadata={"description": "For the state and the patients"})
    federal_due_on = Day()
    state_told_on = Day(allow_none=True)
    patients_told_on = Day(allow_none=True)
    federal_told_on = Day(allow_none=True)
    version = Whole()


class BreachesSchema(Schema):
    items = fields.List(fields.Nested(BreachSchema))


class BreachQuery(Schema):
    branch_id = Id(required=True)


class LegalHoldCreateSchema(Schema):
    reason = Text(required=True, max_length=60, validate=_CODE, metadata={"example": "litigation"})


class LegalHoldSchema(LegalHoldCreateSchema):
    id = Id()
    patient_id = Id()
    placed_on = Day()
    released_on = Day(allow_none=True)


class RetentionSchema(Schema):
    patient_id = Id()
    discharged_on = Day(allow_none=True, metadata={"description": "Null while the patient is in care"})
    keep_until = Day(allow_none=True)
    may_be_destroyed = fields.Boolean()
    holds = fields.List(fields.Nested(LegalHoldSchema))
    findings = fields.Function(
        lambda kept: [finding.as_dict() for finding in kept.findings],
        metadata={"type": "array", "items": {"type": "object"}, "description": "All that stands against it today"},
    )


class DestructionCreateSchema(Schema):
    dry_run = fields.Boolean(
        required=True, metadata={"description": "Count what would go, and change nothing", "example": True}
    )


class DestructionSchema(Schema):
    patient_id = Id()
    dry_run = fields.Boolean()
    rows = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata={"description": "How many, by table"})


class RetentionQuery(Schema):
    branch_id = Id(required=True)


class RetentionsSchema(Schema):
    items = fields.List(fields.Nested(RetentionSchema))


@blp.route("/patients/<id:patient_id>/record-requests", methods=["POST"])
@blp.arguments(RecordRequestCreateSchema)
@blp.response(201, RecordRequestSchema)
def request_record(args: dict[str, Any], patient_id: int) -> Any:
    """Write down that a patient asks for the record

    Says by which day it is due, and by which law.
    """
    return with_etag(service.request_record(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/record-requests")
@blp.response(200, RecordRequestsSchema)
def list_requests(patient_id: int) -> Any:
    """A patient's requests for the record"""
    return {"items": service.requests(work(), patient_id)}


@blp.route("/record-requests/<id:request_id>/close", methods=["POST"])
@blp.arguments(RecordRequestCloseSchema)
@blp.response(200, RecordRequestSchema)
def close_request(args: dict[str, Any], request_id: int) -> Any:
    """Write down that a patient has the record, or asks no more

    Send If-Match.
    """
    may_call(work(), service.close_request)
    require_match(service.for_change(work(), request_id))
    return with_etag(service.close_request(work(), request_id, **args))


@blp.route("/patients/<id:patient_id>/disclosures", methods=["POST"])
@blp.arguments(DisclosureCreateSchema)
@blp.response(201, DisclosureSchema)
def record_disclosure(args: dict[str, Any], patient_id: int) -> Any:
    """Write down what was given out of a record"""
    return service.record_disclosure(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/disclosures")
@blp.response(200, DisclosuresSchema)
def accounting(patient_id: int) -> Any:
    """The accounting of disclosures that a patient may ask for"""
    return {"items": service.accounting(work(), patient_id)}


@blp.route("/breaches", methods=["POST"])
@blp.arguments(BreachCreateSchema)
@blp.response(201, BreachSchema)
def record_breach(args: dict[str, Any]) -> Any:
    """Write down a breach

    Says by which days it is told, and to whom.
    """
    return with_etag(service.record_breach(work(), args.pop("branch_id"), **args))


@blp.route("/breaches")
@blp.arguments(BreachQuery, location="query")
@blp.response(200, BreachesSchema)
def list_breaches(args: dict[str, Any]) -> Any:
    """A branch's breaches"""
    return {"items": service.breaches(work(), args["branch_id"])}


@blp.route("/breaches/<id:breach_id>/notices", methods=["POST"])
@blp.arguments(BreachNoticeSchema)
@blp.response(200, BreachSchema)
def record_notice(args: dict[str, Any], breach_id: int) -> Any:
    """Write down who was told of a breach

    Send If-Match.
    """
    may_call(work(), service.record_notice)
    require_match(service.breach_for_change(work(), breach_id))
    return with_etag(service.record_notice(work(), breach_id, **args))


@blp.route("/patients/<id:patient_id>/retention")
@blp.response(200, RetentionSchema)
def read_retention(patient_id: int) -> Any:
    """How long a record is kept, and what stands against destroying it"""
    return service.retention(work(), patient_id)


@blp.route("/patients/<id:patient_id>/legal-holds", methods=["POST"])
@blp.arguments(LegalHoldCreateSchema)
@blp.response(201, LegalHoldSchema)
def place_hold(args: dict[str, Any], patient_id: int) -> Any:
    """Keep a record, whatever its years"""
    return service.place_hold(work(), patient_id, **args)


@blp.route("/legal-holds/<id:hold_id>/release", methods=["POST"])
@blp.response(200, LegalHoldSchema)
def release_hold(hold_id: int) -> Any:
    """Release a hold"""
    return service.release_hold(work(), hold_id)


@blp.route("/records-over-age")
@blp.arguments(RetentionQuery, location="query")
@blp.response(200, RetentionsSchema)
def over_age(args: dict[str, Any]) -> Any:
    """Records of a branch that may be destroyed today

    Their years are over and no hold keeps them; nothing is changed.
    """
    return {"items": destruction.over_age(work(), args["branch_id"])}


@blp.route("/patients/<id:patient_id>/destruction", methods=["POST"])
@blp.arguments(DestructionCreateSchema)
@blp.response(200, DestructionSchema)
def destroy(args: dict[str, Any], patient_id: int) -> Any:
    """Destroy a record after its years

    With everything that hangs on it; the trail stays. With `dry_run` it is only counted. Refused whole, with all that
    stands against it (SEC-12).
    """
    return destruction.destroy(work(), patient_id, dry_run=args["dry_run"])
