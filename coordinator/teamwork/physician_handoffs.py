"""The card between physicians: who directed the care tells who directs it now. It is read, and then used.

There is one live card of a patient at most. What nobody has read yet goes to whoever directs the care in the end.
"""

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import ManagingPhysicianChanged, PatientDischarged
from coordinator.domain.handoffs import LIVE_HANDOFF, HandoffCause, HandoffStatus
from coordinator.domain.teamwork import TaskKind
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.patients.model import Episode, Patient
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.handoffs import ask, withdraw


def on_managing_physician_changed(work: Work, event: ManagingPhysicianChanged) -> None:
    """Whoever directs the care now has a card from who directed it, by the end of the day; of a patient in care."""
    giver, receiver = event.old_physician_id, event.physician_id
    card = _live(work, event.patient_id)
    if card is not None:
        giver = card.from_physician_id  # whoever came between has read nothing, and has nothing to tell
        withdraw(work, card)
    if giver is None or receiver is None or giver == receiver or not _in_care(work, event.patient_id):
        return
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    zone = agency.zone_of(work, patient.branch_id)
    made = Handoff(
        branch_id=patient.branch_id, patient_id=patient.id, cause=HandoffCause.PHYSICIAN_CHANGED,
        status=HandoffStatus.DRAFT, from_physician_id=giver, to_physician_id=receiver,
        due_at=day_bounds(local_day(work.now, zone), zone)[1], opened_at=work.now, turn=0,
    )  # fmt: skip
    work.session.add(made)
    work.session.flush()  # the card's number is in its task and in the trail
    work.record(
        "handoff.opened", f"handoff:{made.id}", patient_id=patient.id, cause=made.cause.value, giver=giver,
        receiver=receiver, between="physicians",
    )  # fmt: skip
    ask(work, made, TaskKind.WRITE_HANDOFF)


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """Where care has ended, nobody has to be told how to go on."""
    card = _live(work, event.patient_id)
    if card is not None and not _in_care(work, event.patient_id):
        withdraw(work, card)


def _live(work: Work, patient_id: int) -> Handoff | None:
    work.session.flush()  # what has just changed is read back
    return work.session.execute(
        sa.select(Handoff)
        .where(
            Handoff.patient_id == patient_id,
            Handoff.to_physician_id.is_not(None),
            Handoff.status.in_(sorted(LIVE_HANDOFF)),
        )
        .with_for_update()
    ).scalar()


def _in_care(work: Work, patient_id: int) -> bool:
    query = sa.select(Episode.id).where(Episode.patient_id == patient_id, Episode.discharged_on.is_(None)).limit(1)
    return work.session.execute(query).scalar() is not None
