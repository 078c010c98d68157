"""How far the estimate is off the road, and the numbers that bring it closest.

    python -m benchmarks.travel --osrm http://127.0.0.1:5000 [--homes CSV] [--points N] [--json]

Asks an OSRM server for the free-flow times between home addresses, fits start, bands and areas on one half of the
addresses by least absolute relative error, and reports the residuals on pairs of the other half, which the fit never
saw: the general numbers, the numbers in config/travel.toml, and the fresh fit, by distance. The fresh fit is printed as
TOML; nothing is written. Deterministic: the same server and files give the same numbers.
"""

import argparse
import csv
import json
import math
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordinator.core.settings import ROOT
from coordinator.travel.roads import Osrm, RoadsDownError
from coordinator.travel.settings import Area, Band, TravelSettings, settings_from
from coordinator.travel.times import Estimate

GEO = ROOT.parent / "shared" / "data" / "geo"
BANDS_KM = (1.0, 3.0, math.inf)
BUCKETS = ((0.2, 1), (1, 3), (3, 6), (6, 100))
Floats = NDArray[np.float64]


def road_times(osrm: Osrm, points: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Free-flow seconds and metres between all points; NaN where the server knows no way."""
    count, step = len(points), 100
    seconds, metres = np.full((count, count), np.nan), np.full((count, count), np.nan)
    for row in range(0, count, step):
        for column in range(0, count, step):
            answer = osrm.table(points[row : row + step], points[column : column + step])
            seconds[row : row + step, column : column + step] = answer.seconds
            metres[row : row + step, column : column + step] = answer.metres
    return seconds, metres


def fit(points: Floats, zips: list[str], seconds: Floats, metres: Floats) -> TravelSettings:
    """Start, bands and areas that make the estimate's relative error least (iterated weights, least absolute error)."""
    straight = Estimate(TravelSettings(detour=1.0)).metre_matrix([tuple(p) for p in points]) / 1000.0
    use = np.isfinite(seconds) & (seconds > 0) & (straight > 0.05)
    names = sorted(set(zips))
    member = np.eye(len(names))[[names.index(code) for code in zips]]
    rows, columns = np.nonzero(use)
    kilometres, target = straight[use], seconds[use]
    start, pieces = 0.0, []
    for reach in BANDS_KM:
        pieces.append(np.clip(kilometres - start, 0.0, reach - start))
        start = reach
    halves = (member[rows] + member[columns]) / 2 * kilometres[:, None]
    design = np.column_stack([np.ones(len(target)), *pieces, halves])
    weights = 1.0 / target**2
    solution = np.zeros(design.shape[1])
    for _ in range(30):
        root = np.sqrt(weights)
        solution = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)[0]
        off = np.abs(design @ solution - target) / target
        weights = 1.0 / target**2 / np.maximum(off, 0.01)
    extras = solution[1 + len(BANDS_KM) :]
    # Bands and areas share a common part; it is put into the bands, so that a place in no area is an average place.
    common = float(np.average(extras, weights=member.sum(axis=0)))
    return TravelSettings(
        detour=round(float(np.median((metres[use] / 1000) / kilometres)), 3),
        start_seconds=round(max(float(solution[0]), 0.0), 1),
        bands=tuple(
            Band(reach, round(float(pace) + common, 1)) for reach, pace in zip(BANDS_KM, solution[1:4], strict=True)
        ),
        areas=tuple(
            Area(name, *_middle(points, zips, name), round(float(extra) - common, 1))
            for name, extra in zip(names, extras, strict=True)
        ),
    )


def _middle(points: Floats, zips: list[str], name: str) -> tuple[float, float]:
    own = points[[code == name for code in zips]]
    return round(float(own[:, 0].mean()), 4), round(float(own[:, 1].mean()), 4)


def residuals(settings: TravelSettings, points: Floats, seconds: Floats) -> dict[str, Any]:
    """Relative error in percent and absolute in seconds, free flow against free flow, of ways over 200 m."""
    places = [tuple(p) for p in points]
    straight = Estimate(TravelSettings(detour=1.0)).metre_matrix(places) / 1000.0
    guess = Estimate(settings).free_flow(places)
    found: dict[str, Any] = {}
    for low, high in ((0.2, 100), *BUCKETS):
        use = np.isfinite(seconds) & (straight >= low) & (straight < high)
        off = np.abs(guess - seconds)[use]
        share = off / seconds[use] * 100
        found["all" if (low, high) == (0.2, 100) else f"{low:g}-{high:g} km"] = {
            "pairs": int(use.sum()),
            "median_percent": round(float(np.median(share)), 1),
            "p90_percent": round(float(np.quantile(share, 0.9)), 1),
            "median_seconds": round(float(np.median(off))),
            "p90_seconds": round(float(np.quantile(off, 0.9))),
            "bias_percent": round(float((guess - seconds)[use].sum() / seconds[use].sum() * 100), 1),
        }
    return found


def as_toml(settings: TravelSettings) -> str:
    """The fitted part of config/travel.toml."""
    bands = ", ".join(
        f"{{ seconds_per_km = {band.seconds_per_km} }}"
        if band.to_km == math.inf
        else f"{{ to_km = {band.to_km:g}, seconds_per_km = {band.seconds_per_km} }}"
        for band in settings.bands
    )
    areas = "\n".join(
        f'    {{ name = "{area.name}", lat = {area.lat}, lon = {area.lon}, '
        f"extra_seconds_per_km = {area.extra_seconds_per_km} }},"
        for area in settings.areas
    )
    return (
        f"detour = {settings.detour}\nstart_seconds = {settings.start_seconds}\nbands = [{bands}]\n"
        f"\nlist = [\n{areas}\n]"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.travel", description=__doc__.splitlines()[0])
    parser.add_argument("--osrm", required=True, help="address of an OSRM server, http://host:port")
    parser.add_argument("--homes", type=Path, default=GEO / "sf_home_addresses.csv", help="CSV with lat, lon, zip")
    parser.add_argument("--points", type=int, default=600, help="addresses to use, half of them for the fit")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        with given.homes.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        sys.exit(f"--homes: {error.strerror}: {given.homes}")
    # Every k-th row, dealt alternately to the half that is fitted and the half that judges.
    rows = rows[:: max(1, len(rows) // given.points)][: given.points]
    places = [(float(row["lat"]), float(row["lon"])) for row in rows]
    try:
        seconds, metres = road_times(Osrm(given.osrm), places)
    except RoadsDownError as error:
        sys.exit(f"--osrm: {error}")
    points, zips = np.array(places), [row["zip"] for row in rows]
    here, there = np.arange(0, len(rows), 2), np.arange(1, len(rows), 2)
    fresh = fit(
        points[here], [zips[number] for number in here], seconds[np.ix_(here, here)], metres[np.ix_(here, here)]
    )
    shipped = settings_from(tomllib.loads((ROOT / "config" / "travel.toml").read_text(encoding="utf-8")))
    judged = points[there], seconds[np.ix_(there, there)]
    table = {
        name: residuals(settings, *judged)
        for name, settings in (("general", TravelSettings()), ("shipped", shipped), ("fresh", fresh))
    }
    if given.json:
        print(json.dumps({"addresses": len(rows), "residuals": table, "toml": as_toml(fresh)}))
        return
    print(f"{len(rows)} addresses; residuals on the half that was not fitted, free flow, ways over 200 m\n")
    print(
        f"{'numbers':9s} {'ways':12s} {'pairs':>7s} {'median':>8s} {'p90':>8s} {'median':>8s} {'p90':>8s} {'bias':>8s}"
    )
    for name, found in table.items():
        for ways, row in found.items():
            print(
                f"{name:9s} {ways:12s} {row['pairs']:7d} {row['median_percent']:6.1f} % {row['p90_percent']:6.1f} % "
                f"{row['median_seconds']:6d} s {row['p90_seconds']:6d} s {row['bias_percent']:6.1f} %"
            )
    print(f"\n{as_toml(fresh)}")


if __name__ == "__main__":
    main()
