"""Homes where people go with care: two together, heard of at intervals, out before sunset (LAB-06)."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.domain.vocabulary import Conversation, VisitKind, VisitStatus
from coordinator.notify.model import Notice
from coordinator.patients import service as patients
from coordinator.patients.model import Home, NoVisitWindow, Patient
from coordinator.visits import doing, lone_work, service
from coordinator.visits.model import LoneWork, Visit
from coordinator.visits.windows import closed_windows
from tests.conftest import WorkAs
from tests.visits.conftest import THIS_WEEK, TUESDAY, WEDNESDAY, ZONE, OrderMaker, Scene, local


def _precautions(work_as: WorkAs, scene: Scene, **given: Any) -> None:
    with work_as(scene.actor("manager")) as work:
        patients.set_precautions(
            work, scene.patient, **({"two_person": False, "check_in_minutes": None, "until_sunset": False} | given)
        )


def _notices(database: Database) -> list[tuple[str | None, str, bool]]:
    with database.transaction(write=False) as session:
        rows = session.scalars(sa.select(Notice).where(Notice.kind == "visit.unheard").order_by(Notice.id))
        return [(row.role, row.facts["stage"], row.read_at is not None) for row in rows]


def test_where_two_go_every_visit_ahead_has_a_second_persons_beside_it(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Any, row: Any
) -> None:
    order = ordered(weeks=((*THIS_WEEK, 2, 2),))
    leads = wanted(order)
    assert wanted(order, joint=True) == []
    for _ in range(2):  # set twice, nothing is added
        _precautions(work_as, scene, two_person=True)
        assert [row(second).joint_with_id for second in wanted(order, joint=True)] == leads
    later = ordered(weeks=((*THIS_WEEK, 1, 1),), raised=True)
    assert len(wanted(later, joint=True)) == 1  # what is raised afterwards has one from the start
    _precautions(work_as, scene)
    assert wanted(order, joint=True) == wanted(later, joint=True) == []
    assert wanted(order) == leads


def test_an_order_for_two_keeps_its_second_person_when_the_home_asks_for_none(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Any
) -> None:
    order = ordered(two_person=True, weeks=((*THIS_WEEK, 1, 1),))
    beside = wanted(order, joint=True)
    _precautions(work_as, scene, two_person=True)
    _precautions(work_as, scene)
    assert wanted(order, joint=True) == beside
    assert len(beside) == 1


@pytest.mark.parametrize("minutes", [0, 9, 241])
def test_an_interval_that_helps_nobody_is_refused(scene: Scene, work_as: WorkAs, minutes: int) -> None:
    with pytest.raises(Invalid) as refused:
        _precautions(work_as, scene, check_in_minutes=minutes)
    assert refused.value.extra["errors"][0]["pointer"] == "/check_in_minutes"


def test_the_office_is_told_once_of_each_silence_and_no_longer_when_a_word_comes(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Any, database: Database
) -> None:
    _precautions(work_as, scene, check_in_minutes=30)
    visit = wanted(ordered(weeks=((*THIS_WEEK, 1, 1),)))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, visit, scene["nurse"], local(TUESDAY, 10))

    def watched(hour: int, minute: int) -> int:
        with work_as(now=local(TUESDAY, hour, minute)) as work:
            return lone_work.watch(work, scene.branch)

    assert watched(10, 20) == 0  # the last minute is in time
    assert [watched(10, 21), watched(10, 26)] == [1, 0]
    assert _notices(database) == [("scheduler", "begin", False), ("clinical_manager", "begin", False)]
    nurse = scene.actor("nurse")
    with work_as(nurse, now=local(TUESDAY, 10, 30)) as work:
        doing.start(work, visit, local(TUESDAY, 10, 25))
    assert [read for _, _, read in _notices(database)] == [True, True]
    assert [watched(11, 10), watched(11, 11), watched(11, 16)] == [0, 1, 0]
    with work_as(nurse, now=local(TUESDAY, 11, 17)) as work:
        assert lone_work.all_well(work, visit, local(TUESDAY, 11, 15)) == local(TUESDAY, 12)
        # An older word that comes late changes nothing.
        assert lone_work.all_well(work, visit, local(TUESDAY, 11, 5)) == local(TUESDAY, 12)
        with pytest.raises(Invalid):
            lone_work.all_well(work, visit, local(TUESDAY, 11, 30))
    assert {read for _, _, read in _notices(database)} == {True}
    assert watched(12, 1) == 1
    with work_as(nurse, now=local(TUESDAY, 12, 10)) as work:
        doing.finish(work, visit, local(TUESDAY, 12, 5))
    assert watched(13, 0) == 0
    assert {read for _, _, read in _notices(database)} == {True}
    with work_as(nurse, now=local(TUESDAY, 13)) as work, pytest.raises(Conflict):
        lone_work.all_well(work, visit, local(TUESDAY, 12))
    with work_as(scene.actor("other_nurse"), now=local(TUESDAY, 13)) as work, pytest.raises(NotFound):
        lone_work.all_well(work, visit, local(TUESDAY, 12))
    with database.transaction(write=False) as session:
        said = session.scalars(
            sa.select(AuditEvent.facts).where(AuditEvent.action == "visit.not-heard-of").order_by(AuditEvent.id)
        )
        assert [facts["stage"] for facts in said] == ["begin", "end", "end"]


def test_a_home_flagged_for_violence_is_watched_without_an_interval_and_others_are_not(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Any, database: Database
) -> None:
    visit = wanted(ordered(weeks=((*THIS_WEEK, 1, 1),)))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, visit, scene["nurse"], local(TUESDAY, 10))
    with work_as(now=local(TUESDAY, 12)) as work:
        assert lone_work.watch(work, scene.branch) == 0
        work.session.scalars(sa.select(Home).where(Home.patient_id == scene.patient)).one().hazards = ["VIOLENCE"]
    with work_as(now=local(WEDNESDAY, 10, 1)) as work:
        assert lone_work.watch(work, scene.branch) == 0  # a day later it is the office's list that tells
    with work_as(now=local(TUESDAY, 12)) as work:
        assert lone_work.watch(work, scene.branch + 1) == 0
        assert lone_work.watch(work, scene.branch) == 1
    with database.transaction(write=False) as session:
        assert session.scalars(sa.select(LoneWork.told_due_at)).all() == [local(TUESDAY, 10, 20)]


def test_at_a_home_without_visits_after_dark_nothing_is_booked_into_the_night(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Any
) -> None:
    _precautions(work_as, scene, until_sunset=True)
    visit = wanted(ordered(weeks=((*THIS_WEEK, 1, 1),)))[0]
    with work_as(scene.actor("scheduler")) as work:
        with pytest.raises(RuleBroken) as refused:
            service.assign(work, visit, scene["nurse"], local(TUESDAY, 16, 30))
        assert [finding.rule for finding in refused.value.findings] == ["LAB-06", "ASM-03"]
        assert refused.value.findings[0].params["sunset"] == "17:01"
        assert refused.value.problem_code == "after-sunset"
        assert service.assign(work, visit, scene["nurse"], local(TUESDAY, 15, 45)).status is VisitStatus.BOOKED


SABBATH = (
    {"weekday": 4, "starts": time(18), "ends": time(0), "starts_at_sunset": True, "reason": "Sabbath"},
    {"weekday": 5, "starts": time(0), "ends": time(18), "ends_at_sunset": True, "reason": "Sabbath"},
)


@pytest.mark.parametrize(
    ("friday", "dusks"),
    [
        # The clock changes on the Sundays after the first two, and had changed before the others.
        ("2026-10-30", ("18:12", "18:11")), ("2026-03-06", ("18:08", "18:09")),
        ("2026-11-06", ("17:04", "17:03")), ("2026-03-13", ("19:14", "19:15")), ("2026-12-25", ("16:56", "16:57")),
    ],
)  # fmt: skip
def test_a_window_that_follows_the_sun_is_another_every_week(friday: str, dusks: tuple[str, str]) -> None:
    patient = Patient(
        home=Home(until_sunset=False), unavailabilities=[],
        no_visit_windows=[
            NoVisitWindow(**({"starts_at_sunset": False, "ends_at_sunset": False} | one)) for one in SABBATH
        ],
    )  # fmt: skip
    branch, day = Branch(office_lat=37.7793, office_lon=-122.4193), date.fromisoformat(friday)
    evening, morrow = closed_windows(patient, ZONE, branch, day)
    assert (evening.day, evening.ends) == (day, time(0))
    assert (morrow.day, morrow.starts) == (day + timedelta(days=1), time(0))
    for found, published in zip((evening.starts, morrow.ends), dusks, strict=True):
        apart = datetime.combine(day, found) - datetime.combine(day, time.fromisoformat(published))
        assert abs(apart) <= timedelta(minutes=2)
    assert closed_windows(patient, ZONE, branch, day - timedelta(days=3)) == ()
    # Where no branch is known the clock's time stands.
    assert [window.starts for window in closed_windows(patient, ZONE, None, day)] == [time(18), time(0)]


def test_a_window_cannot_begin_and_end_at_sunset(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("scheduler")) as work, pytest.raises(Invalid) as refused:
        patients.add_no_visit_window(
            work, scene.patient, starts=time(18), ends=time(19), reason="x", starts_at_sunset=True, ends_at_sunset=True
        )
    assert refused.value.extra["errors"][0]["pointer"] == "/ends_at_sunset"


def test_a_conversation_about_consent_is_refused_without_an_interpreter(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Any, row: Any
) -> None:
    visit = wanted(ordered(weeks=((*THIS_WEEK, 1, 1),)))[0]
    scheduler = scene.actor("scheduler")
    with work_as(scheduler) as work:
        patients.set_preferences(work, scene.patient, spoken_language="yue", interpreter_needed=True)
        assert service.assign(work, visit, scene["nurse"], local(TUESDAY, 10)).warnings == ["ASM-03", "LNG-01"]
    with pytest.raises(RuleBroken) as refused, work_as(scheduler) as work:
        service.plan_conversation(work, visit, Conversation.CONSENT)
    assert [finding.rule for finding in refused.value.findings] == ["LNG-01", "ASM-03"]
    assert row(visit).conversation is None
    with work_as(scheduler) as work:
        service.book_interpreter(work, visit, service.InterpreterMode.IN_PERSON)
        assert service.plan_conversation(work, visit, Conversation.CONSENT).conversation is Conversation.CONSENT
    cancelled = None
    with work_as(scheduler) as work:
        cancelled = service.cancel(work, visit, "moved away")
        fresh = work.session.scalars(sa.select(Visit).where(Visit.replaces_id == cancelled.id)).one()
        assert (fresh.conversation, fresh.kind) == (Conversation.CONSENT, VisitKind.ROUTINE)
