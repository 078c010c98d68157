"""Places: ZIP codes, points, and whether a point lies in a service area drawn as GeoJSON. No rows, no clock."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from coordinator.core.errors import Invalid

_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?", re.ASCII)
_MOST_POINTS = 20_000


def zip5(text: str, pointer: str = "/zip") -> str:
    """The five digits of a ZIP or ZIP+4 code; Invalid if it is neither."""
    if not _ZIP.fullmatch(text):
        raise Invalid("A ZIP code is five digits, or five and four: 94114 or 94114-1234.", pointer=pointer)
    return text[:5]


def check_point(lat: float | None, lon: float | None, pointer: str = "") -> None:
    """Refuse half a point, and one that is not on Earth."""
    if (lat is None) != (lon is None):
        raise Invalid("Give both lat and lon, or neither.", pointer=f"{pointer}/{'lat' if lat is None else 'lon'}")
    for name, value, limit in (("lat", lat, 90), ("lon", lon, 180)):
        if value is not None and not (math.isfinite(value) and -limit <= value <= limit):
            raise Invalid(f"{name} must be from {-limit} to {limit}.", pointer=f"{pointer}/{name}")


def _rings(polygon: dict[str, Any]) -> list[list[Sequence[float]]]:
    """Every ring of a Polygon or MultiPolygon, holes included: the even-odd rule needs no more."""
    if polygon["type"] == "Polygon":
        return list(polygon["coordinates"])
    return [ring for part in polygon["coordinates"] for ring in part]


def polygon_from(given: Any, pointer: str = "/polygon") -> dict[str, Any]:
    """A closed GeoJSON Polygon or MultiPolygon in degrees (RFC 7946: longitude first), without anything beside it.

    Invalid names what is wrong with it.
    """
    shaped = isinstance(given, dict) and given.get("type") in ("Polygon", "MultiPolygon")
    if not shaped or not isinstance(given.get("coordinates"), list) or not given["coordinates"]:
        raise Invalid("This must be a GeoJSON Polygon or MultiPolygon with its coordinates.", pointer=pointer)
    kind, coordinates = given["type"], given["coordinates"]
    try:
        parts = [[_ring(ring) for ring in part] for part in ([coordinates] if kind == "Polygon" else coordinates)]
    except (TypeError, ValueError):
        parts = []
    points = sum(len(ring) for part in parts for ring in part)
    if not parts or not all(parts) or points > _MOST_POINTS:
        raise Invalid(
            "Every ring of the polygon is a closed list of at least four [longitude, latitude] pairs, "
            f"{_MOST_POINTS} points in all at most.",
            pointer=f"{pointer}/coordinates",
        )
    return {"type": kind, "coordinates": parts[0] if kind == "Polygon" else parts}


def _ring(given: Any) -> list[list[float]]:
    ring = []
    for lon, lat, *_ in given:
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (lon, lat))
        if not numbers or not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise ValueError("not a point on Earth")
        ring.append([float(lon), float(lat)])
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ValueError("not a closed ring")
    return ring


def contains(polygon: dict[str, Any], lat: float, lon: float) -> bool:
    """Whether the point lies in the polygon: a ray to the east crosses its rings an odd number of times."""
    inside = False
    for ring in _rings(polygon):
        for (x1, y1, *_), (x2, y2, *_) in pairwise(ring):
            if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                inside = not inside
    return inside
