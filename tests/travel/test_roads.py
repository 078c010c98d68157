"""The client of a road server: what it asks, what it believes, and when it gives up."""

import math
import socket

import numpy as np
import pytest

from coordinator.travel.roads import Osrm, RoadsDownError
from coordinator.travel.settings import RoadSettings
from tests.travel.fake_osrm import FakeOsrm

A, B, C = (37.78, -122.42), (37.75, -122.43), (37.76, -122.40)
QUICK = RoadSettings(timeout_seconds=0.3, attempts=2, failures=2, rest_seconds=60)


def client(fake: FakeOsrm, settings: RoadSettings = QUICK, **given: object) -> Osrm:
    return Osrm(fake.url, settings, sleep=lambda _: None, **given)  # type: ignore[arg-type]


def test_seconds_and_metres_come_in_rows_and_columns(osrm: FakeOsrm) -> None:
    table = client(osrm).table([A], [B, C])
    assert table.seconds.tolist() == [[40.0, 40.0]]
    assert table.metres.tolist() == [[400.0, 400.0]]


def test_nothing_but_coordinates_to_about_a_metre_leaves_the_house(osrm: FakeOsrm) -> None:
    client(osrm).table([(37.123456789, -122.987654321)], [B])
    asked = "/table/v1/driving/-122.98765,37.12346;-122.43000,37.75000"
    said = "?annotations=duration,distance&generate_hints=false&sources=0&destinations=1"
    assert osrm.questions == [asked + said]


def test_a_pair_without_a_way_is_nothing_and_the_others_are_kept(osrm: FakeOsrm) -> None:
    osrm.unreachable.add((A, C))
    table = client(osrm).table([A, B], [B, C])
    assert np.isnan(table.seconds).tolist() == [[False, True], [False, False]]
    assert np.isnan(table.metres[0, 1])


def test_a_place_off_the_map_is_not_moved_to_the_nearest_road_in_silence(osrm: FakeOsrm) -> None:
    """OSRM takes a place in another city to the edge of its map and gives a time from there."""
    osrm.moved[C] = 8000.0
    table = client(osrm).table([A, C], [B, C])
    assert np.isnan(table.seconds).tolist() == [[False, True], [True, True]]


def test_a_question_that_is_too_big_is_asked_in_halves(osrm: FakeOsrm) -> None:
    osrm.most_places = 5
    points = [(37.70 + number / 1000, -122.40) for number in range(7)]
    table = client(osrm).table(points, points)
    assert table.seconds[0].tolist() == pytest.approx([0, 1, 2, 3, 4, 5, 6], abs=0.01)
    assert (table.seconds == table.seconds.T).all()


def test_a_server_that_stumbles_once_is_asked_again(osrm: FakeOsrm) -> None:
    osrm.script = [(503, {"code": "Busy"})]
    assert client(osrm).table([A], [B]).seconds.tolist() == [[40.0]]
    assert len(osrm.questions) == 2


GOOD = {"code": "Ok", "durations": [[1.0]], "distances": [[1.0]], "sources": [{"distance": 1}], "destinations": [{"distance": 1}]}  # noqa: E501  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"<html>the proxy says hello</html>", "no JSON"),
        (200, b"[" * 100_000, "no JSON"),
        (200, b"\xff\xfe", "no JSON"),
        (200, ["Ok"], "refuses"),
        (200, {"code": 7}, "refuses"),
        (400, {"code": "InvalidQuery"}, "status 400, InvalidQuery"),
        (302, {"code": "Ok"}, "status 302"),
        (200, GOOD | {"durations": None}, "no durations of the size"),
        (200, GOOD | {"durations": [[1.0, 2.0]]}, "no durations of the size"),
        (200, GOOD | {"durations": [["soon"]]}, "not all numbers"),
        (200, GOOD | {"durations": [[True]]}, "not all numbers"),
        (200, GOOD | {"durations": [[-3.0]]}, "not all numbers of a way"),
        (200, GOOD | {"durations": [[math.inf]]}, "not all numbers of a way"),
        (200, GOOD | {"durations": [[1e9]]}, "longer than a day"),
        (200, GOOD | {"distances": [[]]}, "no distances"),
        (200, {**GOOD, "sources": []}, "to which roads"),
        (200, {**GOOD, "sources": [{"distance": "near"}]}, "how far"),
        (200, {**GOOD, "sources": [None]}, "how far"),
    ],
)
def test_an_answer_that_is_not_of_the_format_is_refused_and_says_why(
    osrm: FakeOsrm, status: int, body: object, why: str
) -> None:
    osrm.script = [(status, body)] * 2
    with pytest.raises(RoadsDownError, match=why):
        client(osrm).table([A], [B])


def test_a_server_that_knows_no_way_at_all_has_answered(osrm: FakeOsrm) -> None:
    osrm.script = [(400, {"code": "NoTable"})]
    assert np.isnan(client(osrm).table([A], [B, C]).seconds).all()


def test_a_slow_server_is_not_waited_for(osrm: FakeOsrm) -> None:
    osrm.delay = 0.6
    with pytest.raises(RoadsDownError, match="too slowly"):
        client(osrm).table([A], [B])


def test_a_server_that_failed_several_times_is_left_alone_for_a_while(osrm: FakeOsrm) -> None:
    now = [0.0]
    asking = client(osrm, clock=lambda: now[0])
    osrm.script = [(500, {})] * 4
    for _ in range(2):
        with pytest.raises(RoadsDownError, match="status 500"):
            asking.table([A], [B])
    asked = len(osrm.questions)
    with pytest.raises(RoadsDownError, match="left alone"):
        asking.table([A], [B])
    assert len(osrm.questions) == asked == 4
    now[0] = 61.0
    assert asking.table([A], [B]).seconds.tolist() == [[40.0]]


def test_nobody_at_that_address_is_said_without_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RoadsDownError, match=r"cannot be reached \(ConnectionRefusedError\)") as caught:
            Osrm(url, QUICK, sleep=lambda _: None).table([A], [B])
    assert "37.7" not in str(caught.value)


def test_a_point_off_the_earth_is_refused_before_anything_is_asked(osrm: FakeOsrm) -> None:
    with pytest.raises(ValueError, match="point 0: latitude nan"):
        client(osrm).table([(math.nan, 0.0)], [B])
    assert osrm.questions == []
