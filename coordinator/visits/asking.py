"""Asking the rules at a door: what refuses, who set it aside, what is held and what is only said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from coordinator.access import overrides
from coordinator.core.errors import RuleBroken
from coordinator.core.work import Work
from coordinator.rules.terms import Finding, Severity
from coordinator.visits.model import Visit

#: Which problem of the catalogue a refusing rule is.
CODES: dict[str, str] = {
    "PAT-01": "patient-not-active",
    "ASM-02": "patient-on-hold",
    "ELG-00": "not-eligible",
    "ELG-1": "not-eligible",
    "ELG-5": "not-eligible",
    "ELG-6": "home-not-safe",
    "ORD-01": "order-not-active",
    "ORD-03": "order-not-active",
    "CERT-03": "order-not-active",
    "FRQ-03": "frequency-exceeded",
    "FRQ-06": "frequency-exceeded",
    "FRQ-05": "prn-limit-reached",
    "QUAL-01": "no-qualifying-service",
    "QUAL-02": "no-qualifying-service",
    "QUAL-03": "order-not-active",
    "INT-01": "intermittent-limit",
    "INT-02": "intermittent-limit",
    "INT-03": "intermittent-limit",
    "INT-04": "intermittent-limit",
    "ASM-01": "qualification-missing",
    "CRD-01": "qualification-missing",
    "CRD-02": "qualification-missing",
    "AID-03": "qualification-missing",
    "SUP-01": "qualification-missing",
    "SUP-02": "qualification-missing",
    "SUP-05": "assistant-not-allowed",
    "ORD-09": "assistant-not-allowed",
    "AID-02": "aide-plan-missing",
    "THX-01": "supervision-overdue",
    "LNG-01": "interpreter-missing",
    "CUL-01": "patient-preference",
    "CAR-01": "caregiver-not-available",
    "LAB-01": "day-too-long",
    "LAB-02": "no-room-for-meal",
    "LAB-04": "travel-infeasible",
    "LAB-06": "after-sunset",
    "EVV-04": "verification-invalid",
}


class TravelInfeasible(RuleBroken):
    """The clinician cannot be there in time: a conflict with the visits around it, not with the request itself."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "travel-infeasible"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules left of a visit: ids to show, ids to hold the bill for, and the overrides that were needed."""

    warnings: list[str]
    hold_bill: list[str]
    findings: tuple[Finding, ...]


def refusal(findings: Sequence[Finding], **extra: Any) -> RuleBroken:
    """The refusal that carries every finding, those that refuse first, under the code of the first of them."""
    ordered = sorted(findings, key=lambda finding: not finding.refuses)
    hard = [finding for finding in ordered if finding.severity is Severity.BLOCK]
    first = (hard or ordered)[0]
    code = CODES.get(first.rule, "rule-broken")
    kind = TravelInfeasible if code == "travel-infeasible" else RuleBroken
    return kind(ordered, code=code, overridable=not hard, **extra)


def judge(
    work: Work,
    visit: Visit,
    findings: Sequence[Finding],
    *,
    clinician_id: int | None = None,
    starts_at: datetime | None = None,
    override: Mapping[str, str] | None = None,
) -> Verdict:
    """Refuse if a rule does, unless it may be and was set aside; else what to show and hold.

    An override stands as long as visit, clinician, time and the facts that were found stay as they were
    (`access.overrides`).
    """
    about = about_visit(visit, clinician_id, starts_at)
    overrides.settle(work, about, findings, override, lambda found: refusal(found, **who_may(work, found)))
    return Verdict(
        warnings=_ids(findings, Severity.WARN),
        hold_bill=_ids(findings, Severity.HOLD_BILL),
        findings=tuple(finding for finding in findings if not finding.refuses),
    )


def who_may(work: Work, findings: Sequence[Finding]) -> dict[str, Any]:
    """For a refusal: which roles may set aside which of the rules; nothing where one of them is nobody's to do so."""
    refusing = [finding for finding in findings if finding.refuses]
    if any(finding.severity is Severity.BLOCK for finding in refusing):
        return {}
    return {"may_override": overrides.permitted_roles(work, [finding.rule for finding in refusing])}


def _ids(findings: Iterable[Finding], severity: Severity) -> list[str]:
    return sorted({finding.rule for finding in findings if finding.severity is severity})


def about_visit(visit: Visit, clinician_id: int | None, starts_at: datetime | None) -> overrides.About:
    """The visit with that clinician at that time, as overrides are kept of it."""
    where = {"clinician_id": clinician_id, "starts_at": _instant(starts_at)}
    return overrides.About(visit.patient_id, visit_id=visit.id, where=where)


def left_after(
    work: Work, visit: Visit, findings: Sequence[Finding], clinician_id: int | None, starts_at: datetime | None
) -> tuple[Finding, ...]:
    """Those findings that refuse the visit there and that nobody has set aside."""
    return overrides.unsettled(work, about_visit(visit, clinician_id, starts_at), findings)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
