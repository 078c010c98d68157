"""Road times from the agency's own server: OSRM's table service, asked politely and never trusted blindly.

What leaves this house is coordinates, rounded to about a metre, and nothing else: no name, number or purpose. The
connection goes straight to the configured host, through no proxy and after no redirect. A server that fails several
times in a row is left alone for a while; the caller falls back on the estimate and says so.

The format is the one of https://project-osrm.org/docs/v5.24.0/api/#table-service.
"""

import http.client
import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from coordinator.travel.settings import RoadSettings
from coordinator.travel.times import Point, check_points

#: No honest answer about some hundred places is longer.
_MOST_BYTES = 64 * 1024 * 1024
#: A way that takes longer than a day is not one that a visit is planned for: such an answer is a fault.
_LONGEST_SECONDS = 86_400.0


class RoadsDownError(Exception):
    """The road server gave no usable answer; the message says why and holds no place."""


class _Transient(Exception):  # noqa: N818  (never leaves this module)
    """Trying again may go better."""


class _TooBig(Exception):  # noqa: N818  (never leaves this module)
    """The server wants smaller questions."""


@dataclass(frozen=True, slots=True)
class Table:
    """Free-flow seconds and metres from each source (row) to each target (column); NaN where no way is known."""

    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]


class RoadServer(Protocol):
    """Whoever knows the roads."""

    #: Names the answers in the rows that remember them.
    name: str

    def table(self, sources: Sequence[Point], targets: Sequence[Point]) -> Table:
        """The ways between these places. RoadsDownError if the server gives no usable answer."""


class Osrm:
    """A client of one OSRM server. Safe to share between threads."""

    name = "osrm"

    def __init__(
        self,
        url: str,
        settings: RoadSettings | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a road server's address begins with http:// or https:// and names a host")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self.settings = settings or RoadSettings()
        self._sleep, self._clock = sleep, clock
        self._lock = threading.Lock()
        self._failed = 0
        self._rests_until = -math.inf

    # -------------------------------------------------------------------------------- asking

    def table(self, sources: Sequence[Point], targets: Sequence[Point]) -> Table:
        """The ways between these places. RoadsDownError if the server gives no usable answer, or rests from failing."""
        check_points(sources)
        check_points(targets)
        if not sources or not targets:
            empty = np.zeros((len(sources), len(targets)))
            return Table(empty, empty.copy())
        with self._lock:
            if self._clock() < self._rests_until:
                raise RoadsDownError("it failed several times in a row and is left alone for a while")
        try:
            found = self._ask(sources, targets)
        except RoadsDownError:
            with self._lock:
                self._failed += 1
                if self._failed >= self.settings.failures:
                    self._failed = 0
                    self._rests_until = self._clock() + self.settings.rest_seconds
            raise
        with self._lock:
            self._failed = 0
        return found

    def _ask(self, sources: Sequence[Point], targets: Sequence[Point]) -> Table:
        """One question, in halves where the server finds it too big."""
        try:
            return self._patiently(sources, targets)
        except _TooBig:
            if len(sources) == 1 and len(targets) == 1:
                raise RoadsDownError("it finds two places too many") from None
        if len(sources) >= len(targets):
            half = len(sources) // 2
            parts = [self._ask(sources[:half], targets), self._ask(sources[half:], targets)]
            axis = 0
        else:
            half = len(targets) // 2
            parts = [self._ask(sources, targets[:half]), self._ask(sources, targets[half:])]
            axis = 1
        seconds, metres = [part.seconds for part in parts], [part.metres for part in parts]
        return Table(np.concatenate(seconds, axis), np.concatenate(metres, axis))

    def _patiently(self, sources: Sequence[Point], targets: Sequence[Point]) -> Table:
        """Try, and try again after 0.2 s, 0.8 s, 3.2 s ..."""
        for attempt in range(self.settings.attempts):
            if attempt:
                self._sleep(0.2 * 4 ** (attempt - 1))
            try:
                return self._read(self._get(_query(self._path, sources, targets)), len(sources), len(targets))
            except _Transient as error:
                problem = str(error)
        raise RoadsDownError(problem)

    def _get(self, path: str) -> tuple[int, bytes]:
        """Status and body. The deadline is for the whole answer, so that one that drips is not waited for."""
        kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self.settings.timeout_seconds)
        deadline = self._clock() + self.settings.timeout_seconds
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            chunks, size = [], 0
            while chunk := answer.read1(1 << 20):
                chunks.append(chunk)
                size += len(chunk)
                if size > _MOST_BYTES:
                    raise RoadsDownError("its answer is far too long")
                if self._clock() > deadline:
                    raise _Transient("it answers too slowly")
            return answer.status, b"".join(chunks)
        except TimeoutError:
            raise _Transient("it answers too slowly") from None
        except (OSError, http.client.HTTPException) as error:
            raise _Transient(f"it cannot be reached ({type(error).__name__})") from None
        finally:
            connection.close()

    # -------------------------------------------------------------------------------- reading

    def _read(self, answer: tuple[int, bytes], rows: int, columns: int) -> Table:
        status, body = answer
        if status >= 500 or status == 429:
            raise _Transient(f"it answers with status {status}")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            raise RoadsDownError(f"its answer with status {status} is no JSON") from None
        code = said.get("code") if isinstance(said, dict) else None
        if code == "TooBig":
            raise _TooBig
        if code in ("NoTable", "NoSegment"):
            # It knows none of these ways. That is an answer.
            return Table(np.full((rows, columns), np.nan), np.full((rows, columns), np.nan))
        if status != 200 or code != "Ok":
            word = code if isinstance(code, str) and code.isalnum() and len(code) <= 40 else "no code it documents"
            raise RoadsDownError(f"it refuses the question: status {status}, {word}")
        seconds = _grid(said.get("durations"), rows, columns, "durations")
        metres = _grid(said.get("distances"), rows, columns, "distances")
        off = np.zeros((rows, columns), dtype=bool)
        off |= self._off_map(said.get("sources"), rows)[:, None]
        off |= self._off_map(said.get("destinations"), columns)[None, :]
        unknown = off | ~np.isfinite(seconds)
        return Table(np.where(unknown, np.nan, seconds), np.where(unknown, np.nan, metres))

    def _off_map(self, waypoints: Any, count: int) -> NDArray[np.bool_]:
        """Which places lie far from every road of the map: the server moves them to the nearest, however far."""
        if not isinstance(waypoints, list) or len(waypoints) != count:
            raise RoadsDownError("its answer does not say to which roads it moved the places")
        moved = [waypoint.get("distance") if isinstance(waypoint, dict) else None for waypoint in waypoints]
        if not all(isinstance(metres, int | float) and not isinstance(metres, bool) for metres in moved):
            raise RoadsDownError("its answer does not say how far it moved the places")
        return np.asarray(moved, dtype=np.float64) > self.settings.snap_metres


def _query(path: str, sources: Sequence[Point], targets: Sequence[Point]) -> str:
    places = ";".join(f"{lon:.5f},{lat:.5f}" for lat, lon in (*sources, *targets))
    first = ";".join(map(str, range(len(sources))))
    second = ";".join(map(str, range(len(sources), len(sources) + len(targets))))
    return (
        f"{path}/table/v1/driving/{places}?annotations=duration,distance&generate_hints=false"
        f"&sources={first}&destinations={second}"
    )


def _grid(given: Any, rows: int, columns: int, what: str) -> NDArray[np.float64]:
    """Numbers in rows and columns, null as NaN; RoadsDownError for anything else."""
    shaped = (
        isinstance(given, list)
        and len(given) == rows
        and all(isinstance(row, list) and len(row) == columns for row in given)
    )
    if not shaped:
        raise RoadsDownError(f"its answer has no {what} of the size that was asked")
    plain = all(value is None or type(value) in (int, float) for row in given for value in row)
    if not plain:
        raise RoadsDownError(f"its {what} are not all numbers")
    grid = np.array([[math.nan if value is None else float(value) for value in row] for row in given], dtype=np.float64)
    known = grid[~np.isnan(grid)]
    if len(known) and (not np.isfinite(known).all() or known.min() < 0):
        raise RoadsDownError(f"its {what} are not all numbers of a way")
    if what == "durations" and len(known) and known.max() > _LONGEST_SECONDS:
        raise RoadsDownError(f"its {what} are longer than a day")
    return grid
