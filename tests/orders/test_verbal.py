"""Orders by word of mouth: who may take one, how its receipt is signed, and when it is live (ORD-05)."""

from datetime import date, timedelta

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken
from coordinator.domain.events import OrderActivated, OrderSent
from coordinator.domain.vocabulary import Discipline, OrderStatus
from coordinator.orders import service
from tests.conftest import NOW, WorkAs
from tests.orders.conftest import Draft, Scene, get, listen


def _take(work, scene: Scene, number: int, **given) -> None:
    values = {
        "received_at": NOW, "received_by_clinician_id": scene.nurse_id, "read_back": True,
        "responsible_clinician_id": scene.nurse_id,
    } | given  # fmt: skip
    service.take_verbal(work, number, **values)


def test_a_verbal_order_is_live_once_its_receipt_is_signed(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN, "2w2")
    with work_as(scene.actor("nurse")) as work:
        _take(work, scene, number)
    order = get(database, number)
    assert (order.status, order.weeks) == (OrderStatus.VERBAL_RECEIVED, [])
    later = NOW + timedelta(hours=1)
    with work_as(scene.actor("nurse"), now=later) as work:
        heard = listen(work)
        service.sign_receipt(work, number)
        assert heard.events == [OrderActivated(order_id=number, verbal=True)]
    order = get(database, number)
    assert (order.status, order.responsible_signed_at) == (OrderStatus.ACTIVE_VERBAL, later)
    assert order.needed_by == date(2026, 12, 24)  # thirty working days of the state after 9 November (ORD-06)
    assert [(week.starts_on, week.ends_on, week.minimum, week.maximum) for week in order.weeks] == [
        (date(2026, 11, 9), date(2026, 11, 14), 2, 2),
        (date(2026, 11, 15), date(2026, 11, 21), 2, 2),
    ]
    assert order.week_anchor == "sunday"


def test_a_live_verbal_order_is_sent_and_stays_live(verbal: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = verbal()
    with work_as(scene.actor("nurse")) as work:
        heard = listen(work)
        service.send(work, number)
        assert heard.events == [OrderSent(order_id=number)]
    order = get(database, number)
    assert (order.status, order.sent_at) == (OrderStatus.ACTIVE_VERBAL, NOW)
    with pytest.raises(Conflict) as refused, work_as(scene.actor("nurse")) as work:
        service.send(work, number)
    assert refused.value.problem_code == "already-sent"


def test_only_the_responsible_clinician_signs_the_receipt(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN)
    with work_as(scene.actor("nurse")) as work:
        _take(work, scene, number)
    for name in ("therapist", "manager"):
        with pytest.raises(Forbidden), work_as(scene.actor(name)) as work:
            service.sign_receipt(work, number)
    assert get(database, number).status is OrderStatus.VERBAL_RECEIVED


def test_a_receipt_is_signed_once(verbal: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = verbal()
    with pytest.raises(Conflict), work_as(scene.actor("nurse")) as work:
        service.sign_receipt(work, number)


def test_an_order_that_the_office_took_waits_for_the_responsible_nurse(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN)
    with work_as(scene.actor("manager")) as work:
        _take(work, scene, number, received_by_clinician_id=None)
    with work_as(scene.actor("nurse")) as work:
        listen(work)
        service.sign_receipt(work, number)
    assert get(database, number).status is OrderStatus.ACTIVE_VERBAL


@pytest.mark.parametrize("receiver", ["aide_id", "assistant_id"])
def test_aides_and_assistants_take_no_orders(
    receiver: str, draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("manager")) as work:
        _take(work, scene, number, received_by_clinician_id=getattr(scene, receiver))
    assert [finding.rule for finding in refused.value.findings] == ["ORD-05"]
    assert get(database, number).status is OrderStatus.DRAFT


def test_what_was_not_read_back_is_not_taken(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = draft(Discipline.SN)
    with pytest.raises(RuleBroken, match="not read back"), work_as(scene.actor("nurse")) as work:
        _take(work, scene, number, read_back=False)


def test_what_lacks_content_is_not_taken_either_so_that_it_can_still_be_mended(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.PT, "2w4", treatments=[])
    with pytest.raises(RuleBroken, match="lacks treatments"), work_as(scene.actor("nurse")) as work:
        _take(work, scene, number)
    assert get(database, number).status is OrderStatus.DRAFT


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"received_at": NOW + timedelta(minutes=1)}, "/received_at"),
        ({"responsible_clinician_id": 99_999}, "/responsible_clinician_id"),
        ({"received_by_clinician_id": 99_999}, "/received_by_clinician_id"),
        ({"responsible_clinician_id": "aide"}, "/responsible_clinician_id"),
    ],
)
def test_a_receipt_that_cannot_be_is_refused_by_name(
    given: dict, pointer: str, draft: Draft, scene: Scene, work_as: WorkAs
) -> None:
    number = draft(Discipline.SN)
    if given.get("responsible_clinician_id") == "aide":
        given = {"responsible_clinician_id": scene.aide_id}
    with pytest.raises(Invalid) as refused, work_as(scene.actor("nurse")) as work:
        _take(work, scene, number, **given)
    assert refused.value.extra["errors"][0]["pointer"] == pointer


def test_a_clinician_writes_down_what_they_heard_themselves(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN)
    with pytest.raises(Invalid) as refused, work_as(scene.actor("nurse")) as work:
        _take(work, scene, number, received_by_clinician_id=scene.therapist_id)
    assert refused.value.extra["errors"][0]["pointer"] == "/received_by_clinician_id"
    with work_as(scene.actor("therapist")) as work:
        _take(work, scene, number, received_by_clinician_id=None)
    assert get(database, number).verbal_received_by_id == scene.therapist_id


def test_a_clinical_manager_writes_down_what_somebody_else_heard(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN)
    with work_as(scene.actor("manager")) as work:
        _take(work, scene, number, received_by_clinician_id=scene.therapist_id)
    assert get(database, number).verbal_received_by_id == scene.therapist_id


@pytest.mark.parametrize("name", ["aide", "assistant"])
def test_an_aide_or_assistant_takes_and_drafts_nothing(
    name: str, draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.SN)
    with pytest.raises(Forbidden) as refused, work_as(scene.actor(name)) as work:
        _take(work, scene, number, received_by_clinician_id=None)
    assert refused.value.extra["permission"] == "order:take-verbal"
    assert get(database, number).status is OrderStatus.DRAFT


def test_nobody_schedules_an_order_into_being(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = draft(Discipline.SN)
    for verb in (service.sign_receipt, service.send):
        with pytest.raises(Forbidden), work_as(scene.actor("scheduler")) as work:
            verb(work, number)
