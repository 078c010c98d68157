"""Referrals over HTTP. Clinical words are not in the answer of somebody whose role does not read them."""

from typing import Any

from marshmallow import fields, post_dump, validate

from coordinator.agency.programme_field import ProgrammeField
from coordinator.agency.service import zone_of
from coordinator.core.fields import Day, Id, Instant, Number, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, etag_of, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.domain.vocabulary import (
    Criterion,
    Determination,
    Discipline,
    Eligibility,
    Gender,
    Payer,
    PractitionerType,
    ReferralDeclineReason,
    ReferralSetting,
    ReferralStatus,
)
from coordinator.referrals import content, service
from coordinator.referrals.eligibility import answer_of
from coordinator.referrals.model import Referral
from coordinator.referrals.queries import visible

blp = Blueprint(
    "referrals", __name__, url_prefix="/api/v1", description="Intake: from a referral to an accepted patient"
)

#: Left out of every answer to somebody without `patient:read-clinical`.
CLINICAL = ("diagnosis_code", "reason", "member_id", "determinations", "decline_note")
_CLINICAL_NOTE = {"description": "Only with patient:read-clinical"}
_ZIP = validate.Regexp(r"\A[0-9]{5}(-[0-9]{4})?\Z", error="A ZIP code is five digits, or five and four.")


# ------------------------------------------------------------------------------------ shapes


class ReferralEditSchema(Schema):
    setting = Word(ReferralSetting, allow_none=True, metadata={"example": "home"})
    expected_discharge_on = Day(allow_none=True)
    returned_home_at = Instant(allow_none=True)
    ordered_soc_date = Day(allow_none=True, metadata={"description": "The visit is then due on exactly this day"})
    soc_date_changed_to = Day(allow_none=True)
    soc_date_change_ordered_at = Instant(allow_none=True)
    requester_relationship = Text(max_length=60, metadata={"example": "practitioner"})
    given_name = Text(max_length=100, allow_none=True, metadata={"example": "Mei"})
    family_name = Text(max_length=100, allow_none=True, metadata={"example": "Lee"})
    birth_date = Day(allow_none=True, metadata={"example": "1944-05-01"})
    gender = Word(Gender, metadata={"example": "female"})
    phone = Text(max_length=40, allow_none=True, metadata={"example": "+1 415 555 0100"})
    address = Text(max_length=300, allow_none=True, metadata={"example": "500 Noe Street"})
    city = Text(max_length=100, allow_none=True, metadata={"example": "San Francisco"})
    state = Text(max_length=2, allow_none=True, metadata={"example": "CA"})
    zip = Text(max_length=10, allow_none=True, validate=_ZIP, metadata={"example": "94114"})
    lat = Number(low=-90, high=90, allow_none=True, metadata={"example": 37.7612})
    lon = Number(low=-180, high=180, allow_none=True, metadata={"example": -122.4331})
    spoken_language = Text(max_length=20, allow_none=True, metadata={"description": "BCP 47", "example": "yue"})
    written_language = Text(max_length=20, allow_none=True, metadata={"example": "zh-Hant"})
    interpreter_needed = fields.Boolean(allow_none=True, metadata={"example": True})
    diagnosis_code = Text(max_length=10, allow_none=True, metadata={"description": "ICD-10-CM", "example": "C34.90"})
    reason = Text(
        max_length=4000, allow_none=True, metadata={"example": "Advanced lung cancer, pain and breathlessness"}
    )
    disciplines = fields.List(
        Word(Discipline), validate=validate.Length(max=8), metadata={"example": ["SN", "PT", "HHA"]}
    )
    payer = Word(Payer, allow_none=True, metadata={"example": "KP"})
    member_id = Text(max_length=60, allow_none=True, metadata={"example": "KP0012345"})
    coverage_from = Day(allow_none=True, metadata={"example": "2026-01-01"})
    coverage_to = Day(allow_none=True)
    practitioner_name = Text(max_length=200, allow_none=True, metadata={"example": "Ada Okafor"})
    practitioner_npi = Text(max_length=10, allow_none=True, metadata={"example": "1234567893"})
    practitioner_type = Word(PractitionerType, allow_none=True, metadata={"example": "MD"})
    practitioner_organisation = Text(max_length=200, allow_none=True, metadata={"example": "Kaiser Permanente"})
    practitioner_phone = Text(max_length=40, allow_none=True)
    practitioner_is_kp = fields.Boolean(allow_none=True, metadata={"example": True})


class ReferralCreateSchema(ReferralEditSchema):
    branch_id = Id(required=True, metadata={"example": 1})
    programme = ProgrammeField(required=True, metadata={"example": "KP_HBPC"})
    received_at = Instant(
        required=True,
        metadata={
            "description": "When the practitioner's authorisation arrived: the 48 hours run from here",
            "example": "2026-11-09T15:00:00Z",
        },
    )


class DeterminationCreateSchema(Schema):
    criterion = Word(Criterion, required=True, metadata={"example": "ELG-4"})
    result = Word(
        Determination, load_default=None, allow_none=True, metadata={"description": "May be left to the facts"}
    )
    evidence = Text(required=True, max_length=4000, metadata={"example": "Telephone assessment with daughter, RN"})
    facts = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={
            "description": "The parts that the criterion asks for; the result may not contradict them",
            "example": {
                "homebound": {
                    "needs_supportive_device": True,
                    "normal_inability_to_leave": True,
                    "considerable_and_taxing_effort": True,
                },
                "narratives": {
                    "needs_supportive_device": "Walker for every step",
                    "normal_inability_to_leave": "Has not been out since July",
                    "considerable_and_taxing_effort": "Breathless after ten steps, rests for an hour",
                },
                "certified": True,
                "certified_by": 1,
                "certification": "verbal",
            },
        },
    )
    effective_from = Day(load_default=None, allow_none=True)
    review_on = Day(load_default=None, allow_none=True, metadata={"example": "2027-01-08"})


class DeterminationSchema(Schema):
    id = Id()
    criterion = Word(Criterion)
    result = Word(Determination)
    facts = fields.Dict()
    evidence = Text()
    determined_by_id = Id()
    determined_at = Instant()
    effective_from = Day()
    review_on = Day(allow_none=True)


class _Clinical(Schema):
    @post_dump
    def leave_out_clinical(self, shown: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What a role does not read is not null but absent."""
        if not work().actor.may("patient:read-clinical"):
            for name in CLINICAL:
                shown.pop(name, None)
        return shown


def _zone(referral: Referral) -> str:
    return str(zone_of(work(), referral.branch_id).key)


class ReferralSchema(ReferralEditSchema, _Clinical):
    id = Id()
    branch_id = Id()
    zone = fields.Function(_zone, metadata={"type": "string", "description": "Zone of the branch"})
    programme = ProgrammeField()
    status = Word(ReferralStatus)
    received_at = Instant()
    complete_at = Instant(allow_none=True)
    due_at = Instant(allow_none=True, metadata={"description": "Latest instant for the initial visit (REF-02)"})
    missing = fields.Function(
        lambda referral: list(content.missing(referral)),
        metadata={"type": "array", "items": {"type": "string"}, "description": "What it lacks (REF-01)"},
    )
    eligibility = fields.Function(
        lambda referral: answer_of(referral, work().policy).status.value,
        metadata={"type": "string", "enum": [member.value for member in Eligibility]},
    )
    determinations = fields.List(fields.Nested(DeterminationSchema), metadata=_CLINICAL_NOTE)
    physician_id = Id(allow_none=True)
    patient_id = Id(allow_none=True)
    decided_at = Instant(allow_none=True)
    decline_reason = Word(ReferralDeclineReason, allow_none=True)
    decline_note = Text(allow_none=True, metadata=_CLINICAL_NOTE)
    onward_resource_key = Text(allow_none=True)
    withdraw_reason = Text(allow_none=True)
    version = Whole()


class ReferralListedSchema(Schema):
    id = Id()
    branch_id = Id()
    zone = fields.Function(_zone, metadata={"type": "string"})
    programme = ProgrammeField()
    status = Word(ReferralStatus)
    received_at = Instant()
    complete_at = Instant(allow_none=True)
    due_at = Instant(allow_none=True)
    given_name = Text(allow_none=True)
    family_name = Text(allow_none=True)
    setting = Word(ReferralSetting, allow_none=True)
    disciplines = fields.List(Text())
    patient_id = Id(allow_none=True)
    version = Whole()


class ReferralQuery(PageQuery):
    branch_id = Id(load_default=None)
    status = Word(ReferralStatus, load_default=None)
    programme = ProgrammeField(load_default=None)
    due_before = Instant(load_default=None, metadata={"example": "2026-11-11T16:00:00Z"})


class SuggestionSchema(Schema):
    result = Word(Determination)
    evidence = Text()
    facts = fields.Dict()


class CriterionLineSchema(Schema):
    criterion = Word(Criterion)
    result = Word(Determination)
    determination_id = fields.Function(
        lambda line: line.determination.id if line.determination is not None else None,
        metadata={"type": ["integer", "null"]},
    )
    suggestion = fields.Nested(SuggestionSchema, allow_none=True)


class ChecklistSchema(Schema):
    referral_id = fields.Function(lambda one: one.referral.id, metadata={"type": "integer"})
    zone = fields.Function(lambda one: _zone(one.referral), metadata={"type": "string"})
    missing = fields.List(Text(), metadata={"description": "What the referral lacks (REF-01)"})
    due_at = Instant(attribute="due.due_at", allow_none=True)
    due_on = Day(attribute="due.on_day", allow_none=True, metadata={"description": "Exactly on this day"})
    warn_at = Instant(attribute="due.warn_at", allow_none=True)
    eligibility = Word(Eligibility, attribute="eligibility.status")
    criteria = fields.List(fields.Nested(CriterionLineSchema))
    findings = fields.Function(
        lambda one: [finding.as_dict() for finding in one.findings],
        metadata={
            "type": "array",
            "items": {"type": "object"},
            "description": "What is met and yet leaves something to do: a signature, outside orders (ELG-4, ELG-8)",
        },
    )


class AcceptSchema(Schema):
    confirm_new = fields.Boolean(
        load_default=False,
        metadata={"description": "Somebody of this name and birth date is another person", "example": False},
    )
    patient_id = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "The patient who is back, if there is a record", "example": 1},
    )


class AcceptedSchema(Schema):
    referral_id = Id()
    patient_id = Id()
    episode_id = Id()
    status = Word(ReferralStatus)
    initial_visit_due_at = Instant(allow_none=True)
    zone = Text()
    version = Whole()
    findings = fields.List(
        fields.Dict(), metadata={"description": "Other programmes that exclude this one: a warning, and bills are held"}
    )


class CloseSchema(Schema):
    reason = Word(ReferralDeclineReason, load_default=None, allow_none=True, metadata={"example": "ELG-5"})
    onward_resource_key = Text(
        max_length=40, load_default=None, allow_none=True,
        metadata={"description": "Key of the directory's organisation that was offered", "example": "mettle"},
    )  # fmt: skip
    note = Text(max_length=4000, load_default=None, allow_none=True)


class WithdrawSchema(Schema):
    reason = Text(required=True, max_length=300, metadata={"example": "The practitioner chose a nursing facility"})


# ------------------------------------------------------------------------------------ routes


def _matched(referral_id: int) -> None:
    """Locks first and compares then: two who read the same version cannot both pass."""
    require_match(visible(work(), referral_id, lock=True))


@blp.route("/referrals")
@blp.arguments(ReferralQuery, location="query")
@blp.response(200, page_schema(ReferralListedSchema))
def list_referrals(args: dict[str, Any]) -> Any:
    """Referrals that the asker may see, in the order in which they were put in the book"""
    query = service.search(
        work(), branch_id=args["branch_id"], statuses=[args["status"]] if args["status"] else [],
        programme=args["programme"], due_before=args["due_before"],
    )  # fmt: skip
    return page(work().session, query, (Referral.id,), args)


@blp.route("/referrals", methods=["POST"])
@blp.arguments(ReferralCreateSchema)
@blp.response(201, ReferralSchema)
def receive_referral(args: dict[str, Any]) -> Any:
    """Put a referral in the book

    Anything may be missing: it is then incomplete, and the 48 hours run all the same.
    """
    referral = service.receive(work(), args.pop("branch_id"), args.pop("programme"), args.pop("received_at"), **args)
    return referral, {"ETag": etag_of(referral), "Location": f"/api/v1/referrals/{referral.id}"}


@blp.route("/referrals/<id:referral_id>")
@blp.response(200, ReferralSchema)
def read_referral(referral_id: int) -> Any:
    """One referral"""
    return with_etag(service.get(work(), referral_id))


@blp.route("/referrals/<id:referral_id>", methods=["PATCH"])
@blp.arguments(ReferralEditSchema)
@blp.response(200, ReferralSchema)
def edit_referral(args: dict[str, Any], referral_id: int) -> Any:
    """Complete or correct a referral

    Send If-Match. After acceptance only what sets the clock may change; the rest is the patient's record.
    """
    _matched(referral_id)
    return with_etag(service.edit(work(), referral_id, **args))


@blp.route("/referrals/<id:referral_id>/checklist")
@blp.response(200, ChecklistSchema)
def read_checklist(referral_id: int) -> Any:
    """What stands between a referral and its first visit"""
    return service.checklist(work(), referral_id)


@blp.route("/referrals/<id:referral_id>/determinations", methods=["POST"])
@blp.arguments(DeterminationCreateSchema)
@blp.response(201, DeterminationSchema)
def determine(args: dict[str, Any], referral_id: int) -> Any:
    """Answer one criterion

    Answers are never changed; the newest of a criterion holds.
    """
    return service.determine(
        work(), referral_id, args["criterion"], args["result"], args["evidence"], args["facts"],
        args["effective_from"], args["review_on"],
    )  # fmt: skip


@blp.route("/referrals/<id:referral_id>/accept", methods=["POST"])
@blp.arguments(AcceptSchema)
@blp.response(200, AcceptedSchema)
def accept(args: dict[str, Any], referral_id: int) -> Any:
    """Accept the person as a patient

    Send If-Match. Makes patient, episode and plan of care, and asks for the initial visit: all of it or nothing.
    """
    _matched(referral_id)
    patient = service.accept(
        work(), referral_id, confirm_new=args["confirm_new"], existing_patient_id=args["patient_id"]
    )
    referral = visible(work(), referral_id)
    episode = next(one for one in reversed(patient.episodes) if one.referral_id == referral_id)
    shown = {
        "referral_id": referral.id,
        "patient_id": patient.id,
        "episode_id": episode.id,
        "status": referral.status,
        "initial_visit_due_at": episode.initial_visit_due_at,
        "zone": _zone(referral),
        "version": referral.version,
        "findings": [finding.as_dict() for finding in service.beside_other_programmes(work(), patient, episode)],
    }
    return shown, {"ETag": etag_of(referral)}


@blp.route("/referrals/<id:referral_id>/decline", methods=["POST"])
@blp.arguments(CloseSchema)
@blp.response(200, ReferralSchema)
def decline(args: dict[str, Any], referral_id: int) -> Any:
    """Decline a referral

    Send If-Match. Needs a coded reason and an organisation of the directory to turn to (REF-03).
    """
    _matched(referral_id)
    return with_etag(service.decline(work(), referral_id, args["reason"], args["onward_resource_key"], args["note"]))


@blp.route("/referrals/<id:referral_id>/not-admitted", methods=["POST"])
@blp.arguments(CloseSchema)
@blp.response(200, ReferralSchema)
def not_admit(args: dict[str, Any], referral_id: int) -> Any:
    """Close an accepted referral without admission

    Send If-Match. Ends the episode; needs what a refusal needs.
    """
    _matched(referral_id)
    return with_etag(service.not_admit(work(), referral_id, args["reason"], args["onward_resource_key"], args["note"]))


@blp.route("/referrals/<id:referral_id>/withdraw", methods=["POST"])
@blp.arguments(WithdrawSchema)
@blp.response(200, ReferralSchema)
def withdraw(args: dict[str, Any], referral_id: int) -> Any:
    """Note that whoever sent the referral took it back

    Send If-Match.
    """
    _matched(referral_id)
    return with_etag(service.withdraw(work(), referral_id, args["reason"]))
