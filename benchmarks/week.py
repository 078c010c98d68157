"""Generated agency weeks, planned by us and, where they can say it, by other solvers in the same run.

    python -m benchmarks.week --clinicians 10 40 --seconds 30 --seeds 3 [--peers vroom,pyvrp] [--json] [--out DIR]

Each seed makes a week of its own (`--week N` keeps to one week and lets only the search differ). Two weeks a size: the
`rich` one has all that the planner knows, with a published plan and locks, and is planned by us alone; the `relaxed`
one is what peers can express (see README.md). Every plan, whoever made it, is counted by `coordinator.planner.score`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.peers import PEERS, PeerError, peer, version
from benchmarks.report import Row, components, heading, machine, median, save_plan, seeds_of, table, write_json
from benchmarks.weeks import make_week, published, relaxed
from coordinator.planner import Stop, score, solve, warm_up
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem

OURS = "coordinator"


def plan_with_us(problem: Problem, start: Plan | None, seconds: float, seed: int) -> tuple[Plan, Row]:
    """Our plan, how long it took, and when the first one stood."""
    first: list[float] = []
    began = time.monotonic()

    def listen(_progress: object) -> None:
        if not first:
            first.append(time.monotonic() - began)

    outcome = solve(problem, Stop(seconds=seconds), seed=seed, start=start, listen=listen)
    used = time.monotonic() - began
    return outcome.plan, {
        "used": round(used, 2),
        "first_plan": round(first[0], 2) if first else None,
        "rounds": outcome.iterations,
    }


def row_of(problem: Problem, kind: str, solver: str, plan: Plan, seed: int, seconds: float, more: Row) -> Row:
    """One row of the table; the cost is counted anew from the plan."""
    counted = score(problem, plan)
    measures = counted.measures
    return {
        "instance": problem.name,
        "kind": kind,
        "clinicians": len(problem.clinicians),
        "visits": measures.wanted,
        "seed": seed,
        "solver": solver,
        "version": "this tree" if solver == OURS else version(solver),
        "seconds": seconds,
        **more,
        "cost": counted.cost,
        "unplaced": measures.unplaced,
        "driving": measures.travel_minutes,
        "hard_violations": len(counted.hard),
        "broken": sorted({violation.rule for violation in counted.hard}),
        "continuity": measures.continuity_percent,
        "components": components(counted),
    }


def gaps(rows: list[Row]) -> list[Row]:
    """By size of the relaxed week: the median cost of each solver, and of our gap to the best peer of the same week."""
    summary = []
    relaxed_rows = [row for row in rows if row["kind"] == "relaxed"]
    for size in sorted({row["clinicians"] for row in relaxed_rows}):
        here = [row for row in relaxed_rows if row["clinicians"] == size]
        line: Row = {"clinicians": size, "visits": here[0]["visits"]}
        for solver in dict.fromkeys(row["solver"] for row in here):
            line[solver] = median(row["cost"] for row in here if row["solver"] == solver)
        shares = []
        for seed in sorted({row["seed"] for row in here}):
            ours = [r["cost"] for r in here if r["seed"] == seed and r["solver"] == OURS]
            # A plan that breaks a rule is no plan to be compared with.
            theirs = [r["cost"] for r in here if r["seed"] == seed and r["solver"] != OURS and not r["hard_violations"]]
            if ours and theirs:
                shares.append(100 * (ours[0] / min(theirs) - 1))
        line["gap_percent"] = round(median(shares), 2) if shares else None
        summary.append(line)
    return summary


def measure(options: argparse.Namespace, clinicians: int, seed: int) -> list[Row]:
    """All solvers on the weeks of one size and seed."""
    week = make_week(clinicians, options.visits, seed if options.week is None else options.week)
    rows = []

    def done(problem: Problem, kind: str, solver: str, plan: Plan, more: Row) -> None:
        row = row_of(problem, kind, solver, plan, seed, options.seconds, more)
        if options.out:
            row["solution"] = save_plan(options.out, f"{problem.name}-{solver}-{seed}", problem, plan)
        rows.append(row)
        print(f"{problem.name} seed {seed} {solver}: {row['cost']}", file=sys.stderr)

    if "rich" in options.kinds:
        problem, before = published(week, seed if options.week is None else options.week)
        plan, more = plan_with_us(problem, before, options.seconds, seed)
        done(problem, "rich", OURS, plan, more)
    if "relaxed" in options.kinds:
        problem = relaxed(week)
        plan, more = plan_with_us(problem, None, options.seconds, seed)
        done(problem, "relaxed", OURS, plan, more)
        for name in options.peers:
            solver = peer(name)
            if hasattr(solver, "warm_up"):
                solver.warm_up()  # as our own kernels are warm
            began = time.monotonic()
            plan = solver.solve(problem, options.seconds, seed)
            done(problem, "relaxed", name, plan, {"used": round(time.monotonic() - began, 2)})
    return rows


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line. Exits with one line when a peer is not installed."""
    parser = argparse.ArgumentParser(description="Plan generated weeks and print how good the plans are.")
    parser.add_argument("--clinicians", type=int, nargs="+", default=[10, 40])
    parser.add_argument("--visits", type=int, default=12, help="visits per clinician")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seeds", type=seeds_of, default=[1], help="how many, or a list: 3 is the same as 1,2,3")
    parser.add_argument("--week", type=int, help="seed of the generated week (default: the seed itself)")
    parser.add_argument("--kinds", default="rich,relaxed", help="rich, relaxed or both")
    parser.add_argument("--peers", default="", help=f"any of {','.join(PEERS)}")
    parser.add_argument("--out", type=Path, help="folder for the plans")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(given)
    options.kinds = [kind for kind in options.kinds.split(",") if kind]
    options.peers = [name for name in options.peers.split(",") if name]
    if min(options.clinicians) < 4:
        parser.error("--clinicians: at least 4, so that every discipline has somebody")
    if unknown := set(options.kinds) - {"rich", "relaxed"}:
        parser.error(f"no such kind of week: {', '.join(sorted(unknown))}")
    if options.peers and "relaxed" not in options.kinds:
        parser.error("--peers plan the relaxed week; add it to --kinds")
    try:
        for name in options.peers:
            peer(name)
    except PeerError as why:
        parser.error(str(why))
    return options


def main(given: list[str] | None = None) -> None:
    """Print the tables, or the same as JSON."""
    options = arguments(given)
    began = time.monotonic()
    warm_up()
    about = machine() | {"warm_up_seconds": round(time.monotonic() - began, 2)}
    about |= {name: version(name) for name in options.peers}
    rows = [row for size in options.clinicians for seed in options.seeds for row in measure(options, size, seed)]
    summary = gaps(rows) if options.peers else []
    if options.json:
        write_json(about, rows, gaps=summary)
        return
    print(heading(about), "\n")
    shown = [
        "instance",
        "visits",
        "seed",
        "solver",
        "seconds",
        "used",
        "cost",
        "unplaced",
        "driving",
        "hard_violations",
    ]
    print(table(rows, [*shown, "continuity", "first_plan", "rounds"]))
    for row in rows:
        if row["hard_violations"]:
            print(f"{row['instance']} {row['solver']}: BROKEN, {', '.join(row['broken'])}")
    if summary:
        print("\nMedian cost by solver; gap: ours against the best peer of each week, median over weeks\n")
        print(table(summary))


if __name__ == "__main__":
    main()
