"""The care team's doors: what they answer, what they refuse, and what the trail keeps."""

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role
from tests.care.conftest import TODAY, TUESDAY, Scene
from tests.people import Browser, at, browser, pointers


def nurse(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICIAN, clinician_id=scene.people["rn"])


@pytest.mark.example("SEC-08", 1)
def test_a_scheduler_who_asks_for_a_phq_9_is_refused_and_on_record(
    app: Coordinator, database: Database, scene: Scene
) -> None:
    with at(TUESDAY):
        made = nurse(app, database, scene).post(
            f"/patients/{scene.patient}/assessments", {"instrument": "PHQ-9", "answers": {"self_harm": 0}}
        )
        assert made.status_code == 201, made.json
        clerk = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])
        for path in (f"/assessments/{made.json['id']}", f"/patients/{scene.patient}/trends?instrument=PHQ-9"):
            assert clerk.get(path).status_code == 403
        therapist = browser(app, database, Role.CLINICIAN, clinician_id=scene.people["pt"])
        assert therapist.get(f"/assessments/{made.json['id']}").status_code == 403
    with database.transaction() as session:
        denied = session.execute(sa.select(AuditEvent.facts).where(AuditEvent.outcome == "deny")).scalars().all()
        assert [one["permission"] for one in denied] == ["assessment:read", "assessment:read", "assessment:read:PHQ-9"]


def test_answers_over_http(app: Coordinator, database: Database, scene: Scene) -> None:
    path = f"/patients/{scene.patient}/assessments"
    with at(TUESDAY):
        me = nurse(app, database, scene)
        refused = me.post(path, {"instrument": "PPSv2", "answers": {"level": 55}})
        assert refused.status_code == 422
        assert pointers(refused) == {"/answers/level"}
        assert [one["rule"] for one in refused.json["findings"]] == ["INS-01"]
        strange = me("POST", path, raw='{"instrument": "PPSv2", "answers": {"\\ud800": 1}}')
        assert strange.status_code == 422, strange.data
        assert me.post(path + "?dry_run=true", {"instrument": "PPSv2", "answers": {"level": 50}}).status_code == 201
        made = me.post(path, {"instrument": "PPSv2", "answers": {"level": 50}})
        assert (made.json["total"], made.json["flags"][0]["rule"]) == (50, "INS-03")
        listed = me.get(path).json["items"]
        assert [one["id"] for one in listed] == [made.json["id"]]
        wrong = f"/assessments/{made.json['id']}"
        assert me.post(f"{wrong}/withdraw", {"reason": "typo"}).status_code == 428
        assert me.change("POST", f"{wrong}/withdraw", {"reason": "typo"}, of=wrong).json["status"] == "entered_in_error"
        assert me.get(f"/patients/{scene.patient}/trends?instrument=PPSv2").json["points"] == []
        tools = {one["code"]: one for one in me.get("/instruments").json["items"]}
        assert tools["ESAS-r"]["range"] == [0, 90]
        assert tools["FICA"]["ships_text"] is False


def test_readings_over_http(app: Coordinator, database: Database, scene: Scene) -> None:
    with at(TUESDAY):
        me = nurse(app, database, scene)
        limit = me("PUT", f"/patients/{scene.patient}/limits/spo2", {"low": 90})
        assert (limit.status_code, limit.json["unit"]) == (200, "%")
        assert me("PUT", f"/patients/{scene.patient}/limits/charm", {"low": 90}).status_code == 404
        low = me.post(f"/patients/{scene.patient}/readings", {"measure": "spo2", "value": 86})
        assert [one["rule"] for one in low.json["flags"]] == ["VIS-02"]
        assert me.post(f"/patients/{scene.patient}/readings", {"measure": "spo2", "value": 860}).status_code == 422
        assert len(me.get(f"/patients/{scene.patient}/readings").json["items"]) == 1
        assert len(me.get(f"/patients/{scene.patient}/limits").json["items"]) == 1


def test_a_conference_over_http(app: Coordinator, database: Database, scene: Scene) -> None:
    with at(TUESDAY):
        me = nurse(app, database, scene)
        made = me.post(
            f"/patients/{scene.patient}/conferences",
            {"held_on": TODAY.isoformat(),
             "seats": [{"role": "nurse", "presence": "present", "clinician_id": scene.people["rn"]}]},
        )  # fmt: skip
        assert made.status_code == 201, made.json
        path = f"/conferences/{made.json['id']}"
        assert me.post(f"{path}/sign").json["seats"][0]["signed_at"] is not None
        assert me.change("PATCH", path, {"summary": "Comfort first"}).json["summary"] == "Comfort first"
        closed = me.change("POST", f"{path}/close", {}, of=path)
        assert closed.json["counts"] is False
        assert "chaplain" in closed.json["flags"][0]["sentence"]
        assert len(me.get(f"/patients/{scene.patient}/conferences").json["items"]) == 1
        review = me.get(f"/patients/{scene.patient}/team-review").json
        assert (review["last_on"], review["due_on"]) == (None, "2026-11-10")
        domain = me("PUT", f"/episodes/{scene.episode}/domains/cultural", {"entry": "Cantonese"})
        assert domain.json["no_need"] is False
        assert me("PUT", f"/episodes/{scene.episode}/domains/weather", {"no_need": True}).status_code == 404
        assert len(me.get(f"/episodes/{scene.episode}/domains").json["items"]) == 1


def test_directives_over_http_and_the_word_on_the_roster(app: Coordinator, database: Database, scene: Scene) -> None:
    with at(TUESDAY):
        me = nurse(app, database, scene)
        made = me.post(
            f"/patients/{scene.patient}/directives",
            {"kind": "polst", "signed_by": "patient", "signed_on": "2026-11-01", "practitioner_type": "MD",
             "practitioner_signed_on": "2026-11-02", "resuscitation": "do_not_attempt",
             "choices": {"interventions": "comfort"}, "witnesses": [{"name": "A", "bars": ["agent"]}]},
        )  # fmt: skip
        assert (made.status_code, made.json["status"], made.json["executed_on"]) == (201, "valid", "2026-11-02")
        (stop,) = me.get(f"/clinicians/{scene.people['rn']}/roster/{TODAY}").json["stops"]
        assert (stop["code_status"], stop["code_status_words"]) == ("dnr", "DNR: do not attempt resuscitation")
        path = f"/directives/{made.json['id']}"
        assert me.get(path).json["witnesses"][0]["bars"] == ["agent"]
        assert me.change("PATCH", path, {"original_at": "On the fridge"}).json["status"] == "valid"
        listed = me.get(f"/patients/{scene.patient}/directives").json
        assert (listed["code_status"], listed["code_status_words"]) == ("dnr", "DNR: do not attempt resuscitation")
        gone = me.change("POST", f"{path}/revoke", {"on": "2026-11-10", "reason": "said so"}, of=path)
        assert gone.json["status"] == "revoked"
        told = me.post(
            f"/episodes/{scene.episode}/rights", {"told_on": "2026-11-10", "language": "en", "written": True}
        )
        assert told.status_code == 201
