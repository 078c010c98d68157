"""What all formats share: faults that name the file and the key, and numbers that become whole ones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coordinator.planner.plan import Plan, Violation
from coordinator.planner.problem import Problem

LARGEST = 1e6
"""No published minute, distance or weight is anywhere near this."""
MANDATORY = 200_000_000
"""Price of a visit that may not be left out: above all that a published instance can cost in thousandths."""

Json = Any


class FormatError(ValueError):
    """The file is not what it should be; the message is one sentence naming the key."""


@dataclass(frozen=True)
class Result:
    """A plan in the instance's own words and unit."""

    cost: float
    components: dict[str, float]
    """Raw amounts, before any weight."""
    weighted: dict[str, float]
    """What each adds to the cost."""
    violations: tuple[Violation, ...]


class Case(Protocol):
    """One published instance as the planner sees it."""

    name: str

    @property
    def problem(self) -> Problem:
        """The whole of it: what is planned, and what plans are judged by."""
        ...

    def result(self, plan: Plan) -> Result:
        """The plan's cost and components, counted by the planner's score."""
        ...

    def solution_of(self, plan: Plan) -> Json:
        """The plan in the published form."""
        ...

    def plan_of(self, solution: Json) -> Plan:
        """The plan of a published solution. Raises FormatError when it names what is not there."""
        ...


def read_json(path: Path) -> Json:
    """The file's content. Raises FormatError when it is not JSON in UTF-8."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FormatError(f"line {error.lineno} is not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8 text") from error


def need(holder: Json, key: str, where: str, *others: str) -> Json:
    """The value under the key, or one of its older names."""
    if not isinstance(holder, Mapping):
        raise FormatError(f"{where}: must be an object with the key {key!r}")
    for name in (key, *others):
        if name in holder:
            return holder[name]
    raise FormatError(f"{where}: the key {key!r} is missing")


def mapping(value: Json, where: str) -> Mapping[str, Json]:
    """The value, which must be an object."""
    if not isinstance(value, Mapping):
        raise FormatError(f"{where}: must be an object")
    return value


def items(value: Json, where: str) -> list[Json]:
    """The value, which must be a list."""
    if not isinstance(value, list):
        raise FormatError(f"{where}: must be a list")
    return value


def number(value: Json, where: str, *, least: float = -LARGEST) -> float:
    """A finite number of sensible size."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f"{where}: must be a number, not {value!r}")
    if not least <= value <= LARGEST:
        raise FormatError(f"{where}: must be from {least:g} to {LARGEST:g}, not {value}")
    return value


@dataclass(frozen=True)
class Unit:
    """How many planner's minutes a published minute is: 1, or 1,000 where the file has fractions."""

    size: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Unit:
        """The unit in which all of these are whole, as far as thousandths go."""
        return cls(1 if all(float(value).is_integer() for value in values) else 1000)

    def up(self, value: float) -> int:
        """The next whole number above, forgiving a billionth."""
        return math.ceil(value * self.size - 1e-6)

    def down(self, value: float) -> int:
        """The next whole number below."""
        return math.floor(value * self.size + 1e-6)

    def near(self, value: float) -> int:
        """The nearest whole number."""
        return round(value * self.size)

    def back(self, value: int) -> float:
        """As published: whole where the file was whole."""
        return value if self.size == 1 else value / self.size

    def seconds(self, matrix: Iterable[Iterable[float]]) -> NDArray[np.int32]:
        """Travel as the planner wants it, each leg rounded up to the unit."""
        return np.array([[60 * self.up(leg) for leg in row] for row in matrix], dtype=np.int32)
