"""A patient whose care somebody manages, with nurses, a therapist and two physicians; and another branch."""

from dataclasses import dataclass

import pytest

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import Performer, Role
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician, Physician
from tests.builders import make_branch, make_clinician, make_patient, make_physician
from tests.conftest import actor_with
from tests.people import Browser, browser


@dataclass(frozen=True)
class Scene:
    branch: Branch
    elsewhere: Branch
    nurse: Clinician
    colleague: Clinician
    foreigner: Clinician
    doctor: Physician
    partner: Physician
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
        doctor = make_physician(session)
        return Scene(
            branch=branch,
            elsewhere=elsewhere,
            nurse=make_clinician(session, branch),
            colleague=make_clinician(session, branch),
            foreigner=make_clinician(session, elsewhere),
            doctor=doctor,
            partner=make_physician(session),
            patient=make_patient(session, branch, managing_physician_id=doctor.id),
            stranger=make_patient(session, elsewhere),
        )


@dataclass(frozen=True)
class People:
    """Somebody of each kind, signed in."""

    manager: Browser
    scheduler: Browser
    nurse: Browser
    colleague: Browser
    aide: Browser
    doctor: Browser
    partner: Browser
    foreigner: Browser


@pytest.fixture
def people(app: Coordinator, database: Database, scene: Scene) -> People:
    here = [scene.branch.id]
    with database.transaction() as session:
        aide = make_clinician(session, session.merge(scene.branch), Performer.CHHA).id
    return People(
        manager=browser(app, database, "clinical_manager", branch_ids=here),
        scheduler=browser(app, database, "scheduler", branch_ids=here),
        nurse=browser(app, database, "clinician", clinician_id=scene.nurse.id),
        colleague=browser(app, database, "clinician", clinician_id=scene.colleague.id),
        aide=browser(app, database, "clinician", clinician_id=aide),
        doctor=browser(app, database, "physician", physician_id=scene.doctor.id),
        partner=browser(app, database, "physician", physician_id=scene.partner.id),
        foreigner=browser(app, database, "clinical_manager", branch_ids=[scene.elsewhere.id]),
    )
