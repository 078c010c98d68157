"""What the team decides becomes orders, tasks and deadlines, and stands in minutes that print."""

from datetime import timedelta

import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.teamwork import Desk, TaskKind, TaskSource
from coordinator.domain.vocabulary import OrderStatus, Role
from coordinator.orders.model import Order
from coordinator.patients.model import Episode
from coordinator.staff.model import Physician
from coordinator.teamwork.model import Task
from tests import builders
from tests.care.conftest import TODAY, TUESDAY, Scene, owed
from tests.care.test_conferences import seats
from tests.conftest import WorkAs
from tests.people import at, browser, pointers


def test_decisions_become_orders_tasks_and_deadlines_and_stand_in_the_minutes(
    app: Coordinator, database: Database, scene: Scene, work_as: WorkAs
) -> None:
    with database.transaction() as session:
        episode = session.get_one(Episode, scene.episode)
        builders.make_care_plan(session, episode, session.get_one(Physician, scene.physician))
    friday = (TODAY + timedelta(days=3)).isoformat()
    with at(TUESDAY):
        nurse = browser(app, database, Role.CLINICIAN, clinician_id=scene.people["rn"])
        body = {"held_on": TODAY.isoformat(), "seats": seats(scene), "summary": "Nights are hard <b>"}
        made = nurse.post(f"/patients/{scene.patient}/conferences", body)
        path = f"/conferences/{made.json['id']}"
        task = {"kind": "task", "words": "Ask the pharmacy", "owner": "social_worker", "due_on": friday}
        for wrong, where in (
            ({"owner": None}, "/owner"), ({"due_on": None}, "/due_on"), ({"due_on": "2026-11-09"}, "/due_on"),
            ({"kind": "order"}, "/order"), ({"kind": "wish"}, "/kind"), ({"words": " "}, "/words"),
        ):  # fmt: skip
            assert pointers(nurse.post(f"{path}/decisions", task | wrong)) == {where}
        assert nurse.get(f"{path}/decisions").json["items"] == []
        assert nurse.post(f"{path}/decisions", task).status_code == 201
        assert nurse.post(f"{path}/decisions", task | {"kind": "deadline", "words": "Bed by Friday"}).status_code == 201
        order = {
            "discipline": "SN",
            "frequency_text": "3w2",
            "effective_from": "2026-11-15",
            "treatments": ["morphine"],
        }
        decided = nurse.post(f"{path}/decisions", {"kind": "order", "words": "More visits", "order": order})
        assert decided.status_code == 201, decided.json
        light = nurse.get(f"{path}/room").json
        assert (light["counts"], light["missing"]) == (True, [])
        assert light["unsigned"] == ["physician", "nurse", "social_worker", "chaplain"]
        assert [(one["order_id"], one["here"]) for one in light["orders"]] == [(decided.json["order_id"], True)]
        fewer = {"seats": seats(scene, "chaplain", "physician")}
        assert nurse.change("PATCH", path, fewer).status_code == 200
        light = nurse.get(f"{path}/room").json
        assert (light["counts"], light["missing"]) == (False, ["physician", "chaplain"])
        assert [one["here"] for one in light["orders"]] == [False], "nobody there may sign it"
        assert nurse.change("PATCH", path, {"seats": seats(scene)}).status_code == 200
        manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
        assert manager.change("POST", f"{path}/close", of=path).json["counts"] is True
        assert nurse.post(f"{path}/decisions", task).status_code == 409
        listed = nurse.get(f"{path}/decisions").json["items"]
        assert [one["kind"] for one in listed] == ["task", "deadline", "order"]
        page = nurse.client.get(f"{path}/minutes", headers={"Authorization": f"Bearer {nurse.token}"})
        assert page.status_code == 200
        for said in ("Ask the pharmacy", "by 2026-11-13", "it counts", "Nights are hard &lt;b&gt;", "not signed"):
            assert said in page.text, said
        assert app.test_client().get(f"{path}/minutes").status_code == 401
        clerk = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])
        refused = clerk.client.get(f"{path}/minutes", headers={"Authorization": f"Bearer {clerk.token}"})
        assert refused.status_code == 403
        assert clerk.get(f"{path}/room").status_code == 403
    with work_as(now=TUESDAY) as work:
        drafted = work.session.get_one(Order, decided.json["order_id"])
        assert (drafted.status, drafted.physician_id) == (OrderStatus.SENT_FOR_SIGNATURE, scene.physician)
        asked = work.session.execute(sa.select(Task).where(Task.kind == TaskKind.CARRY_OUT_DECISION)).scalar_one()
        assert (asked.source, asked.owner_role, asked.note) == (
            TaskSource.CONFERENCE, Desk.SOCIAL_WORKER, "Ask the pharmacy",
        )  # fmt: skip
        assert ("conference-decision", TODAY + timedelta(days=3)) in owed(work, "IDT-02")
