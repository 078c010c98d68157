"""How fast and how gently a published week is repaired: a sick call, a cancellation, an urgent visit, one that runs
long, a patient in hospital.

    python -m benchmarks.repair --clinicians 40 --seconds 10 --seeds 3 [--json]
    python -m benchmarks.repair --door --clinicians 40 [--patients-at-home 250] [--repeat 3]

Each seed draws a week, has it planned by our own solver, publishes it with half of the visits told to their patients,
and lets each event happen on Tuesday at six (the visit that runs long: at ten past ten). Every repair is judged by
`score` on the problem after the event; who has begun, is locked or is told is fixed or dear as in the product. VROOM
and PyVRP know no disruption, so there are no peers here. `--door` asks the product instead, over HTTP and with a
database (`benchmarks/repair_door.py`).
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import repair_door
from benchmarks.report import Row, components, heading, machine, save_plan, seeds_of, table, write_json
from benchmarks.weeks import make_week
from coordinator.planner import Stop, score, solve, warm_up
from coordinator.planner.disruption import (
    Absence,
    Cancellation,
    Disruption,
    Event,
    Hospital,
    Overrun,
    Urgency,
    strike,
)
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Current, Problem
from coordinator.planner.repair import CURVE, Budget, Repair, Workshop
from coordinator.planning.search import warm_in_background

DAY = 1440
SIX, TEN = DAY + 360, DAY + 610
#: Prices of moving a visit, as `config/policy.toml` has them: clinician, day, time.
PUBLISHED, TOLD = (4_000, 8_000, 2_500), (8_000, 15_000, 6_000)
STANDING, WAITING = 600_000, 150_000


def publish(clinicians: int, visits: int, seconds: float, seed: int) -> tuple[Problem, Plan]:
    """A week planned for `seconds` and published; what did not fit waits."""
    week = make_week(clinicians, visits, seed)
    plan = solve(week, Stop(seconds=seconds), seed=seed).plan
    placed, rng = plan.by_visit(), random.Random(f"told {seed}")
    published = []
    for number, visit in enumerate(week.visits):
        at = placed.get(number)
        if at is None:
            published.append(replace(visit, unplaced_cost=WAITING))
            continue
        told = rng.random() < 0.5
        now = Current(at.clinician, at.day, at.start_minute, told, *(TOLD if told else PUBLISHED))
        published.append(replace(visit, current=now, unplaced_cost=STANDING))
    return replace(week, visits=tuple(published)), plan


def events(problem: Problem, plan: Plan, seed: int) -> Iterator[tuple[str, Event, int]]:
    """One event of each kind, with the minute at which it becomes known. Whoever is busy on Tuesday is hit."""
    rng = random.Random(f"events {seed}")
    tuesday = [a for a in plan.assignments if a.day == 1]
    per_day: dict[int, int] = {}
    for a in tuesday:
        per_day[a.clinician] = per_day.get(a.clinician, 0) + 1
    ill = max(per_day, key=lambda c: (per_day[c], -c))
    yield "sick call", Absence(ill, DAY, 2 * DAY), SIX
    linked = {v for link in problem.links for v in (link.first, link.second)}
    plain = [a for a in tuesday if a.visit not in linked]
    yield "cancelled", Cancellation(rng.choice(plain).visit), SIX
    later = [
        a for a in plan.assignments if a.day > 2 and 1 in problem.visits[a.visit].windows and a.visit not in linked
    ]
    chosen = rng.choice(later).visit
    latest = max(window.latest_start for window in problem.visits[chosen].windows[1])
    yield "urgent", Urgency(chosen, latest), SIX
    first = [a for a in plain if a.start_minute <= TEN < a.start_minute + problem.visits[a.visit].minutes + 30]
    yield "runs long", Overrun(rng.choice(first or plain).visit, 45), TEN
    yield "hospital", Hospital(problem.visits[rng.choice(plain).visit].patient, SIX), SIX


def measure(
    problem: Problem, plan: Plan, name: str, event: Event, now: int, options: argparse.Namespace, seed: int
) -> Row:
    """One event on one published week, as a row of the table."""
    began = time.monotonic()
    broken = strike(problem, plan, event, now=now)
    workshop = Workshop(broken, seed=seed)
    first = workshop.first()
    first_seconds = time.monotonic() - began
    best_at = [first_seconds]
    budget = Budget(options.patients, options.visits_touched)

    def listen(_repair: Repair) -> None:
        best_at[0] = time.monotonic() - began

    best = workshop.improve(budget, max(0.1, options.seconds - first_seconds), listen)
    used = time.monotonic() - began
    before, after = score(broken.calm, plan).cost, score(broken.problem, best.plan)
    wrong = checks(broken, best, budget, now)
    row: Row = {
        "instance": f"{problem.name} {name}",
        "event": name,
        "seed": seed,
        "visits": len(plan.assignments),
        "seconds": options.seconds,
        "first_seconds": round(first_seconds, 3),
        "best_seconds": round(best_at[0], 2),
        "used_seconds": round(used, 2),
        "searches": workshop.searches,
        "hit": len(broken.hit) + len(broken.gone) + len(broken.stuck),
        "hit_patients": len(broken.patients),
        "open": len(best.left),
        "max_patients": options.patients,
        "patients": len(best.patients),
        "visits_touched": len(best.visits),
        "told_touched": sum(1 for v in best.visits if (now_at := problem.visits[v].current) and now_at.told),
        "first_cost": score(broken.problem, first.plan).cost - before,
        "change_cost": after.cost - before,
        "cost": after.cost,
        "components": components(after),
        "hard_violations": len(after.hard) - len(score(broken.problem, broken.start).hard),
        "wrong": wrong,
        "curve": [
            {
                "max_patients": point.max_patients,
                "change_cost": point.cost - before,
                "open": point.left,
                "patients": point.patients,
                "visits": point.visits,
            }
            for point in workshop.curve(CURVE, options.visits_touched)
        ],
        "solution": None,
    }
    if options.out is not None:
        label = f"repair-{problem.name}-{name.replace(' ', '-')}-{seed}"
        row["solution"] = save_plan(options.out, label, broken.problem, best.plan)
    return row


def checks(broken: Disruption, best: Repair, budget: Budget, now: int) -> list[str]:
    """What a repair must never do, counted anew: nothing here is asked of the search's own bookkeeping."""
    before, after = broken.before.by_visit(), best.plan.by_visit()
    excused = {*broken.hit, *broken.gone, *broken.stuck}
    others = {v for v in before.keys() | after.keys() if v not in excused and before.get(v) != after.get(v)}
    patients = {broken.problem.visits[v].patient for v in others} - broken.patients
    wrong = [f"visit {v} had begun" for v in others if v in before and before[v].start_minute <= now]
    wrong += [f"visit {v} lost its place" for v in others if v in before and v not in after]
    if budget.max_patients is not None and len(patients) > budget.max_patients:
        wrong.append(f"{len(patients)} patients touched")
    if budget.max_visits is not None and len(others) > budget.max_visits:
        wrong.append(f"{len(others)} visits touched")
    return wrong


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Break published weeks and print how they are repaired.")
    parser.add_argument("--clinicians", type=int, nargs="+", default=[40])
    parser.add_argument("--visits", type=int, default=12, help="visits per clinician")
    parser.add_argument("--seconds", type=float, default=10, help="for the first and the best proposal together")
    parser.add_argument("--seeds", type=seeds_of, default=[1], help="how many, or a list: 3 is the same as 1,2,3")
    parser.add_argument("--planning", type=float, default=20, help="seconds in which the week is planned before")
    parser.add_argument("--patients", type=int, default=3, help="change budget; -1: no limit")
    parser.add_argument("--visits-touched", type=int, help="change budget of visits")
    parser.add_argument("--events", default="", help="only these, with commas: sick call,urgent")
    parser.add_argument("--out", type=Path, help="folder for the plans")
    parser.add_argument("--door", action="store_true", help="time POST /repairs on a database of the demo agency")
    parser.add_argument("--patients-at-home", type=int, default=250, help="with --door: patients of the demo agency")
    parser.add_argument("--repeat", type=int, default=3, help="with --door: events of each kind")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(given)
    if options.patients < 0:
        options.patients = None
    if min(options.clinicians) < 4:
        parser.error("--clinicians: at least 4, so that every discipline has somebody")
    options.events = {name.strip() for name in options.events.split(",") if name.strip()}
    return options


def main(given: list[str] | None = None) -> None:
    """Print the tables, or the same as JSON."""
    options = arguments(given)
    began = time.monotonic()
    if options.door:
        warm_in_background().join()  # as a server does when it starts, the heap included
    else:
        warm_up()
    about = machine() | {"warm_up_seconds": round(time.monotonic() - began, 2)}
    if options.door:
        rows = [
            row
            for clinicians in options.clinicians
            for row in repair_door.measure(clinicians, options.patients_at_home, options.planning, options.repeat)
        ]
        if options.json:
            write_json(about, rows)
        else:
            print(heading(about), "\n")
            print(table(rows))
        return
    rows = []
    for clinicians in options.clinicians:
        for seed in options.seeds:
            problem, plan = publish(clinicians, options.visits, options.planning, seed)
            for name, event, now in events(problem, plan, seed):
                if not options.events or name in options.events:
                    rows.append(measure(problem, plan, name, event, now, options, seed))
    if options.json:
        write_json(about, rows)
        return
    print(heading(about), "\n")
    shown = ["instance", "seed", "first_seconds", "best_seconds", "hit", "hit_patients", "open", "patients"]
    print(table(rows, [*shown, "visits_touched", "told_touched", "first_cost", "change_cost", "hard_violations"]))
    for row in rows:
        for fault in row["wrong"]:
            print(f"{row['instance']} seed {row['seed']}: WRONG, {fault}")
    print("\nCost of the change for each budget of patients (visits without a place in brackets)\n")
    print(table([_curve(row) for row in rows]))


def _curve(row: Row) -> Row:
    points = {("none" if p["max_patients"] is None else str(p["max_patients"])): p for p in row["curve"]}
    return {"instance": row["instance"], "seed": row["seed"]} | {
        name: f"{point['change_cost']} ({point['open']})" for name, point in points.items()
    }


if __name__ == "__main__":
    main()
