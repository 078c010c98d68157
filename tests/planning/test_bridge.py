"""From rows to the planner's problem: the facts it must carry over exactly."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from coordinator.core.work import Work
from coordinator.domain.vocabulary import Discipline, Gender, OrderStatus, Performer, VisitKind, VisitStatus
from coordinator.patients.model import NoVisitWindow, Unavailability
from coordinator.planner import validate
from coordinator.planning.bridge import Bridge, build
from coordinator.planning.horizon import Horizon
from coordinator.planning.prices import PRICES
from coordinator.rules.facts import Moment
from coordinator.rules.terms import refusals
from coordinator.rules.visit import ask_clinician_side, ask_patient_side
from coordinator.staff.model import Exclusion, TimeOff
from coordinator.visits import cases
from tests.builders import make_visit
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, MONDAY, WEEK, TestAgency, make_agency


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


def _built(agency: TestAgency, work_as: WorkAs, days: tuple[date, date] = WEEK, now: datetime = EVE) -> Bridge:
    agency.session.commit()
    with work_as(now=now) as work:
        return _build(work, agency, days)


def _build(work: Work, agency: TestAgency, days: tuple[date, date] = WEEK) -> Bridge:
    bridge = build(work, agency.branch.id, Horizon(ZoneInfo(agency.branch.zone), *days))
    validate(bridge.problem)
    return bridge


def test_a_week_of_wanted_visits_becomes_a_problem_that_makes_sense(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=2, primary=nurse)
    bridge = _built(agency, work_as)
    assert [wanted.key for wanted in bridge.problem.visits] == [str(visit.id) for visit in person.visits]
    assert [day.label for day in bridge.problem.days][1] == "2026-11-09"
    # Five shifts, Monday to Friday; the visit may begin from the first minute of each day.
    assert len(bridge.problem.slots) == 5
    shift = bridge.problem.slots[0]
    assert (shift.shift_start, shift.shift_end) == (1440 + 8 * 60, 1440 + 16 * 60 + 30)
    assert set(bridge.problem.visits[0].windows) == set(range(7))
    assert bridge.problem.visits[0].preferences[0].costs == {0: 0}
    assert bridge.problem.spacings[0].at_most_one_per_day
    assert bridge.problem.spacings[0].ideal_gap_days == 3
    assert bridge.wanted == (0, 1)
    assert bridge.problem.group_caps[0].week_cap_minutes == 1680
    assert bridge.problem.group_caps[0].day_cap_minutes == 479


def test_a_day_on_which_the_clocks_go_back_has_twenty_five_hours(agency: TestAgency, work_as: WorkAs) -> None:
    """1 November 2026 in San Francisco: a shift from 08:00 begins nine hours after midnight."""
    agency.hire(weekdays=(6, 0))
    person = agency.admit()
    person.visits[0].window_from = date(2026, 11, 1)
    bridge = _built(agency, work_as, (date(2026, 11, 1), date(2026, 11, 2)), datetime(2026, 10, 31, 12, tzinfo=UTC))
    sunday, monday = bridge.problem.days
    assert (sunday.start_minute, sunday.end_minute) == (0, 25 * 60)
    assert (monday.start_minute, monday.end_minute) == (25 * 60, 49 * 60)
    assert bridge.problem.slots[0].shift_start == 9 * 60
    assert bridge.problem.slots[1].shift_start == 25 * 60 + 8 * 60
    assert bridge.scene.horizon.instant(9 * 60) == datetime(2026, 11, 1, 16, tzinfo=UTC)
