"""Aides and assistants over HTTP: instructions, competence, supervision, observation; how mistakes are answered."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, Role, VisitStatus
from coordinator.teams.model import CareTeamMember
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import NOW
from tests.people import Browser, at, browser, pointers
from tests.visits.conftest import MONDAY, TUESDAY, OrderMaker, Scene, local, make_another_patient

Wanted = Callable[..., list[int]]
DAY = MONDAY.isoformat()


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def people(app: Coordinator, database: Database, scene: Scene) -> dict[str, Browser]:
    """Browsers of the scene's people, who are all in the patient's team, and of the office."""
    with database.transaction() as session:
        for number in scene.people.values():
            session.add(
                CareTeamMember(
                    patient_id=scene.patient, clinician_id=number, role="care", is_primary=False,
                    starts_on=MONDAY - timedelta(days=14),
                )
            )  # fmt: skip
        # An aide sees whom they visit.
        builders.make_visit(
            session, session.get_one(builders.Patient, scene.patient), session.get_one(builders.Episode, scene.episode),
            discipline=Discipline.HHA, clinician_id=scene["aide"], status=VisitStatus.CANCELLED, is_current=False,
            window_from=MONDAY, window_to=MONDAY,
        )  # fmt: skip
    here = {"branch_ids": [scene.branch]}
    found = {
        name: browser(app, database, Role.CLINICIAN, clinician_id=scene[name], **here)
        for name in ("nurse", "aide", "therapist", "assistant")
    }
    found["manager"] = browser(app, database, Role.CLINICAL_MANAGER, **here)
    found["scheduler"] = browser(app, database, Role.SCHEDULER, **here)
    found["elsewhere"] = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch + 1])
    return found


def _writes(scene: Scene) -> dict[str, tuple[str, str, str, dict[str, Any], str]]:
    """Of each change: who may, method, path, body, and a field that is no word of that kind."""
    patient, aide = f"/patients/{scene.patient}", f"/clinicians/{scene['aide']}"
    return {
        "instructions": (
            "nurse", "PUT", f"{patient}/aide-instructions", {"tasks": ["BATHING"], "effective_from": DAY},
            "effective_from",
        ),
        "competence": ("manager", "PUT", f"{aide}/aide-competence", {"last_paid_work_on": DAY}, "last_paid_work_on"),
        "in-service": (
            "manager", "POST", f"{aide}/in-service", {"held_on": DAY, "minutes": 60, "topic": "Transfers"}, "minutes",
        ),
        "supervision": (
            "nurse", "POST", "/supervisions",
            {"patient_id": scene.patient, "supervised_on": DAY, "aide_id": scene["aide"]}, "supervised_on",
        ),
        "observation": (
            "nurse", "POST", f"{patient}/aide-observations",
            {"aide_id": scene["aide"], "observed_on": DAY, "passed": True}, "aide_id",
        ),
        "assistant": (
            "therapist", "POST", f"{patient}/assistant-supervisions",
            {"assistant_id": scene["assistant"], "supervised_on": DAY}, "assistant_id",
        ),
        "of record": (
            "manager", "POST", f"{patient}/therapists-of-record",
            {"discipline": "PT", "clinician_id": scene["therapist"], "starts_on": DAY, "reason": "On leave"},
            "starts_on",
        ),
        "case review": (
            "manager", "POST", f"{patient}/case-reviews", {"need": "Wound care", "starts_on": DAY, "ends_on": DAY},
            "ends_on",
        ),
        "schedule": ("nurse", "POST", f"{patient}/written-schedules", {"given_on": DAY}, "given_on"),
    }  # fmt: skip


def test_what_is_written_is_answered_and_every_mistake_names_its_field(
    scene: Scene, people: dict[str, Browser], database: Database
) -> None:
    stranger = make_another_patient(database, scene)[0]
    for what, (who, method, path, body, field) in _writes(scene).items():
        done = people[who](method, path, body)
        assert done.status_code in (200, 201), (what, done.json)
        for wrong in ({"a": 1}, "2026-13-01", [], 10**30):
            refused = people[who](method, path, body | {field: wrong})
            assert (refused.status_code, pointers(refused)) == (422, {f"/{field}"}), (what, wrong, refused.json)
        unknown = people[who](method, path, body | {"mood": "good"})
        assert (unknown.status_code, pointers(unknown)) == (422, {"/mood"}), what
        assert people[who](method, path, raw="{").status_code == 422, what
        # The scheduler hands out the schedule and writes nothing else; another branch hears of nothing.
        barred = people["scheduler"](method, path, body)
        assert barred.status_code in ((201,) if what == "schedule" else (403, 404)), (what, barred.json)
        assert people["elsewhere"](method, path, body).status_code in (403, 404), what
        for gone, number in ((scene.patient, 10**9), (scene["aide"], 10**9)):
            missing = people[who](method, path.replace(f"/{gone}/", f"/{number}/"), body)
            if path.count(f"/{gone}/"):
                assert missing.status_code == 404, (what, missing.json)
        if what == "supervision":
            assert people[who](method, path, body | {"patient_id": 10**9}).status_code == 404
            assert people[who](method, path, body | {"patient_id": stranger}).status_code == 404
        elif path.startswith("/patients/") and who != "manager":
            theirs = path.replace(f"/{scene.patient}/", f"/{stranger}/")
            assert people[who](method, theirs, body).status_code == 404, what


def test_the_same_request_twice_is_done_once(scene: Scene, people: dict[str, Browser]) -> None:
    nurse = people["nurse"]

    def send(key: str) -> Any:
        return nurse.client.post(
            f"/api/v1/patients/{scene.patient}/aide-observations",
            json={"aide_id": scene["aide"], "observed_on": DAY, "passed": True},
            headers={"Authorization": f"Bearer {nurse.token}", "Idempotency-Key": key},
        )

    first, again, other = send("one"), send("one"), send("two")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"] != other.json["id"]


def test_instructions_are_read_by_version_and_acknowledged_by_the_aide(
    scene: Scene, people: dict[str, Browser]
) -> None:
    path = f"/patients/{scene.patient}/aide-instructions"
    written = people["nurse"]("PUT", path, {"tasks": ["BATHING", "DRESSING"], "effective_from": TUESDAY.isoformat()})
    assert (written.status_code, written.json["number"]) == (200, 2)
    assert people["aide"].get(f"{path}?on={DAY}").json["current"]["number"] == 1
    assert people["aide"].get(f"{path}?on={TUESDAY.isoformat()}").json["current"]["number"] == 2
    assert pointers(people["aide"].get(f"{path}?on=tomorrow")) == {"/query/on"}
    read = people["aide"].post(f"{path}/2/acknowledgement")
    assert (read.status_code, read.json["clinician_id"]) == (201, scene["aide"])
    assert people["aide"].post(f"{path}/2/acknowledgement").json == read.json, "said twice, the first time stands"
    assert people["aide"].post(f"{path}/9/acknowledgement").status_code == 404
    assert people["nurse"].post(f"{path}/2/acknowledgement").status_code == 403
    barred = people["aide"]("PUT", path, {"tasks": ["BATHING"], "effective_from": DAY})
    assert (barred.status_code, barred.json["permission"]) == (403, "aide-plan:write")


def test_a_concern_from_noted_to_settled(
    scene: Scene, people: dict[str, Browser], ordered: OrderMaker, wanted: Wanted
) -> None:
    told = {"patient_id": scene.patient, "supervised_on": DAY, "aide_id": scene["aide"], "concern": True}
    assert people["nurse"].post("/supervisions", told | {"concern_tasks": ["BATHING"]}).status_code == 201
    path = f"/patients/{scene.patient}/aide-concerns"
    (concern,) = people["nurse"].get(path).json["items"]
    assert (concern["tasks"], concern["cleared_on"]) == (["BATHING"], None)
    assert people["scheduler"].get(path).status_code == 403
    standing = people["manager"].get(f"/patients/{scene.patient}/compliance").json["families"]
    (known,) = [rule for family in standing for rule in family["rules"] if rule["rule"] == "SUP-02"]
    assert known["next_date"] == (MONDAY + timedelta(days=3)).isoformat()
    ordered(Discipline.SN)
    visit = wanted(ordered(Discipline.HHA))[0]
    slot = {"clinician_id": scene["aide"], "starts_at": local(TUESDAY, 9).isoformat()}
    refused = people["scheduler"].change("POST", f"/visits/{visit}/assign", slot, of=f"/visits/{visit}")
    assert (refused.status_code, refused.json["findings"][0]["rule"]) == (422, "SUP-02")
    clear = f"/aide-concerns/{concern['id']}/clearance"
    assert people["nurse"].post(clear, {"cleared_on": DAY}).status_code == 403
    early = people["manager"].post(clear, {"cleared_on": DAY})
    assert (early.status_code, early.json["type"]) == (409, "/problems/not-observed")
    seen = {"aide_id": scene["aide"], "observed_on": DAY, "passed": False, "concern_id": concern["id"]}
    observe = f"/patients/{scene.patient}/aide-observations"
    assert people["nurse"].post(observe, seen | {"concern_id": 10**9}).status_code == 404
    assert people["nurse"].post(observe, seen).status_code == 201
    assert pointers(people["manager"].post(clear, {"cleared_on": "soon"})) == {"/cleared_on"}
    assert people["manager"].post("/aide-concerns/999999/clearance", {"cleared_on": DAY}).status_code == 404
    assert people["elsewhere"].post(clear, {"cleared_on": DAY}).status_code == 404
    assert people["manager"].post(clear, {"cleared_on": DAY}).json["cleared_on"] == DAY
    again = people["manager"].post(clear, {"cleared_on": DAY})
    assert (again.status_code, again.json["type"]) == (409, "/problems/concern-settled")


def test_competence_is_an_aides_and_read_with_what_is_short(scene: Scene, people: dict[str, Browser]) -> None:
    path = f"/clinicians/{scene['aide']}/aide-competence"
    began = (MONDAY - timedelta(days=320)).isoformat()
    assert people["manager"]("PUT", path, {"year_began_on": began}).json["year_began_on"] == began
    kept = people["manager"]("PUT", path, {"last_paid_work_on": DAY}).json
    assert (kept["year_began_on"], kept["last_paid_work_on"]) == (began, DAY), "what is left out stays"
    shown = people["manager"].get(path).json
    assert shown["task"]["rule"] == "AID-03"
    ahead = people["manager"]("PUT", path, {"requalified_on": "2027-01-01"})
    assert (ahead.status_code, pointers(ahead)) == (422, {"/requalified_on"})
    of_nurse = people["manager"].get(f"/clinicians/{scene['nurse']}/aide-competence")
    assert (of_nurse.status_code, pointers(of_nurse)) == (422, {"/path/clinician_id"})
    assert people["manager"].get("/clinicians/999999/aide-competence").status_code == 404


def test_a_bill_is_released_from_the_version_that_was_read(
    scene: Scene, people: dict[str, Browser], ordered: OrderMaker, wanted: Wanted, database: Database
) -> None:
    number = wanted(ordered(Discipline.PT))[0]
    begins = local(MONDAY, 7)
    with database.transaction() as session:
        visit = session.get_one(Visit, number)
        visit.status, visit.clinician_id, visit.hold_bill = VisitStatus.COMPLETED, scene["therapist"], ["THX-01"]
        visit.starts_at = visit.actual_start_at = begins
        visit.ends_at = visit.actual_end_at = begins + timedelta(minutes=45)
    path, body = f"/visits/{number}/bill-exceptions", {"rule": "THX-01", "code": "INPATIENT", "text": "In hospital"}
    manager = people["manager"]
    assert manager.post(path, body).status_code == 428
    assert manager("POST", path, body, match='"99"').status_code == 412
    assert people["nurse"]("POST", path, body, match=manager.etag(f"/visits/{number}")).status_code in (403, 404)
    released = manager.change("POST", path, body, of=f"/visits/{number}")
    assert released.status_code == 200, released.json
    assert "THX-01" not in released.json["hold_bill"]
    assert manager("POST", "/visits/999999/bill-exceptions", body, match='"1"').status_code == 404
