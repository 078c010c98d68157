"""Whoever comes next knows what whoever came last has seen, and no visit begins silently over it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.vocabulary import Discipline, GoalCategory
from coordinator.orders.model import CarePlan, Goal
from coordinator.teams import service as teams
from coordinator.teamwork.model import Task
from coordinator.visits import doing, service
from coordinator.visits.publishing import BookRequest, book_many
from tests.conftest import NOW, WorkAs
from tests.people import Browser, at, browser, pointers
from tests.visits.conftest import FRIDAY, THURSDAY, TUESDAY, WEDNESDAY, OrderMaker, Scene, local

HOME = {"lat": 37.76, "lon": -122.43}


@dataclass(frozen=True)
class Ward:
    """Two visits of an order: the first was made by Ana, the nurse."""

    nurse: Browser
    other: Browser
    vocational: Browser
    therapist: Browser
    aide: Browser
    manager: Browser
    scheduler: Browser
    second: int
    spare: int
    book: Callable[..., None]


@pytest.fixture
def ward(
    scene: Scene, ordered: OrderMaker, wanted: Callable[..., list[int]], work_as: WorkAs, app: Coordinator,
    database: Database,
) -> Ward:  # fmt: skip
    week = ((date(2026, 11, 9), date(2026, 11, 14), 3, 3),)
    first, second, spare = wanted(ordered(weeks=week, frequency="3w1"))

    def book(number: int, starts_at: Any, who: str) -> None:
        with work_as(scene.actor("scheduler")) as work:
            service.assign(work, number, scene[who], starts_at)

    book(first, local(TUESDAY, 9), "nurse")
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9)) as work:
        doing.start(work, first, local(TUESDAY, 9), HOME)
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 10)) as work:
        doing.finish(work, first, local(TUESDAY, 9, 40))
    with database.transaction() as session:
        plan = session.get_one(CarePlan, scene.plan)
        plan.goals.append(Goal(category=GoalCategory.WHAT_MATTERS_MOST, text="To see the garden", language="en"))

    def signed_in(name: str) -> Browser:
        return browser(app, database, "clinician", clinician_id=scene[name])

    office = [scene.branch]
    return Ward(
        nurse=signed_in("nurse"), other=signed_in("other_nurse"), vocational=signed_in("vocational"),
        therapist=signed_in("therapist"), aide=signed_in("aide"),
        manager=browser(app, database, "clinical_manager", branch_ids=office),
        scheduler=browser(app, database, "scheduler", branch_ids=office),
        second=second, spare=spare, book=book,
    )  # fmt: skip


def live(ward: Ward, **query: Any) -> list[dict[str, Any]]:
    said = "&".join(f"{name}={value}" for name, value in query.items())
    answer = ward.manager.get(f"/handoffs?{said}")
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def test_a_card_is_finished_read_and_used(scene: Scene, ward: Ward, database: Database) -> None:
    with at(local(TUESDAY, 11)):
        assert live(ward) == []
        ward.book(ward.second, local(THURSDAY, 9), "other_nurse")
        (card,) = live(ward)
        assert (card["cause"], card["status"], card["visit_id"]) == ("next-visit", "draft", ward.second)
        path = f"/handoffs/{card['id']}"
        draft = ward.other.get(path)
        assert draft.json["content"]["matters_most"] == [{"text": "To see the garden", "language": "en"}]
        assert [row["made"] for row in draft.json["content"]["visits"]] == [True]
        tag = draft.headers["ETag"]
        early = ward.other("POST", f"{path}/acknowledge", match=tag)
        assert (early.status_code, early.json["type"]) == (409, "/problems/handoff-not-finished")
        words = {"watch": "Pain after the dressing", "changed": "New dressing"}
        for body, pointer in (({}, "/watch"), ({"watch": "  "}, "/watch"), ({"watch": 5}, "/watch"),
                              ({"watch": "a\x00"}, "/watch"), (words | {"more": 1}, "/more")):  # fmt: skip
            wrong = ward.nurse("POST", f"{path}/finish", body, match=tag)
            assert (wrong.status_code, pointers(wrong)) == (422, {pointer})
        assert ward.nurse("POST", f"{path}/finish", words).status_code == 428
        assert ward.other("POST", f"{path}/finish", words, match=tag).json["type"] == "/problems/not-the-giver"
        finished = ward.nurse("POST", f"{path}/finish", words, match=tag)
        assert finished.status_code == 200, finished.json
        assert ward.other("POST", f"{path}/acknowledge", match=tag).status_code == 412
        (stop,) = ward.other.get(f"/rosters/me/{THURSDAY}").json["stops"]
        assert stop["handoff"] == {"id": card["id"], "status": "finished", "unread": True}
        assert ward.scheduler.get(path).status_code == 403
        assert ward.scheduler.get("/handoffs?unread=true").json["items"][0]["id"] == card["id"]
        assert ward.aide.get(path).status_code == 404
        assert ward.nurse("POST", f"{path}/acknowledge", match="*").json["type"] == "/problems/not-the-receiver"
        assert ward.nurse.get("/handoffs/99999").status_code == 404
        read = ward.other("POST", f"{path}/acknowledge", match=finished.headers["ETag"])
        assert (read.status_code, read.json["status"], read.json["watch"]) == (200, "acknowledged", words["watch"])
        again = ward.other("POST", f"{path}/acknowledge", match=read.headers["ETag"])
        assert again.json["acknowledged_at"] == read.json["acknowledged_at"]
    with at(local(THURSDAY, 9)):
        begun = ward.other.post(f"/visits/{ward.second}/start", {"at": local(THURSDAY, 9).isoformat(), "place": HOME})
        assert begun.status_code == 200, begun.json
        assert live(ward) == []
        assert live(ward, live="false")[0]["status"] == "used"
        late = ward.nurse("POST", f"{path}/finish", words, match="*")
        assert (late.status_code, late.json["type"]) == (409, "/problems/handoff-over")
    with database.transaction(write=False) as session:
        done = session.execute(sa.select(Task.kind, Task.status).order_by(Task.id)).all()
        assert [(row.kind.value, row.status.value) for row in done] == [
            ("write-handoff", "done"), ("read-handoff", "done"),
        ]  # fmt: skip
        said = set(session.execute(sa.select(AuditEvent.action)).scalars())
    assert {f"handoff.{deed}" for deed in ("opened", "read", "finished", "acknowledged", "used", "listed")} <= said


def test_a_visit_begins_over_an_unread_card_for_a_reason_alone(scene: Scene, ward: Ward, database: Database) -> None:
    with at(local(TUESDAY, 11)):
        ward.book(ward.second, local(THURSDAY, 9), "other_nurse")
        (card,) = live(ward)
    with at(local(THURSDAY, 9)):
        body = {"at": local(THURSDAY, 9).isoformat(), "place": HOME}
        refused = ward.other.post(f"/visits/{ward.second}/start", body)
        assert (refused.status_code, refused.json["type"]) == (409, "/problems/handoff-unread")
        assert refused.json["blocking"][0]["handoff"] == card["id"]
        assert "reason" in refused.json["detail"]
        wrong = ward.other.post(f"/visits/{ward.second}/start", body | {"over_handoff": "because"})
        assert (wrong.status_code, pointers(wrong)) == (422, {"/over_handoff"})
        reason = StartOverHandoff.NOT_FINISHED.value
        begun = ward.other.post(f"/visits/{ward.second}/start", body | {"over_handoff": reason})
        assert begun.status_code == 200, begun.json
        (passed,) = live(ward, live="false")
        assert (passed["status"], passed["passed_over_for"]) == ("passed-over", reason)
    with database.transaction(write=False) as session:
        over = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "visit.started-over-handoff")).one()
        assert over.facts == {"handoff": card["id"], "reason": reason}
        (task,) = session.scalars(sa.select(Task))
        assert task.status.value == "cancelled"


def test_when_the_plan_changes_the_card_follows_and_is_never_doubled(scene: Scene, ward: Ward, work_as: WorkAs) -> None:
    with at(local(TUESDAY, 11)):
        ward.book(ward.second, local(THURSDAY, 9), "other_nurse")
        (card,) = live(ward)
        path = f"/handoffs/{card['id']}"
        with work_as(scene.actor("scheduler")) as work:
            service.move(work, ward.second, starts_at=local(FRIDAY, 9))
        assert live(ward)[0]["due_at"] == "2026-11-13T17:00:00Z"
        with work_as(scene.actor("scheduler")) as work:
            service.move(work, ward.second, clinician_id=scene["vocational"])
        (moved,) = live(ward)
        assert (moved["id"], moved["to_clinician_id"]) == (card["id"], scene["vocational"])
        assert ward.other.get(path).status_code == 404, "it is nobody's who does not come"
        ward.book(ward.spare, local(WEDNESDAY, 9), "other_nurse")
        (sooner,) = live(ward)
        assert (sooner["visit_id"], sooner["to_clinician_id"]) == (ward.spare, scene["other_nurse"])
        finished = ward.nurse("POST", f"{path}/finish", {"watch": "Pain"}, match=ward.nurse.etag(path))
        ward.other("POST", f"{path}/acknowledge", match=finished.headers["ETag"])
        with work_as(scene.actor("scheduler")) as work:
            service.unassign(work, ward.spare)
        (fresh,) = live(ward)
        assert (fresh["to_clinician_id"], fresh["status"]) == (scene["vocational"], "draft")
        assert live(ward, live="false")[0]["status"] == "withdrawn"
        with work_as(scene.actor("scheduler")) as work:
            service.move(work, ward.second, clinician_id=scene["nurse"])
        assert live(ward) == [], "who was there last comes again: there is nothing to tell"


def test_a_published_plan_has_its_cards_once(scene: Scene, ward: Ward, work_as: WorkAs, row: Any) -> None:
    def publish() -> None:
        requests = [
            BookRequest(number, row(number).version, scene[who], local(day, 9), local(day, 9) + timedelta(minutes=45))
            for number, day, who in (
                (ward.second, THURSDAY, "other_nurse"), (ward.spare, FRIDAY, "vocational"),
            )
        ]  # fmt: skip
        with work_as(scene.actor("scheduler"), now=local(TUESDAY, 11)) as work:
            book_many(work, requests)

    publish()
    with at(local(TUESDAY, 11)):
        (card,) = live(ward)
        assert card["to_clinician_id"] == scene["other_nurse"]
        publish()
        assert live(ward) == [card]
    assert local(TUESDAY, 11) > NOW


def test_a_new_primary_and_whoever_stands_in_are_told(scene: Scene, ward: Ward, work_as: WorkAs) -> None:
    moment = local(TUESDAY, 11)
    with work_as(scene.actor("manager"), now=moment) as work:
        teams.name_primary(work, scene.patient, Discipline.SN, scene["nurse"], starts_on=TUESDAY)
        teams.name_primary(work, scene.patient, Discipline.SN, scene["other_nurse"], starts_on=FRIDAY)
    with at(moment):
        (card,) = live(ward)
        assert (card["cause"], card["from_clinician_id"], card["to_clinician_id"], card["visit_id"]) == (
            "primary-changed", scene["nurse"], scene["other_nurse"], None,
        )  # fmt: skip
        assert ward.other.get(f"/handoffs/{card['id']}").status_code == 200
    with work_as(scene.actor("manager"), now=moment) as work:
        cover = teams.arrange(
            work, role=CoverRole.PRIMARY, away_id=scene["nurse"], by_id=scene["other_nurse"], starts_on=WEDNESDAY,
            ends_on=THURSDAY, reason=CoverReason.SICK,
        )  # fmt: skip
    with at(moment):
        assert len(live(ward)) == 1, "one receiver, one card"
        ward.book(ward.second, local(THURSDAY, 9), "other_nurse")
        (card,) = live(ward)
        assert card["visit_id"] == ward.second
        (stop,) = ward.other.get(f"/rosters/me/{THURSDAY}").json["stops"]
        assert stop["covering_for"] is not None
    with work_as(scene.actor("manager"), now=moment) as work:
        teams.withdraw(work, cover.id)
    with at(moment):
        (stop,) = ward.other.get(f"/rosters/me/{THURSDAY}").json["stops"]
        assert stop["covering_for"] is None
        assert len(live(ward)) == 1
