"""Today and tomorrow of whoever makes visits, in few queries; and what of it a telephone may keep for how long."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Response

from coordinator.access.model import SignInSession, User
from coordinator.agency import service as agency
from coordinator.core.errors import Forbidden
from coordinator.core.http import door
from coordinator.core.work import Work
from coordinator.domain.timeline import day_bounds
from coordinator.domain.vocabulary import RepairKind, VisitStatus
from coordinator.notify import service as notices
from coordinator.notify.model import Notice
from coordinator.planning.repairs.model import Repair
from coordinator.staff.model import Clinician
from coordinator.visits import roster
from coordinator.visits.roster import Roster, RosterEntry
from coordinator.web import roster_words as words

#: Before the visit has begun, while it goes on, and after it.
AHEAD = (VisitStatus.BOOKED, VisitStatus.EN_ROUTE, VisitStatus.ARRIVED)
OPEN = (*AHEAD, VisitStatus.IN_PROGRESS)
MOST_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """Something of the roster that others changed: what, on which day, who decided, when."""

    notice_id: int
    said: str
    on: date | None
    visit_id: int | None
    by: str | None
    why: RepairKind | None
    at: datetime


def whose(work: Work) -> Clinician:
    """Whose roster it is; Forbidden for those who make no visits."""
    found = work.session.get(Clinician, work.actor.clinician_id or 0)
    if found is None:
        raise Forbidden("Only somebody who makes visits has a roster.", code="not-a-clinician")
    return found


def two_days(work: Work, clinician: Clinician) -> tuple[Roster, Roster]:
    """Today and tomorrow, by the clock of the clinician's branch."""
    today = agency.today(work, clinician.branch_id)
    first, second = (roster.roster(work, clinician.id, today + timedelta(days=step)) for step in (0, 1))
    return first, second


def next_of(entries: Collection[RosterEntry]) -> RosterEntry | None:
    """What is done now, else what comes next: the visit that goes on, else the first that is not begun."""
    going_on = (entry for entry in entries if entry.visit.status is VisitStatus.IN_PROGRESS)
    ahead = (entry for entry in entries if entry.visit.status in AHEAD)
    return next(going_on, None) or next(ahead, None)


def primary_diagnosis(work: Work, entry: RosterEntry) -> str | None:
    """What the patient is seen for, for those who may read it."""
    if not work.actor.may("patient:read-clinical") or not entry.patient.diagnoses:
        return None
    return entry.patient.diagnoses[0].display


# ------------------------------------------------------------------------------------------ what others changed


def of_roster(work: Work) -> sa.Select[Any]:
    """One's unread notices of changes of one's roster, oldest first."""
    return (
        notices.search(work, unread=True)
        .where(Notice.kind.in_(sorted(words.CHANGES)), Notice.user_id == (work.actor.user_id or 0))
        .order_by(Notice.id)
        .limit(MOST_CHANGES)
    )


def changes(work: Work) -> list[Change]:
    """What changed since it was last acknowledged."""
    rows = work.session.scalars(of_roster(work)).all()
    people = {row.facts.get("by") for row in rows} - {None}
    known = work.session.execute(sa.select(User.id, User.display_name).where(User.id.in_(sorted(people))))
    names = {row.id: row.display_name for row in known}
    why = _repairs(work, rows)
    found = []
    for row in rows:
        day = date.fromisoformat(row.facts["day"]) if "day" in row.facts else None
        visit_id = row.facts.get("visit")
        by = names.get(row.facts.get("by"))
        found.append(
            Change(row.id, words.CHANGES[row.kind], day, visit_id, by, why.get(row.created_at), row.created_at)
        )
    return found


def _repairs(work: Work, rows: Sequence[Notice]) -> dict[datetime, RepairKind]:
    """What made the repairs necessary of which one was told, by the instant of the telling: all that a repair changes
    is told in its own transaction.
    """
    told = {row.facts["repair"]: row.created_at for row in rows if "repair" in row.facts}
    if not told:
        return {}
    kinds = work.session.execute(sa.select(Repair.id, Repair.kind).where(Repair.id.in_(sorted(told))))
    return {told[row.id]: row.kind for row in kinds}


# ------------------------------------------------------------------------------------------ on the telephone


def keep_until(work: Work, last_day: date, zone: ZoneInfo) -> datetime:
    """Until when a telephone may show this page without asking: the end of its day, and never after the session."""
    limits = [day_bounds(last_day, zone)[1]]
    begun = work.session.execute(
        sa.select(SignInSession.created_at).where(SignInSession.id == (work.actor.session_id or 0))
    ).scalar()
    if begun is not None:
        limits.append(begun + timedelta(minutes=door().settings.session_absolute_minutes))
    return min(limits)


def kept(work: Work, answer: Response, until: datetime) -> Response:
    """The page, marked for the telephone's own store with the seconds after which it must forget it.

    Seconds, since the clock of a telephone may be wrong.
    """
    answer.headers["Keep-For"] = str(max(0, int((until - work.now).total_seconds())))
    return answer
