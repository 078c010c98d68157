"""How long the way takes: an estimate that always answers, without a map and without a network.

Great-circle distance, lengthened by a detour factor, at a fitted free-flow speed, slowed by a traffic factor. Measured
against road times of San Francisco: straight line times 1.3 is 11 % off in distance (nine in ten within 28 %) and
12 % in time at a fitted free-flow speed of about 41 km/h (at 25 km/h it is 70 % off); the regional travel model runs at
1.18 times free flow at midday.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Mean radius of the earth, in metres (IUGG).
EARTH_RADIUS_METRES = 6_371_008.8


@dataclass(frozen=True, slots=True)
class TravelSettings:
    """The numbers of the estimate; the module's docstring says where each was measured."""

    #: How much longer the road is than the straight line.
    detour: float = 1.3
    #: Free-flow speed that fits the road times.
    kilometres_per_hour: float = 41.0
    #: Time in ordinary daytime traffic for one unit of free-flow time.
    traffic: float = 1.18
    #: Added to every way between two places. None by default: the buffer between stops (LAB-04) already allows for it.
    parking_minutes: int = 0


class Estimate:
    """Travel times from coordinates alone (WGS 84 degrees)."""

    def __init__(self, settings: TravelSettings | None = None) -> None:
        self.settings = settings or TravelSettings()

    def seconds(self, lat1: float, lon1: float, lat2: float, lon2: float) -> int:
        """Seconds from the first point to the second, rounded up; 0 only for the same point."""
        return int(self.matrix([(lat1, lon1), (lat2, lon2)])[0, 1])

    def minutes(self, lat1: float, lon1: float, lat2: float, lon2: float) -> int:
        """Minutes from the first point to the second, rounded up: at least 1 between distinct places, 0 within one.

        ValueError names a point that is no place on earth.
        """
        return -(-self.seconds(lat1, lon1, lat2, lon2) // 60)

    def metres(self, lat1: float, lon1: float, lat2: float, lon2: float) -> int:
        """Metres by road, estimated; ValueError names a point that is no place on earth."""
        return int(self.metre_matrix([(lat1, lon1), (lat2, lon2)])[0, 1])

    def matrix(self, points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        """Seconds from each point (row) to each (column), int32, zero on the diagonal and between equal points."""
        settings = self.settings
        road = _straight(_radians(points)) * settings.detour
        seconds = road / (settings.kilometres_per_hour / 3.6) * settings.traffic
        # A hair is taken off before rounding up, so that noise in the last bit never costs a second.
        whole = np.ceil(seconds - 1e-6)
        whole = np.where(_apart(points), np.maximum(whole, 1) + settings.parking_minutes * 60, 0)
        result: NDArray[np.int32] = whole.astype(np.int32)
        return result

    def metre_matrix(self, points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        """Metres by road from each point (row) to each (column), estimated, int32."""
        result: NDArray[np.int32] = np.ceil(_straight(_radians(points)) * self.settings.detour - 1e-6).astype(np.int32)
        return result


def _radians(points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    for number, (lat, lon) in enumerate(points):
        if not (isinstance(lat, int | float) and math.isfinite(lat) and -90 <= lat <= 90):
            raise ValueError(f"point {number}: latitude {lat!r} is not between -90 and 90")
        if not (isinstance(lon, int | float) and math.isfinite(lon) and -180 <= lon <= 180):
            raise ValueError(f"point {number}: longitude {lon!r} is not between -180 and 180")
    return np.radians(np.asarray(points, dtype=np.float64).reshape(len(points), 2))


def _apart(points: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Which pairs are distinct places; a sheet of paper apart (1e-6 degrees, some 11 cm) is not apart."""
    array = np.asarray(points, dtype=np.float64).reshape(len(points), 2)
    return np.asarray((np.abs(array[:, None, :] - array[None, :, :]) > 1e-6).any(axis=2), dtype=np.bool_)


def _straight(radians: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle metres between all points, by the haversine formula, which is exact enough close by."""
    lat, lon = radians[:, 0], radians[:, 1]
    half_lat = np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
    half_lon = np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    chord = half_lat + np.cos(lat)[:, None] * np.cos(lat)[None, :] * half_lon
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_METRES * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
    return metres


#: The estimate with the numbers as shipped.
ESTIMATE = Estimate()
