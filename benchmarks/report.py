"""What all benchmarks share: the machine, seeds from the command line, tables, JSON rows and saved solutions."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numba
import numpy as np

from coordinator.planner.plan import Plan, Score
from coordinator.planner.problem import Problem

Row = dict[str, Any]


def seeds_of(text: str) -> list[int]:
    """`3` means the seeds 1, 2 and 3; `4,7` means those two. Raises ValueError for anything else."""
    if "," in text:
        return [int(part) for part in text.split(",") if part.strip()]
    count = int(text)
    if count < 1:
        raise ValueError("at least one seed")
    return list(range(1, count + 1))


def machine() -> Row:
    """What it runs on, and how busy that is: figures taken under load say little about time."""
    return {
        "machine": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def components(score: Score) -> dict[str, int]:
    """The soft constraints that cost something, in cents by name."""
    return {part.name: part.cost for part in score.parts if part.cost}


def table(rows: Sequence[Row], columns: Iterable[str] | None = None) -> str:
    """The rows as a table in Markdown, numbers to the right."""
    titles = list(columns or rows[0])
    cells = [[_cell(row.get(title)) for title in titles] for row in rows]
    widths = [max(len(line[i]) for line in [titles, *cells]) for i in range(len(titles))]
    right = [all(not isinstance(row.get(title), str) for row in rows) for title in titles]

    def line(values: Sequence[str]) -> str:
        padded = (v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (w - 1) + ":") if r else "-" * w for w, r in zip(widths, right, strict=True)]
    return "\n".join([line(titles), line(rule), *(line(values) for values in cells)])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value)


def median(values: Iterable[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def write_json(about: Row, rows: Sequence[Row], **more: object) -> None:
    """The whole run on standard output, for machines."""
    json.dump({"about": about, "rows": list(rows), **more}, sys.stdout, indent=1)
    print()


def heading(about: Row) -> str:
    """The machine and the versions in one line."""
    return ", ".join(f"{name} {value}" for name, value in about.items() if value is not None)


def save_plan(folder: Path, name: str, problem: Problem, plan: Plan) -> str:
    """Write a plan with the keys of its visits and clinicians; the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    content = {
        "instance": problem.name,
        "assignments": [
            {
                "visit": problem.visits[a.visit].key,
                "clinician": problem.clinicians[a.clinician].key,
                "day": a.day,
                "start_minute": a.start_minute,
            }
            for a in plan.assignments
        ],
        "rests": [asdict(rest) | {"clinician": problem.clinicians[rest.clinician].key} for rest in plan.rests],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return str(path)
