"""A range is planned to the end that the policy aims for, and the ledger balances whichever it is (FRQ-04)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from coordinator.domain.frequency import RangeTarget
from coordinator.planning.horizon import Horizon
from coordinator.planning.scene import load
from coordinator.visits import ledger
from coordinator.visits.weeks import close_week
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, WEEK, TestAgency, make_agency
from tests.visits.conftest import ZONE


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


@pytest.mark.parametrize(("floor", "ceiling", "booked"), [(1, 3, 0), (1, 3, 1), (1, 3, 2), (2, 2, 1), (0, 2, 0)])
def test_a_run_plans_the_lower_limit_where_the_policy_says_so(
    agency: TestAgency, work_as: WorkAs, floor: int, ceiling: int, booked: int
) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=ceiling)
    person.order.weeks[0].minimum = floor
    for visit in person.visits:
        visit.is_optional = visit.unit is not None and visit.unit > floor
    for number, visit in enumerate(person.visits[-booked:] if booked else []):
        agency.book(visit, nurse, EVE + timedelta(days=2 + number))
    agency.session.commit()
    with work_as(now=EVE) as work:
        assert work.policy.frequency.range_target is RangeTarget.UPPER
        horizon = Horizon(ZONE, *WEEK)
        assert len(load(work, agency.branch.id, horizon).visits) == ceiling
        work.policy = replace(work.policy, frequency=replace(work.policy.frequency, range_target=RangeTarget.LOWER))
        scene = load(work, agency.branch.id, horizon)
        assert len(scene.visits) == max(floor, booked)
        left_out = {visit.id for visit in person.visits} - {visit.id for visit in scene.visits}
        assert all(visit.is_optional for visit in person.visits if visit.id in left_out) or booked > 0
        (line,) = ledger.ledger(work, order_id=person.order.id)
        assert (line.ordered, line.planned, line.owed) == (ceiling, booked, ceiling - booked)
        assert line.balances
    with work_as(now=EVE + timedelta(days=9)) as work:
        close_week(work, agency.branch.id, WEEK[1])
        (line,) = ledger.ledger(work, order_id=person.order.id)
        assert line.balances
        assert line.missed == floor, "nobody went: what lacks of the floor was missed, and no more"
