"""Where an address is, from files that the agency provides, without a network.

First the street file: along the segment whose range holds the house number, on the side of its parity. Then the street
without the number. Then the middle of the ZIP area. What was found says how precise it is, and what does not fit.

The street file is GeoJSON (RFC 7946), plain or gzipped: a FeatureCollection of LineStrings with the house numbers of
the left and of the right side, each from the line's first point to its last, as cities publish their centrelines.
"""

import gzip
import json
import math
import tomllib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from coordinator.travel.addresses import AddressLine, read_line, street_kind, street_name
from coordinator.travel.times import Point

#: A street file of a large county has some hundred thousand segments.
_MOST_BYTES = 512 * 1024 * 1024
#: How far from the middle of the road a front door is, in metres.
_SETBACK_METRES = 10.0
#: A house number this far outside every range of its street is still taken to be near the closest.
_NEAR_NUMBERS = 100
_DEGREE_METRES = 111_195.0


class GeocodingError(ValueError):
    """A file of the geocoder is missing or unusable; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Located:
    """A point with its source and precision, and what about the address does not fit."""

    point: Point
    #: `street-file` or `zip-centroid`.
    source: str
    #: `street-range`: within the block's range of numbers; `street`: near the closest range; `zip-centroid`.
    precision: str
    #: For people: why it is no better, or what contradicts itself. None if all is well.
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of one segment: its numbers from the line's first point to its last."""

    line: Sequence[Point]
    first: int
    last: int
    is_left: bool
    kind: str
    zip: str

    def distance(self, number: int) -> int:
        """How far the number is outside the range, the wrong side of the street counting as far."""
        low, high = sorted((self.first, self.last))
        outside = max(low - number, number - high, 0)
        return outside if (number - self.first) % 2 == 0 or (low - high) % 2 else outside + 1

    def holds(self, number: int) -> bool:
        return self.distance(number) == 0

    def at(self, number: int) -> Point:
        """The front door: along the line in proportion to the number, set back to the side."""
        span = self.last - self.first
        share = 0.5 if span == 0 else min(max((number - self.first) / span, 0.0), 1.0)
        return _along(self.line, share, _SETBACK_METRES if self.is_left else -_SETBACK_METRES)


@dataclass(frozen=True, slots=True)
class Fields:
    """What the street file calls its properties. `left` and `right` are pairs of numbers, or two names each."""

    name: str = "street"
    kind: str = "type"
    zip: str = "zip"
    left: tuple[str, ...] = ("lf",)
    right: tuple[str, ...] = ("rt",)


class Geocoder:
    """The streets and ZIP areas of one branch. Built once, then only read."""

    def __init__(
        self,
        streets: Iterable[Mapping[str, Any]] = (),
        zip_areas: Iterable[Mapping[str, Any]] = (),
        zip_points: Mapping[str, Point] | None = None,
        fields: Fields | None = None,
    ) -> None:
        fields = fields or Fields()
        self._sides: dict[str, list[_Side]] = defaultdict(list)
        middles: dict[str, list[Point]] = defaultdict(list)
        for number, feature in enumerate(streets):
            for name, side in _sides(feature, fields, number):
                self._sides[name].append(side)
                middles[side.zip].append(side.line[len(side.line) // 2])
        self._zips: dict[str, Point] = {code: _mean(points) for code, points in middles.items() if code}
        self._zips |= {str(_property(area, "zip", n)): _centre(area, n) for n, area in enumerate(zip_areas)}
        self._zips |= dict(zip_points or {})

    def __len__(self) -> int:
        return sum(map(len, self._sides.values()))

    def locate(self, address: str, zip_code: str | None) -> Located | None:
        """Where the address is, as well as these files know; None if they know neither its street nor its ZIP."""
        zip5 = (zip_code or "")[:5]
        line = read_line(address)
        on_street = self._on_street(line, zip5) if line is not None else None
        if on_street is not None:
            return on_street
        if zip5 not in self._zips:
            return None
        return Located(self._zips[zip5], "zip-centroid", "zip-centroid", self._why_only_zip(line, zip5))

    def _on_street(self, line: AddressLine, zip5: str) -> Located | None:
        sides, guessed = self._named(line)
        number = line.number
        if not sides or number is None:
            return None
        here = [side for side in sides if side.zip == zip5] if zip5 else sides
        for group, is_there in ((here, True), ([side for side in sides if side not in here], False)):
            exact = [side for side in group if side.holds(number)]
            if exact and (is_there or _one_place(exact)):
                side = exact[0]
                if not _one_place(exact):
                    several = "More than one block of this street has the number; the first is taken."
                    return Located(side.at(number), "street-file", "street", several)
                elsewhere = f"The street and number lie in {side.zip}, not in {zip5}: one of them is wrong."
                note = guessed if is_there else elsewhere
                return Located(side.at(number), "street-file", "street-range", note)
        near = min(here, key=lambda side: (side.distance(number), side.first, side.line[0]), default=None)
        if near is None or near.distance(number) > _NEAR_NUMBERS:
            return None
        low, high = sorted((near.first, near.last))
        note = f"The street file has no number {number} there; the nearest range is {low} to {high}."
        return Located(near.at(number), "street-file", "street", note)

    def _named(self, line: AddressLine) -> tuple[list[_Side], str | None]:
        """The sides of that street, and what had to be guessed for it."""
        plain = line.name
        names = [plain]
        if line.before:
            names = [f"{line.before} {plain}", plain]
        if line.behind:
            names = [f"{plain} {line.behind}", *names]
        if line.kind:
            # "AVENUE N" and "THE EMBARCADERO" carry what looks like a kind of street in their names.
            names += [f"{plain} {line.kind}"]
        for name in names:
            sides = self._sides.get(name, [])
            if not sides:
                continue
            same = [side for side in sides if side.kind == line.kind]
            if line.kind is None or same:
                return same or sides, None
            kinds = sorted({side.kind for side in sides} - {""})
            if len(kinds) <= 1:
                known = kinds[0] if kinds else "no kind"
                return sides, f"The street file knows this street as {known}, not {line.kind}."
        return [], None

    def _why_only_zip(self, line: AddressLine | None, zip5: str) -> str:
        if line is None:
            return "The address names no street; the middle of the ZIP area stands in."
        if line.number is None:
            return "The address has no house number; the middle of the ZIP area stands in."
        sides, _ = self._named(line)
        if not sides:
            return "The street file has no such street; the middle of the ZIP area stands in."
        if all(side.zip != zip5 for side in sides):
            return f"The street does not lie in {zip5}, nor its number elsewhere; the middle of the ZIP stands in."
        return "The street has no number near this one; the middle of the ZIP area stands in."


def _one_place(sides: Sequence[_Side]) -> bool:
    """Whether these are one block: a block that is drawn as two lines is still one."""
    return len({(side.zip, side.kind, side.first, side.last) for side in sides}) == 1


# ------------------------------------------------------------------------------------ reading files


def geocoders_from(path: Path) -> dict[str, Geocoder]:
    """By branch code, from a TOML with a table per branch: `streets` and `zips` (files, relative to the TOML),
    `zip_points` and `fields`. GeocodingError names what is wrong.
    """
    try:
        with path.open("rb") as file:
            given = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise GeocodingError(f"{path.name}: {error}") from None
    found = {}
    for code, table in given.items():
        if not isinstance(table, Mapping):
            raise GeocodingError(f"{path.name}: {code} must be a table")
        for key in table:
            if key not in {"streets", "zips", "zip_points", "fields"}:
                raise GeocodingError(f"{path.name}: {code}.{key}: no such setting")
        try:
            found[code] = Geocoder(
                _features(path.parent, table.get("streets")),
                _features(path.parent, table.get("zips")),
                _zip_points(table.get("zip_points", {})),
                _fields(table.get("fields", {})),
            )
        except GeocodingError as error:
            raise GeocodingError(f"{path.name}: {code}: {error}") from None
    return found


def _fields(given: Any) -> Fields:
    if not isinstance(given, Mapping) or set(given) - {"name", "kind", "zip", "left", "right"}:
        raise GeocodingError("fields are name, kind, zip, left and right")
    values: dict[str, Any] = {}
    for key, value in given.items():
        names = value if isinstance(value, list) else [value]
        if not all(isinstance(name, str) for name in names) or not 1 <= len(names) <= 2:
            raise GeocodingError(f"fields.{key} must name a property, or two for the ends of a range")
        values[key] = tuple(names) if key in ("left", "right") else names[0]
    return Fields(**values)


def _zip_points(given: Any) -> dict[str, Point]:
    points = {}
    for code, pair in given.items() if isinstance(given, Mapping) else [("", None)]:
        if not (isinstance(pair, list) and len(pair) == 2 and _on_earth(pair[1], pair[0])):
            raise GeocodingError("zip_points must be ZIP codes with [latitude, longitude]")
        points[code] = (float(pair[0]), float(pair[1]))
    return points


def _features(folder: Path, name: Any) -> list[Mapping[str, Any]]:
    if name is None:
        return []
    if not isinstance(name, str):
        raise GeocodingError("streets and zips must name files")
    path = folder / name
    try:
        with path.open("rb") as raw:
            data = (gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw).read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise GeocodingError(f"{path.name}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > _MOST_BYTES:
        raise GeocodingError(f"{path.name}: larger than {_MOST_BYTES // 1024**2} MiB")
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise GeocodingError(f"{path.name}: no JSON: {error}") from None
    features = given.get("features") if isinstance(given, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise GeocodingError(f"{path.name}: no GeoJSON FeatureCollection")
    return features


def _property(feature: Mapping[str, Any], name: str, number: int) -> Any:
    properties = feature.get("properties")
    if not isinstance(properties, Mapping) or name not in properties:
        raise GeocodingError(f"feature {number} has no property {name}")
    return properties[name]


def _sides(feature: Mapping[str, Any], fields: Fields, number: int) -> Iterable[tuple[str, _Side]]:
    """Each side of a segment that has house numbers, under its street's name."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("LineString", "MultiLineString"):
        raise GeocodingError(f"feature {number} is no line")
    raw = geometry.get("coordinates")
    lines = [raw] if geometry["type"] == "LineString" else raw
    if not isinstance(lines, list) or not lines:
        raise GeocodingError(f"feature {number} has no points")
    line = [_position(position, number) for part in lines for position in (part if isinstance(part, list) else [part])]
    if len(line) < 2:
        raise GeocodingError(f"feature {number} has fewer than two points")
    name = street_name(str(_property(feature, fields.name, number) or ""))
    kind = street_kind(str(_property(feature, fields.kind, number) or ""))
    code = str(_property(feature, fields.zip, number) or "")[:5]
    for names, is_left in ((fields.left, True), (fields.right, False)):
        given = [_property(feature, key, number) for key in names]
        ends = given[0] if len(given) == 1 and isinstance(given[0], list) else given
        if len(ends) != 2:
            raise GeocodingError(f"feature {number}: {' and '.join(names)} must give two house numbers")
        first, last = (_house(end, number) for end in ends)
        if name and (first or last):
            yield name, _Side(line, first, last, is_left, kind, code)


def _house(value: Any, number: int) -> int:
    try:
        found = int(value or 0)
    except (TypeError, ValueError, OverflowError):
        raise GeocodingError(f"feature {number}: {value!r} is no house number") from None
    if not 0 <= found < 1_000_000:
        raise GeocodingError(f"feature {number}: {found} is no house number")
    return found


def _position(given: Any, number: int) -> Point:
    if not (isinstance(given, list) and len(given) >= 2 and _on_earth(given[0], given[1])):
        raise GeocodingError(f"feature {number} has a position that is no longitude and latitude")
    return float(given[1]), float(given[0])


def _on_earth(lon: Any, lat: Any) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (lon, lat))
    return numbers and -180 <= lon <= 180 and -90 <= lat <= 90


# ------------------------------------------------------------------------------------ geometry


def _along(line: Sequence[Point], share: float, to_left: float) -> Point:
    """The point at that share of the line's length, moved so many metres to the left of its direction."""
    scale = math.cos(math.radians(line[0][0]))
    flat = [(lon * scale * _DEGREE_METRES, lat * _DEGREE_METRES) for lat, lon in line]
    lengths = [math.dist(a, b) for a, b in pairwise(flat)]
    left = sum(lengths) * share
    x, y = flat[0]
    for (a, b), length in zip(pairwise(flat), lengths, strict=True):
        if length == 0:
            continue
        part = min(left / length, 1.0)
        east, north = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        x, y = a[0] + (b[0] - a[0]) * part - north * to_left, a[1] + (b[1] - a[1]) * part + east * to_left
        if left <= length:
            break
        left -= length
    return round(y / _DEGREE_METRES, 6), round(x / _DEGREE_METRES / scale, 6)


def _mean(points: Sequence[Point]) -> Point:
    count = len(points)
    return round(math.fsum(lat for lat, _ in points) / count, 6), round(math.fsum(lon for _, lon in points) / count, 6)


def _centre(area: Mapping[str, Any], number: int) -> Point:
    """The centre of gravity of a Polygon or MultiPolygon, holes left out."""
    geometry = area.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if not isinstance(geometry, Mapping) or kind not in ("Polygon", "MultiPolygon"):
        raise GeocodingError(f"feature {number} is no area")
    parts = [geometry.get("coordinates")] if kind == "Polygon" else geometry.get("coordinates")
    weight = east = north = 0.0
    for part in parts if isinstance(parts, list) else []:
        ring = [_position(position, number) for position in part[0]] if isinstance(part, list) and part else []
        if len(ring) < 4:
            raise GeocodingError(f"feature {number} has a ring of fewer than four points")
        lat0, lon0 = ring[0]
        for (lat1, lon1), (lat2, lon2) in pairwise(ring):
            cross = (lon1 - lon0) * (lat2 - lat0) - (lon2 - lon0) * (lat1 - lat0)
            weight += cross
            east += cross * (lon1 + lon2 + lon0) / 3
            north += cross * (lat1 + lat2 + lat0) / 3
    if weight == 0:
        raise GeocodingError(f"feature {number} has no surface")
    return round(north / weight, 6), round(east / weight, 6)
