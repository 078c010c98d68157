"""Patients over HTTP: what each role gets to read, versions, and input that cannot be meant."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.patients.model import Patient
from coordinator.teams.model import CareTeamMember
from tests.builders import MONDAY, make_episode, make_visit
from tests.patients.conftest import Scene
from tests.people import Browser, at, browser, pointers

BODY: dict[str, Any] = {
    "given_name": "Mei", "family_name": "Wong", "birth_date": "1944-05-01", "gender": "female",
    "spoken_language": "yue", "written_language": "zh-Hant", "interpreter_needed": True,
    "interpreter_mode": "phone", "cultural_notes": "Shoes off at the door", "decision_style": "family",
    "home": {"address": "500 Noe Street", "city": "San Francisco", "state": "CA", "zip": "94114",
             "access_notes": "Ring twice", "hazards": ["STAIRS"]},
    "caregivers": [{"name": "Ming", "relation": "daughter",
                    "availability": [{"weekday": 0, "from": "09:00", "to": "13:00"}]}],
    "coverages": [{"payer": "KP", "member_id": "KP77", "starts_on": "2026-01-01"}],
    "diagnoses": [{"code": "C34.90"}],
    "no_visit_windows": [{"weekday": 4, "starts": "18:00", "ends": "06:00", "reason": "prayer"}],
}  # fmt: skip


REVERSED = {"starts_at": "2026-11-12T12:00:00Z", "ends_at": "2026-11-12T10:00:00Z", "reason": "x"}


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with at():
        yield


@pytest.fixture
def intake(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, "intake", branch_ids=[scene.branch.id])


@pytest.fixture
def made(intake: Browser, scene: Scene) -> str:
    answer = intake.post("/patients", BODY | {"branch_id": scene.branch.id})
    assert answer.status_code == 201, answer.json
    return f"/patients/{answer.json['id']}"


def test_a_patient_put_on_record_can_be_read(intake: Browser, scene: Scene) -> None:
    made = intake.post("/patients", BODY | {"branch_id": scene.branch.id})
    assert made.status_code == 201, made.json
    read = intake.client.get(made.headers["Location"], headers={"Authorization": f"Bearer {intake.token}"})
    assert read.json == made.json
    assert read.json["zone"] == "America/Los_Angeles"
    assert read.json["caregivers"][0]["availability"] == [{"weekday": 0, "from": "09:00", "to": "13:00"}]
    assert read.json["diagnoses"][0]["display"].startswith("Malignant neoplasm")
    assert read.json["home"]["safety"] == "not_assessed"
    assert read.headers["ETag"] == f'"{read.json["version"]}"'


def test_a_scheduler_reads_where_and_how_but_nothing_clinical(
    app: Coordinator, database: Database, scene: Scene, made: str
) -> None:
    read = browser(app, database, "scheduler", branch_ids=[scene.branch.id]).get(made)
    assert read.status_code == 200
    for clinical in ("diagnoses", "cultural_notes", "spiritual_tradition", "decision_style"):
        assert clinical not in read.json
    assert "member_id" not in read.json["coverages"][0]
    assert "C34" not in read.get_data(as_text=True)
    assert "Shoes" not in read.get_data(as_text=True)
    assert read.json["home"]["access_notes"] == "Ring twice"
    assert read.json["home"]["hazards"] == ["STAIRS"]
    assert read.json["spoken_language"] == "yue"


@pytest.mark.example("SEC-05", 1)
def test_an_aide_reads_their_own_patients_and_a_denied_read_leaves_a_line(
    app: Coordinator, database: Database, scene: Scene, made: str
) -> None:
    aide = browser(app, database, "clinician", clinician_id=scene.aide.id)
    denied, missing = aide.get(made), aide.get("/patients/999999")
    assert (denied.status_code, missing.status_code) == (404, 404)
    assert denied.json["detail"] == missing.json["detail"]
    assert aide.get("/patients").json["items"] == []
    with database.transaction(write=False) as session:
        outcomes = session.execute(
            sa.select(AuditEvent.outcome).where(AuditEvent.action == "GET /api/v1/patients/<id:patient_id>")
        ).scalars()
        assert list(outcomes) == ["deny", "deny"]
    with database.transaction() as session:
        patient = session.get_one(Patient, int(made.rsplit("/", 1)[1]))
        make_visit(session, patient, make_episode(session, patient), clinician_id=scene.aide.id)
        session.add(CareTeamMember(patient_id=patient.id, clinician_id=scene.nurse.id, role="nurse", starts_on=MONDAY))
    nurse = browser(app, database, "clinician", clinician_id=scene.nurse.id)
    assert nurse.get(made).json["diagnoses"][0]["code"] == "C34.90"
    assert aide.get(made).json["family_name"] == "Wong"
    assert {"diagnoses", "condition_groups", "suggested_condition_groups"}.isdisjoint(aide.get(made).json), "for aides"
    assert [row["family_name"] for row in aide.post("/patient-searches", {"q": "wong"}).json["items"]] == ["Wong"]


def test_an_edit_names_the_version_it_edits(intake: Browser, made: str) -> None:
    first = intake.etag(made)
    assert intake("PATCH", made, {"phone": "1"}).status_code == 428
    done = intake("PATCH", made, {"phone": "415 555 0100"}, match=first)
    assert done.status_code == 200
    stale = intake("PATCH", made, {"phone": "2"}, match=first)
    assert (stale.status_code, stale.headers["ETag"]) == (412, done.headers["ETag"])
    caregiver = intake.post(f"{made}/caregivers", {"name": "Ho", "relation": "son"})
    assert caregiver.headers["ETag"] == intake.etag(made) != done.headers["ETag"]
    assert intake("PATCH", made, {"phone": "3"}, match=done.headers["ETag"]).status_code == 412


def test_of_two_who_edit_the_same_version_one_is_told(intake: Browser, made: str) -> None:
    etag = intake.etag(made)

    def edit(number: int) -> int:
        mine = Browser(intake.client.application.test_client(), intake.token)
        return int(mine("PATCH", made, {"phone": str(number)}, match=etag).status_code)

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(edit, range(4)))
    assert answers == [200, 412, 412, 412]


def test_everything_that_hangs_on_a_patient(app: Coordinator, database: Database, intake: Browser, made: str) -> None:
    shown = intake.get(made).json
    caregiver = f"{made}/caregivers/{shown['caregivers'][0]['id']}"
    assert intake.change("PATCH", caregiver, {"willing": True}, of=made).json["willing"] is True
    assert intake("PATCH", caregiver, {"willing": True}).status_code == 428
    coverage = f"{made}/coverages/{shown['coverages'][0]['id']}"
    assert intake.change("PATCH", coverage, {"ends_on": "2026-12-31"}, of=made).json["ends_on"] == "2026-12-31"
    overlap = intake.post(f"{made}/coverages", {"payer": "KP", "starts_on": "2026-12-31"})
    assert (overlap.status_code, overlap.json["type"]) == (409, "/problems/coverage-overlap")
    assert intake.post(f"{made}/coverages", {"payer": "KP", "starts_on": "2027-01-01"}).status_code == 201
    diagnosis = intake.post(f"{made}/diagnoses", {"code": "I50.9", "rank": 1})
    assert diagnosis.json["display"] == "Heart failure, unspecified"
    assert intake("DELETE", f"{made}/diagnoses/{diagnosis.json['id']}").status_code == 204
    window = intake.post(f"{made}/no-visit-windows", {"on_date": "2026-11-26", "starts": "08:00", "ends": "20:00",
                                                      "reason": "Thanksgiving"})  # fmt: skip
    assert window.status_code == 201, window.json
    assert intake("DELETE", f"{made}/no-visit-windows/{window.json['id']}").status_code == 204
    assert intake("DELETE", f"{made}/no-visit-windows/{window.json['id']}").status_code == 404
    stretch = {"starts_at": "2026-11-12T10:00:00-08:00", "ends_at": "2026-11-12T12:00:00-08:00", "reason": "clinic"}
    away = intake.post(f"{made}/unavailabilities", stretch)
    assert away.json["starts_at"] == "2026-11-12T18:00:00Z"
    assert intake("DELETE", f"{made}/unavailabilities/{away.json['id']}").status_code == 204
    tagged = intake.get(made).json
    assert (tagged["condition_groups"], tagged["suggested_condition_groups"]) == (None, ["cancer"])
    tags = intake.change("PATCH", made, {"condition_groups": ["other", "heart", "heart"]})
    assert tags.json["condition_groups"] == ["heart", "other"], "what people name stands, each once"
    assert intake.change("PATCH", made, {"condition_groups": ["liver"]}).status_code == 422
    wishes = intake.change("PUT", f"{made}/preferences", {"preferred_clinician_gender": "female"}, of=made)
    assert wishes.json["preferred_clinician_gender"] == "female"
    assert wishes.json["spoken_language"] == "yue", "what is not named stays"
    manager = browser(app, database, "clinical_manager", branch_ids=[shown["branch_id"]])
    safe = manager.change(
        "PUT", f"{made}/home-safety", {"result": "safe", "hazards": [], "assessed_on": "2026-11-09"}, of=made
    )
    assert (safe.status_code, safe.json["home"]["safety"]) == (200, "safe")


def test_an_episode_is_discharged_over_http(app: Coordinator, database: Database, scene: Scene) -> None:
    manager = browser(app, database, "clinical_manager", branch_ids=[scene.branch.id])
    with database.transaction() as session:
        episode = make_episode(session, session.merge(scene.patient))
    path = f"/episodes/{episode.id}"
    assert manager.post(f"{path}/discharge", {"on": "2026-11-09", "reason": "goals_met"}).status_code == 428
    held = manager("POST", f"{path}/hold", {"since": "2026-11-09T08:00:00Z"}, match='"1"')
    assert (held.status_code, held.json["on_hold_since"]) == (200, "2026-11-09T08:00:00Z")
    resumed = manager("POST", f"{path}/resume", match=held.headers["ETag"])
    assert resumed.json["on_hold_since"] is None
    ended = manager("POST", f"{path}/discharge", {"on": "2026-11-09", "reason": "goals_met"},
                         match=resumed.headers["ETag"])  # fmt: skip
    assert (ended.status_code, ended.json["discharged_on"]) == (200, "2026-11-09")
    assert manager("POST", "/episodes/99999/resume", match='"1"').status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"family_name": "a\x00b"}, "/family_name"),
        ({"family_name": "   "}, "/family_name"),
        ({"family_name": 7}, "/family_name"),
        ({"birth_date": "1944-13-01"}, "/birth_date"),
        ({"birth_date": "0001-01-01"}, "/birth_date"),
        ({"managing_physician_id": 10**30}, "/managing_physician_id"),
        ({"home": {"address": "x", "city": "y", "state": "CA", "zip": "94114\n"}}, "/home/zip"),
        ({"home": None}, "/home"),
        ({"gender": "woman"}, "/gender"),
        ({"diagnoses": [{"code": "ZZZ"}]}, "/diagnoses/0/code"),
        ({"no_visit_windows": [{"weekday": 9, "starts": "08:00", "ends": "09:00", "reason": "x"}]},
         "/no_visit_windows/0/weekday"),
        ({"no_visit_windows": [{"starts": "25:00", "ends": "09:00", "reason": "x"}]}, "/no_visit_windows/0/starts"),
        ({"unavailabilities": [{"starts_at": "2026-11-12T10:00:00", "ends_at": "2026-11-12T12:00:00Z", "reason": "x"}]},
         "/unavailabilities/0/starts_at"),
        ({"unavailabilities": [REVERSED]},
         "/unavailabilities/0/ends_at"),
        ({"coverages": [{"payer": "KP", "starts_on": "2026-02-02", "ends_on": "2026-02-01"}]}, "/coverages/0/ends_on"),
        ({"spoken_language": "Kantonesisch"}, "/spoken_language"),
        ({"id": 7}, "/id"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(intake: Browser, scene: Scene, change: dict[str, Any], pointer: str) -> None:
    answer = intake("POST", "/patients", raw=json.dumps(BODY | {"branch_id": scene.branch.id} | change))
    assert answer.status_code == 422, answer.json
    assert pointer in pointers(answer)


def test_another_branch_is_missing(intake: Browser, scene: Scene) -> None:
    assert intake.post("/patients", BODY | {"branch_id": scene.elsewhere.id}).status_code == 404
    stranger = f"/patients/{scene.stranger.id}"
    assert intake.get(stranger).status_code == 404
    assert intake("PATCH", stranger, {"phone": "1"}, match='"1"').status_code == 404
    assert intake.post(f"{stranger}/caregivers", {"name": "x", "relation": "y"}).status_code == 404


def test_pages_turn_and_a_foreign_cursor_is_refused(intake: Browser, made: str) -> None:
    first = intake.get("/patients?limit=1").json
    second = intake.get(f"/patients?limit=1&cursor={first['next']}").json
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert second["next"] is None
    assert intake.get("/patients?cursor=nonsense").status_code == 422
    assert intake.get("/patients?limit=1000").status_code == 422
    assert intake.get("/patients?programme=NONE").status_code == 422
