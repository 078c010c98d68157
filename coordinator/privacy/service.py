"""The verbs on what is owed about records: requests, disclosures, breaches, holds and retention (SEC-09 to SEC-12)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.access.scope import branches_of, patients_in_sight, require_branch
from coordinator.agency.service import today, zone_of
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import BreachDetected, BreachNotified, RecordRequestClosed, RecordRequested
from coordinator.domain.lifecycle import PLANNED_VISIT
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import BreachNotice, DisclosurePurpose, RecordRequestKind, RecordRequestStatus
from coordinator.patients.model import Patient
from coordinator.patients.service import require_visible
from coordinator.privacy.model import Breach, BreachPatient, Disclosure, LegalHold, RecordRequest
from coordinator.rules.security import ask_destruction, breach_due, is_accounted, keep_until, record_request_due
from coordinator.rules.terms import Finding
from coordinator.visits.model import Visit

#: Most patients of one breach that are written down one by one.
MOST_PATIENTS = 100_000


# ------------------------------------------------------------------------------------ requests for the record


@permitted("record-request:edit")
def request_record(
    work: Work, patient_id: int, *, kind: RecordRequestKind, requested_by: str, requested_on: date
) -> RecordRequest:
    """The patient asked for the record that day; it is due on the earliest day that a law names (SEC-09)."""
    patient = require_visible(work, patient_id)
    if requested_on > today(work, patient.branch_id):
        raise Invalid("The day of the request lies in the future.", pointer="/requested_on")
    due = record_request_due(kind, requested_on, _next_visit(work, patient, requested_on), work.policy)
    row = RecordRequest(
        patient_id=patient.id, kind=kind, requested_by=requested_by, requested_on=requested_on, due_on=due.on,
        due_by=due.by, status=RecordRequestStatus.OPEN, recorded_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the request's number is in the audit line
    work.record("record-request.opened", f"record-request:{row.id}", patient_id=patient.id, due_on=str(due.on))
    work.publish(RecordRequested(row.id, patient.id, patient.branch_id, requested_on, due.on))
    return row


def _next_visit(work: Work, patient: Patient, after: date) -> date | None:
    """The day of the first visit that is placed after that day."""
    zone = zone_of(work, patient.branch_id)
    starts_at = work.session.execute(
        sa.select(sa.func.min(Visit.starts_at)).where(
            Visit.patient_id == patient.id,
            Visit.status.in_(PLANNED_VISIT),
            Visit.starts_at >= day_bounds(after, zone)[1],
        )
    ).scalar()
    return None if starts_at is None else local_day(starts_at, zone)


def for_change(work: Work, request_id: int) -> RecordRequest:
    """The request, held, if its patient is in sight. Asked by the door before versions are compared."""
    patient_id = work.session.execute(
        sa.select(RecordRequest.patient_id).where(RecordRequest.id == request_id)
    ).scalar()
    if patient_id is None:
        raise NotFound("record request")
    require_visible(work, patient_id)
    return locked(work.session, RecordRequest, request_id, "record request")


@permitted("record-request:edit")
def close_request(work: Work, request_id: int, *, closed_on: date, withdrawn: bool = False) -> RecordRequest:
    """The patient has the record since that day, or asks for it no more."""
    row = for_change(work, request_id)
    if row.status is not RecordRequestStatus.OPEN:
        raise Conflict(f"The request is {row.status.value} already.", code="wrong-state", state=row.status)
    branch_id = work.session.execute(sa.select(Patient.branch_id).where(Patient.id == row.patient_id)).scalar_one()
    if not row.requested_on <= closed_on <= today(work, branch_id):
        raise Invalid("It is closed between the request and today.", pointer="/closed_on")
    row.status = RecordRequestStatus.WITHDRAWN if withdrawn else RecordRequestStatus.FULFILLED
    row.closed_on = closed_on
    work.session.flush()  # the new version is in the answer
    work.record(
        "record-request.closed", f"record-request:{row.id}", patient_id=row.patient_id, late=closed_on > row.due_on
    )
    work.publish(RecordRequestClosed(row.id, row.patient_id))
    return row


@permitted("record-request:read")
def requests(work: Work, patient_id: int) -> list[RecordRequest]:
    """The patient's requests, the oldest first."""
    require_visible(work, patient_id)
    work.record("record-request.listed", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(RecordRequest).where(RecordRequest.patient_id == patient_id).order_by(RecordRequest.id)
    return list(work.session.scalars(query))


# ------------------------------------------------------------------------------------ disclosures


@permitted("disclosure:record")
def record_disclosure(
    work: Work, patient_id: int, *, disclosed_on: date, recipient: str, purpose: DisclosurePurpose, what: str,
    statement: str, recipient_address: str | None = None,
) -> Disclosure:  # fmt: skip
    """It is on record that this was given out of the patient's record, to whom, and why (SEC-10)."""
    patient = require_visible(work, patient_id)
    if disclosed_on > today(work, patient.branch_id):
        raise Invalid("The day of the disclosure lies in the future.", pointer="/disclosed_on")
    row = Disclosure(
        patient_id=patient.id, disclosed_on=disclosed_on, recipient=recipient, recipient_address=recipient_address,
        purpose=purpose, what=what, statement=statement, recorded_by_id=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the disclosure's number is in the audit line
    work.record("disclosure.recorded", f"disclosure:{row.id}", patient_id=patient.id, purpose=purpose.value)
    return row


@permitted("disclosure:read")
def accounting(work: Work, patient_id: int) -> list[Disclosure]:
    """The accounting that the patient may ask for: disclosures of six years, without care, payment and operations."""
    patient = require_visible(work, patient_id)
    rows = work.session.scalars(
        sa.select(Disclosure)
        .where(Disclosure.patient_id == patient.id)
        .order_by(Disclosure.disclosed_on, Disclosure.id)
    )
    work.record("disclosure.accounted", f"patient:{patient.id}", patient_id=patient.id)
    day = today(work, patient.branch_id)
    return [row for row in rows if is_accounted(row.purpose, row.disclosed_on, day, work.policy)]


# ------------------------------------------------------------------------------------ breaches


@permitted("breach:edit")
def record_breach(work: Work, branch_id: int, *, detected_on: date, kind: str, patient_ids: Iterable[int]) -> Breach:
    """A breach was detected that day: the days by which state, patients and federal office are told stand (SEC-11)."""
    require_branch(work, branch_id)
    if detected_on > today(work, branch_id):
        raise Invalid("The day lies in the future.", pointer="/detected_on")
    numbers = sorted(set(patient_ids))
    if not 1 <= len(numbers) <= MOST_PATIENTS:
        raise Invalid(f"A breach concerns 1 to {MOST_PATIENTS} patients.", pointer="/patient_ids")
    seen = work.session.scalars(
        sa.select(Patient.id).where(Patient.id.in_(numbers), Patient.id.in_(patients_in_sight(work)))
    ).all()
    if len(seen) != len(numbers):
        raise NotFound("patient")
    due = breach_due(detected_on, work.policy)
    row = Breach(
        branch_id=branch_id, detected_on=detected_on, kind=kind, state_due_on=due.state_on,
        federal_due_on=due.federal_on, recorded_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its patients name it
    work.session.add_all(BreachPatient(breach_id=row.id, patient_id=number) for number in numbers)
    work.record("breach.recorded", f"breach:{row.id}", branch=branch_id, patients=len(numbers))
    for number in numbers:
        work.record("breach.concerns", f"breach:{row.id}", patient_id=number)
    work.publish(BreachDetected(row.id, branch_id, detected_on, due.state_on, due.federal_on))
    return row


def breach_for_change(work: Work, breach_id: int) -> Breach:
    """The breach, held, if it is of one of the actor's branches. Asked by the door before versions are compared."""
    row = work.session.get(Breach, breach_id)
    mine = branches_of(work.actor)
    if row is None or (mine is not None and row.branch_id not in mine):
        raise NotFound("breach")
    return locked(work.session, Breach, breach_id, "breach")


@permitted("breach:edit")
def record_notice(work: Work, breach_id: int, whom: BreachNotice, on: date) -> Breach:
    """The state, the patients or the federal office were told of the breach that day."""
    row = breach_for_change(work, breach_id)
    if not row.detected_on <= on <= today(work, row.branch_id):
        raise Invalid("They are told between the detection and today.", pointer="/on")
    column = f"{whom.value}_told_on"
    if getattr(row, column) is not None:
        raise Conflict("They were told already.", code="already-told", on=str(getattr(row, column)))
    setattr(row, column, on)
    work.session.flush()  # the new version is in the answer
    work.record("breach.told", f"breach:{row.id}", branch=row.branch_id, whom=whom.value)
    work.publish(BreachNotified(row.id, row.branch_id, whom.value, on))
    return row


@permitted("breach:read")
def breaches(work: Work, branch_id: int) -> list[Breach]:
    """The branch's breaches, the oldest first."""
    require_branch(work, branch_id)
    work.record("breach.listed", f"branch:{branch_id}")
    return list(work.session.scalars(sa.select(Breach).where(Breach.branch_id == branch_id).order_by(Breach.id)))


# ------------------------------------------------------------------------------------ retention


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a record is kept, and what stands against destroying it today."""

    patient_id: int
    discharged_on: date | None
    keep_until: date | None
    holds: list[LegalHold]
    findings: tuple[Finding, ...]

    @property
    def may_be_destroyed(self) -> bool:
        return not self.findings


@permitted("record-request:read")
def retention(work: Work, patient_id: int) -> Retention:
    """How long the patient's record is kept, by the last discharge or death, and every hold on it (SEC-12)."""
    patient = require_visible(work, patient_id)
    work.record("retention.read", f"patient:{patient.id}", patient_id=patient.id)
    return kept(work, patient)


def kept(work: Work, patient: Patient) -> Retention:
    """The same, for the verbs of this room."""
    holds = list(
        work.session.scalars(sa.select(LegalHold).where(LegalHold.patient_id == patient.id).order_by(LegalHold.id))
    )
    ends = [episode.discharged_on for episode in patient.episodes]
    ended = [day for day in ends if day is not None]
    last = max(ended, default=None) if len(ended) == len(ends) else None
    if patient.deceased_on is not None:
        last = max([*ended, patient.deceased_on])
    standing = sum(1 for hold in holds if hold.released_on is None)
    day = today(work, patient.branch_id)
    told = work.session.execute(
        sa.select(Disclosure.purpose, sa.func.max(Disclosure.disclosed_on))
        .where(Disclosure.patient_id == patient.id)
        .group_by(Disclosure.purpose)
    )
    accounted = [on for purpose, on in told if is_accounted(purpose, on, day, work.policy)]
    return Retention(
        patient_id=patient.id,
        discharged_on=last,
        keep_until=None if last is None else keep_until(patient.birth_date, last, work.policy),
        holds=holds,
        findings=ask_destruction(
            patient.birth_date, last, standing, day, work.policy, accounted_on=max(accounted, default=None)
        ),
    )


@permitted("legal-hold:edit")
def place_hold(work: Work, patient_id: int, reason: str) -> LegalHold:
    """From today on nothing of the record is destroyed, for a reason in a code."""
    patient = require_visible(work, patient_id)
    row = LegalHold(
        patient_id=patient.id, reason=reason, placed_on=today(work, patient.branch_id),
        placed_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the hold's number is in the audit line
    work.record("legal-hold.placed", f"legal-hold:{row.id}", patient_id=patient.id)
    return row


@permitted("legal-hold:edit")
def release_hold(work: Work, hold_id: int) -> LegalHold:
    """The hold keeps the record no longer; its years do."""
    row = work.session.get(LegalHold, hold_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("legal hold")
    patient = require_visible(work, row.patient_id)
    if row.released_on is not None:
        raise Conflict("The hold was released already.", code="wrong-state", on=str(row.released_on))
    row.released_on, row.released_by_id = today(work, patient.branch_id), work.actor.user_id
    work.session.flush()  # what is asked next sees it
    work.record("legal-hold.released", f"legal-hold:{row.id}", patient_id=patient.id)
    return row
