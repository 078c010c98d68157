"""Mrs Lee's home again (`tests.visits.conftest`), with visits that were made."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from coordinator.domain.handoffs import StartOverHandoff
from coordinator.visits import doing, service
from tests.conftest import WorkAs
from tests.visits.conftest import Scene, columns, ordered, row, scene, wanted

__all__ = ["columns", "ordered", "row", "scene", "wanted"]

Make = Callable[..., None]
HOME = {"lat": 37.76, "lon": -122.43}


@pytest.fixture
def make(scene: Scene, work_as: WorkAs) -> Make:
    """Book the visit, begin it at its hour, finish it 40 minutes later and sign its note."""

    def visit(number: int, starts_at: datetime, who: str = "nurse", *, note: bool = True) -> None:
        with work_as(scene.actor("scheduler")) as work:
            service.assign(work, number, scene[who], starts_at)
        with work_as(scene.actor(who), now=starts_at) as work:
            doing.start(work, number, starts_at, HOME, over_handoff=StartOverHandoff.TOLD_IN_PERSON)
        ends_at = starts_at + timedelta(minutes=40)
        with work_as(scene.actor(who), now=ends_at) as work:
            doing.finish(work, number, ends_at)
            if note:
                doing.note(work, number)

    return visit
