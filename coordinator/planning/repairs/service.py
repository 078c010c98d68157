"""Repairs: asking for one, reading it, looking for a better one. Nothing here touches a visit; `approval` does.

The first proposal is found within the request, between a reading and a writing transaction (`core.thinking`); a job
looks for a better one as long as it was asked to, and replaces it only while nobody has decided.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from coordinator.access.scope import branches_of
from coordinator.agency.service import zone_of
from coordinator.core.db import fetch, locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound, Refusal
from coordinator.core.work import Work, permitted
from coordinator.domain.events import RepairProposed
from coordinator.domain.roles import permissions_of
from coordinator.domain.vocabulary import RepairKind, RepairStatus, Role
from coordinator.jobs.context import JobContext
from coordinator.planner import ProblemError
from coordinator.planner.repair import Budget
from coordinator.planning.apart import SearchFailedError
from coordinator.planning.horizon import Horizon
from coordinator.planning.repairs import events
from coordinator.planning.repairs.events import Happening
from coordinator.planning.repairs.looking import (
    NEAR_LATER,
    Answer,
    Draft,
    Look,
    Search,
    changed_days,
    describe,
    look,
)
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.planning.search import Cancelled, Heard, search_apart
from coordinator.planning.search import Look as Listener

log = structlog.get_logger("coordinator.planning")

JOB = "plan.repair"
#: Seconds of the search within the request beyond the very first answer, and of the job after it.
FIRST_SECONDS = 0.3
DEFAULT_SECONDS = 10
MOST_SECONDS = 120
DEFAULT_PATIENTS = 3
MOST_TOUCHED = 500
#: Repairs of a branch that are searched for at one time; the first answer is given however many there are.
MOST_SEARCHING = 5
LOST_AFTER = timedelta(minutes=10)

#: What approving an event does by a verb that not everybody may use.
NEEDS: dict[RepairKind, str] = {
    RepairKind.ABSENCE: "absence:record",
    RepairKind.CANCELLED: "visit:cancel",
    RepairKind.HOSPITAL: "episode:hold",
    RepairKind.OVERRUN: "visit:assign",
}

Searcher = Callable[[Search, Listener], Answer]


@dataclass(frozen=True, slots=True)
class Asked:
    """A repair that was asked for: what happened, and how much may be touched."""

    branch_id: int
    event: Happening
    budget: Budget
    seconds: int
    seed: int


# ------------------------------------------------------------------------------------ asking for a repair


@permitted("repair:propose")
def prepare(
    work: Work,
    branch_id: int,
    kind: RepairKind,
    given: Mapping[str, Any],
    *,
    max_patients: int | None = DEFAULT_PATIENTS,
    max_visits: int | None = None,
    seconds: int = DEFAULT_SECONDS,
    seed: int = 0,
    first_seconds: float = FIRST_SECONDS,
    scale: float = 1.0,
) -> "Prepared":
    """Everything is read that a first proposal needs; nothing is searched or changed yet."""
    event = events.check(work, branch_id, kind, given)
    for name, value in (("max_patients", max_patients), ("max_visits", max_visits)):
        if value is not None and not 0 <= value <= MOST_TOUCHED:
            raise Invalid(f"A budget is from 0 to {MOST_TOUCHED}, or nothing.", pointer=f"/budget/{name}")
    if not 0 <= seconds <= MOST_SECONDS:
        raise Invalid(f"A search takes from 0 to {MOST_SECONDS} seconds.", pointer="/seconds")
    asked = Asked(branch_id, event, Budget(max_patients, max_visits), seconds, seed)
    try:
        seen = look(work, branch_id, event)
    except ProblemError as error:
        # What stands is other than the event says, or stands against what can be planned at all.
        log.warning("repair not planned", branch=branch_id, kind=kind.value, field=error.field)
        raise Conflict(
            f"The days as they stand cannot be planned around this ({error}). Change the visits by hand.",
            code="repair-impossible",
        ) from None
    work.record("repair.read-records", f"branch:{branch_id}", visits=len(seen.bridge.visits), kind=kind.value)
    return Prepared(asked, seen, Search(seen.disruption, asked.budget, first_seconds, seed, scale))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A look at the rows, and the search that follows from it."""

    asked: Asked
    seen: Look
    search: Search

    def think(self) -> "Thought":
        """Search; no database is needed."""
        return Thought(self.asked, describe(self.seen, self.search.run()))


@dataclass(frozen=True, slots=True)
class Thought:
    """A first proposal that nobody has written down yet."""

    asked: Asked
    draft: Draft


def needs(repair: Repair) -> tuple[str, ...]:
    """The permissions that an approval of this repair takes."""
    own = NEEDS.get(repair.kind)
    return tuple(dict.fromkeys(["repair:decide", "visit:assign", "visit:confirm", *([own] if own is not None else [])]))


@permitted("repair:propose")
def propose(work: Work, thought: Thought, *, queue: bool = True) -> Repair:
    """The proposal is on record; `queue`: a worker looks for a better one, unless many are being looked for already.

    No visit is touched.
    """
    asked, draft = thought.asked, thought.draft
    queue = queue and asked.seconds > 0 and _searching(work, asked.branch_id) < MOST_SEARCHING
    repair = Repair(
        branch_id=asked.branch_id,
        kind=asked.event.kind,
        event=asked.event.as_json(),
        max_patients=asked.budget.max_patients,
        max_visits=asked.budget.max_visits,
        start_on=draft.start_on,
        end_on=draft.end_on,
        seconds=asked.seconds,
        seed=asked.seed,
        status=RepairStatus.PROPOSED,
        searching=queue,
        base=draft.base,
        result=draft.result,
        requested_by_id=work.actor.user_id,
        requested_at=work.now,
        changes=[RepairChange(approved=False, **change) for change in draft.changes],
    )
    work.session.add(repair)
    work.session.flush()  # the repair's number names its job
    work.record(
        "repair.proposed", f"repair:{repair.id}", branch=repair.branch_id, kind=repair.kind.value, **_counts(draft)
    )
    missing = {permission for permission in needs(repair) if not work.actor.may(permission)}
    if missing:  # somebody else has to decide, and does not know yet
        roles = [role for role in Role if missing | {"repair:decide"} <= permissions_of(frozenset({role}))]
        work.publish(
            RepairProposed(repair_id=repair.id, branch_id=repair.branch_id, roles=tuple(role.value for role in roles))
        )
    if repair.searching:
        work.later(JOB, job_key(repair.id), repair_id=repair.id)
    return repair


def _searching(work: Work, branch_id: int) -> int:
    """Repairs of the branch that a worker is looking at, or will."""
    longest = LOST_AFTER + timedelta(seconds=MOST_SECONDS)
    rows = work.session.scalars(
        sa.select(Repair)
        .where(Repair.branch_id == branch_id, Repair.searching.is_(True), Repair.requested_at > work.now - longest)
        .options(sa.orm.lazyload(Repair.changes))
    )
    return sum(1 for repair in rows if is_searching(repair, work.now))


def is_searching(repair: Repair, now: datetime) -> bool:
    """Whether a worker still looks for a better one; after its seconds and ten minutes more it has lost its worker."""
    return repair.searching and repair.requested_at > now - LOST_AFTER - timedelta(seconds=repair.seconds)


def job_key(repair_id: int) -> str:
    """Key of the job that looks for a better repair."""
    return f"{JOB}:{repair_id}"


def _counts(draft: Draft) -> dict[str, Any]:
    return {word: number for word, number in draft.result["counts"].items() if number and word != "kept"}


# ------------------------------------------------------------------------------------ reading


def visible_repair(work: Work, repair_id: int, *, lock: bool = False) -> Repair:
    """The repair, if its branch is the actor's; NotFound otherwise. Asked by other rooms and the verbs here, which name
    the permission themselves.
    """
    found = (
        locked(work.session, Repair, repair_id, "repair") if lock else fetch(work.session, Repair, repair_id, "repair")
    )
    mine = branches_of(work.actor)
    if mine is not None and found.branch_id not in mine:
        raise NotFound("repair")
    return found


@permitted("repair:read")
def get(work: Work, repair_id: int) -> Repair:
    """One repair with what it would change; the reading is on record for each patient in it."""
    repair = visible_repair(work, repair_id)
    work.record("repair.read", f"repair:{repair.id}", branch=repair.branch_id)
    for patient_id in sorted({change.patient_id for change in repair.changes}):
        work.record("repair.patient-read", f"repair:{repair.id}", patient_id=patient_id)
    return repair


@permitted("repair:read")
def search(work: Work, *, branch_id: int | None = None, status: RepairStatus | None = None) -> sa.Select[Any]:
    """The repairs of the actor's branches."""
    query = sa.select(Repair)
    mine = branches_of(work.actor)
    if mine is not None:
        query = query.where(Repair.branch_id.in_(sorted(mine)))
    if branch_id is not None:
        query = query.where(Repair.branch_id == branch_id)
    if status is not None:
        query = query.where(Repair.status == status)
    work.record("repair.listed", f"branch:{branch_id or 0}")
    return query


def stale_days(work: Work, repair: Repair) -> list[dict[str, Any]]:
    """The clinician-days that changed since the repair was proposed; none once it is decided. Asked by other rooms and
    by the doors beside a verb.
    """
    if repair.status is not RepairStatus.PROPOSED:
        return []
    horizon = Horizon(zone_of(work, repair.branch_id), repair.start_on, repair.end_on)
    return [{"clinician_id": who, "day": day.isoformat()} for who, day in changed_days(work, repair.base, horizon)]


# ------------------------------------------------------------------------------------ looking for a better one


def improve_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Look for a better repair than `arguments["repair_id"]` has; the job `plan.repair`."""
    improve(context, arguments["repair_id"], search_apart)


def improve(context: JobContext, repair_id: int, searcher: Searcher) -> None:
    """Read, search, write what is better; a repair that is decided, or whose days changed, is left as it is."""
    try:
        with context.work(write=False) as work:
            repair = fetch(work.session, Repair, repair_id, "repair")
            version = repair.version
            if repair.status is not RepairStatus.PROPOSED or stale_days(work, repair):
                found = None
            else:
                seen = look(work, repair.branch_id, Happening.from_json(repair.event), near=NEAR_LATER)
                budget = Budget(repair.max_patients, repair.max_visits)
                work.record("repair.read-records", f"repair:{repair.id}", visits=len(seen.bridge.visits))
                found = Search(seen.disruption, budget, float(repair.seconds), repair.seed)
        answer = None if found is None else searcher(found, _listener(context, repair_id))
    except (Cancelled, Refusal, ProblemError, SearchFailedError) as error:
        # The proposal stands as it is: it was good enough to be shown.
        log.warning("repair not improved", repair=repair_id, error=type(error).__name__)
        answer = None
    draft = None if answer is None else describe(seen, answer)
    with context.work() as work:
        repair = locked(work.session, Repair, repair_id, "repair")
        if not context.once(work):
            return
        past: dict[str, Any] = {"searching": False}
        if draft is not None and repair.status is RepairStatus.PROPOSED and repair.version == version:
            past |= _take_over(work, repair, draft)
        work.session.flush()
        # Past the version: whoever has read the proposal may still approve it, for it is the same one.
        work.session.execute(sa.update(Repair).where(Repair.id == repair.id).values(past))


def _take_over(work: Work, repair: Repair, draft: Draft) -> dict[str, Any]:
    """The better proposal takes the place of the first. If there is none, the cost curve is the longer search's all the
    same: columns that are to be written without a new version.
    """
    if _worth(draft.result) < _worth(repair.result):
        repair.changes.clear()
        work.session.flush()  # one row per visit: the old ones go before the new ones come
        repair.changes.extend(RepairChange(approved=False, **change) for change in draft.changes)
        repair.base, repair.result = draft.base, draft.result
        repair.start_on, repair.end_on = draft.start_on, draft.end_on
        touch(repair)
        work.record("repair.improved", f"repair:{repair.id}", branch=repair.branch_id, **_counts(draft))
        return {}
    return {"result": repair.result | {"curve": draft.result["curve"], "searches": draft.result["searches"]}}


def _worth(result: dict[str, Any]) -> tuple[int, int, int, int]:
    touched = result["touched"]
    return result["violations"], result["cost"]["total"], touched["patients"], touched["visits"]


def _listener(context: JobContext, repair_id: int) -> Listener:
    """Says that the job is alive, and stops the search when somebody has decided."""

    def heard(_progress: Heard | None) -> bool:
        context.heartbeat()
        with context.database.transaction(write=False) as session:
            status = session.execute(sa.select(Repair.status).where(Repair.id == repair_id)).scalar()
        return status is not RepairStatus.PROPOSED

    return heard
