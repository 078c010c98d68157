"""What the night looks after: obligations that days bring, reminders that fall due, and what is overdue.

Everything is keyed by rule, subject and due day, and by the days in `remind_on`; a night that was missed is made up
for by the next, once, and a night that is done twice says nothing new.
"""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.deadlines.authorisation_clock import follow_authorisations
from coordinator.deadlines.book import end, open_deadline
from coordinator.deadlines.care_clock import follow_care
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.order_clock import open_renewals, settle_signatures
from coordinator.deadlines.referral_clock import REF_02, open_recertifications, open_reviews
from coordinator.deadlines.staff_clock import follow_credentials
from coordinator.deadlines.visit_clock import RESUMED, stop_idle_supervision
from coordinator.domain.events import DeadlineReminded
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DeadlineStatus
from coordinator.jobs.context import JobContext

#: Counted in hours, and watched every quarter of an hour instead of every night: see `watch`.
HOURLY = frozenset({REF_02, RESUMED})


def remind(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `deadlines.remind`, at 03:15 of the branch."""
    with context.work() as work:
        look_after(work, int(arguments["branch_id"]))


def look_after(work: Work, branch_id: int) -> None:
    """The branch's book is complete for today, and everybody who must act has been told once."""
    open_recertifications(work, branch_id)
    open_reviews(work, branch_id)
    settle_signatures(work, branch_id)
    open_renewals(work, branch_id)
    stop_idle_supervision(work, branch_id)
    follow_credentials(work, branch_id)
    follow_authorisations(work, branch_id)
    follow_care(work, branch_id)
    _ask_for_discharge_again(work, branch_id)
    work.session.flush()  # what was opened above is read below
    _tell(work, branch_id)


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
    zone = agency.zone_of(work, branch_id)
    today = local_day(work.now, zone)
    rows = work.session.execute(
        sa.select(Deadline)
        .where(Deadline.branch_id == branch_id, Deadline.status == DeadlineStatus.OPEN)
        .order_by(Deadline.id)
        .with_for_update()
    ).scalars()
    told = []
    for row in rows:
        if row.rule in HOURLY and row.due_at is not None:
            continue  # watched by the hour: see `watch`
        overdue = work.now > row.due_at if row.due_at is not None else today > row.due_on
        if overdue:
            if row.escalated_at is None:
                row.escalated_at = work.now
                told.append(DeadlineReminded(deadline_id=row.id, stage="overdue"))
        elif (day := _reminder(row, today)) is not None:
            spoken = local_day(row.reminded_at, zone) if row.reminded_at is not None else day - timedelta(days=1)
            if spoken < day:
                row.reminded_at = work.now
                told.append(DeadlineReminded(deadline_id=row.id, stage="reminder"))
    work.session.flush()  # the notices name the rows as they are now
    for event in told:
        work.publish(event)


def _reminder(row: Deadline, today: date) -> date | None:
    """The latest day of reminder that has come."""
    days = [date.fromisoformat(day) for day in row.facts.get("remind_on", [])]
    return max((day for day in days if day <= today), default=None)
