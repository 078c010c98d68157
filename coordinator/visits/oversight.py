"""What cases need to know of aides and of therapists of record, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.vocabulary import THERAPIES, Discipline, Performer, VisitKind
from coordinator.orders.model import AideAcknowledgement
from coordinator.rules.supervision import ALL
from coordinator.staff.model import AideCompetence, Clinician, TimeOff
from coordinator.visits.book import AideRecord, Lookups, PatientBook
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import AideConcern, AideObservation


def look_up(work: Work, books: Iterable[PatientBook], extra: Lookups) -> None:
    """Fill in aides' records, acknowledged instructions and the whereabouts of therapists of record."""
    books = list(books)
    plans = sorted(plan.id for book in books for plan in book.plans)
    if plans:
        extra.acknowledged = {
            (row.plan_id, row.clinician_id)
            for row in work.session.execute(
                sa.select(AideAcknowledgement.plan_id, AideAcknowledgement.clinician_id).where(
                    AideAcknowledgement.plan_id.in_(plans)
                )
            )
        }
    if any(order.discipline is Discipline.HHA for book in books for order in book.orders):
        extra.aides = _aides(work)
    _whereabouts(work, books, extra)


def _aides(work: Work) -> dict[int, AideRecord]:
    """Every aide of whom something is on record; the visits made here are paid work as well."""
    kept = {row.clinician_id: row for row in work.session.scalars(sa.select(AideCompetence))}
    worked: dict[int, date] = {}
    if kept:
        query = (
            sa.select(Visit.clinician_id, sa.func.max(Visit.window_to))
            .where(Visit.clinician_id.in_(sorted(kept)), Visit.status.in_(DONE_VISIT))
            .group_by(Visit.clinician_id)
        )
        worked = {number: day for number, day in work.session.execute(query) if number is not None}
    blocked: dict[int, set[str]] = defaultdict(set)
    for concern in work.session.scalars(sa.select(AideConcern).where(AideConcern.cleared_on.is_(None))):
        blocked[concern.aide_id].update(concern.tasks or [ALL])
    watched = _watched(work)
    return {
        number: AideRecord(
            last_paid_work_on=_latest(kept.get(number), worked.get(number)),
            requalified_on=kept[number].requalified_on if number in kept else None,
            blocked_tasks=frozenset(blocked.get(number, ())),
            last_observed_on=watched.get(number),
        )
        for number in {*kept, *blocked, *watched}
    }


def _watched(work: Work) -> dict[int, date]:
    """When each aide was last watched at work; who never was, their first visit here (SUP-03)."""
    seen = sa.select(AideObservation.aide_id, sa.func.max(AideObservation.observed_on)).group_by(
        AideObservation.aide_id
    )
    found: dict[int, date] = {row[0]: row[1] for row in work.session.execute(seen)}
    first = (
        sa.select(Visit.clinician_id, sa.func.min(Visit.window_from))
        .join(Clinician, Clinician.id == Visit.clinician_id)
        .where(
            Clinician.performer == Performer.CHHA,
            Visit.status.in_(DONE_VISIT),
            Visit.clinician_id.not_in(sa.select(AideObservation.aide_id)),
        )
        .group_by(Visit.clinician_id)
    )
    return {number: day for number, day in work.session.execute(first) if number is not None} | found


def _latest(kept: AideCompetence | None, worked: date | None) -> date | None:
    return max((day for day in (kept.last_paid_work_on if kept else None, worked) if day is not None), default=None)


def _whereabouts(work: Work, books: Iterable[PatientBook], extra: Lookups) -> None:
    numbers = {number for book in books for _, _, number in book.therapists}
    numbers |= {
        one.clinician_id
        for book in books
        for one in book.placed
        if one.discipline in THERAPIES and one.kind is VisitKind.EVALUATION and one.clinician_id is not None
    }
    if not numbers:
        return
    extra.at_work = set(
        work.session.scalars(sa.select(Clinician.id).where(Clinician.id.in_(sorted(numbers)), Clinician.active))
    )
    away: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    rows = work.session.execute(
        sa.select(TimeOff.clinician_id, TimeOff.starts_at, TimeOff.ends_at).where(
            TimeOff.clinician_id.in_(sorted(numbers))
        )
    )
    for number, begins, ends in rows:
        away[number].append((begins, ends))
    extra.away = dict(away)
