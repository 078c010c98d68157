"""The words of the table of obligations: what is owed, as facts give rise to it, and the entry that finds it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from coordinator.rules.terms import Policy


@dataclass(frozen=True, slots=True)
class Asked:
    """The moment for which obligations are computed: the instant, the branch's day, and the numbers in force."""

    now: datetime
    today: date
    zone: ZoneInfo
    policy: Policy


@dataclass(frozen=True, slots=True)
class Owed:
    """One obligation that facts give rise to, on whatever day it is looked at.

    `opens_on`: it is in the book from that day; None, as soon as the facts are. `met`: the facts show that it was done,
    as a code of why it closes. `remind_on`: the days on which its owner is reminded. `counted_from`: the day that
    wound the clock. Facts are codes, ids and ISO days.
    """

    subject: str
    due_on: date
    patient_id: int | None = None
    due_at: datetime | None = None
    opens_on: date | None = None
    remind_on: Sequence[date] = ()
    met: str | None = None
    counted_from: date | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obligation:
    """One entry of the table: a kind of obligation.

    `cases` reads what `owed` needs, for a whole branch or for some of its patients, in a few queries; `owed` computes
    due days from it and knows neither database nor clock. `asked_by`: events after which it is looked at again at once
    for their patient; the daily sweep asks all.

    Where a row is in the book and the facts ask for it no more, it is superseded, with exceptions. `renewed`: a later
    due day of the same subject means that it was done, for that reason (a clock wound again). `gone` answers which
    of some subjects were done, and why. And an incident `stays` until a person closes it.

    `once`: when a person has said of the subject that it is done, or waived it, a due day that moves asks no more.
    """

    rule: str
    task: str
    owner: str
    cases: Callable[[Any], Iterable[Any]]
    owed: Callable[[Any, Asked], Iterable[Owed]]
    asked_by: tuple[type, ...] = ()
    renewed: str | None = None
    gone: Callable[[Any, Sequence[str]], Mapping[str, str]] | None = None
    once: bool = False
    stays: bool = False
    #: Asked for each clinician of a branch, not for each patient.
    of_staff: bool = False
