"""Payment concepts that people want to see coming (PAY-01 to PAY-03). Information only.

Nothing of this reaches the planner: no visit is ever added, moved or kept to change what is paid. A test reads the
planning rooms for it.
"""

from dataclasses import dataclass
from datetime import date

from coordinator.domain.timeline import notice_of_admission_due
from coordinator.domain.vocabulary import Discipline, Payer, Programme, VisitKind
from coordinator.rules.case import is_medicare
from coordinator.rules.terms import Finding, Policy, Severity, found, rule

FAMILY = "payment"
#: Disciplines whose visits count towards a payment period; chaplain and practitioner do not.
COUNTED = frozenset({Discipline.SN, Discipline.PT, Discipline.OT, Discipline.SLP, Discipline.MSW, Discipline.HHA})


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """One payment period of 30 days. `made`: counted visits that were completed; `planned`: those still ahead.

    `threshold`: visits of the period's case-mix group; `None` while the group is not known.
    """

    number: int
    made: int
    planned: int
    threshold: int | None = None


def counts(discipline: Discipline, kind: VisitKind, *, telehealth: bool = False) -> bool:
    """Whether a completed visit counts towards the threshold: covered, in person, and not for supervision alone."""
    return discipline in COUNTED and kind is not VisitKind.SUPERVISION and not telehealth


@rule(
    "PAY-01",
    family=FAMILY,
    severity=Severity.WARN,
    citation="42 CFR 484.230(b)",
    verification="V",
    sentence="A period with fewer visits than its threshold is paid by the visit. Information only: never planned for.",
    sentence_zh="付款期內的探訪少於門檻時按次付款。此項只供參考，絕不據此安排探訪。",
    settings=("payment.lupa_minimum", "payment.lupa_maximum"),
    asked_on=("visit",),
)
def ask_lupa(period: PeriodFacts) -> Finding | None:
    """A forecast for the manager: what was made and what is planned together stay under the threshold.

    Equal to the threshold is not under it. Silent while the threshold is not known.
    """
    if period.threshold is None or period.made + period.planned >= period.threshold:
        return None
    return found(
        "PAY-01",
        "Period {number} is heading for payment by the visit: {visits} of {threshold} visits.",
        cure="None is called for: visits follow the patient's need and the orders.",
        number=period.number,
        visits=period.made + period.planned,
        threshold=period.threshold,
    )


@rule(
    "PAY-02",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.205(j)",
    verification="K",
    sentence="Medicare is told of an admission within five days; each day later costs a thirtieth of the payment.",
    sentence_zh="須於五日內通知聯邦醫療保險病人入院；每遲一日扣減三十分之一付款。",
    settings=("payment.late_notice_divisor", "payers.medicare"),
    asked_on=("visit",),
)
def ask_notice(
    programme: Programme, payer: Payer, soc: date, submitted_on: date | None, today: date, policy: Policy
) -> Finding | None:
    """The task while the notice is not in, and a flag with the days lost once it is late; none in time, or elsewhere.

    Start of care is day 0.
    """
    policy = policy.on(soc)
    if not is_medicare(programme, payer, policy, soc):
        return None
    due = notice_of_admission_due(soc)
    late = ((submitted_on or today) - due).days
    if submitted_on is not None and late <= 0:
        return None
    parts = policy.payment.late_notice_divisor
    return found(
        "PAY-02",
        "The notice of admission was due on {due_on}: {days} of {parts} parts of the payment are lost."
        if late > 0
        else "The notice of admission is due by {due_on}.",
        cure="Billing submits the notice of admission." if submitted_on is None else "",
        severity=Severity.WARN if submitted_on is not None else Severity.TASK,
        due=due if submitted_on is None else None,
        owner="billing" if submitted_on is None else "",
        due_on=due,
        days=min(max(late, 0), parts),
        parts=parts,
    )


@rule(
    "PAY-03",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Medicare Claims Processing Manual ch. 10, 40.2",
    verification="K",
    sentence="Time is billed in units of fifteen minutes, rounded to the nearest, at least one.",
    sentence_zh="時間以十五分鐘為一單位計費，四捨五入，最少一個單位。",
    settings=("payment.unit_minutes",),
    asked_on=("visit",),
)
def units(minutes: int, policy: Policy) -> int:
    """Billing units of a visit of so many minutes."""
    length = policy.payment.unit_minutes
    return max(1, (minutes + length // 2) // length)
