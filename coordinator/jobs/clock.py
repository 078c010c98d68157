"""The clock: looks at the timetable, and puts what is due in the queue. It does nothing else.

However many processes look at once, a slot is fired once: the row of its firing and the job commit together.
"""

import fcntl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from coordinator.core.db import Database
from coordinator.core.work import Work
from coordinator.jobs.attempt import where
from coordinator.jobs.context import Place, Workshop
from coordinator.jobs.ledger import code_of
from coordinator.jobs.model import ClockFiring
from coordinator.jobs.queue import enqueue, insert_once
from coordinator.jobs.timetable import ClockEntry, slots_due

log = structlog.get_logger("coordinator.clock")

TICK_SECONDS = 30
#: Any fixed number: the name of the lock that the leading clock holds on PostgreSQL.
_CLOCK_LOCK = 7_001_002


def key_of(entry: ClockEntry, place: Place, slot: datetime) -> str:
    """The key of the job that this slot asks for."""
    return f"{entry.name}:{place.code}:{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def due_now(
    entries: Sequence[ClockEntry], places: Sequence[Place], now: datetime
) -> list[tuple[ClockEntry, Place, datetime]]:
    """The latest slot within its grace of every entry and branch, oldest first."""
    found = []
    for place in places:
        for entry in entries:
            slots = slots_due(entry, place.zone, now - entry.grace, now)
            if slots:
                found.append((entry, place, slots[-1]))
    return sorted(found, key=lambda due: due[2])


def tick(workshop: Workshop, now: datetime) -> int:
    """Whatever is due at `now` and was not fired before is in the queue; the number of jobs put there."""
    with workshop.database.transaction(write=False) as session:
        due = due_now(workshop.clock, workshop.places(session), now)
        if not due:
            return 0
        fired = {
            (row.entry, row.scope, row.slot)
            for row in session.execute(
                sa.select(ClockFiring.entry, ClockFiring.scope, ClockFiring.slot).where(ClockFiring.slot >= due[0][2])
            )
        }
    return sum(
        _fire(workshop, entry, place, slot, now)
        for entry, place, slot in due
        if (entry.name, str(place.branch_id), slot) not in fired
    )


def _fire(workshop: Workshop, entry: ClockEntry, place: Place, slot: datetime, now: datetime) -> bool:
    with workshop.database.transaction() as session:
        mine = insert_once(session, ClockFiring, entry=entry.name, scope=str(place.branch_id), slot=slot, fired_at=now)
        if mine:
            work = Work(session=session, actor=workshop.actor_for("clock"), now=now, policy=workshop.policy)
            enqueue(
                work, entry.job, key_of(entry, place, slot), {"branch_id": place.branch_id, "slot": slot.isoformat()}
            )
    if mine:
        log.info("clock fired", entry=entry.name, branch=place.code, slot=slot.isoformat())
    return mine


# ------------------------------------------------------------------------------------------------ one clock at a time


class Leader(Protocol):
    """Which of several clocks ticks. Losing a race here costs work, never a second firing."""

    def leads(self) -> bool:
        """Whether this clock leads, becoming the leader if nobody is."""

    def release(self) -> None:
        """Let another lead."""


class PostgresLeader:
    """Leads while its own connection holds the advisory lock; the server lets go of it when the connection dies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sa.Connection | None = None

    def leads(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(sa.text("SELECT 1"))
                return True
            return self._try()
        except DBAPIError as error:
            log.warning("clock lost its connection", error=code_of(error))
            self.release()
            return False

    def _try(self) -> bool:
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # the pool must not hand it to anybody else
        try:
            if connection.execute(sa.select(sa.func.pg_try_advisory_lock(_CLOCK_LOCK))).scalar_one():
                self._connection = connection
        finally:
            if self._connection is None:
                connection.close()
        return self._connection is not None

    def release(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()  # detached, so this ends the server's session, and the lock with it


class FileLeader:
    """Leads while it holds the lock of a file beside the database; the kernel lets go of it when the process dies."""

    def __init__(self, database: Database) -> None:
        name = database.engine.url.database
        self._path = Path(f"{name}.clock") if name and name != ":memory:" else None
        self._file: IO[bytes] | None = None

    def leads(self) -> bool:
        if self._path is None or self._file is not None:
            return True
        file = self._path.open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def leader_for(database: Database) -> Leader:
    """The kind of leader that fits the engine."""
    return PostgresLeader(database) if database.is_postgresql else FileLeader(database)


class Clock:
    """Ticks every half minute, in a thread of its own, while it leads."""

    def __init__(self, workshop: Workshop, *, every_seconds: float = TICK_SECONDS) -> None:
        self.workshop, self._leader = workshop, leader_for(workshop.database)
        self._scheduler = BackgroundScheduler(timezone=UTC, daemon=True)
        # Nothing is stored by the timer: what was missed is read from the database, so its own memory is of no use.
        self._scheduler.add_job(
            self.beat,
            IntervalTrigger(seconds=every_seconds, timezone=UTC),
            id="tick",
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def beat(self) -> None:
        """Tick if this clock leads; a fault waits for the next beat."""
        try:
            if self._leader.leads():
                tick(self.workshop, self.workshop.now())
        except Exception as error:  # noqa: BLE001  (a clock that stopped would leave the office without deadlines)
            log.error("clock fault", error=code_of(error), where=where(error))

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more, after the tick at hand, and let another clock lead."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._leader.release()
