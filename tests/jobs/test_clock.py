"""The clock: every slot is fired once, missed ones once on start, by one process at a time."""

import threading
import time as real_time
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.jobs import embedded
from coordinator.jobs.clock import Clock, leader_for, tick
from coordinator.jobs.context import JobContext, Workshop
from coordinator.jobs.manual import ManualScheduler
from coordinator.jobs.model import ClockFiring, QueuedJob
from coordinator.jobs.timetable import ClockEntry
from tests.builders import make_branch
from tests.jobs.conftest import MakeWorkshop

NIGHTLY = ClockEntry(name="nightly", job="test.nightly", at=time(0, 10), grace=timedelta(hours=20))
SUNDAYS = ClockEntry(name="sundays", job="test.nightly", at=time(0, 30), weekday=6, grace=timedelta(days=6))
WATCH = ClockEntry(name="watch", job="test.nightly", every=15, grace=timedelta(hours=1))
PACIFIC = ZoneInfo("America/Los_Angeles")
#: Tuesday 2026-11-10, 00:10 in San Francisco.
MIDNIGHT = datetime(2026, 11, 10, 8, 10, tzinfo=UTC)


def _nothing(_context: JobContext, _arguments: dict[str, Any]) -> None:
    """Does nothing."""


@pytest.fixture
def branch(session: Session) -> str:
    made = make_branch(session, code="SF")
    session.commit()
    return made.code


@pytest.fixture
def workshop(make_workshop: MakeWorkshop) -> Workshop:
    return make_workshop(clock=(NIGHTLY,), jobs={"test.nightly": _nothing})


def _keys(database: Database) -> list[str]:
    with database.transaction(write=False) as session:
        return list(session.execute(sa.select(QueuedJob.key).order_by(QueuedJob.id)).scalars())


def test_a_slot_is_fired_when_it_comes_and_not_before(branch: str, workshop: Workshop, database: Database) -> None:
    tick(workshop, MIDNIGHT - timedelta(hours=5))  # makes good the night before
    assert _keys(database) == ["nightly:SF:20261109T081000Z"]
    assert tick(workshop, MIDNIGHT - timedelta(seconds=1)) == 0
    assert tick(workshop, MIDNIGHT) == 1
    assert _keys(database)[1:] == ["nightly:SF:20261110T081000Z"]
    assert tick(workshop, MIDNIGHT + timedelta(seconds=30)) == 0


def test_the_job_is_told_its_branch_and_its_slot(
    session: Session, branch: str, workshop: Workshop, database: Database
) -> None:
    tick(workshop, MIDNIGHT + timedelta(minutes=3))
    job = session.execute(sa.select(QueuedJob)).scalar_one()
    assert job.name == "test.nightly"
    assert set(job.arguments) == {"branch_id", "slot"}
    assert datetime.fromisoformat(job.arguments["slot"]) == MIDNIGHT


def test_runs_missed_while_the_server_was_down_happen_once_on_start(
    branch: str, workshop: Workshop, database: Database
) -> None:
    tick(workshop, MIDNIGHT)
    back = MIDNIGHT + timedelta(days=4, hours=7)
    assert tick(workshop, back) == 1
    assert tick(workshop, back + timedelta(seconds=30)) == 0
    assert _keys(database) == ["nightly:SF:20261110T081000Z", "nightly:SF:20261114T081000Z"]


def test_a_slot_past_its_grace_is_let_go(branch: str, workshop: Workshop, database: Database) -> None:
    assert tick(workshop, MIDNIGHT + timedelta(hours=20)) == 0
    assert _keys(database) == []


def test_each_branch_has_its_own_midnight(session: Session, workshop: Workshop, database: Database) -> None:
    make_branch(session, code="SF")
    make_branch(session, code="NY", zone="America/New_York")
    session.commit()
    tick(workshop, MIDNIGHT)
    assert sorted(_keys(database)) == ["nightly:NY:20261110T051000Z", "nightly:SF:20261110T081000Z"]


def test_clocks_that_tick_at_once_fire_once(branch: str, make_workshop: MakeWorkshop, database: Database) -> None:
    workshop = make_workshop(clock=(NIGHTLY, WATCH, SUNDAYS), jobs={"test.nightly": _nothing})
    together = threading.Barrier(4)
    fired: list[int] = []

    def one() -> None:
        together.wait(20)
        fired.append(tick(workshop, MIDNIGHT))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(fired) == 3
    assert len(_keys(database)) == 3


def test_a_firing_and_its_job_commit_together(
    branch: str, workshop: Workshop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("coordinator.jobs.clock.enqueue", refuse)
        with pytest.raises(ConnectionError):
            tick(workshop, MIDNIGHT)
    assert tick(workshop, MIDNIGHT) == 1


@pytest.mark.parametrize(
    ("zone", "sunday"),
    [
        ("America/Los_Angeles", datetime(2026, 3, 8, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_through_the_weeks_of_clock_changes_each_entry_fires_once_a_day(
    zone: str, sunday: datetime, app: Coordinator, session: Session, database: Database, make_workshop: MakeWorkshop
) -> None:
    """The product's own timetable; intervals, which know no wall clock, are tested with it (`test_timetable.py`)."""
    make_branch(session, zone=zone)
    session.commit()
    clock = tuple(entry for entry in app.extensions["workshop"].clock if entry.at is not None)
    workshop = make_workshop(clock=clock, jobs={entry.job: _nothing for entry in clock})
    local = ZoneInfo(zone)
    first = datetime(sunday.year, sunday.month, sunday.day, tzinfo=local) - timedelta(days=3)
    scheduler = ManualScheduler(workshop, first.astimezone(UTC))
    scheduler.advance(first.astimezone(UTC), perform=False)  # makes good what was due before the week
    session.execute(sa.delete(ClockFiring))
    session.execute(sa.delete(QueuedJob))
    session.commit()
    end = (first + timedelta(days=7)).astimezone(UTC) - timedelta(seconds=1)
    scheduler.advance(end, perform=False)
    firings = [row for row in session.execute(sa.select(ClockFiring)).scalars() if row.slot > first]
    for entry in clock:
        wall = [row.fired_at.astimezone(local) for row in firings if row.entry == entry.name]
        assert {moment.time() for moment in wall} <= {entry.at}
        assert sorted(moment.date() for moment in wall) == [
            day
            for day in (first.date() + timedelta(days=n) for n in range(7))
            if (entry.weekday is None or day.weekday() == entry.weekday)
            and (entry.month_day is None or day.day == entry.month_day)
        ]


def test_time_moved_by_hand_does_the_jobs_in_their_order(
    branch: str, make_workshop: MakeWorkshop, database: Database
) -> None:
    done: list[tuple[str, datetime]] = []

    def note(context: JobContext, arguments: dict[str, Any]) -> None:
        done.append((context.key.split(":")[0], context.now()))
        assert datetime.fromisoformat(arguments["slot"]) == context.now()

    workshop = make_workshop(clock=(SUNDAYS, NIGHTLY), jobs={"test.nightly": note})
    scheduler = ManualScheduler(workshop, datetime(2026, 11, 7, 8, 10, tzinfo=UTC))
    with database.transaction() as session:  # what was due before is somebody else's tale
        for entry, slot in (("nightly", datetime(2026, 11, 7, 8, 10, tzinfo=UTC)),
                            ("sundays", datetime(2026, 11, 1, 8, 30, tzinfo=UTC))):  # fmt: skip
            session.add(ClockFiring(entry=entry, scope="1", slot=slot, fired_at=slot))
    scheduler.advance(datetime(2026, 11, 9, 9, tzinfo=UTC))
    assert done == [
        ("nightly", datetime(2026, 11, 8, 8, 10, tzinfo=UTC)),
        ("sundays", datetime(2026, 11, 8, 8, 30, tzinfo=UTC)),
        ("nightly", datetime(2026, 11, 9, 8, 10, tzinfo=UTC)),
    ]
    with pytest.raises(ValueError, match="backwards"):
        scheduler.advance(datetime(2026, 11, 8, tzinfo=UTC))


def test_a_second_clock_waits_until_the_first_lets_go(database: Database) -> None:
    first, second = leader_for(database), leader_for(database)
    assert first.leads()
    assert not second.leads()
    assert first.leads()
    first.release()
    assert second.leads()
    assert not first.leads()
    second.release()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_leader_that_loses_its_connection_steps_down(database: Database) -> None:
    first, second = leader_for(database), leader_for(database)
    assert first.leads()
    with database.transaction() as session:
        session.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        )
    assert not first.leads()
    assert second.leads()
    assert not first.leads()
    second.release()


def test_only_the_leading_clock_ticks(branch: str, workshop: Workshop, database: Database) -> None:
    leader = leader_for(database)
    assert leader.leads()
    frozen = replace(workshop, now=lambda: MIDNIGHT)
    clock = Clock(frozen, every_seconds=0.1)
    clock.start()
    try:
        real_time.sleep(0.6)
        assert _keys(database) == []
        leader.release()
        deadline = real_time.monotonic() + 20
        while not _keys(database):
            assert real_time.monotonic() < deadline
            real_time.sleep(0.05)
    finally:
        clock.stop()
    assert _keys(database) == ["nightly:SF:20261110T081000Z"]


def test_a_clock_outlives_a_fault(
    branch: str, workshop: Workshop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(replace(workshop, now=lambda: MIDNIGHT))
    with monkeypatch.context() as patched:
        patched.setattr("coordinator.jobs.clock.tick", lambda *_: (_ for _ in ()).throw(ConnectionError()))
        clock.beat()
    assert _keys(database) == []
    clock.beat()
    clock.stop()
    assert len(_keys(database)) == 1


def test_worker_and_clock_live_in_the_server_only_where_the_settings_say_so(
    branch: str, workshop: Workshop, database: Database
) -> None:
    assert embedded.start(workshop) is None
    frozen = replace(workshop, settings=replace(workshop.settings, embedded_worker=True), now=lambda: MIDNIGHT)
    running = embedded.start(frozen)
    assert running is not None
    try:
        deadline = real_time.monotonic() + 20
        while True:
            with database.transaction(write=False) as session:
                if session.execute(sa.select(QueuedJob.status)).scalar() == "done":
                    break
            assert real_time.monotonic() < deadline
            real_time.sleep(0.05)
    finally:
        running.stop(timeout=20)
