"""Watching aides at work, standing behind assistants, and who answers for them (SUP-02 to SUP-05)."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AideCleared, AideConcernNoted, AideObserved, AssistantSupervised
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline, Performer
from coordinator.patients.scope import require_sight
from coordinator.rules.supervision import with_related
from coordinator.staff.model import Clinician
from coordinator.visits import queries
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import AideConcern, AideObservation, AssistantSupervision, TherapistOfRecord

#: Who may stand behind whom (SUP-05).
STANDS_BEHIND: dict[Performer, Performer] = {
    Performer.LVN: Performer.RN, Performer.PTA: Performer.PT, Performer.COTA: Performer.OT,
}  # fmt: skip
_MOST_TASKS = 60


def note_concern(
    work: Work,
    patient_id: int,
    aide: Clinician,
    noted_by: Clinician,
    noted_on: date,
    tasks: Sequence[str],
    supervision_id: int | None,
) -> AideConcern:
    """A concern stands against the aide; asked by the supervision that noted it, which asked for permission."""
    named = list(dict.fromkeys(task.strip().upper() for task in tasks if task.strip()))
    if len(named) > _MOST_TASKS:
        raise Invalid(f"A concern names at most {_MOST_TASKS} tasks.", pointer="/concern_tasks")
    row = AideConcern(
        aide_id=aide.id, patient_id=patient_id, noted_by_id=noted_by.id, supervision_id=supervision_id,
        noted_on=noted_on, tasks=named, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number is in the trail and in the event
    work.record("aide.concern-noted", f"aide-concern:{row.id}", patient_id=patient_id, aide=aide.id)
    work.publish(AideConcernNoted(concern_id=row.id, patient_id=patient_id, aide_id=aide.id, noted_on=noted_on))
    return row


@permitted("supervision:record")
def observe(
    work: Work, patient_id: int, *, aide_id: int, observed_on: date, passed: bool, concern_id: int | None = None
) -> AideObservation:
    """The actor watched the aide give care in this home. It answers the concern that is named, if one is.

    A concern that is not confirmed is settled; a verified deficiency takes in all related skills, and waits for
    retraining and an evaluation (`clear`).
    """
    branch_id = require_sight(work, patient_id)
    observer = _me(work, branch_id)
    supervisors = work.policy.on(observed_on).aides.supervisors
    if observer.performer not in supervisors:
        raise Forbidden(f"An aide is observed by one of {', '.join(sorted(supervisors))}.", rule="SUP-02")
    aide = _aide(work, aide_id, branch_id)
    _not_ahead(work, branch_id, observed_on, "/observed_on")
    concern = None
    if concern_id is not None:
        concern = locked(work.session, AideConcern, concern_id, "concern")
        if concern.aide_id != aide.id or concern.patient_id != patient_id:
            raise NotFound("concern")
        if concern.cleared_on is not None:
            raise Conflict("This concern is settled already.", code="concern-settled")
        if observed_on < concern.noted_on:
            raise Invalid("The observation comes after the concern.", pointer="/observed_on")
        concern.deficient = not passed
        if passed:
            concern.cleared_on = observed_on
        elif concern.tasks:
            concern.tasks = sorted(with_related(concern.tasks))
    row = AideObservation(
        aide_id=aide.id, patient_id=patient_id, observer_id=observer.id, concern_id=concern_id,
        observed_on=observed_on, passed=passed, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number is in the answer and in the trail
    work.record("aide.observed", f"aide-observation:{row.id}", patient_id=patient_id, aide=aide.id, passed=passed)
    work.publish(
        AideObserved(
            observation_id=row.id, patient_id=patient_id, aide_id=aide.id, observed_on=observed_on, passed=passed,
            concern_id=concern_id,
        )
    )  # fmt: skip
    return row


@permitted("aide:clear")
def clear(work: Work, concern_id: int, *, cleared_on: date) -> AideConcern:
    """The aide was retrained and passed an evaluation of the deficient and all related skills (484.80(h)(3))."""
    concern = locked(work.session, AideConcern, concern_id, "concern")
    branch_id = require_sight(work, concern.patient_id)
    if concern.cleared_on is not None:
        raise Conflict("This concern is settled already.", code="concern-settled")
    if concern.deficient is None:
        raise Conflict("The aide has not been observed yet: that comes first (SUP-02).", code="not-observed")
    _not_ahead(work, branch_id, cleared_on, "/cleared_on")
    if cleared_on < concern.noted_on:
        raise Invalid("The evaluation comes after the concern.", pointer="/cleared_on")
    concern.cleared_on = cleared_on
    work.session.flush()  # whoever asks the rules next sees it
    work.record("aide.cleared", f"aide-concern:{concern.id}", patient_id=concern.patient_id, aide=concern.aide_id)
    work.publish(AideCleared(concern_id=concern.id, patient_id=concern.patient_id, aide_id=concern.aide_id))
    return concern


@permitted("visit:read")
def concerns_of(work: Work, patient_id: int) -> list[AideConcern]:
    """Concerns noted in this home, newest first."""
    require_sight(work, patient_id)
    if not work.actor.may("supervision:record"):
        raise Forbidden("Concerns about an aide are for those who supervise.", permission="supervision:record")
    work.record("aide.concerns-read", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(AideConcern).where(AideConcern.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(AideConcern.noted_on.desc(), AideConcern.id.desc())))


@permitted("supervision:record")
def supervise_assistant(
    work: Work, patient_id: int, *, assistant_id: int, supervised_on: date, visit_id: int | None = None
) -> AssistantSupervision:
    """The actor, nurse or therapist, saw to the work of an LVN, PTA or COTA with this patient."""
    branch_id = require_sight(work, patient_id)
    supervisor = _me(work, branch_id)
    assistant = queries.the_clinician(work, assistant_id, branch_id)
    needed = STANDS_BEHIND.get(assistant.performer)
    if needed is None:
        raise Invalid("That clinician is no LVN, PTA or COTA.", pointer="/assistant_id")
    if supervisor.performer is not needed:
        raise Forbidden(f"A {assistant.performer.value} is supervised by a {needed.value}.", rule="SUP-05")
    _not_ahead(work, branch_id, supervised_on, "/supervised_on")
    if visit_id is not None:
        visit = fetch(work.session, Visit, visit_id, "visit")
        if visit.patient_id != patient_id or visit.clinician_id != supervisor.id or visit.actual_start_at is None:
            raise Conflict("The supervisor did not make that visit.", code="not-the-supervisors-visit")
    row = AssistantSupervision(
        patient_id=patient_id, assistant_id=assistant.id, supervisor_id=supervisor.id, supervised_on=supervised_on,
        visit_id=visit_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number is in the answer and in the trail
    work.record(
        "assistant.supervised", f"assistant-supervision:{row.id}", patient_id=patient_id, assistant=assistant.id
    )
    work.publish(
        AssistantSupervised(
            patient_id=patient_id, assistant_id=assistant.id, performer=assistant.performer.value,
            supervised_on=supervised_on,
        )
    )  # fmt: skip
    return row


@permitted("therapist:reassign")
def reassign_therapist(
    work: Work, patient_id: int, *, discipline: Discipline, clinician_id: int, starts_on: date, reason: str
) -> TherapistOfRecord:
    """From that day another therapist is the one of record, in writing (16 CCR 1398.44)."""
    branch_id = require_sight(work, patient_id)
    therapist = queries.the_clinician(work, clinician_id, branch_id)
    if therapist.performer not in STANDS_BEHIND.values() or DISCIPLINE_OF[therapist.performer] is not discipline:
        raise Invalid(
            f"The therapist of record for {discipline.value} is one of its therapists.", pointer="/clinician_id"
        )
    if therapist.performer is Performer.RN:
        raise Invalid("Nursing has no therapist of record.", pointer="/discipline")
    if not reason.strip():
        raise Invalid("Say why: the reassignment is in writing.", pointer="/reason")
    if work.actor.user_id is None:
        raise Forbidden("A reassignment carries a person's name.", permission="therapist:reassign")
    row = TherapistOfRecord(
        patient_id=patient_id, discipline=discipline, clinician_id=therapist.id, starts_on=starts_on,
        reason=reason.strip(), assigned_by_id=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number is in the answer and in the trail
    work.record(
        "therapist.reassigned", f"therapist-of-record:{row.id}", patient_id=patient_id, discipline=discipline.value
    )
    return row


def _me(work: Work, branch_id: int) -> Clinician:
    if work.actor.clinician_id is None:
        raise Forbidden("Only somebody who makes visits can say this.", code="not-a-clinician")
    return queries.the_clinician(work, work.actor.clinician_id, branch_id)


def _aide(work: Work, aide_id: int, branch_id: int) -> Clinician:
    aide = queries.the_clinician(work, aide_id, branch_id)
    if aide.performer is not Performer.CHHA:
        raise Invalid("That clinician is not an aide.", pointer="/aide_id")
    return aide


def _not_ahead(work: Work, branch_id: int, day: date, pointer: str) -> None:
    if day > agency.today(work, branch_id):
        raise Invalid("That day is still to come.", pointer=pointer)
