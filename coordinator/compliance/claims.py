"""Whether what was given may be claimed, a visit or a certification period; and if not, every reason why not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.compliance.model import BillHold
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.timeline import certification_period, certification_period_of, day_bounds, local_day
from coordinator.domain.vocabulary import VisitStatus
from coordinator.patients.model import Episode
from coordinator.patients.queries import require_visible
from coordinator.visits import queries
from coordinator.visits.model import Visit
from coordinator.visits.placing import STATE_WORDS

#: Certification periods of a hundred years.
MOST_PERIODS = 610


@dataclass(frozen=True, slots=True)
class Claimable:
    """The answer: what it is about, whether it may be exported for a claim, and every reason why not."""

    subject: str
    reasons: list[dict[str, Any]]
    holds: list[BillHold]
    #: Of a period: its first and last day, and the visits given in it.
    first: date | None = None
    last: date | None = None
    visits: list[int] | None = None

    @property
    def exportable(self) -> bool:
        return not self.reasons


@permitted("billing:read")
def of_visit(work: Work, visit_id: int) -> Claimable:
    """Whether the visit may be claimed: it was given, its note is signed, and no rule holds it, its order or period."""
    visit = queries.the_visit(work, visit_id)
    episode = work.session.get_one(Episode, visit.episode_id)
    held = _open_holds(work, visit.patient_id)
    mine = [row for row in held if _concerns(work, row, visit, episode)]
    work.record("bill.asked", f"visit:{visit.id}", patient_id=visit.patient_id)
    return Claimable(f"visit:{visit.id}", [*_unfinished(visit), *_reasons(mine)], mine)


@permitted("billing:read")
def of_period(work: Work, patient_id: int, number: int) -> Claimable:
    """Whether a certification period of the patient's newest episode may be claimed, with every visit given in it."""
    require_visible(work, patient_id)
    episode = work.session.scalar(
        sa.select(Episode).where(Episode.patient_id == patient_id).order_by(Episode.id.desc()).limit(1)
    )
    if episode is None:
        raise NotFound("certification period")
    if number > MOST_PERIODS:
        raise NotFound("certification period")
    if episode.soc_date is None:
        raise Conflict("Care has not begun: there is no certification period yet.", code="not-admitted")
    span = certification_period(episode.soc_date, number)
    branch_id = _branch_of(work, patient_id)
    zone = agency.zone_of(work, branch_id)
    begins, ends = day_bounds(span.first, zone)[0], day_bounds(span.last, zone)[1]
    visits = list(
        work.session.scalars(
            sa.select(Visit)
            .where(
                Visit.episode_id == episode.id,
                Visit.actual_start_at >= begins,
                Visit.actual_start_at < ends,
                Visit.status != VisitStatus.ENTERED_IN_ERROR,
            )
            .order_by(Visit.actual_start_at, Visit.id)
        )
    )
    held = _open_holds(work, patient_id)
    given, orders = {visit.id for visit in visits}, {visit.order_id for visit in visits}
    mine = [
        row
        for row in held
        if row.episode_id == episode.id
        and (row.period in (0, number) or row.visit_id in given or row.order_id in orders - {None})
    ]
    open_ones = [reason for visit in visits for reason in _unfinished(visit)]
    work.record("bill.asked", f"patient:{patient_id}", patient_id=patient_id, period=number)
    return Claimable(
        f"period:{episode.id}/{number}",
        [*open_ones, *_reasons(mine)],
        mine,
        span.first,
        span.last,
        [row.id for row in visits],
    )


@permitted("billing:read")
def of_patient(work: Work, patient_id: int, *, also_cleared: bool = False) -> list[BillHold]:
    """What holds the patient's bills, or with `also_cleared` ever did, oldest first."""
    require_visible(work, patient_id)
    query = sa.select(BillHold).where(BillHold.patient_id == patient_id)
    if not also_cleared:
        query = query.where(BillHold.cleared_at.is_(None))
    work.record("bill.listed", f"patient:{patient_id}", patient_id=patient_id)
    return list(work.session.scalars(query.order_by(BillHold.opened_at, BillHold.id)))


def _branch_of(work: Work, patient_id: int) -> int:
    return require_visible(work, patient_id).branch_id


def _open_holds(work: Work, patient_id: int) -> list[BillHold]:
    return list(
        work.session.scalars(
            sa.select(BillHold)
            .where(BillHold.patient_id == patient_id, BillHold.cleared_at.is_(None))
            .order_by(BillHold.opened_at, BillHold.id)
        )
    )


def _concerns(work: Work, row: BillHold, visit: Visit, episode: Episode) -> bool:
    if row.visit_id is not None or row.order_id is not None:
        return row.visit_id == visit.id or (row.order_id is not None and row.order_id == visit.order_id)
    return row.episode_id == visit.episode_id and row.period in (0, _period(work, visit, episode))


def _period(work: Work, visit: Visit, episode: Episode) -> int | None:
    began: datetime | None = visit.actual_start_at or visit.starts_at
    day = visit.window_from if began is None else local_day(began, queries.zone(work, visit))
    if episode.soc_date is None or day < episode.soc_date:
        return None
    return certification_period_of(episode.soc_date, day)


def _unfinished(visit: Visit) -> list[dict[str, Any]]:
    """Why a visit is not ready to be claimed, whatever the rules say."""
    if visit.status not in DONE_VISIT:
        sentence, cure = f"The visit {STATE_WORDS[visit.status]}.", "It is claimed when it was made."
    elif visit.status is VisitStatus.COMPLETED:
        sentence, cure = "The note of the visit is not signed.", "Who made the visit signs its note."
    else:
        return []
    return [{"code": "not-ready", "visit": visit.id, "rule": None, "sentence": sentence, "cure": cure, "facts": {}}]


def _reasons(rows: Iterable[BillHold]) -> list[dict[str, Any]]:
    return [
        {"code": "held", "visit": row.visit_id, "order": row.order_id, "period": row.period, "since": row.opened_at}
        | {name: said[name] for name in ("rule", "citation", "sentence", "facts", "cure")}
        for row in rows
        for said in row.findings
    ]
