"""Every table in one metadata: what migrations compare with, and nothing else imports."""

from coordinator.access import model as _access
from coordinator.agency import model as _agency
from coordinator.care import model as _care
from coordinator.care import response_model as _responses
from coordinator.compliance import model as _compliance
from coordinator.core import audit as _audit
from coordinator.core import http as _http
from coordinator.core.db import Base
from coordinator.deadlines import model as _deadlines
from coordinator.directory import model as _directory
from coordinator.episodes import model as _episodes
from coordinator.family import model as _family
from coordinator.fhir import model as _fhir
from coordinator.jobs import model as _jobs
from coordinator.notify import hook_model as _hooks
from coordinator.notify import mail_model as _mail
from coordinator.notify import model as _notify
from coordinator.orders import model as _orders
from coordinator.patients import enrolment_model as _enrolments
from coordinator.patients import model as _patients
from coordinator.planning import model as _planning
from coordinator.planning import promise_model as _promises
from coordinator.planning import what_if_model as _what_if
from coordinator.planning.repairs import model as _repairs
from coordinator.privacy import model as _privacy
from coordinator.referrals import model as _referrals
from coordinator.staff import model as _staff
from coordinator.teams import model as _teams
from coordinator.teamwork import handoff_model as _handoffs
from coordinator.teamwork import model as _teamwork
from coordinator.teamwork import notes_model as _notes
from coordinator.teamwork import resource_model as _linkage
from coordinator.travel import model as _travel
from coordinator.visits import duty_model as _duties
from coordinator.visits import hold_model as _holds
from coordinator.visits import model as _visits
from coordinator.visits import oversight_model as _oversight
from coordinator.visits import payment_model as _payment

metadata = Base.metadata

__all__ = ["metadata"]

_ROOMS = (
    _access, _agency, _audit, _care, _compliance, _deadlines, _directory, _duties, _enrolments, _episodes, _family,
    _fhir, _handoffs, _holds, _hooks, _http, _jobs, _linkage, _mail, _notes, _notify, _orders, _oversight, _patients,
    _payment, _planning, _privacy, _promises, _referrals, _repairs, _responses, _staff, _teams, _teamwork, _travel,
    _visits, _what_if,
)  # fmt: skip
