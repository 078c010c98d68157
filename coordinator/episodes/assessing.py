"""Comprehensive assessments that were completed: who may, whether in time, and what they recertify (ASM-01, ASM-03)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AssessmentCompleted
from coordinator.domain.vocabulary import AssessmentKind
from coordinator.episodes.model import ComprehensiveAssessment
from coordinator.episodes.reading import episode_facts, episode_to_change, today_of, visible_episode
from coordinator.patients.model import Episode
from coordinator.rules import assessments as rules
from coordinator.rules.assessments import AssessorFacts
from coordinator.rules.terms import Finding
from coordinator.staff.model import Clinician

#: Made when it has happened, and only once an episode.
_ONCE = frozenset({AssessmentKind.START_OF_CARE, AssessmentKind.DEATH, AssessmentKind.DISCHARGE})
_RECERTIFIES = frozenset({AssessmentKind.RECERTIFICATION, AssessmentKind.RESUMPTION})


@dataclass(frozen=True, slots=True)
class Assessed:
    """An assessment with what is to be said of it."""

    row: ComprehensiveAssessment
    findings: tuple[Finding, ...]


@permitted("assessment:complete")
def complete_assessment(
    work: Work,
    episode_id: int,
    *,
    kind: AssessmentKind,
    event_on: date,
    completed_on: date,
    clinician_id: int | None = None,
) -> Assessed:
    """The assessment is complete, by somebody who may make it; when it is late it says so, with its true date.

    Inside the window of its period a recertification or a resumption recertifies (CERT-02). `clinician_id`: who made
    it, the actor if not named.
    """
    episode = episode_to_change(work, episode_id, ended=True)
    kind = AssessmentKind(kind)
    soc = episode.soc_date
    if soc is None:
        raise Conflict("Care has not begun: there is nothing to assess yet.", code="not-admitted")
    today = today_of(work, episode)
    if not soc <= event_on <= completed_on:
        raise Invalid("The event comes after the start of care, and not after its assessment.", pointer="/event_on")
    if completed_on > today:
        raise Invalid("An assessment is recorded when it is complete, not ahead.", pointer="/completed_on")
    if kind is AssessmentKind.START_OF_CARE and event_on != soc:
        raise Invalid(f"Care began on {soc}.", pointer="/event_on")
    if kind is AssessmentKind.RECERTIFICATION and event_on != completed_on:
        raise Invalid("A recertification is dated by its own day.", pointer="/event_on")
    made_by = clinician_id or work.actor.clinician_id
    clinician = work.session.get(Clinician, made_by) if made_by is not None else None
    if clinician is None:
        raise Invalid("Name the clinician who made the assessment.", pointer="/clinician_id")
    refused = rules.ask_assessor(AssessorFacts(kind, clinician.performer, episode_facts(work, episode)), work.policy)
    if refused is not None:
        raise RuleBroken([refused], code="qualification-missing")
    before = _of(work, episode)
    if kind in _ONCE and any(row.kind is kind for row in before):
        raise Conflict("This assessment is on file already.", code="assessment-exists")
    return _file(work, episode, soc, kind, event_on, completed_on, clinician, before, today)


def _file(
    work: Work, episode: Episode, soc: date, kind: AssessmentKind, event_on: date, completed_on: date,
    clinician: Clinician, before: Sequence[ComprehensiveAssessment], today: date,
) -> Assessed:  # fmt: skip
    findings: tuple[Finding, ...] = ()
    due, serves = rules.assessment_due(kind, event_on, work.policy), None
    if kind in _RECERTIFIES:
        served = frozenset(row.serves_period for row in before if row.serves_period is not None)
        answer = rules.ask_recertified(soc, completed_on, served)
        serves = answer.period
        if kind is AssessmentKind.RECERTIFICATION:
            due, findings = answer.due_on, answer.findings
        elif serves is not None:
            findings = answer.findings
    if kind is AssessmentKind.START_OF_CARE:
        findings = rules.ask_comprehensive(soc, completed_on, today, work.policy)
    row = ComprehensiveAssessment(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        kind=kind,
        event_on=event_on,
        completed_on=completed_on,
        due_on=due,
        clinician_id=clinician.id,
        serves_period=serves,
        recorded_by_id=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # the number is in the trail
    late = completed_on > due
    work.record(
        "assessment.completed", f"episode:{episode.id}", patient_id=episode.patient_id, kind=kind.value,
        assessment=row.id, late=late, serves_period=serves,
    )  # fmt: skip
    work.publish(
        AssessmentCompleted(
            patient_id=episode.patient_id, episode_id=episode.id, kind=kind.value, event_on=event_on,
            completed_on=completed_on, late=late, serves_period=serves,
        )
    )  # fmt: skip
    return Assessed(row, findings)


@permitted("certification:read")
def assessments(work: Work, episode_id: int) -> tuple[Sequence[ComprehensiveAssessment], tuple[Finding, ...]]:
    """The assessments of the episode, oldest first, and what is to be said of the one that opens the case (ASM-03)."""
    episode = visible_episode(work, episode_id)
    rows = _of(work, episode)
    work.record("assessment.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    if episode.soc_date is None:
        return rows, ()
    opened = next((row.completed_on for row in rows if row.kind is AssessmentKind.START_OF_CARE), None)
    return rows, rules.ask_comprehensive(episode.soc_date, opened, today_of(work, episode), work.policy)


def _of(work: Work, episode: Episode) -> Sequence[ComprehensiveAssessment]:
    return (
        work.session.execute(
            sa.select(ComprehensiveAssessment)
            .where(ComprehensiveAssessment.episode_id == episode.id)
            .order_by(ComprehensiveAssessment.id)
        )
        .scalars()
        .all()
    )
