"""What a patient wishes reaches the plan: who comes, in which language, and when nobody is to come (CUL-01, LNG-01)."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from coordinator.domain.vocabulary import Gender, Role
from coordinator.patients import service as patients
from coordinator.planner import Stop, solve
from coordinator.planning.bridge import Bridge, build
from coordinator.planning.horizon import Horizon
from tests.conftest import WorkAs, actor_with
from tests.planning.conftest import EVE, WEEK, TestAgency, make_agency

NOON, ONE = 12 * 60, 13 * 60


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


def test_a_plan_honours_who_comes_in_which_language_and_the_hour_of_prayer(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire(gender=Gender.MALE)
    agency.hire(gender=Gender.FEMALE, languages=("en", "yue"))
    hers, his, words, prays = (agency.admit(visits=2).patient.id for _ in range(4))
    agency.session.commit()
    intake = actor_with(Role.INTAKE, branch_ids=frozenset({agency.branch.id}))
    with work_as(intake, now=EVE) as work:
        patients.set_preferences(work, hers, preferred_clinician_gender=Gender.FEMALE, gender_required=True)
        patients.set_preferences(work, his, preferred_clinician_gender=Gender.MALE)
        patients.set_preferences(work, words, spoken_language="yue")
        # Open for an hour before the prayer and for an hour after it, and closed for the rest of the day.
        for starts, ends in ((time(0), time(11)), (time(12), time(13)), (time(14), time(23, 59))):
            patients.add_no_visit_window(work, prays, starts=starts, ends=ends, reason="prayer")
    bridge = _bridge(agency, work_as)
    outcome = solve(bridge.problem, Stop(iterations=300))
    assert outcome.score.hard == ()
    placed = outcome.plan.by_visit()
    came: dict[int, set[int]] = {}
    clock: dict[int, set[int]] = {}
    for index, visit in enumerate(bridge.visits):
        came.setdefault(visit.patient_id, set()).add(placed[index].clinician)
        clock.setdefault(visit.patient_id, set()).add(placed[index].start_minute % 1440)
    assert (came[hers], came[his], came[words]) == ({1}, {0}, {1})
    assert all(11 * 60 <= start <= NOON - 45 or ONE <= start <= 14 * 60 - 45 for start in clock[prays]), clock[prays]
    required = next(
        wanted for wanted, visit in zip(bridge.problem.visits, bridge.visits, strict=True) if visit.patient_id == hers
    )
    assert set(required.forbidden) == {0}, "what is required forbids, and does not merely cost"
    with work_as(intake, now=EVE) as work:
        patients.set_preferences(work, words, race_ethnicity=["asian"], spiritual_tradition="Buddhist")
    assert _bridge(agency, work_as).problem_hash == bridge.problem_hash, "what somebody is routes nobody"


def _bridge(agency: TestAgency, work_as: WorkAs) -> Bridge:
    with work_as(now=EVE) as work:
        return build(work, agency.branch.id, Horizon(ZoneInfo(agency.branch.zone), *WEEK))
