"""The clocks of visits: the missed visit that the practitioner is told of, and the supervision of aides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines, end, open_deadline, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.order_clock import RENEWAL, live_orders
from coordinator.deadlines.referral_clock import ELIGIBILITY, RECERTIFICATION, REF_02, on_initial_visit_made
from coordinator.domain.events import (
    AideSupervised,
    EpisodeHeld,
    EpisodeResumed,
    MissedVisitDecided,
    OrderEnded,
    PatientDischarged,
    VisitCompleted,
    VisitMissed,
)
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import (
    QUALIFYING,
    DeadlineStatus,
    Discipline,
    MissedReason,
    OrderStatus,
    VisitKind,
    VisitStatus,
)
from coordinator.orders.model import Order, OrderWeek
from coordinator.patients.model import Episode, Patient
from coordinator.rules.aides import supervision_due
from coordinator.rules.certification import resumption_due
from coordinator.rules.facts import SupervisionFacts
from coordinator.rules.missed import ask_missed, ask_pattern
from coordinator.rules.terms import Finding
from coordinator.visits.model import Supervision, Visit

RESUMED, MISSED, SUPERVISED, SUPERVISED_ALONE, OBSERVED = "ASM-02", "VIS-01", "SUP-01", "SUP-04", "SUP-02"
_SKILLED = QUALIFYING | {Discipline.OT}
_AIDE = frozenset({Discipline.HHA})
#: Owed only to somebody in care.
_ENDS_WITH_CARE = (SUPERVISED, SUPERVISED_ALONE, RENEWAL, ELIGIBILITY, REF_02)
#: A concern about an aide is looked into in the home within these days (SUP-02).
OBSERVATION_DAYS = timedelta(days=3)


def of_patient(patient_id: int) -> str:
    """The subject under which a patient's obligations stand."""
    return f"patient:{patient_id}"


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
    since = work.now - timedelta(days=work.policy.missed.miss_window_days + 1)
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
    """The initial visit ends the 48 hours, an aide's starts the supervision clock, an assessment ends its period's."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    made_at = visit.actual_start_at or visit.starts_at or work.now
    made_on = local_day(made_at, agency.zone_of(work, visit.branch_id))
    if visit.kind is VisitKind.INITIAL:
        on_initial_visit_made(work, visit)
    if visit.kind is VisitKind.RESUMPTION:
        close_deadlines(work, subject=f"episode:{visit.episode_id}", rule=RESUMED, reason="held")
    if visit.kind in (VisitKind.RECERTIFICATION, VisitKind.RESUMPTION):
        _recertified(work, visit, made_on)
    if visit.discipline is Discipline.HHA and visit.kind is not VisitKind.SUPERVISION:
        _start_supervision(work, visit, made_on)


def _recertified(work: Work, visit: Visit, made_on: date) -> None:
    """An assessment inside the window, or after it, serves the period; one before it does not count (CERT-02)."""
    for row in open_rows(work, subject=f"episode:{visit.episode_id}", rules=(RECERTIFICATION,)):
        if made_on >= date.fromisoformat(row.facts["window_from"]):
            end(work, row, "assessed late" if made_on > row.due_on else "assessed")


# ------------------------------------------------------------------------------------ away, and home again


def on_episode_resumed(work: Work, event: EpisodeResumed) -> None:
    """Home from the hospital, the patient is visited again within 48 elapsed hours (ASM-02)."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    due_at = resumption_due(work.now, work.policy)
    warn_at = due_at - timedelta(hours=work.policy.referrals.initial_visit_warning_hours)
    open_deadline(
        work, rule=RESUMED, subject=f"episode:{event.episode_id}",
        due_on=local_day(due_at, agency.zone_of(work, patient.branch_id)), due_at=due_at, owner_role="scheduler",
        branch_id=patient.branch_id, patient_id=patient.id, task="resumption-visit", warn_at=warn_at.isoformat(),
    )  # fmt: skip


def on_episode_held(work: Work, event: EpisodeHeld) -> None:
    """Away again before the resumption visit: it is owed after the next return."""
    close_deadlines(
        work, subject=f"episode:{event.episode_id}", rule=RESUMED, reason="away", status=DeadlineStatus.SUPERSEDED
    )


# ------------------------------------------------------------------------------------ supervision of aides


def _start_supervision(work: Work, visit: Visit, made_on: date) -> None:
    """The first aide visit of the patient, or the first after a gap, starts the clock; it runs already for others."""
    if _supervision_rows(work, visit.patient_id):
        return
    patient = fetch(work.session, Patient, visit.patient_id, "patient")
    wanted = _next_supervision(work, patient, made_on, _last_supervised(work, patient.id))
    if wanted is not None:
        _open_supervision(work, patient, wanted)


def _supervision_rows(work: Work, patient_id: int) -> list[Deadline]:
    return open_rows(work, subject=of_patient(patient_id), rules=(SUPERVISED, SUPERVISED_ALONE))


def _last_supervised(work: Work, patient_id: int) -> date | None:
    return work.session.execute(
        sa.select(sa.func.max(Supervision.supervised_on)).where(Supervision.patient_id == patient_id)
    ).scalar()


@dataclass(frozen=True, slots=True)
class _Next:
    """The supervision that is owed now."""

    rule: str
    due_on: date
    first_on: date | None

    def remind_on(self, work: Work) -> list[str]:
        settings = work.policy.aides
        ahead = timedelta(days=settings.supervision_days - settings.supervision_warning_days)
        return [(self.due_on - ahead).isoformat()]


def _next_supervision(work: Work, patient: Patient, first_on: date | None, last_on: date | None) -> _Next | None:
    """Fourteen days beside a skilled service, sixty without one; from the last supervision or the first aide visit."""
    skilled = live_orders(work, patient.id, _SKILLED, agency.today(work, patient.branch_id))
    facts = SupervisionFacts(last_on=last_on, first_aide_visit_on=first_on, skilled_service=skilled)
    due_on = supervision_due(facts, work.policy)
    return None if due_on is None else _Next(SUPERVISED if skilled else SUPERVISED_ALONE, due_on, first_on)


def _open_supervision(work: Work, patient: Patient, wanted: _Next) -> None:
    open_deadline(
        work, rule=wanted.rule, subject=of_patient(patient.id), due_on=wanted.due_on, owner_role="case_manager",
        branch_id=patient.branch_id, patient_id=patient.id, task="supervise-aide",
        since=wanted.first_on.isoformat() if wanted.first_on else None, remind_on=wanted.remind_on(work),
    )  # fmt: skip


def on_aide_supervised(work: Work, event: AideSupervised) -> None:
    """The next supervision is counted from the latest (SUP-01); a concern is looked into in the home (SUP-02)."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    last_on = max(event.supervised_on, _last_supervised(work, patient.id) or event.supervised_on)
    for row in _supervision_rows(work, patient.id):
        since = row.facts.get("since")
        wanted = _next_supervision(work, patient, date.fromisoformat(since) if since else None, last_on)
        if wanted is None or (wanted.rule == row.rule and wanted.due_on <= row.due_on):
            continue  # an earlier supervision that was recorded late moves nothing
        end(work, row, "supervised late" if event.supervised_on > row.due_on else "supervised")
        _open_supervision(work, patient, wanted)
    concern = work.session.execute(
        sa.select(Supervision.id)
        .where(
            Supervision.patient_id == event.patient_id,
            Supervision.supervised_on == event.supervised_on,
            Supervision.concern.is_(True),
        )
        .limit(1)
    ).scalar()
    if concern is not None:
        due_on = event.supervised_on + OBSERVATION_DAYS
        open_deadline(
            work, rule=OBSERVED, subject=f"supervision:{concern}", due_on=due_on, owner_role="clinical_manager",
            branch_id=patient.branch_id, patient_id=patient.id, task="observe-aide",
        )  # fmt: skip


def on_aide_order_ended(work: Work, event: OrderEnded) -> None:
    """The supervision clock stops when no aide order is live; one that is superseded goes on as its successor."""
    order = fetch(work.session, Order, event.order_id, "order")
    if order.discipline is not Discipline.HHA or event.status == OrderStatus.SUPERSEDED.value:
        return
    patient = fetch(work.session, Patient, order.patient_id, "patient")
    if event.from_day <= agency.today(work, patient.branch_id):
        _stop_if_idle(work, patient, leaving=order.id)


def _stop_if_idle(work: Work, patient: Patient, *, leaving: int | None = None) -> None:
    today = agency.today(work, patient.branch_id)
    if live_orders(work, patient.id, _AIDE, today, but=leaving):
        return
    for row in _supervision_rows(work, patient.id):
        end(work, row, "no aide order is live", DeadlineStatus.SUPERSEDED)


def stop_idle_supervision(work: Work, branch_id: int) -> None:
    """No supervision is owed to a patient whose last aide order has run out."""
    patients = work.session.execute(
        sa.select(Patient)
        .join(Deadline, Deadline.patient_id == Patient.id)
        .where(
            Deadline.branch_id == branch_id,
            Deadline.rule.in_((SUPERVISED, SUPERVISED_ALONE)),
            Deadline.status == DeadlineStatus.OPEN,
        )
        .distinct()
        .order_by(Patient.id)
    ).scalars()
    for patient in patients.all():
        _stop_if_idle(work, patient)


# ------------------------------------------------------------------------------------ discharge


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """Nothing is owed to a patient who left, but for signatures under what was given and incidents to be recorded."""
    close_deadlines(work, subject=f"episode:{event.episode_id}", reason="discharged", status=DeadlineStatus.SUPERSEDED)
    elsewhere = sa.select(Episode.id).where(
        Episode.patient_id == event.patient_id, Episode.id != event.episode_id, Episode.discharged_on.is_(None)
    )
    if work.session.execute(elsewhere.limit(1)).scalar() is not None:
        return
    rows = work.session.execute(
        sa.select(Deadline)
        .where(
            Deadline.patient_id == event.patient_id,
            Deadline.status == DeadlineStatus.OPEN,
            Deadline.rule.in_(_ENDS_WITH_CARE),
        )
        .order_by(Deadline.id)
        .with_for_update()
    ).scalars()
    for row in rows.all():
        end(work, row, "discharged", DeadlineStatus.SUPERSEDED)
