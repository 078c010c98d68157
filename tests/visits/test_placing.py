"""Giving a visit its person and its hour: nobody is booked twice, and the rules are asked at every door."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coordinator.access.model import Override
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, NotFound, RuleBroken, StaleVersion
from coordinator.domain.events import OrderActivated
from coordinator.domain.vocabulary import Discipline, OrderStatus, OvertimeProfile, VisitKind, VisitStatus
from coordinator.orders.model import Order, OrderWeek
from coordinator.patients.model import Home, Patient
from coordinator.staff.model import Clinician, Credential, TimeOff
from coordinator.visits import demand, queries, service
from coordinator.visits.model import Visit
from tests.conftest import NOW, WorkAs
from tests.visits.conftest import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    THIS_WEEK,
    TUESDAY,
    WEDNESDAY,
    OrderMaker,
    Scene,
    local,
    make_another_patient,
)

Wanted = Callable[..., list[int]]
Row = Callable[[int], Visit]


def test_an_order_raises_its_visits_with_window_length_and_floor(ordered: OrderMaker, wanted: Wanted, row: Row) -> None:
    order = ordered(weeks=((*THIS_WEEK, 1, 2),))
    first, second = (row(number) for number in wanted(order))
    assert (first.window_from, first.window_to, first.minutes) == (*THIS_WEEK, 45)
    assert (first.unit, first.is_optional) == (1, False)
    assert (second.unit, second.is_optional) == (2, True)


def test_raising_twice_adds_nothing(ordered: OrderMaker, wanted: Wanted, work_as: WorkAs) -> None:
    order = ordered()
    with work_as() as work:
        demand.raise_from_order(work, OrderActivated(order_id=order, verbal=True))
    assert len(wanted(order)) == 4


def test_the_first_visit_of_a_therapy_is_its_evaluation(ordered: OrderMaker, wanted: Wanted, row: Row) -> None:
    order = ordered(Discipline.PT)
    assert [row(number).kind for number in wanted(order)] == [
        VisitKind.EVALUATION, VisitKind.ROUTINE, VisitKind.ROUTINE, VisitKind.ROUTINE,
    ]  # fmt: skip


def test_assigning_books_the_visit_for_clinician_and_hour(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    visit = row(number)
    assert visit.status is VisitStatus.BOOKED
    assert (visit.clinician_id, visit.starts_at) == (scene["nurse"], local(TUESDAY, 9))
    assert visit.ends_at == local(TUESDAY, 9, 45)
    assert visit.published_at == NOW


def test_a_change_leaves_a_line_without_names(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    with database.transaction(write=False) as session:
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "visit.booked")).one()
    assert (line.subject, line.patient_id) == (f"visit:{number}", scene.patient)
    assert line.facts == {"clinician": scene["nurse"], "moved": False}


def test_an_hour_of_a_clinician_is_given_once(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    first = wanted(ordered())[0]
    _, episode, plan = make_another_patient(database, scene)
    second = wanted(ordered(episode_id=episode, plan_id=plan))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, first, scene["nurse"], local(TUESDAY, 9))
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["nurse"], local(TUESDAY, 9, 30))
    assert refused.value.problem_code == "double-booking"
    assert refused.value.extra["blocking"] == [
        {
            "visit": first,
            "clinician": scene["nurse"],
            "busy": "clinician",
            "starts_at": local(TUESDAY, 9).isoformat(),
            "ends_at": local(TUESDAY, 9, 45).isoformat(),
        }
    ]
    assert refused.value.detail == (
        f"The clinician has another visit then (visit {first}, 09:00 to 09:45). "
        "Choose another time or another clinician."
    )


def test_a_patient_is_not_visited_by_two_at_once(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    nursing, aide = wanted(ordered())[0], wanted(ordered(Discipline.HHA))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, nursing, scene["nurse"], local(TUESDAY, 9))
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, aide, scene["aide"], local(TUESDAY, 9, 30))
    assert refused.value.problem_code == "double-booking"
    assert [entry["busy"] for entry in refused.value.extra["blocking"]] == ["patient"]
    assert refused.value.detail == (
        f"The patient has another visit then (visit {nursing}, 09:00 to 09:45). "
        "Choose another time, or record a joint visit."
    )
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, aide, scene["aide"], local(TUESDAY, 10))


def test_both_calendars_are_named_apart(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    nursing, therapy = wanted(ordered())[0], wanted(ordered(Discipline.PT))[0]
    _, episode, plan = make_another_patient(database, scene)
    elsewhere = wanted(ordered(Discipline.PT, episode_id=episode, plan_id=plan))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, nursing, scene["nurse"], local(TUESDAY, 9))
        service.assign(work, elsewhere, scene["therapist"], local(TUESDAY, 9))
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, therapy, scene["therapist"], local(TUESDAY, 9, 30))
    assert {entry["visit"]: entry["busy"] for entry in refused.value.extra["blocking"]} == {
        nursing: "patient", elsewhere: "clinician",
    }  # fmt: skip
    assert f"The clinician has another visit then (visit {elsewhere}, 09:00 to" in refused.value.detail
    assert f"The patient has another visit then (visit {nursing}, 09:00 to 09:45)" in refused.value.detail


def test_the_databases_own_refusal_is_a_double_booking_too(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the check before had not seen the winner, who committed in between."""
    nursing, aide = wanted(ordered())[0], wanted(ordered(Discipline.HHA))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, nursing, scene["nurse"], local(TUESDAY, 9))
    seen = queries.in_the_way
    calls = []

    def blind_once(*args, **kwargs):
        calls.append(args)
        return [] if len(calls) == 1 else seen(*args, **kwargs)

    monkeypatch.setattr(queries, "in_the_way", blind_once)
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, aide, scene["aide"], local(TUESDAY, 9, 30))
    assert refused.value.problem_code == "double-booking"
    assert [entry["visit"] for entry in refused.value.extra["blocking"]] == [nursing]


def test_a_slot_for_an_unsigned_order_is_held_and_not_booked(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    order = ordered(Discipline.PT, weeks=(), status=OrderStatus.SENT_FOR_SIGNATURE)
    with work_as(scene.actor("scheduler")) as work:
        held = service.hold(work, order_id=order, clinician_id=scene["therapist"], starts_at=local(WEDNESDAY, 9)).id
    assert row(held).status is VisitStatus.PENDING
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.confirm(work, held)
    assert refused.value.problem_code == "order-not-active"
    assert "ORD-01" in {finding.rule for finding in refused.value.findings}


def test_a_held_slot_becomes_one_of_the_orders_visits_when_it_is_signed(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row, columns
) -> None:
    order = ordered(Discipline.PT, weeks=(), status=OrderStatus.SENT_FOR_SIGNATURE)
    with work_as(scene.actor("scheduler")) as work:
        held = service.hold(work, order_id=order, clinician_id=scene["therapist"], starts_at=local(WEDNESDAY, 9)).id
    with work_as() as work:
        signed = work.session.get_one(Order, order)
        signed.status, signed.signed_at = OrderStatus.ACTIVE_SIGNED, NOW
        signed.weeks = [_week(1, *THIS_WEEK, 2, 2)]
        work.session.flush()
        demand.raise_from_order(work, OrderActivated(order_id=order, verbal=False))
    assert (row(held).unit, row(held).kind) == (1, VisitKind.EVALUATION)
    assert columns(order) == [(1, 0, 0, 1)]
    with work_as(scene.actor("scheduler")) as work:
        service.confirm(work, held)
    assert row(held).status is VisitStatus.BOOKED


def test_more_held_slots_than_the_order_gives_are_let_go(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs, row: Row, columns
) -> None:
    order = ordered(weeks=(), status=OrderStatus.SENT_FOR_SIGNATURE, frequency="3w1")
    with work_as(scene.actor("scheduler")) as work:
        held = [
            service.hold(work, order_id=order, clinician_id=scene["nurse"], starts_at=local(day, 9)).id
            for day in (TUESDAY, WEDNESDAY, FRIDAY)
        ]
    with work_as() as work:
        signed = work.session.get_one(Order, order)
        signed.status, signed.signed_at = OrderStatus.ACTIVE_SIGNED, NOW
        signed.weeks = [_week(1, *THIS_WEEK, 2, 2)]
        work.session.flush()
        demand.raise_from_order(work, OrderActivated(order_id=order, verbal=False))
    assert [row(number).unit for number in held] == [1, 2, None]
    assert row(held[2]).status is VisitStatus.CANCELLED
    assert columns(order) == [(2, 0, 0, 0)]


def _week(number: int, first: date, last: date, low: int, high: int):
    return OrderWeek(number=number, starts_on=first, ends_on=last, minimum=low, maximum=high)


def test_moving_within_the_week_is_a_reschedule(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    with work_as(scene.actor("scheduler")) as work:
        service.move(work, number, scene["other_nurse"], local(FRIDAY, 10))
    assert (row(number).clinician_id, row(number).starts_at) == (scene["other_nurse"], local(FRIDAY, 10))


def test_moving_into_another_order_week_is_refused_and_explained(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.move(work, number, starts_at=local(NEXT_MONDAY, 9))
    assert refused.value.problem_code == "frequency-exceeded"
    assert [finding.rule for finding in refused.value.findings] == ["FRQ-06", "ASM-03"]


def test_every_finding_is_in_the_refusal(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    with database.transaction() as session:
        session.execute(
            sa.update(Credential).where(Credential.clinician_id == scene["nurse"]).values(expires_on=date(2026, 11, 1))
        )
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    assert {"CRD-01", "CRD-02"} <= {finding.rule for finding in refused.value.findings}
    assert refused.value.problem_code == "qualification-missing"


def test_a_manager_sets_a_rule_aside_and_says_why(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    reason = {"reason_code": "supervised", "text": "The wound nurse is on the telephone."}
    with pytest.raises(Forbidden), work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9), override=reason)
    with work_as(scene.actor("manager")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9), override=reason)
    with database.transaction(write=False) as session:
        kept = session.scalars(sa.select(Override)).one()
    assert (kept.rule, kept.reason_code, kept.visit_id) == ("CRD-02", "supervised", number)


def test_nobody_sets_aside_what_only_an_order_can_change(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    order = ordered()
    number = wanted(order)[0]
    with database.transaction() as session:
        session.get_one(Order, order).status = OrderStatus.DISCONTINUED
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("manager")) as work:
        service.assign(
            work, number, scene["nurse"], local(TUESDAY, 9), override={"reason_code": "x", "text": "I insist."}
        )
    assert refused.value.problem_code == "order-not-active"
    assert refused.value.extra["overridable"] is False


def test_there_is_time_to_drive_between_two_homes(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    first = wanted(ordered())[0]
    patient, episode, plan = make_another_patient(database, scene)
    with database.transaction() as session:  # the other side of town, some twenty minutes away
        home = session.scalars(sa.select(Home).where(Home.patient_id == patient)).one()
        home.lat, home.lon = 37.72, -122.49
    second = wanted(ordered(episode_id=episode, plan_id=plan))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, first, scene["nurse"], local(TUESDAY, 9))
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["nurse"], local(TUESDAY, 9, 50))
    assert (refused.value.problem_code, refused.value.status) == ("travel-infeasible", 409)
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["nurse"], local(TUESDAY, 11))


def test_a_second_visit_on_the_same_day_needs_a_reason(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    first, second = wanted(ordered())[:2]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, first, scene["nurse"], local(TUESDAY, 9))
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["other_nurse"], local(TUESDAY, 14))
    assert refused.value.problem_code == "frequency-exceeded"
    assert refused.value.extra["overridable"] is True


def test_nursing_and_aide_minutes_count_together_and_split_at_midnight(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    """Nurse 60 and aide 419 fit into a day of 479 minutes; one minute more does not; half of a night is tomorrow's."""
    nursing, aide = wanted(ordered(visit_minutes=60))[0], wanted(ordered(Discipline.HHA, visit_minutes=420))[0]
    with work_as() as work:
        # A single visit of seven hours leaves no room for a meal: here somebody makes it who is owed none.
        work.session.get_one(Clinician, scene["aide"]).ot_profile = OvertimeProfile.EXEMPT
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, nursing, scene["nurse"], local(TUESDAY, 8))
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, aide, scene["aide"], local(TUESDAY, 12))
    assert refused.value.problem_code == "intermittent-limit"
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, aide, scene["aide"], local(TUESDAY, 12), 419)
    with work_as(scene.actor("scheduler")) as work:
        late = service.move(work, aide, starts_at=local(TUESDAY, 20), minutes=420)  # 240 today, 180 tomorrow
        assert late.ends_at == local(WEDNESDAY, 3)


def test_a_locked_visit_stays(scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
        service.lock(work, number)
    for change in (
        lambda work: service.move(work, number, starts_at=local(FRIDAY, 9)),
        lambda work: service.unassign(work, number),
        lambda work: service.cancel(work, number, "away"),
    ):
        with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
            change(work)
        assert refused.value.problem_code == "visit-locked"
    with work_as(scene.actor("scheduler")) as work:
        service.unlock(work, number)
        service.unassign(work, number)
    assert (row(number).status, row(number).clinician_id) == (VisitStatus.PROPOSED, None)


def test_a_clinician_on_leave_is_not_booked(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    with database.transaction() as session:
        session.add(
            TimeOff(
                clinician_id=scene["nurse"], starts_at=local(TUESDAY, 0), ends_at=local(WEDNESDAY, 0), reason="leave"
            )
        )
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    assert refused.value.problem_code == "clinician-unavailable"


def test_outside_working_hours_is_said_and_allowed(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 19))
    assert row(number).warnings == ["ASM-03", "outside-hours"]


def test_another_branch_does_not_see_the_visit(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    with pytest.raises(NotFound), work_as(scene.actor("elsewhere")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))


def test_a_day_that_is_over_takes_no_visit(scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs) -> None:
    number = wanted(ordered())[0]
    with (
        pytest.raises(Conflict) as refused,
        work_as(scene.actor("scheduler"), now=local(WEDNESDAY, 8)) as work,
    ):
        service.assign(work, number, scene["nurse"], local(MONDAY, 9))
    assert refused.value.problem_code == "day-over"


def test_asking_changes_nothing(scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row) -> None:
    first, second = wanted(ordered())[:2]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, first, scene["nurse"], local(TUESDAY, 9))
    version = row(second).version
    with work_as(scene.actor("scheduler")) as work:
        answer = service.ask_about(work, second, scene["nurse"], local(TUESDAY, 9, 15))
    assert not answer.possible
    assert [entry["visit"] for entry in answer.blocking] == [first]
    assert "FRQ-03" in {finding.rule for finding in answer.findings}
    with work_as(scene.actor("scheduler")) as work:
        assert service.ask_about(work, second, scene["nurse"], local(FRIDAY, 9)).possible
    assert row(second).version == version


# ------------------------------------------------------------------------------------ two people


def test_two_go_together_the_second_within_the_firsts_time(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row, columns
) -> None:
    order = ordered(two_person=True, weeks=((*THIS_WEEK, 1, 1),))
    lead, second = wanted(order)[0], wanted(order, joint=True)[0]
    assert row(second).joint_with_id == lead
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["other_nurse"], local(TUESDAY, 9))
    assert refused.value.problem_code == "companion-without-lead"
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, lead, scene["nurse"], local(TUESDAY, 9))
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["other_nurse"], local(TUESDAY, 9, 30))
    assert refused.value.problem_code == "companion-outside-lead"
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["other_nurse"], local(TUESDAY, 9))
    assert columns(order) == [(1, 0, 0, 0)]
    with pytest.raises(Conflict), work_as(scene.actor("scheduler")) as work:
        service.move(work, second, scene["nurse"])  # nobody is two people
    with work_as(scene.actor("scheduler")) as work:
        service.move(work, lead, starts_at=local(FRIDAY, 9))
    assert row(second).status is VisitStatus.PROPOSED
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["other_nurse"], local(FRIDAY, 9))
        service.cancel(work, lead, "patient-away")
    assert row(second).status is VisitStatus.CANCELLED
    assert row(wanted(order, joint=True)[0]).joint_with_id == wanted(order)[0]
    assert columns(order) == [(0, 0, 0, 1)]


# ------------------------------------------------------------------------------------ a whole plan at once


def _request(row: Row, number: int, clinician: int, starts_at) -> service.BookRequest:
    visit = row(number)
    return service.BookRequest(
        number, visit.version, clinician, starts_at, starts_at + timedelta(minutes=visit.minutes)
    )


def test_a_plan_is_booked_at_once_and_visits_may_trade_places(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    first, second = wanted(ordered())[:2]
    with work_as(scene.actor("scheduler")) as work:
        service.book_many(
            work,
            [
                _request(row, first, scene["nurse"], local(TUESDAY, 9)),
                _request(row, second, scene["nurse"], local(FRIDAY, 9)),
            ],
        )
    with work_as(scene.actor("scheduler"), now=NOW + timedelta(hours=1)) as work:
        booked = service.book_many(
            work,
            [
                _request(row, first, scene["nurse"], local(FRIDAY, 9)),
                _request(row, second, scene["nurse"], local(TUESDAY, 9)),
            ],
        )
        assert {visit.published_at for visit in booked} == {NOW + timedelta(hours=1)}
    assert (row(first).starts_at, row(second).starts_at) == (local(FRIDAY, 9), local(TUESDAY, 9))


def test_one_broken_rule_refuses_the_whole_plan_and_names_the_visit(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    """Each alone would do; together they are two on one day."""
    first, second = wanted(ordered())[:2]
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.book_many(
            work,
            [
                _request(row, first, scene["nurse"], local(TUESDAY, 9)),
                _request(row, second, scene["other_nurse"], local(TUESDAY, 14)),
            ],
        )
    assert {entry["visit"] for entry in refused.value.extra["visits"]} == {first, second}
    assert row(first).status is VisitStatus.PROPOSED


def test_a_plan_made_from_what_has_changed_since_is_refused(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    first, second = wanted(ordered())[:2]
    plan = [
        _request(row, first, scene["nurse"], local(TUESDAY, 9)),
        _request(row, second, scene["nurse"], local(FRIDAY, 9)),
    ]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, second, scene["other_nurse"], local(WEDNESDAY, 9))
    with pytest.raises(StaleVersion) as refused, work_as(scene.actor("scheduler")) as work:
        service.book_many(work, plan)
    assert refused.value.extra["visits"] == [second]
    assert row(first).status is VisitStatus.PROPOSED


def test_the_patient_is_only_visited_while_a_patient(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    with database.transaction() as session:
        session.get_one(Patient, scene.patient).active = False
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    assert refused.value.problem_code == "patient-not-active"
