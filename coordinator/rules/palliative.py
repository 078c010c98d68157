"""Medi-Cal palliative care (SB 1004): who may have it, as a hint to the team (SB-01)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from coordinator.domain.vocabulary import Determination, Programme
from coordinator.rules.policy import PalliativeThresholds
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "palliative"
#: What an authorisation of the service is asked for with (rule book 21.1).
DIAGNOSIS, PROCEDURE = "Z51.5", "S0311"


class Disease(StrEnum):
    """The four diseases that have criteria of their own."""

    HEART_FAILURE = "heart_failure"
    COPD = "copd"
    CANCER = "cancer"
    LIVER = "liver"


@dataclass(frozen=True, slots=True)
class ScreeningFacts:
    """What was found; `None`: not known. Albumin in g/dl, oxygen in litres a minute over 24 hours, the rest in percent.

    The first seven are the general criteria; `failed_lines` are lines of standard therapy; `nyha` is 1 to 4. The last
    two are the broader criteria under 21.
    """

    uses_hospital: bool | None = None
    advanced_with_decline: bool | None = None
    not_in_hospice: bool | None = None
    death_within_year_no_surprise: bool | None = None
    had_appropriate_therapy: bool | None = None
    not_in_reversible_crisis: bool | None = None
    agrees_to_home_and_planning: bool | None = None
    heart_admission_no_intervention: bool | None = None
    #: Admissions for heart failure within the months that the plan names.
    heart_admissions: int | None = None
    nyha: int | None = None
    ejection_fraction: float | None = None
    significant_comorbidity: bool | None = None
    fev1_percent: float | None = None
    oxygen_litres: float | None = None
    stage_3_or_4: bool | None = None
    karnofsky: int | None = None
    failed_lines: int | None = None
    irreversible_liver_damage: bool | None = None
    albumin: float | None = None
    inr: float | None = None
    #: Ascites, peritonitis, encephalopathy, hepatorenal syndrome or recurrent varices.
    liver_complication: bool | None = None
    meld: int | None = None
    #: A diagnosis that threatens life is documented: one whose cure may fail, that needs long intensive treatment, that
    #: progresses without cure, or a severe disability that leaves the patient extremely vulnerable.
    life_threatening: bool | None = None
    #: The family, or the legal guardian, agrees to palliative care for the child.
    family_agrees: bool | None = None


GENERAL = tuple(item.name for item in fields(ScreeningFacts))[:7]
#: What is asked of who is under 21, beside or instead of all others.
CHILDREN = ("life_threatening", "family_agrees")


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer, of the general criteria and of each disease; `unknown` are the facts that could still decide.

    `children`: of the broader criteria under 21; None from 21 on.
    """

    answer: Determination
    general: Determination
    diseases: Mapping[Disease, Determination]
    unknown: tuple[str, ...]
    children: Determination | None = None


# ------------------------------------------------------------------------------------ three values


def _every(parts: Iterable[bool | None]) -> bool | None:
    answers = tuple(parts)
    return False if False in answers else None if None in answers else True


def _any(parts: Iterable[bool | None]) -> bool | None:
    answers = tuple(parts)
    return True if True in answers else None if None in answers else False


def _said(value: bool | None) -> Determination:
    return Determination.UNKNOWN if value is None else Determination.MET if value else Determination.NOT_MET


def _below(value: float | None, limit: float) -> bool | None:
    return None if value is None else value < limit


def _from(value: float | None, limit: float) -> bool | None:
    return None if value is None else value >= limit


# ------------------------------------------------------------------------------------ the four diseases


def _heart(facts: ScreeningFacts, limits: PalliativeThresholds) -> bool | None:
    admitted = (
        _from(facts.heart_admissions, limits.heart_admissions)
        if limits.heart_admissions
        else facts.heart_admission_no_intervention
    )
    return _every(
        (
            _any((admitted, _from(facts.nyha, limits.nyha_from))),
            _any((_below(facts.ejection_fraction, limits.ejection_fraction_below), facts.significant_comorbidity)),
        )
    )


def _lungs(facts: ScreeningFacts, limits: PalliativeThresholds) -> bool | None:
    oxygen = facts.oxygen_litres
    return _any(
        (
            _every((_below(facts.fev1_percent, limits.fev1_below), _below(oxygen, limits.oxygen_litres))),
            _from(oxygen, limits.oxygen_litres),
        )
    )


def _cancer(facts: ScreeningFacts, limits: PalliativeThresholds) -> bool | None:
    frail = None if facts.karnofsky is None else facts.karnofsky <= limits.karnofsky_to
    return _every((facts.stage_3_or_4, _any((frail, _from(facts.failed_lines, limits.failed_lines)))))


def _liver(facts: ScreeningFacts, limits: PalliativeThresholds) -> bool | None:
    above_inr = None if facts.inr is None else facts.inr * 10 > limits.inr_tenths_above
    above_meld = None if facts.meld is None else facts.meld > limits.meld_above
    failing = _every((_below(facts.albumin, limits.albumin_tenths_below / 10), above_inr, facts.liver_complication))
    return _every((facts.irreversible_liver_damage, _any((failing, above_meld))))


_DISEASES = {
    Disease.HEART_FAILURE: _heart,
    Disease.COPD: _lungs,
    Disease.CANCER: _cancer,
    Disease.LIVER: _liver,
}


def limits_of(plan: str, policy: Policy) -> PalliativeThresholds:
    """The thresholds of the managed care plan, where it has some of its own; the state's otherwise."""
    return policy.palliative.plans.get(plan, policy.palliative.thresholds)


@rule(
    "SB-01",
    family=FAMILY,
    severity=Severity.WARN,
    citation="W&I 14132.75; DHCS APL 18-020; 42 USC 1396d(r)",
    verification="V",
    sentence="Medi-Cal palliative care is for who meets all general and one disease's criteria; under 21 for more.",
    sentence_zh="加州醫療補助紓緩護理須符合全部一般條件及最少一種疾病的條件；未滿二十一歲者條件較寬。",
    settings=("palliative.thresholds", "palliative.plans", "palliative.adult_age"),
    asked_on=("record",),
)
def screen(facts: ScreeningFacts, plan: str, age: int, policy: Policy) -> Screening:
    """All general criteria and one disease's, or under 21 the broader ones of EPSDT: a diagnosis that threatens life,
    and a family that agrees. Care that cures, and hospice, may go on beside it there.
    """
    limits = limits_of(plan, policy)
    general = _every(getattr(facts, name) for name in GENERAL)
    diseases = {disease: ask(facts, limits) for disease, ask in _DISEASES.items()}
    young = age < policy.palliative.adult_age
    children = _every(getattr(facts, name) for name in CHILDREN) if young else None
    answer = _every((general, _any(diseases.values())))
    if young:
        answer = _any((answer, children))
    asked = (item.name for item in fields(ScreeningFacts) if young or item.name not in CHILDREN)
    unknown = tuple(name for name in asked if getattr(facts, name) is None)
    return Screening(
        _said(answer),
        _said(general),
        {disease: _said(value) for disease, value in diseases.items()},
        unknown if answer is None else (),
        _said(children) if young else None,
    )


@also("SB-01")
def ask_screening(screening: Screening) -> Finding:
    """What the team is told: an advice, never a refusal, since it is about another programme."""
    met = [disease.value for disease, answer in screening.diseases.items() if answer is Determination.MET]
    if screening.general is not Determination.MET and screening.children is Determination.MET:
        met = ["children's criteria"]
    if screening.answer is Determination.MET:
        return found(
            "SB-01",
            "The patient meets the criteria of Medi-Cal palliative care: {diseases}.",
            cure="Intake refers the patient to the plan's palliative care, with diagnosis {diagnosis} and {procedure}.",
            diseases=", ".join(met),
            diagnosis=DIAGNOSIS,
            procedure=PROCEDURE,
            facts={"answer": screening.answer, "suggests": Programme.MEDI_CAL_PC},
        )
    if screening.answer is Determination.UNKNOWN:
        return found(
            "SB-01",
            "Whether the patient may have Medi-Cal palliative care is not known yet. Not known: {unknown}.",
            cure="The team finds out what is not known.",
            unknown=", ".join(screening.unknown),
            facts={"answer": screening.answer},
        )
    return found(
        "SB-01",
        "The patient does not meet the criteria of Medi-Cal palliative care.",
        cure="Screen again when the illness has changed.",
        facts={"answer": screening.answer, "general": screening.general},
    )
