"""The safety protocol after an answer about self-harm: opened at once, taken step by step, closed with an outcome."""

from typing import Any

import sqlalchemy as sa

from coordinator.care import shelf
from coordinator.care.model import Assessment
from coordinator.care.response_model import SafetyProtocol, SafetyStepTaken
from coordinator.core.db import locked, touch
from coordinator.core.errors import Conflict, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.care import SafetyOutcome, SafetyStep
from coordinator.domain.events import CareTaskSettled, SafetyProtocolClosed, SafetyProtocolOpened
from coordinator.patients.scope import require_sight
from coordinator.rules import instruments

RULE = "INS-05"


def open_for(work: Work, assessment: Assessment) -> SafetyProtocol:
    """The protocol is open and whom the policy names is told. Asked by other verbs of this room."""
    row = SafetyProtocol(patient_id=assessment.patient_id, assessment_id=assessment.id, opened_at=work.now, steps=[])
    work.session.add(row)
    work.session.flush()  # its number is in the trail, and in what people are told
    work.record("safety-protocol.opened", f"safety-protocol:{row.id}", patient_id=row.patient_id)
    work.publish(SafetyProtocolOpened(protocol_id=row.id, patient_id=row.patient_id))
    return row


def protocol_for_change(work: Work, protocol_id: int) -> SafetyProtocol:
    """The protocol, if the actor may see the patient and read the answers it comes from, locked."""
    _require_reader(work, work.session.get(SafetyProtocol, protocol_id))
    return locked(work.session, SafetyProtocol, protocol_id, "safety protocol")


def _require_reader(work: Work, row: SafetyProtocol | None) -> SafetyProtocol:
    if row is None:
        raise NotFound("safety protocol")
    require_sight(work, row.patient_id)
    scored = work.session.get_one(Assessment, row.assessment_id)
    shelf.require_reader(work, shelf.instruments()[scored.instrument])
    return row


def _open(work: Work, protocol_id: int) -> SafetyProtocol:
    row = protocol_for_change(work, protocol_id)
    if row.closed_at is not None:
        raise Conflict("This safety protocol is closed: what it says stands.", code="protocol-closed")
    return row


@permitted("safety:act")
def take_step(work: Work, protocol_id: int, step: SafetyStep, note: str | None = None) -> SafetyProtocol:
    """The step was taken now, by the actor; each step once."""
    row = _open(work, protocol_id)
    if any(taken.step is step for taken in row.steps):
        raise Conflict("This step is on record already.", code="step-taken")
    row.steps.append(SafetyStepTaken(step=step, taken_at=work.now, taken_by=work.actor.user_id, note=note))
    touch(row)
    work.session.flush()  # the new version is in the answer
    work.record(
        "safety-protocol.step", f"safety-protocol:{row.id}", patient_id=row.patient_id, step=step.value
    )  # fmt: skip
    return row


@permitted("safety:act")
def close(work: Work, protocol_id: int, outcome: SafetyOutcome | None, note: str | None = None) -> SafetyProtocol:
    """The protocol has ended so. RuleBroken (INS-05) names everything it lacks: its outcome, and steps not taken."""
    row = _open(work, protocol_id)
    refused = instruments.ask_safety_close([taken.step for taken in row.steps], outcome, work.policy)
    if refused or outcome is None:
        raise RuleBroken(refused)
    return _end(work, row, outcome, note)


def _end(work: Work, row: SafetyProtocol, outcome: SafetyOutcome, note: str | None) -> SafetyProtocol:
    row.outcome, row.outcome_note = outcome, note
    row.closed_by, row.closed_at = work.actor.user_id, work.now
    work.session.flush()  # the new version is in the answer
    work.record(
        "safety-protocol.closed", f"safety-protocol:{row.id}", patient_id=row.patient_id, came_of=outcome.value
    )  # fmt: skip
    work.publish(SafetyProtocolClosed(protocol_id=row.id, patient_id=row.patient_id))
    work.publish(
        CareTaskSettled(
            patient_id=row.patient_id, rule=RULE, reason=outcome.value,
            subject=f"assessment:{row.assessment_id}:safety-protocol",
            in_error=outcome is SafetyOutcome.ENTERED_IN_ERROR,
        )
    )  # fmt: skip
    return row


def withdraw_for(work: Work, assessment: Assessment) -> None:
    """Answers that were entered in error need no protocol. Asked by other verbs of this room."""
    row = work.session.execute(
        sa.select(SafetyProtocol).where(
            SafetyProtocol.assessment_id == assessment.id, SafetyProtocol.closed_at.is_(None)
        )
    ).scalar()
    if row is not None:
        _end(work, row, SafetyOutcome.ENTERED_IN_ERROR, None)


@permitted("assessment:read")
def get(work: Work, protocol_id: int) -> SafetyProtocol:
    """One protocol with its steps; the reading is on record."""
    row = _require_reader(work, work.session.get(SafetyProtocol, protocol_id))
    work.record("safety-protocol.read", f"safety-protocol:{row.id}", patient_id=row.patient_id)
    return row


@permitted("assessment:read")
def search(work: Work, patient_id: int) -> sa.Select[Any]:
    """The patient's protocols from answers that the actor may read, as a select for `page`."""
    require_sight(work, patient_id)
    work.record("safety-protocol.listed", f"patient:{patient_id}", patient_id=patient_id)
    return (
        sa.select(SafetyProtocol)
        .join(Assessment, Assessment.id == SafetyProtocol.assessment_id)
        .where(SafetyProtocol.patient_id == patient_id, Assessment.instrument.in_(shelf.readable(work)))
    )
