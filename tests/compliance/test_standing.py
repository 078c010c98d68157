"""How a patient stands with every rule today."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.cli import register
from coordinator.compliance import standing
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Forbidden, NotFound
from coordinator.core.http import Coordinator
from coordinator.deadlines.book import open_deadline
from coordinator.domain.vocabulary import Discipline, HomeSafety, OrderStatus
from coordinator.patients.model import Home
from coordinator.rules.catalogue import RULES
from tests.conftest import NOW, WorkAs
from tests.visits.conftest import TUESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]


def by_rule(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {rule["rule"]: rule for family in answer["families"] for rule in family["rules"]}


def test_every_rule_of_the_catalogue_is_in_one_state_with_its_citation(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs
) -> None:
    ordered()
    with work_as(scene.actor("manager")) as work:
        answer = standing.of_patient(work, scene.patient)
    rules = by_rule(answer)
    assert set(rules) == set(RULES)
    assert sum(answer["counts"].values()) == len(RULES)
    assert all(rule["citation"] for rule in rules.values())
    assert all(bool(rule["why_not"]) is (rule["state"] == "not-applicable") for rule in rules.values())


def test_the_states_are_what_was_found_and_silence_is_not_called_kept(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, make: Callable[..., None], work_as: WorkAs, database: Database
) -> None:
    verbal = ordered(status=OrderStatus.ACTIVE_VERBAL, verbal_received_at=NOW)
    make(wanted(verbal)[0], local(TUESDAY, 9))
    with database.transaction() as session:
        session.scalars(sa.select(Home).where(Home.patient_id == scene.patient)).one().safety = HomeSafety.UNSAFE
    with work_as(now=NOW) as work:
        open_deadline(
            work, rule="CERT-04", subject=f"patient:{scene.patient}", due_on=date(2026, 12, 1),
            owner_role="case_manager", branch_id=scene.branch, patient_id=scene.patient, task="plan-review",
        )  # fmt: skip
    with work_as(scene.actor("manager"), now=local(TUESDAY, 12)) as work:
        answer = standing.of_patient(work, scene.patient)
    rules = by_rule(answer)
    assert rules["ELG-6"]["state"] == "blocks"
    assert rules["ELG-6"]["findings"][0]["cure"]
    assert rules["ORD-06"]["state"] == "holds-billing"
    assert (rules["CERT-04"]["state"], rules["CERT-04"]["next_date"]) == ("waiting", date(2026, 12, 1))
    assert rules["CERT-04"]["owner"] == "clinical_manager"
    assert (rules["PAT-01"]["state"], rules["ORD-01"]["state"]) == ("kept", "kept")
    assert rules["ORD-01"]["facts"]["asked_about"]
    assert (rules["THX-01"]["state"], rules["THX-01"]["why_not"]) == ("not-applicable", "No therapy is ahead.")
    first = answer["families"][0]
    assert first["rules"][0]["state"] == "blocks"


def test_an_obligation_that_is_late_comes_first(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=NOW) as work:
        open_deadline(
            work, rule="CERT-04", subject=f"patient:{scene.patient}", due_on=date(2026, 11, 1),
            owner_role="case_manager", branch_id=scene.branch, patient_id=scene.patient, task="plan-review",
        )  # fmt: skip
    with work_as(scene.actor("manager")) as work:
        answer = standing.of_patient(work, scene.patient)
    assert (answer["overdue"], answer["families"][0]["rules"][0]["rule"]) == (1, "CERT-04")


def test_a_family_is_of_no_concern_where_nothing_of_it_is_ahead(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs
) -> None:
    with work_as(scene.actor("manager")) as work:
        none = by_rule(standing.of_patient(work, scene.patient))
    assert none["ORD-01"]["why_not"] == "No visit is wanted or planned in the next four weeks."
    ordered(Discipline.PT)
    with work_as(scene.actor("manager")) as work:
        therapy = by_rule(standing.of_patient(work, scene.patient))
    assert therapy["SUP-05"]["state"] != "not-applicable"
    assert therapy["SUP-01"]["why_not"] == "No aide visits the patient."


def test_the_number_of_queries_does_not_grow_with_the_visits(
    scene: Scene, ordered: OrderMaker, work_as: WorkAs, database: Database
) -> None:
    def asked() -> int:
        count = 0

        def heard(*_: Any) -> None:
            nonlocal count
            count += 1

        with work_as(scene.actor("manager")) as work:
            sa.event.listen(database.engine, "after_cursor_execute", heard)
            standing.of_patient(work, scene.patient)
            sa.event.remove(database.engine, "after_cursor_execute", heard)
        return count

    ordered()
    few = asked()
    ordered(Discipline.PT)
    ordered(Discipline.MSW)
    assert asked() == few
    assert few <= 70  # some twenty of them for papers, which one patient has few of


def test_reading_it_is_on_record_and_not_for_everybody(scene: Scene, work_as: WorkAs, database: Database) -> None:
    with work_as(scene.actor("manager")) as work:
        standing.of_patient(work, scene.patient)
    with database.transaction(write=False) as session:
        (line,) = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "patient.compliance-read")).all()
    assert (line.patient_id, line.user_id) == (scene.patient, scene.users["manager"].id)
    with pytest.raises(Forbidden), work_as(scene.actor("scheduler")) as work:
        standing.of_patient(work, scene.patient)
    with pytest.raises(NotFound), work_as(scene.actor("therapist")) as work:
        standing.of_patient(work, scene.patient)


def test_the_commands_say_the_same(app: Coordinator, scene: Scene, ordered: OrderMaker, wanted: Wanted) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    register(app)
    run = app.test_cli_runner().invoke
    page = run(args=["patient", "compliance", str(scene.patient)])
    assert page.exit_code == 0, page.output
    said = run(args=["patient", "compliance", str(scene.patient), "--json"])
    assert set(by_rule(json.loads(said.output))) == set(RULES)
    cures = run(args=["visit", "cures", str(number), "--clinician", str(scene["nurse"]), "--at", "2099-11-10T17:00"])
    assert cures.exit_code == 0, cures.output
    assert "CRD-02" in cures.output
    claim = run(args=["visit", "claim", str(number)])
    assert "not be claimed" in claim.output
