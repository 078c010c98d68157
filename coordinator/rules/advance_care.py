"""Documents that speak for the patient: whether they hold, what they say together, and what they ask for (ACP-01)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from coordinator.domain.care import (
    CodeStatus,
    DirectiveKind,
    DirectiveSigner,
    DirectiveStatus,
    Resuscitation,
    WitnessBar,
)
from coordinator.domain.vocabulary import PractitionerType
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "advance care"
#: Orders that a practitioner signs beside the patient or who decides for the patient.
ORDERS = frozenset({DirectiveKind.POLST, DirectiveKind.PREHOSPITAL_DNR})
#: Documents that are witnessed or notarised.
WITNESSED = frozenset({DirectiveKind.AHCD, DirectiveKind.MENTAL_HEALTH})


@dataclass(frozen=True, slots=True)
class WitnessFacts:
    """Who witnessed: what bars them, whether they are kin, whether they inherit."""

    bars: frozenset[WitnessBar] = frozenset()
    related: bool = False
    beneficiary: bool = False


@dataclass(frozen=True, slots=True)
class DirectiveFacts:
    """What is known of a document."""

    kind: DirectiveKind
    executed_on: date | None = None
    signed_by: DirectiveSigner | None = None
    signed_on: date | None = None
    practitioner_type: PractitionerType | None = None
    practitioner_signed_on: date | None = None
    notarised: bool = False
    witnesses: tuple[WitnessFacts, ...] = ()
    on_file: bool = False
    resuscitation: Resuscitation = Resuscitation.UNSTATED


@dataclass(frozen=True, slots=True)
class Standing:
    """A document that is on record: its number, day, state, and what it says about resuscitation."""

    number: int
    kind: DirectiveKind
    status: DirectiveStatus
    executed_on: date | None
    resuscitation: Resuscitation
    settled: bool = False


def _lack(code: str, message: str, cure: str, **facts: object) -> Finding:
    return found("ACP-01", message, cure=cure, severity=Severity.WARN, facts={"missing": code, **facts})


@rule(
    "ACP-01",
    family=FAMILY,
    severity=Severity.TASK,
    citation="California Probate Code 4673, 4674, 4780-4785; 42 CFR 489.102",
    verification="V",
    sentence="A document holds if it is signed and attested as the law asks; where two differ, the later controls.",
    settings=("advance_care.polst_practitioners", "advance_care.witnesses", "advance_care.unrelated_witnesses"),
    sentence_zh="預立醫療文件須由應簽的人簽署，並有應有的見證人；文件有衝突時，當日由醫生處理。",
    asked_on=("care", "clock"),
)
def ask_directive(document: DirectiveFacts, policy: Policy) -> tuple[Finding, ...]:
    """Everything for want of which the document does not hold; empty if it holds."""
    policy = policy.on(document.executed_on or document.signed_on)
    if document.kind in ORDERS:
        return _order(document, policy)
    if document.kind in WITNESSED:
        return _witnessed(document, policy)
    if document.executed_on is None or not document.on_file:
        return (
            _lack("order_on_file", "The court's order is not on file with its date.", "Record its date and its copy."),
        )
    return ()


def _order(document: DirectiveFacts, policy: Policy) -> tuple[Finding, ...]:
    findings = []
    if document.signed_by not in (DirectiveSigner.PATIENT, DirectiveSigner.DECISION_MAKER) or not document.signed_on:
        findings.append(
            _lack(
                "patient_signature", "Neither the patient nor who decides for the patient has signed and dated it.",
                "The patient, or the legally recognised decision-maker, signs it.",
            )
        )  # fmt: skip
    if document.practitioner_type not in policy.advance_care.polst_practitioners or not document.practitioner_signed_on:
        findings.append(
            _lack(
                "practitioner_signature", "No physician, nurse practitioner or physician assistant has signed it.",
                "The practitioner signs and dates it.", practitioner=document.practitioner_type,
            )
        )  # fmt: skip
    return tuple(findings)


def _witnessed(document: DirectiveFacts, policy: Policy) -> tuple[Finding, ...]:
    findings = []
    if document.executed_on is None:
        findings.append(_lack("date", "It bears no date.", "A new one is made, with its date."))
    if document.signed_by not in (DirectiveSigner.PATIENT, DirectiveSigner.AT_DIRECTION):
        findings.append(
            _lack(
                "patient_signature", "Neither the patient, nor an adult at the patient's direction, has signed it.",
                "The patient signs it, or directs another adult to, in the patient's presence.",
            )
        )  # fmt: skip
    if document.notarised:
        return tuple(findings)
    fit = [witness for witness in document.witnesses if not witness.bars]
    for bar in sorted({bar for witness in document.witnesses for bar in witness.bars}):
        findings.append(
            found(
                "ACP-01", "A witness may not be one, being {bar}.", cure="Another adult witnesses it.",
                severity=Severity.WARN, bar=bar.value.replace("_", " "), facts={"missing": "witness_barred"},
            )
        )  # fmt: skip
    if len(fit) < policy.advance_care.witnesses:
        findings.append(
            _lack(
                "witnesses", "It is neither notarised nor witnessed by enough people who may.",
                "A notary acknowledges it, or two adults who may witness it.", witnesses=len(fit),
                needed=policy.advance_care.witnesses,
            )
        )  # fmt: skip
    elif sum(not witness.related and not witness.beneficiary for witness in fit) < (
        policy.advance_care.unrelated_witnesses
    ):
        findings.append(
            _lack(
                "unrelated_witness", "None of its witnesses is both unrelated and no beneficiary.",
                "One witness is neither kin nor named in the patient's will.",
            )
        )  # fmt: skip
    return tuple(findings)


# ------------------------------------------------------------------------------------ what they say together


def controlling(documents: Iterable[Standing]) -> Standing | None:
    """The document that controls resuscitation: the latest that holds and says something about it."""
    said = [
        one for one in documents
        if one.status is DirectiveStatus.VALID and one.resuscitation is not Resuscitation.UNSTATED
    ]  # fmt: skip
    return max(said, key=lambda one: (one.executed_on or date.min, one.number), default=None)


def disputed(documents: Sequence[Standing]) -> tuple[Standing, ...]:
    """Documents that hold and say another thing than the one that controls, unless a physician has settled it."""
    first = controlling(documents)
    if first is None or first.settled:
        return ()
    return tuple(
        one
        for one in documents
        if one.status is DirectiveStatus.VALID
        and one.resuscitation not in (Resuscitation.UNSTATED, first.resuscitation)
    )


def code_status(documents: Sequence[Standing]) -> CodeStatus:
    """What is to be done if the heart stops, as the documents say it together."""
    first = controlling(documents)
    if first is None:
        return CodeStatus.NOT_RECORDED
    differ = bool(disputed(documents))
    if first.resuscitation is Resuscitation.ATTEMPT:
        return CodeStatus.FULL_CODE_DISPUTED if differ else CodeStatus.FULL_CODE
    return CodeStatus.DNR_DISPUTED if differ else CodeStatus.DNR


@also("ACP-01")
def ask_conflict(documents: Sequence[Standing], today: date) -> Finding | None:
    """A same-day task of the physician where documents in force differ; the most recent controls until then."""
    first, others = controlling(documents), disputed(documents)
    if first is None or not others:
        return None
    return found(
        "ACP-01", "Documents in force differ about resuscitation; the most recent controls.", due=today,
        owner="managing_physician", cure="The physician asks the patient, or who decides, and settles which holds.",
        facts={"task": "directives-differ", "controls": first.number, "differ": [one.number for one in others]},
    )  # fmt: skip


@also("ACP-01")
def ask_rights(soc: date, told: bool) -> Finding | None:
    """The patient is told of the right to make an advance directive at the start of care."""
    if told:
        return None
    return found(
        "ACP-01", "The patient is to be told of advance directives at the start of care.", due=soc,
        owner="case_manager", cure="Tell the patient, leave written material, and record it.",
        facts={"task": "tell-of-rights"},
    )  # fmt: skip
