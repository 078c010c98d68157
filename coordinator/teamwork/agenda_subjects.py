"""Of whom a team conference talks, and since when what happened to them is news."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.model import Conference
from coordinator.core.work import Work
from coordinator.domain.timeline import day_bounds, local_day
from coordinator.patients.model import Episode, Patient
from coordinator.rules import conference as rules


@dataclass(frozen=True, slots=True)
class Subject:
    """One patient of a meeting. `since`: the day of the last that counted, or of the start of care."""

    patient_id: int
    branch_id: int
    episode_id: int
    last_on: date | None
    due_on: date | None
    since: date
    since_at: datetime
    today: date
    code_status: str
    managed: bool


def subjects_of(work: Work, episodes: sa.Select[Any]) -> list[Subject]:
    """The patients of these open episodes, one each, with the last conference that counted and the next that is due."""
    counted = (
        sa.select(Conference.episode_id, sa.func.max(Conference.held_on).label("held_on"))
        .where(Conference.counts.is_(True))
        .group_by(Conference.episode_id)
        .subquery()
    )
    rows = work.session.execute(
        episodes.where(Episode.discharged_on.is_(None), Episode.soc_date.is_not(None))
        .join(Patient, Patient.id == Episode.patient_id)
        .outerjoin(counted, counted.c.episode_id == Episode.id)
        .with_only_columns(
            Episode.id, Episode.patient_id, Episode.programme, Episode.soc_date, Patient.branch_id,
            Patient.code_status, Patient.managing_physician_id, counted.c.held_on,
        )
        .order_by(Episode.id)
    ).all()  # fmt: skip
    found: dict[int, Subject] = {}
    for row in rows:
        zone = agency.zone_of(work, row.branch_id)
        today = local_day(work.now, zone)
        since = row.soc_date if row.held_on is None else max(row.held_on, row.soc_date)
        found[row.patient_id] = Subject(
            patient_id=row.patient_id, branch_id=row.branch_id, episode_id=row.id, last_on=row.held_on,
            due_on=rules.conference_due(row.programme, row.soc_date, row.held_on, work.policy.on(today)),
            since=since, since_at=day_bounds(since, zone)[0], today=today, code_status=row.code_status.value,
            managed=row.managing_physician_id is not None,
        )  # fmt: skip
    return list(found.values())


def patients(subjects: Iterable[Subject]) -> list[int]:
    """Their numbers, for a select."""
    return sorted(one.patient_id for one in subjects)


def since_instants(subjects: Iterable[Subject]) -> dict[int, datetime]:
    """Since when, by patient."""
    return {one.patient_id: one.since_at for one in subjects}


def by_patient(rows: Iterable[Any], tell: Callable[[Any], dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """Rows, each told, in their order, under their patients."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.patient_id].append(tell(row))
    return found
