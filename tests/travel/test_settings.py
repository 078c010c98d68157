"""The numbers of travel: read from the file with their sources, and refused by name."""

import copy
import math
import tomllib
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from coordinator.core.settings import ROOT
from coordinator.travel.settings import Area, Band, TravelSettings, TravelSettingsError, settings_from
from coordinator.travel.times import Estimate

SHIPPED: dict[str, Any] = tomllib.loads((ROOT / "config" / "travel.toml").read_text(encoding="utf-8"))
#: 0.0089932 degrees of latitude are 1 km.
KILOMETRE = 0.0089932


def test_the_shipped_numbers_are_sound() -> None:
    settings = settings_from(SHIPPED)
    assert len(settings.areas) == 23
    assert settings.traffic.weekday[12] == 1.18
    assert settings.traffic.daytime == pytest.approx(sum(settings.traffic.weekday[8:18]) / 10)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("estimate",), None, "estimate: the section is missing"),
        (("estimate", "source"), " ", "estimate.source"),
        (("estimate", "detour"), 0.9, "estimate.detour"),
        (("estimate", "detour"), True, "estimate.detour"),
        (("estimate", "colour"), 1, "estimate.colour: no such setting"),
        (("estimate", "bands"), [], "estimate.bands"),
        (("estimate", "bands"), [{"to_km": 1, "seconds_per_km": 100}], "the last without to_km"),
        (("estimate", "bands"), [{"seconds_per_km": math.nan}], r"estimate.bands\[0\].seconds_per_km"),
        (("areas", "list"), [{"name": "X", "lat": 91, "lon": 0, "extra_seconds_per_km": 0}], r"areas.list\[0\].lat"),
        (("areas", "list"), [{"name": "X", "lat": 0, "lon": 0, "extra_seconds_per_km": -99}], "would take no time"),
        (("traffic", "weekday"), [1.0] * 23, "24 numbers"),
        (("traffic", "weekend"), [0.5] * 24, r"traffic.weekend\[0\]"),
        (("traffic", "day_before"), 8, "traffic.day_before"),
        (("roads", "tile"), 0, "roads.tile"),
        (("roads", "most_points"), None, "roads.most_points"),
        (("weather",), {}, "weather: no such section"),
    ],
)
def test_a_number_that_cannot_be_meant_is_named(path: tuple[str, ...], value: Any, named: str) -> None:
    given = copy.deepcopy(SHIPPED)
    place = given
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(TravelSettingsError, match=named):
        settings_from(given)


def test_each_kilometre_costs_what_its_band_says() -> None:
    """2.5 km: 4 s to start, 1 km at 150, 1.5 km at 120, and no traffic."""
    estimate = Estimate(TravelSettings(start_seconds=4, bands=(Band(1, 150), Band(3, 120), Band(math.inf, 100))))
    free = estimate.free_flow([(37.70, -122.4), (37.70 + 2.5 * KILOMETRE, -122.4), (37.70 + 5 * KILOMETRE, -122.4)])
    assert free[0].tolist() == pytest.approx([0, 4 + 150 + 180, 4 + 150 + 240 + 200], abs=0.1)


def test_an_area_slows_the_half_of_the_way_that_is_its_own_and_reaches_only_so_far() -> None:
    slow = Area("slow", 37.70, -122.4, 40)
    estimate = Estimate(TravelSettings(bands=(Band(math.inf, 100),), areas=(slow,), reach_km=3))
    points = [(37.70, -122.4), (37.70 + KILOMETRE, -122.4), (37.70 + 4 * KILOMETRE, -122.4)]
    free = estimate.free_flow(points)
    assert free[0, 1] == pytest.approx(140, abs=0.1)  # both ends within
    assert free[0, 2] == pytest.approx(4 * 120, abs=0.2)  # one end within: half of 40 on each kilometre
    assert free[1, 2] == pytest.approx(3 * 120, abs=0.2)


def test_the_nearest_area_counts_and_both_directions_take_the_same() -> None:
    areas = (Area("fast", 37.70, -122.4, -20), Area("slow", 37.70 + 4 * KILOMETRE, -122.4, 20))
    estimate = Estimate(TravelSettings(bands=(Band(math.inf, 100),), areas=areas))
    generator = np.random.default_rng(1)
    points = [(37.70 + float(a) * 0.05, -122.42 + float(b) * 0.05) for a, b in generator.random((30, 2))]
    free = estimate.free_flow(points)
    assert np.allclose(free, free.T)
    assert (free[~np.eye(30, dtype=bool)] > 0).all()
    ends = estimate.free_flow([(37.70 + 3 * KILOMETRE, -122.4), (37.70 + 4 * KILOMETRE, -122.4)])
    assert ends[0, 1] == pytest.approx(120, abs=0.1)


def test_the_shipped_estimate_answers_for_any_two_places_on_earth() -> None:
    places = [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (37.77, -122.42), (37.7700001, -122.42), (37.7701, -122.42)]
    seconds = Estimate(settings_from(SHIPPED)).matrix(places)
    assert seconds[3, 4] == 0
    assert (seconds[~np.eye(6, dtype=bool)] > 0).sum() == 28
    assert seconds.max() < 86_400 * 40


@pytest.mark.parametrize(
    ("local", "factor"), [("2026-11-09T12:00", 1.18), ("2026-11-09T17:59", 1.35), ("2026-11-08T12:00", 1.18)]
)
def test_the_hour_has_its_own_factor(local: str, factor: float) -> None:
    assert settings_from(SHIPPED).traffic.at(datetime.fromisoformat(local)) == factor
