"""Time off asks for cover: a primary who is away has somebody who stands in, or the scheduler has a task."""

from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import AbsenceRecorded, AbsenceTakenBack, CoverChanged
from coordinator.domain.team import CoverRole
from coordinator.domain.teamwork import Desk, TaskKind, TaskSource
from coordinator.domain.timeline import local_day
from coordinator.patients.model import Episode
from coordinator.rules.teams import Stretch, uncovered
from coordinator.staff.model import Clinician, TimeOff
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.teams.service import covers_between
from coordinator.teamwork.tasks import cancel_tasks, finish_tasks, open_task


def on_absence_recorded(work: Work, event: AbsenceRecorded) -> None:
    """The scheduler is asked for cover by the first day, if patients in care have this primary and nobody stands in."""
    clinician = fetch(work.session, Clinician, event.clinician_id, "clinician")
    zone = agency.zone_of(work, clinician.branch_id)
    # An absence that ends at midnight does not reach into the day that begins there.
    last = local_day(event.ends_at - timedelta(microseconds=1), zone)
    away = Stretch(event.time_off_id, local_day(event.starts_at, zone), last)
    today = local_day(work.now, zone)
    if away.ends_on < today or not _patients_uncovered(work, clinician.id, away):
        return
    open_task(
        work, patient_id=None, branch_id=clinician.branch_id, kind=TaskKind.ARRANGE_COVER, source=TaskSource.SYSTEM,
        source_ref=_ref(event.time_off_id), due=max(away.starts_on, today), owner_role=Desk.SCHEDULER,
        about=f"clinician:{clinician.id}",
    )  # fmt: skip


def on_absence_taken_back(work: Work, event: AbsenceTakenBack) -> None:
    """Who is there needs nobody to stand in."""
    cancel_tasks(work, source=TaskSource.SYSTEM, source_ref=_ref(event.time_off_id), kind=TaskKind.ARRANGE_COVER)


def on_cover_changed(work: Work, event: CoverChanged) -> None:
    """Absences of whoever is covered now, for all their patients and days, ask no more."""
    cover = fetch(work.session, Cover, event.cover_id, "cover")
    if cover.role is not CoverRole.PRIMARY or cover.clinician_id is None or cover.withdrawn_at is not None:
        return
    clinician = fetch(work.session, Clinician, cover.clinician_id, "clinician")
    zone = agency.zone_of(work, clinician.branch_id)
    for row in work.session.execute(
        sa.select(TimeOff.id, TimeOff.starts_at, TimeOff.ends_at)
        .where(TimeOff.clinician_id == clinician.id, TimeOff.ends_at > work.now)
        .order_by(TimeOff.id)
    ).all():
        last = local_day(row.ends_at - timedelta(microseconds=1), zone)
        if not _patients_uncovered(work, clinician.id, Stretch(row.id, local_day(row.starts_at, zone), last)):
            finish_tasks(work, source=TaskSource.SYSTEM, source_ref=_ref(row.id), kind=TaskKind.ARRANGE_COVER)


def _ref(time_off_id: int) -> str:
    return f"time-off:{time_off_id}"


def _patients_uncovered(work: Work, clinician_id: int, away: Stretch) -> bool:
    """Whether a patient in care has this primary on a day of the absence on which nobody stands in."""
    covers = covers_between(work, CoverRole.PRIMARY, [clinician_id], away.starts_on, away.ends_on)
    for row in work.session.execute(_primaries(clinician_id, away.starts_on, away.ends_on)).all():
        ends_on = away.ends_on if row.ends_on is None else min(row.ends_on, away.ends_on)
        days = Stretch(away.row, max(row.starts_on, away.starts_on), ends_on)
        held = [
            Stretch(one.id, one.starts_on, one.ends_on) for one in covers if one.patient_id in (None, row.patient_id)
        ]
        if uncovered(days, held):
            return True
    return False


def _primaries(clinician_id: int, first: date, last: date) -> sa.Select[int, date, date | None]:
    in_care = sa.select(Episode.patient_id).where(Episode.discharged_on.is_(None))
    return sa.select(CareTeamMember.patient_id, CareTeamMember.starts_on, CareTeamMember.ends_on).where(
        CareTeamMember.clinician_id == clinician_id,
        CareTeamMember.is_primary,
        CareTeamMember.starts_on <= last,
        sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= first),
        CareTeamMember.patient_id.in_(in_care),
    )
