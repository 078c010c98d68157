"""A patient whose care somebody manages, with nurses, a therapist and two physicians; and another branch."""

from dataclasses import dataclass

import pytest

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Performer
from coordinator.staff.model import Clinician, Physician
from tests.builders import make_clinician, make_physician
from tests.people import Browser, browser
from tests.scenes import TwoBranches, two_branches


@dataclass(frozen=True)
class Scene(TwoBranches):
    colleague: Clinician
    doctor: Physician
    partner: Physician


@pytest.fixture
def scene(database: Database) -> Scene:
    with database.transaction() as session:
        doctor = make_physician(session)
        rows = two_branches(session, managing_physician_id=doctor.id)
        return Scene(
            **rows, doctor=doctor, partner=make_physician(session), colleague=make_clinician(session, rows["branch"])
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
