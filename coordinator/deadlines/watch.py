"""The watch over the 48 hours, every quarter of an hour: warns while something can still be done (REF-02, ASM-02)."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.deadlines.book import end
from coordinator.deadlines.care_clock import watch_at_once
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.referral_clock import REF_02, of_referral, open_late_start
from coordinator.deadlines.visit_clock import RESUMED
from coordinator.domain.events import DeadlineReminded, DeadlinesReminded
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.vocabulary import DeadlineStatus, VisitKind, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.patients.model import Episode
from coordinator.referrals.content import facts_of
from coordinator.referrals.model import Referral
from coordinator.rules.referrals import ask_initial_visit
from coordinator.rules.terms import Severity
from coordinator.visits.model import Visit

_BOOKED = frozenset({VisitStatus.BOOKED, VisitStatus.EN_ROUTE, VisitStatus.ARRIVED})


def watch_48_hours(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `referrals.watch-48-hours`: may be done twice, since everything it does is done once per deadline."""
    with context.work() as work:
        watch(work, int(arguments["branch_id"]))


def watch(work: Work, branch_id: int) -> None:
    """Whoever must act knows that a visit in 48 hours is not booked, or was not held; nobody is told twice."""
    _watch_initial(work, _open(work, branch_id, REF_02))
    _watch_resumption(work, _open(work, branch_id, RESUMED))
    watch_at_once(work, branch_id)


def _open(work: Work, branch_id: int, rule: str) -> list[Deadline]:
    query = (
        sa.select(Deadline)
        .where(
            Deadline.branch_id == branch_id,
            Deadline.rule == rule,
            Deadline.due_at.is_not(None),
            Deadline.status == DeadlineStatus.OPEN,
        )
        .order_by(Deadline.id)
        .with_for_update()
    )
    return list(work.session.execute(query).scalars())


def _watch_initial(work: Work, rows: list[Deadline]) -> None:
    if not rows:
        return
    ids = [int(row.subject.partition(":")[2]) for row in rows]
    referrals = {
        of_referral(one.id): one
        for one in work.session.execute(sa.select(Referral).where(Referral.id.in_(ids))).scalars()
    }
    visits = _initial_visits(work, ids)
    for row in rows:
        referral = referrals.get(row.subject)
        if referral is not None:
            _look(work, row, referral, visits.get(referral.id, []))


def _initial_visits(work: Work, referral_ids: list[int]) -> dict[int, list[Visit]]:
    found: dict[int, list[Visit]] = {}
    rows = work.session.execute(
        sa.select(Episode.referral_id, Visit)
        .join(Episode, Episode.id == Visit.episode_id)
        .where(Episode.referral_id.in_(referral_ids), Visit.kind == VisitKind.INITIAL)
        .order_by(Visit.starts_at, Visit.id)
    )
    for referral_id, visit in rows:
        assert referral_id is not None
        found.setdefault(referral_id, []).append(visit)
    return found


def _look(work: Work, row: Deadline, referral: Referral, visits: list[Visit]) -> None:
    assert row.due_at is not None
    begun = [visit for visit in visits if visit.actual_start_at is not None]
    held = [visit for visit in begun if visit.status in DONE_VISIT]
    if held:
        began = min(visit.actual_start_at for visit in held if visit.actual_start_at is not None)
        if began > row.due_at:
            open_late_start(work, referral, row)
        end(work, row, "held late" if began > row.due_at else "held")
        return
    if any(visit.actual_start_at is not None and visit.actual_start_at <= row.due_at for visit in begun):
        return  # the clinician is with the patient, and came in time
    if work.now > row.due_at:
        # A booking that has passed without a visit is no booking.
        _overdue(work, row)
        open_late_start(work, referral, row)
        return
    booked: datetime | None = next(
        (visit.starts_at for visit in visits if visit.status in _BOOKED and visit.starts_at is not None), None
    )
    zone = agency.zone_of(work, referral.branch_id)
    finding = ask_initial_visit(facts_of(referral), booked, work.now, zone, work.policy)
    if finding is not None and finding.severity is Severity.WARN:
        _warn(work, row)


def _watch_resumption(work: Work, rows: list[Deadline]) -> None:
    """The same for the visit after a return from hospital (ASM-02)."""
    episodes = [int(row.subject.partition(":")[2]) for row in rows]
    visits: dict[int, list[Visit]] = {}
    if episodes:
        query = sa.select(Visit).where(Visit.episode_id.in_(episodes), Visit.kind == VisitKind.RESUMPTION)
        for visit in work.session.execute(query.order_by(Visit.starts_at, Visit.id)).scalars():
            visits.setdefault(visit.episode_id, []).append(visit)
    for row, episode_id in zip(rows, episodes, strict=True):
        assert row.due_at is not None
        own = visits.get(episode_id, [])
        if any(visit.actual_start_at is not None and visit.actual_start_at > row.opened_at for visit in own):
            continue  # it is being held; its completion closes the row
        booked = any(
            visit.status in _BOOKED and visit.starts_at is not None and visit.starts_at <= row.due_at for visit in own
        )
        if work.now > row.due_at:
            _overdue(work, row)
        elif not booked and work.now >= datetime.fromisoformat(row.facts["warn_at"]):
            _warn(work, row)


def _overdue(work: Work, row: Deadline) -> None:
    if row.escalated_at is None:
        row.escalated_at = work.now
        work.session.flush()  # the notice names the row as it is now
        work.publish(DeadlinesReminded((DeadlineReminded(deadline_id=row.id, stage="overdue"),)))


def _warn(work: Work, row: Deadline) -> None:
    if row.reminded_at is None:
        row.reminded_at = work.now
        work.session.flush()  # the notice names the row as it is now
        work.publish(DeadlinesReminded((DeadlineReminded(deadline_id=row.id, stage="warning"),)))
