"""What a team conference decides: orders that wait for their signature, tasks, and deadlines."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care import conferences
from coordinator.care.asking import raise_task
from coordinator.care.response_model import ConferenceDecision
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.care import ConferenceStatus, DecisionKind
from coordinator.domain.events import ConferenceDecided
from coordinator.domain.teamwork import Desk
from coordinator.orders import service as orders
from coordinator.patients.model import Patient

MOST_DECISIONS = 60


@permitted("conference:record")
def decide(
    work: Work, conference_id: int, *, kind: DecisionKind, words: str, owner: Desk | None = None,
    due_on: date | None = None, order: Mapping[str, Any] | None = None,
) -> ConferenceDecision:  # fmt: skip
    """The decision is in the minutes of the open conference, and is an order, a task or a deadline from now on.

    An order is drafted for the managing physician, unless `order` names another, and sent for signature by whoever may
    send; the room signs it there and then. A task or deadline has an owner and a day.
    """
    row = conferences.conference_for_change(work, conference_id)
    if row.status is not ConferenceStatus.OPEN:
        raise Conflict("This conference is closed: what it says stands.", code="conference-closed")
    if len(of_conference(work, row.id)) >= MOST_DECISIONS:
        raise Invalid(f"A conference has at most {MOST_DECISIONS} decisions.", pointer="/kind")
    patient = work.session.get_one(Patient, row.patient_id)
    if (kind is DecisionKind.ORDER) != (order is not None):
        raise Invalid("A decision for an order says which, and no other does.", pointer="/order")
    if kind is not DecisionKind.ORDER:
        if owner is None:
            raise Invalid("Say who carries it out.", pointer="/owner")
        if due_on is None or due_on < agency.today(work, patient.branch_id):
            raise Invalid("Say by which day, from today on.", pointer="/due_on")
    made = ConferenceDecision(
        conference_id=row.id, kind=kind, words=words, owner=owner, due_on=due_on, made_by=work.actor.user_id,
        made_at=work.now,
    )  # fmt: skip
    if order is not None:
        made.order_id = _order(work, patient, order)
    work.session.add(made)
    work.session.flush()  # its number is in the trail and on the list
    work.record(
        "conference.decided", f"conference:{row.id}", patient_id=patient.id, kind=kind.value, order=made.order_id
    )  # fmt: skip
    if kind is DecisionKind.TASK:
        work.publish(ConferenceDecided(decision_id=made.id, patient_id=patient.id))
    elif kind is DecisionKind.DEADLINE and owner is not None and due_on is not None:
        raise_task(
            work, patient.id, rule="IDT-02", about=f"conference-decision:{made.id}", task="conference-decision",
            due_on=due_on, owner=_OWNER.get(owner, owner.value),
        )  # fmt: skip
    return made


#: The book's roles for desks that it knows by other names.
_OWNER = {
    Desk.NURSE: "case_manager", Desk.THERAPIST: "therapist", Desk.AIDE: "case_manager",
    Desk.PHYSICIAN: "managing_physician",
}  # fmt: skip


def _order(work: Work, patient: Patient, given: Mapping[str, Any]) -> int:
    physician_id = given.get("physician_id") or patient.managing_physician_id
    if physician_id is None:
        raise Invalid("The patient has no managing physician: name who signs.", pointer="/order/physician_id")
    drafted = orders.draft(work, patient_id=patient.id, **{**given, "physician_id": physician_id})
    if work.actor.may("order:send"):
        orders.send(work, drafted.id)
    return drafted.id


def of_conference(work: Work, conference_id: int) -> list[ConferenceDecision]:
    """What the conference decided, in order. Asked by other verbs of this room."""
    query = sa.select(ConferenceDecision).where(ConferenceDecision.conference_id == conference_id)
    return list(work.session.execute(query.order_by(ConferenceDecision.id)).scalars())


@permitted("conference:read")
def decisions(work: Work, conference_id: int) -> list[ConferenceDecision]:
    """What the conference decided; the reading is on record."""
    return of_conference(work, conferences.get(work, conference_id).id)
