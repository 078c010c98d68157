"""Deciding about a repair: all of it, some patients, or none; in one transaction, by the verbs that anybody would use.

Approval does first what happened (the absence, the cancellation, the hold), then what was proposed. Every rule is asked
again about the rows as they are; what changed since refuses the whole and says what to do.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency.service import zone_of
from coordinator.core.errors import Conflict, Forbidden, Invalid, StaleVersion
from coordinator.core.http import etag_of
from coordinator.core.work import Work, permitted
from coordinator.domain.events import RepairApproved, RepairRejected
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import RepairDeed, RepairKind, RepairStatus, VisitStatus
from coordinator.patients import service as patients
from coordinator.planning import rosters
from coordinator.planning.repairs.events import Happening, held_episodes
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.planning.repairs.service import needs, stale_days, visible_repair
from coordinator.staff import service as staff
from coordinator.staff.model import Clinician
from coordinator.visits import service as visits
from coordinator.visits import units
from coordinator.visits.model import Visit
from coordinator.visits.service import BookRequest, book_many

#: Kinds whose event is done to a patient's visits, whoever is named: approval always does these with it.
_OWN = frozenset({RepairKind.CANCELLED, RepairKind.HOSPITAL})

Days = set[tuple[int, date]]


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
        _happen(work, event)
        _forget_unwanted(work, repair, event, chosen)
        _take_away(work, [change for change in chosen if change.change is RepairDeed.REMOVED])
        _book(work, event, [change for change in chosen if change.change in (RepairDeed.MOVED, RepairDeed.ADDED)])
        _lengthen(work, event, repair, chosen)
    days = _days(work, repair, chosen) | _overrun_day(work, event)
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
    work.publish(RepairRejected(repair_id=repair.id))
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
    """The changes to do; those that only ask for a person's decision are never among them, and those of the visits that
    the event itself cancels or lays to rest always are.
    """
    doable = [change for change in repair.changes if change.change is not RepairDeed.DECIDE]
    if patient_ids is None:
        return doable
    wanted = set(patient_ids)
    if not wanted:
        raise Invalid("Name the patients, leave the list out for all, or reject the repair.", pointer="/patient_ids")
    if wanted - {change.patient_id for change in repair.changes}:
        raise Invalid("One of these patients is not in the repair.", pointer="/patient_ids")
    return [change for change in doable if change.patient_id in wanted or (change.hit and repair.kind in _OWN)]


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


def _forget_unwanted(work: Work, repair: Repair, event: Happening, chosen: Iterable[RepairChange]) -> None:
    """A cancelled visit that nobody wants any more needs no other hour: its patient is told that it was cancelled."""
    if event.kind is not RepairKind.CANCELLED:
        return
    for change in chosen:
        visit = work.session.get_one(Visit, change.visit_id)
        if visit.status is VisitStatus.CANCELLED and _instead_of(work, visit) is None:
            change.change, change.what = RepairDeed.CANCELLED, []
            change.clinician_id = change.starts_at = change.ends_at = change.face = None
    counts = {word.value: sum(1 for change in repair.changes if change.change is word) for word in RepairDeed}
    repair.result = repair.result | {"counts": repair.result["counts"] | counts}


def _instead_of(work: Work, visit: Visit) -> Visit | None:
    """The visit that is wanted in place of a cancelled one; of a second person's, the one beside the first's."""
    query = sa.select(Visit).where(Visit.is_current, Visit.status == VisitStatus.PROPOSED)
    own = work.session.scalar(query.where(Visit.replaces_id == visit.id))
    if own is not None or visit.joint_with_id is None:
        return own
    lead = _instead_of(work, work.session.get_one(Visit, visit.joint_with_id))
    return None if lead is None else work.session.scalar(query.where(Visit.joint_with_id == lead.id))


def _lengthen(work: Work, event: Happening, repair: Repair, chosen: Iterable[RepairChange]) -> None:
    """A visit that runs long lasts as long as it does, up to where something stands that a person has to decide about.

    Conflict when visits in its time are to stay there, for their patients were not named.
    """
    if event.kind is not RepairKind.OVERRUN:
        return
    visit = work.session.get_one(Visit, event.visit_id)
    if visit.status in DONE_VISIT:
        return  # it has ended meanwhile, and is on record as it was
    assert visit.ends_at is not None
    until = visit.ends_at + timedelta(minutes=event.minutes or 0)
    pinned = [change.old_starts_at for change in repair.changes if change.change is RepairDeed.DECIDE]
    pinned += [datetime.fromisoformat(slot["starts_at"]) for slot in repair.result.get("held_slots", [])]
    until = min([until, *(at for at in pinned if at is not None)])
    moved = {change.visit_id for change in chosen}
    staying = [
        change.visit_id
        for change in repair.changes
        if change.hit and change.visit_id not in moved and change.old_starts_at and change.old_starts_at < until
    ]
    if staying:
        raise Conflict(
            "The visit runs into others whose patients you have not named. Name them as well, or approve all of it.",
            code="overrun-in-the-way",
            blocking=[{"visit": number} for number in staying],
        )
    if until > visit.ends_at:
        visits.lengthen(work, visit.id, until)


def _overrun_day(work: Work, event: Happening) -> Days:
    """The day of a visit that runs long looks otherwise whether or not anybody has to move for it."""
    if event.kind is not RepairKind.OVERRUN:
        return set()
    visit = work.session.get_one(Visit, event.visit_id)
    if visit.clinician_id is None or visit.starts_at is None:
        return set()
    return {(visit.clinician_id, local_day(visit.starts_at, zone_of(work, visit.branch_id)))}


def remaining(work: Work, repair: Repair) -> list[dict[str, Any]]:
    """Of an approved absence: visits that are still with whoever is away, for their patients were not named or a person
    has to decide. Asked by the doors beside a verb.
    """
    if repair.status is not RepairStatus.APPROVED or repair.kind is not RepairKind.ABSENCE:
        return []
    event = Happening.from_json(repair.event)
    left = {change.visit_id for change in repair.changes if change.hit and not change.approved}
    rows = work.session.scalars(
        sa.select(Visit)
        .where(
            Visit.id.in_(sorted(left)),
            Visit.clinician_id == event.clinician_id,
            Visit.status.in_(units.AHEAD),
            Visit.starts_at < event.ends_at,
            Visit.ends_at > event.starts_at,
        )
        .order_by(Visit.starts_at, Visit.id)
    )
    return [{"visit": row.id, "clinician_id": row.clinician_id, "starts_at": row.starts_at} for row in rows]


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
            fresh = _instead_of(work, visit)
            assert fresh is not None  # what nobody wants any more is not placed
            visit = fresh
        assert change.clinician_id is not None
        assert change.starts_at is not None
        assert change.ends_at is not None
        requests.append(BookRequest(visit.id, visit.version, change.clinician_id, change.starts_at, change.ends_at))
    book_many(work, requests)
