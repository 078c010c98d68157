"""How many visits of an ordered range are planned: to its upper limit, or to its lower one (FRQ-04).

Every visit up to the upper limit is wanted and stays in the ledger; a run leaves out those that the policy does not aim
for. The office may still book them by hand, and the week's close waives what nobody did.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.frequency import OrderWeek as Window
from coordinator.domain.vocabulary import VisitStatus
from coordinator.orders.model import OrderWeek
from coordinator.rules.frequencies import planned_visits
from coordinator.visits.model import Visit


def aimed_for(work: Work, visits: Sequence[Visit], weeks: Mapping[int, OrderWeek]) -> list[Visit]:
    """The visits of a run without what lies beyond the number that their order's week aims for."""
    aims = {
        number: planned_visits(
            Window(week.number, week.starts_on, week.ends_on, week.minimum, week.maximum), work.policy
        )
        for number, week in weeks.items()
    }
    short = {number for number, aim in aims.items() if aim < weeks[number].maximum}
    if not short:
        return list(visits)
    room = Counter({number: aims[number] for number in short})
    rows = work.session.execute(
        sa.select(Visit.order_week_id, sa.func.count())
        .where(
            Visit.order_week_id.in_(sorted(short)),
            Visit.is_current,
            Visit.unit.is_not(None),
            Visit.waive_reason.is_(None),
            Visit.status != VisitStatus.PROPOSED,
        )
        .group_by(Visit.order_week_id)
    )
    room.subtract({number: count for number, count in rows if number is not None})
    open_: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        if visit.order_week_id in short and visit.unit is not None and visit.status is VisitStatus.PROPOSED:
            open_[visit.order_week_id].append(visit)
    left: set[int] = set()
    for number, units in open_.items():
        units.sort(key=lambda visit: (visit.is_optional, visit.unit, visit.id))
        left.update(visit.id for visit in units[max(0, room[number]) :])
    return [visit for visit in visits if visit.id not in left and visit.joint_with_id not in left]
