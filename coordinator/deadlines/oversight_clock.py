"""What a person's word ends: a concern looked into, a practitioner told, a schedule given (SUP-02, VIS-01, VIS-05).

Whom an aide's year, the half-year with a patient and the thirty days of an assistant ask for is in the table.
"""

import sqlalchemy as sa

from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import AideObserved, MissedVisitTold, WrittenScheduleGiven
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus
from coordinator.visits.oversight_model import AideConcern

CONCERN = "SUP-02"


def on_aide_observed(work: Work, event: AideObserved) -> None:
    """The concern is looked into."""
    if event.concern_id is None:
        return
    concern = fetch(work.session, AideConcern, event.concern_id, "concern")
    if concern.supervision_id is not None:
        for row in open_rows(work, subject=f"supervision:{concern.supervision_id}", rules=(CONCERN,)):
            end(work, row, "observed", by=ClosedBy.PERSON)  # a person's word: the sweep does not ask again


def on_missed_told(work: Work, event: MissedVisitTold) -> None:
    """The practitioner was told; where they decide as well, the decision closes it."""
    if event.told != "practitioner":
        return
    for row in open_rows(work, subject=f"visit:{event.visit_id}", rules=("VIS-01",)):
        if row.facts.get("task") == "tell-practitioner":
            end(work, row, "told")


def on_schedule_given(work: Work, event: WrittenScheduleGiven) -> None:
    """The patient has the new schedule, whichever orders changed it."""
    query = sa.select(Deadline).where(
        Deadline.patient_id == event.patient_id, Deadline.status == DeadlineStatus.OPEN, Deadline.rule == "VIS-05"
    )
    for row in work.session.scalars(query.order_by(Deadline.id).with_for_update()).all():
        end(work, row, "given", by=ClosedBy.PERSON)  # a person's word: the sweep does not ask again
