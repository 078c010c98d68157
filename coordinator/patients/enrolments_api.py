"""Programmes elsewhere, circumstances of verification, and Medi-Cal palliative screenings over HTTP."""

from typing import Any

from marshmallow import fields

from coordinator.agency.programme_field import ProgrammeField
from coordinator.core.fields import Day, Id, Number, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, work
from coordinator.domain.vocabulary import Determination, EvvCircumstanceKind, Payer
from coordinator.patients import enrolments

blp = Blueprint("enrolments", __name__, url_prefix="/api/v1", description="Programmes elsewhere, and screenings")


class EnrolmentCreateSchema(Schema):
    programme = ProgrammeField(required=True, metadata={"example": "HOSPICE"})
    payer = Word(Payer, required=True, metadata={"example": "MEDICARE"})
    condition = Text(
        max_length=10, load_default=None, allow_none=True,
        metadata={"description": "ICD-10-CM code of the illness that it is for", "example": "C34.90"},
    )  # fmt: skip
    starts_on = Day(required=True, metadata={"example": "2026-11-01"})
    ends_on = Day(load_default=None, allow_none=True, metadata={"description": "Last day, included"})


class EnrolmentSchema(EnrolmentCreateSchema):
    id = Id()


class EnrolmentsSchema(Schema):
    items = fields.List(fields.Nested(EnrolmentSchema))


class EnrolmentEndSchema(Schema):
    ends_on = Day(required=True, metadata={"description": "Last day, included", "example": "2026-11-30"})


class EvvCircumstanceCreateSchema(Schema):
    kind = Word(EvvCircumstanceKind, required=True, metadata={"example": "live_in_caregiver"})
    clinician_id = Id(load_default=None, allow_none=True, metadata={"description": "Who lives with the patient"})
    starts_on = Day(required=True, metadata={"example": "2026-11-01"})
    ends_on = Day(load_default=None, allow_none=True, metadata={"description": "Last day, included"})
    exemption_on = Day(
        load_default=None, allow_none=True, metadata={"description": "Since when the exemption is on record"}
    )


class EvvCircumstanceSchema(EvvCircumstanceCreateSchema):
    id = Id()


class EvvCircumstancesSchema(Schema):
    items = fields.List(fields.Nested(EvvCircumstanceSchema))


def _flag(says: str) -> fields.Boolean:
    return fields.Boolean(allow_none=True, metadata={"description": says})


class PalliativeScreeningFactsSchema(Schema):
    uses_hospital = _flag("Is likely to use, or uses, hospital or emergency care for the illness")
    advanced_with_decline = _flag("Advanced illness with decline")
    not_in_hospice = _flag("Is not in hospice: not eligible, or declines")
    death_within_year_no_surprise = _flag("Death within a year would be no surprise")
    had_appropriate_therapy = _flag("Had the appropriate and wished-for therapy, or it works no longer")
    not_in_reversible_crisis = _flag("Is in no reversible acute crisis")
    agrees_to_home_and_planning = _flag("Agrees to try care at home first, and to talk about care in advance")
    heart_admission_no_intervention = _flag("Was in hospital for heart failure; no further invasive treatment planned")
    heart_admissions = Whole(high=100, allow_none=True, metadata={"description": "Within the plan's months"})
    nyha = Whole(low=1, high=4, allow_none=True)
    ejection_fraction = Number(low=0, high=100, allow_none=True, metadata={"description": "Percent"})
    significant_comorbidity = _flag("Beside heart failure")
    fev1_percent = Number(low=0, high=200, allow_none=True, metadata={"example": 34})
    oxygen_litres = Number(low=0, high=60, allow_none=True, metadata={"description": "A minute, over 24 hours"})
    stage_3_or_4 = _flag("Solid cancer, lymphoma or leukaemia of stage III or IV")
    karnofsky = Whole(high=100, allow_none=True)
    failed_lines = Whole(high=50, allow_none=True, metadata={"description": "Lines of standard therapy"})
    irreversible_liver_damage = _flag("Irreversible liver damage")
    albumin = Number(low=0, high=20, allow_none=True, metadata={"description": "g/dl"})
    inr = Number(low=0, high=50, allow_none=True)
    liver_complication = _flag("Ascites, peritonitis, encephalopathy, hepatorenal syndrome or recurrent varices")
    meld = Whole(high=60, allow_none=True)
    life_threatening = _flag("Under 21: a diagnosis that threatens life is documented")
    family_agrees = _flag("Under 21: the family or legal guardian agrees to palliative care")


class PalliativeScreeningCreateSchema(Schema):
    screened_on = Day(required=True, metadata={"example": "2026-11-09"})
    plan = Text(
        max_length=40, load_default=None, allow_none=True,
        metadata={"description": "A managed care plan with numbers of its own", "example": "ALAMEDA_ALLIANCE"},
    )  # fmt: skip
    facts = fields.Nested(
        PalliativeScreeningFactsSchema, required=True, metadata={"description": "What is known; the rest is not"}
    )


class PalliativeScreeningSchema(Schema):
    id = Id()
    screened_on = Day()
    plan = Text(allow_none=True)
    facts = fields.Dict(metadata={"description": "Only what is known"})
    answer = Word(Determination)


class PalliativeScreeningAnswerSchema(PalliativeScreeningSchema):
    general = Word(Determination)
    diseases = fields.Dict(keys=fields.String(), values=fields.String())
    children = Word(Determination, allow_none=True, metadata={"description": "The broader criteria; null from 21 on"})
    not_known = fields.List(Text(), metadata={"description": "What could still decide"})
    finding = fields.Dict(metadata={"description": "The advice in words (SB-01)"})


class PalliativeScreeningsSchema(Schema):
    items = fields.List(fields.Nested(PalliativeScreeningSchema))


@blp.route("/patients/<id:patient_id>/enrolments")
@blp.response(200, EnrolmentsSchema)
def list_enrolments(patient_id: int) -> Any:
    """Programmes elsewhere

    Hospice elections, PACE and the like, past and present. Episodes of this agency are not among them.
    """
    return {"items": enrolments.enrolments(work(), patient_id)}


@blp.route("/patients/<id:patient_id>/enrolments", methods=["POST"])
@blp.arguments(EnrolmentCreateSchema)
@blp.response(201, EnrolmentSchema)
def add_enrolment(args: dict[str, Any], patient_id: int) -> Any:
    """Record a programme elsewhere

    What it stands in the way of is warned about and not billed (PRG-02); an exempt one ends verification (EVV-03).
    """
    return enrolments.add_enrolment(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/enrolments/<id:enrolment_id>/end", methods=["POST"])
@blp.arguments(EnrolmentEndSchema)
@blp.response(200, EnrolmentSchema)
def end_enrolment(args: dict[str, Any], patient_id: int, enrolment_id: int) -> Any:
    """End a programme elsewhere

    Its last day: the election was revoked, or the patient left.
    """
    return enrolments.end_enrolment(work(), patient_id, enrolment_id, args["ends_on"])


@blp.route("/patients/<id:patient_id>/evv-circumstances", methods=["POST"])
@blp.arguments(EvvCircumstanceCreateSchema)
@blp.response(201, EvvCircumstanceSchema)
def add_circumstance(args: dict[str, Any], patient_id: int) -> Any:
    """Record what excuses visits from verification

    A caregiver who lives in, or a setting with care around the clock (EVV-03).
    """
    return enrolments.add_circumstance(work(), patient_id, **args)


@blp.route("/patients/<id:patient_id>/evv-circumstances")
@blp.response(200, EvvCircumstancesSchema)
def list_circumstances(patient_id: int) -> Any:
    """What excuses visits from verification

    Past and present, by first day.
    """
    return {"items": enrolments.circumstances(work(), patient_id)}


@blp.route("/patients/<id:patient_id>/evv-circumstances/<id:circumstance_id>/end", methods=["POST"])
@blp.arguments(EnrolmentEndSchema)
@blp.response(200, EvvCircumstanceSchema)
def end_circumstance(args: dict[str, Any], patient_id: int, circumstance_id: int) -> Any:
    """End what excuses visits from verification

    Its last day: later visits are verified again (EVV-03).
    """
    return enrolments.end_circumstance(work(), patient_id, circumstance_id, args["ends_on"])


@blp.route("/patients/<id:patient_id>/palliative-screenings")
@blp.response(200, PalliativeScreeningsSchema)
def list_screenings(patient_id: int) -> Any:
    """Screenings for Medi-Cal palliative care

    Newest first.
    """
    return {"items": enrolments.screenings(work(), patient_id)}


@blp.route("/patients/<id:patient_id>/palliative-screenings", methods=["POST"])
@blp.arguments(PalliativeScreeningCreateSchema)
@blp.response(201, PalliativeScreeningAnswerSchema)
def record_screening(args: dict[str, Any], patient_id: int) -> Any:
    """Screen for Medi-Cal palliative care

    What is known is put on record; the answer is an advice, and says what could still decide it (SB-01).
    """
    row, answer, finding = enrolments.record_screening(work(), patient_id, **args)
    return {
        "id": row.id, "screened_on": row.screened_on, "plan": row.plan, "facts": row.facts, "answer": row.answer,
        "general": answer.general, "children": answer.children, "not_known": list(answer.unknown),
        "finding": finding.as_dict(),
        "diseases": {disease.value: one.value for disease, one in answer.diseases.items()},
    }  # fmt: skip
