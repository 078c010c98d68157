"""Emergencies are listed for those who judge them, end when they are over, and have a coded reason."""

from datetime import timedelta

import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from tests.access.conftest import Scene
from tests.conftest import NOW
from tests.people import at, pointers


def test_an_emergency_is_ended_by_whoever_opened_it_and_judged_by_somebody_who_hears_why(scene: Scene) -> None:
    nurse, other = scene.clinician(scene.nurse), scene.clinician(scene.nurse)
    judge = scene.signed_in("clinical_manager", branch_ids=[scene.elsewhere.id])
    foreign = scene.signed_in("clinical_manager", branch_ids=[scene.branch.id])
    path, words = f"/patients/{scene.stranger.id}", "Mr Wong fell in the hall"
    with at(NOW):
        named = nurse.post(f"{path}/emergency-access", {"reason_code": "Mr Wong", "text": words})
        assert (named.status_code, pointers(named)) == (422, {"/reason_code"}), "no name gets into the trail as a code"
        opened = nurse.post(f"{path}/emergency-access", {"reason_code": "fall", "text": words}).json
        assert [row["id"] for row in nurse.get("/me/emergency-accesses").json["items"]] == [opened["id"]]
        assert other.get("/me/emergency-accesses").json["items"] == []
        assert nurse.get("/emergency-accesses").status_code == 403
        (listed,) = judge.get("/emergency-accesses?reviewed=false").json["items"]
        assert (listed["text"], listed["reason_code"], listed["patient_id"]) == (words, "fall", scene.stranger.id)
        assert foreign.get("/emergency-accesses").json["items"] == []
    with at(NOW + timedelta(hours=1)):
        assert nurse.get(path).status_code == 200
        end = f"/emergency-accesses/{opened['id']}/end"
        assert other.post(end).status_code == 404
        assert nurse.post(end).json["expires_at"] == "2026-11-09T17:00:00Z"
        assert nurse.post(end).status_code == 409
        assert nurse.get(path).status_code == 404
        assert nurse.get("/me/emergency-accesses").json["items"] == []
        judged = {"justified": False, "text": "Their own nurse was at hand"}
        assert foreign.post(f"/emergency-accesses/{opened['id']}/review", judged).status_code == 404
        assert judge.post(f"/emergency-accesses/{opened['id']}/review", judged).status_code == 200
        assert judge.get("/emergency-accesses?reviewed=false").json["items"] == []
        (row,) = judge.get(f"/emergency-accesses?reviewed=true&patient_id={scene.stranger.id}").json["items"]
        assert (row["justified"], row["review_text"]) == (False, judged["text"])
    with scene.database.transaction(write=False) as session:
        told = str([line.facts for line in session.scalars(sa.select(AuditEvent))])
        assert "Wong" not in told
