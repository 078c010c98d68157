"""A road server for the tests, and an atlas that asks it."""

from collections.abc import Iterator

import pytest

from tests.travel.fake_osrm import FakeOsrm


@pytest.fixture
def osrm() -> Iterator[FakeOsrm]:
    fake = FakeOsrm()
    yield fake
    fake.close()
