"""How orders follow each other and end: superseded in mid-week, discontinued, voided, expired, discharged (ORD-07)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from coordinator.access.proof import Proof
from coordinator.core.audit import verify
from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken
from coordinator.domain.events import OrderEnded, OrderSigned, PatientDischarged
from coordinator.domain.lifecycle import ORDER
from coordinator.domain.vocabulary import Discipline, OrderStatus
from coordinator.jobs.context import JobContext
from coordinator.orders import endings, queries, service, signing
from coordinator.orders.cards import content_hash
from coordinator.orders.model import Order
from coordinator.orders.signing import SignItem
from coordinator.patients.model import Patient
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.orders.conftest import CERTIFICATION_END, WEDNESDAY, Draft, Scene, Sign, get, listen

MONDAY, TUESDAY, SUNDAY = builders.MONDAY, date(2026, 11, 10), date(2026, 11, 15)
ON_WEDNESDAY = NOW + timedelta(days=2)


def _weeks(order: Order) -> list[tuple[date, date, int, int]]:
    return [(week.starts_on, week.ends_on, week.minimum, week.maximum) for week in order.weeks]


# ------------------------------------------------------------------------------------ superseding


def test_a_new_order_in_mid_week_takes_over_from_its_day(verbal: Draft, database) -> None:
    old = verbal(Discipline.SN, "1w3")
    new = verbal(Discipline.SN, "3w2", now=ON_WEDNESDAY, effective_from=WEDNESDAY)
    before, after = get(database, old), get(database, new)
    assert (before.status, before.ended_on) == (OrderStatus.SUPERSEDED, TUESDAY)
    assert before.end_reason == f"superseded by order {new}"
    assert _weeks(before) == [
        (MONDAY, TUESDAY, 0, 1),  # cut, and its floor is gone: no missed visit comes of it (FRQ-07)
        (SUNDAY, date(2026, 11, 21), 0, 1),
        (date(2026, 11, 22), date(2026, 11, 28), 0, 1),
    ]
    assert len(service.weeks_of(before)) == 1
    assert _weeks(after) == [
        (WEDNESDAY, date(2026, 11, 14), 3, 3),
        (SUNDAY, date(2026, 11, 21), 3, 3),
    ]


def test_more_visits_than_days_are_left_are_clipped_in_the_week_of_the_change(verbal: Draft, database) -> None:
    verbal(Discipline.SN, "1w3")
    friday = date(2026, 11, 13)
    new = verbal(Discipline.SN, "5w1", now=NOW + timedelta(days=4), effective_from=friday)
    assert _weeks(get(database, new)) == [(friday, date(2026, 11, 14), 2, 2)]


def test_an_order_that_will_be_superseded_holds_until_then(
    verbal: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    old = verbal(Discipline.SN, "1w5")
    new = verbal(Discipline.SN, "3w2", effective_from=SUNDAY)
    order = get(database, old)
    assert (order.status, order.ends_as) == (OrderStatus.ACTIVE_VERBAL, OrderStatus.SUPERSEDED)
    assert order.ended_on == date(2026, 11, 14)
    assert _weeks(order)[0] == (MONDAY, date(2026, 11, 14), 1, 1)  # a whole week keeps its floor
    with work_as() as work:
        for day, numbers in ((date(2026, 11, 14), [old]), (SUNDAY, [new])):
            found = service.live_orders(work, scene.patient, Discipline.SN, day)
            assert [row.id for row in found] == numbers
        facts = service.order_facts(order, queries.week_on(order, MONDAY))
        assert facts.effective_to == date(2026, 11, 14)
        assert queries.week_on(order, SUNDAY) is None


def test_who_hears_of_a_supersession_hears_from_which_day(
    verbal: Draft, draft: Draft, scene: Scene, work_as: WorkAs
) -> None:
    old, new = verbal(Discipline.SN, "1w5"), draft(Discipline.SN, "3w2", effective_from=SUNDAY)
    with work_as(scene.actor("nurse")) as work:
        heard = listen(work)
        service.take_verbal(
            work, new, received_at=NOW, read_back=True, responsible_clinician_id=scene.nurse_id,
            received_by_clinician_id=scene.nurse_id,
        )  # fmt: skip
        service.sign_receipt(work, new)
    assert heard.of(OrderEnded) == [OrderEnded(order_id=old, status="superseded", from_day=SUNDAY)]


def test_an_order_signed_late_takes_over_when_it_is_signed(verbal: Draft, sent: Draft, sign: Sign, database) -> None:
    old = verbal(Discipline.SN, "2w3")
    new = sent(Discipline.SN, "3w3")
    assert [result.code for result in sign(new, now=ON_WEDNESDAY)] == ["signed"]
    assert get(database, old).ended_on == TUESDAY  # visits of Monday and Tuesday stood on it
    assert _weeks(get(database, new))[0] == (WEDNESDAY, date(2026, 11, 14), 3, 3)


def test_two_scheduled_orders_never_run_side_by_side(verbal: Draft, draft: Draft, scene: Scene, work_as) -> None:
    later = verbal(Discipline.SN, "2w2", effective_from=SUNDAY)
    number = draft(Discipline.SN, "3w4")
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse")) as work:
        service.send(work, number)
    assert [finding.rule for finding in refused.value.findings] == ["ORD-07"]
    assert str(later) in refused.value.detail
    named = draft(Discipline.SN, "3w4", replaces_id=later)
    short = draft(Discipline.SN, "3w1", effective_to=date(2026, 11, 14))
    with work_as(scene.actor("nurse")) as work:
        listen(work)
        service.send(work, named)
        service.send(work, short)


def test_an_order_replaced_before_it_began_never_held(verbal: Draft, database) -> None:
    later = verbal(Discipline.SN, "2w2", effective_from=SUNDAY)
    new = verbal(Discipline.SN, "3w4", replaces_id=later)
    order = get(database, later)
    assert (order.status, order.ends_as) == (OrderStatus.SUPERSEDED, None)
    assert service.weeks_of(order) == []
    assert len(_weeks(get(database, new))) == 4


def test_as_needed_lines_coexist_and_disciplines_do_not_meet(verbal: Draft, database) -> None:
    scheduled = verbal(Discipline.SN, "1w5")
    needed = verbal(Discipline.SN, "2 PRN for dyspnea")
    therapy = verbal(Discipline.MSW, "1w5")
    for number in (scheduled, needed, therapy):
        order = get(database, number)
        assert (order.status, order.ended_on) == (OrderStatus.ACTIVE_VERBAL, None)
    assert get(database, needed).weeks == []


def test_a_frequency_follows_an_evaluation(verbal: Draft, database) -> None:
    evaluation = verbal(Discipline.PT, None, evaluate_and_treat=True)
    verbal(Discipline.PT, "2w4", now=ON_WEDNESDAY, effective_from=WEDNESDAY)
    assert get(database, evaluation).status is OrderStatus.SUPERSEDED


def test_only_the_policy_counts_the_whole_week(verbal: Draft, work_as: WorkAs) -> None:
    number = verbal(Discipline.SN, "3w2", effective_from=WEDNESDAY)
    with work_as() as work:
        from_change = service.count_whole_week(work, work.session.get(Order, number), 1)
    assert from_change is None


def test_two_orders_signed_in_the_same_moment_leave_one_live(
    sent: Draft, sign: Sign, database, scene: Scene, work_as: WorkAs
) -> None:
    numbers = [sent(Discipline.SN, "1w5"), sent(Discipline.SN, "3w5")]
    barrier = threading.Barrier(2)

    def at_once(number: int) -> str:
        barrier.wait()
        return sign(number)[0].code

    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(at_once, numbers))
    assert codes == ["signed", "signed"]
    found = sorted((get(database, number) for number in numbers), key=lambda order: order.status)
    assert [order.status for order in found] == [OrderStatus.ACTIVE_SIGNED, OrderStatus.SUPERSEDED]
    with work_as() as work:
        live = service.live_orders(work, scene.patient, Discipline.SN, WEDNESDAY)
    assert [order.id for order in live] == [found[0].id]


# ------------------------------------------------------------------------------------ discontinuing, voiding


def test_an_order_discontinued_at_noon_allows_nothing_that_afternoon(
    signed: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = signed(Discipline.SN, "2w2")
    with work_as(scene.actor("physician"), now=ON_WEDNESDAY) as work:
        heard = listen(work)
        service.discontinue(work, number, last_day=None, reason="goals met")
    assert heard.events == [OrderEnded(order_id=number, status="discontinued", from_day=WEDNESDAY)]
    order = get(database, number)
    assert (order.status, order.ended_on, order.end_reason) == (OrderStatus.DISCONTINUED, WEDNESDAY, "goals met")
    assert _weeks(order)[0] == (MONDAY, WEDNESDAY, 0, 2)


def test_an_order_discontinued_from_a_day_holds_to_it(signed: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = signed(Discipline.SN, "2w2")
    with work_as(scene.actor("manager")) as work:
        heard = listen(work)
        service.discontinue(work, number, last_day=WEDNESDAY, reason="goals met")
    assert heard.events == [OrderEnded(order_id=number, status="discontinued", from_day=date(2026, 11, 12))]
    assert get(database, number).status is OrderStatus.ACTIVE_SIGNED
    for _ in range(2):
        with work_as(now=ON_WEDNESDAY + timedelta(days=1)) as work:
            heard = listen(work)
            service.expire(work)
            assert heard.events == []  # who had to know was told when it was decided
    assert get(database, number).status is OrderStatus.DISCONTINUED


def test_the_last_day_lies_within_the_order(signed: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = signed()
    for day in (date(2026, 11, 7), date(2026, 12, 25)):
        with pytest.raises(Invalid), work_as(scene.actor("manager")) as work:
            service.discontinue(work, number, last_day=day, reason="x")
    with pytest.raises(Forbidden), work_as(scene.actor("nurse")) as work:
        service.discontinue(work, number, last_day=None, reason="x")


def test_a_live_order_is_voided_by_a_manager_only(signed: Draft, draft: Draft, scene: Scene, work_as, database) -> None:
    live, unsent = signed(Discipline.SN, "2w1"), draft(Discipline.PT)
    with work_as(scene.actor("nurse")) as work:
        service.void(work, unsent, reason="wrong patient")
    with pytest.raises(Forbidden), work_as(scene.actor("nurse")) as work:
        service.void(work, live, reason="wrong patient")
    with work_as(scene.actor("manager")) as work:
        heard = listen(work)
        service.void(work, live, reason="wrong patient")
    assert heard.events == [OrderEnded(order_id=live, status="void", from_day=MONDAY)]
    assert {get(database, number).status for number in (live, unsent)} == {OrderStatus.VOID}
    assert service.weeks_of(get(database, live)) == []


@pytest.mark.parametrize("status", list(OrderStatus))
def test_steps_go_where_the_table_lets_them(
    status: OrderStatus, draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    """Every verb, from every state: it goes through if the table knows the step, and is a conflict if not."""
    wanted = {
        "send": OrderStatus.SENT_FOR_SIGNATURE,
        "recall": OrderStatus.DRAFT,
        "void": OrderStatus.VOID,
        "discontinue": OrderStatus.DISCONTINUED,
    }
    for name, target in wanted.items():
        number = draft(Discipline.MSW)
        with database.transaction() as session:
            session.get(Order, number).status = status
        arguments = {"void": {"reason": "x"}, "discontinue": {"reason": "x", "last_day": None}}.get(name, {})
        allowed = target in ORDER[status] or (name == "send" and status is OrderStatus.ACTIVE_VERBAL)
        actor = scene.actor("intake" if name in ("send", "recall") else "manager")
        if allowed:
            with work_as(actor) as work:
                listen(work)
                getattr(service, name)(work, number, **arguments)
        else:
            with pytest.raises(Conflict) as refused, work_as(actor) as work:
                getattr(service, name)(work, number, **arguments)
            assert refused.value.problem_code == "order-state", name
            assert "; it cannot be" in refused.value.detail, name
            assert "_" not in refused.value.detail, name
            assert get(database, number).status is status


# ------------------------------------------------------------------------------------ by the calendar


def test_orders_end_the_day_after_their_last_and_only_once(
    signed: Draft, verbal: Draft, sent: Draft, work_as: WorkAs, database
) -> None:
    last = date(2026, 11, 14)
    done, spoken = signed(Discipline.SN, "2w1", effective_to=last), verbal(Discipline.MSW, "1w1", effective_to=last)
    unsigned = sent(Discipline.PT, "1w1", effective_to=last)
    going = signed(Discipline.OT, "1w4")
    midnight = datetime(2026, 11, 15, 8, tzinfo=UTC)  # in San Francisco
    with work_as(now=midnight - timedelta(minutes=1)) as work:
        assert service.expire(work) == []
    with work_as(now=midnight) as work:
        heard = listen(work)
        service.expire(work)
        assert heard.events == [
            OrderEnded(order_id=done, status="completed", from_day=SUNDAY),
            OrderEnded(order_id=spoken, status="expired", from_day=SUNDAY),
            OrderEnded(order_id=unsigned, status="expired", from_day=SUNDAY),
        ]
    with work_as(now=midnight) as work:
        heard = listen(work)
        assert service.expire(work) == []
        assert heard.events == []
    assert get(database, going).status is OrderStatus.ACTIVE_SIGNED


def test_the_job_of_a_branch_may_run_twice(signed: Draft, scene: Scene, app, database) -> None:
    number = signed(Discipline.SN, "2w1", effective_to=date(2026, 11, 14))
    workshop = app.extensions["workshop"]
    later = type(workshop)(**{**vars(workshop), "now": lambda: datetime(2026, 11, 15, 9, tzinfo=UTC)})
    for _ in range(2):
        context = JobContext(workshop=later, name="orders.expire", key="k")
        workshop.jobs["orders.expire"](context, {"branch_id": scene.branch, "slot": "2026-11-15T00:20"})
    assert get(database, number).status is OrderStatus.COMPLETED
    with database.transaction(write=False) as session:
        assert verify(session).ok


def test_a_verbal_order_owes_its_signature_after_its_days(
    verbal: Draft, scene: Scene, work_as: WorkAs, app, database
) -> None:
    number = verbal(Discipline.SN, "2w1", effective_to=date(2026, 11, 14))
    later = datetime(2026, 11, 20, 17, tzinfo=UTC)
    with work_as(now=later) as work:
        listen(work)
        service.expire(work)
    with work_as(scene.actor("physician"), now=later) as work:
        heard = listen(work)
        (card,) = signing.queue(work)
        assert (card.order.id, card.order.status) == (number, OrderStatus.EXPIRED)
        signing.mark_reviewed(work, number, card.version)
        item = SignItem(number, card.version, content_hash(card.order))
        (result,) = signing.sign_batch(work, app.extensions["doorman"], [item], Proof(builders.PASSWORD))
        assert result.signed
        assert heard.events == [OrderSigned(order_id=number, was_live=True)]
        assert signing.queue(work) == []
    order = get(database, number)
    assert (order.status, order.signed_at) == (OrderStatus.EXPIRED, later)  # signed for what was given, not revived


def test_a_discharge_leaves_no_order_behind(
    signed: Draft, sent: Draft, draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    live, waiting, unsent = signed(Discipline.SN, "2w4"), sent(Discipline.PT), draft(Discipline.OT)
    event = PatientDischarged(patient_id=scene.patient, episode_id=scene.episode, on=WEDNESDAY, reason="goals_met")
    with work_as(scene.actor("manager"), now=ON_WEDNESDAY) as work:
        heard = listen(work)
        endings.end_for_discharge(work, event)
        assert heard.events == [OrderEnded(order_id=live, status="discontinued", from_day=date(2026, 11, 12))]
    assert get(database, live).ended_on == WEDNESDAY
    assert [get(database, number).status for number in (waiting, unsent)] == [OrderStatus.VOID, OrderStatus.VOID]


def test_after_a_death_nothing_is_given_that_day(signed: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    live = signed(Discipline.SN, "2w4")
    with database.transaction() as session:
        session.get(Patient, scene.patient).deceased_on = WEDNESDAY
    event = PatientDischarged(patient_id=scene.patient, episode_id=scene.episode, on=WEDNESDAY, reason="died")
    with work_as(scene.actor("manager"), now=ON_WEDNESDAY) as work:
        listen(work)
        endings.end_for_discharge(work, event)
    order = get(database, live)
    assert (order.status, order.ended_on) == (OrderStatus.DISCONTINUED, TUESDAY)


def test_weeks_end_with_the_certification(signed: Draft, database) -> None:
    order = get(database, signed(Discipline.SN, "1w9"))
    assert order.effective_to == CERTIFICATION_END
    assert _weeks(order)[-1] == (date(2026, 12, 20), CERTIFICATION_END, 1, 1)
    assert len(order.weeks) == 7
