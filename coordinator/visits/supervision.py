"""Supervision of aides: who did it, how, and when it counts (SUP-01)."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AideSupervised
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import certification_period, certification_period_of
from coordinator.domain.vocabulary import Discipline, Performer, Role
from coordinator.orders.model import Order
from coordinator.patients.model import Episode, Patient
from coordinator.patients.scope import require_sight
from coordinator.rules.aides import ask_supervisor
from coordinator.staff.model import Clinician
from coordinator.visits import placing, queries, watching
from coordinator.visits.asking import refusal
from coordinator.visits.model import Supervision

#: How a supervision may be made; by telephone alone never counts, and is refused with the rule's own words.
METHODS = ("on_site", "virtual", "telephone")


@permitted("supervision:record")
def record(
    work: Work,
    patient_id: int,
    *,
    supervised_on: date,
    method: str = "on_site",
    aide_id: int | None = None,
    supervisor_id: int | None = None,
    virtual_reason: str | None = None,
    visit_id: int | None = None,
    concern: bool = False,
    concern_tasks: Sequence[str] = (),
) -> Supervision:
    """The aide's care of this patient was supervised on that day; the fourteen days begin anew.

    The supervisor is whoever records it, unless the clinical manager names somebody. At most one virtual supervision in
    a certification period, with the unplanned reason for it. A concern that names the aide keeps the tasks in question
    (all, if none is named) from that aide until somebody has watched them on site (SUP-02).
    """
    branch_id = require_sight(work, patient_id)
    queries.lock_people(work, [], [patient_id])  # one virtual supervision a period: count while others wait
    supervisor = _supervisor(work, supervisor_id, branch_id)
    if method not in METHODS:
        raise Invalid(f"A supervision is one of: {', '.join(METHODS)}.", pointer="/method")
    today = agency.today(work, branch_id)
    if supervised_on > today:
        raise Invalid("That day is still to come.", pointer="/supervised_on")
    if method == "virtual" and not (virtual_reason or "").strip():
        raise Invalid("Say why it could not be in the home.", pointer="/virtual_reason")
    aide = None
    if aide_id is not None:
        aide = queries.the_clinician(work, aide_id, branch_id)
        if aide.performer is not Performer.CHHA:
            raise Invalid("That clinician is not an aide.", pointer="/aide_id")
    _check_visit(work, visit_id, patient_id, supervisor)
    findings = ask_supervisor(
        supervisor.performer,
        work.policy.on(supervised_on),
        nursing_active=_nursing_active(work, patient_id),
        virtual=method == "virtual",
        audio_only=method == "telephone",
        virtual_in_period=_virtual_in_period(work, patient_id, supervised_on),
    )
    if any(finding.refuses for finding in findings):
        raise refusal(findings)
    row = Supervision(
        patient_id=patient_id,
        aide_id=aide_id,
        supervisor_id=supervisor.id,
        supervised_on=supervised_on,
        method=method,
        virtual_reason=virtual_reason,
        visit_id=visit_id,
        concern=concern,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # the number is in the answer and in the trail
    work.record("supervision.recorded", f"supervision:{row.id}", patient_id=patient_id, method=method, concern=concern)
    if concern and aide is not None:
        watching.note_concern(work, patient_id, aide, supervisor, supervised_on, concern_tasks, row.id)
    work.publish(AideSupervised(patient_id=patient_id, supervised_on=supervised_on))
    return row


def _supervisor(work: Work, supervisor_id: int | None, branch_id: int) -> Clinician:
    number = supervisor_id or work.actor.clinician_id
    if number is None:
        raise Invalid("Say who supervised.", pointer="/supervisor_id")
    if number != work.actor.clinician_id and not work.actor.has_role(Role.CLINICAL_MANAGER):
        raise Forbidden("A supervision is recorded by whoever made it, or by the clinical manager.")
    return queries.the_clinician(work, number, branch_id)


def _check_visit(work: Work, visit_id: int | None, patient_id: int, supervisor: Clinician) -> None:
    if visit_id is None:
        return
    visit = queries.the_visit(work, visit_id)
    if visit.patient_id != patient_id:
        raise NotFound("visit")
    if visit.clinician_id != supervisor.id:
        raise Conflict("The supervisor did not make that visit.", code="not-the-supervisors-visit")
    if visit.actual_start_at is None:
        raise placing.not_in_state(visit, "named as the supervisory one before it has begun")


def _nursing_active(work: Work, patient_id: int) -> bool:
    found = work.session.scalar(
        sa.select(Order.id)
        .where(Order.patient_id == patient_id, Order.discipline == Discipline.SN, Order.status.in_(LIVE_ORDER))
        .limit(1)
    )
    return found is not None


def _virtual_in_period(work: Work, patient_id: int, day: date) -> int:
    """Virtual supervisions in the certification period that holds `day`; before start of care, all there are."""
    patient = work.session.get_one(Patient, patient_id)
    begun: list[Episode] = [row for row in patient.episodes if row.soc_date is not None and row.soc_date <= day]
    query = (
        sa.select(sa.func.count())
        .select_from(Supervision)
        .where(Supervision.patient_id == patient_id, Supervision.method == "virtual")
    )
    if begun and (soc := begun[-1].soc_date) is not None:
        period = certification_period(soc, certification_period_of(soc, day))
        query = query.where(Supervision.supervised_on >= period.first, Supervision.supervised_on <= period.last)
    return work.session.scalar(query) or 0


@permitted("visit:read")
def of_patient(work: Work, patient_id: int) -> list[Supervision]:
    """The patient's supervisions, newest first, for whoever may see the patient."""
    require_sight(work, patient_id)
    work.record("supervision.read", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(Supervision).where(Supervision.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(Supervision.supervised_on.desc(), Supervision.id.desc())))
