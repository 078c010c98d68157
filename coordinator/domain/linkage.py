"""The closed lists of bringing people to help elsewhere: referrals to organisations, suggestions, education given.

Each enum's value is what is stored and what the API speaks (programme page K-S1; rule book QUAL-03).
"""

from enum import StrEnum


class LinkStatus(StrEnum):
    """Life of a referral to an organisation: the loop is closed when help is secured, or has failed with a reason."""

    IDENTIFIED = "identified"
    REFERRED = "referred"
    ACCEPTED = "accepted"
    SECURED = "secured"
    FAILED = "failed"


#: What it may become. Help that needs no acceptance is secured at once.
LINK: dict[LinkStatus, frozenset[LinkStatus]] = {
    LinkStatus.IDENTIFIED: frozenset({LinkStatus.REFERRED, LinkStatus.FAILED}),
    LinkStatus.REFERRED: frozenset({LinkStatus.ACCEPTED, LinkStatus.SECURED, LinkStatus.FAILED}),
    LinkStatus.ACCEPTED: frozenset({LinkStatus.SECURED, LinkStatus.FAILED}),
    LinkStatus.SECURED: frozenset(),
    LinkStatus.FAILED: frozenset(),
}
LIVE_LINK = frozenset({LinkStatus.IDENTIFIED, LinkStatus.REFERRED, LinkStatus.ACCEPTED})


class LinkFailure(StrEnum):
    """Why help was not secured."""

    NOT_ELIGIBLE = "not_eligible"
    NO_CAPACITY = "no_capacity"
    WAITING_LIST = "waiting_list"
    OUT_OF_AREA = "out_of_area"
    LANGUAGE_NOT_SERVED = "language_not_served"
    COST = "cost"
    NO_ANSWER = "no_answer"
    REFERRER_NOT_ACCEPTED = "referrer_not_accepted"
    PATIENT_DECLINED = "patient_declined"
    CAREGIVER_DECLINED = "caregiver_declined"
    NOT_REACHED = "not_reached"
    NO_LONGER_NEEDED = "no_longer_needed"
    DIED = "died"
    ENTERED_IN_ERROR = "entered_in_error"


class LinkWay(StrEnum):
    """How the organisation hears of the person."""

    #: The agency sends or tells it something about the person.
    AGENCY_SENDS = "agency_sends"
    #: Both talk to it together.
    WARM_HANDOFF = "warm_handoff"
    #: A physician or nurse elsewhere refers, asked by the agency.
    THROUGH_PRACTITIONER = "through_practitioner"
    #: The person is told of it and turns to it themselves: nothing leaves the agency.
    PERSON_CONTACTS = "person_contacts"


#: Ways on which something about the person leaves the agency.
SHARES = frozenset({LinkWay.AGENCY_SENDS, LinkWay.WARM_HANDOFF, LinkWay.THROUGH_PRACTITIONER})


class ConsentBy(StrEnum):
    """Who allowed that something is shared."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    CAREGIVER_OF_SELF = "caregiver_of_self"


class ConsentForm(StrEnum):
    """How it was allowed."""

    WRITTEN = "written"
    SPOKEN = "spoken"


class SuggestionReason(StrEnum):
    """Why help elsewhere is suggested."""

    REFERRAL_DECLINED = "referral_declined"
    NO_MEDICAL_ACCEPTANCE = "no_medical_acceptance"
    CAREGIVER_STRAIN = "caregiver_strain"
    BEREAVEMENT = "bereavement"


class SuggestionStatus(StrEnum):
    """Life of a suggestion."""

    OPEN = "open"
    #: A referral came of it.
    TAKEN = "taken"
    DISMISSED = "dismissed"


class Dismissal(StrEnum):
    """Why nothing comes of a suggestion."""

    ALREADY_IN_PLACE = "already_in_place"
    NOT_WANTED = "not_wanted"
    NOT_SUITABLE = "not_suitable"
    NOT_REACHED = "not_reached"
    NOBODY_TO_SUPPORT = "nobody_to_support"
    ENTERED_IN_ERROR = "entered_in_error"


class EducationWay(StrEnum):
    """How something to watch or read reaches somebody."""

    PRINTED = "printed"
    SHOWN = "shown"
    EMAIL = "email"
    TEXT = "text"
    POST = "post"


#: Ways that ring or write to somebody: a caregiver may have asked not to be.
WRITES_TO = frozenset({EducationWay.EMAIL, EducationWay.TEXT, EducationWay.POST})
