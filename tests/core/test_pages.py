"""Pages turn by whatever they are ordered by, instants included."""

from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.pages import page
from coordinator.domain.vocabulary import RunStatus
from coordinator.planning.model import PlanRun
from tests import builders
from tests.conftest import NOW


def test_a_list_by_instant_is_read_to_its_end_once(database: Database) -> None:
    with database.transaction() as session:
        branch = builders.make_branch(session)
        for number in range(5):
            session.add(
                PlanRun(
                    branch_id=branch.id, kind="week", start_on=date(2026, 11, 9), end_on=date(2026, 11, 15), seconds=5,
                    seed=number, status=RunStatus.QUEUED, requested_at=NOW + timedelta(minutes=number // 2),
                    cancel_requested=False,
                )
            )  # fmt: skip
    seen: list[int] = []
    cursor = None
    with database.transaction(write=False) as session:
        for _ in range(10):
            keys = (PlanRun.requested_at, PlanRun.id)
            found = page(session, sa.select(PlanRun), keys, {"limit": 2, "cursor": cursor})
            seen += [run.seed for run in found["items"]]
            cursor = found["next"]
            if cursor is None:
                break
    assert seen == [0, 1, 2, 3, 4]
