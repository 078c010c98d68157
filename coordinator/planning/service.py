"""Planning runs: asking for one, doing it, stopping it, reading it.

A run is several short transactions: one marks it as running, one reads everything, none is open while the planner
searches, and one writes the result under the job's receipt, so that a run whose worker was killed is done again by the
next one and has one effect.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from coordinator.access.scope import branches_of, require_branch
from coordinator.agency.service import today, zone_of
from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, Invalid, NotFound, Refusal
from coordinator.core.fields import FIRST_YEAR, LAST_YEAR
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import RunStatus
from coordinator.jobs.context import JobContext
from coordinator.jobs.ledger import Superseded
from coordinator.planner import ProblemError
from coordinator.planning.bridge import Bridge, build
from coordinator.planning.decode import Decoded, decode
from coordinator.planning.horizon import Horizon
from coordinator.planning.model import Placement, PlanRun, Unplaced
from coordinator.planning.places import points_of
from coordinator.planning.scene import load
from coordinator.planning.search import Cancelled, Found, Heard, Look, SearchFailedError, Task, search_apart
from coordinator.planning.waiting import waiting_orders
from coordinator.travel.atlas import Atlas
from coordinator.travel.ways import Learned, learn

log = structlog.get_logger("coordinator.planning")

JOB = "plan.run"
KINDS = ("week", "nightly")
LONGEST_DAYS = 28
MOST_SECONDS = 900
MOST_ITERATIONS = 2_000_000
#: Runs that a branch may have in the queue or at work at one time.
MOST_WAITING = 5
DEFAULT_SECONDS = 30
NIGHTLY_SECONDS = 120
#: A run at work for so much longer than it was to search has lost its worker for good.
LOST_AFTER = timedelta(minutes=30)
#: A run in one of these has its answer, whatever it is.
OVER = frozenset(RunStatus) - {RunStatus.QUEUED, RunStatus.RUNNING}

Search = Callable[[Task, Look], Found]


# ------------------------------------------------------------------------------------ asking for a run


@permitted("run:start")
def start_run(
    work: Work,
    branch_id: int,
    start_on: date,
    *,
    end_on: date | None = None,
    days: int = 7,
    seconds: int = DEFAULT_SECONDS,
    seed: int = 0,
    iterations: int | None = None,
    kind: str = "week",
    queue: bool = True,
) -> PlanRun:
    """A run over these days is in the queue (`queue=False`: the caller does it). Nothing is planned yet."""
    require_branch(work, branch_id)
    zone_of(work, branch_id)  # NotFound for a branch that is not there
    last = _last_day(start_on, end_on, days)
    _check(work, branch_id, start_on, last, seconds, seed, iterations, kind)
    run = PlanRun(
        branch_id=branch_id,
        kind=kind,
        start_on=start_on,
        end_on=last,
        seconds=seconds,
        seed=seed,
        iterations=iterations,
        status=RunStatus.QUEUED,
        requested_by_id=work.actor.user_id,
        requested_at=work.now,
        cancel_requested=False,
    )
    work.session.add(run)
    work.session.flush()  # the run's number names its job
    work.record("run.started", f"run:{run.id}", branch=branch_id, start_on=str(start_on), end_on=str(last), kind=kind)
    if queue:
        work.later(JOB, job_key(run.id), run_id=run.id)
    return run


def _last_day(start_on: date, end_on: date | None, days: int) -> date:
    """The run's last day; Invalid where the days leave the calendar that the product keeps."""
    ordinal = start_on.toordinal() + days - 1
    last = end_on if end_on is not None else date.fromordinal(min(ordinal, date.max.toordinal()))
    if start_on.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise Invalid(f"The days of a run lie in the years {FIRST_YEAR} to {LAST_YEAR}.", pointer="/start_on")
    return last


def job_key(run_id: int) -> str:
    """Key of the job that does a run."""
    return f"{JOB}:{run_id}"


def _check(
    work: Work, branch_id: int, start_on: date, last: date, seconds: int, seed: int, iterations: int | None, kind: str
) -> None:
    if kind not in KINDS:
        raise Invalid(f"A run is one of: {', '.join(KINDS)}.", pointer="/kind")
    if last < start_on:
        raise Invalid("The last day is before the first.", pointer="/end_on")
    if (last - start_on).days + 1 > LONGEST_DAYS:
        raise Invalid(f"At most {LONGEST_DAYS} days are planned at once.", pointer="/end_on")
    if last < today(work, branch_id):
        raise Invalid("These days are over: nothing can be planned in them.", pointer="/start_on")
    if not 1 <= seconds <= MOST_SECONDS:
        raise Invalid(f"A search takes from 1 to {MOST_SECONDS} seconds.", pointer="/seconds")
    if not 0 <= seed < 2**31:
        raise Invalid("The seed is a whole number from 0 to 2147483647.", pointer="/seed")
    if iterations is not None and not 1 <= iterations <= MOST_ITERATIONS:
        raise Invalid(f"From 1 to {MOST_ITERATIONS} iterations.", pointer="/iterations")
    waiting = work.session.execute(
        sa.select(sa.func.count())
        .select_from(PlanRun)
        .where(PlanRun.branch_id == branch_id, PlanRun.status.in_((RunStatus.QUEUED, RunStatus.RUNNING)))
    ).scalar_one()
    if waiting >= MOST_WAITING:
        raise Conflict(
            f"{waiting} runs of this branch are waiting or at work. Wait for one, or cancel one.", code="too-many-runs"
        )


@permitted("run:start")
def cancel(work: Work, run_id: int) -> PlanRun:
    """A run that waits is cancelled; one at work is asked to stop, and will within a second or two."""
    run = visible_run(work, run_id, lock=True)
    if run.status is RunStatus.QUEUED:
        run.status, run.finished_at = RunStatus.CANCELLED, work.now
    elif run.status is RunStatus.RUNNING:
        run.cancel_requested = True
        if run.started_at is not None and run.started_at + timedelta(seconds=run.seconds) + LOST_AFTER < work.now:
            run.status, run.finished_at = RunStatus.CANCELLED, work.now  # nobody is at work on it any more
    else:
        raise Conflict(f"The run is {run.status.value}: there is nothing to cancel.", code="run-over")
    work.session.flush()  # the new version is in the answer
    work.record("run.cancelled", f"run:{run.id}", branch=run.branch_id)
    return run


# ------------------------------------------------------------------------------------ reading


def visible_run(work: Work, run_id: int, *, lock: bool = False) -> PlanRun:
    """The run, if its branch is the actor's; NotFound otherwise. Asked by other rooms and the verbs here, which name
    the permission themselves.
    """
    run = locked(work.session, PlanRun, run_id, "run") if lock else fetch(work.session, PlanRun, run_id, "run")
    mine = branches_of(work.actor)
    if mine is not None and run.branch_id not in mine:
        raise NotFound("run")
    return run


@permitted("run:read")
def get(work: Work, run_id: int) -> PlanRun:
    """One run with its progress or result."""
    run = visible_run(work, run_id)
    work.record("run.read", f"run:{run.id}", branch=run.branch_id)
    return run


@permitted("run:read")
def search_runs(work: Work, *, branch_id: int | None = None, status: RunStatus | None = None) -> sa.Select[Any]:
    """The runs of the actor's branches."""
    query = sa.select(PlanRun)
    mine = branches_of(work.actor)
    if mine is not None:
        query = query.where(PlanRun.branch_id.in_(sorted(mine)))
    if branch_id is not None:
        query = query.where(PlanRun.branch_id == branch_id)
    if status is not None:
        query = query.where(PlanRun.status == status)
    work.record("run.listed", f"branch:{branch_id or 0}")
    return query


@permitted("run:read")
def unplaced_of(work: Work, run_id: int) -> list[Unplaced]:
    """What the run could not place, by visit."""
    visible_run(work, run_id)
    return list(
        work.session.execute(sa.select(Unplaced).where(Unplaced.run_id == run_id).order_by(Unplaced.visit_id)).scalars()
    )


@permitted("run:read")
def placements_of(work: Work, run_id: int) -> list[Placement]:
    """Where the run puts each visit, by time."""
    visible_run(work, run_id)
    return list(
        work.session.execute(
            sa.select(Placement).where(Placement.run_id == run_id).order_by(Placement.starts_at, Placement.visit_id)
        ).scalars()
    )


@permitted("run:read")
def explanation(work: Work, run_id: int, visit_id: int | None = None) -> list[dict[str, Any]]:
    """Per visit of the run: where it is and what the next best would cost, or what stops it. NotFound for another."""
    run = require_result(visible_run(work, run_id))
    alternatives = (run.result or {}).get("alternatives", {})
    found: list[dict[str, Any]] = [
        {
            "visit": row.visit_id,
            "placed": True,
            "clinician_id": row.clinician_id,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
            "travel_minutes": row.travel_minutes,
            "alternative": alternatives.get(str(row.visit_id)),
            "reasons": [],
        }
        for row in placements_of(work, run_id)
        if visit_id in (None, row.visit_id)
    ]
    found += [
        {
            "visit": row.visit_id,
            "placed": False,
            "alternative": None,
            "reasons": row.reasons,
            "relaxations": f"/api/v1/visits/{row.visit_id}/relaxations",
        }
        for row in unplaced_of(work, run_id)
        if visit_id in (None, row.visit_id)
    ]
    if visit_id is not None and not found:
        raise NotFound("visit in this run")
    work.record("run.explained", f"run:{run.id}", branch=run.branch_id)
    return sorted(found, key=lambda entry: entry["visit"])


def require_result(run: PlanRun) -> PlanRun:
    """The run, if it has come to a result."""
    if run.result is None:
        raise Conflict(f"The run is {run.status.value}: it has no result.", code="run-without-result", state=run.status)
    return run


# ------------------------------------------------------------------------------------ doing a run


def execute_run(context: JobContext, arguments: dict[str, Any]) -> None:
    """Do the run `arguments["run_id"]`; the job `plan.run`."""
    perform(context, arguments["run_id"], search_apart)


def perform(context: JobContext, run_id: int, search: Search) -> None:
    """Read, search, write. A run that is over already is left as it is."""
    if not _begin(context, run_id):
        return
    try:
        learned = _learn_ways(context, run_id)
        with context.work(write=False) as work:
            run = fetch(work.session, PlanRun, run_id, "run")
            horizon = Horizon(zone_of(work, run.branch_id), run.start_on, run.end_on)
            bridge = build(work, run.branch_id, horizon)
            waiting = waiting_orders(work, run.branch_id, horizon)
            work.record("run.read-records", f"run:{run.id}", branch=run.branch_id, visits=len(bridge.visits))
            task = Task(bridge.problem, bridge.start, run.seconds, run.seed, run.iterations)
        found = search(task, _looker(context, run_id, len(bridge.wanted)))
    except Cancelled:
        _finish(context, run_id, RunStatus.CANCELLED)
    except (Refusal, ProblemError, SearchFailedError) as error:
        # Trying again would fail again: the run says so, in words that hold no patient's.
        log.error("run failed", run=run_id, error=type(error).__name__)
        _finish(context, run_id, RunStatus.FAILED, error=str(error))
    except (DBAPIError, Superseded):
        raise  # another try may go better; or another worker has the run now
    except Exception as error:
        _finish(context, run_id, RunStatus.FAILED, error=f"A fault of ours ({type(error).__name__}); it was logged.")
        raise
    else:
        decoded = decode(bridge, found.outcome, found.explanation)
        decoded.result["travel_sources"] = bridge.places.ways.said(learned)
        _write(context, run_id, bridge, decoded, waiting)


def _begin(context: JobContext, run_id: int) -> bool:
    """Mark the run as running; False if there is nothing to do."""
    with context.work() as work:
        run = locked(work.session, PlanRun, run_id, "run")
        if run.status in OVER:
            return False
        run.status, run.started_at = RunStatus.RUNNING, work.now
        run.progress = None
    return True


def _learn_ways(context: JobContext, run_id: int) -> Learned | None:
    """Ask the road server what the run will want to know and nobody asked yet; None where there is no server.

    Its points are read in one transaction, and none is open while the server is asked.
    """
    atlas: Atlas | None = context.workshop.atlas
    if atlas is None or atlas.roads is None:
        return None
    with context.work(write=False) as work:
        run = fetch(work.session, PlanRun, run_id, "run")
        scene = load(work, run.branch_id, Horizon(zone_of(work, run.branch_id), run.start_on, run.end_on))
        points = points_of(scene.branch, scene.patients.values(), scene.clinicians)
    learned = learn(context.database, atlas, points, context.now(), heartbeat=context.heartbeat)
    if learned.note is not None:
        log.warning("road times are missing", run=run_id, missing=learned.missing, learned=learned.legs)
    return learned


def _looker(context: JobContext, run_id: int, wanted: int) -> Look:
    """Tells of progress about every second or two, and asks whether to go on."""
    ticks = [0]

    def look(heard: Heard | None) -> bool:
        ticks[0] += 1
        if heard is None and ticks[0] % 4 != 1:
            return False
        context.heartbeat()
        try:
            return _tell(context, run_id, None if heard is None else asdict(heard) | {"wanted": wanted})
        except DBAPIError:
            return False  # others hold the writer's place: progress can wait, and the result will be written

    return look


def _tell(context: JobContext, run_id: int, progress: dict[str, Any] | None) -> bool:
    """Write the progress past the row's version, which is for people's edits; whether the run is to stop."""
    with context.database.transaction() as session:
        if progress is not None:
            said = {
                "seconds": round(progress["seconds"], 1),
                "iterations": progress["iteration"],
                "wanted": progress["wanted"],
                "placed": progress["placed"],
                "cost": progress["cost"],
            }
            session.execute(
                sa.update(PlanRun)
                .where(PlanRun.id == run_id, PlanRun.status == RunStatus.RUNNING)
                .values(progress=said)
                .execution_options(synchronize_session=False)
            )
        stop = session.execute(sa.select(PlanRun.cancel_requested).where(PlanRun.id == run_id)).scalar()
    return bool(stop)


def _finish(context: JobContext, run_id: int, status: RunStatus, *, error: str | None = None) -> None:
    with context.work() as work:
        run = locked(work.session, PlanRun, run_id, "run")
        if run.status in OVER or not context.once(work):
            return
        run.status, run.finished_at, run.error = status, work.now, error
        work.record(f"run.{status.value}", f"run:{run.id}", branch=run.branch_id)


def _write(context: JobContext, run_id: int, bridge: Bridge, decoded: Decoded, waiting: list[dict[str, Any]]) -> None:
    """Placements, what is left out and the result, all or nothing, once."""
    with context.work() as work:
        run = locked(work.session, PlanRun, run_id, "run")
        if run.status in OVER or not context.once(work):
            return
        run.finished_at = work.now
        if run.cancel_requested:
            run.status = RunStatus.CANCELLED
            work.record("run.cancelled", f"run:{run.id}", branch=run.branch_id)
            return
        for row in decoded.placed:
            work.session.add(Placement(run_id=run_id, published=False, **asdict(row)))
        for left in decoded.unplaced:
            work.session.add(Unplaced(run_id=run_id, **asdict(left)))
        run.status = RunStatus.PROPOSED
        run.problem_hash, run.fingerprint = bridge.problem_hash, decoded.result["fingerprint"]
        run.result = decoded.result | {"waiting": waiting}
        work.record(
            "run.proposed",
            f"run:{run.id}",
            branch=run.branch_id,
            placed=len(decoded.placed),
            unplaced=len(decoded.unplaced),
        )


def nightly_plan(context: JobContext, arguments: dict[str, Any]) -> None:
    """Ask for a run over the branch's next seven days, once a night; the clocked job `plan.nightly`."""
    with context.work() as work:
        if context.once(work):
            branch_id = arguments["branch_id"]
            start_run(work, branch_id, today(work, branch_id), seconds=NIGHTLY_SECONDS, kind="nightly")
