"""A week of a home health and palliative care agency, made up from a seed, and how well the planner does on it.

    python -m benchmarks.week --clinicians 25 --seconds 30 --seeds 1 2 3 [--json]

The geometry is a city of about seven by seven miles (San Francisco's land, roughly): patients live in clusters,
clinicians
start from home, driving is 1.3 times the straight line at 24 km/h plus three minutes to park.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time

import numba
import numpy as np

from coordinator.planner import Stop, score, solve, warm_up
from coordinator.planner.problem import (
    Break,
    Clinician,
    DailyLimit,
    Day,
    FacesLimit,
    GroupCap,
    Interval,
    Linked,
    Preference,
    Problem,
    Reason,
    Slot,
    Spacing,
    Visit,
    Window,
)

DAY = 1440
DISCIPLINES = (("nurse", 60, 0.5), ("aide", 75, 0.25), ("therapist", 45, 0.25))
"""Name, usual minutes, share of the staff."""
LANGUAGES = ("en", "en", "en", "zh", "zh", "es")


Spot = tuple[float, float]


def _home(rng: random.Random, centres: list[Spot]) -> Spot:
    """A place in metres, near one of the centres."""
    x, y = rng.choice(centres)
    return (min(11_500, max(0, rng.gauss(x, 1300))), min(11_500, max(0, rng.gauss(y, 1300))))


def _near(rng: random.Random, able: list[int], spots: list[Spot], spot: Spot) -> int:
    """One of the four clinicians who live nearest: whoever has been coming so far."""
    by_way = sorted(able, key=lambda c: (spots[c][0] - spot[0]) ** 2 + (spots[c][1] - spot[1]) ** 2)
    return rng.choice(by_way[:4])


def _matrices(places: list[Spot]) -> tuple[np.ndarray, np.ndarray]:
    at = np.array(places)
    metres = np.hypot(at[:, None, 0] - at[None, :, 0], at[:, None, 1] - at[None, :, 1]) * 1.3
    seconds = metres / (24_000 / 3600) + 180
    np.fill_diagonal(seconds, 0)
    return seconds.astype(np.int32), metres.astype(np.int32)


def make_week(clinicians: int = 25, visits_per_clinician: int = 12, seed: int = 1) -> Problem:
    """One week: skills, windows, languages, continuity, spacing, caps, two-person visits, lunches, time off."""
    rng = random.Random(seed)
    wanted = clinicians * visits_per_clinician
    disciplines = [name for name, _, share in DISCIPLINES for _ in range(max(1, round(share * clinicians)))][
        :clinicians
    ]
    disciplines += ["nurse"] * (clinicians - len(disciplines))
    speaks = [{"en", rng.choice(LANGUAGES)} for _ in range(clinicians)]
    days = tuple(Day(d * DAY, (d + 1) * DAY, label) for d, label in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri")))
    people = tuple(
        Clinician(
            f"{disciplines[c]}-{c}", week_overtime_after_minutes=2400, week_max_minutes=2700, fair_share_minutes=1900
        )
        for c in range(clinicians)
    )
    centres = [(rng.uniform(0, 11_000), rng.uniform(0, 11_000)) for _ in range(8)]
    spots = [_home(rng, centres) for _ in range(clinicians)]
    patients: list[tuple[str, int]] = []
    visits: list[Visit] = []
    spacings: list[Spacing] = []
    faces: list[FacesLimit] = []
    caps: list[GroupCap] = []
    limits: list[DailyLimit] = []
    links: list[Linked] = []
    busy: dict[str, tuple[Interval, ...]] = {}
    minutes_of = {name: minutes for name, minutes, _ in DISCIPLINES}
    by_discipline = {name: [c for c in range(clinicians) if disciplines[c] == name] for name in minutes_of}
    while len(visits) < wanted:
        patient = f"patient-{len(patients)}"
        place = clinicians + len(patients)
        spots.append(_home(rng, centres))
        language = rng.choice(LANGUAGES)
        orders = rng.sample(list(minutes_of), k=rng.choice((1, 1, 2)))
        mine: list[int] = []
        for discipline in orders:
            weekly = min(rng.choice((1, 1, 2, 2, 3)), wanted - len(visits))
            able = by_discipline[discipline]
            known = _near(rng, able, spots, spots[place])
            order: list[int] = []
            forbidden = {c: Reason.of("skill", discipline=discipline) for c in range(clinicians) if c not in able}
            others = [c for c in able if c != known]
            if others and rng.random() < 0.1:
                forbidden[rng.choice(others)] = Reason.of("exclusion", patient=patient)
            for _ in range(weekly):
                lot = rng.random()
                low, high = (480, 960) if lot < 0.6 else (480, 660) if lot < 0.8 else (780, 960)
                open_days = range(5) if rng.random() < 0.8 else rng.sample(range(5), 3)
                remote = discipline == "nurse" and rng.random() < 0.08
                order.append(len(visits))
                visits.append(
                    Visit(
                        key=f"visit-{len(visits)}",
                        patient=patient,
                        place=None if remote else place,
                        minutes=20 if remote else minutes_of[discipline] + rng.choice((-15, 0, 0, 15)),
                        windows={d: (Window(d * DAY + low, d * DAY + high),) for d in open_days},
                        discipline=discipline,
                        unplaced_cost=rng.choice((20_000, 50_000, 50_000, 100_000)),
                        preferred={d: Window(d * DAY + low, d * DAY + min(high, low + 180)) for d in open_days},
                        late_cost=10,
                        preferences=(
                            Preference("continuity", {known: 0}, 1500),
                            Preference("language", {c: 0 for c in able if language in speaks[c]}, 1500),
                        ),
                        forbidden=forbidden,
                    )
                )
            mine += order
            if len(order) > 1:
                spacings.append(Spacing(tuple(order), 1, 2, cost=800))
            faces.append(FacesLimit(tuple(order), 600))
        if len(mine) > 1:
            limits.append(DailyLimit(tuple(mine), 2))
            caps.append(GroupCap(tuple(mine), day_cap_minutes=210, week_cap_minutes=1680))
        if rng.random() < 0.1:
            day = rng.randrange(5)
            busy[patient] = (Interval(day * DAY + 540, day * DAY + 780),)
        patients.append((patient, place))
    # A few visits need two people at once: the second is an aide's.
    for index in range(0, wanted, 60):
        visit = visits[index]
        if visit.place is None:
            continue
        links.append(Linked(index, len(visits)))
        able = by_discipline["aide"]
        visits.append(
            Visit(
                key=f"visit-{len(visits)}",
                patient=visit.patient,
                place=visit.place,
                minutes=visit.minutes,
                windows=visit.windows,
                discipline="aide",
                unplaced_cost=50_000,
                forbidden={c: Reason.of("skill", discipline="aide") for c in range(clinicians) if c not in able},
            )
        )
    slots = []
    for c in range(clinicians):
        off = rng.randrange(5) if rng.random() < 0.3 else -1
        for d in range(5):
            if d == off:
                continue
            begin = d * DAY + 480
            lunch = Break(begin + 180, begin + 300, 30, owed_after_minutes=300)
            away = (Interval(begin + 300, begin + 360),) if rng.random() < 0.05 else ()
            slots.append(Slot(c, d, c, c, begin, begin + 540, 480, 600, 8, (lunch,), away))
    seconds, metres = _matrices(spots)
    return Problem(
        name=f"week-{clinicians}x{visits_per_clinician}-{seed}",
        days=days,
        travel_seconds=seconds,
        clinicians=people,
        slots=tuple(slots),
        visits=tuple(visits),
        travel_metres=metres,
        spacings=tuple(spacings),
        daily_limits=tuple(limits),
        faces_limits=tuple(faces),
        group_caps=tuple(caps),
        links=tuple(links),
        patient_busy=busy,
    )


def measure(problem: Problem, seconds: float, seed: int) -> dict[str, object]:
    """One run, as a row of the table."""
    first: list[float] = []
    began = time.monotonic()

    def listen(_progress: object) -> None:
        if not first:
            first.append(time.monotonic() - began)

    outcome = solve(problem, Stop(seconds=seconds), seed=seed, listen=listen)
    again = score(problem, outcome.plan)
    measures = again.measures
    return {
        "problem": problem.name,
        "seed": seed,
        "seconds": round(outcome.seconds, 1),
        "first_plan_seconds": round(first[0], 2),
        "iterations": outcome.iterations,
        "wanted": measures.wanted,
        "placed": measures.placed,
        "travel_minutes": measures.travel_minutes,
        "waiting_minutes": measures.waiting_minutes,
        "overtime_minutes": measures.overtime_minutes,
        "continuity_percent": measures.continuity_percent,
        "first_cost": outcome.history[0][2],
        "cost": again.cost,
        "hard_violations": len(again.hard),
    }


def machine() -> dict[str, object]:
    """What it ran on."""
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def main() -> None:
    """Print the table, or the same as JSON."""
    parser = argparse.ArgumentParser(description="Plan generated weeks and print how good the plans are.")
    parser.add_argument("--clinicians", type=int, nargs="+", default=[25])
    parser.add_argument("--visits", type=int, default=12, help="visits per clinician")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--week", type=int, default=1, help="seed of the generated week")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    warm_up()
    about = machine() | {"warm_up_seconds": round(time.monotonic() - began, 2)}
    rows = [
        measure(make_week(clinicians, options.visits, options.week), options.seconds, seed)
        for clinicians in options.clinicians
        for seed in options.seeds
    ]
    if options.json:
        json.dump({"about": about, "rows": rows}, sys.stdout, indent=1)
        print()
        return
    print("  ".join(f"{key} {value}" for key, value in about.items()))
    titles = list(rows[0])
    cells = [titles, *([str(row[title]) for title in titles] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(titles))]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    if len(rows) > 1:
        print("median cost", int(statistics.median(int(str(row["cost"])) for row in rows)))


if __name__ == "__main__":
    main()
