"""The words in which a rule answers: how severe, which finding, from which source; and the register of all rules.

A rule is a pure function: facts in, `Finding`, `None` or a tuple of findings out. It never raises for a broken rule.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import TypeVar

from coordinator.rules.policy import Labour, MovePrice, Policy, PolicyError, Prices, Setting, policy_from

__all__ = [
    "RULES",
    "Finding",
    "Labour",
    "MovePrice",
    "Policy",
    "PolicyError",
    "Prices",
    "Rule",
    "Setting",
    "Severity",
    "Verification",
    "also",
    "found",
    "policy_from",
    "refusals",
    "rule",
]


class Severity(StrEnum):
    """What the product does about a finding (rule book, severity vocabulary)."""

    #: Refused; nobody may override.
    BLOCK = "BLOCK"
    #: Refused unless a permitted role gives a reason, which is audited.
    BLOCK_OVR = "BLOCK-OVR"
    #: Care goes on; nothing may be exported for a claim until cleared.
    HOLD_BILL = "HOLD-BILL"
    #: Saved, with a visible flag.
    WARN = "WARN"
    #: Somebody has something to do by a date.
    TASK = "TASK"


#: Severities that refuse the verb at hand.
REFUSING = frozenset({Severity.BLOCK, Severity.BLOCK_OVR})


class Verification(StrEnum):
    """How well a source was checked (rule book, source tags)."""

    #: Checked against a published copy of the text.
    CHECKED = "V"
    #: The programme page.
    PROGRAMME = "P"
    #: Well known in the field, text not re-read: verify before go-live.
    KNOWN = "K"
    #: Design decision where the law is silent: always a setting.
    DECISION = "D"


def _identity(text: str) -> str:
    return text


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(item)) for item in value)
    return value


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one rule about one set of facts; never holds a patient's name.

    `message` and `cure` are English templates and the keys of their translations; `params` fills both.
    `facts` are the plain values the rule looked at. `due` (a day or an aware instant) and `owner` (a role of the
    office) are set on tasks.
    """

    rule: str
    severity: Severity
    citation: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    cure: str = ""
    due: date | datetime | None = None
    owner: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the verb at hand must not go through (with or without a way to override)."""
        return self.severity in REFUSING

    def sentence(self, translate: Callable[[str], str] = _identity) -> str:
        """What was found, as a sentence in the language of `translate`."""
        return translate(self.message).format(**self.params)

    def cure_sentence(self, translate: Callable[[str], str] = _identity) -> str:
        """What would make it possible and who can do it; empty when nothing can."""
        return translate(self.cure).format(**self.params) if self.cure else ""

    def as_dict(self) -> dict[str, object]:
        """The finding in values that JSON knows: days and instants as ISO text, sets as sorted lists."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "citation": self.citation,
            "sentence": self.sentence(),
            "message": self.message,
            "params": {name: _plain(value) for name, value in self.params.items()},
            "facts": {name: _plain(value) for name, value in self.facts.items()},
            "cure": self.cure_sentence(),
            "due": _plain(self.due),
            "owner": self.owner,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the book: what it says, on whose authority, and which settings it reads."""

    id: str
    family: str
    severity: Severity
    citation: str
    verification: Verification
    sentence: str
    settings: tuple[str, ...]
    functions: tuple[str, ...]


#: Every rule by its id. Complete once `coordinator.rules.catalogue` is imported.
RULES: dict[str, Rule] = {}

F = TypeVar("F", bound=Callable[..., object])


def rule(
    rule_id: str,
    *,
    family: str,
    severity: Severity,
    citation: str,
    verification: str,
    sentence: str,
    settings: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register the decorated function as the rule `rule_id`."""

    def register(function: F) -> F:
        if rule_id in RULES:
            raise ValueError(f"rule {rule_id} is registered twice")
        RULES[rule_id] = Rule(
            rule_id,
            family,
            severity,
            citation,
            Verification(verification),
            sentence,
            settings,
            (f"{function.__module__}.{function.__qualname__}",),
        )
        return function

    return register


def also(rule_id: str) -> Callable[[F], F]:
    """Register the decorated function as a further asking of a rule that is already registered."""

    def register(function: F) -> F:
        known = RULES[rule_id]
        RULES[rule_id] = Rule(
            known.id,
            known.family,
            known.severity,
            known.citation,
            known.verification,
            known.sentence,
            known.settings,
            (*known.functions, f"{function.__module__}.{function.__qualname__}"),
        )
        return function

    return register


def found(
    rule_id: str,
    message: str,
    *,
    cure: str = "",
    severity: Severity | None = None,
    due: date | datetime | None = None,
    owner: str = "",
    facts: Mapping[str, object] | None = None,
    **params: object,
) -> Finding:
    """A finding of `rule_id` with the rule's own citation, and its own severity unless another is said."""
    known = RULES[rule_id]
    return Finding(
        rule_id,
        severity or known.severity,
        known.citation,
        message,
        params,
        params if facts is None else {**params, **facts},
        cure,
        due,
        owner,
    )


def refusals(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those findings that refuse the verb at hand."""
    return tuple(finding for finding in findings if finding.severity in REFUSING)
