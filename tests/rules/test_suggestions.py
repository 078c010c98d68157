"""Help elsewhere: to whom an organisation is open, when help is suggested, and what a referral there needs."""

from datetime import date, timedelta

import pytest

from coordinator.domain.linkage import LinkWay, SuggestionReason
from coordinator.domain.vocabulary import ReferralDeclineReason
from coordinator.rules.resources import (
    COMMUNITY,
    MEDICAL,
    MEMBERS,
    VETERANS,
    Offer,
    Seeker,
    to_ask,
    unknown,
    why_closed,
)
from coordinator.rules.suggestions import (
    Handing,
    ask_consent,
    ask_referrer,
    suggest_after_decline,
    suggest_for_bereaved,
    suggest_for_caregiver,
    suggest_without_acceptance,
    suggested,
)
from coordinator.rules.terms import Severity
from tests.rules.cases import POLICY

TODAY = date(2026, 11, 9)
CLINIC = Offer("clinic", MEDICAL, frozenset({"cancer"}), health_system="ucsf")
AT_HOME = Offer("at_home", MEDICAL, frozenset({"cancer"}), comes_home=True)
KAISER = Offer("kaiser", MEDICAL, frozenset({MEMBERS}), health_system="kaiser")
VA = Offer("va", MEDICAL, frozenset({VETERANS}), health_system="va")
LOCAL = Offer(
    "local", COMMUNITY, frozenset({"caregivers"}), counties=frozenset({"San Francisco"}),
    services=frozenset({"caregiver_support"}),
)  # fmt: skip
ONLINE = Offer("online", COMMUNITY, frozenset({"anyone"}), topics=frozenset({"grief"}))
ALL = (CLINIC, AT_HOME, KAISER, VA, LOCAL, ONLINE)


@pytest.mark.parametrize(
    ("offer", "seeker", "why"),
    [
        (KAISER, Seeker(), "members_only"),
        (KAISER, Seeker(is_kp_member=True), None),
        (VA, Seeker(is_veteran=False, has_physician=True), "veterans_only"),
        (VA, Seeker(is_veteran=True), None),
        (CLINIC, Seeker(), "needs_physician"),
        (CLINIC, Seeker(has_physician=True), None),
        (CLINIC, Seeker(has_physician=True, health_system="sutter"), "other_health_system"),
        (CLINIC, Seeker(has_physician=True, health_system="ucsf"), None),
        (LOCAL, Seeker(county="Alameda"), "other_county"),
        (LOCAL, Seeker(county="san francisco"), None),
        (LOCAL, Seeker(), None),
        (ONLINE, Seeker(), None),
    ],
)
def test_to_whom_an_organisation_is_open(offer: Offer, seeker: Seeker, why: str | None) -> None:
    assert why_closed(offer, seeker) == why


def test_what_is_not_known_is_asked_and_closes_nothing_that_is_open_to_all() -> None:
    assert to_ask(LOCAL, Seeker()) == ("county",)
    assert to_ask(CLINIC, Seeker(has_physician=True)) == ("health_system",)
    assert to_ask(KAISER, Seeker(is_kp_member=True)) == ()
    assert unknown(Seeker(is_veteran=False)) == ("is_kp_member", "has_physician", "health_system", "county")


@pytest.mark.example("RES-01", 1)
def test_a_refusal_suggests_whatever_is_open_and_home_first() -> None:
    found = suggest_after_decline(ReferralDeclineReason.ELG_5, TODAY, POLICY)
    assert found is not None
    assert (found.severity, found.facts["reason"], found.due) == (
        Severity.TASK, SuggestionReason.REFERRAL_DECLINED, date(2026, 11, 12),
    )  # fmt: skip
    assert "2026-11-12" in found.cure_sentence(), "the eleventh is a holiday"
    seeker = Seeker(has_physician=True)
    assert [offer.key for offer in suggested(SuggestionReason.REFERRAL_DECLINED, ALL, seeker)] == [
        "at_home", "clinic", "local", "online",
    ]  # fmt: skip
    assert suggest_after_decline(ReferralDeclineReason.DUPLICATE, TODAY, POLICY) is None
    died = suggest_after_decline(ReferralDeclineReason.DIED, TODAY, POLICY)
    assert died is not None
    assert died.facts["reason"] == SuggestionReason.BEREAVEMENT


@pytest.mark.example("RES-01", 2)
def test_a_strained_caregiver_is_led_to_those_who_support_caregivers() -> None:
    least = POLICY.instruments.zbi_screen_from
    assert suggest_for_caregiver(least - 1, TODAY, POLICY) is None
    assert suggest_for_caregiver(None, TODAY, POLICY) is None
    found = suggest_for_caregiver(least, TODAY, POLICY)
    assert found is not None
    assert str(least) in found.sentence()
    seeker = Seeker(has_physician=True)
    assert [offer.key for offer in suggested(SuggestionReason.CAREGIVER_STRAIN, ALL, seeker)] == ["local"]
    elsewhere = Seeker(county="Alameda")
    assert [offer.key for offer in suggested(SuggestionReason.CAREGIVER_STRAIN, ALL, elsewhere)] == ["online"]


@pytest.mark.example("RES-01", 3)
def test_a_week_without_acceptance_suggests_the_community() -> None:
    assert suggest_without_acceptance(TODAY - timedelta(days=6), TODAY, POLICY) is None
    found = suggest_without_acceptance(TODAY - timedelta(days=7), TODAY, POLICY)
    assert found is not None
    assert "7 days" in found.sentence()
    kept = suggested(SuggestionReason.NO_MEDICAL_ACCEPTANCE, ALL, Seeker(has_physician=True))
    assert [offer.key for offer in kept] == ["local", "online"]


@pytest.mark.example("RES-01", 4)
def test_a_death_suggests_support_in_grief() -> None:
    assert suggest_for_bereaved(None, TODAY, POLICY) is None
    assert suggest_for_bereaved(TODAY + timedelta(days=1), TODAY, POLICY) is None
    assert suggest_for_bereaved(TODAY, TODAY, POLICY) is not None
    assert [offer.key for offer in suggested(SuggestionReason.BEREAVEMENT, ALL, Seeker())] == ["online"]


@pytest.mark.example("RES-02", 1)
@pytest.mark.parametrize("way", [LinkWay.AGENCY_SENDS, LinkWay.WARM_HANDOFF, LinkWay.THROUGH_PRACTITIONER])
def test_nothing_leaves_without_consent(way: LinkWay) -> None:
    refused = ask_consent(Handing(way, "nurse", frozenset()), TODAY)
    assert refused is not None
    assert refused.refuses
    assert refused.cure_sentence()
    assert ask_consent(Handing(way, "nurse", frozenset(), TODAY), TODAY) is None
    assert ask_consent(Handing(way, "nurse", frozenset(), TODAY + timedelta(days=1)), TODAY) is not None


@pytest.mark.example("RES-02", 2)
def test_whoever_turns_to_it_themselves_shares_their_own() -> None:
    assert ask_consent(Handing(LinkWay.PERSON_CONTACTS, "self", frozenset()), TODAY) is None


@pytest.mark.example("RES-03", 1)
def test_a_referral_is_started_by_somebody_from_whom_it_is_taken() -> None:
    refused = ask_referrer(Handing(LinkWay.AGENCY_SENDS, "nurse", frozenset({"physician", "own_system_physician"})))
    assert refused is not None
    assert "own system physician, physician" in refused.cure_sentence()
    assert ask_referrer(Handing(LinkWay.AGENCY_SENDS, "nurse", frozenset({"nurse"}))) is None
    assert ask_referrer(Handing(LinkWay.AGENCY_SENDS, "nurse", frozenset())) is None, "not stated: the place is asked"
