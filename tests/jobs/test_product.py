"""The product's own clock and jobs, together, once."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.jobs.manual import ManualScheduler
from coordinator.jobs.model import QueuedJob
from tests.builders import make_branch

SUNDAY_NOON = datetime(2026, 11, 8, 20, tzinfo=UTC)


def test_everything_the_clock_asks_for_is_done_for_a_branch(
    app: Coordinator, session: Session, database: Database
) -> None:
    make_branch(session, code="SF")
    session.commit()
    scheduler = ManualScheduler(app.extensions["workshop"], SUNDAY_NOON)
    assert scheduler.advance(SUNDAY_NOON) == len(scheduler.workshop.clock)
    with database.transaction(write=False) as reading:
        rows = reading.execute(sa.select(QueuedJob)).scalars().all()
    assert {(row.name, row.status, row.error) for row in rows} >= {
        (entry.job, "done", None) for entry in scheduler.workshop.clock
    }
    assert [row.key for row in rows if row.status != "done"] == []
