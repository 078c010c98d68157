"""The directory of onward help over HTTP."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Id, Schema, Text
from coordinator.core.http import Blueprint, work
from coordinator.directory import service
from coordinator.directory.model import Resource

blp = Blueprint("directory", __name__, url_prefix="/api/v1", description="Where a patient can be sent on to")


class ResourceSchema(Schema):
    id = Id()
    key = Text(metadata={"example": "sutter_cpmc"})
    kind = Text(metadata={"enum": list(service.KINDS)})
    name = Text(metadata={"description": "In the language asked for"})
    name_en = Text()
    name_zh_hant = Text(allow_none=True)
    description = Text()
    language = Text(metadata={"description": "Of name and description; English stands in where one is missing"})
    translation_missing = fields.Boolean()
    translation_review = fields.Boolean(
        metadata={"description": "The source says something else in Chinese than in English: ask a reader of both"}
    )
    settings = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"example": {"home": "not_stated"}})
    population = fields.List(Text())
    services = fields.List(Text())
    programs = fields.List(fields.Dict())
    referral_rule = Text()
    who_refers = fields.List(Text())
    is_medical_care = fields.Boolean(metadata={"description": "False: stands beside medical care, never instead of it"})
    area = Text(allow_none=True)
    focus_communities = fields.List(Text(), metadata={"description": "A hint; everybody is served"})


class ResourcesSchema(Schema):
    items = fields.List(fields.Nested(ResourceSchema))


_LANGUAGE = Text(
    load_default="en", validate=validate.OneOf(service.LANGUAGES), metadata={"enum": list(service.LANGUAGES)}
)


class LanguageQuery(Schema):
    language = _LANGUAGE


class ResourceQuery(Schema):
    need = Text(load_default=None, max_length=40, metadata={"enum": [*service.SERVICES, None]})
    setting = Text(load_default=None, max_length=40, metadata={"enum": [*service.SETTINGS, None]})
    include_not_stated = fields.Boolean(load_default=False)
    who_refers = Text(load_default=None, max_length=40, metadata={"enum": [*service.REFERRERS, None]})
    q = Text(load_default=None, max_length=200, metadata={"description": "Words in English or Chinese"})
    language = _LANGUAGE


class OnwardQuery(Schema):
    is_kp_member = fields.Boolean(load_default=False)
    is_veteran = fields.Boolean(load_default=False)
    has_physician = fields.Boolean(load_default=False)
    health_system = Text(load_default=None, max_length=40, metadata={"description": "Key of the patient's provider"})
    language = _LANGUAGE


def _document(row: Resource, language: str) -> dict[str, Any]:
    words = service.shown(row, language)
    return {
        "id": row.id, "key": row.key, "kind": row.kind, "name_en": row.name_en, "name_zh_hant": row.name_zh_hant,
        "name": words.name, "description": words.description, "language": words.language,
        "translation_missing": words.translation_missing, "translation_review": words.translation_review,
        "settings": row.settings, "population": row.population, "services": row.services,
        "programs": row.extra.get("programs", []), "referral_rule": row.referral_rule,
        "who_refers": sorted(service.WHO_REFERS[row.referral_rule]), "is_medical_care": row.is_medical_care,
        "area": row.extra.get("area"), "focus_communities": row.extra.get("focus_communities", []),
    }  # fmt: skip


@blp.route("/resources")
@blp.arguments(ResourceQuery, location="query")
@blp.response(200, ResourcesSchema)
def list_resources(args: dict[str, Any]) -> Any:
    """Organisations of the directory

    A setting that a page does not state counts only with include_not_stated.
    """
    found = service.search(work(), text=args.pop("q"), **args)
    return {"items": [_document(row, args["language"]) for row in found]}


@blp.route("/resources/onward")
@blp.arguments(OnwardQuery, location="query")
@blp.response(200, ResourcesSchema)
def suggest_onward(args: dict[str, Any]) -> Any:
    """Where somebody whose referral was declined can turn"""
    language = args.pop("language")
    return {"items": [_document(row, language) for row in service.suggest_onward(work(), **args)]}


@blp.route("/resources/<string:key>")
@blp.arguments(LanguageQuery, location="query")
@blp.response(200, ResourceSchema)
def read_resource(args: dict[str, Any], key: str) -> Any:
    """One organisation"""
    return _document(service.by_key(work(), key), args["language"])
