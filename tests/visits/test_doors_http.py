"""What refuses a visit is said whole at every door over HTTP; precautions, signs of life and conversations there."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.errors import RuleBroken
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import HomeSafety, Role
from coordinator.patients.model import Coverage, NoVisitWindow, Patient
from coordinator.rules.visit import ROWS
from coordinator.staff.model import ClinicianSkill, Credential
from coordinator.visits import service
from coordinator.visits.model import Visit
from tests.conftest import NOW, WorkAs
from tests.people import Browser, at, browser, pointers
from tests.visits.conftest import FRIDAY, TUESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]


@pytest.fixture
def office(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])


@pytest.fixture
def manager(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])


@pytest.fixture
def nurse(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICIAN, branch_ids=[scene.branch], clinician_id=scene["nurse"])


def _rules(answer: Any) -> list[str]:
    return [finding["rule"] for finding in answer.json["findings"]]


def test_every_door_answers_everything_that_stands_against_a_visit(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser, work_as: WorkAs,
    database: Database, row: Callable[[int], Visit],
) -> None:  # fmt: skip
    """Booked while all was well; then coverage, home, language, wishes, licence and skills are all lost at once."""
    booked, second = wanted(ordered(required_skills=["wound-vac"]))[:2]
    with database.transaction() as session:
        session.add(ClinicianSkill(clinician_id=scene["nurse"], skill="wound-vac"))
    slot = {"clinician_id": scene["nurse"], "starts_at": local(TUESDAY, 9).isoformat()}
    with at(NOW):
        assert office.change("POST", f"/visits/{booked}/assign", slot, of=f"/visits/{booked}").status_code == 200
    with database.transaction() as session:
        session.execute(sa.delete(ClinicianSkill))
        patient = session.get_one(Patient, scene.patient)
        session.execute(sa.delete(Coverage).where(Coverage.patient_id == patient.id))
        session.add(Coverage(patient_id=patient.id, payer="KP", starts_on=date(2020, 1, 1), ends_on=date(2026, 11, 8)))
        patient.home.safety, patient.home.hazards = HomeSafety.UNSAFE, ["VIOLENCE"]
        patient.spoken_language, patient.interpreter_needed = "yue", True
        session.add(NoVisitWindow(patient_id=patient.id, starts=time(0), ends=time(0), reason="prayer"))
        session.execute(
            sa.update(Credential).where(Credential.clinician_id == scene["nurse"]).values(expires_on=date(2026, 11, 1))
        )
    expected = {"ASM-03", "ELG-1", "ELG-6", "CRD-01", "CRD-02", "LNG-01", "CUL-01", "LAB-06"}
    begins = local(FRIDAY, 9)
    slot = {"clinician_id": scene["nurse"], "starts_at": begins.isoformat()}
    with at(NOW):
        asked = office.client.get(
            f"/api/v1/visits/{second}/check", query_string=slot, headers={"Authorization": f"Bearer {office.token}"}
        )
        assert (asked.json["possible"], set(_rules(asked))) == (False, expected)
        refused = office.change("POST", f"/visits/{second}/assign", slot, of=f"/visits/{second}")
        assert refused.status_code == 422
        assert set(_rules(refused)) == expected
        assert [ROWS[rule] for rule in _rules(asked)] == sorted(ROWS[rule] for rule in _rules(asked))
        assert all(finding["cure"] for finding in refused.json["findings"])
    plan = service.BookRequest(second, row(second).version, scene["nurse"], begins, begins + timedelta(hours=1))
    with pytest.raises(RuleBroken) as unpublished, work_as(scene.actor("scheduler")) as work:
        service.book_many(work, [plan])
    refusing = {finding["rule"] for finding in asked.json["findings"] if finding["severity"].startswith("BLOCK")}
    assert {finding.rule for finding in unpublished.value.findings} == refusing
    assert len(refusing) > 1
    with at(local(TUESDAY, 9)):
        unbegun = nurse.post(f"/visits/{booked}/start", {"at": local(TUESDAY, 9).isoformat()})
        assert unbegun.status_code == 422
        assert set(_rules(unbegun)) == {"ELG-1", "CRD-01", "CRD-02"}  # rows 1, 4, 5, 8 and 9
    assert (row(second).status.value, row(booked).status.value) == ("proposed", "booked")


def test_precautions_of_a_home_over_http_and_the_sign_of_life_of_whoever_is_alone_there(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, manager: Browser, nurse: Browser
) -> None:
    patient, path = f"/patients/{scene.patient}", f"/patients/{scene.patient}/precautions"
    careful = {"two_person": False, "check_in_minutes": 30, "until_sunset": True}
    visit = f"/visits/{wanted(ordered())[0]}"
    begun = local(TUESDAY, 9)
    with at(NOW):
        assert manager("PUT", path, careful).status_code == 428
        assert office("PUT", path, careful, match=office.etag(patient)).status_code == 403
        wrong = manager.change("PUT", path, careful | {"check_in_minutes": 5}, of=patient)
        assert (wrong.status_code, pointers(wrong)) == (422, {"/check_in_minutes"})
        stale = manager.etag(patient)
        kept = manager.change("PUT", path, careful, of=patient)
        assert kept.status_code == 200, kept.json
        assert {name: kept.json["home"][name] for name in careful} == careful
        assert manager("PUT", path, careful, match=stale).status_code == 412
        slot = {"clinician_id": scene["nurse"], "starts_at": begun.isoformat()}
        assert office.change("POST", f"{visit}/assign", slot, of=visit).status_code == 200
        early = nurse.post(f"{visit}/all-well", {"at": NOW.isoformat()})
        assert early.status_code == 409
    with at(begun):
        started = nurse.post(f"{visit}/start", {"at": begun.isoformat(), "over_handoff": "told-in-person"})
        assert started.status_code == 200, started.json
        soon = nurse.post(f"{visit}/all-well", {"at": (begun + timedelta(hours=1)).isoformat()})
        assert (soon.status_code, pointers(soon)) == (422, {"/at"})
        assert office.post(f"{visit}/all-well", {"at": begun.isoformat()}).status_code == 403
        heard = nurse.post(f"{visit}/all-well", {"at": begun.isoformat()})
        assert heard.status_code == 200
        later = nurse.post(f"{visit}/all-well", {"at": begun.isoformat()})
        assert later.json == heard.json  # said twice, it moves nothing


def test_a_conversation_that_rests_on_words_is_planned_over_http_with_an_interpreter(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser, database: Database
) -> None:
    with database.transaction() as session:
        patient = session.get_one(Patient, scene.patient)
        patient.spoken_language, patient.interpreter_needed = "yue", True
    visit = f"/visits/{wanted(ordered())[0]}"
    slot = {"clinician_id": scene["nurse"], "starts_at": local(TUESDAY, 9).isoformat()}
    advance = {"conversation": "advance_care_planning"}
    with at(NOW):
        assert office.change("POST", f"{visit}/assign", slot, of=visit).status_code == 200
        assert office("POST", f"{visit}/conversation", advance).status_code == 428
        wrong = office.change("POST", f"{visit}/conversation", {"conversation": "weather"}, of=visit)
        assert (wrong.status_code, pointers(wrong)) == (422, {"/conversation"})
        refused = office.change("POST", f"{visit}/conversation", advance, of=visit)
        assert (refused.status_code, _rules(refused)[0]) == (422, "LNG-01")
        assert office.get(visit).json["conversation"] is None
        booked = office.change("POST", f"{visit}/interpreter", {"mode": "phone"}, of=visit)
        assert booked.status_code == 200, booked.json
        planned = office.change("POST", f"{visit}/conversation", advance, of=visit)
        assert (planned.status_code, planned.json["conversation"]) == (200, "advance_care_planning")
        assert nurse.get(visit).json["conversation"] == "advance_care_planning"
        cleared = office.change("POST", f"{visit}/conversation", {"conversation": None}, of=visit)
        assert cleared.json["conversation"] is None
