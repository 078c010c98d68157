"""Which engine plans a problem: one for weeks of many rules, one for days whose visits shape each other's times.

Every word of `problem.py` that not all engines know is one row of `WORDS`, and the chooser reads nothing else. An
engine that learns a word adds itself to its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from coordinator.planner.problem import LinkKind, Problem, ProblemError, Slot, Visit


class Engine(StrEnum):
    """Who searches."""

    CALENDAR = "calendar"
    """Slots of a week, each timed on its own; every rule of the calendar; at most one link for each visit."""


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


NOBODY: frozenset[Engine] = frozenset()

WORDS: tuple[Word, ...] = (
    Word(
        "several preferred windows on one day",
        _visits(lambda v: any(len(windows) > 1 for windows in v.preferred.values()), "preferred"),
        NOBODY,
    ),
    Word("a preferred window that is always missed", _visits(_inverted, "preferred"), NOBODY),
    Word("overtime from a minute of the day", _slots(lambda s: s.overtime_from is not None, "overtime_from"), NOBODY),
    Word(
        "a day worked from the start of its shift",
        _slots(lambda s: s.leaves_at_shift_start, "leaves_at_shift_start"),
        NOBODY,
    ),
    Word(
        "breaks that may not split a drive",
        _slots(lambda s: any(not pause.splits_drive for pause in s.breaks), "breaks"),
        NOBODY,
    ),
    Word(
        "breaks owed on a day without visits",
        _slots(lambda s: any(pause.owed_after_minutes < 0 for pause in s.breaks), "breaks"),
        NOBODY,
    ),
    Word(
        "links without a relation in time",
        lambda problem: (f"links[{n}].kind" for n, link in enumerate(problem.links) if link.kind is LinkKind.BOTH),
        NOBODY,
    ),
    Word("a visit in several links", _linked_twice, NOBODY),
    Word("the worst lateness", _weight("worst_late_minute"), NOBODY),
    Word("the longest wait", _weight("longest_wait_minute"), NOBODY),
    Word("the idlest shift", _weight("longest_idle_minute"), NOBODY),
    Word("an even share of the work", _weight("balance_minute"), NOBODY),
    Word(
        "a second step of overtime",
        lambda problem: (
            f"slots[{n}].doubletime_after_minutes"
            for n, slot in enumerate(problem.slots)
            if slot.doubletime_after_minutes is not None and problem.weights.doubletime_minute
        ),
        NOBODY,
    ),
    Word("long waits priced apart", _weight("idle_gap_minute"), NOBODY),
    Word(
        "a usual time of day",
        lambda problem: (
            f"regularities[{n}].cost_minute" for n, tie in enumerate(problem.regularities) if tie.cost_minute
        ),
        NOBODY,
    ),
    Word(
        "patterns of days",
        lambda problem: (f"patterns[{n}]" for n, tie in enumerate(problem.patterns) if tie.visits),
        NOBODY,
    ),
    Word("prices and a budget for patients touched", _touch, NOBODY),
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
            other = "" if word.engines else ", and by no engine at all yet"
            raise ProblemError(field, f"{word.meaning}: not planned by any engine together with the rest{other}")
        left = remaining
    return next(iter(left))
