"""What would make a refused visit possible: in which order, by whom, where, and what remains."""

import re
from collections.abc import Callable

import pytest

from coordinator.compliance import cures
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, HomeSafety, OrderStatus, Role
from coordinator.orders.model import Order
from coordinator.patients.model import Home
from coordinator.rules.catalogue import RULES
from coordinator.rules.cures import CURES
from coordinator.rules.terms import REFUSING
from coordinator.rules.visit import ROWS
from coordinator.visits import service
from tests.conftest import NOW, WorkAs
from tests.people import at, browser
from tests.visits.conftest import TUESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]


def test_every_rule_that_may_refuse_a_visit_has_a_cure_with_a_rank_of_its_own() -> None:
    assert {rule for rule in ROWS if RULES[rule].severity in REFUSING} <= set(CURES)
    assert set(CURES) <= set(RULES)
    ranks = [cure.rank for cure in CURES.values()]
    assert len(set(ranks)) == len(ranks)


def test_every_door_that_a_cure_names_is_a_door_of_the_api(app: Coordinator) -> None:
    known = {
        (method, re.sub(r"<[^>]*>", "{}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    for rule, cure in CURES.items():
        for door in cure.doors:
            method, path = door.split(" ")
            assert (method, "/api/v1" + re.sub(r"\{[^}]*\}", "{}", path.split("?")[0])) in known, (rule, door)


def test_three_findings_come_in_the_order_in_which_they_can_be_cured(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    order = ordered(required_skills=["wound-vac"])
    number = wanted(order)[0]
    with database.transaction() as session:
        session.get_one(Order, order).status = OrderStatus.DISCONTINUED
        session.query(Home).filter_by(patient_id=scene.patient).one().safety = HomeSafety.UNSAFE
    with work_as(scene.actor("scheduler")) as work:
        answer = cures.of_visit(work, number, scene["nurse"], local(TUESDAY, 9))
    assert not answer["possible"]
    assert [step["rule"] for step in answer["steps"]] == ["ELG-6", "ORD-01", "CRD-02"]
    home, live, _skill = answer["steps"]
    assert (home["may_override"], live["may_override"]) == (["clinical_manager"], [])
    assert home["doors"][0] == f"PUT /api/v1/patients/{scene.patient}/home-safety"
    assert f"POST /api/v1/visits/{number}/overrides" in home["doors"]
    assert "clinician" in home["roles"]
    # Each alone leaves the two others; one after the other leaves ever less.
    assert home["remains"] == ["CRD-02", "ORD-01"]
    assert live["remains"] == ["CRD-02", "ELG-6"]
    assert [step["remains_after"] for step in answer["steps"]] == [["CRD-02", "ORD-01"], ["CRD-02"], []]
    assert all(step["cure"] and step["citation"] for step in answer["steps"])


def test_what_nobody_can_compute_is_not_guessed(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    number = wanted(ordered(Discipline.PT))[0]
    with work_as(scene.actor("scheduler")) as work:
        answer = cures.of_visit(work, number, scene["nurse"], local(TUESDAY, 9))
    (step,) = answer["steps"]
    assert (step["rule"], step["remains"], step["remains_after"]) == ("ASM-01", None, None)


def test_what_was_set_aside_is_a_step_no_more(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    reason = {"reason_code": "supervised", "text": "The wound nurse is on the telephone."}
    with work_as(scene.actor("manager")) as work:
        service.set_aside(work, number, "CRD-02", reason, scene["nurse"], local(TUESDAY, 9))
        answer = cures.of_visit(work, number, scene["nurse"], local(TUESDAY, 9))
    assert (answer["possible"], answer["steps"], answer["set_aside"]) == (True, [], ["CRD-02"])


def test_what_else_is_in_the_way_is_named_beside_the_rules(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs
) -> None:
    first, second, *_ = wanted(ordered())
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, first, scene["nurse"], local(TUESDAY, 9))
        answer = cures.of_visit(work, second, scene["nurse"], local(TUESDAY, 9))
    assert [one["code"] for one in answer["conflicts"]] == ["double-booking"]
    assert answer["conflicts"][0]["doors"] == [f"GET /api/v1/visits/{second}/suggestions"]


def test_without_a_clinician_the_patients_side_is_asked(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    with database.transaction() as session:
        session.query(Home).filter_by(patient_id=scene.patient).one().safety = HomeSafety.UNSAFE
    with work_as(scene.actor("scheduler")) as work:
        answer = cures.of_visit(work, number)
    assert [step["rule"] for step in answer["steps"]] == ["ELG-6"]
    assert (answer["clinician_id"], str(answer["day"])) == (None, "2026-11-09")


def test_a_visit_that_is_over_cannot_be_made_possible(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Callable[..., None], work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    make(number, local(TUESDAY, 9))
    with pytest.raises(Conflict), work_as(scene.actor("scheduler")) as work:
        cures.of_visit(work, number)
    with pytest.raises(Forbidden), work_as(scene.actor("nurse")) as work:
        cures.of_visit(work, number)


def test_the_door_answers_the_same(
    app: Coordinator, database: Database, scene: Scene, ordered: OrderMaker, wanted: Wanted
) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    office = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])
    with at(NOW):
        answer = office.get(f"/visits/{number}/cures?clinician_id={scene['nurse']}&starts_at=2026-11-10T17:00:00Z").json
    assert [step["rule"] for step in answer["steps"]] == ["CRD-02"]
    assert answer["steps"][0]["remains"] == []
