"""When the sun sets: against the published times of San Francisco, and where it does not."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from coordinator.domain.daylight import sunset

SAN_FRANCISCO = (37.7749, -122.4194)
CALIFORNIA = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        # Published for San Francisco: the days on both sides of both clock changes, and the solstices.
        ("2026-03-07", "18:09"), ("2026-03-08", "19:10"), ("2026-10-31", "18:11"), ("2026-11-01", "17:10"),
        ("2026-06-21", "20:35"), ("2026-12-21", "16:54"), ("2028-02-29", "18:02"),
    ],
)  # fmt: skip
def test_the_clock_shows_the_published_time_within_two_minutes(day: str, clock: str) -> None:
    at = sunset(*SAN_FRANCISCO, date.fromisoformat(day), CALIFORNIA)
    assert at is not None
    assert at.utcoffset() == UTC.utcoffset(None)
    published = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=CALIFORNIA)
    assert abs((at - published).total_seconds()) <= 120
    assert (at.second, at.microsecond) == (0, 0)


def test_where_the_sun_does_not_set_or_rise_there_is_no_sunset() -> None:
    alaska = ZoneInfo("America/Anchorage")
    assert sunset(71.29, -156.79, date(2026, 6, 21), alaska) is None
    assert sunset(71.29, -156.79, date(2026, 12, 21), alaska) is None
    assert sunset(71.29, -156.79, date(2026, 9, 21), alaska) is not None
