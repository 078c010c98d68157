"""The log never holds what a function held."""

import json

import pytest
import structlog

from coordinator.core import logs


@pytest.mark.parametrize("machine", [True, False])
def test_a_traceback_names_places_and_no_values(capsys: pytest.CaptureFixture[str], machine: bool) -> None:
    logs.configure(machine=machine)

    def fails() -> None:
        password = "the password"  # noqa: F841
        raise RuntimeError("broken")

    try:
        fails()
    except RuntimeError as error:
        structlog.get_logger("x").error("fault", exc_info=error)
    written = capsys.readouterr().err
    logs.configure()
    assert "RuntimeError: broken" in written
    assert "the password" not in written.replace('password = "the password"', "")
    if machine:
        assert json.loads(written)["level"] == "error"
