"""What was taught and could not be shown is taught again, until it is."""

from datetime import timedelta

from coordinator.core.db import Database
from coordinator.patients.model import Caregiver
from tests.people import at, pointers
from tests.teamwork.conftest import TUESDAY, Scene


def _asked(scene: Scene, who: str = "nurse") -> list[tuple[str, str]]:
    listed = scene.as_(who).get("/tasks?kind=teach-again").json["items"]
    return [(row["due_on"], row["owner_role"]) for row in listed]


def test_a_teach_back_that_fails_is_a_task_until_it_is_shown(scene: Scene) -> None:
    def taught(topic: str, result: str, who: str = "nurse") -> str:
        answer = scene.as_(who).post(
            "/notes",
            {
                "kind": "teaching", "patient_id": scene.patient, "visit_id": scene.visit,
                "parts": {
                    "topic": topic, "learner": "caregiver", "teach_back": result, "independence": "cannot_yet",
                },
            },
        )  # fmt: skip
        assert answer.status_code == 201, answer.json
        return f"/notes/{answer.json['id']}"

    with at(TUESDAY):
        taught("Evening dose", "shown_with_help")
        assert _asked(scene) == []
        taught("Evening dose", "not_shown")
        taught("Turning in bed", "not_shown", "social")
        assert _asked(scene) == [("2026-11-13", "nurse"), ("2026-11-13", "social_worker")]
    with at(TUESDAY + timedelta(days=1)):
        failed = taught("evening dose ", "not_shown")
        assert ("2026-11-14", "nurse") in _asked(scene), "the same again: asked once, from the last teaching on"
        assert len(_asked(scene)) == 2
        gone = {"reason": "entered_in_error", "why": "Not hers"}
        assert scene.as_("nurse").change("POST", f"{failed}/retract", gone, of=failed).status_code == 200
        assert _asked(scene) == [("2026-11-13", "social_worker")]
        taught("Turning in bed", "shown")
        assert _asked(scene) == []
        done = scene.as_("nurse").get("/tasks?kind=teach-again&live=false").json["items"]
        assert sorted(row["status"] for row in done) == ["cancelled", "cancelled", "done"]


def test_a_caregivers_next_teaching_has_its_day(scene: Scene, database: Database) -> None:
    with database.transaction() as session:
        caregiver = Caregiver(patient_id=scene.patient, name="Wei", relation="daughter", language="en", availability=[])
        session.add(caregiver)
        session.flush()
        path = f"/patients/{scene.patient}/caregivers/{caregiver.id}"

    def learns(*goals: dict[str, str]) -> int:
        manager = scene.as_("manager")
        answer = manager.change("PATCH", path, {"teaching": list(goals)}, of=f"/patients/{scene.patient}")
        assert pointers(answer) == {"/teaching/0/next_on"} if answer.status_code == 422 else True, answer.json
        return int(answer.status_code)

    dose, turn = {"goal": "Gives the evening dose"}, {"goal": "Turns the patient"}
    with at(TUESDAY):
        assert learns(dose | {"next_on": "2026-02-30"}) == learns(dose | {"next_on": "9999-12-31"}) == 422
        assert learns(dose | {"next_on": "2026-11-20"}, turn | {"result": "not_yet", "taught_on": "2026-11-10"}) == 200
        assert _asked(scene) == [("2026-11-13", "nurse"), ("2026-11-20", "nurse")]
    with at(TUESDAY + timedelta(days=1)):
        assert learns(dose | {"next_on": "2026-11-18"}, turn | {"result": "not_yet", "taught_on": "2026-11-10"}) == 200
        assert _asked(scene) == [("2026-11-13", "nurse"), ("2026-11-18", "nurse")], "no day moves by an edit alone"
        (item,) = scene.as_("nurse").get(f"/patients/{scene.patient}/conference-agenda").json["items"]
        assert [row["next_on"] for row in item["caregivers"][0]["to_learn"]] == ["2026-11-18", None]
        assert learns(dose | {"result": "shown"}) == 200
        assert _asked(scene) == []
        done = scene.as_("nurse").get("/tasks?kind=teach-again&live=false").json["items"]
        assert sorted(row["status"] for row in done) == ["cancelled", "cancelled", "done"]


def test_what_was_done_on_a_visit_is_gathered_from_the_record(scene: Scene) -> None:
    path = f"/visits/{scene.visit}/activities"

    def note(who: str, kind: str, parts: dict[str, object], text: str | None = None) -> None:
        body = {"kind": kind, "patient_id": scene.patient, "visit_id": scene.visit, "parts": parts, "text": text}
        answer = scene.as_(who).post("/notes", body)
        assert answer.status_code == 201, answer.json

    with at(TUESDAY):
        assert scene.as_("nurse").get(path).json == {"care_type": "skilled_nursing", "done": []}
        taught = {"topic": "Dose", "learner": "patient", "teach_back": "shown", "independence": "needs_reminders"}
        note("nurse", "teaching", taught)
        note("social", "counselling", {"topics": ["grief"], "recipient": "patient"}, "Words")
        answers = {"instrument": "PHQ-2", "answers": {"interest": 0, "mood": 1}, "visit_id": scene.visit}
        assert scene.as_("nurse").post(f"/patients/{scene.patient}/assessments", answers).status_code == 201
        done = scene.as_("nurse").get(path).json["done"]
        assert [row["activity"] for row in done] == ["teach_self_management", "assess"], "no counselling is betrayed"
        assert (done[0]["teach_back"], done[0]["independence"], done[0]["learner"]) == (
            "shown", "needs_reminders", "patient",
        )  # fmt: skip
        seen = {row["activity"] for row in scene.as_("doctor").get(path).json["done"]}
        assert seen == {"teach_self_management", "counselling", "assess"}
        assert [row["activity"] for row in scene.as_("intake").get(path).json["done"]] == ["teach_self_management"]
        assert scene.as_("aide").get(path).status_code == 403
        assert scene.as_("outsider").get(path).status_code == 404
    assert scene.trail("visit.activities-read")
