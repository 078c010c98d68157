"""The time between places: remembered road times first, the estimate where there are none, and always which of both.

Reading (`matrix`, `minutes`) never talks to a server: it may be done in any request and any transaction. Asking
(`learn`) talks to the road server with no transaction open, and remembers each answer in a short one of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordinator.core.db import Database
from coordinator.core.work import Work
from coordinator.travel import legs
from coordinator.travel.atlas import Atlas, atlas_of
from coordinator.travel.legs import Key, key_of, point_of
from coordinator.travel.roads import RoadsDownError
from coordinator.travel.times import Point, apart, check_points


class Source(IntEnum):
    """Where the time of a way comes from."""

    #: The same place: there is no way.
    NONE = 0
    #: Asked of the road server and remembered.
    ROAD = 1
    #: The road server was asked and knows no way (a cut edge of its map): estimated.
    NO_ROAD = 2
    #: Estimated: there is no server, or it was not asked, or did not answer.
    ESTIMATE = 3


@dataclass(frozen=True, slots=True)
class Ways:
    """Seconds to plan with between all points, traffic included, and per pair where each number comes from."""

    seconds: NDArray[np.int32]
    sources: NDArray[np.int8]
    #: When the oldest road time was asked for.
    oldest: datetime | None
    #: The factor on free flow.
    traffic: float

    def said(self, learned: "Learned | None" = None) -> dict[str, Any]:
        """How many ways by road, remembered and estimated, as plain values; `learned` is what was asked just before."""
        count = {source: int((self.sources == source).sum()) for source in Source}
        by_road = count[Source.ROAD]
        fresh = min(learned.legs - learned.without_road, by_road) if learned is not None else 0
        return {
            "ways": by_road + count[Source.NO_ROAD] + count[Source.ESTIMATE],
            "by_road": fresh,
            "remembered": by_road - fresh,
            "estimated": count[Source.NO_ROAD] + count[Source.ESTIMATE],
            "no_road": count[Source.NO_ROAD],
            "oldest": None if self.oldest is None else self.oldest.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "traffic": round(self.traffic, 3),
            "note": learned.note if learned is not None else None,
        }


def matrix(work: Work, points: Sequence[Point], *, local: datetime | None = None) -> Ways:
    """The time between all points, in daytime traffic, or in that of the hour of `local` (the branch's clock).

    ValueError names a point that is no place on earth.
    """
    atlas = atlas_of(work)
    settings = atlas.settings
    factor = settings.traffic.daytime if local is None else settings.traffic.at(local)
    free = atlas.estimate.free_flow(points)
    sources = np.where(apart(points), Source.ESTIMATE, Source.NONE).astype(np.int8)
    oldest = None
    if atlas.roads is not None and len(points) > 1:
        keys = [key_of(point) for point in points]
        distinct = list(dict.fromkeys(keys))
        if len(distinct) <= settings.roads.most_points:
            kept = legs.read(work.session, atlas.roads.name, distinct, _since(atlas, work.now))
            place = {key: number for number, key in enumerate(distinct)}
            index = np.array([place[key] for key in keys])
            seconds, known = kept.seconds[np.ix_(index, index)], kept.known[np.ix_(index, index)]
            differs = sources == Source.ESTIMATE
            by_road = differs & ~np.isnan(seconds)
            free = np.where(by_road, seconds, free)
            sources[by_road] = Source.ROAD
            sources[differs & known & np.isnan(seconds)] = Source.NO_ROAD
            oldest = kept.oldest
    return Ways(atlas.estimate.in_traffic(free, points, traffic=factor), sources, oldest, factor)


def minutes(work: Work, here: Point | None, there: Point | None) -> int:
    """Minutes to plan for one way, rounded up, by the same numbers as `matrix`; 0 where a place is unknown."""
    if here is None or there is None:
        return 0
    if atlas_of(work).roads is None:
        return atlas_of(work).estimate.minutes(*here, *there)
    return -(-int(matrix(work, [here, there]).seconds[0, 1]) // 60)


# ------------------------------------------------------------------------------------ asking


@dataclass(frozen=True, slots=True)
class Learned:
    """What was asked of the road server."""

    #: Legs that were not in the rows, or too old.
    missing: int
    #: Legs that are in the rows now, and those of them without a road.
    legs: int
    without_road: int
    #: Why not everything that was missing is known now, for people; None if it is.
    note: str | None


def learn(
    database: Database,
    atlas: Atlas,
    points: Sequence[Point],
    now: datetime,
    *,
    about: Point | None = None,
    seconds: float | None = None,
    heartbeat: Callable[[], None] = lambda: None,
) -> Learned:
    """What the rows do not know between these points has been asked of the road server and is remembered.

    `about`: only the ways to and from that one of them are asked for. `seconds`: for so long at most, instead of what
    the settings allow.

    No transaction may be open around this: it waits for a network. ValueError names a point that is no place on earth.
    """
    check_points(points)
    if atlas.roads is None:
        return Learned(0, 0, 0, None)
    keys = list(dict.fromkeys(key_of(point) for point in points))
    rules = atlas.settings.roads
    if len(keys) > rules.most_points:
        wanted = len(keys) * (len(keys) - 1)
        return Learned(
            wanted, 0, 0, f"{len(keys)} places are more than the {rules.most_points} that roads are asked for."
        )
    with database.transaction(write=False) as session:
        known = legs.read(session, atlas.roads.name, keys, _since(atlas, now)).known
    missing = ~known
    np.fill_diagonal(missing, False)
    if about is not None:
        here = np.array([key == key_of(about) for key in keys])
        missing &= here[:, None] | here[None, :]
    wanted = int(missing.sum())
    if not wanted:
        return Learned(0, 0, 0, None)
    with database.transaction() as session:
        legs.forget(session, _since(atlas, now))
    asked = _Asked(database, atlas, keys, now, seconds)
    for rows, columns in _tiles(missing, rules.tile):
        heartbeat()
        if not asked.tile(rows, columns):
            break
    left = wanted - int((asked.learned & missing).sum())
    note = None
    if left:
        note = f"The road server left {left} of {wanted} ways open: {asked.problem}. They are estimated."
    return Learned(wanted, int((asked.learned & missing).sum()), asked.without_road, note)


class _Asked:
    """Asks tile by tile; each answer is remembered before the next question."""

    def __init__(self, database: Database, atlas: Atlas, keys: list[Key], now: datetime, seconds: float | None) -> None:
        self._database, self._atlas, self._keys, self._now = database, atlas, keys, now
        self._ends = atlas.clock() + (atlas.settings.roads.budget_seconds if seconds is None else seconds)
        self.learned = np.zeros((len(keys), len(keys)), dtype=bool)
        self.without_road = 0
        self.problem = ""
        self._failed = 0

    def tile(self, rows: list[int], columns: list[int]) -> bool:
        """Ask about one tile; False if there is no use in asking on."""
        assert self._atlas.roads is not None
        if self._atlas.clock() > self._ends:
            self.problem = "the time for asking was over"
            return False
        sources, targets = [self._keys[row] for row in rows], [self._keys[column] for column in columns]
        try:
            table = self._atlas.roads.table([point_of(key) for key in sources], [point_of(key) for key in targets])
        except RoadsDownError as error:
            self.problem = str(error)
            self._failed += 1
            return self._failed < self._atlas.settings.roads.failures
        with self._database.transaction() as session:
            legs.remember(session, self._atlas.roads.name, sources, targets, table, self._now)
        self.learned[np.ix_(rows, columns)] = True
        same = np.array(rows)[:, None] == np.array(columns)[None, :]
        self.without_road += int((np.isnan(table.seconds) & ~same).sum())
        return True


def _tiles(missing: NDArray[np.bool_], size: int) -> list[tuple[list[int], list[int]]]:
    """Rectangles that cover what is missing: a new place asks for its row and its column, not for everybody's."""
    count = missing.sum(axis=1)
    new = [int(row) for row in np.flatnonzero(count > len(missing) / 2)]
    rest = [int(row) for row in np.flatnonzero((count > 0) & (count <= len(missing) / 2))]
    found = []
    for group in (new, rest):
        for start in range(0, len(group), size):
            rows = group[start : start + size]
            columns = [int(column) for column in np.flatnonzero(missing[rows].any(axis=0))]
            found += [(rows, columns[first : first + size]) for first in range(0, len(columns), size)]
    return found


def _since(atlas: Atlas, now: datetime) -> datetime:
    return now - timedelta(days=atlas.settings.roads.max_age_days)
