"""A run on road times: asked once, remembered, estimated where the server is silent, and the result says which."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from coordinator.core.http import Coordinator
from coordinator.jobs.context import JobContext
from coordinator.planning import service
from coordinator.planning.model import PlanRun
from coordinator.planning.search import search_here
from coordinator.travel.atlas import SHIPPED
from coordinator.travel.roads import Osrm
from coordinator.visits import cases
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, WEEK, TestAgency, make_agency
from tests.travel.fake_osrm import FakeOsrm


@pytest.fixture
def osrm() -> Iterator[FakeOsrm]:
    fake = FakeOsrm()
    yield fake
    fake.close()


@pytest.fixture
def agency(session: Session) -> TestAgency:
    made = make_agency(session, code="SF")
    nurse = made.hire()
    for _ in range(3):
        made.admit(visits=1, primary=nurse)
    return made


@pytest.fixture
def run(app: Coordinator, work_as: WorkAs, agency: TestAgency, osrm: FakeOsrm) -> Any:
    """`run()`: a run over the week with the fake road server, done at once in this process."""
    settings = replace(SHIPPED.settings.roads, attempts=1, failures=1)
    atlas = replace(SHIPPED, roads=Osrm(osrm.url, settings, sleep=lambda _: None))

    def performed() -> PlanRun:
        agency.session.commit()
        with work_as(now=EVE) as work:
            started = service.start_run(work, agency.branch.id, WEEK[0], end_on=WEEK[1], seconds=5, iterations=30)
        workshop = replace(app.extensions["workshop"], now=lambda: EVE, atlas=atlas)
        context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(started.id))
        service.perform(context, started.id, search_here)
        with work_as(now=EVE) as work:
            return service.get(work, started.id)

    performed.atlas = atlas  # type: ignore[attr-defined]
    return performed


def test_a_run_asks_for_its_ways_once_and_the_next_remembers_them(agency: TestAgency, run: Any, osrm: FakeOsrm) -> None:
    osrm.unreachable.add(
        tuple(  # type: ignore[arg-type]
            (round(person.patient.home.lat, 5), round(person.patient.home.lon, 5)) for person in agency.people[:2]
        )
    )
    first = run().result["travel_sources"]
    assert (first["by_road"], first["remembered"], first["no_road"]) == (first["ways"] - 1, 0, 1)
    assert first["oldest"] == EVE.isoformat().replace("+00:00", "Z")
    asked = len(osrm.questions)
    second = run().result["travel_sources"]
    assert (second["by_road"], second["remembered"]) == (0, first["ways"] - 1)
    assert len(osrm.questions) == asked


def test_a_run_whose_server_is_gone_stands_on_the_estimate_and_says_why(run: Any, osrm: FakeOsrm) -> None:
    osrm.script = [(500, {})]
    done = run()
    said = done.result["travel_sources"]
    assert done.result["placed"] == 3
    assert (said["by_road"], said["remembered"], said["estimated"]) == (0, 0, said["ways"])
    assert "it answers with status 500. They are estimated." in said["note"]


def test_the_rules_ask_by_the_same_roads_as_the_planner(
    agency: TestAgency, run: Any, osrm: FakeOsrm, work_as: WorkAs
) -> None:
    """LAB-04 at a booking: a road that takes far longer than the crow flies is no surprise after publication."""
    first, second = (person.patient.home for person in agency.people[:2])
    nurse = agency.clinicians[0]
    morning = datetime.combine(date(2026, 11, 9), EVE.timetz())
    agency.book(agency.people[0].visits[0], nurse, morning)
    here, there = ((round(home.lat or 0, 5), round(home.lon or 0, 5)) for home in (first, second))
    osrm._seconds = lambda a, b: 3000.0 if (a, b) == (here, there) else 60.0  # type: ignore[method-assign]
    run()
    with work_as(now=EVE) as work:
        work.atlas = run.atlas
        days = cases.Days(work, [nurse.id], morning, morning + timedelta(hours=8))
        near = days.around(
            nurse.id, morning + timedelta(hours=2), morning + timedelta(hours=3), (second.lat, second.lon),
            date(2026, 11, 9),
        )  # fmt: skip
    # 50 minutes of free flow in the daytime's traffic.
    assert near.travel_from_previous == -(-int(3000 * SHIPPED.settings.traffic.daytime) // 60)


def test_imprecise_homes_are_named_in_the_result(agency: TestAgency, run: Any) -> None:
    vague, gone = agency.people[0].patient, agency.people[1].patient
    vague.home.point_precision = "zip-centroid"
    gone.home.lat = gone.home.lon = None
    result = run().result
    assert result["imprecise_patients"] == [{"patient_id": vague.id, "precision": "zip-centroid"}]
    assert result["unlocated_patients"] == [gone.id]
