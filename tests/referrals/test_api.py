"""Referrals over HTTP: from the first fax to an accepted patient, and what is refused on the way."""

import json
from datetime import timedelta
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.orders import plans
from coordinator.referrals.api import ReferralCreateSchema
from tests.builders import NPIS
from tests.conftest import NOW
from tests.people import Browser, at, browser, pointers
from tests.referrals.kit import NEED, Scene, homebound_facts

WHOLE: dict[str, Any] = {
    "programme": "KP_HBPC", "received_at": "2026-11-09T15:00:00Z", "setting": "home", "given_name": "Mei",
    "family_name": "Lee", "birth_date": "1944-05-01", "gender": "female", "phone": "+1 415 555 0100",
    "address": "500 Noe Street", "city": "San Francisco", "state": "CA", "zip": "94114", "lat": 37.7612,
    "lon": -122.4331, "spoken_language": "yue", "written_language": "zh-Hant", "interpreter_needed": True,
    "diagnosis_code": "C34.90", "reason": "Pain and breathlessness", "disciplines": ["SN", "PT"], "payer": "KP",
    "member_id": "KP1", "coverage_from": "2026-01-01", "practitioner_name": "Ada Okafor",
    "practitioner_npi": NPIS[0], "practitioner_type": "MD", "practitioner_organisation": "Kaiser Permanente",
    "practitioner_is_kp": True,
}  # fmt: skip


@pytest.fixture
def intake(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, "intake", branch_ids=[scene.branch_id])


def _receive(intake: Browser, scene: Scene, **given: Any) -> dict[str, Any]:
    with at():
        answer = intake.post("/referrals", WHOLE | {"branch_id": scene.branch_id} | given)
    assert answer.status_code == 201, answer.json
    return answer.json


def _judge(intake: Browser, scene: Scene, path: str, *left_out: str) -> None:
    for number in range(1, 9):
        criterion = f"ELG-{number}"
        if criterion in left_out:
            continue
        facts = {"ELG-2": NEED, "ELG-4": homebound_facts(scene)}.get(criterion, {})
        body = {"criterion": criterion, "result": "met", "evidence": "in the file", "facts": facts}
        with at():
            answer = intake.post(f"{path}/determinations", body)
        assert answer.status_code == 201, answer.json


def test_from_fax_to_patient(intake: Browser, scene: Scene) -> None:
    with at():
        made = intake.post("/referrals", {"branch_id": scene.branch_id, "programme": "KP_HBPC",
                                          "received_at": "2026-11-09T15:00:00Z"})  # fmt: skip
        path = made.headers["Location"].removeprefix("/api/v1")
        assert (made.status_code, made.json["status"], made.json["due_at"]) == (
            201, "received", "2026-11-11T15:00:00Z",
        )  # fmt: skip
        assert "patient_name" in made.json["missing"]
        rest = {name: value for name, value in WHOLE.items() if name not in ("programme", "received_at")}
        edited = intake("PATCH", path, rest, match=made.headers["ETag"])
        assert (edited.status_code, edited.json["missing"], edited.json["status"]) == (200, [], "screening")
    _judge(intake, scene, path, "ELG-4", "ELG-6")
    with at():
        checklist = intake.get(f"{path}/checklist").json
        assert (checklist["eligibility"], checklist["due_at"], checklist["zone"]) == (
            "pending", "2026-11-11T15:00:00Z", "America/Los_Angeles",
        )  # fmt: skip
        assert {line["criterion"]: line["result"] for line in checklist["criteria"]}["ELG-4"] == "unknown"
        accepted = intake.change("POST", f"{path}/accept", {}, of=path)
        assert accepted.status_code == 200, accepted.json
        assert accepted.json["findings"] == []
        assert (accepted.json["status"], accepted.json["initial_visit_due_at"]) == ("accepted", "2026-11-11T15:00:00Z")
        patient = intake.get(f"/patients/{accepted.json['patient_id']}").json
        assert [one["id"] for one in patient["episodes"]] == [accepted.json["episode_id"]]
        assert intake.get(path).json["patient_id"] == patient["id"]
        visits = intake.get(f"/visits?patient_id={patient['id']}")
        assert [(visit["kind"], visit["due_at"]) for visit in visits.json["items"]] == [
            ("initial", "2026-11-11T15:00:00Z")
        ]


def test_declining_without_a_resource_names_the_rule(intake: Browser, scene: Scene) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}"
    with at():
        refused = intake.change("POST", f"{path}/decline", {"reason": "ELG-5"}, of=path)
        assert refused.status_code == 422
        assert refused.content_type == "application/problem+json"
        assert [finding["rule"] for finding in refused.json["findings"]] == ["REF-03"]
        assert len(intake.change("POST", f"{path}/decline", {}, of=path).json["findings"]) == 2
        unknown = {"reason": "ELG-5", "onward_resource_key": "nobody"}
        assert pointers(intake.change("POST", f"{path}/decline", unknown, of=path)) == {"/onward_resource_key"}
        known = {"reason": "ELG-5", "onward_resource_key": "mettle", "note": "Lives in Nevada"}
        declined = intake.change("POST", f"{path}/decline", known, of=path)
        assert (declined.status_code, declined.json["status"]) == (200, "declined")
        again = intake.change("POST", f"{path}/withdraw", {"reason": "too late"}, of=path)
        assert (again.status_code, again.json["type"]) == (409, "/problems/referral-state")


def test_changes_need_the_version_that_was_read(intake: Browser, scene: Scene) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}"
    with at():
        for method, where, body in (
            ("PATCH", path, {"phone": "+1"}),
            ("POST", f"{path}/accept", {}),
            ("POST", f"{path}/decline", {"reason": "ELG-5", "onward_resource_key": "mettle"}),
            ("POST", f"{path}/withdraw", {"reason": "x"}),
            ("POST", f"{path}/not-admitted", {"reason": "ELG-5", "onward_resource_key": "mettle"}),
        ):
            assert intake(method, where, body).status_code == 428
            assert intake(method, where, body, match='"77"').status_code == 412
        body = {"criterion": "ELG-1", "result": "met", "evidence": "card"}
        assert intake.post(f"{path}/determinations", body).status_code == 201
        before = intake.etag(path)
        # The first answer begins the screening; the second changes no column of the referral itself.
        assert intake.post(f"{path}/determinations", body | {"result": "not_met"}).status_code == 201
        # Whoever decides must have seen the answer.
        assert intake("POST", f"{path}/accept", {}, match=before).status_code == 412


def test_what_stands_in_the_way_is_told_at_once(intake: Browser, scene: Scene) -> None:
    path = f"/referrals/{_receive(intake, scene, payer=None)['id']}"
    _judge(intake, scene, path, "ELG-7", "ELG-8")
    with at():
        refused = intake.change("POST", f"{path}/accept", {}, of=path)
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/referral-not-acceptable")
    assert [finding["rule"] for finding in refused.json["findings"]] == ["REF-01", "ELG-7", "ELG-8"]
    assert refused.json["missing"] == ["payer"]
    assert "Mei" not in refused.get_data(as_text=True)


def test_a_second_acceptance_and_a_namesake_are_conflicts(intake: Browser, scene: Scene) -> None:
    first = f"/referrals/{_receive(intake, scene)['id']}"
    _judge(intake, scene, first)
    second = f"/referrals/{_receive(intake, scene)['id']}"
    _judge(intake, scene, second)
    with at():
        patient = intake.change("POST", f"{first}/accept", {}, of=first).json["patient_id"]
        again = intake.change("POST", f"{first}/accept", {}, of=first)
        assert (again.status_code, again.json["blocking"]) == (409, [{"patient": patient}])
        alike = intake.change("POST", f"{second}/accept", {}, of=second)
        assert (alike.status_code, alike.json["type"]) == (409, "/problems/possible-duplicate")
        assert alike.json["blocking"] == [{"patient": patient}]
        other = intake.change("POST", f"{second}/accept", {"confirm_new": True}, of=second)
        assert other.status_code == 200
        assert other.json["patient_id"] != patient


def test_a_fault_in_the_middle_of_acceptance_leaves_nothing(
    intake: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}"
    _judge(intake, scene, path)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the light went out")

    monkeypatch.setattr(plans, "open_plan", fail)
    with at():
        assert intake.change("POST", f"{path}/accept", {}, of=path).status_code == 500
        assert intake.get("/patients").json["items"] == []
        assert intake.get(path).json["status"] == "screening"


def test_another_branch_hears_that_there_is_no_such_referral(
    app: Coordinator, database: Database, intake: Browser, scene: Scene
) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}"
    stranger = browser(app, database, "intake", branch_ids=[scene.other_branch_id])
    with at():
        theirs, missing = stranger.get(path), stranger.get("/referrals/4711")
        assert (theirs.status_code, theirs.json["detail"]) == (404, missing.json["detail"])
        assert stranger.get(f"{path}/checklist").status_code == 404
        assert stranger("POST", f"{path}/accept", {}, match='"1"').status_code == 404
        body = {"criterion": "ELG-1", "result": "met", "evidence": "card"}
        assert stranger.post(f"{path}/determinations", body).status_code == 404
        assert stranger.get("/referrals").json["items"] == []
        elsewhere = WHOLE | {"branch_id": scene.branch_id}
        assert stranger.post("/referrals", elsewhere).status_code == 404


def test_a_scheduler_reads_no_clinical_words(
    app: Coordinator, database: Database, intake: Browser, scene: Scene
) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}"
    _judge(intake, scene, path)
    scheduler = browser(app, database, "scheduler", branch_ids=[scene.branch_id])
    with at():
        shown = scheduler.get(path)
        assert shown.status_code == 200
        for word in ("C34.90", "breathlessness", "Walker", "KP1"):
            assert word not in shown.get_data(as_text=True)
            assert word in intake.get(path).get_data(as_text=True)
        for line in scheduler.get(f"{path}/checklist").json["criteria"]:
            assert "narratives" not in json.dumps(line)
        body = {"criterion": "ELG-1", "result": "met", "evidence": "card"}
        assert scheduler.post(f"{path}/determinations", body).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("given_name", "a\x00b"),
        ("given_name", 7),
        ("given_name", "x" * 101),
        ("family_name", "\ud800"),
        ("birth_date", "yesterday"),
        ("birth_date", "0001-01-01"),
        ("branch_id", 10**30),
        ("branch_id", "1"),
        ("programme", "OTHER"),
        ("received_at", "2026-11-09T15:00:00"),
        ("received_at", "2026-11-09T17:00:00Z"),
        ("disciplines", ["DENTIST"]),
        ("disciplines", "SN"),
        ("lat", 91),
        ("zip", "94114\n"),
        ("interpreter_needed", "perhaps"),
        ("status", "admitted"),
        ("patient_id", 1),
        ("diagnosis_code", "C34"),
    ],
)
def test_bad_input_names_the_field(intake: Browser, scene: Scene, field: str, value: Any) -> None:
    body = WHOLE | {"branch_id": scene.branch_id} | {field: value}
    with at():
        answer = intake("POST", "/referrals", raw=json.dumps(body))
    assert answer.status_code == 422, answer.json
    assert any(pointer.startswith(f"/{field}") for pointer in pointers(answer))


def test_contradictions_and_bare_boxes_are_refused_by_rule(intake: Browser, scene: Scene) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}/determinations"
    for body, code in (
        ({"criterion": "ELG-2", "result": "met", "evidence": "x", "facts": NEED | {"desires_home_care": False}},
         "determination-contradicts-facts"),
        ({"criterion": "ELG-4", "result": "met", "evidence": "x"}, "determination-without-facts"),
    ):  # fmt: skip
        with at():
            answer = intake.post(path, body)
        assert (answer.status_code, answer.json["type"]) == (422, f"/problems/{code}")
        assert answer.json["findings"][0]["rule"] == body["criterion"]
    with at():
        assert pointers(intake.post(path, {"criterion": "ELG-9", "evidence": "x"})) == {"/criterion"}
        assert pointers(intake.post(path, {"criterion": "ELG-1", "evidence": "x"})) == {"/result"}
        assert pointers(intake.post(path, {"criterion": "ELG-1", "result": "met", "evidence": "x",
                                           "facts": {"covered": "a\x00"}})) == {"/facts/covered"}  # fmt: skip


@pytest.mark.parametrize(
    "facts",
    [
        {"narratives": {"needs_another_person": "half \ud800"}},
        {"narratives": {"\ud800" * 5000: "x"}},
        {"homebound": {"\ud800": True}},
        {"\ud800": 1},
        {"homebound": [True]},
        {"certified_by": 10**30, "certified": True, "certification": "verbal"},
        {"certified_by": True, "certified": True, "certification": "verbal"},
        {"certified_by": 4711, "certified": True, "certification": "verbal"},
        {"certification": {"a": 1}},
    ],
)
def test_facts_that_no_database_keeps_are_refused(intake: Browser, scene: Scene, facts: dict[str, Any]) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}/determinations"
    with at():
        answer = intake("POST", path, raw=json.dumps({"criterion": "ELG-4", "evidence": "x", "facts": facts}))
    assert answer.status_code == 422, answer.json
    assert all(pointer.startswith("/facts") for pointer in pointers(answer))


def test_the_list_is_paged_and_filtered(intake: Browser, scene: Scene) -> None:
    ids = [_receive(intake, scene, received_at=(NOW - timedelta(hours=9 - n)).isoformat())["id"] for n in range(5)]
    with at():
        first = intake.get("/referrals?limit=3").json
        second = intake.get(f"/referrals?limit=3&cursor={first['next']}").json
        assert [row["id"] for row in first["items"] + second["items"]] == ids
        soon = intake.get("/referrals?due_before=2026-11-11T09:30:00Z").json["items"]
        assert [row["id"] for row in soon] == ids[:3]
        assert intake.get("/referrals?status=accepted").json["items"] == []
        assert len(intake.get("/referrals?programme=KP_HBPC&status=received").json["items"]) == 5
        assert pointers(intake.get("/referrals?status=lost")) == {"/query/status"}


def test_a_dry_run_accepts_nobody(intake: Browser, scene: Scene) -> None:
    path = f"/referrals/{_receive(intake, scene)['id']}"
    _judge(intake, scene, path)
    with at():
        answer = intake.change("POST", f"{path}/accept?dry_run=true", {}, of=path)
        assert answer.status_code == 200
        assert answer.headers["Dry-Run"] == "true"
        assert intake.get("/patients").json["items"] == []


def test_the_example_of_the_document_is_received(intake: Browser, scene: Scene) -> None:
    """What the OpenAPI document shows as examples is a referral that lacks nothing."""
    body = {
        name: field.metadata["example"]
        for name, field in ReferralCreateSchema().fields.items()
        if "example" in field.metadata
    }
    with at():
        answer = intake.post("/referrals", body | {"branch_id": scene.branch_id})
    assert answer.status_code == 201, answer.json
    assert answer.json["missing"] == []
