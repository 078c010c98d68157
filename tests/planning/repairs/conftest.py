"""An agency on a Monday morning, and a hand that asks it for repairs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.domain.vocabulary import RepairKind, Role
from coordinator.planning.repairs import service
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit
from tests.conftest import WorkAs, actor_with
from tests.planning.conftest import EVE, Person, TestAgency, make_agency

#: Monday, six in the morning in San Francisco.
SIX = datetime(2026, 11, 9, 14, 0, tzinfo=UTC)
NINE = datetime(2026, 11, 9, 17, 0, tzinfo=UTC)
ELEVEN = datetime(2026, 11, 9, 19, 0, tzinfo=UTC)
ONE = datetime(2026, 11, 9, 21, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)

Propose = Callable[..., Repair]


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


@pytest.fixture
def scheduler(agency: TestAgency) -> Any:
    return actor_with(Role.SCHEDULER, branch_ids=frozenset({agency.branch.id}))


@pytest.fixture
def manager(agency: TestAgency) -> Any:
    return actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({agency.branch.id}))


@pytest.fixture
def propose(agency: TestAgency, work_as: WorkAs, scheduler: Any) -> Propose:
    def proposed(kind: str, event: dict[str, Any], *, now: datetime = SIX, actor: Any = None, **given: Any) -> Repair:
        agency.session.commit()
        with work_as(actor or scheduler, now=now) as work:
            given = {"first_seconds": None, "scale": 0.05, "seconds": 0} | given
            prepared = service.prepare(work, agency.branch.id, RepairKind(kind), event, **given)
        thought = prepared.think()
        with work_as(actor or scheduler, now=now) as work:
            return service.propose(work, thought)

    return proposed


def booked(agency: TestAgency, person: Person, clinician: Clinician, at: datetime, **given: Any) -> Visit:
    """The person's first visit stands there, published."""
    return agency.book(person.visits[0], clinician, at, **{"published_at": EVE, **given})


def rows(agency: TestAgency) -> dict[int, Visit]:
    agency.session.rollback()
    found = agency.session.execute(sa.select(Visit).order_by(Visit.id), execution_options={"populate_existing": True})
    visits_now = {row.id: row for row in found.scalars()}
    agency.session.commit()  # on SQLite an open transaction would keep everybody waiting
    return visits_now


def change_of(repair: Repair, visit: Visit) -> RepairChange:
    return next(change for change in repair.changes if change.visit_id == visit.id)


AWAY = {"starts_at": SIX, "ends_at": EVENING, "reason": "sick"}
