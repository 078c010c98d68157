"""What holds a bill: opened by what happened, released by what happened or by the day, and asked about by billing."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.compliance import claims, holds
from coordinator.compliance.model import BillHold
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden
from coordinator.core.http import Coordinator
from coordinator.domain.events import OrderSigned
from coordinator.domain.vocabulary import OrderStatus, Payer, Role
from coordinator.orders.model import Order
from coordinator.patients.model import Episode
from coordinator.rules.terms import found
from coordinator.visits import doing, service
from coordinator.visits.model import Visit
from tests.compliance.conftest import Make
from tests.conftest import NOW, WorkAs
from tests.people import at, browser
from tests.visits.conftest import TUESDAY, WEDNESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]
Row = Callable[[int], Visit]


@pytest.fixture
def rows(database: Database) -> Callable[[], list[BillHold]]:
    def look() -> list[BillHold]:
        with database.transaction(write=False) as session:
            return list(session.scalars(sa.select(BillHold).order_by(BillHold.id)))

    return look


def medi_cal(database: Database, scene: Scene) -> None:
    """The payer that asks for verified visits (EVV-01)."""
    with database.transaction() as session:
        session.get_one(Episode, scene.episode).payer = Payer.MEDI_CAL


def unplaced_visit(scene: Scene, work_as: WorkAs, number: int) -> None:
    """Made, with neither place nor address captured: one of the six elements is missing."""
    begun = local(TUESDAY, 9)
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], begun)
    with work_as(scene.actor("nurse"), now=begun) as work:
        doing.start(work, number, begun)
        work.session.get_one(Visit, number).evv_address = None
    with work_as(scene.actor("nurse"), now=begun + timedelta(minutes=40)) as work:
        doing.finish(work, number, begun + timedelta(minutes=40))
        doing.note(work, number)


def test_a_visit_that_lacks_an_element_is_held_with_its_facts_and_released_by_the_correction(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database, rows: Any, row: Row
) -> None:
    medi_cal(database, scene)
    number = wanted(ordered())[0]
    unplaced_visit(scene, work_as, number)
    (held,) = rows()
    assert (held.subject, held.rule, held.visit_id) == (f"visit:{number}", "EVV-01", number)
    assert (held.opened_by, held.opened_at) == ("visit-completed", local(TUESDAY, 9, 40))
    assert held.findings[0]["severity"] == "HOLD-BILL"
    assert held.findings[0]["citation"]
    assert row(number).hold_bill == ["EVV-01"]
    with work_as(scene.actor("manager"), now=local(WEDNESDAY, 8)) as work:
        answer = claims.of_visit(work, number)
        assert not answer.exportable
        assert [reason["rule"] for reason in answer.reasons] == ["EVV-01"]
        doing.correct_evv(work, number, "evv_address", "1 Home Street", "The telephone was out of reach")
        assert claims.of_visit(work, number).exportable
    (cleared,) = rows()
    assert (cleared.cleared_by, cleared.cleared_at) == ("visit-corrected", local(WEDNESDAY, 8))
    assert row(number).hold_bill == []
    with database.transaction(write=False) as session:
        told = session.scalars(sa.select(AuditEvent.action).where(AuditEvent.action.like("bill.%"))).all()
    assert {"bill.held", "bill.released", "bill.asked"} <= set(told)


def test_what_was_given_under_a_verbal_order_waits_for_the_signature(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Make, work_as: WorkAs, rows: Any, row: Row
) -> None:
    order = ordered(status=OrderStatus.ACTIVE_VERBAL, verbal_received_at=NOW)
    assert rows() == []  # nothing was given yet: there is nothing to claim
    first = wanted(order)[0]
    make(first, local(TUESDAY, 9))
    (held,) = rows()
    assert (held.subject, held.order_id, held.visit_id, held.rule) == (f"order:{order}", order, None, "ORD-06")
    assert row(first).hold_bill == ["ORD-06"]
    with work_as(scene.actor("manager"), now=local(WEDNESDAY, 8)) as work:
        assert [reason["rule"] for reason in claims.of_visit(work, first).reasons] == ["ORD-06"]
        signed = work.session.get_one(Order, order)
        signed.status, signed.signed_at = OrderStatus.ACTIVE_SIGNED, work.now
        work.publish(OrderSigned(order_id=order, was_live=True))
        assert claims.of_visit(work, first).exportable
    assert rows()[0].cleared_by == "order-signed"
    assert row(first).hold_bill == []


def test_the_daily_sweep_finds_what_no_event_told_and_doing_it_again_changes_nothing(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Make, work_as: WorkAs, rows: Any, database: Database
) -> None:
    order = ordered(status=OrderStatus.ACTIVE_VERBAL, verbal_received_at=NOW)
    make(wanted(order)[0], local(TUESDAY, 9))
    with database.transaction() as session:  # signed on paper and put into the database by hand
        signed = session.get_one(Order, order)
        signed.status, signed.signed_at = OrderStatus.ACTIVE_SIGNED, NOW
    with work_as(now=local(WEDNESDAY, 3, 30)) as work:
        assert holds.sweep(work, scene.branch) == 1
        assert holds.sweep(work, scene.branch) == 0
    assert [row.cleared_by for row in rows()] == ["sweep"]
    with database.transaction() as session:
        unsigned = session.get_one(Order, order)
        unsigned.status, unsigned.signed_at = OrderStatus.ACTIVE_VERBAL, None
    with work_as(now=local(WEDNESDAY, 3, 30)) as work:
        assert holds.sweep(work, scene.branch) == 1
    assert [row.cleared_by for row in rows()] == ["sweep", None]
    with pytest.raises(Forbidden), work_as(scene.actor("scheduler")) as work:
        holds.sweep(work, scene.branch)


def test_a_visit_is_not_claimed_before_it_was_made_and_signed_for(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Make, work_as: WorkAs
) -> None:
    first, second, *_ = wanted(ordered())
    make(first, local(TUESDAY, 9), note=False)
    with work_as(scene.actor("manager"), now=local(WEDNESDAY, 8)) as work:
        (unsigned,) = claims.of_visit(work, first).reasons
        (not_made,) = claims.of_visit(work, second).reasons
    assert (unsigned["code"], unsigned["sentence"]) == ("not-ready", "The note of the visit is not signed.")
    assert not_made["sentence"] == "The visit is wanted and has no hour yet."


def test_a_period_is_held_as_such_and_by_every_visit_given_in_it(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Make, work_as: WorkAs, database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Episode, scene.episode).soc_date = date(2026, 11, 1)
    number = wanted(ordered())[0]
    make(number, local(TUESDAY, 9))
    rules = ("CERT-01", "F2F-01")
    with work_as(scene.actor("manager"), now=local(WEDNESDAY, 8)) as work:
        first = claims.of_period(work, scene.patient, 1)
        assert (first.exportable, first.visits) == (True, [number])
        assert (first.first, first.last) == (date(2026, 11, 1), date(2026, 12, 30))
        episode = work.session.get_one(Episode, scene.episode)
        lacking = found("CERT-01", "The {statement} lacks {missing}.", statement="certification", missing="homebound")
        assert holds.hold_period(work, episode, scene.branch, 1, [lacking], rules, "certification-asked") == 1
        held = claims.of_period(work, scene.patient, 1)
        assert [reason["rule"] for reason in held.reasons] == ["CERT-01"]
        assert [reason["rule"] for reason in claims.of_visit(work, number).reasons] == ["CERT-01"]
        assert claims.of_period(work, scene.patient, 2).exportable
        assert holds.hold_period(work, episode, scene.branch, 1, [], rules, "certification-asked") == 1
        assert claims.of_period(work, scene.patient, 1).exportable


def test_billing_asks_at_the_door_and_others_do_not_see_other_branches(
    app: Coordinator, database: Database, scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    medi_cal(database, scene)
    number = wanted(ordered())[0]
    unplaced_visit(scene, work_as, number)
    office = browser(app, database, Role.INTAKE, branch_ids=[scene.branch])
    stranger = browser(app, database, Role.INTAKE, branch_ids=[scene.branch + 1])
    with at(local(WEDNESDAY, 8)):
        listed = office.get(f"/patients/{scene.patient}/bill-holds")
        assert [(one["rule"], one["subject"]) for one in listed.json] == [("EVV-01", f"visit:{number}")]
        claim = office.get(f"/visits/{number}/claim").json
        assert (claim["exportable"], claim["reasons"][0]["rule"]) == (False, "EVV-01")
        assert claim["reasons"][0]["cure"]
        assert office.get(f"/patients/{scene.patient}/certification-periods/9999999/claim").status_code == 404
        for path in (f"/patients/{scene.patient}/bill-holds", f"/visits/{number}/claim"):
            assert stranger.get(path).status_code == 404


def test_a_period_is_nobodys_before_care_has_begun(scene: Scene, work_as: WorkAs, database: Database) -> None:
    with database.transaction() as session:
        session.get_one(Episode, scene.episode).soc_date = None
    with pytest.raises(Conflict, match="Care has not begun"), work_as(scene.actor("manager")) as work:
        claims.of_period(work, scene.patient, 1)
