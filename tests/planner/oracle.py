"""Small problems and all their plans: what is possible at all, found by listing every way to share out the visits.

It shares nothing with the planner but the words of a problem. It knows windows, shifts, worked minutes of a day and of
a week, numbers of visits, spacing, patterns of days, locks and forbidden pairs; the problems it is asked about have
nothing else.
"""

from __future__ import annotations

import itertools
import random
from functools import cache

from coordinator.planner.problem import (
    Clinician,
    Current,
    Day,
    DayPatterns,
    Problem,
    Reason,
    Slot,
    Spacing,
    Visit,
    Window,
)
from tests.planner.builders import DAY, make_matrix


def small_problem(seed: int) -> Problem:
    """Three to five visits, two clinicians, two days; rather too much for the shifts, so that something is left out."""
    rng = random.Random(seed)
    count = rng.randint(3, 5)
    days = (Day(0, DAY, "Mon"), Day(DAY, 2 * DAY, "Tue"))
    visits = []
    for index in range(count):
        windows = {}
        for day in range(2):
            if rng.random() < 0.6:
                low = day * DAY + 480 + 15 * rng.randint(0, 6)
                windows[day] = (Window(low, low + rng.choice((0, 15, 30, 60))),)
        closed = {day: Reason.of(rng.choice(("held", "law"))) for day in range(2) if day not in windows}
        forbidden = {c: Reason.of(rng.choice(("wish", "law"))) for c in range(2) if rng.random() < 0.25}
        pairs = {(rng.randrange(2), rng.randrange(2)): Reason.of(rng.choice(("wish", "law")))}
        locked = rng.random() < 0.2
        day = rng.randrange(2)
        now = Current(rng.randrange(2), day, day * DAY + 480 + 15 * rng.randint(1, 5)) if locked else None
        visits.append(
            Visit(
                key=str(index),
                patient=f"p{index}",
                place=rng.randint(1, 3),
                minutes=rng.choice((25, 40, 55)),
                windows=windows,
                forbidden=forbidden,
                forbidden_days=pairs if rng.random() < 0.2 else {},
                closed_days=closed,
                current=now,
                locked=locked,
                lock_reason=Reason.of("begun") if locked and rng.random() < 0.3 else None,
            )
        )
    slots = [
        Slot(
            c, d, 0, 0, d * DAY + 480, d * DAY + 480 + 15 * rng.randint(5, 10),
            max_minutes=rng.choice((None, 90, 120)), max_visits=rng.choice((None, 1, 2)),
        )
        for c in range(2) for d in range(2) if rng.random() < 0.85
    ]  # fmt: skip
    apart = (Spacing(tuple(rng.sample(range(count), 2)), 1),) if rng.random() < 0.5 else ()
    patterns: tuple[DayPatterns, ...] = ()
    travel = make_matrix([[0 if i == j else rng.randint(3, 20) for j in range(4)] for i in range(4)])
    people = tuple(Clinician(str(c), week_max_minutes=rng.choice((None, 150, 200))) for c in range(2))
    if rng.random() < 0.4:
        members = tuple(rng.sample(range(count), rng.choice((2, 2, 3))))
        chosen = rng.sample(list(itertools.product(range(2), repeat=len(members))), rng.randint(1, 2))
        patterns = (DayPatterns(members, tuple(chosen)),)
    return Problem(
        name=f"small-{seed}",
        days=days,
        travel_seconds=travel,
        clinicians=people,
        slots=tuple(slots),
        visits=tuple(visits),
        spacings=apart,
        patterns=patterns,
        liftable=frozenset(
            {"window", "locked", "shift-full", "day-max", "week-max", "max-visits", "spacing", "pattern"}
            | {"wish", "held"}
        ),
    )


def can_place(problem: Problem, wanted: frozenset[int]) -> bool:
    """Whether any plan holds all these visits and breaks no rule."""
    visits = sorted(wanted)
    ways = [-(-int(seconds) // 60) for seconds in problem.travel_seconds.ravel()]
    places = problem.travel_seconds.shape[0]

    @cache
    def least_work(index: int, group: tuple[int, ...]) -> int | None:
        """The least worked minutes of a shift with exactly these visits; None if there is no way."""
        slot = problem.slots[index]
        if slot.max_visits is not None and len(group) > slot.max_visits:
            return None
        found = [work for order in itertools.permutations(group) for work in works(slot, order)]
        return min(found, default=None)

    def works(slot: Slot, order: tuple[int, ...]) -> list[int]:
        """Worked minutes for each start of the first visit, everything else as soon as may be."""
        found = []
        first = problem.visits[order[0]]
        for begin in starts(first, slot):
            here, free = slot.start_place, slot.shift_start
            assert here is not None
            leave = begin - ways[here * places + (first.place or 0)]
            if leave < free:
                continue
            free = leave
            for number in order:
                visit = problem.visits[number]
                assert visit.place is not None
                arrive = free + ways[here * places + visit.place]
                begins = next((start for start in starts(visit, slot) if start >= arrive), None)
                if begins is None:
                    break
                here, free = visit.place, begins + visit.minutes
            else:
                home = free + ways[here * places + (slot.end_place or 0)]
                if home <= slot.shift_end and (slot.max_minutes is None or home - leave <= slot.max_minutes):
                    found.append(home - leave)
        return found

    def starts(visit: Visit, slot: Slot) -> list[int]:
        if visit.locked:
            assert visit.current is not None
            return [visit.current.start_minute]
        return [m for w in visit.windows.get(slot.day, ()) for m in range(w.earliest_start, w.latest_start + 1)]

    def allowed(number: int, slot: Slot) -> bool:
        visit = problem.visits[number]
        if visit.locked:
            return visit.current is not None and (visit.current.clinician, visit.current.day) == (
                slot.clinician,
                slot.day,
            )
        return (
            slot.clinician not in visit.forbidden
            and (slot.clinician, slot.day) not in visit.forbidden_days
            and bool(visit.windows.get(slot.day))
        )

    choices = [[i for i, slot in enumerate(problem.slots) if allowed(number, slot)] for number in visits]
    for chosen in itertools.product(*choices):
        at = dict(zip(visits, chosen, strict=True))
        day = {number: problem.slots[index].day for number, index in at.items()}
        crowded = any(
            abs(day[one] - day[other]) < max(tie.min_gap_days, 1 if tie.at_most_one_per_day else 0)
            and not (problem.visits[one].locked and problem.visits[other].locked)
            for tie in problem.spacings
            for one, other in itertools.combinations([v for v in tie.visits if v in at], 2)
        )
        strays = any(
            not any(all(day.get(v, d) == d for v, d in zip(tie.visits, days, strict=True)) for days in tie.patterns)
            and any(not problem.visits[v].locked for v in tie.visits if v in at)
            for tie in problem.patterns
        )
        if crowded or strays:
            continue
        work = {index: least_work(index, tuple(v for v in visits if at[v] == index)) for index in sorted(set(chosen))}
        if any(minutes is None for minutes in work.values()):
            continue
        weeks = [
            sum(minutes or 0 for index, minutes in work.items() if problem.slots[index].clinician == c)
            for c in range(len(problem.clinicians))
        ]
        if all(
            person.week_max_minutes is None or weeks[c] <= person.week_max_minutes
            for c, person in enumerate(problem.clinicians)
        ):
            return True
    return False
