"""The catalogue of rules holds what it says: source, both sentences, settings, examples, and a door that asks."""

import ast
from copy import deepcopy
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from coordinator.core.settings import ROOT
from coordinator.rules.catalogue import RULES, in_order
from coordinator.rules.conventions import CONVENTIONS, Convention
from coordinator.rules.terms import Occasion, Rule
from coordinator.web.rules_words import document
from tests.house.calls import Door, calls, chain, chains, node_of
from tests.house.occasions import occasion_of
from tests.rules.book_examples import BOOK, NOT_YET_PROVED, OWN, STANDS_UNDER
from tests.rules.cases import POLICY

PREFIX = "coordinator.rules."
#: Rules that functions of other rooms keep at every request, without being asked of facts (SEC).
KEPT = {known.id for known in RULES.values() if not any(f.startswith(PREFIX) for f in known.functions)}
EVERY = [pytest.param(known, id=known.id) for known in in_order()]
ASKED = [pytest.param(known, id=known.id) for known in in_order() if known.id not in KEPT]
#: Functions of rules that no door reaches yet, with the reason. A line whose function IS asked makes the test fail.
UNASKED: dict[str, str] = {}


#: Settings that a rule names and nothing reads, with the reason.
UNREAD: set[str] = set()


# ------------------------------------------------------------------------------------ what a rule says


@pytest.mark.parametrize("known", EVERY)
def test_a_rule_names_its_source_and_speaks_two_languages(known: Rule) -> None:
    assert known.citation.strip()
    assert known.sentence.strip()
    assert known.sentence_zh, f"{known.id} has no Chinese sentence"


def test_the_catalogue_knows_every_rule_module() -> None:
    from_source = {
        decorator.args[0].value
        for module in calls().modules.values()
        for node in module.defines.values()
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        and chain(decorator.func) in {("rule",), ("terms", "rule")}
        and isinstance(decorator.args[0], ast.Constant)
    }
    assert from_source == set(RULES) - KEPT, "add the module to catalogue.FAMILIES"


# ------------------------------------------------------------------------------------ examples


def marked(source: str) -> set[tuple[str, int]]:
    """The examples that marks in one file's source claim."""
    return {
        (call.args[0].value, call.args[1].value)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and (chain(call.func) or ())[-2:] == ("mark", "example")
        and all(isinstance(argument, ast.Constant) for argument in call.args)
    }  # type: ignore[attr-defined]


@cache
def claimed() -> set[tuple[str, int]]:
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    assert files
    return set().union(*(marked(path.read_text(encoding="utf-8")) for path in files))


def wanted() -> set[tuple[str, int]]:
    return {(rule, n) for table in (BOOK, OWN) for rule, words in table.items() for n in range(1, len(words) + 1)}


def test_a_mark_is_found_wherever_it_stands() -> None:
    source = 'x = pytest.param(1, marks=pytest.mark.example("A-1", 2))\n@pytest.mark.example("B-1", 1)\ndef t(): ...'
    assert marked(source) == {("A-1", 2), ("B-1", 1)}


def test_every_example_of_the_book_is_proved_by_a_test() -> None:
    missing = wanted() - claimed()
    words = {f"{rule} {n}: {(BOOK | OWN)[rule][n - 1]}" for rule, n in missing if f"{rule} {n}" not in NOT_YET_PROVED}
    assert sorted(words) == []
    done = [line for line in NOT_YET_PROVED if line not in {f"{rule} {n}" for rule, n in missing}]
    assert done == [], "proved meanwhile: take these off the list"


def test_no_mark_claims_an_example_that_the_book_does_not_have() -> None:
    assert sorted(claimed() - wanted()) == []


def test_no_rule_is_without_an_example() -> None:
    assert sorted(set(RULES) - set(BOOK) - set(OWN) - set(STANDS_UNDER) - KEPT) == [], (
        "give it one in tests/rules/book_examples.py"
    )


# ------------------------------------------------------------------------------------ doors


@cache
def doors_by_function() -> dict[str, set[Door]]:
    found: dict[str, set[Door]] = {}
    for door in calls().doors:
        for node in calls().reached_from([door.node]):
            if node.startswith(PREFIX):
                found.setdefault(node, set()).add(door)
    return found


def occasions(known: Rule) -> set[Occasion]:
    """On which occasions the doors of the product ask the rule."""
    doors = set().union(*(doors_by_function().get(function, set()) for function in known.functions))
    return {occasion_of(door) for door in doors}


@pytest.mark.parametrize("known", ASKED)
def test_every_function_of_a_rule_is_asked_by_a_door(known: Rule) -> None:
    nobody = [f for f in known.functions if f not in doors_by_function() and f.removeprefix(PREFIX) not in UNASKED]
    assert nobody == [], f"{known.id}: no verb, handler or job reaches this"


def test_the_list_of_the_unasked_only_shrinks() -> None:
    functions = {function.removeprefix(PREFIX) for known in RULES.values() for function in known.functions}
    assert set(UNASKED) <= functions
    assert [f for f in UNASKED if PREFIX + f in doors_by_function()] == [], "asked meanwhile: take these off the list"
    assert all(reason.strip() for reason in UNASKED.values())


@pytest.mark.parametrize("known", ASKED)
def test_a_rule_is_asked_when_it_says(known: Rule) -> None:
    asked = occasions(known)
    assert set(known.asked_on) <= asked, f"{known.id} is asked on {sorted(asked)}"
    assert known.asked_on or not asked, f"{known.id} does not say asked_on: {sorted(asked)}"


def test_a_function_that_nobody_mentions_is_not_reached() -> None:
    assert Door("verb", "coordinator.visits.service.confirm") in calls().doors
    assert {door.kind for door in calls().doors} == {"verb", "view", "handler", "job"}
    kept = ast.parse("@rule('A-1')\ndef asked(fact):\n    return helper(fact)").body[0]
    assert set(chains(kept)) == {("helper",), ("fact",)}  # a decorator registers, it does not ask


# ------------------------------------------------------------------------------------ settings

SECTIONS: dict[str, set[str]] = {}
for setting in POLICY.settings:
    SECTIONS.setdefault(setting.partition(".")[0], set()).add(setting.partition(".")[2])


def of_a_day(node: ast.AST) -> ast.AST:
    """`policy.on(day)` in a piece of source becomes `policy.on`, so that what is read of it is one dotted name."""

    class Days(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.AST:
            self.generic_visit(call)
            return call.func if isinstance(call.func, ast.Attribute) and call.func.attr == "on" else call

    return Days().visit(deepcopy(node))


def settings_read(node: ast.AST) -> set[str]:
    """`section.name` of every policy setting that a piece of source reads."""
    node = of_a_day(node)
    alias = {
        target.id: path[-1]
        for assign in ast.walk(node)
        if isinstance(assign, ast.Assign | ast.NamedExpr)
        and (path := chain(assign.value))
        and len(path) > 1
        and path[-1] in SECTIONS
        for target in (assign.targets if isinstance(assign, ast.Assign) else [assign.target])
        if isinstance(target, ast.Name)
    }
    found = set()
    for attribute in ast.walk(node):
        path = chain(attribute) if isinstance(attribute, ast.Attribute) else None
        if path:
            path = (path[0], alias[path[0]], *path[1:]) if path[0] in alias else path
            found |= {f"{one}.{two}" for one, two in pairwise(path) if two in SECTIONS.get(one, ())}
    return found


def read_by(known: Rule) -> set[str]:
    """What the rule's functions read, themselves or by helpers that are no other rule's functions."""
    others = {f for other in RULES.values() if other is not known for f in other.functions}
    seen, waiting = set(), list(known.functions)
    while waiting:
        function = waiting.pop()
        if function in seen or function in others or not function.startswith(PREFIX):
            continue
        seen.add(function)
        waiting += calls().mentions.get(function, ())
    return set().union(*(settings_read(node_of(function)) for function in seen))


@pytest.mark.parametrize("known", ASKED)
def test_a_rule_names_every_setting_it_reads(known: Rule) -> None:
    assert set(known.settings) <= set(POLICY.settings)
    assert sorted(read_by(known) - set(known.settings)) == [], f"{known.id} reads these and does not say so"


@cache
def read_anywhere() -> set[str]:
    return set().union(
        *(settings_read(node) for module in calls().modules.values() for node in module.defines.values())
    )


@pytest.mark.parametrize("known", EVERY)
def test_a_setting_that_a_rule_names_is_read(known: Rule) -> None:
    assert sorted(set(known.settings) - read_anywhere() - UNREAD) == [], f"nothing reads these settings of {known.id}"
    assert not UNREAD & read_anywhere(), "read meanwhile: take these off the list"


#: The agency's choices about its own plans and book, which hold from today on whatever day they are used for.
OF_TODAY = {"planning", "prices", "overrides", "deadlines", "promise", "family", "teamwork", "directory", "notify"}
#: Functions that are handed the policy of the day by whoever asks them: they know no day themselves.
HANDED = {
    "aides.ask_supervisor", "conference.missing_roles", "conference.ask_quorum", "instruments.band",
    "instruments.symptom_band", "instruments.ask_safety_close", "intermittent._day", "intermittent._week",
    "certification.plan_idle_warned_from", "orders._relayed", "palliative.limits_of",
    "palliative.screen", "payment.units", "staffing._problem", "workday.may_be_exempt", "carrying.performers_of",
    "planning.ties.Ties", "advance_care._order", "advance_care._witnessed", "aides.ask_supervision_visit",
}  # fmt: skip


def read_of_no_day(node: ast.AST) -> set[str]:
    """Settings' sections that a function reads of `policy` without having asked for the policy of a day."""
    of_day = {
        target.id
        for assign in ast.walk(node)
        if isinstance(assign, ast.Assign | ast.AnnAssign) and isinstance(assign.value, ast.Call)
        if (path := chain(assign.value.func)) and path[-2:] == ("policy", "on")
        for target in (assign.targets if isinstance(assign, ast.Assign) else [assign.target])
        if isinstance(target, ast.Name)
    }
    if "policy" in of_day or any(
        isinstance(part, ast.Call) and (chain(part.func) or ())[-2:] == ("policy", "on") and isinstance(up, ast.Tuple)
        for up in ast.walk(node)
        for part in ast.iter_child_nodes(up)
    ):
        return set()
    paths = [path for part in ast.walk(node) if isinstance(part, ast.Attribute) and (path := chain(part))]
    return {two for path in paths for one, two in pairwise(path) if one.lstrip("_") == "policy" and two in SECTIONS}


def test_every_number_is_read_of_the_day_that_is_judged() -> None:
    found = {
        f"{module.name}.{name}".removeprefix("coordinator."): sorted(sections)
        for module in calls().modules.values()
        for name, node in module.defines.items()
        if (sections := read_of_no_day(node) - OF_TODAY)
        and f"{module.name}.{name}".removeprefix(PREFIX).removeprefix("coordinator.") not in HANDED
    }
    assert found == {}, "ask policy.on(day): the numbers may have been others on the day that is judged"
    source = "def one(policy, day):\n    return policy.aides.lapse_months"
    assert read_of_no_day(ast.parse(source).body[0]) == {"aides"}
    source = "def one(policy, day):\n    policy = policy.on(day)\n    return policy.aides.lapse_months"
    assert read_of_no_day(ast.parse(source).body[0]) == set()


# ------------------------------------------------------------------------------------ conventions


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in CONVENTIONS])
def test_a_convention_is_kept_by_somebody_who_exists(one: Convention) -> None:
    assert one.citation
    assert one.sentence.endswith(".")
    assert one.sentence_zh.endswith("。")
    for name in one.kept_by:
        module, _, own = name.rpartition(".")
        assert own in calls().modules[module].defines, name
    assert one.id not in RULES


@pytest.mark.parametrize("rule_id", sorted(KEPT))
def test_a_rule_that_is_kept_at_every_request_is_kept_by_somebody_who_exists(rule_id: str) -> None:
    for function in RULES[rule_id].functions:
        module = max((name for name in calls().modules if function.startswith(f"{name}.")), key=len)
        owner, _, method = function.removeprefix(f"{module}.").partition(".")
        node = calls().modules[module].defines[owner]
        assert not method or method in {getattr(part, "name", "") for part in ast.walk(node)}, function


# ------------------------------------------------------------------------------------ the page


def test_the_page_of_rules_is_up_to_date() -> None:
    page = Path(ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == document(POLICY), "make rules"
