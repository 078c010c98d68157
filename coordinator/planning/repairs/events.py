"""What happened, as it is said at the door: checked against the rows, kept as plain values, told to the planner."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.access.scope import require_branch
from coordinator.agency.service import zone_of
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_VISIT
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.domain.vocabulary import RepairKind, VisitKind, VisitStatus
from coordinator.patients.model import Episode, Patient
from coordinator.patients.scope import require_sight
from coordinator.planner.disruption import Absence, Cancellation, Event, Hospital, Overrun, Urgency
from coordinator.planning.bridge import Bridge
from coordinator.planning.horizon import Horizon
from coordinator.staff import sheet
from coordinator.staff.duty import LONGEST_ABSENCE_DAYS
from coordinator.visits import held, placing, queries, units
from coordinator.visits.model import Visit

#: Days that one repair looks at, from the first that the event concerns.
LONGEST_DAYS = 14
#: A visit that runs longer than this needs a run of its own.
MOST_MINUTES_OVER = 480

_NEEDED: dict[RepairKind, tuple[str, ...]] = {
    RepairKind.ABSENCE: ("clinician_id",),
    RepairKind.CANCELLED: ("visit_id",),
    RepairKind.URGENT: ("visit_id", "latest_at"),
    RepairKind.OVERRUN: ("visit_id", "minutes"),
    RepairKind.HOSPITAL: ("patient_id",),
}
_ALLOWED: dict[RepairKind, frozenset[str]] = {
    RepairKind.ABSENCE: frozenset({"clinician_id", "starts_at", "ends_at", "first_day", "last_day", "reason"}),
    RepairKind.CANCELLED: frozenset({"visit_id", "reason"}),
    RepairKind.URGENT: frozenset({"visit_id", "latest_at"}),
    RepairKind.OVERRUN: frozenset({"visit_id", "minutes"}),
    RepairKind.HOSPITAL: frozenset({"patient_id", "starts_at"}),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, checked. Instants are UTC; what does not belong to its kind is None."""

    kind: RepairKind
    clinician_id: int | None = None
    visit_id: int | None = None
    patient_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    latest_at: datetime | None = None
    minutes: int | None = None
    reason: str | None = None
    #: Of a cancelled visit: somebody still wants it, on another day.
    again: bool = True

    def as_json(self) -> dict[str, Any]:
        """In plain values, without what is None."""
        said = {
            name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value is not None
        }
        return said | {"kind": self.kind.value}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Happening":
        """What `as_json` wrote."""
        values: dict[str, Any] = {
            name: datetime.fromisoformat(value) if name.endswith("_at") else value for name, value in said.items()
        }
        return cls(**(values | {"kind": RepairKind(said["kind"])}))


def check(work: Work, branch_id: int, kind: RepairKind, given: Mapping[str, Any]) -> Happening:
    """The event, if it can have happened to a plan of this branch; else a refusal that names the field."""
    require_branch(work, branch_id)
    zone_of(work, branch_id)  # NotFound for a branch that is not there
    said = {name: value for name, value in given.items() if value is not None}
    for name in _NEEDED[kind]:
        if name not in said:
            raise Invalid(f"An event of kind {kind.value} names its {name}.", pointer=f"/event/{name}")
    for name in said:
        if name not in _ALLOWED[kind]:
            raise Invalid(f"An event of kind {kind.value} has no {name}.", pointer=f"/event/{name}")
    return _CHECKS[kind](work, branch_id, said)


def _absence(work: Work, branch_id: int, said: dict[str, Any]) -> Happening:
    queries.the_clinician(work, said["clinician_id"], branch_id)
    starts_at, ends_at = _stretch(said, zone_of(work, branch_id), work.now)
    if ends_at <= starts_at:
        raise Invalid("An absence ends after it begins.", pointer="/event/ends_at")
    if ends_at <= work.now:
        raise Invalid("This absence is over: there is nothing left to repair.", pointer="/event/ends_at")
    if (ends_at - starts_at).days > LONGEST_ABSENCE_DAYS:
        raise Invalid("For somebody who left, make the clinician inactive instead.", pointer="/event/ends_at")
    return Happening(
        RepairKind.ABSENCE,
        clinician_id=said["clinician_id"],
        starts_at=starts_at,
        ends_at=ends_at,
        reason=sheet.code(said.get("reason", "sick"), "/event/reason"),
    )


def _stretch(said: dict[str, Any], zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The two instants, the first now unless it is said; or whole days in the branch's zone."""
    first: date | None = said.get("first_day")
    last: date | None = said.get("last_day", first)
    if first is not None and last is not None and "starts_at" not in said and "ends_at" not in said:
        if last < first:
            raise Invalid("The last day is before the first.", pointer="/event/last_day")
        return day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    if "ends_at" not in said or first is not None or last is not None:
        raise Invalid("Give ends_at (and starts_at), or first_day and last_day.", pointer="/event/ends_at")
    return said.get("starts_at", now), said["ends_at"]


def _the_visit(work: Work, branch_id: int, visit_id: int) -> Visit:
    visit = queries.the_visit(work, visit_id)
    if visit.branch_id != branch_id:
        raise NotFound("visit")
    return visit


def _cancelled(work: Work, branch_id: int, said: dict[str, Any]) -> Happening:
    visit = _the_visit(work, branch_id, said["visit_id"])
    if visit.status not in units.AHEAD:
        raise placing.not_in_state(visit, "cancelled")
    placing.refuse_locked(visit)
    if visit.starts_at is not None and visit.starts_at <= _next_minute(work.now):
        raise Conflict("Its hour has come: record the visit as missed instead.", code="visit-due", visit=visit.id)
    again = visit.unit is not None or visit.kind is VisitKind.INITIAL or visit.joint_with_id is not None
    reason = sheet.code(said.get("reason", "patient-asked"), "/event/reason")
    return Happening(RepairKind.CANCELLED, visit_id=visit.id, reason=reason, again=again)


def _urgent(work: Work, branch_id: int, said: dict[str, Any]) -> Happening:
    visit = _the_visit(work, branch_id, said["visit_id"])
    latest: datetime = said["latest_at"]
    if visit.status not in units.AHEAD | {VisitStatus.PROPOSED} or not visit.is_current:
        raise placing.not_in_state(visit, "made urgent")
    if visit.status in units.AHEAD:
        placing.refuse_locked(visit)
    soonest = _next_minute(work.now)
    if latest < soonest:
        raise Invalid("That is past: say until when the visit can begin.", pointer="/event/latest_at")
    if visit.starts_at is not None and visit.starts_at <= max(soonest, latest):
        raise Conflict("The visit stands before that already.", code="early-enough", starts_at=visit.starts_at)
    zone = zone_of(work, branch_id)
    if local_day(latest, zone) < visit.window_from:
        raise Invalid(f"The visit may not be made before {visit.window_from}.", pointer="/event/latest_at")
    if local_day(latest, zone) > local_day(work.now, zone) + timedelta(days=LONGEST_DAYS - 1):
        raise Invalid(f"What can wait longer than {LONGEST_DAYS} days is not urgent.", pointer="/event/latest_at")
    return Happening(RepairKind.URGENT, visit_id=visit.id, latest_at=latest)


def _next_minute(now: datetime) -> datetime:
    """The whole minute from which on the planner plans: what begins by then has begun."""
    whole = now.replace(second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(minutes=1)


def _overrun(work: Work, branch_id: int, said: dict[str, Any]) -> Happening:
    visit = _the_visit(work, branch_id, said["visit_id"])
    if visit.status not in LIVE_VISIT - DONE_VISIT or visit.starts_at is None:
        raise placing.not_in_state(visit, "running long")
    zone = zone_of(work, branch_id)
    if local_day(visit.starts_at, zone) != local_day(work.now, zone):
        raise Conflict("The visit is not today's: move it, or give it another length.", code="not-today")
    minutes: int = said["minutes"]
    if not 1 <= minutes <= MOST_MINUTES_OVER:
        raise Invalid(f"From 1 to {MOST_MINUTES_OVER} minutes.", pointer="/event/minutes")
    return Happening(RepairKind.OVERRUN, visit_id=visit.id, minutes=minutes)


def _hospital(work: Work, branch_id: int, said: dict[str, Any]) -> Happening:
    patient_id: int = said["patient_id"]
    if require_sight(work, patient_id) != branch_id:
        raise NotFound("patient")
    since: datetime = said.get("starts_at", work.now)
    if since > work.now:
        raise Invalid("A hold begins when the patient has left home, not ahead.", pointer="/event/starts_at")
    if not held_episodes(work, patient_id, since):
        raise Conflict("No episode of the patient is open: there is nothing to hold.", code="episode-on-hold")
    return Happening(RepairKind.HOSPITAL, patient_id=patient_id, starts_at=since)


def held_episodes(work: Work, patient_id: int, since: datetime) -> list[Episode]:
    """The episodes that a hospital stay since then puts on hold."""
    patient = work.session.get_one(Patient, patient_id)
    return [
        episode
        for episode in patient.episodes
        if episode.discharged_on is None and episode.on_hold_since is None and episode.accepted_at <= since
    ]


_CHECKS = {
    RepairKind.ABSENCE: _absence,
    RepairKind.CANCELLED: _cancelled,
    RepairKind.URGENT: _urgent,
    RepairKind.OVERRUN: _overrun,
    RepairKind.HOSPITAL: _hospital,
}


# ------------------------------------------------------------------------------------ which rows it hits


def hits(work: Work, branch_id: int, event: Happening) -> list[Visit]:
    """The visits that the event concerns: planned ones from now on, and the one that is named. By number."""
    query = sa.select(Visit).where(Visit.branch_id == branch_id)
    if event.kind is RepairKind.ABSENCE:
        query = query.where(
            Visit.clinician_id == event.clinician_id,
            Visit.status.in_(LIVE_VISIT),
            Visit.starts_at > work.now,
            Visit.starts_at < event.ends_at,
            Visit.ends_at > event.starts_at,
        )
    elif event.kind is RepairKind.HOSPITAL:
        query = query.where(
            Visit.patient_id == event.patient_id, Visit.status.in_(units.AHEAD), Visit.starts_at > work.now
        )
    elif event.kind is RepairKind.OVERRUN:
        long = work.session.get_one(Visit, event.visit_id)
        assert long.starts_at is not None
        day = day_bounds(local_day(long.starts_at, zone_of(work, branch_id)), zone_of(work, branch_id))
        query = query.where(
            Visit.clinician_id == long.clinician_id,
            Visit.status.in_(LIVE_VISIT),
            Visit.starts_at >= long.starts_at,
            Visit.starts_at < day[1],
        )
    else:
        query = query.where(sa.or_(Visit.id == event.visit_id, Visit.joint_with_id == event.visit_id))
        query = query.where(Visit.is_current, Visit.status.in_(LIVE_VISIT | {VisitStatus.PROPOSED}))
    return list(work.session.scalars(query.order_by(Visit.id)))


def horizon(work: Work, branch_id: int, hit: list[Visit], event: Happening) -> Horizon:
    """The days that the repair looks at: from today, or some days before the event, to the end of what it may use, and
    at least a week, so that others can make room by going to another day.

    What is hit after its last day is not planned anew (`beyond`). An urgent visit is wanted from today on, however late
    it stands; both days are looked at.
    """
    zone = zone_of(work, branch_id)
    today = local_day(work.now, zone)
    placed = [local_day(visit.starts_at, zone) for visit in hit if visit.starts_at is not None]
    if event.kind is RepairKind.ABSENCE and event.starts_at is not None and event.ends_at is not None:
        slots = held.standing(work, [event.clinician_id or 0], event.starts_at, event.ends_at)
        placed += [local_day(slot.starts_at, zone) for slot, _ in slots]
    urgent = event.kind is RepairKind.URGENT
    first = today if urgent else max(today, min(placed, default=today) - timedelta(days=6))
    last = max([first + timedelta(days=6), *placed, *(visit.window_to for visit in hit)])
    last = min(last, first + timedelta(days=LONGEST_DAYS - 1))
    return Horizon(zone, first, max([last, *placed]) if urgent else last)


def beyond(hit: list[Visit], horizon: Horizon) -> list[Visit]:
    """Those hit that stand after the days that the repair looks at."""
    return [visit for visit in hit if visit.starts_at is not None and visit.starts_at >= horizon.ends_at]


def for_planner(event: Happening, bridge: Bridge) -> Event:
    """The event in the planner's numbers."""
    scene, minute = bridge.scene, bridge.scene.horizon.minute
    if event.kind is RepairKind.ABSENCE:
        assert event.starts_at is not None
        assert event.ends_at is not None
        people = [clinician.id for clinician in scene.clinicians]
        until = scene.horizon.minute_up(event.ends_at)
        return Absence(people.index(event.clinician_id or 0), minute(event.starts_at), until)
    if event.kind is RepairKind.HOSPITAL:
        assert event.starts_at is not None
        return Hospital(str(event.patient_id), minute(event.starts_at))
    number = next(index for index, visit in enumerate(bridge.visits) if visit.id == event.visit_id)
    if event.kind is RepairKind.CANCELLED:
        return Cancellation(number, again=event.again)
    if event.kind is RepairKind.URGENT:
        assert event.latest_at is not None
        return Urgency(number, minute(event.latest_at))
    return Overrun(number, event.minutes or 0)


def strikes_anybody(event: Happening, bridge: Bridge) -> bool:
    """Whether the planner has anything to do with it: a clinician without visits here, or a patient without any."""
    if event.kind is RepairKind.ABSENCE:
        return any(clinician.id == event.clinician_id for clinician in bridge.scene.clinicians)
    if event.kind is RepairKind.HOSPITAL:
        return any(visit.patient_id == event.patient_id for visit in bridge.visits)
    return any(visit.id == event.visit_id for visit in bridge.visits)
