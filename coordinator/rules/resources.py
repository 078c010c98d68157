"""Where else to turn: which organisations of the directory are open to somebody (REF-03; programme page S1-S3, S1-C0).

Nothing here knows a person's race or ethnicity: the communities that an organisation knows best are a hint on its page
and no field of these facts (CUL-01).
"""

from collections.abc import Sequence
from dataclasses import dataclass

MEDICAL, COMMUNITY = "medical_provider", "community_support"
MEMBERS, VETERANS = "kaiser_members_with_serious_illness", "veterans_va"


@dataclass(frozen=True, slots=True)
class Offer:
    """An organisation, as far as it matters to whom it is open."""

    key: str
    kind: str
    population: frozenset[str]
    health_system: str | None = None
    counties: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    comes_home: bool = False


@dataclass(frozen=True, slots=True)
class Seeker:
    """Who looks for help, as far as it matters. None: not known, which closes no door that stands open to others."""

    is_kp_member: bool | None = None
    is_veteran: bool | None = None
    has_physician: bool | None = None
    health_system: str | None = None
    county: str | None = None


def why_closed(offer: Offer, seeker: Seeker) -> str | None:
    """Why the organisation is not for this person, as a code; None: it may be.

    Members only, veterans only: being one must be known. A provider of another health system than the patient's own
    (S1-S3), or one with nobody to refer to it, is closed. Counties count where both sides state one.
    """
    if offer.counties and seeker.county is not None and seeker.county.casefold() not in _folded(offer.counties):
        return "other_county"
    if offer.kind != MEDICAL:
        return None
    if MEMBERS in offer.population:
        return None if seeker.is_kp_member else "members_only"
    if VETERANS in offer.population:
        return None if seeker.is_veteran else "veterans_only"
    if not seeker.has_physician:
        return "needs_physician"
    if seeker.health_system is not None and seeker.health_system != (offer.health_system or offer.key):
        return "other_health_system"
    return None


def _folded(names: frozenset[str]) -> set[str]:
    return {name.casefold() for name in names}


def to_ask(offer: Offer, seeker: Seeker) -> tuple[str, ...]:
    """What is still to be asked before this person is sent there, as names of facts."""
    asked = []
    if offer.counties and seeker.county is None:
        asked.append("county")
    if offer.kind == MEDICAL and MEMBERS not in offer.population and VETERANS not in offer.population:
        asked += ["health_system"] if seeker.health_system is None else []
    return tuple(asked)


def unknown(seeker: Seeker) -> tuple[str, ...]:
    """What is not known of the person and might open another door."""
    return tuple(
        name
        for name in ("is_kp_member", "is_veteran", "has_physician", "health_system", "county")
        if getattr(seeker, name) is None
    )


def in_order(offers: Sequence[Offer], needs: frozenset[str]) -> list[Offer]:
    """Providers first, of those the ones that come home; then whoever meets most needs; then by key."""
    return sorted(
        offers,
        key=lambda offer: (
            offer.kind != MEDICAL,
            not (offer.kind == MEDICAL and offer.comes_home),
            -len(needs & (offer.services | offer.topics)),
            offer.key,
        ),
    )
