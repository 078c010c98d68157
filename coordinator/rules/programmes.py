"""A programme beside its payer, and beside the other programmes that a patient is enrolled in (rule book 0.5)."""

from collections.abc import Iterable
from datetime import date

from coordinator.domain.vocabulary import Payer, Programme
from coordinator.rules.facts import Enrolment, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "eligibility"
#: A disease by ICD-10-CM's category: C34.11 and C34.90 are one.
_CATEGORY = 3


@rule(
    "PRG-01",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Rule book 0.5",
    verification="D",
    sentence="A programme goes with the payers of its profile.",
    sentence_zh="每項計劃只配合其設定所列的付款人。",
    asked_on=("visit", "planning", "publication"),
)
def ask_payer(case: VisitCase, policy: Policy) -> Finding | None:
    """A warning where the episode's payer is none of the programme's; a patient who pays alone concerns no payer."""
    episode = case.episode
    payers = policy.profile(episode.programme, case.visit.day).payers
    if episode.payer in payers or episode.payer is Payer.SELF:
        return None
    return found(
        "PRG-01",
        "{programme} does not go with {payer}; it goes with {payers}.",
        cure="Intake corrects programme or payer, or the agency adds a programme of that payer.",
        programme=episode.programme,
        payer=episode.payer,
        payers=", ".join(sorted(payers)),
    )


@rule(
    "PRG-02",
    family=FAMILY,
    severity=Severity.WARN,
    citation="42 CFR 418.24(f); APL 18-020; rule book 0.5",
    verification="K",
    sentence="Hospice excludes other care of the terminal illness under the same payer; under 21 both go on together.",
    sentence_zh="選用寧養服務後，同一付款人不再支付末期病的其他護理；未滿二十一歲者可同時接受。",
    asked_on=("episode", "referral", "visit", "planning", "publication", "afterwards"),
)
def ask_exclusion(
    programme: Programme,
    day: date,
    enrolments: Iterable[Enrolment],
    birth_date: date | None,
    condition: str,
    policy: Policy,
) -> tuple[Finding, ...]:
    """A warning and a hold on the bill for each enrolment that stands in the way of `programme` on the day.

    `condition`: ICD-10-CM code that the programme treats. Where an exclusion is for the terminal condition alone,
    another disease is free, and one of which nothing is known is taken for the terminal one: care of it would be paid
    twice.
    """
    findings: list[Finding] = []
    for enrolment in enrolments:
        if not enrolment.holds_on(day) or enrolment.programme == programme:
            continue
        for exclusion in policy.profile(enrolment.programme, day).excludes:
            if exclusion.programme != programme or enrolment.payer not in exclusion.payers:
                continue
            if birth_date is not None and age_on(birth_date, day) < exclusion.from_age:
                continue
            if exclusion.terminal_condition_only and _is_another(condition, enrolment.condition):
                continue
            findings += _excluded(programme, enrolment, day)
    return tuple(findings)


def _excluded(programme: Programme, enrolment: Enrolment, day: date) -> tuple[Finding, ...]:
    return tuple(
        found(
            "PRG-02",
            "{other} paid by {payer} stands in the way of {programme} on {day}.",
            cure="Intake records when {other} ended, or that this care is for another illness.",
            severity=severity,
            other=enrolment.programme,
            payer=enrolment.payer,
            programme=programme,
            day=day,
        )
        for severity in (Severity.WARN, Severity.HOLD_BILL)
    )


def _is_another(condition: str, terminal: str) -> bool:
    """Whether both are known and of different categories."""
    return bool(condition and terminal) and condition[:_CATEGORY].upper() != terminal[:_CATEGORY].upper()


def age_on(birth_date: date, day: date) -> int:
    """Whole years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


@also("PRG-02")
def ask_concurrent(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """The same of one visit."""
    episode = case.episode
    return ask_exclusion(
        episode.programme, case.visit.day, episode.enrolments, episode.birth_date, episode.condition, policy
    )
