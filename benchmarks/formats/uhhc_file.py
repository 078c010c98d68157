"""What an instance file of the unified home healthcare benchmark says: older keys, defaults and faults included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.formats.reading import FormatError, Json, items, mapping, need, number
from coordinator.planner.problem import LinkKind

HARD = "HARD"
LUNCH = "lunch_break"
MUST_BE_ZERO = {"caregiver_preferences", "optional_patients", "missed_lunch_break", "qualification", "incompabilities"}
"""Components that a file without a weight for them forbids."""
IN_MINUTES = {
    "travel_time", "total_tardiness", "highest_tardiness", "total_waiting_time", "max_waiting_time",
    "total_extra_time", "max_idle_time", "working_time", "workload_balance",
}  # fmt: skip
COMPONENTS = IN_MINUTES | MUST_BE_ZERO
UNCOUNTED = {"tw_max_dev_in_time", "tw_max_dev_in_desired_time"}
"""In the schema, but without any arithmetic in the authors' validator."""
ON_SHIFT = {"bazirha", "bazirha-caie"}
"""Families whose caregivers leave when their shift starts."""


@dataclass(frozen=True)
class Caregiver:
    """One caregiver as the file has it, times in published minutes."""

    key: str
    abilities: frozenset[str]
    start: int
    end: int
    shift: tuple[float, float] | None
    lunch: bool


@dataclass(frozen=True)
class Patient:
    """One patient as the file has it."""

    key: str
    place: int
    services: dict[str, float]
    """Minutes by service, in the order asked for."""
    windows: list[tuple[float, float]]
    kind: LinkKind
    gap: tuple[float, float]
    preferred: frozenset[str] | None
    incompatible: frozenset[str]
    optional: bool


@dataclass(frozen=True)
class Rules:
    """What holds for the whole file."""

    weights: dict[str, float | str]
    on_end: bool
    """Windows and lunch are met by the end of service, not its start."""
    on_shift: bool
    lunch: tuple[float, float, float] | None
    """Earliest, latest, minutes."""
    horizon: float

    def weight(self, name: str) -> float:
        """What one unit of the component costs; a hard one costs 1, one without a weight nothing."""
        weight = self.weights.get(name, 0)
        return 1 if isinstance(weight, str) else weight

    def forbids(self, name: str) -> bool:
        """Whether the component must be zero."""
        weight = self.weights.get(name, HARD if name in MUST_BE_ZERO else None)
        return weight == HARD


def _pair(raw: Json, low: str, high: str, where: str) -> tuple[float, float]:
    """`{low: a, high: b}` or `[a, b]`."""
    if isinstance(raw, Mapping):
        values = [need(raw, low, where), need(raw, high, where)]
    else:
        values = items(raw, where)
        if len(values) != 2:
            raise FormatError(f"{where}: must be a pair")
    a, b = (number(value, where) for value in values)
    if a > b:
        raise FormatError(f"{where}: {a} is after {b}")
    return a, b


def _keys(value: Json, where: str) -> frozenset[str]:
    return frozenset(str(key) for key in items(value, where))


def _unique(raw: Json, where: str) -> dict[str, Json]:
    """A list of objects by their id."""
    found: dict[str, Json] = {}
    for position, entry in enumerate(items(raw, where)):
        key = str(need(entry, "id", f"{where}[{position}]"))
        if key in found:
            raise FormatError(f"{where}: the id {key} is there twice")
        found[key] = entry
    return found


def _rules(raw: Json) -> Rules:
    meta = mapping(need(raw, "metadata", "the file"), "metadata")
    given = mapping(meta.get("cost_components") or {}, "metadata.cost_components")
    weights: dict[str, float | str] = {}
    for name, weight in given.items():
        if weight is None:
            continue
        where = f"metadata.cost_components.{name}"
        if name not in COMPONENTS:
            if name in UNCOUNTED and weight == 0:
                continue
            raise FormatError(f"{where}: is no component that can be counted")
        weights[name] = HARD if weight == HARD else number(weight, where, least=0)
    met = meta.get("time_window_met") or "at_service_start"
    if str(met) not in ("at_service_start", "at_service_end"):
        raise FormatError(f"metadata.time_window_met: {met!r} is not known")
    lunch = raw.get("lunch_breaks")
    rule = None
    if lunch:
        begin, end = _pair(lunch, "start", "end", "lunch_breaks")
        rule = (begin, end, number(need(lunch, "min_duration", "lunch_breaks"), "lunch_breaks.min_duration", least=0))
    horizon = number(meta.get("horizon") or 0, "metadata.horizon", least=0)
    return Rules(weights, met == "at_service_end", str(meta.get("origin")) in ON_SHIFT, rule, horizon)


def _caregivers(raw: Json, points: dict[str, int], *, shifts: bool) -> list[Caregiver]:
    found = []
    for key, entry in _unique(need(raw, "caregivers", "the file"), "caregivers").items():
        where = f"caregiver {key}"
        depart = str(need(entry, "departing_point", where, "starting_point_id"))
        arrive = str(entry.get("arrival_point") or entry.get("ending_point_id") or depart)
        for name, point in (("departing_point", depart), ("arrival_point", arrive)):
            if point not in points:
                raise FormatError(f"{where}: {name} {point!r} is no terminal point")
        shift = entry.get("working_shift")
        if shift is None and shifts:
            raise FormatError(f"{where}: working_shift is missing, and this family leaves when the shift starts")
        hours = None if shift is None else _pair(shift, "start", "end", f"{where}: working_shift")
        abilities = _keys(entry.get("abilities", []), f"{where}: abilities")
        found.append(Caregiver(key, abilities, points[depart], points[arrive], hours, bool(entry.get("lunch_break"))))
    if not found:
        raise FormatError("caregivers: there are none")
    return found


def _patient(key: str, entry: Json, services: dict[str, Json], caregivers: list[Caregiver]) -> Patient:
    where = f"patient {key}"
    minutes: dict[str, float] = {}
    for wanted in items(need(entry, "required_services", where, "required_caregivers"), f"{where}: required_services"):
        service = str(need(wanted, "service", f"{where}: required_services"))
        if service not in services:
            raise FormatError(f"{where}: service {service!r} is not in services")
        duration = wanted.get("duration") or services[service].get("default_duration")
        if duration is None:
            raise FormatError(f"{where}: service {service} has neither a duration nor a default_duration")
        if service in minutes:
            raise FormatError(f"{where}: asks twice for service {service}")
        minutes[service] = number(duration, f"{where}: duration", least=1e-3)
    kinds = {str(services[service].get("type", service)) for service in minutes}
    if not minutes or len(kinds) < len(minutes):
        raise FormatError(f"{where}: required_services has none, or two of one type")
    single = [entry["time_window"]] if "time_window" in entry else None
    raw_windows = items(entry.get("time_windows", single) or [], f"{where}: time_windows")
    if not raw_windows:
        raise FormatError(f"{where}: the key 'time_windows' is missing or empty")
    windows = [_pair(window, "start", "end", f"{where}: time_windows") for window in raw_windows]
    if any(two[0] < one[1] or two[0] <= one[0] for one, two in pairwise(windows)):
        raise FormatError(f"{where}: time_windows are not in order or overlap")
    link = mapping(entry.get("synchronization") or {}, f"{where}: synchronization")
    if not link and len(minutes) > 1:
        raise FormatError(f"{where}: the key 'synchronization' is missing")
    kind, gap = str(link.get("type", "independent")), link.get("distance")
    named = {"independent": LinkKind.BOTH, "simultaneous": LinkKind.TOGETHER, "sequential": LinkKind.GAP}
    if kind not in named:
        raise FormatError(f"{where}: synchronization type {kind!r} is not known")
    if kind == "sequential" and gap is None:
        raise FormatError(f"{where}: sequential without a distance")
    if gap is None or isinstance(gap, int | float):
        gap = (gap or 0, gap or 0)
    apart = _pair(list(gap) if isinstance(gap, tuple) else gap, "min", "max", f"{where}: synchronization.distance")
    liked = entry.get("preferred_caregivers")
    # Who has none of the wanted abilities does not count as incompatible.
    able = {c.key for c in caregivers if c.abilities & minutes.keys()}
    incompatible = _keys(entry.get("incompatible_caregivers") or [], f"{where}: incompatible_caregivers")
    return Patient(
        key,
        _place(need(entry, "distance_matrix_index", where), where),
        minutes,
        windows,
        named[kind],
        apart,
        None if liked is None else _keys(liked, f"{where}: preferred_caregivers"),
        incompatible & able,
        bool(entry.get("optional")),
    )


def _place(value: Json, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatError(f"{where}: distance_matrix_index must be a whole number")
    return value


def _matrix(raw: Json, places: list[int]) -> list[list[float]]:
    rows = [items(row, "distances") for row in items(need(raw, "distances", "the file"), "distances")]
    if any(len(row) != len(rows) for row in rows):
        raise FormatError("distances: must be square")
    if sorted(places) != list(range(len(rows))):
        raise FormatError("distance_matrix_index: places and rows of distances are not one to one")
    return [[number(leg, f"distances[{i}][{j}]", least=0) for j, leg in enumerate(row)] for i, row in enumerate(rows)]


@dataclass(frozen=True)
class Instance:
    """The whole file."""

    rules: Rules
    caregivers: list[Caregiver]
    patients: list[Patient]
    distances: list[list[float]]


def read_instance(raw: Json) -> Instance:
    """One instance from parsed JSON. Raises FormatError naming the key."""
    rules = _rules(raw)
    points = {
        key: _place(need(entry, "distance_matrix_index", f"terminal point {key}"), f"terminal point {key}")
        for key, entry in _unique(
            need(raw, "terminal_points", "the file", "departing_points", "central_offices"), "terminal_points"
        ).items()
    }
    services = _unique(need(raw, "services", "the file"), "services")
    caregivers = _caregivers(raw, points, shifts=rules.on_shift)
    patients = [
        _patient(key, entry, services, caregivers)
        for key, entry in _unique(need(raw, "patients", "the file"), "patients").items()
    ]
    if not patients:
        raise FormatError("patients: there are none")
    distances = _matrix(raw, [*points.values(), *(patient.place for patient in patients)])
    return Instance(rules, caregivers, patients, distances)
