"""Findings, the register of rules, and the policy file."""

import ast
import inspect
import json
import string
import tomllib
from datetime import date

import pytest

from coordinator.rules import catalogue
from coordinator.rules.terms import (
    RULES,
    Finding,
    Occasion,
    PolicyError,
    Severity,
    also,
    found,
    policy_from,
    refusals,
    rule,
)
from tests.rules.cases import POLICY, POLICY_FILE, policy

# ------------------------------------------------------------------------------------ findings


def test_a_finding_speaks_and_can_be_written_down():
    finding = found(
        "ORD-01",
        "There is no {discipline} order for {day}.",
        cure="A physician orders {discipline}.",
        discipline="PT",
        day=date(2026, 11, 10),
        facts={"order_id": None},
    )
    assert finding.sentence() == "There is no PT order for 2026-11-10."
    chinese = {"There is no {discipline} order for {day}.": "{day} 沒有 {discipline} 醫囑。"}
    assert finding.sentence(lambda text: chinese[text]) == "2026-11-10 沒有 PT 醫囑。"
    written = json.loads(json.dumps(finding.as_dict()))
    assert written["severity"] == "BLOCK"
    assert written["facts"] == {"discipline": "PT", "day": "2026-11-10", "order_id": None}
    assert finding.refuses
    assert finding.citation == RULES["ORD-01"].citation


def test_what_refuses():
    findings = tuple(Finding("X", severity, "", "") for severity in Severity)
    assert {finding.severity for finding in refusals(findings)} == {Severity.BLOCK, Severity.BLOCK_OVR}


# ------------------------------------------------------------------------------------ the register


def test_every_rule_has_a_source_a_sentence_and_settings_that_exist():
    for known in RULES.values():
        assert known.citation
        assert known.sentence.endswith(".")
        assert known.functions
        assert set(known.settings) <= set(POLICY.settings), known.id
    assert sum(map(len, catalogue.by_family().values())) == len(RULES)


def test_a_rule_is_registered_once():
    with pytest.raises(ValueError, match="twice"):
        rule("ORD-01", family="x", severity=Severity.WARN, citation="x", verification="D", sentence="x.")(lambda: None)
    with pytest.raises(KeyError):
        also("NONE-1")(lambda: None)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"rule_id": "new rule"}, "an id is"),
        ({"citation": " "}, "citation"),
        ({"sentence": "No full stop"}, "full stop"),
        ({"sentence_zh": "A sentence."}, "Chinese"),
        ({"sentence_zh": "沒有句號"}, "Chinese"),
        ({"asked_on": ("moonrise",)}, "moonrise.*known are referral"),
    ],
)
def test_an_entry_that_is_wrong_is_refused_with_the_rule_s_name(wrong, problem):
    entry = {
        "rule_id": "NEW-01", "family": "x", "severity": Severity.WARN, "citation": "x", "verification": "D",
        "sentence": "One.", "sentence_zh": "一。", "asked_on": (Occasion.CLOCK,),
    } | wrong  # fmt: skip
    with pytest.raises(ValueError, match=f"rule {entry['rule_id']}: .*{problem}"):
        rule(entry.pop("rule_id"), **entry)
    assert "NEW-01" not in RULES


def _texts(node):
    if isinstance(node, ast.Constant):
        return [node.value]
    return _texts(node.body) + _texts(node.orelse) if isinstance(node, ast.IfExp) else []


@pytest.mark.parametrize("family", catalogue.FAMILIES, ids=lambda module: module.__name__)
def test_every_sentence_gets_what_it_names(family):
    for call in ast.walk(ast.parse(inspect.getsource(family))):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "found"):
            continue
        given = {keyword.arg for keyword in call.keywords}
        cures = [keyword.value for keyword in call.keywords if keyword.arg == "cure"]
        for text in [*_texts(call.args[1]), *(text for cure in cures for text in _texts(cure))]:
            names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert names <= given, f"{family.__name__}:{call.lineno} {names - given}"


# ------------------------------------------------------------------------------------ policy


def shipped():
    return tomllib.loads(POLICY_FILE.read_text(encoding="utf-8"))


def test_the_shipped_policy_says_where_every_number_comes_from():
    assert len(POLICY.settings) > 60
    for setting in POLICY.settings.values():
        assert setting.source
        assert setting.verification in "VPKD"
    assert POLICY.aides.supervision_days == POLICY.settings["aides.supervision_days"].value == 14


@pytest.mark.parametrize(
    ("section", "key", "value", "problem"),
    [
        ("aides", "supervision_days", None, "missing"),
        ("aides", "supervision_days", "14", "whole number"),
        ("aides", "supervision_days", True, "whole number"),
        ("aides", "supervision_days", -1, "negative"),
        ("aides", "supervisors", "RN", "list"),
        ("aides", "supervisors", ["NURSE"], "not one of"),
        ("weeks", "visit_week_anchor", "friday", "not one of"),
        ("certification", "face_to_face_widened_on", "2026-01-01", "date"),
        ("safety", "violence_hazards", ["dogs"], "capital"),
        ("payers", "medicare", ["MEDICAID"], "not one of"),
        ("prices", "stranger", None, "missing"),
        ("prices", "stranger", "15.00", "whole number"),
        ("prices", "told", 8000, "table"),
        ("prices", "told", {"clinician": 1, "day": 2, "time": 3}, "missing"),
        ("prices", "told", {"clinician": 1, "day": 2, "time": 3, "tolerance_minutes": 0, "mood": 4}, "no such part"),
        ("prices", "told", {"clinician": 1, "day": -2, "time": 3, "tolerance_minutes": 0}, "negative"),
        ("labour", "meal_minutes", 0.5, "whole number"),
    ],
)
def test_a_wrong_setting_is_named(section, key, value, problem):
    tree = shipped()
    if value is None:
        del tree[section][key]
    else:
        tree[section][key]["value"] = value
    with pytest.raises(PolicyError, match=problem) as refused:
        policy_from(tree)
    assert refused.value.key.startswith(f"{section}.{key}")


def test_unknown_sections_settings_and_notes_are_named():
    for change, key in (
        (lambda tree: tree.update(extra={}), "extra"),
        (lambda tree: tree["aides"].update(extra=1), "aides.extra"),
        (lambda tree: tree.pop("aides"), "aides"),
        (lambda tree: tree["aides"]["supervision_days"].pop("source"), "aides.supervision_days"),
        (lambda tree: tree["aides"]["supervision_days"].update(source=" "), "aides.supervision_days"),
        (lambda tree: tree["aides"]["supervision_days"].update(verification="X"), "aides.supervision_days"),
        (lambda tree: tree["aides"]["supervision_days"].update(effective_from="now"), "aides.supervision_days"),
        (lambda tree: tree["aides"].update(supervision_days=14), "aides.supervision_days"),
    ):
        tree = shipped()
        change(tree)
        with pytest.raises(PolicyError) as refused:
            policy_from(tree)
        assert refused.value.key == key


def test_a_value_that_changes_on_a_day():
    tree = shipped()
    old = {**tree["aides"]["supervision_days"], "effective_from": date(2010, 1, 1), "value": 21}
    tree["aides"]["supervision_days"] = [tree["aides"]["supervision_days"], old]
    assert policy_from(tree).aides.supervision_days == 14
    assert policy_from(tree, date(2026, 11, 10)).aides.supervision_days == 14
    with pytest.raises(PolicyError, match="nothing in force"):
        policy_from(tree, date(2009, 1, 1))


def test_the_policy_of_today_is_in_force():
    assert policy(date(2026, 11, 10)) == POLICY
