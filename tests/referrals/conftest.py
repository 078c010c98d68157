"""The scene of intake, on both engines."""

import pytest

from coordinator.core.db import Database
from tests.referrals.kit import Scene, set_scene


@pytest.fixture
def scene(database: Database) -> Scene:
    return set_scene(database)
