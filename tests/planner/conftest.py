"""The kernels are compiled once before the first test: what a test asks of the clock must not pay for it."""

import pytest

from coordinator.planner import warm_up


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """In a fresh checkout this takes a minute; afterwards it is read from the cache."""
    warm_up()
