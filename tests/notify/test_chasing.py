"""Who has not read that their roster changed is asked for by a person, hours before the visit."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role, VisitStatus
from coordinator.notify import chasing
from coordinator.notify.service import tell_user
from coordinator.teamwork.model import Task
from coordinator.wiring import CLOCK, JOBS
from tests.builders import (
    make_branch,
    make_clinician,
    make_episode,
    make_job_context,
    make_patient,
    make_user,
    make_visit,
)
from tests.conftest import WorkAs
from tests.people import at, browser

TUESDAY_EVENING = datetime(2026, 11, 10, 20, tzinfo=ZoneInfo("America/Los_Angeles"))
HOUR = timedelta(hours=1)


def test_a_change_that_was_not_read_is_the_schedulers_to_ring_about_until_it_is_read(
    app: Coordinator, database: Database, work_as: WorkAs
) -> None:
    """Visits on Wednesday at nine and on Thursday at nine; the policy asks twelve hours before, after half an hour."""
    with database.transaction() as session:
        branch = make_branch(session)
        patient = make_patient(session, branch)
        episode = make_episode(session, patient)
        nurse, other = make_clinician(session, branch), make_clinician(session, branch)
        away = make_user(session, "-", "clinician", clinician_id=other.id)
        wednesday, thursday = (
            make_visit(
                session, patient, episode, clinician_id=nurse.id, status=VisitStatus.BOOKED, starts_at=begins,
                ends_at=begins + HOUR, published_at=TUESDAY_EVENING - 48 * HOUR,
            )
            for begins in (TUESDAY_EVENING + 13 * HOUR, TUESDAY_EVENING + 37 * HOUR)
        )  # fmt: skip
        office, visits = branch.id, (wednesday.id, thursday.id)
    reader = browser(app, database, Role.CLINICIAN, clinician_id=nurse.id)
    with database.session(write=False) as session:
        mine = sa.select(User.id).where(User.clinician_id == nurse.id)
        people = (session.execute(mine).scalar_one(), away.id)
    with work_as(now=TUESDAY_EVENING) as work:
        for visit_id in visits:
            tell_user(
                work, user_id=people[0], branch_id=office, kind="visit.given", subject=f"visit:{visit_id}",
                key=f"given:{visit_id}", visit=visit_id, day="2026-11-11",
            )  # fmt: skip
        for user_id in people:  # the other has no visit that could be missed
            tell_user(
                work, user_id=user_id, branch_id=office, kind="roster.published", subject="run:1", key="run:1", run=1
            )

    def chased(now: datetime) -> int:
        with work_as(now=now) as work:
            return chasing.chase(work, office)

    def tasks() -> list[Task]:
        with database.session(write=False) as session:
            return list(session.execute(sa.select(Task).order_by(Task.id)).scalars())

    assert chased(TUESDAY_EVENING + 0.9 * HOUR) == 0, "twelve hours before, and no earlier"
    assert chased(TUESDAY_EVENING + HOUR) == 2, "the visit that was given, and the roster that begins with it"
    assert chased(TUESDAY_EVENING + 2 * HOUR) == 2
    JOBS[chasing.JOB](make_job_context(app, chasing.JOB, now=TUESDAY_EVENING + 2 * HOUR), {"branch_id": office})
    asked = tasks()
    assert [(task.kind.value, str(task.owner_role), task.about, task.due_at) for task in asked] == [
        ("reach-otherwise", "scheduler", f"clinician:{nurse.id}", TUESDAY_EVENING + 13 * HOUR)
    ] * 2
    with work_as(now=TUESDAY_EVENING + 2 * HOUR) as work:
        tell_user(
            work, user_id=people[0], branch_id=office, kind="visit.moved", subject=f"visit:{visits[0]}",
            key="moved", visit=visits[0], day="2026-11-11",
        )  # fmt: skip
    assert chased(TUESDAY_EVENING + 2.4 * HOUR) == 2, "nobody is asked for before they had time to read"
    assert chased(TUESDAY_EVENING + 2.5 * HOUR) == 3
    with at(TUESDAY_EVENING + 3 * HOUR):
        for notice in reader.get("/notices").json["items"]:
            assert reader.post(f"/notices/{notice['id']}/read").status_code == 200
        scheduler = browser(app, database, Role.SCHEDULER, branch_ids=[office])
        assert scheduler.get("/inbox").json["tasks"] == 0
    assert {task.status.value for task in tasks()} == {"cancelled"}
    assert chased(TUESDAY_EVENING + 14 * HOUR) == 0
    assert next(entry for entry in CLOCK if entry.job == chasing.JOB).every == 15
