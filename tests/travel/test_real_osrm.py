"""Against a real OSRM on a real map, where both can be had.

The map is the file that COORDINATOR_TEST_PBF names, or `../shared/data/geo/sf_city.osm.pbf`; the binaries come out of a
wheel that pip fetches once into `var/osrm`.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks import osrm as local
from coordinator.core.db import Database
from coordinator.core.settings import ROOT
from coordinator.travel import ways
from coordinator.travel.atlas import SHIPPED
from coordinator.travel.roads import Osrm
from coordinator.travel.ways import Source
from tests.travel.test_ways import reading

NOW = datetime(2026, 11, 9, 16, tzinfo=UTC)
CITY_HALL, OCEAN_BEACH, OAKLAND = (37.7793, -122.4193), (37.7594, -122.5107), (37.8044, -122.2712)


@pytest.fixture(scope="module")
def pbf() -> Path:
    named = os.environ.get("COORDINATOR_TEST_PBF")
    found = Path(named) if named else ROOT.parent / "shared" / "data" / "geo" / "sf_city.osm.pbf"
    if not found.is_file():
        pytest.skip(f"no map: {found} (COORDINATOR_TEST_PBF names another)")
    return found


@contextmanager
def serving(base: Path) -> Iterator[str]:
    """The address of a server of that map, on a free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        local.command(base, port), env=local.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ends = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > ends or process.poll() is not None:
                    pytest.skip("osrm-routed does not start here")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(pbf: Path) -> Iterator[str]:
    try:
        local.binaries(seconds=30)
        base = local.prepare(pbf)
    except local.OsrmError as error:
        pytest.skip(str(error))
    with serving(base) as address:
        yield address


def places(count: int) -> list[tuple[float, float]]:
    generator = np.random.default_rng(3)
    return [(37.72 + float(a) * 0.07, -122.50 + float(b) * 0.09) for a, b in generator.random((count, 2))]


def test_two_who_prepare_the_same_map_at_once_end_with_one_sound_map(server: str, pbf: Path, tmp_path: Path) -> None:
    """Sound is: it answers what the map prepared before answers. Its files differ each time, since OSRM partitions with
    as many threads as there are."""
    home = local.binaries()
    (tmp_path / home.parent.name).symlink_to(home.parent)
    with ThreadPoolExecutor(2) as two:
        first, second = two.map(lambda _: local.prepare(pbf, tmp_path), range(2))
    assert first == second
    assert [made.name for made in tmp_path.iterdir() if made.is_dir() and not made.is_symlink()] == [first.parent.name]
    with serving(first) as address:
        found = Osrm(address).table(places(40), places(40))
    known = Osrm(server).table(places(40), places(40))
    assert np.isfinite(known.seconds).mean() > 0.9
    np.testing.assert_allclose(found.seconds, known.seconds, atol=1)
    np.testing.assert_allclose(found.metres, known.metres, rtol=0.02)


def test_a_way_across_the_city_takes_what_a_driver_would_say(server: str) -> None:
    table = Osrm(server).table([CITY_HALL], [OCEAN_BEACH])
    assert 10 * 60 < table.seconds[0, 0] < 20 * 60
    assert 8_500 < table.metres[0, 0] < 11_000


def test_a_place_beyond_the_bay_is_off_this_map(server: str) -> None:
    assert np.isnan(Osrm(server).table([CITY_HALL], [OAKLAND]).seconds).all()


def test_a_day_s_places_are_learned_in_tiles_and_the_estimate_is_near_them(server: str, database: Database) -> None:
    atlas = replace(SHIPPED, roads=Osrm(server, replace(SHIPPED.settings.roads, tile=40)))
    points = places(90)
    learned = ways.learn(database, atlas, [*points, OAKLAND], NOW)
    assert (learned.missing, learned.legs, learned.without_road, learned.note) == (91 * 90, 91 * 90, 180, None)
    with reading(database, atlas) as work:
        found = ways.matrix(work, [*points, OAKLAND])
    assert set(found.sources[:90, 90].tolist()) == {int(Source.NO_ROAD)}
    assert found.said(learned)["by_road"] == 90 * 89
    guessed = SHIPPED.estimate.matrix(points)
    apart = ~np.eye(90, dtype=bool)
    off = np.abs(guessed - found.seconds[:90, :90])[apart] / found.seconds[:90, :90][apart]
    assert np.median(off) < 0.12
