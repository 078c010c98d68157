"""A clinician's day as payroll sees it: hours, meals, rests, miles and premiums (LAB-01 to LAB-05)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from coordinator.access.scope import branches_of
from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.errors import Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_VISIT
from coordinator.domain.timeline import day_bounds, local_day, week_start
from coordinator.domain.vocabulary import OvertimeProfile
from coordinator.patients.model import Home
from coordinator.rules.work_facts import Leg, Waivers
from coordinator.rules.workday import (
    Hours,
    Meal,
    in_sum,
    limits_of,
    meals_missed,
    meals_owed,
    mileage,
    premium_minutes,
    rest_minutes,
    rests_owed,
    week_hours,
)
from coordinator.staff.model import Clinician, MealPeriod
from coordinator.travel import ways
from coordinator.travel.atlas import atlas_of
from coordinator.visits.model import Visit

METRES_PER_MILE = 1609.344
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Workday:
    """One local day. `basis`: `actual` where visits of it were made, else `planned`. Minutes unless said.

    Miles are of ways between places of work, by the estimate of roads; the way from home and back is none of them.
    """

    clinician_id: int
    day: date
    zone: str
    basis: str
    ot_profile: OvertimeProfile
    visits: int
    begins_at: datetime | None
    ends_at: datetime | None
    worked_minutes: int
    hours: Hours
    week_first: date
    week_hours: Hours
    meals: tuple[Meal, ...]
    meals_taken: tuple[MealPeriod, ...]
    meals_missed: tuple[int, ...]
    premium_minutes: int
    rests: int
    rest_minutes: int
    miles: float
    mills_per_mile: int
    mileage_cents: int


@dataclass(frozen=True, slots=True)
class _Stop:
    starts_at: datetime
    ends_at: datetime
    point: Point | None
    made: bool


@permitted("workday:read")
def workday(work: Work, clinician_id: int, day: date) -> Workday:
    """The clinician's local day at work. Clinicians read their own, the office its branches'."""
    clinician = work.session.get(Clinician, clinician_id)
    mine = branches_of(work.actor)
    own = work.actor.clinician_id == clinician_id
    if clinician is None or not (own or mine is None or clinician.branch_id in mine):
        raise NotFound("clinician")
    policy, zone = work.policy.on(day), agency.zone_of(work, clinician.branch_id)
    first = week_start(day, policy.weeks.workweek_anchor)
    span = [first + timedelta(days=step) for step in range(7)]
    stops = _stops(work, clinician, day_bounds(first, zone)[0], day_bounds(span[-1], zone)[1])
    office = _office(work, clinician)
    begins, ends = day_bounds(first, zone)[0], day_bounds(span[-1], zone)[1]
    taken = list(
        work.session.scalars(
            sa.select(MealPeriod)
            .where(MealPeriod.clinician_id == clinician.id, MealPeriod.starts_at < ends, MealPeriod.ends_at > begins)
            .order_by(MealPeriod.starts_at)
        )
    )
    minutes: dict[date, int] = {}
    shifts: dict[date, tuple[datetime, datetime]] = {}
    for one in span:
        here = [stop for stop in stops if local_day(stop.starts_at, zone) == one]
        if any(stop.made for stop in here):
            here = [stop for stop in here if stop.made]
        if here:
            shifts[one] = _shift(work, here, *office)
            eaten = [meal for meal in taken if meal.starts_at < shifts[one][1] and meal.ends_at > shifts[one][0]]
            minutes[one] = _elapsed(*shifts[one]) - sum(_within(meal, shifts[one]) for meal in eaten)
    labour, profile = policy.labour, clinician.ot_profile
    paid = week_hours(minutes, first, limits_of(labour, profile))
    today = [stop for stop in stops if local_day(stop.starts_at, zone) == day]
    made = any(stop.made for stop in today)
    here = [stop for stop in today if stop.made or not made]
    shift = shifts.get(day)
    waivers = Waivers(
        clinician.first_meal_waived_on is not None and clinician.first_meal_waived_on <= day,
        clinician.second_meal_waived_on is not None and clinician.second_meal_waived_on <= day,
    )
    owed: tuple[Meal, ...] = ()
    missed: tuple[Meal, ...] = ()
    eaten = [] if shift is None else [row for row in taken if row.starts_at < shift[1] and row.ends_at > shift[0]]
    if shift is not None and profile is not OvertimeProfile.EXEMPT:
        owed = meals_owed(shift[0], minutes[day], waivers, labour, clinician.performer)
        if made:  # what is only planned misses nothing yet
            times = [(row.starts_at, row.ends_at) for row in eaten]
            missed = meals_missed(shift[0], minutes[day], times, waivers, labour, clinician.performer)
    if day < (first_rate := min(labour.mileage_mills_per_mile)):
        raise Invalid(f"No mileage rate is known for a day before {first_rate}.", pointer="/query/date")
    driven = mileage(_legs(work, here, *office), day, labour)
    work.record("workday.read", f"clinician:{clinician.id}", day=str(day))
    return Workday(
        clinician_id=clinician.id,
        day=day,
        zone=zone.key,
        basis="actual" if made else "planned",
        ot_profile=profile,
        visits=len(here),
        begins_at=None if shift is None else shift[0],
        ends_at=None if shift is None else shift[1],
        worked_minutes=minutes.get(day, 0),
        hours=paid.get(day, Hours()),
        week_first=first,
        week_hours=in_sum(paid.values()),
        meals=owed,
        meals_taken=tuple(eaten),
        meals_missed=tuple(meal.number for meal in missed),
        premium_minutes=premium_minutes(missed, labour),
        rests=0 if profile is OvertimeProfile.EXEMPT else rests_owed(minutes.get(day, 0), labour),
        rest_minutes=0 if profile is OvertimeProfile.EXEMPT else rest_minutes(minutes.get(day, 0), labour),
        miles=round(float(driven.miles), 1),
        mills_per_mile=driven.mills_per_mile,
        mileage_cents=driven.cents,
    )


def _stops(work: Work, clinician: Clinician, begins: datetime, ends: datetime) -> list[_Stop]:
    """Where the clinician is, in order: as it was where the visit was made, else as it stands."""
    rows = work.session.execute(
        sa.select(
            Visit.status, Visit.starts_at, Visit.ends_at, Visit.actual_start_at, Visit.actual_end_at, Home.lat, Home.lon
        )
        .outerjoin(Home, Home.patient_id == Visit.patient_id)
        .where(
            Visit.clinician_id == clinician.id,
            Visit.status.in_(LIVE_VISIT),
            sa.func.coalesce(Visit.actual_start_at, Visit.starts_at) >= begins,
            sa.func.coalesce(Visit.actual_start_at, Visit.starts_at) < ends,
        )
    )
    found = []
    for row in rows:
        made = row.status in DONE_VISIT and row.actual_start_at is not None and row.actual_end_at is not None
        times = (row.actual_start_at, row.actual_end_at) if made else (row.starts_at, row.ends_at)
        if times[0] is not None and times[1] is not None:
            point = None if row.lat is None or row.lon is None else (row.lat, row.lon)
            found.append(_Stop(*times, point, made))
    return sorted(found, key=lambda stop: (stop.starts_at, stop.ends_at))


def _office(work: Work, clinician: Clinician) -> tuple[Point | None, Point | None]:
    """The office, where the day begins or ends there: the way from and to it is work (LAB-04)."""
    branch = work.session.get_one(Branch, clinician.branch_id)
    office = (branch.office_lat, branch.office_lon)
    return (
        office if (clinician.start_lat, clinician.start_lon) == office else None,
        office if (clinician.end_lat, clinician.end_lon) == office else None,
    )


def _shift(work: Work, stops: list[_Stop], begins: Point | None, ends: Point | None) -> tuple[datetime, datetime]:
    last = max(stops, key=lambda stop: stop.ends_at)
    lead = ways.minutes(work, begins, stops[0].point) if begins else 0
    tail = ways.minutes(work, last.point, ends) if ends else 0
    return stops[0].starts_at - timedelta(minutes=lead), last.ends_at + timedelta(minutes=tail)


def _elapsed(begins: datetime, ends: datetime) -> int:
    return int((ends - begins).total_seconds()) // 60


def _within(meal: MealPeriod, shift: tuple[datetime, datetime]) -> int:
    return max(0, _elapsed(max(meal.starts_at, shift[0]), min(meal.ends_at, shift[1])))


def _legs(work: Work, stops: list[_Stop], begins: Point | None, ends: Point | None) -> Iterable[Leg]:
    points = [begins, *(stop.point for stop in stops), ends] if stops else []
    for here, there in pairwise(points):
        if here is not None and there is not None:
            yield Leg(round(atlas_of(work).estimate.metres(*here, *there) / METRES_PER_MILE, 2))
