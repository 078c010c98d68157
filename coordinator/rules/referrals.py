"""Referrals: what must be in them, by when the first visit is due, and how they end (REF-01 to REF-03)."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from coordinator.rules.facts import ReferralClosing, ReferralFacts
from coordinator.rules.terms import Finding, Policy


@dataclass(frozen=True, slots=True)
class InitialVisitDue:
    """By when the initial visit must be held (REF-02). `due_at` is aware UTC, `None` while discharge is unknown.

    `on_day`: the visit must be on exactly that local day. `warn_at`: from then on warn while no visit is booked.
    """

    due_at: datetime | None
    on_day: date | None = None
    warn_at: datetime | None = None


def missing_content(referral: ReferralFacts) -> tuple[str, ...]:
    """The names of what a complete referral still lacks (REF-01), in the order of the form; empty when complete."""
    raise NotImplementedError


def ask_content(referral: ReferralFacts, today: date) -> Finding | None:
    """A task for intake, due the same day, while the referral is incomplete."""
    raise NotImplementedError


def initial_visit_due(referral: ReferralFacts, zone: ZoneInfo, policy: Policy) -> InitialVisitDue:
    """By when the initial visit is due; ValueError when the referral has not been received."""
    raise NotImplementedError


def ask_initial_visit(
    referral: ReferralFacts, visit_at: datetime | None, now: datetime, zone: ZoneInfo, policy: Policy
) -> Finding | None:
    """What is to be said at `now` of an initial visit at `visit_at` (aware; `None`: not booked)."""
    raise NotImplementedError


def ask_close(closing: ReferralClosing) -> tuple[Finding, ...]:
    """Why a referral may not be declined or closed without admission yet."""
    raise NotImplementedError
