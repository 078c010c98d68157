"""Clocks become demand: an obligation rides on a visit that is wanted anyway, is planned and closes with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.http import Coordinator
from coordinator.deadlines.book import open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import VisitCompleted
from coordinator.domain.timeline import at_wall_clock, local_day
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, Performer, Role, RunStatus, VisitKind, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.orders.model import CarePlan
from coordinator.planning import clocks, publication, service
from coordinator.planning.horizon import Horizon
from coordinator.planning.model import PlanRun
from coordinator.planning.search import search_here
from coordinator.staff.model import Clinician
from coordinator.visits import doing, supervision
from coordinator.visits.duty_model import VisitDuty
from coordinator.visits.model import Supervision, Visit
from tests.builders import make_order, make_visit
from tests.conftest import WorkAs, actor_with
from tests.deadlines.kit import PACIFIC, one
from tests.planning.conftest import EVE, WEEK, Person, TestAgency, make_agency

#: The aide's supervision is due on Thursday of the planned week; Monday is its eleventh day.
DUE = date(2026, 11, 12)
ELEVENTH = date(2026, 11, 9)
Run = Callable[[], PlanRun]


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


@pytest.fixture
def run(app: Coordinator, work_as: WorkAs, agency: TestAgency) -> Run:
    def performed() -> PlanRun:
        agency.session.commit()
        with work_as(now=EVE) as work:
            started = service.start_run(work, agency.branch.id, WEEK[0], end_on=WEEK[1], iterations=120)
        workshop = replace(app.extensions["workshop"], now=lambda: EVE)
        context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(started.id))
        service.perform(context, started.id, search_here)
        with work_as(now=EVE) as work:
            done = service.get(work, started.id)
        assert (done.status, done.error) == (RunStatus.PROPOSED, None)
        return done

    return performed


def owe(work_as: WorkAs, person: Person, rule: str = "SUP-01", due: date = DUE, subject: str = "", **facts: Any) -> int:
    """The patient's obligation is in the book."""
    with work_as(now=EVE) as work:
        row = open_deadline(
            work, rule=rule, subject=subject or f"patient:{person.patient.id}", due_on=due,
            owner_role="case_manager", branch_id=person.patient.branch_id, patient_id=person.patient.id,
            task="supervise-aide", **facts,
        )  # fmt: skip
        work.session.flush()
        return row.id


def cared_for_by(agency: TestAgency, work_as: WorkAs, person: Person, aide: Clinician) -> int:
    """The aide came for the first time on 29 October, beside therapy: the supervision due that follows from it."""
    session, first = agency.session, date(2026, 10, 29)
    plan = session.get_one(CarePlan, person.order.care_plan_id)
    for discipline in (Discipline.HHA, Discipline.PT):
        make_order(
            session, person.episode, plan, discipline, effective_from=date(2026, 10, 26),
            effective_to=date(2026, 12, 20),
        )  # fmt: skip
    begins = at_wall_clock(first, time(10), PACIFIC)
    ends = begins + timedelta(minutes=45)
    made = make_visit(
        session, person.patient, person.episode, discipline=Discipline.HHA, status=VisitStatus.COMPLETED,
        window_from=first, window_to=first, clinician_id=aide.id, starts_at=begins, ends_at=ends,
        actual_start_at=begins, actual_end_at=ends,
    )  # fmt: skip
    session.commit()
    with work_as(now=EVE) as work:
        work.publish(VisitCompleted(made.id))
        row = one(work, "SUP-01")
        assert row.due_on == DUE
        return row.id


def look(agency: TestAgency, what: Any, *where: Any) -> list[Any]:
    agency.session.rollback()
    found = agency.session.execute(
        sa.select(what).where(*where).order_by(what.id), execution_options={"populate_existing": True}
    )
    rows = list(found.scalars())
    agency.session.commit()  # on SQLite an open transaction would keep everybody waiting
    return rows


def carried(agency: TestAgency) -> list[VisitDuty]:
    return look(agency, VisitDuty, VisitDuty.ended_at.is_(None))


def placed(agency: TestAgency, visit_id: int) -> tuple[Performer, date]:
    """Who makes the visit, and on which day."""
    (visit,) = look(agency, Visit, Visit.id == visit_id)
    (clinician,) = look(agency, Clinician, Clinician.id == visit.clinician_id)
    return clinician.performer, local_day(visit.starts_at, PACIFIC)


def publish(agency: TestAgency, work_as: WorkAs, run_id: int) -> None:
    scheduler = actor_with(Role.SCHEDULER, branch_ids=frozenset({agency.branch.id}))
    with work_as(scheduler, now=EVE) as work:
        publication.publish(work, run_id, service.get(work, run_id).version)


def test_a_nurses_visit_carries_the_supervision_from_the_clock_to_its_end(
    agency: TestAgency, run: Run, work_as: WorkAs
) -> None:
    nurse = agency.hire()
    for _ in range(3):
        agency.hire(Performer.LVN)
    aide = agency.hire(Performer.CHHA)
    person = agency.admit(visits=2)
    deadline = cared_for_by(agency, work_as, person, aide)
    before = len(look(agency, Visit))
    done = run()

    # No visit was added: one of the two nursing visits carries it.
    assert len(look(agency, Visit)) == before
    (duty,) = carried(agency)
    assert duty.visit_id in {visit.id for visit in person.visits}
    assert (duty.deadline_id, duty.rule, duty.raised) == (deadline, "SUP-01", False)
    assert done.result is not None
    assert done.result["clocks"] == [
        {
            "deadline": deadline, "rule": "SUP-01", "about": f"patient:{person.patient.id}",
            "patient_id": person.patient.id, "due_on": DUE.isoformat(), "visit": duty.visit_id,
        }
    ]  # fmt: skip
    publish(agency, work_as, done.id)
    performer, day = placed(agency, duty.visit_id)
    assert performer is Performer.RN
    assert ELEVENTH <= day <= DUE

    # The nurse makes the visit and says that she supervised: the line of the book is closed.
    (visit,) = look(agency, Visit, Visit.id == duty.visit_id)
    actor = actor_with(Role.CLINICIAN, clinician_id=nurse.id, performer="RN", branch_ids=frozenset({agency.branch.id}))
    begins, ends = visit.starts_at, visit.ends_at
    with work_as(actor, now=begins) as work:
        doing.start(work, visit.id, begins, {"lat": person.patient.home.lat, "lon": person.patient.home.lon})
    with work_as(actor, now=ends) as work:
        doing.finish(work, visit.id, ends)
        supervision.record(work, person.patient.id, supervised_on=day, aide_id=aide.id, visit_id=visit.id)
    (row,) = look(agency, Deadline, Deadline.id == deadline)
    assert row.status is DeadlineStatus.DONE
    with work_as(now=ends) as work:
        clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
    (ended,) = look(agency, VisitDuty, VisitDuty.id == duty.id)
    assert ended.outcome == "met"


def test_asked_twice_nothing_changes(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire()
    person = agency.admit(visits=2)
    agency.session.commit()
    owe(work_as, person)
    for _ in range(2):
        with work_as(now=EVE) as work:
            clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
    assert len(look(agency, VisitDuty)) == 1


def test_where_no_visit_can_carry_it_one_is_asked_for_and_goes_when_it_is_not_wanted(
    agency: TestAgency, run: Run, work_as: WorkAs
) -> None:
    agency.hire()
    person = agency.admit(visits=2, discipline=Discipline.PT)
    agency.hire(Performer.PT)
    session = agency.session
    session.add(
        Supervision(
            patient_id=person.patient.id, supervisor_id=agency.clinicians[0].id, supervised_on=date(2026, 10, 29),
            method="on_site", recorded_at=EVE,
        )
    )  # fmt: skip
    session.commit()
    deadline = owe(work_as, person, rule="SUP-04")  # aide-only, as the nurse supervises
    done = run()
    (duty,) = carried(agency)
    (visit,) = look(agency, Visit, Visit.id == duty.visit_id)
    assert (visit.kind, visit.discipline, duty.raised) == (VisitKind.SUPERVISION, Discipline.SN, True)
    assert (visit.window_from, visit.window_to) == (ELEVENTH, DUE)
    assert done.result is not None
    assert done.result["placed"] == 3
    # Somebody supervises on another occasion: the visit that was only asked for is wanted no more.
    with work_as(now=datetime(2026, 11, 8, 20, tzinfo=UTC)) as work:
        row = work.session.get_one(Deadline, deadline)
        row.status = DeadlineStatus.DONE
        work.session.flush()
        clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
    (visit,) = look(agency, Visit, Visit.id == duty.visit_id)
    assert visit.status is VisitStatus.CANCELLED
    assert carried(agency) == []


def test_the_reassessment_keeps_a_place_with_the_therapist_and_not_with_the_assistant(
    agency: TestAgency, run: Run, work_as: WorkAs
) -> None:
    agency.hire(Performer.PT)
    for _ in range(2):
        agency.hire(Performer.PTA)
    person = agency.admit(visits=2, discipline=Discipline.PT)
    for visit in person.visits:
        visit.kind = VisitKind.ROUTINE
    agency.session.commit()
    owe(work_as, person, "THX-01", date(2026, 11, 13), f"patient:{person.patient.id}:PT", discipline="PT")
    done = run()
    (duty,) = carried(agency)
    (visit,) = look(agency, Visit, Visit.id == duty.visit_id)
    assert (visit.kind, duty.kind_before) == (VisitKind.REASSESSMENT, VisitKind.ROUTINE)
    publish(agency, work_as, done.id)
    performer, day = placed(agency, duty.visit_id)
    assert performer is Performer.PT
    assert day <= date(2026, 11, 13)


def test_a_scheduler_who_plans_the_visit_as_something_else_frees_it(agency: TestAgency, work_as: WorkAs) -> None:
    person = agency.admit(visits=1, discipline=Discipline.PT)
    agency.session.commit()
    owe(work_as, person, "THX-01", date(2026, 11, 13), f"patient:{person.patient.id}:PT", discipline="PT")
    with work_as(now=EVE) as work:
        clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
        visit = work.session.get_one(Visit, person.visits[0].id)
        assert visit.kind is VisitKind.REASSESSMENT
        visit.kind = VisitKind.TEACHING
        work.session.flush()
        clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
    assert carried(agency) == []


def test_the_recertification_waits_for_the_visit_inside_its_window(agency: TestAgency, work_as: WorkAs) -> None:
    person = agency.admit(visits=2)
    agency.session.commit()
    for first, expected in ((date(2026, 11, 15), 0), (date(2026, 11, 10), 1)):
        owe(
            work_as, person, "CERT-02", date(2026, 11, 19), f"episode:{person.episode.id}:{first}",
            window_from=first.isoformat(), window_to="2026-11-19",
        )  # fmt: skip
        with work_as(now=EVE) as work:
            clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
        assert len(carried(agency)) == expected
    (duty,) = carried(agency)
    (visit,) = look(agency, Visit, Visit.id == duty.visit_id)
    assert visit.kind is VisitKind.RECERTIFICATION
    assert (duty.first_on, duty.last_on) == (date(2026, 11, 10), date(2026, 11, 19))


def test_where_nobody_may_do_it_the_visit_is_planned_as_if_it_carried_nothing(
    agency: TestAgency, run: Run, work_as: WorkAs
) -> None:
    agency.hire(Performer.LVN)
    person = agency.admit(visits=1)
    agency.session.commit()
    owe(work_as, person)
    done = run()
    assert len(carried(agency)) == 1
    assert done.result is not None
    assert done.result["placed"] == 1


def test_a_supervision_elsewhere_releases_the_visit(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=1)
    agency.session.commit()
    deadline = owe(work_as, person)
    with work_as(now=EVE) as work:
        clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
        work.session.add(
            Supervision(
                patient_id=person.patient.id, supervisor_id=nurse.id, supervised_on=date(2026, 11, 7),
                method="on_site", recorded_at=EVE,
            )
        )  # fmt: skip
        work.session.get_one(Deadline, deadline).status = DeadlineStatus.DONE
        work.session.flush()
        clocks.attach(work, agency.branch.id, Horizon(PACIFIC, *WEEK))
    assert [(row.rule, row.outcome) for row in look(agency, VisitDuty, VisitDuty.deadline_id == deadline)] == [
        ("SUP-01", "released")
    ]
