"""How long the way takes: an estimate that always answers, without a map and without a network.

The great circle's length, priced by the kilometre: a fixed start, a pace that falls with distance, and a little more or
less pace where an end lies in a slow or a fast part of town; times a traffic factor. The numbers and what they were
fitted to stand in `config/travel.toml`; `python -m benchmarks.travel` fits them anew and says how far off they are.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coordinator.travel.settings import TravelSettings

#: Mean radius of the earth, in metres (IUGG).
EARTH_RADIUS_METRES = 6_371_008.8

Point = tuple[float, float]


class Estimate:
    """Travel times from coordinates alone (WGS 84 degrees, latitude first)."""

    def __init__(self, settings: TravelSettings | None = None) -> None:
        self.settings = settings or TravelSettings()

    def seconds(self, lat1: float, lon1: float, lat2: float, lon2: float, *, traffic: float | None = None) -> int:
        """Seconds from the first point to the second, rounded up; 0 only for the same point."""
        return int(self.matrix([(lat1, lon1), (lat2, lon2)], traffic=traffic)[0, 1])

    def minutes(self, lat1: float, lon1: float, lat2: float, lon2: float, *, traffic: float | None = None) -> int:
        """Minutes from the first point to the second, rounded up: at least 1 between distinct places, 0 within one.

        ValueError names a point that is no place on earth.
        """
        return -(-self.seconds(lat1, lon1, lat2, lon2, traffic=traffic) // 60)

    def metres(self, lat1: float, lon1: float, lat2: float, lon2: float) -> int:
        """Metres by road, estimated; ValueError names a point that is no place on earth."""
        return int(self.metre_matrix([(lat1, lon1), (lat2, lon2)])[0, 1])

    def matrix(self, points: Sequence[Point], *, traffic: float | None = None) -> NDArray[np.int32]:
        """Seconds from each point (row) to each (column), int32, zero on the diagonal and between equal points.

        `traffic` is the factor on free flow; the daytime's if none is given. ValueError names a point off the earth.
        """
        return self.in_traffic(self.free_flow(points), points, traffic=traffic)

    def in_traffic(
        self, free: NDArray[np.float64], points: Sequence[Point], *, traffic: float | None = None
    ) -> NDArray[np.int32]:
        """Free-flow seconds, whoever knew them, as whole seconds to plan with: traffic and parking added."""
        settings = self.settings
        slowed = free * (settings.traffic.daytime if traffic is None else traffic)
        # A hair is taken off before rounding up, so that noise in the last bit never costs a second.
        whole = np.ceil(slowed - 1e-6)
        whole = np.where(apart(points), np.maximum(whole, 1) + settings.parking_minutes * 60, 0)
        result: NDArray[np.int32] = whole.astype(np.int32)
        return result

    def free_flow(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """Seconds on empty roads, float64, between all points; ValueError names a point that is no place on earth."""
        settings = self.settings
        radians = _radians(points)
        kilometres = _straight(radians) / 1000
        seconds = np.full(kilometres.shape, settings.start_seconds, dtype=np.float64)
        start = 0.0
        for band in settings.bands:
            seconds += np.clip(kilometres - start, 0.0, band.to_km - start) * band.seconds_per_km
            start = band.to_km
        extra = self._extra(radians)
        seconds += (extra[:, None] + extra[None, :]) / 2 * kilometres
        return np.asarray(np.where(apart(points), seconds, 0.0), dtype=np.float64)

    def _extra(self, radians: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each point: the extra seconds a kilometre of the area whose middle is nearest, 0 beyond its reach."""
        areas = self.settings.areas
        if not areas or not len(radians):
            return np.zeros(len(radians))
        middles = np.radians(np.array([(area.lat, area.lon) for area in areas], dtype=np.float64))
        far = _straight(radians, middles) / 1000
        nearest = far.argmin(axis=1)
        extra = np.array([area.extra_seconds_per_km for area in areas])[nearest]
        within = far[np.arange(len(radians)), nearest] <= self.settings.reach_km
        return np.asarray(np.where(within, extra, 0.0), dtype=np.float64)

    def metre_matrix(self, points: Sequence[Point]) -> NDArray[np.int32]:
        """Metres by road from each point (row) to each (column), estimated, int32."""
        result: NDArray[np.int32] = np.ceil(_straight(_radians(points)) * self.settings.detour - 1e-6).astype(np.int32)
        return result


def straight_metres(here: Point, there: Point) -> float:
    """Metres as the crow flies; ValueError names a point that is no place on earth."""
    return float(_straight(_radians([here, there]))[0, 1])


def check_points(points: Sequence[Point]) -> None:
    """ValueError names the first point that is no place on earth."""
    for number, (lat, lon) in enumerate(points):
        if not (isinstance(lat, int | float) and math.isfinite(lat) and -90 <= lat <= 90):
            raise ValueError(f"point {number}: latitude {lat!r} is not between -90 and 90")
        if not (isinstance(lon, int | float) and math.isfinite(lon) and -180 <= lon <= 180):
            raise ValueError(f"point {number}: longitude {lon!r} is not between -180 and 180")


def _radians(points: Sequence[Point]) -> NDArray[np.float64]:
    check_points(points)
    return np.radians(np.asarray(points, dtype=np.float64).reshape(len(points), 2))


def apart(points: Sequence[Point]) -> NDArray[np.bool_]:
    """Which pairs are distinct places; a sheet of paper apart (1e-6 degrees, some 11 cm) is not apart."""
    array = np.asarray(points, dtype=np.float64).reshape(len(points), 2)
    lat = np.abs(array[:, 0][:, None] - array[:, 0][None, :]) > 1e-6
    return np.asarray(lat | (np.abs(array[:, 1][:, None] - array[:, 1][None, :]) > 1e-6), dtype=np.bool_)


def _straight(radians: NDArray[np.float64], others: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Great-circle metres between all points (or to all others), by the haversine formula, exact enough close by."""
    ends = radians if others is None else others
    half_lat = np.sin((radians[:, 0][:, None] - ends[:, 0][None, :]) / 2) ** 2
    half_lon = np.sin((radians[:, 1][:, None] - ends[:, 1][None, :]) / 2) ** 2
    chord = half_lat + np.cos(radians[:, 0])[:, None] * np.cos(ends[:, 0])[None, :] * half_lon
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_METRES * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
    return metres
