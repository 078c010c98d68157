"""The clocks of the care team: tasks that scores, readings and documents ask for, and what is taken on a cadence.

A task is opened and closed by events. What recurs (the team conference, instruments, the talk about rights) is computed
from what is on record, for one patient after an event and for a whole branch at night, in a few queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.model import Assessment, Conference, RightsTalk
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_deadline
from coordinator.deadlines.cases import batched
from coordinator.deadlines.model import Deadline
from coordinator.domain.care import AssessmentStatus, InstrumentCode
from coordinator.domain.events import (
    AssessmentRecorded,
    AssessmentWithdrawn,
    CareTaskRaised,
    CareTaskSettled,
    ConferenceClosed,
    DeadlineReminded,
    DeadlinesReminded,
    PatientAdmitted,
    PatientDischarged,
    RightsExplained,
)
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus, Performer
from coordinator.patients.model import Caregiver, Episode, Patient
from coordinator.rules.advance_care import ask_rights
from coordinator.rules.conference import conference_due
from coordinator.rules.instruments import ON_CADENCE, ask_cadence

SYMPTOMS, PERFORMANCE, SCREEN, DEPRESSION, BURDEN, SPIRITUAL = (f"INS-0{number}" for number in range(2, 8))
CADENCE, CONFERENCE, DIRECTIVES, ALERT = "INS-08", "IDT-02", "ACP-01", "VIS-02"
#: Whose rows tell what a patient answered: those see them who may read answers (SEC-08).
OF_ANSWERS = frozenset({SCREEN, DEPRESSION, BURDEN, SPIRITUAL})
_TASK_RULES = frozenset({SYMPTOMS, PERFORMANCE, ALERT, DIRECTIVES}) | OF_ANSWERS
#: What the team has talked about once it has met.
_OF_TEAM = frozenset({"caregiver-high-strain", "performance-fell", "hospice-readiness"})
_NURSES = frozenset({Performer.RN.value, Performer.LVN.value})
#: A start of care longer ago than this asks nobody for the talk that was to be held then.
_RIGHTS_CATCH_UP = timedelta(days=30)
#: A row that was closed with an earlier due day is looked up by its key when it is asked for again.
_LATELY = timedelta(days=60)


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
    """A new rating answers the wish for one, and a nurse's is contact; a whole PHQ-9 is what the screen asked for."""
    if event.instrument == InstrumentCode.ESAS_R.value:
        answered = {"recontact"} | ({"severe-symptom"} if event.performer in _NURSES else set())
        for row in _tasks(work, event.patient_id, frozenset({SYMPTOMS})):
            if row.facts.get("task") in answered:
                end(work, row, "rated again")
    if event.instrument == InstrumentCode.PHQ_9.value and event.complete:
        for row in _tasks(work, event.patient_id, frozenset({SCREEN})):
            end(work, row, "taken")
    _follow_patient(work, event.patient_id)


def on_assessment_withdrawn(work: Work, event: AssessmentWithdrawn) -> None:
    """Cadences count from what was recorded before."""
    _follow_patient(work, event.patient_id)


def on_conference_closed(work: Work, event: ConferenceClosed) -> None:
    """A conference that counts winds the clock, and has talked about what waited for the team."""
    if event.counts:
        for row in _tasks(work, event.patient_id, frozenset({BURDEN, PERFORMANCE})):
            if row.facts.get("task") in _OF_TEAM and row.opened_at.date() <= event.held_on + timedelta(days=1):
                end(work, row, "the team discussed it")
    _follow_patient(work, event.patient_id)


def on_patient_admitted(work: Work, event: PatientAdmitted) -> None:
    """Cadences begin, and the patient is told of their rights."""
    _follow_patient(work, event.patient_id)


def on_rights_explained(work: Work, event: RightsExplained) -> None:
    """The patient was told."""
    _follow_patient(work, event.patient_id)


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """Nothing is asked of the team for somebody who is in no one's care any more."""
    in_care = sa.select(Episode.id).where(Episode.patient_id == event.patient_id, Episode.discharged_on.is_(None))
    if work.session.execute(in_care.limit(1)).scalar() is None:
        for row in _tasks(work, event.patient_id, _TASK_RULES):
            end(work, row, "discharged", DeadlineStatus.SUPERSEDED)
    _follow_patient(work, event.patient_id)


# ------------------------------------------------------------------------------------ what recurs


#: Owed once for an episode, and then no more.
_ONCE = f":{InstrumentCode.FICA.value}"


class _Ends(Enum):
    """How an open row ends: a later day is owed instead, it was owed once, or it is owed no more."""

    WOUND = auto()
    ONCE = auto()
    NOT_OWED = auto()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One recurring obligation as the record asks for it."""

    patient_id: int
    due_on: date
    task: str
    warn_days: int = 0
    instrument: str | None = None

    @property
    def remind_on(self) -> list[str]:
        return [(self.due_on - timedelta(days=self.warn_days)).isoformat()]


def _follow_patient(work: Work, patient_id: int) -> None:
    patient = fetch(work.session, Patient, patient_id, "patient")
    follow_care(work, patient.branch_id, patient.id)


def follow_care(work: Work, branch_id: int, patient_id: int | None = None) -> None:
    """The next conference, the next of each instrument, and the talk about rights stand in the book, and no others.

    A row whose clock was wound again is done; one that is asked for no more is superseded.
    """
    work.session.flush()  # what was just recorded is read below
    wanted = dict(_wanted(work, branch_id, patient_id))
    there: set[tuple[str, str]] = set()
    ends: dict[int, _Ends] = {}
    again: list[int] = []
    for row in _standing(work, branch_id, patient_id):
        want = wanted.get((row.rule, row.subject))
        if want is not None and want.due_on == row.due_on:
            if row.status is DeadlineStatus.OPEN or row.closed_by is ClosedBy.PERSON:
                there.add((row.rule, row.subject))
            elif row.status is DeadlineStatus.DONE:
                again.append(row.id)
        elif row.status is DeadlineStatus.OPEN:
            ends[row.id] = _Ends.NOT_OWED
            if want is not None and want.due_on > row.due_on:
                ends[row.id] = _Ends.WOUND
            elif want is None and (row.rule == DIRECTIVES or row.subject.endswith(_ONCE)):
                ends[row.id] = _Ends.ONCE
    _end(work, ends)
    # What closed them was entered in error: as superseded ones they are opened again below.
    for undone in work.session.execute(sa.select(Deadline).where(Deadline.id.in_(again)).with_for_update()).scalars():
        undone.status = DeadlineStatus.SUPERSEDED
    work.session.flush()  # opening looks at the row
    for (rule, subject), want in wanted.items():
        if (rule, subject) in there:
            continue
        open_deadline(
            work, rule=rule, subject=subject, due_on=want.due_on, owner_role="case_manager", branch_id=branch_id,
            patient_id=want.patient_id, task=want.task, remind_on=want.remind_on, instrument=want.instrument,
        )  # fmt: skip


def _standing(work: Work, branch_id: int, patient_id: int | None) -> Sequence[Any]:
    """What is in the book of it: all that is open, and what was closed lately. The past is not read every night."""
    lately = agency.today(work, branch_id) - _LATELY
    query = sa.select(
        Deadline.id, Deadline.rule, Deadline.subject, Deadline.due_on, Deadline.status, Deadline.closed_by
    ).where(
        Deadline.branch_id == branch_id,
        Deadline.rule.in_((CADENCE, CONFERENCE, DIRECTIVES)),
        Deadline.subject.startswith("episode:"),
        sa.or_(Deadline.status == DeadlineStatus.OPEN, Deadline.due_on >= lately),
    )
    if patient_id is not None:
        query = query.where(Deadline.patient_id == patient_id)
    return work.session.execute(query.order_by(Deadline.id)).all()


def _end(work: Work, ends: Mapping[int, _Ends]) -> None:
    """Those rows are closed: done where a later day says so, or what happens once has happened; else superseded."""
    for numbers in batched(sorted(ends), 500):
        rows = work.session.execute(
            sa.select(Deadline)
            .where(Deadline.id.in_(numbers), Deadline.status == DeadlineStatus.OPEN)
            .order_by(Deadline.id)
            .with_for_update()
        ).scalars()
        for row in rows.all():
            how = ends[row.id]
            if how is _Ends.WOUND or (how is _Ends.ONCE and _is_met(work, row)):
                end(work, row, "done")
            else:
                end(work, row, "not owed", DeadlineStatus.SUPERSEDED)


def _is_met(work: Work, row: Deadline) -> bool:
    """Whether what is owed once was done, since the episode that owes it goes on."""
    episode = work.session.get(Episode, int(row.subject.split(":")[1]))
    return episode is not None and episode.discharged_on is None


def _wanted(
    work: Work, branch_id: int, patient_id: int | None
) -> Iterator[tuple[tuple[str, str], _Wanted]]:  # fmt: skip
    """(rule, subject) of everything that recurs, with its due day."""
    today = agency.today(work, branch_id)
    episodes = _episodes(work, branch_id, patient_id)
    numbers = [episode.id for episode in episodes]
    met = dict(
        work.session.execute(
            sa.select(Conference.episode_id, sa.func.max(Conference.held_on))
            .where(Conference.counts.is_(True), Conference.episode_id.in_(numbers))
            .group_by(Conference.episode_id)
        ).all()
    )  # type: dict[int, date]
    told = set(
        work.session.execute(sa.select(RightsTalk.episode_id).where(RightsTalk.episode_id.in_(numbers))).scalars()
    )
    patients = sorted({episode.patient_id for episode in episodes})
    taken = _taken(work, patients)
    caring = set(
        work.session.execute(sa.select(Caregiver.patient_id).where(Caregiver.patient_id.in_(patients))).scalars()
    )
    settings = work.policy
    for episode in episodes:
        assert episode.soc_date is not None
        about = f"episode:{episode.id}"
        due = conference_due(episode.programme, episode.soc_date, met.get(episode.id), settings)
        if due is not None:
            days = settings.conference.warning_days
            yield (CONFERENCE, about), _Wanted(episode.patient_id, due, "team-conference", days)
        rights = ask_rights(episode.soc_date, episode.id in told)
        if rights is not None and episode.soc_date >= today - _RIGHTS_CATCH_UP:
            yield (
                (DIRECTIVES, f"{about}:rights"),
                _Wanted(episode.patient_id, episode.soc_date, "tell-of-rights"),
            )
        if not settings.profile(episode.programme, today).instruments_on_cadence:
            continue
        for code in ON_CADENCE:
            if code is InstrumentCode.ZBI_12 and episode.patient_id not in caring:
                continue
            asked = ask_cadence(code, episode.soc_date, taken.get((episode.patient_id, code)), today, settings)
            if asked is not None and isinstance(asked.due, date):
                yield (
                    (CADENCE, f"{about}:{code.value}"),
                    _Wanted(episode.patient_id, asked.due, "take-instrument", instrument=code.value),
                )


def _episodes(work: Work, branch_id: int, patient_id: int | None) -> list[Episode]:
    """Episodes in care, begun and not ended."""
    query = (
        sa.select(Episode)
        .join(Patient, Patient.id == Episode.patient_id)
        .where(Patient.branch_id == branch_id, Episode.soc_date.is_not(None), Episode.discharged_on.is_(None))
    )
    if patient_id is not None:
        query = query.where(Patient.id == patient_id)
    return list(work.session.execute(query.order_by(Episode.id)).scalars())


def _taken(work: Work, patients: list[int]) -> Mapping[tuple[int, InstrumentCode], date]:
    """The last day on which each instrument was taken whole."""
    rows = work.session.execute(
        sa.select(Assessment.patient_id, Assessment.instrument, sa.func.max(Assessment.assessed_on).label("last"))
        .where(
            Assessment.patient_id.in_(patients),
            Assessment.status == AssessmentStatus.FINAL,
            Assessment.complete.is_(True),
        )
        .group_by(Assessment.patient_id, Assessment.instrument)
    )
    return {(row.patient_id, row.instrument): row.last for row in rows}


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
