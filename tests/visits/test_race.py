"""Two hundred writers and one hour: one gets it, the others are told who, and nobody waits for ever (product 5d.1)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.events import OrderActivated
from coordinator.domain.lifecycle import LIVE_VISIT
from coordinator.domain.vocabulary import Discipline, Role
from coordinator.visits import demand
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.people import Browser, browser
from tests.visits.conftest import THIS_WEEK, TUESDAY, Scene, local

WRITERS, HANDS = 200, 40


@pytest.fixture
def hands(app: Coordinator, database: Database, scene: Scene) -> list[Browser]:
    first = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])
    return [Browser(app.test_client(), first.token) for _ in range(HANDS)]


def _wanted_visits(work_as: WorkAs, scene: Scene, many: int, discipline: Discipline = Discipline.SN) -> list[int]:
    """One wanted visit of each of so many patients."""
    numbers = []
    with work_as() as work:
        branch = work.session.get_one(builders.Branch, scene.branch)
        physician = work.session.get_one(builders.Physician, scene.physician)
        for _ in range(many):
            patient = builders.make_patient(work.session, branch, managing_physician_id=physician.id)
            episode = builders.make_episode(work.session, patient)
            plan = builders.make_care_plan(work.session, episode, physician)
            order = builders.make_order(work.session, episode, plan, discipline, weeks=((*THIS_WEEK, 1, 1),))
            demand.raise_from_order(work, OrderActivated(order.id, verbal=False))
            numbers.append(
                work.session.scalars(sa.select(Visit.id).where(Visit.order_id == order.id, Visit.is_current)).one()
            )
    return numbers


def _race(hands: list[Browser], requests: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Every request at the same time, as far as the hands reach."""
    ready = Barrier(HANDS)

    def work(hand: int) -> list[Any]:
        ready.wait(30)
        return [
            hands[hand]("POST", path, body, match='"1"')
            for number, (path, body) in enumerate(requests)
            if number % HANDS == hand
        ]

    with freeze_time(NOW), ThreadPoolExecutor(HANDS) as pool:
        return [answer for answers in pool.map(work, range(HANDS)) for answer in answers]


def _check(answers: list[Any], database: Database, **where: int) -> None:
    codes = Counter(answer.status_code for answer in answers)
    assert codes == Counter({200: 1, 409: len(answers) - 1}), [
        answer.json for answer in answers if answer.status_code not in (200, 409)
    ][:3]
    (winner,) = [answer.json["id"] for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json["type"] == "/problems/double-booking"
            assert [entry["visit"] for entry in answer.json["blocking"]] == [winner]
    with database.transaction(write=False) as session:
        live = session.scalars(sa.select(Visit.id).where(Visit.status.in_(LIVE_VISIT)).filter_by(**where)).all()
    assert live == [winner]


@pytest.mark.slow
def test_one_hour_of_a_clinician_among_two_hundred_patients(
    scene: Scene, hands: list[Browser], work_as: WorkAs, database: Database
) -> None:
    numbers = _wanted_visits(work_as, scene, WRITERS)
    hour = {"clinician_id": scene["nurse"], "starts_at": local(TUESDAY, 9).isoformat()}
    answers = _race(hands, [(f"/visits/{number}/assign", hour) for number in numbers])
    _check(answers, database, clinician_id=scene["nurse"])


@pytest.mark.slow
def test_one_hour_of_a_patient_among_many_clinicians(
    scene: Scene, hands: list[Browser], work_as: WorkAs, database: Database, ordered: Callable[..., int]
) -> None:
    """The patient's twenty visits of the week, each for another clinician, at overlapping times."""
    order = ordered(weeks=((*THIS_WEEK, 40, 40),), visits_per_day=40, frequency="40w1")
    with database.transaction() as session:
        branch = session.get_one(builders.Branch, scene.branch)
        clinicians = [builders.make_clinician(session, branch).id for _ in range(40)]
        numbers = list(session.scalars(sa.select(Visit.id).where(Visit.order_id == order).order_by(Visit.id)))
    requests = [
        (
            f"/visits/{number}/assign",
            {"clinician_id": clinician, "starts_at": (local(TUESDAY, 9) + timedelta(minutes=at % 40)).isoformat()},
        )
        for at, (number, clinician) in enumerate(zip(numbers, clinicians, strict=True))
    ]
    answers = _race(hands, requests)
    _check(answers, database, patient_id=scene.patient)


@pytest.mark.slow
def test_one_visit_among_forty_hands_is_changed_once(
    scene: Scene, hands: list[Browser], work_as: WorkAs, database: Database
) -> None:
    """Who reads version 1 and comes second is told that it changed, not that it worked."""
    (number,) = _wanted_visits(work_as, scene, 1)
    requests = [
        (
            f"/visits/{number}/assign",
            {"clinician_id": scene["nurse"], "starts_at": local(TUESDAY, 9 + at % 6).isoformat()},
        )
        for at in range(HANDS)
    ]
    codes = Counter(answer.status_code for answer in _race(hands, requests))
    assert codes == Counter({200: 1, 412: HANDS - 1})
