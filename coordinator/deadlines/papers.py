"""An episode's papers as deadlines depend on them, and what they owe or show to be done (F2F-01, ASM-01, DIS-02)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.deadlines import care_dues
from coordinator.deadlines.cases import Scope, Stay, once, stays
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.domain.lifecycle import STANDING_CERTIFICATION
from coordinator.domain.timeline import ONE_DAY, add_business_days
from coordinator.domain.vocabulary import AssessmentKind, CertificationStatus, DischargeStatus, Discipline
from coordinator.episodes.model import (
    Certification,
    ComprehensiveAssessment,
    Discharge,
    FaceToFace,
    InpatientStay,
)
from coordinator.orders.model import CarePlan
from coordinator.rules.assessments import ask_comprehensive, comprehensive_due
from coordinator.rules.certification import ask_face_to_face, ask_face_to_face_performer, face_to_face_window
from coordinator.rules.discharge import AFTER_DISCIPLINE, Step, transfer_summary_due
from coordinator.rules.facts import FaceToFaceFacts
from coordinator.staff.model import Physician

#: The assessments that answer a discharge.
_LEFT = frozenset({AssessmentKind.DISCHARGE, AssessmentKind.DEATH})


@dataclass(frozen=True, slots=True)
class Transfer:
    """By when a transfer's summary is due, and whether it was sent."""

    due_on: date
    sent: bool


@dataclass(frozen=True, slots=True)
class Papers:
    """An episode with what is on file of it."""

    stay: Stay
    encounters: Sequence[FaceToFaceFacts]
    #: Kind and day 0 of each comprehensive assessment.
    assessed: frozenset[tuple[AssessmentKind, date]]
    #: When the assessment that opens the case was completed.
    opened_on: date | None
    #: Steps that were done after the discharge.
    steps: frozenset[str]
    #: The latest end of each discipline that nobody withdrew: its day, and the steps that were done.
    ended: Mapping[Discipline, tuple[date, frozenset[str]]]
    #: The transfers by the day from which they count.
    transfers: Mapping[date, Transfer]


@once
def papers(scope: Scope) -> list[Papers]:
    """The episodes that are open, or ended lately, with their papers."""
    encounters, assessed = _encounters(scope), defaultdict(set)
    opened_on: dict[int, date] = {}
    for episode_id, kind, event_on, completed_on in scope.work.session.execute(
        sa.select(
            ComprehensiveAssessment.episode_id, ComprehensiveAssessment.kind, ComprehensiveAssessment.event_on,
            ComprehensiveAssessment.completed_on,
        ).where(scope.has(ComprehensiveAssessment.patient_id))
    ):  # fmt: skip
        assessed[episode_id].add((kind, event_on))
        if kind is AssessmentKind.START_OF_CARE:
            opened_on[episode_id] = completed_on
    steps: dict[int, frozenset[str]] = {}
    ended: dict[int, dict[Discipline, tuple[date, frozenset[str]]]] = defaultdict(dict)
    for row in scope.work.session.execute(
        sa.select(Discharge.episode_id, Discharge.discipline, Discharge.status, Discharge.planned_on, Discharge.steps)
        .where(scope.has(Discharge.patient_id), Discharge.status != DischargeStatus.WITHDRAWN)
        .order_by(Discharge.planned_on, Discharge.id)
    ):
        if row.discipline is not None:
            ended[row.episode_id][row.discipline] = row.planned_on, frozenset(row.steps)
        elif row.status is DischargeStatus.FINAL:
            steps[row.episode_id] = frozenset(row.steps)
    transfers: dict[int, dict[date, Transfer]] = defaultdict(dict)
    for row in scope.work.session.execute(
        sa.select(
            InpatientStay.episode_id, InpatientStay.transferred_at, InpatientStay.learned_at, InpatientStay.planned,
            InpatientStay.summary_sent_at,
        ).where(scope.has(InpatientStay.patient_id), InpatientStay.transferred_at.is_not(None))
    ):  # fmt: skip
        transferred_on = scope.day(row.transferred_at)
        transfers[row.episode_id][transferred_on] = Transfer(
            transfer_summary_due(row.planned, transferred_on, scope.day(row.learned_at), scope.asked.policy),
            row.summary_sent_at is not None,
        )
    return [
        Papers(
            stay, encounters.get(stay.id, ()), frozenset(assessed[stay.id]), opened_on.get(stay.id),
            steps.get(stay.id, frozenset()), ended[stay.id], transfers[stay.id],
        )
        for stay in stays(scope)
    ]  # fmt: skip


def _encounters(scope: Scope) -> dict[int, list[FaceToFaceFacts]]:
    """The encounters that count, of each episode, with whether their performer is its certifier."""
    session = scope.work.session
    certifier: dict[int, Any] = {}
    managing = (
        sa.select(CarePlan.episode_id, Physician.npi)
        .join(Physician, Physician.id == CarePlan.managing_physician_id)
        .where(scope.has(CarePlan.patient_id))
    )
    certifying = (
        sa.select(Certification.episode_id, Physician.npi)
        .join(Physician, Physician.id == Certification.physician_id)
        .where(
            scope.has(Certification.patient_id),
            Certification.number == 1,
            Certification.status.in_(sorted(STANDING_CERTIFICATION)),
        )
    )
    for query in (managing, certifying):  # who certifies goes before who only manages
        for episode_id, npi in session.execute(query):
            certifier[episode_id] = npi
    found: dict[int, list[FaceToFaceFacts]] = defaultdict(list)
    for row in session.execute(
        sa.select(
            FaceToFace.episode_id, FaceToFace.encounter_on, FaceToFace.performer_type, FaceToFace.performer_npi,
            FaceToFace.related_to_primary_reason, FaceToFace.from_inpatient_or_collaborating, FaceToFace.same_practice,
            FaceToFace.coordination_evidence,
        ).where(scope.has(FaceToFace.patient_id), FaceToFace.replaced_by_id.is_(None))
    ):  # fmt: skip
        found[row.episode_id].append(
            FaceToFaceFacts(
                encounter_on=row.encounter_on,
                performer_type=row.performer_type,
                related_to_primary_reason=row.related_to_primary_reason,
                performer_is_certifier=row.performer_npi is not None
                and certifier.get(row.episode_id) == row.performer_npi,
                from_inpatient_or_collaborating=row.from_inpatient_or_collaborating,
                same_practice=row.same_practice,
                coordination_evidence=bool(row.coordination_evidence),
            )
        )
    return found


# ------------------------------------------------------------------------------------ what they owe


def encounter(file: Papers, asked: Asked) -> Iterator[Owed]:
    """F2F-01: an encounter that serves is on file by the thirtieth day; intake hears of it from the twenty-first."""
    stay = file.stay
    settings = asked.policy.on(stay.soc).certification
    if stay.soc is None or not stay.in_care or stay.programme not in settings.face_to_face_programmes:
        return
    serves = any(
        not ask_face_to_face(one, stay.soc, asked.today, asked.policy)
        and ask_face_to_face_performer(one, stay.soc, asked.policy) is None
        for one in file.encounters
    )
    yield Owed(
        care_dues.of_episode(stay, "encounter"), face_to_face_window(stay.soc, asked.policy).last, stay.patient_id,
        remind_on=(stay.soc + timedelta(days=settings.face_to_face_warning_days),), met="on file" if serves else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mistake:
    """A certification that was superseded though it was signed, and whether its period is certified again."""

    id: int
    patient_id: int
    superseded_on: date
    signed_again: bool


def mistakes(scope: Scope) -> list[Mistake]:
    """Every certification that was signed by mistake."""
    again = sa.orm.aliased(Certification)
    signed_again = sa.exists().where(
        again.episode_id == Certification.episode_id,
        again.number == Certification.number,
        again.status == CertificationStatus.SIGNED,
    )
    rows = scope.work.session.execute(
        sa.select(
            Certification.id,
            Certification.patient_id,
            Certification.superseded_at,
            sa.type_coerce(signed_again, sa.Boolean),
        )
        .where(scope.has(Certification.patient_id), Certification.status == CertificationStatus.SUPERSEDED)
        .order_by(Certification.id)
    )
    return [Mistake(row[0], row[1], scope.day(row[2]), row[3]) for row in rows]


def certify_again(mistake: Mistake, asked: Asked) -> Iterator[Owed]:
    """CERT-01: what was signed by mistake is certified anew, by the next business day; its bill is held until then."""
    settings = asked.policy
    due_on = add_business_days(
        mistake.superseded_on, settings.deadlines.certify_again_business_days, settings.discharge.business_calendar
    )
    yield Owed(
        f"certification:{mistake.id}", due_on, mistake.patient_id, met="signed" if mistake.signed_again else None
    )


# ------------------------------------------------------------------------------------ what they show to be done


def comprehensive_assessment(file: Papers, asked: Asked) -> Iterator[Owed]:
    """ASM-01: done when the assessment of the start is on file."""
    done = (AssessmentKind.START_OF_CARE, file.stay.soc) in file.assessed
    yield from _met(care_dues.comprehensive_assessment, file, asked, "assessed" if done else None)


def late_assessment(file: Papers, asked: Asked) -> Iterator[Owed]:
    """ASM-03: from the sixth day on the assessment that is not complete is an incident, and a late one stays one."""
    stay = file.stay
    if stay.soc is None:
        return
    late_from = comprehensive_due(stay.soc, asked.policy) + ONE_DAY
    late = ask_comprehensive(stay.soc, file.opened_on, max(asked.today, late_from), asked.policy)
    if file.opened_on is None and not stay.in_care:
        return  # who left without one is not assessed any more; an incident that stands stays
    yield Owed(
        care_dues.of_episode(stay, "late"), late_from, stay.patient_id, opens_on=late_from,
        met=None if late else "completed in time",
    )  # fmt: skip


def transfer_assessment(file: Papers, asked: Asked) -> Iterator[Owed]:
    """ASM-01: done when the assessment of this transfer is on file."""
    done = (AssessmentKind.TRANSFER, file.stay.held_on) in file.assessed
    yield from _met(care_dues.transfer_assessment, file, asked, "assessed" if done else None)


def discharge_assessment(file: Papers, asked: Asked) -> Iterator[Owed]:
    """ASM-01: done when the assessment of the discharge, or of the death, is on file."""
    done = any(kind in _LEFT for kind, _ in file.assessed)
    yield from _met(care_dues.discharge_assessment, file, asked, "assessed" if done else None)


def transfer_summary(file: Papers, asked: Asked) -> Iterator[Owed]:
    """DIS-02: two business days from when it was planned or learned of; done when it was sent."""
    known = file.transfers.get(file.stay.held_on) if file.stay.held_on is not None else None
    for owed in care_dues.transfer_summary(file.stay, asked):
        if known is None:
            yield owed
        else:
            yield replace(owed, due_on=known.due_on, met="sent" if known.sent else None)


def discharge_summary(file: Papers, asked: Asked) -> Iterator[Owed]:
    """DIS-02: done when it was sent."""
    yield from _met(care_dues.discharge_summary, file, asked, "sent" if Step.SUMMARY in file.steps else None)


def discipline_discharge(file: Papers, asked: Asked) -> Iterator[Owed]:
    """DIS-03: done when every step that follows a discipline's end was done, of an end no earlier than its orders'."""
    for owed in care_dues.discipline_discharge(file.stay, asked):
        ended_on, steps = file.ended.get(Discipline(owed.facts["discipline"]), (date.min, frozenset()))
        done = ended_on >= date.fromisoformat(owed.facts["ends_on"]) and steps.issuperset(AFTER_DISCIPLINE)
        yield replace(owed, met="settled" if done else None)


def closed_record(file: Papers, asked: Asked) -> Iterator[Owed]:
    """DIS-02: done when the record was closed."""
    yield from _met(care_dues.closed_record, file, asked, "closed" if Step.RECORD in file.steps else None)


def _met(owes: Callable[[Stay, Asked], Iterator[Owed]], file: Papers, asked: Asked, why: str | None) -> Iterator[Owed]:
    for owed in owes(file.stay, asked):
        yield replace(owed, met=why)
