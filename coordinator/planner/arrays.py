"""From the problem's words to the kernel's flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from coordinator.planner import kernel as k
from coordinator.planner.candidates import Ints, candidates_of, longest_route, neighbours
from coordinator.planner.problem import Problem, SeventhDay, Slot, Visit

PATTERNS = 62
"""Patterns of days that have their bits in one number."""
LOG_RECORDS = 512
"""How many changes one round may make, tries included."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """One problem as the kernel sees it, and the room it needs."""

    problem: Problem
    data: Ints
    empty: Ints
    """The state in which nothing is placed."""
    scratch: Ints

    def at(self, field: int) -> int:
        """Offset of a table in its array."""
        return int(self.data[field])

    def paper(self) -> Ints:
        """Scratch paper for one more search at the same time."""
        paper = np.zeros(self.scratch.size, dtype=np.int64)
        at = self.at(k.X_CONTROL) + k.CONTROL_ROOM
        paper[at] = self.scratch[at]
        return paper

    def pair(self) -> Ints:
        """Room for two copies of a state."""
        return np.zeros(2 * self.empty.size, dtype=np.int64)


class _Packer:
    """Collects tables and lays them out one after the other behind the head."""

    def __init__(self) -> None:
        self.head = np.zeros(k.HEAD, dtype=np.int64)
        self.tables: list[tuple[int, Ints]] = []

    def number(self, field: int, value: int) -> None:
        self.head[field] = value

    def table(self, field: int, values: Iterable[int] | Ints) -> None:
        array = values if isinstance(values, np.ndarray) else np.fromiter(values, dtype=np.int64)
        self.tables.append((field, array.astype(np.int64).ravel()))

    def lists(self, pointer: int, fields: Sequence[int], rows: Sequence[Sequence[Sequence[int]]]) -> None:
        """A list for each row: `pointer` gets where each begins (one more at the end), `fields` one table for each
        column."""
        ends = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=ends[1:])
        self.table(pointer, ends)
        for column, field in enumerate(fields):
            self.table(field, [item[column] for row in rows for item in row])

    def pack(self) -> Ints:
        offset = k.HEAD
        for field, array in self.tables:
            self.head[field] = offset
            offset += array.size
        return np.concatenate([self.head, *(array for _, array in self.tables)])


def travel_minutes(problem: Problem) -> Ints:
    """Minutes from place to place, rounded up."""
    return -(-problem.travel_seconds.astype(np.int64) // 60)


def leg_costs(problem: Problem) -> Ints:
    """Cents from place to place: minutes and kilometres."""
    costs = travel_minutes(problem) * problem.weights.travel_minute
    if problem.travel_metres is not None and problem.weights.travel_kilometre:
        costs = costs + problem.travel_metres.astype(np.int64) * problem.weights.travel_kilometre // 1000
    return costs


def _with_nowhere(matrix: Ints) -> Ints:
    """The matrix with one more place that is no way from anywhere: where a day begins or ends that is not driven."""
    return np.pad(matrix, ((0, 1), (0, 1)))


def unplaced_cost(problem: Problem, visit: Visit) -> int:
    """Cents of leaving the visit out."""
    return problem.weights.mandatory if visit.mandatory or visit.locked else visit.unplaced_cost


def _slots(packer: _Packer, problem: Problem) -> None:
    nowhere = problem.places
    slots = problem.slots
    packer.table(k.SLOT_CLINICIAN, (slot.clinician for slot in slots))
    packer.table(k.SLOT_DAY, (slot.day for slot in slots))
    packer.table(k.SLOT_WEEK, (problem.days[slot.day].week for slot in slots))
    packer.table(k.SLOT_FROM, (nowhere if slot.start_place is None else slot.start_place for slot in slots))
    packer.table(k.SLOT_TO, (nowhere if slot.end_place is None else slot.end_place for slot in slots))
    packer.table(k.SLOT_START, (slot.shift_start for slot in slots))
    packer.table(k.SLOT_END, (slot.shift_end for slot in slots))
    for field, name in ((k.SLOT_OVERTIME, "overtime_after_minutes"), (k.SLOT_MAX, "max_minutes")):
        packer.table(field, (_or_infinite(getattr(slot, name)) for slot in slots))
    packer.table(k.SLOT_MAX_VISITS, (_or_infinite(slot.max_visits) for slot in slots))
    packer.table(k.SLOT_PLAIN, (_plain(problem, slot) for slot in slots))
    packer.table(k.SLOT_DOUBLETIME, (_or_infinite(slot.doubletime_after_minutes) for slot in slots))
    packer.table(k.SLOT_BREAKS, (len(slot.breaks) for slot in slots))
    columns = (k.PAUSE_EARLY, k.PAUSE_LATE, k.PAUSE_MINUTES, k.PAUSE_SKIP, k.PAUSE_AFTER, k.PAUSE_NUMBER)
    packer.lists(k.SLOT_PAUSES, columns, [_pauses(slot) for slot in slots])


def _plain(problem: Problem, slot: Slot) -> bool:
    """Whether neither pauses nor hours worked ever matter on this day, so that its windows and its driving say all."""
    weights, person = problem.weights, problem.clinicians[slot.clinician]
    longest = slot.shift_end - slot.shift_start
    paid = min(_or_infinite(slot.overtime_after_minutes), _or_infinite(person.week_overtime_after_minutes))
    return (
        not slot.breaks
        and not slot.unavailable
        and not (weights.waiting_minute or weights.idle_gap_minute or weights.longest_wait_minute)
        and not any(tie.clinician == slot.clinician for tie in problem.seventh_days)
        and _or_infinite(slot.max_minutes) >= longest
        and (weights.doubletime_minute == 0 or _or_infinite(slot.doubletime_after_minutes) >= longest)
        and person.week_max_minutes is None
        and (person.fair_share_minutes is None or weights.fairness_minute == 0)
        and (weights.overtime_minute == 0 or (paid >= longest and person.week_overtime_after_minutes is None))
    )


def _pauses(slot: Slot) -> list[tuple[int, int, int, int, int, int]]:
    """Breaks and time off of one shift in order of their earliest start."""
    pauses = [
        (
            b.earliest_start,
            b.latest_start,
            b.minutes,
            -1 if b.skip_cost is None else b.skip_cost,
            b.owed_after_minutes,
            n,
        )
        for n, b in enumerate(slot.breaks)
    ]
    for off in slot.unavailable:
        pauses.append((off.start_minute, off.start_minute, off.end_minute - off.start_minute, -1, 0, -1))
    return sorted(pauses)


def _or_infinite(value: int | None) -> int:
    return k.INF if value is None else value


def _clinicians(packer: _Packer, problem: Problem, weeks: int) -> None:
    people = problem.clinicians
    packer.table(k.CLIN_OVERTIME, (_or_infinite(c.week_overtime_after_minutes) for c in people))
    packer.table(k.CLIN_MAX, (_or_infinite(c.week_max_minutes) for c in people))
    packer.table(k.CLIN_FAIR, (_or_infinite(c.fair_share_minutes) for c in people))
    packer.table(k.CLIN_ALREADY, (_get(c.already_worked_minutes, week) for c in people for week in range(weeks)))


def _get(values: Sequence[int], index: int) -> int:
    return values[index] if index < len(values) else 0


def _visits(packer: _Packer, problem: Problem, patients: dict[str, int], candidates: list[Ints]) -> None:
    visits = problem.visits
    days = range(len(problem.days))
    packer.table(k.V_PLACE, (-1 if v.place is None else v.place for v in visits))
    packer.table(k.V_UNPLACED, (unplaced_cost(problem, v) for v in visits))
    packer.table(k.V_LATE, (0 if v.locked else v.late_cost for v in visits))
    packer.table(k.V_EARLY, (0 if v.locked else v.early_cost for v in visits))
    packer.table(k.V_LOCKED, (v.locked for v in visits))
    packer.table(k.V_PATIENT, (patients[v.patient] for v in visits))
    # Where patients or days that are touched cost something, published times are wished for even without a price.
    touching = _touch_priced(problem)
    moved = [
        None if now is None or v.locked or not (touching or now.time_change_cost > 0) else now
        for v, now in ((v, v.current) for v in visits)
    ]
    packer.table(k.V_TIME_COST, (0 if c is None else c.time_change_cost for c in moved))
    packer.table(k.V_TIME_DAY, (-1 if c is None else c.day for c in moved))
    packer.table(k.V_TIME_START, (0 if c is None else c.start_minute for c in moved))
    packer.table(k.V_TIME_TOLERANCE, (0 if c is None else c.time_tolerance_minutes for c in moved))
    packer.table(
        k.V_PLAIN,
        (
            v.place is not None and (v.locked or not (v.late_cost or v.early_cost)) and c is None
            for v, c in zip(visits, moved, strict=True)
        ),
    )
    windows: list[list[tuple[int, int]]] = []
    for v in visits:
        for day in days:
            if v.locked:
                held = v.current is not None and v.current.day == day
                windows.append([(v.current.start_minute, v.current.start_minute)] if held and v.current else [])
            else:
                windows.append([(w.earliest_start, w.latest_start) for w in v.windows.get(day, ())])
    packer.lists(k.V_WINDOWS, (k.WINDOW_LOW, k.WINDOW_HIGH), windows)
    # This engine takes problems with at most one preferred window a day (`engines.py`).
    wished = [() if v.locked else v.preferred.get(day, ()) for v in visits for day in days]
    packer.table(k.V_PREFERRED_LOW, (w[0].earliest_start if w else -k.INF for w in wished))
    packer.table(k.V_PREFERRED_HIGH, (w[0].latest_start if w else k.INF for w in wished))
    sizes = np.array([len(row) for row in candidates], dtype=np.int64)
    packer.table(k.V_CANDIDATES, np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]))
    whole = np.concatenate([np.zeros((0, 3), dtype=np.int64), *candidates])
    for column, field in enumerate((k.CANDIDATE_SLOT, k.CANDIDATE_COST, k.CANDIDATE_MINUTES)):
        packer.table(field, whole[:, column])
    packer.table(k.V_HARDNESS, sizes)


def _patients(packer: _Packer, problem: Problem, patients: dict[str, int]) -> None:
    mine: list[list[tuple[int]]] = [[] for _ in patients]
    for index, visit in enumerate(problem.visits):
        mine[patients[visit.patient]].append((index,))
    busy: list[list[tuple[int, int]]] = [[] for _ in patients]
    for patient, intervals in problem.patient_busy.items():
        if patient in patients:
            busy[patients[patient]] = [(i.start_minute, i.end_minute) for i in intervals]
    packer.lists(k.P_VISITS, (k.PV_VISIT,), mine)
    packer.lists(k.P_BUSY, (k.BUSY_LOW, k.BUSY_HIGH), busy)
    mates = [len(mine[patients[v.patient]]) > 1 or bool(busy[patients[v.patient]]) for v in problem.visits]
    packer.table(k.V_MATES, mates)
    tied = {v for tie in problem.spacings for v in tie.visits}
    tied |= {v for tie in problem.daily_limits for v in tie.visits} | {
        v for tie in problem.patterns for v in tie.visits
    }
    tied |= {v for tie in problem.group_caps for v in tie.visits}
    packer.table(k.V_LOOSE, (not company and index not in tied for index, company in enumerate(mates)))


def _links(packer: _Packer, problem: Problem) -> None:
    count = len(problem.visits)
    other = np.full(count, -1)
    low, high, who = np.zeros(count), np.zeros(count), np.zeros(count)
    for link in problem.links:
        least, most = (link.min_minutes, link.max_minutes) if link.kind == "gap" else (0, 0)
        other[link.first], other[link.second] = link.second, link.first
        low[link.first], high[link.first] = least, most
        low[link.second], high[link.second] = -most, -least
        mode = k.DIFFERENT if link.different_clinicians else k.SAME if link.same_clinician else k.ANYONE
        who[link.first] = who[link.second] = mode
    packer.table(k.LINK_OTHER, other)
    packer.table(k.LINK_LOW, low)
    packer.table(k.LINK_HIGH, high)
    packer.table(k.LINK_WHO, who)


def _membership(packer: _Packer, pointer: int, field: int, count: int, groups: Sequence[Sequence[int]]) -> None:
    """Which groups each visit is in."""
    rows: list[list[tuple[int]]] = [[] for _ in range(count)]
    for group, members in enumerate(groups):
        for visit in members:
            rows[visit].append((group,))
    packer.lists(pointer, (field,), rows)


def _members(packer: _Packer, pointer: int, field: int, groups: Sequence[Sequence[int]]) -> None:
    packer.lists(pointer, (field,), [[(visit,) for visit in members] for members in groups])


def _ties(packer: _Packer, problem: Problem, weeks: int) -> None:
    count = len(problem.visits)
    days = range(len(problem.days))
    people = len(problem.clinicians)

    spacings = problem.spacings
    groups: list[tuple[int, ...]] = [tie.visits for tie in spacings]
    _membership(packer, k.V_SPACINGS, k.VS_GROUP, count, groups)
    _members(packer, k.SPACING_VISITS, k.SPACING_VISIT, groups)
    packer.table(k.SPACING_MIN, (max(tie.min_gap_days, 1 if tie.at_most_one_per_day else 0) for tie in spacings))
    packer.table(k.SPACING_IDEAL, (tie.ideal_gap_days for tie in spacings))
    packer.table(k.SPACING_COST, (tie.cost for tie in spacings))
    packer.lists(k.SPACING_HELD, (k.HELD_DAY,), [[(day,) for day in tie.held_days] for tie in spacings])

    groups = [tie.visits for tie in problem.daily_limits]
    _membership(packer, k.V_LIMITS, k.VL_GROUP, count, groups)
    _members(packer, k.LIMIT_VISITS, k.LIMIT_VISIT, groups)
    packer.table(k.LIMIT_MAX, (tie.max_per_day for tie in problem.daily_limits))
    packer.table(k.LIMIT_HELD, (_get(tie.held, day) for tie in problem.daily_limits for day in days))

    _patterns(packer, problem)

    groups = [tie.visits for tie in problem.faces_limits]
    _membership(packer, k.V_FACES, k.VF_GROUP, count, groups)
    _members(packer, k.FACES_VISITS, k.FACES_VISIT, groups)
    packer.table(k.FACES_COST, (tie.cost for tie in problem.faces_limits))
    packer.table(k.FACES_FREE, (tie.free_faces for tie in problem.faces_limits))
    held = [[(week * people + face,) for week, face in sorted(set(tie.held_faces))] for tie in problem.faces_limits]
    packer.lists(k.FACES_HELD, (k.HELD_FACE,), held)

    caps = problem.group_caps
    groups = [tie.visits for tie in caps]
    _membership(packer, k.V_CAPS, k.VC_GROUP, count, groups)
    _members(packer, k.CAP_VISITS, k.CAP_VISIT, groups)
    packer.table(k.CAP_DAY, (_or_infinite(tie.day_cap_minutes) for tie in caps))
    packer.table(k.CAP_WEEK, (_or_infinite(tie.week_cap_minutes) for tie in caps))
    packer.table(k.CAP_USED_DAY, (_get(tie.used_by_day, day) for tie in caps for day in days))
    packer.table(k.CAP_USED_WEEK, (_get(tie.used_by_week, week) for tie in caps for week in range(weeks)))


def _patterns(packer: _Packer, problem: Problem) -> None:
    """Which patterns have each visit on each day, a bit for each pattern: days go together where a bit is left."""
    days = len(problem.days)
    mine: list[list[tuple[int, int]]] = [[] for _ in problem.visits]
    members: list[list[tuple[int, int]]] = []
    words: list[int] = []
    bits: list[int] = []
    for group, tie in enumerate(problem.patterns):
        words.append(max(1, -(-len(tie.patterns) // PATTERNS)))
        members.append([])
        for number, visit in enumerate(tie.visits):
            mine[visit].append((group, len(bits)))
            members[-1].append((visit, len(bits)))
            table = [0] * (days * words[-1])
            for which, pattern in enumerate(tie.patterns):
                table[pattern[number] * words[-1] + which // PATTERNS] |= 1 << which % PATTERNS
            bits += table
    packer.lists(k.V_PATTERNS, (k.VP_GROUP, k.VP_AT), mine)
    packer.lists(k.PATTERN_VISITS, (k.PATTERN_VISIT, k.PATTERN_AT), members)
    packer.table(k.PATTERN_WORDS, words)
    packer.table(k.PATTERN_BITS, bits)


def _seventh_days(packer: _Packer, problem: Problem) -> None:
    """Weeks of clinicians all of whose days may be worked; those in which a day has no shift never cost anything."""
    slot_at = {(slot.clinician, slot.day): index for index, slot in enumerate(problem.slots)}
    of_slot = [-1] * len(problem.slots)
    others: list[list[tuple[int]]] = []
    known: list[tuple[int, SeventhDay]] = []
    for tie in problem.seventh_days:
        slots = [slot_at.get((tie.clinician, day)) for day in (*tie.others, tie.last)]
        whole = [slot for slot in slots if slot is not None]
        if len(whole) == len(slots):
            for slot in whole:
                of_slot[slot] = len(known)
            others.append([(slot,) for slot in whole[:-1]])
            known.append((whole[-1], tie))
    packer.table(k.SLOT_SEVENTH, of_slot)
    packer.lists(k.SEVENTH_OTHERS, (k.SEVENTH_SLOT,), others)
    packer.table(k.SEVENTH_LAST, (last for last, _ in known))
    packer.table(k.SEVENTH_COST, (tie.cost_minute for _, tie in known))
    packer.table(k.SEVENTH_DOUBLE_AFTER, (_or_infinite(tie.double_after_minutes) for _, tie in known))
    packer.table(k.SEVENTH_DOUBLE_COST, (tie.double_cost_minute for _, tie in known))


def _touch_priced(problem: Problem) -> bool:
    """Whether it matters how many patients or days are touched."""
    touch = problem.touch
    prices = (touch.patient_cost, touch.told_patient_cost, touch.clinician_cost)
    return any(prices) or touch.max_patients is not None


def _followed(packer: _Packer, problem: Problem, patients: dict[str, int], visits: int) -> tuple[int, int]:
    """What depends on where exactly a visit is: what is published, and times that should be regular.

    How many visits it concerns, and how many days of clinicians something had been told of.
    """
    touch = problem.touch
    priced = _touch_priced(problem)
    slot_at = {(slot.clinician, slot.day): index for index, slot in enumerate(problem.slots)}
    published = [visit.current if priced else None for visit in problem.visits]
    shifts = sorted({(now.clinician, now.day) for now in published if now is not None and now.told})
    told = {shift: index for index, shift in enumerate(shifts)}
    regular = [tie for tie in problem.regularities if tie.cost_minute]
    concerned = {v for tie in regular for v in tie.visits}
    # Any visit may be a newcomer on a day that had been told.
    followed = [bool(shifts) or now is not None or v in concerned for v, now in enumerate(published)]
    packer.number(k.N_FOLLOWED, sum(followed))
    packer.number(k.W_PATIENT, touch.patient_cost)
    packer.number(k.W_TOLD_PATIENT, touch.told_patient_cost)
    packer.number(k.W_TOLD_DAY, touch.clinician_cost)
    packer.number(k.MAX_PATIENTS, _or_infinite(touch.max_patients))
    packer.table(k.SLOT_TOLD, (told.get((slot.clinician, slot.day), -1) for slot in problem.slots))
    packer.table(k.V_FOLLOWED, followed)
    # -2: nothing is published; -1: it is, on a day without a shift.
    packer.table(k.V_NOW_SLOT, (-2 if now is None else slot_at.get((now.clinician, now.day), -1) for now in published))
    packer.table(k.V_NOW_START, (0 if now is None else now.start_minute for now in published))
    packer.table(k.V_NOW_TOLERANCE, (0 if now is None else now.time_tolerance_minutes for now in published))
    packer.table(k.V_NOW_TOLD, (now is not None and now.told for now in published))
    packer.table(k.V_NOW_DAY, (-1 if now is None else told.get((now.clinician, now.day), -1) for now in published))
    exempt = set(touch.exempt_patients)
    packer.table(k.V_TOUCH, (-1 if visit.patient in exempt else patients[visit.patient] for visit in problem.visits))
    groups = [tie.visits for tie in regular]
    _membership(packer, k.V_REGULAR, k.VR_GROUP, visits, groups)
    _members(packer, k.REGULAR_VISITS, k.REGULAR_VISIT, groups)
    packer.table(k.REGULAR_FREE, (tie.tolerance_minutes for tie in regular))
    packer.table(k.REGULAR_COST, (tie.cost_minute for tie in regular))
    packer.table(k.REGULAR_LOW, (min(tie.held_minutes, default=k.INF) for tie in regular))
    packer.table(k.REGULAR_HIGH, (max(tie.held_minutes, default=-k.INF) for tie in regular))
    packer.table(k.DAY_START, (day.start_minute for day in problem.days))
    return len(shifts), len(regular)


def build(problem: Problem, *, near: bool = True) -> Arrays:
    """Lay the problem out for the kernel. The problem must have passed `validate`.

    Without `near` no visit knows its neighbours, which only a search asks for: half of the work of a large problem.
    """
    packer = _Packer()
    visits, slots, days = len(problem.visits), len(problem.slots), len(problem.days)
    weeks = max((day.week for day in problem.days), default=0) + 1
    patients: dict[str, int] = {}
    for visit in problem.visits:
        patients.setdefault(visit.patient, len(patients))
    candidates = candidates_of(problem)
    beside = np.full((visits, 1), -1, dtype=np.int64)
    if near:
        beside = neighbours(problem, candidates, travel_minutes(problem))
    length = longest_route(problem, candidates) + 2
    pauses = max((len(slot.breaks) + len(slot.unavailable) for slot in problem.slots), default=0)

    for field, value in (
        (k.N_VISITS, visits),
        (k.N_SLOTS, slots),
        (k.N_DAYS, days),
        (k.N_WEEKS, weeks),
        (k.N_CLINICIANS, len(problem.clinicians)),
        (k.N_PLACES, problem.places + 1),
        (k.N_LENGTH, length),
        (k.N_NEIGHBOURS, beside.shape[1]),
        (k.N_PAUSES, pauses),
        (k.W_WAITING, problem.weights.waiting_minute),
        (k.W_OVERTIME, problem.weights.overtime_minute),
        (k.W_FAIRNESS, problem.weights.fairness_minute),
        (k.W_DOUBLETIME, problem.weights.doubletime_minute),
        (k.W_WAITS, bool(problem.weights.idle_gap_minute or problem.weights.longest_wait_minute)),
        (k.W_IDLE, problem.weights.idle_gap_minute),
        (k.IDLE_FREE, problem.weights.idle_gap_after_minutes if problem.weights.idle_gap_minute else k.INF),
        (k.W_LONGEST, problem.weights.longest_wait_minute),
    ):
        packer.number(field, value)
    packer.table(k.TRAVEL, _with_nowhere(travel_minutes(problem)))
    packer.table(k.LEG, _with_nowhere(leg_costs(problem)))
    packer.table(k.NEIGHBOUR, beside)
    _slots(packer, problem)
    _seventh_days(packer, problem)
    _clinicians(packer, problem, weeks)
    _visits(packer, problem, patients, candidates)
    _patients(packer, problem, patients)
    _links(packer, problem)
    _ties(packer, problem, weeks)
    told_days, regular = _followed(packer, problem, patients, visits)

    people = len(problem.clinicians)
    state = (
        (k.S_TOTAL, 1),
        (k.S_ROUTE, slots * length),
        (k.S_EARLIEST, slots * length),
        (k.S_LATEST, slots * length),
        *((field, visits) for field in (k.S_SLOT, k.S_START, k.S_MINUTES, k.S_STATIC, k.S_LOW, k.S_HIGH)),
        *((field, slots) for field in (k.S_LENGTH, k.S_COST, k.S_WORKED, k.S_OVERTIME, k.S_WAITING, k.S_RETURN)),
        (k.S_REST, slots * k.MAX_BREAKS),
        (k.S_WEEK_WORKED, people * weeks),
        (k.S_WEEK_OVERTIME, people * weeks),
        (k.S_STAMP, slots),
        (k.S_ABSENT, visits),
        (k.S_ABSENT_AT, visits),
        (k.S_COUNT, 4),
        (k.S_CHANGED, visits),
        (k.S_NEWCOMER, visits),
        (k.S_TOUCHED, len(patients)),
        (k.S_TOUCHED_TOLD, len(patients)),
        (k.S_DAY_TOUCHED, told_days),
        (k.S_STRAY, regular),
        (k.S_LONGEST, slots),
        (k.S_WORST, 1),
    )
    log = LOG_RECORDS * (k.LOG_FIXED + 8 * length)
    paper = (
        *((field, length + 3) for field in (k.X_SEQUENCE, k.X_TIME, k.X_KEPT_TIME, k.X_LATEST, k.X_TAKEN, k.X_PLACE)),
        *((field, length + 3) for field in (k.X_WAY, k.X_BOUND)),
        (k.X_FORWARD, (length + 1) * (pauses + 1)),
        (k.X_FROM, (length + 1) * (pauses + 1)),
        (k.X_ACTIVE, pauses + 1),
        (k.X_REST, k.MAX_BREAKS),
        (k.X_KEPT_REST, k.MAX_BREAKS),
        (k.X_OUT, 8),
        (k.X_BEST, 8),
        (k.X_DAY_COST, days),
        (k.X_DAY_LEFT, days),
        (k.X_DAY_SALT, days),
        (k.X_ABSENT, visits + 1),
        (k.X_KEY, visits + length + 1),
        (k.X_MARK, slots + 1),
        (k.X_TRY, 4 * (k.TRIES + 1)),
        (k.X_OFFER, k.OFFER_SIZE * (slots + 1)),
        (k.X_CONTROL, 8),
        (k.X_REMOVED, visits + 1),
        (k.X_DIRTY, slots),
        (k.X_IS_DIRTY, slots),
        (k.X_FROZEN, visits),
        (k.X_SHUT, slots),
        (k.X_MEMBER, visits),
        (k.X_LOG, log),
        (k.X_NOTE, k.NOTE_SIZE * (sum(len(row) for row in candidates) + 1)),
    )
    sizes = []
    for layout in (state, paper):
        offset = 0
        for field, size in layout:
            packer.number(field, offset)
            offset += size
        sizes.append(offset)
    data = packer.pack()
    arrays = Arrays(problem, data, np.zeros(sizes[0], dtype=np.int64), np.zeros(sizes[1], dtype=np.int64))
    empty = arrays.empty
    for field, value in ((k.S_SLOT, -1), (k.S_NEWCOMER, -1), (k.S_LOW, -k.INF), (k.S_HIGH, k.INF)):
        empty[arrays.at(field) : arrays.at(field) + visits] = value
    empty[arrays.at(k.S_REST) : arrays.at(k.S_REST) + slots * k.MAX_BREAKS] = -1
    empty[arrays.at(k.S_ABSENT) : arrays.at(k.S_ABSENT) + visits] = np.arange(visits)
    empty[arrays.at(k.S_ABSENT_AT) : arrays.at(k.S_ABSENT_AT) + visits] = np.arange(visits)
    empty[arrays.at(k.S_COUNT) + k.COUNT_ABSENT] = visits
    plain = data[arrays.at(k.SLOT_PLAIN) : arrays.at(k.SLOT_PLAIN) + slots]
    empty[arrays.at(k.S_STAMP) : arrays.at(k.S_STAMP) + slots] = (k.EMPTY_STAMP << 1) | plain
    arrays.scratch[arrays.at(k.X_CONTROL) + k.CONTROL_ROOM] = log
    empty[arrays.at(k.S_TOTAL)] = sum(unplaced_cost(problem, visit) for visit in problem.visits)
    if data[k.N_FOLLOWED]:
        for index in range(visits):
            k.follow(data, empty, index)  # what is out is changed
    return arrays
