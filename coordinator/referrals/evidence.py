"""What the facts of a determination answer by themselves (ELG-2 to ELG-8, HB-01): the result may not contradict them.

Facts are checked to the letter, because a misspelt box is a box that nobody ticked.
"""

from collections.abc import Mapping
from typing import Any

from coordinator.core.errors import Invalid
from coordinator.domain.vocabulary import Criterion, Determination, HomeSafety, PractitionerType, Programme
from coordinator.rules import eligibility as rules
from coordinator.rules.facts import HomeboundFacts
from coordinator.rules.terms import Policy

HOMEBOUND_LEAVES = (
    "needs_supportive_device",
    "needs_special_transport",
    "needs_another_person",
    "leaving_medically_contraindicated",
    "normal_inability_to_leave",
    "considerable_and_taxing_effort",
)
#: The symptom needs that the page names, and room for others (programme page, K-C2).
SYMPTOMS = frozenset({"PAIN", "SHORTNESS_OF_BREATH", "FREQUENT_INFECTIONS", "OTHER"})
#: Criteria that are met only on the parts that the programme asks for, each told in words.
NEEDS_FACTS = frozenset({Criterion.CONDITION_NEED_DESIRE, Criterion.HOMEBOUND})

#: More symptoms or caregivers than anybody has, and a longer narrative than anybody reads.
MOST, LONGEST = 50, 4000

_KNOWN: dict[Criterion, frozenset[str]] = {
    Criterion.MEMBER: frozenset({"covered"}),
    Criterion.CONDITION_NEED_DESIRE: frozenset(
        {"progressive_advanced", "symptom_needs", "desires_home_care", "narratives"}
    ),
    Criterion.WILLING: frozenset({"patient", "caregivers"}),
    Criterion.HOMEBOUND: frozenset({"homebound", "narratives", "certified", "certified_by", "certification"}),
    Criterion.SERVICE_AREA: frozenset({"care_address_in_area"}),
    Criterion.SAFE_HOME: frozenset({"safety", "mitigations_done"}),
    Criterion.REFERRED: frozenset({"referrer_type"}),
    Criterion.DIRECTED: frozenset({"managing_physician", "affiliated", "outside_orders"}),
}


def computed(
    criterion: Criterion, facts: Mapping[str, Any], programme: Programme, policy: Policy
) -> Determination | None:
    """What the facts answer; None where there are none. Invalid names the fact that cannot be meant."""
    if not facts:
        return None
    for name in facts:
        if name not in _KNOWN[criterion]:
            known = ", ".join(sorted(_KNOWN[criterion]))
            raise Invalid(f"{criterion.value} has no such fact. It has: {known}.", pointer=f"/facts/{_shown(name)}")
    return _COMPUTE[criterion](facts, programme, policy)


def certifier(facts: Mapping[str, Any]) -> int | None:
    """The number of the practitioner who certified that the patient is homebound."""
    value = facts.get("certified_by")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53):
        raise Invalid("Name the certifying practitioner by number.", pointer="/facts/certified_by")
    return value


def _shown(name: object) -> str:
    """A name that somebody made up, fit to be said back."""
    return str(name)[:60].encode("ascii", "replace").decode()


def _plain(text: str) -> bool:
    """Neither NUL nor half a character, neither of which a database keeps."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _flag(facts: Mapping[str, Any], name: str, pointer: str = "/facts") -> bool | None:
    value = facts.get(name)
    if value is not None and not isinstance(value, bool):
        raise Invalid("This is true, false, or null while it is not known.", pointer=f"{pointer}/{name}")
    return value


def _words(facts: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, str]:
    given = facts.get("narratives") or {}
    if not isinstance(given, Mapping):
        raise Invalid("Narratives are words by the name of their part.", pointer="/facts/narratives")
    for name, text in given.items():
        if name not in known:
            raise Invalid(
                f"There is no such part. There are: {', '.join(known)}.", pointer=f"/facts/narratives/{_shown(name)}"
            )
        if not isinstance(text, str) or len(text) > LONGEST or not _plain(text):
            raise Invalid(f"A narrative is text of at most {LONGEST} characters.", pointer=f"/facts/narratives/{name}")
    return dict(given)


def _member(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    covered = _flag(facts, "covered")
    if covered is None:
        return Determination.UNKNOWN
    return Determination.MET if covered else Determination.NOT_MET


def _condition(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    parts = ("progressive_advanced", "symptom_needs", "desires_home_care")
    told = _words(facts, parts)
    needs = facts.get("symptom_needs")
    if needs is not None:
        if (
            not isinstance(needs, list)
            or len(needs) > MOST
            or any(not isinstance(need, str) or need not in SYMPTOMS for need in needs)
        ):
            raise Invalid(
                f"Symptom needs are a list of: {', '.join(sorted(SYMPTOMS))}.", pointer="/facts/symptom_needs"
            )
        if "OTHER" in needs and not told.get("symptom_needs", "").strip():
            raise Invalid("Say what the other symptom is.", pointer="/facts/narratives/symptom_needs")
    return rules.condition_need_desire(
        _flag(facts, "progressive_advanced"),
        None if needs is None else tuple(needs),
        _flag(facts, "desires_home_care"),
    )


def _willing(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    caregivers = facts.get("caregivers") or []
    if (
        not isinstance(caregivers, list)
        or len(caregivers) > MOST
        or any(one is not None and not isinstance(one, bool) for one in caregivers)
    ):
        raise Invalid("Caregivers are a list of true, false or null, one each.", pointer="/facts/caregivers")
    return rules.willing(_flag(facts, "patient"), tuple(caregivers))


def _homebound(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    leaves, told = facts.get("homebound"), _words(facts, HOMEBOUND_LEAVES)
    if leaves is not None and not isinstance(leaves, Mapping):
        raise Invalid("The homebound test is its six answers by name.", pointer="/facts/homebound")
    for name in leaves or {}:
        if name not in HOMEBOUND_LEAVES:
            raise Invalid(
                f"The homebound test has: {', '.join(HOMEBOUND_LEAVES)}.", pointer=f"/facts/homebound/{_shown(name)}"
            )
        _flag(leaves or {}, name, "/facts/homebound")
    certified = _flag(facts, "certified")
    if facts.get("certification") not in (None, "verbal", "signed"):
        raise Invalid("A certification is verbal or signed.", pointer="/facts/certification")
    if certified and (certifier(facts) is None or facts.get("certification") is None):
        raise Invalid("Say who certified, and whether verbally or signed.", pointer="/facts/certified_by")
    if leaves is None:
        return rules.homebound_certified(Determination.UNKNOWN, certified)
    asked = HomeboundFacts(**{name: bool(leaves.get(name)) for name in HOMEBOUND_LEAVES}, narratives=told)
    return rules.homebound_certified(rules.homebound(asked), certified)


def _area(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    return rules.service_area(_flag(facts, "care_address_in_area"))


def _safe(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    try:
        safety = HomeSafety(facts.get("safety") or HomeSafety.NOT_ASSESSED)
    except ValueError:
        known = ", ".join(member.value for member in HomeSafety)
        raise Invalid(f"This must be one of: {known}.", pointer="/facts/safety") from None
    return rules.safe_home(safety, bool(_flag(facts, "mitigations_done")))


def _referred(facts: Mapping[str, Any], programme: Programme, policy: Policy) -> Determination:
    kind = facts.get("referrer_type")
    try:
        return rules.referred(PractitionerType(kind) if kind is not None else None, programme, policy)
    except ValueError:
        known = ", ".join(member.value for member in PractitionerType)
        raise Invalid(f"This must be one of: {known}.", pointer="/facts/referrer_type") from None


def _directed(facts: Mapping[str, Any], _programme: Programme, _policy: Policy) -> Determination:
    outside = facts.get("outside_orders") or 0
    if isinstance(outside, bool) or not isinstance(outside, int) or not 0 <= outside < 10_000:
        raise Invalid("This is how many orders of practitioners outside the plan are active.",
                      pointer="/facts/outside_orders")  # fmt: skip
    return rules.directed(_flag(facts, "managing_physician"), _flag(facts, "affiliated"), outside)


_COMPUTE = {
    Criterion.MEMBER: _member,
    Criterion.CONDITION_NEED_DESIRE: _condition,
    Criterion.WILLING: _willing,
    Criterion.HOMEBOUND: _homebound,
    Criterion.SERVICE_AREA: _area,
    Criterion.SAFE_HOME: _safe,
    Criterion.REFERRED: _referred,
    Criterion.DIRECTED: _directed,
}
