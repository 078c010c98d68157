"""Cause and effect, on one page: which event is answered by whom, and which job is done by whom.

Handlers run in the transaction of what happened, in the order written here; what reaches outside that transaction
writes a job or a notice instead.
"""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.agency.model import Branch
from coordinator.core.work import Work
from coordinator.domain import events
from coordinator.jobs.context import Job, Place
from coordinator.jobs.timetable import ClockEntry
from coordinator.orders import service as orders

#: Event -> handlers (work, event), in order.
HANDLERS: dict[type, tuple[Callable[[Work, Any], None], ...]] = {
    events.PatientDischarged: (orders.end_for_discharge,),
}

#: Job -> what does it (context, arguments). A job may be done twice: `context.once(work)` makes its effect happen once.
JOBS: dict[str, Job] = {
    "orders.expire": orders.expire_due,
}

#: Clock -> job, for every branch in its own time; never between 01:00 and 03:00, which clock changes skip or repeat.
#: A job missed while the server was down is done once on start, for the latest slot (rule book, appendix B).
CLOCK: tuple[ClockEntry, ...] = (
    ClockEntry(name="nightly-plan", job="plan.nightly", at=time(0, 10), grace=timedelta(hours=20)),
    ClockEntry(name="order-expiry", job="orders.expire", at=time(0, 20), grace=timedelta(hours=23)),
    ClockEntry(name="week-close", job="visits.close-week", at=time(0, 30), weekday=6, grace=timedelta(days=6)),
    ClockEntry(name="reminders", job="deadlines.remind", at=time(3, 15), grace=timedelta(hours=20)),
    ClockEntry(name="watch-48-hours", job="referrals.watch-48-hours", every=15, grace=timedelta(hours=1)),
)


def places(session: Session) -> list[Place]:
    """Every branch, as the clock sees it."""
    found = session.execute(sa.select(Branch.id, Branch.code, Branch.zone).order_by(Branch.id))
    return [Place(branch_id=row.id, code=row.code, zone=ZoneInfo(row.zone)) for row in found]
