"""What patient and family were told of visits, and are to be told when one changes, each in their own language."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import (
    FamilyNoticeRaised,
    FamilyNoticeSettled,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    WrittenScheduleGiven,
)
from coordinator.domain.family import FamilyLanguage, ToldHow, VisitChange, family_language
from coordinator.domain.vocabulary import VisitStatus
from coordinator.family.model import FamilyNotice, ToldVisit
from coordinator.patients.model import Patient
from coordinator.patients.scope import patients_in_sight, require_sight
from coordinator.rules.language import ShareFacts, ask_share
from coordinator.visits.model import Visit


def tell_all(work: Work, patient: Patient) -> None:
    """Every published visit to come is told as it stands now. Asked by other verbs of this room and by handlers."""
    visits = work.session.execute(
        sa.select(Visit).where(
            Visit.patient_id == patient.id, Visit.status == VisitStatus.BOOKED, Visit.published_at.is_not(None),
            Visit.starts_at >= work.now,
        )
    ).scalars()  # fmt: skip
    for visit in visits.all():
        assert visit.starts_at is not None
        _told(work, visit, visit.starts_at)


def _told(work: Work, visit: Visit, starts_at: datetime) -> None:
    row = _telling(work, visit.id)
    if row is None:
        row = ToldVisit(visit_id=visit.id)
        work.session.add(row)
    row.starts_at, row.told_at = starts_at, work.now
    if visit.starts_at == starts_at:
        visit.told_patient_at = work.now
    work.session.flush()  # the next question about this visit finds it


def _telling(work: Work, visit_id: int) -> ToldVisit | None:
    return work.session.execute(sa.select(ToldVisit).where(ToldVisit.visit_id == visit_id)).scalar()


def on_written_schedule_given(work: Work, event: WrittenScheduleGiven) -> None:
    """Whoever has the schedule in writing was told of what it says."""
    tell_all(work, fetch(work.session, Patient, event.patient_id, "patient"))


def on_visit_placed(work: Work, event: VisitMoved | VisitBooked) -> None:
    """A visit at another time than they were told is to be told; one that is back where it was needs no word.

    While it has no place yet there is nothing to say: they hear when it has one.
    """
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    if visit.starts_at is not None:
        _changed(work, visit, VisitChange.MOVED)


def on_visit_cancelled(work: Work, event: VisitCancelled) -> None:
    """A visit that they were told of and that nobody makes is to be told."""
    _changed(work, fetch(work.session, Visit, event.visit_id, "visit"), VisitChange.CANCELLED)


def _changed(work: Work, visit: Visit, change: VisitChange) -> None:
    told = _telling(work, visit.id)
    if told is None or told.starts_at < work.now:
        return
    patient = fetch(work.session, Patient, visit.patient_id, "patient")
    new = visit.starts_at if change is VisitChange.MOVED else None
    same = new == told.starts_at
    for caregiver_id, language in _people(work, patient):
        row = work.session.execute(
            sa.select(FamilyNotice).where(
                FamilyNotice.visit_id == visit.id, FamilyNotice.told_at.is_(None), FamilyNotice.void_at.is_(None),
                FamilyNotice.caregiver_id.is_(None) if caregiver_id is None
                else FamilyNotice.caregiver_id == caregiver_id,
            )
        ).scalar()  # fmt: skip
        if same:
            if row is not None:
                row.void_at = work.now
                work.publish(FamilyNoticeSettled(notice_id=row.id, patient_id=patient.id))
            continue
        fresh = row is None
        if row is None:
            row = FamilyNotice(
                branch_id=visit.branch_id, patient_id=patient.id, caregiver_id=caregiver_id, visit_id=visit.id,
                raised_at=work.now,
            )  # fmt: skip
            work.session.add(row)
        row.change, row.language = change, language
        row.old_starts_at, row.new_starts_at = told.starts_at, new
        work.session.flush()  # its number is in the trail and in what the office is asked
        if fresh:
            work.record("family-notice.raised", f"family-notice:{row.id}", patient_id=patient.id, visit=visit.id)
            work.publish(FamilyNoticeRaised(notice_id=row.id, patient_id=patient.id))


def _people(work: Work, patient: Patient) -> Iterator[tuple[int | None, FamilyLanguage]]:
    """The patient, and caregivers who may be rung and with whom the patient has agreed to share, with languages."""
    yield None, family_language(patient.spoken_language)
    today = agency.today(work, patient.branch_id)
    for one in patient.caregivers:
        facts = ShareFacts(one.consent_to_share, one.consent_from, one.consent_until)
        if one.may_contact is not False and ask_share(facts, today) is None:
            yield one.id, family_language(one.language)


# ------------------------------------------------------------------------------------ the office's list


@permitted("family:tell")
def search(work: Work, *, branch_id: int | None = None, waiting: bool = True) -> sa.Select[Any]:
    """What people are to be told, as a select for `page`; without `waiting`, what they were told as well."""
    query = sa.select(FamilyNotice).where(FamilyNotice.patient_id.in_(patients_in_sight(work)))
    if branch_id is not None:
        query = query.where(FamilyNotice.branch_id == branch_id)
    if waiting:
        query = query.where(FamilyNotice.told_at.is_(None), FamilyNotice.void_at.is_(None))
    work.record("family-notice.listed", "family-notices")
    return query


def notice_for_change(work: Work, notice_id: int) -> FamilyNotice:
    """The notice, if the actor may see its patient, locked."""
    row = work.session.get(FamilyNotice, notice_id)
    if row is None:
        raise NotFound("notice")
    require_sight(work, row.patient_id)
    return locked(work.session, FamilyNotice, notice_id, "notice")


@permitted("family:tell")
def tell(work: Work, notice_id: int, how: ToldHow) -> FamilyNotice:
    """The person was told so; from now on the visit is told as it stands."""
    row = notice_for_change(work, notice_id)
    if row.told_at is not None or row.void_at is not None:
        raise Conflict("There is nothing to tell any more.", code="notice-settled")
    row.told_at, row.told_by, row.told_how = work.now, work.actor.user_id, how
    work.session.flush()  # the new version is in the answer
    work.record("family-notice.told", f"family-notice:{row.id}", patient_id=row.patient_id, how=how.value)
    if row.new_starts_at is not None and _nobody_waits(work, row.visit_id):
        _told(work, fetch(work.session, Visit, row.visit_id, "visit"), row.new_starts_at)
    work.publish(FamilyNoticeSettled(notice_id=row.id, patient_id=row.patient_id))
    return row


def _nobody_waits(work: Work, visit_id: int) -> bool:
    open_one = sa.select(FamilyNotice.id).where(
        FamilyNotice.visit_id == visit_id, FamilyNotice.told_at.is_(None), FamilyNotice.void_at.is_(None)
    )
    return work.session.execute(open_one.limit(1)).scalar() is None
