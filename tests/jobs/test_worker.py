"""The worker: each job is done, tried again or given up; killed and racing workers leave exactly one effect."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent, verify
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.idempotency import IdempotencyRecord
from coordinator.jobs import ledger
from coordinator.jobs.attempt import UnknownJobError
from coordinator.jobs.context import JobContext
from coordinator.jobs.ledger import Superseded
from coordinator.jobs.model import JobReceipt, QueuedJob
from coordinator.jobs.timetable import ClockEntry
from coordinator.jobs.worker import Worker
from tests.conftest import NOW, WorkAs
from tests.jobs.conftest import MakeWorkshop, job_row


def mark(context: JobContext, arguments: dict[str, Any]) -> None:
    """One effect: a line in the audit trail, once per key."""
    with context.work() as work:
        if context.once(work):
            work.record("test.marked", f"mark:{arguments['number']}")


def marks(database: Database) -> list[str]:
    with database.transaction(write=False) as session:
        assert verify(session).ok
        found = session.execute(sa.select(AuditEvent.subject).where(AuditEvent.action == "test.marked"))
        return sorted(found.scalars())


def _ask(work_as: WorkAs, *numbers: int, job: str = "test.mark") -> None:
    with work_as() as work:
        for number in numbers:
            work.later(job, f"mark:{number}", number=number)


def test_a_worker_does_what_is_queued_and_marks_it_done(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    _ask(work_as, 1, 2)
    worker = Worker(make_workshop(jobs={"test.mark": mark}))
    assert worker.run_once() == 2
    assert marks(database) == ["mark:1", "mark:2"]
    done = job_row(database, "mark:1")
    assert (done.status, done.attempts, done.error) == ("done", 1, None)
    assert worker.run_once() == 0


def test_a_key_that_was_done_is_not_done_again(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    worker = Worker(make_workshop(jobs={"test.mark": mark}))
    _ask(work_as, 1)
    worker.run_once()
    _ask(work_as, 1)
    assert worker.run_once() == 0
    assert marks(database) == ["mark:1"]


def test_a_job_puts_further_jobs_in_the_queue(make_workshop: MakeWorkshop, work_as: WorkAs, database: Database) -> None:
    def first(context: JobContext, _arguments: dict[str, Any]) -> None:
        with context.work() as work:
            work.later("test.mark", "mark:2", number=2)

    _ask(work_as, 1, job="test.first")
    assert Worker(make_workshop(jobs={"test.first": first, "test.mark": mark})).run_once() == 2
    assert marks(database) == ["mark:2"]


def test_a_job_acts_as_the_system_under_its_own_name(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    _ask(work_as, 1)
    Worker(make_workshop(jobs={"test.mark": mark})).run_once()
    with database.transaction(write=False) as session:
        line = session.execute(sa.select(AuditEvent).where(AuditEvent.action == "test.marked")).scalar_one()
    assert line.actor == "system:test.mark"


def test_what_a_job_reads_is_audited_too(make_workshop: MakeWorkshop, database: Database) -> None:
    context = JobContext(workshop=make_workshop(), name="test.read", key="read:1")
    with context.work(write=False) as work:
        work.record("test.marked", "mark:9")
    assert marks(database) == ["mark:9"]


def test_a_failing_job_is_tried_again_then_failed_without_a_word_of_the_record(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    tries = []

    def refuse(context: JobContext, arguments: dict[str, Any]) -> None:
        tries.append(context.now())
        with context.work() as work:
            work.record("test.marked", "mark:0")
            work.session.flush()
            raise Conflict("Mrs. Lee is already there.", code="double-booking")

    _ask(work_as, 1, job="test.refuse")
    worker = Worker(make_workshop(jobs={"test.refuse": refuse}))
    assert worker.run_once() == 5
    assert len(tries) == 5
    failed = job_row(database, "mark:1")
    assert (failed.status, failed.attempts, failed.error) == ("failed", 5, "Conflict: double-booking")
    assert marks(database) == []
    assert worker.run_once() == 0


def test_a_fault_of_the_database_is_named_by_its_code_alone(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    def fault(context: JobContext, arguments: dict[str, Any]) -> None:
        with context.work() as work:
            work.session.execute(sa.text("SELECT * FROM no_such_table WHERE name = :name"), {"name": "Mei Lee"})

    _ask(work_as, 1, job="test.fault")
    Worker(make_workshop(jobs={"test.fault": fault})).run_once()
    error = job_row(database, "mark:1").error
    assert error == ("ProgrammingError: 42P01" if database.is_postgresql else "OperationalError")


def test_a_job_that_recovers_is_done(make_workshop: MakeWorkshop, work_as: WorkAs, database: Database) -> None:
    tries = []

    def second_time_lucky(context: JobContext, arguments: dict[str, Any]) -> None:
        tries.append(1)
        if len(tries) < 2:
            raise TimeoutError
        mark(context, arguments)

    _ask(work_as, 1, job="test.lucky")
    Worker(make_workshop(jobs={"test.lucky": second_time_lucky})).run_once()
    assert marks(database) == ["mark:1"]
    done = job_row(database, "mark:1")
    assert (done.status, done.attempts, done.error) == ("done", 2, None)


def test_a_failed_attempt_waits_before_the_next(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    def fail(context: JobContext, arguments: dict[str, Any]) -> None:
        raise TimeoutError

    _ask(work_as, 1, job="test.fail")
    workshop = make_workshop(jobs={"test.fail": fail}, back_off=(timedelta(minutes=5), timedelta(minutes=9)))
    worker = Worker(workshop)
    before = workshop.now()
    assert worker.run_once() == 1
    assert worker.run_once() == 0
    waiting = job_row(database, "mark:1")
    assert waiting.status == "todo"
    assert timedelta(minutes=4) < waiting.run_after - before < timedelta(minutes=6)


def test_a_failed_job_can_be_put_back_by_hand(make_workshop: MakeWorkshop, work_as: WorkAs, database: Database) -> None:
    broken = [True]

    def sometimes(context: JobContext, arguments: dict[str, Any]) -> None:
        if broken:
            raise TimeoutError
        mark(context, arguments)

    _ask(work_as, 1, job="test.sometimes")
    worker = Worker(make_workshop(jobs={"test.sometimes": sometimes}))
    worker.run_once()
    assert job_row(database, "mark:1").status == "failed"
    broken.clear()
    with work_as() as work:
        ledger.try_again(work, "mark:1")
    worker.run_once()
    assert marks(database) == ["mark:1"]
    with work_as() as work, pytest.raises(NotFound):
        ledger.try_again(work, "mark:1")


def test_a_job_nobody_knows_is_kept_as_failed(make_workshop: MakeWorkshop, work_as: WorkAs, database: Database) -> None:
    _ask(work_as, 1, job="test.unknown")
    Worker(make_workshop(jobs={})).run_once()
    assert job_row(database, "mark:1").error == "UnknownJobError"


def test_a_clock_that_names_a_job_nobody_does_stops_the_worker_at_start(make_workshop: MakeWorkshop) -> None:
    entry = ClockEntry(name="nightly", job="test.unknown", every=15, grace=timedelta(hours=1))
    with pytest.raises(UnknownJobError, match=r"test\.unknown"):
        Worker(make_workshop(jobs={}, clock=(entry,)))


def test_workers_that_race_do_each_job_once(make_workshop: MakeWorkshop, work_as: WorkAs, database: Database) -> None:
    done: list[str] = []

    def count(context: JobContext, arguments: dict[str, Any]) -> None:
        done.append(context.key)
        mark(context, arguments)

    _ask(work_as, *range(40), job="test.count")
    workers = [Worker(make_workshop(jobs={"test.count": count})) for _ in range(3)]
    threads = [threading.Thread(target=worker.run_once) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == sorted(f"mark:{number}" for number in range(40))
    assert len(marks(database)) == 40


def test_an_effect_whose_worker_died_before_saying_so_is_not_repeated(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    """As after a SIGKILL between the effect's commit and the mark that the job is done."""
    workshop = make_workshop(jobs={"test.mark": mark})
    _ask(work_as, 1)
    mark(JobContext(workshop=workshop, name="test.mark", key="mark:1"), {"number": 1})
    assert Worker(workshop).run_once() == 1
    assert marks(database) == ["mark:1"]


def test_steps_of_one_job_have_receipts_of_their_own(make_workshop: MakeWorkshop, database: Database) -> None:
    context = JobContext(workshop=make_workshop(), name="test.steps", key="steps:1")
    with context.work() as work:
        assert context.once(work, "plan")
        assert not context.once(work, "plan")
        assert context.once(work, "publish")
    with database.transaction(write=False) as session:
        assert sorted(session.execute(sa.select(JobReceipt.key)).scalars()) == ["steps:1#plan", "steps:1#publish"]


def test_a_receipt_is_rolled_back_with_its_effect(make_workshop: MakeWorkshop) -> None:
    context = JobContext(workshop=make_workshop(), name="test.steps", key="steps:1")

    def half_way() -> None:
        with context.work() as work:
            assert context.once(work)
            raise TimeoutError

    with pytest.raises(TimeoutError):
        half_way()
    with context.work() as work:
        assert context.once(work)


def test_a_worker_that_was_silent_too_long_finds_its_job_taken_over(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    moment = [NOW]
    workshop = make_workshop(jobs={"test.mark": mark}, now=lambda: moment[0])
    _ask(work_as, 1)
    first = ledger.take(workshop, "mark:1", "first")
    assert first is not None
    ledger.beat(workshop, first)
    moment[0] += workshop.silence + timedelta(seconds=1)
    second = ledger.take(workshop, "mark:1", "second")
    assert second is not None
    for say in (ledger.beat, ledger.finish):
        with pytest.raises(Superseded):
            say(workshop, first)
    with pytest.raises(Superseded):
        ledger.fail(workshop, first, TimeoutError())
    ledger.finish(workshop, second)
    assert ledger.take(workshop, "mark:1", "third") is None


def test_a_job_that_kills_its_worker_every_time_is_given_up(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    _ask(work_as, 1)
    workshop = make_workshop()
    for _ in range(5):
        assert ledger.take(workshop, "mark:1", "doomed") is not None
    assert ledger.take(workshop, "mark:1", "doomed") is None
    given_up = job_row(database, "mark:1")
    assert (given_up.status, given_up.error) == ("failed", "WorkerLost")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_local_queue_takes_over_only_from_the_silent(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    moment = [NOW]
    workshop = make_workshop(jobs={"test.mark": mark}, now=lambda: moment[0])
    _ask(work_as, 1)
    assert ledger.next_due(workshop, "first") is not None
    moment[0] += workshop.silence
    assert ledger.next_due(workshop, "second") is None
    moment[0] += timedelta(seconds=1)
    taken = ledger.next_due(workshop, "second")
    assert taken is not None
    assert taken.number == 2


def test_a_long_job_keeps_beating(make_workshop: MakeWorkshop, work_as: WorkAs, database: Database) -> None:
    seen: list[datetime | None] = []

    def slow(context: JobContext, arguments: dict[str, Any]) -> None:
        taken = job_row(context.database, context.key).heartbeat_at
        for _ in range(100):
            threading.Event().wait(0.05)
            if context.database.is_postgresql:
                context.heartbeat()  # procrastinate's worker beats for itself; here the job asks whether it is wanted
            if (now := job_row(context.database, context.key).heartbeat_at) != taken:
                seen.append(now)
                return

    _ask(work_as, 1, job="test.slow")
    Worker(make_workshop(jobs={"test.slow": slow})).run_once()
    assert seen


def test_a_worker_stops_when_it_is_told_and_finishes_what_it_has_in_hand(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    stop, begun = threading.Event(), threading.Event()

    def slow(context: JobContext, arguments: dict[str, Any]) -> None:
        begun.set()
        threading.Event().wait(0.5)
        mark(context, arguments)

    worker = Worker(make_workshop(jobs={"test.slow": slow}), concurrency=1)
    thread = threading.Thread(target=worker.run_forever, args=(stop,))
    thread.start()
    _ask(work_as, 1, 2, job="test.slow")
    assert begun.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert marks(database) == ["mark:1"]
    assert (job_row(database, "mark:1").status, job_row(database, "mark:2").status) == ("done", "todo")


def test_old_jobs_are_forgotten_and_failed_ones_kept(
    make_workshop: MakeWorkshop, work_as: WorkAs, database: Database
) -> None:
    def fail(context: JobContext, arguments: dict[str, Any]) -> None:
        raise TimeoutError

    _ask(work_as, 1)
    _ask(work_as, 2, job="test.fail")
    workshop = make_workshop(jobs={"test.mark": mark, "test.fail": fail})
    Worker(workshop).run_once()
    with database.transaction() as session:
        for key, hours in (("yesterday", 47), ("three days ago", 72)):
            session.add(
                IdempotencyRecord(
                    caller="user:1", key=key, request_hash="0" * 64, at=workshop.now() - timedelta(hours=hours),
                    status=201, body="{}",
                )
            )  # fmt: skip
    ledger.tidy(workshop)
    with database.transaction(write=False) as session:
        assert list(session.scalars(sa.select(IdempotencyRecord.key))) == ["yesterday"]
        assert ledger.counts(session) == {"todo": 0, "doing": 0, "done": 1, "failed": 1}
    later = workshop.now() + timedelta(days=91)
    ledger.tidy(make_workshop(now=lambda: later))
    with database.transaction(write=False) as session:
        assert list(session.execute(sa.select(QueuedJob.key)).scalars()) == ["mark:2"]
        assert session.execute(sa.select(sa.func.count()).select_from(JobReceipt)).scalar_one() == 0
