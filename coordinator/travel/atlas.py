"""What this installation knows of places and ways: the numbers, the road server if there is one, the street files.

Made once by `app.create_app` and carried by every `Work`, so that verbs need no settings and no files.
"""

import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.core.settings import ROOT, Settings, SettingsError
from coordinator.core.work import Work
from coordinator.travel.geocode import Geocoder, GeocodingError, geocoders_from
from coordinator.travel.roads import Osrm, RoadServer
from coordinator.travel.settings import TravelSettings, TravelSettingsError, settings_from
from coordinator.travel.times import Estimate


@dataclass(frozen=True, slots=True)
class Atlas:
    """Places and ways. `geocoders` are by branch code; a branch without one is not geocoded."""

    settings: TravelSettings
    estimate: Estimate
    roads: RoadServer | None = None
    geocoders: Mapping[str, Geocoder] = field(default_factory=dict)
    #: Seconds that only go forward; for how long asking took.
    clock: Callable[[], float] = time.monotonic


def shipped() -> Atlas:
    """The numbers of `config/travel.toml`, no road server, no street files."""
    return _atlas(ROOT / "config" / "travel.toml", None, {})


def atlas_from(settings: Settings) -> Atlas:
    """The atlas that the settings ask for; SettingsError names the file or number that is wrong."""
    try:
        geocoders = {} if settings.streets_path is None else geocoders_from(settings.streets_path)
    except GeocodingError as error:
        raise SettingsError(f"COORDINATOR_STREETS: {error}") from None
    return _atlas(settings.travel_path, settings.osrm_url, geocoders)


def _atlas(path: Path, osrm_url: str | None, geocoders: Mapping[str, Geocoder]) -> Atlas:
    try:
        with path.open("rb") as file:
            numbers = settings_from(tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError, TravelSettingsError) as error:
        raise SettingsError(f"COORDINATOR_TRAVEL: {path.name}: {error}") from None
    roads = None if osrm_url is None else Osrm(osrm_url, numbers.roads)
    return Atlas(numbers, Estimate(numbers), roads, geocoders)


#: What holds where nobody brought an atlas of their own.
SHIPPED = shipped()


def atlas_of(work: Work) -> Atlas:
    """The atlas that the work carries; the shipped one if it carries none."""
    found: Atlas | None = work.atlas
    return SHIPPED if found is None else found
