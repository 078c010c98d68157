"""The rules about one visit, asked by the same words before planning, at publication and at the door (Appendix A)."""

from coordinator.rules.facts import Moment, VisitCase
from coordinator.rules.terms import Finding, Policy


def ask(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about the visit, in the order of Appendix A; any that `refuses` refuses it."""
    raise NotImplementedError


def ask_patient_side(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """The findings that depend on the patient, the order and the day only; `case.clinician` is not looked at."""
    raise NotImplementedError


def ask_clinician_side(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """The findings that the choice of clinician adds; none while `case.clinician` is `None`."""
    raise NotImplementedError
