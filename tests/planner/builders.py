"""Small problems with sensible silence, and random ones with everything in them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    DailyLimit,
    Day,
    DayPatterns,
    FacesLimit,
    GroupCap,
    Interval,
    Linked,
    LinkKind,
    Preference,
    Problem,
    Reason,
    SeventhDay,
    Slot,
    Spacing,
    Visit,
    Weights,
    Window,
)

DAY = 1440
EIGHT, NINE, TEN, ELEVEN, NOON, ONE, TWO, FIVE = 480, 540, 600, 660, 720, 780, 840, 1020


def make_matrix(minutes: list[list[int]]) -> Any:
    """Travel in seconds from minutes."""
    return np.array(minutes, dtype=np.int32) * 60


def make_visit(key: str = "visit", **changes: Any) -> Visit:
    """Thirty minutes at place 1, any time from eight to four on day 0, each with its own patient."""
    plain = Visit(key=key, patient=key, place=1, minutes=30, windows={0: (Window(EIGHT, 960),)})
    return replace(plain, **changes)


def make_slot(clinician: int = 0, day: int = 0, **changes: Any) -> Slot:
    """Eight to five from place 0 and back."""
    return replace(Slot(clinician, day, 0, 0, day * DAY + EIGHT, day * DAY + FIVE), **changes)


def make_problem(visits: list[Visit], **changes: Any) -> Problem:
    """One clinician, one day, four places ten minutes apart from each other."""
    plain = Problem(
        name="tiny",
        days=(Day(0, DAY, "Mon"),),
        travel_seconds=make_matrix([[0 if i == j else 10 for j in range(4)] for i in range(4)]),
        clinicians=(Clinician("Ada"),),
        slots=(make_slot(),),
        visits=tuple(visits),
    )
    return replace(plain, **changes)


def random_problem(seed: int) -> Problem:
    """A small week with every kind of rule and price somewhere in it. Travel is neither symmetric nor metric."""
    rng = random.Random(seed)
    days = rng.randint(1, 4)
    people = rng.randint(1, 4)
    places = rng.randint(1, 7)
    patients = rng.randint(1, 6)
    count = rng.randint(0, 14)
    weeks = 2 if days > 2 and rng.random() < 0.5 else 1
    maybe = rng.random

    def windows() -> dict[int, tuple[Window, ...]]:
        found = {}
        for d in range(days):
            if maybe() < 0.75:
                low = d * DAY + rng.randint(420, 800)
                high = low + rng.choice((0, 30, 90, 300))
                found[d] = (Window(low, high),)
                if maybe() < 0.25:
                    found[d] += (Window(high + rng.randint(1, 60), high + rng.randint(60, 200)),)
        return found

    visits = []
    for index in range(count):
        current = None
        if maybe() < 0.3:
            d = rng.randrange(days)
            current = Current(
                rng.randrange(people), d, d * DAY + rng.randint(480, 900), maybe() < 0.5,
                rng.choice((0, 500)), rng.choice((0, 700)), rng.choice((0, 300)), rng.choice((0, 15)),
            )  # fmt: skip
        wished = {d: (Window(d * DAY + 600, d * DAY + rng.randint(600, 800)),) for d in range(days) if maybe() < 0.5}
        visits.append(
            Visit(
                key=str(index),
                patient=f"p{rng.randrange(patients)}",
                place=None if maybe() < 0.15 else rng.randrange(places),
                minutes=rng.randint(5, 90),
                windows=windows(),
                minutes_by_clinician={rng.randrange(people): rng.randint(5, 90)} if maybe() < 0.3 else {},
                unplaced_cost=rng.choice((0, 3_000, 20_000, 100_000)),
                mandatory=maybe() < 0.1,
                preferred=wished,
                late_cost=rng.choice((0, 3, 50)),
                early_cost=rng.choice((0, 0, 7)),
                day_costs={rng.randrange(days): 250} if maybe() < 0.3 else {},
                preferences=(
                    Preference("continuity", {rng.randrange(people): 0}, 400),
                    Preference("language", {rng.randrange(people): 150}),
                )[: rng.randint(0, 2)],
                forbidden={rng.randrange(people): Reason.of("skill")} if maybe() < 0.2 else {},
                forbidden_days={(rng.randrange(people), rng.randrange(days)): Reason.of("leave")}
                if maybe() < 0.2
                else {},
                current=current,
                locked=current is not None and maybe() < 0.3,
            )
        )

    def some(most: int = 5) -> tuple[int, ...]:
        return tuple(rng.sample(range(count), k=min(count, rng.randint(1, most)))) if count else ()

    slots = []
    for c in range(people):
        for d in range(days):
            if maybe() < 0.15:
                continue
            begin = d * DAY + rng.randint(420, 600)
            end = begin + rng.randint(120, 560)
            breaks = tuple(
                Break(
                    begin + low, begin + low + rng.choice((0, 60, 120)), rng.choice((15, 30)),
                    rng.choice((None, 400)), rng.choice((0, 120, 300)),
                )
                for low in ((60, 200)[: rng.choice((0, 1, 1, 2))])
            )  # fmt: skip
            away = (Interval(begin + 100, begin + 130),) if maybe() < 0.2 else ()
            slots.append(
                Slot(
                    c, d,
                    None if maybe() < 0.15 else rng.randrange(places),
                    None if maybe() < 0.15 else rng.randrange(places),
                    begin, end,
                    rng.choice((None, 60, 200)),
                    rng.choice((None, None, 200, 400)),
                    rng.choice((None, None, 2, 4)),
                    breaks, away,
                )
            )  # fmt: skip
    links = []
    free = list(range(count))
    rng.shuffle(free)
    while len(free) > 4 and len(links) < 2 and maybe() < 0.6:
        one, two = free.pop(), free.pop()
        mode = rng.choice((0, 1, 2))
        kind = rng.choice((LinkKind.TOGETHER, LinkKind.GAP))
        if kind is LinkKind.TOGETHER:
            mode = 1
        low = rng.choice((0, 30, -60))
        links.append(Linked(one, two, kind, low, low + rng.choice((30, 200)), mode == 1, mode == 2))
    matrix = np.array([[0 if i == j else rng.randint(0, 2400) for j in range(places)] for i in range(places)])
    calendar = tuple(Day(d * DAY, (d + 1) * DAY, str(d), min(weeks - 1, d // 2)) for d in range(days))
    return Problem(
        name=f"random-{seed}",
        days=calendar,
        travel_seconds=matrix.astype(np.int32),
        travel_metres=(matrix * 7).astype(np.int32) if maybe() < 0.5 else None,
        clinicians=tuple(
            Clinician(
                str(c), rng.choice((None, 300)), rng.choice((None, 600, 900)), rng.choice((None, 250)),
                (rng.choice((0, 100, 400)),),
            )
            for c in range(people)
        ),
        slots=tuple(slots),
        visits=tuple(visits),
        spacings=tuple(
            Spacing(some(), rng.randint(0, 2), rng.randint(0, 3), maybe() < 0.5, 330, (-1,) if maybe() < 0.3 else ())
            for _ in range(rng.randint(0, 2))
            if count
        ),
        daily_limits=tuple(
            DailyLimit(some(8), rng.randint(1, 3), (rng.randint(0, 1),)) for _ in range(rng.randint(0, 2)) if count
        ),
        faces_limits=tuple(
            FacesLimit(some(), 210, rng.randint(0, 2), ((0, 0),) if maybe() < 0.3 else ())
            for _ in range(rng.randint(0, 2))
            if count
        ),
        group_caps=tuple(
            GroupCap(some(), rng.choice((None, 90)), rng.choice((None, 120)), (20,), (20,))
            for _ in range(rng.randint(0, 2))
            if count
        ),
        links=tuple(links),
        patient_busy={"p0": (Interval(600, 700),)} if maybe() < 0.5 else {},
        weights=Weights(
            travel_kilometre=rng.choice((0, 43)), waiting_minute=rng.choice((0, 20)),
            idle_gap_minute=rng.choice((0, 0, 31)), idle_gap_after_minutes=rng.choice((0, 20)),
            longest_wait_minute=rng.choice((0, 0, 17)),
        ),
        patterns=random_patterns(rng, visits, days),
        seventh_days=random_seventh_days(rng, calendar, people),
    )  # fmt: skip


def random_patterns(rng: random.Random, visits: list[Visit], days: int) -> tuple[DayPatterns, ...]:
    """Sometimes patterns of days for a few visits, mostly of days on which they may be made."""
    found = []
    while visits and rng.random() < 0.4:
        members = rng.sample(range(len(visits)), k=min(len(visits), rng.randint(1, 3)))
        opened = [sorted(visits[v].windows) or list(range(days)) for v in members]
        several = rng.choice((0, 1, 2, 3, 70))  # seventy do not go into one number of the kernel
        patterns = tuple(tuple(rng.choice(mine) for mine in opened) for _ in range(several))
        found.append(DayPatterns(tuple(members), patterns))
    return tuple(found)


def random_seventh_days(rng: random.Random, calendar: tuple[Day, ...], people: int) -> tuple[SeventhDay, ...]:
    """For some clinicians the last day of a week is dearer when all of it is worked, however short it is here."""
    found = []
    for clinician in range(people):
        for week in sorted({day.week for day in calendar}):
            mine = [number for number, day in enumerate(calendar) if day.week == week]
            if rng.random() < 0.4:
                others = tuple(day for day in mine[:-1] if rng.random() < 0.9)
                found.append(SeventhDay(clinician, others, mine[-1], 41, rng.choice((None, 0, 90)), 37))
    return tuple(found)
