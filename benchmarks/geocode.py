"""How many addresses of a list the street file knows, and how far its points are from the listed ones.

    python -m benchmarks.geocode --streets streets.toml --branch SF ADDRESSES.csv... [--json]

A list is a CSV with `line` or `address`, `zip`, `lat` and `lon`. Deterministic.
"""

import argparse
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from coordinator.travel.geocode import Geocoder, GeocodingError, geocoders_from
from coordinator.travel.times import straight_metres


def measure(geocoder: Geocoder, path: Path) -> dict[str, Any]:
    """Per precision how many, and their median and 90th percentile distance in metres; and the notes by kind."""
    off: dict[str, list[float]] = defaultdict(list)
    contradicted = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = geocoder.locate(row.get("line") or row["address"], row["zip"])
            if found is None:
                off["unknown"].append(float("nan"))
                continue
            off[found.precision].append(straight_metres(found.point, (float(row["lat"]), float(row["lon"]))))
            contradicted += found.note is not None and "one of them is wrong" in found.note
    return {
        "list": path.name,
        "addresses": sum(map(len, off.values())),
        "zip_contradicts_street": contradicted,
        "precision": {
            name: {
                "count": len(metres),
                "median_metres": round(float(np.median(metres)), 1),
                "p90_metres": round(float(np.quantile(metres, 0.9)), 1),
            }
            for name, metres in sorted(off.items())
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.geocode", description=__doc__.splitlines()[0])
    parser.add_argument("lists", nargs="+", type=Path)
    parser.add_argument("--streets", required=True, type=Path)
    parser.add_argument("--branch", required=True)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        geocoder = geocoders_from(given.streets)[given.branch]
        found = [measure(geocoder, path) for path in given.lists]
    except (GeocodingError, OSError) as error:
        sys.exit(str(error))
    except KeyError as error:
        sys.exit(f"{error} is not there")
    if given.json:
        print(json.dumps(found))
        return
    for table in found:
        print(
            f"{table['list']}: {table['addresses']} addresses, {table['zip_contradicts_street']} contradict their ZIP"
        )
        for name, row in table["precision"].items():
            print(
                f"  {name:14s} {row['count']:6d}  median {row['median_metres']:7.1f} m  p90 {row['p90_metres']:7.1f} m"
            )


if __name__ == "__main__":
    main()
