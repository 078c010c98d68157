"""The clocks of visits: the missed visit that the practitioner is told of, and the visit after a stay in hospital."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines, open_deadline, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.referral_clock import REF_02, on_initial_visit_made
from coordinator.deadlines.visit_dues import of_patient
from coordinator.domain.events import (
    EpisodeHeld,
    EpisodeResumed,
    MissedVisitDecided,
    PatientDischarged,
    VisitCompleted,
    VisitMissed,
)
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import (
    DeadlineStatus,
    MissedReason,
    VisitKind,
    VisitStatus,
)
from coordinator.episodes.model import InpatientStay
from coordinator.orders.model import OrderWeek
from coordinator.patients.model import Episode, Patient
from coordinator.rules.certification import resumption_due
from coordinator.rules.missed import ask_missed, ask_pattern
from coordinator.rules.terms import Finding
from coordinator.visits.model import Visit

RESUMED, MISSED = "ASM-02", "VIS-01"


# ------------------------------------------------------------------------------------ missed visits


def on_visit_missed(work: Work, event: VisitMissed) -> None:
    """The practitioner is to be told, the same or the next business day, and a pattern goes to the team (VIS-01)."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    zone = agency.zone_of(work, visit.branch_id)
    noticed = local_day(visit.missed_at or work.now, zone)
    reason = MissedReason(event.reason)
    recent = _missed_lately(work, visit.patient_id, noticed, zone)
    findings = ask_missed(
        reason,
        visit.discipline,
        noticed,
        work.policy,
        clinical_impact=visit.clinical_impact,
        daily_order=_is_daily(work, visit),
        not_found_days=[
            day for other, day, why in recent if why is MissedReason.NOT_HOME_NOT_FOUND and other != visit.id
        ],
    )
    for finding in findings:
        decides = finding.facts.get("decision_needed")
        told = decides is not None
        _open_missed(
            work, visit, finding,
            subject=f"visit:{visit.id}" if told else f"visit:{visit.id}:welfare",
            task=("decide-missed" if decides else "tell-practitioner") if told else "welfare-check",
            reason=reason.value,
        )  # fmt: skip
    pattern = ask_pattern([(day, why) for _, day, why in recent], noticed, work.policy)
    if pattern is not None and not open_rows(work, subject=f"{of_patient(visit.patient_id)}:missed", rules=(MISSED,)):
        _open_missed(
            work, visit, pattern, subject=f"{of_patient(visit.patient_id)}:missed", task="team-review",
            missed=pattern.facts["missed"], days=pattern.facts["days"], refusals=pattern.facts["refusals"],
        )  # fmt: skip


def follow_missed(work: Work, branch_id: int) -> None:
    """No missed visit of the last days is without its line, however it came to be missed."""
    today = agency.today(work, branch_id)
    since = work.now - timedelta(days=work.policy.on(today).missed.miss_window_days)
    known = sa.select(Deadline.id).where(
        Deadline.rule == MISSED, Deadline.subject == sa.literal("visit:") + sa.cast(Visit.id, sa.String)
    )
    rows = work.session.execute(
        sa.select(Visit.id, Visit.missed_reason).where(
            Visit.branch_id == branch_id,
            Visit.status.in_([VisitStatus.MISSED, VisitStatus.NO_SHOW]),
            Visit.missed_at >= since,
            Visit.missed_reason.not_in([MissedReason.ON_HOLD.value, MissedReason.DECEASED.value]),
            Visit.decided_at.is_(None),
            ~known.exists(),
        )
    )
    for visit_id, reason in rows.all():
        on_visit_missed(work, VisitMissed(visit_id, str(reason)))


def _open_missed(work: Work, visit: Visit, finding: Finding, *, subject: str, task: str, **facts: Any) -> None:
    assert isinstance(finding.due, date)
    open_deadline(
        work, rule=MISSED, subject=subject, due_on=finding.due, owner_role=finding.owner, branch_id=visit.branch_id,
        patient_id=visit.patient_id, task=task, visit=visit.id, discipline=visit.discipline.value, **facts,
    )  # fmt: skip


def _missed_lately(
    work: Work, patient_id: int, today: date, zone: ZoneInfo
) -> Sequence[tuple[int, date, MissedReason]]:
    """The patient's missed visits of the policy's window, with the day on which each was noticed."""
    since = work.now - timedelta(days=work.policy.on(today).missed.miss_window_days + 1)
    rows = work.session.execute(
        sa.select(Visit.id, Visit.missed_at, Visit.missed_reason)
        .where(
            Visit.patient_id == patient_id,
            Visit.status.in_([VisitStatus.MISSED, VisitStatus.NO_SHOW]),
            Visit.missed_at >= since,
            Visit.missed_reason.is_not(None),
        )
        .order_by(Visit.missed_at)
    )
    found = [(row.id, local_day(row.missed_at, zone), MissedReason(row.missed_reason)) for row in rows]
    return [one for one in found if one[1] <= today]


def _is_daily(work: Work, visit: Visit) -> bool:
    """Whether the visit's order week asks for a visit on every one of its days."""
    week = work.session.get(OrderWeek, visit.order_week_id) if visit.order_week_id is not None else None
    return week is not None and week.maximum >= (week.ends_on - week.starts_on).days + 1 >= 2


def on_missed_decided(work: Work, event: MissedVisitDecided) -> None:
    """The practitioner was told and has decided."""
    close_deadlines(work, subject=f"visit:{event.visit_id}", rule=MISSED, reason=event.decision)


# ------------------------------------------------------------------------------------ visits that were made


def on_visit_completed(work: Work, event: VisitCompleted) -> None:
    """The initial visit ends the 48 hours, and the resumption visit its own."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    if visit.kind is VisitKind.INITIAL:
        on_initial_visit_made(work, visit)
    if visit.kind is VisitKind.RESUMPTION:
        close_deadlines(work, subject=f"episode:{visit.episode_id}", rule=RESUMED, reason="held")


# ------------------------------------------------------------------------------------ away, and home again


def on_episode_resumed(work: Work, event: EpisodeResumed) -> None:
    """Home from the hospital, the patient is visited again within 48 elapsed hours (ASM-02)."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    zone = agency.zone_of(work, patient.branch_id)
    due_at = resumption_due(event.home_at or work.now, work.policy)
    if event.ordered_on is not None:  # the practitioner's own day stands for the 48 hours
        due_at = day_bounds(event.ordered_on, zone)[1]
    warn_at = due_at - timedelta(hours=work.policy.on(local_day(due_at, zone)).referrals.initial_visit_warning_hours)
    open_deadline(
        work, rule=RESUMED, subject=f"episode:{event.episode_id}",
        due_on=event.ordered_on or local_day(due_at, zone), due_at=due_at, owner_role="scheduler",
        branch_id=patient.branch_id, patient_id=patient.id, task="resumption-visit", warn_at=warn_at.isoformat(),
    )  # fmt: skip


def follow_resumptions(work: Work, branch_id: int) -> None:
    """No return from hospital of the last days is without its visit in the book, however it was recorded."""
    made = sa.exists().where(
        Visit.episode_id == InpatientStay.episode_id,
        Visit.kind == VisitKind.RESUMPTION,
        Visit.actual_start_at >= InpatientStay.home_at,
        Visit.status != VisitStatus.ENTERED_IN_ERROR,
    )
    known = sa.exists().where(
        Deadline.rule == RESUMED,
        Deadline.subject == sa.literal("episode:") + sa.cast(InpatientStay.episode_id, sa.String),
        Deadline.due_at > InpatientStay.home_at,
    )
    rows = work.session.execute(
        sa.select(
            InpatientStay.patient_id,
            InpatientStay.episode_id,
            InpatientStay.home_at,
            InpatientStay.ordered_resumption_on,
        )
        .join(Episode, Episode.id == InpatientStay.episode_id)
        .join(Patient, Patient.id == InpatientStay.patient_id)
        .where(
            Patient.branch_id == branch_id,
            InpatientStay.transferred_at.is_not(None),
            InpatientStay.home_at >= work.now - timedelta(days=work.policy.deadlines.catch_up_days),
            Episode.on_hold_since.is_(None),
            Episode.discharged_on.is_(None),
            ~made,
            ~known,
        )
        .order_by(InpatientStay.id)
    )
    for patient_id, episode_id, home_at, ordered_on in rows.all():
        on_episode_resumed(work, EpisodeResumed(patient_id, episode_id, home_at, ordered_on))


def on_episode_held(work: Work, event: EpisodeHeld) -> None:
    """Away again before the resumption visit: it is owed after the next return."""
    close_deadlines(
        work, subject=f"episode:{event.episode_id}", rule=RESUMED, reason="away", status=DeadlineStatus.SUPERSEDED
    )


# ------------------------------------------------------------------------------------ discharge


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """The hours of a patient who left are over; the table knows what else ends, and what it asks for."""
    subjects = [f"episode:{event.episode_id}"]
    referral_id = work.session.execute(sa.select(Episode.referral_id).where(Episode.id == event.episode_id)).scalar()
    if referral_id is not None:
        subjects.append(f"referral:{referral_id}")
    for subject, rule in zip(subjects, (RESUMED, REF_02), strict=False):
        close_deadlines(work, subject=subject, rule=rule, reason="discharged", status=DeadlineStatus.SUPERSEDED)
