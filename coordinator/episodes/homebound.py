"""Homebound status as it is assessed, and the log of absences from home (HB-01, HB-02)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AbsencePatternNoticed, HomeAbsenceWithdrawn, HomeboundAssessed
from coordinator.domain.vocabulary import AbsencePurpose
from coordinator.episodes.model import HomeAbsence, HomeboundAssessment
from coordinator.episodes.reading import episode_to_change, today_of, visible_episode
from coordinator.patients.model import Episode
from coordinator.rules import eligibility as rules
from coordinator.rules.facts import Absence, HomeboundFacts
from coordinator.rules.terms import Finding, Severity

LEAVES = (
    "needs_supportive_device", "needs_special_transport", "needs_another_person", "leaving_medically_contraindicated",
    "normal_inability_to_leave", "considerable_and_taxing_effort",
)  # fmt: skip
#: A day has so many minutes; a longer absence is a stay somewhere.
LONGEST_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class HomeboundAnswer:
    """The assessments, the absences that count, and what is to be said of them today."""

    assessments: Sequence[HomeboundAssessment]
    absences: Sequence[HomeAbsence]
    findings: tuple[Finding, ...]


@permitted("homebound:assess")
def assess_homebound(
    work: Work, episode_id: int, *, assessed_on: date, leaves: Mapping[str, str]
) -> HomeboundAssessment:
    """The test as a clinician answered it: each leaf that is claimed with its words; bare boxes are no evidence."""
    episode = episode_to_change(work, episode_id)
    for name in sorted(leaves):
        if name not in LEAVES:
            raise Invalid(f"The homebound test has: {', '.join(LEAVES)}.", pointer="/leaves")
    if assessed_on > today_of(work, episode):
        raise Invalid("The assessment lies in the future.", pointer="/assessed_on")
    result = rules.homebound(HomeboundFacts(**dict.fromkeys(leaves, True), narratives=dict(leaves)))
    row = HomeboundAssessment(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        assessed_on=assessed_on,
        leaves=dict(leaves),
        result=result,
        clinician_id=work.actor.clinician_id,
        recorded_by_id=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # the number is in the trail
    work.record("homebound.assessed", f"episode:{episode.id}", patient_id=episode.patient_id, result=result.value)
    work.publish(
        HomeboundAssessed(
            patient_id=episode.patient_id, episode_id=episode.id, assessed_on=assessed_on, result=result.value
        )
    )
    return row


@permitted("home-absence:record")
def record_home_absence(
    work: Work, episode_id: int, *, day: date, purpose: AbsencePurpose, minutes: int, taxing_effort: bool
) -> tuple[HomeAbsence, tuple[Finding, ...]]:
    """The absence is in the log; a pattern without effort asks for a review and ends nothing (HB-02)."""
    episode = episode_to_change(work, episode_id)
    if day > today_of(work, episode):
        raise Invalid("The absence lies in the future.", pointer="/day")
    row = HomeAbsence(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        day=day,
        purpose=AbsencePurpose(purpose),
        minutes=minutes,
        taxing_effort=taxing_effort,
        recorded_by_id=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # it is one of those that are asked about
    work.record("home-absence.recorded", f"episode:{episode.id}", patient_id=episode.patient_id, absence=row.id)
    findings = _against(work, episode)
    review = next((finding for finding in findings if finding.severity is Severity.TASK), None)
    if review is not None and isinstance(review.due, date):
        work.publish(
            AbsencePatternNoticed(
                patient_id=episode.patient_id, episode_id=episode.id, last_on=max(review.facts["days"]),  # type: ignore[call-overload]
                due_on=review.due,
            )
        )  # fmt: skip
    return row, findings


@permitted("home-absence:record")
def withdraw_home_absence(work: Work, absence_id: int) -> HomeAbsence:
    """The absence was entered in error and says nothing any more."""
    row = work.session.get(HomeAbsence, absence_id)
    if row is None:
        raise NotFound("absence")
    episode_to_change(work, row.episode_id, ended=True)
    work.session.refresh(row)
    if row.withdrawn_at is not None:
        raise Conflict("This absence was withdrawn already.", code="absence-withdrawn")
    row.withdrawn_at = work.now
    work.session.flush()  # it is in the answer
    work.record("home-absence.withdrawn", f"episode:{row.episode_id}", patient_id=row.patient_id, absence=row.id)
    work.publish(HomeAbsenceWithdrawn(patient_id=row.patient_id, episode_id=row.episode_id))
    return row


@permitted("certification:read")
def homebound_status(work: Work, episode_id: int) -> HomeboundAnswer:
    """Every assessment and every absence that counts, latest first, with what is to be said of them today."""
    episode = visible_episode(work, episode_id)
    assessments = work.session.execute(
        sa.select(HomeboundAssessment)
        .where(HomeboundAssessment.episode_id == episode.id)
        .order_by(HomeboundAssessment.assessed_on.desc(), HomeboundAssessment.id.desc())
    ).scalars()
    work.record("homebound.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    return HomeboundAnswer(assessments.all(), _absences(work, episode), _against(work, episode))


def _absences(work: Work, episode: Episode) -> Sequence[HomeAbsence]:
    return (
        work.session.execute(
            sa.select(HomeAbsence)
            .where(HomeAbsence.episode_id == episode.id, HomeAbsence.withdrawn_at.is_(None))
            .order_by(HomeAbsence.day.desc(), HomeAbsence.id.desc())
        )
        .scalars()
        .all()
    )


def _against(work: Work, episode: Episode) -> tuple[Finding, ...]:
    """What the absences since the latest assessment say: that one has looked at those before it."""
    reviewed_on = work.session.execute(
        sa.select(sa.func.max(HomeboundAssessment.assessed_on)).where(HomeboundAssessment.episode_id == episode.id)
    ).scalar()
    since = [
        Absence(row.day, row.purpose.value, row.minutes, row.taxing_effort)
        for row in _absences(work, episode)
        if reviewed_on is None or row.day > reviewed_on
    ]
    return rules.ask_absences(since, today_of(work, episode))
