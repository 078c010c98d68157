"""Destroying records after their years, with everything that hangs on them; the trail stays (SEC-12).

Nobody's record goes by itself: the office is shown which years are over, and somebody names the record. What is left
anywhere, in the trail, in plans and in jobs, are numbers and codes.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from coordinator.access.scope import require_branch
from coordinator.core.db import Base
from coordinator.core.errors import RuleBroken
from coordinator.core.idempotency import empty_answers
from coordinator.core.work import Work, permitted
from coordinator.domain.events import RecordDestroyed
from coordinator.patients.model import Episode, Patient
from coordinator.patients.queries import for_change
from coordinator.privacy.model import Destruction
from coordinator.privacy.service import Retention, kept

#: Rows that one statement names.
_CHUNK = 500
#: Rows that need not name what goes, and say nothing without it: why a rule was set aside for a visit or an order.
_SAYS_OF = frozenset({"override"})
#: Rows that are called otherwise than their table, where somebody is told of them.
_CALLED = {"care_order": "order", "slot_hold": "hold"}
#: Most records whose years are looked at for one answer.
MOST_SHOWN = 200

Doomed = dict[sa.Table, set[int]]


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What went, or would go, by table. `dry_run`: nothing was changed."""

    patient_id: int
    dry_run: bool
    rows: dict[str, int]


@permitted("record:destroy")
def over_age(work: Work, branch_id: int) -> list[Retention]:
    """The branch's records that may be destroyed today, those that were kept longest first; nothing is changed."""
    require_branch(work, branch_id)
    in_care = sa.select(Episode.patient_id).where(Episode.discharged_on.is_(None))
    rows = work.session.scalars(
        sa.select(Patient)
        .where(
            Patient.branch_id == branch_id,
            sa.or_(Patient.deceased_on.is_not(None), Patient.id.not_in(in_care)),
        )
        .order_by(Patient.id)
    )
    asked = (kept(work, patient) for patient in rows)
    found = sorted(
        (one for one in asked if one.may_be_destroyed), key=lambda one: (str(one.keep_until), one.patient_id)
    )[:MOST_SHOWN]
    work.record("retention.listed", f"branch:{branch_id}", branch=branch_id, records=len(found))
    return found


@permitted("record:destroy")
def destroy(work: Work, patient_id: int, *, dry_run: bool = True) -> Destroyed:
    """The record and all that hangs on it are gone, and how much went is on record; `dry_run` only counts.

    RuleBroken SEC-12 with everything that stands against it: care, years, holds, disclosures to be accounted for.
    """
    patient = for_change(work, patient_id)
    retention = kept(work, patient)
    if retention.findings:
        raise RuleBroken(retention.findings)
    assert retention.keep_until is not None
    doomed = _doomed(work, patient_id)
    counted = {table.name: len(numbers) for table, numbers in doomed.items()}
    rows = dict(sorted(counted.items()))
    if not dry_run:
        # While this row is unfinished the database lets go what was signed.
        mark = Destruction(
            branch_id=patient.branch_id, patient_number=patient_id, kept_until=retention.keep_until, rows=rows,
            by_id=work.actor.user_id, begun_at=work.now,
        )  # fmt: skip
        work.session.add(mark)
        work.session.flush()
        words = _words(patient)
        work.session.expunge(patient)
        _delete(work, doomed)
        empty_answers(work.session, patient_id, words)
        mark.finished_at = work.now
        work.session.flush()
        work.publish(RecordDestroyed(patient_id, _subjects(doomed)))
    what = "record.destruction-counted" if dry_run else "record.destroyed"
    work.record(what, f"patient:{patient_id}", patient_id=patient_id, rows=sum(rows.values()), tables=len(rows))
    return Destroyed(patient_id, dry_run, rows)


def _words(patient: Patient) -> frozenset[str]:
    """What somebody could be known by, in an answer that was kept for a request that comes twice."""
    said = {patient.family_name, patient.mrn, patient.phone, patient.home.address if patient.home else None}
    said |= {word for caregiver in patient.caregivers for word in (caregiver.name, caregiver.phone)}
    return frozenset(word for word in said if word)


def _subjects(doomed: Doomed) -> frozenset[str]:
    return frozenset(
        f"{_CALLED.get(table.name, table.name).replace('_', '-')}:{number}"
        for table, numbers in doomed.items()
        for number in numbers
    )


def _links(table: sa.Table) -> Iterable[tuple[sa.Column[int], sa.Table]]:
    for key in table.foreign_keys:
        yield key.parent, key.column.table


def _batches(numbers: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(numbers)
    for first in range(0, len(ordered), _CHUNK):
        yield ordered[first : first + _CHUNK]


def _doomed(work: Work, patient_id: int) -> Doomed:
    """The rows that are the patient's: those that name the patient, and those that cannot be without one that is."""
    patient = Base.metadata.tables["patient"]
    doomed: Doomed = defaultdict(set)
    doomed[patient].add(patient_id)
    fresh: Doomed = {patient: {patient_id}}
    while fresh:
        found: Doomed = defaultdict(set)
        for table in Base.metadata.tables.values():
            for column, target in _links(table):
                if target not in fresh:
                    continue
                if column.nullable and target is not patient and table.name not in _SAYS_OF:
                    continue
                for numbers in _batches(fresh[target]):
                    found[table].update(work.session.scalars(sa.select(table.c.id).where(column.in_(numbers))))
        fresh = {table: numbers - doomed[table] for table, numbers in found.items() if numbers - doomed[table]}
        for table, added in fresh.items():
            doomed[table] |= added
    return {table: numbers for table, numbers in doomed.items() if numbers}


def _delete(work: Work, doomed: Doomed) -> None:
    """What may name a row that goes names nobody, then the rows go: those that lean on others first."""
    for table in Base.metadata.tables.values():
        for column, target in _links(table):
            if target not in doomed or not column.nullable:
                continue
            if table in doomed and target is not table:
                continue  # it goes itself, before what it leans on
            for numbers in _batches(doomed[target]):
                work.session.execute(sa.update(table).where(column.in_(numbers)).values({column.name: None}))
    for table in reversed(Base.metadata.sorted_tables):
        for numbers in _batches(doomed.get(table, ())):
            work.session.execute(sa.delete(table).where(table.c.id.in_(numbers)))
