"""Facts for many visits cost as many queries as for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.domain.vocabulary import AssessmentKind, Discipline
from coordinator.episodes.model import ComprehensiveAssessment
from coordinator.patients.model import Episode, Patient
from coordinator.rules.facts import Moment
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases
from coordinator.visits.model import Visit
from tests.builders import make_visit
from tests.conftest import WorkAs
from tests.visits.conftest import MONDAY, OrderMaker, Scene, make_another_patient

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
