"""Facts for many visits cost as many queries as for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.domain.vocabulary import AssessmentKind, Discipline, VisitKind, VisitStatus
from coordinator.episodes.model import ComprehensiveAssessment
from coordinator.patients.model import Episode, Patient
from coordinator.rules.facts import Moment
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases
from coordinator.visits.model import Visit
from tests.builders import make_visit
from tests.conftest import WorkAs
from tests.visits.conftest import FRIDAY, MONDAY, THIS_WEEK, THURSDAY, OrderMaker, Scene, local, make_another_patient

Wanted = Callable[..., list[int]]


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_connection, _cursor, statement, *_rest) -> None:
        said.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", hear)


def test_a_book_for_many_patients_takes_no_more_queries_than_for_one(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs, database: Database
) -> None:
    ordered()
    for _ in range(6):
        _, episode, plan = make_another_patient(database, scene)
        ordered(episode_id=episode, plan_id=plan)
        ordered(Discipline.PT, episode_id=episode, plan_id=plan)
    counts = []
    for many in (1, 1000):
        with work_as() as work:
            visits = list(work.session.scalars(sa.select(Visit).order_by(Visit.id).limit(many)))
            clinicians = list(work.session.scalars(sa.select(Clinician)))
            with counted(database) as said:
                book = cases.load(work, visits, clinicians)
                for visit in visits:
                    for clinician in clinicians:
                        for days in range(7):
                            ask(book.case(visit, clinician, day=MONDAY + timedelta(days)), Moment.HOLD, work.policy)
            counts.append(len(said))
    assert counts[0] == counts[1], counts
    assert counts[1] < 40


@pytest.mark.example("FRQ-03", 1)
@pytest.mark.example("FRQ-03", 2)
def test_a_nurse_and_a_vocational_nurse_use_up_two_a_week_and_a_supervision_uses_none(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, database: Database, work_as: WorkAs
) -> None:
    """SN 2w1: RN on Monday and LVN on Thursday are done; RN on Friday is refused, to supervise the aide is not."""
    order = ordered(weeks=((*THIS_WEEK, 2, 2),), frequency="2w1")
    placed = [(MONDAY, scene["nurse"]), (THURSDAY, scene["vocational"])]
    with database.transaction() as session:
        for visit_id, (day, clinician_id) in zip(wanted(order), placed, strict=True):
            visit = session.get_one(Visit, visit_id)
            visit.status, visit.clinician_id = VisitStatus.COMPLETED, clinician_id
            visit.starts_at, visit.ends_at = local(day, 9), local(day, 10)
            visit.actual_start_at, visit.actual_end_at = visit.starts_at, visit.ends_at
        patient, episode = session.get_one(Patient, scene.patient), session.get_one(Episode, scene.episode)
        own = {"order_id": order, "window_from": MONDAY, "window_to": FRIDAY}
        third = make_visit(session, patient, episode, **own).id
        supervision = make_visit(session, patient, episode, kind=VisitKind.SUPERVISION, **own).id
    found = {}
    for name, visit_id in (("third", third), ("supervision", supervision)):
        with work_as() as work:
            visit = work.session.get_one(Visit, visit_id)
            nurse = work.session.get_one(Clinician, scene["nurse"])
            case = cases.load(work, [visit], [nurse]).case(visit, nurse, day=FRIDAY)
            assert case.order is not None
            assert case.order.week is not None
            findings = ask(case, Moment.HOLD, work.policy)
            found[name] = (case.order.week.used, [one.rule for one in findings if one.rule.startswith("FRQ")])
            visit.status, visit.starts_at, visit.ends_at = VisitStatus.BOOKED, local(FRIDAY, 9), local(FRIDAY, 10)
            visit.clinician_id = scene["nurse"]
            if name == "third":
                work.session.rollback()
    assert found == {"third": (2, ["FRQ-03"]), "supervision": (2, [])}
    with work_as() as work:
        visit = work.session.get_one(Visit, third)
        after = cases.load(work, [visit]).case(visit, day=FRIDAY).order
        assert after is not None
        assert after.week is not None
        assert after.week.used == 2, "the supervision of Friday is not counted"


def test_a_late_assessment_of_the_start_is_told_from_the_day_on_which_it_was_late(
    database: Database, scene: Scene, work_as: WorkAs
) -> None:
    """Due five days after the start: nothing is said before, and nothing once it is on file (ASM-03)."""
    with database.transaction() as session:
        episode = session.get_one(Episode, scene.episode)
        visit_id = make_visit(session, session.get_one(Patient, scene.patient), episode).id
        soc = episode.soc_date
        assert soc is not None
    said = []
    for days, filed in ((5, False), (6, False), (6, True)):
        with work_as(now=datetime.combine(soc + timedelta(days), time(20), UTC)) as work:
            visit = work.session.get_one(Visit, visit_id)
            if filed:
                work.session.add(
                    ComprehensiveAssessment(
                        patient_id=visit.patient_id, episode_id=visit.episode_id, kind=AssessmentKind.START_OF_CARE,
                        event_on=soc, completed_on=soc, due_on=soc, clinician_id=scene["nurse"], recorded_at=work.now,
                    )
                )  # fmt: skip
            said.append(cases.load(work, [visit]).case(visit, day=MONDAY).episode.assessment_late_from)
    assert said == [None, soc + timedelta(6), None]


def test_a_case_is_built_once_for_the_patient_and_once_for_the_clinician(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs
) -> None:
    ordered()
    with work_as() as work:
        visit = work.session.scalars(sa.select(Visit).limit(1)).one()
        nurse, other = (work.session.get_one(Clinician, scene[name]) for name in ("nurse", "other_nurse"))
        book = cases.load(work, [visit], [nurse, other])
        first, second = book.case(visit, nurse, day=MONDAY), book.case(visit, other, day=MONDAY)
        assert first.patient is second.patient
        assert first.order is second.order
        assert first.clinician is book.case(visit, nurse, day=MONDAY + timedelta(days=1)).clinician
