"""Running late: said once with a tap, so that the office tells the family before they wonder."""

from coordinator.core.errors import Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ClinicianLate
from coordinator.domain.vocabulary import VisitStatus
from coordinator.visits import placing, queries
from coordinator.visits.model import Visit

#: Minutes that may be said. Whoever comes later than this does not come at that hour: the office moves the visit.
LEAST, MOST = 5, 240
_STILL_TO_COME = frozenset({VisitStatus.BOOKED, VisitStatus.EN_ROUTE})


@permitted("visit:perform")
def running_late(work: Work, visit_id: int, minutes: int) -> Visit:
    """The clinician comes about so many minutes after the visit's hour; its hour stays what was promised."""
    if work.actor.clinician_id is None:
        raise Forbidden("Only somebody who makes visits can do this.", code="not-a-clinician")
    visit = queries.claim(work, visit_id)
    if visit.clinician_id != work.actor.clinician_id:
        raise NotFound("visit")
    if visit.status not in _STILL_TO_COME:
        raise placing.not_in_state(visit, "late")
    if not LEAST <= minutes <= MOST:
        raise Invalid(f"Say how late, from {LEAST} to {MOST} minutes.", pointer="/minutes")
    work.record("visit.running-late", f"visit:{visit.id}", patient_id=visit.patient_id, minutes=minutes)
    work.publish(ClinicianLate(visit_id=visit.id, minutes=minutes))
    return visit
