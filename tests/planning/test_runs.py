"""A run from the asking to the proposal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, OrderStatus, Performer, Role, RunStatus
from coordinator.jobs.context import JobContext
from coordinator.planning import service
from coordinator.planning.model import Placement, PlanRun, Unplaced
from coordinator.planning.search import Found, Heard, Look, Task, search_apart, search_here
from coordinator.visits.model import Visit
from tests.conftest import WorkAs, actor_with
from tests.planning.checking import Booked, faults
from tests.planning.conftest import EVE, MONDAY, WEEK, TestAgency, make_agency

Perform = Callable[..., PlanRun]


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


@pytest.fixture
def run(app: Coordinator, work_as: WorkAs, agency: TestAgency) -> Perform:
    """`run(seed=1)`: a run over the week, done at once in this process."""

    def performed(search: Any = search_here, **given: Any) -> PlanRun:
        agency.session.commit()
        values: dict[str, Any] = {"end_on": WEEK[1], "seconds": 5, "iterations": 60} | given
        with work_as(now=EVE) as work:
            started = service.start_run(work, agency.branch.id, values.pop("start_on", WEEK[0]), **values)
        do(app, started.id, search)
        with work_as(now=EVE) as work:
            return service.get(work, started.id)

    return performed


def do(app: Coordinator, run_id: int, search: Any = search_here) -> None:
    """Do the run as the worker would, at the eve of the week."""
    workshop = replace(app.extensions["workshop"], now=lambda: EVE)
    service.perform(JobContext(workshop=workshop, name=service.JOB, key=service.job_key(run_id)), run_id, search)


def rows(session: Session, run_id: int) -> tuple[list[Placement], list[Unplaced]]:
    session.rollback()
    placed = session.execute(sa.select(Placement).where(Placement.run_id == run_id).order_by(Placement.visit_id))
    left = session.execute(sa.select(Unplaced).where(Unplaced.run_id == run_id).order_by(Unplaced.visit_id))
    found = list(placed.scalars()), list(left.scalars())
    session.commit()  # on SQLite an open transaction would keep everybody waiting
    return found


def test_a_week_is_planned_so_that_it_can_be_lived(agency: TestAgency, run: Perform) -> None:
    nurses = [agency.hire() for _ in range(3)]
    aide = agency.hire(Performer.CHHA)
    for number in range(12):
        agency.admit(visits=2 + number % 2, primary=nurses[number % 3])
    done = run(iterations=300)
    assert (done.status, done.error) == (RunStatus.PROPOSED, None)
    assert done.result is not None
    assert done.result["wanted"] == 30
    assert done.result["placed"] == 30
    assert done.result["violations"] == []
    assert done.result["continuity"] == 100
    placed, left = rows(agency.session, done.id)
    assert left == []
    assert aide.id not in {row.clinician_id for row in placed}
    visits = {visit.id: visit for person in agency.people for visit in person.visits}
    booked = [Booked(visits[row.visit_id], row.clinician_id, row.starts_at, row.ends_at) for row in placed]
    assert faults(agency, booked) == []
    # Nothing has happened to the visits themselves.
    assert {visit.status.value for visit in visits.values()} == {"proposed"}
    assert {row.visit_version for row in placed} == {1}


def test_same_rows_seed_and_iterations_give_the_same_plan(agency: TestAgency, run: Perform) -> None:
    for _ in range(2):
        agency.hire()
    for _ in range(8):
        agency.admit(visits=2)
    first, second = run(seed=7), run(seed=7)
    assert first.fingerprint == second.fingerprint
    assert first.problem_hash == second.problem_hash
    assert [(p.visit_id, p.clinician_id, p.starts_at) for p in rows(agency.session, first.id)[0]] == [
        (p.visit_id, p.clinician_id, p.starts_at) for p in rows(agency.session, second.id)[0]
    ]


def test_an_order_that_nobody_signed_is_not_planned_and_is_named(agency: TestAgency, run: Perform) -> None:
    agency.hire()
    agency.hire(Performer.PT)
    agency.admit(visits=1)
    unsigned = agency.admit(visits=3, discipline=Discipline.PT, status=OrderStatus.SENT_FOR_SIGNATURE)
    done = run()
    assert done.result is not None
    assert done.result["placed"] == 1
    (waiting,) = done.result["waiting"]
    assert waiting["order"] == unsigned.order.id
    assert waiting["code"] == "ORD-01"
    assert waiting["discipline"] == "PT"
    assert waiting["visits"] == 3
    assert waiting["sentence"] == f"Order {unsigned.order.id} waits for its signature: nothing may be given under it."
    assert "signs order" in waiting["cure"]


def test_what_cannot_be_placed_says_why_in_the_words_of_the_rules(agency: TestAgency, run: Perform) -> None:
    """A nursing visit in an agency that has only a therapist, and a nurse whose licence lapsed."""
    therapist = agency.hire(Performer.PT)
    lapsed = agency.hire(expires_on=date(2026, 11, 1))
    person = agency.admit(visits=1)
    done = run()
    assert done.status is RunStatus.PROPOSED
    _, (left,) = rows(agency.session, done.id)
    assert left.visit_id == person.visits[0].id
    said = {reason["code"]: reason for reason in left.reasons}
    assert said["ASM-01"]["clinician_id"] == therapist.id
    assert said["ASM-01"]["sentence"] == "PT does not furnish SN."
    assert said["CRD-01"]["clinician_id"] == lapsed.id
    assert "is valid to 2026-11-01" in said["CRD-01"]["sentence"]


def test_a_run_is_only_for_the_branchs_own_office(agency: TestAgency, work_as: WorkAs) -> None:
    agency.session.commit()
    elsewhere = actor_with(Role.SCHEDULER, branch_ids=frozenset({agency.branch.id + 1}))
    with pytest.raises(NotFound, match="no such branch"), work_as(elsewhere, now=EVE) as work:
        service.start_run(work, agency.branch.id, MONDAY)
    with pytest.raises(Forbidden), work_as(actor_with(Role.CLINICIAN), now=EVE) as work:
        service.start_run(work, agency.branch.id, MONDAY)
    with work_as(now=EVE) as work:
        run_id = service.start_run(work, agency.branch.id, MONDAY).id
    with pytest.raises(NotFound, match="no such run"), work_as(elsewhere, now=EVE) as work:
        service.get(work, run_id)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"end_on": date(2026, 11, 8)}, "/end_on"),
        ({"days": 29}, "/end_on"),
        ({"seconds": 0}, "/seconds"),
        ({"seconds": 10_000}, "/seconds"),
        ({"seed": -1}, "/seed"),
        ({"iterations": 0}, "/iterations"),
        ({"kind": "guess"}, "/kind"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_by_name(
    agency: TestAgency, work_as: WorkAs, given: dict[str, Any], pointer: str
) -> None:
    agency.session.commit()
    with pytest.raises(Invalid) as refused, work_as(now=EVE) as work:
        service.start_run(work, agency.branch.id, MONDAY, **given)
    assert refused.value.extra["errors"][0]["pointer"] == pointer


def test_days_that_are_over_are_not_planned(agency: TestAgency, work_as: WorkAs) -> None:
    agency.session.commit()
    with pytest.raises(Invalid, match="over"), work_as(now=EVE) as work:
        service.start_run(work, agency.branch.id, date(2026, 10, 1))


def test_a_run_that_waits_can_be_cancelled_and_is_not_done(
    app: Coordinator, agency: TestAgency, work_as: WorkAs
) -> None:
    agency.session.commit()
    with work_as(now=EVE) as work:
        run_id = service.start_run(work, agency.branch.id, MONDAY).id
    with work_as(now=EVE) as work:
        assert service.cancel(work, run_id).status is RunStatus.CANCELLED
    do(app, run_id)
    with work_as(now=EVE) as work:
        assert service.get(work, run_id).status is RunStatus.CANCELLED
        with pytest.raises(Conflict, match="nothing to cancel"):
            service.cancel(work, run_id)


def test_a_run_at_work_stops_when_it_is_cancelled(app: Coordinator, agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire()
    agency.admit()
    agency.session.commit()
    with work_as(now=EVE) as work:
        run_id = service.start_run(work, agency.branch.id, WEEK[0]).id

    def interrupted(task: Task, look: Look) -> Found:
        assert look(Heard(1.0, 10, 99, 1)) is False
        with work_as(now=EVE) as work:
            run = service.get(work, run_id)
            assert run.status is RunStatus.RUNNING
            assert run.progress == {"seconds": 1.0, "iterations": 10, "wanted": 2, "placed": 1, "cost": 99}
            service.cancel(work, run_id)
        assert look(Heard(2.0, 20, 98, 1)) is True
        return search_here(task, look)

    do(app, run_id, interrupted)
    with work_as(now=EVE) as work:
        run = service.get(work, run_id)
    assert (run.status, run.result) == (RunStatus.CANCELLED, None)
    assert rows(agency.session, run_id) == ([], [])


def test_a_fault_of_ours_ends_the_run_and_says_so(app: Coordinator, agency: TestAgency, work_as: WorkAs) -> None:
    agency.session.commit()
    with work_as(now=EVE) as work:
        run_id = service.start_run(work, agency.branch.id, WEEK[0]).id

    def broken(_task: Task, _look: Look) -> Found:
        raise KeyError("Mei Lee")

    with pytest.raises(KeyError):
        do(app, run_id, broken)
    with work_as(now=EVE) as work:
        run = service.get(work, run_id)
    assert (run.status, run.error) == (RunStatus.FAILED, "A fault of ours (KeyError); it was logged.")


def test_a_run_whose_worker_is_lost_can_be_cancelled(app: Coordinator, agency: TestAgency, work_as: WorkAs) -> None:
    agency.session.commit()
    with work_as(now=EVE) as work:
        run_id = service.start_run(work, agency.branch.id, WEEK[0]).id

    def killed(_task: Task, _look: Look) -> Found:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(app, run_id, killed)
    with work_as(now=EVE + timedelta(minutes=5)) as work:
        assert service.cancel(work, run_id).status is RunStatus.RUNNING
    with work_as(now=EVE + timedelta(hours=1)) as work:
        assert service.cancel(work, run_id).status is RunStatus.CANCELLED


def test_a_run_done_twice_has_one_effect(app: Coordinator, agency: TestAgency, work_as: WorkAs, run: Perform) -> None:
    agency.hire()
    agency.admit()
    done = run()
    do(app, done.id)
    with work_as(now=EVE) as work:
        again = service.get(work, done.id)
    assert (again.version, again.fingerprint) == (done.version, done.fingerprint)
    assert len(rows(agency.session, done.id)[0]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)  # the other process opens no database
def test_the_search_in_a_process_of_its_own_finds_the_same(agency: TestAgency, run: Perform) -> None:
    agency.hire()
    for _ in range(3):
        agency.admit()
    assert run(search=search_apart).fingerprint == run().fingerprint


def test_a_run_with_nothing_to_do_says_so(agency: TestAgency, run: Perform) -> None:
    agency.hire()
    done = run()
    assert done.status is RunStatus.PROPOSED
    assert done.result is not None
    assert (done.result["wanted"], done.result["placed"], done.result["violations"]) == (0, 0, [])


def test_the_night_asks_for_the_next_seven_days_once(app: Coordinator, agency: TestAgency, session: Session) -> None:
    agency.session.commit()
    workshop = replace(app.extensions["workshop"], now=lambda: EVE)
    for _ in range(2):
        context = JobContext(workshop=workshop, name="plan.nightly", key="clock:nightly-plan:1:2026-11-07")
        service.nightly_plan(context, {"branch_id": agency.branch.id, "slot": "2026-11-07T08:10:00+00:00"})
    session.rollback()
    (asked,) = session.execute(sa.select(PlanRun)).scalars()
    assert (asked.kind, asked.start_on, asked.end_on) == ("nightly", date(2026, 11, 7), date(2026, 11, 13))
    assert asked.status is RunStatus.QUEUED


def test_explanations_name_the_next_best(agency: TestAgency, run: Perform, work_as: WorkAs) -> None:
    first = agency.hire()
    second = agency.hire()
    person = agency.admit(visits=1, primary=first)
    done = run()
    with work_as(now=EVE) as work:
        (told,) = service.explanation(work, done.id, person.visits[0].id)
        with pytest.raises(NotFound):
            service.explanation(work, done.id, 10**9)
    assert told["clinician_id"] == first.id
    assert told["alternative"]["clinician_id"] == second.id
    assert told["alternative"]["extra_cost"] >= 0
    assert isinstance(agency.session.get(Visit, person.visits[0].id), Visit)
