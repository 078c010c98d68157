"""What keeps an aide's competence from lapsing: paid work, requalification and in-service training (AID-03)."""

from datetime import date

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import InServiceRecorded
from coordinator.domain.timeline import add_months
from coordinator.domain.vocabulary import Performer
from coordinator.rules.aides import ask_in_service
from coordinator.rules.terms import Finding
from coordinator.staff.clinicians import for_change, get_clinician
from coordinator.staff.model import AideCompetence, Clinician, InService


@permitted("credential:edit")
def record_competence(
    work: Work,
    clinician_id: int,
    *,
    last_paid_work_on: date | None = None,
    requalified_on: date | None = None,
    year_began_on: date | None = None,
) -> AideCompetence:
    """What is known of the aide's paid work elsewhere, requalification and training year; None leaves it as it is."""
    clinician = _aide(for_change(work, clinician_id))
    today = agency.today(work, clinician.branch_id)
    given = {
        "last_paid_work_on": last_paid_work_on, "requalified_on": requalified_on, "year_began_on": year_began_on,
    }  # fmt: skip
    row = _row(work, clinician_id)
    if row is None:
        row = AideCompetence(clinician_id=clinician_id, recorded_at=work.now)
        work.session.add(row)
    for name, day in given.items():
        if day is None:
            continue
        if day > today:
            raise Invalid("That day is still to come.", pointer=f"/{name}")
        setattr(row, name, day)
    row.recorded_at = work.now
    work.session.flush()  # the row is in the answer
    work.record("aide.competence-recorded", f"clinician:{clinician_id}")
    work.publish(InServiceRecorded(clinician_id=clinician_id))
    return row


@permitted("credential:edit")
def add_in_service(work: Work, clinician_id: int, *, held_on: date, minutes: int, topic: str) -> InService:
    """The aide attended in-service training."""
    clinician = _aide(for_change(work, clinician_id))
    if held_on > agency.today(work, clinician.branch_id):
        raise Invalid("That day is still to come.", pointer="/held_on")
    if not topic.strip():
        raise Invalid("Say what it was about.", pointer="/topic")
    row = InService(
        clinician_id=clinician_id, held_on=held_on, minutes=minutes, topic=topic.strip(), recorded_at=work.now
    )
    work.session.add(row)
    work.session.flush()  # the number is in the answer
    work.record("aide.in-service", f"clinician:{clinician_id}", minutes=minutes)
    work.publish(InServiceRecorded(clinician_id=clinician_id))
    return row


@permitted("clinician:read")
def competence(work: Work, clinician_id: int) -> tuple[AideCompetence | None, list[InService], Finding | None]:
    """What is on record of an aide, the training of the year that runs, and the task if that is short."""
    clinician = _aide(get_clinician(work, clinician_id))
    row = _row(work, clinician_id)
    today = agency.today(work, clinician.branch_id)
    began = None if row is None or row.year_began_on is None else year_of(row.year_began_on, today)
    query = sa.select(InService).where(InService.clinician_id == clinician_id).order_by(InService.held_on.desc())
    attended = list(work.session.scalars(query))
    if began is None:
        return row, attended, None
    minutes = sum(one.minutes for one in attended if began <= one.held_on <= today)
    return row, attended, ask_in_service(began, minutes / 60, today, work.policy)


def year_of(began_on: date, today: date) -> date:
    """The first day of the twelve months that hold `today`, counted from the first such day."""
    years = max(0, (today.year - began_on.year))
    start = add_months(began_on, 12 * years)
    return start if start <= today else add_months(began_on, 12 * max(0, years - 1))


def _row(work: Work, clinician_id: int) -> AideCompetence | None:
    return work.session.scalar(sa.select(AideCompetence).where(AideCompetence.clinician_id == clinician_id))


def _aide(clinician: Clinician) -> Clinician:
    if clinician.performer is not Performer.CHHA:
        raise Invalid("That clinician is not an aide.", pointer="/path/clinician_id")
    return clinician
