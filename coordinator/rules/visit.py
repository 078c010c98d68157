"""The rules about one visit, asked by the same words before planning, at publication and at the door (Appendix A)."""

from coordinator.rules.aides import (
    ask_aide_acknowledged,
    ask_aide_competence,
    ask_aide_plan,
    ask_assistant_kind,
    ask_supervised,
    ask_supervision_visit,
)
from coordinator.rules.assessments import ask_assessed
from coordinator.rules.certification import ask_period, ask_present
from coordinator.rules.eligibility import ask_covered, ask_eligible, ask_in_area, ask_safe
from coordinator.rules.facts import Moment, VisitCase
from coordinator.rules.frequencies import ask_allowance, ask_prn
from coordinator.rules.intermittent import ask_aide_length, ask_authorisation, ask_hours, ask_nursing_run
from coordinator.rules.labour import ask_daylight, ask_hazards, ask_travel
from coordinator.rules.language import ask_caregiver, ask_observances, ask_understood, ask_wished_clinician
from coordinator.rules.orders import ask_evaluate_and_treat, ask_live_order, ask_order_before_visit
from coordinator.rules.programmes import ask_concurrent, ask_payer
from coordinator.rules.qualifying import ask_dependent, ask_social_work
from coordinator.rules.staffing import ask_assistant_plan, ask_credentials, ask_performer, ask_skills
from coordinator.rules.supervision import ask_assistant_supervised, ask_blocked_tasks, ask_observed, ask_reach
from coordinator.rules.terms import Finding, Policy, Severity, found, rule
from coordinator.rules.therapy import ask_assistant_in_time, ask_reassessed
from coordinator.rules.workday import ask_meal, ask_overtime

#: Appendix A, cheap to dear: in which row a rule is asked about a visit.
ROWS: dict[str, int] = {
    "PAT-01": 1, "ASM-02": 1, "ELG-1": 1, "PRG-01": 1, "PRG-02": 1,
    "ELG-00": 2,
    "ELG-5": 3, "ELG-6": 3,
    "ORD-01": 4, "ORD-03": 4, "ORD-05": 4, "CERT-03": 4,
    "FRQ-03": 5, "FRQ-05": 5,
    "QUAL-02": 6, "QUAL-03": 6,
    "INT-01": 7, "INT-02": 7, "INT-03": 7, "INT-04": 7,
    "ASM-01": 8, "ASM-03": 8, "SUP-01": 8, "SUP-04": 8, "SUP-05": 8, "ORD-09": 8,
    # An aide's competence is a credential.
    "CRD-01": 9, "CRD-02": 9, "AID-03": 9, "SUP-02": 9, "SUP-03": 9,
    "AID-02": 10,
    "THX-01": 11,
    "LNG-01": 12, "CUL-01": 12, "CAR-01": 12,
    "LAB-01": 13, "LAB-02": 13, "LAB-04": 13, "LAB-06": 13,
}  # fmt: skip


def _row(finding: Finding) -> int:
    return ROWS[finding.rule]


@rule(
    "PAT-01",
    family="eligibility",
    severity=Severity.BLOCK,
    citation="Rule book, Appendix A row 1",
    verification="D",
    sentence="Only a patient who is accepted or admitted, and not discharged, is visited.",
    sentence_zh="只探訪已接受或已收案、且尚未結案的病人。",
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_active(case: VisitCase) -> Finding | None:
    """No visit to somebody who is not, or no longer, a patient."""
    if case.patient.active:
        return None
    return found("PAT-01", "The patient is not active.", cure="Intake accepts the referral, or readmits the patient.")


def ask(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about the visit, in the order of Appendix A; any that `refuses` refuses it.

    Always the findings of `ask_patient_side` and of `ask_clinician_side` together.
    """
    patient_side = ask_patient_side(case, moment, policy)
    clinician_side = ask_clinician_side(case, moment, policy)
    if not patient_side:
        return clinician_side
    if not clinician_side:
        return patient_side
    return tuple(sorted(patient_side + clinician_side, key=_row))


def ask_patient_side(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """The findings that depend on the patient, the order and the day only; `case.clinician` is not looked at."""
    findings: list[Finding] = []
    _take(findings, ask_active(case))
    _take(findings, ask_present(case))
    _take(findings, ask_covered(case, policy))
    _take(findings, ask_payer(case, policy))
    findings += ask_concurrent(case, policy)
    checking_in = moment is Moment.CHECK_IN
    if not checking_in:
        _take(findings, ask_eligible(case, policy))
        _take(findings, ask_in_area(case, policy))
        _take(findings, ask_safe(case))
    _take(findings, ask_live_order(case, moment, policy))
    _take(findings, ask_evaluate_and_treat(case))
    _take(findings, ask_period(case, moment))
    findings += ask_order_before_visit(case, moment)
    findings += ask_allowance(case, policy)
    _take(findings, ask_prn(case, moment))
    if checking_in:
        return tuple(findings)
    _take(findings, ask_dependent(case, policy))
    _take(findings, ask_social_work(case))
    findings += ask_hours(case, policy)
    _take(findings, ask_nursing_run(case, policy))
    _take(findings, ask_aide_length(case, policy))
    _take(findings, ask_authorisation(case, policy))
    _take(findings, ask_assessed(case))
    _take(findings, ask_supervised(case, policy))
    _take(findings, ask_aide_plan(case, policy))
    _take(findings, ask_reassessed(case, policy))
    _take(findings, ask_observances(case))
    _take(findings, ask_caregiver(case))
    _take(findings, ask_hazards(case, policy))
    _take(findings, ask_daylight(case))
    return tuple(findings)


def ask_clinician_side(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """The findings that the choice of clinician adds; none while `case.clinician` is `None`."""
    if case.clinician is None:
        return ()
    findings: list[Finding] = []
    _take(findings, ask_performer(case, policy))
    findings += ask_supervision_visit(case, policy)
    _take(findings, ask_assistant_kind(case))
    _take(findings, ask_assistant_plan(case))
    _take(findings, ask_reach(case))
    _take(findings, ask_assistant_supervised(case, policy))
    findings += ask_credentials(case, moment, policy)
    _take(findings, ask_skills(case))
    _take(findings, ask_aide_competence(case, policy))
    _take(findings, ask_blocked_tasks(case))
    if moment is Moment.CHECK_IN:
        return tuple(findings)
    _take(findings, ask_aide_acknowledged(case))
    _take(findings, ask_observed(case, policy))
    findings += ask_assistant_in_time(case, policy)
    _take(findings, ask_understood(case, moment, policy))
    findings += ask_wished_clinician(case)
    findings += ask_travel(case, policy)
    findings += ask_overtime(case, policy)
    _take(findings, ask_meal(case, policy))
    return tuple(findings)


def _take(findings: list[Finding], finding: Finding | None) -> None:
    if finding is not None:
        findings.append(finding)
