"""What a referral holds, as the rules see it: what it lacks, and by when the first visit is due. Changes nothing."""

from zoneinfo import ZoneInfo

from coordinator.domain.npi import is_valid
from coordinator.domain.vocabulary import Discipline
from coordinator.referrals.model import Referral
from coordinator.rules.facts import ReferralFacts
from coordinator.rules.referrals import InitialVisitDue, initial_visit_due, missing_content
from coordinator.rules.terms import Policy

#: Without these there is nobody to open a record for, nowhere to go, and nobody to ask for orders.
NEEDED_TO_ACCEPT = frozenset(
    {
        "patient_name",
        "date_of_birth",
        "care_address",
        "practitioner_name",
        "practitioner_npi",
        "practitioner_type",
        "practitioner_organisation",
        "payer",
    }
)


def facts_of(referral: Referral) -> ReferralFacts:
    """The referral as facts. A number that is no NPI counts as missing: nobody could be asked for orders with it."""
    npi = referral.practitioner_npi or ""
    whole_address = all((referral.address, referral.city, referral.state, referral.zip))
    return ReferralFacts(
        received_at=referral.received_at,
        patient_name_known=bool(referral.given_name and referral.family_name),
        date_of_birth=referral.birth_date,
        contact=referral.phone or "",
        care_address=f"{referral.address}, {referral.city} {referral.state} {referral.zip}" if whole_address else "",
        practitioner_name=referral.practitioner_name or "",
        practitioner_npi=npi if is_valid(npi) else "",
        practitioner_type=referral.practitioner_type,
        practitioner_organisation=referral.practitioner_organisation or "",
        reason=referral.reason or referral.diagnosis_code or "",
        disciplines=tuple(Discipline(code) for code in referral.disciplines),
        setting=referral.setting,
        expected_discharge_on=referral.expected_discharge_on,
        returned_home_at=referral.returned_home_at,
        payer=referral.payer,
        preferred_language=referral.spoken_language or "",
        interpreter_needed=referral.interpreter_needed,
        ordered_soc_date=referral.ordered_soc_date,
        soc_date_changed_to=referral.soc_date_changed_to,
        soc_date_change_ordered_at=referral.soc_date_change_ordered_at,
    )


def missing(referral: Referral) -> tuple[str, ...]:
    """Names of what a complete referral still lacks (REF-01)."""
    return missing_content(facts_of(referral))


def due(referral: Referral, zone: ZoneInfo, policy: Policy) -> InitialVisitDue:
    """By when the initial visit is to be held (REF-02)."""
    return initial_visit_due(facts_of(referral), zone, policy)
