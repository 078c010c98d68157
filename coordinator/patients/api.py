"""Patients over HTTP. Clinical fields are not in the answer of somebody whose role does not read them."""

from typing import Any

from flask import Response
from marshmallow import fields, post_dump, validate

from coordinator.access.emergency import reads_in_emergency
from coordinator.agency.programme_field import ProgrammeField
from coordinator.agency.service import zone_of
from coordinator.core.fields import Clock, Day, Id, Instant, Number, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, etag_of, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page_schema
from coordinator.domain.care_types import ConditionGroup
from coordinator.domain.vocabulary import Gender, HomeSafety, InterpreterMode, Payer
from coordinator.patients import service

blp = Blueprint("patients", __name__, url_prefix="/api/v1", description="Patients, their homes, families and wishes")

#: Left out of every answer to somebody without `patient:read-clinical`.
CLINICAL = (
    "diagnoses", "spiritual_tradition", "cultural_notes", "decision_style", "diet", "truth_telling", "death_rituals",
    "race_ethnicity", "condition_groups", "suggested_condition_groups",
)  # fmt: skip
_CLINICAL_NOTE = {"description": "Only with patient:read-clinical"}
ZIP = validate.Regexp(r"\A[0-9]{5}(-[0-9]{4})?\Z", error="A ZIP code is five digits, or five and four.")
_FEW = validate.Length(max=200)
_TAG = {"description": "BCP 47", "example": "yue"}


# ------------------------------------------------------------------------------------ shapes


class HomeEditSchema(Schema):
    address = Text(max_length=300, metadata={"example": "500 Noe Street"})
    city = Text(max_length=100, metadata={"example": "San Francisco"})
    state = Text(max_length=2, metadata={"example": "CA"})
    zip = Text(max_length=10, validate=ZIP, metadata={"example": "94114"})
    lat = Number(low=-90, high=90, allow_none=True, metadata={"example": 37.7612})
    lon = Number(low=-180, high=180, allow_none=True, metadata={"example": -122.4331})
    point_source = Text(max_length=40, allow_none=True, metadata={"example": "given"})
    access_notes = Text(max_length=4000, allow_none=True, metadata={"example": "Gate on the left, key box beside it"})
    hazards = fields.List(Text(max_length=40), validate=_FEW, metadata={"example": ["STAIRS", "PETS"]})


class HomeCreateSchema(HomeEditSchema):
    address = Text(required=True, max_length=300, metadata={"example": "500 Noe Street"})
    city = Text(required=True, max_length=100, metadata={"example": "San Francisco"})
    state = Text(required=True, max_length=2, metadata={"example": "CA"})
    zip = Text(required=True, max_length=10, validate=ZIP, metadata={"example": "94114"})


class HomeSchema(HomeEditSchema):
    point_precision = Text(
        allow_none=True,
        metadata={"enum": ["given", "street-range", "street", "zip-centroid", None], "example": "street-range"},
    )
    point_note = Text(allow_none=True, metadata={"description": "Why it is no better, or what contradicts itself"})
    safety = Word(HomeSafety)
    safety_assessed_on = Day(allow_none=True)
    mitigations_open = Whole()
    two_person = fields.Boolean(metadata={"description": "Two go together"})
    check_in_minutes = Whole(allow_none=True, metadata={"description": "Who is there alone is heard of this often"})
    until_sunset = fields.Boolean(metadata={"description": "Visits end before sunset"})


class CaregiverWindowSchema(Schema):
    weekday = Whole(required=True, low=0, high=6, metadata={"description": "Monday 0 to Sunday 6", "example": 0})
    from_ = Clock(required=True, data_key="from", attribute="from", metadata={"example": "09:00"})
    to = Clock(required=True, metadata={"example": "13:00"})


class CaregiverTeachingSchema(Schema):
    goal = Text(required=True, max_length=200, metadata={"example": "Turns the patient without hurting either"})
    #: Days are kept as text, as JSON has none.
    taught_on = Text(
        allow_none=True, max_length=10, validate=validate.Regexp(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"),
        metadata={"example": "2026-11-09"},
    )  # fmt: skip
    result = Text(
        allow_none=True, max_length=40, validate=validate.OneOf(("shown", "shown_with_help", "not_yet")),
        metadata={"description": "Of the teach-back"},
    )  # fmt: skip
    independence = Text(
        allow_none=True, max_length=40, validate=validate.OneOf(("alone", "with_reminders", "with_help", "not_yet")),
        metadata={"description": "How far the caregiver does it without the team", "example": "with_reminders"},
    )  # fmt: skip
    next_on = Text(
        allow_none=True, max_length=10, validate=validate.Regexp(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"),
        metadata={"description": "When it is taught again; somebody has the task until it is shown"},
    )  # fmt: skip


class CaregiverEditSchema(Schema):
    name = Text(max_length=200, metadata={"example": "Ming Lee"})
    relation = Text(max_length=60, metadata={"example": "daughter"})
    language = Text(max_length=20, metadata=_TAG)
    phone = Text(max_length=40, allow_none=True)
    availability = fields.List(fields.Nested(CaregiverWindowSchema), validate=_FEW)
    participating = fields.Boolean()
    willing = fields.Boolean(allow_none=True, metadata={"description": "ELG-3; null until asked"})
    willing_on = Day(allow_none=True, metadata={"description": "Day of that answer; today's if only it changes"})
    consent_to_share = fields.Boolean(
        allow_none=True, metadata={"description": "The patient agrees that they are told (CAR-01); null until asked"}
    )
    consent_from = Day(allow_none=True)
    consent_until = Day(allow_none=True, metadata={"description": "Last day, included; null: until withdrawn"})
    may_contact = fields.Boolean(allow_none=True, metadata={"description": "May be rung and written to"})
    burden_score = Whole(high=100, allow_none=True)
    burden_scored_on = Day(allow_none=True)
    teaching = fields.List(fields.Nested(CaregiverTeachingSchema), allow_none=True, validate=_FEW)


class CaregiverCreateSchema(CaregiverEditSchema):
    name = Text(required=True, max_length=200, metadata={"example": "Ming Lee"})
    relation = Text(required=True, max_length=60, metadata={"example": "daughter"})


class CaregiverSchema(CaregiverEditSchema):
    id = Id()
    #: As stored: HH:MM already.
    availability = fields.List(fields.Dict())


class CoverageCreateSchema(Schema):
    payer = Word(Payer, required=True)
    member_id = Text(max_length=60, allow_none=True, metadata={"example": "KP0012345"})
    starts_on = Day(required=True, metadata={"example": "2026-01-01"})
    ends_on = Day(allow_none=True, metadata={"description": "Last day, included; null while it goes on"})


class CoverageEndSchema(Schema):
    ends_on = Day(required=True, allow_none=True, metadata={"example": "2026-12-31"})


class CoverageSchema(CoverageCreateSchema):
    id = Id()


class DiagnosisCreateSchema(Schema):
    code = Text(required=True, max_length=10, metadata={"description": "ICD-10-CM", "example": "C34.90"})
    rank = Whole(low=1, high=200, metadata={"description": "1 is the primary reason for home care"})
    snomed = Text(max_length=20, allow_none=True)
    recorded_on = Day(allow_none=True)


class DiagnosisSchema(DiagnosisCreateSchema):
    id = Id()
    display = Text()


class NoVisitWindowCreateSchema(Schema):
    weekday = Whole(low=0, high=6, allow_none=True, metadata={"description": "Monday 0; with no date: every day"})
    on_date = Day(allow_none=True)
    starts = Clock(required=True, metadata={"example": "18:00"})
    ends = Clock(required=True, metadata={"description": "Earlier than starts: past midnight", "example": "21:00"})
    starts_at_sunset = fields.Boolean(
        metadata={"description": "It begins at sunset; starts: where the sun does not set"}
    )
    ends_at_sunset = fields.Boolean(metadata={"description": "It ends at sunset; ends: where the sun does not set"})
    reason = Text(required=True, max_length=200, metadata={"example": "Evening prayer"})


class NoVisitWindowSchema(NoVisitWindowCreateSchema):
    id = Id()


class UnavailabilityCreateSchema(Schema):
    starts_at = Instant(required=True, metadata={"example": "2026-11-12T18:00:00Z"})
    ends_at = Instant(required=True, metadata={"example": "2026-11-12T22:00:00Z"})
    reason = Text(required=True, max_length=200, metadata={"example": "Oncology appointment"})


class UnavailabilitySchema(UnavailabilityCreateSchema):
    id = Id()


class EpisodeSchema(Schema):
    id = Id()
    programme = ProgrammeField()
    payer = Word(Payer)
    referral_id = Id(allow_none=True)
    accepted_at = Instant()
    initial_visit_due_at = Instant(allow_none=True)
    ordered_soc_date = Day(allow_none=True)
    soc_date = Day(allow_none=True)
    on_hold_since = Instant(allow_none=True)
    discharged_on = Day(allow_none=True)
    discharge_reason = Text(allow_none=True)
    eligibility = Text()
    version = Whole()


class PreferencesSchema(Schema):
    spoken_language = Text(max_length=20, metadata=_TAG)
    written_language = Text(max_length=20, metadata={"description": "BCP 47", "example": "zh-Hant"})
    interpreter_needed = fields.Boolean()
    interpreter_mode = Word(InterpreterMode, allow_none=True)
    interpreter_declined_on = Day(allow_none=True)
    preferred_clinician_gender = Word(Gender, allow_none=True)
    gender_required = fields.Boolean(metadata={"description": "For every visit, not for personal care alone"})
    spiritual_tradition = Text(max_length=200, allow_none=True, metadata=_CLINICAL_NOTE)
    cultural_notes = Text(max_length=4000, allow_none=True, metadata=_CLINICAL_NOTE)
    decision_style = Text(max_length=40, allow_none=True, metadata=_CLINICAL_NOTE)
    diet = Text(max_length=200, allow_none=True, metadata=_CLINICAL_NOTE)
    truth_telling = Text(max_length=40, allow_none=True, metadata=_CLINICAL_NOTE)
    death_rituals = Text(max_length=4000, allow_none=True, metadata=_CLINICAL_NOTE)
    race_ethnicity = fields.List(
        Text(max_length=40, validate=validate.OneOf(service.RACE_ETHNICITY)), allow_none=True, validate=_FEW,
        metadata={"description": "Self-identified (OMB); it routes nobody. Only with patient:read-clinical"},
    )  # fmt: skip


class PatientEditSchema(PreferencesSchema):
    mrn = Text(max_length=40, metadata={"example": "P0000042"})
    given_name = Text(max_length=100, metadata={"example": "Mei"})
    family_name = Text(max_length=100, metadata={"example": "Lee"})
    birth_date = Day(metadata={"example": "1944-05-01"})
    gender = Word(Gender)
    phone = Text(max_length=40, allow_none=True)
    managing_physician_id = Id(allow_none=True)
    concurrent_treatment = fields.Boolean(
        allow_none=True, metadata={"description": "Treatment meant to cure goes on beside palliative care"}
    )
    condition_groups = fields.List(
        Word(ConditionGroup), allow_none=True, validate=_FEW,
        metadata={"description": "Tags; null: those that the diagnoses suggest. Only with patient:read-clinical"},
    )  # fmt: skip
    deceased_on = Day(allow_none=True)
    active = fields.Boolean()
    home = fields.Nested(HomeEditSchema)


class PatientCreateSchema(PatientEditSchema):
    class Meta(PatientEditSchema.Meta):
        exclude = ("active",)

    branch_id = Id(required=True)
    given_name = Text(required=True, max_length=100, metadata={"example": "Mei"})
    family_name = Text(required=True, max_length=100, metadata={"example": "Lee"})
    birth_date = Day(required=True, metadata={"example": "1944-05-01"})
    home = fields.Nested(HomeCreateSchema, required=True)
    caregivers = fields.List(fields.Nested(CaregiverCreateSchema), validate=_FEW)
    coverages = fields.List(fields.Nested(CoverageCreateSchema), validate=_FEW)
    diagnoses = fields.List(fields.Nested(DiagnosisCreateSchema), validate=_FEW)
    no_visit_windows = fields.List(fields.Nested(NoVisitWindowCreateSchema), validate=_FEW)
    unavailabilities = fields.List(fields.Nested(UnavailabilityCreateSchema), validate=_FEW)


class PatientSchema(PatientEditSchema):
    id = Id()
    branch_id = Id()
    zone = fields.Function(
        lambda patient: zone_of(work(), patient.branch_id).key,
        metadata={"type": "string", "description": "Zone of the branch, in which the patient's days are"},
    )
    home = fields.Nested(HomeSchema)
    caregivers = fields.List(fields.Nested(CaregiverSchema))
    coverages = fields.List(fields.Nested(CoverageSchema))
    diagnoses = fields.List(fields.Nested(DiagnosisSchema), metadata=_CLINICAL_NOTE)
    no_visit_windows = fields.List(fields.Nested(NoVisitWindowSchema))
    unavailabilities = fields.List(fields.Nested(UnavailabilitySchema))
    suggested_condition_groups = fields.List(Word(ConditionGroup), metadata=_CLINICAL_NOTE)
    episodes = fields.List(fields.Nested(EpisodeSchema))
    version = Whole()

    @post_dump
    def leave_out_clinical(self, shown: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What a role does not read is not null but absent."""
        if not work().actor.may("patient:read-clinical") and not reads_in_emergency(work(), shown["id"]):
            for name in CLINICAL:
                shown.pop(name, None)
            for coverage in shown.get("coverages", ()):
                coverage.pop("member_id", None)
        return shown


class PatientListedSchema(Schema):
    id = Id()
    branch_id = Id()
    mrn = Text()
    given_name = Text()
    family_name = Text()
    birth_date = Day()
    gender = Word(Gender)
    phone = Text(allow_none=True)
    spoken_language = Text()
    interpreter_needed = fields.Boolean()
    managing_physician_id = Id(allow_none=True)
    concurrent_treatment = fields.Boolean(
        allow_none=True, metadata={"description": "Treatment meant to cure goes on beside palliative care"}
    )
    active = fields.Boolean()
    home = fields.Nested(HomeSchema)
    version = Whole()


PatientPageSchema = page_schema(PatientListedSchema)


class PatientQuery(PageQuery):
    branch_id = Id(load_default=None)
    programme = ProgrammeField(load_default=None)
    active = fields.Boolean(load_default=True, allow_none=True)


class PatientSearchSchema(PatientQuery):
    q = Text(
        required=True, max_length=100,
        metadata={"description": "Parts of a name, or the start of a record number", "example": "wong"},
    )  # fmt: skip


class HomeSafetySchema(Schema):
    result = Word(HomeSafety, required=True, metadata={"example": "safe_with_mitigation"})
    hazards = fields.List(Text(max_length=40), required=True, validate=_FEW, metadata={"example": ["STAIRS"]})
    mitigations_open = Whole(high=100, load_default=0)
    assessed_on = Day(required=True, metadata={"example": "2026-11-09"})


class HomePrecautionsSchema(Schema):
    two_person = fields.Boolean(required=True, metadata={"description": "Two go together"})
    check_in_minutes = Whole(
        low=10, high=240, required=True, allow_none=True,
        metadata={"description": "Who is there alone says so often that all is well; null: never", "example": 60},
    )  # fmt: skip
    until_sunset = fields.Boolean(required=True, metadata={"description": "Visits end before sunset"})


class EpisodeDischargeSchema(Schema):
    on = Day(required=True, metadata={"example": "2026-11-09"})
    reason = Word(service.DischargeReason, required=True, metadata={"example": "goals_met"})


class EpisodeHoldSchema(Schema):
    since = Instant(required=True, metadata={"example": "2026-11-09T08:00:00Z"})


# ------------------------------------------------------------------------------------ patients


def _of(patient_id: int, row: Any) -> Any:
    """A row of a patient's, with the patient's new ETag: the version that the next edit must name."""
    return row, {"ETag": etag_of(service.require_visible(work(), patient_id))}


def _matched(patient_id: int) -> None:
    """Locks first and compares then: two who read the same version cannot both pass."""
    require_match(service.for_change(work(), patient_id))


def _gone(patient_id: int) -> Response:
    return Response(status=204, headers={"ETag": etag_of(service.require_visible(work(), patient_id))})


@blp.route("/patients")
@blp.arguments(PatientQuery, location="query")
@blp.response(200, PatientPageSchema)
def list_patients(args: dict[str, Any]) -> Any:
    """Patients that the asker may see

    In the order of their numbers. To look for a name, use `POST /patient-searches`: names stay out of addresses.
    """
    return service.search(
        work(), by_name=False, branch_id=args["branch_id"], programme=args["programme"], active=args["active"],
        limit=args["limit"], cursor=args["cursor"],
    )  # fmt: skip


@blp.route("/patient-searches", methods=["POST"])
@blp.arguments(PatientSearchSchema)
@blp.response(200, PatientPageSchema)
def search_patients(args: dict[str, Any]) -> Any:
    """Look for patients by name

    A search is sent, not asked for by address, so that no name is written where addresses are kept.
    """
    return service.search(
        work(), text=args["q"], branch_id=args["branch_id"], programme=args["programme"], active=args["active"],
        limit=args["limit"], cursor=args["cursor"],
    )  # fmt: skip


@blp.route("/patients", methods=["POST"])
@blp.arguments(PatientCreateSchema)
@blp.response(201, PatientSchema)
def create_patient(args: dict[str, Any]) -> Any:
    """Put a patient on record

    Gets a record number where none is given.
    """
    patient = service.create(work(), **args)
    return patient, {"ETag": etag_of(patient), "Location": f"/api/v1/patients/{patient.id}"}


@blp.route("/patients/<id:patient_id>")
@blp.response(200, PatientSchema)
def read_patient(patient_id: int) -> Any:
    """One patient's record

    Clinical fields are left out for roles that do not read them. The reading is written into the trail.
    """
    return with_etag(service.get(work(), patient_id))


@blp.route("/patients/<id:patient_id>", methods=["PATCH"])
@blp.arguments(PatientEditSchema)
@blp.response(200, PatientSchema)
def edit_patient(args: dict[str, Any], patient_id: int) -> Any:
    """Change a patient's record

    Send If-Match. Another address makes the home's safety unknown; a day of death ends every open episode.
    """
    _matched(patient_id)
    return with_etag(service.edit(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/preferences", methods=["PUT"])
@blp.arguments(PreferencesSchema)
@blp.response(200, PatientSchema)
def set_preferences(args: dict[str, Any], patient_id: int) -> Any:
    """Say how to talk with the patient and what they wish

    Send If-Match. What is not named stays.
    """
    _matched(patient_id)
    return with_etag(service.set_preferences(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/home-safety", methods=["PUT"])
@blp.arguments(HomeSafetySchema)
@blp.response(200, PatientSchema)
def record_home_safety(args: dict[str, Any], patient_id: int) -> Any:
    """Record an assessment of the home

    Send If-Match.
    """
    _matched(patient_id)
    return with_etag(service.record_home_safety(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/precautions", methods=["PUT"])
@blp.arguments(HomePrecautionsSchema)
@blp.response(200, PatientSchema)
def set_precautions(args: dict[str, Any], patient_id: int) -> Any:
    """Say how people go to this home

    Two together, heard of at intervals, out before sunset (LAB-06). Visits ahead get, or lose, a second person's beside
    them. Send If-Match.
    """
    _matched(patient_id)
    return with_etag(service.set_precautions(work(), patient_id, **args))


# ------------------------------------------------------------------------------------ what hangs on a patient


@blp.route("/patients/<id:patient_id>/caregivers", methods=["POST"])
@blp.arguments(CaregiverCreateSchema)
@blp.response(201, CaregiverSchema)
def add_caregiver(args: dict[str, Any], patient_id: int) -> Any:
    """Add a caregiver"""
    return _of(patient_id, service.add_caregiver(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/caregivers/<id:caregiver_id>", methods=["PATCH"])
@blp.arguments(CaregiverEditSchema)
@blp.response(200, CaregiverSchema)
def edit_caregiver(args: dict[str, Any], patient_id: int, caregiver_id: int) -> Any:
    """Change a caregiver

    Send If-Match with the patient's ETag.
    """
    _matched(patient_id)
    return _of(patient_id, service.edit_caregiver(work(), patient_id, caregiver_id, **args))


@blp.route("/patients/<id:patient_id>/coverages", methods=["POST"])
@blp.arguments(CoverageCreateSchema)
@blp.response(201, CoverageSchema)
def add_coverage(args: dict[str, Any], patient_id: int) -> Any:
    """Add a period of coverage"""
    return _of(patient_id, service.add_coverage(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/coverages/<id:coverage_id>", methods=["PATCH"])
@blp.arguments(CoverageEndSchema)
@blp.response(200, CoverageSchema)
def end_coverage(args: dict[str, Any], patient_id: int, coverage_id: int) -> Any:
    """Say when a coverage ends

    Send If-Match with the patient's ETag.
    """
    _matched(patient_id)
    return _of(patient_id, service.end_coverage(work(), patient_id, coverage_id, args["ends_on"]))


@blp.route("/patients/<id:patient_id>/diagnoses", methods=["POST"])
@blp.arguments(DiagnosisCreateSchema)
@blp.response(201, DiagnosisSchema)
def add_diagnosis(args: dict[str, Any], patient_id: int) -> Any:
    """Add a diagnosis"""
    return _of(patient_id, service.add_diagnosis(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/diagnoses/<id:diagnosis_id>", methods=["DELETE"])
@blp.response(204)
def remove_diagnosis(patient_id: int, diagnosis_id: int) -> Any:
    """Take back a diagnosis"""
    service.remove_diagnosis(work(), patient_id, diagnosis_id)
    return _gone(patient_id)


@blp.route("/patients/<id:patient_id>/no-visit-windows", methods=["POST"])
@blp.arguments(NoVisitWindowCreateSchema)
@blp.response(201, NoVisitWindowSchema)
def add_no_visit_window(args: dict[str, Any], patient_id: int) -> Any:
    """Say when nobody is to come"""
    return _of(patient_id, service.add_no_visit_window(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/no-visit-windows/<id:window_id>", methods=["DELETE"])
@blp.response(204)
def remove_no_visit_window(patient_id: int, window_id: int) -> Any:
    """Take back a no-visit window"""
    service.remove_no_visit_window(work(), patient_id, window_id)
    return _gone(patient_id)


@blp.route("/patients/<id:patient_id>/unavailabilities", methods=["POST"])
@blp.arguments(UnavailabilityCreateSchema)
@blp.response(201, UnavailabilitySchema)
def add_unavailability(args: dict[str, Any], patient_id: int) -> Any:
    """Say when the patient is away"""
    return _of(patient_id, service.add_unavailability(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/unavailabilities/<id:unavailability_id>", methods=["DELETE"])
@blp.response(204)
def remove_unavailability(patient_id: int, unavailability_id: int) -> Any:
    """Take back an absence of the patient"""
    service.remove_unavailability(work(), patient_id, unavailability_id)
    return _gone(patient_id)


# ------------------------------------------------------------------------------------ episodes


@blp.route("/episodes/<id:episode_id>/discharge", methods=["POST"])
@blp.arguments(EpisodeDischargeSchema)
@blp.response(200, EpisodeSchema)
def discharge(args: dict[str, Any], episode_id: int) -> Any:
    """End an episode of care

    For one of the listed reasons (42 CFR 484.50(d)). Send If-Match with the episode's version.
    """
    require_match(service.episode_for_change(work(), episode_id))
    return with_etag(service.discharge(work(), episode_id, args["on"], args["reason"]))


@blp.route("/episodes/<id:episode_id>/hold", methods=["POST"])
@blp.arguments(EpisodeHoldSchema)
@blp.response(200, EpisodeSchema)
def hold(args: dict[str, Any], episode_id: int) -> Any:
    """Put an episode on hold

    The patient is away from home, as in hospital. Send If-Match with the episode's version.
    """
    require_match(service.episode_for_change(work(), episode_id))
    return with_etag(service.hold(work(), episode_id, args["since"]))


@blp.route("/episodes/<id:episode_id>/resume", methods=["POST"])
@blp.response(200, EpisodeSchema)
def resume(episode_id: int) -> Any:
    """Let an episode go on

    Send If-Match with the episode's version.
    """
    require_match(service.episode_for_change(work(), episode_id))
    return with_etag(service.resume(work(), episode_id))
