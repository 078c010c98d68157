"""`flask travel`: for the person at the server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.http import Coordinator
from coordinator.patients.model import Home
from coordinator.travel.atlas import SHIPPED, Atlas
from coordinator.travel.roads import Osrm
from tests.builders import make_branch, make_patient
from tests.travel.fake_osrm import FakeOsrm
from tests.travel.test_geocode import GEOCODER

NOWHERE = {"lat": None, "lon": None, "point_source": None}


@pytest.fixture
def flask(app: Coordinator) -> Iterator[Callable[..., Any]]:
    register(app)
    plain = app.extensions["door"]

    def invoked(*arguments: str, atlas: Atlas = SHIPPED) -> Any:
        app.extensions["door"] = replace(plain, atlas=atlas)
        return app.test_cli_runner().invoke(args=["travel", *arguments])

    yield invoked
    app.extensions["door"] = plain


def test_homes_are_looked_up_and_written_only_when_asked(session: Session, flask: Callable[..., Any]) -> None:
    branch = make_branch(session, code="SF")
    known = make_patient(session, branch, home=NOWHERE | {"address": "550 Noe St", "zip": "94114"})
    wrong = make_patient(session, branch, home=NOWHERE | {"address": "2550 Mission St", "zip": "94114"})
    given = make_patient(session, branch, home={"address": "550 Noe St", "zip": "94114"})
    session.commit()
    atlas = replace(SHIPPED, geocoders={"SF": GEOCODER})
    answer = json.loads(flask("geocode", "--branch", "SF", "--json", atlas=atlas).stdout)
    assert answer["precision"] == {"street-range": 2, "given": 1}
    assert session.get_one(Home, known.home.id).lat is None
    session.commit()
    said = flask("geocode", "--branch", "SF", "--write", atlas=atlas).stdout
    assert f"Patient {wrong.id}: street-range. The street and number lie in 94110, not in 94114" in said
    session.expire_all()
    assert (known.home.point_source, known.home.point_precision) == ("street-file", "street-range")
    assert given.home.point_source == "given"
    session.commit()


def test_a_branch_without_files_is_told_where_to_name_them(session: Session, flask: Callable[..., Any]) -> None:
    make_branch(session, code="SF")
    session.commit()
    answer = flask("geocode", "--branch", "SF")
    assert answer.exit_code == 1
    assert "No street file is named for SF: COORDINATOR_STREETS" in answer.output


def test_one_way_says_how_long_in_which_hour_and_by_whose_word(flask: Callable[..., Any]) -> None:
    day = flask("way", "37.7793,-122.4193", "37.7594,-122.5107").output
    peak = flask("way", "37.7793,-122.4193", "37.7594,-122.5107", "--at", "2026-11-09T17:30").output
    assert day.endswith("s, estimate, 1.23 times free flow (the daytime).\n")
    assert peak.endswith("s, estimate, 1.35 times free flow (Monday 17:30).\n")
    assert int(peak.split()[0]) > int(day.split()[0])
    assert flask("way", "37.7793", "0,0").exit_code == 2
    assert "latitude 97.0" in flask("way", "97,0", "0,0").output


def test_the_ways_of_a_branch_are_learned_at_once(session: Session, flask: Callable[..., Any], osrm: FakeOsrm) -> None:
    branch = make_branch(session, code="SF")
    for _ in range(3):
        make_patient(session, branch)
    session.commit()
    atlas = replace(SHIPPED, roads=Osrm(osrm.url))
    answer = flask("learn", "--branch", "SF", atlas=atlas)
    assert answer.output == "4 places. 12 ways were missing, 12 are known now, 0 of them without a road.\n"
    assert "There is no road server: COORDINATOR_OSRM_URL" in flask("learn", "--branch", "SF").output
