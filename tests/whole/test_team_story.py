"""One story of a care team over HTTP, on both engines: pain rises, people tell each other, and it falls again."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from coordinator.core.audit import verify
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline
from coordinator.patients.model import Caregiver, Episode
from coordinator.staff.model import Physician
from tests import builders
from tests.people import at
from tests.teamwork.conftest import TUESDAY, Scene, set_scene

pytestmark = pytest.mark.slow

ITEMS = ("pain", "tiredness", "drowsiness", "nausea", "appetite", "breath", "depression", "anxiety", "wellbeing")
SOC = date(2026, 10, 26)


@pytest.fixture
def scene(app: Coordinator, database: Database) -> Scene:
    """The team of `tests/teamwork`, with a nursing order of two visits as needed and a daughter who reads Chinese."""
    made = set_scene(app, database)
    with database.transaction() as session:
        episode = session.get_one(Episode, made.episode)
        plan = builders.make_care_plan(session, episode, session.get_one(Physician, made.physician))
        builders.make_order(
            session, episode, plan, Discipline.SN, frequency="2w4 +2 PRN for pain", effective_from=SOC, prn_limit=2,
            prn_signs="pain", treatments=["assessment", "morphine"], certification_number=1,
            weeks=((date(2026, 11, 8), date(2026, 11, 14), 2, 2),),
        )  # fmt: skip
        session.add(
            Caregiver(patient_id=made.patient, name="Wei", relation="daughter", language="zh-Hant", availability=[])
        )
    return made


def _pain(scene: Scene, level: int, moment: datetime) -> Any:
    with at(moment):
        answer = scene.as_("nurse").post(
            f"/patients/{scene.patient}/assessments",
            {"instrument": "ESAS-r", "answers": dict.fromkeys(ITEMS, 1) | {"pain": level}},
        )
    assert answer.status_code == 201, answer.json
    return answer.json


def test_pain_rises_the_team_acts_and_it_falls(scene: Scene, database: Database) -> None:
    visit = _a_visit_is_proposed_and_the_physician_knows(scene)
    _the_physician_is_told_and_acknowledges(scene)
    _the_visit_is_made_and_the_score_falls(scene, visit)
    _the_conference_decides_and_the_order_changes(scene)
    _the_family_is_told_in_chinese(scene)
    with database.transaction(write=False) as session:
        assert verify(session).ok


def _a_visit_is_proposed_and_the_physician_knows(scene: Scene) -> int:
    _pain(scene, 4, TUESDAY - timedelta(days=1))
    _pain(scene, 8, TUESDAY)
    with at(TUESDAY):
        (proposal,) = scene.as_("nurse").get(f"/patients/{scene.patient}/visit-proposals?waiting=true").json["items"]
        assert (proposal["because"], proposal["left"]) == (["pain"], 2)
        assert "visit.proposed" in {row["kind"] for row in scene.as_("doctor").get("/notices").json["items"]}
        owed = scene.as_("manager").get("/inbox/deadlines").json["items"]
        assert proposal["rule"] in {row["rule"] for row in owed}
        path = f"/visit-proposals/{proposal['id']}"
        accepted = scene.as_("nurse").change("POST", f"{path}/accept", {}, of=path)
        assert accepted.status_code == 200, accepted.json
    visit: int = accepted.json["visit_id"]
    return visit


def _the_physician_is_told_and_acknowledges(scene: Scene) -> None:
    with at(TUESDAY):
        note = scene.as_("nurse").post(
            "/notes",
            {
                "kind": "sbar", "patient_id": scene.patient, "to": [{"user_id": scene.users["doctor"]}],
                "wants_acknowledgement": True,
                "parts": {
                    "situation": "Pain is 8 of 10, yesterday 4", "background": "Lung cancer, morphine by mouth",
                    "assessment": "Not controlled", "recommendation": "An extra visit today; review the dose",
                },
            },
        ).json  # fmt: skip
        waiting = scene.as_("doctor").get("/inbox/messages?to_acknowledge=true").json["items"]
        assert [row["id"] for row in waiting] == [note["id"]]
        scene.as_("doctor").post(f"/notes/{note['id']}/acknowledge")
        scene.as_("doctor").post(f"/notes/{note['id']}/replies", {"text": "Agreed. I will change the dose."})
        assert scene.as_("doctor").get("/inbox").json["to_acknowledge"] == 0
        assert len(scene.as_("nurse").get("/inbox/messages").json["items"]) == 1


def _the_visit_is_made_and_the_score_falls(scene: Scene, visit: int) -> None:
    begins = TUESDAY + timedelta(hours=2)
    with at(TUESDAY):
        booked = scene.as_("scheduler").change(
            "POST", f"/visits/{visit}/assign",
            {"clinician_id": scene.clinicians["nurse"], "starts_at": begins.isoformat()}, of=f"/visits/{visit}",
        )  # fmt: skip
        assert booked.status_code == 200, booked.json
    with at(begins + timedelta(minutes=1)):
        started = scene.as_("nurse").post(f"/visits/{visit}/start", {"at": begins.isoformat()})
        assert started.status_code == 200, started.json
    ends = begins + timedelta(minutes=45)
    with at(ends + timedelta(minutes=1)):
        assert scene.as_("nurse").post(f"/visits/{visit}/finish", {"at": ends.isoformat()}).status_code == 200
    scored = _pain(scene, 3, ends + timedelta(minutes=2))
    assert "INS-02" not in {flag["rule"] for flag in scored["flags"]}
    with at(ends + timedelta(minutes=3)):
        trend = scene.as_("doctor").get(f"/patients/{scene.patient}/trends?instrument=ESAS-r").json
        assert [point["numbers"]["pain"] for point in trend["points"]] == [4, 8, 3]
        assert trend["direction"]["pain"] == "better"
        summary = scene.as_("nurse").post(
            "/notes",
            {
                "kind": "visit_summary", "patient_id": scene.patient, "visit_id": visit, "text": "Pain is 3 now",
                "to": [{"role": "nurse"}],
            },
        )  # fmt: skip
        assert summary.status_code == 201
        covering = scene.as_("nurse2").get("/inbox/messages").json["items"]
        assert [row["kind"] for row in covering] == ["visit_summary"]


def _the_conference_decides_and_the_order_changes(scene: Scene) -> None:
    later = TUESDAY + timedelta(hours=4)
    with at(later):
        seats = [
            {"role": role, "presence": "present", **who}
            for role, who in (
                ("physician", {"physician_id": scene.physician}),
                ("nurse", {"clinician_id": scene.clinicians["nurse"]}),
                ("social_worker", {"clinician_id": scene.clinicians["social"]}),
                ("chaplain", {"clinician_id": scene.clinicians["chaplain"]}),
            )
        ]
        made = scene.as_("nurse").post(
            f"/patients/{scene.patient}/conferences",
            {"held_on": "2026-11-10", "seats": seats, "summary": "More visits"},
        )
        assert made.status_code == 201, made.json
        path = f"/conferences/{made.json['id']}"
        closed = scene.as_("nurse").change("POST", f"{path}/close", {}, of=path)
        assert closed.json["counts"] is True, closed.json
        asked = scene.as_("nurse").post(
            "/tasks",
            {
                "patient_id": scene.patient, "kind": "draft-order", "owner_role": "nurse", "due_on": "2026-11-11",
                "about": f"conference:{made.json['id']}",
            },
        ).json  # fmt: skip
        taken = scene.as_("nurse2").change("POST", f"/tasks/{asked['id']}/accept", {}, of=f"/tasks/{asked['id']}")
        assert taken.json["owner_id"] == scene.users["nurse2"]
        draft = scene.as_("nurse2").post(
            f"/patients/{scene.patient}/orders",
            {
                "discipline": "SN", "frequency": "3w2", "effective_from": "2026-11-15",
                "physician_id": scene.physician, "treatments": ["assessment", "morphine"],
                "goals_text": "Pain of 3 or less at rest",
            },
        )  # fmt: skip
        assert draft.status_code == 201, draft.json
        order = f"/orders/{draft.json['id']}"
        sent = scene.as_("nurse2").change("POST", f"{order}/send", {}, of=order)
        assert sent.json["status"] == "sent_for_signature", sent.json
        done = scene.as_("nurse2").change(
            "POST", f"/tasks/{asked['id']}/done", {"outcome": "done"}, of=f"/tasks/{asked['id']}"
        )
        assert done.json["status"] == "done"
        queue = scene.as_("doctor").get("/signing-queue").json["items"]
        assert draft.json["id"] in {card["order"]["id"] for card in queue}


def _the_family_is_told_in_chinese(scene: Scene) -> None:
    with at(TUESDAY + timedelta(hours=5)):
        asked = scene.as_("manager").post(
            "/tasks",
            {
                "patient_id": scene.patient, "kind": "tell-family", "owner_role": "social_worker",
                "due_on": "2026-11-11",
            },
        ).json  # fmt: skip
        assert asked["title_zh_hant"] == "以家屬的語言告知變動"
        told = scene.as_("social").post(
            "/notes",
            {
                "kind": "phone_call", "patient_id": scene.patient, "language": "zh-Hant",
                "text": "已告知女兒：疼痛已減輕，下週起護理師每週來訪三次。",
                "parts": {"with_whom": "caregiver", "incoming": False, "reached": True},
            },
        )  # fmt: skip
        assert (told.status_code, told.json["language"]) == (201, "zh-Hant")
        path = f"/tasks/{asked['id']}"
        assert scene.as_("social").change("POST", f"{path}/done", {"outcome": "done"}, of=path).status_code == 200
        assert scene.as_("social").get("/inbox").json["tasks"] == 0
