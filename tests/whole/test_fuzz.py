"""The whole API, driven from its own OpenAPI document with sound and unsound input: no answer is a fault of ours."""

import itertools

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from coordinator.access import service
from coordinator.access.model import User
from coordinator.agency.model import Branch
from coordinator.core.audit import verify
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, Performer, Role
from tests import builders
from tests.conftest import NOW, WorkAs

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]
EXAMPLES = 12


@pytest.fixture
def scene(app: Coordinator, database: Database, work_as: WorkAs) -> str:
    """A branch with a patient, an order and a visit, so that small numbers in paths often hit; answers a token."""
    with database.transaction() as session:
        branch: Branch = builders.make_branch(session, code="SF")
        physician = builders.make_physician(session)
        patient = builders.make_patient(session, branch, managing_physician_id=physician.id)
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, physician)
        builders.make_order(session, episode, plan, Discipline.SN)
        clinician = builders.make_clinician(session, branch, Performer.RN)
        builders.make_visit(session, patient, episode)
        user: User = builders.make_user(
            session, app.extensions["doorman"].hash(builders.PASSWORD), *(role for role in Role if role != Role.SYSTEM),
            branch_ids=[branch.id], clinician_id=clinician.id, physician_id=physician.id,
        )  # fmt: skip
    with work_as(service.actor_of(user, Performer.RN.value), now=NOW) as work:
        _, secret = service.issue_token(work, app.extensions["doorman"], user_id=user.id, label="fuzz")
    return secret


def test_no_request_is_a_fault_of_ours(app: Coordinator, scene: str, database: Database) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    headers = {"Authorization": f"Bearer {scene}"}
    asked, faults = 0, []
    keys = itertools.count(1)
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ("/api/v1/sessions/current", "/api/v1/tokens/{token_id}"):
            continue  # they would sign the asker out

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(headers=headers | {"Idempotency-Key": f"fuzz-{next(keys)}"})
            if answer.status_code >= 500:
                faults.append((case.method, case.path, case.path_parameters, case.query, case.body, answer.status_code))
            elif answer.status_code >= 400:
                assert answer.headers["content-type"][0].startswith("application/problem+json"), case.path

        ask()
    assert faults == []
    assert asked > 20
    with database.transaction(write=False) as session:
        assert verify(session).ok
