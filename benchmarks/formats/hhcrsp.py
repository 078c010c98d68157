"""Home health care routing and scheduling instances of Mankowska, Meisel and Bierwirth (2014), in their text format.

One day, caregivers without shift ends, patients with one service or two: together, or one after the other. The cost is
a third of driving, lateness and the worst lateness together. Times are real; here they are in thousandths of a minute,
each leg rounded up.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from benchmarks.formats.reading import MANDATORY, FormatError, Json, Result, Unit, items, need, number
from coordinator.planner import score
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import (
    Clinician,
    Day,
    Linked,
    LinkKind,
    Problem,
    Reason,
    Slot,
    Visit,
    Weights,
    Window,
)

UNIT = Unit(1000)
SECTIONS = ("nbNodes", "nbVehi", "nbServi", "r", "DS", "a", "d", "p", "mind", "maxd", "e", "l")


@dataclass(frozen=True)
class HhcrspCase:
    """One instance, and the way back; node 0 is the depot, patients begin with 1. See `formats.reading.Case`."""

    name: str
    services: dict[int, list[int]]
    """Services asked for by patient, in order."""
    able: list[list[bool]]
    """By caregiver and service."""
    travel: list[list[float]]
    care: dict[tuple[int, int], float]
    """Minutes by patient and service: the same for every caregiver."""
    gaps: dict[int, tuple[float, float]]
    """Least and most minutes between two services, by patient; (0, 0): together."""
    windows: dict[int, tuple[float, float]]

    @cached_property
    def visits(self) -> list[tuple[int, int]]:
        """(patient, service) of each visit."""
        return [(patient, service) for patient, services in self.services.items() for service in services]

    @cached_property
    def end(self) -> int:
        """Last minute of the day: long after the last patient's window, as nobody's shift ends."""
        longest = max(leg for row in self.travel for leg in row)
        return UNIT.up(3 * (max(close for _, close in self.windows.values()) + longest))

    @cached_property
    def problem(self) -> Problem:
        """The instance in the planner's words; a cent is a thousandth of what the three terms add up to."""
        return Problem(
            name=self.name,
            days=(Day(0, self.end + 1),),
            travel_seconds=UNIT.seconds(self.travel),
            clinicians=tuple(Clinician(f"c{n + 1}") for n in range(len(self.able))),
            slots=tuple(Slot(n, 0, 0, 0, 0, self.end, counts_idle=False) for n in range(len(self.able))),
            visits=tuple(self._visit(patient, service) for patient, service in self.visits),
            links=tuple(self._links()),
            weights=Weights(
                travel_minute=1,
                waiting_minute=0,
                overtime_minute=0,
                fairness_minute=0,
                worst_late_minute=1,
                mandatory=MANDATORY,
            ),
        )

    def _visit(self, patient: int, service: int) -> Visit:
        opens, closes = self.windows[patient]
        unable = [n for n, abilities in enumerate(self.able) if not abilities[service]]
        return Visit(
            key=f"p{patient}/s{service + 1}",
            patient=f"p{patient}",
            place=patient,
            minutes=max(1, UNIT.up(self.care[patient, service])),
            windows={0: (Window(UNIT.up(opens), self.end),)},
            discipline=f"s{service + 1}",
            mandatory=True,
            preferred={0: (Window(UNIT.up(opens), UNIT.down(closes)),)},
            late_cost=1,
            forbidden={n: Reason.of("qualification") for n in unable},
        )

    def _links(self) -> list[Linked]:
        links = []
        at = {visit: n for n, visit in enumerate(self.visits)}
        for patient, (low, high) in self.gaps.items():
            one, two = (at[patient, service] for service in self.services[patient])
            # Anything up to a thousandth is together, as the published checkers have it.
            kind = LinkKind.TOGETHER if low <= 1e-3 else LinkKind.GAP
            links.append(Linked(one, two, kind, UNIT.up(low), UNIT.down(high)))
        return links

    # ------------------------------------------------------------------------------------ plans

    def result(self, plan: Plan) -> Result:
        """Cost and components, counted by the planner's score."""
        scored = score(self.problem, plan)
        amounts = {
            "distance": UNIT.back(scored.part("travel").count),
            "tardiness": UNIT.back(scored.part("late").count),
            "max_tardiness": UNIT.back(scored.part("worst-late").count),
        }
        weighted = {name: amount / 3 for name, amount in amounts.items()}
        return Result(sum(weighted.values()), amounts, weighted, scored.hard)

    def solution_of(self, plan: Plan) -> Json:
        """The JSON form of Ceschia et al.: caregivers c1, ..., patients p1, ..., services s1, ...; an `arrival_time`
        is the start of care."""
        routes = []
        for position in range(len(self.able)):
            locations = []
            for a in plan.route(position, 0):
                patient, service = self.visits[a.visit]
                end = a.start_minute + self.problem.visits[a.visit].minutes
                locations.append({
                    "patient": f"p{patient}",
                    "service": f"s{service + 1}",
                    "arrival_time": UNIT.back(a.start_minute),
                    "departure_time": UNIT.back(end),
                })  # fmt: skip
            routes.append({"caregiver_id": f"c{position + 1}", "locations": locations})
        return {"instance": self.name, "routes": routes}

    def plan_of(self, solution: Json) -> Plan:
        """The plan of a solution with start times: that form, or lists of [patient, service, start] by caregiver."""
        at = {visit: n for n, visit in enumerate(self.visits)}
        assignments = []
        for position, route in enumerate(items(need(solution, "routes", "the solution"), "routes")):
            where = f"routes[{position}]"
            caregiver = position
            if isinstance(route, dict):
                caregiver = _digits(need(route, "caregiver_id", where), where) - 1
                stops = [
                    (
                        _digits(need(stop, "patient", where, "patient_id"), where),
                        _digits(need(stop, "service", where, "service_id"), where) - 1,
                        number(need(stop, "arrival_time", where), f"{where}: arrival_time"),
                    )
                    for stop in items(route.get("locations", []), where)
                ]
            else:
                stops = [tuple(stop) for stop in items(route, where)]
            if not 0 <= caregiver < len(self.able):
                raise FormatError(f"{where}: caregiver {caregiver + 1} is not in the instance")
            for stop in stops:
                if len(stop) != 3:
                    raise FormatError(f"{where}: a stop needs a patient, a service and a start")
                patient, service, start = stop
                if (patient, service) not in at:
                    raise FormatError(f"{where}: patient {patient} does not ask for service {service + 1}")
                assignments.append(Assignment(at[patient, service], caregiver, 0, UNIT.near(start)))
        if any(times > 1 for times in Counter(a.visit for a in assignments).values()):
            raise FormatError("routes: a service is given twice")
        return Plan.of(assignments)


def _digits(value: Json, where: str) -> int:
    found = re.sub(r"\D", "", str(value))
    if not found:
        raise FormatError(f"{where}: {value!r} has no number")
    return int(found)


def _sections(text: str) -> dict[str, list[float]]:
    """All numbers below each name."""
    found: dict[str, list[float]] = {}
    name = None
    for position, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if re.fullmatch(r"[A-Za-z]+", stripped):
            name = stripped
            found[name] = []
        elif stripped:
            if name is None:
                raise FormatError(f"line {position} stands before any name of a section")
            try:
                found[name] += [float(word) for word in stripped.split()]
            except ValueError as error:
                raise FormatError(f"{name}: line {position} is not all numbers") from error
    for needed in SECTIONS:
        if needed not in found:
            raise FormatError(f"the section {needed!r} is missing")
    return found


def read(text: str, name: str) -> HhcrspCase:
    """One instance from its text. Raises FormatError naming the section."""
    sections = _sections(text)

    def size(key: str, least: int) -> int:
        if len(sections[key]) != 1 or sections[key][0] < least or not sections[key][0].is_integer():
            raise FormatError(f"{key}: must be one whole number of at least {least}")
        return int(sections[key][0])

    nodes, people, kinds = size("nbNodes", 3), size("nbVehi", 1), size("nbServi", 1)

    def numbers(key: str, count: int, least: float = 0) -> list[float]:
        values = sections[key]
        if len(values) != count:
            raise FormatError(f"{key}: has {len(values)} numbers instead of {count}")
        return [number(value, key, least=least) for value in values]

    asked, able = numbers("r", nodes * kinds), numbers("a", people * kinds)
    way, care = numbers("d", nodes * nodes), numbers("p", nodes * people * kinds)
    least, most = numbers("mind", nodes), numbers("maxd", nodes)
    opens, closes = numbers("e", nodes), numbers("l", nodes)
    double = {int(node) - 1 for node in sections["DS"]}
    patients = range(1, nodes - 1)
    services = {i: [s for s in range(kinds) if asked[i * kinds + s] > 0.5] for i in patients}
    for patient, wanted in services.items():
        if len(wanted) != (2 if patient in double else 1):
            raise FormatError(f"r: patient {patient} asks for {len(wanted)} services, which DS does not say")
        if patient in double and least[patient] > most[patient]:
            raise FormatError(f"mind: patient {patient} has more than maxd")
        if opens[patient] > closes[patient]:
            raise FormatError(f"e: patient {patient} has more than l")
    # Both ends of a route are the depot, which is there twice.
    return HhcrspCase(
        name,
        services,
        [[able[v * kinds + s] > 0.5 for s in range(kinds)] for v in range(people)],
        [way[i * nodes : i * nodes + nodes - 1] for i in range(nodes - 1)],
        {(i, s): care[i * people * kinds + s] for i in patients for s in services[i]},
        {i: (least[i], most[i]) if least[i] > 1e-3 else (0.0, 0.0) for i in sorted(double) if i in services},
        {i: (opens[i], closes[i]) for i in patients},
    )


def load(path: Path) -> HhcrspCase:
    """One instance from its file. Raises FormatError naming the section."""
    try:
        return read(path.read_text(encoding="utf-8"), path.stem)
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8 text") from error


def earliest(case: HhcrspCase, plan: Plan) -> Plan | None:
    """The same routes, every visit as early as they allow; None when they contradict each other.

    Whoever publishes routes without times means these times.
    """
    rules: list[tuple[int, int, int]] = []
    start: dict[int, int] = {}
    travel, visits = case.problem.travel_seconds // 60, case.problem.visits
    for position in range(len(case.able)):
        route = [a.visit for a in plan.route(position, 0)]
        for visit in route:
            start[visit] = visits[visit].windows[0][0].earliest_start
        for visit in route[:1]:
            start[visit] = max(start[visit], int(travel[0, case.visits[visit][0]]))
        for one, two in pairwise(route):
            leg = int(travel[case.visits[one][0], case.visits[two][0]])
            rules.append((one, two, visits[one].minutes + leg))
    for link in case.problem.links:
        if link.first in start and link.second in start:
            low, high = (link.min_minutes, link.max_minutes) if link.kind is LinkKind.GAP else (0, 0)
            rules += [(link.first, link.second, low), (link.second, link.first, -high)]
    for _ in range(len(start) + 2):
        late = [(two, start[one] + gap) for one, two, gap in rules if start[one] + gap > start[two]]
        if not late:
            return Plan.of([Assignment(a.visit, a.clinician, 0, start[a.visit]) for a in plan.assignments])
        for visit, minute in late:
            start[visit] = max(start[visit], minute)
    return None
