"""The directory of onward help over HTTP: looked at, and searched."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.fields import Day, Id, Schema, Text, Whole
from coordinator.core.http import Blueprint, etag_of, work
from coordinator.directory import hsds, service
from coordinator.directory.model import Resource
from coordinator.directory.terms import (
    FOCUS,
    HEALTH_SYSTEMS,
    KINDS,
    LANGUAGES,
    POPULATIONS,
    REFERRAL_RULES,
    REFERRERS,
    SERVICES,
    SETTINGS,
    STATED_WORDS,
    TOPICS,
)

blp = Blueprint("directory", __name__, url_prefix="/api/v1", description="Where a patient can be sent on to")

LISTS = {
    "kind": KINDS, "settings": SETTINGS, "stated": STATED_WORDS, "services": SERVICES, "topics": TOPICS,
    "population": POPULATIONS, "health_system": HEALTH_SYSTEMS, "who_refers": REFERRERS, "focus_communities": FOCUS,
    "referral_rule": {code: rule.says for code, rule in REFERRAL_RULES.items()},
}  # fmt: skip


class ProgramSchema(Schema):
    name_en = Text(required=True, max_length=200)
    name_zh_hant = Text(max_length=200)
    settings = fields.List(Text(max_length=40, metadata={"enum": list(SETTINGS)}), load_default=list)


class ResourceSchema(Schema):
    id = Id()
    version = Whole()
    key = Text(metadata={"example": "sutter_cpmc"})
    kind = Text(metadata={"enum": list(KINDS)})
    name = Text(metadata={"description": "In the language asked for"})
    short_name = Text(allow_none=True)
    name_en = Text()
    name_zh_hant = Text(allow_none=True)
    source_names = fields.Dict(metadata={"description": "As the source writes them; never repaired"})
    description = Text()
    language = Text(metadata={"description": "Of name and description; English stands in where one is missing"})
    translation_missing = fields.Boolean()
    translation_review = fields.Boolean(
        metadata={"description": "The source says something else in Chinese than in English: ask a reader of both"}
    )
    settings = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"example": {"home": "not_stated"}})
    population = fields.List(Text())
    services = fields.List(Text())
    topics = fields.List(Text())
    programs = fields.List(fields.Dict())
    referral_rule = Text()
    referral = Text(metadata={"description": "Who may refer, in words of the language asked for"})
    who_refers = fields.List(Text())
    is_medical_care = fields.Boolean(metadata={"description": "False: stands beside medical care, never instead of it"})
    health_system = Text(allow_none=True)
    is_kp = fields.Boolean(metadata={"description": "A resource of Kaiser Permanente; false: of others"})
    area = Text(allow_none=True)
    counties = fields.List(Text())
    languages = fields.List(Text(), metadata={"description": "Spoken without an interpreter; empty: not stated"})
    focus_communities = fields.List(Text(), metadata={"description": "A hint; everybody is served"})
    required_documents = fields.List(Text())
    phone = Text(allow_none=True)
    email = Text(allow_none=True)
    url = Text(allow_none=True)
    address = Text(allow_none=True)
    fees = Text(allow_none=True)
    origin = Text(metadata={"enum": ["shipped", "agency"]})
    active = fields.Boolean()
    checked_on = Day(allow_none=True)
    stale = fields.Boolean(metadata={"description": "Nobody has asked the organisation for too long, or ever"})


class ResourcesSchema(Schema):
    items = fields.List(fields.Nested(ResourceSchema))


class LabelSchema(Schema):
    code = Text()
    en = Text()
    zh_hant = Text()


LANGUAGE = Text(load_default="en", validate=validate.OneOf(LANGUAGES), metadata={"enum": list(LANGUAGES)})


class LanguageQuery(Schema):
    language = LANGUAGE


def choice(of: Any) -> Text:
    """A query field for one word of a list; the verb says which words there are."""
    return Text(load_default=None, max_length=60, metadata={"enum": [*of, None]})


class ResourceQuery(Schema):
    need = choice(SERVICES)
    setting = choice(SETTINGS)
    include_not_stated = fields.Boolean(load_default=False)
    who_refers = choice(REFERRERS)
    speaks = Text(load_default=None, max_length=20, metadata={"description": "BCP 47", "example": "yue"})
    population = choice(POPULATIONS)
    topic = choice(TOPICS)
    kind = choice(KINDS)
    health_system = choice(HEALTH_SYSTEMS)
    q = Text(load_default=None, max_length=200, metadata={"description": "Words in English or Chinese"})
    language = LANGUAGE


class OnwardQuery(Schema):
    is_kp_member = fields.Boolean(load_default=False)
    is_veteran = fields.Boolean(load_default=False)
    has_physician = fields.Boolean(load_default=False)
    health_system = choice(HEALTH_SYSTEMS)
    county = Text(load_default=None, max_length=60, metadata={"example": "San Francisco"})
    language = LANGUAGE


class HsdsSchema(Schema):
    """The lists of HSDS 3 in tabular form, linked by ids."""


for _table in hsds.TABLES:
    HsdsSchema._declared_fields[_table] = fields.List(fields.Dict())


_PLAIN = ("health_system", "area", "phone", "email", "url", "address", "fees")
_LISTED = ("topics", "programs", "counties", "languages", "focus_communities", "required_documents")


def document(row: Resource, language: str, since: Any) -> dict[str, Any]:
    """The organisation as the API shows it; `since`: the first day on which a check still counts."""
    shown, rule = service.shown(row, language), REFERRAL_RULES[row.referral_rule]
    return {
        "id": row.id, "version": row.version, "key": row.key, "kind": row.kind, "name": shown.name,
        "short_name": shown.short_name, "name_en": row.name_en, "name_zh_hant": row.name_zh_hant,
        "source_names": row.extra.get("source_names", {}), "description": shown.description,
        "language": shown.language, "translation_missing": shown.translation_missing,
        "translation_review": shown.translation_review, "settings": row.settings, "population": row.population,
        "services": row.services, "referral_rule": row.referral_rule, "referral": rule.says.of(language),
        "who_refers": sorted(rule.who), "is_medical_care": row.is_medical_care,
        "is_kp": row.extra.get("health_system") == "kaiser", "origin": row.origin, "active": row.active,
        "checked_on": row.checked_on, "stale": service.is_stale(row, since),
        **{name: row.extra.get(name) for name in _PLAIN}, **{name: row.extra.get(name, []) for name in _LISTED},
    }  # fmt: skip


def documents(rows: list[Resource], language: str) -> dict[str, Any]:
    """Organisations in the order given."""
    since = service.checked_since(work())
    return {"items": [document(row, language, since) for row in rows]}


def tagged(row: Resource, language: str = "en") -> tuple[Any, dict[str, str]]:
    """One organisation with its ETag."""
    return document(row, language, service.checked_since(work())), {"ETag": etag_of(row)}


@blp.route("/resources")
@blp.arguments(ResourceQuery, location="query")
@blp.response(200, ResourcesSchema)
def list_resources(args: dict[str, Any]) -> Any:
    """Organisations of the directory

    A setting or a language that nobody states counts only with include_not_stated.
    """
    found = service.search(work(), text=args.pop("q"), **args)
    return documents(found, args["language"])


@blp.route("/resources/onward")
@blp.arguments(OnwardQuery, location="query")
@blp.response(200, ResourcesSchema)
def suggest_onward(args: dict[str, Any]) -> Any:
    """Where somebody whose referral was declined can turn"""
    language = args.pop("language")
    return documents(service.suggest_onward(work(), **args), language)


@blp.route("/resources/terms")
@blp.response(200, Schema.from_dict(
    {name: fields.List(fields.Nested(LabelSchema)) for name in LISTS}, name="DirectoryTermsSchema"
))  # fmt: skip
def list_terms() -> Any:
    """The words of the directory in both languages"""
    return {
        name: [{"code": code, "en": label.en, "zh_hant": label.zh} for code, label in labels.items()]
        for name, labels in LISTS.items()
    }


@blp.route("/resources/hsds")
@blp.response(200, HsdsSchema)
def export_hsds() -> Any:
    """The directory in the shape of Open Referral's HSDS 3"""
    return hsds.export(
        hsds.Listed(row.key, service.entry_of(row), row.checked_on, row.active)
        for row in service.search(work())
    )  # fmt: skip


@blp.route("/resources/<string:key>")
@blp.arguments(LanguageQuery, location="query")
@blp.response(200, ResourceSchema)
def read_resource(args: dict[str, Any], key: str) -> Any:
    """One organisation"""
    return tagged(service.by_key(work(), key), args["language"])
