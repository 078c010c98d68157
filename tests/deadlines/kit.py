"""Looking into the book, and moving the clock through a week."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import DeadlineReminded, DeadlinesReminded
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import DeadlineStatus

PACIFIC = ZoneInfo("America/Los_Angeles")
OPEN, DONE, WAIVED, SUPERSEDED = (
    DeadlineStatus.OPEN, DeadlineStatus.DONE, DeadlineStatus.WAIVED, DeadlineStatus.SUPERSEDED,
)  # fmt: skip


def book(work: Work, rule: str | None = None, status: DeadlineStatus | None = None) -> list[Deadline]:
    """The lines of the book, by rule and due day."""
    query = sa.select(Deadline).order_by(Deadline.rule, Deadline.due_on, Deadline.id)
    if rule is not None:
        query = query.where(Deadline.rule == rule)
    if status is not None:
        query = query.where(Deadline.status == status)
    work.session.flush()
    return list(work.session.execute(query).scalars())


def one(work: Work, rule: str, status: DeadlineStatus | None = OPEN) -> Deadline:
    (found,) = book(work, rule, status)
    return found


def nights(first: date, last: date, zone: ZoneInfo = PACIFIC) -> Iterator[datetime]:
    """03:15 of every day from `first` to `last`."""
    day = first
    while day <= last:
        yield at_wall_clock(day, time(3, 15), zone)
        day += timedelta(days=1)


def listen(work: Work) -> list[DeadlineReminded]:
    """Everything that is said of deadlines in this work from now on, besides what the product does with it."""
    heard: list[DeadlineReminded] = []
    standing = work.handlers.get(DeadlinesReminded, ())
    work.handlers = {**work.handlers, DeadlinesReminded: (*standing, lambda _, event: heard.extend(event.reminders))}
    return heard
