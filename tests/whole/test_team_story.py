"""One story of a care team over HTTP, on both engines: pain rises, people tell each other, and it falls again.

The nurse hands over to whoever stands in for her, the team decides, the physician signs, and the family is told.
"""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from coordinator.access.model import User
from coordinator.core.audit import verify
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline
from coordinator.patients.model import Caregiver, Episode
from coordinator.staff.model import Physician
from tests import builders
from tests.people import Browser, at
from tests.teamwork.conftest import TUESDAY, ZONE, Scene, set_scene

pytestmark = pytest.mark.slow

ITEMS = ("pain", "tiredness", "drowsiness", "nausea", "appetite", "breath", "depression", "anxiety", "wellbeing")
SOC = date(2026, 10, 26)
MONDAY_NINE = datetime(2026, 11, 16, 9, tzinfo=ZONE)


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
            Caregiver(
                patient_id=made.patient, name="Wei", relation="daughter", language="zh-Hant", availability=[],
                consent_to_share=True, may_contact=True,
            )
        )  # fmt: skip
        doctor = session.get_one(User, made.users["doctor"])
        doctor.password_hash = app.extensions["doorman"].hash(builders.PASSWORD)
    return made


def _pain(scene: Scene, level: int, moment: datetime) -> Any:
    with at(moment):
        answer = scene.as_("nurse").post(
            f"/patients/{scene.patient}/assessments",
            {"instrument": "ESAS-r", "answers": dict.fromkeys(ITEMS, 1) | {"pain": level}},
        )
    assert answer.status_code == 201, answer.json
    return answer.json


def test_pain_rises_the_team_acts_and_it_falls(app: Coordinator, scene: Scene, database: Database) -> None:
    visit = _a_visit_is_proposed_and_the_physician_knows(scene)
    _the_physician_is_told_and_acknowledges(scene)
    _the_visit_is_made_and_the_score_falls(scene, visit)
    card = _the_nurse_hands_over_to_whoever_stands_in(scene)
    order = _the_conference_decides_and_signs(scene)
    _the_physician_signs_the_changed_order(scene, order)
    _the_family_is_told_in_chinese(app, scene, order, card)
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


def _the_nurse_hands_over_to_whoever_stands_in(scene: Scene) -> int:
    """The nurse is away next week: what she knows is on a card before anybody else comes."""
    with at(TUESDAY + timedelta(hours=3)):
        manager, nurse, standing_in = (scene.as_(name) for name in ("manager", "nurse", "nurse2"))
        named = manager(
            "PUT", f"/patients/{scene.patient}/primaries/SN",
            {"clinician_id": scene.clinicians["nurse"], "starts_on": "2026-11-09"},
        )  # fmt: skip
        assert named.status_code == 200, named.json
        away = {
            "role": "primary", "away_id": scene.clinicians["nurse"], "by_id": scene.clinicians["nurse2"],
            "starts_on": "2026-11-15", "ends_on": "2026-11-21", "reason": "time-off",
        }  # fmt: skip
        covered = manager.post("/covers", away)
        assert covered.status_code == 201, covered.json
        (card,) = standing_in.get(f"/handoffs?patient_id={scene.patient}&unread=true").json["items"]
        assert (card["cause"], card["status"]) == ("cover", "draft")
        path = f"/handoffs/{card['id']}"
        finished = nurse.change(
            "POST", f"{path}/finish", {"watch": "Pain in the night", "changed": "Pain was 8"}, of=path
        )
        assert finished.status_code == 200, finished.json
        told = finished.json["content"]
        assert [row["instrument"] for row in told["scores"]] == ["ESAS-r"] * 3
        assert told["code_status"] == "not_recorded"
        assert "read-handoff" in {row["kind"] for row in standing_in.get("/tasks?mine=true").json["items"]}
        read = standing_in.change("POST", f"{path}/acknowledge", {}, of=path)
        assert read.json["status"] == "acknowledged", read.json
    number: int = card["id"]
    return number


def _the_conference_decides_and_signs(scene: Scene) -> int:
    """A change of the order and a task; whoever sat signs in the room, and the meeting counts."""
    with at(TUESDAY + timedelta(hours=4)):
        nurse = scene.as_("nurse")
        seats = [
            {"role": role, "presence": "present", **who}
            for role, who in (
                ("physician", {"physician_id": scene.physician}),
                ("nurse", {"clinician_id": scene.clinicians["nurse"]}),
                ("social_worker", {"clinician_id": scene.clinicians["social"]}),
                ("chaplain", {"clinician_id": scene.clinicians["chaplain"]}),
            )
        ]
        made = nurse.post(
            f"/patients/{scene.patient}/conferences",
            {"held_on": "2026-11-10", "seats": seats, "summary": "Pain broke through; more visits"},
        )
        assert made.status_code == 201, made.json
        path = f"/conferences/{made.json['id']}"
        ordered = nurse.post(
            f"{path}/decisions",
            {
                "kind": "order", "words": "Three visits a week while the dose is found",
                "order": {
                    "discipline": "SN", "frequency_text": "3w2", "effective_from": "2026-11-15",
                    "treatments": ["assessment", "morphine"], "goals_text": "Pain of 3 or less at rest",
                },
            },
        )  # fmt: skip
        assert ordered.status_code == 201, ordered.json
        asked = nurse.post(
            f"{path}/decisions",
            {"kind": "task", "words": "Tell the daughter", "owner": "social_worker", "due_on": "2026-11-11"},
        )
        assert asked.status_code == 201, asked.json
        closed = nurse.change("POST", f"{path}/close", {}, of=path)
        assert closed.json["counts"] is True, closed.json
        for name in ("nurse", "social", "chaplain", "doctor"):
            signed = scene.as_(name).post(f"{path}/sign")
            assert signed.status_code == 200, signed.json
        assert all(seat["signed_at"] for seat in signed.json["seats"])
        assert nurse.get(f"/patients/{scene.patient}/team-review").json["due_on"] == "2026-11-25"
    order: int = ordered.json["order_id"]
    return order


def _the_physician_signs_the_changed_order(scene: Scene, order: int) -> None:
    """What the team decided waits in the physician's queue, is read, and signed with the password."""
    with at(TUESDAY + timedelta(hours=4, minutes=5)):
        doctor = scene.as_("doctor")
        (card,) = doctor.get("/signing-queue").json["items"]
        assert card["order"]["id"] == order
        read = doctor.post(f"/orders/{order}/review", {"version": card["version"]}).json
        item = {"id": order, "version": read["version"], "content_hash": read["content_hash"]}
        wrong = doctor.post("/signature-batches", {"items": [item], "password": "a guess"})
        assert wrong.json["type"] == "/problems/step-up-required"
        assert scene.as_("nurse").get(f"/orders/{order}").json["status"] == "sent_for_signature"
        signed = doctor.post("/signature-batches", {"items": [item], "password": builders.PASSWORD})
        assert [row["code"] for row in signed.json["results"]] == ["signed"], signed.json
        orders = scene.as_("nurse").get(f"/orders?patient_id={scene.patient}&discipline=SN").json["items"]
        assert {row["frequency"]: row["ends_as"] for row in orders} == {
            "2w4 +2 PRN for pain": "superseded",
            "3w2": None,
        }


def _the_family_is_told_in_chinese(app: Coordinator, scene: Scene, order: int, card: int) -> None:
    """The daughter's page says who comes next week; when the hour changes she is told, in her language."""
    social, scheduler = scene.as_("social"), scene.as_("scheduler")
    with at(TUESDAY + timedelta(hours=5)):
        wanted = scheduler.get(f"/visits?order_id={order}").json["items"]
        visit = min(row["id"] for row in wanted if row["window_from"] == "2026-11-15")
        placed = {"clinician_id": scene.clinicians["nurse2"], "starts_at": MONDAY_NINE.isoformat()}
        booked = scheduler.change("POST", f"/visits/{visit}/assign", placed, of=f"/visits/{visit}")
        assert booked.status_code == 200, booked.json
        (daughter,) = social.get(f"/patients/{scene.patient}").json["caregivers"]
        link = social.post(f"/patients/{scene.patient}/family-links", {"caregiver_id": daughter["id"]})
        assert (link.status_code, link.json["language"]) == (201, "zh-Hant"), link.json
        page = app.test_client()
        page.get(link.json["path"])
        shown = page.get("/family/").text
        assert [said for said in ("11月16日（星期一）", "上午9:00", "護士") if said not in shown] == []
        afternoon = {"starts_at": (MONDAY_NINE + timedelta(hours=5)).isoformat()}
        moved = scheduler.change("POST", f"/visits/{visit}/move", afternoon, of=f"/visits/{visit}")
        assert moved.status_code == 200, moved.json
        assert "原定：11月16日（星期一）上午9:00" in page.get("/family/").text
        waiting = {row["caregiver_id"]: row for row in social.get("/family-notices").json["items"]}
        assert set(waiting) == {None, daughter["id"]}
        notice = waiting[daughter["id"]]
        assert notice["sentence"] == "原定11月16日（星期一）上午9:00的家訪改為11月16日（星期一）下午2:00。"
        for one in waiting.values():
            told = social("POST", f"/family-notices/{one['id']}/told", {"how": "call"}, match=f'"{one["version"]}"')
            assert told.json["told_how"] == "call", told.json
        shown = page.get("/family/").text
        assert "下午2:00" in shown
        assert "原定" not in shown
        _the_decision_is_carried_out(social)
    begins = MONDAY_NINE + timedelta(hours=5)
    with at(begins + timedelta(minutes=1)):
        started = scene.as_("nurse2").post(f"/visits/{visit}/start", {"at": begins.isoformat()})
        assert started.status_code == 200, started.json
        assert scene.as_("nurse").get(f"/handoffs/{card}").json["status"] == "used"


def _the_decision_is_carried_out(social: Browser) -> None:
    """What the conference asked of the social worker is on their list, and is done."""
    (task,) = social.get("/tasks?mine=true&kind=carry-out-decision").json["items"]
    path = f"/tasks/{task['id']}"
    assert social.change("POST", f"{path}/done", {"outcome": "done"}, of=path).status_code == 200
    assert social.get("/inbox").json["tasks"] == 0
