"""What happens elsewhere, as cards hear of it: visits booked, moved and begun; primaries and covers that change."""

from datetime import date, datetime

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import (
    CoverChanged,
    EpisodeHeld,
    PatientDischarged,
    PrimaryChanged,
    VisitBooked,
    VisitCancelled,
    VisitMissed,
    VisitMoved,
    VisitsPlanned,
    VisitStarted,
)
from coordinator.domain.handoffs import LIVE_HANDOFF, HandoffCause, HandoffStatus, StartOverHandoff
from coordinator.domain.team import CoverRole
from coordinator.domain.teamwork import TaskSource
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import Discipline
from coordinator.patients.model import Episode, Patient
from coordinator.rules.handoffs import Entrusted
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.handoffs import discipline_of, follow, last_seen_by, task_ref
from coordinator.teamwork.tasks import cancel_tasks, finish_tasks
from coordinator.visits.model import Visit


def on_visit_changed(work: Work, event: VisitBooked | VisitMoved | VisitCancelled | VisitMissed) -> None:
    """Whoever comes next may be another; visits of a whole plan are looked at together, when all are booked."""
    if getattr(event, "of_plan", False):
        return
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    follow(work, [(visit.patient_id, visit.discipline)])


def on_visits_planned(work: Work, event: VisitsPlanned) -> None:
    """A published plan has its cards once, however often it is published."""
    rows = work.session.execute(
        sa.select(Visit.patient_id, Visit.discipline).where(Visit.id.in_(event.visit_ids)).distinct()
    )
    follow(work, [(row.patient_id, row.discipline) for row in rows])


def on_visit_started(work: Work, event: VisitStarted) -> None:
    """The card of whoever is there now is used, or passed over for the reason that was given; the next may be due."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    rows = work.session.execute(
        sa.select(Handoff)
        .where(
            Handoff.patient_id == visit.patient_id, Handoff.discipline == visit.discipline,
            Handoff.to_clinician_id == visit.clinician_id, Handoff.status.in_(sorted(LIVE_HANDOFF)),
        )
        .with_for_update()
    ).scalars()  # fmt: skip
    for card in rows.all():
        read = card.status is HandoffStatus.ACKNOWLEDGED
        card.status, card.ended_at = HandoffStatus.USED if read else HandoffStatus.PASSED_OVER, work.now
        reason = None if event.over_handoff is None else StartOverHandoff(event.over_handoff)
        card.passed_over_for = None if read else reason
        work.session.flush()  # the card has ended before the next is asked for
        if read:
            finish_tasks(work, source=TaskSource.HANDOFF, source_ref=task_ref(card))
        else:
            cancel_tasks(work, source=TaskSource.HANDOFF, source_ref=task_ref(card))
        work.record(
            f"handoff.{card.status.value}", f"handoff:{card.id}", patient_id=card.patient_id, visit=visit.id,
            reason=event.over_handoff,
        )  # fmt: skip
    follow(work, [(visit.patient_id, visit.discipline)])


def on_patient_gone(work: Work, event: PatientDischarged | EpisodeHeld) -> None:
    """What is not coming is not handed over; when visits come again, so do cards."""
    follow(work, [(event.patient_id, discipline) for discipline in Discipline])


def on_primary_changed(work: Work, event: PrimaryChanged) -> None:
    """A new primary has a card from the one before, or from who was there last; one who is so no more has none."""
    pair = (event.patient_id, Discipline(event.discipline))
    giver = event.old_clinician_id or last_seen_by(work, pair)
    entrusted = []
    if event.clinician_id is not None and giver is not None and giver != event.clinician_id:
        branch_id = fetch(work.session, Patient, event.patient_id, "patient").branch_id
        due = _begin_of(work, branch_id, event.on)
        entrusted.append(Entrusted(event.clinician_id, giver, HandoffCause.PRIMARY_CHANGED, due))
    follow(work, [pair], {pair: entrusted})


def on_cover_changed(work: Work, event: CoverChanged) -> None:
    """Whoever stands in has a card of each patient whose primary is away; withdrawn, so are the cards."""
    cover = fetch(work.session, Cover, event.cover_id, "cover")
    if cover.role is not CoverRole.PRIMARY or cover.clinician_id is None or cover.by_clinician_id is None:
        return
    discipline = discipline_of(work, cover.clinician_id)
    patients = _patients_of(work, cover)
    entrusted = {}
    if cover.withdrawn_at is None:
        for patient_id, branch_id in patients:
            due = _begin_of(work, branch_id, cover.starts_on)
            entrusted[patient_id, discipline] = [
                Entrusted(cover.by_clinician_id, cover.clinician_id, HandoffCause.COVER, due, cover.id)
            ]
    follow(work, [(patient_id, discipline) for patient_id, _ in patients], entrusted)


def _patients_of(work: Work, cover: Cover) -> list[tuple[int, int]]:
    """Patients in care, with their branches, whose primary the covered clinician is in some of these days."""
    query = (
        sa.select(Patient.id, Patient.branch_id)
        .where(
            Patient.id.in_(
                sa.select(CareTeamMember.patient_id).where(
                    CareTeamMember.clinician_id == cover.clinician_id,
                    CareTeamMember.is_primary,
                    CareTeamMember.starts_on <= cover.ends_on,
                    sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= cover.starts_on),
                )
            ),
            Patient.id.in_(sa.select(Episode.patient_id).where(Episode.discharged_on.is_(None))),
        )
        .order_by(Patient.id)
    )
    if cover.patient_id is not None:
        query = query.where(Patient.id == cover.patient_id)
    return [(row.id, row.branch_id) for row in work.session.execute(query)]


def _begin_of(work: Work, branch_id: int, day: date) -> datetime:
    """The first instant of the branch's day; today's are due by its end, since the morning is over."""
    zone = agency.zone_of(work, branch_id)
    begins, ends = day_bounds(max(day, local_day(work.now, zone)), zone)
    return begins if begins > work.now else ends
