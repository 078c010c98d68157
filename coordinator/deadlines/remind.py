"""What the night looks after: the book against the facts, reminders that fall due, and what is overdue.

Everything is keyed by rule, subject and due day, and `tell_on` says when a row speaks next; a night that was missed is
made up for by the next, once, and a night that is done twice says nothing new.
"""

from datetime import date, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.deadlines import sweep
from coordinator.deadlines.authorisation_clock import follow_authorisations
from coordinator.deadlines.book import end, open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.order_clock import settle_refusals
from coordinator.deadlines.referral_clock import REF_02, follow_referrals
from coordinator.deadlines.visit_clock import follow_missed, follow_resumptions
from coordinator.domain.events import DeadlineReminded, DeadlinesReminded
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DeadlineStatus
from coordinator.jobs.context import JobContext

_TABLE = cast(sa.Table, Deadline.__table__)


def remind(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `deadlines.remind`, at 03:15 of the branch."""
    with context.work() as work:
        look_after(work, int(arguments["branch_id"]))


def look_after(work: Work, branch_id: int) -> sweep.Change:
    """The branch's book is complete for today, and who must act has been told once; what the table changed."""
    change = sweep.follow(work, branch_id)
    follow_referrals(work, branch_id)
    follow_missed(work, branch_id)
    follow_resumptions(work, branch_id)
    settle_refusals(work, branch_id)
    follow_authorisations(work, branch_id)
    _ask_for_discharge_again(work, branch_id)
    work.session.flush()  # what was opened above is read below
    _tell(work, branch_id)
    return change


def _ask_for_discharge_again(work: Work, branch_id: int) -> None:
    """Whether an inpatient goes home is asked every day until it is known (REF-02)."""
    today = agency.today(work, branch_id)
    rows = work.session.execute(
        sa.select(Deadline)
        .where(
            Deadline.branch_id == branch_id,
            Deadline.rule == REF_02,
            Deadline.due_at.is_(None),
            Deadline.due_on < today,
            Deadline.status == DeadlineStatus.OPEN,
        )
        .order_by(Deadline.id)
    ).scalars()
    for row in rows.all():
        end(work, row, "asked again the next day", DeadlineStatus.SUPERSEDED)
        open_deadline(
            work, rule=REF_02, subject=row.subject, due_on=today, owner_role=row.owner_role, branch_id=branch_id,
            patient_id=row.patient_id, **row.facts,
        )  # fmt: skip


def _tell(work: Work, branch_id: int) -> None:
    """Whoever has a reminder today, or something overdue since today, is told; read and written in a few statements."""
    zone = agency.zone_of(work, branch_id)
    today = local_day(work.now, zone)
    rows = work.session.execute(
        sa.select(Deadline.id, Deadline.due_at, Deadline.escalate_on, Deadline.facts, Deadline.reminded_at)
        .where(Deadline.branch_id == branch_id, Deadline.status == DeadlineStatus.OPEN, Deadline.tell_on <= today)
        .order_by(Deadline.id)
        .with_for_update()
    ).all()
    told: list[DeadlineReminded] = []
    changes: list[dict[str, Any]] = []
    for row in rows:
        days = [date.fromisoformat(day) for day in row.facts.get("remind_on", [])]
        if _overdue(row.due_at, row.escalate_on, today, work.now):
            told.append(DeadlineReminded(deadline_id=row.id, stage="overdue"))
            changes.append(_change(row, None, row.reminded_at, work.now))
            continue
        come = max((day for day in days if day <= today), default=None)
        spoken = None if row.reminded_at is None else local_day(row.reminded_at, zone)
        following = min([*(day for day in days if day > today), max(row.escalate_on, today + timedelta(days=1))])
        if come is not None and (spoken is None or spoken < come):
            told.append(DeadlineReminded(deadline_id=row.id, stage="reminder"))
            changes.append(_change(row, following, work.now, None))
        else:
            changes.append(_change(row, following, row.reminded_at, None))
    if not rows:
        return
    work.session.connection().execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == sa.bindparam("number"))
        .values(
            tell_on=sa.bindparam("new_tell_on"), reminded_at=sa.bindparam("new_reminded_at"),
            escalated_at=sa.bindparam("new_escalated_at"), version=_TABLE.c.version + 1,
        ),
        changes,
    )  # fmt: skip
    sweep.forget(work)
    if told:
        work.publish(DeadlinesReminded(tuple(told)))


def _overdue(due_at: datetime | None, escalate_on: date, today: date, now: datetime) -> bool:
    """By the day, after the grace; where there is an instant, only once it is past."""
    return today >= escalate_on and (due_at is None or now > due_at)


def _change(
    row: Any, tell_on: date | None, reminded_at: datetime | None, escalated_at: datetime | None
) -> dict[str, Any]:
    return {
        "number": row.id, "new_tell_on": tell_on, "new_reminded_at": reminded_at, "new_escalated_at": escalated_at,
    }  # fmt: skip
