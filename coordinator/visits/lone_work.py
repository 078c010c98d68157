"""The watch over clinicians in homes where one is heard of: begun in time, well while there, out in time (LAB-06)."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ClinicianHeard, ClinicianNotHeard
from coordinator.domain.vocabulary import VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.patients.model import Home
from coordinator.rules.facts import LoneWorkFacts
from coordinator.rules.labour import heard_by
from coordinator.visits import placing, queries
from coordinator.visits.model import LoneWork, Visit

#: A telephone's clock may be this much ahead of ours.
_SKEW = timedelta(minutes=5)
#: Older visits that nobody began or ended are for the office's list, not for the watch.
_WATCHED_FOR = timedelta(hours=24)
_TO_BEGIN = frozenset({VisitStatus.BOOKED, VisitStatus.EN_ROUTE, VisitStatus.ARRIVED})


@permitted("visit:perform")
def all_well(work: Work, visit_id: int, at: datetime) -> datetime | None:
    """The clinician says that all is well; when they are to be heard of next, None where nobody waits for it.

    Said late by a telephone that was out of reach, or twice, it changes nothing that is newer.
    """
    visit = queries.claim(work, visit_id)
    if work.actor.clinician_id is None:
        raise Forbidden("Only somebody who makes visits can do this.", code="not-a-clinician")
    if visit.clinician_id != work.actor.clinician_id:
        raise NotFound("visit")
    if visit.status is not VisitStatus.IN_PROGRESS:
        raise placing.not_in_state(visit, "reported from")
    if at > work.now + _SKEW:
        raise Invalid("That is still to come.", pointer="/at")
    row = work.session.scalar(sa.select(LoneWork).where(LoneWork.visit_id == visit.id))
    if row is None:
        row = LoneWork(visit_id=visit.id)
        work.session.add(row)
    row.heard_at = max(at, row.heard_at or at)
    work.session.flush()  # what is asked next sees it
    work.record("visit.all-well", f"visit:{visit.id}", patient_id=visit.patient_id)
    work.publish(ClinicianHeard(visit_id=visit.id))
    home = work.session.execute(sa.select(Home).where(Home.patient_id == visit.patient_id)).scalar_one()
    return heard_by(_facts(visit, home, row), work.policy)


def _facts(visit: Visit, home: Home, row: LoneWork | None) -> LoneWorkFacts:
    assert visit.starts_at is not None
    minutes = visit.minutes
    if visit.ends_at is not None:
        minutes = int((visit.ends_at - visit.starts_at).total_seconds()) // 60
    return LoneWorkFacts(
        booked_at=visit.starts_at,
        minutes=minutes,
        begun_at=visit.actual_start_at,
        heard_at=None if row is None else row.heard_at,
        hazards=frozenset(hazard.upper() for hazard in home.hazards),
        check_in_minutes=home.check_in_minutes,
    )


def watch_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `visits.watch-lone-work`: may be done twice, since the office is told once of each silence."""
    with context.work() as work:
        watch(work, int(arguments["branch_id"]))


def watch(work: Work, branch_id: int) -> int:
    """The office knows of everybody who should have been heard of by now and was not; how many are new."""
    query = (
        sa.select(Visit, Home, LoneWork)
        .join(Home, Home.patient_id == Visit.patient_id)
        .outerjoin(LoneWork, LoneWork.visit_id == Visit.id)
        .where(
            Visit.branch_id == branch_id,
            Visit.is_current,
            sa.or_(
                sa.and_(
                    Visit.status.in_(_TO_BEGIN),
                    Visit.starts_at <= work.now,
                    Visit.starts_at > work.now - _WATCHED_FOR,
                ),
                sa.and_(Visit.status == VisitStatus.IN_PROGRESS, Visit.actual_start_at > work.now - 2 * _WATCHED_FOR),
            ),
        )
        .order_by(Visit.id)
    )
    new = 0
    for visit, home, joined in work.session.execute(query).all():
        known: LoneWork | None = joined
        due = heard_by(_facts(visit, home, known), work.policy)
        if due is None or due >= work.now or (known is not None and known.told_due_at == due):
            continue
        row = known or LoneWork(visit_id=visit.id)
        work.session.add(row)
        row.told_due_at = due
        work.session.flush()  # said once, whatever is done after
        stage = "begin" if visit.actual_start_at is None else "end"
        work.record("visit.not-heard-of", f"visit:{visit.id}", patient_id=visit.patient_id, stage=stage)
        work.publish(ClinicianNotHeard(visit_id=visit.id, due_at=due, stage=stage))
        new += 1
    return new
