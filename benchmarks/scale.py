"""Cost and time against size: the same agency with ever more patients, from a hundred visits to five thousand.

    python -m benchmarks.scale --seconds 60 [--visits 100 500 5000] [--seeds 1] [--json] [--write docs]

Rich weeks without a published plan (`weeks.make_week`), twelve visits a clinician, all in the same city, so that
driving for each visit falls as patients live closer together. Timed: the first plan, and the moment from which the
cost is within one percent of where the search ended. `--write DIR` writes the table and the plot into that folder
(`scale.md`, `scale.svg`), which docs/planner.md shows.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Row, heading, machine, seeds_of, table, write_json
from benchmarks.weeks import make_week
from coordinator.planner import Stop, score, solve, warm_up

SIZES = [100, 200, 500, 1000, 2000, 5000]
VISITS_PER_CLINICIAN = 12
COLUMNS = [
    "visits",
    "clinicians",
    "seed",
    "seconds",
    "first_plan",
    "within_1_percent",
    "rounds",
    "cost",
    "per_visit",
]


def measure(visits: int, seconds: float, seed: int) -> Row:
    """One size, planned once."""
    problem = make_week(max(4, round(visits / VISITS_PER_CLINICIAN)), VISITS_PER_CLINICIAN, seed)
    began = time.monotonic()
    outcome = solve(problem, Stop(seconds=seconds), seed=seed)
    used = time.monotonic() - began
    counted = score(problem, outcome.plan)
    close = [when for when, _, cost in outcome.history if cost <= 1.01 * counted.cost]
    return {
        "instance": problem.name,
        "visits": len(problem.visits),
        "clinicians": len(problem.clinicians),
        "seed": seed,
        "seconds": round(used, 1),
        "first_plan": round(outcome.history[0][0], 2),
        "within_1_percent": round(close[0], 1) if close else round(used, 1),
        "rounds": outcome.iterations,
        "cost": counted.cost,
        "per_visit": round(counted.cost / len(problem.visits)),
        "unplaced": counted.measures.unplaced,
        "hard_violations": len(counted.hard),
    }


def plot(rows: Sequence[Row]) -> str:
    """Two panels on logarithmic axes, as SVG: cost, and the two times."""
    left = _panel("Cost, cents", rows, {"cost": "cost"}, 0)
    right = _panel("Seconds", rows, {"first_plan": "first plan", "within_1_percent": "within 1 % of the end"}, 1)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 320" font-family="sans-serif" font-size="12">\n'
        '<rect width="760" height="320" fill="white"/>\n' + left + right + "</svg>\n"
    )


COLOURS = ("#1f5fa8", "#c0562b")


def _panel(title: str, rows: Sequence[Row], series: dict[str, str], number: int) -> str:
    width, height, x0, y0 = 290, 220, 70 + 380 * number, 50
    points = {key: [(row["visits"], max(0.01, row[key])) for row in rows] for key in series}
    xs = [x for line in points.values() for x, _ in line]
    ys = [y for line in points.values() for _, y in line]
    low_x, high_x = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    low_y, high_y = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    high_y = max(high_y, low_y + 1)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low_x) / max(1, high_x - low_x)
        up = (math.log10(y) - low_y) / (high_y - low_y)
        return round(x0 + width * across, 1), round(y0 + height * (1 - up), 1)

    parts = [f'<text x="{x0}" y="{y0 - 22}" font-weight="bold">{title}</text>\n']
    for power in range(low_y, high_y + 1):
        _, y = at(10**low_x, 10**power)
        parts.append(f'<line x1="{x0}" y1="{y}" x2="{x0 + width}" y2="{y}" stroke="#ddd"/>\n')
        parts.append(f'<text x="{x0 - 6}" y="{y + 4}" text-anchor="end">{10**power:,.10g}</text>\n')
    for power in range(low_x, high_x + 1):
        x, _ = at(10**power, 10**low_y)
        parts.append(f'<line x1="{x}" y1="{y0}" x2="{x}" y2="{y0 + height}" stroke="#ddd"/>\n')
        parts.append(f'<text x="{x}" y="{y0 + height + 18}" text-anchor="middle">{10**power:,.10g}</text>\n')
    parts.append(f'<text x="{x0 + width / 2}" y="{y0 + height + 36}" text-anchor="middle">visits</text>\n')
    for (key, name), colour, place in zip(series.items(), COLOURS, range(len(series)), strict=False):
        spots = [at(x, y) for x, y in points[key]]
        path = " ".join(f"{x},{y}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>\n')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>\n' for x, y in spots]
        if len(series) > 1:
            parts.append(f'<text x="{x0 + 90 * place + 70}" y="{y0 - 22}" fill="{colour}">{name}</text>\n')
    return "".join(parts)


def main(given: list[str] | None = None) -> None:
    """Print the table, or the same as JSON."""
    parser = argparse.ArgumentParser(description="Cost and time of planning against size.")
    parser.add_argument("--visits", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=60, help="for each size")
    parser.add_argument("--seeds", type=seeds_of, default=[1], help="how many, or a list")
    parser.add_argument("--write", type=Path, metavar="DIR", help="where scale.md and scale.svg go")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(given)
    warm_up()
    about = machine()
    rows = [measure(visits, options.seconds, seed) for visits in options.visits for seed in options.seeds]
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        text = f"# Cost and time against size\n\n{heading(about)}\n\n{table(rows, COLUMNS)}\n"
        (options.write / "scale.md").write_text(text, encoding="utf-8")
        (options.write / "scale.svg").write_text(plot(rows), encoding="utf-8")
    if options.json:
        write_json(about, rows)
    else:
        print(heading(about), "\n")
        print(table(rows, [*COLUMNS, "unplaced", "hard_violations"]))


if __name__ == "__main__":
    main()
