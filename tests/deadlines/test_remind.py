"""The nights: credentials that run out, answers to review, and a job that may be done twice (CRD-01, ELG-00)."""

import threading
from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.work import Work
from coordinator.deadlines import sweep
from coordinator.deadlines.book import close_deadlines, open_deadline
from coordinator.deadlines.remind import look_after
from coordinator.deadlines.table import OBLIGATIONS
from coordinator.deadlines.words import TASKS
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import Criterion, Determination
from coordinator.notify.model import Notice
from coordinator.referrals import service
from coordinator.staff.model import Clinician, Credential
from coordinator.wiring import CLOCK, HANDLERS, JOBS
from tests.builders import make_branch, make_clinician
from tests.conftest import NOW, WorkAs
from tests.deadlines.kit import DONE, OPEN, PACIFIC, SUPERSEDED, WAIVED, book, listen, nights, one
from tests.referrals.kit import Scene, judge, receive


def test_every_event_that_asks_an_obligation_is_wired_to_the_sweep() -> None:
    for entry in OBLIGATIONS:
        assert entry.task in TASKS, entry.task
        for event in entry.asked_by:
            assert sweep.on_event in HANDLERS[event], (entry.task, event)
    assert len({(entry.rule, entry.task) for entry in OBLIGATIONS}) == len(OBLIGATIONS)


def test_the_clock_knows_both_jobs() -> None:
    for job in ("deadlines.remind", "referrals.watch-48-hours"):
        assert job in JOBS
        assert job in {entry.job for entry in CLOCK}


def test_a_licence_is_brought_up_at_ninety_sixty_and_thirty_days(work_as: WorkAs, scene: Scene) -> None:
    expires = date(2027, 1, 31)  # the ninetieth day before is 2 November
    with work_as() as work:
        branch = _branch(work, scene)
        clinician_id = make_clinician(work.session, branch, expires_on=expires).id
    told = []
    for night in nights(date(2026, 10, 25), date(2027, 2, 2)):
        with work_as(now=night) as work:
            heard = listen(work)
            look_after(work, scene.branch_id)
            told += [(night.astimezone(PACIFIC).date(), event.stage) for event in heard]
    assert told == [
        (date(2026, 11, 2), "reminder"),
        (date(2026, 12, 2), "reminder"),
        (date(2027, 1, 1), "reminder"),
        (date(2027, 2, 1), "overdue"),  # the last day is a valid day
    ]
    with work_as() as work:
        row = one(work, "CRD-01")
        assert (row.due_on, row.facts["clinician"]) == (expires, clinician_id)


def _branch(work: Work, scene: Scene) -> Branch:
    return work.session.get_one(Branch, scene.branch_id)


def test_a_renewed_licence_is_owed_no_more_and_who_left_owes_nothing(work_as: WorkAs, scene: Scene) -> None:
    with work_as() as work:
        branch = _branch(work, scene)
        renewing = make_clinician(work.session, branch, expires_on=date(2026, 11, 30))
        leaving = make_clinician(work.session, branch, expires_on=date(2026, 12, 15))
        look_after(work, scene.branch_id)
        assert [row.due_on for row in book(work, "CRD-01", OPEN)] == [date(2026, 11, 30), date(2026, 12, 15)]
        renewing.credentials.append(
            Credential(kind="licence", issued_on=date(2026, 11, 1), expires_on=date(2028, 11, 30), status="active")
        )
        work.session.get_one(Clinician, leaving.id).active = False
        work.session.flush()
        look_after(work, scene.branch_id)
        assert [row.status for row in book(work, "CRD-01")] == [DONE, SUPERSEDED]


def test_a_licence_whose_date_was_corrected_is_due_on_the_right_day(work_as: WorkAs, scene: Scene) -> None:
    with work_as() as work:
        clinician = make_clinician(work.session, _branch(work, scene), expires_on=date(2026, 11, 30))
        look_after(work, scene.branch_id)
        clinician.credentials[0].expires_on = date(2026, 12, 30)
        work.session.flush()
        look_after(work, scene.branch_id)
        assert [(row.due_on, row.status) for row in book(work, "CRD-01")] == [
            (date(2026, 11, 30), SUPERSEDED), (date(2026, 12, 30), OPEN),
        ]  # fmt: skip


def test_an_answer_is_asked_for_again_before_its_review_day(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral, Criterion.WILLING)
        service.determine(
            work, referral.id, Criterion.WILLING, Determination.MET, "asked", review_on=date(2026, 11, 20)
        )
        service.accept(work, referral.id)
    with work_as(now=NOW + timedelta(days=3)) as work:
        look_after(work, scene.branch_id)
        assert book(work, "ELG-00") == []
    with work_as(now=NOW + timedelta(days=4)) as work:
        look_after(work, scene.branch_id)
        row = one(work, "ELG-00")
        assert (row.due_on, row.facts["criterion"]) == (date(2026, 11, 20), "ELG-3")
    with work_as(scene.manager, now=NOW + timedelta(days=5)) as work:
        service.determine(work, referral.id, Criterion.WILLING, Determination.MET, "asked again")
        assert one(work, "ELG-00", None).status is DONE


def test_the_discharge_of_an_inpatient_is_asked_for_every_day(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        receive(work, scene, setting="inpatient")
    for night in nights(date(2026, 11, 10), date(2026, 11, 12)):
        with work_as(now=night) as work:
            look_after(work, scene.branch_id)
    with work_as() as work:
        assert [(row.due_on.day, row.status) for row in book(work, "REF-02")] == [
            (9, SUPERSEDED), (10, SUPERSEDED), (11, SUPERSEDED), (12, OPEN),
        ]  # fmt: skip


@pytest.mark.parametrize("week", [date(2026, 10, 31), date(2027, 3, 13)])
def test_every_local_day_of_a_clock_change_is_one_night(work_as: WorkAs, scene: Scene, week: date) -> None:
    """What is due on each day of the weekend is overdue on the next, and not an hour earlier."""
    with work_as(now=at_wall_clock(week - timedelta(days=1), time(12), PACIFIC)) as work:
        for days in range(4):
            open_deadline(
                work, rule="VIS-01", subject=f"visit:{days}", due_on=week + timedelta(days=days),
                owner_role="scheduler", branch_id=scene.branch_id, task="welfare-check",
            )  # fmt: skip
    told = {}
    for night in nights(week, week + timedelta(days=4)):
        with work_as(now=night) as work:
            heard = listen(work)
            look_after(work, scene.branch_id)
            told[night.astimezone(PACIFIC).date()] = len(heard)
    assert list(told.values()) == [0, 1, 1, 1, 1]
    last_moment = at_wall_clock(week + timedelta(days=5), time(), PACIFIC) - timedelta(microseconds=1)
    with work_as(now=last_moment) as work:
        open_deadline(
            work, rule="VIS-01", subject="visit:9", due_on=week + timedelta(days=4), owner_role="scheduler",
            branch_id=scene.branch_id, task="welfare-check",
        )  # fmt: skip
        heard = listen(work)
        look_after(work, scene.branch_id)
        assert heard == []


def test_an_overdue_line_tells_its_owner_and_the_clinical_manager(work_as: WorkAs, scene: Scene) -> None:
    with work_as() as work:
        row = open_deadline(
            work, rule="VIS-01", subject="visit:1", due_on=date(2026, 11, 8), owner_role="scheduler",
            branch_id=scene.branch_id, task="welfare-check",
        )  # fmt: skip
        look_after(work, scene.branch_id)
        told = work.session.execute(sa.select(Notice.role, Notice.kind, Notice.subject).order_by(Notice.role)).all()
        assert [tuple(one) for one in told] == [
            ("clinical_manager", "deadline.overdue", f"deadline:{row.id}"),
            ("scheduler", "deadline.overdue", f"deadline:{row.id}"),
        ]


# ------------------------------------------------------------------------------------ the book itself


def _open(work, scene: Scene, **given):
    values = {"rule": "VIS-01", "subject": "visit:1", "due_on": date(2026, 11, 10), "owner_role": "scheduler"} | given
    return open_deadline(work, branch_id=scene.branch_id, task="welfare-check", **values)


def test_the_same_line_twice_is_one_line(work_as: WorkAs, scene: Scene) -> None:
    with work_as() as work:
        assert _open(work, scene).id == _open(work, scene).id
        assert len([line for line in work.trail if line.action == "deadline.opened"]) == 1


def test_what_was_superseded_opens_again_and_what_was_done_or_waived_does_not(work_as: WorkAs, scene: Scene) -> None:
    with work_as() as work:
        for status, after in ((SUPERSEDED, OPEN), (DONE, DONE), (WAIVED, WAIVED)):
            row = _open(work, scene, subject=f"visit:{status.value}")
            close_deadlines(work, subject=row.subject, rule=row.rule, reason="test", status=status)
            assert _open(work, scene, subject=row.subject).status is after
            assert (row.closed_at is None) == (after is OPEN)


def test_two_who_open_the_same_line_at_once_make_one(work_as: WorkAs, scene: Scene, database: Database) -> None:
    barrier, ids = threading.Barrier(4), []

    def write() -> None:
        barrier.wait()
        with work_as() as work:
            ids.append(_open(work, scene).id)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_a_quiet_branch_has_a_quiet_night(work_as: WorkAs, database: Database) -> None:
    with database.transaction() as session:
        branch_id = make_branch(session, zone="America/New_York").id
    with work_as(now=datetime.fromisoformat("2026-11-09T08:15:00+00:00")) as work:
        heard = listen(work)
        look_after(work, branch_id)
        assert (heard, book(work)) == ([], [])
