"""Keeping the directory over HTTP: entries, their history, sheets, translation differences, education and feedback."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.directory import education, feedback, keeping, service, translations
from coordinator.directory.api import (
    LANGUAGE,
    ProgramSchema,
    ResourceSchema,
    ResourcesSchema,
    choice,
    documents,
    tagged,
)
from coordinator.directory.books import TYPES
from coordinator.directory.model import CommunityFeedback, EducationItem
from coordinator.directory.terms import FEEDBACK_THEMES, KINDS, REFERRAL_RULES, STATED, TOPICS

blp = Blueprint("directory-keeping", __name__, url_prefix="/api/v1", description="Keeping the directory up to date")

_CODES = {"description": "See GET /resources/terms"}


def _some(most: int = 40) -> fields.List:
    return fields.List(Text(max_length=200), validate=validate.Length(max=most), metadata=_CODES)


def _maybe(most: int) -> Text:
    return Text(max_length=most, allow_none=True)


class ResourceEditSchema(Schema):
    kind = Text(max_length=40, metadata={"enum": list(KINDS)})
    name_en = Text(max_length=200)
    name_zh_hant = _maybe(200)
    short_name_en = _maybe(100)
    short_name_zh_hant = _maybe(100)
    description_en = _maybe(1000)
    description_zh_hant = _maybe(1000)
    settings = fields.Dict(
        keys=Text(max_length=40), values=Text(max_length=20, metadata={"enum": list(STATED)}),
        metadata={"example": {"home": "yes"}},
    )  # fmt: skip
    population = _some()
    services = _some()
    topics = _some()
    programs = fields.List(fields.Nested(ProgramSchema), validate=validate.Length(max=40))
    referral_rule = Text(max_length=60, metadata={"enum": list(REFERRAL_RULES)})
    is_medical_care = fields.Boolean()
    health_system = _maybe(40)
    area = _maybe(200)
    counties = _some()
    languages = _some()
    focus_communities = _some()
    required_documents = _some()
    phone = _maybe(40)
    email = _maybe(200)
    url = _maybe(500)
    address = _maybe(300)
    fees = _maybe(300)


class ResourceAddSchema(ResourceEditSchema):
    key = Text(required=True, max_length=40, metadata={"example": "mission_food_hub"})


class ResourceVersionSchema(Schema):
    number = Whole()
    act = Text()
    at = Instant()
    user_id = Id(allow_none=True)
    changed = fields.List(Text())
    entry = fields.Dict()


class ResourceHistorySchema(Schema):
    items = fields.List(fields.Nested(ResourceVersionSchema))


class SheetSchema(Schema):
    csv = Text(
        required=True, max_length=1_500_000,
        metadata={"description": "RFC 4180; lists separated by semicolons", "example": "key,phone\nacca,555 0100"},
    )  # fmt: skip


class ImportedSchema(Schema):
    added = fields.List(Text())
    changed = fields.List(Text())
    unchanged = fields.List(Text())


class ExportQuery(Schema):
    own_alone = fields.Boolean(load_default=False, metadata={"description": "Only what the agency has added"})


# ------------------------------------------------------------------------------------ entries


@blp.route("/resources", methods=["POST"])
@blp.arguments(ResourceAddSchema)
@blp.response(201, ResourceSchema)
def add_resource(args: dict[str, Any]) -> Any:
    """Add an organisation of the agency's own"""
    return tagged(keeping.add(work(), args.pop("key"), args))


@blp.route("/resources/stale")
@blp.response(200, ResourcesSchema)
def list_stale() -> Any:
    """Organisations that nobody has asked for too long, the longest first"""
    return documents(service.stale(work()), "en")


@blp.route("/resources/export")
@blp.arguments(ExportQuery, location="query")
@blp.response(200, SheetSchema)
def export_resources(args: dict[str, Any]) -> Any:
    """The directory as a sheet that can be imported again without a change"""
    return {"csv": keeping.export_sheet(work(), own_alone=args["own_alone"])}


@blp.route("/resources/import", methods=["POST"])
@blp.arguments(SheetSchema)
@blp.response(200, ImportedSchema)
def import_resources(args: dict[str, Any]) -> Any:
    """Add and change organisations from a sheet, by key

    Every mistake is told by line and column, and then nothing is changed. Rehearse it with dry_run.
    """
    return keeping.import_sheet(work(), args["csv"])


@blp.route("/resources/<string:key>", methods=["PATCH"])
@blp.arguments(ResourceEditSchema)
@blp.response(200, ResourceSchema)
def edit_resource(args: dict[str, Any], key: str) -> Any:
    """Change an organisation. Send If-Match"""
    require_match(service.by_key(work(), key))
    return tagged(keeping.edit(work(), key, args))


@blp.route("/resources/<string:key>/check", methods=["POST"])
@blp.response(200, ResourceSchema)
def check_resource(key: str) -> Any:
    """Record that the organisation was asked today and the entry is so. Send If-Match"""
    require_match(service.by_key(work(), key))
    return tagged(keeping.record_check(work(), key))


@blp.route("/resources/<string:key>/withdraw", methods=["POST"])
@blp.response(200, ResourceSchema)
def withdraw_resource(key: str) -> Any:
    """Offer an organisation no more. Send If-Match"""
    require_match(service.by_key(work(), key))
    return tagged(keeping.set_active(work(), key, False))


@blp.route("/resources/<string:key>/restore", methods=["POST"])
@blp.response(200, ResourceSchema)
def restore_resource(key: str) -> Any:
    """Offer an organisation again. Send If-Match"""
    require_match(service.by_key(work(), key))
    return tagged(keeping.set_active(work(), key, True))


@blp.route("/resources/<string:key>/history")
@blp.response(200, ResourceHistorySchema)
def resource_history(key: str) -> Any:
    """What an entry said, change by change"""
    return {"items": keeping.history(work(), key)}


# ------------------------------------------------------------------------------------ translation differences


class DifferenceSchema(Schema):
    version = Whole()
    key = Text(metadata={"example": "E-1"})
    kind = Text()
    resource_keys = fields.List(Text())
    source_lines = fields.List(Whole())
    source_en = Text(allow_none=True)
    source_zh = Text(allow_none=True)
    says = Text()
    handling = Text()
    suggested_zh = Text(allow_none=True)
    safety = fields.Boolean()
    review = Text(metadata={"enum": ["required", "reviewed", "not_needed"]})
    display_zh = Text(allow_none=True)
    reviewed_by_id = Id(allow_none=True)
    reviewed_at = Instant(allow_none=True)


class DifferencesSchema(Schema):
    items = fields.List(fields.Nested(DifferenceSchema))


class ReviewSchema(Schema):
    display_zh = Text(
        load_default=None, allow_none=True, max_length=200,
        metadata={"description": "Shown instead of the source's word; none: the one suggested", "example": "整全照護"},
    )  # fmt: skip


@blp.route("/resources/differences")
@blp.response(200, DifferencesSchema)
def list_differences() -> Any:
    """Where the source's two languages say different things"""
    return {"items": translations.differences(work())}


@blp.route("/resources/differences/<string:key>")
@blp.response(200, DifferenceSchema)
def read_difference(key: str) -> Any:
    """One difference"""
    return with_etag(translations.difference(work(), key))


@blp.route("/resources/differences/<string:key>/review", methods=["POST"])
@blp.arguments(ReviewSchema)
@blp.response(200, DifferenceSchema)
def review_difference(args: dict[str, Any], key: str) -> Any:
    """Say what is shown in Chinese, as somebody who reads both languages. Send If-Match"""
    require_match(translations.difference(work(), key))
    return with_etag(translations.review(work(), key, args["display_zh"]))


# ------------------------------------------------------------------------------------ education


class EducationItemSchema(Schema):
    version = Whole()
    key = Text()
    type = Text(metadata={"enum": list(TYPES)})
    title = Text()
    translation_missing = fields.Boolean()
    title_en = Text()
    title_zh_hant = Text(allow_none=True)
    body_en = Text(allow_none=True)
    body_zh_hant = Text(allow_none=True)
    producer_en = Text(allow_none=True)
    producer_zh_hant = Text(allow_none=True)
    speaker = Text(allow_none=True)
    url = Text(allow_none=True)
    topics = fields.List(Text())
    origin = Text()
    active = fields.Boolean()


class EducationItemsSchema(Schema):
    items = fields.List(fields.Nested(EducationItemSchema))


class EducationItemEditSchema(Schema):
    type = Text(max_length=20, metadata={"enum": list(TYPES)})
    title_en = Text(max_length=300, metadata={"example": "Mouth care"})
    title_zh_hant = _maybe(300)
    body_en = _maybe(4000)
    body_zh_hant = _maybe(4000)
    producer_en = _maybe(200)
    producer_zh_hant = _maybe(200)
    speaker = _maybe(200)
    url = _maybe(500)
    topics = _some()
    active = fields.Boolean()


class EducationItemAddSchema(EducationItemEditSchema):
    class Meta(Schema.Meta):
        exclude = ("active",)

    key = Text(required=True, max_length=40)


class EducationQuery(Schema):
    type = Text(load_default=None, validate=validate.OneOf(TYPES), metadata={"enum": [*TYPES, None]})
    topic = Text(load_default=None, validate=validate.OneOf(TOPICS), metadata={"enum": [*TOPICS, None]})
    q = Text(load_default=None, max_length=200, metadata={"description": "Words in English or Chinese"})
    language = LANGUAGE


def _item(row: EducationItem, language: str = "en") -> dict[str, Any]:
    words = education.shown(row, language)
    shown = {name: getattr(row, name) for name in EducationItemSchema._declared_fields if hasattr(row, name)}
    return shown | {"title": words.title, "translation_missing": words.translation_missing}


@blp.route("/education-items")
@blp.arguments(EducationQuery, location="query")
@blp.response(200, EducationItemsSchema)
def list_education(args: dict[str, Any]) -> Any:
    """Things to watch and read, and questions often asked"""
    found = education.items(work(), item_type=args["type"], topic=args["topic"], text=args["q"] or "")
    return {"items": [_item(row, args["language"]) for row in found]}


@blp.route("/education-items", methods=["POST"])
@blp.arguments(EducationItemAddSchema)
@blp.response(201, EducationItemSchema)
def add_education(args: dict[str, Any]) -> Any:
    """Add something to watch or read"""
    row = education.add_item(work(), args.pop("key"), **args)
    return _item(row), with_etag(row)[1]


@blp.route("/education-items/<string:key>")
@blp.response(200, EducationItemSchema)
def read_education(key: str) -> Any:
    """One thing to watch or read"""
    row = education.item_by_key(work(), key)
    return _item(row), with_etag(row)[1]


@blp.route("/education-items/<string:key>", methods=["PATCH"])
@blp.arguments(EducationItemEditSchema)
@blp.response(200, EducationItemSchema)
def edit_education(args: dict[str, Any], key: str) -> Any:
    """Change something to watch or read, or take it off the list. Send If-Match"""
    require_match(education.item_by_key(work(), key))
    row = education.edit_item(work(), key, args)
    return _item(row), with_etag(row)[1]


# ------------------------------------------------------------------------------------ feedback


class FeedbackRequestSchema(Schema):
    branch_id = Id(required=True)
    theme = Text(required=True, validate=validate.OneOf(FEEDBACK_THEMES), metadata={"enum": list(FEEDBACK_THEMES)})
    language = Text(required=True, max_length=20, metadata={"description": "BCP 47", "example": "zh-Hant"})
    voice = Text(required=True, validate=validate.OneOf(feedback.VOICES), metadata={"enum": list(feedback.VOICES)})
    words = Text(required=True, max_length=4000, metadata={"description": "What was said; it names no patient"})
    received_on = Day(required=True)
    resource_key = Text(load_default=None, allow_none=True, max_length=40)


class FeedbackSchema(Schema):
    id = Id()
    version = Whole()
    branch_id = Id()
    theme = Text()
    language = Text()
    voice = Text()
    words = Text()
    received_on = Day()
    resource_id = Id(allow_none=True)
    recorded_at = Instant()
    shared_at = Instant(allow_none=True)


class FeedbackQuery(PageQuery):
    theme = choice(FEEDBACK_THEMES)
    language = Text(load_default=None, max_length=20)
    resource_key = Text(load_default=None, max_length=40)


@blp.route("/feedback", methods=["POST"])
@blp.arguments(FeedbackRequestSchema)
@blp.response(201, FeedbackSchema)
def record_feedback(args: dict[str, Any]) -> Any:
    """Keep what somebody of the community said about care"""
    return with_etag(feedback.record(work(), **args))


@blp.route("/feedback")
@blp.arguments(FeedbackQuery, location="query")
@blp.response(200, page_schema(FeedbackSchema))
def list_feedback(args: dict[str, Any]) -> Any:
    """What the community said, by theme, language and organisation"""
    filters = {name: args[name] for name in ("theme", "language", "resource_key")}
    return page(work().session, feedback.search(work(), **filters), [CommunityFeedback.id], args)


@blp.route("/feedback/<id:feedback_id>/share", methods=["POST"])
@blp.response(200, FeedbackSchema)
def share_feedback(feedback_id: int) -> Any:
    """Record that it was passed on to those it is about"""
    return with_etag(feedback.share(work(), feedback_id))
