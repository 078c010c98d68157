"""Asking the rules at a door: what refuses, who set it aside, what is held and what is only said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from coordinator.core.errors import Forbidden, Invalid, RuleBroken
from coordinator.core.work import Work
from coordinator.rules.terms import Finding, Severity
from coordinator.visits.model import Override, Visit

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
    "QUAL-02": "no-qualifying-service",
    "INT-01": "intermittent-limit",
    "INT-02": "intermittent-limit",
    "INT-03": "intermittent-limit",
    "INT-04": "intermittent-limit",
    "ASM-01": "qualification-missing",
    "CRD-01": "qualification-missing",
    "CRD-02": "qualification-missing",
    "AID-03": "qualification-missing",
    "SUP-01": "qualification-missing",
    "SUP-05": "assistant-not-allowed",
    "ORD-09": "assistant-not-allowed",
    "AID-02": "aide-plan-missing",
    "THX-01": "supervision-overdue",
    "LNG-01": "interpreter-missing",
    "CUL-01": "patient-preference",
    "CAR-01": "caregiver-not-available",
    "LAB-04": "travel-infeasible",
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

    An override stands for its rule as long as visit, clinician and time stay as they were. A new one needs
    `visit:override` and a reason, becomes a row and an audit line.
    """
    refusing = [finding for finding in findings if finding.refuses]
    if refusing:
        standing = standing_overrides(work, [visit.id], clinician_id, starts_at)
        _set_aside(work, visit, findings, refusing, standing, clinician_id, starts_at, override)
    return Verdict(
        warnings=_ids(findings, Severity.WARN),
        hold_bill=_ids(findings, Severity.HOLD_BILL),
        findings=tuple(finding for finding in findings if not finding.refuses),
    )


def _ids(findings: Iterable[Finding], severity: Severity) -> list[str]:
    return sorted({finding.rule for finding in findings if finding.severity is severity})


def _set_aside(
    work: Work,
    visit: Visit,
    findings: Sequence[Finding],
    refusing: list[Finding],
    standing: set[str],
    clinician_id: int | None,
    starts_at: datetime | None,
    override: Mapping[str, str] | None,
) -> None:
    hard = [finding for finding in refusing if finding.severity is Severity.BLOCK]
    soft = {finding.rule: finding for finding in refusing if finding.rule not in standing and finding not in hard}
    if hard or (soft and override is None):
        raise refusal(findings)
    if not soft or override is None:
        return
    if not work.actor.may("visit:override") or work.actor.user_id is None:
        raise Forbidden("Only a clinical manager may set a rule aside, with a reason.", permission="visit:override")
    reason, text = override.get("reason_code", "").strip(), override.get("text", "").strip()
    if not reason or not text:
        raise Invalid("Setting a rule aside needs a reason code and an explanation.", pointer="/override")
    for rule in sorted(soft):
        work.session.add(
            Override(
                visit_id=visit.id,
                rule=rule,
                reason_code=reason,
                text=text,
                user_id=work.actor.user_id,
                at=work.now,
                facts={"clinician_id": clinician_id, "starts_at": _instant(starts_at)},
            )
        )
        work.record("visit.rule-overridden", f"visit:{visit.id}", patient_id=visit.patient_id, rule=rule, reason=reason)


def standing_overrides(
    work: Work, visit_ids: Sequence[int], clinician_id: int | None, starts_at: datetime | None
) -> set[str]:
    """The rules that were set aside for these visits with this clinician at this time."""
    rows = work.session.execute(sa.select(Override.rule, Override.facts).where(Override.visit_id.in_(visit_ids)))
    at = _instant(starts_at)
    return {rule for rule, facts in rows if facts.get("clinician_id") == clinician_id and facts.get("starts_at") == at}


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
