"""The visits to come as the family sees them: when, which profession, a first name if policy allows, what changed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import BEGUN_VISIT
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import Discipline, VisitStatus
from coordinator.family.model import FamilyLink, ToldVisit
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit

#: What is on the family's page: what is promised, what goes on, and what was told and then cancelled.
_SHOWN = BEGUN_VISIT | {VisitStatus.BOOKED}


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit on the page, in the branch's wall clock. `before`: as they were told it, where that differs."""

    at: datetime
    minutes: int
    discipline: Discipline
    first_name: str | None
    before: datetime | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """The page's days, first and last included, and their visits in order."""

    first: date
    last: date
    as_of: datetime
    stops: list[Stop]


@permitted("family:read")
def schedule(work: Work, link: FamilyLink) -> Schedule:
    """What the holder of the link sees: published visits of the policy's days; no clinical word, address or surname."""
    patient = work.session.get_one(Patient, link.patient_id)
    zone = agency.zone_of(work, patient.branch_id)
    first = local_day(work.now, zone)
    last = first + timedelta(days=work.policy.family.page_days - 1)
    begins, ends = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    rows = work.session.execute(
        sa.select(Visit, Clinician.given_name, ToldVisit.starts_at)
        .outerjoin(Clinician, Clinician.id == Visit.clinician_id)
        .outerjoin(ToldVisit, ToldVisit.visit_id == Visit.id)
        .where(
            Visit.patient_id == patient.id,
            sa.or_(
                sa.and_(
                    Visit.status.in_(sorted(_SHOWN)), Visit.published_at.is_not(None), Visit.starts_at >= begins,
                    Visit.starts_at < ends,
                ),
                sa.and_(
                    Visit.status == VisitStatus.CANCELLED, ToldVisit.starts_at >= begins, ToldVisit.starts_at < ends
                ),
            ),
        )
    ).all()  # fmt: skip
    named = work.policy.family.first_names
    stops = []
    for visit, given_name, told in rows:
        gone = visit.status is VisitStatus.CANCELLED
        at = told if gone else visit.starts_at
        if at is None:
            continue
        stops.append(
            Stop(
                at=at.astimezone(zone), minutes=visit.minutes, discipline=visit.discipline, cancelled=gone,
                first_name=given_name if named and not gone else None,
                before=None if gone or told in (None, visit.starts_at) else told.astimezone(zone),
            )
        )  # fmt: skip
    stops.sort(key=lambda stop: (stop.at, stop.discipline.value))
    work.record("family.schedule-read", f"family-link:{link.id}", patient_id=patient.id)
    return Schedule(first, last, work.now.astimezone(zone), stops)
