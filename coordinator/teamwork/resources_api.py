"""Bringing people to help elsewhere over HTTP: matched organisations, the closed loop, suggestions, education given."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.directory import education
from coordinator.directory import service as directory
from coordinator.directory.api import ResourceQuery, ResourceSchema, document
from coordinator.directory.model import EducationItem, Resource
from coordinator.directory.terms import HEALTH_SYSTEMS, REFERRERS, SERVICES
from coordinator.domain.linkage import (
    ConsentBy,
    ConsentForm,
    Dismissal,
    EducationWay,
    LinkFailure,
    LinkStatus,
    LinkWay,
    SuggestionReason,
    SuggestionStatus,
)
from coordinator.teamwork import education_given, resource_referrals, resource_seekers, resource_suggestions
from coordinator.teamwork.resource_model import EducationGiven, ResourceReferral, ResourceSuggestion

blp = Blueprint(
    "resource-referrals", __name__, url_prefix="/api/v1", description="Bringing people to help elsewhere: the loop"
)


# ------------------------------------------------------------------------------------ matched for a patient


class MatchedResourceSchema(ResourceSchema):
    ask_first = fields.List(Text(), metadata={"description": "What is to be asked of the patient before"})


class ResourceLeftOutSchema(Schema):
    key = Text()
    why = Text(metadata={"example": "other_health_system"})


class MatchedSchema(Schema):
    items = fields.List(fields.Nested(MatchedResourceSchema))
    left_out = fields.List(fields.Nested(ResourceLeftOutSchema))
    not_known = fields.List(Text(), metadata={"description": "Not known of the patient, and might open another door"})


class ResourceProfileSchema(Schema):
    is_veteran = fields.Boolean(allow_none=True, metadata={"example": True})
    health_system = Text(allow_none=True, max_length=40, metadata={"enum": [*HEALTH_SYSTEMS, None]})
    county = Text(allow_none=True, max_length=60)
    recorded_at = Instant(dump_only=True, allow_none=True)


@blp.route("/patients/<id:patient_id>/resources")
@blp.arguments(ResourceQuery, location="query")
@blp.response(200, MatchedSchema)
def match_resources(args: dict[str, Any], patient_id: int) -> Any:
    """Organisations of the directory, matched for a patient

    By health system, membership, service and county; never by race or ethnicity.
    """
    matched = resource_seekers.search(work(), patient_id, text=args.pop("q"), **args)
    since = directory.checked_since(work())
    return {
        "items": [document(row, args["language"], since) | {"ask_first": ask} for row, ask in matched.found],
        "left_out": [{"key": row.key, "why": why} for row, why in matched.left_out],
        "not_known": matched.unknown,
    }


@blp.route("/patients/<id:patient_id>/resource-profile")
@blp.response(200, ResourceProfileSchema)
def read_profile(patient_id: int) -> Any:
    """What was asked of a patient for the sake of help elsewhere"""
    return resource_seekers.read_profile(work(), patient_id)


@blp.route("/patients/<id:patient_id>/resource-profile", methods=["PUT"])
@blp.arguments(ResourceProfileSchema)
@blp.response(200, ResourceProfileSchema)
def set_profile(args: dict[str, Any], patient_id: int) -> Any:
    """Record whether a patient is a veteran, and their health system and county"""
    return resource_seekers.set_profile(work(), patient_id, **args)


# ------------------------------------------------------------------------------------ the loop


class ResourceIdentifySchema(Schema):
    resource_key = Text(required=True, max_length=40, metadata={"example": "acca"})
    need = Text(required=True, max_length=40, metadata={"enum": list(SERVICES)})
    caregiver_id = Id(
        load_default=None, allow_none=True, metadata={"description": "For a caregiver; none: the patient"}
    )
    visit_id = Id(load_default=None, allow_none=True)
    suggestion_id = Id(load_default=None, allow_none=True)


class ResourceConsentSchema(Schema):
    given_by = Word(ConsentBy, required=True)
    form = Word(ConsentForm, required=True)
    on = Day(required=True)


class ResourceReferSchema(Schema):
    way = Word(LinkWay, required=True, metadata={"example": "agency_sends"})
    referred_by = Text(required=True, max_length=40, metadata={"enum": list(REFERRERS)})
    consent = fields.Nested(ResourceConsentSchema, load_default=None, allow_none=True)
    follow_up_on = Day(load_default=None, allow_none=True)


class ResourceAcceptSchema(Schema):
    follow_up_on = Day(load_default=None, allow_none=True, metadata={"example": "2026-11-30"})


class ResourceFailSchema(Schema):
    reason = Word(LinkFailure, required=True, metadata={"example": "no_capacity"})


class LinkStepSchema(Schema):
    status = Word(LinkStatus)
    at = Instant()
    by_id = Id(allow_none=True)


class ResourceReferralSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    caregiver_id = Id(allow_none=True)
    resource_key = Text()
    is_kp = fields.Boolean(
        metadata={"description": "A resource of Kaiser Permanente; false: of the community or others"}
    )
    need = Text()
    visit_id = Id(allow_none=True)
    suggestion_id = Id(allow_none=True)
    status = Word(LinkStatus)
    way = Word(LinkWay, allow_none=True)
    referred_by = Text(allow_none=True)
    consent_by = Word(ConsentBy, allow_none=True)
    consent_form = Word(ConsentForm, allow_none=True)
    consent_on = Day(allow_none=True)
    follow_up_on = Day(allow_none=True)
    failure = Word(LinkFailure, allow_none=True)
    steps = fields.List(fields.Nested(LinkStepSchema))


class ResourceReferralQuery(PageQuery):
    patient_id = Id(load_default=None)
    status = Word(LinkStatus, load_default=None)
    is_kp = fields.Boolean(load_default=None, allow_none=True)


def _shown(row: ResourceReferral) -> dict[str, Any]:
    resource = work().session.get_one(Resource, row.resource_id)
    plain = {name: getattr(row, name) for name in ResourceReferralSchema._declared_fields if hasattr(row, name)}
    return plain | {"resource_key": resource.key, "is_kp": resource.extra.get("health_system") == "kaiser"}


def _tagged(row: ResourceReferral) -> tuple[Any, dict[str, str]]:
    return _shown(row), with_etag(row)[1]


@blp.route("/patients/<id:patient_id>/resource-referrals", methods=["POST"])
@blp.arguments(ResourceIdentifySchema)
@blp.response(201, ResourceReferralSchema)
def identify(args: dict[str, Any], patient_id: int) -> Any:
    """Note an organisation that may help a patient or a caregiver; nothing leaves the agency"""
    return _tagged(resource_referrals.identify(work(), patient_id, **args))


@blp.route("/resource-referrals")
@blp.arguments(ResourceReferralQuery, location="query")
@blp.response(200, page_schema(ResourceReferralSchema))
def list_referrals(args: dict[str, Any]) -> Any:
    """Referrals to organisations, Kaiser's own or the community's"""
    asked = {name: args[name] for name in ("patient_id", "status", "is_kp")}
    found = page(work().session, resource_referrals.search(work(), **asked), [ResourceReferral.id], args)
    return found | {"items": [_shown(row) for row in found["items"]]}


@blp.route("/resource-referrals/<id:referral_id>")
@blp.response(200, ResourceReferralSchema)
def read_referral(referral_id: int) -> Any:
    """One referral with its steps"""
    return _tagged(resource_referrals.get(work(), referral_id))


@blp.route("/resource-referrals/<id:referral_id>/refer", methods=["POST"])
@blp.arguments(ResourceReferSchema)
@blp.response(200, ResourceReferralSchema)
def refer(args: dict[str, Any], referral_id: int) -> Any:
    """Refer to the organisation. Send If-Match

    Where something about the person leaves the agency, consent comes with it (RES-02); whoever starts it must be
    somebody from whom the organisation takes it (RES-03).
    """
    require_match(resource_referrals.for_step(work(), referral_id))
    return _tagged(resource_referrals.refer(work(), referral_id, **args))


@blp.route("/resource-referrals/<id:referral_id>/accept", methods=["POST"])
@blp.arguments(ResourceAcceptSchema)
@blp.response(200, ResourceReferralSchema)
def accept(args: dict[str, Any], referral_id: int) -> Any:
    """Record that the organisation accepted. Send If-Match"""
    require_match(resource_referrals.for_step(work(), referral_id))
    return _tagged(resource_referrals.accept(work(), referral_id, **args))


@blp.route("/resource-referrals/<id:referral_id>/secure", methods=["POST"])
@blp.response(200, ResourceReferralSchema)
def secure(referral_id: int) -> Any:
    """Record that help has come. Send If-Match"""
    require_match(resource_referrals.for_step(work(), referral_id))
    return _tagged(resource_referrals.secure(work(), referral_id))


@blp.route("/resource-referrals/<id:referral_id>/fail", methods=["POST"])
@blp.arguments(ResourceFailSchema)
@blp.response(200, ResourceReferralSchema)
def fail(args: dict[str, Any], referral_id: int) -> Any:
    """Record that no help came, and why. Send If-Match"""
    require_match(resource_referrals.for_step(work(), referral_id))
    return _tagged(resource_referrals.fail(work(), referral_id, args["reason"]))


# ------------------------------------------------------------------------------------ suggestions


class ResourceSuggestionSchema(Schema):
    id = Id()
    version = Whole()
    branch_id = Id()
    patient_id = Id(allow_none=True)
    reason = Word(SuggestionReason)
    source_ref = Text(metadata={"description": "What it was found from", "example": "referral:7"})
    finding = fields.Dict(metadata={"description": "Why, and the way out, as the rule answered"})
    resource_keys = fields.List(Text(), metadata={"description": "Best first"})
    due_on = Day()
    status = Word(SuggestionStatus)
    opened_at = Instant()
    dismissal = Word(Dismissal, allow_none=True)
    settled_at = Instant(allow_none=True)


class ResourceSuggestionQuery(PageQuery):
    patient_id = Id(load_default=None)
    status = Word(SuggestionStatus, load_default=None)


class ResourceDismissSchema(Schema):
    reason = Word(Dismissal, required=True, metadata={"example": "already_in_place"})


@blp.route("/resource-suggestions")
@blp.arguments(ResourceSuggestionQuery, location="query")
@blp.response(200, page_schema(ResourceSuggestionSchema))
def list_suggestions(args: dict[str, Any]) -> Any:
    """Help elsewhere that rules suggest, with the reason"""
    asked = {name: args[name] for name in ("patient_id", "status")}
    return page(work().session, resource_suggestions.search(work(), **asked), [ResourceSuggestion.id], args)


@blp.route("/resource-suggestions/<id:suggestion_id>")
@blp.response(200, ResourceSuggestionSchema)
def read_suggestion(suggestion_id: int) -> Any:
    """One suggestion"""
    return with_etag(resource_suggestions.get(work(), suggestion_id))


@blp.route("/resource-suggestions/<id:suggestion_id>/dismiss", methods=["POST"])
@blp.arguments(ResourceDismissSchema)
@blp.response(200, ResourceSuggestionSchema)
def dismiss(args: dict[str, Any], suggestion_id: int) -> Any:
    """Let a suggestion be, for a reason. Send If-Match"""
    require_match(resource_suggestions.get(work(), suggestion_id))
    return with_etag(resource_suggestions.dismiss(work(), suggestion_id, args["reason"]))


# ------------------------------------------------------------------------------------ education given


class EducationGiveSchema(Schema):
    item_key = Text(required=True, max_length=40, metadata={"example": "chcf_extra_supports"})
    caregiver_id = Id(load_default=None, allow_none=True)
    language = Text(load_default=None, allow_none=True, max_length=20, metadata={"description": "BCP 47"})


class EducationSentSchema(Schema):
    way = Word(EducationWay, required=True, metadata={"example": "printed"})
    sent_on = Day(required=True)


class EducationViewedSchema(Schema):
    viewed_on = Day(required=True, metadata={"example": "2026-11-20"})


class EducationGivenSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    caregiver_id = Id(allow_none=True)
    item_key = Text()
    title = Text()
    language = Text()
    translation_missing = fields.Boolean()
    assigned_at = Instant()
    way = Word(EducationWay, allow_none=True)
    sent_on = Day(allow_none=True)
    viewed_on = Day(allow_none=True)


class EducationGivenListSchema(Schema):
    items = fields.List(fields.Nested(EducationGivenSchema))


def _given(row: EducationGiven) -> dict[str, Any]:
    item = work().session.get_one(EducationItem, row.item_id)
    words = education.shown(item, row.language)
    plain = {name: getattr(row, name) for name in EducationGivenSchema._declared_fields if hasattr(row, name)}
    return plain | {"item_key": item.key, "title": words.title, "translation_missing": words.translation_missing}


@blp.route("/patients/<id:patient_id>/education")
@blp.response(200, EducationGivenListSchema)
def list_given(patient_id: int) -> Any:
    """What a patient and those who care for them were given to watch or read"""
    return {"items": [_given(row) for row in education_given.of_patient(work(), patient_id)]}


@blp.route("/patients/<id:patient_id>/education", methods=["POST"])
@blp.arguments(EducationGiveSchema)
@blp.response(201, EducationGivenSchema)
def give(args: dict[str, Any], patient_id: int) -> Any:
    """Mean something to watch or read for a patient or a caregiver"""
    row = education_given.assign(work(), patient_id, **args)
    return _given(row), with_etag(row)[1]


@blp.route("/education/<id:given_id>/sent", methods=["POST"])
@blp.arguments(EducationSentSchema)
@blp.response(200, EducationGivenSchema)
def sent(args: dict[str, Any], given_id: int) -> Any:
    """Record how and when it was sent or shown"""
    row = education_given.mark_sent(work(), given_id, args["way"], args["sent_on"])
    return _given(row), with_etag(row)[1]


@blp.route("/education/<id:given_id>/viewed", methods=["POST"])
@blp.arguments(EducationViewedSchema)
@blp.response(200, EducationGivenSchema)
def viewed(args: dict[str, Any], given_id: int) -> Any:
    """Record when it was watched or read"""
    row = education_given.mark_viewed(work(), given_id, args["viewed_on"])
    return _given(row), with_etag(row)[1]
