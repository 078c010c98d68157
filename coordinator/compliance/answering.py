"""Who hears of what may hold or release a bill; called by `wiring`, in the transaction of what happened."""

from coordinator.compliance import holds
from coordinator.core.work import Work
from coordinator.domain import events
from coordinator.episodes import reading
from coordinator.orders.model import Order
from coordinator.patients.model import Episode, Patient
from coordinator.rules.terms import Severity
from coordinator.visits.model import Visit

AboutVisit = (
    events.VisitCompleted
    | events.VisitCorrected
    | events.VisitMissed
    | events.MissedVisitDecided
    | events.NoteSigned
    | events.BillReleased
)
#: Rules of which `CertificationAsked` tells everything that holds.
CERTIFYING = frozenset({"F2F-01", "F2F-02", "CERT-01", "CERT-02", "CERT-06"})
AboutOrder = events.OrderSigned | events.OrderActivated | events.OrderDeclined | events.OrderEnded
AboutPatient = events.EpisodeHeld | events.AuthorisationChanged


def _because(event: object) -> str:
    """The event's name as a code: VisitCompleted is `visit-completed`."""
    name = type(event).__name__
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def on_visit(work: Work, event: AboutVisit) -> None:
    """What was given is asked about again: this visit, and what depended on it (EVV-01, QUAL-02, THX-01)."""
    visit = work.session.get_one(Visit, event.visit_id)
    holds.reask(work, [visit.patient_id], _because(event))


def on_order(work: Work, event: AboutOrder) -> None:
    """A signature releases what an unsigned order held; an end may leave visits without the service they hang on."""
    order = work.session.get_one(Order, event.order_id)
    holds.reask(work, [order.patient_id], _because(event))


def on_patient(work: Work, event: AboutPatient) -> None:
    """What changed for the patient may hold or release what was given."""
    holds.reask(work, [event.patient_id], _because(event))


def on_certification(work: Work, event: events.CertificationAsked) -> None:
    """The certification of a period was asked anew: these rules hold its bill, and no others of them do."""
    episode = work.session.get_one(Episode, event.episode_id)
    branch_id = work.session.get_one(Patient, event.patient_id).branch_id
    said = reading.findings_of(work, episode, event.number)
    findings = [one for one in said if one.severity is Severity.HOLD_BILL and one.rule in event.holds]
    rules = CERTIFYING.union(event.holds)
    holds.hold_period(work, episode, branch_id, event.number, findings, rules, _because(event))
