"""Chasing: a clinician who has not read that their roster changed, hours before the visit, is asked for by a person.

Reading the notice is the acknowledgement. What was not read is a task of the scheduler's, who rings; whoever reads it
meanwhile takes the task off the list.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.core.work import Work
from coordinator.domain.teamwork import Desk, TaskKind, TaskPriority, TaskSource
from coordinator.domain.vocabulary import VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.notify.model import Notice
from coordinator.teamwork.tasks import cancel_tasks, open_task
from coordinator.visits.model import Visit

JOB = "notify.chase"
#: What changes a clinician's day: one visit, or, as a whole, the roster.
_OF_A_VISIT = frozenset({"visit.given", "visit.moved", "visit.taken", "visit.cancelled"})
_OF_A_ROSTER = frozenset({"roster.published", "roster.repaired"})
#: A notice that is older speaks of days that are past.
_OLDEST = timedelta(days=60)


def chase_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `notify.chase`: the scheduler hears who at the branch has not read of a change."""
    with context.work() as work:
        chase(work, int(arguments["branch_id"]))


def chase(work: Work, branch_id: int) -> int:
    """One task for each unread change of a visit that begins within the policy's hours; how many changes those are.

    Asked twice, the second changes nothing.
    """
    settings = work.policy.notify
    rows = work.session.execute(
        sa.select(Notice.id, Notice.kind, Notice.subject, Notice.user_id, User.clinician_id)
        .join(User, User.id == Notice.user_id)
        .where(
            Notice.branch_id == branch_id,
            Notice.kind.in_(sorted(_OF_A_VISIT | _OF_A_ROSTER)),
            Notice.read_at.is_(None),
            Notice.created_at <= work.now - timedelta(minutes=settings.chase_after_minutes),
            Notice.created_at > work.now - _OLDEST,
            User.active,
        )
        .order_by(Notice.id)
    ).all()
    if not rows:
        return 0
    until = work.now + timedelta(hours=settings.chase_hours)
    visits = _visits(work, [_number(row.subject) for row in rows if row.kind in _OF_A_VISIT], until)
    first = _first_visits(work, [row.clinician_id for row in rows if row.kind in _OF_A_ROSTER], until)
    chased = 0
    for row in rows:
        begins = visits.get(_number(row.subject)) if row.kind in _OF_A_VISIT else first.get(row.clinician_id)
        if begins is None:
            continue
        chased += 1
        open_task(
            work, patient_id=None, branch_id=branch_id, kind=TaskKind.REACH_OTHERWISE, source=TaskSource.SYSTEM,
            source_ref=_ref(row.id), owner_role=Desk.SCHEDULER, due=begins, priority=TaskPriority.URGENT,
            about=f"clinician:{row.clinician_id}" if row.clinician_id is not None else f"user:{row.user_id}",
        )  # fmt: skip
    return chased


def on_read(work: Work, notice: Notice) -> None:
    """Nobody needs to ring whoever has read it. Asked by this room alone."""
    if notice.kind in _OF_A_VISIT | _OF_A_ROSTER:
        cancel_tasks(work, source=TaskSource.SYSTEM, source_ref=_ref(notice.id), kind=TaskKind.REACH_OTHERWISE)


def _ref(notice_id: int) -> str:
    return f"unread:{notice_id}"


def _number(subject: str) -> int:
    return int(subject.rpartition(":")[2])


def _visits(work: Work, numbers: Iterable[int], until: datetime) -> dict[int, datetime]:
    """When those of these visits begin, or would have begun, that do so from now to then."""
    rows = work.session.execute(
        sa.select(Visit.id, Visit.starts_at).where(
            Visit.id.in_(sorted(set(numbers))), Visit.starts_at > work.now, Visit.starts_at <= until
        )
    )
    return {row.id: row.starts_at for row in rows}


def _first_visits(work: Work, clinicians: Iterable[int | None], until: datetime) -> dict[int, datetime]:
    """When the first published visit of each of these clinicians begins, if it does so from now to then."""
    people = sorted({one for one in clinicians if one is not None})
    rows = work.session.execute(
        sa.select(Visit.clinician_id, sa.func.min(Visit.starts_at, type_=Visit.starts_at.type))
        .where(
            Visit.clinician_id.in_(people), Visit.status == VisitStatus.BOOKED, Visit.published_at.is_not(None),
            Visit.starts_at > work.now, Visit.starts_at <= until,
        )
        .group_by(Visit.clinician_id)
    )  # fmt: skip
    return {number: begins for number, begins in rows if number is not None and begins is not None}
