"""The command that all published formats share: read, plan by seed, write solutions, print a table or JSON."""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.formats.reading import Case, FormatError, read_json
from benchmarks.report import Row, heading, machine, median, seeds_of, table, write_json
from coordinator.planner import ProblemError, Stop, solve

BAD_INPUT = 2
Load = Callable[[Path], Case]


def main(description: str, load: Load, arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0, or 2 when a file or an argument is no good."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--seconds", type=float, default=60, help="for each plan")
    parser.add_argument("--seeds", default="1", help="how many, or a list such as 3,7")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where solutions go")
    parser.add_argument("--json", action="store_true", help="rows for machines instead of a table")
    options = parser.parse_args(arguments)
    try:
        seeds = seeds_of(options.seeds)
    except ValueError:
        parser.error(f"--seeds: a number from 1, or a list of seeds, not {options.seeds!r}")
    if not 0 < options.seconds < math.inf:
        parser.error(f"--seconds: must be more than 0, not {options.seconds:g}")
    try:
        cases = [(load_case(load, path), best_known(load, path)) for path in options.files]
        options.out.mkdir(parents=True, exist_ok=True)
        rows, about = _rows(cases, seeds, options.seconds, options.out)
    except (FormatError, ProblemError, OSError) as error:
        print(_sentence(error), file=sys.stderr)
        return BAD_INPUT
    if options.json:
        write_json(about, rows)
    else:
        print(heading(about))
        print(_table(rows))
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)


def load_case(load: Load, path: Path) -> Case:
    """The instance in the file. Raises FormatError whose message begins with the path."""
    try:
        return load(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def best_known(load: Load, path: Path) -> float | None:
    """The best cost that is known: from `best-known.csv` beside the instance, or of a solution saved near it."""
    listed = path.parent / "best-known.csv"
    if listed.is_file():
        with listed.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row.get("instance") == path.stem and row.get("best_cost"):
                    return float(row["best_cost"])
    name = re.compile(rf"(?:sol-)?{re.escape(path.stem)}(?:-\d+)?\.json")
    costs = []
    for folder in (path.parent, path.parent.parent / "solutions"):
        for saved in sorted(folder.glob(f"*{path.stem}*.json")) if folder.is_dir() else ():
            if saved != path and name.fullmatch(saved.name):
                try:
                    case = load(path)
                    result = case.result(case.plan_of(read_json(saved)))
                except FormatError as error:
                    raise FormatError(f"{saved}: {error}") from error
                costs += [] if result.violations else [result.cost]
    return min(costs, default=None)


def _rows(
    cases: Sequence[tuple[Case, float | None]], seeds: Sequence[int], seconds: float, out: Path
) -> tuple[list[Row], Row]:
    began = time.monotonic()
    solve(cases[0][0].problem, Stop(iterations=1))
    about = machine() | {"warm_up_seconds": round(time.monotonic() - began, 2)}
    return [_row(case, best, seed, seconds, out) for case, best in cases for seed in seeds], about


def _row(case: Case, best: float | None, seed: int, seconds: float, out: Path) -> Row:
    outcome = solve(case.problem, Stop(seconds=seconds), seed=seed)
    path = out / f"{case.name}-seed{seed}.json"
    path.write_text(json.dumps(case.solution_of(outcome.plan), indent=1) + "\n", encoding="utf-8")
    result = case.result(outcome.plan)
    return {
        "instance": case.name,
        "seed": seed,
        "seconds_asked": seconds,
        "seconds": round(outcome.seconds, 2),
        "iterations": outcome.iterations,
        "cost": _tidy(result.cost),
        "best_known": best,
        "gap_percent": None if not best else round(100 * (result.cost - best) / best, 2),
        "feasible": not result.violations,
        "violations": [
            f"{broken.rule}: {', '.join(case.problem.visits[v].key for v in broken.visits) or broken.clinician}"
            for broken in result.violations
        ],
        "components": {name: _tidy(amount) for name, amount in result.components.items()},
        "weighted": {name: _tidy(amount) for name, amount in result.weighted.items()},
        "solution": str(path),
    }


def _tidy(value: float) -> float:
    """Without the noise of floating point."""
    return round(value, 4)


def _table(rows: list[Row]) -> str:
    columns = ["instance", "seed", "seconds", "iterations", "cost"]
    if any(row["best_known"] is not None for row in rows):
        columns += ["best_known", "gap_percent"]
    priced = {name for row in rows for name in row["weighted"]}
    columns += ["broken", *(name for name in rows[0]["components"] if name in priced)]
    text = table([row["components"] | row | {"broken": len(row["violations"])} for row in rows], columns)
    gaps = [row["gap_percent"] for row in rows if row["gap_percent"] is not None]
    return f"{text}\nmedian gap {median(gaps):.2f} %, mean {sum(gaps) / len(gaps):.2f} %" if gaps else text
