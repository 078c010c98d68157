"""The longer search, and what the planner is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import RepairStatus
from coordinator.jobs.context import JobContext
from coordinator.planning.repairs import approval, service
from coordinator.planning.search import warm_in_background
from tests.conftest import WorkAs
from tests.planning.conftest import TestAgency
from tests.planning.repairs.conftest import AWAY, ELEVEN, NINE, ONE, SIX, Propose, booked


def test_a_worker_looks_for_a_better_one_and_says_when_it_is_done(
    app: Coordinator, agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id}, seconds=1)
    assert repair.searching
    workshop = replace(app.extensions["workshop"], now=lambda: SIX)
    context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(repair.id))

    def here(search: Any, _look: Any) -> Any:
        return replace(search, seconds=None, scale=0.05).run()

    service.improve(context, repair.id, here)
    with work_as(scheduler, now=SIX) as work:
        after = service.get(work, repair.id)
        assert not after.searching
        assert after.result["cost"]["total"] <= repair.result["cost"]["total"]
        approval.approve(work, after.id, after.version)


def test_a_decided_repair_is_not_searched_for_any_more(
    app: Coordinator, agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id}, seconds=1)
    with work_as(scheduler, now=SIX) as work:
        approval.reject(work, repair.id, repair.version)
    workshop = replace(app.extensions["workshop"], now=lambda: SIX)
    context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(repair.id))

    def never(_search: Any, _look: Any) -> Any:
        raise AssertionError("nothing is to be searched")

    service.improve(context, repair.id, never)
    with work_as(scheduler, now=SIX) as work:
        assert service.get(work, repair.id).status is RepairStatus.REJECTED


def test_a_server_that_begins_to_serve_loads_the_planner_beside() -> None:
    thread = warm_in_background()
    assert thread.daemon
    thread.join(120)
    assert not thread.is_alive()


def test_breaks_are_counted_as_the_planner_takes_them_though_no_row_keeps_them(
    agency: TestAgency, propose: Propose
) -> None:
    """Two long days: without their meals the change would seem to save a fortune."""
    ill, well = agency.hire(), agency.hire()
    for nurse in (ill, well):
        for hour in (NINE, ELEVEN, ONE, ONE + timedelta(hours=2)):
            booked(agency, agency.admit(visits=1), nurse, hour)
    week = {"clinician_id": ill.id, "starts_at": SIX, "ends_at": ELEVEN - timedelta(minutes=15)}
    repair = propose("absence", week)
    assert abs(repair.result["cost"]["total"]) < 100_000
