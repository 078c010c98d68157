"""The care team, with one primary for each discipline."""

from datetime import date

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.domain.vocabulary import Performer
from coordinator.staff.model import Clinician
from coordinator.teams import service
from tests.builders import make_clinician
from tests.conftest import WorkAs
from tests.teams.conftest import Scene

TODAY = date(2026, 11, 9)


@pytest.fixture
def vocational(database: Database, scene: Scene) -> Clinician:
    """A licensed vocational nurse: another profession of the same discipline."""
    with database.transaction() as session:
        return make_clinician(session, session.merge(scene.branch), Performer.LVN)


def test_a_discipline_has_one_primary_at_a_time(
    scene: Scene, vocational: Clinician, database: Database, work_as: WorkAs
) -> None:
    with database.transaction() as session:
        therapist = make_clinician(session, session.merge(scene.branch), Performer.PT)
    with work_as(scene.scheduler) as work:
        first = service.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", True, TODAY)
        with pytest.raises(Conflict) as refusal:
            service.add_to_team(work, scene.patient.id, vocational.id, "nurse", True, date(2027, 1, 1))
        assert refusal.value.problem_code == "primary-exists"
        assert refusal.value.extra["blocking"] == [{"member": first.id, "clinician": scene.nurse.id}]
        second = service.add_to_team(work, scene.patient.id, vocational.id, "nurse", False, TODAY)
        service.add_to_team(work, scene.patient.id, therapist.id, "therapist", True, TODAY)
        with pytest.raises(Conflict, match="primary"):
            service.edit_member(work, scene.patient.id, second.id, is_primary=True)
        service.leave_team(work, scene.patient.id, first.id, date(2026, 11, 30))
        service.leave_team(work, scene.patient.id, second.id, date(2026, 11, 30))
        service.add_to_team(work, scene.patient.id, vocational.id, "nurse", True, date(2026, 12, 1))
        with pytest.raises(Conflict):
            service.leave_team(work, scene.patient.id, first.id, date(2026, 12, 1))
        team = service.team_of(work, scene.patient.id, date(2026, 12, 1))
        assert {(row.clinician.given_name, row.clinician_id, row.is_primary) for row in team} == {
            ("Ana", vocational.id, True), ("Ana", therapist.id, True),
        }  # fmt: skip
        assert len(service.read_team(work, scene.patient.id)) == 3


def test_nobody_is_in_a_team_twice_at_a_time(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work:
        service.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, TODAY, date(2026, 11, 30))
        with pytest.raises(Conflict):
            service.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, date(2026, 11, 30))
        service.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, date(2026, 12, 1))


def test_a_team_is_of_people_and_patients_one_may_see(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work:
        with pytest.raises(NotFound):
            service.add_to_team(work, scene.stranger.id, scene.nurse.id, "nurse", False, TODAY)
        with pytest.raises(NotFound):
            service.add_to_team(work, scene.patient.id, scene.foreigner.id, "nurse", False, TODAY)
        with pytest.raises(NotFound):
            service.read_team(work, scene.stranger.id)
        with pytest.raises(Invalid):
            service.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, TODAY, date(2026, 11, 8))
        member = service.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, TODAY)
        with pytest.raises(NotFound):
            service.leave_team(work, scene.stranger.id, member.id, TODAY)
