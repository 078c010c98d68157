"""Which wanted visits are this run's: of an order week that reaches past the run, only its share.

A run from Monday to Sunday holds one day of the next week. Were all visits of that week wanted on its one day, the plan
would crowd them onto it and report the rest as left out, though their time is still to come.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from coordinator.domain.vocabulary import VisitKind, VisitStatus
from coordinator.planning.horizon import Horizon
from coordinator.visits.model import Visit

#: Kinds of visit that are wanted as soon as may be, however long their window is.
_NOW = frozenset({VisitKind.INITIAL, VisitKind.RESUMPTION, VisitKind.PRN})


def share(units: int, inside: int, after: int) -> int:
    """How many of `units` visits belong to `inside` days when `after` more days follow; halves count up."""
    return (2 * units * inside + inside + after) // (2 * (inside + after))


def this_run(visits: Iterable[Visit], horizon: Horizon, today: date) -> tuple[list[Visit], list[int]]:
    """The visits that the run is about, and the numbers of those that may wait for a later one."""
    kept: list[Visit] = []
    by_week: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        if _may_wait(visit, horizon):
            assert visit.order_week_id is not None
            by_week[visit.order_week_id].append(visit)
        else:
            kept.append(visit)
    later: list[int] = []
    for units in by_week.values():
        units.sort(key=lambda visit: (visit.is_optional, visit.unit or 0))
        first = max(horizon.start_on, units[0].window_from, today)
        inside = max(0, (horizon.end_on - first).days + 1)
        number = share(len(units), inside, (units[0].window_to - horizon.end_on).days)
        kept += units[:number]
        later += [visit.id for visit in units[number:]]
    waiting = set(later)
    seconds = [visit for visit in kept if visit.joint_with_id in waiting and visit.status is VisitStatus.PROPOSED]
    later += [visit.id for visit in seconds]
    kept = [visit for visit in kept if visit.id not in {second.id for second in seconds}]
    return sorted(kept, key=lambda visit: visit.id), sorted(later)


def _may_wait(visit: Visit, horizon: Horizon) -> bool:
    return (
        visit.status is VisitStatus.PROPOSED
        and visit.order_week_id is not None
        and visit.window_to > horizon.end_on
        and visit.due_at is None
        and visit.kind not in _NOW
    )
