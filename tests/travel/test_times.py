"""The estimate always answers, never flatters a distinct place with no time, and refuses a point that is nowhere."""

import math

import numpy as np
import pytest

from coordinator.travel.times import Estimate, TravelSettings

CITY_HALL = (37.7793, -122.4193)
OCEAN_BEACH = (37.7594, -122.5107)


def test_across_san_francisco_takes_about_what_the_road_takes() -> None:
    # 8.33 km straight, 10.8 km by road, 15.9 min free flow, 18.7 min in traffic.
    assert Estimate().metres(*CITY_HALL, *OCEAN_BEACH) == pytest.approx(10_830, abs=60)
    assert Estimate().minutes(*CITY_HALL, *OCEAN_BEACH) == 19


def test_the_same_place_takes_no_time_and_the_house_next_door_takes_a_minute() -> None:
    lat, lon = CITY_HALL
    assert Estimate().minutes(lat, lon, lat, lon) == 0
    assert Estimate().minutes(lat, lon, lat + 0.0001, lon) == 1


def test_parking_is_added_between_places_and_only_there() -> None:
    slow, plain = Estimate(TravelSettings(parking_minutes=2)), Estimate()
    assert slow.minutes(*CITY_HALL, *OCEAN_BEACH) == plain.minutes(*CITY_HALL, *OCEAN_BEACH) + 2
    assert slow.minutes(*CITY_HALL, *CITY_HALL) == 0


def test_the_matrix_says_the_same_as_the_single_question() -> None:
    points = [CITY_HALL, OCEAN_BEACH, (37.71, -122.39), CITY_HALL]
    estimate = Estimate()
    matrix = estimate.matrix(points)
    assert matrix.dtype == np.int32
    assert (np.diag(matrix) == 0).all()
    assert matrix[0, 3] == 0
    for i, here in enumerate(points):
        for j, there in enumerate(points):
            assert math.ceil(matrix[i, j] / 60) == estimate.minutes(*here, *there)
            assert matrix[i, j] == estimate.seconds(*here, *there)


def test_no_points_make_an_empty_matrix() -> None:
    assert Estimate().matrix([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("lat", "lon", "named"),
    [
        (math.nan, 0.0, "latitude nan"),
        (37.0, math.inf, "longitude inf"),
        (90.5, 0.0, "latitude 90.5"),
        (0.0, -181.0, "longitude -181.0"),
        (None, 0.0, "latitude None"),
    ],
)
def test_a_point_that_is_nowhere_is_refused_by_name(lat: float, lon: float, named: str) -> None:
    with pytest.raises(ValueError, match=f"point 1: {named}"):
        Estimate().matrix([CITY_HALL, (lat, lon)])
