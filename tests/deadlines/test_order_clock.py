"""The clocks of orders: thirty working days for a signature, the same day after a refusal, and what runs out."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.work import Work
from coordinator.deadlines.remind import look_after
from coordinator.domain import events
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, OrderStatus
from coordinator.orders.model import CarePlan, Order
from coordinator.patients.model import Episode
from tests.builders import make_branch, make_care_plan, make_episode, make_order, make_patient, make_physician
from tests.conftest import NOW, WorkAs
from tests.deadlines.kit import DONE, OPEN, SUPERSEDED, book, listen, nights, one


@dataclass(frozen=True)
class Case:
    branch_id: int
    patient_id: int
    episode_id: int
    plan_id: int


@pytest.fixture
def case(database: Database) -> Case:
    with database.transaction() as session:
        branch = make_branch(session)
        patient = make_patient(session, branch)
        episode = make_episode(session, patient)
        plan = make_care_plan(session, episode, make_physician(session))
        return Case(branch.id, patient.id, episode.id, plan.id)


def _order(work: Work, case: Case, **given: Any) -> Order:
    episode = work.session.get_one(Episode, case.episode_id)
    plan = work.session.get_one(CarePlan, case.plan_id)
    return make_order(work.session, episode, plan, given.pop("discipline", Discipline.PT), **given)


def _verbal(work: Work, case: Case, on: date, **given: Any) -> Order:
    heard_at = datetime(on.year, on.month, on.day, 20, 0, tzinfo=UTC)
    return _order(
        work,
        case,
        status=OrderStatus.ACTIVE_VERBAL,
        verbal_received_at=heard_at,
        responsible_signed_at=heard_at,
        **given,
    )


@pytest.mark.parametrize(
    ("heard_on", "due_on"),
    [(date(2026, 10, 1), date(2026, 11, 13)), (date(2026, 11, 2), date(2026, 12, 17))],
)
def test_a_verbal_order_is_signed_within_thirty_working_days(
    work_as: WorkAs, case: Case, heard_on: date, due_on: date
) -> None:
    """The rule book's examples for California's calendar."""
    with work_as(now=datetime(heard_on.year, heard_on.month, heard_on.day, 21, tzinfo=UTC)) as work:
        order = _verbal(work, case, heard_on)
        work.publish(events.OrderActivated(order.id, verbal=True))
        due = one(work, "ORD-06")
        assert (due.due_on, due.subject, due.patient_id) == (due_on, f"order:{order.id}", case.patient_id)
        assert due.facts["remind_on"] == [(heard_on + timedelta(days=days)).isoformat() for days in (7, 14, 21)]


def test_the_day_of_the_verbal_order_is_the_branchs(work_as: WorkAs, case: Case) -> None:
    """Seven in the evening in California is the next day in London."""
    heard_at = datetime(2026, 11, 3, 3, 0, tzinfo=UTC)
    with work_as(now=heard_at) as work:
        order = _order(work, case, status=OrderStatus.ACTIVE_VERBAL, verbal_received_at=heard_at)
        work.publish(events.OrderActivated(order.id, verbal=True))
        assert one(work, "ORD-06").due_on == date(2026, 12, 17)


def test_reminders_come_on_their_days_once_each_and_the_signature_ends_them(work_as: WorkAs, case: Case) -> None:
    heard_on = date(2026, 10, 19)  # the reminders straddle the change of 1 November
    with work_as(now=datetime(2026, 10, 19, 20, tzinfo=UTC)) as work:
        order_id = _verbal(work, case, heard_on, effective_to=date(2027, 3, 1)).id
        work.publish(events.OrderActivated(order_id, verbal=True))
    told = []
    for night in nights(date(2026, 10, 20), date(2026, 11, 12)):
        for _ in range(2):  # a night that is done twice says nothing new
            with work_as(now=night) as work:
                heard = listen(work)
                look_after(work, case.branch_id)
                told += [(night.date(), event.stage) for event in heard if _rule(work, event) == "ORD-06"]
    assert told == [
        (date(2026, 10, 26), "reminder"),
        (date(2026, 11, 2), "reminder"),
        (date(2026, 11, 9), "reminder"),
    ]
    with work_as() as work:
        order = work.session.get_one(Order, order_id)
        order.status, order.signed_at = OrderStatus.ACTIVE_SIGNED, work.now
        work.publish(events.OrderSigned(order_id, was_live=True))
        assert one(work, "ORD-06", None).status is DONE


def _rule(work: Work, event: events.DeadlineReminded) -> str:
    return next(row.rule for row in book(work) if row.id == event.deadline_id)


def test_nights_that_were_missed_are_made_up_for_once(work_as: WorkAs, case: Case) -> None:
    with work_as(now=datetime(2026, 10, 1, 20, tzinfo=UTC)) as work:
        order = _verbal(work, case, date(2026, 10, 1), effective_to=date(2027, 3, 1))
        work.publish(events.OrderActivated(order.id, verbal=True))
    with work_as(now=datetime(2026, 10, 17, 11, tzinfo=UTC)) as work:  # two reminders lie behind
        heard = listen(work)
        look_after(work, case.branch_id)
        assert [event.stage for event in heard if _rule(work, event) == "ORD-06"] == ["reminder"]
    with work_as(now=datetime(2026, 11, 14, 12, tzinfo=UTC)) as work:  # due on the 13th
        heard = listen(work)
        look_after(work, case.branch_id)
        assert [event.stage for event in heard if _rule(work, event) == "ORD-06"] == ["overdue"]
        look_after(work, case.branch_id)
        assert len([event for event in heard if _rule(work, event) == "ORD-06"]) == 1


def test_a_sent_order_is_chased_and_reminded_of_before_a_visit_needs_it(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        order = _order(
            work, case, status=OrderStatus.SENT_FOR_SIGNATURE, sent_at=NOW, needed_by=date(2026, 11, 14), signed_at=None
        )
        work.publish(events.OrderSent(order.id))
        work.publish(events.OrderSent(order.id))
        chase = one(work, "ORD-06")
        assert chase.facts["remind_on"][0] == "2026-11-12"
        assert chase.facts["how"] == "written"


def test_a_refusal_is_answered_the_same_day_by_sending_anew(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        order = _order(work, case, status=OrderStatus.SENT_FOR_SIGNATURE, sent_at=NOW, signed_at=None)
        work.publish(events.OrderSent(order.id))
        order.status, order.decline_reason = OrderStatus.DECLINED, "frequency_too_high"
        again = _order(work, case, status=OrderStatus.DRAFT, replaces_id=order.id, signed_at=None)
        work.session.flush()
        work.publish(events.OrderDeclined(order.id, again.id))
        assert one(work, "ORD-06", None).status is SUPERSEDED
        task = one(work, "ORD-08")
        assert (task.due_on, task.facts["replacement"], task.facts["reason"]) == (
            date(2026, 11, 9), again.id, "frequency_too_high",
        )  # fmt: skip
        again.status, again.sent_at = OrderStatus.SENT_FOR_SIGNATURE, NOW
        work.publish(events.OrderSent(again.id))
        assert one(work, "ORD-08", None).status is DONE
        assert one(work, "ORD-06").subject == f"order:{again.id}"


@pytest.mark.parametrize(
    ("verbal", "status", "kept"),
    [(True, "expired", OPEN), (True, "void", SUPERSEDED), (False, "expired", SUPERSEDED)],
)
def test_an_order_that_ended_still_owes_the_signature_under_which_care_was_given(
    work_as: WorkAs, case: Case, verbal: bool, status: str, kept: DeadlineStatus
) -> None:
    with work_as() as work:
        if verbal:
            order = _verbal(work, case, date(2026, 11, 9))
            work.publish(events.OrderActivated(order.id, verbal=True))
        else:
            order = _order(work, case, status=OrderStatus.SENT_FOR_SIGNATURE, sent_at=NOW, signed_at=None)
            work.publish(events.OrderSent(order.id))
        order.status = OrderStatus(status)
        work.session.flush()
        work.publish(events.OrderEnded(order.id, status, date(2026, 11, 10)))
        assert one(work, "ORD-06", None).status is kept


@pytest.mark.parametrize("status", [OrderStatus.DRAFT, OrderStatus.VOID])
def test_the_night_forgets_what_was_recalled_or_voided(work_as: WorkAs, case: Case, status: OrderStatus) -> None:
    with work_as() as work:
        order = _order(work, case, status=OrderStatus.SENT_FOR_SIGNATURE, sent_at=NOW, signed_at=None)
        waiting = _order(work, case, status=OrderStatus.SENT_FOR_SIGNATURE, sent_at=NOW, signed_at=None)
        for one_order in (order, waiting):
            work.publish(events.OrderSent(one_order.id))
        order.status = status
        work.session.flush()
        look_after(work, case.branch_id)
        assert one(work, "ORD-06").subject == f"order:{waiting.id}"


def test_a_redraft_that_was_voided_answers_the_refusal(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        order = _order(work, case, status=OrderStatus.DECLINED, signed_at=None)
        redraft = _order(work, case, status=OrderStatus.DRAFT, replaces_id=order.id, signed_at=None)
        work.publish(events.OrderDeclined(order.id, redraft.id))
        look_after(work, case.branch_id)
        assert one(work, "ORD-08").status is OPEN
        redraft.status = OrderStatus.VOID
        work.session.flush()
        look_after(work, case.branch_id)
        assert one(work, "ORD-08", None).status is DONE


def test_an_order_that_runs_out_is_brought_up_until_it_has_a_successor(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        ending = _order(work, case, effective_to=date(2026, 11, 22))
        _order(work, case, discipline=Discipline.SN, effective_to=date(2026, 11, 24))  # fifteen days ahead
        look_after(work, case.branch_id)
        task = one(work, "ORD-01")
        assert (task.subject, task.due_on) == (f"order:{ending.id}", date(2026, 11, 22))
        successor = _order(
            work, case, status=OrderStatus.SENT_FOR_SIGNATURE, sent_at=NOW, signed_at=None,
            effective_from=date(2026, 11, 23), effective_to=date(2027, 1, 1),
        )  # fmt: skip
        work.publish(events.OrderSent(successor.id))
        assert one(work, "ORD-01", None).status is DONE
        look_after(work, case.branch_id)
        assert one(work, "ORD-01", None).status is DONE


def test_another_branchs_orders_are_not_this_nights(work_as: WorkAs, case: Case, database: Database) -> None:
    with database.transaction() as session:
        other = make_branch(session).id
    with work_as() as work:
        _order(work, case, effective_to=date(2026, 11, 12))
        look_after(work, other)
        assert book(work) == []
