"""What a repair reads: few questions to the database, however many people and patients the week holds."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.domain.vocabulary import Discipline, Performer, RepairKind
from coordinator.planning.repairs import service
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, TestAgency
from tests.planning.repairs.conftest import AWAY, NINE, SIX, booked


def test_a_sick_call_in_a_large_week_asks_no_more_than_in_a_small_one(
    agency: TestAgency, work_as: WorkAs, scheduler: Any, database: Database
) -> None:
    """Counted, because each further question to the database is waited for while somebody rings; and because a
    question for each row does not show in a small week.
    """
    ill = agency.hire()
    agency.hire()
    agency.hire(Performer.PT)

    def questions() -> int:
        agency.session.commit()
        said: list[str] = []

        def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            said.append(statement)

        with work_as(scheduler, now=SIX) as work:
            sa.event.listen(database.engine, "before_cursor_execute", hear)
            try:
                event = AWAY | {"clinician_id": ill.id}
                seen = service.prepare(
                    work, agency.branch.id, RepairKind.ABSENCE, event, first_seconds=None, scale=0.02
                )
            finally:
                sa.event.remove(database.engine, "before_cursor_execute", hear)
        # What is thought over afterwards needs the database no more: nothing was left to be read when it is asked for.
        assert seen.think().draft.changes
        return len(said)

    def fill(*hours: int) -> None:
        for step in hours:
            booked(
                agency, agency.admit(visits=2, primary=ill), ill, NINE + timedelta(hours=step),
                published_at=EVE, told_patient_at=EVE,
            )  # fmt: skip
            agency.admit(visits=1, discipline=Discipline.PT)

    fill(0)
    few = questions()
    for _ in range(4):
        agency.hire()
    fill(1, 2, 3)
    assert questions() == few
    assert few < 75
