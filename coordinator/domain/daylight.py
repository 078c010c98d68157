"""When the sun sets over a place. Pure: asked with a day and a point, never of the computer's clock."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import sunset as sunset_at


@lru_cache(maxsize=4096)
def sunset(lat: float, lon: float, day: date, zone: ZoneInfo) -> datetime | None:
    """The instant at which the sun sets over the point (degrees) on that day of the zone; UTC, cut to the minute.

    None where it does not set, or does not rise, on that day. Source: the equations of the NOAA solar calculator.
    """
    try:
        at = sunset_at(Observer(lat, lon), day, tzinfo=zone)
    except ValueError:
        return None
    return at.astimezone(_UTC).replace(second=0, microsecond=0)


_UTC = ZoneInfo("UTC")
