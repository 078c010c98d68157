"""Scenarios: named, run beside the live plan, compared with it. They never touch a row of care and are not published.

A run builds the days twice from the same rows, as they are and as the scenario has them, and searches both with the
same seed for as long. No transaction is open while the planner searches.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import branches_of, require_branch
from coordinator.agency.service import today, zone_of
from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import RunStatus
from coordinator.jobs.context import JobContext
from coordinator.planning import scenarios
from coordinator.planning.bridge import assemble
from coordinator.planning.horizon import Horizon
from coordinator.planning.life import AT_WORK, LOST_AFTER, Life, Write
from coordinator.planning.limits import DEFAULT_SECONDS, MOST_WAITING, check_days, check_search, last_day
from coordinator.planning.scene import load
from coordinator.planning.search import Task, search_apart
from coordinator.planning.service import Search
from coordinator.planning.side_by_side import compare
from coordinator.planning.what_if_changes import checked
from coordinator.planning.what_if_model import Scenario, ScenarioRun

JOB = "plan.what-if"
#: Scenarios that a branch may keep.
MOST_SCENARIOS = 200


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
    last = last_day(start_on, end_on, days)
    check_days(work, branch_id, start_on, last)
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
    check_search(seconds, seed, iterations)
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


def _record(work: Work, run: ScenarioRun, status: RunStatus) -> None:
    work.record(f"scenario.run-{status.value}", f"scenario:{run.scenario_id}", run=run.id)


LIFE = Life(ScenarioRun, "scenario", _record)


def execute_run(context: JobContext, arguments: dict[str, Any]) -> None:
    """Do the comparison `arguments["run_id"]`; the job `plan.what-if`."""
    perform(context, arguments["run_id"], search_apart)


def perform(context: JobContext, run_id: int, search: Search) -> None:
    """Read, search twice, write. A run that is over, or gone with its scenario, is left as it is."""
    LIFE.live(context, run_id, lambda: _compare(context, run_id, search))


def _compare(context: JobContext, run_id: int, search: Search) -> Write[ScenarioRun]:
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
    found = {
        name: search(task, LIFE.look(context, run_id, len(task.problem.visits), part=name))
        for name, task in tasks.items()
    }
    same_prices = changed.prices == context.workshop.policy.prices
    result = compare((base, found["base"]), (variant, found["variant"]), same_prices=same_prices)

    def write(_work: Work, run: ScenarioRun) -> RunStatus:
        run.result = result
        return RunStatus.ANSWERED

    return write


__all__ = [
    "JOB", "cancel", "create", "delete", "execute_run", "get", "job_key", "newest_run", "perform",
    "search", "start_run", "visible",
]  # fmt: skip
