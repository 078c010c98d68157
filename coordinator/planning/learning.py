"""Asking the road server, before something is planned, for the ways that it will want to know and nobody asked yet."""

from collections.abc import Callable, Sequence

import structlog

from coordinator.core.work import Work
from coordinator.jobs.context import JobContext
from coordinator.travel.atlas import Atlas
from coordinator.travel.times import Point
from coordinator.travel.ways import Learned, learn

log = structlog.get_logger("coordinator.planning")


def learn_between(
    context: JobContext,
    points: Callable[[Work], Sequence[Point]],
    *,
    about: Callable[[Work], Point | None] | None = None,
    seconds: float | None = None,
) -> Learned | None:
    """What was learned of the ways between those points; None where there is no server, or nothing to ask.

    `about`: only of the ways to and from that place, and of none if it is unknown. `seconds`: for so long at most. The
    points are read in one transaction, and none is open while the server is asked.
    """
    atlas: Atlas | None = context.workshop.atlas
    if atlas is None or atlas.roads is None:
        return None
    with context.work(write=False) as work:
        here = about(work) if about is not None else None
        if about is not None and here is None:
            return None
        places = [*points(work), *([here] if here is not None else [])]
    learned = learn(
        context.database, atlas, places, context.now(), about=here, seconds=seconds, heartbeat=context.heartbeat
    )
    if learned.note is not None:
        log.warning("road times are missing", missing=learned.missing, learned=learned.legs)
    return learned
