"""The scheduler's board: the day with what waits, trying before doing, placing, undoing, and whose it is."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, VisitStatus
from coordinator.visits.board import board
from coordinator.visits.model import Visit
from tests.conftest import WorkAs
from tests.people import at
from tests.visits.conftest import (  # noqa: F401  (fixtures)
    MONDAY,
    TUESDAY,
    OrderMaker,
    Scene,
    ordered,
    row,
    scene,
    wanted,
)
from tests.visits.test_cases import counted
from tests.web.visitor import PASSWORD, Visitor, visitor


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at():
        yield


def _as(app: Coordinator, database: Database, username: str, *, language: str = "en") -> Visitor:
    """One of the scene's people, who gets a password first."""
    with database.transaction() as session:
        session.execute(
            sa.text("UPDATE app_user SET password_hash = :hash WHERE username = :name"),
            {"hash": app.extensions["doorman"].hash(PASSWORD), "name": username},
        )
    there = Visitor(app, language=language)
    there.open("/sign-in")
    assert there.send("/sign-in", username=username, password=PASSWORD).status_code == 303
    return there


def test_a_visit_is_tried_placed_taken_back_and_locked_from_the_board(
    app: Coordinator, database: Database, scene: Scene, ordered: OrderMaker, wanted: Callable[..., list[int]],  # noqa: F811
    row: Callable[[int], Visit],  # noqa: F811
) -> None:  # fmt: skip
    first, *_ = wanted(ordered())
    there = _as(app, database, "scheduler")
    assert there.open("/").location == "/board/"
    page = there.open(f"/board/?day={TUESDAY}")
    assert page.status_code == 200
    assert "without a place" in page.text
    assert f"/board/visits/{first}" in page.text
    place = {"clinician": scene["nurse"], "day": TUESDAY.isoformat(), "time": "10:00", "minutes": "45"}

    tried = there.client.get(
        f"/board/visits/{first}", query_string=place | {"clinician": scene["therapist"]}, headers=there.headers
    )
    assert "This cannot be done." in tried.text
    assert "/rules#" in tried.text
    good = there.client.get(f"/board/visits/{first}", query_string=place, headers=there.headers)
    assert "This can be done." in good.text
    assert row(first).status is VisitStatus.PROPOSED, "trying changes nothing"

    there.open(f"/board/visits/{first}")
    action = f"/board/visits/{first}/place"
    refused = there.send(action, **(place | {"clinician": scene["therapist"]}))
    assert refused.status_code == 422
    assert "Way out" in refused.text
    for wrong in ({"clinician": "1e9"}, {"time": "25:00"}, {"day": "soon"}, {"minutes": "0"}, {"clinician": "9" * 30}):
        assert there.send(action, **(place | wrong)).status_code == 422
    assert there.send(action, **(place | {"clinician": "999999"})).status_code == 404
    read = there.hidden(action)
    placed = there.send(action, **place)
    assert (placed.status_code, placed.location) == (303, f"/board/?branch={scene.branch}&day={TUESDAY}")
    assert row(first).status is VisitStatus.BOOKED
    there.open(placed.location)
    assert "Placed." in there.page.text
    board_page = there.page
    there.open(f"/board/visits/{first}")
    used = there.send(action, **(read | place | {"time": "11:00"}))
    assert used.status_code == 422, "the same key for something else"
    stale = there.send(action, **(read | place | {"time": "11:00", "_key": "another"}))
    assert stale.status_code == 412, "the page that was read shows another version"
    there.page = board_page
    assert there.send("/board/undo", visit="77").status_code == 409
    undone = there.send("/board/undo")
    assert undone.status_code == 303
    assert row(first).status is VisitStatus.PROPOSED
    assert "Take it back" not in there.open(undone.location).text

    there.open(f"/board/visits/{first}")
    there.send(action, **place)
    there.open(f"/board/visits/{first}")
    assert there.send(f"/board/visits/{first}/lock").status_code == 303
    assert row(first).locked
    there.open("/board/")
    changed = there.send("/board/undo") if "/board/undo" in there.page.text else None
    assert changed is not None
    assert changed.status_code == 409, "somebody changed it since"
    there.open(f"/board/visits/{first}")
    assert there.send(f"/board/visits/{first}/unlock").status_code == 303
    there.open(f"/board/visits/{first}")
    assert there.send(f"/board/visits/{first}/cancel", reason="She is tired!").status_code == 422
    assert there.send(f"/board/visits/{first}/cancel", reason="patient-asked").status_code == 303
    assert row(first).status is VisitStatus.CANCELLED


def test_the_board_is_for_those_who_schedule_the_branch(
    app: Coordinator, database: Database, scene: Scene, ordered: OrderMaker, wanted: Callable[..., list[int]]  # noqa: F811
) -> None:  # fmt: skip
    first, *_ = wanted(ordered())
    nurse, elsewhere = _as(app, database, "nurse"), _as(app, database, "elsewhere")
    assert nurse.open("/board/").status_code in (403, 404)
    assert nurse.open("/board/absence").status_code == 403
    assert "Board" not in nurse.open("/inbox/").text
    assert elsewhere.open(f"/board/?branch={scene.branch}").status_code == 404
    assert elsewhere.open(f"/board/visits/{first}").status_code == 404
    stranger = visitor(app, database, "scheduler")
    assert stranger.open("/board/").status_code == 404
    manager = _as(app, database, "manager", language="zh-Hant")
    page = manager.open(f"/board/?branch={scene.branch}&view=list&discipline=SN&day=not-a-day&clinician=x")
    assert page.status_code == 200
    assert "排班表" in page.text


def test_an_absence_that_cannot_be_meant_is_said_beside_the_form(
    app: Coordinator, database: Database, scene: Scene  # noqa: F811
) -> None:  # fmt: skip
    there = _as(app, database, "scheduler")
    there.open("/board/absence")
    good = {"clinician": scene["nurse"], "first_day": TUESDAY.isoformat(), "last_day": TUESDAY.isoformat()}
    for wrong, said in (
        ({"clinician": ""}, "Choose who is away."),
        ({"first_day": "x"}, "Choose the first and the last day."),
        ({"last_day": MONDAY.isoformat()}, "The last day is before the first."),
        ({"most_patients": "many"}, "is a number"),
    ):
        answer = there.send("/board/absence", **(good | wrong))
        assert answer.status_code == 422
        assert said in answer.text
    assert there.send("/board/absence", **(good | {"branch": "999"})).status_code in (403, 404)


def test_the_board_asks_as_often_for_many_visits_as_for_few(
    app: Coordinator, database: Database, scene: Scene, ordered: OrderMaker, work_as: WorkAs  # noqa: F811
) -> None:  # fmt: skip
    ordered()
    with work_as(scene.actor("scheduler")) as work, counted(database) as few:
        first = board(work, scene.branch, TUESDAY)
    ordered(Discipline.PT)
    ordered(Discipline.HHA)
    with work_as(scene.actor("scheduler")) as work, counted(database) as many:
        second = board(work, scene.branch, TUESDAY)
    assert second.wanted_count > first.wanted_count
    assert len(many) == len(few)
