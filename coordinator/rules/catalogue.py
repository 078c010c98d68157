"""Every rule of the book that the product asks, by id: importing this module fills the register."""

from types import ModuleType

from coordinator.rules import (
    advance_care,
    aides,
    alerts,
    assessments,
    certification,
    conference,
    discharge,
    eligibility,
    evv,
    frequencies,
    instruments,
    intermittent,
    labour,
    language,
    missed,
    notes,
    orders,
    palliative,
    payment,
    programmes,
    qualifying,
    referrals,
    security,
    staffing,
    supervision,
    therapy,
    visit,
    workday,
)
from coordinator.rules.terms import RULES, Rule, Severity, Verification

__all__ = ["FAMILIES", "RULES", "Rule", "Severity", "Verification", "by_family"]

#: The modules that hold rules, in the order of the book.
FAMILIES: tuple[ModuleType, ...] = (
    referrals, eligibility, programmes, certification, assessments, discharge, orders, frequencies, intermittent, aides,
    supervision, therapy, qualifying, missed, notes, alerts, evv, conference, instruments, advance_care, palliative,
    language, staffing, labour, payment, workday, security, visit,
)  # fmt: skip


def by_family() -> dict[str, list[Rule]]:
    """The rules under their families, both in the order in which they were registered."""
    families: dict[str, list[Rule]] = {}
    for known in RULES.values():
        families.setdefault(known.family, []).append(known)
    return families
