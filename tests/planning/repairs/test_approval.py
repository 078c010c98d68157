"""What approval does besides moving visits: the event itself, what stays behind, and who has to know."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.errors import Conflict, Forbidden
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import OrderStatus, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.notify.model import Notice
from coordinator.orders.model import Order
from coordinator.planning.model import RosterVersion
from coordinator.planning.repairs import approval, calls, service
from coordinator.planning.repairs.model import Repair
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, MONDAY, TestAgency
from tests.planning.repairs.conftest import AWAY, ELEVEN, NINE, ONE, SIX, Propose, booked, change_of, rows

Improve = Callable[[Repair, Any], None]


@pytest.fixture
def improve(app: Coordinator) -> Improve:
    """The job that looks for a better repair, done here by a searcher of the test's."""

    def done(repair: Repair, searcher: Any) -> None:
        workshop = replace(app.extensions["workshop"], now=lambda: SIX)
        context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(repair.id))
        service.improve(context, repair.id, searcher)

    return done


# ------------------------------------------------------------------------------------ the longer search


def test_a_search_that_finds_nothing_better_leaves_the_version_that_was_read(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any, improve: Improve
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id}, seconds=1)
    searches = repair.result["searches"]
    improve(repair, lambda search, _look: replace(search, seconds=None, scale=0.05, seed=1).run())
    with work_as(scheduler, now=SIX) as work:
        after = service.get(work, repair.id)
        assert (after.version, after.searching) == (repair.version, False)
        assert after.result["searches"] >= searches
        approval.approve(work, after.id, repair.version)


def test_a_better_proposal_is_a_new_version(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any, improve: Improve
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id}, seconds=1)
    with work_as(scheduler, now=SIX) as work:
        row = service.get(work, repair.id)
        row.result = row.result | {"cost": row.result["cost"] | {"total": 10**9}}
    version = row.version
    improve(repair, lambda search, _look: replace(search, seconds=None, scale=0.05).run())
    with work_as(scheduler, now=SIX) as work:
        after = service.get(work, repair.id)
        assert after.version > version
        assert not after.searching


def test_a_repair_whose_worker_was_lost_is_not_searched_for_for_ever(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    lost = [propose("absence", AWAY | {"clinician_id": ill.id}, seconds=60) for _ in range(service.MOST_SEARCHING)]
    assert all(repair.searching for repair in lost)
    soon, late = SIX + timedelta(minutes=10, seconds=30), SIX + timedelta(minutes=11)
    assert service.is_searching(lost[0], soon)
    assert not service.is_searching(lost[0], late)
    assert not propose("absence", AWAY | {"clinician_id": ill.id}, seconds=60, now=soon).searching
    assert propose("absence", AWAY | {"clinician_id": ill.id}, seconds=60, now=late).searching


# ------------------------------------------------------------------------------------ some patients only


def test_the_event_itself_is_done_with_its_visit_whoever_is_named(
    agency: TestAgency, propose: Propose, work_as: WorkAs, manager: Any
) -> None:
    """A day comes free: another visit takes it, and only that one's patient is named."""
    nurse = agency.hire(max_visits_per_day=1)
    person = agency.admit(visits=1)
    visit = booked(agency, person, nurse, NINE, told_patient_at=EVE)
    waits = agency.admit(visits=1)
    waits.visits[0].window_from = waits.visits[0].window_to = MONDAY
    repair = propose("hospital", {"patient_id": person.patient.id})
    assert change_of(repair, waits.visits[0]).change == "added"
    with work_as(manager, now=SIX) as work:
        done = approval.approve(work, repair.id, repair.version, [waits.patient.id])
        assert change_of(done, visit).approved
        messages = {m["visit"] for call in calls.calls(work, done.id) for m in call["messages"]}
        assert visit.id in messages
    assert rows(agency)[visit.id].status is VisitStatus.ON_HOLD


def test_a_cancellation_is_on_the_roster_and_told_though_only_another_patient_is_named(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire(max_visits_per_day=1)
    person = agency.admit(visits=1)
    visit = booked(agency, person, nurse, NINE, told_patient_at=EVE)
    waits = agency.admit(visits=1)
    waits.visits[0].window_from = waits.visits[0].window_to = MONDAY
    repair = propose("cancelled", {"visit_id": visit.id})
    assert change_of(repair, waits.visits[0]).change == "added"
    with work_as(scheduler, now=SIX) as work:
        done = approval.approve(work, repair.id, repair.version, [waits.patient.id])
        assert change_of(done, visit).approved
        told = {call["patient_id"] for call in calls.calls(work, done.id)}
        assert person.patient.id in told
    days = set(agency.session.execute(sa.select(RosterVersion.clinician_id, RosterVersion.day)).all())
    assert (nurse.id, MONDAY) in days


def test_a_cancelled_visit_that_nobody_wants_any_more_is_told_as_cancelled(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    """Its order was ended between proposal and approval."""
    nurse = agency.hire()
    person = agency.admit(visits=1)
    visit = booked(agency, person, nurse, NINE, told_patient_at=EVE)
    repair = propose("cancelled", {"visit_id": visit.id})
    assert change_of(repair, visit).change == "moved"
    order = agency.session.get_one(Order, person.order.id)
    order.status = OrderStatus.DISCONTINUED
    order.ended_on = date(2026, 11, 8)
    agency.session.commit()
    with work_as(scheduler, now=SIX) as work:
        done = approval.approve(work, repair.id, repair.version)
        change = change_of(done, visit)
        assert (change.change, change.clinician_id, change.approved) == ("cancelled", None, True)
        assert (done.result["counts"]["cancelled"], done.result["counts"]["moved"]) == (1, 0)
        (told, *_) = calls.calls(work, done.id)
        assert [message["kind"] for message in told["messages"]] == ["visit-cancelled"]
    assert [row.status for row in rows(agency).values()] == [VisitStatus.CANCELLED]


def test_visits_that_stay_with_whoever_is_away_are_listed_until_they_are_asked_for_again(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    one, two = agency.admit(visits=1), agency.admit(visits=1)
    booked(agency, one, ill, NINE)
    left = booked(agency, two, ill, ONE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with work_as(scheduler, now=SIX) as work:
        assert approval.remaining(work, service.get(work, repair.id)) == []
        done = approval.approve(work, repair.id, repair.version, [one.patient.id])
        assert approval.remaining(work, done) == [{"visit": left.id, "clinician_id": ill.id, "starts_at": ONE}]
    again = propose("absence", AWAY | {"clinician_id": ill.id})
    assert [change.visit_id for change in again.changes] == [left.id]
    with work_as(scheduler, now=SIX) as work:
        approval.approve(work, again.id, again.version)
        assert approval.remaining(work, service.get(work, repair.id)) == []


# ------------------------------------------------------------------------------------ a visit that runs long

TWENTY_PAST = NINE + timedelta(minutes=20)


def test_a_visit_that_runs_long_lasts_longer_once_that_is_approved(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    begun = {"status": VisitStatus.IN_PROGRESS, "actual_start_at": NINE}
    long = booked(agency, agency.admit(visits=1), nurse, NINE, **begun)
    soon = booked(agency, agency.admit(visits=1), nurse, ELEVEN)
    repair = propose("overrun", {"visit_id": long.id, "minutes": 90}, now=TWENTY_PAST)
    assert service.needs(repair) == ("repair:decide", "visit:assign", "visit:confirm")
    with work_as(scheduler, now=TWENTY_PAST) as work:
        approval.approve(work, repair.id, repair.version)
    now = rows(agency)
    ends = NINE + timedelta(minutes=45 + 90)
    assert now[long.id].ends_at == ends
    assert now[soon.id].starts_at >= ends
    wanted = agency.admit(visits=1).visits[0]
    limit = NINE + timedelta(hours=8)
    later = propose("urgent", {"visit_id": wanted.id, "latest_at": limit}, now=TWENTY_PAST)
    assert change_of(later, wanted).starts_at >= ends


def test_a_visit_that_runs_long_takes_nobodys_time_unasked(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    begun = {"status": VisitStatus.IN_PROGRESS, "actual_start_at": NINE}
    long = booked(agency, agency.admit(visits=1), nurse, NINE, **begun)
    first = booked(agency, agency.admit(visits=1), nurse, NINE + timedelta(hours=1))
    second = booked(agency, agency.admit(visits=1), nurse, ELEVEN)
    repair = propose("overrun", {"visit_id": long.id, "minutes": 150}, now=TWENTY_PAST)
    assert {change.visit_id for change in repair.changes} == {first.id, second.id}
    with pytest.raises(Conflict) as refused, work_as(scheduler, now=TWENTY_PAST) as work:
        approval.approve(work, repair.id, repair.version, [first.patient_id])
    assert refused.value.problem_code == "overrun-in-the-way"
    assert refused.value.extra["blocking"] == [{"visit": second.id}]
    assert rows(agency)[first.id].starts_at == NINE + timedelta(hours=1)


def test_a_visit_that_runs_into_a_pinned_one_lasts_until_there(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    begun = {"status": VisitStatus.IN_PROGRESS, "actual_start_at": NINE}
    long = booked(agency, agency.admit(visits=1), nurse, NINE, **begun)
    pinned = booked(agency, agency.admit(visits=1), nurse, ELEVEN, locked=True)
    repair = propose("overrun", {"visit_id": long.id, "minutes": 120}, now=TWENTY_PAST)
    assert change_of(repair, pinned).change == "decide"
    with work_as(scheduler, now=TWENTY_PAST) as work:
        approval.approve(work, repair.id, repair.version)
    assert rows(agency)[long.id].ends_at == ELEVEN


# ------------------------------------------------------------------------------------ who has to know


def test_who_may_hold_an_episode_is_told_that_a_repair_waits_for_them(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any, manager: Any
) -> None:
    person = agency.admit(visits=1)
    booked(agency, person, agency.hire(), NINE)
    repair = propose("hospital", {"patient_id": person.patient.id})
    waiting = sa.select(Notice.role, Notice.subject, Notice.read_at).where(Notice.kind == "repair.waits")
    assert agency.session.execute(waiting).all() == [("clinical_manager", f"repair:{repair.id}", None)]
    agency.session.commit()
    with pytest.raises(Forbidden), work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    with work_as(manager, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    assert [row.read_at for row in agency.session.execute(waiting)] == [SIX]


def test_a_repair_that_is_rejected_waits_for_nobody(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any, manager: Any
) -> None:
    person = agency.admit(visits=1)
    booked(agency, person, agency.hire(), NINE)
    repair = propose("hospital", {"patient_id": person.patient.id})
    with work_as(scheduler, now=SIX) as work:
        approval.reject(work, repair.id, repair.version)
    own = propose("hospital", {"patient_id": person.patient.id}, actor=manager)
    told = agency.session.execute(sa.select(Notice.subject, Notice.read_at).where(Notice.kind == "repair.waits")).all()
    assert told == [(f"repair:{repair.id}", SIX)]
    assert own.id != repair.id
