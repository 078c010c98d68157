"""Which engine plans a problem: one for weeks of many rules, one for days whose visits shape each other's times.

Every word of `problem.py` that not all engines know is one row of `WORDS`, and the chooser reads nothing else. An
engine that learns a word adds itself to its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from coordinator.planner.problem import Break, LinkKind, Problem, ProblemError, Slot, Visit


class Engine(StrEnum):
    """Who searches."""

    CALENDAR = "calendar"
    """Slots of a week, each timed on its own; every rule of the calendar; at most one link for each visit."""
    OPERATIONS = "operations"
    """One day whose visits shape each other's times, and prices that belong to the whole plan."""


Where = Iterator[str]
"""The fields in which a word is used."""


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a problem may say and not every engine understands."""

    meaning: str
    used: Callable[[Problem], Where]
    engines: frozenset[Engine]


def _slots(use: Callable[[Slot], bool], name: str) -> Callable[[Problem], Where]:
    return lambda problem: (f"slots[{n}].{name}" for n, slot in enumerate(problem.slots) if use(slot))


def _visits(use: Callable[[Visit], bool], name: str) -> Callable[[Problem], Where]:
    return lambda problem: (f"visits[{n}].{name}" for n, visit in enumerate(problem.visits) if use(visit))


def _weight(name: str) -> Callable[[Problem], Where]:
    return lambda problem: iter([f"weights.{name}"] if getattr(problem.weights, name) else [])


def _touch(problem: Problem) -> Where:
    for name in ("patient_cost", "told_patient_cost", "clinician_cost"):
        if getattr(problem.touch, name):
            yield f"touch.{name}"
    if problem.touch.max_patients is not None:
        yield "touch.max_patients"


def _linked_twice(problem: Problem) -> Where:
    seen: set[int] = set()
    for number, link in enumerate(problem.links):
        if seen & {link.first, link.second}:
            yield f"links[{number}]"
        seen |= {link.first, link.second}


def _inverted(visit: Visit) -> bool:
    return any(w.latest_start < w.earliest_start for windows in visit.preferred.values() for w in windows)


def _pauses(use: Callable[[Break], bool]) -> Callable[[Problem], Where]:
    return _slots(lambda slot: any(use(pause) for pause in slot.breaks), "breaks")


def _all_of(name: str) -> Callable[[Problem], Where]:
    return lambda problem: iter([name] if getattr(problem, name) else [])


def _weekly(problem: Problem) -> Where:
    for number, person in enumerate(problem.clinicians):
        for name in ("week_overtime_after_minutes", "week_max_minutes", "fair_share_minutes"):
            if getattr(person, name) is not None:
                yield f"clinicians[{number}].{name}"


def _several_visits(problem: Problem) -> Where:
    linked = {frozenset((link.first, link.second)) for link in problem.links}
    mine: dict[str, list[int]] = {}
    for number, visit in enumerate(problem.visits):
        if any(frozenset((number, other)) not in linked for other in mine.get(visit.patient, ())):
            yield f"visits[{number}].patient"
        mine.setdefault(visit.patient, []).append(number)


CALENDAR = frozenset({Engine.CALENDAR})
OPERATIONS = frozenset({Engine.OPERATIONS})

WORDS: tuple[Word, ...] = (
    Word(
        "several preferred windows on one day",
        _visits(lambda v: any(len(windows) > 1 for windows in v.preferred.values()), "preferred"),
        OPERATIONS,
    ),
    Word("a preferred window that is always missed", _visits(_inverted, "preferred"), OPERATIONS),
    Word(
        "overtime from a minute of the day", _slots(lambda s: s.overtime_from is not None, "overtime_from"), OPERATIONS
    ),
    Word(
        "a day worked from the start of its shift",
        _slots(lambda s: s.leaves_at_shift_start, "leaves_at_shift_start"),
        OPERATIONS,
    ),
    Word(
        "breaks that may not split a drive",
        _slots(lambda s: any(not pause.splits_drive for pause in s.breaks), "breaks"),
        OPERATIONS,
    ),
    Word(
        "breaks owed on a day without visits",
        _slots(lambda s: any(pause.owed_after_minutes < 0 for pause in s.breaks), "breaks"),
        OPERATIONS,
    ),
    Word(
        "links without a relation in time",
        lambda problem: (f"links[{n}].kind" for n, link in enumerate(problem.links) if link.kind is LinkKind.BOTH),
        OPERATIONS,
    ),
    Word("a visit in several links", _linked_twice, OPERATIONS),
    Word("the worst lateness", _weight("worst_late_minute"), OPERATIONS),
    Word("the longest wait", _weight("longest_wait_minute"), CALENDAR),
    Word("the idlest shift", _weight("longest_idle_minute"), OPERATIONS),
    Word("an even share of the work", _weight("balance_minute"), OPERATIONS),
    Word(
        "a second step of overtime",
        lambda problem: (
            f"slots[{n}].doubletime_after_minutes"
            for n, slot in enumerate(problem.slots)
            if slot.doubletime_after_minutes is not None and problem.weights.doubletime_minute
        ),
        CALENDAR,
    ),
    Word("long waits priced apart", _weight("idle_gap_minute"), CALENDAR),
    Word("a seventh day of work", _all_of("seventh_days"), CALENDAR),
    Word(
        "a usual time of day",
        lambda problem: (
            f"regularities[{n}].cost_minute" for n, tie in enumerate(problem.regularities) if tie.cost_minute
        ),
        CALENDAR,
    ),
    Word(
        "patterns of days",
        lambda problem: (f"patterns[{n}]" for n, tie in enumerate(problem.patterns) if tie.visits),
        CALENDAR,
    ),
    Word("prices and a budget for patients touched", _touch, CALENDAR),
    Word("several days", lambda problem: iter(["days"] if len(problem.days) > 1 else []), CALENDAR),
    Word("visits without a place", _visits(lambda v: v.place is None, "place"), CALENDAR),
    Word("a price for coming early", _visits(lambda v: v.early_cost > 0, "early_cost"), CALENDAR),
    Word(
        "a price for another time of day",
        _visits(lambda v: v.current is not None and v.current.time_change_cost > 0 and not v.locked, "current"),
        CALENDAR,
    ),
    Word("several visits of a patient that are not linked", _several_visits, CALENDAR),
    Word(
        "overtime by worked minutes",
        _slots(lambda s: s.overtime_after_minutes is not None, "overtime_after_minutes"),
        CALENDAR,
    ),
    Word("a limit of worked minutes", _slots(lambda s: s.max_minutes is not None, "max_minutes"), CALENDAR),
    Word("time off in a shift", _slots(lambda s: bool(s.unavailable), "unavailable"), CALENDAR),
    Word("several breaks", _slots(lambda s: len(s.breaks) > 1, "breaks"), CALENDAR),
    Word("breaks that may split a drive", _pauses(lambda pause: pause.splits_drive), CALENDAR),
    Word("breaks that must be taken", _pauses(lambda pause: pause.skip_cost is None), CALENDAR),
    Word("breaks owed on long days only", _pauses(lambda pause: pause.owed_after_minutes > 0), CALENDAR),
    Word(
        "breaks in a day worked from the start of its shift",
        _slots(lambda s: s.leaves_at_shift_start and bool(s.breaks), "breaks"),
        CALENDAR,
    ),
    Word("minutes of a week", _weekly, CALENDAR),
    Word("spacing in days", _all_of("spacings"), CALENDAR),
    Word("visits a day", _all_of("daily_limits"), CALENDAR),
    Word("faces of a week", _all_of("faces_limits"), CALENDAR),
    Word("minutes of a group", _all_of("group_caps"), CALENDAR),
    Word("times when a patient is busy", _all_of("patient_busy"), CALENDAR),
)


def choose(problem: Problem) -> Engine:
    """The engine for this problem. Raises ProblemError, naming the field, when none knows all its words.

    Where several do, the calendar engine has it: it knows the rules of a week.
    """
    left = dict.fromkeys(Engine)
    for word in WORDS:
        field = next(word.used(problem), None)
        if field is None:
            continue
        remaining = {engine: None for engine in left if engine in word.engines}
        if not remaining:
            raise ProblemError(field, f"{word.meaning}: no engine plans this together with the rest")
        left = remaining
    return next(iter(left))
