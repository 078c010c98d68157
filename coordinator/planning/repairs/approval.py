"""Deciding about a repair: all of it, some patients, or none; in one transaction, by the verbs that anybody would use.

Approval does first what happened (the absence, the cancellation, the hold), then what was proposed. Every rule is asked
again about the rows as they are; what changed since refuses the whole and says what to do.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.agency.service import zone_of
from coordinator.core.errors import Conflict, Forbidden, Invalid, StaleVersion
from coordinator.core.http import etag_of
from coordinator.core.work import Work, permitted
from coordinator.domain.events import RepairApproved
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import RepairKind, RepairStatus, VisitStatus
from coordinator.patients import service as patients
from coordinator.planning import rosters
from coordinator.planning.repairs.events import Happening, held_episodes
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.planning.repairs.service import stale_days, visible_repair
from coordinator.staff import service as staff
from coordinator.staff.model import Clinician
from coordinator.visits import service as visits
from coordinator.visits import units
from coordinator.visits.model import Visit
from coordinator.visits.service import BookRequest, book_many

#: What approving an event does by a verb that not everybody may use.
NEEDS: dict[RepairKind, str] = {
    RepairKind.ABSENCE: "absence:record",
    RepairKind.CANCELLED: "visit:cancel",
    RepairKind.HOSPITAL: "episode:hold",
}

Days = set[tuple[int, date]]


def needs(repair: Repair) -> tuple[str, ...]:
    """The permissions that an approval of this repair takes."""
    own = NEEDS.get(repair.kind)
    return ("repair:decide", "visit:assign", "visit:confirm", *((own,) if own is not None else ()))


@permitted("repair:decide")
def approve(work: Work, repair_id: int, version: int, patient_ids: Sequence[int] | None = None) -> Repair:
    """What happened is recorded and the proposal is on the rosters, for all patients or for those that are named.

    StaleVersion when the repair or the days it was made from changed since; Conflict when it is decided already;
    Forbidden when it takes a verb that the actor may not use; RuleBroken and Conflict with what stands in the way.
    """
    repair = _undecided(work, repair_id, version)
    for permission in needs(repair):
        if not work.actor.may(permission):
            raise Forbidden(
                f"Approving this takes {permission}, which your role does not include. Ask somebody whose role does.",
                permission=permission,
            )
    _refuse_stale(work, repair)
    chosen = _chosen(repair, patient_ids)
    event = Happening.from_json(repair.event)
    with rosters.by_publication(work):
        days = _days(work, repair, chosen)
        _happen(work, event)
        _take_away(work, [change for change in chosen if change.change == "removed"])
        _book(work, event, [change for change in chosen if change.change in ("moved", "added")])
    people = rosters.raise_versions(work, days, cause="repair")
    for change in chosen:
        change.approved = True
    repair.status, repair.searching = RepairStatus.APPROVED, False
    repair.decided_at, repair.decided_by_id = work.now, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    for change in chosen:
        work.record(
            "repair.change", f"visit:{change.visit_id}", patient_id=change.patient_id, repair=repair.id,
            change=change.change, cause=change.cause.get("code"),
        )  # fmt: skip
    work.record(
        "repair.approved", f"repair:{repair.id}", branch=repair.branch_id, visits=len(chosen), clinicians=len(people)
    )
    work.publish(RepairApproved(repair_id=repair.id, clinician_ids=people))
    return repair


@permitted("repair:decide")
def reject(work: Work, repair_id: int, version: int) -> Repair:
    """Nothing of the repair is done, and what happened is not recorded by it either."""
    repair = _undecided(work, repair_id, version)
    repair.status, repair.searching = RepairStatus.REJECTED, False
    repair.decided_at, repair.decided_by_id = work.now, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    work.record("repair.rejected", f"repair:{repair.id}", branch=repair.branch_id)
    return repair


def _undecided(work: Work, repair_id: int, version: int) -> Repair:
    repair = visible_repair(work, repair_id, lock=True)
    if repair.status is not RepairStatus.PROPOSED:
        raise Conflict(
            f"The repair is {repair.status.value} already. Ask for a new one if something else happened.",
            code="repair-decided",
            state=repair.status,
        )
    if repair.version != version:
        raise StaleVersion("A better proposal has been found since you read it. Read it again.", etag=etag_of(repair))
    return repair


def _refuse_stale(work: Work, repair: Repair) -> None:
    days = stale_days(work, repair)
    gone = _changed_visits(work, repair)
    if days or gone:
        raise StaleVersion(
            "The days of this repair have changed since it was proposed. Ask for it again with the same event "
            "(POST /repairs), and reject this one.",
            code="repair-stale",
            blocking=[*days, *({"visit": number} for number in gone)],
        )


def _changed_visits(work: Work, repair: Repair) -> list[int]:
    versions = {change.visit_id: change.visit_version for change in repair.changes}
    rows = work.session.execute(sa.select(Visit.id, Visit.version).where(Visit.id.in_(sorted(versions))))
    return sorted(row.id for row in rows if row.version != versions[row.id])


def _chosen(repair: Repair, patient_ids: Iterable[int] | None) -> list[RepairChange]:
    """The changes to do; those that only ask for a person's decision are never among them."""
    doable = [change for change in repair.changes if change.change != "decide"]
    if patient_ids is None:
        return doable
    wanted = set(patient_ids)
    if not wanted:
        raise Invalid("Name the patients, leave the list out for all, or reject the repair.", pointer="/patient_ids")
    if wanted - {change.patient_id for change in repair.changes}:
        raise Invalid("One of these patients is not in the repair.", pointer="/patient_ids")
    return [change for change in doable if change.patient_id in wanted]


def _days(work: Work, repair: Repair, chosen: Iterable[RepairChange]) -> Days:
    """The clinician-days that look otherwise afterwards."""
    zone = zone_of(work, repair.branch_id)
    found: Days = set()
    for change in chosen:
        for who, when in ((change.old_clinician_id, change.old_starts_at), (change.clinician_id, change.starts_at)):
            if who is not None and when is not None:
                found.add((who, local_day(when, zone)))
    return found


def _happen(work: Work, event: Happening) -> None:
    """Record what happened, by the verb that records it."""
    if event.kind is RepairKind.ABSENCE:
        assert event.clinician_id is not None
        assert event.starts_at is not None
        assert event.ends_at is not None
        known = work.session.get_one(Clinician, event.clinician_id).time_off
        if not any(row.starts_at <= event.starts_at and event.ends_at <= row.ends_at for row in known):
            staff.record_absence(
                work,
                event.clinician_id,
                starts_at=event.starts_at,
                ends_at=event.ends_at,
                reason=event.reason or "sick",
            )
    elif event.kind is RepairKind.CANCELLED:
        assert event.visit_id is not None
        visits.cancel(work, event.visit_id, event.reason or "patient-asked")
    elif event.kind is RepairKind.HOSPITAL:
        assert event.patient_id is not None
        assert event.starts_at is not None
        for episode in held_episodes(work, event.patient_id, event.starts_at):
            patients.hold(work, episode.id, event.starts_at)
    work.session.flush()  # the rules are asked about what is now so


def _take_away(work: Work, removed: list[RepairChange]) -> None:
    """What the repair finds no place for is wanted again."""
    for change in removed:
        visit = work.session.get_one(Visit, change.visit_id)
        if visit.status in units.AHEAD:
            visits.unassign(work, visit.id)


def _book(work: Work, event: Happening, placed: list[RepairChange]) -> None:
    """Everything that has a place takes it; a cancelled visit's place is taken by the one that is wanted instead."""
    requests = []
    for change in placed:
        visit = work.session.get_one(Visit, change.visit_id)
        if event.kind is RepairKind.CANCELLED and visit.status is VisitStatus.CANCELLED:
            fresh = work.session.scalar(sa.select(Visit).where(Visit.replaces_id == visit.id, Visit.is_current))
            if fresh is None:
                continue  # nobody wants it any more
            visit = fresh
        assert change.clinician_id is not None
        assert change.starts_at is not None
        assert change.ends_at is not None
        requests.append(BookRequest(visit.id, visit.version, change.clinician_id, change.starts_at, change.ends_at))
    book_many(work, requests)
