"""From a kernel's state to a plan, and from a plan to a state."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.planner import kernel as k
from coordinator.planner.arrays import Arrays
from coordinator.planner.candidates import Ints, allowed, static_cost, visit_minutes
from coordinator.planner.plan import Assignment, Plan, Rest


def plan_of(arrays: Arrays, state: Ints) -> Plan:
    """The plan that a state stands for."""
    slots = arrays.problem.slots
    assignments = []
    for visit in range(len(arrays.problem.visits)):
        index = int(state[arrays.at(k.S_SLOT) + visit])
        if index >= 0:
            start = int(state[arrays.at(k.S_START) + visit])
            assignments.append(Assignment(visit, slots[index].clinician, slots[index].day, start))
    rests = []
    for index, slot in enumerate(slots):
        if state[arrays.at(k.S_LENGTH) + index] == 0:
            continue
        for number in range(len(slot.breaks)):
            start = int(state[arrays.at(k.S_REST) + index * k.MAX_BREAKS + number])
            if start >= 0:
                rests.append(Rest(slot.clinician, slot.day, number, start))
    return Plan.of(assignments, rests)


def state_of(arrays: Arrays, plan: Plan) -> Ints:
    """The state of a plan; visits that do not fit, or may not be there, are left out.

    Days are taken at the plan's own times; one that is not possible so is timed anew in its order, and if that fails
    too,
    its visits are taken one by one.
    """
    problem = arrays.problem
    state = arrays.empty.copy()
    slot_at = {(slot.clinician, slot.day): index for index, slot in enumerate(problem.slots)}
    placed = plan.by_visit()
    partners = {link.first: link.second for link in problem.links} | {link.second: link.first for link in problem.links}
    routes: dict[int, list[Assignment]] = {}
    for assignment in plan.assignments:
        index = slot_at.get((assignment.clinician, assignment.day))
        visit = problem.visits[assignment.visit]
        if index is None or not allowed(visit, assignment.clinician, assignment.day):
            continue
        if not visit.locked and assignment.visit in partners and partners[assignment.visit] not in placed:
            continue
        state[arrays.at(k.S_MINUTES) + assignment.visit] = visit_minutes(visit, assignment.clinician)
        state[arrays.at(k.S_STATIC) + assignment.visit] = static_cost(visit, assignment.clinician, assignment.day)
        routes.setdefault(index, []).append(assignment)
    later = []
    # Days with locked visits first: what is locked stands, and the others give way.
    held_slots = {i for i, route in routes.items() if any(problem.visits[a.visit].locked for a in route)}
    for index in sorted(routes, key=lambda i: (i not in held_slots, i)):
        routes[index].sort(key=lambda a: (a.start_minute, a.visit))
        if not _load(arrays, state, index, routes[index], [a.start_minute for a in routes[index]]):
            later.append(index)
    for index in later:
        held = [a.start_minute if a.visit in partners else None for a in routes[index]]
        if not _load(arrays, state, index, routes[index], held):
            _load_one_by_one(arrays, state, index, routes[index])
    # From here on only linked visits are bound to their time.
    for visit_index in range(len(problem.visits)):
        if visit_index not in partners:
            bind(arrays, state, visit_index, None)
    _drop_broken_links(arrays, state)
    for index in range(len(problem.slots)):
        k.restamp(arrays.data, state, index)
    return state


def bind(arrays: Arrays, state: Ints, visit: int, start: int | None) -> None:
    """Allow the visit this start only, or any if None."""
    state[arrays.at(k.S_LOW) + visit] = -k.INF if start is None else start
    state[arrays.at(k.S_HIGH) + visit] = k.INF if start is None else start


def _load(arrays: Arrays, state: Ints, index: int, route: list[Assignment], starts: Sequence[int | None]) -> bool:
    """Make this the route of the empty slot, at these starts where they are given. False and nothing changed if it
    fails."""
    if len(route) + 2 > arrays.at(k.N_LENGTH):
        return False
    before = state.copy()
    for position, (assignment, start) in enumerate(zip(route, starts, strict=True)):
        bind(arrays, state, assignment.visit, start)
        arrays.scratch[arrays.at(k.X_SEQUENCE) + position] = assignment.visit
    if k.load_route(arrays.data, state, arrays.scratch, index, len(route)):
        return True
    state[:] = before
    return False


def _load_one_by_one(arrays: Arrays, state: Ints, index: int, route: list[Assignment]) -> None:
    """As many of the route's visits as fit, locked ones first, each at the end of or between those already there."""
    data, scratch = arrays.data, arrays.scratch
    order = sorted(route, key=lambda a: (not arrays.problem.visits[a.visit].locked, a.start_minute, a.visit))
    held: list[Assignment] = []
    for assignment in order:
        trial = sorted([*held, assignment], key=lambda a: (a.start_minute, a.visit))
        position = trial.index(assignment)
        static = int(state[arrays.at(k.S_STATIC) + assignment.visit])
        minutes = int(state[arrays.at(k.S_MINUTES) + assignment.visit])
        if k.may_hold(data, state, assignment.visit, index, minutes) and k.place(
            data, state, scratch, assignment.visit, index, position, static, minutes
        ):
            held = trial


def _drop_broken_links(arrays: Arrays, state: Ints) -> None:
    """Take out linked visits whose partner was not placed, or not at the right distance, unless they are locked."""
    slots = arrays.problem.slots
    for link in arrays.problem.links:
        low, high = (link.min_minutes, link.max_minutes) if link.kind == "gap" else (0, 0)
        pair = (link.first, link.second)
        places = [int(state[arrays.at(k.S_SLOT) + v]) for v in pair]
        starts = [int(state[arrays.at(k.S_START) + v]) for v in pair]
        people = [slots[index].clinician if index >= 0 else -1 for index in places]
        whole = (
            min(places) >= 0
            and low <= starts[1] - starts[0] <= high
            and not (link.different_clinicians and people[0] == people[1])
            and not (link.same_clinician and people[0] != people[1])
        )
        for visit, index in zip(pair, places, strict=True):
            if not whole and index >= 0 and not arrays.problem.visits[visit].locked:
                k.take_out(arrays.data, state, arrays.scratch, visit)
            elif index < 0:
                bind(arrays, state, visit, None)
