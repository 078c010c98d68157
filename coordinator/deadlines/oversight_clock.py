"""The clocks of oversight that begin with an act: aides observed, assistants supervised, what was told.

Each is wound by an event and closed by the next (SUP-02 to SUP-05, VIS-01, VIS-05).
"""

from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines, end, open_deadline, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import (
    AideObserved,
    AssistantSupervised,
    MissedVisitTold,
    PatientDischarged,
    VisitCompleted,
    WrittenScheduleGiven,
)
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import QUALIFYING, ClosedBy, DeadlineStatus, Discipline, Performer
from coordinator.orders.model import Order
from coordinator.patients.model import Patient
from coordinator.rules.aides import assistant_supervision_due, observation_due
from coordinator.rules.supervision import annual_observation_due
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import AideConcern, AideObservation, AssistantSupervision

CONCERN, YEARLY, WITH_PATIENT, ASSISTANT = "SUP-02", "SUP-03", "SUP-04", "SUP-05"
_SOON = timedelta(days=14)


def of_aide(aide_id: int) -> str:
    """The subject of what is owed about an aide, whichever patient it is."""
    return f"aide:{aide_id}"


def of_pair(patient_id: int, aide_id: int) -> str:
    """The subject of an aide's observation with one patient."""
    return f"patient:{patient_id}:aide-{aide_id}"


def of_assistants(patient_id: int, performer: str) -> str:
    """The subject of the supervision of a profession's assistants with one patient."""
    return f"patient:{patient_id}:{performer}"


def on_visit_completed(work: Work, event: VisitCompleted) -> None:
    """The first visit by an aide or an assistant winds their clocks; later ones find them running."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    clinician = work.session.get(Clinician, visit.clinician_id or 0)
    if clinician is None:
        return
    made_on = local_day(visit.actual_start_at or visit.starts_at or work.now, agency.zone_of(work, visit.branch_id))
    if clinician.performer is Performer.CHHA:
        _wind_aide(work, visit, clinician, made_on)
    elif clinician.performer in (Performer.LVN, Performer.COTA):
        _wind_assistant(work, visit, clinician.performer, made_on)


def _wind_aide(work: Work, visit: Visit, aide: Clinician, made_on: date) -> None:
    if not open_rows(work, subject=of_aide(aide.id), rules=(YEARLY,)):
        seen = _last_observed(work, aide.id)
        _owe_yearly(work, aide, annual_observation_due(seen or made_on, work.policy))
    pair = of_pair(visit.patient_id, aide.id)
    if not _is_skilled(work, visit.patient_id) and not open_rows(work, subject=pair, rules=(WITH_PATIENT,)):
        seen = _last_observed(work, aide.id, visit.patient_id)
        _owe_with_patient(
            work, visit.patient_id, visit.branch_id, aide.id, observation_due(seen or made_on, work.policy)
        )


def _wind_assistant(work: Work, visit: Visit, performer: Performer, made_on: date) -> None:
    subject = of_assistants(visit.patient_id, performer.value)
    if open_rows(work, subject=subject, rules=(ASSISTANT,)):
        return
    last = work.session.scalar(
        sa.select(sa.func.max(AssistantSupervision.supervised_on))
        .join(Clinician, Clinician.id == AssistantSupervision.assistant_id)
        .where(AssistantSupervision.patient_id == visit.patient_id, Clinician.performer == performer)
    )
    due_on = assistant_supervision_due(performer, last or made_on, work.policy)
    if due_on is None:
        return
    open_deadline(
        work, rule=ASSISTANT, subject=subject, due_on=max(due_on, made_on), owner_role="case_manager",
        branch_id=visit.branch_id, patient_id=visit.patient_id, task="supervise-assistant", performer=performer.value,
        remind_on=[(due_on - timedelta(days=work.policy.therapy.reassessment_warning_days)).isoformat()],
    )  # fmt: skip


def on_aide_observed(work: Work, event: AideObserved) -> None:
    """The concern is looked into, and the aide's year and the half-year with this patient begin anew."""
    if event.concern_id is not None:
        concern = fetch(work.session, AideConcern, event.concern_id, "concern")
        if concern.supervision_id is not None:
            for row in open_rows(work, subject=f"supervision:{concern.supervision_id}", rules=(CONCERN,)):
                end(work, row, "observed", by=ClosedBy.PERSON)  # a person's word: the sweep does not ask again
    aide = fetch(work.session, Clinician, event.aide_id, "clinician")
    seen = _last_observed(work, aide.id) or event.observed_on
    due_on = annual_observation_due(seen, work.policy)
    if not _wound_on(work, of_aide(aide.id), YEARLY, due_on):
        _owe_yearly(work, aide, due_on)
    pair = of_pair(event.patient_id, aide.id)
    due_on = observation_due(event.observed_on, work.policy)
    if open_rows(work, subject=pair, rules=(WITH_PATIENT,)) and not _wound_on(work, pair, WITH_PATIENT, due_on):
        _owe_with_patient(work, event.patient_id, aide.branch_id, aide.id, due_on)


def _wound_on(work: Work, subject: str, rule: str, due_on: date) -> bool:
    """End what this observation meets; whether something as late stands already."""
    stands = False
    for row in open_rows(work, subject=subject, rules=(rule,)):
        if row.due_on >= due_on:
            stands = True  # an earlier observation that was recorded late moves nothing
        else:
            end(work, row, "observed")
    return stands


def _owe_yearly(work: Work, aide: Clinician, due_on: date) -> None:
    open_deadline(
        work, rule=YEARLY, subject=of_aide(aide.id), due_on=due_on, owner_role="clinical_manager",
        branch_id=aide.branch_id, task="observe-aide-yearly", clinician=aide.id,
        remind_on=[(due_on - _SOON).isoformat()],
    )  # fmt: skip


def _owe_with_patient(work: Work, patient_id: int, branch_id: int, aide_id: int, due_on: date) -> None:
    open_deadline(
        work, rule=WITH_PATIENT, subject=of_pair(patient_id, aide_id), due_on=due_on, owner_role="case_manager",
        branch_id=branch_id, patient_id=patient_id, task="observe-aide-here", clinician=aide_id,
        remind_on=[(due_on - _SOON).isoformat()],
    )  # fmt: skip


def _last_observed(work: Work, aide_id: int, patient_id: int | None = None) -> date | None:
    query = sa.select(sa.func.max(AideObservation.observed_on)).where(AideObservation.aide_id == aide_id)
    if patient_id is not None:
        query = query.where(AideObservation.patient_id == patient_id)
    return work.session.scalar(query)


def _is_skilled(work: Work, patient_id: int) -> bool:
    query = sa.select(Order.id).where(
        Order.patient_id == patient_id,
        Order.discipline.in_(QUALIFYING | {Discipline.OT}),
        Order.status.in_(LIVE_ORDER),
    )
    return work.session.scalar(query.limit(1)) is not None


def on_assistant_supervised(work: Work, event: AssistantSupervised) -> None:
    """The supervision is made; the assistant's next visit winds the clock again."""
    close_deadlines(work, subject=of_assistants(event.patient_id, event.performer), rule=ASSISTANT, reason="supervised")


def on_missed_told(work: Work, event: MissedVisitTold) -> None:
    """The practitioner was told; where they decide as well, the decision closes it."""
    if event.told != "practitioner":
        return
    for row in open_rows(work, subject=f"visit:{event.visit_id}", rules=("VIS-01",)):
        if row.facts.get("task") == "tell-practitioner":
            end(work, row, "told")


def on_schedule_given(work: Work, event: WrittenScheduleGiven) -> None:
    """The patient has the new schedule, whichever orders changed it."""
    for row in _of_patient(work, event.patient_id, ("VIS-05",)):
        end(work, row, "given", by=ClosedBy.PERSON)  # a person's word: the sweep does not ask again


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """Nobody is supervised any more with a patient who left."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    if any(episode.discharged_on is None for episode in patient.episodes):
        return
    for row in _of_patient(work, event.patient_id, (ASSISTANT, WITH_PATIENT)):
        end(work, row, "discharged", DeadlineStatus.SUPERSEDED)


def _of_patient(work: Work, patient_id: int, rules: tuple[str, ...]) -> list[Deadline]:
    query = sa.select(Deadline).where(
        Deadline.patient_id == patient_id, Deadline.status == DeadlineStatus.OPEN, Deadline.rule.in_(rules)
    )
    return list(work.session.scalars(query.order_by(Deadline.id).with_for_update()))
