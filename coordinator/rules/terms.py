"""The words in which a rule answers: how severe, which finding, from which source; and the register of all rules.

A rule is a pure function: facts in, `Finding`, `None` or a tuple of findings out. It never raises for a broken rule.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import TypeVar

from coordinator.rules.policy import Labour, MovePrice, Policy, PolicyError, Prices, Setting, policy_from

__all__ = [
    "RULES",
    "Finding",
    "Labour",
    "MovePrice",
    "Occasion",
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


class Occasion(StrEnum):
    """When the product asks a rule again. Each is a family of doors; a test checks it by the calls."""

    #: Something happens to a referral: received, edited, looked at, decided.
    REFERRAL = "referral"
    #: A start of care is promised before a referral is accepted.
    PROMISE = "promise"
    #: An episode opens, starts, rests, resumes or ends, or something is certified in it.
    EPISODE = "episode"
    #: A patient's record changes: coverage, home, caregivers, wishes, authorisations.
    RECORD = "record"
    #: A clinician's or practitioner's own record changes or is looked at.
    STAFF = "staff"
    #: An order or plan of care is drafted, taken, sent, signed, changed or ended.
    ORDER = "order"
    #: A visit is wanted, held, confirmed, moved or cancelled by hand.
    VISIT = "visit"
    #: The clinician is at the door.
    CHECK_IN = "check-in"
    #: A visit is finished, noted, verified, or missed.
    AFTERWARDS = "afterwards"
    #: A plan, a repair or a what-if is computed.
    PLANNING = "planning"
    #: A plan or a repair becomes real visits.
    PUBLICATION = "publication"
    #: The team meets, scores are entered, documents are filed.
    CARE = "care"
    #: Somebody asks for records, or for what was disclosed, or for entry.
    ACCESS = "access"
    #: The clock, and nobody else: sweeps, week close, reminders.
    CLOCK = "clock"
    #: Somebody only wants to know.
    QUESTION = "question"


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
    """One rule of the book: what it says, on whose authority, which settings it reads, and when it is asked.

    `sentence_zh` is the sentence in Traditional Chinese. `functions` are dotted names, in the order in which they were
    registered. Empty `sentence_zh` and `asked_on` are gaps that a test names.
    """

    id: str
    family: str
    severity: Severity
    citation: str
    verification: Verification
    sentence: str
    settings: tuple[str, ...]
    functions: tuple[str, ...]
    sentence_zh: str = ""
    asked_on: tuple[Occasion, ...] = ()

    @property
    def verify_before_go_live(self) -> bool:
        """Whether nobody has read the source again yet (mark K)."""
        return self.verification is Verification.KNOWN


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
    sentence_zh: str = "",
    asked_on: Iterable[Occasion | str] = (),
) -> Callable[[F], F]:
    """Register the decorated function as the rule `rule_id`.

    `sentence_zh` is the same sentence in Traditional Chinese; `asked_on` are the occasions on which the product asks.
    ValueError names the rule and what is wrong with its entry.
    """
    wrong = _wrong(rule_id, citation, sentence, sentence_zh)
    if wrong:
        raise ValueError(f"rule {rule_id}: {wrong}")
    try:
        occasions = tuple(Occasion(occasion) for occasion in asked_on)
    except ValueError as error:
        raise ValueError(f"rule {rule_id}: {error}; known are {', '.join(Occasion)}") from None

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
            sentence_zh,
            occasions,
        )
        return function

    return register


_ID = re.compile(r"[A-Z][A-Z0-9]*-[0-9]+")
_HAN = re.compile("[\u4e00-\u9fff]")


def _wrong(rule_id: str, citation: str, sentence: str, sentence_zh: str) -> str:
    """What is wrong with an entry of the register; empty when nothing is."""
    if not _ID.fullmatch(rule_id):
        return "an id is capitals, a hyphen and digits"
    if not citation.strip():
        return "citation must say where the rule comes from"
    if not sentence.endswith("."):
        return "sentence must end with a full stop"
    if sentence_zh and not (_HAN.search(sentence_zh) and sentence_zh.endswith("。")):
        return "sentence_zh must be a Chinese sentence that ends with 。"
    return ""


def also(rule_id: str) -> Callable[[F], F]:
    """Register the decorated function as a further asking of a rule that is already registered."""

    def register(function: F) -> F:
        known = RULES[rule_id]
        name = f"{function.__module__}.{function.__qualname__}"
        RULES[rule_id] = replace(known, functions=(*known.functions, name))
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
