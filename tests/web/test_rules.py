"""The catalogue of rules: the same of each rule by the API, on the page and at the command."""

import json

from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.rules.catalogue import RULES, in_order
from coordinator.rules.conventions import CONVENTIONS
from tests.people import browser


def test_the_api_lists_every_rule_with_the_numbers_in_force(app: Coordinator, database: Database) -> None:
    anybody = browser(app, database, "clinician")
    assert [one["id"] for one in anybody.get("/rules").json["items"]] == [known.id for known in in_order()]
    one = anybody.get("/rules/sup-01").json
    assert (one["id"], one["severity"], one["verify_before_go_live"]) == ("SUP-01", "TASK", False)
    assert {setting["key"]: setting["value"] for setting in one["settings"]}["aides.supervision_days"] == "14"
    assert one["sentence_zh"].endswith("。")
    assert "check-in" in one["asked_on"]
    known = anybody.get("/rules?verification=K").json["items"]
    assert known
    assert all(one["verify_before_go_live"] for one in known)
    assert {one["family"] for one in anybody.get("/rules?family=orders").json["items"]} == {"orders"}


def test_a_rule_that_is_not_there_and_a_stranger(app: Coordinator, database: Database) -> None:
    assert browser(app, database, "clinician").get("/rules/NONE-1").status_code == 404
    assert app.test_client().get("/api/v1/rules").status_code == 401


def test_the_page_shows_all_in_two_languages_and_what_is_to_be_verified(app: Coordinator) -> None:
    answer = app.test_client().get("/rules")
    assert answer.status_code == 200
    for known in RULES.values():
        assert f'<article id="{known.id}">' in answer.text
        assert known.sentence_zh in answer.text
    for one in CONVENTIONS:
        assert f'<article id="{one.id}">' in answer.text
    marked = [one for one in (*RULES.values(), *CONVENTIONS) if one.verification == "K"]
    assert answer.text.count("verify before go-live") == len(marked)
    assert "啟用前須核實" in answer.text


def test_the_command_lists_and_shows(app: Coordinator) -> None:
    register(app)
    runner = app.test_cli_runner()
    lines = runner.invoke(args=["rules", "list"]).output.splitlines()
    assert len(lines) == len(RULES)
    unverified = runner.invoke(args=["rules", "list", "--unverified"]).output.splitlines()
    assert 0 < len(unverified) < len(lines)
    assert all(line.endswith("(verify before go-live)") for line in unverified)
    family = json.loads(runner.invoke(args=["rules", "list", "--family", "orders", "--json"]).output)
    assert {one["family"] for one in family} == {"orders"}
    shown = runner.invoke(args=["rules", "show", "ord-06"]).output
    assert "22 CCR 74697(a)(1)" in shown
    assert "orders.countersign_working_days = 30" in shown
    assert json.loads(runner.invoke(args=["rules", "show", "ORD-06", "--json"]).output)["id"] == "ORD-06"
    wrong = runner.invoke(args=["rules", "show", "NONE-1"])
    assert wrong.exit_code == 2
    assert "There is no rule NONE-1" in wrong.output
