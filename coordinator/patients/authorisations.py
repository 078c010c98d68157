"""What payers have authorised: so many visits of one discipline, from day to day (INT-04).

Every change raises the patient's own version, as with all that hangs on a record.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AuthorisationChanged
from coordinator.domain.vocabulary import Discipline, Payer
from coordinator.patients import checks
from coordinator.patients.model import Authorisation, Patient
from coordinator.patients.queries import for_change, require_visible
from coordinator.patients.record import MOST_ROWS, changed

#: More than three visits a day for a year is a slip of the finger.
MOST_VISITS = 1000
_EDITABLE = frozenset({"number", "maximum_visits", "starts_on", "ends_on"})


@permitted("patient:read")
def authorisations(work: Work, patient_id: int) -> list[Authorisation]:
    """What payers have authorised for the patient, by discipline and first day; the reading is in the trail."""
    require_visible(work, patient_id)
    work.record("patient.authorisations-read", f"patient:{patient_id}", patient_id=patient_id)
    return _of(work, patient_id)


def _of(work: Work, patient_id: int) -> list[Authorisation]:
    return list(
        work.session.scalars(
            sa.select(Authorisation)
            .where(Authorisation.patient_id == patient_id)
            .order_by(Authorisation.discipline, Authorisation.starts_on, Authorisation.id)
            .execution_options(populate_existing=True)
        )
    )


@permitted("patient:edit")
def add_authorisation(
    work: Work, patient_id: int, *, payer: Payer, discipline: Discipline, maximum_visits: int, starts_on: date,
    ends_on: date, number: str | None = None,
) -> Authorisation:  # fmt: skip
    """The payer pays for so many visits of the discipline from day to day, both included.

    Conflict if the same payer has authorised visits of that discipline for some of these days already.
    """
    patient = for_change(work, patient_id)
    others = _of(work, patient_id)
    if len(others) >= MOST_ROWS:
        raise Invalid(f"There are {MOST_ROWS} of these already, which is all that a record holds.", pointer="/payer")
    row = Authorisation(
        patient_id=patient_id, payer=payer, discipline=discipline, number=number, maximum_visits=maximum_visits,
        starts_on=starts_on, ends_on=ends_on,
    )  # fmt: skip
    _check(row.maximum_visits, row.starts_on, row.ends_on)
    _refuse_overlap(others, row)
    work.session.add(row)
    _said(work, patient, "patient.authorisation-added", payer=payer.value, discipline=discipline.value)
    return row


@permitted("patient:edit")
def edit_authorisation(work: Work, patient_id: int, authorisation_id: int, **changes: Any) -> Authorisation:
    """The authorisation with another number, limit or period. To end it is to give its last day.

    What was authorised for another payer or discipline is another authorisation.
    """
    patient = for_change(work, patient_id)
    others = _of(work, patient_id)
    row = next((other for other in others if other.id == authorisation_id), None)
    if row is None:
        raise NotFound("authorisation")
    checks.refuse_unknown(changes, _EDITABLE)
    for name in sorted(_EDITABLE - {"number"}):
        if name in changes and changes[name] is None:
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
    starts_on, ends_on = changes.get("starts_on", row.starts_on), changes.get("ends_on", row.ends_on)
    _check(changes.get("maximum_visits", row.maximum_visits), starts_on, ends_on)
    _refuse_overlap(others, row, starts_on, ends_on)
    for name, value in changes.items():
        setattr(row, name, value)
    _said(work, patient, "patient.authorisation-edited", authorisation=row.id, fields=sorted(changes))
    return row


def _said(work: Work, patient: Patient, action: str, **facts: Any) -> None:
    changed(work, patient, action, **facts)
    work.publish(AuthorisationChanged(patient_id=patient.id))


def _check(maximum_visits: int, starts_on: date, ends_on: date) -> None:
    if not 1 <= maximum_visits <= MOST_VISITS:
        raise Invalid(f"A limit is from 1 to {MOST_VISITS} visits.", pointer="/maximum_visits")
    checks.days_in_order(starts_on, ends_on, "/ends_on")


def _refuse_overlap(
    others: list[Authorisation], row: Authorisation, starts_on: date | None = None, ends_on: date | None = None
) -> None:
    first, last = starts_on or row.starts_on, ends_on or row.ends_on
    for other in others:
        if other is row or (other.payer, other.discipline) != (row.payer, row.discipline):
            continue
        if first <= other.ends_on and other.starts_on <= last:
            raise Conflict(
                "This payer has authorised visits of this discipline for some of these days already. "
                "End that authorisation first.",
                code="authorisation-overlap",
                blocking=[{"authorisation": other.id, "starts_on": other.starts_on, "ends_on": other.ends_on}],
            )
