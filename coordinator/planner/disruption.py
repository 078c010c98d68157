"""What breaks a plan: who is away, what is cancelled, what is urgent, what runs long, who is in hospital.

`strike` turns one event into the problem as it is after it, with the part of the plan that still stands. What has begun
stays; what the event itself hits must move or goes; everything else stays unless a repair (`repair.py`) touches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Break, Current, Interval, Problem, ProblemError, Reason, Slot, Visit, Window
from coordinator.planner.validate import validate

MISSED_BREAK = 1_000_000
"""Cents for a break that the event leaves no room for: dearer than any visit left out, but not a lost day."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A clinician does not work from `from_minute` up to `until_minute`."""

    clinician: int
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A visit is not made where it stands; `again`: it is still wanted, on another day."""

    visit: int
    again: bool = True


@dataclass(frozen=True, slots=True)
class Urgency:
    """A visit must start by `latest_start`."""

    visit: int
    latest_start: int


@dataclass(frozen=True, slots=True)
class Overrun:
    """A visit lasts `minutes` longer than planned."""

    visit: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Hospital:
    """A patient is not at home from `from_minute` on: none of their visits from then on is made."""

    patient: str
    from_minute: int


Event = Absence | Cancellation | Urgency | Overrun | Hospital


@dataclass(frozen=True, eq=False)
class Disruption:
    """A plan, and what an event leaves of it."""

    problem: Problem
    """As it is after the event. Locked: what has begun or is pinned, and nothing else."""
    calm: Problem
    """As it was before the event, with the same visits locked: what `before` cost is counted by it."""
    before: Plan
    """The plan that was published."""
    start: Plan
    """What still stands of it."""
    hit: tuple[int, ...]
    """Visits that must be placed anew."""
    gone: tuple[int, ...] = ()
    """Visits that will not be made."""
    stuck: tuple[int, ...] = ()
    """Visits that must move and are pinned: a person decides."""
    not_before: int = 0
    """Nothing is planned to begin before this minute."""

    @property
    def patients(self) -> frozenset[str]:
        """Whom the event itself hits: their visits may move without being counted."""
        return frozenset(self.problem.visits[v].patient for v in (*self.hit, *self.gone, *self.stuck))


def strike(problem: Problem, plan: Plan, event: Event, *, now: int, notice: int = 0) -> Disruption:
    """What `event` leaves of `plan` at minute `now`.

    Visits that begin by `now`, or within `notice` minutes of it, are locked unless the event hits them. Every visit of
    the plan needs its `current`. Raises ProblemError when the event names what is not there.
    """
    validate(problem, plan)
    placed = plan.by_visit()
    for visit, at in placed.items():
        if problem.visits[visit].current is None:
            raise ProblemError(f"visits[{visit}].current", f"stands at minute {at.start_minute} and needs to say so")
    blow = _with_partners(problem, placed, _STRIKES[type(event)](problem, placed, event, now), now)
    away = set(blow.hit) | set(blow.gone)
    not_before = now + notice
    visits = tuple(
        _after(visit, index, placed.get(index), blow, away, now, not_before)
        for index, visit in enumerate(problem.visits)
    )
    slots = tuple(blow.slots.get((slot.clinician, slot.day), slot) for slot in problem.slots)
    after = replace(problem, visits=visits, slots=tuple(slot for slot in slots if slot is not None))
    stands = [a for a in plan.assignments if a.visit not in away and a.visit not in blow.stuck]
    same = tuple(
        held(problem.visits[index], placed[index]) if visit.locked and index in placed else problem.visits[index]
        for index, visit in enumerate(visits)
    )
    return Disruption(
        problem=after,
        calm=replace(problem, visits=same),
        before=plan,
        start=Plan.of(stands, [rest for rest in plan.rests if (rest.clinician, rest.day) not in blow.slots]),
        hit=tuple(sorted(blow.hit)),
        gone=tuple(sorted(blow.gone)),
        stuck=tuple(sorted(blow.stuck)),
        not_before=not_before,
    )


# ------------------------------------------------------------------------------------ each event


@dataclass(frozen=True, slots=True)
class _Blow:
    """What one event does: slots that change (None: gone), visits hit, gone or stuck, and visits that are other now."""

    slots: Mapping[tuple[int, int], Slot | None]
    hit: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    stuck: frozenset[int] = frozenset()
    changed: Mapping[int, Visit] | None = None


Placed = Mapping[int, Assignment]


def _absence(problem: Problem, placed: Placed, event: Absence, now: int) -> _Blow:
    if not 0 <= event.clinician < len(problem.clinicians):
        raise ProblemError("event.clinician", "there is no such clinician")
    if event.until_minute <= event.from_minute:
        raise ProblemError("event.until_minute", "an absence ends after it begins")
    hit: set[int] = set()
    stuck: set[int] = set()
    for visit, at in placed.items():
        ends = at.start_minute + minutes_of(problem, at)
        if at.clinician != event.clinician or not (at.start_minute < event.until_minute and ends > event.from_minute):
            continue
        if at.start_minute > now:
            (stuck if problem.visits[visit].locked else hit).add(visit)
    slots: dict[tuple[int, int], Slot | None] = {}
    for slot in problem.slots:
        if slot.clinician == event.clinician and _meets(slot, event):
            staying = [
                at
                for visit, at in placed.items()
                if (at.clinician, at.day) == (slot.clinician, slot.day) and visit not in hit and visit not in stuck
            ]
            slots[slot.clinician, slot.day] = _away(problem, slot, event, staying)
    return _Blow(slots, hit=frozenset(hit), stuck=frozenset(stuck))


def _meets(slot: Slot, event: Absence) -> bool:
    return slot.shift_start < event.until_minute and event.from_minute < slot.shift_end


def _away(problem: Problem, slot: Slot, event: Absence, staying: list[Assignment]) -> Slot | None:
    """The slot without the absence; what stays in it, and the way home from it, has its room."""
    before = [at for at in staying if at.start_minute < event.from_minute]
    low, high = event.from_minute, event.until_minute
    if before:
        last = max(before, key=lambda at: at.start_minute)
        low = max(low, last.start_minute + minutes_of(problem, last))
    if high >= slot.shift_end:
        if not staying:
            return None if low <= slot.shift_start else replace(slot, shift_end=low, breaks=_soft(slot.breaks))
        home = low + _way(problem, problem.visits[last.visit].place, slot.end_place) if before else low
        return replace(slot, shift_end=max(home, slot.shift_start + 1), breaks=_soft(slot.breaks))
    if low <= slot.shift_start:
        return replace(slot, shift_start=high, breaks=_soft(slot.breaks))
    pauses = _merged([*slot.unavailable, Interval(low, max(high, low + 1))])
    return replace(slot, unavailable=pauses, breaks=_soft(slot.breaks))


def _cancellation(problem: Problem, placed: Placed, event: Cancellation, now: int) -> _Blow:
    visit = _named(problem, event.visit)
    at = placed.get(event.visit)
    if at is None:
        raise ProblemError("event.visit", "stands nowhere: there is nothing to cancel")
    both = {event.visit, *partners_of(problem, event.visit)}
    if at.start_minute <= now:
        raise ProblemError("event.visit", "has begun")
    if visit.locked:
        return _Blow({}, stuck=frozenset({event.visit}))
    if not event.again:
        return _Blow({}, gone=frozenset(both))
    changed = {
        number: replace(
            problem.visits[number],
            current=None,
            windows={day: spans for day, spans in problem.visits[number].windows.items() if day != at.day},
            closed_days={**problem.visits[number].closed_days, at.day: Reason.of("cancelled-that-day")},
        )
        for number in both
    }
    return _Blow({}, hit=frozenset(both), changed=changed)


def _urgency(problem: Problem, placed: Placed, event: Urgency, now: int) -> _Blow:
    visit = _named(problem, event.visit)
    at = placed.get(event.visit)
    if at is not None and at.start_minute <= max(now, event.latest_start):
        raise ProblemError("event.visit", "stands early enough already")
    if at is not None and visit.locked:
        return _Blow({}, stuck=frozenset({event.visit}))
    windows = {day: spans for day, old in visit.windows.items() if (spans := _clipped(old, high=event.latest_start))}
    closed = {day: Reason.of("too-late") for day in visit.windows if day not in windows}
    dearest = max(other.unplaced_cost for other in problem.visits)
    urgent = replace(visit, windows=windows, closed_days={**closed, **visit.closed_days}, unplaced_cost=dearest)
    return _Blow({}, hit=frozenset({event.visit}), changed={event.visit: urgent})


def _overrun(problem: Problem, placed: Placed, event: Overrun, now: int) -> _Blow:
    visit = _named(problem, event.visit)
    at = placed.get(event.visit)
    if at is None:
        raise ProblemError("event.visit", "stands nowhere: it cannot run long")
    if event.minutes < 1:
        raise ProblemError("event.minutes", "must be at least 1")
    longer = replace(
        visit,
        minutes=visit.minutes + event.minutes,
        minutes_by_clinician={c: m + event.minutes for c, m in visit.minutes_by_clinician.items()},
        locked=True,
    )
    route = sorted(
        (a for a in placed.values() if (a.clinician, a.day) == (at.clinician, at.day)), key=lambda a: a.start_minute
    )
    hit: set[int] = set()
    stuck: set[int] = set()
    free, place = at.start_minute + minutes_of(problem, at) + event.minutes, visit.place
    for other in route:
        if other.start_minute <= at.start_minute:
            continue
        mine = problem.visits[other.visit]
        there = free + _way(problem, place, mine.place)
        if there > other.start_minute:
            (stuck if mine.locked or other.start_minute <= now else hit).add(other.visit)
        free = max(there, other.start_minute) + minutes_of(problem, other)
        place = mine.place if mine.place is not None else place
    slots: dict[tuple[int, int], Slot | None] = {}
    for slot in problem.slots:
        if (slot.clinician, slot.day) == (at.clinician, at.day):
            home = at.start_minute + minutes_of(problem, at) + event.minutes
            home += _way(problem, visit.place, slot.end_place)
            extra = max(0, home - slot.shift_end)
            slots[at.clinician, at.day] = replace(
                slot,
                shift_end=slot.shift_end + extra,
                max_minutes=None if slot.max_minutes is None else slot.max_minutes + extra,
                breaks=_soft(slot.breaks),
            )
    return _Blow(slots, hit=frozenset(hit), stuck=frozenset(stuck), changed={event.visit: longer})


def _hospital(problem: Problem, placed: Placed, event: Hospital, now: int) -> _Blow:
    mine = {number for number, visit in enumerate(problem.visits) if visit.patient == event.patient}
    if not mine:
        raise ProblemError("event.patient", "has no visits")
    first = max(now, event.from_minute)
    gone = {number for number in mine if number not in placed or placed[number].start_minute >= first}
    return _Blow({}, gone=frozenset(gone))


_STRIKES: dict[type, Callable[[Problem, Placed, Any, int], _Blow]] = {
    Absence: _absence,
    Cancellation: _cancellation,
    Urgency: _urgency,
    Overrun: _overrun,
    Hospital: _hospital,
}


def _with_partners(problem: Problem, placed: Placed, blow: _Blow, now: int) -> _Blow:
    """Linked visits are made both or not at all: who loses a partner is placed anew as well, unless begun or pinned."""
    out = blow.hit | blow.gone | blow.stuck
    alone = {p for v in blow.hit | blow.stuck for p in partners_of(problem, v)} - out
    free = {p for p in alone if not problem.visits[p].locked and (p not in placed or placed[p].start_minute > now)}
    return replace(blow, hit=blow.hit | free)


# ------------------------------------------------------------------------------------ parts


def _after(
    visit: Visit, index: int, at: Assignment | None, blow: _Blow, away: set[int], now: int, not_before: int
) -> Visit:
    """One visit after the event: what has begun is locked, the past is closed, what is gone is wanted nowhere."""
    changed = (blow.changed or {}).get(index, visit)
    if index in blow.gone or index in blow.stuck:
        return replace(changed, windows={}, unplaced_cost=0, current=None, locked=False, mandatory=False)
    if changed.locked:
        return changed
    if at is not None and index not in away and at.start_minute < max(not_before, now + 1):
        return held(changed, at)
    windows = {day: spans for day, old in changed.windows.items() if (spans := _clipped(old, low=not_before))}
    return replace(changed, windows=windows)


def _clipped(windows: Iterable[Window], *, low: int | None = None, high: int | None = None) -> tuple[Window, ...]:
    found = []
    for window in windows:
        first = window.earliest_start if low is None else max(low, window.earliest_start)
        last = window.latest_start if high is None else min(high, window.latest_start)
        if first <= last:
            found.append(Window(first, last))
    return tuple(found)


def _soft(breaks: tuple[Break, ...]) -> tuple[Break, ...]:
    return tuple(replace(b, skip_cost=MISSED_BREAK) if b.skip_cost is None else b for b in breaks)


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    found: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: (i.start_minute, i.end_minute)):
        if found and interval.start_minute <= found[-1].end_minute:
            found[-1] = Interval(found[-1].start_minute, max(found[-1].end_minute, interval.end_minute))
        else:
            found.append(interval)
    return tuple(found)


def held(visit: Visit, at: Assignment) -> Visit:
    """The visit locked where it stands."""
    now = visit.current
    if (
        visit.locked
        and now is not None
        and (now.clinician, now.day, now.start_minute) == (at.clinician, at.day, at.start_minute)
    ):
        return visit
    stood = now or Current(at.clinician, at.day, at.start_minute)
    now = replace(stood, clinician=at.clinician, day=at.day, start_minute=at.start_minute)
    return replace(visit, current=now, locked=True)


def _named(problem: Problem, visit: int) -> Visit:
    if not 0 <= visit < len(problem.visits):
        raise ProblemError("event.visit", "there is no such visit")
    return problem.visits[visit]


def partners_of(problem: Problem, visit: int) -> set[int]:
    """The other visits of the visit's links."""
    found = set()
    for link in problem.links:
        if visit in (link.first, link.second):
            found |= {link.first, link.second} - {visit}
    return found


def minutes_of(problem: Problem, at: Assignment) -> int:
    """How long the visit lasts with that clinician."""
    visit = problem.visits[at.visit]
    return visit.minutes_by_clinician.get(at.clinician, visit.minutes)


def _way(problem: Problem, here: int | None, there: int | None) -> int:
    if here is None or there is None:
        return 0
    return -(-int(problem.travel_seconds[here, there]) // 60)
