"""On whose list an obligation stands: a profession's own list, and an administrator's."""

from datetime import date

import pytest

from coordinator.access.scope import own_lists
from coordinator.core.db import Database
from coordinator.core.errors import Forbidden, NotFound
from coordinator.deadlines import service
from coordinator.deadlines.book import open_deadline, owner
from coordinator.domain.events import DeadlineReminded, DeadlinesReminded
from coordinator.domain.vocabulary import Performer
from coordinator.notify import service as notices
from tests.builders import make_branch, make_clinician, make_patient
from tests.conftest import WorkAs, actor_with


@pytest.mark.parametrize(
    ("roles", "performer", "lists"),
    [
        (["clinician"], "MSW", {"social_worker"}),
        (["clinician"], "RN", {"nurse"}),
        (["clinician"], "CHAPLAIN", {"chaplain"}),
        (["clinician"], "PT", set()),
        (["clinician"], "CHHA", set()),
        (["clinician", "intake"], None, set()),
        (["intake"], "MSW", set()),
    ],
)
def test_a_profession_has_a_list_of_its_own_besides_the_roles(
    roles: list[str], performer: str | None, lists: set[str]
) -> None:
    assert own_lists(actor_with(*roles, performer=performer))[0] == lists


def test_what_the_book_gives_to_a_profession_is_on_its_list() -> None:
    given = {name: owner(name) for name in ("social_worker", "chaplain", "on_call_nurse", "case_manager")}
    assert given == {
        "social_worker": "social_worker", "chaplain": "chaplain", "on_call_nurse": "nurse",
        "case_manager": "clinical_manager",
    }  # fmt: skip


def test_a_list_is_its_profession_s_at_its_branch_and_the_manager_s(database: Database, work_as: WorkAs) -> None:
    """The chaplain is in nobody's care team yet: the row is seen and closed, other rows of the patient are not."""
    with database.transaction() as session:
        here, there = make_branch(session), make_branch(session)
        patient = make_patient(session, here)
        chaplain = make_clinician(session, here, Performer.CHAPLAIN)
        stranger = make_clinician(session, there, Performer.CHAPLAIN)
        worker = make_clinician(session, here, Performer.MSW)
    with work_as() as work:
        row, other = (
            open_deadline(
                work, rule="VIS-02", subject=f"patient:{patient.id}:{role}", due_on=date(2026, 11, 12),
                owner_role=role, branch_id=here.id, patient_id=patient.id, task="chaplain-referral",
            )
            for role in ("chaplain", "scheduler")
        )  # fmt: skip
        work.publish(DeadlinesReminded((DeadlineReminded(deadline_id=row.id, stage="reminder"),)))
        numbers = (row.id, other.id)
    seen = {}
    for name, clinician in (("chaplain", chaplain), ("stranger", stranger), ("worker", worker)):
        actor = actor_with("clinician", clinician_id=clinician.id, performer=clinician.performer.value, user_id=None)
        with work_as(actor) as work:
            told = [notice.subject for notice in work.session.execute(notices.search(work)).scalars()]
            seen[name] = [one.id for one in work.session.execute(service.search(work)).scalars()], told
            for number in numbers:
                if number not in seen[name][0]:
                    with pytest.raises(NotFound):
                        service.get(work, number)
    assert seen == {
        "chaplain": ([numbers[0]], [f"deadline:{numbers[0]}"]), "stranger": ([], []), "worker": ([], []),
    }  # fmt: skip
    scheduler = actor_with("scheduler", branch_ids=frozenset({here.id}))
    with work_as(scheduler) as work, pytest.raises(Forbidden, match="Only the chaplain or the clinical manager"):
        service.done(work, numbers[0], "spoke with the patient")
    actor = actor_with("clinician", clinician_id=chaplain.id, performer="CHAPLAIN")
    with work_as(actor) as work:
        assert service.done(work, numbers[0], "spoke with the patient").status.value == "done"


@pytest.mark.parametrize("everywhere", [False, True])
def test_an_administrator_sees_what_is_an_administrator_s_and_nothing_of_care(
    database: Database, work_as: WorkAs, *, everywhere: bool
) -> None:
    with database.transaction() as session:
        branch = make_branch(session)
    with work_as() as work:
        rows = [
            open_deadline(
                work, rule="CRD-01", subject=f"exclusion:{number}:LEIE", due_on=date(2026, 11, 12), owner_role=role,
                branch_id=branch.id, task="check-exclusion",
            ).id
            for number, role in enumerate(("administrator", "clinical_manager"))
        ]  # fmt: skip
    branches = frozenset() if everywhere else frozenset({branch.id})
    with work_as(actor_with("administrator", branch_ids=branches)) as work:
        assert [row.id for row in work.session.execute(service.search(work)).scalars()] == rows[:1]
        with pytest.raises(NotFound):
            service.waive(work, rows[1], "not_applicable", "no")
