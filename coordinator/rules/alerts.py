"""What the practitioner is told the same day (VIS-02): a measure beyond the patient's own limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coordinator.domain.care import Measure
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "alerts"


@dataclass(frozen=True, slots=True)
class Limit:
    """From when on a measure of this patient is told."""

    low: float | None = None
    high: float | None = None
    rise: float | None = None
    rise_days: int | None = None


def on_duty(at: datetime, policy: Policy) -> str:
    """Who acts on what is told at this wall-clock time of the branch: the case manager, or the nurse on call."""
    policy = policy.on(at.date())
    opens, closes = policy.alerts.office_opens_at, policy.alerts.office_closes_at
    return "case_manager" if at.weekday() < 5 and opens <= at.hour < closes else "on_call_nurse"


@rule(
    "VIS-02",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.60(c)(1)",
    verification="K",
    sentence="A measure beyond the patient's own limits is told to the practitioner the same day.",
    settings=("alerts.symptom_from", "alerts.office_opens_at", "alerts.office_closes_at"),
    sentence_zh="病情變化超出該病人的界限時，當日告知執業者。",
    asked_on=("care",),
)
def ask_reading(
    measure: Measure, value: float, limit: Limit | None, at: datetime, policy: Policy,
    *, before: Sequence[tuple[date, float]] = (),
) -> tuple[Finding, ...]:  # fmt: skip
    """What a reading asks for. `at` is wall-clock time of the branch; `before`: earlier readings by day."""
    if limit is None:
        return ()
    crossed: list[tuple[str, float | None]] = []
    if limit.low is not None and value < limit.low:
        crossed.append(("below", limit.low))
    if limit.high is not None and value > limit.high:
        crossed.append(("above", limit.high))
    if limit.rise is not None and limit.rise_days is not None:
        since = at.date() - timedelta(days=limit.rise_days)
        lowest = min((other for day, other in before if since <= day <= at.date()), default=value)
        if value - lowest >= limit.rise:
            crossed.append(("rose by", limit.rise))
    return tuple(_alert(measure.value, how, least, at, policy) for how, least in crossed)


@also("VIS-02")
def ask_symptom_alert(
    ratings: Mapping[str, int], limit: Limit | None, at: datetime, policy: Policy
) -> tuple[Finding, ...]:
    """One alert for each symptom that reaches the patient's limit, or 7 where there is none of their own."""
    policy = policy.on(at.date())
    least = policy.alerts.symptom_from if limit is None or limit.high is None else limit.high
    return tuple(
        _alert(symptom, "reaches", least, at, policy) for symptom, rating in ratings.items() if rating >= least
    )  # fmt: skip


def _alert(what: str, how: str, least: float | None, at: datetime, policy: Policy) -> Finding:
    return found(
        "VIS-02", "{what} {how} the limit of {limit}.", due=at.date(), owner=on_duty(at, policy),
        cure="The nurse tells the practitioner today, who says whether the plan changes.", what=what, how=how,
        limit=least, facts={"task": "tell-of-change"},
    )  # fmt: skip
