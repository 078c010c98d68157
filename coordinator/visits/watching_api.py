"""Over HTTP: watching aides, standing behind assistants, missed visits told, bills released, schedules in writing."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.domain.vocabulary import Discipline, MswPurpose
from coordinator.visits import afterwards, queries, watching
from coordinator.visits.schemas import VisitSchema

blp = Blueprint("watching", __name__, url_prefix="/api/v1", description="Oversight of aides and assistants")


class AideObservationWriteSchema(Schema):
    aide_id = Id(required=True)
    observed_on = Day(required=True, metadata={"example": "2026-11-18"})
    passed = fields.Boolean(required=True)
    concern_id = Id(load_default=None, allow_none=True)


class AideObservationSchema(AideObservationWriteSchema):
    id = Id()
    patient_id = Id()
    observer_id = Id()


class AideConcernSchema(Schema):
    id = Id()
    patient_id = Id()
    aide_id = Id()
    noted_on = Day()
    tasks = fields.List(Text(), metadata={"description": "Not the aide's until it is settled; empty: all"})
    deficient = fields.Boolean(allow_none=True, metadata={"description": "None: not yet observed"})
    cleared_on = Day(allow_none=True)


class AideConcernListSchema(Schema):
    items = fields.List(fields.Nested(AideConcernSchema))


class AideClearSchema(Schema):
    cleared_on = Day(required=True, metadata={"example": "2026-11-25"})


class AssistantSupervisionWriteSchema(Schema):
    assistant_id = Id(required=True)
    supervised_on = Day(required=True, metadata={"example": "2026-11-20"})
    visit_id = Id(load_default=None, allow_none=True)


class AssistantSupervisionSchema(AssistantSupervisionWriteSchema):
    id = Id()
    patient_id = Id()
    supervisor_id = Id()


class TherapistOfRecordWriteSchema(Schema):
    discipline = Word(Discipline, required=True, metadata={"example": "PT"})
    clinician_id = Id(required=True)
    starts_on = Day(required=True, metadata={"example": "2026-11-23"})
    reason = Text(required=True, max_length=300, metadata={"example": "The evaluating therapist is on leave"})


class TherapistOfRecordSchema(TherapistOfRecordWriteSchema):
    id = Id()
    patient_id = Id()


class MissedNoticeWriteSchema(Schema):
    told = Text(required=True, max_length=20, metadata={"example": "practitioner"})
    told_at = Instant(required=True, metadata={"example": "2026-11-10T17:30:00Z"})
    how = Text(required=True, max_length=40, metadata={"example": "telephone"})
    instruction = Text(load_default=None, allow_none=True)


class MissedNoticeSchema(MissedNoticeWriteSchema):
    id = Id()
    visit_id = Id()


class BillExceptionSchema(Schema):
    rule = Text(required=True, max_length=20, metadata={"example": "QUAL-02"})
    code = Text(required=True, max_length=40, metadata={"example": "INPATIENT"})
    text = Text(required=True, metadata={"example": "Admitted to hospital before the last therapy visit"})


class VisitPurposeSchema(Schema):
    purpose = Word(MswPurpose, required=True, metadata={"example": "counseling"})


class WrittenScheduleWriteSchema(Schema):
    given_on = Day(required=True, metadata={"example": "2026-11-12"})
    language = Text(
        max_length=20, load_default=None, allow_none=True, metadata={"description": "None: as the patient reads"}
    )
    visit_id = Id(load_default=None, allow_none=True)


class WrittenScheduleSchema(WrittenScheduleWriteSchema):
    id = Id()
    patient_id = Id()


class WrittenScheduleListSchema(Schema):
    items = fields.List(fields.Nested(WrittenScheduleSchema))


@blp.route("/patients/<id:patient_id>/aide-observations", methods=["POST"])
@blp.arguments(AideObservationWriteSchema)
@blp.response(201, AideObservationSchema)
def observe(args: dict[str, Any], patient_id: int) -> Any:
    """An aide was watched on site while giving care

    Answers a concern if one is named. A deficiency keeps the tasks, and all related to them, from the aide until an
    evaluation is passed.
    """
    return watching.observe(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/aide-concerns")
@blp.response(200, AideConcernListSchema)
def list_concerns(patient_id: int) -> Any:
    """Concerns about aides in this home"""
    return {"items": watching.concerns_of(work(), patient_id)}


@blp.route("/aide-concerns/<id:concern_id>/clearance", methods=["POST"])
@blp.arguments(AideClearSchema)
@blp.response(200, AideConcernSchema)
def clear(args: dict[str, Any], concern_id: int) -> Any:
    """The aide was retrained and passed the evaluation"""
    return watching.clear(work(), concern_id, **args)


@blp.route("/patients/<id:patient_id>/assistant-supervisions", methods=["POST"])
@blp.arguments(AssistantSupervisionWriteSchema)
@blp.response(201, AssistantSupervisionSchema)
def supervise_assistant(args: dict[str, Any], patient_id: int) -> Any:
    """The nurse or therapist saw to an assistant's work"""
    return watching.supervise_assistant(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/therapists-of-record", methods=["POST"])
@blp.arguments(TherapistOfRecordWriteSchema)
@blp.response(201, TherapistOfRecordSchema)
def reassign_therapist(args: dict[str, Any], patient_id: int) -> Any:
    """Another therapist becomes the one of record, in writing"""
    return watching.reassign_therapist(work(), patient_id, **args)


@blp.route("/visits/<id:visit_id>/missed-notices", methods=["POST"])
@blp.arguments(MissedNoticeWriteSchema)
@blp.response(201, MissedNoticeSchema)
def tell_of_missed(args: dict[str, Any], visit_id: int) -> Any:
    """The practitioner, or the patient, was told of a missed visit"""
    return afterwards.tell_of_missed(work(), visit_id, **args)


@blp.route("/visits/<id:visit_id>/bill-exceptions", methods=["POST"])
@blp.arguments(BillExceptionSchema)
@blp.response(200, VisitSchema)
def release_bill(args: dict[str, Any], visit_id: int) -> Any:
    """Release a visit's bill from a rule, under a listed exception

    Needs If-Match.
    """
    require_match(queries.the_visit(work(), visit_id))
    return with_etag(afterwards.release_bill(work(), visit_id, **args))


@blp.route("/visits/<id:visit_id>/purpose", methods=["PUT"])
@blp.arguments(VisitPurposeSchema)
@blp.response(200, VisitSchema)
def name_purpose(args: dict[str, Any], visit_id: int) -> Any:
    """What a social worker's visit is for"""
    return with_etag(afterwards.name_purpose(work(), visit_id, args["purpose"]))


@blp.route("/patients/<id:patient_id>/written-schedules", methods=["POST"])
@blp.arguments(WrittenScheduleWriteSchema)
@blp.response(201, WrittenScheduleSchema)
def give_schedule(args: dict[str, Any], patient_id: int) -> Any:
    """The patient has the schedule in writing"""
    return afterwards.give_schedule(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/written-schedules")
@blp.response(200, WrittenScheduleListSchema)
def list_schedules(patient_id: int) -> Any:
    """When the patient was given a schedule in writing"""
    return {"items": afterwards.schedules_of(work(), patient_id)}
