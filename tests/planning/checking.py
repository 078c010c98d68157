"""An independent check of a decoded plan against the rows, in plain Python that shares nothing with the planner."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from coordinator.staff.hours import availability
from coordinator.staff.model import Clinician
from coordinator.travel.atlas import SHIPPED
from coordinator.visits.model import Visit
from tests.planning.conftest import TestAgency

BUFFER = 5


@dataclass(frozen=True)
class Booked:
    """A visit with its place, wherever that was read from."""

    visit: Visit
    clinician_id: int
    starts_at: datetime
    ends_at: datetime


def faults(agency: TestAgency, booked: Iterable[Booked]) -> list[str]:
    """Everything that is wrong with these places; empty for a plan that can be lived."""
    booked = list(booked)
    zone = ZoneInfo(agency.branch.zone)
    clinicians = {clinician.id: clinician for clinician in agency.clinicians}
    homes = {person.patient.id: (person.patient.home.lat, person.patient.home.lon) for person in agency.people}
    return [
        *_overlaps(booked),
        *_outside_window(booked, zone),
        *_outside_shift(booked, clinicians, zone),
        *_too_fast(booked, clinicians, homes, zone),
        *_too_many(booked, zone),
        *_no_meal(booked, clinicians, homes, zone),
    ]


def _overlaps(booked: list[Booked]) -> Iterable[str]:
    for i, one in enumerate(booked):
        for other in booked[i + 1 :]:
            if one.starts_at < other.ends_at and other.starts_at < one.ends_at:
                if one.clinician_id == other.clinician_id:
                    yield f"clinician {one.clinician_id} is twice at once: {one.visit.id}, {other.visit.id}"
                joint = one.visit.joint_with_id == other.visit.id or other.visit.joint_with_id == one.visit.id
                if one.visit.patient_id == other.visit.patient_id and not joint:
                    yield f"patient {one.visit.patient_id} is visited twice at once"


def _outside_window(booked: list[Booked], zone: ZoneInfo) -> Iterable[str]:
    for one in booked:
        day = one.starts_at.astimezone(zone).date()
        if not one.visit.window_from <= day <= one.visit.window_to:
            yield f"visit {one.visit.id} is on {day}, outside its window"
        if one.visit.due_at is not None and one.starts_at > one.visit.due_at:
            yield f"visit {one.visit.id} is late"


def _outside_shift(booked: list[Booked], clinicians: Mapping[int, Clinician], zone: ZoneInfo) -> Iterable[str]:
    for one in booked:
        day = one.starts_at.astimezone(zone).date()
        shifts = availability(clinicians[one.clinician_id], day, zone)
        if not any(begins <= one.starts_at and one.ends_at <= ends for begins, ends in shifts):
            yield f"visit {one.visit.id} is outside the shift of {one.clinician_id}"


def _by_day(booked: list[Booked], zone: ZoneInfo) -> dict[tuple[int, object], list[Booked]]:
    days: dict[tuple[int, object], list[Booked]] = defaultdict(list)
    for one in sorted(booked, key=lambda b: b.starts_at):
        days[one.clinician_id, one.starts_at.astimezone(zone).date()].append(one)
    return days


def _too_fast(
    booked: list[Booked],
    clinicians: Mapping[int, Clinician],
    homes: Mapping[int, tuple[float, float]],
    zone: ZoneInfo,
) -> Iterable[str]:
    for (number, day), route in _by_day(booked, zone).items():
        clinician = clinicians[number]
        shifts = availability(clinician, day, zone)
        first, last = route[0], route[-1]
        out = SHIPPED.estimate.minutes(clinician.start_lat, clinician.start_lon, *homes[first.visit.patient_id])
        back = SHIPPED.estimate.minutes(*homes[last.visit.patient_id], clinician.end_lat, clinician.end_lon)
        if first.starts_at - timedelta(minutes=out) < shifts[0][0]:
            yield f"clinician {number} leaves before the shift"
        if last.ends_at + timedelta(minutes=back) > shifts[-1][1]:
            yield f"clinician {number} is back after the shift"
        for one, other in pairwise(route):
            way = SHIPPED.estimate.minutes(*homes[one.visit.patient_id], *homes[other.visit.patient_id])
            if one.ends_at + timedelta(minutes=way + BUFFER) > other.starts_at:
                yield f"clinician {number} cannot reach {other.visit.id} from {one.visit.id}"


def _too_many(booked: list[Booked], zone: ZoneInfo) -> Iterable[str]:
    seen: dict[tuple[int, object], int] = defaultdict(int)
    minutes: dict[tuple[int, object], int] = defaultdict(int)
    for one in booked:
        day = one.starts_at.astimezone(zone).date()
        if one.visit.order_id is not None and one.visit.joint_with_id is None:
            seen[one.visit.order_id, day] += 1
        if one.visit.discipline.value in ("SN", "HHA"):
            minutes[one.visit.patient_id, day] += int((one.ends_at - one.starts_at).total_seconds()) // 60
    yield from (f"order {order} twice on {day}" for (order, day), count in seen.items() if count > 1)
    yield from (
        f"patient {patient} has {total} minutes on {day}" for (patient, day), total in minutes.items() if total > 479
    )


def _no_meal(
    booked: list[Booked],
    clinicians: Mapping[int, Clinician],
    homes: Mapping[int, tuple[float, float]],
    zone: ZoneInfo,
) -> Iterable[str]:
    """More than five hours from leaving to being back want thirty free minutes that begin within the first five."""
    for (number, day), route in _by_day(booked, zone).items():
        clinician = clinicians[number]
        shift = availability(clinician, day, zone)[0]
        out = SHIPPED.estimate.minutes(clinician.start_lat, clinician.start_lon, *homes[route[0].visit.patient_id])
        back = SHIPPED.estimate.minutes(*homes[route[-1].visit.patient_id], clinician.end_lat, clinician.end_lon)
        left = route[0].starts_at - timedelta(minutes=out)
        home = route[-1].ends_at + timedelta(minutes=back)
        if home - left <= timedelta(hours=5, minutes=30):
            continue
        latest = shift[0] + timedelta(minutes=299)
        free = [(shift[0], left)]
        for one, other in pairwise(route):
            way = SHIPPED.estimate.minutes(*homes[one.visit.patient_id], *homes[other.visit.patient_id])
            free.append((one.ends_at, other.starts_at - timedelta(minutes=way)))
        if not any(ends - begins >= timedelta(minutes=30) and begins <= latest for begins, ends in free):
            yield f"clinician {number} has no meal on {day}"
