"""A patient of a branch, and everybody who may or may not see the record."""

from dataclasses import dataclass

import pytest

from coordinator.access.scope import OFFICE
from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import Performer, Role
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician, Physician
from tests.builders import make_branch, make_clinician, make_patient, make_physician
from tests.conftest import actor_with


@dataclass(frozen=True)
class Scene:
    branch: Branch
    elsewhere: Branch
    patient: Patient
    stranger: Patient
    nurse: Clinician
    aide: Clinician
    physician: Physician

    def office(self, role: Role) -> Actor:
        assert role in OFFICE
        return actor_with(role, branch_ids=frozenset({self.branch.id}))

    @property
    def intake(self) -> Actor:
        return self.office(Role.INTAKE)

    @property
    def manager(self) -> Actor:
        return self.office(Role.CLINICAL_MANAGER)

    @property
    def scheduler(self) -> Actor:
        return self.office(Role.SCHEDULER)

    def clinician(self, clinician: Clinician) -> Actor:
        return actor_with(Role.CLINICIAN, clinician_id=clinician.id)


@pytest.fixture
def scene(database: Database) -> Scene:
    """The patient is the branch's; the stranger is another branch's."""
    with database.transaction() as session:
        branch, elsewhere = make_branch(session), make_branch(session)
        return Scene(
            branch=branch,
            elsewhere=elsewhere,
            patient=make_patient(session, branch, managing_physician_id=make_physician(session).id),
            stranger=make_patient(session, elsewhere),
            nurse=make_clinician(session, branch),
            aide=make_clinician(session, branch, Performer.CHHA),
            physician=make_physician(session),
        )
