"""How often a page may be asked for: so many times a minute by one link, and by one address without a good one."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

MINUTE = timedelta(minutes=1)
#: Callers that are remembered at once; beyond them, those who asked longest ago are forgotten.
MOST_CALLERS = 10_000


class Limiter:
    """Counts in this process alone: what must hold across processes is counted in rows."""

    def __init__(self) -> None:
        self._asked: dict[str, deque[datetime]] = {}
        self._lock = Lock()

    def admits(self, caller: str, now: datetime, most: int) -> bool:
        """Whether `caller` has asked fewer than `most` times within a minute of `now`; if so, this counts."""
        with self._lock:
            asked = self._asked.pop(caller, None) or deque()
            while asked and asked[0] <= now - MINUTE:
                asked.popleft()
            admitted = len(asked) < most
            if admitted:
                asked.append(now)
            self._asked[caller] = asked  # last in line: the first in line is forgotten first
            while len(self._asked) > MOST_CALLERS:
                del self._asked[next(iter(self._asked))]
            return admitted
