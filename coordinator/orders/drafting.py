"""Writing a draft: the notation is read, days are filled in, and what cannot be meant is refused by name."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from coordinator.core.errors import Invalid
from coordinator.core.work import Work
from coordinator.domain.frequency import Frequency, expand, parse
from coordinator.domain.timeline import CERTIFICATION_DAYS
from coordinator.domain.vocabulary import Discipline
from coordinator.orders.facts import certification_of
from coordinator.orders.model import Order
from coordinator.orders.plans import require_physician
from coordinator.patients.model import Episode
from coordinator.rules.frequencies import ask_text

#: Minutes in the home, where the order does not say: an average of the trade, to be set per order.
VISIT_MINUTES: dict[Discipline, int] = {
    Discipline.SN: 45, Discipline.PT: 45, Discipline.OT: 45, Discipline.SLP: 45, Discipline.MSW: 60,
    Discipline.HHA: 60, Discipline.CHAP: 45, Discipline.MDV: 60,
}  # fmt: skip
#: Shortest and longest visit that can be meant, in minutes; the database holds visits to the same.
SHORTEST, LONGEST = 5, 720
_TEXT_COLUMN = 400

#: What is written into a draft and may be rewritten while it is one.
CONTENT = frozenset(
    {
        "frequency_text", "evaluate_and_treat", "effective_from", "effective_to", "physician_id", "treatments",
        "required_skills", "goals_text", "visit_minutes", "visits_per_day", "two_person", "taper_plan",
        "daily_nursing_ends_on", "daily_insulin", "replaces_id",
    }
)  # fmt: skip
#: What a redraft takes over from the order that it replaces.
COPIED = (
    "patient_id", "episode_id", "care_plan_id", "physician_id", "discipline", "frequency_text", "frequency",
    "evaluate_and_treat", "effective_from", "effective_to", "certification_number", "goals_text", "prn_limit",
    "prn_signs", "visit_minutes", "visits_per_day", "two_person", "taper_plan", "daily_nursing_ends_on",
    "daily_insulin", "drafted_by_id", "demo",
)  # fmt: skip


def read_frequency(text: str, discipline: Discipline, effective_from: date) -> Frequency:
    """The frequency without discipline and date, which the order says itself; Invalid at /frequency if unreadable."""
    unreadable = ask_text(text)
    if unreadable is not None:
        raise Invalid(
            f"{unreadable.sentence()} {unreadable.cure_sentence()}",
            pointer="/frequency",
            rule=unreadable.rule,
            position=unreadable.facts["position"],
            reason=unreadable.facts["code"],
        )
    frequency = parse(text)
    if frequency.discipline is not None and frequency.discipline is not discipline:
        raise Invalid(
            f"The frequency says {frequency.discipline}, and the order is for {discipline}.", pointer="/frequency"
        )
    if frequency.effective_from is not None and frequency.effective_from != effective_from:
        raise Invalid(
            f"The frequency takes effect on {frequency.effective_from}, and the order on {effective_from}.",
            pointer="/frequency",
        )
    return replace(frequency, discipline=None, effective_from=None)


def fill(work: Work, order: Order, episode: Episode, given: Mapping[str, Any]) -> None:
    """Write what is given into the draft, and what follows from it: canonical text, as-needed limit, days, minutes."""
    for name, value in given.items():
        if name not in CONTENT:
            raise Invalid(f"{name} is not part of an order's text.", pointer=f"/{name}")
        setattr(order, name, value)
    if "physician_id" in given:
        require_physician(work, order.physician_id, "/physician_id")
    _days(order, episode, given)
    _frequency(order)
    order.visit_minutes = order.visit_minutes or VISIT_MINUTES[order.discipline]
    if not SHORTEST <= order.visit_minutes <= LONGEST:
        raise Invalid(f"A visit lasts from {SHORTEST} to {LONGEST} minutes.", pointer="/visit_minutes")
    order.treatments = [str(item) for item in order.treatments or ()]
    order.required_skills = sorted({str(item) for item in order.required_skills or ()})


def _frequency(order: Order) -> None:
    if order.evaluate_and_treat and order.frequency_text is not None:
        raise Invalid(
            "Evaluate-and-treat allows one evaluation and carries no frequency. Write that order after it.",
            pointer="/frequency",
        )
    order.frequency, order.prn_limit, order.prn_signs = None, 0, None
    if order.frequency_text is None:
        return
    if len(order.frequency_text) > _TEXT_COLUMN:
        raise Invalid(f"A frequency has at most {_TEXT_COLUMN} characters.", pointer="/frequency")
    frequency = read_frequency(order.frequency_text, order.discipline, order.effective_from)
    order.frequency = frequency.render()
    if len(order.frequency) > _TEXT_COLUMN:
        raise Invalid("The frequency is too long; shorten the symptoms of its as-needed lines.", pointer="/frequency")
    order.prn_limit = frequency.prn_total
    order.prn_signs = "; ".join(line.reason for line in frequency.prn) or None
    daily = max((week.per_day for week in expand(frequency, order.effective_from).weeks), default=1)
    order.visits_per_day = max(order.visits_per_day, daily)


def _days(order: Order, episode: Episode, given: Mapping[str, Any]) -> None:
    """First and last day: by default to the end of the certification period, which no order outlives (FRQ-02)."""
    number, end = certification_of(episode, order.effective_from)
    order.certification_number = number
    longest = end or order.effective_from + timedelta(days=CERTIFICATION_DAYS - 1)
    moved = "effective_from" in given and "effective_to" not in given
    if order.effective_to is None or (moved and not order.effective_from <= order.effective_to <= longest):
        order.effective_to = longest
    if order.effective_to < order.effective_from:
        raise Invalid("The order would end before it takes effect.", pointer="/effective_to")
    if order.effective_to > longest:
        raise Invalid(
            f"The certification period ends on {longest}; no order goes past it. Write an order for the next period.",
            pointer="/effective_to",
            rule="FRQ-02",
            certification_end=longest.isoformat(),
        )
