"""What a patient or caregiver is given to watch or read: sent when and how, and seen when (S1-V1, CAR-01)."""

from datetime import date

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency import service as agency
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory import education
from coordinator.domain.linkage import WRITES_TO, EducationWay
from coordinator.patients.model import Patient
from coordinator.patients.queries import for_change
from coordinator.teamwork.resource_model import EducationGiven


@permitted("education:assign")
def assign(
    work: Work, patient_id: int, *, item_key: str, caregiver_id: int | None = None, language: str | None = None
) -> EducationGiven:
    """The item is meant for the patient or a caregiver, in their own written language unless another is said.

    Twice for the same person while it has not been seen is once.
    """
    patient = for_change(work, patient_id)
    try:
        item = education.item_by_key(work, item_key)
    except NotFound as missing:
        raise Invalid(missing.detail, pointer="/item_key") from None
    if not item.active:
        raise Invalid("This item is offered no more.", pointer="/item_key")
    spoken = patient.written_language
    if caregiver_id is not None:
        caregiver = next((one for one in patient.caregivers if one.id == caregiver_id), None)
        if caregiver is None:
            raise Invalid("The patient has no such caregiver.", pointer="/caregiver_id")
        spoken = caregiver.language
    same = (
        EducationGiven.caregiver_id.is_(None) if caregiver_id is None else EducationGiven.caregiver_id == caregiver_id
    )
    waiting = work.session.execute(
        sa.select(EducationGiven.id).where(
            EducationGiven.patient_id == patient.id, EducationGiven.item_id == item.id, same,
            EducationGiven.viewed_on.is_(None),
        )
    ).scalar()  # fmt: skip
    if waiting is not None:
        raise Conflict("It is meant for this person already.", code="already-assigned", blocking=[{"given": waiting}])
    row = EducationGiven(
        patient_id=patient.id, caregiver_id=caregiver_id, item_id=item.id, language=language or spoken,
        assigned_at=work.now, assigned_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("education.assigned", f"education:{row.id}", patient_id=patient.id, item=item.key)
    return row


def for_note(work: Work, given_id: int) -> EducationGiven:
    """What was given, if the actor may see its patient, locked after the patient's row."""
    row = work.session.get(EducationGiven, given_id)
    if row is not None:
        require_sight(work, row.patient_id)
        locked(work.session, Patient, row.patient_id, "patient")
    return locked(work.session, EducationGiven, given_id, "education")


@permitted("education:assign")
def mark_sent(work: Work, given_id: int, way: EducationWay, sent_on: date) -> EducationGiven:
    """It was sent or shown on that day. A caregiver who may not be written to is given it on paper."""
    row = for_note(work, given_id)
    patient = locked(work.session, Patient, row.patient_id, "patient")
    _by_today(work, patient, sent_on, "/sent_on")
    if row.sent_on is not None:
        raise Conflict("It was sent already.", code="already-sent")
    caregiver = next((one for one in patient.caregivers if one.id == row.caregiver_id), None)
    if caregiver is not None and caregiver.may_contact is False and way in WRITES_TO:
        raise Conflict(
            "This caregiver does not want to be written to. Print it, or show it on a visit.", code="no-contact"
        )
    row.way, row.sent_on, row.sent_by_id = way, sent_on, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    work.record("education.sent", f"education:{row.id}", patient_id=row.patient_id, way=way.value)
    return row


@permitted("education:assign")
def mark_viewed(work: Work, given_id: int, viewed_on: date) -> EducationGiven:
    """The person has watched or read it, on a day not before it was sent."""
    row = for_note(work, given_id)
    _by_today(work, locked(work.session, Patient, row.patient_id, "patient"), viewed_on, "/viewed_on")
    if row.sent_on is None:
        raise Conflict("Say first when it was sent or shown.", code="not-sent")
    if viewed_on < row.sent_on:
        raise Invalid("It cannot have been seen before it was sent.", pointer="/viewed_on")
    row.viewed_on, row.viewed_noted_by_id = viewed_on, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    work.record("education.viewed", f"education:{row.id}", patient_id=row.patient_id)
    return row


def _by_today(work: Work, patient: Patient, day: date, pointer: str) -> None:
    if day > agency.today(work, patient.branch_id):
        raise Invalid("This day has not come yet.", pointer=pointer)


@permitted("education:read")
def of_patient(work: Work, patient_id: int) -> list[EducationGiven]:
    """What the patient and those who care for them were given, the latest first; the reading is on record."""
    require_sight(work, patient_id)
    work.record("education.listed", f"patient:{patient_id}", patient_id=patient_id)
    rows = work.session.execute(
        sa.select(EducationGiven).where(EducationGiven.patient_id == patient_id).order_by(EducationGiven.id.desc())
    )
    return list(rows.scalars())
