"""Who may be cared for under a programme (ELG-00 to ELG-8), and the homebound test (HB-01 to HB-03)."""

from collections.abc import Mapping
from dataclasses import dataclass

from coordinator.domain.vocabulary import Criterion, Determination, Eligibility
from coordinator.rules.facts import HomeboundFacts


@dataclass(frozen=True, slots=True)
class EligibilityAnswer:
    """The answer to all criteria together, and which of them stand in the way."""

    status: Eligibility
    not_met: tuple[Criterion, ...] = ()
    unknown: tuple[Criterion, ...] = ()

    @property
    def open_criteria(self) -> tuple[Criterion, ...]:
        """The criteria that are not met or not known, in the programme's order."""
        return tuple(criterion for criterion in Criterion if criterion in self.not_met or criterion in self.unknown)


def evaluate(
    determinations: Mapping[Criterion, Determination], criteria: tuple[Criterion, ...] = tuple(Criterion)
) -> EligibilityAnswer:
    """All criteria as a conjunction (ELG-00); one that was not determined is unknown."""
    raise NotImplementedError


def homebound(facts: HomeboundFacts) -> Determination:
    """Whether the patient is confined to the home (HB-01)."""
    raise NotImplementedError
