"""Mrs Lee's home in San Francisco, the people who visit her, and orders that have raised their visits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from coordinator.access import service as access
from coordinator.access.model import User
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor
from coordinator.domain.events import OrderActivated
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import Discipline, OrderStatus, Performer, Role, VisitStatus
from coordinator.orders.model import AideCarePlan
from coordinator.patients.model import Episode
from coordinator.visits import demand, ledger
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import NOW, WorkAs

ZONE = ZoneInfo("America/Los_Angeles")
MONDAY = builders.MONDAY
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = (date(2026, 11, day) for day in (10, 11, 12, 13, 14))
NEXT_MONDAY = date(2026, 11, 16)
#: The order weeks of these tests: what is left of this one, and the next.
THIS_WEEK = (MONDAY, SATURDAY)
NEXT_WEEK = (date(2026, 11, 15), date(2026, 11, 21))


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """The instant at which clocks in San Francisco show that time."""
    return at_wall_clock(day, time(hour, minute), ZONE)


@dataclass
class Scene:
    """Numbers of what is there, and who acts."""

    branch: int = 0
    patient: int = 0
    episode: int = 0
    plan: int = 0
    physician: int = 0
    people: dict[str, int] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    performers: dict[str, str] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        return access.actor_of(self.users[name], self.performers.get(name))

    def __getitem__(self, name: str) -> int:
        return self.people[name]


@pytest.fixture
def scene(app: Coordinator, database: Database) -> Scene:
    made = Scene()
    with database.transaction() as session:
        branch = builders.make_branch(session)
        physician = builders.make_physician(session)
        other = builders.make_physician(session)
        patient = builders.make_patient(session, branch, managing_physician_id=physician.id)
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, physician)
        made.branch, made.patient, made.episode, made.plan = branch.id, patient.id, episode.id, plan.id
        made.physician = physician.id
        team = {
            "nurse": Performer.RN, "other_nurse": Performer.RN, "vocational": Performer.LVN, "aide": Performer.CHHA,
            "therapist": Performer.PT, "assistant": Performer.PTA,
        }  # fmt: skip
        for name, performer in team.items():
            clinician = builders.make_clinician(session, branch, performer)
            made.performers[name] = performer.value
            made.people[name] = clinician.id
            made.users[name] = builders.make_user(
                session, "-", Role.CLINICIAN, username=name, branch_ids=[branch.id], clinician_id=clinician.id
            )
        for name, role in (("scheduler", Role.SCHEDULER), ("manager", Role.CLINICAL_MANAGER)):
            made.users[name] = builders.make_user(session, "-", role, username=name, branch_ids=[branch.id])
        for name, number in (("physician", physician.id), ("colleague", other.id)):
            made.users[name] = builders.make_user(session, "-", Role.PHYSICIAN, username=name, physician_id=number)
        elsewhere = builders.make_branch(session)
        made.users["elsewhere"] = builders.make_user(
            session, "-", Role.SCHEDULER, username="elsewhere", branch_ids=[elsewhere.id]
        )
        session.add(
            AideCarePlan(
                patient_id=patient.id, number=1, prepared_by_id=made.people["nurse"], effective_from=date(2026, 10, 26),
                tasks=["BATHING"], recorded_at=NOW,
            )
        )  # fmt: skip
    return made


OrderMaker = Callable[..., int]
Weeks = tuple[tuple[date, date, int, int], ...]
TWO_WEEKS: Weeks = ((*THIS_WEEK, 2, 2), (*NEXT_WEEK, 2, 2))


@pytest.fixture
def ordered(scene: Scene, work_as: WorkAs) -> OrderMaker:
    """`ordered(discipline, weeks=..., ...)`: the number of a live order whose visits are raised."""

    def make(
        discipline: Discipline = Discipline.SN, weeks: Weeks = TWO_WEEKS, *, raised: bool = True, **given: Any
    ) -> int:
        with work_as() as work:
            episode = work.session.get_one(Episode, given.pop("episode_id", scene.episode))
            plan = work.session.get_one(builders.CarePlan, given.pop("plan_id", scene.plan))
            order = builders.make_order(
                work.session, episode, plan, discipline, frequency=given.pop("frequency", "2w2"), weeks=weeks,
                **({"goals_text": "Walks to the bathroom"} | given),
            )  # fmt: skip
            if raised and order.status in (OrderStatus.ACTIVE_SIGNED, OrderStatus.ACTIVE_VERBAL):
                demand.raise_from_order(work, OrderActivated(order_id=order.id, verbal=False))
            return order.id

    return make


@pytest.fixture
def wanted(database: Database) -> Callable[..., list[int]]:
    """Numbers of the order's current visits in a state (default: proposed), by window and unit."""

    def look(order_id: int, *statuses: VisitStatus, joint: bool = False) -> list[int]:
        with database.transaction(write=False) as session:
            query = sa.select(Visit.id).where(
                Visit.order_id == order_id,
                Visit.is_current,
                Visit.status.in_(statuses or (VisitStatus.PROPOSED,)),
                Visit.joint_with_id.is_not(None) if joint else Visit.joint_with_id.is_(None),
            )
            return list(session.scalars(query.order_by(Visit.window_from, Visit.unit, Visit.id)))

    return look


@pytest.fixture
def row(database: Database) -> Callable[[int], Visit]:
    """The visit as it is in the database."""

    def look(visit_id: int) -> Visit:
        with database.transaction(write=False) as session:
            return session.get_one(Visit, visit_id)

    return look


@pytest.fixture
def columns(work_as: WorkAs) -> Callable[..., list[tuple[int, int, int, int]]]:
    """(planned, done, waived, owed) of each week of the order; every week must balance."""

    def count(order_id: int) -> list[tuple[int, int, int, int]]:
        with work_as() as work:
            lines = ledger.ledger(work, order_id=order_id)
            assert all(line.balances for line in lines), lines
            return [(line.planned, line.done, line.waived, line.owed) for line in lines]

    return count


def make_another_patient(database: Database, scene: Scene) -> tuple[int, int, int]:
    """Numbers of another patient, episode and plan of the same branch."""
    with database.transaction() as session:
        branch = session.get_one(builders.Branch, scene.branch)
        patient = builders.make_patient(session, branch, managing_physician_id=scene.physician)
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, session.get_one(builders.Physician, scene.physician))
        return patient.id, episode.id, plan.id
