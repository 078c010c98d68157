"""Plans on their page: asked for, read, published by patient, stopped, compared; and its stream of progress."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import RunStatus, VisitStatus
from coordinator.planning.model import PlanRun
from coordinator.visits.model import Visit
from tests.people import at
from tests.planning.conftest import EVE, WEEK, TestAgency, make_agency
from tests.planning.test_publication import Run, run  # noqa: F401  (a fixture)
from tests.web.visitor import Visitor, visitor


@pytest.fixture
def agency(session: Session) -> TestAgency:
    made = make_agency(session)
    made.hire()
    for _ in range(2):
        made.admit()
    session.commit()
    return made


@pytest.fixture
def there(app: Coordinator, database: Database, agency: TestAgency) -> Iterator[Visitor]:
    with at(EVE):
        yield visitor(app, database, "scheduler", branch_ids=[agency.branch.id])


def test_a_plan_is_read_and_published_for_the_patients_that_are_ticked(
    there: Visitor, agency: TestAgency, run: Run, database: Database  # noqa: F811
) -> None:  # fmt: skip
    done = run()
    listed = there.open("/plans/")
    assert f'href="/plans/{done.id}"' in listed.text
    page = there.open(f"/plans/{done.id}")
    assert page.status_code == 200
    assert "placed" in page.text
    with database.session(write=False) as session:
        patients = session.scalars(sa.select(Visit.patient_id).distinct().order_by(Visit.patient_id)).all()
    action = f"/plans/{done.id}/publish"
    assert there.send(action).status_code == 422, "nobody is ticked"
    assert there.send(action, patient=str(patients[0]), _version="9").status_code == 412
    assert there.send(action, patient=str(patients[0])).status_code == 303
    with database.session(write=False) as session:
        booked = sa.select(Visit.patient_id).where(Visit.status == VisitStatus.BOOKED).distinct()
        assert session.scalars(booked).all() == [patients[0]]
        assert session.get_one(PlanRun, done.id).status is RunStatus.PUBLISHED
    assert "Published." in there.open(f"/plans/{done.id}").text
    assert there.open(f"/plans/compare?left={done.id}&right={done.id}").status_code == 200
    for bad in ("left=1", "left=x&right=1", "left=0&right=1"):
        assert there.open(f"/plans/compare?{bad}").status_code == 422
    stream = there.client.get(f"/plans/{done.id}/progress")
    assert stream.mimetype == "text/event-stream"
    assert stream.text.startswith("event: over\ndata: {")


def test_a_plan_is_asked_for_and_stopped(there: Visitor, agency: TestAgency, database: Database) -> None:
    there.open("/plans/")
    for wrong in ({"start_on": "soon"}, {"days": "many"}, {"days": "99"}, {"seconds": "0"}, {"start_on": "1999-01-01"}):
        answer = there.send("/plans/", **({"start_on": WEEK[0].isoformat()} | wrong))
        assert answer.status_code == 422, wrong
    started = there.send("/plans/", start_on=WEEK[0].isoformat(), days="5", seconds="10")
    assert started.status_code == 303
    page = there.open(started.location)
    assert "waits for a worker" in page.text
    assert there.send(f"{started.location}/cancel").status_code == 303
    assert "cancelled" in there.open(started.location).text
    assert there.open("/plans/999").status_code == 404


def test_plans_are_for_those_who_plan_the_branch(
    app: Coordinator, database: Database, there: Visitor, agency: TestAgency
) -> None:
    there.open("/plans/")
    started = there.send("/plans/", start_on=WEEK[0].isoformat(), days="5", seconds="10")
    elsewhere = visitor(app, database, "scheduler")
    assert elsewhere.open(started.location).status_code == 404
    assert elsewhere.open("/plans/").status_code == 404
    assert elsewhere.client.get(f"{started.location}/progress", headers=there.headers).status_code == 404
    intake = visitor(app, database, "intake", branch_ids=[agency.branch.id])
    assert intake.open(started.location).status_code == 403
