"""What becomes of a visit: begun, finished, missed, made up, withdrawn; and what is still owed of its order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken
from coordinator.domain.events import (
    EpisodeHeld,
    EpisodeResumed,
    MissedVisitDecided,
    OrderDeclined,
    OrderEnded,
    PatientDischarged,
    ReferralAccepted,
    VisitMissed,
)
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.vocabulary import (
    Discipline,
    EvvMethod,
    MissedDecision,
    MissedReason,
    OrderStatus,
    OvertimeProfile,
    Payer,
    Performer,
    Programme,
    VisitKind,
    VisitStatus,
    WaiveReason,
)
from coordinator.jobs.context import JobContext
from coordinator.orders.model import Order, OrderWeek
from coordinator.patients.model import Episode
from coordinator.staff.model import Clinician, Credential
from coordinator.teams.model import CareTeamMember
from coordinator.visits import demand, doing, missed, roster, service, supervision, weeks
from coordinator.visits.model import EvvCorrection, Visit
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.visits.conftest import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    NEXT_WEEK,
    SATURDAY,
    THIS_WEEK,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    OrderMaker,
    Scene,
    local,
    make_another_patient,
)

Wanted = Callable[..., list[int]]
Row = Callable[[int], Visit]
Columns = Callable[[int], list[tuple[int, int, int, int]]]
Book = Callable[..., None]
HOME = {"lat": 37.76, "lon": -122.43}


@pytest.fixture
def book(scene: Scene, work_as: WorkAs) -> Book:
    def assign(number: int, starts_at, who: str = "nurse", *, now=NOW) -> None:
        with work_as(scene.actor("scheduler"), now=now) as work:
            service.assign(work, number, scene[who], starts_at)

    return assign


@pytest.fixture
def make(scene: Scene, work_as: WorkAs, book: Book) -> Book:
    """Book the visit, begin it at its hour and finish it 40 minutes later."""

    def visit(number: int, starts_at, who: str = "nurse") -> None:
        book(number, starts_at, who)
        with work_as(scene.actor(who), now=starts_at) as work:
            doing.start(work, number, starts_at, HOME, over_handoff=StartOverHandoff.TOLD_IN_PERSON)
        with work_as(scene.actor(who), now=starts_at + timedelta(minutes=40)) as work:
            doing.finish(work, number, starts_at + timedelta(minutes=40))

    return visit


def heard(work, kind: type) -> list:
    """What is published of that kind in this work, for the test to look at; others still answer."""
    found: list = []
    work.handlers = {**work.handlers, kind: (*work.handlers.get(kind, ()), lambda _work, event: found.append(event))}
    return found


# ------------------------------------------------------------------------------------ made


def test_beginning_and_ending_capture_the_six_elements(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, row: Row, columns: Columns
) -> None:
    order = ordered()
    number = wanted(order)[0]
    make(number, local(TUESDAY, 9))
    visit = row(number)
    assert visit.status is VisitStatus.COMPLETED
    assert (visit.actual_start_at, visit.actual_end_at) == (local(TUESDAY, 9), local(TUESDAY, 9, 40))
    assert (visit.service_code, visit.start_lat, visit.evv_method) == ("G0299", 37.76, EvvMethod.MOBILE)
    assert visit.hold_bill == []
    assert columns(order)[0] == (0, 1, 0, 1)


@pytest.mark.example("COD-01", 2)
def test_an_assistants_visit_has_the_assistants_code() -> None:
    programme = Programme.MEDICARE_HH
    assert doing.service_code(Performer.PTA, VisitKind.ROUTINE, programme) == "G0157"
    assert doing.service_code(Performer.PT, VisitKind.ROUTINE, programme) == "G0151"


@pytest.mark.example("COD-01", 1)
def test_the_performer_decides_the_code(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, row: Row
) -> None:
    number = wanted(ordered())[0]
    make(number, local(TUESDAY, 9), "vocational")
    assert row(number).service_code == "G0300"


def test_a_telephone_may_say_the_same_twice_and_not_something_else(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, work_as: WorkAs, row: Row
) -> None:
    number = wanted(ordered())[0]
    make(number, local(TUESDAY, 9))
    version = row(number).version
    later = local(TUESDAY, 18)
    with work_as(scene.actor("nurse"), now=later) as work:
        assert doing.start(work, number, local(TUESDAY, 9), HOME).version == version
        assert doing.finish(work, number, local(TUESDAY, 9, 40)).version == version
    with pytest.raises(Conflict) as refused, work_as(scene.actor("nurse"), now=later) as work:
        doing.start(work, number, local(TUESDAY, 9, 5), HOME)
    assert refused.value.problem_code == "already-started"
    with pytest.raises(Conflict) as refused, work_as(scene.actor("nurse"), now=later) as work:
        doing.finish(work, number, local(TUESDAY, 9, 45))
    assert refused.value.problem_code == "already-finished"


def test_another_clinicians_visit_sounds_like_none(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs
) -> None:
    first, second = wanted(ordered())[:2]
    book(first, local(TUESDAY, 9))
    book(second, local(THURSDAY, 9), "other_nurse")
    with pytest.raises(NotFound), work_as(scene.actor("other_nurse"), now=local(TUESDAY, 9)) as work:
        doing.start(work, first, local(TUESDAY, 9))


def test_a_visit_is_not_begun_before_its_window_nor_on_another_day(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs
) -> None:
    number = wanted(ordered())[2]  # the first of next week
    book(number, local(NEXT_MONDAY, 9))
    with pytest.raises(Conflict) as refused, work_as(scene.actor("nurse"), now=local(FRIDAY, 9)) as work:
        doing.start(work, number, local(FRIDAY, 9))
    assert refused.value.problem_code == "too-early"
    with pytest.raises(Conflict) as refused, work_as(scene.actor("nurse"), now=local(date(2026, 11, 18), 9)) as work:
        doing.start(work, number, local(date(2026, 11, 18), 9))
    assert refused.value.problem_code == "not-the-booked-day"
    with pytest.raises(Invalid), work_as(scene.actor("nurse"), now=local(NEXT_MONDAY, 8)) as work:
        doing.start(work, number, local(NEXT_MONDAY, 9))


def test_an_order_that_ended_at_noon_stops_the_visit_at_three(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs
) -> None:
    order = ordered(Discipline.PT)
    number = wanted(order)[0]
    book(number, local(TUESDAY, 15), "therapist")
    with work_as(now=local(TUESDAY, 12)) as work:
        ended = work.session.get_one(Order, order)
        ended.status, ended.ended_on = OrderStatus.DISCONTINUED, TUESDAY
        work.session.flush()
        demand.withdraw_for_order(work, OrderEnded(order, "discontinued", WEDNESDAY))
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("therapist"), now=local(TUESDAY, 15)) as work:
        doing.start(work, number, local(TUESDAY, 15), HOME)
    assert refused.value.problem_code == "order-not-active"


def test_a_licence_that_expired_since_the_booking_stops_the_visit(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    book(number, local(TUESDAY, 9))
    with database.transaction() as session:
        session.execute(sa.update(Credential).where(Credential.clinician_id == scene["nurse"]).values(status="revoked"))
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse"), now=local(TUESDAY, 9)) as work:
        doing.start(work, number, local(TUESDAY, 9), HOME)
    assert refused.value.problem_code == "qualification-missing"


def test_a_medi_cal_visit_without_a_code_is_held_and_far_away_is_remarked(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, database: Database, row: Row
) -> None:
    with database.transaction() as session:
        episode = session.get_one(Episode, scene.episode)
        episode.programme, episode.payer = Programme.MEDI_CAL_HH, Payer.MEDI_CAL
        patient = session.get_one(builders.Patient, scene.patient)
        patient.coverages.append(builders.Coverage(payer=Payer.MEDI_CAL, starts_on=date(2020, 1, 1)))
    number = wanted(ordered())[0]
    book(number, local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9)) as work:
        doing.start(work, number, local(TUESDAY, 9), {"lat": 37.80, "lon": -122.40})
        work.session.get_one(Visit, number).service_code = ""
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 18)) as work:
        doing.finish(work, number, local(TUESDAY, 18))
    assert "EVV-01" in row(number).hold_bill
    assert "EVV-04" in row(number).warnings  # nine hours, and three miles from the home


def test_a_correction_keeps_the_original_and_the_reason(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, work_as: WorkAs, database: Database, row: Row
) -> None:
    number = wanted(ordered())[0]
    make(number, local(TUESDAY, 9))
    with work_as(scene.actor("manager"), now=local(WEDNESDAY, 9)) as work:
        doing.correct_evv(work, number, "actual_end_at", local(TUESDAY, 10).isoformat(), "The telephone was flat.")
    assert row(number).actual_end_at == local(TUESDAY, 10)
    with database.transaction(write=False) as session:
        kept = session.scalars(sa.select(EvvCorrection)).one()
    assert (kept.original, kept.reason) == (local(TUESDAY, 9, 40).isoformat(), "The telephone was flat.")
    with pytest.raises(RuleBroken), work_as(scene.actor("manager"), now=local(WEDNESDAY, 9)) as work:
        doing.correct_evv(work, number, "actual_end_at", local(TUESDAY, 8).isoformat(), "wrong")


def test_a_note_is_signed_and_the_office_stands_for_it(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, work_as: WorkAs, row: Row
) -> None:
    number = wanted(ordered())[0]
    make(number, local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 10)) as work:
        doing.note(work, number)
    with work_as(scene.actor("manager"), now=local(TUESDAY, 11)) as work:
        doing.verify(work, number)
    assert row(number).status is VisitStatus.VERIFIED


def test_the_first_visit_begins_care(scene: Scene, work_as: WorkAs, database: Database, row: Row) -> None:
    with database.transaction() as session:
        branch = session.get_one(builders.Branch, scene.branch)
        patient = builders.make_patient(session, branch)
        episode = builders.make_episode(session, patient, soc=None, accepted_at=NOW - timedelta(hours=3))
        patient_id, episode_id = patient.id, episode.id
    due = NOW + timedelta(hours=45)
    with work_as() as work:
        demand.raise_initial(work, ReferralAccepted(referral_id=1, patient_id=patient_id, due_at=due))
        visit = work.session.scalars(sa.select(Visit).where(Visit.patient_id == patient_id)).one()
        number = visit.id
        assert (visit.kind, visit.minutes, visit.due_at) == (VisitKind.INITIAL, 90, due)
        assert (visit.window_from, visit.window_to) == (MONDAY, WEDNESDAY)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["vocational"], local(TUESDAY, 9))
    assert refused.value.problem_code == "qualification-missing"
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9)) as work:
        doing.start(work, number, local(TUESDAY, 9), HOME)
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 11)) as work:
        doing.finish(work, number, local(TUESDAY, 10, 30))
    with database.transaction(write=False) as session:
        assert session.get_one(Episode, episode_id).soc_date == TUESDAY


def test_a_first_visit_that_is_ordered_for_a_day_is_wanted_on_that_day(
    scene: Scene, work_as: WorkAs, database: Database
) -> None:
    with database.transaction() as session:
        patient = builders.make_patient(session, session.get_one(builders.Branch, scene.branch))
        builders.make_episode(session, patient, soc=None, ordered_soc_date=WEDNESDAY)
        patient_id = patient.id
    midnight_after = local(WEDNESDAY + timedelta(days=1), 0)
    with work_as() as work:
        demand.raise_initial(work, ReferralAccepted(referral_id=1, patient_id=patient_id, due_at=midnight_after))
        visit = work.session.scalars(sa.select(Visit).where(Visit.patient_id == patient_id)).one()
        assert (visit.window_from, visit.window_to) == (WEDNESDAY, WEDNESDAY)


def test_a_first_visit_that_is_missed_is_wanted_again_and_may_come_late(
    scene: Scene, work_as: WorkAs, database: Database
) -> None:
    with database.transaction() as session:
        patient = builders.make_patient(session, session.get_one(builders.Branch, scene.branch))
        builders.make_episode(session, patient, soc=None)
        patient_id = patient.id
    with work_as() as work:
        event = ReferralAccepted(referral_id=1, patient_id=patient_id, due_at=NOW + timedelta(hours=24))
        demand.raise_initial(work, event)
        number = work.session.scalars(sa.select(Visit.id).where(Visit.patient_id == patient_id)).one()
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 7))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9)) as work:
        missed.miss(work, number, MissedReason.NOT_HOME_NOT_FOUND, "nobody answered", clinical_impact=True)
    with work_as(scene.actor("scheduler"), now=local(TUESDAY, 9)) as work:
        again = work.session.scalars(sa.select(Visit).where(Visit.replaces_id == number)).one()
        late = service.assign(work, again.id, scene["nurse"], local(WEDNESDAY, 9))
        assert late.warnings == ["REF-02"]


# ------------------------------------------------------------------------------------ missed and decided


def test_a_missed_visit_is_owed_until_the_practitioner_has_decided(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, columns: Columns, row: Row
) -> None:
    order = ordered()
    number = wanted(order)[0]
    book(number, local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9, 20)) as work:
        told = heard(work, VisitMissed)
        missed.miss(work, number, MissedReason.PATIENT_REFUSED, "asleep", clinical_impact=True)
        assert told == [VisitMissed(number, "patient_refused")]
    assert columns(order)[0] == (0, 0, 0, 2)
    with work_as(scene.actor("physician"), now=local(TUESDAY, 12)) as work:
        assert [visit.id for visit in work.session.scalars(missed.decisions_queue(work))] == [number]
        told = heard(work, MissedVisitDecided)
        missed.decide(work, number, MissedDecision.SKIP, "stable")
        assert told == [MissedVisitDecided(number, "skip")]
    assert columns(order)[0] == (0, 0, 1, 1)
    assert row(number).waive_reason is WaiveReason.PRACTITIONER_SKIP
    with work_as(scene.actor("physician"), now=local(TUESDAY, 12)) as work:
        assert list(work.session.scalars(missed.decisions_queue(work))) == []


@pytest.mark.parametrize("reason", [MissedReason.NOT_HOME_NOT_FOUND, MissedReason.UNSAFE_CONDITIONS])
def test_what_is_found_at_the_door_is_not_known_before(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, reason: MissedReason
) -> None:
    number, other = wanted(ordered())[:2]
    book(number, local(TUESDAY, 9))
    with pytest.raises(Conflict) as refused, work_as(scene.actor("nurse"), now=local(TUESDAY, 8, 59)) as work:
        missed.miss(work, number, reason)
    assert refused.value.problem_code == "visit-not-due"
    assert "begins on 2026-11-10 at 09:00" in refused.value.detail
    assert {"patient_refused", "staff_illness", "interpreter_unavailable"} < set(refused.value.extra["reasons"])
    with pytest.raises(Conflict) as unplaced, work_as(scene.actor("scheduler"), now=local(TUESDAY, 8)) as work:
        missed.miss(work, other, reason)
    assert unplaced.value.problem_code == "visit-not-due"
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9)) as work:
        assert missed.miss(work, number, reason).status is VisitStatus.MISSED


def test_whoever_is_on_the_way_may_find_nobody_before_the_hour(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    book(number, local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 8, 50)) as work:
        doing.en_route(work, number)
        assert missed.miss(work, number, MissedReason.NOT_HOME_NOT_FOUND).status is VisitStatus.MISSED


def test_a_visit_is_refused_ahead_of_its_hour(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    book(number, local(TUESDAY, 9))
    with work_as(scene.actor("scheduler")) as work:
        assert missed.miss(work, number, MissedReason.PATIENT_CANCELLED).status is VisitStatus.MISSED


def test_within_its_week_a_missed_visit_is_made_up_by_a_new_one_in_its_place(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, columns: Columns, row: Row
) -> None:
    order = ordered()
    number = wanted(order)[0]
    book(number, local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 9, 20)) as work:
        missed.miss(work, number, MissedReason.PATIENT_REFUSED)
    with work_as(scene.actor("physician"), now=local(WEDNESDAY, 8)) as work:
        missed.decide(work, number, MissedDecision.MAKE_UP)
    fresh = [row(other) for other in wanted(order) if row(other).replaces_id == number]
    assert [(visit.unit, visit.window_from, visit.window_to) for visit in fresh] == [(1, WEDNESDAY, SATURDAY)]
    assert row(number).is_current is False
    assert columns(order)[0] == (0, 0, 0, 2)


def test_after_its_week_a_made_up_visit_uses_the_next_weeks_allowance(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, work_as: WorkAs, columns: Columns, row: Row
) -> None:
    """FRQ-06: 2w4, Thursday's cancelled and seen on Monday: one missed in week A, one left in week B."""
    order = ordered(Discipline.SN)
    first, second, third, fourth = wanted(order)
    make(first, local(TUESDAY, 9))
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        told = heard(work, VisitMissed)
        assert weeks.close_week(work, scene.branch, SATURDAY) == 1
        assert told == [VisitMissed(second, "week_closed")]
    assert columns(order) == [(0, 1, 0, 1), (0, 0, 0, 2)]
    make_third = local(NEXT_MONDAY, 9)
    with work_as(scene.actor("scheduler"), now=local(date(2026, 11, 15), 9)) as work:
        service.assign(work, third, scene["nurse"], make_third)
    with work_as(scene.actor("physician"), now=local(date(2026, 11, 15), 10)) as work:
        missed.decide(work, second, MissedDecision.MAKE_UP)
    assert row(second).waive_reason is WaiveReason.MADE_UP_ELSEWHERE
    assert columns(order) == [(0, 1, 1, 0), (1, 0, 0, 1)]
    assert wanted(order) == [fourth]


def test_with_no_later_visit_to_stand_for_it_making_up_needs_an_order(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, columns: Columns
) -> None:
    order = ordered(weeks=((*THIS_WEEK, 1, 1),))
    number = wanted(order)[0]
    with work_as(now=local(NEXT_MONDAY, 1)) as work:
        weeks.close_week(work, scene.branch, SATURDAY)
    with (
        pytest.raises(Conflict, match="needs an order") as refused,
        work_as(scene.actor("physician"), now=local(NEXT_MONDAY, 9)) as work,
    ):
        missed.decide(work, number, MissedDecision.MAKE_UP)
    assert refused.value.problem_code == "frequency-exceeded"
    assert columns(order) == [(0, 0, 0, 1)]


def test_only_the_patients_own_practitioner_decides(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    book(number, local(TUESDAY, 9))
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 10)) as work:
        missed.miss(work, number, MissedReason.PATIENT_REFUSED)
    with pytest.raises(NotFound), work_as(scene.actor("colleague"), now=local(TUESDAY, 12)) as work:
        missed.decide(work, number, MissedDecision.SKIP)
    with pytest.raises(Forbidden), work_as(scene.actor("manager"), now=local(TUESDAY, 12)) as work:
        missed.decide(work, number, MissedDecision.SKIP)
    with work_as(scene.actor("physician"), now=local(TUESDAY, 12)) as work:
        missed.decide(work, number, MissedDecision.SKIP)
    with pytest.raises(Conflict), work_as(scene.actor("physician"), now=local(TUESDAY, 12)) as work:
        missed.decide(work, number, MissedDecision.MAKE_UP)


# ------------------------------------------------------------------------------------ the week closes


@pytest.mark.parametrize(("made", "misses"), [(0, 1), (1, 0), (2, 0)])
def test_a_range_is_met_at_its_floor(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, work_as: WorkAs, columns: Columns,
    made: int, misses: int,
) -> None:  # fmt: skip
    order = ordered(weeks=((*THIS_WEEK, 1, 2),))
    for number, day in list(zip(wanted(order), (TUESDAY, THURSDAY), strict=True))[:made]:
        make(number, local(day, 9))
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        weeks.close_week(work, scene.branch, SATURDAY)
    assert columns(order) == [(0, made, 2 - made - misses, misses)]


def test_an_optional_visit_that_was_made_counts_for_the_floor(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, work_as: WorkAs, columns: Columns
) -> None:
    order = ordered(weeks=((*THIS_WEEK, 1, 2),))
    make(wanted(order)[1], local(TUESDAY, 9))
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        weeks.close_week(work, scene.branch, SATURDAY)
    assert columns(order) == [(0, 1, 1, 0)]


def test_closing_twice_changes_nothing_and_an_open_week_is_not_closed(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs, columns: Columns
) -> None:
    order = ordered()
    with pytest.raises(Conflict), work_as(now=local(SATURDAY, 23, 59)) as work:
        weeks.close_week(work, scene.branch, SATURDAY)
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        assert weeks.close_week(work, scene.branch, SATURDAY) == 1
        assert weeks.close_week(work, scene.branch, SATURDAY) == 0
    assert columns(order) == [(0, 0, 0, 2), (0, 0, 0, 2)]


def test_a_visit_made_out_of_reach_and_reported_after_the_close_is_made_after_all(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, columns: Columns, row: Row
) -> None:
    order = ordered(weeks=((*THIS_WEEK, 1, 1),))
    number = wanted(order)[0]
    book(number, local(SATURDAY, 17))
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        weeks.close_week(work, scene.branch, SATURDAY)
    assert columns(order) == [(0, 0, 0, 1)]
    reached = local(date(2026, 11, 15), 8)
    for _ in range(2):  # and the telephone says it twice
        with work_as(scene.actor("nurse"), now=reached) as work:
            begun = doing.start(work, number, local(SATURDAY, 17, 5), HOME)
            assert begun.replaces_id == number
        with work_as(scene.actor("nurse"), now=reached) as work:
            doing.finish(work, number, local(SATURDAY, 17, 50))
    assert columns(order) == [(0, 1, 0, 0)]
    with work_as(scene.actor("physician"), now=reached) as work:
        assert list(work.session.scalars(missed.decisions_queue(work))) == []


# ------------------------------------------------------------------------------------ orders end


def test_an_order_that_ends_takes_its_later_visits_with_it(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, book: Book, work_as: WorkAs, columns: Columns,
    row: Row,
) -> None:  # fmt: skip
    order = ordered()
    first, second, third, fourth = wanted(order)
    make(first, local(TUESDAY, 9))
    book(second, local(FRIDAY, 9), now=local(TUESDAY, 12))
    book(third, local(NEXT_MONDAY, 9), now=local(TUESDAY, 12))
    with work_as(now=local(WEDNESDAY, 12)) as work:
        ended = work.session.get_one(Order, order)
        ended.status, ended.ended_on = OrderStatus.DISCONTINUED, WEDNESDAY
        work.session.flush()
        demand.withdraw_for_order(work, OrderEnded(order, "discontinued", THURSDAY))
    assert columns(order) == [(0, 1, 1, 0), (0, 0, 2, 0)]
    assert [row(number).waive_reason for number in (second, third, fourth)] == [WaiveReason.ORDER_ENDED] * 3
    assert row(second).status is VisitStatus.CANCELLED


def test_a_week_cut_short_by_the_next_order_has_no_floor(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, columns: Columns
) -> None:
    order = ordered(weeks=((*THIS_WEEK, 1, 1),))
    with work_as(now=local(MONDAY, 12)) as work:
        ended = work.session.get_one(Order, order)
        ended.status, ended.ended_on = OrderStatus.SUPERSEDED, TUESDAY
        ended.weeks[0].ends_on, ended.weeks[0].minimum = TUESDAY, 0
        work.session.flush()
        demand.withdraw_for_order(work, OrderEnded(order, "superseded", WEDNESDAY))
    assert columns(order) == [(0, 0, 0, 1)]  # Tuesday may still be used
    with work_as(scene.actor("scheduler"), now=local(MONDAY, 13)) as work:
        assert service.ask_about(work, wanted(order)[0], scene["nurse"], local(TUESDAY, 9)).possible
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        told = heard(work, VisitMissed)
        weeks.close_week(work, scene.branch, SATURDAY)
        assert told == []


def test_a_refused_verbal_order_holds_the_bill_of_what_was_made(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, book: Book, work_as: WorkAs, columns: Columns,
    row: Row,
) -> None:  # fmt: skip
    order = ordered(status=OrderStatus.ACTIVE_VERBAL, verbal_received_at=NOW)
    first, second, *_ = wanted(order)
    make(first, local(TUESDAY, 9))
    book(second, local(FRIDAY, 9), now=local(TUESDAY, 12))
    with work_as(now=local(WEDNESDAY, 12)) as work:
        refused = work.session.get_one(Order, order)
        refused.status, refused.ended_on = OrderStatus.DECLINED, TUESDAY
        work.session.flush()
        demand.decline(work, OrderDeclined(order, replacement_id=order))
    assert row(first).hold_bill == ["ORD-06", "ORD-08"]
    assert columns(order) == [(0, 1, 1, 0), (0, 0, 2, 0)]


def test_a_slot_held_for_a_refused_order_waits_for_its_redraft(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs, row: Row
) -> None:
    order = ordered(weeks=(), status=OrderStatus.SENT_FOR_SIGNATURE)
    redraft = ordered(weeks=(), status=OrderStatus.DRAFT, replaces_id=order)
    with work_as(scene.actor("scheduler")) as work:
        held = service.hold(work, order_id=order, clinician_id=scene["nurse"], starts_at=local(FRIDAY, 9)).id
    with work_as() as work:
        work.session.get_one(Order, order).status = OrderStatus.DECLINED
        work.session.flush()
        demand.decline(work, OrderDeclined(order, replacement_id=redraft))
    assert (row(held).order_id, row(held).status) == (redraft, VisitStatus.PENDING)


def test_visits_rest_while_the_patient_is_in_hospital_and_resumption_comes_first(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, columns: Columns, row: Row,
    database: Database,
) -> None:  # fmt: skip
    order = ordered(weeks=((*THIS_WEEK, 2, 2), (*NEXT_WEEK, 1, 1)))
    first, second, third = wanted(order)
    book(first, local(WEDNESDAY, 9))
    with work_as(now=local(TUESDAY, 9)) as work:
        episode = work.session.get_one(Episode, scene.episode)
        episode.on_hold_since = local(TUESDAY, 8)
        demand.rest(work, EpisodeHeld(scene.patient, scene.episode, local(TUESDAY, 8)))
    assert {row(number).status for number in (first, second, third)} == {VisitStatus.ON_HOLD}
    with work_as(now=local(date(2026, 11, 15), 0, 30)) as work:
        told = heard(work, VisitMissed)
        weeks.close_week(work, scene.branch, SATURDAY)
        assert told == []
    assert columns(order) == [(0, 0, 2, 0), (0, 0, 0, 1)]
    back = local(NEXT_MONDAY, 15)
    with work_as(now=back) as work:
        work.session.get_one(Episode, scene.episode).on_hold_since = None
        work.session.flush()
        demand.wake(work, EpisodeResumed(scene.patient, scene.episode))
    assert (row(third).kind, row(third).due_at) == (VisitKind.RESUMPTION, back + timedelta(hours=48))


def test_after_a_discharge_nothing_is_owed(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, book: Book, work_as: WorkAs, columns: Columns
) -> None:
    order = ordered()
    first, second, *_ = wanted(order)
    make(first, local(TUESDAY, 9))
    book(second, local(FRIDAY, 9), now=local(TUESDAY, 12))
    with work_as(now=local(WEDNESDAY, 12)) as work:
        work.session.get_one(Episode, scene.episode).discharged_on = WEDNESDAY
        work.session.flush()
        demand.end_with_episode(work, PatientDischarged(scene.patient, scene.episode, WEDNESDAY, "goals_met"))
    assert columns(order) == [(0, 1, 1, 0), (0, 0, 2, 0)]


def test_cancelling_gives_the_unit_back_until_the_order_has_ended(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, work_as: WorkAs, columns: Columns, row: Row
) -> None:
    order = ordered()
    number = wanted(order)[0]
    book(number, local(FRIDAY, 9))
    with work_as(scene.actor("scheduler")) as work:
        service.cancel(work, number, "family-away")
    assert (row(number).status, row(number).is_current) == (VisitStatus.CANCELLED, False)
    fresh = next(other for other in wanted(order) if row(other).replaces_id == number)
    assert columns(order)[0] == (0, 0, 0, 2)
    book(fresh, local(FRIDAY, 9))
    with work_as() as work:
        ended = work.session.get_one(Order, order)
        ended.status, ended.ended_on = OrderStatus.DISCONTINUED, WEDNESDAY
    with work_as(scene.actor("scheduler")) as work:
        service.cancel(work, fresh, "order-ended")
    assert row(fresh).waive_reason is WaiveReason.ORDER_ENDED
    assert columns(order)[0] == (0, 0, 1, 1)


# ------------------------------------------------------------------------------------ as needed


def test_as_needed_visits_name_their_reason_and_end_with_their_limit(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, columns: Columns, row: Row, book: Book,
    make: Book,
) -> None:  # fmt: skip
    order = ordered(weeks=((*THIS_WEEK, 1, 1),), prn_limit=2, prn_signs="weight gain over 3 lb a day")
    make(wanted(order)[0], local(MONDAY, 9))
    with pytest.raises(Invalid), work_as(scene.actor("nurse")) as work:
        demand.request_prn(work, order, "  ")
    asked = []
    for _ in range(2):
        with work_as(scene.actor("nurse")) as work:
            asked.append(demand.request_prn(work, order, "4 lb since yesterday").id)
    assert [row(number).prn_number for number in asked] == [1, 2]
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse")) as work:
        demand.request_prn(work, order, "5 lb")
    assert refused.value.problem_code == "prn-limit-reached"
    make(asked[0], local(TUESDAY, 9))
    assert columns(order) == [(0, 1, 0, 0)]  # as-needed visits fill nothing
    with work_as(scene.actor("scheduler")) as work:  # one that is given up frees its place
        service.cancel(work, asked[1], "better")
    with work_as(scene.actor("nurse"), now=local(TUESDAY, 12)) as work:
        demand.request_prn(work, order, "5 lb")


def test_more_of_what_is_ordered_needs_an_order(scene: Scene, ordered: OrderMaker, work_as: WorkAs) -> None:
    order = ordered()
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        demand.request_visit(work, scene.patient, order, kind=VisitKind.ROUTINE)
    assert refused.value.problem_code == "frequency-exceeded"
    with work_as(scene.actor("scheduler")) as work:
        asked = demand.request_visit(work, scene.patient, kind=VisitKind.SUPERVISION)
        assert asked.order_id is None


# ------------------------------------------------------------------------------------ roster and supervision


def test_a_roster_shows_what_is_booked_in_order_with_what_is_needed_at_the_door(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, book: Book, make: Book, work_as: WorkAs, database: Database
) -> None:
    _, episode, plan = make_another_patient(database, scene)
    own, others = wanted(ordered()), wanted(ordered(episode_id=episode, plan_id=plan))
    make(own[0], local(MONDAY, 9), "other_nurse")
    book(own[1], local(TUESDAY, 11))
    book(others[0], local(TUESDAY, 9))
    with work_as(scene.actor("scheduler")) as work:
        service.hold(work, others[2], clinician_id=scene["nurse"], starts_at=local(NEXT_MONDAY, 9))
    with work_as(scene.actor("nurse")) as work:
        found = roster.roster(work, scene["nurse"], TUESDAY)
        assert [entry.visit.id for entry in found.entries] == [others[0], own[1]]
        assert found.entries[1].order_line == "SN 2w2, signed"
        assert found.entries[1].last_clinician_id == scene["other_nurse"]
        assert found.entries[1].service_code == "G0299"
        assert roster.roster(work, scene["nurse"], NEXT_MONDAY).entries == []
        before = found.fingerprint
    with pytest.raises(NotFound), work_as(scene.actor("nurse")) as work:
        roster.roster(work, scene["other_nurse"], TUESDAY)
    with work_as(scene.actor("scheduler")) as work:
        service.move(work, own[1], starts_at=local(TUESDAY, 13))
        assert roster.roster(work, scene["nurse"], TUESDAY).fingerprint != before
    with database.transaction(write=False) as session:
        read = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "roster.read")).all()
    assert scene.patient in {line.patient_id for line in read}


def test_the_day_of_the_clock_change_has_twenty_five_hours(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, row: Row
) -> None:
    """2026-11-01: 01:30 comes twice, and the visit at 23:00 is still on that day's roster."""
    sunday = date(2026, 11, 1)
    order = ordered(
        weeks=((sunday, date(2026, 11, 7), 3, 3),), effective_from=sunday, visits_per_day=3, frequency="3w1"
    )
    numbers = wanted(order)
    before = local(date(2026, 10, 31), 12)
    times = [local(sunday, 0, 30), local(sunday, 9), local(sunday, 23)]
    with work_as() as work:
        # Nobody is planned for so long a day but who is owed no overtime.
        work.session.get_one(Clinician, scene["nurse"]).ot_profile = OvertimeProfile.EXEMPT
    assert (times[1] - times[0]) == timedelta(hours=9, minutes=30)
    for number, at in zip(numbers, times, strict=True):
        with work_as(scene.actor("scheduler"), now=before) as work:
            service.assign(work, number, scene["nurse"], at)
    with work_as(scene.actor("nurse"), now=before) as work:
        found = roster.roster(work, scene["nurse"], sunday)
        assert [entry.visit.id for entry in found.entries] == numbers
        assert roster.roster(work, scene["nurse"], date(2026, 11, 2)).entries == []


def test_aides_are_supervised_by_those_who_may_and_by_video_once(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs
) -> None:
    ordered()
    put_into_team(scene, work_as)
    with pytest.raises(Forbidden), work_as(scene.actor("vocational")) as work:
        supervision.record(work, scene.patient, supervised_on=MONDAY)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("manager")) as work:
        supervision.record(work, scene.patient, supervised_on=MONDAY, supervisor_id=scene["vocational"])
    assert [finding.rule for finding in refused.value.findings] == ["SUP-01"]
    with work_as(scene.actor("manager")) as work:
        supervision.record(
            work, scene.patient, supervised_on=MONDAY, method="virtual", virtual_reason="flood",
            supervisor_id=scene["nurse"], aide_id=scene["aide"],
        )  # fmt: skip
    for method in ("virtual", "telephone"):
        with pytest.raises(RuleBroken), work_as(scene.actor("manager")) as work:
            supervision.record(
                work, scene.patient, supervised_on=MONDAY, method=method, virtual_reason="again",
                supervisor_id=scene["nurse"],
            )  # fmt: skip
    with pytest.raises(Invalid), work_as(scene.actor("manager")) as work:
        supervision.record(
            work, scene.patient, supervised_on=MONDAY, supervisor_id=scene["nurse"], aide_id=scene["nurse"]
        )


def put_into_team(scene: Scene, work_as: WorkAs) -> None:
    """Put the vocational nurse into the care team, so that the refusal is about the profession."""
    with work_as() as work:
        work.session.add(
            CareTeamMember(
                patient_id=scene.patient, clinician_id=scene["vocational"], role="nurse", starts_on=date(2026, 1, 1)
            )
        )


def test_a_virtual_supervision_says_why(scene: Scene, work_as: WorkAs) -> None:
    with pytest.raises(Invalid), work_as(scene.actor("manager")) as work:
        supervision.record(work, scene.patient, supervised_on=MONDAY, method="virtual", supervisor_id=scene["nurse"])


def test_a_therapists_reassessment_restarts_the_clock(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, book: Book, work_as: WorkAs, row: Row
) -> None:
    evaluation, second, *_ = wanted(ordered(Discipline.PT))
    make(evaluation, local(TUESDAY, 9), "therapist")
    book(second, local(THURSDAY, 9), "therapist", now=local(TUESDAY, 12))
    with work_as(scene.actor("therapist"), now=local(THURSDAY, 9)) as work:
        doing.start(work, second, local(THURSDAY, 9), HOME)
    with work_as(scene.actor("therapist"), now=local(THURSDAY, 10)) as work:
        doing.finish(work, second, local(THURSDAY, 10), reassessed=True)
    assert row(second).kind is VisitKind.REASSESSMENT


def test_an_assistant_treats_only_after_the_evaluation(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Book, book: Book, row: Row
) -> None:
    evaluation, second, *_ = wanted(ordered(Discipline.PT, responsible_clinician_id=scene["therapist"]))
    with pytest.raises(RuleBroken) as refused:
        book(second, local(THURSDAY, 9), "assistant")
    assert refused.value.problem_code == "assistant-not-allowed"
    make(evaluation, local(TUESDAY, 9), "therapist")
    book(second, local(THURSDAY, 9), "assistant", now=local(TUESDAY, 12))
    assert row(second).status is VisitStatus.BOOKED


def test_the_weeks_job_closes_what_ended_before_its_slot(
    app, scene: Scene, ordered: OrderMaker, database: Database
) -> None:
    order = ordered()
    slot = local(date(2026, 11, 15), 0, 30)
    workshop = app.extensions["workshop"]
    context = JobContext(workshop=replace(workshop, now=lambda: slot), name="visits.close-week", key="week-close#1")
    for _ in range(2):
        weeks.close_week_job(context, {"branch_id": scene.branch, "slot": slot.isoformat()})
    with database.transaction(write=False) as session:
        closed = session.scalars(sa.select(OrderWeek.closed_at).where(OrderWeek.order_id == order)).all()
    assert sorted(at is not None for at in closed) == [False, True]
