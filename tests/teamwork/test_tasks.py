"""Tasks: asked once, taken, given back with a reason, ended with an outcome, and told further when they are late."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.domain.teamwork import (
    DESK_OF,
    Desk,
    TaskDecline,
    TaskKind,
    TaskOutcome,
    TaskPriority,
    TaskSource,
    TaskStatus,
    desks_of,
    next_desk,
)
from coordinator.domain.vocabulary import Performer
from coordinator.notify.model import Notice
from coordinator.teamwork import tasks, words
from coordinator.teamwork.model import Task
from coordinator.wiring import CLOCK, JOBS
from tests.builders import make_job_context
from tests.conftest import WorkAs, actor_with
from tests.people import at, pointers
from tests.teamwork.conftest import TUESDAY, ZONE, Scene


def _asked(scene: Scene, by: str = "nurse", **body: Any) -> dict[str, Any]:
    """A task that somebody asked of the social workers, and its answer."""
    told = {"patient_id": scene.patient, "kind": "find-resource", "due_on": "2026-11-12"} | body
    if "owner_id" not in told:
        told.setdefault("owner_role", "social_worker")
    with at(TUESDAY):
        answer = scene.as_(by).post("/tasks", told)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def _do(scene: Scene, by: str, task: dict[str, Any], deed: str, body: Any = None) -> Any:
    path = f"/tasks/{task['id']}"
    with at(TUESDAY):
        return scene.as_(by)("POST", f"{path}/{deed}", body or {}, match=scene.as_(by).etag(path))


# ------------------------------------------------------------------------------------ words and desks


def test_every_kind_and_desk_has_words_in_both_languages() -> None:
    assert set(words.TASKS) == set(TaskKind)
    assert set(words.DESKS) == set(Desk)
    for english, chinese in [*words.TASKS.values(), *words.DESKS.values()]:
        assert english.isascii(), english
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese), english


def test_every_profession_sits_at_a_desk_and_every_desk_has_one_above_but_the_last() -> None:
    assert set(DESK_OF) == set(Performer)
    assert desks_of({"clinician", "scheduler"}, "MSW") == {Desk.SOCIAL_WORKER, Desk.SCHEDULER}
    assert desks_of({"scheduler"}, "MSW") == {Desk.SCHEDULER}
    for desk in Desk:
        steps, above = 0, next_desk(desk)
        while above is not None:
            steps, above = steps + 1, next_desk(above)
        assert steps == {Desk.ADMINISTRATOR: 0, Desk.CLINICAL_MANAGER: 1}.get(desk, 2)


# ------------------------------------------------------------------------------------ opening


def test_a_source_asks_once_however_often_it_asks(work_as: WorkAs, scene: Scene) -> None:
    given: dict[str, Any] = {
        "patient_id": scene.patient, "kind": TaskKind.FOLLOW_UP_SYMPTOM, "source": TaskSource.SCORE,
        "source_ref": "assessment:7", "owner_role": Desk.NURSE, "priority": TaskPriority.URGENT,
    }  # fmt: skip
    with work_as(now=TUESDAY) as work:
        first = tasks.open_task(work, due=date(2026, 11, 11), **given)
        again = tasks.open_task(work, due=date(2026, 11, 30), **given)
        other = tasks.open_task(work, due=date(2026, 11, 11), **(given | {"kind": TaskKind.INFORM_PHYSICIAN}))
        assert (first.id, first.due_on) == (again.id, date(2026, 11, 11))
        assert other.id != first.id
        assert first.branch_id == scene.branch
        with pytest.raises(ValueError, match="role or a person"):
            tasks.open_task(work, due=date(2026, 11, 11), **(given | {"owner_role": None}))
        with pytest.raises(ValueError, match="names its branch"):
            tasks.open_task(work, due=date(2026, 11, 11), **(given | {"patient_id": None}))
        assert tasks.finish_tasks(work, source=TaskSource.SCORE, source_ref="assessment:7", kind=first.kind) == 1
        assert tasks.cancel_tasks(work, source=TaskSource.SCORE, source_ref="assessment:7") == 1
        assert {first.status, other.status} == {TaskStatus.DONE, TaskStatus.CANCELLED}
        # What has ended stays so: the same source does not ask anew.
        assert tasks.open_task(work, due=date(2026, 11, 11), **given).status is TaskStatus.DONE
    assert scene.trail("task.opened") == [(None, scene.patient)] * 2


def test_a_task_is_late_from_the_end_of_the_branchs_day(work_as: WorkAs, scene: Scene) -> None:
    """The first of November 2026 has 25 hours in California."""
    with work_as(now=TUESDAY) as work:
        row = tasks.open_task(
            work, patient_id=scene.patient, kind=TaskKind.CALL_PATIENT, source=TaskSource.RULE, source_ref="a:1",
            owner_role=Desk.NURSE, due=date(2026, 11, 1),
        )  # fmt: skip
        assert row.late_from == datetime(2026, 11, 2, 8, tzinfo=UTC)
        timed = tasks.open_task(
            work, patient_id=scene.patient, kind=TaskKind.CALL_PATIENT, source=TaskSource.RULE, source_ref="a:2",
            owner_role=Desk.NURSE, due=datetime(2026, 11, 11, 23, 30, tzinfo=ZONE),
        )  # fmt: skip
        assert (timed.due_on, timed.late_from) == (date(2026, 11, 11), datetime(2026, 11, 12, 7, 30, tzinfo=UTC))


# ------------------------------------------------------------------------------------ over HTTP


def test_a_task_is_asked_taken_and_done_with_its_outcome(scene: Scene) -> None:
    task = _asked(scene, note="Food bank, please")
    assert (task["title"], task["title_zh_hant"]) == ("Look for a community resource", "尋找社區資源")
    assert (task["status"], task["overdue"], task["asked_by_id"]) == ("open", False, scene.users["nurse"])
    with at(TUESDAY):
        mine = scene.as_("social").get("/tasks?mine=true").json["items"]
        assert [row["id"] for row in mine] == [task["id"]]
        assert scene.as_("nurse").get("/tasks?mine=true").json["items"] == []
        assert [row["id"] for row in scene.as_("nurse").get("/tasks").json["items"]] == [task["id"]]
    taken = _do(scene, "social", task, "accept")
    assert (taken.json["status"], taken.json["owner_id"]) == ("accepted", scene.users["social"])
    assert _do(scene, "social", task, "accept").headers["ETag"] == taken.headers["ETag"]
    assert _do(scene, "chaplain", task, "accept").status_code == 403
    assert pointers(_do(scene, "social", task, "done", {"outcome": "not_reached"})) == {"/note"}
    assert _do(scene, "nurse", task, "done", {"outcome": "done"}).status_code == 403
    done = _do(scene, "social", task, "done", {"outcome": "not_reached", "note": "No answer all day"})
    assert (done.json["status"], done.json["outcome"]) == ("done", "not_reached")
    ended = _do(scene, "social", task, "decline", {"reason": "away"})
    assert (ended.status_code, ended.json["type"]) == (409, "/problems/task-ended")
    with at(TUESDAY):
        steps = scene.as_("nurse").get(f"/tasks/{task['id']}/history").json["items"]
        assert scene.as_("nurse").get("/tasks").json["items"] == []
        assert len(scene.as_("nurse").get("/tasks?live=false&status=done").json["items"]) == 1
    assert [(step["deed"], step["by_id"]) for step in steps] == [
        ("opened", scene.users["nurse"]), ("accepted", scene.users["social"]), ("done", scene.users["social"])
    ]  # fmt: skip
    assert scene.trail("task.done") == [(scene.users["social"], scene.patient)]
    assert (scene.users["nurse"], scene.patient) in scene.trail("task.read")


def test_what_is_declined_goes_back_to_the_role_then_to_whoever_asked_then_above(scene: Scene) -> None:
    task = _asked(scene)
    _do(scene, "social", task, "accept")
    assert pointers(_do(scene, "social", task, "decline", {"reason": "other"})) == {"/note"}
    assert pointers(_do(scene, "social", task, "decline", {"reason": "bored"})) == {"/reason"}
    back = _do(scene, "social", task, "decline", {"reason": "no_time"}).json
    assert (back["status"], back["owner_role"], back["owner_id"]) == ("open", "social_worker", None)
    asker = _do(scene, "social", task, "decline", {"reason": "not_my_work", "note": "One for the chaplain"}).json
    assert (asker["owner_role"], asker["owner_id"]) == (None, scene.users["nurse"])
    above = _do(scene, "nurse", task, "decline", {"reason": "not_my_work"}).json
    assert (above["owner_role"], above["owner_id"]) == ("clinical_manager", None)
    passed = _do(scene, "manager", task, "reassign", {"owner_id": scene.users["chaplain"]}).json
    assert (passed["owner_role"], passed["owner_id"]) == ("clinical_manager", scene.users["chaplain"])
    last = _do(scene, "chaplain", task, "decline", {"reason": "away"}).json
    assert (last["owner_role"], last["owner_id"]) == ("clinical_manager", None)
    assert _do(scene, "social", task, "decline", {"reason": "away"}).status_code == 403
    with at(TUESDAY):
        steps = scene.as_("manager").get(f"/tasks/{task['id']}/history").json["items"]
    reasons = [step["reason"] for step in steps if step["deed"] == "declined"]
    assert reasons == ["no_time", "not_my_work", "not_my_work", "away"]
    assert [step["note"] for step in steps if step["note"]] == ["One for the chaplain"]


def test_only_the_asker_or_the_manager_cancels(scene: Scene) -> None:
    task = _asked(scene)
    assert _do(scene, "social", task, "cancel", {"reason": "duplicate"}).status_code == 403
    assert _do(scene, "nurse", task, "cancel", {"reason": "duplicate"}).json["cancelled_for"] == "duplicate"
    assert _do(scene, "manager", _asked(scene), "cancel", {"reason": "care_ended"}).json["status"] == "cancelled"


def test_a_change_names_the_version_it_changes(scene: Scene) -> None:
    task = _asked(scene)
    path = f"/tasks/{task['id']}/accept"
    with at(TUESDAY):
        assert scene.as_("social").post(path).status_code == 428
        assert scene.as_("social")("POST", path, {}, match='"7"').status_code == 412
        assert scene.as_("social").get(f"/tasks/{task['id']}").json["status"] == "open"


def test_who_may_not_see_the_patient_sees_no_task_about_her(scene: Scene) -> None:
    task = _asked(scene)
    for name in ("outsider", "far", "aide"):
        with at(TUESDAY):
            assert scene.as_(name).get(f"/tasks/{task['id']}").status_code == 404, name
            assert scene.as_(name).get("/tasks").json["items"] == []
            assert scene.as_(name)("POST", f"/tasks/{task['id']}/accept", {}, match="*").status_code == 404
    with at(TUESDAY):
        assert scene.as_("outsider").get(f"/patients/{scene.patient}/tasks").status_code == 404
        refused = scene.as_("outsider").post(
            "/tasks",
            {"patient_id": scene.patient, "kind": "call-patient", "due_on": "2026-11-12", "owner_role": "nurse"},
        )
        assert refused.status_code == 404
        # An aide works with what she is asked herself, and asks nothing.
        hers = _asked(scene, "nurse", owner_id=scene.users["aide"], kind="obtain-supplies")
        assert [row["id"] for row in scene.as_("aide").get("/tasks").json["items"]] == [hers["id"]]
        assert _do(scene, "aide", hers, "done", {"outcome": "done"}).json["status"] == "done"
        assert scene.as_("aide").post("/tasks", {"kind": "other", "due_on": "2026-11-12"}).status_code == 403


def test_what_tells_an_answer_is_for_those_who_may_read_answers(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=TUESDAY) as work:
        number = tasks.open_task(
            work, patient_id=scene.patient, kind=TaskKind.SAFETY_PROTOCOL, source=TaskSource.SCORE,
            source_ref="assessment:9", owner_role=Desk.NURSE, due=TUESDAY, priority=TaskPriority.AT_ONCE,
        ).id  # fmt: skip
    with at(TUESDAY):
        assert scene.as_("nurse").get(f"/tasks/{number}").status_code == 200
        assert scene.as_("scheduler").get(f"/tasks/{number}").status_code == 404
        assert scene.as_("scheduler").get("/tasks").json["items"] == []
        assert scene.as_("intake").get(f"/patients/{scene.patient}/tasks").json["items"] == []
        body = {"patient_id": scene.patient, "due_on": "2026-11-12", "kind": "follow-up-mood"}
        assert pointers(scene.as_("scheduler").post("/tasks", body | {"owner_role": "nurse"})) == {"/kind"}
        given = scene.as_("nurse").post("/tasks", body | {"owner_id": scene.users["scheduler"]})
        assert pointers(given) == {"/owner_id"}


_BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "dance"}, "/kind"),
    ({"kind": None}, "/kind"),
    ({"due_on": None}, "/due_on"),
    ({"due_on": "2026-02-30"}, "/due_on"),
    ({"due_on": "2026-11-09"}, "/due_on"),
    ({"due_on": None, "due_at": "2026-11-10T19:59:00Z"}, "/due_at"),
    ({"due_at": "2026-11-12T10:00:00Z"}, "/due_on"),
    ({"due_on": None, "due_at": "2026-11-12T10:00:00"}, "/due_at"),
    ({"owner_role": None}, "/owner_role"),
    ({"owner_role": "king"}, "/owner_role"),
    ({"owner_id": 1}, "/owner_role"),
    ({"owner_role": None, "owner_id": 999_999}, "/owner_id"),
    ({"owner_role": None, "owner_id": 2**60}, "/owner_id"),
    ({"owner_role": None, "owner_id": True}, "/owner_id"),
    ({"patient_id": None}, "/patient_id"),
    ({"priority": "whenever"}, "/priority"),
    ({"about": "order twelve"}, "/about"),
    ({"about": "order:12\n"}, "/about"),
    ({"note": ""}, "/note"),
    ({"note": "\x00"}, "/note"),
    ({"note": "x" * 4001}, "/note"),
    ({"kind": "other"}, "/note"),
    ({"colour": "red"}, "/colour"),
]


def test_what_cannot_be_meant_is_refused_and_changes_nothing(scene: Scene) -> None:
    sound = {
        "patient_id": scene.patient, "kind": "call-patient", "owner_role": "nurse", "due_on": "2026-11-12"
    }  # fmt: skip
    with at(TUESDAY):
        for change, pointer in _BAD:
            answer = scene.as_("nurse").post("/tasks", sound | change)
            assert answer.status_code == 422, (change, answer.json)
            assert pointer in pointers(answer), change
        elsewhere = scene.as_("nurse").post("/tasks", sound | {"branch_id": scene.other_branch})
        assert pointers(elsewhere) == {"/branch_id"}
        # Those who could not see it are given nothing.
        for name in ("outsider", "far"):
            body = sound | {"owner_role": None, "owner_id": scene.users[name]}
            assert pointers(scene.as_("nurse").post("/tasks", body)) == {"/owner_id"}, name
        for query, pointer in (
            ("cursor=AAAA", "/query/cursor"), ("limit=0", "/query/limit"), ("kind=dance", "/query/kind"),
            ("due_before=tomorrow", "/query/due_before"), ("mine=perhaps", "/query/mine"), ("live=x", "/query/live"),
        ):  # fmt: skip
            assert pointers(scene.as_("nurse").get(f"/tasks?{query}")) == {pointer}, query
        assert scene.as_("nurse").get("/tasks/999999").status_code == 404
        assert scene.as_("nurse").get("/tasks").json["items"] == []


def test_lists_come_soonest_first_page_by_page_and_narrowed(scene: Scene) -> None:
    days = [_asked(scene, due_on=f"2026-11-{20 - n}")["id"] for n in range(4)]
    office = _asked(scene, "manager", patient_id=None, branch_id=scene.branch, owner_role="scheduler",
                    kind="check-resource", priority="urgent", due_on="2026-11-30")  # fmt: skip
    with at(TUESDAY):
        first = scene.as_("manager").get("/tasks?limit=3").json
        rest = scene.as_("manager").get(f"/tasks?limit=3&cursor={first['next']}").json
        assert [row["id"] for row in first["items"] + rest["items"]] == [*days[::-1], office["id"]]
        assert rest["next"] is None
        for query, expected in (
            ("owner_role=scheduler", [office["id"]]), ("priority=urgent", [office["id"]]),
            ("due_before=2026-11-18", [days[3]]), (f"patient_id={scene.patient}", days[::-1]), ("overdue=true", []),
            ("kind=check-resource", [office["id"]]), (f"branch_id={scene.other_branch}", []),
            (f"owner_id={scene.users['nurse']}", []),
        ):  # fmt: skip
            found = [row["id"] for row in scene.as_("manager").get(f"/tasks?{query}").json["items"]]
            assert found == expected, query
        # About no patient: for those who work for the branch.
        assert scene.as_("social").get(f"/tasks/{office['id']}").status_code == 404
        assert scene.as_("scheduler").get(f"/tasks/{office['id']}").status_code == 200
    with at(TUESDAY + timedelta(days=8)):
        late = scene.as_("social").get("/tasks?overdue=true").json["items"]
    assert [row["overdue"] for row in late] == [True]


# ------------------------------------------------------------------------------------ lateness


def test_a_late_task_is_told_one_desk_further_once_each_time(scene: Scene, work_as: WorkAs) -> None:
    task = _asked(scene, due_on="2026-11-12")
    midnight = datetime(2026, 11, 13, tzinfo=ZONE)
    entry = next(entry for entry in CLOCK if entry.job == "teamwork.escalate")
    assert entry.every == 15

    def _run(moment: datetime) -> tuple[str | None, int]:
        for _ in range(2):  # a job may be done twice
            context = make_job_context(scene.app, "teamwork.escalate", now=moment)
            JOBS["teamwork.escalate"](context, {"branch_id": scene.branch, "slot": moment.isoformat()})
        with scene.database.session(write=False) as session:
            told = session.execute(
                sa.select(sa.func.count()).select_from(Notice).where(Notice.kind == "task.late")
            ).scalar_one()
            desk = session.get_one(Task, task["id"]).escalated_to
            return (desk.value if desk else None, told)

    assert _run(midnight - timedelta(minutes=15)) == (None, 0)
    assert _run(midnight) == ("clinical_manager", 1)
    assert _run(midnight + timedelta(hours=23)) == ("clinical_manager", 1)
    assert _run(midnight + timedelta(hours=24)) == ("administrator", 2)
    assert _run(midnight + timedelta(days=9)) == ("administrator", 2)
    with at(midnight + timedelta(days=1)):
        assert [row["id"] for row in scene.as_("admin").get("/tasks?mine=true").json["items"]] == [task["id"]]
        taken = scene.as_("admin").change("POST", f"/tasks/{task['id']}/accept", {}, of=f"/tasks/{task['id']}")
        assert taken.json["owner_id"] == scene.users["admin"]
    assert scene.trail("task.escalated") == [(None, scene.patient)] * 2
    # What was done in time is told to nobody.
    with work_as(scene.actor("social"), now=TUESDAY) as work:
        timely = tasks.ask(
            work, patient_id=scene.patient, kind=TaskKind.CALL_PATIENT, owner_role=Desk.NURSE,
            due_on=date(2026, 11, 12),
        )  # fmt: skip
    with work_as(scene.actor("nurse"), now=TUESDAY) as work:
        tasks.finish(work, timely.id, TaskOutcome.DONE)
    assert _run(midnight + timedelta(days=10)) == ("administrator", 2)


def test_who_is_given_a_task_hears_of_it(scene: Scene, work_as: WorkAs) -> None:
    task = _asked(scene, owner_id=scene.users["nurse2"])
    _asked(scene, owner_id=scene.users["nurse"])  # to oneself: nothing is told
    _do(scene, "nurse2", task, "decline", {"reason": TaskDecline.AWAY.value})
    _asked(scene, owner_role="scheduler")
    with work_as(actor_with("clinician")) as work:
        rows = work.session.execute(sa.select(Notice).where(Notice.kind == "task.yours").order_by(Notice.id)).scalars()
        told = [(row.user_id, row.role) for row in rows]
    assert told == [(scene.users["nurse2"], None), (scene.users["nurse"], None), (None, "scheduler")]
    with at(TUESDAY):
        notice = scene.as_("nurse2").get("/notices").json["items"][0]
    assert notice["sentence"] == f"Task {task['id']} is on your list. It is due on 2026-11-12."
