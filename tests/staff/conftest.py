"""A branch with a nurse and a patient, and another branch."""

import pytest

from coordinator.core.db import Database
from tests.scenes import TwoBranches as Scene
from tests.scenes import two_branches

__all__ = ["Scene"]


@pytest.fixture
def scene(database: Database) -> Scene:
    with database.transaction() as session:
        return Scene(**two_branches(session))
