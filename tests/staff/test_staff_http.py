"""Staff over HTTP: private fields, versions, absences in days and instants, and input that cannot be meant."""

import json
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from tests.builders import NPIS
from tests.people import Browser, at, browser, pointers
from tests.staff.conftest import Scene

CLINICIAN: dict[str, Any] = {
    "employee_no": "E77", "given_name": "Bo", "family_name": "Chan", "performer": "RN",
    "credentials": [{"issued_on": "2024-01-01", "expires_on": "2027-01-31"}], "skills": ["iv"],
    "languages": [{"code": "yue", "qualified_on": "2025-01-01"}],
    "weekly_shifts": [{"weekday": 0, "starts": "08:00", "ends": "16:30"}],
}  # fmt: skip
PHYSICIAN: dict[str, Any] = {
    "npi": NPIS[190], "given_name": "Ada", "family_name": "Okafor", "practitioner_type": "MD", "organisation": "KP",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with at():
        yield


@pytest.fixture
def manager(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, "clinical_manager", branch_ids=[scene.branch.id])


@pytest.fixture
def made(manager: Browser, scene: Scene) -> str:
    answer = manager.post("/clinicians", CLINICIAN | {"branch_id": scene.branch.id})
    assert answer.status_code == 201, answer.json
    return f"/clinicians/{answer.json['id']}"


def test_a_clinician_s_sheet_over_http(manager: Browser, made: str) -> None:
    shown = manager.get(made).json
    assert (shown["zone"], shown["skills"], shown["weekly_minutes"]) == ("America/Los_Angeles", ["iv"], 2400)
    assert shown["shifts"] == [{"weekday": 0, "on_date": None, "starts": "08:00", "ends": "16:30"}]
    edited = manager.change("PATCH", made, {"weekly_minutes": 2000})
    assert edited.json["weekly_minutes"] == 2000
    assert manager.change("PUT", f"{made}/skills", {"skills": ["picc"]}, of=made).json["skills"] == ["picc"]
    spoken = manager.change("PUT", f"{made}/languages", {"languages": [{"code": "es"}]}, of=made)
    assert [row["code"] for row in spoken.json["languages"]] == ["es"]
    off = manager.change("PUT", f"{made}/shifts", {"dated": [{"on_date": "2026-11-26"}]}, of=made)
    assert len(off.json["shifts"]) == 2
    credential = manager.post(f"{made}/credentials", {"kind": "cpr", "issued_on": "2026-01-01"})
    assert credential.headers["ETag"] == manager.etag(made)
    path = f"{made}/credentials/{credential.json['id']}"
    assert manager("PATCH", path, {"expires_on": "2028-01-01"}).status_code == 428
    assert manager.change("PATCH", path, {"status": "revoked"}, of=made).json["status"] == "revoked"
    assert manager("PATCH", made, {"phone": "1"}, match='"1"').status_code == 412


def test_where_a_colleague_lives_is_nobody_s_business(
    app: Coordinator, database: Database, scene: Scene, made: str
) -> None:
    colleague = browser(app, database, "clinician", clinician_id=scene.nurse.id)
    shown = colleague.get(made).json
    assert shown["family_name"] == "Chan"
    for private in ("start_lat", "end_lon", "phone", "weekly_minutes", "credentials", "time_off", "exclusions"):
        assert private not in shown
    own = colleague.get(f"/clinicians/{scene.nurse.id}").json
    assert "start_lat" in own
    assert "shifts" in own
    assert colleague("PATCH", made, {"phone": "1"}, match='"1"').status_code == 403


def test_an_absence_in_days_is_the_branch_s_days(manager: Browser, made: str) -> None:
    number = int(made.rsplit("/", 1)[1])
    leave = manager.post(
        "/absences", {"clinician_id": number, "first_day": "2026-10-31", "last_day": "2026-11-01", "reason": "leave"}
    )
    assert leave.status_code == 201, leave.json
    assert leave.json["time_off"]["starts_at"] == "2026-10-31T07:00:00Z"
    assert leave.json["time_off"]["ends_at"] == "2026-11-02T08:00:00Z", "clocks went back on the way"
    assert (leave.json["affected_visits"], leave.json["clinician_id"]) == (0, number)
    assert leave.json["zone"] == "America/Los_Angeles"
    sick = manager.post(
        f"{made}/time-off",
        {"starts_at": "2026-11-09T08:00:00-08:00", "ends_at": "2026-11-10T00:00:00-08:00", "reason": "sick"},
    )
    assert sick.json["time_off"]["starts_at"] == "2026-11-09T16:00:00Z"
    assert manager("DELETE", f"{made}/time-off/{sick.json['time_off']['id']}").status_code == 204
    assert [row["reason"] for row in manager.get(made).json["time_off"]] == ["leave"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"starts_at": "2026-11-10T08:00:00Z", "ends_at": "2026-11-09T08:00:00Z"}, "/ends_at"),
        ({"first_day": "2026-11-10", "last_day": "2026-11-09"}, "/last_day"),
        ({"first_day": "2026-11-10", "ends_at": "2026-11-12T08:00:00Z"}, "/starts_at"),
        ({"starts_at": "2026-11-10T08:00:00"}, "/starts_at"),
        ({}, "/starts_at"),
        ({"first_day": "2026-11-10", "last_day": "2026-11-11", "reason": "Feeling poorly"}, "/reason"),
    ],
)
def test_a_wrong_absence_names_the_field(manager: Browser, made: str, body: dict[str, Any], pointer: str) -> None:
    answer = manager.post(f"{made}/time-off", {"reason": "sick"} | body)
    assert answer.status_code == 422, answer.json
    assert pointer in pointers(answer)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"performer": "WIZARD"}, "/performer"),
        ({"family_name": "\x00"}, "/family_name"),
        ({"branch_id": 10**30}, "/branch_id"),
        ({"weekly_minutes": 10**12}, "/weekly_minutes"),
        ({"weekly_shifts": [{"weekday": 9, "starts": "08:00", "ends": "09:00"}]}, "/weekly_shifts/0/weekday"),
        ({"weekly_shifts": [{"weekday": 0, "starts": "08:00", "ends": "12:00"},
                            {"weekday": 0, "starts": "11:59", "ends": "13:00"}]}, "/weekly_shifts/1/starts"),
        ({"weekly_shifts": [{"weekday": 0, "starts": "16:00", "ends": "08:00"}]}, "/weekly_shifts/0/ends"),
        ({"languages": [{"code": "Spanish"}]}, "/languages/0/code"),
        ({"start_lat": "north"}, "/start_lat"),
    ],
)  # fmt: skip
def test_a_wrong_clinician_names_the_field(
    manager: Browser, scene: Scene, change: dict[str, Any], pointer: str
) -> None:
    body = CLINICIAN | {"branch_id": scene.branch.id} | change
    answer = manager("POST", "/clinicians", raw=json.dumps(body))
    assert answer.status_code == 422, answer.json
    assert pointer in pointers(answer)


def test_somebody_else_s_clinicians_are_missing(manager: Browser, scene: Scene) -> None:
    foreign = f"/clinicians/{scene.foreigner.id}"
    assert manager.get(foreign).status_code == 404
    assert manager("PATCH", foreign, {}, match='"1"').status_code == 404
    assert manager.post("/clinicians", CLINICIAN | {"branch_id": scene.elsewhere.id}).status_code == 404
    assert manager.get("/clinicians?q=reyes").json["items"][0]["id"] == scene.nurse.id
    assert manager.get("/clinicians?language=Klingonisch").status_code == 422


def test_physicians_over_http(manager: Browser) -> None:
    made = manager.post("/physicians", PHYSICIAN)
    assert made.status_code == 201, made.json
    path = f"/physicians/{made.json['id']}"
    assert manager.change("PATCH", path, {"is_kp": True}).json["is_kp"] is True
    assert manager("PATCH", path, {"is_kp": True}, match='"1"').status_code == 412
    assert manager("PATCH", path, {"npi": NPIS[191]}, match='"2"').status_code == 422
    assert manager.post("/physicians", PHYSICIAN).json["type"] == "/problems/npi-exists"
    wrong = manager.post("/physicians", PHYSICIAN | {"npi": "1234567890"})
    assert (wrong.status_code, pointers(wrong)) == (422, {"/npi"})
    assert [row["npi"] for row in manager.get("/physicians?is_kp=true").json["items"]] == [NPIS[190]]
    assert manager.get("/physicians/99999").status_code == 404


def test_a_care_team_over_http(manager: Browser, scene: Scene) -> None:
    path = f"/patients/{scene.patient.id}/team"
    body = {"clinician_id": scene.nurse.id, "role": "case-manager", "is_primary": True, "starts_on": "2026-11-09"}
    joined = manager.post(path, body)
    assert joined.status_code == 201, joined.json
    assert manager.get(path).json["items"][0]["clinician"]["performer"] == "RN"
    assert manager.get(f"{path}?day=2026-11-08").json["items"] == []
    assert manager.post(path, body).status_code == 409
    left = manager("PATCH", f"{path}/{joined.json['id']}", {"ends_on": "2026-11-30"}, match=joined.headers["ETag"])
    assert (left.status_code, left.json["ends_on"]) == (200, "2026-11-30")
    assert (
        manager("PATCH", f"{path}/{joined.json['id']}", {"role": "x"}, match=joined.headers["ETag"]).status_code == 412
    )
    assert manager.get(f"/patients/{scene.stranger.id}/team").status_code == 404
    excluded = manager.post(
        f"/clinicians/{scene.nurse.id}/exclusions", {"patient_id": scene.patient.id, "reason": "request"}
    )
    assert excluded.status_code == 201
    assert manager("DELETE", f"/clinicians/{scene.nurse.id}/exclusions/{scene.patient.id}").status_code == 204
