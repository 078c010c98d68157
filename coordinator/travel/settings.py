"""The numbers of travel, as `config/travel.toml` gives them: pace, areas, traffic by hour, and how road times are kept.

Nothing here opens a file: the caller hands in the parsed TOML. Every section says where its numbers come from.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

HOURS = 24
#: Saturday, as `datetime.weekday` counts.
_SATURDAY = 5


class TravelSettingsError(ValueError):
    """A travel setting that is missing, unknown or out of range; the message names it."""


@dataclass(frozen=True, slots=True)
class Band:
    """How many seconds a further kilometre (as the crow flies) costs, up to `to_km` from the start."""

    to_km: float
    seconds_per_km: float


@dataclass(frozen=True, slots=True)
class Area:
    """A part of town that is slower or faster than the rest, around a middle point (WGS 84 degrees)."""

    name: str
    lat: float
    lon: float
    #: Added to the pace of a way that begins and ends here; half of it where one end lies here. May be negative.
    extra_seconds_per_km: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Time on the road for one unit of free-flow time, by hour of the branch's clock."""

    weekday: tuple[float, ...] = (1.18,) * HOURS
    weekend: tuple[float, ...] = (1.18,) * HOURS
    #: The hours that plans are made for: from, and before.
    day_from: int = 8
    day_before: int = 18

    def at(self, local: datetime) -> float:
        """The factor of that hour; `local` is the branch's wall clock."""
        hours = self.weekend if local.weekday() >= _SATURDAY else self.weekday
        return hours[local.hour]

    @property
    def daytime(self) -> float:
        """The one factor that plans are made with: the mean of a weekday's working hours."""
        hours = self.weekday[self.day_from : self.day_before]
        return math.fsum(hours) / len(hours)


@dataclass(frozen=True, slots=True)
class RoadSettings:
    """How road times are asked for and kept."""

    #: Older answers are asked for again.
    max_age_days: int = 90
    #: Points on each side of one question.
    tile: int = 100
    timeout_seconds: float = 10.0
    attempts: int = 3
    #: Failed questions in a row after which the server is left alone for `rest_seconds`.
    failures: int = 3
    rest_seconds: float = 60.0
    #: Seconds that one run may spend on asking.
    budget_seconds: float = 120.0
    #: A point farther than this from every road of the server's map is off it: no answer about it is believed.
    snap_metres: float = 500.0
    #: Above this number of places a run asks for none: the answers would not be read in time.
    most_points: int = 1500


@dataclass(frozen=True, slots=True)
class TravelSettings:
    """All of it. The defaults are general: straight line times 1.3 at 41 km/h, 1.18 times free flow, no areas."""

    #: How much longer the road is than the straight line.
    detour: float = 1.3
    #: Spent on every way, however short.
    start_seconds: float = 0.0
    bands: tuple[Band, ...] = (Band(math.inf, 1.3 / 41 * 3600),)
    #: Added to every way between two places. None by default: the buffer between stops (LAB-04) already allows for it.
    parking_minutes: int = 0
    areas: tuple[Area, ...] = ()
    #: How far from its middle an area reaches; the nearest middle counts.
    reach_km: float = 3.0
    traffic: Traffic = Traffic()
    roads: RoadSettings = RoadSettings()


def settings_from(mapping: Mapping[str, Any]) -> TravelSettings:
    """The settings of a parsed TOML with the sections estimate, areas, traffic and roads, each with its source.

    TravelSettingsError names what is missing, unknown or out of range.
    """
    known = {"estimate", "areas", "traffic", "roads"}
    for name in mapping:
        if name not in known:
            raise TravelSettingsError(f"travel setting {name}: no such section")
    for name in sorted(known):
        section = mapping.get(name)
        if not isinstance(section, Mapping):
            raise TravelSettingsError(f"travel setting {name}: the section is missing")
        source = section.get("source")
        if not isinstance(source, str) or not source.strip():
            raise TravelSettingsError(f"travel setting {name}.source: must say where the numbers come from")
    estimate, areas = mapping["estimate"], mapping["areas"]
    _only("estimate", estimate, {"source", "detour", "start_seconds", "parking_minutes", "bands"})
    _only("areas", areas, {"source", "reach_km", "list"})
    settings = TravelSettings(
        detour=_number("estimate.detour", estimate.get("detour"), 1.0, 5.0),
        start_seconds=_number("estimate.start_seconds", estimate.get("start_seconds"), 0.0, 600.0),
        bands=_bands(estimate.get("bands")),
        parking_minutes=int(_number("estimate.parking_minutes", estimate.get("parking_minutes"), 0, 60)),
        areas=tuple(_area(number, raw) for number, raw in enumerate(_list("areas.list", areas.get("list")))),
        reach_km=_number("areas.reach_km", areas.get("reach_km"), 0.1, 100.0),
        traffic=_traffic(mapping["traffic"]),
        roads=_roads(mapping["roads"]),
    )
    slowest = min((area.extra_seconds_per_km for area in settings.areas), default=0.0)
    if min(band.seconds_per_km for band in settings.bands) + slowest <= 0:
        raise TravelSettingsError("travel setting areas.list: an area is so fast that a way would take no time")
    return settings


def _only(name: str, section: Mapping[str, Any], known: set[str]) -> None:
    for key in section:
        if key not in known:
            raise TravelSettingsError(f"travel setting {name}.{key}: no such setting")


def _number(key: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TravelSettingsError(f"travel setting {key}: must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


def _list(key: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TravelSettingsError(f"travel setting {key}: must be a list, not {value!r}")
    return value


def _bands(raw: Any) -> tuple[Band, ...]:
    bands = []
    for number, item in enumerate(_list("estimate.bands", raw)):
        key = f"estimate.bands[{number}]"
        if not isinstance(item, Mapping):
            raise TravelSettingsError(f"travel setting {key}: must be a table")
        _only(key, item, {"to_km", "seconds_per_km"})
        to_km = item.get("to_km", math.inf)
        bands.append(
            Band(
                math.inf if to_km == math.inf else _number(f"{key}.to_km", to_km, 0.001, 20_100),
                _number(f"{key}.seconds_per_km", item.get("seconds_per_km"), 1, 3600),
            )
        )
    reaches = [band.to_km for band in bands]
    if not bands or reaches != sorted(set(reaches)) or reaches[-1] != math.inf:
        raise TravelSettingsError("travel setting estimate.bands: must reach farther each, the last without to_km")
    return tuple(bands)


def _area(number: int, raw: Any) -> Area:
    key = f"areas.list[{number}]"
    if not isinstance(raw, Mapping) or not isinstance(raw.get("name"), str):
        raise TravelSettingsError(f"travel setting {key}: must be a table with a name")
    _only(key, raw, {"name", "lat", "lon", "extra_seconds_per_km"})
    return Area(
        raw["name"],
        _number(f"{key}.lat", raw.get("lat"), -90, 90),
        _number(f"{key}.lon", raw.get("lon"), -180, 180),
        _number(f"{key}.extra_seconds_per_km", raw.get("extra_seconds_per_km"), -3600, 3600),
    )


def _traffic(raw: Mapping[str, Any]) -> Traffic:
    _only("traffic", raw, {"source", "weekday", "weekend", "day_from", "day_before"})
    hours = {}
    for name in ("weekday", "weekend"):
        given = _list(f"traffic.{name}", raw.get(name))
        if len(given) != HOURS:
            raise TravelSettingsError(f"travel setting traffic.{name}: must have 24 numbers, one an hour")
        hours[name] = tuple(_number(f"traffic.{name}[{hour}]", value, 1.0, 10.0) for hour, value in enumerate(given))
    day_from = int(_number("traffic.day_from", raw.get("day_from"), 0, 23))
    day_before = int(_number("traffic.day_before", raw.get("day_before"), day_from + 1, 24))
    return Traffic(hours["weekday"], hours["weekend"], day_from, day_before)


def _roads(raw: Mapping[str, Any]) -> RoadSettings:
    limits = {
        "max_age_days": (1, 3650), "tile": (1, 1000), "timeout_seconds": (0.1, 120), "attempts": (1, 10),
        "failures": (1, 100), "rest_seconds": (0, 3600), "budget_seconds": (1, 3600), "snap_metres": (1, 100_000),
        "most_points": (2, 5000),
    }  # fmt: skip
    _only("roads", raw, {"source", *limits})
    values: dict[str, Any] = {}
    for item in fields(RoadSettings):
        number = _number(f"roads.{item.name}", raw.get(item.name), *limits[item.name])
        values[item.name] = int(number) if item.type is int else number
    return RoadSettings(**values)
