"""The rows that remember road times: read between many points at once, written by the tile, forgotten when old."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coordinator.travel.model import TravelLeg, TravelPoint
from coordinator.travel.roads import Table
from coordinator.travel.times import Point

#: A point as it is kept: hundred-thousandths of a degree.
Key = tuple[int, int]

_CHUNK = 500


def key_of(point: Point) -> Key:
    """The point to five decimals, about a metre."""
    return round(point[0] * 100_000), round(point[1] * 100_000)


def point_of(key: Key) -> Point:
    """The point that a key stands for."""
    return key[0] / 100_000, key[1] / 100_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the rows know between some points: row and column in the order of the keys asked for."""

    #: Free-flow seconds; NaN where nothing is known, or no way is.
    seconds: NDArray[np.float64]
    #: Where a row stands, even one that says there is no way.
    known: NDArray[np.bool_]
    #: When the oldest of them was asked for.
    oldest: datetime | None


def read(session: Session, source: str, keys: Sequence[Key], since: datetime) -> Remembered:
    """What `source` said between these points at `since` or later. Keys must be distinct."""
    size = len(keys)
    seconds, known = np.full((size, size), np.nan), np.zeros((size, size), dtype=bool)
    numbers = _numbers(session, keys)
    if not numbers:
        return Remembered(seconds, known, None)
    places = {numbers[key]: place for place, key in enumerate(keys) if key in numbers}
    oldest: list[datetime] = []
    for chunk in _chunks(sorted(places)):
        held = (
            TravelLeg.source == source,
            TravelLeg.from_id.in_(chunk),
            TravelLeg.to_id.in_(sorted(places)),
            TravelLeg.measured_at >= since,
        )
        rows = session.execute(sa.select(TravelLeg.from_id, TravelLeg.to_id, TravelLeg.seconds).where(*held)).all()
        for from_id, to_id, free in rows:
            row, column = places[from_id], places[to_id]
            known[row, column] = True
            if free is not None:
                seconds[row, column] = free
        first = session.execute(sa.select(sa.func.min(TravelLeg.measured_at)).where(*held)).scalar()
        if first is not None:
            oldest.append(first)
    return Remembered(seconds, known, min(oldest, default=None))


def remember(
    session: Session, source: str, sources: Sequence[Key], targets: Sequence[Key], table: Table, now: datetime
) -> int:
    """The answer is in the rows, in place of older ones; how many legs. A point has no leg to itself."""
    numbers = _numbers(session, sources) | _numbers(session, targets)
    new = [key for key in dict.fromkeys((*sources, *targets)) if key not in numbers]
    if new:
        insert = _insert(session)(TravelPoint).on_conflict_do_nothing(index_elements=["lat_e5", "lon_e5"])
        # In one order for everybody, so that two who add the same points wait for each other and do not deadlock.
        session.execute(insert, [{"lat_e5": lat, "lon_e5": lon} for lat, lon in sorted(new)])
        numbers |= _numbers(session, new)
    rows = [
        {
            "source": source,
            "from_id": numbers[here],
            "to_id": numbers[there],
            "seconds": _plain(table.seconds[row, column]),
            "metres": _plain(table.metres[row, column]),
            "measured_at": now,
        }
        for row, here in enumerate(sources)
        for column, there in enumerate(targets)
        if here != there
    ]
    if rows:
        made = _insert(session)(TravelLeg)
        latest = {name: made.excluded[name] for name in ("seconds", "metres", "measured_at")}
        rows.sort(key=lambda row: (row["from_id"], row["to_id"]))
        session.execute(made.on_conflict_do_update(index_elements=["source", "from_id", "to_id"], set_=latest), rows)
    return len(rows)


def forget(session: Session, before: datetime) -> int:
    """Legs asked for before that are gone, and points that no leg touches any more; how many legs."""
    gone = session.execute(sa.delete(TravelLeg).where(TravelLeg.measured_at < before))
    used = sa.select(TravelLeg.from_id).where(TravelLeg.from_id == TravelPoint.id)
    aimed = sa.select(TravelLeg.to_id).where(TravelLeg.to_id == TravelPoint.id)
    session.execute(sa.delete(TravelPoint).where(~used.exists(), ~aimed.exists()))
    return int(getattr(gone, "rowcount", 0))


def _numbers(session: Session, keys: Sequence[Key]) -> dict[Key, int]:
    """The rows' numbers of those points that have one."""
    wanted = set(keys)
    found: dict[Key, int] = {}
    for chunk in _chunks(sorted({lat for lat, _ in wanted})):
        rows = session.execute(
            sa.select(TravelPoint.id, TravelPoint.lat_e5, TravelPoint.lon_e5).where(TravelPoint.lat_e5.in_(chunk))
        )
        found |= {(lat, lon): number for number, lat, lon in rows if (lat, lon) in wanted}
    return found


def _chunks(items: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _insert(session: Session) -> Any:
    """The engine's own INSERT, which knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
