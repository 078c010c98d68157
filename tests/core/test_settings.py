"""Production without its own secrets fails with the name of what is missing; the demo's serve nowhere else."""

import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.core.settings import DEMO_SECRET, ROOT, SettingsError, load_settings
from coordinator.domain.vocabulary import Role
from coordinator.travel.atlas import atlas_from

OWN = {
    "COORDINATOR_PROFILE": "production",
    "COORDINATOR_DATABASE_URL": "sqlite:////tmp/x.sqlite3",
    "COORDINATOR_SECRET_KEY": "0123456789abcdef0123456789abcdef",
}


def test_production_starts_with_secrets_of_its_own() -> None:
    settings = load_settings(OWN)
    assert settings.secure_cookies
    assert not settings.embedded_worker
    assert OWN["COORDINATOR_SECRET_KEY"] not in repr(settings)


@pytest.mark.parametrize("name", ["COORDINATOR_DATABASE_URL", "COORDINATOR_SECRET_KEY"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({key: value for key, value in OWN.items() if key != name})


@pytest.mark.parametrize("profile", ["production", "test"])
def test_the_demo_s_key_serves_nowhere_else(profile: str) -> None:
    with pytest.raises(SettingsError, match="everybody knows"):
        load_settings(OWN | {"COORDINATOR_PROFILE": profile, "COORDINATOR_SECRET_KEY": DEMO_SECRET})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COORDINATOR_PROFILE", "staging"),
        ("COORDINATOR_SECRET_KEY", "short"),
        ("COORDINATOR_DATABASE_URL", "mysql://x"),
        ("COORDINATOR_SESSION_IDLE_MINUTES", "soon"),
        ("COORDINATOR_POOL_SIZE", "0"),
        ("COORDINATOR_STEP_UP_MINUTES", "61"),
        ("COORDINATOR_SECOND_FACTOR", "physician, king"),
        ("COORDINATOR_SECOND_FACTOR", " "),
        ("COORDINATOR_PUBLIC_URL", "http://visits.example.org"),
        ("COORDINATOR_PUBLIC_URL", "https://visits.example.org/here"),
        ("COORDINATOR_PUBLIC_URL", "https://[visits"),
        ("COORDINATOR_OSRM_URL", "127.0.0.1:5000"),
        ("COORDINATOR_OSRM_URL", "http://host:port"),
        ("COORDINATOR_OSRM_URL", "http://me:secret@host"),
        ("COORDINATOR_OSRM_URL", "https://router.project-osrm.org"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings(OWN | {name: value})


@pytest.mark.parametrize(
    ("name", "content"),
    [("COORDINATOR_TRAVEL", "[estimate]\nsource = 'x'"), ("COORDINATOR_STREETS", "[SF]\nstreets = 'absent.geojson'")],
)
def test_a_travel_file_that_cannot_be_used_stops_the_start(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / "given.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=f"{name}: given.toml: "):
        atlas_from(load_settings(OWN | {name: str(path)}))


def test_whoever_starts_it_reads_one_line() -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert started.returncode == 1
    assert "COORDINATOR_SECRET_KEY" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_second_factor_is_asked_of_everyone_unless_the_setting_or_the_profile_says_otherwise() -> None:
    people = {role.value for role in Role if role is not Role.SYSTEM}
    assert load_settings(OWN).second_factor_roles == people
    assert load_settings(OWN | {"COORDINATOR_SECOND_FACTOR": "nobody"}).second_factor_roles == set()
    some = load_settings(OWN | {"COORDINATOR_SECOND_FACTOR": "physician, administrator"})
    assert some.second_factor_roles == {"physician", "administrator"}
    assert load_settings({"COORDINATOR_PROFILE": "demo"}).second_factor_roles == set()


def test_browsers_find_the_installation_where_the_setting_says() -> None:
    assert load_settings(OWN).public_url is None
    given = load_settings(OWN | {"COORDINATOR_PUBLIC_URL": "https://visits.example.org:8443/"})
    assert given.public_url == "https://visits.example.org:8443"
