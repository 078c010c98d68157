"""Notes: written once, addressed, answered, completed, retracted; who reads them, and who may not."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.errors import Invalid
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.teamwork import NoteKind
from coordinator.notify.model import Notice
from coordinator.patients.model import Caregiver
from coordinator.teams.model import Cover
from coordinator.teamwork.parts import FORMS, sound_parts
from tests.people import at, pointers
from tests.teamwork.conftest import TUESDAY, Scene

#: Words that no list, refusal or audit line may hold.
SECRET = "She fears to be a burden to her daughter"
SBAR = {"situation": "More pain", "background": "Lung cancer", "assessment": "8 of 10", "recommendation": "Look at it"}
TEACHING = {"topic": "Morphine by mouth", "learner": "caregiver", "teach_back": "shown_with_help",
            "independence": "needs_reminders", "taught_in": "zh-Hant"}  # fmt: skip
COUNSEL = {"topics": ["illness_impact", "long_term_care"], "recipient": "patient"}


def _write(scene: Scene, by: str = "nurse", **body: Any) -> Any:
    told = {"kind": "message", "patient_id": scene.patient, "text": "Please call me"} | body
    with at(TUESDAY):
        return scene.as_(by).post("/notes", {name: value for name, value in told.items() if value is not None})


def _written(scene: Scene, by: str = "nurse", **body: Any) -> dict[str, Any]:
    answer = _write(scene, by, **body)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def _counselled(scene: Scene, **body: Any) -> dict[str, Any]:
    return _written(scene, "social", kind="counselling", text=SECRET, parts=COUNSEL, **body)


# ------------------------------------------------------------------------------------ kinds


def test_every_kind_has_a_form_and_says_what_is_wrong_with_its_parts() -> None:
    assert set(FORMS) == set(NoteKind)
    assert sound_parts(NoteKind.SBAR, SBAR) == SBAR
    assert sound_parts(NoteKind.TEACHING, TEACHING) == TEACHING
    call = {"with_whom": "clinic", "incoming": False, "reached": True}
    assert sound_parts(NoteKind.PHONE_CALL, call) == call
    with pytest.raises(Invalid) as refused:
        sound_parts(NoteKind.SBAR, {"situation": " ", "background": "x", "colour": "red"})
    named = {error["pointer"] for error in refused.value.extra["errors"]}
    assert named == {"/parts/situation", "/parts/assessment", "/parts/recommendation", "/parts/colour"}
    for parts in ({"topics": []}, {"topics": ["money"]}, {"topics": "grief"}):
        with pytest.raises(Invalid):
            sound_parts(NoteKind.COUNSELLING, {"recipient": "patient"} | parts)


def test_each_kind_is_written_with_what_it_asks_for(scene: Scene) -> None:
    with scene.database.transaction() as session:
        daughter = Caregiver(
            patient_id=scene.patient, name="Wei", relation="daughter", language="yue", availability=[]
        )  # fmt: skip
        theirs = Caregiver(patient_id=scene.stranger, name="Al", relation="son", language="en", availability=[])
        session.add_all([daughter, theirs])
        session.flush()
        hers, other = daughter.id, theirs.id
    sbar = _written(scene, kind="sbar", text=None, parts=SBAR, to=[{"role": "physician"}], wants_acknowledgement=True)
    assert sbar["parts"] == SBAR
    taught = _written(scene, kind="teaching", text=None, parts=TEACHING | {"caregiver_id": hers})
    assert (taught["parts"]["teach_back"], taught["parts"]["independence"]) == ("shown_with_help", "needs_reminders")
    _written(scene, kind="visit_summary", visit_id=scene.visit, text="Slept well")
    _written(
        scene, "scheduler", kind="coordination", text="She is seen there on Friday",
        parts={"with_whom": "clinic", "name": "Heart clinic", "appointment_at": "2026-11-13T18:00:00Z"},
    )  # fmt: skip
    _written(scene, "intake", kind="phone_call", parts={"with_whom": "caregiver", "incoming": True, "reached": True})
    office = _written(
        scene, "social", patient_id=None, branch_id=scene.branch, language="zh-hant", text="The printer is back",
        to=[{"role": "scheduler"}, {"user_id": scene.users["manager"]}],
    )  # fmt: skip
    assert office["language"] == "zh-Hant"
    with at(TUESDAY):
        kinds = [row["kind"] for row in scene.as_("doctor").get(f"/patients/{scene.patient}/notes").json["items"]]
        assert kinds == ["phone_call", "coordination", "visit_summary", "teaching", "sbar"]
        assert scene.as_("nurse").get(f"/notes/{office['id']}").status_code == 404
        assert scene.as_("scheduler").get(f"/notes/{office['id']}").json["text"] == "The printer is back"
    wrong = (
        ({"kind": "teaching", "text": None, "parts": TEACHING | {"caregiver_id": other}}, "/parts/caregiver_id"),
        ({"kind": "coordination", "parts": {"with_whom": "clinic", "participant_id": 99}}, "/parts/participant_id"),
        ({"kind": "visit_summary"}, "/visit_id"),
        ({"kind": "visit_summary", "visit_id": 999_999}, "/visit_id"),
        ({"kind": "sbar", "text": None}, "/parts/situation"),
        ({"kind": "message", "text": None}, "/text"),
        ({"kind": "message", "parts": {"mood": "low"}}, "/parts/mood"),
        ({"patient_id": None}, "/patient_id"),
        ({"kind": "phone_call", "patient_id": None, "branch_id": scene.branch}, "/patient_id"),
        ({"branch_id": scene.other_branch}, "/branch_id"),
        ({"kind": "song"}, "/kind"),
        ({"text": "\x00"}, "/text"),
        ({"text": "x" * 4001}, "/text"),
        ({"language": "not a language"}, "/language"),
        ({"parts": ["a"]}, "/parts"),
        ({"to": [{"role": "nurse"}] * 21}, "/to"),
        ({"to": [{}]}, "/to/0"),
        ({"to": [{"role": "nurse", "user_id": 1}]}, "/to/0"),
        ({"to": [{"role": "nurse"}, {"role": "nurse"}]}, "/to/1"),
        ({"to": [{"user_id": scene.users["outsider"]}]}, "/to/0/user_id"),
        ({"to": [{"user_id": 999_999}]}, "/to/0/user_id"),
        ({"wants_acknowledgement": "maybe"}, "/wants_acknowledgement"),
    )
    for body, pointer in wrong:
        answer = _write(scene, **body)
        assert answer.status_code == 422, (body, answer.json)
        assert pointer in pointers(answer), (body, answer.json)
    with at(TUESDAY):
        assert len(scene.as_("doctor").get(f"/patients/{scene.patient}/notes").json["items"]) == 5


def test_who_may_write_what(scene: Scene) -> None:
    assert _write(scene, "scheduler", kind="sbar", text=None, parts=SBAR).status_code == 403
    assert _write(scene, "aide", kind="teaching", text=None, parts=TEACHING).status_code == 403
    assert _write(scene, "aide", text="She ate little", to=[{"role": "nurse"}]).status_code == 201
    assert _write(scene, "nurse", kind="counselling", text=SECRET, parts=COUNSEL).status_code == 403
    assert _write(scene, "outsider").status_code == 404
    assert _write(scene, "far").status_code == 404
    assert _write(scene, "chaplain", kind="counselling", text=SECRET, parts=COUNSEL).status_code == 201


# ------------------------------------------------------------------------------------ threads


def test_a_thread_is_answered_completed_and_never_written_over(scene: Scene) -> None:
    first = _written(scene, to=[{"role": "social_worker"}, {"user_id": scene.users["doctor"]}],
                     wants_acknowledgement=True, text="The dose was 10 mg")  # fmt: skip
    with at(TUESDAY):
        waiting = scene.as_("social").get("/inbox/messages?to_acknowledge=true").json["items"]
        assert [row["id"] for row in waiting] == [first["id"]]
        assert "text" not in waiting[0]
        had = scene.as_("social").post(f"/notes/{first['id']}/acknowledge").json
        assert [one["acknowledged_by_id"] for one in had["to"]] == [scene.users["social"], None]
        assert scene.as_("social").get("/inbox/messages").json["items"] == []
        assert scene.as_("social").post(f"/notes/{first['id']}/acknowledge").status_code == 200
        assert scene.as_("chaplain").post(f"/notes/{first['id']}/acknowledge").status_code == 403
        assert [row["id"] for row in scene.as_("nurse").get("/notes?waiting=true").json["items"]] == [first["id"]]
        reply = scene.as_("doctor").post(f"/notes/{first['id']}/replies", {"text": "Twice a day?"}).json
        assert [one["user_id"] for one in reply["to"]] == [scene.users["nurse"]]
        assert scene.as_("doctor").post(f"/notes/{first['id']}/addenda", {"text": "x"}).status_code == 403
        more = scene.as_("nurse").post(f"/notes/{first['id']}/addenda", {"text": "It was 5 mg"}).json
        assert (more["addendum_to_id"], len(more["to"])) == (first["id"], 2)
        twice = scene.as_("nurse").post(f"/notes/{more['id']}/addenda", {"text": "x"})
        assert (twice.status_code, twice.json["type"]) == (409, "/problems/addendum-of-addendum")
        assert scene.as_("doctor").post(f"/notes/{first['id']}/acknowledge").status_code == 200
        assert scene.as_("nurse")("PATCH", f"/notes/{first['id']}", {"text": "y"}, match="*").status_code == 405
    with at(TUESDAY + timedelta(hours=1)):
        for number in (first["id"], reply["id"], more["id"]):
            texts = [row["text"] for row in scene.as_("chaplain").get(f"/notes/{number}/thread").json["items"]]
            assert texts == ["The dose was 10 mg", "Twice a day?", "It was 5 mg"]
        told = scene.as_("nurse").get(f"/notes/{first['id']}/readings").json["items"]
    assert [(row["action"], row["user_id"]) for row in told[:3]] == [
        ("note.written", scene.users["nurse"]), ("note.acknowledged", scene.users["social"]),
        ("note.acknowledged", scene.users["doctor"]),
    ]  # fmt: skip
    assert {(row["action"], row["user_id"]) for row in told[3:]} == {("note.read", scene.users["chaplain"])}


def test_a_note_is_retracted_with_a_reason_and_its_words_go_out_of_sight(scene: Scene) -> None:
    note = _written(scene, text=SECRET, to=[{"role": "social_worker"}])
    path = f"/notes/{note['id']}"
    why = {"reason": "wrong_patient", "why": "Meant for another"}
    with at(TUESDAY):
        nurse, social = scene.as_("nurse"), scene.as_("social")
        assert nurse.post(f"{path}/retract", why).status_code == 428
        assert nurse("POST", f"{path}/retract", why, match='"9"').status_code == 412
        assert social.change("POST", f"{path}/retract", why, of=path).status_code == 403
        assert pointers(nurse.change("POST", f"{path}/retract", {"reason": "bored", "why": " "}, of=path)) == {
            "/reason", "/why"
        }  # fmt: skip
        assert nurse.change("POST", f"{path}/retract", why, of=path).json["text"] == SECRET
        seen = social.get(path).json
        assert (seen["text"], seen["retracted_for"], seen["retraction_note"]) == (None, "wrong_patient", None)
        assert scene.as_("manager").get(path).json["text"] == SECRET
        assert social.get("/inbox/messages").json["items"] == []
        for deed in ("replies", "addenda"):
            assert nurse.post(f"{path}/{deed}", {"text": "x"}).json["type"] == "/problems/note-retracted"
        assert nurse.change("POST", f"{path}/retract", why, of=path).status_code == 409


# ------------------------------------------------------------------------------------ who reads


def test_a_restricted_note_read_by_the_wrong_role_is_refused_and_on_record(scene: Scene) -> None:
    note = _counselled(scene, to=[{"user_id": scene.users["manager"]}])
    path = f"/notes/{note['id']}"
    assert note["restricted"] is True
    with at(TUESDAY):
        for name in ("social", "manager", "doctor"):
            assert scene.as_(name).get(path).json["text"] == SECRET, name
        for name in ("nurse", "chaplain", "intake"):
            for ask in (path, f"{path}/thread", f"{path}/readings"):
                answer = scene.as_(name).get(ask)
                assert (answer.status_code, answer.json["type"]) == (403, "/problems/restricted-note"), name
                assert SECRET not in answer.text
            assert scene.as_(name).post(f"{path}/replies", {"text": "x"}).status_code == 403
            for listed in ("/notes", f"/patients/{scene.patient}/notes", "/inbox/messages", "/inbox"):
                answer = scene.as_(name).get(listed)
                assert answer.json.get("items", []) == [], (name, listed)
                assert SECRET not in answer.text
        for name in ("scheduler", "aide", "outsider", "far"):
            assert scene.as_(name).get(path).status_code == 404, name
    with scene.database.session(write=False) as session:
        lines = session.execute(
            sa.select(AuditEvent).where(AuditEvent.subject == f"note:{note['id']}", AuditEvent.outcome == "deny")
        ).scalars()
        refused = [(line.user_id, line.patient_id, line.facts["code"]) for line in lines]
        assert len(refused) == 12
        assert set(refused) == {
            (scene.users[name], scene.patient, "restricted-note") for name in ("nurse", "chaplain", "intake")
        }
        for row in session.execute(sa.select(AuditEvent)).scalars():
            assert SECRET not in str(row.facts)
        for notice in session.execute(sa.select(Notice)).scalars():
            assert SECRET not in str(notice.facts)


def test_what_answers_a_restricted_note_is_as_restricted(scene: Scene) -> None:
    note = _counselled(scene)
    with at(TUESDAY):
        answer = scene.as_("doctor").post(f"/notes/{note['id']}/replies", {"text": SECRET}).json
        assert answer["restricted"] is True
        assert scene.as_("nurse").get(f"/notes/{answer['id']}").status_code == 403
        wide = scene.as_("doctor").post(f"/notes/{note['id']}/replies", {"text": "x", "to": [{"role": "nurse"}]})
        assert pointers(wide) == {"/to/0"}
        person = {"text": "x", "to": [{"user_id": scene.users["nurse"]}]}
        assert pointers(scene.as_("doctor").post(f"/notes/{note['id']}/replies", person)) == {"/to/0"}
        added = scene.as_("social").post(f"/notes/{note['id']}/addenda", {"text": SECRET}).json
        assert added["restricted"] is True


def test_the_office_reads_what_is_addressed_to_it_and_no_clinical_notes(scene: Scene) -> None:
    _written(scene, kind="sbar", text=None, parts=SBAR)
    asked = _written(scene, text="Can she come earlier?", to=[{"role": "scheduler"}])
    with at(TUESDAY):
        assert [row["id"] for row in scene.as_("scheduler").get("/notes").json["items"]] == [asked["id"]]
        assert scene.as_("scheduler").get(f"/notes/{asked['id']}").json["text"] == "Can she come earlier?"
        assert scene.as_("aide").get(f"/patients/{scene.patient}/notes").json["items"] == []
        assert scene.as_("outsider").get(f"/patients/{scene.patient}/notes").status_code == 404
        assert scene.as_("scheduler").get("/notices").json["items"][0]["sentence"] == (
            f"Note {asked['id']} is addressed to you."
        )


# ------------------------------------------------------------------------------------ the inbox


def test_one_inbox_counts_what_waits_for_a_person_and_for_each_role(scene: Scene) -> None:
    for number in range(3):
        _written(scene, text=f"Message {number}", to=[{"role": "clinical_manager"}], wants_acknowledgement=number == 0)
    _written(scene, text="To you alone", to=[{"user_id": scene.users["manager"]}])
    with at(TUESDAY):
        body = {"patient_id": scene.patient, "kind": "change-plan", "owner_role": "clinical_manager"}
        for due, priority in (("2026-11-10", "urgent"), ("2026-11-20", "routine")):
            assert scene.as_("nurse").post("/tasks", body | {"due_on": due, "priority": priority}).status_code == 201
    with at(TUESDAY + timedelta(days=1)):
        manager = scene.as_("manager")
        counts = manager.get("/inbox").json
        assert (counts["messages"], counts["to_acknowledge"]) == (4, 1)
        assert (counts["tasks"], counts["tasks_late"], counts["tasks_urgent"]) == (2, 1, 1)
        assert manager.get("/inbox?role=clinical_manager").json["messages"] == 3
        assert manager.get("/inbox?role=nurse").json["messages"] == 0
        assert pointers(manager.get("/inbox?role=king")) == {"/query/role"}
        first = manager.get("/inbox/messages?limit=3").json
        rest = manager.get(f"/inbox/messages?limit=3&cursor={first['next']}").json
        assert len(first["items"]) == 3
        assert [row["to"][0]["role"] for row in rest["items"]] == ["clinical_manager"]
        assert [row["overdue"] for row in manager.get("/inbox/tasks?late=true").json["items"]] == [True]
        assert len(manager.get(f"/inbox/tasks?patient_id={scene.patient}").json["items"]) == 2
        owed = manager.get("/inbox/deadlines").json["items"]
        assert counts["deadlines"] == len(owed)
        assert scene.as_("far").get("/inbox").json == dict.fromkeys(counts, 0)
        assert scene.as_("aide").get("/inbox").json["deadlines"] == 0
        assert scene.as_("nurse").get("/inbox").json["messages"] == 0


def test_whoever_stands_in_sees_the_inbox_of_the_covered_one_for_the_days_of_it(scene: Scene) -> None:
    with scene.database.transaction() as session:
        session.add(
            Cover(
                role=CoverRole.PRIMARY, reason=CoverReason.SICK, clinician_id=scene.clinicians["nurse"],
                by_clinician_id=scene.clinicians["nurse2"], starts_on=TUESDAY.date(), ends_on=TUESDAY.date(),
                recorded_at=TUESDAY,
            )
        )  # fmt: skip
    note = _written(scene, "social", text="To the nurse", to=[{"user_id": scene.users["nurse"]}])
    with at(TUESDAY):
        body = {"patient_id": scene.patient, "kind": "call-patient", "owner_id": scene.users["nurse"]}
        task = scene.as_("social").post("/tasks", body | {"due_on": "2026-11-12"}).json
    for moment, seen in ((TUESDAY - timedelta(days=1), 0), (TUESDAY, 1), (TUESDAY + timedelta(days=1), 0)):
        with at(moment):
            counts = scene.as_("nurse2").get("/inbox").json
            assert (counts["messages"], counts["tasks"]) == (seen, seen), moment
            assert scene.as_("chaplain").get("/inbox").json["messages"] == 0
    with at(TUESDAY):
        nurse2 = scene.as_("nurse2")
        had = nurse2.post(f"/notes/{note['id']}/acknowledge").json
        assert had["to"][0]["acknowledged_by_id"] == scene.users["nurse2"]
        done = nurse2.change("POST", f"/tasks/{task['id']}/done", {"outcome": "done"}, of=f"/tasks/{task['id']}")
        assert done.status_code == 200, done.json
        assert scene.as_("nurse").get("/inbox").json["messages"] == 0
