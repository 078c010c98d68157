"""Watching aides at work and standing behind assistants: what visits and records show, and what it asks for.

SUP-03, SUP-04's half-year and SUP-05. Days are the branch's.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.core.db import UtcDateTime
from coordinator.deadlines.cases import AideCare, Scope, aide_care
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.vocabulary import Discipline, Performer, VisitKind
from coordinator.patients.model import Episode
from coordinator.rules.aides import assistant_supervision_due, observation_due
from coordinator.rules.supervision import annual_observation_due
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import AideObservation, AssistantSupervision

#: Assistants whose supervision has an interval.
_STOOD_BEHIND = (Performer.LVN, Performer.COTA)
_SOON = timedelta(days=14)


# ------------------------------------------------------------------------------------ an aide's year


@dataclass(frozen=True, slots=True)
class Watched:
    """An aide at work: the day of the first visit here, and when they were last watched giving care."""

    id: int
    first_on: date
    seen_on: date | None


def aides_at_work(scope: Scope) -> list[Watched]:
    """The branch's aides who have made a visit or were watched."""
    session = scope.work.session
    here = (Clinician.branch_id == scope.branch_id, Clinician.active, Clinician.performer == Performer.CHHA)
    seen: dict[int, date] = {
        row[0]: row[1]
        for row in session.execute(
            sa.select(AideObservation.aide_id, sa.func.max(AideObservation.observed_on))
            .join(Clinician, Clinician.id == AideObservation.aide_id)
            .where(*here)
            .group_by(AideObservation.aide_id)
        )
    }
    began = {
        number: scope.day(first)
        for number, first in session.execute(
            sa.select(Visit.clinician_id, sa.func.min(Visit.actual_start_at, type_=UtcDateTime()))
            .join(Clinician, Clinician.id == Visit.clinician_id)
            .where(*here, Visit.status.in_(sorted(DONE_VISIT)), Visit.actual_start_at.is_not(None))
            .group_by(Visit.clinician_id)
        )
        if number is not None
    }
    numbers = sorted({*seen, *began})
    return [Watched(number, began.get(number) or seen[number], seen.get(number)) for number in numbers]


def yearly(aide: Watched, asked: Asked) -> Iterator[Owed]:
    """SUP-03: each aide is watched once a year, from the last time, or from the first visit here."""
    due_on = annual_observation_due(aide.seen_on or aide.first_on, asked.policy)
    yield Owed(
        f"aide:{aide.id}", due_on, remind_on=(due_on - _SOON,), counted_from=aide.seen_on, facts={"clinician": aide.id}
    )


# ------------------------------------------------------------------------------------ an aide and a patient


@dataclass(frozen=True, slots=True)
class Pair:
    """An aide who cares for a patient without a skilled service beside: since when, and when last watched there."""

    patient_id: int
    aide_id: int
    first_on: date
    seen_on: date | None


def pairs(scope: Scope) -> list[Pair]:
    """The aides of patients who have no skilled service, while aide care goes on."""
    alone: dict[int, AideCare] = {care.patient_id: care for care in aide_care(scope) if not care.skilled}
    if not alone:
        return []
    session = scope.work.session
    visits = session.execute(
        sa.select(Visit.patient_id, Visit.clinician_id, sa.func.min(Visit.actual_start_at, type_=UtcDateTime()))
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            scope.has(Visit.patient_id),
            Episode.discharged_on.is_(None),
            Visit.discipline == Discipline.HHA,
            Visit.kind != VisitKind.SUPERVISION,
            Visit.status.in_(sorted(DONE_VISIT)),
            Visit.actual_start_at.is_not(None),
            Visit.clinician_id.is_not(None),
        )
        .group_by(Visit.patient_id, Visit.clinician_id)
    )
    seen: dict[tuple[int, int], date] = {
        (row[0], row[1]): row[2]
        for row in session.execute(
            sa.select(AideObservation.patient_id, AideObservation.aide_id, sa.func.max(AideObservation.observed_on))
            .where(scope.has(AideObservation.patient_id))
            .group_by(AideObservation.patient_id, AideObservation.aide_id)
        )
    }
    return [
        Pair(patient_id, aide_id, scope.day(first), seen.get((patient_id, aide_id)))
        for patient_id, aide_id, first in visits
        if aide_id is not None and patient_id in alone
    ]


def observed_here(pair: Pair, asked: Asked) -> Iterator[Owed]:
    """SUP-04: six months from the last time this aide was watched with this patient, or from their first visit."""
    due_on = observation_due(pair.seen_on or pair.first_on, asked.policy)
    yield Owed(
        f"patient:{pair.patient_id}:aide-{pair.aide_id}", due_on, pair.patient_id, remind_on=(due_on - _SOON,),
        counted_from=pair.seen_on, facts={"clinician": pair.aide_id},
    )  # fmt: skip


# ------------------------------------------------------------------------------------ assistants


@dataclass(frozen=True, slots=True)
class Assisted:
    """A profession's assistants with a patient: the first visit since they were supervised, and when they were."""

    patient_id: int
    performer: Performer
    #: None: nobody has come since.
    first_on: date | None
    supervised_on: date | None


def assisted(scope: Scope) -> list[Assisted]:
    """The patients in care whom vocational nurses or occupational therapy assistants visit."""
    session = scope.work.session
    last = (
        sa.select(
            AssistantSupervision.patient_id,
            Clinician.performer,
            sa.func.max(AssistantSupervision.supervised_on).label("last_on"),
        )
        .join(Clinician, Clinician.id == AssistantSupervision.assistant_id)
        .where(scope.has(AssistantSupervision.patient_id))
        .group_by(AssistantSupervision.patient_id, Clinician.performer)
    )
    supervised: dict[tuple[int, Performer], date] = {(row[0], row[1]): row[2] for row in session.execute(last)}
    rows = session.execute(
        sa.select(Visit.patient_id, Clinician.performer, Visit.actual_start_at)
        .join(Episode, Episode.id == Visit.episode_id)
        .join(Clinician, Clinician.id == Visit.clinician_id)
        .where(
            scope.has(Visit.patient_id),
            Episode.discharged_on.is_(None),
            Clinician.performer.in_(sorted(_STOOD_BEHIND)),
            Visit.status.in_(sorted(DONE_VISIT)),
            Visit.actual_start_at.is_not(None),
        )
    )
    days: dict[tuple[int, Performer], set[date]] = defaultdict(set)
    for patient_id, performer, began in rows:
        days[patient_id, performer].add(scope.day(began))
    found = []
    for (patient_id, performer), made in sorted(days.items()):
        since = supervised.get((patient_id, performer))
        after = [day for day in made if since is None or day > since]
        found.append(Assisted(patient_id, performer, min(after, default=None), since))
    return found


def assistants(one: Assisted, asked: Asked) -> Iterator[Owed]:
    """SUP-05: thirty days from the last supervision, or from the first visit; the clock rests until one comes again."""
    if one.first_on is None:
        return
    due_on = assistant_supervision_due(one.performer, one.supervised_on or one.first_on, asked.policy)
    assert due_on is not None
    due_on = max(due_on, one.first_on)
    yield Owed(
        f"patient:{one.patient_id}:{one.performer.value}", due_on, one.patient_id, counted_from=one.supervised_on,
        remind_on=(due_on - timedelta(days=asked.policy.on(due_on).therapy.reassessment_warning_days),),
        facts={"performer": one.performer.value},
    )  # fmt: skip


def supervised_since(scope: Scope, subjects: Sequence[str]) -> dict[str, str]:
    """Which of these supervisions are asked for no more because they were made: nobody has come since."""
    resting: dict[Any, str] = {
        f"patient:{one.patient_id}:{one.performer.value}": "supervised"
        for one in assisted(scope)
        if one.first_on is None
    }
    return {subject: resting[subject] for subject in subjects if subject in resting}
