"""PyVRP: one vehicle type for each (clinician, day), one optional client with a prize for each visit.

Days are laid on top of each other: a client's window is a time of day, and the profile of each vehicle type closes the
places it may not go to (wrong skill, wrong day), as the documentation does for access restrictions. Only a visit whose
windows differ from day to day, or that has several, is a mutually exclusive group of clients, one for each window.
Each visit of a place that others may make too has a location of its own, since profiles close locations.
PyVRP has one thread: two seeds run side by side.
"""

from __future__ import annotations

import time

import numpy as np
from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, VehicleType
from pyvrp import solve as pyvrp_solve
from pyvrp.stop import MaxRuntime

from benchmarks.peers.common import Week, best_of_two, flatten, plan_of
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem

CLOSED_CENTS = 100_000_000
"""The way to a place that a vehicle may not go to: far more than all prizes together."""
CLOSED_MINUTES = 100_000


def solve(problem: Problem, seconds: float, seed: int) -> Plan:
    """The better of two plans that PyVRP finds in so many seconds, building the model included."""
    return best_of_two(solve_one, problem, seconds, (2 * seed, 2 * seed + 1))


def solve_one(problem: Problem, seconds: float, seed: int) -> Plan:
    """One run of PyVRP."""
    began = time.monotonic()
    week = flatten(problem)
    data, visits = _model(week)
    left = max(0.05, seconds - (time.monotonic() - began))
    answer = pyvrp_solve(data, MaxRuntime(left), seed=seed, collect_stats=False)
    routes: list[list[int]] = [[] for _ in week.slots]
    for route in answer.best.routes():
        routes[route.vehicle_type()] = [visits[client] for client in _clients(route)]
    return plan_of(week, routes)


def _clients(route: object) -> list[int]:
    """The clients of a route in order."""
    return [stop.idx for stop in route if stop.is_client()]  # type: ignore[attr-defined]


def _model(week: Week) -> tuple[ProblemData, list[int]]:
    """PyVRP's data, and the visit that each client stands for."""
    homes = sorted({place for slot in week.slots for place in (slot.start_place, slot.end_place) if place is not None})
    places = list(homes)
    open_to: list[frozenset[int]] = [frozenset(range(len(week.slots)))] * len(homes)
    location_of: dict[tuple[int, frozenset[int]], int] = {}
    clients: list[Client] = []
    groups: list[ClientGroup] = []
    visits: list[int] = []
    for number, visit in enumerate(week.visits):
        by_window = week.times_of_day(number)
        group = len(groups) if len(by_window) > 1 else None
        if group is not None:
            groups.append(ClientGroup(list(range(len(clients), len(clients) + len(by_window))), required=False))
        for (early, late), slots in by_window.items():
            key = (week.place(number), frozenset(slots))
            if key not in location_of:
                location_of[key] = len(places)
                places.append(key[0])
                open_to.append(key[1])
            clients.append(
                Client(
                    location_of[key],
                    delivery=[1],
                    service_duration=visit.minutes,
                    tw_early=early,
                    tw_late=late,
                    prize=visit.unplaced_cost,
                    required=False,
                    group=group,
                )
            )
            visits.append(number)
    minutes = week.minutes[np.ix_(places, places)]
    cents = minutes * week.problem.weights.travel_minute
    profiles: dict[tuple[bool, ...], int] = {}
    distances, durations, vehicles = [], [], []
    for number, slot in enumerate(week.slots):
        is_open = tuple(number in slots for slots in open_to)
        if is_open not in profiles:
            profiles[is_open] = len(distances)
            shut = ~np.array(is_open)
            distance, duration = cents.copy(), minutes.copy()
            for matrix, closed in ((distance, CLOSED_CENTS), (duration, CLOSED_MINUTES)):
                matrix[shut, :] = closed
                matrix[:, shut] = closed
                np.fill_diagonal(matrix, 0)
            distances.append(distance)
            durations.append(duration)
        midnight = week.midnight(number)
        assert slot.start_place is not None
        assert slot.end_place is not None
        vehicles.append(
            VehicleType(
                1,
                capacity=[len(clients) if slot.max_visits is None else slot.max_visits],
                start_depot=homes.index(slot.start_place),
                end_depot=homes.index(slot.end_place),
                tw_early=slot.shift_start - midnight,
                tw_late=slot.shift_end - midnight,
                profile=profiles[is_open],
            )
        )
    # Coordinates only matter to plots here: distances are given.
    locations = [Location(0, 0) for _ in places]
    depots = [Depot(home) for home in range(len(homes))]
    return ProblemData(locations, clients, depots, vehicles, distances, durations, groups), visits
