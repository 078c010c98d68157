"""From the problem's words to the operations kernel's arrays, and from its states to plans and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.planner.arrays import leg_costs, travel_minutes, unplaced_cost
from coordinator.planner.candidates import allowed, static_cost, visit_minutes
from coordinator.planner.operations import kernel as k
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import LinkKind, Problem, Slot, Visit

Ints = NDArray[np.int64]

NEIGHBOURS = 100
"""How many nearby operations each one knows; removal never reaches further."""

OPERATION_TABLES = (k.S_SLOT, k.S_NEXT, k.S_PREV, k.S_START, k.S_LATEST)
SLOT_TABLES = (k.S_FIRST, k.S_FINAL, k.S_MEAL, k.S_SIZE, k.S_DRIVE, k.S_CARE, k.S_LEGS, k.S_HOME, k.S_WAIT)


@dataclass(frozen=True, eq=False)
class Arrays:
    """One problem as the kernel sees it, and how large its states and its room are."""

    problem: Problem
    data: Ints
    state_size: int
    work_size: int

    def empty(self) -> Ints:
        """The state in which nothing is placed."""
        data, problem = self.data, self.problem
        state = np.zeros(self.state_size, dtype=np.int64)
        state[k.SOFTNESS] = 1
        visits, slots = len(problem.visits), len(problem.slots)
        for table in (k.S_SLOT, k.S_NEXT, k.S_PREV):
            state[data[table] : data[table] + visits] = -1
        for table in (k.S_FIRST, k.S_FINAL):
            state[data[table] : data[table] + slots] = -1
        state[data[k.S_MEAL] : data[k.S_MEAL] + slots] = k.NO_MEAL
        state[data[k.S_HOME] : data[k.S_HOME] + slots] = [slot.shift_start for slot in problem.slots]
        return state

    def work(self) -> Ints:
        """Room to work in."""
        return np.zeros(self.work_size, dtype=np.int64)


class _Packer:
    """Collects tables and lays them out one after the other behind the head."""

    def __init__(self) -> None:
        self.head = np.zeros(k.HEAD, dtype=np.int64)
        self.tables: list[Ints] = []
        self.offset = k.HEAD

    def table(self, field: int, values: Iterable[int] | Ints) -> None:
        array = values if isinstance(values, np.ndarray) else np.fromiter(values, dtype=np.int64)
        self.head[field] = self.offset
        self.tables.append(array.astype(np.int64).ravel())
        self.offset += array.size

    def lists(self, pointer: int, fields: Sequence[int], rows: Sequence[Sequence[Sequence[int]]]) -> None:
        """A list for each row: `pointer` gets where each begins, `fields` one table for each column."""
        ends = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=ends[1:])
        self.table(pointer, ends)
        for column, field in enumerate(fields):
            self.table(field, [item[column] for row in rows for item in row])

    def pack(self) -> Ints:
        return np.concatenate([self.head, *self.tables])


def build(problem: Problem) -> Arrays:
    """The arrays of a problem that `engines.choose` gives to this engine."""
    packer = _Packer()
    head = packer.head
    visits, slots = problem.visits, problem.slots
    count, shifts = len(visits), len(slots)
    weights = problem.weights
    head[k.OPERATIONS], head[k.SLOTS], head[k.PLACES] = count, shifts, problem.places + 1
    head[k.CLINICIANS] = len(problem.clinicians)
    head[k.W_WORST], head[k.W_IDLE] = weights.worst_late_minute, weights.longest_idle_minute
    head[k.W_BALANCE], head[k.W_WAITING] = weights.balance_minute, weights.waiting_minute
    head[k.W_OVERTIME] = weights.overtime_minute

    # One more place that is no way from anywhere: where a day begins or ends that is not driven.
    minutes = np.pad(travel_minutes(problem), ((0, 1), (0, 1)))
    packer.table(k.TRAVEL, minutes)
    packer.table(k.LEG, np.pad(leg_costs(problem), ((0, 1), (0, 1))))
    places = np.array([0 if v.place is None else v.place for v in visits], dtype=np.int64)
    packer.table(k.PLACE, places)
    packer.table(k.LATE, (0 if v.locked else v.late_cost for v in visits))
    packer.table(k.LOCKED, (v.locked for v in visits))

    care = np.array([[visit_minutes(v, s.clinician) for s in slots] for v in visits], dtype=np.int64)
    price = np.array([[_price(v, s) for s in slots] for v in visits], dtype=np.int64)
    care, price = care.reshape(count, shifts), price.reshape(count, shifts)
    packer.table(k.MINUTES, care)
    packer.table(k.PRICE, price)
    packer.lists(k.CAND_AT, (k.CAND,), [[(int(r),) for r in np.flatnonzero(row < k.FORBIDDEN)] for row in price])
    segments = [_segments(v, weights.waiting_minute) for v in visits]
    packer.lists(k.SEG_AT, (k.SEG_LOW, k.SEG_HIGH, k.SEG_CLOSE), segments)
    packer.lists(k.LINK_AT, (k.LINK_OTHER, k.LINK_LOW, k.LINK_BACK, k.LINK_WHO), _links(problem))
    groups = _groups(problem)
    head[k.GROUPS] = len(groups)
    packer.table(k.GROUP, _inverse(groups, count))
    packer.lists(k.GROUP_AT, (k.GROUP_MEMBER,), [[(i,) for i in group] for group in groups])
    packer.table(k.GROUP_PRICE, (sum(unplaced_cost(problem, visits[i]) for i in group) for group in groups))
    near = _neighbours(minutes[np.ix_(places, places)], segments, price < k.FORBIDDEN)
    head[k.NEAR_WIDTH] = near.shape[1]
    packer.table(k.NEAR, near)
    packer.table(k.FAR, _far(problem, minutes, places))
    packer.table(k.SLOT, np.array([_slot(problem, s) for s in slots], dtype=np.int64))

    state_size = _lay_out(head, k.S_HEAD, [(OPERATION_TABLES, count), (SLOT_TABLES, shifts)])
    head[k.ROOM] = 2 * count + 3 * shifts + 16
    head[k.STACK_SIZE] = 6 * count + 200
    head[k.TRAIL_SIZE] = 40 * count + 4 * shifts + 1000
    work_size = _lay_out(
        head,
        k.R_HEAD,
        [
            ((k.R_TRAIL_AT, k.R_TRAIL_WAS), int(head[k.TRAIL_SIZE])),
            ((k.R_STACK,), int(head[k.STACK_SIZE])),
            ((k.R_ITEMS, k.R_KEYS, k.R_TAKEN), count + 8),
            ((k.R_TOUCHED,), shifts),
            ((k.R_BOUND, k.R_WHERE_SLOT, k.R_WHERE_PREV, k.R_WHERE_MEAL, k.R_EXACT), 2 * int(head[k.ROOM])),
        ],
    )
    return Arrays(problem, packer.pack(), state_size, work_size)


def _lay_out(head: Ints, offset: int, tables: list[tuple[tuple[int, ...], int]]) -> int:
    """Write where each table begins; the size of all."""
    for fields, size in tables:
        for field in fields:
            head[field] = offset
            offset += size
    return offset


def _price(visit: Visit, slot: Slot) -> int:
    if not allowed(visit, slot.clinician, slot.day):
        return k.FORBIDDEN
    return static_cost(visit, slot.clinician, slot.day)


def _segments(visit: Visit, waiting: int) -> list[tuple[int, int, int]]:
    """Allowed starts (first, last) and from when on they are late, in order.

    Hard windows are cut where a preferred one opens. In the gap before that, minutes are left out in which waiting for
    the opening costs less than being late for the window before.
    """
    if visit.locked and visit.current is not None:
        return [(visit.current.start_minute, visit.current.start_minute, k.INF)]
    segments: list[tuple[int, int, int]] = []
    for day, windows in sorted(visit.windows.items()):
        wished = visit.preferred.get(day, ())
        for window in windows:
            cuts = [w.earliest_start for w in wished if window.earliest_start < w.earliest_start <= window.latest_start]
            for low, opening in zip([window.earliest_start, *cuts], [*cuts, None], strict=True):
                opened = [w for w in wished if w.earliest_start <= low]
                close = (opened[-1] if opened else wished[0]).latest_start if wished else k.INF
                high = window.latest_start if opening is None else opening - 1
                if opening is not None and visit.late_cost:
                    idle = max(1, waiting)
                    high = min(high, (opening * idle + close * visit.late_cost) // (idle + visit.late_cost))
                    if high < low:
                        continue
                segments.append((low, high, close))
    return segments or [(k.INF, k.INF, k.INF)]


def _links(problem: Problem) -> list[list[tuple[int, int, int, int]]]:
    """By visit: partner, its least start after this one's, the least of this one's after the partner's, by whom."""
    rows: list[list[tuple[int, int, int, int]]] = [[] for _ in problem.visits]
    for link in problem.links:
        if problem.visits[link.first].locked and problem.visits[link.second].locked:
            continue
        low, back = k.FREE, k.FREE
        if link.kind is LinkKind.GAP:
            low, back = link.min_minutes, -link.max_minutes
        elif link.kind is LinkKind.TOGETHER:
            low, back = 0, 0
        who = k.DIFFERENT if link.different_clinicians else k.SAME if link.same_clinician else k.ANYONE
        rows[link.first].append((link.second, low, back, who))
        rows[link.second].append((link.first, back, low, who))
    return rows


def _groups(problem: Problem) -> list[list[int]]:
    """Visits that are made all or none; one that is locked stands by itself."""
    leader = list(range(len(problem.visits)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for link in problem.links:
        if not problem.visits[link.first].locked and not problem.visits[link.second].locked:
            leader[find(link.second)] = find(link.first)
    groups: dict[int, list[int]] = {}
    for i in range(len(problem.visits)):
        groups.setdefault(find(i), []).append(i)
    return list(groups.values())


def _inverse(groups: list[list[int]], count: int) -> Ints:
    group_of = np.zeros(count, dtype=np.int64)
    for number, group in enumerate(groups):
        group_of[group] = number
    return group_of


def _slot(problem: Problem, slot: Slot) -> list[int]:
    row = [0] * k.SLOT_COLUMNS
    row[k.FROM] = problem.places if slot.start_place is None else slot.start_place
    row[k.TO] = problem.places if slot.end_place is None else slot.end_place
    row[k.START], row[k.END] = slot.shift_start, slot.shift_end
    row[k.OVERTIME] = k.INF if slot.overtime_from is None else slot.overtime_from
    row[k.IDLE_END] = slot.shift_end if slot.overtime_from is None else slot.overtime_from
    row[k.IDLE_COUNTS] = int(slot.counts_idle)
    row[k.LEAVES] = int(slot.leaves_at_shift_start)
    row[k.MOST] = k.INF if slot.max_visits is None else slot.max_visits
    row[k.SKIP] = row[k.EMPTY_SKIP] = -1
    for pause in slot.breaks:
        row[k.MEAL_EARLY], row[k.MEAL_LATE], row[k.MEAL] = pause.earliest_start, pause.latest_start, pause.minutes
        row[k.SKIP] = pause.skip_cost or 0
        row[k.EMPTY_SKIP] = row[k.SKIP] if pause.owed_after_minutes < 0 else 0
    return row


def _neighbours(minutes: Ints, segments: list[list[tuple[int, int, int]]], can: NDArray[np.bool_]) -> Ints:
    """For each visit the others it could best change places with: near in place and time, with shifts in common."""
    count = len(segments)
    width = max(1, min(NEIGHBOURS, count - 1))
    if count < 2:
        return np.full((count, width), -1, dtype=np.int64)
    way = (minutes + minutes.T) / 2
    low = np.array([row[0][0] for row in segments], dtype=float)
    shared = can.astype(np.float32)
    sizes = shared.sum(axis=1)
    common = (shared @ shared.T) / np.maximum(1, np.minimum(sizes[:, None], sizes[None]))
    distance = way + 0.1 * np.abs(low[:, None] - low[None]) + 0.3 * np.median(way) * (1 - common)
    np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1, kind="stable")[:, :width].astype(np.int64)


def _far(problem: Problem, minutes: Ints, places: Ints) -> Ints:
    """Minutes of each visit from where shifts begin, on average."""
    starts = [slot.start_place for slot in problem.slots if slot.start_place is not None]
    if not starts:
        return np.zeros(len(places), dtype=np.int64)
    away: Ints = minutes[starts][:, places].mean(axis=0).astype(np.int64)
    return away


def plan_of(arrays: Arrays, state: Ints) -> Plan:
    """The plan as it is written: each start as late as costs nothing when waiting costs, else as early as can be."""
    problem, data = arrays.problem, arrays.data
    table = k.S_LATEST if problem.weights.waiting_minute else k.S_START
    assignments: list[Assignment] = []
    rests: list[Rest] = []
    minutes = travel_minutes(problem)
    for number, slot in enumerate(problem.slots):
        i = int(state[data[k.S_FIRST] + number])
        meal = int(state[data[k.S_MEAL] + number])
        before: Assignment | None = None
        while i >= 0:
            a = Assignment(i, slot.clinician, slot.day, int(state[data[table] + i]))
            if meal == i:
                rests.append(_rest(problem, slot, before, a, minutes))
            assignments.append(a)
            before = a
            i = int(state[data[k.S_NEXT] + i])
        if meal == k.MEAL_AT_END and before is not None:
            rests.append(_rest(problem, slot, before, None, minutes))
    return Plan.of(assignments, rests)


def _rest(problem: Problem, slot: Slot, before: Assignment | None, after: Assignment | None, minutes: Ints) -> Rest:
    """The break between two visits: on arrival if there is time for that, else before driving on."""
    pause = slot.breaks[0]
    if before is None and after is not None:
        # Nobody waits for work before it, so leaving late is best.
        return Rest(slot.clinician, slot.day, 0, min(pause.latest_start, after.start_minute - pause.minutes))
    assert before is not None
    visit = problem.visits[before.visit]
    free = before.start_minute + visit_minutes(visit, before.clinician)
    if after is not None:
        way = int(minutes[visit.place or 0, problem.visits[after.visit].place or 0])
        begin = max(free + way, pause.earliest_start)
        if begin <= pause.latest_start:
            return Rest(slot.clinician, slot.day, 0, begin)
    return Rest(slot.clinician, slot.day, 0, max(free, pause.earliest_start))


def state_of(arrays: Arrays, plan: Plan) -> Ints:
    """The state of a plan's routes in their order, with its breaks; times are not counted yet.

    Who may not make a visit does not get it, and a group of which only a part is there is left out.
    """
    problem, data = arrays.problem, arrays.data
    state = arrays.empty()
    placed = plan.by_visit()
    for group in _groups(problem):
        if not all(i in placed and allowed(problem.visits[i], placed[i].clinician, placed[i].day) for i in group):
            for i in group:
                placed.pop(i, None)
    rests = {(rest.clinician, rest.day): rest.start_minute for rest in plan.rests}
    for number, slot in enumerate(problem.slots):
        before = -1
        route = [a for a in plan.route(slot.clinician, slot.day) if a.visit in placed]
        rest = rests.get((slot.clinician, slot.day)) if slot.breaks else None
        at = None if rest is None else sum(1 for a in route if a.start_minute <= rest)
        for position, a in enumerate(route[: slot.max_visits]):
            k.chain(data, state, a.visit, number, before, False)
            if position == at:
                state[data[k.S_MEAL] + number] = a.visit
            before = a.visit
        if at is not None and route and at >= len(route):
            state[data[k.S_MEAL] + number] = k.MEAL_AT_END
    return state
