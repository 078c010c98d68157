"""House rules that a machine can keep."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import coordinator
from coordinator.core.settings import ROOT
from coordinator.domain.roles import PERMISSIONS
from coordinator.wiring import CLOCK, HANDLERS, JOBS

SOURCES = sorted((ROOT / "coordinator").rglob("*.py"))
#: Public functions in service modules that answer to other code, not to a person: handlers, jobs, pure helpers.
FIRST_ARGUMENT = "work"


def _service_modules() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(coordinator.__path__, "coordinator.")]
    rooms = (
        "agency",
        "patients",
        "staff",
        "directory",
        "teams",
        "orders",
        "episodes",
        "referrals",
        "visits",
        "deadlines",
        "planning",
        "notify",
    )
    return [name for name in names if name.split(".")[1] in rooms and name.split(".")[-1] == "service"]


@pytest.mark.parametrize("name", _service_modules())
def test_every_public_verb_names_its_permission(name: str) -> None:
    module = importlib.import_module(name)
    handlers = {handler for row in HANDLERS.values() for handler in row}
    bare = [
        function.__name__
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == name
        and not function.__name__.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == FIRST_ARGUMENT
        and not hasattr(function, "permission")
        and function not in handlers
        and "Asked by other rooms" not in (function.__doc__ or "")
    ]
    assert bare == []


def test_every_permission_that_a_verb_names_is_on_the_page() -> None:
    named = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "permitted":
                named.add(ast.literal_eval(node.args[0]))
    assert named <= set(PERMISSIONS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_but_the_doors_asks_the_computer_for_the_time(path: Path) -> None:
    doors = {"core/http.py", "cli", "jobs", "demo"}
    place = path.relative_to(ROOT / "coordinator").as_posix()
    if any(place == door or place.startswith(f"{door}/") for door in doors):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}:
            base = node.value
            assert not (isinstance(base, ast.Name) and base.id in {"datetime", "date"}), f"{place}:{node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_service_commits(path: Path) -> None:
    owners = {"core/http.py", "core/db.py", "cli", "jobs"}
    place = path.relative_to(ROOT / "coordinator").as_posix()
    if any(place == owner or place.startswith(f"{owner}/") for owner in owners):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr != "commit", f"{place}:{node.lineno} commits"


def test_every_clock_entry_has_a_job_and_stays_out_of_the_doubtful_hours() -> None:
    for entry in CLOCK:
        assert entry.job in JOBS, entry.name
        if entry.at is not None:
            assert not 1 <= entry.at.hour < 3, f"{entry.name}: the clock changes between 01:00 and 02:59"
