"""Programmes over HTTP: what holds under each, since when, and on whose authority (rule book 0.5)."""

from datetime import date
from typing import Any

from marshmallow import fields

from coordinator.agency import programmes
from coordinator.core.fields import Day, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, work
from coordinator.domain.care_types import ACTIVITIES_OF, NAMES, ON_ORDER_ALONE, Activity, CareType
from coordinator.domain.vocabulary import Discipline
from coordinator.rules.profile_files import SETTINGS
from coordinator.rules.profiles import Exclusion, Profile

blp = Blueprint("programmes", __name__, url_prefix="/api/v1", description="Programmes: which rules hold under which")

_VALUE = {
    "description": "As it stands in the file: a word, a number, true or false, a list or a table",
    "example": True,
}


class SettingSchema(Schema):
    setting = Text(metadata={"example": "homebound_required"})
    value = fields.Raw(metadata=_VALUE)
    source = Text(metadata={"example": "42 CFR 409.42(a), 424.22(a)(1)"})
    effective_from = Day()
    verification = Text(metadata={"description": "V, P, K or D", "example": "V"})


class ProgrammeSchema(Schema):
    code = Text(metadata={"example": "KP_HBPC"})
    name = Text()
    settings = fields.List(fields.Nested(SettingSchema))


class ProgrammesSchema(Schema):
    items = fields.List(fields.Nested(ProgrammeSchema))


class ProgrammeHistorySchema(ProgrammeSchema):
    periods = fields.List(fields.Nested(ProgrammeSchema), metadata={"description": "Each from its first day on"})
    changes = Whole(metadata={"description": "On how many days a setting began to hold"})


def _plain(value: object) -> object:
    if isinstance(value, Exclusion):
        return {
            "programme": str(value.programme), "payers": sorted(map(str, value.payers)),
            "terminal_condition_only": value.terminal_condition_only, "from_age": value.from_age,
        }  # fmt: skip
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, bool | int) else str(value)


def shown(profile: Profile) -> dict[str, Any]:
    """The profile with every setting's value, source, first day and verification mark."""
    return {
        "code": str(profile.code),
        "name": profile.name,
        "settings": [
            {
                "setting": key,
                "value": _plain(profile.notes[key].value),
                "source": profile.notes[key].source,
                "effective_from": profile.notes[key].effective_from,
                "verification": profile.notes[key].verification,
            }
            for key in SETTINGS
        ],
    }


class ActivityNamedSchema(Schema):
    code = Word(Activity)
    name_en = fields.String()
    name_zh_hant = fields.String()


class CareTypeSchema(Schema):
    code = Word(CareType)
    name_en = fields.String()
    name_zh_hant = fields.String()
    disciplines = fields.List(Word(Discipline))
    activities = fields.List(fields.Nested(ActivityNamedSchema))
    only_when_ordered = fields.Boolean(metadata={"description": "Furnished when a physician orders it, and else not"})


class CareTypesSchema(Schema):
    items = fields.List(fields.Nested(CareTypeSchema))


def _named(code: CareType | Activity) -> dict[str, Any]:
    english, chinese = NAMES[code]
    return {"code": code, "name_en": english, "name_zh_hant": chinese}


@blp.route("/care-types")
@blp.response(200, CareTypesSchema)
def list_care_types() -> Any:
    """The kinds of care, in both languages

    Which disciplines furnish them, what is done under each, and what is furnished on a physician's order alone.
    """
    return {
        "items": [
            _named(care_type)
            | {
                "disciplines": disciplines,
                "activities": [_named(one) for one in ACTIVITIES_OF[care_type]],
                "only_when_ordered": care_type in ON_ORDER_ALONE,
            }
            for care_type, disciplines in programmes.care_types(work()).items()
        ]
    }


@blp.route("/programmes")
@blp.response(200, ProgrammesSchema)
def list_programmes() -> Any:
    """Every programme

    What holds under each today, with source, first day and verification mark.
    """
    return {"items": [shown(profile) for profile in programmes.profiles(work())]}


@blp.route("/programmes/<string:code>")
@blp.response(200, ProgrammeHistorySchema)
def get_programme(code: str) -> Any:
    """One programme over time

    What holds today, and each setting that began to hold on another day.
    """
    history = programmes.history(work(), code)
    today: date = work().now.date()
    periods = [
        {
            "code": str(profile.code),
            "name": profile.name,
            "settings": [row for row in shown(profile)["settings"] if row["effective_from"] == since],
        }
        for since, profile in zip(history.since, history.profiles, strict=True)
    ]
    return shown(history.on(today)) | {"periods": periods, "changes": len(periods)}
