"""The single changes that may be made for one visit's sake, each in the steps by which it may grow.

Nothing is here that the problem does not let people lift (`Problem.liftable`): a law is not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from coordinator.planner.candidates import allowed
from coordinator.planner.problem import DayPatterns, Problem, Slot, Visit, Window

WINDOW_STEPS = (15, 30, 60, 120)
"""Minutes by which a visit may start earlier or later than its window."""
OVERTIME_STEPS = (15, 30, 60)
"""Minutes by which a shift, a day's or a week's work or a cap may grow."""

Cell = tuple[int, int]
"""A clinician and a day."""


@dataclass(frozen=True, slots=True)
class Easing:
    """One change of the problem: what, about whom, from which limit to which.

    kind               about                             limit -> new limit
    `window-earlier`   visit, day                        earliest start, minutes of the horizon
    `window-later`     visit, day                        latest start
    `day`              visit, day                        the day is opened: start of its window -> end of it
    `unlock`           visit (which may be another one)  1 -> 0 locks
    `clinician`        visit, clinician, perhaps day     1 -> 0 reasons against
    `shift-end`        clinician, day                    end of the shift, minutes of the horizon
    `day-hours`        clinician, day                    worked minutes
    `week-hours`       clinician                         worked minutes
    `max-visits`       clinician, day                    visits
    `spacing`          tie (position in the problem)     days
    `pattern`          visit, tie                        visits that follow a pattern of days
    `day-limit`        tie                               visits
    `day-cap`, `week-cap`  tie                           minutes
    `apart`            visit (linked)                    1 -> 0 links
    """

    kind: str
    code: str
    """What `Problem.liftable` had to name for it."""
    limit: int
    new_limit: int
    visit: int | None = None
    clinician: int | None = None
    day: int | None = None
    tie: int | None = None

    @property
    def amount(self) -> int:
        """By how much the limit changes."""
        return abs(self.new_limit - self.limit)


@dataclass(frozen=True, slots=True)
class Family:
    """One change in all its steps, smallest first, and the shifts that it lets the visit into or makes room in."""

    steps: tuple[Easing, ...]
    cells: frozenset[Cell] = field(default_factory=frozenset)

    @property
    def widest(self) -> Easing:
        """The largest step: where it does not help, no smaller one does."""
        return self.steps[-1]


def ease(problem: Problem, easing: Easing) -> Problem:
    """The problem with this one change."""
    if easing.tie is not None:
        return _ease_tie(problem, easing, easing.tie)
    if easing.kind == "apart":
        links = tuple(link for link in problem.links if easing.visit not in (link.first, link.second))
        return replace(problem, links=links)
    if easing.visit is not None:
        visits = list(problem.visits)
        visits[easing.visit] = _ease_visit(visits[easing.visit], easing)
        return replace(problem, visits=tuple(visits))
    if easing.kind == "week-hours":
        people = list(problem.clinicians)
        assert easing.clinician is not None
        people[easing.clinician] = replace(people[easing.clinician], week_max_minutes=easing.new_limit)
        return replace(problem, clinicians=tuple(people))
    name = {"shift-end": "shift_end", "day-hours": "max_minutes", "max-visits": "max_visits"}[easing.kind]
    slots = tuple(
        replace(slot, **{name: easing.new_limit})  # type: ignore[arg-type]
        if (slot.clinician, slot.day) == (easing.clinician, easing.day)
        else slot
        for slot in problem.slots
    )
    return replace(problem, slots=slots)


def _ease_visit(visit: Visit, easing: Easing) -> Visit:
    day, clinician = easing.day, easing.clinician
    if easing.kind == "unlock":
        return replace(visit, locked=False)
    if easing.kind == "clinician":
        if day is None:
            return replace(visit, forbidden={c: why for c, why in visit.forbidden.items() if c != clinician})
        pairs = {pair: why for pair, why in visit.forbidden_days.items() if pair != (clinician, day)}
        return replace(visit, forbidden_days=pairs)
    assert day is not None
    windows = visit.windows.get(day, ())
    if easing.kind == "day":
        windows = (Window(easing.limit, easing.new_limit),)
    elif easing.kind == "window-earlier":
        windows = (replace(windows[0], earliest_start=easing.new_limit), *windows[1:])
    else:
        windows = (*windows[:-1], replace(windows[-1], latest_start=easing.new_limit))
    return replace(visit, windows={**visit.windows, day: windows})


def _ease_tie(problem: Problem, easing: Easing, tie: int) -> Problem:
    limit = easing.new_limit
    if easing.kind == "spacing":
        spacings = list(problem.spacings)
        spacings[tie] = replace(spacings[tie], min_gap_days=limit, at_most_one_per_day=False)
        return replace(problem, spacings=tuple(spacings))
    if easing.kind == "pattern":
        patterns = list(problem.patterns)
        patterns[tie] = _without(patterns[tie], easing.visit) if limit else DayPatterns((), ())
        return replace(problem, patterns=tuple(patterns))
    if easing.kind == "day-limit":
        limits = list(problem.daily_limits)
        limits[tie] = replace(limits[tie], max_per_day=limit)
        return replace(problem, daily_limits=tuple(limits))
    caps = list(problem.group_caps)
    name = "day_cap_minutes" if easing.kind == "day-cap" else "week_cap_minutes"
    caps[tie] = replace(caps[tie], **{name: limit})  # type: ignore[arg-type]
    return replace(problem, group_caps=tuple(caps))


def _without(tie: DayPatterns, visit: int | None) -> DayPatterns:
    """The patterns for the other visits."""
    kept = [position for position, member in enumerate(tie.visits) if member != visit]
    return DayPatterns(
        tuple(tie.visits[position] for position in kept),
        tuple(tuple(days[position] for position in kept) for days in tie.patterns),
    )


# ---- the catalogue ---------------------------------------------------------------------------------------------------


def families(problem: Problem, visit: int, partner: int = -1) -> list[Family]:
    """Every change that may be proposed for the visit (and the `partner` that must come with it), in a fixed order."""
    found: list[Family] = []
    for target in (visit, partner) if partner >= 0 else (visit,):
        cells = _reachable(problem, target)
        found += _windows(problem, target, cells)
        found += _days(problem, target, cells)
        found += _people(problem, target, cells)
        found += _shifts(problem, cells)
        found += _ties(problem, target, cells)
    found += _locks(problem, visit, partner)
    if partner >= 0 and "partner" in problem.liftable:
        found.append(Family((Easing("apart", "partner", 1, 0, visit=visit),), _reachable(problem, visit)))
    return list(dict.fromkeys(found))


def _reachable(problem: Problem, index: int) -> frozenset[Cell]:
    """Clinicians and days on which the visit may be, or might be if something were lifted."""
    visit, liftable = problem.visits[index], problem.liftable

    def might(slot: Slot) -> bool:
        reasons = [visit.forbidden.get(slot.clinician), visit.forbidden_days.get((slot.clinician, slot.day))]
        if not visit.windows.get(slot.day):
            closed = visit.closed_days.get(slot.day)
            if (closed.code if closed is not None else "no-window") not in liftable:
                return False
        return all(reason is None or reason.code in liftable for reason in reasons)

    return frozenset((slot.clinician, slot.day) for slot in problem.slots if might(slot))


def _bounds(problem: Problem, visit: Visit, day: int) -> Window:
    """How far the windows of a day may go."""
    whole = problem.days[day]
    last = max(whole.start_minute, whole.end_minute - visit.minutes)
    return visit.widest.get(day, Window(whole.start_minute, last))


def _on(cells: frozenset[Cell], day: int) -> frozenset[Cell]:
    return frozenset(cell for cell in cells if cell[1] == day)


def _windows(problem: Problem, index: int, cells: frozenset[Cell]) -> Iterator[Family]:
    visit = problem.visits[index]
    if visit.locked or "window" not in problem.liftable:
        return
    for day in sorted(visit.windows):
        if not visit.windows[day] or not _on(cells, day):
            continue
        bounds = _bounds(problem, visit, day)
        first, last = visit.windows[day][0].earliest_start, visit.windows[day][-1].latest_start
        sides = (
            ("window-earlier", first, [max(first - step, bounds.earliest_start) for step in WINDOW_STEPS]),
            ("window-later", last, [min(last + step, bounds.latest_start) for step in WINDOW_STEPS]),
        )
        for kind, limit, news in sides:
            sign = -1 if kind == "window-earlier" else 1
            reached = [new for new in dict.fromkeys(news) if sign * (new - limit) > 0]
            steps = tuple(Easing(kind, "window", limit, new, visit=index, day=day) for new in reached)
            if steps:
                yield Family(steps, _on(cells, day))


def _days(problem: Problem, index: int, cells: frozenset[Cell]) -> Iterator[Family]:
    visit = problem.visits[index]
    if visit.locked:
        return
    for day in range(len(problem.days)):
        closed = visit.closed_days.get(day)
        code = closed.code if closed is not None else "no-window"
        if visit.windows.get(day) or code not in problem.liftable or not _on(cells, day):
            continue
        window = _opened(problem, visit, day)
        if window.earliest_start <= window.latest_start:
            step = Easing("day", code, window.earliest_start, window.latest_start, visit=index, day=day)
            yield Family((step,), _on(cells, day))


def _opened(problem: Problem, visit: Visit, day: int) -> Window:
    """The window of a day that is opened: the hours of the nearest day that is open, else the whole day."""
    bounds = _bounds(problem, visit, day)
    if day in visit.widest:
        return bounds
    known = [other for other, windows in visit.windows.items() if windows]
    if not known:
        return bounds
    like = min(known, key=lambda other: (abs(other - day), other))
    away = problem.days[day].start_minute - problem.days[like].start_minute
    windows = visit.windows[like]
    return Window(
        max(bounds.earliest_start, windows[0].earliest_start + away),
        min(bounds.latest_start, windows[-1].latest_start + away),
    )


def _people(problem: Problem, index: int, cells: frozenset[Cell]) -> Iterator[Family]:
    visit, liftable = problem.visits[index], problem.liftable
    if visit.locked:
        return
    for clinician, why in sorted(visit.forbidden.items()):
        mine = frozenset(cell for cell in cells if cell[0] == clinician)
        if why.code in liftable and mine:
            yield Family((Easing("clinician", why.code, 1, 0, visit=index, clinician=clinician),), mine)
    for (clinician, day), why in sorted(visit.forbidden_days.items()):
        if why.code in liftable and (clinician, day) in cells:
            step = Easing("clinician", why.code, 1, 0, visit=index, clinician=clinician, day=day)
            yield Family((step,), frozenset({(clinician, day)}))


def _shifts(problem: Problem, cells: frozenset[Cell]) -> Iterator[Family]:
    liftable = problem.liftable
    more = OVERTIME_STEPS[-1] if "shift-full" in liftable else 0
    longest = {(slot.clinician, slot.day): slot.shift_end + more - slot.shift_start for slot in problem.slots}
    for slot in problem.slots:
        cell = (slot.clinician, slot.day)
        if cell not in cells:
            continue
        # A day that ends before its hours are over, even as late as it may be asked to end, is not eased by more.
        day_hours = slot.max_minutes if slot.max_minutes is not None and slot.max_minutes < longest[cell] else None
        grown = (
            ("shift-end", "shift-full", slot.shift_end, OVERTIME_STEPS),
            ("day-hours", "day-max", day_hours, OVERTIME_STEPS),
            ("max-visits", "max-visits", slot.max_visits, (1,)),
        )
        for kind, code, limit, steps in grown:
            if limit is not None and code in liftable:
                made = [Easing(kind, code, limit, limit + n, clinician=cell[0], day=cell[1]) for n in steps]
                yield Family(tuple(made), frozenset({cell}))
    if "week-max" not in liftable:
        return
    for clinician in sorted({cell[0] for cell in cells}):
        most = problem.clinicians[clinician].week_max_minutes
        if most is not None:
            made = [Easing("week-hours", "week-max", most, most + n, clinician=clinician) for n in OVERTIME_STEPS]
            yield Family(tuple(made), frozenset(cell for cell in cells if cell[0] == clinician))


def _ties(problem: Problem, index: int, cells: frozenset[Cell]) -> Iterator[Family]:
    liftable = problem.liftable
    if "spacing" in liftable:
        for number, spacing in enumerate(problem.spacings):
            least = max(spacing.min_gap_days, 1 if spacing.at_most_one_per_day else 0)
            if index in spacing.visits and least:
                news = range(least - 1, -1, -1)
                yield Family(tuple(Easing("spacing", "spacing", least, new, tie=number) for new in news), cells)
    if "pattern" in liftable:
        for number, tie in enumerate(problem.patterns):
            if index in tie.visits:
                # First this visit alone goes on a day of its own, then all of the order may.
                count = len(tie.visits)
                kept = dict.fromkeys((count - 1, 0))
                yield Family(
                    tuple(Easing("pattern", "pattern", count, new, visit=index, tie=number) for new in kept), cells
                )
    if "day-limit" in liftable:
        for number, limit in enumerate(problem.daily_limits):
            if index in limit.visits:
                most = limit.max_per_day
                yield Family((Easing("day-limit", "day-limit", most, most + 1, tie=number),), cells)
    if "cap" in liftable:
        for number, cap in enumerate(problem.group_caps):
            for kind, most_minutes in (("day-cap", cap.day_cap_minutes), ("week-cap", cap.week_cap_minutes)):
                if index in cap.visits and most_minutes is not None:
                    made = [Easing(kind, "cap", most_minutes, most_minutes + n, tie=number) for n in OVERTIME_STEPS]
                    yield Family(tuple(made), cells)


def _locks(problem: Problem, visit: int, partner: int) -> Iterator[Family]:
    """Locked visits of the shifts that the visit might be in, and of its patient; or the visit's own lock."""
    targets = [visit] if partner < 0 else [visit, partner]
    cells = frozenset[Cell]().union(*(_reachable(problem, target) for target in targets))
    patients = {problem.visits[target].patient for target in targets}
    for index, other in enumerate(problem.visits):
        now = other.current
        code = "locked" if other.lock_reason is None else other.lock_reason.code
        if not other.locked or now is None or code not in problem.liftable:
            continue
        if index in targets:
            mine = frozenset(
                (slot.clinician, slot.day)
                for slot in problem.slots
                if allowed(replace(other, locked=False), slot.clinician, slot.day)
            )
            yield Family((Easing("unlock", code, 1, 0, visit=index),), mine)
        elif other.patient in patients:
            yield Family((Easing("unlock", code, 1, 0, visit=index),), cells)
        elif (now.clinician, now.day) in cells:
            yield Family((Easing("unlock", code, 1, 0, visit=index),), frozenset({(now.clinician, now.day)}))
