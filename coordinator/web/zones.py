"""In whose zone a person reads instants that are about themselves."""

from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.agency.service import zone_of
from coordinator.core.work import Work


def own_zone(work: Work) -> ZoneInfo:
    """The zone of the reader's first branch; of the agency's first for who has none; UTC where there is no branch."""
    number = min(work.actor.branch_ids, default=None)
    if number is None:
        number = work.session.execute(sa.select(sa.func.min(Branch.id))).scalar()
    return ZoneInfo("UTC") if number is None else zone_of(work, number)
