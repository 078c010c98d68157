"""OR-Tools' routing library: one vehicle for each (clinician, day), one node for each visit.

Days are laid on top of each other: a dimension of the minutes of a day, whose value at a visit is its start. The values
of the vehicle variable say who may go on which day (`SetAllowedVehiclesForIndex` cannot be called from Python in this
version). A visit with more than one time of day has a node for each, in one disjunction, whose penalty is the
price of leaving the visit out. A counting dimension has the visits of a day; arcs cost the driving. (A dimension of the
whole week with holes in the starts' domains left 305 of 488 visits out after 20 s.)

Guided local search, as its documentation advises for routing. It has one thread: two runs with different first
solutions go side by side.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.util.optional_boolean_pb2 import BOOL_TRUE

from benchmarks.peers.common import Week, best_of_two, flatten, plan_of
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem

FIRST = (
    routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION,
    routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC,
)


def solve(problem: Problem, seconds: float, seed: int) -> Plan:
    """The better of two plans that OR-Tools finds in so many seconds, building the model included."""
    return best_of_two(solve_one, problem, seconds, (2 * seed, 2 * seed + 1))


def solve_one(problem: Problem, seconds: float, seed: int) -> Plan:
    """One run; the seed's parity chooses the first solution. An empty plan when none was found in time."""
    began = time.monotonic()
    week = flatten(problem)
    model = _model(week)
    routing = model.routing
    routing.solver().ReSeed(seed)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = FIRST[seed % 2]
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    # Moves a visit from one of its times of day to another; off by default.
    parameters.local_search_operators.use_extended_swap_active = BOOL_TRUE
    left = max(0.05, seconds - (time.monotonic() - began))
    parameters.time_limit.FromMilliseconds(int(1000 * left))
    answer = routing.SolveWithParameters(parameters)
    routes: list[list[int]] = [[] for _ in week.slots]
    for number in range(len(week.slots)) if answer else ():
        index = answer.Value(routing.NextVar(routing.Start(number)))
        while not routing.IsEnd(index):
            visit = model.visits[model.manager.IndexToNode(index)]
            assert visit is not None
            routes[number].append(visit)
            index = answer.Value(routing.NextVar(index))
    return plan_of(week, routes)


@dataclass(frozen=True)
class _Model:
    manager: pywrapcp.RoutingIndexManager
    routing: pywrapcp.RoutingModel
    visits: list[int | None]
    """By node: the visit; None for where a slot starts or ends."""


def _model(week: Week) -> _Model:
    """Nodes: the start of each slot, the end of each slot, then each time of day of each visit."""
    slots = week.slots
    places = [slot.start_place for slot in slots] + [slot.end_place for slot in slots]
    visits: list[int | None] = [None] * len(places)
    times: list[tuple[int, int, list[int]]] = []
    nodes: list[list[int]] = []
    for number in range(len(week.visits)):
        found = week.times_of_day(number)
        nodes.append(list(range(len(places), len(places) + len(found))))
        times += [(early, late, able) for (early, late), able in found.items()]
        places += [week.place(number)] * len(found)
        visits += [number] * len(found)
    care = [0 if visit is None else week.visits[visit].minutes for visit in visits]
    starts, ends = list(range(len(slots))), list(range(len(slots), 2 * len(slots)))
    manager = pywrapcp.RoutingIndexManager(len(places), len(slots), starts, ends)
    routing = pywrapcp.RoutingModel(manager)
    driving = week.minutes[np.ix_(places, places)]
    price = week.problem.weights.travel_minute
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix((price * driving).tolist()))
    latest = max(slot.shift_end - week.midnight(number) for number, slot in enumerate(slots))
    with_care = driving + np.array(care)[:, None]
    routing.AddDimension(routing.RegisterTransitMatrix(with_care.tolist()), latest, latest, False, "time")
    clock = routing.GetDimensionOrDie("time")
    one = routing.RegisterUnaryTransitVector([int(visit is not None) for visit in visits])
    most = [len(visits) if slot.max_visits is None else slot.max_visits for slot in slots]
    routing.AddDimensionWithVehicleCapacity(one, 0, most, True, "visits")
    for number, slot in enumerate(slots):
        midnight = week.midnight(number)
        for index in (routing.Start(number), routing.End(number)):
            clock.CumulVar(index).SetRange(slot.shift_start - midnight, slot.shift_end - midnight)
    for node, (early, late, able) in enumerate(times, start=2 * len(slots)):
        index = manager.NodeToIndex(node)
        routing.VehicleVar(index).SetValues([-1, *able])
        clock.CumulVar(index).SetRange(early, late)
    for visit, choices in zip(week.visits, nodes, strict=True):
        if choices:
            routing.AddDisjunction([manager.NodeToIndex(node) for node in choices], visit.unplaced_cost)
    return _Model(manager, routing, visits)
