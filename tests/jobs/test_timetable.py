"""The timetable: one slot a day at the right wall clock, through both clock changes, in many zones."""

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.jobs.timetable import ClockEntry, slots_due
from coordinator.wiring import CLOCK

GRACE = timedelta(hours=20)
ZONES = (
    "America/Los_Angeles", "America/Denver", "America/Phoenix", "America/New_York", "America/Anchorage",
    "Pacific/Honolulu", "America/Puerto_Rico",
)  # fmt: skip
#: Clocks here change at other hours: at midnight, by half an hour, in other weeks.
ELSEWHERE = ("America/Havana", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo", "Europe/London")
DAILY = [entry for entry in CLOCK if entry.at is not None]
LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def test_nothing_is_timed_where_a_clock_change_skips_or_repeats_time() -> None:
    for entry in CLOCK:
        assert entry.at is None or not time(1) <= entry.at < time(3), entry.name
    for unsafe in (time(1), time(1, 59), time(2, 30), time(2, 59)):
        with pytest.raises(ValueError, match="clock changes"):
            ClockEntry(name="unsafe", job="test", at=unsafe, grace=GRACE)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"at": time(4), "every": 15},
        {"every": 7},
        {"every": 0},
        {"every": 15, "weekday": 6},
        {"at": time(4), "weekday": 7},
        {"at": time(4), "month_day": 29},
        {"at": time(4), "month_day": 0},
        {"at": time(4), "month_day": 1, "weekday": 6},
        {"every": 15, "month_day": 1},
        {"at": time(4, tzinfo=UTC)},
        {"at": time(4), "grace": timedelta()},
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="clock entry wrong"):
        ClockEntry(**({"name": "wrong", "job": "test", "grace": GRACE} | wrong))


@pytest.mark.parametrize("zone_name", ZONES)
@pytest.mark.parametrize("sunday", [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)])
def test_weeks_of_clock_changes_have_one_slot_a_day_at_the_right_wall_clock(zone_name: str, sunday: datetime) -> None:
    zone = ZoneInfo(zone_name)
    since = datetime(sunday.year, sunday.month, sunday.day, tzinfo=zone) - timedelta(days=3, seconds=1)
    until = since + timedelta(days=7)
    for entry in DAILY:
        local = [slot.astimezone(zone) for slot in slots_due(entry, zone, since, until)]
        assert {moment.time() for moment in local} <= {entry.at}
        if entry.month_day is not None:
            assert [moment.day for moment in local] == [entry.month_day] * len(local)
        elif entry.weekday is None:
            assert [moment.date() for moment in local] == [
                (since + timedelta(seconds=1)).date() + timedelta(days=n) for n in range(7)
            ]
        else:
            assert [moment.date() for moment in local] == [sunday.date()]


def test_the_same_wall_clock_is_another_instant_after_the_change() -> None:
    entry = ClockEntry(name="nightly", job="test", at=time(0, 10), grace=GRACE)
    spring = slots_due(entry, LOS_ANGELES, datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC))
    assert spring == [datetime(2026, 3, 8, 8, 10, tzinfo=UTC), datetime(2026, 3, 9, 7, 10, tzinfo=UTC)]
    autumn = slots_due(entry, LOS_ANGELES, datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert autumn == [datetime(2026, 11, 1, 7, 10, tzinfo=UTC), datetime(2026, 11, 2, 8, 10, tzinfo=UTC)]


def test_where_clocks_skip_midnight_the_slot_is_as_much_later() -> None:
    entry = ClockEntry(name="nightly", job="test", at=time(0, 10), grace=GRACE)
    havana = ZoneInfo("America/Havana")  # 2026-03-08 begins at 01:00
    slots = slots_due(entry, havana, datetime(2026, 3, 8, 0, tzinfo=UTC), datetime(2026, 3, 9, 0, tzinfo=UTC))
    assert [slot.astimezone(havana).isoformat() for slot in slots] == ["2026-03-08T01:10:00-04:00"]


def test_the_edges_are_after_since_and_up_to_until() -> None:
    entry = ClockEntry(name="nightly", job="test", at=time(0, 10), grace=GRACE)
    slot = datetime(2026, 6, 1, 7, 10, tzinfo=UTC)
    moment = timedelta(microseconds=1)
    assert slots_due(entry, LOS_ANGELES, slot - moment, slot) == [slot]
    assert slots_due(entry, LOS_ANGELES, slot, slot + timedelta(hours=23)) == []
    assert slots_due(entry, LOS_ANGELES, slot - timedelta(hours=1), slot - moment) == []


def test_intervals_go_through_a_clock_change_evenly() -> None:
    entry = ClockEntry(name="watch", job="test", every=15, grace=GRACE)
    since = datetime(2026, 11, 1, 7, 7, 3, tzinfo=UTC)
    slots = slots_due(entry, LOS_ANGELES, since, since + timedelta(hours=4))
    assert len(slots) == 16
    assert slots[0] == datetime(2026, 11, 1, 7, 15, tzinfo=UTC)
    assert {later - earlier for earlier, later in itertools.pairwise(slots)} == {timedelta(minutes=15)}


@given(
    zone=st.sampled_from(ZONES + ELSEWHERE).map(ZoneInfo),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),  # noqa: DTZ001
    cuts=st.lists(st.integers(1, 60 * 24 * 20), min_size=2, max_size=8),
    entry=st.sampled_from(CLOCK),
)
def test_however_time_is_cut_no_slot_is_lost_or_doubled(
    zone: ZoneInfo, start: datetime, cuts: list[int], entry: ClockEntry
) -> None:
    edges = [start]
    for minutes in cuts:
        edges.append(edges[-1] + timedelta(minutes=minutes))
    pieces = [slot for since, until in itertools.pairwise(edges)
              for slot in slots_due(entry, zone, since, until)]  # fmt: skip
    whole = slots_due(entry, zone, edges[0], edges[-1])
    assert pieces == whole == sorted(set(whole))
    if entry.at is not None:
        days = [slot.astimezone(zone).date() for slot in whole]
        assert len(days) == len(set(days))
        steps = {(later - earlier).days for earlier, later in itertools.pairwise(days)}
        assert steps <= ({28, 29, 30, 31} if entry.month_day else {7} if entry.weekday is not None else {1})
