"""Orders and care plans over HTTP: the happy way, and everything that must not happen."""

import json

import pytest
import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.core.audit import AuditEvent
from coordinator.domain.vocabulary import Discipline, OrderStatus
from coordinator.patients.model import Episode, Patient
from tests import builders
from tests.orders.conftest import Draft, Scene, get

BODY = {
    "discipline": "PT", "physician_id": 1, "effective_from": "2026-11-09", "frequency": "2w4 + 1 PRN for falls",
    "treatments": ["gait training 15 min"], "goals_text": "Walks to the bathroom",
}  # fmt: skip


def _draft(client, scene: Scene, **given) -> dict:
    answer = client.post(f"/api/v1/patients/{scene.patient}/orders", json=BODY | given)
    assert answer.status_code == 201, answer.json
    return answer.json


def _batch(client, cards: list[dict], password: str = builders.PASSWORD, **given):
    items = [
        {"id": card["order"]["id"], "version": card["version"], "content_hash": card["content_hash"]} for card in cards
    ]
    return client.post("/api/v1/signature-batches", json={"items": items, "password": password}, **given)


def _review(client, cards: list[dict]) -> None:
    for card in cards:
        answer = client.post(f"/api/v1/orders/{card['order']['id']}/review", json={"version": card["version"]})
        assert answer.status_code == 200, answer.json


def test_an_order_goes_from_draft_to_signature(as_user, scene: Scene) -> None:
    therapist, physician = as_user("therapist"), as_user("physician")
    draft = _draft(therapist, scene)
    assert (draft["status"], draft["frequency"], draft["prn_limit"]) == ("draft", "2w4, 1 PRN for falls", 1)
    assert draft["zone"] == "America/Los_Angeles"
    assert draft["plain"].startswith(
        "PT 2 visits a week for 4 weeks, and up to 1 as-needed visit for falls, from 9 Nov"
    )
    path = f"/api/v1/orders/{draft['id']}"
    edited = therapist.patch(path, json={"frequency": "3w4"}, headers={"If-Match": '"1"'})
    assert (edited.status_code, edited.json["frequency"], edited.headers["ETag"]) == (200, "3w4", '"2"')
    assert physician.get(path).status_code == 200  # the patient's managing physician
    sent = therapist.post(f"{path}/send")
    assert (sent.status_code, sent.json["status"], sent.json["needed_by"]) == (
        200, "sent_for_signature", "2026-11-09",
    )  # fmt: skip
    queue = physician.get("/api/v1/signing-queue").json["items"]
    assert [(card["plain"], card["reviewed"], card["holds_visits"]) for card in queue] == [
        ("PT 3 visits a week for 4 weeks, from 9 Nov", False, True)
    ]
    assert _batch(physician, queue).json["results"][0]["code"] == "not-reviewed"
    _review(physician, queue)
    signed = _batch(physician, queue)
    assert signed.status_code == 200
    (result,) = signed.json["results"]
    assert (result["code"], result["status"], result["findings"]) == ("signed", 200, [])
    assert result["signed_at"].endswith("Z")
    after = therapist.get(path).json
    assert (after["status"], len(after["weeks"]), after["awaits_signature"]) == ("active_signed", 4, False)
    assert physician.get("/api/v1/signing-queue").json["items"] == []


def test_a_verbal_order_over_http(as_user, scene: Scene) -> None:
    nurse = as_user("nurse")
    path = f"/api/v1/orders/{_draft(nurse, scene, discipline='SN')['id']}"
    body = {
        "received_at": "2026-11-09T15:30:00Z", "received_by_clinician_id": scene.nurse_id, "read_back": True,
        "responsible_clinician_id": scene.nurse_id,
    }  # fmt: skip
    assert nurse.post(f"{path}/verbal", json=body | {"read_back": False}).status_code == 422
    taken = nurse.post(f"{path}/verbal", json=body)
    assert (taken.status_code, taken.json["status"]) == (200, "verbal_received")
    assert as_user("therapist").post(f"{path}/receipt").status_code == 403
    live = nurse.post(f"{path}/receipt")
    assert (live.json["status"], live.json["warnings"]) == ("active_verbal", [])
    assert nurse.post(f"{path}/receipt").status_code == 409
    stopped = as_user("manager").post(f"{path}/discontinue", json={"reason": "moved"})
    assert (stopped.status_code, stopped.json["status"]) == (200, "discontinued")
    assert as_user("manager").post(f"{path}/void", json={"reason": "moved"}).status_code == 409


def test_a_wrong_password_signs_nothing_and_counts(as_user, sent: Draft, scene: Scene, database) -> None:
    number = sent(Discipline.PT)
    physician = as_user("physician")
    queue = physician.get("/api/v1/signing-queue").json["items"]
    _review(physician, queue)
    for attempt in range(1, 5):
        answer = _batch(physician, queue, "not the password")
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"
        assert (answer.json["type"], answer.json["methods"]) == ("/problems/step-up-required", ["password"])
        with database.transaction(write=False) as session:
            user = session.get(User, scene.users["physician"].id)
            assert user.failed_attempts == attempt
    assert _batch(physician, queue, "not the password").status_code == 403
    resting = _batch(physician, queue)
    assert resting.status_code == 429
    assert int(resting.headers["Retry-After"]) > 0
    assert get(database, number).status is OrderStatus.SENT_FOR_SIGNATURE
    with database.transaction(write=False) as session:
        denied = session.execute(
            sa.select(sa.func.count()).where(AuditEvent.action == "order.not-signed", AuditEvent.outcome == "deny")
        ).scalar_one()
    assert denied == 5


def test_a_batch_cannot_be_rehearsed_so_that_nobody_guesses_uncounted(as_user, sent: Draft, scene: Scene) -> None:
    sent(Discipline.PT)
    physician = as_user("physician")
    queue = physician.get("/api/v1/signing-queue").json["items"]
    answer = physician.post(
        "/api/v1/signature-batches?dry_run=true",
        json={"items": [{"id": 1, "version": 1, "content_hash": "0" * 64}], "password": builders.PASSWORD},
    )
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/query/dry_run"
    assert queue


def test_declining_over_http(as_user, sent: Draft, scene: Scene) -> None:
    path = f"/api/v1/orders/{sent(Discipline.PT)}"
    physician = as_user("physician")
    body = {"version": 2, "reason": "goal_not_measurable", "note": "How far?"}
    assert physician.post(f"{path}/decline", json=body | {"version": 1}).status_code == 412
    assert physician.post(f"{path}/decline", json=body | {"reason": "because"}).status_code == 422
    assert as_user("colleague").post(f"{path}/decline", json=body).status_code == 404
    assert as_user("nurse").post(f"{path}/decline", json=body).status_code == 403
    answer = physician.post(f"{path}/decline", json=body)
    assert answer.status_code == 200
    assert answer.json["order"]["decline_note"] == "How far?"
    assert answer.json["replacement"]["replaces_id"] == answer.json["order"]["id"]


def test_who_schedules_reads_no_narrative(as_user, sent: Draft, scene: Scene) -> None:
    number = sent(Discipline.SN, "2w4 + 2 PRN for bloody sputum", taper_plan="secret", goals_text="secret")
    scheduler = as_user("scheduler")
    one = scheduler.get(f"/api/v1/orders/{number}")
    (listed,) = scheduler.get("/api/v1/orders").json["items"]
    for document in (one.json, listed):
        assert (document["frequency"], document["discipline"], document["prn_limit"]) == ("2w4, 2 PRN", "SN", 2)
        assert not {"goals_text", "prn_signs", "treatments", "taper_plan", "decline_note", "warnings"} & set(document)
        assert "sputum" not in json.dumps(document)
        assert "secret" not in json.dumps(document)
    assert scheduler.get(f"/api/v1/orders/{number}/card").status_code == 403
    assert "sputum" in json.dumps(as_user("nurse").get(f"/api/v1/orders/{number}").json)


def test_lists_are_filtered_and_paged(as_user, draft: Draft, sent: Draft, verbal: Draft, scene: Scene) -> None:
    nearby, waiting = draft(Discipline.SN), sent(Discipline.PT, effective_from=builders.date(2026, 11, 30))
    spoken = verbal(Discipline.OT)
    nurse = as_user("nurse")

    def found(query: str) -> list[int]:
        answer = nurse.get(f"/api/v1/orders?{query}")
        assert answer.status_code == 200, answer.json
        return [order["id"] for order in answer.json["items"]]

    assert found("") == [nearby, spoken, waiting]
    assert found("status=awaiting_signature") == [spoken, waiting]
    assert found("status=draft,sent_for_signature") == [nearby, waiting]
    assert found("status=live") == [spoken]
    assert found("blocks_within=7") == [nearby]
    assert found("blocks_within=21") == [nearby, waiting]
    assert found("discipline=PT") == [waiting]
    assert found(f"patient_id={scene.patient}&physician_id={scene.other_physician}") == []
    first = nurse.get("/api/v1/orders?limit=2").json
    assert [order["id"] for order in first["items"]] == [nearby, spoken]
    assert found(f"limit=2&cursor={first['next']}") == [waiting]
    for name in ("stranger", "elsewhere", "colleague"):
        assert as_user(name).get("/api/v1/orders").json["items"] == []
    for query in (
        "status=nonsense",
        "limit=0",
        f"patient_id={10**30}",
        "blocks_within=x",
        "discipline=XX",
        "cursor=%00",
    ):
        assert nurse.get(f"/api/v1/orders?{query}").status_code == 422, query


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"frequency": "2w4 \x00"}, "/frequency"),
        ({"frequency": "3w"}, "/frequency"),
        ({"frequency": 7}, "/frequency"),
        ({"frequency": "2w4 " * 200}, "/frequency"),
        ({"goals_text": "\ud800"}, "/goals_text"),
        ({"goals_text": "x" * 5000}, "/goals_text"),
        ({"physician_id": 10**30}, "/physician_id"),
        ({"physician_id": 77}, "/physician_id"),
        ({"visit_minutes": 10**12}, "/visit_minutes"),
        ({"effective_from": "9999-12-31"}, "/effective_from"),
        ({"effective_from": "2200-12-31", "effective_to": "2200-12-31"}, None),
        ({"discipline": "VET"}, "/discipline"),
        ({"treatments": ["a"] * 41}, "/treatments"),
        ({"treatments": ["\x00"]}, "/treatments/0"),
        ({"surprise": 1}, "/surprise"),
        ({"demo": True}, "/demo"),
    ],
)
def test_bad_input_names_the_field(as_user, scene: Scene, change: dict, pointer: str | None) -> None:
    answer = as_user("nurse").post(
        f"/api/v1/patients/{scene.patient}/orders",
        data=json.dumps(BODY | change),
        content_type="application/json",
    )
    if pointer is None:
        assert answer.status_code < 500
        return
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert pointer in {entry["pointer"] for entry in answer.json["errors"]}


def test_versions_are_asked_for_and_kept(as_user, draft: Draft, scene: Scene) -> None:
    path = f"/api/v1/orders/{draft(Discipline.SN)}"
    nurse = as_user("nurse")
    assert nurse.patch(path, json={"frequency": "1w1"}).status_code == 428
    stale = nurse.patch(path, json={"frequency": "1w1"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"1"')
    assert nurse.post(f"{path}/send", headers={"If-Match": '"7"'}).status_code == 412
    assert nurse.post(f"{path}/send", headers={"If-Match": '"1"'}).status_code == 200


def test_somebody_elses_order_sounds_like_a_missing_one(as_user, sent: Draft, scene: Scene) -> None:
    number = sent(Discipline.PT)
    stranger, missing = as_user("stranger"), f"/api/v1/orders/{number + 1}"
    for path in (f"/api/v1/orders/{number}", f"/api/v1/orders/{number}/card"):
        theirs, none = stranger.get(path), stranger.get(missing)
        assert (theirs.status_code, theirs.json["detail"]) == (404, none.json["detail"])
    assert stranger.post(f"/api/v1/patients/{scene.patient}/orders", json=BODY).status_code == 404
    assert stranger.get("/api/v1/orders/9007199254740991").status_code == 404


def test_reading_an_order_leaves_a_line(as_user, draft: Draft, scene: Scene, database) -> None:
    number = draft(Discipline.SN)
    as_user("nurse").get(f"/api/v1/orders/{number}")
    with database.transaction(write=False) as session:
        line = session.execute(sa.select(AuditEvent).where(AuditEvent.action == "order.read")).scalar_one()
    assert (line.subject, line.patient_id, line.user_id) == (
        f"order:{number}", scene.patient, scene.users["nurse"].id,
    )  # fmt: skip


# ------------------------------------------------------------------------------------ the plan, the aide


def test_a_care_plan_is_read_and_edited(as_user, scene: Scene, database) -> None:
    nurse, path = as_user("nurse"), f"/api/v1/patients/{scene.patient}/care-plan"
    plan = nurse.get(path)
    assert (plan.status_code, plan.headers["ETag"], len(plan.json["goals"])) == (200, '"1"', 1)
    goal = {"category": "what_matters_most", "text": "坐在花園裡", "language": "zh-Hant"}
    added = nurse.post(f"{path}/goals", json=goal)
    assert (added.status_code, added.headers["ETag"]) == (201, '"2"')
    assert added.json["goals"][1]["text"] == "坐在花園裡"
    one = f"{path}/goals/{added.json['goals'][0]['id']}"
    assert nurse.patch(one, json={"text": "x"}).status_code == 428
    assert nurse.patch(one, json={"text": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    edited = nurse.patch(one, json={"text": "Sleeps well"}, headers={"If-Match": '"2"'})
    assert (edited.json["goals"][0]["text"], edited.headers["ETag"]) == ("Sleeps well", '"3"')
    assert nurse.delete(one, headers={"If-Match": '"3"'}).json["goals"][0]["category"] == "what_matters_most"
    assert nurse.patch(f"{path}/goals/999", json={}, headers={"If-Match": '"4"'}).status_code == 404
    assert nurse.post(f"{path}/problems", json={"text": "Breathless", "code": "R06.02"}).status_code == 201
    moved = nurse.patch(path, json={"managing_physician_id": scene.other_physician}, headers={"If-Match": '"5"'})
    assert moved.json["managing_physician_id"] == scene.other_physician
    with database.transaction(write=False) as session:
        assert session.get(builders.Patient, scene.patient).managing_physician_id == scene.other_physician
    assert as_user("scheduler").get(path).status_code == 403
    assert as_user("stranger").get(path).status_code == 404
    assert nurse.post(path, json={"managing_physician_id": 1, "starts_on": "2026-11-09"}).status_code == 409
    assert nurse.post(f"{path}/goals", json=goal | {"text": "\x00"}).status_code == 422


def test_instructions_for_the_aide_come_from_a_nurse_or_therapist(as_user, scene: Scene, database) -> None:
    path = f"/api/v1/patients/{scene.patient}/aide-instructions"
    nurse = as_user("nurse")
    assert nurse.get(path).json == {"current": None, "versions": []}
    body = {"tasks": ["bathing", "bathing", "transfers"], "effective_from": "2026-11-09"}
    first = nurse.put(path, json=body)
    assert (first.status_code, first.json["number"], first.json["tasks"]) == (200, 1, ["bathing", "transfers"])
    later = as_user("therapist").put(path, json=body | {"tasks": ["walking"], "effective_from": "2026-11-20"})
    assert (later.json["number"], later.json["prepared_by_id"]) == (2, scene.therapist_id)
    aide = as_user("aide")
    assert aide.get(path).status_code == 404, "an aide sees whom they visit"
    with database.transaction() as session:
        patient, episode = session.get_one(Patient, scene.patient), session.get_one(Episode, scene.episode)
        builders.make_visit(session, patient, episode, discipline=Discipline.HHA, clinician_id=scene.aide_id)
    assert aide.get(path).json["current"]["number"] == 1
    assert aide.get(f"{path}?on=2026-11-20").json["current"]["number"] == 2
    assert aide.put(path, json=body).json["permission"] == "aide-plan:write"
    refused = as_user("assistant").put(path, json=body)
    assert (refused.status_code, refused.json["type"]) == (403, "/problems/not-a-plan-author")
    assert as_user("manager").put(path, json=body).status_code == 403
    assert nurse.put(path, json=body | {"tasks": []}).status_code == 422
    assert as_user("stranger").get(path).status_code == 404


def test_a_review_of_long_hours_is_a_managers(as_user, scene: Scene) -> None:
    path = f"/api/v1/patients/{scene.patient}/case-reviews"
    body = {"need": "Wound care twice a day", "starts_on": "2026-11-09", "ends_on": "2026-11-29"}
    assert as_user("nurse").post(path, json=body).status_code == 403
    manager = as_user("manager")
    assert manager.post(path, json=body | {"ends_on": "2026-11-01"}).status_code == 422
    made = manager.post(path, json=body)
    assert (made.status_code, made.json["approved_by_id"]) == (201, scene.users["manager"].id)
    assert [row["id"] for row in as_user("nurse").get(path).json["items"]] == [made.json["id"]]
    assert as_user("elsewhere").post(path, json=body).status_code == 404
