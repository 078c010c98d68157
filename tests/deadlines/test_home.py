"""What patient, home and plan ask of the office, as facts leave it behind (ELG-8)."""

from datetime import UTC, date, datetime

from coordinator.core.db import Database
from coordinator.deadlines.sweep import follow
from coordinator.domain.vocabulary import OrderStatus, Payer, Programme
from tests.builders import make_branch, make_care_plan, make_episode, make_order, make_patient, make_physician
from tests.conftest import NOW, WorkAs
from tests.deadlines.kit import DONE, OPEN, SUPERSEDED, book


def test_an_order_from_outside_the_plan_is_intake_s_until_it_is_taken_over(database: Database, work_as: WorkAs) -> None:
    """Under Medicare nobody minds; under the health plan each such order is asked about on its day (ELG-8)."""
    with database.transaction() as session:
        branch = make_branch(session)
        stranger = make_physician(session, is_kp=False)
        live_at = datetime(2026, 11, 8, 7, tzinfo=UTC)  # 7 November, late in the evening
        orders = []
        for programme, payer in ((Programme.KP_HBPC, Payer.KP), (Programme.MEDICARE_HH, Payer.MEDICARE)):
            episode = make_episode(session, make_patient(session, branch), programme=programme, payer=payer)
            plan = make_care_plan(session, episode, stranger)
            orders.append(make_order(session, episode, plan, signed_at=live_at))
    with work_as(now=NOW) as work:
        follow(work, branch.id)
        (row,) = book(work, "ELG-8")
        assert (row.subject, row.due_on, row.owner_role) == (
            f"order:{orders[0].id}:outside", date(2026, 11, 7), "intake",
        )  # fmt: skip
        assert row.status is OPEN
        order = work.session.get_one(type(orders[0]), orders[0].id)
        order.status = OrderStatus.SUPERSEDED
        assert follow(work, branch.id).closed > 0
        assert [row.status for row in book(work, "ELG-8")] == [SUPERSEDED]
        assert DONE not in {row.status for row in book(work, "ELG-8")}
