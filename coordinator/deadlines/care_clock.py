"""The clocks of the care team: tasks that scores, readings and documents ask for, opened and closed by events.

What recurs (the team conference, instruments, the talk about rights) is in the table of obligations.
"""

from datetime import timedelta

import sqlalchemy as sa

from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.domain.care import InstrumentCode
from coordinator.domain.events import (
    AssessmentRecorded,
    CareTaskRaised,
    CareTaskSettled,
    ConferenceClosed,
    DeadlineReminded,
    DeadlinesReminded,
    PatientDischarged,
)
from coordinator.domain.vocabulary import DeadlineStatus, Performer
from coordinator.patients.model import Episode, Patient

SYMPTOMS, PERFORMANCE, SCREEN, DEPRESSION, BURDEN, SPIRITUAL = (f"INS-0{number}" for number in range(2, 8))
CHECKS = "INS-09"
DIRECTIVES, ALERT = "ACP-01", "VIS-02"
#: Whose rows tell what a patient answered: those see them who may read answers (SEC-08).
OF_ANSWERS = frozenset({SCREEN, DEPRESSION, BURDEN, SPIRITUAL, CHECKS})
#: A home outside the service area is no question any more once its patient has left (ELG-5).
_TASK_RULES = frozenset({SYMPTOMS, PERFORMANCE, ALERT, DIRECTIVES, "ELG-5"}) | OF_ANSWERS
#: What the team has talked about once it has met.
_OF_TEAM = frozenset({"caregiver-high-strain", "performance-fell", "hospice-readiness"})
_NURSES = frozenset({Performer.RN.value, Performer.LVN.value})


# ------------------------------------------------------------------------------------ tasks


def on_care_task_raised(work: Work, event: CareTaskRaised) -> None:
    """It is in the book; what cannot wait is told at once."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    row = open_deadline(
        work, rule=event.rule, subject=event.subject, due_on=event.due_on, owner_role=event.owner,
        branch_id=patient.branch_id, patient_id=patient.id, due_at=work.now if event.at_once else None,
        task=event.task, discipline=event.discipline,
    )  # fmt: skip
    if event.at_once and row.status is DeadlineStatus.OPEN and row.reminded_at is None:
        row.reminded_at = work.now
        work.session.flush()  # the notice names the row as it is now
        work.publish(DeadlinesReminded((DeadlineReminded(deadline_id=row.id, stage="reminder"),)))


def on_care_task_settled(work: Work, event: CareTaskSettled) -> None:
    """It is owed no more: done, or asked in error."""
    status = DeadlineStatus.SUPERSEDED if event.in_error else DeadlineStatus.DONE
    for row in _tasks(work, event.patient_id, frozenset({event.rule})):
        if event.subject is None or row.subject == event.subject or row.subject.startswith(f"{event.subject}:"):
            end(work, row, event.reason, status)


def _tasks(work: Work, patient_id: int, rules: frozenset[str]) -> list[Deadline]:
    query = sa.select(Deadline).where(
        Deadline.patient_id == patient_id, Deadline.rule.in_(sorted(rules)), Deadline.status == DeadlineStatus.OPEN
    )
    return list(work.session.execute(query.order_by(Deadline.id).with_for_update()).scalars())


def on_assessment_recorded(work: Work, event: AssessmentRecorded) -> None:
    """A new rating answers the wish for one, and a nurse's is contact; a whole PHQ-9 is what the screen asked for,
    and a whole ZBI-12 what the caregiver's check did."""
    if event.instrument == InstrumentCode.ESAS_R.value:
        answered = {"recontact"} | ({"severe-symptom"} if event.performer in _NURSES else set())
        for row in _tasks(work, event.patient_id, frozenset({SYMPTOMS})):
            if row.facts.get("task") in answered:
                end(work, row, "rated again")
    if event.instrument == InstrumentCode.PHQ_9.value and event.complete:
        for row in _tasks(work, event.patient_id, frozenset({SCREEN})):
            end(work, row, "taken")
    if event.instrument == InstrumentCode.ZBI_12.value and event.complete:
        for row in _tasks(work, event.patient_id, frozenset({CHECKS})):
            if row.facts.get("task") == "take-burden-interview":
                end(work, row, "taken")


def on_conference_closed(work: Work, event: ConferenceClosed) -> None:
    """A conference that counts winds the clock, and has talked about what waited for the team."""
    if event.counts:
        for row in _tasks(work, event.patient_id, frozenset({BURDEN, PERFORMANCE})):
            if row.facts.get("task") in _OF_TEAM and row.opened_at.date() <= event.held_on + timedelta(days=1):
                end(work, row, "the team discussed it")


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """Nothing is asked of the team for somebody who is in no one's care any more."""
    in_care = sa.select(Episode.id).where(Episode.patient_id == event.patient_id, Episode.discharged_on.is_(None))
    if work.session.execute(in_care.limit(1)).scalar() is None:
        for row in _tasks(work, event.patient_id, _TASK_RULES):
            end(work, row, "discharged", DeadlineStatus.SUPERSEDED)


# ------------------------------------------------------------------------------------ what cannot wait


def watch_at_once(work: Work, branch_id: int) -> None:
    """A safety protocol that nobody has closed by the next quarter of an hour is told to the clinical manager."""
    rows = work.session.execute(
        sa.select(Deadline)
        .where(
            Deadline.branch_id == branch_id,
            Deadline.rule == DEPRESSION,
            Deadline.due_at < work.now,
            Deadline.status == DeadlineStatus.OPEN,
            Deadline.escalated_at.is_(None),
        )
        .order_by(Deadline.id)
        .with_for_update()
    ).scalars()
    for row in rows.all():
        row.escalated_at = work.now
        work.session.flush()  # the notice names the row as it is now
        work.publish(DeadlinesReminded((DeadlineReminded(deadline_id=row.id, stage="overdue"),)))
