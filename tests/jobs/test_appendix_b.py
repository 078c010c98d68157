"""The timetable holds the jobs of the rule book's appendix B, at the branch's wall clock, once, and made up for."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.month import begin_month
from coordinator.domain.events import ExclusionChecked
from coordinator.jobs.manual import ManualScheduler
from coordinator.jobs.model import QueuedJob
from coordinator.jobs.timetable import slots_due
from coordinator.wiring import CLOCK, JOBS
from tests.builders import make_branch, make_clinician, make_episode, make_patient
from tests.conftest import WorkAs

#: When (local) -> the job that does it, as the book's table says; days 45, 50 and 55 of a period are asked daily.
APPENDIX_B = {
    "every 15 minutes": "referrals.watch-48-hours",
    "daily 03:15": "deadlines.remind",
    "Sunday 00:30": "visits.close-week",
    "day 1 of the month 03:40": "deadlines.begin-month",
}
#: What the product needs besides. Whoever adds a job to the clock says here that the book does not know it.
OUR_OWN = {
    "plan.nightly", "orders.expire", "visits.late-notes", "compliance.bill-holds", "holds.expire",
    "episodes.watch-stays", "teamwork.escalate", "teamwork.resources",
    "visits.watch-lone-work", "notify.deliver", "notify.webhooks",
}  # fmt: skip
PACIFIC = ZoneInfo("America/Los_Angeles")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def test_the_timetable_holds_the_jobs_of_appendix_b_and_no_others_but_our_own() -> None:
    said = {}
    for entry in CLOCK:
        if entry.every is not None:
            when = f"every {entry.every} minutes"
        elif entry.month_day is not None:
            when = f"day {entry.month_day} of the month {entry.at:%H:%M}"
        else:
            when = f"{'daily' if entry.weekday is None else WEEKDAYS[entry.weekday]} {entry.at:%H:%M}"
        if entry.job not in OUR_OWN:
            said[when] = entry.job
    assert said == APPENDIX_B
    assert {entry.job for entry in CLOCK} <= set(JOBS)
    assert len({entry.name for entry in CLOCK}) == len(CLOCK)


def test_a_year_has_every_night_sunday_and_month_once_through_both_clock_changes(app: Coordinator) -> None:
    assert app.extensions["door"].policy.deadlines.recertification_days[:3] == (45, 50, 55)
    since = datetime(2026, 1, 1, tzinfo=PACIFIC) - timedelta(seconds=1)
    until = datetime(2026, 12, 31, 23, 59, tzinfo=PACIFIC)
    counted = {}
    for entry in CLOCK:
        if entry.job in APPENDIX_B.values() and entry.at is not None:
            local = [slot.astimezone(PACIFIC) for slot in slots_due(entry, PACIFIC, since, until)]
            assert {moment.time() for moment in local} == {entry.at}
            assert set(Counter(moment.date() for moment in local).values()) == {1}
            counted[entry.job] = len(local)
    assert counted == {"deadlines.remind": 365, "visits.close-week": 52, "deadlines.begin-month": 12}
    quarter = next(entry for entry in CLOCK if entry.job == "referrals.watch-48-hours")
    for change, hours in ((date(2026, 3, 8), 23), (date(2026, 11, 1), 25)):
        begins = datetime.combine(change, time(), PACIFIC) - timedelta(seconds=1)
        ends = datetime.combine(change + timedelta(days=1), time(), PACIFIC) - timedelta(seconds=1)
        assert len(slots_due(quarter, PACIFIC, begins, ends)) == 4 * hours


def test_a_month_begins_once_and_a_server_that_was_down_makes_up_for_it(
    app: Coordinator, session: Session, database: Database
) -> None:
    """Down from 30 October to 9 November: the month begins once, for November, and not again."""
    branch = make_branch(session)
    nurse = make_clinician(session, branch)
    session.commit()
    monthly = [entry for entry in CLOCK if entry.job == "deadlines.begin-month"]
    scheduler = ManualScheduler(app.extensions["workshop"], datetime(2026, 11, 9, 20, tzinfo=UTC))
    scheduler.workshop = replace(scheduler.workshop, clock=monthly)
    for moment in (scheduler.now, scheduler.now + timedelta(hours=1), scheduler.now + timedelta(days=5)):
        scheduler.advance(moment)
    with database.transaction(write=False) as reading:
        assert [job.status for job in reading.execute(sa.select(QueuedJob)).scalars()] == ["done"]
        rows = reading.execute(sa.select(Deadline).order_by(Deadline.subject)).scalars().all()
        assert [(row.rule, row.subject, row.due_on) for row in rows] == [
            ("SEC-05", "audit:2026-10", date(2026, 11, 15)),
            ("CRD-01", f"exclusion:{nurse.id}:leie", date(2026, 11, 30)),
            ("CRD-01", f"exclusion:{nurse.id}:sam", date(2026, 11, 30)),
        ]


def test_what_a_month_asks_for_is_what_is_not_answered_yet(database: Database, work_as: WorkAs) -> None:
    """One list was looked at in October; one home is outside the area; the trail of October had one refusal."""
    with database.transaction() as session:
        branch = make_branch(session)
        nurse = make_clinician(session, branch)
        inside, outside = (make_patient(session, branch) for _ in range(2))
        for patient in (inside, outside):
            make_episode(session, patient)
        outside.home.zip, outside.home.lat, outside.home.lon = "10001", None, None
    first = date(2026, 11, 1)
    with work_as(now=datetime(2026, 10, 20, 20, tzinfo=UTC)) as work:
        work.publish(ExclusionChecked(nurse.id, branch.id, "leie", date(2026, 10, 20), matched=False))
        work.record("patient.read", "patient:1", outcome="deny")
    with work_as(now=datetime(2026, 11, 1, 12, tzinfo=UTC)) as work:
        for _ in range(2):
            begin_month(work, branch.id, first)
        work.session.flush()
        rows = {row.subject: row for row in work.session.query(Deadline).filter_by(branch_id=branch.id)}
        assert {subject: row.due_on for subject, row in rows.items()} == {
            f"exclusion:{nurse.id}:leie": date(2026, 11, 20), f"exclusion:{nurse.id}:sam": date(2026, 11, 30),
            f"patient:{outside.id}:area": date(2026, 11, 2), "audit:2026-10": date(2026, 11, 15),
        }  # fmt: skip
        facts = rows["audit:2026-10"].facts
        assert (facts["month"], facts["refused"], facts["emergencies"]) == ("2026-10", 1, 0)
        assert facts["lines"] == work.session.query(AuditEvent).count()
        home = work.session.get_one(type(outside), outside.id).home
        home.zip, home.lat, home.lon = inside.home.zip, inside.home.lat, inside.home.lon
        work.session.flush()
        begin_month(work, branch.id, date(2026, 12, 1))
        assert rows[f"patient:{outside.id}:area"].status.value == "superseded"
