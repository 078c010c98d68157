"""A workshop of the tests' own: their jobs, their clock, no waiting between attempts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.jobs.context import Workshop
from coordinator.jobs.model import QueuedJob

MakeWorkshop = Callable[..., Workshop]


@pytest.fixture
def make_workshop(app: Coordinator) -> MakeWorkshop:
    """`make_workshop(jobs={...}, ...)`: the app's workshop with other jobs, and no clock unless it is given."""

    def made(**given: Any) -> Workshop:
        values: dict[str, Any] = {
            "clock": (), "back_off": (timedelta(),) * 4, "heartbeat": timedelta(seconds=0.2),
            "silence": timedelta(seconds=60),
        } | given  # fmt: skip
        return replace(app.extensions["workshop"], **values)

    return made


def job_row(database: Database, key: str) -> QueuedJob:
    """How the job with that key stands."""
    with database.transaction(write=False) as session:
        return session.execute(sa.select(QueuedJob).where(QueuedJob.key == key)).scalar_one()
