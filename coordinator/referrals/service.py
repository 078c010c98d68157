"""The verbs on referrals: received, completed, judged criterion by criterion, and accepted, declined or withdrawn."""

from coordinator.referrals.acceptance import accept, beside_other_programmes
from coordinator.referrals.closing import decline, not_admit, note_admitted, note_initial_visit, withdraw
from coordinator.referrals.determinations import determine, eligibility, suggest_determinations
from coordinator.referrals.intake import edit, receive
from coordinator.referrals.queries import Checklist, checklist, get, search

__all__ = [
    "Checklist", "accept", "beside_other_programmes", "checklist", "decline", "determine", "edit", "eligibility", "get",
    "not_admit", "note_admitted", "note_initial_visit", "receive", "search", "suggest_determinations", "withdraw",
]  # fmt: skip
