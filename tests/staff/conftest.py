"""A branch with a nurse and a patient, and another branch."""

from dataclasses import dataclass

import pytest

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import Role
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician
from tests.builders import make_branch, make_clinician, make_patient
from tests.conftest import actor_with


@dataclass(frozen=True)
class Scene:
    branch: Branch
    elsewhere: Branch
    nurse: Clinician
    foreigner: Clinician
    patient: Patient
    stranger: Patient

    @property
    def manager(self) -> Actor:
        return actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({self.branch.id}))

    @property
    def scheduler(self) -> Actor:
        return actor_with(Role.SCHEDULER, branch_ids=frozenset({self.branch.id}))


@pytest.fixture
def scene(database: Database) -> Scene:
    with database.transaction() as session:
        branch, elsewhere = make_branch(session), make_branch(session)
        return Scene(
            branch=branch,
            elsewhere=elsewhere,
            nurse=make_clinician(session, branch),
            foreigner=make_clinician(session, elsewhere),
            patient=make_patient(session, branch),
            stranger=make_patient(session, elsewhere),
        )
