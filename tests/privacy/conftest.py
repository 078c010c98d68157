"""The branch, patients and people of the tests of access."""

from tests.access.conftest import Scene, scene

__all__ = ["Scene", "scene"]
