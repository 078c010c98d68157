"""From a proposal to the rosters: the difference, publication whole or not at all, and who wins."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.errors import Conflict, Invalid, Refusal, RuleBroken, StaleVersion
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role, RunStatus, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.planning import publication, service
from coordinator.planning.model import PlanRun, RosterVersion
from coordinator.planning.search import search_here
from coordinator.staff.model import TimeOff
from coordinator.visits import service as visits
from coordinator.visits.model import Visit
from coordinator.visits.roster import roster
from tests.conftest import WorkAs, actor_with
from tests.planning.checking import Booked, faults
from tests.planning.conftest import EVE, WEEK, TestAgency, make_agency

Run = Callable[..., PlanRun]
TUESDAY = date(2026, 11, 10)


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


@pytest.fixture
def scheduler(agency: TestAgency) -> Any:
    return actor_with(Role.SCHEDULER, branch_ids=frozenset({agency.branch.id}))


@pytest.fixture
def run(app: Coordinator, work_as: WorkAs, agency: TestAgency) -> Run:
    def performed(now: datetime = EVE, **given: Any) -> PlanRun:
        agency.session.commit()
        with work_as(now=now) as work:
            started = service.start_run(
                work, agency.branch.id, WEEK[0], end_on=WEEK[1], iterations=given.pop("iterations", 80), **given
            )
        workshop = replace(app.extensions["workshop"], now=lambda: now)
        context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(started.id))
        service.perform(context, started.id, search_here)
        with work_as(now=now) as work:
            done = service.get(work, started.id)
        assert (done.status, done.error) == (RunStatus.PROPOSED, None)
        return done

    return performed


def _visits(agency: TestAgency) -> list[Visit]:
    agency.session.rollback()
    found = agency.session.execute(sa.select(Visit).order_by(Visit.id), execution_options={"populate_existing": True})
    rows = list(found.scalars())
    agency.session.commit()  # on SQLite an open transaction would keep everybody waiting
    return rows


def _versions(agency: TestAgency) -> list[RosterVersion]:
    agency.session.rollback()
    rows = sa.select(RosterVersion).order_by(RosterVersion.clinician_id, RosterVersion.day, RosterVersion.number)
    found = list(agency.session.execute(rows).scalars())
    agency.session.commit()
    return found


def test_a_published_plan_is_on_the_rosters_and_can_be_lived(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    nurses = [agency.hire() for _ in range(2)]
    for number in range(7):
        agency.admit(visits=2, primary=nurses[number % 2])
    done = run(iterations=200)
    with work_as(scheduler, now=EVE) as work:
        seen = publication.diff(work, done.id)
    assert seen["counts"] == {"added": 14, "moved": 0, "kept": 0, "removed": 0, "told": 0}
    assert {group["patient_id"] for group in seen["by_patient"]} == {person.patient.id for person in agency.people}
    first = seen["by_patient"][0]["changes"][0]
    assert first["before"] is None
    assert first["cause"]["sentence"].startswith(f"Order {agency.people[0].order.id} asks for it")
    with work_as(scheduler, now=EVE) as work:
        published = publication.publish(work, done.id, done.version)
        assert published.status is RunStatus.PUBLISHED
    rows = _visits(agency)
    assert {row.status for row in rows} == {VisitStatus.BOOKED}
    assert all(row.published_at == EVE for row in rows)
    booked = [Booked(row, row.clinician_id, row.starts_at, row.ends_at) for row in rows]  # type: ignore[arg-type]
    assert faults(agency, booked) == []
    days = {(row.clinician_id, row.starts_at.date()) for row in rows if row.starts_at}
    assert {(row.clinician_id, row.day, row.number) for row in _versions(agency)} == {(c, d, 1) for c, d in days}
    with work_as(scheduler, now=EVE) as work:
        shown = [entry.visit.id for c, d in days for entry in roster(work, c or 0, d).entries]
    assert sorted(shown) == [row.id for row in rows]


def test_a_proposal_is_on_nobodys_roster(agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any) -> None:
    nurse = agency.hire()
    agency.admit()
    run()
    with work_as(scheduler, now=EVE) as work:
        for day in range(8, 15):
            assert roster(work, nurse.id, date(2026, 11, day)).entries == []
    assert _versions(agency) == []


def test_a_visit_that_changed_since_refuses_the_plan_by_name(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    person, other = agency.admit(), agency.admit()
    done = run()
    touched = person.visits[0].id
    with work_as(scheduler, now=EVE) as work:
        visits.assign(work, touched, nurse.id, datetime(2026, 11, 13, 20, tzinfo=UTC))
    with work_as(scheduler, now=EVE) as work:
        assert publication.diff(work, done.id)["stale"] == [touched]
    with pytest.raises(StaleVersion) as refused, work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version)
    assert refused.value.extra["visits"] == [touched]
    rows = {row.id: row.status for row in _visits(agency)}
    assert [number for number, status in rows.items() if status is VisitStatus.BOOKED] == [touched]
    # Without it the rest may go.
    with work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version, [visit.id for visit in other.visits])
    rows = {row.id: row.status for row in _visits(agency)}
    assert [number for number, status in rows.items() if status is VisitStatus.PROPOSED] == [person.visits[1].id]


def test_the_rules_are_asked_again_and_one_refusal_refuses_all(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    """Between plan and publication the nurse's licence turned out to have lapsed."""
    nurse = agency.hire()
    agency.admit()
    done = run()
    nurse.credentials[0].expires_on = date(2026, 11, 1)
    agency.session.commit()
    with pytest.raises(RuleBroken) as refused, work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version)
    assert {finding.rule for finding in refused.value.findings} == {"CRD-01"}
    assert {row.status for row in _visits(agency)} == {VisitStatus.PROPOSED}
    assert _versions(agency) == []


def test_an_old_version_of_the_run_is_refused(agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any) -> None:
    agency.hire()
    agency.admit()
    done = run()
    with pytest.raises(StaleVersion), work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version - 1)
    with pytest.raises(Invalid, match="not placed"), work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version, [10**9])


def test_of_two_who_publish_at_once_one_wins(
    app: Coordinator, agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    agency.hire()
    for _ in range(3):
        agency.admit()
    done = run()
    answers: list[object] = []
    ready = threading.Barrier(2)

    def publish() -> None:
        ready.wait()
        try:
            with work_as(scheduler, now=EVE) as work:
                answers.append(publication.publish(work, done.id, done.version).status)
        except Refusal as refusal:
            answers.append(refusal.problem_code)

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, answers)) == ["published", "run-not-proposed"]
    assert {row.number for row in _versions(agency)} == {1}


def test_of_two_runs_over_one_week_only_the_first_published_holds(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    agency.hire()
    agency.admit()
    one, two = run(seed=1), run(seed=2)
    with work_as(scheduler, now=EVE) as work:
        publication.publish(work, one.id, one.version)
    with pytest.raises(StaleVersion), work_as(scheduler, now=EVE) as work:
        publication.publish(work, two.id, two.version)


def test_planning_again_keeps_what_stands_and_publishes_nothing_new(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    agency.hire()
    for _ in range(4):
        agency.admit()
    first = run(iterations=200)
    with work_as(scheduler, now=EVE) as work:
        publication.publish(work, first.id, first.version)
    before = {row.id: (row.version, row.starts_at) for row in _visits(agency)}
    second = run(seed=5)
    with work_as(scheduler, now=EVE) as work:
        seen = publication.diff(work, second.id)
        assert seen["counts"] == {"added": 0, "moved": 0, "kept": 8, "removed": 0, "told": 0}
        publication.publish(work, second.id, second.version)
    assert {row.id: (row.version, row.starts_at) for row in _visits(agency)} == before
    assert {row.number for row in _versions(agency)} == {1}


def test_a_sick_call_moves_the_visits_and_says_why(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    ill, well = agency.hire(), agency.hire()
    person = agency.admit(visits=1, primary=ill)
    nine = datetime(2026, 11, 10, 17, tzinfo=UTC)
    agency.book(person.visits[0], ill, nine, published_at=EVE, told_patient_at=EVE)
    ill.time_off.append(
        TimeOff(
            starts_at=datetime(2026, 11, 9, 8, tzinfo=UTC), ends_at=datetime(2026, 11, 15, tzinfo=UTC), reason="sick"
        )
    )
    done = run()
    with work_as(scheduler, now=EVE) as work:
        seen = publication.diff(work, done.id)
    (change,) = seen["by_patient"][0]["changes"]
    assert (change["change"], change["what"], change["told"]) == ("moved", ["clinician"], True)
    assert change["cause"] == {
        "code": "clinician-away", "sentence": "The clinician does not work at the time it had."
    }  # fmt: skip
    assert change["after"]["clinician_id"] == well.id
    assert {group["clinician_id"] for group in seen["by_clinician"]} == {ill.id, well.id}
    with work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version)
    (visit,) = _visits(agency)
    assert (visit.clinician_id, visit.starts_at, visit.status) == (well.id, nine, VisitStatus.BOOKED)
    assert [(row.clinician_id, row.day) for row in _versions(agency)] == [(ill.id, TUESDAY), (well.id, TUESDAY)]


def test_a_visit_that_nobody_can_take_over_is_wanted_again_after_publication(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    ill = agency.hire()
    person = agency.admit(visits=1)
    agency.book(person.visits[0], ill, datetime(2026, 11, 10, 17, tzinfo=UTC), published_at=EVE)
    ill.time_off.append(
        TimeOff(
            starts_at=datetime(2026, 11, 8, 8, tzinfo=UTC), ends_at=datetime(2026, 11, 16, tzinfo=UTC), reason="sick"
        )
    )
    done = run()
    with work_as(scheduler, now=EVE) as work:
        seen = publication.diff(work, done.id)
        assert seen["counts"]["removed"] == 1
        assert seen["by_patient"][0]["changes"][0]["cause"]["code"] == "no-shift"
        publication.publish(work, done.id, done.version)
    (visit,) = _visits(agency)
    assert (visit.status, visit.clinician_id, visit.starts_at) == (VisitStatus.PROPOSED, None, None)
    assert [(row.clinician_id, row.day, row.cause) for row in _versions(agency)] == [(ill.id, TUESDAY, "publish")]


def test_a_locked_visit_stays_and_the_others_go_round_it(
    agency: TestAgency, run: Run, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    held = agency.admit(visits=1)
    noon = datetime(2026, 11, 9, 20, tzinfo=UTC)
    agency.book(held.visits[0], nurse, noon, published_at=EVE, locked=True)
    for _ in range(5):
        agency.admit(visits=1)
    done = run()
    assert done.result is not None
    assert (done.result["wanted"], done.result["placed"], done.result["fixed"]) == (5, 5, 1)
    with work_as(scheduler, now=EVE) as work:
        publication.publish(work, done.id, done.version)
    rows = _visits(agency)
    assert rows[0].starts_at == noon
    booked = [Booked(row, row.clinician_id, row.starts_at, row.ends_at) for row in rows]  # type: ignore[arg-type]
    assert faults(agency, booked) == []


def test_a_cancelled_run_is_not_published(agency: TestAgency, work_as: WorkAs, scheduler: Any) -> None:
    agency.session.commit()
    with work_as(scheduler, now=EVE) as work:
        started = service.start_run(work, agency.branch.id, WEEK[0])
        service.cancel(work, started.id)
    with pytest.raises(Conflict, match="only a proposal"), work_as(scheduler, now=EVE) as work:
        publication.publish(work, started.id, started.version)
