"""From a proposal to what clinicians see: the difference first, then publication in one transaction.

Nothing of a run reaches a clinician before it is published. Publication asks every rule again, about the rows as they
are; a visit that changed since the run read it refuses the whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.agency.service import zone_of
from coordinator.core.errors import Conflict, Invalid, StaleVersion
from coordinator.core.http import etag_of
from coordinator.core.work import Work, permitted
from coordinator.domain.events import RosterPublished
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import RunStatus, VisitStatus
from coordinator.planning import rosters
from coordinator.planning.model import Placement, PlanRun, Unplaced
from coordinator.planning.service import require_result, visible_run
from coordinator.visits.model import Visit
from coordinator.visits.publishing import SetAside
from coordinator.visits.service import BookRequest, book_many, unassign

#: Where a visit that stands may still be taken away or moved.
AHEAD = frozenset({VisitStatus.PENDING, VisitStatus.BOOKED})


@dataclass(frozen=True, slots=True)
class Change:
    """What the run does to one visit."""

    visit: Visit
    #: `added`, `moved`, `kept` or `removed`.
    change: str
    #: Of a moved visit: any of `clinician`, `day`, `time`.
    what: tuple[str, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    cause: dict[str, Any]
    #: The patient had been told of the old time.
    told: bool
    #: The visit changed since the run read it: publication would refuse.
    stale: bool

    def as_dict(self) -> dict[str, Any]:
        """In plain values."""
        return {
            "visit": self.visit.id,
            "patient_id": self.visit.patient_id,
            "discipline": self.visit.discipline.value,
            "kind": self.visit.kind.value,
            "change": self.change,
            "what": list(self.what),
            "before": self.before,
            "after": self.after,
            "cause": self.cause,
            "told": self.told,
            "stale": self.stale,
        }


@permitted("run:read")
def diff(work: Work, run_id: int) -> dict[str, Any]:
    """What would be other than it is: the changes by patient and by clinician, each with its cause."""
    run = require_result(visible_run(work, run_id))
    changes = _changes(work, run)
    by_patient: dict[int, list[dict[str, Any]]] = defaultdict(list)
    by_clinician: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        said = change.as_dict()
        by_patient[change.visit.patient_id].append(said)
        for clinician_id in sorted({place["clinician_id"] for place in (change.before, change.after) if place}):
            by_clinician[clinician_id].append(said)
    counts: dict[str, Any] = {word: sum(1 for change in changes if change.change == word) for word in WORDS}
    work.record("run.compared", f"run:{run.id}", branch=run.branch_id, **counts)
    return {
        "run_id": run.id,
        "branch_id": run.branch_id,
        "status": run.status,
        "zone": zone_of(work, run.branch_id).key,
        "counts": counts | {"told": sum(1 for change in changes if change.told and change.change in CHANGES)},
        "by_patient": [{"patient_id": number, "changes": mine} for number, mine in sorted(by_patient.items())],
        "by_clinician": [{"clinician_id": number, "changes": mine} for number, mine in sorted(by_clinician.items())],
        "stale": [change.visit.id for change in changes if change.stale],
    }


#: The words of a difference, and those of them that change something.
WORDS = ("added", "moved", "kept", "removed")
CHANGES = frozenset({"added", "moved", "removed"})


def _changes(work: Work, run: PlanRun) -> list[Change]:
    zone = zone_of(work, run.branch_id)
    placements = list(
        work.session.execute(
            sa.select(Placement).where(Placement.run_id == run.id).order_by(Placement.visit_id)
        ).scalars()
    )
    taken = list(
        work.session.execute(
            sa.select(Unplaced)
            .where(Unplaced.run_id == run.id, Unplaced.old_clinician_id.is_not(None))
            .order_by(Unplaced.visit_id)
        ).scalars()
    )
    ids = [row.visit_id for row in placements] + [row.visit_id for row in taken]
    visits = {row.id: row for row in work.session.execute(sa.select(Visit).where(Visit.id.in_(ids))).scalars()}
    found = []
    for row in placements:
        visit = visits[row.visit_id]
        before = _place(row.old_clinician_id, row.old_starts_at, None)
        what = _what(row, zone)
        found.append(
            Change(
                visit=visit,
                change="added" if before is None else "moved" if what else "kept",
                what=what,
                before=before,
                after=_place(row.clinician_id, row.starts_at, row.ends_at),
                cause=row.cause,
                told=visit.told_patient_at is not None,
                stale=not row.published and visit.version != row.visit_version,
            )
        )
    for left in taken:
        visit = visits[left.visit_id]
        found.append(
            Change(
                visit=visit,
                change="removed",
                what=(),
                before=_place(left.old_clinician_id, left.old_starts_at, None),
                after=None,
                cause=_why_removed(left),
                told=visit.told_patient_at is not None,
                stale=run.status is RunStatus.PROPOSED and visit.version != left.visit_version,
            )
        )
    return sorted(found, key=lambda change: change.visit.id)


def _place(clinician_id: int | None, starts_at: datetime | None, ends_at: datetime | None) -> dict[str, Any] | None:
    if clinician_id is None or starts_at is None:
        return None
    return {"clinician_id": clinician_id, "starts_at": starts_at, "ends_at": ends_at}


def _what(row: Placement, zone: Any) -> tuple[str, ...]:
    if row.old_clinician_id is None or row.old_starts_at is None:
        return ()
    what = [] if row.old_clinician_id == row.clinician_id else ["clinician"]
    if local_day(row.old_starts_at, zone) != local_day(row.starts_at, zone):
        what.append("day")
    elif row.old_starts_at != row.starts_at:
        what.append("time")
    return tuple(what)


def _why_removed(left: Unplaced) -> dict[str, Any]:
    """Of all reasons the one that concerns who had the visit, else the first."""
    own = [reason for reason in left.reasons if left.old_clinician_id in reason["clinician_ids"]]
    first = (own or left.reasons)[0]
    return {"code": first["code"], "sentence": first["sentence"]}


# ------------------------------------------------------------------------------------ publication


@permitted("run:publish")
def publish(
    work: Work,
    run_id: int,
    version: int,
    only_visit_ids: Sequence[int] | None = None,
    asides: Sequence[SetAside] = (),
) -> PlanRun:
    """The run's changes are booked and on the rosters, all of them or none; `only_visit_ids` takes some of them.

    `asides`: which rules are set aside for which visits, by whoever may, each with its reason.

    StaleVersion when the run or a visit changed since, naming the visits; RuleBroken with every finding; Conflict when
    the run is not a proposal, be it because somebody else published it a moment ago.
    """
    run = visible_run(work, run_id, lock=True)
    if run.status is not RunStatus.PROPOSED:
        raise Conflict(
            f"The run is {run.status.value}: only a proposal can be published.",
            code="run-not-proposed",
            state=run.status,
        )
    if run.version != version:
        raise StaleVersion("The run was changed since you read it. Read it again.", etag=etag_of(run))
    chosen = _chosen(_changes(work, run), only_visit_ids)
    _refuse_stale(chosen)
    if strange := sorted({aside.visit_id for aside in asides} - {change.visit.id for change in chosen}):
        raise Invalid(f"Visit {strange[0]} is not published: nothing is set aside for it.", pointer="/overrides")
    with rosters.by_publication(work):
        days = _take_away(work, run, [change for change in chosen if change.change == "removed"])
        days |= _book(work, run, [change for change in chosen if change.change != "removed"], asides)
    people = rosters.raise_versions(work, days, cause="publish", run_id=run.id)
    run.status, run.published_at, run.published_by_id = RunStatus.PUBLISHED, work.now, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    work.record("run.published", f"run:{run.id}", branch=run.branch_id, visits=len(chosen), clinicians=len(people))
    work.publish(RosterPublished(run_id=run.id, clinician_ids=people))
    return run


def _chosen(changes: list[Change], only: Iterable[int] | None) -> list[Change]:
    if only is None:
        return changes
    wanted, known = set(only), {change.visit.id for change in changes}
    if not wanted:
        raise Invalid("Say which visits are published, or leave the list out for all.", pointer="/only_visit_ids")
    if strange := sorted(wanted - known):
        raise Invalid(f"Visit {strange[0]} is not placed or moved by this run.", pointer="/only_visit_ids")
    return [change for change in changes if change.visit.id in wanted]


def _refuse_stale(changes: Sequence[Change]) -> None:
    stale = [change.visit.id for change in changes if change.stale]
    if stale:
        raise StaleVersion(
            f"{len(stale)} of the plan's visits changed since it was made. Plan again, or publish without them: "
            "name the visits to publish in only_visit_ids (those of `publishable`).",
            publishable=[change.visit.id for change in changes if not change.stale],
            visits=stale,
            blocking=[{"visit": number} for number in stale],
        )


Days = set[tuple[int, date]]


def _take_away(work: Work, run: PlanRun, removed: list[Change]) -> Days:
    """Visits that the plan cannot keep are wanted again; their days change for whoever saw them."""
    zone, days = zone_of(work, run.branch_id), set()
    for change in removed:
        visit = change.visit
        if visit.status not in AHEAD:
            continue  # went with the first person's visit
        assert change.before is not None
        if visit.status is VisitStatus.BOOKED:
            days.add((change.before["clinician_id"], local_day(change.before["starts_at"], zone)))
        unassign(work, visit.id)
    return days


def _book(work: Work, run: PlanRun, placed: list[Change], asides: Sequence[SetAside]) -> Days:
    """Whatever is not already as the plan has it is booked; the days before and after change."""
    zone = zone_of(work, run.branch_id)
    rows = {
        row.visit_id: row
        for row in work.session.execute(sa.select(Placement).where(Placement.run_id == run.id)).scalars()
    }
    days: Days = set()
    requests = []
    for change in placed:
        row, visit = rows[change.visit.id], change.visit
        row.published = True
        as_it_is = visit.status is VisitStatus.BOOKED and visit.published_at is not None
        if change.change == "kept" and as_it_is:
            continue
        if visit.status is VisitStatus.BOOKED and visit.clinician_id is not None and visit.starts_at is not None:
            days.add((visit.clinician_id, local_day(visit.starts_at, zone)))
        days.add((row.clinician_id, local_day(row.starts_at, zone)))
        requests.append(BookRequest(visit.id, visit.version, row.clinician_id, row.starts_at, row.ends_at))
    book_many(work, requests, asides)
    return days
