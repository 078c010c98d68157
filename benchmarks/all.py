"""All benchmarks in one run, within a budget of time.

    python -m benchmarks.all --minutes 60 --out DIR [--data ../shared/data] [--seeds 1] [--peers vroom,pyvrp]

Published instances are looked for in DATA (`PUBLISHED` says where). Every plan gets the same time: the budget divided
by how many plans there are to make, at most a minute. Writes for each benchmark its JSON (`NAME.json`), its solutions
(`NAME/`), and one `report.md` with all tables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Row, heading, machine, seeds_of, table

SHARE = 0.85
"""Of the budget is for searching; the rest for loading, checking and warming up."""
MOST_SECONDS = 60.0
SIZES = (10, 40)
PUBLISHED = {
    "hhcrsp": "hhcrsp/*.txt",
    "uhhc": "uhhc/instances/*.json",
    "palliative": "palliative-week/*.txt",
}
"""Where the instances of each benchmark are, below the data folder."""
SCALE = (100, 200, 500, 1000, 2000, 5000)
NIGHTS = (500, 5000)
"""Patients of the branches whose night is swept."""
REPAIRS = 5
"""Events that one published week is repaired after: each is given its own time."""


@dataclass(frozen=True)
class Step:
    """One benchmark: its name, its arguments but for the time, how many plans it makes, which columns to show.

    No plans: it takes what it takes.
    """

    name: str
    arguments: list[str]
    plans: int
    columns: tuple[str, ...]


def steps(data: Path, seeds: list[int], peers: list[str], out: Path) -> list[Step]:
    """What there is to run."""
    listed = ",".join(map(str, seeds)) + ","
    found = []
    for name, pattern in PUBLISHED.items():
        files = sorted(map(str, data.glob(pattern)))
        if files:
            arguments = [*files, "--seeds", listed, "--out", str(out / name)]
            columns = ("instance", "seed", "seconds", "cost", "best_known", "gap_percent", "feasible")
            found.append(Step(name, arguments, len(files) * len(seeds), columns))
    week = ["--clinicians", *map(str, SIZES), "--seeds", listed, "--out", str(out / "week"), "--peers", ",".join(peers)]
    columns = ("instance", "visits", "seed", "solver", "seconds", "used", "cost", "unplaced", "hard_violations")
    found.append(Step("week", week, len(SIZES) * len(seeds) * (2 + len(peers)), columns))
    # Neither searches for long: the sweep ends when it is done, a repair has seconds of its own after its week.
    columns = ("engine", "patients", "night", "seconds", "statements", "opened", "closed")
    found.append(Step("sweep", ["--patients", *map(str, NIGHTS), "--engine", "both"], 0, columns))
    repair = ["--clinicians", str(SIZES[-1]), "--seeds", listed, "--planning", "10", "--out", str(out / "repair")]
    columns = ("instance", "seed", "first_seconds", "best_seconds", "hit", "open", "patients", "change_cost")
    found.append(Step("repair", repair, REPAIRS * len(seeds), columns))
    scale = ["--visits", *map(str, SCALE), "--seeds", listed, "--write", str(out / "scale")]
    columns = ("visits", "seed", "seconds", "first_plan", "within_1_percent", "cost", "per_visit")
    found.append(Step("scale", scale, len(SCALE) * len(seeds), columns))
    return found


def run(step: Step, seconds: float, out: Path) -> str:
    """One benchmark in a process of its own; its section of the report."""
    command = [
        sys.executable,
        "-m",
        f"benchmarks.{step.name}",
        *step.arguments,
        "--seconds",
        f"{seconds:.1f}",
        "--json",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        return f"## {step.name}\n\nFailed with exit status {done.returncode}.\n"
    (out / f"{step.name}.json").write_text(done.stdout, encoding="utf-8")
    answer = json.loads(done.stdout)
    rows: list[Row] = answer["rows"]
    parts = [f"## {step.name}", heading(answer["about"]), table(rows, step.columns)]
    if answer.get("gaps"):
        parts += ["Median cost by solver, and our gap to the best peer of each week:", table(answer["gaps"])]
    return "\n\n".join(parts) + "\n"


def main(given: list[str] | None = None) -> int:
    """Run everything; the exit status is 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(description="Run all benchmarks within a budget of time.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="where published instances are")
    parser.add_argument("--seeds", type=seeds_of, default=[1], help="how many, or a list")
    parser.add_argument("--peers", default="", help="other solvers for the week, e.g. vroom,pyvrp")
    options = parser.parse_args(given)
    peers = [name for name in options.peers.split(",") if name]
    todo = steps(options.data, options.seeds, peers, options.out)
    plans = sum(step.plans for step in todo)
    seconds = min(MOST_SECONDS, SHARE * 60 * options.minutes / plans)
    if seconds < 1:
        parser.error(f"--minutes: {plans} plans need at least {plans / (SHARE * 60):.0f} minutes at a second each")
    options.out.mkdir(parents=True, exist_ok=True)
    about = f"# Benchmarks\n\n{heading(machine())}; {plans} plans, {seconds:.1f} s each\n"
    report = options.out / "report.md"
    report.write_text(about, encoding="utf-8")
    failed = False
    for step in todo:
        print(f"{step.name}: {step.plans} plans of {seconds:.1f} s", file=sys.stderr)
        section = run(step, seconds, options.out)
        failed = failed or "Failed with exit status" in section
        # After each, so that a run that is stopped leaves what it has.
        report.write_text(report.read_text(encoding="utf-8") + "\n" + section, encoding="utf-8")
    print(report.read_text(encoding="utf-8"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
