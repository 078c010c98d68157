"""What patient, home and plan ask of the office, as facts leave it behind (ELG-8, LNG-01)."""

from datetime import UTC, date, datetime, timedelta

from coordinator.core.db import Database
from coordinator.deadlines.sweep import follow
from coordinator.deadlines.words import sentence
from coordinator.domain.vocabulary import OrderStatus, Payer, Programme, Role
from coordinator.visits.afterwards import give_schedule
from tests.builders import (
    make_branch,
    make_care_plan,
    make_episode,
    make_order,
    make_patient,
    make_physician,
    make_user,
)
from tests.conftest import NOW, WorkAs, actor_with
from tests.deadlines.kit import DONE, OPEN, SUPERSEDED, book, one


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


def test_a_schedule_in_another_language_is_given_again_until_the_patient_reads_one(
    database: Database, work_as: WorkAs
) -> None:
    """Seven days from the first that cannot be read; the second one in English puts nothing off (LNG-01)."""
    with database.transaction() as session:
        branch = make_branch(session)
        reader = make_patient(session, branch, written_language="zh-Hant")
        make_episode(session, reader)
        neighbour = make_patient(session, branch, written_language="en")
        make_episode(session, neighbour)
        user = make_user(session, "-", Role.CLINICAL_MANAGER)
    first = date(2026, 11, 2)
    manager = actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({branch.id}), user_id=user.id)
    with work_as(manager, now=NOW) as work:
        for patient, day, language in (
            (reader, first, "en"), (neighbour, first, "en"), (reader, first + timedelta(days=3), "en"),
        ):  # fmt: skip
            give_schedule(work, patient.id, given_on=day, language=language)
        row = one(work, "LNG-01")
        assert (row.patient_id, row.due_on, row.owner_role) == (
            reader.id,
            first + timedelta(days=7),
            "clinical_manager",
        )
        assert sentence(row.facts).endswith("give it again in zh-Hant.")
        give_schedule(work, reader.id, given_on=NOW.date(), language="zh")
        follow(work, branch.id)  # the night opens nothing again
        assert [(row.status, row.close_reason) for row in book(work, "LNG-01")] == [(DONE, "given")]
