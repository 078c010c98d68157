"""Facts for many visits cost as many queries as for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.domain.vocabulary import Discipline
from coordinator.rules.facts import Moment
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases
from coordinator.visits.model import Visit
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
