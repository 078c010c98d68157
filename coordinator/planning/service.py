"""Planning runs: asking for one, doing it, stopping it, reading it. How one lives with its worker is in `life`."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import branches_of, require_branch
from coordinator.agency.service import today, zone_of
from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import RunStatus
from coordinator.jobs.context import JobContext
from coordinator.planning import clocks
from coordinator.planning.bridge import build
from coordinator.planning.decode import decode
from coordinator.planning.horizon import Horizon
from coordinator.planning.learning import learn_between
from coordinator.planning.life import AT_WORK, LOST_AFTER, Life, Write
from coordinator.planning.limits import DEFAULT_SECONDS, MOST_WAITING, check_days, check_search, last_day
from coordinator.planning.model import Placement, PlanRun, Unplaced
from coordinator.planning.places import points_of
from coordinator.planning.scene import load
from coordinator.planning.search import Found, Look, Task, search_apart
from coordinator.planning.waiting import waiting_orders
from coordinator.travel.times import Point

JOB = "plan.run"
KINDS = ("week", "nightly")
NIGHTLY_SECONDS = 120

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
    last = last_day(start_on, end_on, days)
    if kind not in KINDS:
        raise Invalid(f"A run is one of: {', '.join(KINDS)}.", pointer="/kind")
    check_days(work, branch_id, start_on, last)
    check_search(seconds, seed, iterations)
    _check_queue(work, branch_id)
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


def job_key(run_id: int) -> str:
    """Key of the job that does a run."""
    return f"{JOB}:{run_id}"


def _check_queue(work: Work, branch_id: int) -> None:
    waiting = work.session.execute(
        sa.select(sa.func.count())
        .select_from(PlanRun)
        .where(PlanRun.branch_id == branch_id, PlanRun.status.in_(AT_WORK))
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


def _record(work: Work, run: PlanRun, status: RunStatus) -> None:
    facts = {}
    if run.result is not None:
        facts = {"placed": run.result["placed"], "unplaced": run.result["left_out"]}
    work.record(f"run.{status.value}", f"run:{run.id}", branch=run.branch_id, **facts)


LIFE = Life(PlanRun, "run", _record)


def execute_run(context: JobContext, arguments: dict[str, Any]) -> None:
    """Do the run `arguments["run_id"]`; the job `plan.run`."""
    perform(context, arguments["run_id"], search_apart)


def perform(context: JobContext, run_id: int, search: Search) -> None:
    """Read, search, write. A run that is over already is left as it is."""
    LIFE.live(context, run_id, lambda: _plan(context, run_id, search))


def _plan(context: JobContext, run_id: int, search: Search) -> Write[PlanRun]:
    with context.work() as work:
        run = fetch(work.session, PlanRun, run_id, "run")
        clocks.attach(work, run.branch_id, Horizon(zone_of(work, run.branch_id), run.start_on, run.end_on))
    learned = learn_between(context, lambda work: _points(work, run_id))
    with context.work(write=False) as work:
        run = fetch(work.session, PlanRun, run_id, "run")
        horizon = Horizon(zone_of(work, run.branch_id), run.start_on, run.end_on)
        bridge = build(work, run.branch_id, horizon)
        waiting = waiting_orders(work, run.branch_id, horizon)
        owed = clocks.told(work, run.branch_id, horizon)
        work.record("run.read-records", f"run:{run.id}", branch=run.branch_id, visits=len(bridge.visits))
        task = Task(bridge.problem, bridge.start, run.seconds, run.seed, run.iterations)
    found = search(task, LIFE.look(context, run_id, len(bridge.wanted)))
    decoded = decode(bridge, found.outcome, found.explanation)
    result = decoded.result | {"travel_sources": bridge.places.ways.said(learned), "waiting": waiting}
    result["clocks"] = owed

    def write(work: Work, run: PlanRun) -> RunStatus:
        for row in decoded.placed:
            work.session.add(Placement(run_id=run_id, published=False, **asdict(row)))
        for left in decoded.unplaced:
            work.session.add(Unplaced(run_id=run_id, **asdict(left)))
        run.problem_hash, run.fingerprint = bridge.problem_hash, result["fingerprint"]
        run.result = result
        return RunStatus.PROPOSED

    return write


def _points(work: Work, run_id: int) -> list[Point]:
    """The places between which the run will want to know the ways."""
    run = fetch(work.session, PlanRun, run_id, "run")
    scene = load(work, run.branch_id, Horizon(zone_of(work, run.branch_id), run.start_on, run.end_on))
    return points_of(scene.branch, scene.patients.values(), scene.clinicians)


def nightly_plan(context: JobContext, arguments: dict[str, Any]) -> None:
    """Ask for a run over the branch's next seven days, once a night; the clocked job `plan.nightly`."""
    with context.work() as work:
        if context.once(work):
            branch_id = arguments["branch_id"]
            start_run(work, branch_id, today(work, branch_id), seconds=NIGHTLY_SECONDS, kind="nightly")
