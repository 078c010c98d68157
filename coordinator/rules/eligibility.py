"""Who may be cared for under a programme (ELG-00 to ELG-8), and the homebound test (HB-01 to HB-03).

The determinations (`member`, `willing`, ...) answer one criterion each; `evaluate` joins them; the functions that take
a `VisitCase` say what the answer means for one visit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from coordinator.domain.timeline import HolidayCalendar, add_business_days
from coordinator.domain.vocabulary import (
    Criterion,
    Determination,
    Eligibility,
    HomeSafety,
    Payer,
    PractitionerType,
    Programme,
    VisitKind,
)
from coordinator.rules.facts import Absence, Coverage, HomeboundFacts, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "eligibility"


#: The criteria in words.
CRITERION_WORDS = {
    Criterion.MEMBER: "membership",
    Criterion.CONDITION_NEED_DESIRE: "condition, need and wish for care at home",
    Criterion.WILLING: "willingness of patient and caregivers",
    Criterion.HOMEBOUND: "homebound status",
    Criterion.SERVICE_AREA: "care address in the service area",
    Criterion.SAFE_HOME: "safety of the home",
    Criterion.REFERRED: "referral by a physician of the patient",
    Criterion.DIRECTED: "direction of all care by a physician of the plan",
}


def criterion_name(criterion: Criterion) -> str:
    """The criterion in words, with its number: "membership (ELG-1)"."""
    return f"{CRITERION_WORDS[criterion]} ({criterion.value})"


def _first_capital(words: str) -> str:
    return words[:1].upper() + words[1:]


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


def _all(parts: Iterable[bool | None]) -> Determination:
    """Met when every part is true, not met when any is false, else unknown."""
    answers = tuple(parts)
    if any(part is False for part in answers):
        return Determination.NOT_MET
    return Determination.MET if all(part is True for part in answers) else Determination.UNKNOWN


# ------------------------------------------------------------------------------------ the engine


@rule(
    "ELG-00",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: eight criteria, all must hold",
    verification="P",
    sentence="A patient is eligible only when every criterion of the programme is met.",
    sentence_zh="病人須符合計劃的每一項條件才合資格。",
    settings=("eligibility.lost_criterion_business_days",),
    asked_on=("referral", "promise", "visit", "check-in", "planning", "publication", "question"),
)
def evaluate(
    determinations: Mapping[Criterion, Determination], criteria: tuple[Criterion, ...] = tuple(Criterion)
) -> EligibilityAnswer:
    """All criteria as a conjunction; one that was not determined is unknown."""
    answers = {criterion: determinations.get(criterion, Determination.UNKNOWN) for criterion in criteria}
    not_met = tuple(criterion for criterion, answer in answers.items() if answer is Determination.NOT_MET)
    unknown = tuple(criterion for criterion, answer in answers.items() if answer is Determination.UNKNOWN)
    if not_met:
        return EligibilityAnswer(Eligibility.INELIGIBLE, not_met, unknown)
    return EligibilityAnswer(Eligibility.PENDING if unknown else Eligibility.ELIGIBLE, not_met, unknown)


@also("ELG-00")
def ask_eligible(case: VisitCase, policy: Policy) -> Finding | None:
    """Before admission only the initial visit may be made while criteria are open, and none when one is not met.

    After admission an open criterion is a warning: discharge has rules of its own (DIS-01).
    """
    patient = case.patient
    asks = bool(policy.profile(case.episode.programme, case.visit.day).criteria)
    if patient.eligibility is Eligibility.ELIGIBLE or not asks:
        return None
    if not patient.admitted and patient.eligibility is Eligibility.PENDING and case.visit.kind is VisitKind.INITIAL:
        return None
    message = (
        "The patient is not eligible. Not met or not known: {criteria}."
        if patient.eligibility is Eligibility.INELIGIBLE
        else "Eligibility is not settled yet. Not known: {criteria}."
    )
    return found(
        "ELG-00",
        message,
        cure="Intake records the evidence; until then only the initial assessment visit may be scheduled.",
        severity=Severity.WARN if patient.admitted else Severity.BLOCK,
        criteria=", ".join(map(criterion_name, patient.open_criteria)) or "one criterion or more",
        facts={"eligibility": patient.eligibility, "admitted": patient.admitted, "kind": case.visit.kind},
    )


@also("ELG-00")
def ask_admission(answer: EligibilityAnswer) -> tuple[Finding, ...]:
    """Why the patient may not be admitted: one finding for each criterion in the way, under that criterion's own id."""
    return tuple(
        found(
            criterion.value,
            "{name} is not met." if criterion in answer.not_met else "{name} is not known.",
            cure="Intake records the evidence for {criterion}.",
            severity=Severity.BLOCK,
            criterion=criterion.value,
            name=_first_capital(criterion_name(criterion)),
        )
        for criterion in answer.open_criteria
    )


@also("ELG-00")
def criterion_lost(criterion: Criterion, noticed_on: date, policy: Policy) -> Finding:
    """A criterion that stops being met after admission is a task for the clinical manager, not a cancellation."""
    policy = policy.on(noticed_on)
    days = policy.eligibility.lost_criterion_business_days
    due = add_business_days(noticed_on, days, HolidayCalendar.CA_STATE)
    return found(
        "ELG-00",
        "{name} is no longer met since {noticed_on}; visits stand until the clinical manager decides.",
        severity=Severity.TASK,
        due=due,
        owner="clinical_manager",
        criterion=criterion.value,
        name=_first_capital(criterion_name(criterion)),
        noticed_on=noticed_on,
    )


# ------------------------------------------------------------------------------------ the eight criteria


def covered_on(coverage: Iterable[Coverage], payer: Payer, day: date) -> bool:
    """Whether any period of `payer` holds `day`; both bounds count."""
    return any(
        period.payer is payer and period.first_day <= day and (period.last_day is None or day <= period.last_day)
        for period in coverage
    )


@rule(
    "ELG-1",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="Programme page: member of the health plan",
    verification="P",
    sentence="Coverage must be active on each visit date.",
    sentence_zh="每次探訪當日，保險都須有效。",
    asked_on=("referral", "promise", "visit", "check-in", "planning", "publication", "question"),
)
def member(coverage: tuple[Coverage, ...] | None, day: date) -> Determination:
    """Whether the patient is a member on `day`; unknown while no coverage is recorded."""
    return _all((None if coverage is None else covered_on(coverage, Payer.KP, day),))


@also("ELG-1")
def ask_covered(case: VisitCase, policy: Policy) -> Finding | None:
    """A visit on a day without coverage is refused unless the cost is settled; unrecorded coverage is a warning."""
    coverage, day = case.patient.coverage, case.visit.day
    payer = case.episode.payer
    payers = policy.profile(case.episode.programme, day).payers
    if payer not in payers and len(payers) == 1:
        # A programme of one payer is open to its members alone, whoever pays for the episode besides.
        (payer,) = payers
    if payer is Payer.SELF:
        return None
    if coverage is None:
        return found(
            "ELG-1",
            "Coverage has not been recorded.",
            cure="Intake verifies coverage with {payer}.",
            severity=Severity.WARN,
            payer=payer,
            day=day,
        )
    for period in coverage:
        if period.payer is payer and period.first_day <= day and (period.last_day is None or day <= period.last_day):
            return None
    return found(
        "ELG-1",
        "Coverage by {payer} is not active on {day}.",
        cure="Intake verifies coverage for {day}, or the clinical manager records who pays.",
        payer=payer,
        day=day,
    )


@rule(
    "ELG-2",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: progressive and advanced condition, symptom need, wish for care at home",
    verification="P",
    sentence="Diagnosis, need for help with symptoms, and wish for care at home must all hold.",
    sentence_zh="診斷、症狀需要協助及希望在家接受照護，三者須同時成立。",
    asked_on=("referral",),
)
def condition_need_desire(
    progressive_advanced: bool | None, symptom_needs: tuple[str, ...] | None, desires_home_care: bool | None
) -> Determination:
    """Three parts, each stored by itself; `symptom_needs` `None` means not asked, empty means none."""
    return _all((progressive_advanced, None if symptom_needs is None else bool(symptom_needs), desires_home_care))


@rule(
    "ELG-3",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: patient and caregivers are willing participants",
    verification="P",
    sentence="The patient and every named participating caregiver must be willing.",
    sentence_zh="病人及每位列名參與的照護者都須願意參與。",
    asked_on=("referral",),
)
def willing(patient: bool | None, caregivers: tuple[bool | None, ...] = ()) -> Determination:
    """Without caregivers the patient alone decides (and home safety is looked at again)."""
    return _all((patient, *caregivers))


@rule(
    "ELG-4",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: homebound, and a physician certifies it; 42 CFR 424.22(a)(1)(i)",
    verification="P",
    sentence="The patient must be homebound and a physician must certify it, at least verbally.",
    sentence_zh="病人須難以離家，並由醫生核證，至少是口頭核證。",
    asked_on=("referral",),
)
def homebound_certified(homebound_answer: Determination, certified: bool | None) -> Determination:
    """Met for scheduling when HB-01 holds and certification is recorded, verbally or signed."""
    if homebound_answer is Determination.NOT_MET:
        return Determination.NOT_MET
    return _all((homebound_answer is Determination.MET or None, certified))


@also("ELG-4")
def ask_homebound_signature(certified_verbally: bool, signed: bool) -> Finding | None:
    """A homebound certification that is only verbal holds the bill; care goes on."""
    if signed or not certified_verbally:
        return None
    return found(
        "ELG-4",
        "The homebound certification is verbal and not yet signed.",
        cure="The certifying physician signs the certification.",
        severity=Severity.HOLD_BILL,
    )


@rule(
    "ELG-5",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: the home where care is given is in the service area",
    verification="P",
    sentence="The care address must lie in the service area; the patient's own home does not matter.",
    sentence_zh="接受照護的地址須在服務範圍內；病人自己的住所在哪裡並不影響。",
    asked_on=("referral", "promise", "visit", "check-in", "planning", "publication", "question"),
)
def service_area(care_address_in_area: bool | None) -> Determination:
    """Where care is given decides, not where the patient is registered."""
    return _all((care_address_in_area,))


@also("ELG-5")
def ask_in_area(case: VisitCase, policy: Policy) -> Finding | None:
    """A visit outside the service area is refused; an unchecked address is a warning."""
    in_area = case.patient.address_in_area
    if in_area or not policy.profile(case.episode.programme, case.visit.day).criteria:
        return None
    if in_area is None:
        return found(
            "ELG-5",
            "The care address has not been checked against the service area.",
            cure="Intake checks the care address.",
            severity=Severity.WARN,
        )
    return found(
        "ELG-5",
        "The care address is outside the service area.",
        cure="Intake records another care address inside the area, or refers to an agency there.",
    )


@rule(
    "ELG-6",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="Programme page: services can be given safely and effectively in the home",
    verification="P",
    sentence="The home must be safe, if need be with every mitigation done.",
    sentence_zh="家中環境須安全；如有風險，每項改善措施都須完成。",
    asked_on=("referral", "promise", "visit", "check-in", "planning", "publication", "question"),
)
def safe_home(result: HomeSafety, mitigations_done: bool) -> Determination:
    """Safe, or safe with all mitigations done; unknown until assessed."""
    if result is HomeSafety.NOT_ASSESSED:
        return Determination.UNKNOWN
    safe = result is HomeSafety.SAFE or (result is HomeSafety.SAFE_WITH_MITIGATION and mitigations_done)
    return Determination.MET if safe else Determination.NOT_MET


@also("ELG-6")
def ask_safe(case: VisitCase) -> Finding | None:
    """An unsafe home is refused unless the clinical manager decides; open mitigations are a warning."""
    safety = case.patient.home_safety
    if safety is HomeSafety.UNSAFE:
        return found(
            "ELG-6",
            "The home is assessed as unsafe.",
            cure="The clinical manager allows the visit with a reason, and two people go.",
            home_safety=safety,
        )
    if safety is HomeSafety.SAFE_WITH_MITIGATION and not case.patient.mitigations_done:
        return found(
            "ELG-6",
            "The home is safe only with mitigations that are not all done.",
            cure="The nurse records the mitigations as done.",
            severity=Severity.WARN,
            home_safety=safety,
        )
    return None


@rule(
    "ELG-7",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: your physician has referred you",
    verification="P",
    sentence="The referrer must be a physician of the patient.",
    sentence_zh="轉介人須是該病人的醫生。",
    asked_on=("referral",),
)
def referred(
    referrer: PractitionerType | None, programme: Programme, policy: Policy, day: date | None = None
) -> Determination:
    """Whether the referrer's credential is one that the programme accepts; unknown while not recorded."""
    allowed = policy.profile(programme, day).referrers()
    return _all((None if referrer is None else not allowed or referrer in allowed,))


@rule(
    "ELG-8",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: all care under the direction of a physician of the health plan",
    verification="P",
    sentence="A physician of the plan directs all care, and no order of another practitioner is active.",
    sentence_zh="所有照護由計劃的醫生主導，沒有其他執業者的生效醫囑。",
    asked_on=("referral",),
)
def directed(managing_physician: bool | None, affiliated: bool | None, outside_orders: int = 0) -> Determination:
    """`managing_physician`: present and active. `outside_orders`: active orders of practitioners outside the plan."""
    return _all((managing_physician, affiliated, outside_orders == 0))


@also("ELG-8")
def ask_outside_orders(outside_orders: int, today: date) -> tuple[Finding, ...]:
    """An active outside order is a warning and a task for intake, the same day."""
    if not outside_orders:
        return ()
    return tuple(
        found(
            "ELG-8",
            "{outside_orders} active order(s) of practitioners outside the plan.",
            cure="Intake asks the managing physician to take the order over.",
            severity=severity,
            due=due,
            owner=owner,
            outside_orders=outside_orders,
        )
        for severity, due, owner in ((Severity.WARN, None, ""), (Severity.TASK, today, "intake"))
    )


# ------------------------------------------------------------------------------------ homebound


#: Leaves of the first criterion: any one of them will do.
_CRITERION_ONE = (
    "needs_supportive_device",
    "needs_special_transport",
    "needs_another_person",
    "leaving_medically_contraindicated",
)
#: Leaves of the second criterion: both are needed.
_CRITERION_TWO = ("normal_inability_to_leave", "considerable_and_taxing_effort")


@rule(
    "HB-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Medicare Benefit Policy Manual ch. 7, 30.1.1; Social Security Act 1814(a), 1835(a)",
    verification="V",
    sentence="Homebound: one of four causes, and both a normal inability to leave and a taxing effort.",
    sentence_zh="難以離家須有四種原因之一，並且通常無法離家，離家又相當費力。",
    asked_on=("referral",),
)
def homebound(facts: HomeboundFacts) -> Determination:
    """Whether the patient is confined to the home; unknown when it would be, had every leaf its narrative.

    A bare check box is no evidence.
    """

    def claimed(leaf: str) -> bool:
        return bool(getattr(facts, leaf))

    def told(leaf: str) -> bool:
        return claimed(leaf) and bool(facts.narratives.get(leaf, "").strip())

    if not (any(map(claimed, _CRITERION_ONE)) and all(map(claimed, _CRITERION_TWO))):
        return Determination.NOT_MET
    if any(map(told, _CRITERION_ONE)) and all(map(told, _CRITERION_TWO)):
        return Determination.MET
    return Determination.UNKNOWN


@rule(
    "HB-02",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Medicare Benefit Policy Manual ch. 7, 30.1.1",
    verification="V",
    sentence="Absences do not end homebound status by their number; a pattern without effort is looked at.",
    sentence_zh="外出次數本身不會使病人失去難以離家的資格；若經常毫不費力地外出，則須再作檢視。",
    asked_on=("episode",),
)
def ask_absences(absences: Iterable[Absence], today: date) -> tuple[Finding, ...]:
    """A warning and a review task when somebody goes out without effort for other than care or worship.

    Never counts: there is no numeric limit. Absences that are effortful, or for health care or religion, say nothing.
    """
    days = tuple(
        absence.day
        for absence in absences
        if absence.purpose not in ("HEALTH_CARE", "RELIGIOUS") and not absence.taxing_effort
    )
    if len(days) < 2:
        # One outing is no pattern.
        return ()
    return tuple(
        found(
            "HB-02",
            "The patient goes out without taxing effort; last on {last}. Review whether the patient is homebound.",
            cure="The nurse reviews the homebound test with the certifying practitioner.",
            severity=severity,
            due=due,
            owner=owner,
            last=max(days),
            facts={"days": days},
        )
        for severity, due, owner in ((Severity.WARN, None, ""), (Severity.TASK, today, "case_manager"))
    )
