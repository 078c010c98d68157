"""The closed lists of what patient and family see and ask for. Each enum's value is stored and spoken by the API."""

from enum import StrEnum


class FamilyLanguage(StrEnum):
    """Languages in which the family's page is written."""

    ENGLISH = "en"
    CHINESE = "zh-Hant"
    SPANISH = "es"


def family_language(tag: str | None) -> FamilyLanguage:
    """The page's language for somebody who reads or speaks `tag`; all Chinese reads Traditional Chinese here."""
    first = (tag or "").lower().split("-")[0]
    if first in {"zh", "yue", "cmn", "nan", "hak", "wuu"}:
        return FamilyLanguage.CHINESE
    return FamilyLanguage.SPANISH if first == "es" else FamilyLanguage.ENGLISH


class VisitChange(StrEnum):
    """What became of a visit that somebody was told of."""

    MOVED = "moved"
    CANCELLED = "cancelled"


class ToldHow(StrEnum):
    """How somebody was told of a change."""

    CALL = "call"
    TEXT = "text"
    IN_PERSON = "in_person"
    PAGE = "page"


class RequestConcern(StrEnum):
    """For whom something is asked: for the asker, or for the one they care for."""

    SELF = "self"
    CARED_FOR = "cared_for"


class RequestTopic(StrEnum):
    """What a request is about; it decides whose list it is on."""

    VISIT_TIME = "visit_time"
    SYMPTOM = "symptom"
    MEDICINE = "medicine"
    EQUIPMENT = "equipment"
    HELP_FOR_CAREGIVER = "help_for_caregiver"
    SPIRITUAL = "spiritual"
    LANGUAGE = "language"
    OTHER = "other"


class RequestOutcome(StrEnum):
    """What came of a request."""

    DONE = "done"
    ANSWERED = "answered"
    REFERRED_ON = "referred_on"
    NOT_POSSIBLE = "not_possible"
    NOT_REACHED = "not_reached"
