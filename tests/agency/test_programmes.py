"""Programmes at the doors: read by anybody, checked from the command line, and refused by the name of the field."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.agency import programmes
from coordinator.agency.policy import policy_of
from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.errors import Invalid
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings, SettingsError, load_settings
from coordinator.domain.vocabulary import Role
from coordinator.rules.profile_files import ProfileError
from tests.conftest import WorkAs
from tests.people import browser, pointers

OWN = """code = "VALLEY_HBPC"
name = "Valley Health home based palliative care"
based_on = "KP_HBPC"

[payers]
value = ["COMMERCIAL"]
source = "Contract of 2026-10-01"
effective_from = 2026-10-01
verification = "D"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "valley.toml").write_text(OWN, encoding="utf-8")
    return tmp_path


def test_every_programme_is_shown_with_its_sources(app: Coordinator, database: Database) -> None:
    shown = browser(app, database, Role.SCHEDULER).get("/programmes").json["items"]
    assert [one["code"] for one in shown] == [
        "HOSPICE", "KP_HBPC", "MA_HH", "MEDICARE_HH", "MEDI_CAL_HH", "MEDI_CAL_PC", "PACE"
    ]  # fmt: skip
    switch = next(row for row in shown[1]["settings"] if row["setting"] == "allowed_practitioners")
    assert (switch["value"], switch["verification"], switch["effective_from"]) == (False, "D", "2026-01-01")
    assert all(row["source"] for one in shown for row in one["settings"])


def test_one_programme_is_shown_over_time(app: Coordinator, database: Database) -> None:
    shown = browser(app, database, Role.SCHEDULER).get("/programmes/MEDICARE_HH").json
    by_day = {row["effective_from"]: row["value"] for one in shown["periods"] for row in one["settings"]
              if row["setting"] == "certifier_types"}  # fmt: skip
    assert "NP" not in by_day["2011-01-01"]
    assert "NP" in by_day["2020-03-01"]
    assert browser(app, database, Role.INTAKE).get("/programmes/NOBODY").status_code == 404


def test_four_kinds_of_care_are_a_catalogue_in_both_languages(app: Coordinator, database: Database) -> None:
    listed = browser(app, database, Role.CLINICIAN).get("/care-types").json["items"]
    assert [row["code"] for row in listed] == [
        "skilled_nursing", "rehabilitation", "social_services", "home_health_aide",
    ]  # fmt: skip
    assert [row["code"] for row in listed if row["only_when_ordered"]] == ["rehabilitation"]
    assert listed[1]["disciplines"] == ["PT", "OT", "SLP"]
    assert listed[0]["name_zh_hant"] == "專業護理"
    assert listed[0]["activities"][0]["code"] == "teach_self_management"


def test_a_referral_to_a_programme_that_there_is_not_is_refused_by_the_name_of_the_field(
    app: Coordinator, database: Database
) -> None:
    body = {"branch_id": 1, "programme": "NOBODY", "received_at": "2026-11-09T15:00:00Z"}
    answer = browser(app, database, Role.INTAKE)("POST", "/referrals", body)
    assert answer.status_code == 422
    assert pointers(answer) == {"/programme"}
    assert "This agency has: HOSPICE, KP_HBPC" in answer.json["detail"]


def test_a_verb_refuses_it_as_well(work_as: WorkAs) -> None:
    with work_as(now=datetime(2026, 11, 10, tzinfo=UTC)) as work, pytest.raises(Invalid) as refused:
        programmes.require_programme(work, "NOBODY")
    assert refused.value.problem_code == "unknown-programme"
    assert refused.value.extra["errors"][0]["pointer"] == "/programme"


def test_an_agency_has_programmes_of_its_own(folder: Path) -> None:
    mine = {
        "COORDINATOR_PROFILE": "test", "COORDINATOR_DATABASE_URL": "sqlite://", "COORDINATOR_SECRET_KEY": "x",
        "COORDINATOR_PROGRAMMES": str(folder),
    }  # fmt: skip
    assert "VALLEY_HBPC" in policy_of(load_settings(mine)).programmes
    (folder / "valley.toml").write_text(OWN.replace("COMMERCIAL", "COMERCIAL"), encoding="utf-8")
    with pytest.raises(ProfileError, match=r"valley\.toml:6: payers\.value\[0\]: 'COMERCIAL' is not one of KP"):
        policy_of(load_settings(mine))
    with pytest.raises(SettingsError, match="COORDINATOR_PROGRAMMES"):
        load_settings(mine | {"COORDINATOR_PROGRAMMES": str(folder / "nowhere")})


def test_a_file_is_checked_from_the_command_line(app: Coordinator, settings: Settings, folder: Path) -> None:
    register(app)
    run = app.test_cli_runner()
    sound = run.invoke(args=["programmes", "check", str(folder / "valley.toml")])
    assert (sound.exit_code, sound.output) == (0, "Sound. 8 programmes; the agency's own: VALLEY_HBPC.\n")
    (folder / "valley.toml").write_text(OWN.replace("[payers]", "[payors]"), encoding="utf-8")
    wrong = run.invoke(args=["programmes", "check", str(folder / "valley.toml")])
    assert wrong.exit_code == 1
    assert "valley.toml:5: payors: there is no such setting" in wrong.output
    assert "KP_HBPC" in run.invoke(args=["programmes", "list"]).output
