"""Programmes at the doors: which there are, and what is said to somebody who names one that is not."""

from coordinator.core.errors import Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.care_types import CARE_TYPE_OF, CareType
from coordinator.domain.vocabulary import Discipline, Programme
from coordinator.rules.profiles import Profile, ProfileHistory


def unknown_words(work: Work, code: object) -> str:
    """What is said to somebody who names a programme that there is not. Asked by other rooms."""
    known = ", ".join(work.policy.programmes)
    return f"There is no programme {str(code)[:40]!r}. This agency has: {known}."


def require_programme(work: Work, code: str, pointer: str = "/programme") -> Programme:
    """The programme of that code; Invalid, with the field, if the agency has none such. Asked by other rooms."""
    if code not in work.policy.programmes:
        raise Invalid(unknown_words(work, code), pointer=pointer, code="unknown-programme")
    return Programme(code)


@permitted("agency:read")
def profiles(work: Work) -> list[Profile]:
    """What holds under every programme now, by code."""
    return [work.policy.profile(code, work.now.date()) for code in work.policy.programmes]


@permitted("agency:read")
def history(work: Work, code: str) -> ProfileHistory:
    """One programme from its first day on; NotFound if there is none of the code."""
    if code not in work.policy.programmes:
        raise NotFound("programme")
    found: ProfileHistory = work.policy.programmes.history(Programme(code))
    return found


@permitted("agency:read")
def care_types(work: Work) -> dict[CareType, list[Discipline]]:  # noqa: ARG001  (what every verb takes)
    """The kinds of care, in the page's order, each with the disciplines that furnish it (K-T0)."""
    return {
        care_type: [discipline for discipline in Discipline if CARE_TYPE_OF.get(discipline) is care_type]
        for care_type in CareType
    }
