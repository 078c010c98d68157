"""What a month begins with (rule book, appendix B): exclusion lists, the service area, and a look at the audit trail.

Everything is keyed by rule, subject and due day, and the month is that of the slot: done twice, or days late, it is the
same.
"""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.audit import AuditEvent
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_deadline, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.domain.timeline import ONE_DAY, add_months, day_bounds, local_day
from coordinator.domain.vocabulary import Criterion, DeadlineStatus, ExclusionList
from coordinator.jobs.context import JobContext
from coordinator.patients.model import Episode, Home, Patient
from coordinator.rules.eligibility import criterion_lost
from coordinator.rules.staffing import exclusion_check_due
from coordinator.staff.model import Clinician

EXCLUDED, AREA, TRAIL = "CRD-01", "ELG-5", "SEC-05"


def begin_month_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `deadlines.begin-month`, on the first of the month at the branch, or as soon after as there is a server."""
    with context.work() as work:
        branch_id = int(arguments["branch_id"])
        slot = datetime.fromisoformat(arguments["slot"])
        begin_month(work, branch_id, local_day(slot, agency.zone_of(work, branch_id)).replace(day=1))


def begin_month(work: Work, branch_id: int, first: date) -> None:
    """What the month that begins on that day asks for is in the branch's book."""
    _exclusions(work, branch_id, first)
    _areas(work, branch_id, first)
    _trail(work, branch_id, first)


def _exclusions(work: Work, branch_id: int, first: date) -> None:
    """Whoever is at work and was never looked for on a list is looked for by the end of the month (CRD-01).

    Who was looked for has a row already, a month from then.
    """
    standing = set(
        work.session.execute(
            sa.select(Deadline.subject).where(
                Deadline.branch_id == branch_id,
                Deadline.rule == EXCLUDED,
                Deadline.task == "check-exclusion",
                Deadline.status == DeadlineStatus.OPEN,
            )
        ).scalars()
    )
    numbers = work.session.execute(
        sa.select(Clinician.id).where(Clinician.branch_id == branch_id, Clinician.active).order_by(Clinician.id)
    ).scalars()
    due_on = exclusion_check_due(first, work.policy) - ONE_DAY
    for number in numbers.all():
        for source in ExclusionList:
            subject = f"exclusion:{number}:{source.value}"
            if subject not in standing:
                open_deadline(
                    work, rule=EXCLUDED, subject=subject, due_on=due_on, owner_role="administrator",
                    branch_id=branch_id, task="check-exclusion", kind=source.value, clinician=number,
                )  # fmt: skip


def _areas(work: Work, branch_id: int, first: date) -> None:
    """Whoever is in care and lives outside the area of the month is the clinical manager's to settle (ELG-5)."""
    branch = fetch(work.session, Branch, branch_id, "branch")
    if branch.polygon is None and not branch.service_zips:
        return  # no area was ever recorded
    due = criterion_lost(Criterion.SERVICE_AREA, first, work.policy).due
    assert isinstance(due, date)
    in_care = sa.select(Episode.patient_id).where(Episode.discharged_on.is_(None), Episode.soc_date.is_not(None))
    homes = work.session.execute(
        sa.select(Home.patient_id, Home.zip, Home.lat, Home.lon)
        .join(Patient, Patient.id == Home.patient_id)
        .where(Patient.branch_id == branch_id, Patient.id.in_(in_care), Home.zip.is_not(None))
        .order_by(Home.patient_id)
    )
    for patient_id, zip_code, lat, lon in homes.all():
        subject = f"patient:{patient_id}:area"
        if agency.serves(work, branch_id, zip_code, first, lat, lon):
            for row in open_rows(work, subject=subject, rules=(AREA,)):
                end(work, row, "served again", DeadlineStatus.SUPERSEDED)
        elif not open_rows(work, subject=subject, rules=(AREA,)):
            open_deadline(
                work, rule=AREA, subject=subject, due_on=due, owner_role="clinical_manager", branch_id=branch_id,
                patient_id=patient_id, task="outside-area",
            )  # fmt: skip


def _trail(work: Work, branch_id: int, first: date) -> None:
    """The month that ended is looked at: how much the trail says, and what in it asks for a look (SEC-05).

    There is one trail for all branches, so the first branch of the agency whose month begins has the row.
    """
    zone = agency.zone_of(work, branch_id)
    last = first - ONE_DAY
    begins, ends = day_bounds(add_months(first, -1), zone)[0], day_bounds(last, zone)[1]
    row = work.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((AuditEvent.outcome == "deny", 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((AuditEvent.action == "emergency.opened", 1), else_=0)), 0),
        ).where(AuditEvent.at >= begins, AuditEvent.at < ends)
    ).one()
    due_on = first + timedelta(days=work.policy.deadlines.audit_review_days)
    open_deadline(
        work, rule=TRAIL, subject=f"audit:{last:%Y-%m}", due_on=due_on, owner_role="administrator",
        branch_id=branch_id, task="review-audit", month=f"{last:%Y-%m}", lines=row[0], refused=int(row[1]),
        emergencies=int(row[2]), remind_on=[first.isoformat()],
    )  # fmt: skip
