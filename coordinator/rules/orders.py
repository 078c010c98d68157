"""Orders: what must be in them, who may give and sign them, and by when (ORD-01 to ORD-09)."""

from dataclasses import dataclass
from datetime import date

from coordinator.rules.facts import ActivationFacts, SigningFacts
from coordinator.rules.terms import Finding, Policy


@dataclass(frozen=True, slots=True)
class CountersignatureDue:
    """When a verbal order must be signed, and when to remind of it (ORD-06)."""

    due_on: date
    reminders: tuple[date, ...]


def ask_activation(order: ActivationFacts, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about making the order live; any that `refuses` keeps it from becoming so."""
    raise NotImplementedError


def ask_signing(signing: SigningFacts, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about this person signing this order now."""
    raise NotImplementedError


def countersignature_due(taken_on: date, policy: Policy) -> CountersignatureDue:
    """When an order taken verbally on `taken_on` (local day) must be signed by its practitioner."""
    raise NotImplementedError
