"""When help elsewhere is suggested, and what a referral to an organisation needs (S1-C0, S1-P1, K-S1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from coordinator.domain.linkage import SHARES, LinkWay, SuggestionReason
from coordinator.domain.timeline import HolidayCalendar, add_business_days
from coordinator.domain.vocabulary import ReferralDeclineReason
from coordinator.rules.resources import COMMUNITY, Offer, Seeker, in_order, why_closed
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "resources"
#: Reason -> what is looked for: services and topics.
NEEDS: dict[SuggestionReason, frozenset[str]] = {
    SuggestionReason.REFERRAL_DECLINED: frozenset(),
    SuggestionReason.NO_MEDICAL_ACCEPTANCE: frozenset(),
    SuggestionReason.CAREGIVER_STRAIN: frozenset(
        {"caregiver_support", "respite", "emotional_support", "support_group"}
    ),
    SuggestionReason.BEREAVEMENT: frozenset({"bereavement_support", "grief", "death"}),
}
#: For these a provider of medical care is no answer.
_COMMUNITY_ALONE = frozenset(NEEDS) - {SuggestionReason.REFERRAL_DECLINED}


def suggested(reason: SuggestionReason, offers: Sequence[Offer], seeker: Seeker) -> list[Offer]:
    """The organisations suggested for that reason, best first; never one that is closed to the person.

    Where something in particular is needed and somebody names it, the others stay away.
    """
    needs = NEEDS[reason]
    open_ = [
        offer
        for offer in offers
        if why_closed(offer, seeker) is None and (offer.kind == COMMUNITY or reason not in _COMMUNITY_ALONE)
    ]
    meeting = [offer for offer in open_ if needs & (offer.services | offer.topics)]
    return in_order(meeting or open_, needs)


def _suggest(reason: SuggestionReason, message: str, today: date, policy: Policy, **params: Any) -> Finding:
    due = add_business_days(today, policy.directory.suggestion_business_days, HolidayCalendar.US_FEDERAL)
    return found(
        "RES-01", message, cure="The social worker offers one of these, or says why not, by {due_on}.", due=due,
        owner="social_worker", due_on=due, facts={"reason": reason}, **params,
    )  # fmt: skip


@rule(
    "RES-01",
    family=FAMILY,
    severity=Severity.TASK,
    citation="San Francisco page, lines 36, 66, 106 (S1-P1, S1-C0, CS-1b); rule book, REF-03",
    verification="P",
    sentence="Help elsewhere is suggested after a refusal, a week without acceptance, a strained caregiver or a death.",
    sentence_zh="轉介被拒、一週內無機構接收、照護者壓力大或病人離世後，建議尋求其他支援。",
    settings=(
        "directory.suggestion_business_days", "directory.no_acceptance_days", "instruments.zbi_screen_from",
    ),
    asked_on=("referral", "care", "clock"),
)  # fmt: skip
def suggest_after_decline(reason: ReferralDeclineReason | None, today: date, policy: Policy) -> Finding | None:
    """A referral was declined or did not lead to admission: other help is suggested; not for a mere duplicate.

    After a death it is for those who cared.
    """
    if reason is ReferralDeclineReason.DUPLICATE:
        return None
    if reason is ReferralDeclineReason.DIED:
        return suggest_for_bereaved(today, today, policy)
    return _suggest(
        SuggestionReason.REFERRAL_DECLINED, "A referral was declined or ended without admission.", today, policy
    )


@also("RES-01")
def suggest_for_caregiver(total: int | None, today: date, policy: Policy) -> Finding | None:
    """A caregiver's burden reached the threshold of INS-06: caring strains, and support is suggested."""
    policy = policy.on(today)
    least = policy.instruments.zbi_screen_from
    if total is None or total < least:
        return None
    return _suggest(
        SuggestionReason.CAREGIVER_STRAIN, "A caregiver's score is {least} or more.", today, policy, least=least
    )


@also("RES-01")
def suggest_without_acceptance(asked_on: date, today: date, policy: Policy) -> Finding | None:
    """Asked on that day, and no medical provider has accepted within the policy's days: the community is suggested."""
    days = policy.directory.no_acceptance_days
    if today < asked_on + timedelta(days=days):
        return None
    return _suggest(
        SuggestionReason.NO_MEDICAL_ACCEPTANCE, "No medical provider has accepted within {days} days.", today, policy,
        days=days,
    )  # fmt: skip


@also("RES-01")
def suggest_for_bereaved(deceased_on: date | None, today: date, policy: Policy) -> Finding | None:
    """The patient has died: support in grief is suggested for those who cared."""
    if deceased_on is None or deceased_on > today:
        return None
    return _suggest(
        SuggestionReason.BEREAVEMENT, "The patient has died; those who cared may need support.", today, policy
    )


# ------------------------------------------------------------------------------------ what leaves the agency


@dataclass(frozen=True, slots=True)
class Handing:
    """How somebody is about to be referred to an organisation.

    `accepts`: who may start a referral there; empty, if the organisation does not say. `consented_on`: the day on which
    sharing with this organisation was allowed, None if it was not.
    """

    way: LinkWay
    referred_by: str
    accepts: frozenset[str]
    consented_on: date | None = None


@rule(
    "RES-02",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="45 CFR 164.508(a)(1), 164.510(b); California Civil Code 56.10(a)",
    verification="K",
    sentence="Nothing about a person leaves for an organisation without consent to share it there.",
    sentence_zh="未得同意，不得把個人資料交給其他機構。",
    asked_on=("care",),
)
def ask_consent(handing: Handing, today: date) -> Finding | None:
    """Why nothing may be shared with the organisation yet. Whoever turns to it themselves shares their own."""
    if handing.way not in SHARES:
        return None
    if handing.consented_on is not None and handing.consented_on <= today:
        return None
    return found(
        "RES-02", "Consent to share with this organisation is not on record.",
        cure="Ask the person or their representative and record who allowed it, how and when; or let them turn to it "
        "themselves.",
        facts={"way": handing.way, "consented_on": handing.consented_on},
    )  # fmt: skip


@rule(
    "RES-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="San Francisco page, lines 50 to 70 (S1-S3, PR-1 to PR-5, CS-1)",
    verification="P",
    sentence="A referral is started by somebody from whom the organisation takes it.",
    sentence_zh="轉介須由機構接受的轉介人提出。",
    asked_on=("care",),
)
def ask_referrer(handing: Handing) -> Finding | None:
    """Why a referral by this person would be sent back; nothing, where the organisation does not say who may refer."""
    if not handing.accepts or handing.referred_by in handing.accepts:
        return None
    able = ", ".join(sorted(handing.accepts)).replace("_", " ")
    return found(
        "RES-03", "The organisation does not take a referral started by this person.",
        cure="Have it started by one of: {able}.", able=able,
        facts={"referred_by": handing.referred_by, "accepts": handing.accepts},
    )  # fmt: skip
