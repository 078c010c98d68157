"""Treatments given to manage a symptom: under a live order that names them, scored before and after (K-N3, ORD-01)."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care import shelf
from coordinator.care.asking import raise_tasks
from coordinator.care.assessments import CLOCK_SKEW, LATEST_ENTRY
from coordinator.care.response_model import SymptomTreatment
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.care import InstrumentCode
from coordinator.domain.events import CareTaskSettled
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DISCIPLINE_OF, Performer
from coordinator.orders.facts import order_facts
from coordinator.orders.model import Order
from coordinator.patients.queries import for_change
from coordinator.patients.scope import require_sight
from coordinator.rules.instruments import ask_after_score
from coordinator.rules.orders import ask_treatment_order
from coordinator.visits.queries import the_visit

#: Of what kind a visit's activity is that this room records (programme page, skilled nursing).
ACTIVITY = "administer_treatment"


def symptoms() -> frozenset[str]:
    """Codes of the symptoms that are scored before and after."""
    return frozenset(item.code for item in shelf.instruments()[InstrumentCode.ESAS_R].items if item.is_number)


@permitted("treatment:give")
def give(
    work: Work, patient_id: int, *, order_id: int, treatment: str, symptom: str, score_before: int,
    given_at: datetime | None = None, visit_id: int | None = None,
) -> SymptomTreatment:  # fmt: skip
    """The treatment was given; the score after is owed within the policy's minutes, and asked for by the book.

    RuleBroken (ORD-01) without an order of the patient that holds on that day and names the treatment.
    """
    patient = for_change(work, patient_id)
    _check_score(symptom, score_before, "/score_before")
    at = given_at or work.now
    if not work.now - LATEST_ENTRY <= at <= work.now + CLOCK_SKEW:
        raise Invalid("A treatment is entered within 30 days, and not before it is given.", pointer="/given_at")
    if visit_id is not None and the_visit(work, visit_id).patient_id != patient.id:
        raise Invalid("This visit is another patient's.", pointer="/visit_id")
    zone = agency.zone_of(work, patient.branch_id)
    order = work.session.get(Order, order_id)
    mine = order if order is not None and order.patient_id == patient.id else None
    refused = ask_treatment_order(
        None if mine is None else order_facts(mine, None), [] if mine is None else mine.treatments, treatment,
        DISCIPLINE_OF[Performer(work.actor.performer or Performer.RN)], local_day(at, zone),
    )  # fmt: skip
    if refused is not None:
        raise RuleBroken((refused,))
    row = SymptomTreatment(
        patient_id=patient.id, visit_id=visit_id, order_id=order_id, treatment=treatment, symptom=symptom, given_at=at,
        given_by=work.actor.clinician_id, score_before=score_before,
        score_due_at=at + timedelta(minutes=work.policy.on(local_day(at, zone)).instruments.after_treatment_minutes),
        recorded_by=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the trail, and in what is asked of others
    work.record(
        "treatment.given", f"symptom-treatment:{row.id}", patient_id=patient.id, order=order_id, activity=ACTIVITY
    )  # fmt: skip
    raise_tasks(
        work, patient.id, f"symptom-treatment:{row.id}",
        [ask_after_score(symptom, at.astimezone(zone), work.policy)],
    )  # fmt: skip
    return row


def _check_score(symptom: str, score: int, pointer: str) -> None:
    if symptom not in symptoms():
        raise Invalid(f"This must be one of: {', '.join(sorted(symptoms()))}.", pointer="/symptom")
    if not 0 <= score <= 10:
        raise Invalid("A symptom is rated from 0 to 10.", pointer=pointer)


def treatment_for_change(work: Work, treatment_id: int) -> SymptomTreatment:
    """The treatment, if the actor may see its patient, locked."""
    row = work.session.get(SymptomTreatment, treatment_id)
    if row is not None:
        require_sight(work, row.patient_id)
    return locked(work.session, SymptomTreatment, treatment_id, "treatment")


@permitted("treatment:give")
def score_after(
    work: Work, treatment_id: int, score: int, *, scored_at: datetime | None = None
) -> SymptomTreatment:  # fmt: skip
    """The symptom was rated after the treatment, once; it is owed no more."""
    row = treatment_for_change(work, treatment_id)
    if row.score_after is not None:
        raise Conflict("The score after this treatment is on record.", code="scored")
    _check_score(row.symptom, score, "/score")
    at = scored_at or work.now
    if not row.given_at <= at <= work.now + CLOCK_SKEW:
        raise Invalid("It is rated after the treatment, and not in the future.", pointer="/scored_at")
    row.score_after, row.scored_at = score, at
    work.session.flush()  # the new version is in the answer
    work.record("treatment.scored", f"symptom-treatment:{row.id}", patient_id=row.patient_id)
    work.publish(
        CareTaskSettled(
            patient_id=row.patient_id, rule="INS-02", reason="rated again", subject=f"symptom-treatment:{row.id}"
        )
    )  # fmt: skip
    return row


@permitted("assessment:read")
def get(work: Work, treatment_id: int) -> SymptomTreatment:
    """One treatment; the reading is on record."""
    row = work.session.get(SymptomTreatment, treatment_id)
    if row is None:
        raise NotFound("treatment")
    _require_reader(work, row.patient_id)
    work.record("treatment.read", f"symptom-treatment:{row.id}", patient_id=row.patient_id)
    return row


@permitted("assessment:read")
def search(work: Work, patient_id: int) -> sa.Select[Any]:
    """The patient's treatments with their scores, as a select for `page`."""
    _require_reader(work, patient_id)
    work.record("treatment.listed", f"patient:{patient_id}", patient_id=patient_id)
    return sa.select(SymptomTreatment).where(SymptomTreatment.patient_id == patient_id)


def _require_reader(work: Work, patient_id: int) -> None:
    require_sight(work, patient_id)
    shelf.require_reader(work, shelf.instruments()[InstrumentCode.ESAS_R])
