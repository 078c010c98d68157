"""Importing bundles into rows, on both engines: once, whole, and truthfully."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from coordinator.access.service import installer_actor
from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import ROOT
from coordinator.demo.agency import OnceDoorman, load
from coordinator.orders.model import Order
from coordinator.patients.model import Patient
from coordinator.teams.model import OutsideParticipant
from tests.conftest import WorkAs

SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture
def agency(app: Coordinator, work_as: WorkAs) -> None:
    """The demo's branch and staff, with one patient."""
    settings = app.extensions["settings"]
    with work_as(installer_actor("demo")) as work:
        load(work, OnceDoorman(settings), settings.directory_path, number_of_patients=1)


@pytest.fixture
def folder(tmp_path: Path, raw_bundle: dict[str, Any]) -> Path:
    """A folder with one good bundle and a list of homes beside it."""
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "one.json").write_text(json.dumps(raw_bundle), encoding="utf-8")
    (tmp_path / "homes.csv").write_text(
        "line,city,state,zip,lat,lon\n12 Shotwell Street,San Francisco,CA,94110,37.7561,-122.4168\n", encoding="utf-8"
    )
    return tmp_path


def _run(app: Coordinator, *words: str | Path) -> Result:
    register(app)
    return app.test_cli_runner().invoke(args=["import", "fhir", *map(str, words), "--branch", "SF", "--json"])


def _counts(database: Database) -> list[int]:
    with database.transaction(write=False) as session:
        return [
            session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (Patient, Order, OutsideParticipant)
        ]


def test_the_same_bundle_twice_changes_nothing(
    app: Coordinator, agency: None, folder: Path, database: Database
) -> None:
    first = json.loads(_run(app, folder / "bundles", "--homes", folder / "homes.csv", "--demo-orders").output)
    assert (first["new"], first["refused"], first["demo_orders"]) == (1, [], 3)
    assert first["taken"] == {"CareTeam": 1, "Condition": 1, "Coverage": 1, "Patient": 1, "RelatedPerson": 1}
    before = _counts(database)
    second = json.loads(_run(app, folder / "bundles", "--homes", folder / "homes.csv", "--demo-orders").output)
    assert (second["new"], second["unchanged"], second["demo_orders"]) == (0, 1, 0)
    assert _counts(database) == before


def test_a_newer_bundle_adds_and_removes_nothing(
    app: Coordinator, agency: None, folder: Path, raw_bundle: dict[str, Any], database: Database
) -> None:
    _run(app, folder / "bundles")
    raw_bundle["entry"][0]["resource"]["telecom"][0]["value"] = "555-010-9999"
    raw_bundle["entry"][3]["resource"]["code"]["coding"][0]["code"] = "59621000"
    (folder / "bundles" / "one.json").write_text(json.dumps(raw_bundle), encoding="utf-8")
    answer = json.loads(_run(app, folder / "bundles").output)
    assert answer["changed"] == 1
    with database.transaction(write=False) as session:
        patient = session.get_one(Patient, answer["patients"][0]["patient"])
        assert patient.phone == "555-010-9999"
        assert [d.code for d in patient.diagnoses] == ["J43.9", "I10"]


def test_a_broken_bundle_leaves_nothing_and_the_others_are_taken(
    app: Coordinator, agency: None, folder: Path, raw_bundle: dict[str, Any], database: Database
) -> None:
    before = _counts(database)[0]
    raw_bundle["entry"][0]["resource"]["id"] = "22222222-2222-4222-8222-222222222222"
    raw_bundle["entry"][5]["resource"]["period"] = {}
    (folder / "bundles" / "two.json").write_text(json.dumps(raw_bundle), encoding="utf-8")
    result = _run(app, folder / "bundles")
    assert result.exit_code == 1
    answer = json.loads(result.output)
    assert answer["new"] == 1
    assert [row["file"] for row in answer["refused"]] == ["two.json"]
    assert "entry[5]" in answer["refused"][0]["place"]
    assert _counts(database)[0] == before + 1


def test_an_unknown_branch_and_a_wrong_list_of_homes_are_named(app: Coordinator, agency: None, folder: Path) -> None:
    (folder / "wrong.csv").write_text("line,city\n", encoding="utf-8")
    result = _run(app, folder / "bundles", "--homes", folder / "wrong.csv")
    assert result.exit_code == 1
    assert "columns lat, lon, state, zip" in result.output
    register(app)
    other = app.test_cli_runner().invoke(args=["import", "fhir", str(folder / "bundles"), "--branch", "XX"])
    assert other.exit_code == 1
    assert "branch" in other.output


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared bundles are not here")
def test_the_shared_bundles_become_patients_with_orders(app: Coordinator, agency: None, database: Database) -> None:
    result = _run(app, SHARED / "fhir", "--homes", SHARED / "geo" / "sf_home_addresses.csv", "--demo-orders")
    assert result.exit_code == 0
    answer = json.loads(result.output)
    assert (answer["bundles"], answer["new"], answer["refused"]) == (20, 20, [])
    assert answer["demo_orders"] == 45
    with database.transaction(write=False) as session:
        imported = list(session.execute(sa.select(Patient).where(Patient.demo.is_(False))).scalars())
    assert sum(not patient.active for patient in imported) == 3
    assert sum(patient.home.lat is None for patient in imported) == 2
