"""What patient and caregivers ask for: on record in their words, on somebody's list, ended with what came of it."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken, TooMany
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CareRequestClosed, CareRequestRaised
from coordinator.domain.family import RequestConcern, RequestOutcome, RequestTopic
from coordinator.family.links import share_finding
from coordinator.family.model import CareRequest, FamilyLink
from coordinator.patients.model import Caregiver, Patient
from coordinator.patients.queries import for_change
from coordinator.patients.scope import require_sight

MOST_WORDS = 1000


@permitted("request:record")
def record(
    work: Work, patient_id: int, *, topic: RequestTopic, words: str, concern: RequestConcern,
    caregiver_id: int | None = None, language: str | None = None,
) -> CareRequest:  # fmt: skip
    """Somebody of the team has written down what the patient, or a caregiver, asks for; it is on a list now."""
    patient = for_change(work, patient_id)
    caregiver = None
    if caregiver_id is not None:
        caregiver = next((one for one in patient.caregivers if one.id == caregiver_id), None)
        if caregiver is None:
            raise Invalid("The patient has no such caregiver.", pointer="/caregiver_id")
    spoken = language or (caregiver.language if caregiver is not None else patient.spoken_language)
    return _raise(work, patient, caregiver_id, None, topic, words, concern, spoken)


@permitted("family:ask")
def ask(work: Work, link: FamilyLink, *, topic: RequestTopic, words: str, concern: RequestConcern) -> CareRequest:
    """The holder of the link asks; so many a day. TooMany beyond."""
    since = work.now - timedelta(days=1)
    asked = work.session.execute(
        sa.select(sa.func.count(CareRequest.id)).where(CareRequest.link_id == link.id, CareRequest.raised_at > since)
    ).scalar_one()
    if asked >= work.policy.family.requests_a_day:
        raise TooMany("Several requests came by this link today. Call the office.", retry_after=3600)
    patient = fetch(work.session, Patient, link.patient_id, "patient")
    return _raise(work, patient, link.caregiver_id, link.id, topic, words, concern, link.language.value)


def _raise(
    work: Work, patient: Patient, caregiver_id: int | None, link_id: int | None, topic: RequestTopic, words: str,
    concern: RequestConcern, language: str,
) -> CareRequest:  # fmt: skip
    if not 0 < len(words.strip()) <= MOST_WORDS:
        raise Invalid(f"Say in at most {MOST_WORDS} characters what is asked for.", pointer="/words")
    if caregiver_id is None and concern is RequestConcern.CARED_FOR:
        raise Invalid("The patient asks for the patient: name the caregiver who asks.", pointer="/concern")
    row = CareRequest(
        branch_id=patient.branch_id, patient_id=patient.id, caregiver_id=caregiver_id, link_id=link_id,
        concern=concern, topic=topic, words=words.strip(), language=language, raised_by=work.actor.user_id,
        raised_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the trail and on the list
    work.record("care-request.raised", f"care-request:{row.id}", patient_id=patient.id, topic=topic.value)
    work.publish(CareRequestRaised(request_id=row.id, patient_id=patient.id, topic=topic.value))
    return row


def request_for_change(work: Work, request_id: int) -> CareRequest:
    """The request, if the actor may see its patient, locked."""
    row = work.session.get(CareRequest, request_id)
    if row is None:
        raise NotFound("request")
    require_sight(work, row.patient_id)
    return locked(work.session, CareRequest, request_id, "request")


@permitted("request:answer")
def close(
    work: Work, request_id: int, outcome: RequestOutcome, *, note: str | None = None, shared: bool = False
) -> CareRequest:
    """That came of it. `shared`: something about the patient was said to whoever asked.

    RuleBroken (CAR-01) where a caregiver was told something without the patient's consent.
    """
    row = request_for_change(work, request_id)
    if row.closed_at is not None:
        raise Conflict("This request has been answered.", code="request-closed")
    if outcome is not RequestOutcome.DONE and not (note or "").strip():
        raise Invalid("Say what came of it.", pointer="/note")
    if shared and row.caregiver_id is not None:
        refused = share_finding(
            work, work.session.get_one(Patient, row.patient_id), work.session.get_one(Caregiver, row.caregiver_id)
        )
        if refused is not None:
            raise RuleBroken((refused,))
    row.outcome, row.outcome_note, row.shared = outcome, note, shared
    row.closed_by, row.closed_at = work.actor.user_id, work.now
    work.session.flush()  # the new version is in the answer
    work.record(
        "care-request.closed", f"care-request:{row.id}", patient_id=row.patient_id, came_of=outcome.value, shared=shared
    )  # fmt: skip
    work.publish(CareRequestClosed(request_id=row.id, patient_id=row.patient_id))
    return row


@permitted("request:read")
def get(work: Work, request_id: int) -> CareRequest:
    """One request; the reading is on record."""
    row = work.session.get(CareRequest, request_id)
    if row is None:
        raise NotFound("request")
    require_sight(work, row.patient_id)
    work.record("care-request.read", f"care-request:{row.id}", patient_id=row.patient_id)
    return row


@permitted("request:read")
def search(work: Work, patient_id: int, *, waiting: bool = False) -> sa.Select[Any]:
    """What was asked for the patient, as a select for `page`."""
    require_sight(work, patient_id)
    query = sa.select(CareRequest).where(CareRequest.patient_id == patient_id)
    if waiting:
        query = query.where(CareRequest.closed_at.is_(None))
    work.record("care-request.listed", f"patient:{patient_id}", patient_id=patient_id)
    return query
