"""How the server starts by hand: `flask run` has the planner ready as gunicorn does."""

import runpy
from pathlib import Path

import click
import flask.cli
import pytest

from coordinator.planning import search

WSGI = Path(__file__).parents[2] / "wsgi.py"


@pytest.mark.parametrize(("command", "warms"), [(flask.cli.run_command, 1), (flask.cli.shell_command, 0), (None, 0)])
def test_flask_run_loads_the_planner_beside_and_other_commands_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: click.Command | None, warms: int
) -> None:
    monkeypatch.setenv("COORDINATOR_DATABASE_URL", f"sqlite:///{tmp_path}/x.db")
    monkeypatch.setenv("COORDINATOR_SECRET_KEY", "k" * 64)
    warmed: list[int] = []
    monkeypatch.setattr(search, "warm_in_background", lambda: warmed.append(1))
    if command is None:
        runpy.run_path(str(WSGI))
    else:
        with click.Context(command):
            runpy.run_path(str(WSGI))
    assert len(warmed) == warms
