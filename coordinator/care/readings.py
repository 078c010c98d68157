"""What is measured at home, and the patient's own limits beyond which the practitioner is told (VIS-02)."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.asking import raise_tasks
from coordinator.care.assessments import CLOCK_SKEW, LATEST_ENTRY
from coordinator.care.model import AlertLimit, Reading
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.care import Measure
from coordinator.domain.timeline import local_day
from coordinator.patients.queries import for_change
from coordinator.patients.scope import require_sight
from coordinator.rules import alerts
from coordinator.rules.terms import Finding
from coordinator.visits.queries import the_visit

#: Unit and what a body can show: beyond it, a finger has slipped.
UNITS: dict[Measure, tuple[str, float, float]] = {
    Measure.SYSTOLIC: ("mmHg", 40, 300),
    Measure.DIASTOLIC: ("mmHg", 20, 200),
    Measure.PULSE: ("/min", 20, 260),
    Measure.SPO2: ("%", 40, 100),
    Measure.TEMPERATURE: ("°C", 30, 44),
    Measure.WEIGHT: ("kg", 20, 350),
    Measure.SYMPTOM: ("0-10", 0, 10),
}
#: A rise is looked for within at most these days.
MOST_RISE_DAYS = 30


@permitted("limit:set")
def set_limit(
    work: Work, patient_id: int, measure: Measure, *, low: float | None = None, high: float | None = None,
    rise: float | None = None, rise_days: int | None = None,
) -> AlertLimit:  # fmt: skip
    """The measure of this patient has these limits from now on, and no others."""
    patient = for_change(work, patient_id)
    unit, least, most = UNITS[measure]
    for name, value in (("low", low), ("high", high)):
        if value is not None and not least <= value <= most:
            raise Invalid(f"A limit of {measure.value} lies from {least:g} to {most:g} {unit}.", pointer=f"/{name}")
    if low is not None and high is not None and low >= high:
        raise Invalid("The lower limit is not below the upper one.", pointer="/low")
    if (rise is None) != (rise_days is None) or (rise is not None and rise <= 0):
        raise Invalid("A rise is more than nothing, within so many days.", pointer="/rise")
    if rise_days is not None and not 1 <= rise_days <= MOST_RISE_DAYS:
        raise Invalid(f"A rise is looked for within 1 to {MOST_RISE_DAYS} days.", pointer="/rise_days")
    if low is None and high is None and rise is None:
        raise Invalid("There is no limit in this.", pointer="/high")
    if measure is Measure.SYMPTOM and (high is None or low is not None or rise is not None):
        raise Invalid("A symptom has an upper limit alone.", pointer="/high")
    row = work.session.execute(
        sa.select(AlertLimit).where(AlertLimit.patient_id == patient.id, AlertLimit.measure == measure)
    ).scalar()
    if row is None:
        row = AlertLimit(patient_id=patient.id, measure=measure)
        work.session.add(row)
    row.low, row.high, row.rise, row.rise_days = low, high, rise, rise_days
    row.set_by, row.set_at = work.actor.user_id, work.now
    work.session.flush()  # its number is in the answer and in the trail
    work.record("limit.set", f"alert-limit:{row.id}", patient_id=patient.id, measure=measure.value)
    return row


@permitted("reading:read")
def limits(work: Work, patient_id: int) -> list[AlertLimit]:
    """The patient's own limits."""
    require_sight(work, patient_id)
    work.record("limit.read", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(AlertLimit).where(AlertLimit.patient_id == patient_id).order_by(AlertLimit.measure)
    return list(work.session.execute(query).scalars())


@permitted("reading:record")
def record(
    work: Work, patient_id: int, *, measure: Measure, value: float, taken_at: datetime | None = None,
    visit_id: int | None = None,
) -> tuple[Reading, tuple[Finding, ...]]:  # fmt: skip
    """The reading is on record; beyond the patient's limits it is a task of the same day. What the rules answered."""
    patient = for_change(work, patient_id)
    unit, least, most = UNITS[measure]
    if measure is Measure.SYMPTOM:
        raise Invalid("Symptoms are rated with the ESAS-r.", pointer="/measure")
    if not least <= value <= most:
        raise Invalid(f"{measure.value} lies from {least:g} to {most:g} {unit}.", pointer="/value")
    at = taken_at or work.now
    if not work.now - LATEST_ENTRY <= at <= work.now + CLOCK_SKEW:
        raise Invalid("A reading is entered within 30 days, and not before it is taken.", pointer="/taken_at")
    if visit_id is not None and the_visit(work, visit_id).patient_id != patient.id:
        raise Invalid("This visit is another patient's.", pointer="/visit_id")
    zone = agency.zone_of(work, patient.branch_id)
    before = work.session.execute(
        sa.select(Reading.taken_on, Reading.value)
        .where(Reading.patient_id == patient.id, Reading.measure == measure, Reading.taken_at < at)
        .order_by(Reading.taken_at.desc())
        .limit(MOST_RISE_DAYS * 4)
    ).all()
    row = Reading(
        patient_id=patient.id, visit_id=visit_id, measure=measure, value=value, taken_at=at,
        taken_on=local_day(at, zone), recorded_by=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the trail, and in what is asked of others
    work.record("reading.recorded", f"reading:{row.id}", patient_id=patient.id, measure=measure.value)
    own = work.session.execute(
        sa.select(AlertLimit).where(AlertLimit.patient_id == patient.id, AlertLimit.measure == measure)
    ).scalar()
    limit = None if own is None else alerts.Limit(own.low, own.high, own.rise, own.rise_days)
    found = alerts.ask_reading(
        measure, value, limit, at.astimezone(zone), work.policy, before=[(one.taken_on, one.value) for one in before]
    )
    raise_tasks(work, patient.id, f"reading:{row.id}", found)
    return row, found


@permitted("reading:read")
def search(work: Work, patient_id: int, *, measure: Measure | None = None) -> sa.Select[Any]:
    """The patient's readings, as a select for `page`."""
    require_sight(work, patient_id)
    query = sa.select(Reading).where(Reading.patient_id == patient_id)
    if measure is not None:
        query = query.where(Reading.measure == measure)
    work.record("reading.listed", f"patient:{patient_id}", patient_id=patient_id)
    return query
