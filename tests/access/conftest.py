"""Two branches, an administrator of all of them and one of the first, and whoever else a test signs in."""

from dataclasses import dataclass
from typing import Any

import pytest

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Performer, Role
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician, Physician
from tests.builders import make_branch, make_clinician, make_patient, make_physician
from tests.people import Browser, browser


@dataclass
class Scene:
    """What is there."""

    app: Coordinator
    database: Database
    branch: Branch
    elsewhere: Branch
    patient: Patient
    stranger: Patient
    nurse: Clinician
    aide: Clinician
    physician: Physician

    def signed_in(self, *roles: str, **identity: Any) -> Browser:
        return browser(self.app, self.database, *roles, **identity)

    @property
    def admin(self) -> Browser:
        """Administrator of all branches."""
        return self.signed_in(Role.ADMINISTRATOR)

    @property
    def local_admin(self) -> Browser:
        return self.signed_in(Role.ADMINISTRATOR, branch_ids=[self.branch.id])

    def clinician(self, clinician: Clinician) -> Browser:
        return self.signed_in(Role.CLINICIAN, clinician_id=clinician.id, branch_ids=[self.branch.id])


@pytest.fixture
def scene(app: Coordinator, database: Database) -> Scene:
    with database.transaction() as session:
        branch, elsewhere = make_branch(session), make_branch(session)
        return Scene(
            app=app,
            database=database,
            branch=branch,
            elsewhere=elsewhere,
            patient=make_patient(session, branch),
            stranger=make_patient(session, elsewhere),
            nurse=make_clinician(session, branch),
            aide=make_clinician(session, branch, Performer.CHHA),
            physician=make_physician(session),
        )
