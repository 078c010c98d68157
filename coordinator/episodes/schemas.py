"""The JSON shapes of an episode's papers."""

from typing import Any

from marshmallow import fields, validate

from coordinator.access.proof_schema import ProofSchema
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.domain.vocabulary import (
    AbsencePurpose,
    AssessmentKind,
    CertificationStatus,
    Determination,
    DischargeStatus,
    Discipline,
    EncounterModality,
    NoticeKind,
    PractitionerType,
)
from coordinator.episodes.homebound import LEAVES, LONGEST_MINUTES
from coordinator.rules.discharge import Reason, Step

_NPI = {"description": "National Provider Identifier", "example": "1234567893"}
_FINDINGS = {"description": "Rule, severity, citation, facts and cure of each"}


def findings() -> Any:
    """Everything that the rules say of it today."""
    return fields.List(fields.Dict(), metadata=_FINDINGS)


# ------------------------------------------------------------------------------------ encounters


class EncounterEditSchema(Schema):
    encounter_on = Day(metadata={"example": "2026-11-02"})
    modality = Word(EncounterModality, metadata={"example": "in_person"})
    performer_type = Word(PractitionerType, metadata={"example": "NP"})
    performer_npi = Text(max_length=10, allow_none=True, metadata=_NPI)
    reason_code = Text(max_length=10, allow_none=True, metadata={"description": "ICD-10-CM", "example": "C34.90"})
    related_to_primary_reason = fields.Boolean()
    from_inpatient_or_collaborating = fields.Boolean(
        metadata={"description": "Cared for the patient in the stay before, or works with the certifier"}
    )
    same_practice = fields.Boolean()
    coordination_evidence = Text(
        max_length=200, allow_none=True, metadata={"description": "Where the paper lies", "example": "fax 2026-11-03"}
    )


class EncounterCreateSchema(EncounterEditSchema):
    encounter_on = Day(required=True, metadata={"example": "2026-11-02"})
    modality = Word(EncounterModality, required=True, metadata={"example": "in_person"})
    performer_type = Word(PractitionerType, required=True, metadata={"example": "NP"})
    related_to_primary_reason = fields.Boolean(required=True)


class EncounterCorrectSchema(EncounterEditSchema):
    reason = Text(required=True, max_length=200, metadata={"example": "The date was that of the letter"})


class EncounterSchema(EncounterEditSchema):
    id = Id()
    recorded_at = Instant()
    replaced_by_id = Id(allow_none=True)
    correction_reason = Text(allow_none=True)
    valid = fields.Boolean()
    findings = findings()


class EncounterListSchema(Schema):
    items = fields.List(fields.Nested(EncounterSchema))


# ------------------------------------------------------------------------------------ certifications


class StatementSchema(Schema):
    physician_id = Id(metadata={"description": "Default: who manages the plan of care"})
    homebound = fields.Boolean()
    skilled_need = fields.Boolean()
    plan_established = fields.Boolean()
    under_care = fields.Boolean()
    face_to_face_on = Day(allow_none=True, metadata={"description": "Default: the encounter on file, if it serves"})
    estimated_further_duration = Text(
        max_length=300, allow_none=True, metadata={"description": "CERT-02", "example": "About two more months"}
    )


class CertificationDraftSchema(StatementSchema):
    number = Whole(low=1, high=1000, load_default=1, metadata={"description": "Certification period", "example": 1})


class CertificationWithdrawSchema(Schema):
    reason = Text(required=True, max_length=200, metadata={"example": "Drafted for the wrong practitioner"})


class CertificationSchema(StatementSchema):
    id = Id()
    version = Whole()
    patient_id = Id()
    episode_id = Id()
    number = Whole()
    status = Word(CertificationStatus)
    drafted_at = Instant()
    sent_at = Instant(allow_none=True)
    covering_for = Id(
        allow_none=True, metadata={"description": "For another practitioner: whose statement it is; null: one's own"}
    )
    reviewed = fields.Boolean(metadata={"description": "The practitioner has read exactly this version"})
    content_hash = Text(metadata={"description": "Of the text that would be signed, or was"})
    text = Text(metadata={"description": "What a signature covers"})
    signed_at = Instant(allow_none=True)
    withdrawn_reason = Text(allow_none=True)
    superseded_at = Instant(allow_none=True)


class IdleIntervalCreateSchema(Schema):
    said_on = Day(required=True, metadata={"example": "2026-11-09"})
    until = Day(
        required=True,
        metadata={"description": "The plan goes on without a covered skilled visit", "example": "2026-12-15"},
    )
    reason = Text(
        required=True, max_length=300, metadata={"example": "Catheter changed every eight weeks; stable in between"}
    )
    physician_id = Id(load_default=None, metadata={"description": "Whose word it is; a practitioner's own without"})


class IdleIntervalSchema(Schema):
    id = Id()
    episode_id = Id()
    physician_id = Id()
    said_on = Day()
    until = Day()
    reason = Text()
    recorded_at = Instant()


class IdleIntervalListSchema(Schema):
    items = fields.List(fields.Nested(IdleIntervalSchema))


class CertificationPeriodSchema(Schema):
    number = Whole()
    first_day = Day(allow_none=True)
    last_day = Day(allow_none=True)
    certification = fields.Nested(CertificationSchema, allow_none=True)
    findings = findings()


class CertificationPeriodListSchema(Schema):
    items = fields.List(fields.Nested(CertificationPeriodSchema))


class CertificationListSchema(Schema):
    items = fields.List(fields.Nested(CertificationSchema))


class CertificationReviewSchema(Schema):
    version = Whole(required=True, low=1, metadata={"example": 2})


class CertificationSignItemSchema(Schema):
    id = Id(required=True)
    version = Whole(required=True, low=1)
    content_hash = Text(required=True, max_length=64)


class CertificationSignBatchSchema(ProofSchema):
    items = fields.List(
        fields.Nested(CertificationSignItemSchema), required=True, validate=validate.Length(min=1, max=100),
        metadata={"example": [{"id": 1, "version": 2, "content_hash": "0" * 64}]},
    )  # fmt: skip


class CertificationSignResultSchema(Schema):
    id = Id()
    code = Text()
    status = Whole()
    detail = Text()


class CertificationSignedSchema(Schema):
    results = fields.List(fields.Nested(CertificationSignResultSchema))


class PractitionerCheckCreateSchema(Schema):
    checked_on = Day(required=True, metadata={"example": "2026-11-09"})
    npi_kind = Whole(required=True, low=1, high=2, metadata={"description": "NPPES: 1 a person, 2 an organisation"})
    enrolled_from = Day(allow_none=True, metadata={"description": "PECOS; null: not enrolled"})
    enrolled_to = Day(allow_none=True)
    financial_relationship = fields.Boolean()


class PractitionerCheckSchema(PractitionerCheckCreateSchema):
    id = Id()
    physician_id = Id()
    recorded_at = Instant()


# ------------------------------------------------------------------------------------ homebound


class HomeboundAssessmentCreateSchema(Schema):
    assessed_on = Day(required=True, metadata={"example": "2026-11-09"})
    leaves = fields.Dict(
        keys=fields.String(validate=validate.OneOf(LEAVES)), values=Text(max_length=2000, blank=True), required=True,
        validate=validate.Length(max=len(LEAVES)),
        metadata={"description": "What is claimed, each with its words",
                  "example": {"needs_supportive_device": "Walks with a frame, and only with help on stairs"}},
    )  # fmt: skip


class HomeboundAssessmentSchema(Schema):
    id = Id()
    assessed_on = Day()
    leaves = fields.Dict()
    result = Word(Determination)
    clinician_id = Id(allow_none=True)
    recorded_at = Instant()


class HomeAbsenceCreateSchema(Schema):
    day = Day(required=True, metadata={"example": "2026-11-08"})
    purpose = Word(AbsencePurpose, required=True, metadata={"example": "RELIGIOUS"})
    minutes = Whole(required=True, low=1, high=LONGEST_MINUTES, metadata={"example": 90})
    taxing_effort = fields.Boolean(required=True)


class HomeAbsenceSchema(HomeAbsenceCreateSchema):
    id = Id()
    withdrawn_at = Instant(allow_none=True)


class HomeAbsenceAnswerSchema(Schema):
    absence = fields.Nested(HomeAbsenceSchema)
    findings = findings()


class HomeboundStatusSchema(Schema):
    assessments = fields.List(fields.Nested(HomeboundAssessmentSchema))
    absences = fields.List(fields.Nested(HomeAbsenceSchema))
    findings = findings()


# ------------------------------------------------------------------------------------ stays


class StayCreateSchema(Schema):
    left_home_at = Instant(required=True, metadata={"example": "2026-11-08T18:00:00Z"})
    admitted_at = Instant(
        allow_none=True, metadata={"description": "As an inpatient; null for observation", "example": None}
    )
    diagnostic_only = fields.Boolean()
    planned = fields.Boolean()
    facility = Text(max_length=200, allow_none=True)


class StayAdmitSchema(Schema):
    admitted_at = Instant(required=True, metadata={"example": "2026-11-08T20:00:00Z"})
    diagnostic_only = fields.Boolean()


class StayEndSchema(Schema):
    home_at = Instant(required=True, metadata={"example": "2026-11-09T15:00:00Z"})
    ordered_resumption_on = Day(allow_none=True, metadata={"description": "The day that the practitioner ordered"})


class StaySchema(StayCreateSchema):
    id = Id()
    version = Whole()
    episode_id = Id()
    learned_at = Instant()
    transferred_at = Instant(allow_none=True)
    home_at = Instant(allow_none=True)
    ordered_resumption_on = Day(allow_none=True)
    summary_sent_at = Instant(allow_none=True)


class StayListSchema(Schema):
    items = fields.List(fields.Nested(StaySchema))


# ------------------------------------------------------------------------------------ assessments


class ComprehensiveAssessmentCreateSchema(Schema):
    kind = Word(AssessmentKind, required=True, metadata={"example": "start_of_care"})
    event_on = Day(required=True, metadata={"description": "Day 0 of its event", "example": "2026-11-04"})
    completed_on = Day(required=True, metadata={"example": "2026-11-06"})
    clinician_id = Id(metadata={"description": "Who made it; default: oneself"})


class ComprehensiveAssessmentSchema(ComprehensiveAssessmentCreateSchema):
    id = Id()
    episode_id = Id()
    due_on = Day()
    serves_period = Whole(allow_none=True, metadata={"description": "Certification period that it recertifies"})


class ComprehensiveAssessmentAnswerSchema(Schema):
    assessment = fields.Nested(ComprehensiveAssessmentSchema)
    findings = findings()


class ComprehensiveAssessmentListSchema(Schema):
    items = fields.List(fields.Nested(ComprehensiveAssessmentSchema))
    findings = findings()


# ------------------------------------------------------------------------------------ discharge


class DischargeEditSchema(Schema):
    planned_on = Day(metadata={"example": "2026-11-13"})
    reason = Word(Reason, metadata={"example": "goals_met"})


class DischargePlanSchema(DischargeEditSchema):
    planned_on = Day(required=True, metadata={"example": "2026-11-13"})
    discipline = Word(Discipline, allow_none=True, metadata={"description": "Only this one ends", "example": None})


class DischargeStepSchema(Schema):
    step = Word(Step, required=True, metadata={"example": "practitioner_notified"})
    done_on = Day(required=True, metadata={"example": "2026-11-09"})


class DischargeSchema(Schema):
    id = Id()
    version = Whole()
    episode_id = Id()
    discipline = Word(Discipline, allow_none=True)
    status = Word(DischargeStatus)
    planned_on = Day()
    reason = Text(allow_none=True)
    steps = fields.Dict(metadata={"description": "Step and the day on which it was done"})
    finalised_at = Instant(allow_none=True)
    findings = findings()


class DischargeListSchema(Schema):
    items = fields.List(fields.Nested(DischargeSchema))


class CoverageNoticeCreateSchema(Schema):
    kind = Word(NoticeKind, required=True, metadata={"example": "HHCCN"})
    last_covered_on = Day(required=True, metadata={"example": "2026-12-11"})
    discipline = Word(Discipline, allow_none=True)
    frequency = Text(
        max_length=400, allow_none=True, metadata={"description": "Fixed, never a range", "example": "1w4"}
    )
    next_to_last_visit_on = Day(allow_none=True)


class CoverageNoticeDeliverSchema(Schema):
    delivered_on = Day(required=True, metadata={"example": "2026-11-09"})


class CoverageNoticeSchema(Schema):
    id = Id()
    version = Whole()
    episode_id = Id()
    kind = Word(NoticeKind)
    discipline = Word(Discipline, allow_none=True)
    last_covered_on = Day()
    due_on = Day()
    frequency = Text(allow_none=True)
    delivered_on = Day(allow_none=True)
    withdrawn_at = Instant(allow_none=True)
    findings = findings()


class CoverageNoticeListSchema(Schema):
    items = fields.List(fields.Nested(CoverageNoticeSchema))
