"""What is owed about records, at the doors: SEC-02, SEC-05, SEC-08 to SEC-12."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent, verify
from coordinator.deadlines.model import Deadline
from coordinator.domain.vocabulary import DeadlineStatus, Role
from coordinator.patients.model import Patient
from tests.access.conftest import Scene
from tests.builders import make_episode
from tests.conftest import NOW
from tests.people import Browser, at, pointers


def manager(scene: Scene) -> Browser:
    return scene.signed_in(Role.CLINICAL_MANAGER, Role.ADMINISTRATOR, branch_ids=[scene.branch.id])


def scheduler(scene: Scene) -> Browser:
    return scene.signed_in(Role.SCHEDULER, branch_ids=[scene.branch.id])


def deadlines(scene: Scene, rule: str) -> list[tuple[str, date]]:
    with scene.database.transaction(write=False) as session:
        rows = session.scalars(sa.select(Deadline).where(Deadline.rule == rule).order_by(Deadline.id))
        return [(row.status.value, row.due_on) for row in rows]


def test_a_request_for_the_record_has_its_day_and_is_closed_by_its_version(scene: Scene) -> None:
    who = manager(scene)
    with at(NOW):
        path = f"/patients/{scene.patient.id}/record-requests"
        asked = {"kind": "clinical_record", "requested_by": "patient", "requested_on": "2026-11-09"}
        made = who.post(path, asked)
        assert made.status_code == 201, made.json
        # Veterans Day is no business day.
        assert (made.json["due_on"], made.json["due_by"], made.json["status"]) == ("2026-11-16", "federal", "open")
        assert deadlines(scene, "SEC-09") == [("open", date(2026, 11, 16))]
        assert pointers(who.post(path, asked | {"requested_on": "2026-11-10"})) == {"/requested_on"}
        close = f"/record-requests/{made.json['id']}/close"
        assert who.post(close, {"closed_on": "2026-11-09"}).status_code == 428
        done = who("POST", close, {"closed_on": "2026-11-09"}, match=made.headers["ETag"])
        assert (done.status_code, done.json["status"]) == (200, "fulfilled")
        assert deadlines(scene, "SEC-09") == [("done", date(2026, 11, 16))]
        assert who("POST", close, {"closed_on": "2026-11-09"}, match=done.headers["ETag"]).status_code == 409
        assert len(who.get(path).json["items"]) == 1
        assert scheduler(scene).post(path, asked).status_code == 403
        assert who.post(f"/patients/{scene.stranger.id}/record-requests", asked).status_code == 404


def test_an_accounting_leaves_out_care_and_is_no_part_of_the_trail(scene: Scene) -> None:
    who, path = manager(scene), f"/patients/{scene.patient.id}/disclosures"
    given = {"disclosed_on": "2026-11-09", "recipient": "Court", "what": "Plan of care", "statement": "Subpoena"}
    with at(NOW):
        for purpose in ("court", "treatment"):
            assert who.post(path, given | {"purpose": purpose}).status_code == 201
        assert [row["purpose"] for row in who.get(path).json["items"]] == ["court"]
        assert scheduler(scene).get(path).status_code == 403
    with scene.database.transaction(write=False) as session:
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "disclosure.recorded")).all()
        assert len(lines) == 2
        assert all("Subpoena" not in str(line.facts) for line in lines)


def test_a_breach_is_told_by_its_days(scene: Scene) -> None:
    who = manager(scene)
    with at(NOW + timedelta(days=20)):
        body = {"branch_id": scene.branch.id, "detected_on": "2026-11-20", "kind": "lost-device"}
        made = who.post("/breaches", body | {"patient_ids": [scene.patient.id]})
        assert (made.status_code, made.json["state_due_on"]) == (201, "2026-12-15"), made.json
        assert len(deadlines(scene, "SEC-11")) == 3
        told = f"/breaches/{made.json['id']}/notices"
        answer = who("POST", told, {"whom": "state", "on": "2026-11-23"}, match=made.headers["ETag"])
        assert answer.json["state_told_on"] == "2026-11-23"
        assert sorted(state for state, _ in deadlines(scene, "SEC-11")) == ["done", "open", "open"]
        again = who("POST", told, {"whom": "state", "on": "2026-11-23"}, match=answer.headers["ETag"])
        assert again.status_code == 409
        assert who.post("/breaches", body | {"patient_ids": [scene.stranger.id]}).status_code == 404
        assert len(who.get(f"/breaches?branch_id={scene.branch.id}").json["items"]) == 1


def test_a_record_is_kept_by_its_years_and_by_holds(scene: Scene) -> None:
    who, path = manager(scene), f"/patients/{scene.patient.id}"
    with at(NOW):
        kept = who.get(f"{path}/retention").json
        assert (kept["keep_until"], kept["may_be_destroyed"]) == (None, False)
    with scene.database.transaction() as session:
        patient = session.get_one(Patient, scene.patient.id)
        make_episode(session, patient, discharged_on=date(2019, 11, 7), discharge_reason="goals_met")
    with at(NOW):
        kept = who.get(f"{path}/retention").json
        assert (kept["keep_until"], kept["may_be_destroyed"]) == ("2026-11-07", True)
        hold = who.post(f"{path}/legal-holds", {"reason": "litigation"})
        assert hold.status_code == 201
        assert [row["rule"] for row in who.get(f"{path}/retention").json["findings"]] == ["SEC-12"]
        assert who.post(f"/legal-holds/{hold.json['id']}/release").json["released_on"] == "2026-11-09"
        assert who.get(f"{path}/retention").json["may_be_destroyed"] is True
        # There is no way to delete a patient at all.
        assert who("DELETE", path).status_code == 405


@pytest.mark.example("SEC-02", 1)
def test_a_record_is_opened_in_an_emergency_for_four_hours_with_a_reason(scene: Scene) -> None:
    office, path = scheduler(scene), f"/patients/{scene.patient.id}"
    why = {"reason_code": "life-threat", "text": "The aide found the patient on the floor"}
    with at(NOW):
        assert "diagnoses" not in office.get(path).json
        assert office.post(f"{path}/emergency-access").status_code == 403
        opened = office.post(f"{path}/emergency-access", why)
        assert (opened.status_code, opened.json["expires_at"]) == (201, "2026-11-09T20:00:00Z"), opened.json
        assert "diagnoses" in office.get(path).json
        assert "diagnoses" not in scheduler(scene).get(path).json
        assert deadlines(scene, "SEC-02") == [("open", date(2026, 11, 10))]
    with at(NOW + timedelta(hours=4)):
        assert "diagnoses" not in office.get(path).json
        review = f"/emergency-accesses/{opened.json['id']}/review"
        assert office.post(review, {"justified": True, "text": "Yes"}).status_code == 403
        assert manager(scene).post(review, {"justified": True, "text": "Yes"}).status_code == 200
        assert manager(scene).post(review, {"justified": True, "text": "Yes"}).status_code == 409
        assert deadlines(scene, "SEC-02") == [(DeadlineStatus.DONE.value, date(2026, 11, 10))]


def test_an_emergency_opens_the_record_of_somebody_out_of_sight(scene: Scene) -> None:
    nurse = scene.clinician(scene.nurse)
    path = f"/patients/{scene.stranger.id}"
    with at(NOW):
        assert nurse.get(path).status_code == 404
        assert nurse.post(f"{path}/emergency-access", {"reason_code": "fall", "text": "Rang us"}).status_code == 201
        assert nurse.get(path).status_code == 200
        assert nurse.get(f"/patients/{scene.patient.id}").status_code == 404
        assert scene.clinician(scene.aide).post(f"{path}/emergency-access", {}).status_code == 403


@pytest.mark.example("SEC-05", 1)
def test_a_denied_reading_leaves_a_line_that_says_so(scene: Scene) -> None:
    """A scheduler asks for clinical detail: refused, and on record."""
    with at(NOW):
        assert scheduler(scene).get(f"/patients/{scene.patient.id}/care-plan").status_code == 403
    with scene.database.transaction(write=False) as session:
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.outcome == "deny")).all()
        assert [(line.facts["permission"], line.actor.startswith("user:")) for line in lines] == [("plan:read", True)]
        assert verify(session).ok
