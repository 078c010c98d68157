"""What a job is given: who it is, where it writes, and a receipt that makes its effect happen once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from coordinator.core import audit
from coordinator.core.db import Database
from coordinator.core.settings import Settings
from coordinator.core.work import Actor, Work
from coordinator.jobs.model import JobReceipt
from coordinator.jobs.queue import enqueue, insert_once
from coordinator.jobs.timetable import ClockEntry


def utc_now() -> datetime:
    """The instant; jobs and the clock ask here and nowhere else."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A branch as the clock sees it: a number, a code and a zone."""

    branch_id: int
    code: str
    zone: ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Everything durable work needs from the rooms above it; put together by `app.create_app`."""

    settings: Settings
    database: Database
    policy: Any
    #: Event -> handlers, as at the front door.
    handlers: dict[type, tuple[Callable[[Work, Any], None], ...]]
    #: Job name -> what does it.
    jobs: Mapping[str, "Job"]
    clock: Sequence[ClockEntry]
    #: The actor that does a job of that name.
    actor_for: Callable[[str], Actor]
    #: Every branch.
    places: Callable[[Session], Sequence[Place]]
    now: Callable[[], datetime] = utc_now
    #: What `Work.atlas` carries.
    atlas: Any = None
    #: How long a worker may be silent before its jobs are given to another, and how often it speaks.
    silence: timedelta = timedelta(seconds=90)
    heartbeat: timedelta = timedelta(seconds=10)
    #: How long to wait after the first, second, ... failure; a job that fails once more than that has failed.
    back_off: tuple[timedelta, ...] = (
        timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=20),
    )  # fmt: skip

    @property
    def attempts(self) -> int:
        """How often a job is tried."""
        return len(self.back_off) + 1


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """One attempt at one job. A job may be done twice, so what it does is keyed: see `once`."""

    workshop: Workshop
    name: str
    key: str
    #: Says that the job is alive; raises `Superseded` if another worker has taken it over.
    beat: Callable[[], None] = lambda: None

    @property
    def settings(self) -> Settings:
        return self.workshop.settings

    @property
    def database(self) -> Database:
        return self.workshop.database

    def now(self) -> datetime:
        """The instant, aware and UTC."""
        return self.workshop.now()

    def heartbeat(self) -> None:
        """Stop here if somebody else has taken the job over; call it between steps of a long job."""
        self.beat()

    @contextmanager
    def work(self, actor_name: str | None = None, *, write: bool = True) -> Iterator[Work]:
        """One transaction by the system under `actor_name` (the job's name if none), committed and audited at the end.

        Long work is several of these; none is open while something is computed.
        """
        workshop = self.workshop
        with workshop.database.transaction(write=write) as session:
            work = Work(
                session=session,
                actor=workshop.actor_for(actor_name or self.name),
                now=workshop.now(),
                policy=workshop.policy,
                handlers=workshop.handlers,
                enqueue=enqueue if write else None,
                atlas=workshop.atlas,
            )
            yield work
            if write:
                session.flush()  # refusals of the database come before the chain's lock is taken
                audit.seal(session, work.trail)
        if not write and work.trail:
            with workshop.database.transaction() as session:
                audit.seal(session, work.trail)

    def once(self, work: Work, step: str = "") -> bool:
        """Write the receipt of this job (or of one step of it) into the work's transaction; False if it was there.

        A job that was killed after its effect and before it was marked done finds its own receipt and does nothing.
        """
        key = f"{self.key}#{step}" if step else self.key
        return insert_once(work.session, JobReceipt, key=key, name=self.name, at=work.now)


#: Does a job: (context, arguments). Arguments of clocked jobs are {"branch_id": int, "slot": ISO instant}.
Job = Callable[[JobContext, dict[str, Any]], None]
