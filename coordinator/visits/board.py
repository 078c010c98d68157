"""A branch's day as whoever schedules sees it: each clinician's row, the ways between stops, and what waits."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.access.scope import require_branch
from coordinator.agency import service as agency
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import LIVE_VISIT
from coordinator.domain.timeline import day_bounds
from coordinator.domain.vocabulary import Discipline, VisitStatus
from coordinator.patients.model import Home, Patient
from coordinator.staff.hours import availability
from coordinator.staff.model import Clinician
from coordinator.travel.atlas import atlas_of
from coordinator.visits.model import Visit

#: Visits that wait on one board; a branch with more of them sees the most urgent, and how many there are.
MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit with the name and place that a row of the board needs."""

    visit: Visit
    given_name: str
    family_name: str
    address: str | None
    point: tuple[float, float] | None

    @property
    def patient(self) -> str:
        """How the patient is called."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to a stop: estimated minutes on the road, and those between the end of the stop before and this one."""

    minutes: int
    room: int

    @property
    def short(self) -> bool:
        """Whether there is less time than the way takes."""
        return self.room < self.minutes


@dataclass(frozen=True, slots=True)
class Row:
    """A clinician's day. `legs[i]` leads to `stops[i]`; None where no way is known (the first, an unknown home)."""

    clinician: Clinician
    hours: list[tuple[datetime, datetime]]
    stops: list[Stop]
    legs: list[Leg | None]

    @property
    def minutes(self) -> int:
        """Minutes with patients."""
        return sum(stop.visit.minutes for stop in self.stops)

    @property
    def travel(self) -> int:
        """Estimated minutes on the road between stops."""
        return sum(leg.minutes for leg in self.legs if leg is not None)


@dataclass(frozen=True, slots=True)
class Board:
    """What a scheduler needs of one day. Instants are UTC, `zone` is the branch's."""

    branch_id: int
    day: date
    zone: ZoneInfo
    rows: list[Row]
    #: Wanted visits without a place whose days include this one, the one that must be made soonest first.
    wanted: list[Stop]
    #: How many there are, also beyond those that are shown.
    wanted_count: int
    #: Visits of the day that were missed and wait for a practitioner's decision.
    undecided: list[Stop] = field(default_factory=list)

    def stop(self, visit_id: int) -> tuple[Row, Stop] | None:
        """Where a visit is on it."""
        for row in self.rows:
            for stop in row.stops:
                if stop.visit.id == visit_id:
                    return row, stop
        return None


@permitted("visit:assign")
def board(
    work: Work, branch_id: int, day: date, *, clinician_id: int | None = None, discipline: Discipline | None = None
) -> Board:
    """The branch's local day: clinicians who work or have a visit then, and what waits for a place."""
    require_branch(work, branch_id)
    zone = agency.zone_of(work, branch_id)
    begins, ends = day_bounds(day, zone)
    placed = _stops(
        work, branch_id, Visit.status.in_(LIVE_VISIT), Visit.starts_at >= begins, Visit.starts_at < ends,
        clinician_id=clinician_id, discipline=discipline,
    )  # fmt: skip
    by_clinician: dict[int | None, list[Stop]] = defaultdict(list)
    for stop in placed:
        by_clinician[stop.visit.clinician_id].append(stop)
    query = sa.select(Clinician).where(Clinician.branch_id == branch_id)
    if clinician_id is not None:
        query = query.where(Clinician.id == clinician_id)
    rows = []
    for clinician in work.session.scalars(query.order_by(Clinician.family_name, Clinician.given_name, Clinician.id)):
        stops = by_clinician.get(clinician.id, [])
        hours = availability(clinician, day, zone) if clinician.active else []
        if stops or (hours and discipline is None):
            rows.append(Row(clinician, hours, stops, _legs(work, stops)))
    open_ = sa.and_(Visit.status == VisitStatus.PROPOSED, Visit.window_from <= day, Visit.window_to >= day)
    wanted = (
        [] if clinician_id else _stops(work, branch_id, open_, discipline=discipline, most=MOST_WAITING, waiting=True)
    )
    count = len(wanted)
    if count == MOST_WAITING:
        count = work.session.execute(
            sa.select(sa.func.count()).select_from(Visit).where(Visit.branch_id == branch_id, Visit.is_current, open_)
        ).scalar_one()
    undecided = _stops(
        work, branch_id, Visit.status == VisitStatus.MISSED, Visit.decision.is_(None), Visit.window_from <= day,
        clinician_id=clinician_id, discipline=discipline, most=MOST_WAITING,
    )  # fmt: skip
    work.record("board.read", f"branch:{branch_id}", day=str(day), visits=len(placed), waiting=count)
    return Board(branch_id, day, zone, rows, wanted, count, undecided)


def _stops(
    work: Work,
    branch_id: int,
    *conditions: sa.ColumnElement[bool],
    clinician_id: int | None = None,
    discipline: Discipline | None = None,
    most: int | None = None,
    waiting: bool = False,
) -> list[Stop]:
    query = (
        sa.select(Visit, Patient.given_name, Patient.family_name, Home.address, Home.lat, Home.lon)
        .join(Patient, Patient.id == Visit.patient_id)
        .outerjoin(Home, Home.patient_id == Patient.id)
        .where(Visit.branch_id == branch_id, *conditions)
    )
    if clinician_id is not None:
        query = query.where(Visit.clinician_id == clinician_id)
    if discipline is not None:
        query = query.where(Visit.discipline == discipline)
    if waiting:
        query = query.where(Visit.is_current).order_by(Visit.is_optional, Visit.window_to, Visit.id)
    else:
        query = query.order_by(Visit.starts_at, Visit.id)
    return [
        Stop(
            row.Visit,
            row.given_name,
            row.family_name,
            row.address,
            (row.lat, row.lon) if row.lat is not None and row.lon is not None else None,
        )
        for row in work.session.execute(query.limit(most))
    ]


def _legs(work: Work, stops: list[Stop]) -> list[Leg | None]:
    """The estimate answers at once; the planner's own times may come from a road server and differ by a little."""
    estimate = atlas_of(work).estimate
    legs: list[Leg | None] = [None] if stops else []
    for before, after in pairwise(stops):
        if before.point is None or after.point is None or before.visit.ends_at is None or not after.visit.starts_at:
            legs.append(None)
            continue
        room = int((after.visit.starts_at - before.visit.ends_at).total_seconds() // 60)
        legs.append(Leg(estimate.minutes(*before.point, *after.point), room))
    return legs
