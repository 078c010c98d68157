"""What the team conference talks about: for each patient who is due, what changed since the last meeting that counted.

Read with as many statements for many patients as for one. It says codes, numbers, days, and what the team itself
decided; notes are never read here, and scores and what tells answers are shown to those who may read them (SEC-08).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import patients_in_sight, require_branch, require_sight
from coordinator.care.shelf import readable
from coordinator.core.work import Work, permitted
from coordinator.patients.model import Episode, Patient
from coordinator.teamwork import agenda_care, agenda_events
from coordinator.teamwork.agenda_subjects import Subject, subjects_of

#: A meeting talks about so many patients at most; those who are due first come first.
MOST_PATIENTS = 200


@permitted("conference:read")
def pack(work: Work, *, branch_id: int | None = None, due_by: date | None = None) -> list[dict[str, Any]]:
    """The agenda of every patient in sight whose review is due by that day, the most pressing first.

    `due_by`: where it is left out, so many days from the branch's today as the policy has a meeting look ahead.
    """
    query = sa.select(Episode).where(Episode.patient_id.in_(patients_in_sight(work)))
    if branch_id is not None:
        require_branch(work, branch_id)
        query = query.where(Episode.patient_id.in_(sa.select(Patient.id).where(Patient.branch_id == branch_id)))
    due: list[tuple[date, int, Subject]] = []
    for one in subjects_of(work, query):
        ahead = timedelta(days=work.policy.on(one.today).conference.agenda_days)
        if one.due_on is not None and one.due_on <= (due_by or one.today + ahead):
            due.append((one.due_on, one.patient_id, one))
    return _agenda(work, [one for _, _, one in sorted(due, key=lambda row: row[:2])[:MOST_PATIENTS]])


@permitted("conference:read")
def of_patient(work: Work, patient_id: int) -> list[dict[str, Any]]:
    """The agenda of one patient, due or not; empty for one who is in no care."""
    require_sight(work, patient_id)
    return _agenda(work, subjects_of(work, sa.select(Episode).where(Episode.patient_id == patient_id)))


def _agenda(work: Work, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    if not subjects:
        return []
    answers = work.actor.may("assessment:read")
    instruments = readable(work) if answers else []
    sections: Mapping[str, Mapping[int, Sequence[Any]]] = {
        "decided": agenda_events.decided(work, subjects),
        "visits": agenda_events.visits(work, subjects),
        "orders": agenda_events.orders(work, subjects),
        "stays": agenda_events.stays(work, subjects),
        "scores": agenda_care.scores(work, subjects, instruments),
        "caregivers": agenda_care.caregivers(work, subjects, instruments),
        "directives": agenda_care.directives(work, subjects),
        "missing_roles": agenda_care.missing_roles(work, subjects),
        "tasks": agenda_events.tasks(work, subjects, answers=answers),
        "deadlines": agenda_events.deadlines(work, subjects, answers=answers),
        "handoffs": agenda_events.handoffs(work, subjects),
        "referrals": agenda_events.referrals(work, subjects),
    }
    told = []
    for one in subjects:
        work.record("conference.agenda-read", f"patient:{one.patient_id}", patient_id=one.patient_id)
        told.append(
            {
                "patient_id": one.patient_id, "episode_id": one.episode_id, "last_on": one.last_on,
                "due_on": one.due_on, "late": one.due_on is not None and one.today > one.due_on, "since": one.since,
                "code_status": one.code_status,
                **{name: list(rows.get(one.patient_id, ())) for name, rows in sections.items()},
            }
        )  # fmt: skip
    return told
