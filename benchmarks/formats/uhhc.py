"""Unified home healthcare instances (Ceschia et al., ITOR 2026, doi 10.1111/itor.70140), one day each.

Weights become prices in cents; where a weight or a time has fractions, prices and times are in thousandths.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path

from benchmarks.formats.reading import (
    MANDATORY,
    FormatError,
    Json,
    Result,
    Unit,
    items,
    need,
    number,
    read_json,
)
from benchmarks.formats.uhhc_file import LUNCH, Caregiver, Instance, Patient, read_instance
from coordinator.planner import score
from coordinator.planner.ledger import way_minutes, write_out
from coordinator.planner.plan import Assignment, Plan, Rest, Score, Violation
from coordinator.planner.problem import (
    Break,
    Clinician,
    Day,
    Linked,
    LinkKind,
    Preference,
    Problem,
    Reason,
    Slot,
    Visit,
    Weights,
    Window,
)


@dataclass
class UhhcCase:
    """One instance, and the way back. See `formats.reading.Case`."""

    name: str
    instance: Instance
    unit: Unit = field(init=False)
    price: Unit = field(init=False)

    def __post_init__(self) -> None:
        self.rules, self.caregivers = self.instance.rules, self.instance.caregivers
        self.patients, self.distances = self.instance.patients, self.instance.distances
        times = [leg for row in self.distances for leg in row]
        times += [t for c in self.caregivers if c.shift for t in c.shift]
        times += self.rules.lunch or ()
        for patient in self.patients:
            times += [t for window in patient.windows for t in window]
            times += [*patient.services.values(), *patient.gap]
        self.unit = Unit.of(times)
        self.price = Unit.of(weight for weight in self.rules.weights.values() if not isinstance(weight, str))
        if self.unit.size > 1 and self.rules.weight("workload_balance"):
            raise FormatError("metadata.cost_components.workload_balance: needs times in whole minutes")

    @cached_property
    def visits(self) -> list[tuple[Patient, str]]:
        """(patient, service) of each visit."""
        return [(patient, service) for patient in self.patients for service in patient.services]

    @cached_property
    def end(self) -> int:
        """Last minute of the day: far beyond any overtime that a sensible plan could have."""
        last = max(
            self.rules.horizon,
            *(c.shift[1] for c in self.caregivers if c.shift),
            *(window[1] for patient in self.patients for window in patient.windows),
        )
        longest = max(leg for row in self.distances for leg in row)
        return self.unit.up(3 * (last + longest))

    def _minute_price(self, *names: str) -> int:
        return sum(self.price.near(self.rules.weight(name)) for name in names)

    def _thing_price(self, name: str) -> int:
        return self.price.near(self.rules.weight(name)) * self.unit.size

    @cached_property
    def problem(self) -> Problem:
        """The instance in the planner's words."""
        weights = Weights(
            travel_minute=self._minute_price("travel_time", "working_time"),
            waiting_minute=self._minute_price("total_waiting_time"),
            overtime_minute=self._minute_price("total_extra_time"),
            fairness_minute=0,
            mandatory=MANDATORY,
            worst_late_minute=self._minute_price("highest_tardiness"),
            longest_wait_minute=self._minute_price("max_waiting_time"),
            longest_idle_minute=self._minute_price("max_idle_time"),
            balance_minute=self._minute_price("workload_balance"),
        )
        return Problem(
            name=self.name,
            days=(Day(0, self.end + 1),),
            travel_seconds=self.unit.seconds(self.distances),
            clinicians=tuple(Clinician(c.key) for c in self.caregivers),
            slots=tuple(self._slot(number, c) for number, c in enumerate(self.caregivers)),
            visits=tuple(self._visit(patient, service) for patient, service in self.visits),
            links=tuple(self._links()),
            weights=weights,
        )

    def _slot(self, position: int, caregiver: Caregiver) -> Slot:
        rules, unit = self.rules, self.unit
        hours = caregiver.shift
        hard_end = rules.forbids("total_extra_time") or rules.forbids("working_time")
        return Slot(
            clinician=position,
            day=0,
            start_place=caregiver.start,
            end_place=caregiver.end,
            shift_start=0 if hours is None else unit.up(max(0, hours[0])),
            shift_end=unit.down(hours[1]) if hours is not None and hard_end else self.end,
            breaks=self._breaks(caregiver),
            overtime_from=None if hours is None else unit.down(hours[1]),
            leaves_at_shift_start=rules.on_shift,
            counts_idle=hours is not None,
        )

    def _breaks(self, caregiver: Caregiver) -> tuple[Break, ...]:
        """The lunch, when one is due and can be had."""
        if not caregiver.lunch or self.rules.lunch is None:
            return ()
        begin, end, minutes = self.rules.lunch
        # A rule that leaves no time for lunch is like no rule: see `_hungry`.
        latest = end - minutes if self.rules.on_end else end
        if latest < begin:
            return ()
        skip = None if self.rules.forbids("missed_lunch_break") else self._thing_price("missed_lunch_break")
        unit = self.unit
        return (Break(unit.up(begin), unit.down(latest), max(1, unit.up(minutes)), skip, -1, splits_drive=False),)

    def _hungry(self) -> tuple[Violation, ...]:
        """Caregivers who must have a lunch that the file gives no time for; nobody can change that."""
        if not self.rules.forbids("missed_lunch_break"):
            return ()
        return tuple(
            Violation("break", (), n, 0) for n, c in enumerate(self.caregivers) if c.lunch and not self._breaks(c)
        )

    def _visit(self, patient: Patient, service: str) -> Visit:
        rules, unit = self.rules, self.unit
        minutes = unit.up(patient.services[service])
        early = minutes if rules.on_end else 0
        windows = [Window(unit.up(a), unit.down(b) - early) for a, b in patient.windows]
        if rules.forbids("total_tardiness") or rules.forbids("highest_tardiness"):
            hard = _merged([window for window in windows if window.latest_start >= window.earliest_start])
        else:
            hard = (Window(windows[0].earliest_start, self.end),)
        first = service == next(iter(patient.services))
        forbidden: dict[int, Reason] = {}
        wishes: list[Preference] = []
        everybody = range(len(self.caregivers))
        unfit = {
            "qualification": {n for n in everybody if service not in self.caregivers[n].abilities},
            "incompabilities": {n for n in everybody if self.caregivers[n].key in patient.incompatible},
            "caregiver_preferences": set()
            if patient.preferred is None
            else {n for n in everybody if self.caregivers[n].key not in patient.preferred},
        }
        for name, people in unfit.items():
            if rules.forbids(name):
                forbidden = dict.fromkeys(people, Reason.of(name)) | forbidden
            elif people:
                wishes.append(Preference(name, dict.fromkeys(sorted(people), self._thing_price(name))))
        may_be_left = patient.optional and not rules.forbids("optional_patients")
        care = self._minute_price("working_time") * minutes
        return Visit(
            key=f"{patient.key}/{service}",
            patient=patient.key,
            place=patient.place,
            minutes=minutes,
            windows={0: hard} if hard else {},
            discipline=service,
            # The patient is left out as a whole, and paid for once.
            unplaced_cost=self._thing_price("optional_patients") if first else 0,
            mandatory=not may_be_left,
            preferred={0: tuple(windows)},
            late_cost=self._minute_price("total_tardiness"),
            day_costs={0: care} if care else {},
            preferences=tuple(wishes),
            forbidden=forbidden,
            closed_days={} if hard else {0: Reason.of("window")},
        )

    def _links(self) -> list[Linked]:
        links = []
        at = {(patient.key, service): n for n, (patient, service) in enumerate(self.visits)}
        for patient in self.patients:
            mine = [at[patient.key, service] for service in patient.services]
            for one, two in combinations(mine, 2):
                kind = patient.kind if two == one + 1 else LinkKind.BOTH
                low, high = patient.gap if kind is LinkKind.GAP else (0, 0)
                links.append(Linked(one, two, kind, self.unit.up(low), self.unit.down(high)))
        return links

    # ------------------------------------------------------------------------------------ plans

    def result(self, plan: Plan) -> Result:
        """Cost and components, counted by the planner's score."""
        scored = score(self.problem, plan)
        amounts = self._amounts(plan, scored)
        weighted = {name: amount * self.rules.weight(name) for name, amount in amounts.items()}
        weighted = {name: cost for name, cost in weighted.items() if name in self.rules.weights}
        return Result(sum(weighted.values()), amounts, weighted, scored.hard + self._hungry())

    def _amounts(self, plan: Plan, scored: Score) -> dict[str, float]:
        def minutes(name: str) -> float:
            return self.unit.back(scored.part(name).count)

        placed = plan.by_visit()
        made = [(self.visits[a.visit], self.caregivers[a.clinician]) for a in plan.assignments]
        travel = self.unit.back(scored.measures.travel_minutes + self._unused_ways(plan))
        care = sum(patient.services[service] for (patient, service), _ in made)
        visited = {self.visits[visit][0].key for visit in placed}
        amounts: dict[str, float] = {
            "travel_time": travel,
            "total_tardiness": minutes("late"),
            "highest_tardiness": minutes("worst-late"),
            "total_waiting_time": minutes("waiting"),
            "max_waiting_time": minutes("longest-wait"),
            "total_extra_time": minutes("overtime"),
            "max_idle_time": minutes("longest-idle"),
            "caregiver_preferences": sum(
                patient.preferred is not None and who.key not in patient.preferred for (patient, _), who in made
            ),
            "optional_patients": len(self.patients) - len(visited),
            "missed_lunch_break": self._lunchless(plan),
            "qualification": sum(service not in who.abilities for (_, service), who in made),
            "incompabilities": sum(who.key in patient.incompatible for (patient, _), who in made),
            "working_time": travel + care,
        }
        # Its rounding up is to whole minutes; a file with fractions may not price it.
        return amounts | ({"workload_balance": self._balance(plan, scored)} if self.unit.size == 1 else {})

    def _unused_ways(self, plan: Plan) -> int:
        """A caregiver who visits nobody is still counted the way from one depot to the other."""
        used = {a.clinician for a in plan.assignments}
        return sum(way_minutes(self.problem, c.start, c.end) for n, c in enumerate(self.caregivers) if n not in used)

    def _balance(self, plan: Plan, scored: Score) -> int:
        if not self._unused_ways(plan):
            return scored.part("balance").count
        # The score does not know ways that nobody drives.
        used = {a.clinician for a in plan.assignments}
        sheets = write_out(self.problem, plan).days
        loads = [sheet.care + sheet.travel for sheet in sheets]
        for n, c in enumerate(self.caregivers):
            loads[n] += 0 if n in used else way_minutes(self.problem, c.start, c.end)
        return sum(-(-abs(load * len(loads) - sum(loads)) // len(loads)) for load in loads)

    def _lunchless(self, plan: Plan) -> int:
        used = {a.clinician for a in plan.assignments}
        fed = {rest.clinician for rest in plan.rests} & used
        return sum(1 for n, caregiver in enumerate(self.caregivers) if caregiver.lunch and n not in fed)

    def solution_of(self, plan: Plan) -> Json:
        """The published form; lunch is at the place where it is eaten."""
        back = self.unit.back
        routes = []
        for position, caregiver in enumerate(self.caregivers):
            route = plan.route(position, 0)
            stops = []
            for a in route:
                patient, service = self.visits[a.visit]
                end = a.start_minute + self.problem.visits[a.visit].minutes
                stops.append((patient.key, service, a.start_minute, end))
            for rest in plan.rests:
                if rest.clinician == position and route:
                    minutes = self.problem.slots[position].breaks[rest.number].minutes
                    where = self._lunch_at(position, route, rest.start_minute)
                    stops.append((where, LUNCH, rest.start_minute, rest.start_minute + minutes))
            stops.sort(key=lambda stop: stop[2])
            locations = [
                {"patient": who, "service": what, "arrival_time": back(begin), "departure_time": back(end)}
                for who, what, begin, end in stops
            ]
            routes.append({"caregiver_id": caregiver.key} | ({"locations": locations} if locations else {}))
        return {"cost_components": {}, "routes": routes}

    def _lunch_at(self, position: int, route: tuple[Assignment, ...], start: int) -> str:
        """At the next patient when there is time to arrive first, else at the one before."""
        before = [a for a in route if a.start_minute < start]
        after = [a for a in route if a.start_minute >= start]
        if not after:
            return self.visits[before[-1].visit][0].key
        if before:
            visits = self.problem.visits
            one, two = visits[before[-1].visit], visits[after[0].visit]
            there = before[-1].start_minute + one.minutes + way_minutes(self.problem, one.place, two.place)
            if start < there:
                return self.visits[before[-1].visit][0].key
        return self.visits[after[0].visit][0].key

    def plan_of(self, solution: Json) -> Plan:
        """The plan of a solution in any of the forms that the authors' validator reads."""
        people = {c.key: n for n, c in enumerate(self.caregivers)}
        at = {(patient.key, service): n for n, (patient, service) in enumerate(self.visits)}
        assignments, rests = [], []
        for position, route in enumerate(items(need(solution, "routes", "the solution"), "routes")):
            key = str(need(route, "caregiver_id", f"routes[{position}]"))
            if key not in people:
                raise FormatError(f"routes[{position}]: caregiver_id {key!r} is not in the instance")
            for stop in items(route.get("locations", []), f"route of {key}: locations"):
                where = f"route of {key}"
                names = ("start_service_time", "arrival_time", "start_time")
                start = self.unit.near(number(need(stop, names[0], where, *names[1:]), f"{where}: {names[0]}"))
                patient, service = str(need(stop, "patient", where)), str(need(stop, "service", where))
                if service == LUNCH:
                    rests.append(Rest(people[key], 0, 0, start))
                elif (patient, service) not in at:
                    raise FormatError(f"{where}: {patient} does not ask for {service}")
                else:
                    assignments.append(Assignment(at[patient, service], people[key], 0, start))
        twice = [visit for visit, times in Counter(a.visit for a in assignments).items() if times > 1]
        if twice:
            patient_twice, service = self.visits[twice[0]]
            raise FormatError(f"routes: {patient_twice.key} gets {service} twice")
        return Plan.of(assignments, rests)


def _merged(windows: list[Window]) -> tuple[Window, ...]:
    """Windows that touch become one: nobody asks in which of them a start lies."""
    merged: list[Window] = []
    for window in windows:
        if merged and window.earliest_start <= merged[-1].latest_start:
            merged[-1] = Window(merged[-1].earliest_start, max(merged[-1].latest_start, window.latest_start))
        else:
            merged.append(window)
    return tuple(merged)


def read(raw: Json, name: str) -> UhhcCase:
    """One instance from parsed JSON. Raises FormatError naming the key."""
    return UhhcCase(name, read_instance(raw))


def load(path: Path) -> UhhcCase:
    """One instance from its file. Raises FormatError naming the key."""
    return read(read_json(path), path.stem)
