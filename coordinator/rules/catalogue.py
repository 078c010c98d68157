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
    suggestions,
    supervision,
    therapy,
    visit,
    workday,
)
from coordinator.rules.terms import RULES, Rule, Severity, Verification

__all__ = ["FAMILIES", "RULES", "Rule", "Severity", "Verification", "by_family", "in_order"]

#: The modules that hold rules, in the order of the book.
FAMILIES: tuple[ModuleType, ...] = (
    referrals, eligibility, programmes, certification, assessments, discharge, orders, frequencies, intermittent, aides,
    supervision, therapy, qualifying, missed, notes, alerts, evv, conference, instruments, advance_care, palliative,
    language, suggestions, staffing, labour, payment, workday, security, visit,
)  # fmt: skip


def in_order() -> list[Rule]:
    """Every rule in the order of the book, whoever was imported first."""
    place = {module.__name__: number for number, module in enumerate(FAMILIES)}
    homes = {known.id: known.functions[0].rpartition(".")[0] for known in RULES.values()}
    # What other rooms keep stands with the rest of its family.
    families = {known.family: place[homes[known.id]] for known in RULES.values() if homes[known.id] in place}
    return sorted(RULES.values(), key=lambda known: place.get(homes[known.id], families.get(known.family, len(place))))


def by_family() -> dict[str, list[Rule]]:
    """The rules under their families, both in the order of the book."""
    families: dict[str, list[Rule]] = {}
    for known in in_order():
        families.setdefault(known.family, []).append(known)
    return families
