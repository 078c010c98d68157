"""Times between places: rows first, then the estimate, each pair saying which; asking happens outside of both."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from coordinator.access.service import system_actor
from coordinator.core.db import Database
from coordinator.core.work import Work
from coordinator.travel import ways
from coordinator.travel.atlas import Atlas
from coordinator.travel.model import TravelLeg, TravelPoint
from coordinator.travel.roads import Osrm
from coordinator.travel.settings import RoadSettings, TravelSettings
from coordinator.travel.times import Estimate
from coordinator.travel.ways import Source
from tests.travel.fake_osrm import FakeOsrm

NOW = datetime(2026, 11, 9, 16, tzinfo=UTC)
A, B, C = (37.78, -122.42), (37.75, -122.43), (37.76, -122.40)
ROADS = RoadSettings(timeout_seconds=2, attempts=1, failures=2, tile=2)


def atlas_for(osrm: FakeOsrm | None, roads: RoadSettings = ROADS) -> Atlas:
    settings = TravelSettings(roads=roads)
    server = None if osrm is None else Osrm(osrm.url, roads, sleep=lambda _: None)
    return Atlas(settings, Estimate(settings), server)


@contextmanager
def reading(database: Database, atlas: Atlas, now: datetime = NOW) -> Iterator[Work]:
    with database.transaction(write=False) as session:
        yield Work(session=session, actor=system_actor("test"), now=now, policy=None, atlas=atlas)


def test_without_a_server_every_way_is_estimated_and_said_to_be(database: Database) -> None:
    with reading(database, atlas_for(None)) as work:
        found = ways.matrix(work, [A, B, A])
    assert found.sources.tolist() == [[0, 3, 0], [3, 0, 3], [0, 3, 0]]
    assert found.seconds.tolist() == Estimate().matrix([A, B, A]).tolist()
    assert found.said() == {
        "ways": 4, "by_road": 0, "remembered": 0, "estimated": 4, "no_road": 0, "oldest": None, "traffic": 1.18,
        "note": None,
    }  # fmt: skip


def test_what_was_asked_once_is_remembered_and_slowed_by_traffic(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm)
    learned = ways.learn(database, atlas, [A, B, C], NOW)
    assert (learned.missing, learned.legs, learned.note) == (6, 6, None)
    asked = len(osrm.questions)
    with reading(database, atlas) as work:
        found = ways.matrix(work, [A, B, C])
    assert len(osrm.questions) == asked
    # A to B: 30 + 10 thousandths of a degree are 40 s of free flow, times 1.18 is 47.2, rounded up 48.
    assert found.seconds[0, 1] == 48
    assert (found.sources[~np.eye(3, dtype=bool)] == Source.ROAD).all()
    assert found.said(learned)["by_road"] == 6
    assert found.said()["remembered"] == 6
    assert found.oldest == NOW
    assert ways.learn(database, atlas, [C, B], NOW).missing == 0
    assert len(osrm.questions) == asked


def test_the_hour_of_the_day_slows_the_same_road(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm)
    hours = tuple(2.0 if hour == 17 else 1.0 for hour in range(24))
    settings = replace(atlas.settings, traffic=replace(atlas.settings.traffic, weekday=hours))
    atlas = replace(atlas, settings=settings, estimate=Estimate(settings))
    ways.learn(database, atlas, [A, B], NOW)
    with reading(database, atlas) as work:
        at = {
            hour: ways.matrix(work, [A, B], local=datetime(2026, 11, 9, hour)).seconds[0, 1]  # noqa: DTZ001
            for hour in (3, 17)
        }
        weekend = ways.matrix(work, [A, B], local=datetime(2026, 11, 8, 17)).seconds[0, 1]  # noqa: DTZ001
    # 10 working hours, one of them twice as slow: 1.1 in the plan.
    assert (at, weekend) == ({3: 40, 17: 80}, 48)
    assert settings.traffic.daytime == pytest.approx(1.1)


def test_a_pair_without_a_road_is_estimated_alone_counted_and_not_asked_again(
    database: Database, osrm: FakeOsrm
) -> None:
    osrm.unreachable.add((A, C))
    atlas = atlas_for(osrm)
    learned = ways.learn(database, atlas, [A, B, C], NOW)
    asked = len(osrm.questions)
    with reading(database, atlas) as work:
        found = ways.matrix(work, [A, B, C])
    assert found.sources[0].tolist() == [Source.NONE, Source.ROAD, Source.NO_ROAD]
    assert found.seconds[0, 2] == Estimate().seconds(*A, *C)
    said = found.said(learned)
    assert (said["by_road"], said["estimated"], said["no_road"]) == (5, 1, 1)
    ways.learn(database, atlas, [A, B, C], NOW)
    assert len(osrm.questions) == asked


def test_old_answers_are_asked_for_again_and_forgotten(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm)
    ways.learn(database, atlas, [A, B], NOW)
    later = NOW + timedelta(days=91)
    with reading(database, atlas, later) as work:
        assert ways.matrix(work, [A, B]).sources[0, 1] == Source.ESTIMATE
    # B is nobody's any more: its legs and its point go when they are old.
    assert ways.learn(database, atlas, [A, C], later).legs == 2
    with database.transaction(write=False) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TravelLeg)) == 2
        points = session.execute(sa.select(TravelPoint.lat_e5, TravelPoint.lon_e5)).all()
    assert {tuple(point) for point in points} == {(3778000, -12242000), (3776000, -12240000)}


def test_a_new_place_asks_for_its_own_ways_only(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm, replace(ROADS, tile=100))
    many = [(37.70 + number / 1000, -122.40) for number in range(20)]
    ways.learn(database, atlas, many, NOW)
    osrm.questions.clear()
    learned = ways.learn(database, atlas, [*many, A], NOW)
    assert (learned.missing, learned.legs) == (40, 40)
    assert [question.count(";") for question in osrm.questions] == [20 + 19, 20 + 19]


def test_a_server_that_is_gone_leaves_the_estimate_and_the_reason(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm)
    osrm.script = [None, (500, {}), (500, {})]
    points = [A, B, C, (37.77, -122.41)]
    learned = ways.learn(database, atlas, points, NOW)
    assert (learned.missing, learned.legs) == (12, 2)
    assert learned.note == ("The road server left 10 of 12 ways open: it answers with status 500. They are estimated.")
    with reading(database, atlas) as work:
        said = ways.matrix(work, points).said(learned)
    assert (said["by_road"], said["estimated"], said["note"]) == (2, 10, learned.note)


def test_too_many_places_are_not_asked_for_and_it_is_said(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm, replace(ROADS, most_points=50))
    points = [(37.70 + number / 100_000, -122.40) for number in range(60)]
    learned = ways.learn(database, atlas, points, NOW)
    assert learned.note == "60 places are more than the 50 that roads are asked for."
    assert osrm.questions == []
    with reading(database, atlas) as work:
        assert ways.matrix(work, points).said()["estimated"] == 60 * 59


def test_two_homes_under_one_roof_share_their_ways(database: Database, osrm: FakeOsrm) -> None:
    """Less than a metre apart they are one point in the rows; between them the estimate says a second."""
    atlas = atlas_for(osrm)
    upstairs = (A[0] + 0.000002, A[1])
    ways.learn(database, atlas, [A, upstairs, B], NOW)
    with reading(database, atlas) as work:
        found = ways.matrix(work, [A, upstairs, B])
    assert found.seconds[0, 2] == found.seconds[1, 2] == 48
    assert (found.seconds[0, 1], found.sources[0, 1]) == (1, Source.ESTIMATE)


def test_a_newer_answer_takes_the_place_of_the_older(database: Database, osrm: FakeOsrm) -> None:
    fast = atlas_for(osrm, replace(ROADS, max_age_days=1))
    ways.learn(database, fast, [A, B], NOW)
    osrm.unreachable |= {(A, B)}
    ways.learn(database, fast, [A, B], NOW + timedelta(days=2))
    with reading(database, fast, NOW + timedelta(days=2)) as work:
        assert ways.matrix(work, [A, B]).sources[0].tolist() == [Source.NONE, Source.NO_ROAD]


def test_no_transaction_is_open_while_the_server_is_asked(database: Database, osrm: FakeOsrm) -> None:
    """While it answers, somebody else writes: on SQLite that would wait if `learn` held the writer's place."""
    wrote = []

    def write_meanwhile() -> None:
        with database.transaction() as session:
            session.execute(sa.text("UPDATE branch SET name = name"))
            wrote.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]

    osrm.script = [write_meanwhile]  # type: ignore[list-item]
    ways.learn(database, atlas_for(osrm), [A, B], NOW)
    assert wrote == [1]


def test_one_way_says_the_same_as_the_matrix(database: Database, osrm: FakeOsrm) -> None:
    atlas = atlas_for(osrm)
    ways.learn(database, atlas, [A, B], NOW)
    with reading(database, atlas) as work:
        assert ways.minutes(work, A, B) == 1
        assert ways.minutes(work, A, None) == 0
        assert ways.minutes(work, A, C) == Estimate().minutes(*A, *C)


def test_a_point_off_the_earth_changes_nothing(database: Database, osrm: FakeOsrm) -> None:
    with pytest.raises(ValueError, match="point 1: longitude 181"):
        ways.learn(database, atlas_for(osrm), [A, (0.0, 181.0)], NOW)
    with reading(database, atlas_for(osrm)) as work, pytest.raises(ValueError, match="point 0: latitude nan"):
        ways.matrix(work, [(math.nan, 0.0), A])
    assert osrm.questions == []
