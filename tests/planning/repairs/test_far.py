"""Events that reach far: beyond the days that a repair looks at, or to the very minute."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid
from coordinator.domain.vocabulary import VisitStatus
from coordinator.planner import ProblemError
from coordinator.planning.model import RosterVersion
from coordinator.planning.repairs import approval, calls, looking, service
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, MONDAY, TestAgency
from tests.planning.repairs.conftest import NINE, ONE, SIX, Propose, booked, change_of, rows

THREE_WEEKS = timedelta(days=20)


def test_an_urgent_visit_that_stands_next_week_is_brought_forward(agency: TestAgency, propose: Propose) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=1)
    late = booked(agency, person, nurse, ONE + timedelta(days=10))
    late.window_to = date(2026, 11, 28)
    repair = propose("urgent", {"visit_id": late.id, "latest_at": ONE})
    change = change_of(repair, late)
    assert change.change == "moved"
    assert change.starts_at is not None
    assert change.starts_at <= ONE
    assert change.old_starts_at == late.starts_at


def test_an_absence_of_weeks_names_the_visits_after_the_days_that_are_planned(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    soon = booked(agency, agency.admit(visits=1), ill, NINE)
    far = booked(agency, agency.admit(visits=1), ill, NINE + THREE_WEEKS, told_patient_at=EVE)
    neighbour = booked(agency, agency.admit(visits=1), ill, ONE + THREE_WEEKS)
    repair = propose("absence", {"clinician_id": ill.id, "starts_at": SIX, "ends_at": SIX + timedelta(days=30)})
    assert change_of(repair, soon).change == "moved"
    left = change_of(repair, far)
    assert (left.change, left.hit, left.told, left.reasons[0]["code"]) == ("decide", True, True, "beyond-repair")
    assert repair.result["counts"]["decide"] == 2
    assert repair.result["touched"]["hit_visits"] == 3
    with work_as(scheduler, now=SIX) as work:
        told = [call["patient_id"] for call in calls.calls(work, repair.id) if call["whom"] == "patient"]
        assert told == [soon.patient_id, far.patient_id, neighbour.patient_id]
        approval.approve(work, repair.id, repair.version)
    assert rows(agency)[far.id].clinician_id == ill.id


def test_a_far_day_that_changed_makes_the_proposal_stale(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    booked(agency, agency.admit(visits=1), ill, NINE + THREE_WEEKS)
    repair = propose("absence", {"clinician_id": ill.id, "starts_at": SIX, "ends_at": SIX + timedelta(days=30)})
    booked(agency, agency.admit(visits=1), ill, ONE + THREE_WEEKS)
    agency.session.commit()
    with work_as(scheduler, now=SIX) as work:
        assert service.stale_days(work, service.get(work, repair.id)) == [
            {"clinician_id": ill.id, "day": (MONDAY + THREE_WEEKS).isoformat()}
        ]


def test_a_patient_in_hospital_rests_on_far_days_too_and_their_clinicians_are_called(
    agency: TestAgency, propose: Propose, work_as: WorkAs, manager: Any
) -> None:
    nurse, later = agency.hire(), agency.hire()
    person = agency.admit(visits=2)
    booked(agency, person, nurse, NINE)
    far = agency.book(person.visits[1], later, NINE + THREE_WEEKS, published_at=EVE)
    repair = propose("hospital", {"patient_id": person.patient.id})
    assert {change.change for change in repair.changes} == {"rests"}
    with work_as(manager, now=SIX) as work:
        assert {call["clinician_id"] for call in calls.calls(work, repair.id)} == {nurse.id, later.id}
        approval.approve(work, repair.id, repair.version)
    assert rows(agency)[far.id].status is VisitStatus.ON_HOLD
    days = agency.session.execute(sa.select(RosterVersion.clinician_id, RosterVersion.day)).all()
    assert set(days) == {(nurse.id, MONDAY), (later.id, MONDAY + THREE_WEEKS)}


def test_a_visit_of_this_very_minute_has_begun(agency: TestAgency, propose: Propose) -> None:
    nurse = agency.hire()
    visit = booked(agency, agency.admit(visits=1), nurse, NINE)
    with pytest.raises(Conflict) as refused:
        propose("cancelled", {"visit_id": visit.id}, now=NINE - timedelta(seconds=30))
    assert refused.value.problem_code == "visit-due"


def test_a_minute_that_has_begun_is_past_for_an_urgent_visit(agency: TestAgency, propose: Propose) -> None:
    nurse = agency.hire()
    visit = booked(agency, agency.admit(visits=1), nurse, NINE)
    now = NINE - timedelta(seconds=50)
    with pytest.raises(Invalid) as refused:
        propose("urgent", {"visit_id": visit.id, "latest_at": NINE - timedelta(seconds=20)}, now=now)
    assert refused.value.extra["errors"][0]["pointer"] == "/event/latest_at"
    with pytest.raises(Conflict) as early:
        propose("urgent", {"visit_id": visit.id, "latest_at": NINE}, now=now)
    assert early.value.problem_code == "early-enough"


def test_days_that_cannot_be_planned_at_all_are_refused_with_a_way_out(
    agency: TestAgency, propose: Propose, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_given: Any, **_named: Any) -> Any:
        raise ProblemError("visits[0].windows", "ends before it begins")

    ill = agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    monkeypatch.setattr(looking, "strike", wrong)
    with pytest.raises(Conflict, match="by hand") as refused:
        propose("absence", {"clinician_id": ill.id, "ends_at": datetime(2026, 11, 10, 8, tzinfo=UTC)})
    assert refused.value.problem_code == "repair-impossible"
