"""Reading patients: one, many, and the row that a change begins with."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from coordinator.access.scope import patients_in_sight, require_sight
from coordinator.agency.service import zone_of
from coordinator.core.db import fetch, locked
from coordinator.core.pages import page
from coordinator.core.work import Work, permitted
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Programme
from coordinator.patients.model import Episode, Patient

#: What a list does not show, and so does not load.
_NOT_LISTED = (
    Patient.caregivers, Patient.coverages, Patient.diagnoses, Patient.no_visit_windows, Patient.unavailabilities,
    Patient.episodes,
)  # fmt: skip


def require_visible(work: Work, patient_id: int) -> Patient:
    """The patient, if the actor may see the record; NotFound otherwise, in the words of a missing one."""
    require_sight(work, patient_id)
    return fetch(work.session, Patient, patient_id, "patient")


def for_change(work: Work, patient_id: int) -> Patient:
    """Like `require_visible`, and nobody else changes the record until this transaction ends."""
    require_sight(work, patient_id)
    return locked(work.session, Patient, patient_id, "patient")


@permitted("patient:read")
def get(work: Work, patient_id: int) -> Patient:
    """The patient's record; the reading leaves a line in the trail."""
    patient = require_visible(work, patient_id)
    work.record("patient.read", f"patient:{patient.id}", patient_id=patient.id)
    return patient


@permitted("patient:read")
def search(
    work: Work,
    *,
    text: str | None = None,
    branch_id: int | None = None,
    programme: Programme | None = None,
    active: bool | None = True,
    by_name: bool = True,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """One page of the patients that the actor may see: {items, next}. Each patient listed is in the trail.

    In the order of names, whose cursor holds a name and so belongs in no address; or else in that of their numbers.
    `text` is a part of a name or the beginning of a record number; `programme` asks for an episode not yet ended.
    """
    query = sa.select(Patient).where(Patient.id.in_(patients_in_sight(work)))
    if branch_id is not None:
        query = query.where(Patient.branch_id == branch_id)
    if active is not None:
        query = query.where(Patient.active == active)
    if programme is not None:
        living = sa.select(Episode.patient_id).where(Episode.programme == programme, Episode.discharged_on.is_(None))
        query = query.where(Patient.id.in_(living))
    for word in (text or "").split():
        query = query.where(
            sa.or_(
                Patient.family_name.icontains(word, autoescape=True),
                Patient.given_name.icontains(word, autoescape=True),
                Patient.mrn.istartswith(word, autoescape=True),
            )
        )
    found = page(
        work.session,
        query.options(*(lazyload(relation) for relation in _NOT_LISTED)),
        (Patient.family_name, Patient.given_name, Patient.id) if by_name else (Patient.id,),
        {"limit": limit, "cursor": cursor},
    )
    for patient in found["items"]:
        work.record("patient.listed", f"patient:{patient.id}", patient_id=patient.id)
    return found


def current_episode(work: Work, patient_id: int, day: date) -> Episode | None:
    """The episode that holds `day`: accepted by then and not discharged before; the latest one where there are two."""
    episodes = work.session.execute(
        sa.select(Episode)
        .where(
            Episode.patient_id == patient_id,
            sa.or_(Episode.discharged_on.is_(None), Episode.discharged_on >= day),
        )
        .order_by(Episode.accepted_at.desc(), Episode.id.desc())
    ).scalars()
    return next((episode for episode in episodes if accepted_day(work, episode) <= day), None)


def accepted_day(work: Work, episode: Episode) -> date:
    """The branch's day on which the episode was accepted."""
    patient = fetch(work.session, Patient, episode.patient_id, "patient")
    return local_day(episode.accepted_at, zone_of(work, patient.branch_id))
