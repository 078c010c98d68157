"""Weeks of palliative home care as Cappanera and Scutella publish them: operators, patients, and patterns of days.

First line: patients and one, operators, municipalities, patterns. Then a line for each patient (id, most operators a
week, visits that need skill 1, visits that need skill 2, municipality), each operator (id, skill, hours a day; skill 2
covers 1), each municipality (minutes to the others, and within it), each pattern (for each day 0, or a skill).

The files do not say how long a visit takes, nor from where operators set out: care takes `CARE_MINUTES` here, and
neither the way to the first patient nor that from the last is counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.formats.reading import FormatError, Json, Result, items, need
from coordinator.planner import score
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import (
    Clinician,
    Day,
    DayPatterns,
    FacesLimit,
    Problem,
    Reason,
    Slot,
    Visit,
    Weights,
    Window,
)

DAY, OPENS = 1440, 480
CARE_MINUTES = 30
ONE_FACE_TOO_MANY = 100_000
"""Cents for each operator beyond what a patient may see: as much as a visit left out."""


@dataclass(frozen=True)
class Patient:
    """One patient: visits by the skill they need, and the days that each pattern has for them."""

    key: str
    most_operators: int
    skills: tuple[int, ...]
    """Of each visit."""
    municipality: int
    patterns: tuple[tuple[int, ...], ...]
    """Days of the visits, in the same order."""


@dataclass(frozen=True)
class Operator:
    """One operator."""

    key: str
    skill: int
    hours: int


@dataclass(frozen=True)
class PalliativeCase:
    """One week, and the way back. See `formats.reading.Case`."""

    name: str
    days: int
    patients: list[Patient]
    operators: list[Operator]
    minutes: list[list[int]]

    @cached_property
    def visits(self) -> list[tuple[Patient, int]]:
        """(patient, number of the patient's visit) of each visit."""
        return [(patient, number) for patient in self.patients for number in range(len(patient.skills))]

    @cached_property
    def problem(self) -> Problem:
        """The week in the planner's words."""
        at = {(patient.key, number): n for n, (patient, number) in enumerate(self.visits)}
        mine = {p.key: tuple(at[p.key, number] for number in range(len(p.skills))) for p in self.patients}
        towns = np.array([patient.municipality for patient in self.patients])
        way = np.array(self.minutes)[towns[:, None], towns[None, :]] * 60
        np.fill_diagonal(way, 0)
        hours = sum(operator.hours for operator in self.operators)
        care = CARE_MINUTES * len(self.visits)
        return Problem(
            name=self.name,
            days=tuple(Day(d * DAY, (d + 1) * DAY, f"day {d + 1}") for d in range(self.days)),
            travel_seconds=way.astype(np.int32),
            clinicians=tuple(
                Clinician(operator.key, fair_share_minutes=care * operator.hours // hours)
                for operator in self.operators
            ),
            slots=tuple(
                Slot(n, d, None, None, d * DAY + OPENS, d * DAY + OPENS + 60 * operator.hours)
                for n, operator in enumerate(self.operators)
                for d in range(self.days)
            ),
            visits=tuple(self._visit(place, patient, n) for place, patient in enumerate(self.patients)
                         for n in range(len(patient.skills))),
            faces_limits=tuple(
                FacesLimit(mine[p.key], ONE_FACE_TOO_MANY, p.most_operators) for p in self.patients if mine[p.key]
            ),
            patterns=tuple(
                DayPatterns(mine[p.key], p.patterns) for p in self.patients if not _windows_say_it(p.patterns)
            ),
            weights=Weights(waiting_minute=0),
        )  # fmt: skip

    def _visit(self, place: int, patient: Patient, number: int) -> Visit:
        days = {days[number] for days in patient.patterns}
        unable = [n for n, operator in enumerate(self.operators) if operator.skill < patient.skills[number]]
        return Visit(
            key=f"{patient.key}/{number + 1}",
            patient=patient.key,
            place=place,
            minutes=CARE_MINUTES,
            windows={d: (Window(d * DAY, d * DAY + DAY - 1),) for d in sorted(days)},
            discipline=f"skill {patient.skills[number]}",
            forbidden={n: Reason.of("skill") for n in unable},
        )

    # ------------------------------------------------------------------------------------ plans

    def result(self, plan: Plan) -> Result:
        """Cost in cents and what there is of it, counted by the planner's score on the whole problem."""
        scored = score(self.problem, plan)
        worked = Counter[int]()
        for a in plan.assignments:
            worked[a.clinician] += CARE_MINUTES
        hours = [self.days * 60 * operator.hours for operator in self.operators]
        amounts = {
            "left_out": scored.measures.unplaced,
            "driving": scored.measures.travel_minutes,
            "operators_too_many": scored.part("faces").count,
            "beyond_fair_share": scored.part("fair-share").count,
            "busiest_percent": max(100 * worked[n] // most for n, most in enumerate(hours)),
        }
        names = {"left_out": "unplaced", "driving": "travel", "operators_too_many": "faces",
                 "beyond_fair_share": "fair-share"}  # fmt: skip
        weighted = {name: scored.part(part).cost for name, part in names.items()}
        return Result(scored.cost, dict(amounts), dict(weighted), scored.hard)

    def solution_of(self, plan: Plan) -> Json:
        """Visits by operator and day; there is no published form."""
        return {
            "instance": self.name,
            "care_minutes": CARE_MINUTES,
            "visits": [
                {
                    "patient": self.visits[a.visit][0].key,
                    "visit": self.visits[a.visit][1] + 1,
                    "operator": self.operators[a.clinician].key,
                    "day": a.day + 1,
                    "start_minute": a.start_minute - a.day * DAY,
                }
                for a in plan.assignments
            ],
        }

    def plan_of(self, solution: Json) -> Plan:
        """The plan of such a solution."""
        at = {(patient.key, number + 1): n for n, (patient, number) in enumerate(self.visits)}
        people = {operator.key: n for n, operator in enumerate(self.operators)}
        assignments = []
        for position, entry in enumerate(items(need(solution, "visits", "the solution"), "visits")):
            where = f"visits[{position}]"
            key, number = str(need(entry, "patient", where)), need(entry, "visit", where)
            operator, day = str(need(entry, "operator", where)), need(entry, "day", where)
            if (key, number) not in at or operator not in people or day not in range(1, self.days + 1):
                raise FormatError(f"{where}: names a patient, visit, operator or day that is not in the instance")
            start = int(need(entry, "start_minute", where)) + (day - 1) * DAY
            assignments.append(Assignment(at[key, number], people[operator], day - 1, start))
        return Plan.of(assignments)


def _windows_say_it(patterns: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a list of days for each visit allows these patterns and no others."""
    days = [{pattern[n] for pattern in patterns} for n in range(len(patterns[0]))]
    return set(product(*days)) == set(patterns)


def _aligned(patterns: list[list[int]], skills: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Days of the visits by pattern. Visits of one skill are alike: days that all patterns share come first."""
    found = []
    by_skill = {skill: [[d for d, s in enumerate(row) if s == skill] for row in patterns] for skill in set(skills)}
    for n in range(len(patterns)):
        days: list[int] = []
        for skill in sorted(by_skill):
            shared = set.intersection(*(set(row) for row in by_skill[skill]))
            days += sorted(by_skill[skill][n], key=lambda d, shared=shared: (d not in shared, d))  # type: ignore[misc]
        found.append(tuple(days))
    return tuple(dict.fromkeys(found))


def read(text: str, name: str) -> PalliativeCase:
    """One week from its text. Raises FormatError naming the line."""
    lines: list[tuple[int, list[int]]] = []
    for position, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                lines.append((position, [int(word) for word in line.split()]))
            except ValueError as error:
                raise FormatError(f"line {position}: must be whole numbers") from error
    if not lines or len(lines[0][1]) != 4 or min(lines[0][1]) < 1:
        raise FormatError("line 1: must be patients and one, operators, municipalities and patterns")
    patients, operators, towns, patterns = lines[0][1]
    expected = patients - 1 + operators + towns + patterns
    if len(lines) - 1 != expected:
        raise FormatError(f"line 1: promises {expected} more lines, and there are {len(lines) - 1}")
    rest = iter(lines[1:])

    def block(count: int, width: int | None, what: str) -> list[tuple[int, list[int]]]:
        rows = [next(rest) for _ in range(count)]
        for position, row in rows:
            if len(row) != (width or len(rows[0][1])) or min(row, default=0) < 0:
                raise FormatError(f"line {position}: is no line of {what}")
        return rows

    people = block(patients - 1, 5, "a patient")
    crew = block(operators, 3, "an operator")
    way = [row for _, row in block(towns, towns, "minutes between municipalities")]
    days = [row for _, row in block(patterns, None, "a pattern")]
    if any(skill not in (1, 2) or not 1 <= hours <= 16 for _, (_, skill, hours) in crew):
        raise FormatError(f"line {crew[0][0]}: an operator has skill 1 or 2 and 1 to 16 hours a day")
    found = []
    for position, (key, most, first, second, town) in people:
        wanted = (1,) * first + (2,) * second
        mine = [row for row in days if row.count(1) == first and row.count(2) == second]
        if town >= towns:
            raise FormatError(f"line {position}: patient {key} lives in municipality {town} of {towns}")
        if not mine:
            raise FormatError(f"line {position}: no pattern has the visits of patient {key}")
        found.append(Patient(f"p{key}", most, wanted, town, _aligned(mine, wanted)))
    if len({patient.key for patient in found}) < len(found):
        raise FormatError("a patient is there twice")
    return PalliativeCase(name, len(days[0]), found, [Operator(f"o{k}", s, h) for _, (k, s, h) in crew], way)


def load(path: Path) -> PalliativeCase:
    """One week from its file. Raises FormatError naming the line."""
    try:
        return read(path.read_text(encoding="utf-8"), path.stem)
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8 text") from error
