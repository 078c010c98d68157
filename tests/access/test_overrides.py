"""Setting a rule aside: by whom, with what, for which facts; asked at the doors of visits and orders."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.access.model import Override
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken
from coordinator.core.http import Coordinator
from coordinator.domain.roles import PERMISSIONS
from coordinator.domain.vocabulary import OrderStatus, OverrideReason, Role, VisitStatus
from coordinator.orders import service as orders
from coordinator.orders.model import Order
from coordinator.staff.model import Clinician, ClinicianSkill
from coordinator.visits import doing, service
from tests.conftest import NOW, WorkAs
from tests.people import at, browser, pointers
from tests.visits.conftest import FRIDAY, TUESDAY, OrderMaker, Scene, local, ordered, row, scene, wanted

__all__ = ["ordered", "row", "scene", "wanted"]

Wanted = Callable[..., list[int]]
REASON = {"reason_code": "supervised", "text": "The wound nurse is on the telephone."}


def test_only_roles_that_hold_the_permission_may_set_a_rule_aside(app: Coordinator) -> None:
    settings = app.extensions["door"].policy.overrides
    named = set(settings.default_roles).union(*settings.roles.values())
    assert named <= PERMISSIONS["rule:set-aside"]


def test_what_an_override_lacks_is_said_by_name(
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    work_as: WorkAs,
    database: Database,
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    with pytest.raises(Invalid) as lacking, work_as(scene.actor("manager")) as work:
        service.assign(
            work, number, scene["nurse"], local(TUESDAY, 9), override={"reason_code": "because", "text": " "}
        )
    assert lacking.value.extra["missing"] == ["reason_code", "text"]
    with pytest.raises(Forbidden) as barred, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9), override=REASON)
    assert barred.value.extra["missing"] == ["role"]
    assert barred.value.extra["may_override"] == {"CRD-02": ["clinical_manager"]}
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    assert refused.value.extra["may_override"] == {"CRD-02": ["clinical_manager"]}
    with database.transaction(write=False) as session:
        assert session.scalars(sa.select(Override)).all() == []


def test_an_override_holds_for_the_facts_that_were_found_and_for_no_others(
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    work_as: WorkAs,
    database: Database,
) -> None:
    number = wanted(ordered(required_skills=["wound-vac", "picc"]))[0]
    with work_as(scene.actor("manager")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9), override=REASON)
    with work_as(scene.actor("scheduler")) as work:  # nothing has changed: it stands
        service.move(work, number, minutes=50)
    with database.transaction() as session:
        nurse = session.get_one(Clinician, scene["nurse"])
        nurse.skills.append(ClinicianSkill(skill="picc"))
    with pytest.raises(RuleBroken) as again, work_as(scene.actor("scheduler")) as work:
        service.move(work, number, minutes=45)
    assert [finding.rule for finding in again.value.refusing] == ["CRD-02"]
    with database.transaction() as session:
        nurse = session.get_one(Clinician, scene["nurse"])
        nurse.skills.clear()
    with work_as(scene.actor("scheduler")) as work:  # as it was: what was looked at then
        service.move(work, number, minutes=45)
    with pytest.raises(RuleBroken), work_as(scene.actor("scheduler")) as work:  # another hour is another question
        service.move(work, number, starts_at=local(FRIDAY, 9))


def test_a_manager_sets_aside_ahead_and_others_book_and_begin(
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    work_as: WorkAs,
    database: Database,
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    begins = local(TUESDAY, 9)
    with work_as(scene.actor("manager")) as work:
        kept = service.set_aside(work, number, "CRD-02", REASON, scene["nurse"], begins)
        assert [(one.rule, one.reason_code) for one in kept] == [("CRD-02", "supervised")]
        with pytest.raises(Conflict, match="refuses nothing"):
            service.set_aside(work, number, "CRD-02", REASON, scene["nurse"], begins)
    with work_as(scene.actor("scheduler")) as work:
        assert service.ask_about(work, number, scene["nurse"], begins).possible
        service.assign(work, number, scene["nurse"], begins)
    with work_as(scene.actor("nurse"), now=begins) as work:
        assert doing.start(work, number, begins).status is VisitStatus.IN_PROGRESS


def test_what_blocks_without_more_is_nobodys_to_set_aside(
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    work_as: WorkAs,
    database: Database,
) -> None:
    order = ordered()
    number = wanted(order)[0]
    with database.transaction() as session:
        session.get_one(Order, order).status = OrderStatus.DISCONTINUED
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("manager")) as work:
        service.set_aside(work, number, "ORD-01", REASON, scene["nurse"], local(TUESDAY, 9))
    assert refused.value.extra["overridable"] is False
    assert "may_override" not in refused.value.extra


def test_the_text_is_kept_with_the_row_and_never_in_the_trail(
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    work_as: WorkAs,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    with work_as(scene.actor("manager")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9), override=REASON)
    with database.transaction(write=False) as session:
        kept = session.scalars(sa.select(Override)).one()
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "visit.rule-overridden")).one()
    assert kept.text == REASON["text"]
    assert (line.facts["rule"], line.facts["reason"], line.facts["override"]) == ("CRD-02", "supervised", kept.id)
    assert (line.user_id, line.at, line.subject) == (scene.users["manager"].id, NOW, f"visit:{number}")
    assert "wound nurse" not in str(line.facts) + caplog.text


def test_a_refusal_names_conflicts_and_findings_together(
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    work_as: WorkAs,
    database: Database,
) -> None:
    plain, *_ = wanted(ordered())
    skilled = wanted(ordered(required_skills=["wound-vac"]))[0]
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, plain, scene["nurse"], local(TUESDAY, 9))
    with database.transaction() as session:
        session.get_one(Clinician, scene["nurse"]).active = False
    with pytest.raises(Conflict) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, skilled, scene["nurse"], local(TUESDAY, 9))
    assert refused.value.problem_code == "double-booking"
    assert {one["code"] for one in refused.value.extra["conflicts"]} == {"double-booking", "clinician-inactive"}
    assert {"CRD-02"} <= {one["rule"] for one in refused.value.extra["findings"]}


def test_an_orders_rule_is_set_aside_for_the_text_as_it_stands(
    scene: Scene,
    ordered: OrderMaker,
    work_as: WorkAs,
    database: Database,
) -> None:
    order = ordered(status=OrderStatus.DRAFT, frequency="1d30", weeks=[])
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("manager")) as work:
        orders.send(work, order)
    assert {"INT-02"} <= {finding.rule for finding in refused.value.refusing}
    agreed = {"reason_code": OverrideReason.PRACTITIONER_AGREED.value, "text": "Daily until the wound is closed."}
    with work_as(scene.actor("manager")) as work:
        (kept,) = orders.set_aside(work, order, "INT-02", agreed)
        assert (kept.order_id, kept.visit_id, kept.rule) == (order, None, "INT-02")
        assert not [one for one in _still_refusing(work, order) if one.rule == "INT-02"]
    with work_as(scene.actor("manager")) as work:
        row = work.session.get_one(Order, order)
        orders.edit_draft(work, order, version=row.version, frequency_text="1d25")
        assert [one for one in _still_refusing(work, order) if one.rule == "INT-02"]


def _still_refusing(work: Any, order: int) -> list[Any]:
    try:
        orders.settled(
            work, work.session.get_one(Order, order), orders.findings_about(work, work.session.get_one(Order, order))
        )
    except RuleBroken as refused:
        return list(refused.refusing)
    return []


def test_the_doors_of_setting_aside(
    app: Coordinator,
    database: Database,
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
    nurse = browser(app, database, Role.CLINICIAN, branch_ids=[scene.branch], clinician_id=scene["nurse"])
    path = f"/visits/{number}/overrides"
    place = {"clinician_id": scene["nurse"], "starts_at": local(TUESDAY, 9).isoformat()}
    with at(NOW):
        assert pointers(manager.post(path, {})) == {"/rule", "/reason_code", "/text"}
        assert pointers(manager.post(path, {"rule": "CRD-02", **REASON})) == {"/starts_at"}
        assert nurse.post(path, {"rule": "CRD-02", **REASON, **place}).status_code == 403
        made = manager.post(path, {"rule": "CRD-02", **REASON, **place})
        assert (made.status_code, made.json[0]["rule"]) == (201, "CRD-02")
        assert [one["text"] for one in manager.get(path).json] == [REASON["text"]]
