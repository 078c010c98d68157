"""The payer is asked for more before the last visit is used or the last day is past, once (INT-04)."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.errors import Forbidden
from coordinator.core.work import Actor, Work
from coordinator.deadlines import service
from coordinator.deadlines.remind import look_after
from coordinator.deadlines.words import sentence
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import DeadlineWaiver, Discipline, OrderStatus, Payer, Role, VisitStatus
from coordinator.notify.model import Notice
from coordinator.orders.model import Order
from coordinator.patients import service as patients
from coordinator.patients.model import Authorisation, Episode, Patient
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_order,
    make_patient,
    make_physician,
    make_visit,
)
from tests.conftest import NOW, WorkAs, actor_with
from tests.deadlines.kit import DONE, OPEN, PACIFIC, SUPERSEDED, book, listen, nights, one

RULE = "INT-04"
FAR = date(2027, 3, 31)


@dataclass
class Home:
    branch: int
    patient: int
    episode: int
    order: int
    nurse: int

    def office(self, role: Role) -> Actor:
        return actor_with(role, branch_ids=frozenset({self.branch}))


@pytest.fixture
def home(database: Database) -> Home:
    with database.transaction() as session:
        branch = make_branch(session)
        patient = make_patient(session, branch)
        episode = make_episode(session, patient)
        plan = make_care_plan(session, episode, make_physician(session))
        order = make_order(session, episode, plan, effective_to=date(2026, 12, 24))
        return Home(branch.id, patient.id, episode.id, order.id, make_clinician(session, branch).id)


def authorise(work: Work, home: Home, maximum: int = 20, **given: Any) -> Authorisation:
    values = {"discipline": Discipline.SN, "starts_on": date(2026, 11, 1), "ends_on": FAR} | given
    return patients.add_authorisation(work, home.patient, payer=Payer.KP, maximum_visits=maximum, **values)


def place(work: Work, home: Home, count: int, first: date = date(2026, 11, 2)) -> None:
    """So many visits, one a day from `first`, made or to be made."""
    patient, episode = work.session.get_one(Patient, home.patient), work.session.get_one(Episode, home.episode)
    for number in range(count):
        begins = at_wall_clock(first + timedelta(days=number), time(9), PACIFIC)
        status = VisitStatus.VERIFIED if begins < NOW else VisitStatus.BOOKED
        make_visit(
            work.session, patient, episode, order_id=home.order, clinician_id=home.nurse, status=status,
            starts_at=begins, ends_at=begins + timedelta(minutes=45),
        )  # fmt: skip


def test_one_that_ends_is_brought_up_fourteen_days_before_and_once(home: Home, work_as: WorkAs) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        authorise(work, home, ends_on=date(2026, 11, 30))
    told = []
    for night in [*nights(date(2026, 11, 12), date(2026, 12, 2)), *nights(date(2026, 12, 2), date(2026, 12, 3))]:
        with work_as(now=night) as work:
            heard = listen(work)
            look_after(work, home.branch)
            ours = {row.id for row in book(work, RULE)}
            told += [(night.astimezone(PACIFIC).date(), event.stage) for event in heard if event.deadline_id in ours]
    assert told == [(date(2026, 11, 16), "reminder"), (date(2026, 12, 1), "overdue")]
    with work_as() as work:
        row = one(work, RULE)
        assert (row.due_on, row.owner_role, row.patient_id) == (date(2026, 11, 30), "intake", home.patient)
        assert sentence(row.facts) == (
            "The payer's authorisation of SN visits ends on 2026-11-30: ask for the next, or settle that none is "
            "needed."
        )
        told_of = sa.select(Notice.role).where(Notice.subject == f"deadline:{row.id}")
        assert list(work.session.scalars(told_of.where(Notice.kind == "deadline.reminder"))) == ["intake"]


@pytest.mark.parametrize(("placed", "asked"), [(17, False), (18, True), (20, True)])
def test_the_last_two_visits_are_brought_up_whether_made_or_to_be_made(
    home: Home, work_as: WorkAs, placed: int, asked: bool
) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        authorise(work, home)
        place(work, home, placed)
    for _ in range(2):
        with work_as() as work:
            look_after(work, home.branch)
            rows = book(work, RULE)
            assert [row.facts["left"] for row in rows] == ([20 - placed] if asked else [])
            assert all(row.due_on == date(2026, 11, 23) for row in rows)
            told = work.session.scalars(sa.select(Notice).where(Notice.kind == "deadline.reminder")).all()
            assert len([notice for notice in told if notice.facts["rule"] == RULE]) == len(rows)


def test_more_visits_answer_it_at_once_and_it_comes_back_when_they_are_used(home: Home, work_as: WorkAs) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        row = authorise(work, home)
        place(work, home, 19)
    with work_as() as work:
        look_after(work, home.branch)
        assert one(work, RULE).facts["left"] == 1
    with work_as(home.office(Role.INTAKE)) as work:
        patients.edit_authorisation(work, home.patient, row.id, maximum_visits=24)
        assert one(work, RULE, None).status is SUPERSEDED
    with work_as() as work:
        place(work, home, 3, date(2026, 12, 14))
        look_after(work, home.branch)
        again = one(work, RULE)
        assert (again.facts["maximum"], again.facts["left"]) == (24, 2)


def test_a_successor_answers_it(home: Home, work_as: WorkAs) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        authorise(work, home, ends_on=date(2026, 11, 15))
        assert one(work, RULE).due_on == date(2026, 11, 15)
        authorise(work, home, starts_on=date(2026, 11, 16))
        assert one(work, RULE, None).status is SUPERSEDED
    with work_as() as work:
        look_after(work, home.branch)
        assert book(work, RULE, OPEN) == []


@pytest.mark.parametrize("ended", ["order", "episode", "patient"])
def test_nobody_asks_a_payer_when_care_is_over(home: Home, work_as: WorkAs, ended: str) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        authorise(work, home, ends_on=date(2026, 11, 15))
    with work_as() as work:
        if ended == "order":
            work.session.get_one(Order, home.order).status = OrderStatus.COMPLETED
        elif ended == "episode":
            work.session.get_one(Episode, home.episode).discharged_on = date(2026, 11, 8)
        else:
            work.session.get_one(Patient, home.patient).active = False
        work.session.flush()
        look_after(work, home.branch)
        assert one(work, RULE, None).status is SUPERSEDED


def test_intake_may_say_that_none_is_needed_and_is_not_asked_again(home: Home, work_as: WorkAs) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        authorise(work, home, ends_on=date(2026, 11, 15))
        row = one(work, RULE)
        service.done(work, row.id, "Care ends that week")
    with work_as() as work:
        look_after(work, home.branch)
        assert one(work, RULE, None).status is DONE


def test_a_refusal_names_each_role_once(home: Home, work_as: WorkAs) -> None:
    with work_as(home.office(Role.INTAKE)) as work:
        authorise(work, home, ends_on=date(2026, 11, 15))
        row = one(work, RULE)
    scheduler = home.office(Role.SCHEDULER)
    with work_as(scheduler) as work, pytest.raises(Forbidden) as refusal:
        service.done(work, row.id, "x")
    assert refusal.value.detail == "Only intake or the clinical manager may close this."
    for owner, detail in (
        ("clinical_manager", "Only the clinical manager may close this."),
        ("clinician", "Only the clinician or the clinical manager may close this."),
    ):
        with work_as() as work:
            one(work, RULE).owner_role = owner
        with work_as(scheduler) as work, pytest.raises(Forbidden) as refusal:
            service.waive(work, row.id, DeadlineWaiver.OTHER, "x")
        assert refusal.value.detail == detail
