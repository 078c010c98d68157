"""The catalogue of rules over HTTP. It is the law, not a record: whoever is signed in may read it."""

from typing import Any

from marshmallow import fields

from coordinator.core.errors import NotFound
from coordinator.core.fields import Day, Schema, Text, Word
from coordinator.core.http import Blueprint, work
from coordinator.rules.catalogue import RULES, in_order
from coordinator.rules.terms import Occasion, Severity, Verification
from coordinator.web.rules_words import entry

blp = Blueprint("rules", __name__, url_prefix="/api/v1", description="The rules that the product asks")


class RuleSettingSchema(Schema):
    key = Text(metadata={"example": "aides.supervision_days"})
    value = Text(metadata={"example": "14"})
    source = Text()
    effective_from = Day()
    verification = Word(Verification)


class RuleSchema(Schema):
    id = Text(metadata={"example": "SUP-01"})
    family = Text()
    severity = Word(Severity)
    citation = Text(metadata={"example": "42 CFR 484.80(h)(1)"})
    verification = Word(Verification, metadata={"description": "V checked, P programme page, K known, D decision"})
    verify_before_go_live = fields.Boolean(metadata={"description": "Nobody has read the source again yet"})
    sentence = Text()
    sentence_zh = Text(metadata={"description": "The sentence in Traditional Chinese"})
    asked_on = fields.List(Word(Occasion), metadata={"description": "On which occasions it is asked again"})
    settings = fields.List(fields.Nested(RuleSettingSchema), metadata={"description": "Numbers it reads, in force now"})


class RuleListSchema(Schema):
    items = fields.List(fields.Nested(RuleSchema))


class RuleQuery(Schema):
    family = Text(max_length=40, load_default=None, metadata={"example": "aides"})
    severity = Word(Severity, load_default=None)
    verification = Word(Verification, load_default=None)


@blp.route("/rules")
@blp.arguments(RuleQuery, location="query")
@blp.response(200, RuleListSchema)
def list_rules(args: dict[str, Any]) -> Any:
    """Every rule, in the order of the book

    Those with mark K are to be verified before go-live.
    """
    policy = work().policy
    wanted = {name: value for name, value in args.items() if value is not None}
    found = [rule for rule in in_order() if all(getattr(rule, name) == value for name, value in wanted.items())]
    return {"items": [entry(rule, policy) for rule in found]}


@blp.route("/rules/<string:rule_id>")
@blp.response(200, RuleSchema)
def read_rule(rule_id: str) -> Any:
    """One rule, with the numbers it reads"""
    known = RULES.get(rule_id.upper())
    if known is None:
        raise NotFound("There is no such rule.")
    return entry(known, work().policy)
