"""Scenarios: named, run beside the live plan, compared with it. They never touch a row of care and are not published.

A run builds the days twice from the same rows, as they are and as the scenario has them, and searches both with the
same seed for as long. No transaction is open while the planner searches.
"""

from collections.abc import Mapping
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
from coordinator.planning import scenarios
from coordinator.planning.bridge import assemble
from coordinator.planning.horizon import Horizon
from coordinator.planning.scene import load
from coordinator.planning.search import Cancelled, Heard, Look, SearchFailedError, Task, search_apart
from coordinator.planning.service import (
    DEFAULT_SECONDS,
    LONGEST_DAYS,
    LOST_AFTER,
    MOST_ITERATIONS,
    MOST_SECONDS,
    MOST_WAITING,
    OVER,
    Search,
)
from coordinator.planning.side_by_side import compare
from coordinator.planning.what_if_changes import checked
from coordinator.planning.what_if_model import Scenario, ScenarioRun

log = structlog.get_logger("coordinator.planning")

JOB = "plan.what-if"
#: Scenarios that a branch may keep.
MOST_SCENARIOS = 200
AT_WORK = (RunStatus.QUEUED, RunStatus.RUNNING)


# ------------------------------------------------------------------------------------ naming one


@permitted("scenario:edit")
def create(
    work: Work,
    branch_id: int,
    name: str,
    start_on: date,
    changes: Mapping[str, Any],
    *,
    end_on: date | None = None,
    days: int = 7,
) -> Scenario:
    """The scenario is kept under its name; nothing is searched yet.

    `changes` holds lists `new_clinicians`, `without_clinicians` and `more_referrals` and the table `prices`, as the API
    describes them. What names nobody, no place or no frequency is Invalid, by its place in them.
    """
    require_branch(work, branch_id)
    zone_of(work, branch_id)  # NotFound for a branch that is not there
    ordinal = min(start_on.toordinal() + days - 1, date.max.toordinal())
    last = end_on if end_on is not None else date.fromordinal(ordinal)
    _check_days(work, branch_id, start_on, last)
    kept = checked(work, branch_id, changes, start_on, last)
    _check_name(work, branch_id, name)
    scenario = Scenario(
        branch_id=branch_id, name=name, start_on=start_on, end_on=last, changes=kept, made_by_id=work.actor.user_id,
        made_at=work.now,
    )  # fmt: skip
    work.session.add(scenario)
    work.session.flush()  # the number is in the answer and in the trail
    work.record("scenario.created", f"scenario:{scenario.id}", branch=branch_id, **_counts(kept))
    return scenario


def _counts(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: len(entries) for name, entries in changes.items()}


def _check_days(work: Work, branch_id: int, start_on: date, last: date) -> None:
    if start_on.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise Invalid(f"The days lie in the years {FIRST_YEAR} to {LAST_YEAR}.", pointer="/start_on")
    if last < start_on:
        raise Invalid("The last day is before the first.", pointer="/end_on")
    if (last - start_on).days + 1 > LONGEST_DAYS:
        raise Invalid(f"At most {LONGEST_DAYS} days are compared at once.", pointer="/end_on")
    if last < today(work, branch_id):
        raise Invalid("These days are over: nothing can be otherwise in them.", pointer="/start_on")


def _check_name(work: Work, branch_id: int, name: str) -> None:
    names = set(work.session.scalars(sa.select(Scenario.name).where(Scenario.branch_id == branch_id)))
    if name in names:
        raise Conflict("The branch has a scenario of that name. Choose another.", code="scenario-exists")
    if len(names) >= MOST_SCENARIOS:
        raise Conflict(f"A branch keeps {MOST_SCENARIOS} scenarios at most. Delete one.", code="too-many-scenarios")


# ------------------------------------------------------------------------------------ reading


def visible(work: Work, scenario_id: int, *, lock: bool = False) -> Scenario:
    """The scenario, if its branch is the actor's; NotFound otherwise. Asked by the verbs here and by the door."""
    found = (
        locked(work.session, Scenario, scenario_id, "scenario")
        if lock
        else fetch(work.session, Scenario, scenario_id, "scenario")
    )
    mine = branches_of(work.actor)
    if mine is not None and found.branch_id not in mine:
        raise NotFound("scenario")
    return found


@permitted("scenario:read")
def get(work: Work, scenario_id: int) -> Scenario:
    """One scenario with its changes."""
    scenario = visible(work, scenario_id)
    work.record("scenario.read", f"scenario:{scenario.id}", branch=scenario.branch_id)
    return scenario


@permitted("scenario:read")
def search(work: Work, *, branch_id: int | None = None) -> sa.Select[Any]:
    """The scenarios of the actor's branches."""
    query = sa.select(Scenario)
    mine = branches_of(work.actor)
    if mine is not None:
        query = query.where(Scenario.branch_id.in_(sorted(mine)))
    if branch_id is not None:
        query = query.where(Scenario.branch_id == branch_id)
    work.record("scenario.listed", f"branch:{branch_id or 0}")
    return query


@permitted("scenario:read")
def newest_run(work: Work, scenario_id: int) -> ScenarioRun:
    """The scenario's newest run; Conflict if it was never run."""
    scenario = visible(work, scenario_id)
    run = work.session.scalar(
        sa.select(ScenarioRun).where(ScenarioRun.scenario_id == scenario.id).order_by(ScenarioRun.id.desc()).limit(1)
    )
    if run is None:
        raise Conflict("The scenario was not run yet. Run it.", code="scenario-not-run")
    work.record("scenario.result-read", f"scenario:{scenario.id}", branch=scenario.branch_id, run=run.id)
    return run


# ------------------------------------------------------------------------------------ running and ending


@permitted("scenario:edit")
def start_run(
    work: Work,
    scenario_id: int,
    *,
    seconds: int = DEFAULT_SECONDS,
    seed: int = 0,
    iterations: int | None = None,
    queue: bool = True,
) -> ScenarioRun:
    """A comparison is in the queue (`queue=False`: the caller does it): both plans are searched alike."""
    scenario = visible(work, scenario_id, lock=True)
    for name, value, low, high in (
        ("seconds", seconds, 1, MOST_SECONDS), ("seed", seed, 0, 2**31 - 1), ("iterations", iterations, 1,
         MOST_ITERATIONS),
    ):  # fmt: skip
        if value is not None and not low <= value <= high:
            raise Invalid(f"From {low} to {high}.", pointer=f"/{name}")
    if scenario.end_on < today(work, scenario.branch_id):
        raise Conflict("The scenario's days are over.", code="scenario-over")
    _check_queue(work, scenario)
    run = ScenarioRun(
        scenario_id=scenario.id, seconds=seconds, seed=seed, iterations=iterations, status=RunStatus.QUEUED,
        cancel_requested=False, requested_by_id=work.actor.user_id, requested_at=work.now,
    )  # fmt: skip
    work.session.add(run)
    work.session.flush()  # the run's number names its job
    work.record("scenario.run-started", f"scenario:{scenario.id}", branch=scenario.branch_id, run=run.id)
    if queue:
        work.later(JOB, job_key(run.id), run_id=run.id)
    return run


def _check_queue(work: Work, scenario: Scenario) -> None:
    waiting = work.session.execute(
        sa.select(ScenarioRun.id, ScenarioRun.scenario_id)
        .join(Scenario, Scenario.id == ScenarioRun.scenario_id)
        .where(Scenario.branch_id == scenario.branch_id, ScenarioRun.status.in_(AT_WORK))
        .order_by(ScenarioRun.id)
    ).all()
    mine = [row.id for row in waiting if row.scenario_id == scenario.id]
    if mine:
        raise Conflict(
            "The scenario is being run already.", code="scenario-running", blocking=[{"run": number} for number in mine]
        )
    if len(waiting) >= MOST_WAITING:
        raise Conflict(
            f"{len(waiting)} scenarios of this branch are waiting or at work. Wait for one, or cancel one.",
            code="too-many-runs",
        )


def job_key(run_id: int) -> str:
    """Key of the job that does a run."""
    return f"{JOB}:{run_id}"


@permitted("scenario:edit")
def cancel(work: Work, scenario_id: int) -> ScenarioRun:
    """The scenario's run that waits is cancelled; one at work is asked to stop, and will within a second or two."""
    scenario = visible(work, scenario_id)
    run = work.session.scalar(
        sa.select(ScenarioRun)
        .where(ScenarioRun.scenario_id == scenario.id, ScenarioRun.status.in_(AT_WORK))
        .order_by(ScenarioRun.id.desc())
        .limit(1)
        .with_for_update()
    )
    if run is None:
        raise Conflict("The scenario is not being run: there is nothing to cancel.", code="run-over")
    lost = run.started_at is not None and run.started_at + timedelta(seconds=2 * run.seconds) + LOST_AFTER < work.now
    if run.status is RunStatus.QUEUED or lost:
        run.status, run.finished_at = RunStatus.CANCELLED, work.now
    run.cancel_requested = True
    work.record("scenario.run-cancelled", f"scenario:{scenario.id}", branch=scenario.branch_id, run=run.id)
    return run


@permitted("scenario:edit")
def delete(work: Work, scenario_id: int) -> None:
    """The scenario and its runs are gone; Conflict while one is at work."""
    scenario = visible(work, scenario_id, lock=True)
    busy = work.session.scalars(
        sa.select(ScenarioRun.id).where(ScenarioRun.scenario_id == scenario.id, ScenarioRun.status.in_(AT_WORK))
    ).all()
    if busy:
        raise Conflict(
            "The scenario is being run. Cancel the run first.", code="scenario-running",
            blocking=[{"run": number} for number in busy],
        )  # fmt: skip
    work.session.execute(sa.delete(ScenarioRun).where(ScenarioRun.scenario_id == scenario.id))
    work.session.delete(scenario)
    work.record("scenario.deleted", f"scenario:{scenario_id}", branch=scenario.branch_id)


# ------------------------------------------------------------------------------------ doing a run


def execute_run(context: JobContext, arguments: dict[str, Any]) -> None:
    """Do the comparison `arguments["run_id"]`; the job `plan.what-if`."""
    perform(context, arguments["run_id"], search_apart)


def perform(context: JobContext, run_id: int, search: Search) -> None:
    """Read, search twice, write. A run that is over, or gone with its scenario, is left as it is."""
    if not _begin(context, run_id):
        return
    try:
        with context.work(write=False) as work:
            run = fetch(work.session, ScenarioRun, run_id, "run")
            scenario = fetch(work.session, Scenario, run.scenario_id, "scenario")
            horizon = Horizon(zone_of(work, scenario.branch_id), scenario.start_on, scenario.end_on)
            scene = load(work, scenario.branch_id, horizon)
            base = assemble(work, scene)
            changed = scenarios.apply(scene, scenario.changes, work.policy, seed=run.seed)
            variant = scenarios.build(work, changed)
            work.record("scenario.read-records", f"scenario:{scenario.id}", branch=scenario.branch_id, run=run_id)
            tasks = {
                name: Task(bridge.problem, bridge.start, run.seconds, run.seed, run.iterations)
                for name, bridge in (("base", base), ("variant", variant))
            }
        found = {name: search(task, _looker(context, run_id, name, task)) for name, task in tasks.items()}
    except Cancelled:
        _finish(context, run_id, RunStatus.CANCELLED)
    except (Refusal, ProblemError, SearchFailedError) as error:
        # Trying again would fail again: the run says so, in words that hold no patient's.
        log.error("scenario failed", run=run_id, error=type(error).__name__)
        _finish(context, run_id, RunStatus.FAILED, error=str(error))
    except (DBAPIError, Superseded):
        raise  # another try may go better; or another worker has the run now
    except Exception as error:
        _finish(context, run_id, RunStatus.FAILED, error=f"A fault of ours ({type(error).__name__}); it was logged.")
        raise
    else:
        same_prices = changed.prices == context.workshop.policy.prices
        result = compare((base, found["base"]), (variant, found["variant"]), same_prices=same_prices)
        _finish(context, run_id, RunStatus.ANSWERED, result=result)


def _begin(context: JobContext, run_id: int) -> bool:
    with context.work() as work:
        run = work.session.get(ScenarioRun, run_id, with_for_update=True)
        if run is None or run.status in OVER:
            return False
        run.status, run.started_at, run.progress = RunStatus.RUNNING, work.now, None
    return True


def _looker(context: JobContext, run_id: int, part: str, task: Task) -> Look:
    """Tells of progress about every second or two, and asks whether to go on."""
    ticks = [0]

    def look(heard: Heard | None) -> bool:
        ticks[0] += 1
        if heard is None and ticks[0] % 4 != 1:
            return False
        context.heartbeat()
        said = {"part": part, "wanted": len(task.problem.visits)}
        if heard is not None:
            values = asdict(heard)
            said |= {"seconds": round(values["seconds"], 1), "iterations": values["iteration"]}
            said |= {"placed": values["placed"], "cost": values["cost"]}
        try:
            return _tell(context, run_id, said)
        except DBAPIError:
            return False  # others hold the writer's place: progress can wait, and the result will be written

    return look


def _tell(context: JobContext, run_id: int, said: dict[str, Any]) -> bool:
    with context.database.transaction() as session:
        session.execute(
            sa.update(ScenarioRun)
            .where(ScenarioRun.id == run_id, ScenarioRun.status == RunStatus.RUNNING)
            .values(progress=said)
        )
        stop = session.execute(sa.select(ScenarioRun.cancel_requested).where(ScenarioRun.id == run_id)).scalar()
    return stop is None or bool(stop)


def _finish(
    context: JobContext,
    run_id: int,
    status: RunStatus,
    *,
    error: str | None = None,
    result: dict[str, Any] | None = None,
) -> None:
    with context.work() as work:
        run = work.session.get(ScenarioRun, run_id, with_for_update=True)
        if run is None or run.status in OVER or not context.once(work):
            return
        run.finished_at = work.now
        if run.cancel_requested:
            status, error, result = RunStatus.CANCELLED, None, None
        run.status, run.error, run.result = status, error, result
        work.record(f"scenario.run-{status.value}", f"scenario:{run.scenario_id}", run=run_id)


__all__ = [
    "JOB", "cancel", "create", "delete", "execute_run", "get", "job_key", "newest_run", "perform",
    "search", "start_run", "visible",
]  # fmt: skip
