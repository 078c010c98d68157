"""Where a home is: asked of the street file when its address is saved, and never silent about how well it is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from coordinator.access.service import installer_actor
from coordinator.agency.model import Branch
from coordinator.core.http import Coordinator
from coordinator.core.work import Work
from coordinator.patients import service
from coordinator.patients.model import Home
from coordinator.travel.atlas import SHIPPED
from tests.builders import make_branch
from tests.conftest import WorkAs
from tests.travel.test_geocode import GEOCODER

INSTALLER = installer_actor("test")
PERSON = {"given_name": "Mei", "family_name": "Lee", "birth_date": date(1944, 5, 1)}
ADDRESS = {"address": "550 Noe St", "city": "San Francisco", "state": "CA", "zip": "94114"}


@pytest.fixture
def branch(session: Session) -> Branch:
    made = make_branch(session, code="SF")
    session.commit()
    return made


@pytest.fixture
def located(work_as: WorkAs) -> Any:
    """`with located() as work:` a work whose atlas knows the streets of branch SF."""

    @contextmanager
    def opened() -> Iterator[Work]:
        with work_as(INSTALLER) as work:
            work.atlas = replace(SHIPPED, geocoders={"SF": GEOCODER})
            yield work

    return opened


def shown(home: Home) -> tuple[Any, ...]:
    return home.lat, home.point_source, home.point_precision, home.point_note


def test_a_new_address_is_looked_up_and_its_precision_kept(located: Any, branch: Branch) -> None:
    with located() as work:
        patient = service.create(work, branch_id=branch.id, home=ADDRESS, **PERSON)
        assert shown(patient.home) == (pytest.approx(37.760918, abs=2e-6), "street-file", "street-range", None)


def test_a_contradiction_between_zip_and_street_stays_with_the_home(located: Any, branch: Branch) -> None:
    with located() as work:
        patient = service.create(work, branch_id=branch.id, home=ADDRESS | {"address": "2550 Mission Street"}, **PERSON)
        assert patient.home.point_note == "The street and number lie in 94110, not in 94114: one of them is wrong."


def test_a_given_point_is_never_overruled_by_a_file(located: Any, branch: Branch) -> None:
    with located() as work:
        given = ADDRESS | {"lat": 37.7, "lon": -122.4}
        patient = service.create(work, branch_id=branch.id, home=given, **PERSON)
        assert shown(patient.home) == (37.7, "given", "given", None)
        version = patient.version
        service.locate_home(work, patient.id)
        assert shown(patient.home) == (37.7, "given", "given", None)
        assert patient.version == version


def test_another_address_is_looked_up_anew_and_the_same_one_is_not(located: Any, branch: Branch) -> None:
    with located() as work:
        patient = service.create(work, branch_id=branch.id, home=ADDRESS | {"lat": 37.7, "lon": -122.4}, **PERSON)
        service.edit(work, patient.id, home={"access_notes": "Gate on the left"})
        assert shown(patient.home) == (37.7, "given", "given", None)
        service.edit(work, patient.id, home={"address": "1 Atlantis Way"})
        assert shown(patient.home)[1:3] == ("zip-centroid", "zip-centroid")
        service.edit(work, patient.id, home={"address": "1 Elsewhere Road", "zip": "10001"})
        assert shown(patient.home) == (None, None, None, None)
        service.edit(work, patient.id, home={"lat": 37.7, "lon": -122.4})
        assert shown(patient.home) == (37.7, "given", "given", None)
        service.edit(work, patient.id, home={"address": "550 Noe St", "zip": "94114", "lat": None, "lon": None})
        assert shown(patient.home)[1:3] == ("street-file", "street-range")


def test_a_branch_without_files_leaves_the_point_open(work_as: WorkAs, branch: Branch) -> None:
    with work_as(INSTALLER) as work:
        patient = service.create(work, branch_id=branch.id, home=ADDRESS, **PERSON)
        assert shown(patient.home) == (None, None, None, None)


def test_the_answer_shows_how_precise_the_point_is(app: Coordinator, located: Any, branch: Branch) -> None:
    schema = app.test_client().get("/openapi.json").get_json()["components"]["schemas"]["Home"]["properties"]
    assert {"point_source", "point_precision", "point_note"} <= set(schema)
    assert schema["point_precision"]["enum"][:3] == ["given", "street-range", "street"]


def test_homes_are_looked_up_again_when_the_files_come(located: Any, work_as: WorkAs, branch: Branch) -> None:
    with work_as(INSTALLER) as work:
        patient_id = service.create(work, branch_id=branch.id, home=ADDRESS, **PERSON).id
    with located() as work:
        home = service.locate_home(work, patient_id)
        assert shown(home)[1:3] == ("street-file", "street-range")
        assert [line.action for line in work.trail] == ["patient.located"]
        assert work.trail[0].facts == {"precision": "street-range"}
