"""Setting a rule aside that may be (BLOCK-OVR): by whom, for which reason, for which visit or order, for which facts.

An override holds for the finding that somebody looked at: the same rule, the same facts, and of a visit the same
clinician and hour. When one of them changes, the rule is asked about again. What blocks without more is nobody's to set
aside.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import Override
from coordinator.core.errors import Conflict, Forbidden, Invalid, Refusal
from coordinator.core.work import Work
from coordinator.domain.vocabulary import OverrideReason
from coordinator.rules.terms import Finding, Severity

#: What an audit line may say of a fact: a number, a day, an instant, a code; never words of a patient or about one.
_CODE = re.compile(r"[A-Za-z0-9_.:+-]{1,40}")
Refuse = Callable[[Sequence[Finding]], Refusal]


@dataclass(frozen=True, slots=True)
class About:
    """What the rules were asked about: a visit or an order, and of a visit the clinician and the hour (`where`)."""

    patient_id: int
    visit_id: int | None = None
    order_id: int | None = None
    where: Mapping[str, object] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """As audit lines name it."""
        return f"visit:{self.visit_id}" if self.visit_id is not None else f"order:{self.order_id}"

    @property
    def noun(self) -> str:
        return "visit" if self.visit_id is not None else "order"


def unsettled(work: Work, about: About, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those findings that refuse and that nobody has set aside for these very facts."""
    refusing = tuple(finding for finding in findings if finding.refuses)
    if not any(finding.severity is Severity.BLOCK_OVR for finding in refusing):
        return refusing
    kept = [row.facts for row in rows_about(work, about) if _where(row.facts) == dict(about.where)]
    settled = [(facts["rule"], facts["found"]) for facts in kept if "found" in facts]
    return tuple(
        finding
        for finding in refusing
        if finding.severity is Severity.BLOCK or (finding.rule, _looked_at(finding)) not in settled
    )


def settle(
    work: Work,
    about: About,
    findings: Sequence[Finding],
    override: Mapping[str, str] | None,
    refuse: Refuse,
) -> None:
    """Nothing refuses any more: what did is set aside, by a row and an audit line each. Else it is refused.

    `refuse` says how: it is given all findings, so that nobody cures one only to meet the next. Forbidden and Invalid
    name what an override lacks: the role, the coded reason, the explanation.
    """
    left = unsettled(work, about, findings)
    if not left:
        return
    if override is None or any(finding.severity is Severity.BLOCK for finding in left):
        raise refuse(findings)
    reason, text = _complete(work, left, override)
    for finding in left:
        row = Override(
            visit_id=about.visit_id,
            order_id=about.order_id,
            rule=finding.rule,
            reason_code=reason.value,
            text=text,
            user_id=work.actor.user_id,
            at=work.now,
            facts={**about.where, "rule": finding.rule, "found": _looked_at(finding)},
        )
        work.session.add(row)
        work.session.flush()  # the audit line names the row
        work.record(
            f"{about.noun}.rule-overridden",
            about.subject,
            patient_id=about.patient_id,
            rule=finding.rule,
            reason=reason.value,
            override=row.id,
            found={name: value for name, value in _plain(finding).items() if _is_coded(value)},
        )


def permitted_roles(work: Work, rules: Sequence[str]) -> dict[str, list[str]]:
    """Which roles may set each of these rules aside."""
    return {rule: sorted(role.value for role in work.policy.overrides.may(rule)) for rule in sorted(set(rules))}


def rows_about(work: Work, about: About) -> list[Override]:
    """Everything that was ever set aside for this visit or order, oldest first."""
    mine = Override.visit_id == about.visit_id if about.visit_id is not None else Override.order_id == about.order_id
    return list(work.session.scalars(sa.select(Override).where(mine).order_by(Override.id)))


def _complete(work: Work, left: Sequence[Finding], override: Mapping[str, str]) -> tuple[OverrideReason, str]:
    """The reason and the explanation; refused with everything that is lacking, by name."""
    said, text = str(override.get("reason_code") or "").strip(), str(override.get("text") or "").strip()
    codes = [code.value for code in OverrideReason]
    errors = []
    if said not in codes:
        errors.append({"pointer": "/override/reason_code", "detail": f"This must be one of: {', '.join(codes)}."})
    if not text:
        errors.append({"pointer": "/override/text", "detail": "Say in words why."})
    roles = permitted_roles(work, [finding.rule for finding in left])
    barred = {rule: may for rule, may in roles.items() if not work.actor.has_role(*may)}
    missing = [error["pointer"].rsplit("/", 1)[1] for error in errors]
    if barred or work.actor.user_id is None:
        whose = "; ".join(f"{rule}: {' or '.join(may).replace('_', ' ')}" for rule, may in (barred or roles).items())
        raise Forbidden(
            f"Somebody else sets these rules aside, signed in and with a reason ({whose}).",
            code="override-not-permitted",
            missing=["role", *missing],
            may_override=barred or roles,
        )
    if errors:
        raise Invalid(
            "Setting a rule aside needs a coded reason and an explanation.",
            code="override-incomplete",
            errors=errors,
            missing=missing,
        )
    return OverrideReason(said), text


def _looked_at(finding: Finding) -> dict[str, Any]:
    """The finding as it is compared later: which sentence, filled with which facts."""
    return {"message": finding.message, "facts": _plain(finding)}


def _plain(finding: Finding) -> dict[str, Any]:
    facts: Any = finding.as_dict()["facts"]
    return dict(facts)


def _where(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in ("rule", "found")}


def _is_coded(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float) or bool(_CODE.fullmatch(str(value)))


def settle_one(
    work: Work,
    about: About,
    rule: str,
    findings: Sequence[Finding],
    override: Mapping[str, str],
    refuse: Refuse,
) -> None:
    """This rule is set aside ahead of the change that it would refuse, whatever else stands against that change.

    Refused if it is nobody's to set aside; Conflict if it refuses nothing that is not set aside already.
    """
    mine = [finding for finding in unsettled(work, about, findings) if finding.rule == rule]
    if not mine:
        raise Conflict(
            f"{rule} refuses nothing here that is not set aside already.",
            code="nothing-to-set-aside",
            findings=[finding.as_dict() for finding in findings],
        )
    settle(work, about, mine, override, refuse)
