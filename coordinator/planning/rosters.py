"""Versions of published rosters: each change of a clinician's day that they are shown raises its number by one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

import sqlalchemy as sa

from coordinator.agency.service import zone_of
from coordinator.core.work import Work
from coordinator.domain.events import VisitBooked, VisitCancelled, VisitMissed, VisitMoved
from coordinator.domain.timeline import local_day
from coordinator.planning.model import RosterVersion
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit

_PUBLISHING = "planning.publishing"


@contextmanager
def by_publication(work: Work) -> Iterator[None]:
    """Changes inside belong to one publication, which raises each day's number once, at its end."""
    work.session.info[_PUBLISHING] = True
    try:
        yield
    finally:
        work.session.info.pop(_PUBLISHING, None)


def raise_versions(
    work: Work, days: Iterable[tuple[int, date]], *, cause: str, run_id: int | None = None
) -> tuple[int, ...]:
    """Each of these clinician's days has a new version; the clinicians, once each.

    The clinicians' calendars are held, so that two changes of one day get two numbers.
    """
    wanted = sorted(set(days))
    people = sorted({clinician_id for clinician_id, _ in wanted})
    if not wanted:
        return ()
    work.session.execute(
        sa.select(Clinician.id).where(Clinician.id.in_(people)).order_by(Clinician.id).with_for_update(key_share=True)
    ).all()
    newest = {
        (clinician_id, day): number
        for clinician_id, day, number in work.session.execute(
            sa.select(RosterVersion.clinician_id, RosterVersion.day, sa.func.max(RosterVersion.number))
            .where(
                RosterVersion.clinician_id.in_(people),
                RosterVersion.day >= min(day for _, day in wanted),
                RosterVersion.day <= max(day for _, day in wanted),
            )
            .group_by(RosterVersion.clinician_id, RosterVersion.day)
        )
    }
    for clinician_id, day in wanted:
        work.session.add(
            RosterVersion(
                clinician_id=clinician_id,
                day=day,
                number=newest.get((clinician_id, day), 0) + 1,
                run_id=run_id,
                cause=cause,
                published_at=work.now,
                published_by_id=work.actor.user_id,
            )
        )
    work.session.flush()  # two that chose one number would be refused here, with a name
    return tuple(people)


def on_visit_changed(work: Work, event: VisitBooked | VisitMoved | VisitCancelled | VisitMissed) -> None:
    """A change by hand shows on the days that it concerns: where the visit is now, and where it was before."""
    if work.session.info.get(_PUBLISHING):
        return
    visit = work.session.get(Visit, event.visit_id)
    if visit is None:
        return
    zone = zone_of(work, visit.branch_id)
    days: set[tuple[int, date]] = set()
    if visit.starts_at is not None:
        now_at = {getattr(event, "clinician_id", None), visit.clinician_id}
        days |= {(number, local_day(visit.starts_at, zone)) for number in now_at if number is not None}
    before, who = getattr(event, "old_starts_at", None), getattr(event, "old_clinician_id", None)
    if before is not None and who is not None:
        days.add((who, local_day(before, zone)))
    cause = {VisitBooked: "publish", VisitMoved: "move", VisitCancelled: "cancel", VisitMissed: "missed"}[type(event)]
    raise_versions(work, days, cause=cause)
