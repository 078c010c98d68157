"""The night asks as many questions for many patients as for few."""

from datetime import date

import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.deadlines.remind import look_after
from tests import builders
from tests.care.conftest import SOC, TUESDAY, Scene, owed
from tests.conftest import WorkAs


def _statements(database: Database, work_as: WorkAs, branch: int) -> int:
    """How many statements a night takes that finds everything as it was."""
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    with work_as(now=TUESDAY) as work:
        look_after(work, branch)
    sa.event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with work_as(now=TUESDAY) as work:
            look_after(work, branch)
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", hear)
    return len(said)


def test_a_night_of_many_patients_takes_no_more_statements(scene: Scene, database: Database, work_as: WorkAs) -> None:
    few = _statements(database, work_as, scene.branch)
    with database.transaction() as session:
        branch = session.get_one(builders.Branch, scene.branch)
        for _ in range(12):
            builders.make_episode(session, builders.make_patient(session, branch), soc=SOC)
    assert _statements(database, work_as, scene.branch) == few
    assert few <= 60
    with work_as(now=TUESDAY) as work:
        assert owed(work, "IDT-02") == [("team-conference", date(2026, 11, 10))] * 13
