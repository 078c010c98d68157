"""The whole API, driven from its own OpenAPI document with sound and unsound input: no answer is a fault of ours."""

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from coordinator.access import service
from coordinator.access.model import User
from coordinator.agency.model import Branch
from coordinator.core.audit import verify
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, Performer, Role
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.people import at

pytestmark = [pytest.mark.fuzz, pytest.mark.slow, pytest.mark.long_on("postgresql")]
#: Requests to each operation, of each kind.
EXAMPLES = 3
#: The patient's name: no refusal may hold it, whoever asks.
NAME = "Zzyzxname"
#: They would sign the asker out.
LEFT_OUT = {"/api/v1/sessions/current", "/api/v1/tokens/{token_id}"}
#: What the aide asks as well: whatever is about patients and visits.
ASKED_BY_THE_AIDE = ("/api/v1/patients", "/api/v1/visits", "/api/v1/orders", "/api/v1/rosters", "/api/v1/referrals")


@dataclass(slots=True)
class Scene:
    """The secrets of two people: one who has every role, and an aide."""

    everybody: str
    aide: str


@dataclass(slots=True)
class Heard:
    """What the door answered."""

    asked: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[tuple[Any, ...]] = field(default_factory=list)
    #: Refusals that hold the patient's name, and how many other answers do.
    named: list[tuple[str, str]] = field(default_factory=list)
    shown: int = 0
    #: Refusals that are no problem documents.
    bare: list[tuple[str, str, int]] = field(default_factory=list)


@pytest.fixture
def scene(app: Coordinator, database: Database, work_as: WorkAs) -> Scene:
    """A branch with a patient, an order and a visit, so that small numbers in paths often hit."""
    doorman = app.extensions["doorman"]
    with database.transaction() as session:
        branch: Branch = builders.make_branch(session, code="SF")
        physician = builders.make_physician(session)
        patient = builders.make_patient(session, branch, managing_physician_id=physician.id, family_name=NAME)
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, physician)
        builders.make_order(session, episode, plan, Discipline.SN)
        nurse = builders.make_clinician(session, branch, Performer.RN)
        aide = builders.make_clinician(session, branch, Performer.CHHA)
        builders.make_visit(session, patient, episode)
        builders.make_visit(session, patient, episode, discipline=Discipline.HHA, clinician_id=aide.id)
        hashed = doorman.hash(builders.PASSWORD)
        everybody: User = builders.make_user(
            session, hashed, *(role for role in Role if role != Role.SYSTEM),
            branch_ids=[branch.id], clinician_id=nurse.id, physician_id=physician.id,
        )  # fmt: skip
        helper: User = builders.make_user(session, hashed, Role.CLINICIAN, branch_ids=[branch.id], clinician_id=aide.id)
    secrets = []
    for user, performer in ((everybody, Performer.RN), (helper, Performer.CHHA)):
        with work_as(service.actor_of(user, performer.value), now=NOW) as work:
            secrets.append(service.issue_token(work, doorman, user_id=user.id, label="fuzz")[1])
    return Scene(*secrets)


def _ask(operation: Any, mode: GenerationMode, secret: str, keys: "itertools.count[int]", heard: Heard) -> None:
    """So many requests to the operation, with input of that kind."""
    headers = {"Authorization": f"Bearer {secret}"}
    # The first row of everything is there; numbers at random would hardly ever be. What has nothing but its path to be
    # unsound gets unsound numbers.
    has_more = bool(operation.body) or bool(operation.query)
    ids = {parameter.name: 1 for parameter in operation.path_parameters if parameter.name.endswith("_id")}
    known = ids if ids and (has_more or mode is GenerationMode.POSITIVE) else None

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=known))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers=headers | {"Idempotency-Key": f"fuzz-{next(keys)}", "If-Match": '"1"'})
        heard.asked += 1
        heard.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            heard.faults.append(
                (mode.value, case.method, case.path, case.path_parameters, case.query, case.body, answer.status_code)
            )
        if answer.status_code < 400:
            heard.shown += NAME in answer.text
            return
        if not answer.headers["content-type"][0].startswith("application/problem+json"):
            heard.bare.append((case.method, case.path, answer.status_code))
        if NAME in answer.text:
            heard.named.append((case.method, case.path))

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # an operation without any input has none that is unsound


def test_no_request_is_a_fault_of_ours(app: Coordinator, scene: Scene, database: Database) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    keys, heard = itertools.count(1), Heard()
    with at(NOW):
        for operation in operations:
            if operation.path in LEFT_OUT:
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _ask(operation, mode, scene.everybody, keys, heard)
            if operation.path.startswith(ASKED_BY_THE_AIDE):
                _ask(operation, GenerationMode.POSITIVE, scene.aide, keys, heard)
    assert heard.faults == []
    assert heard.bare == []
    assert heard.named == []
    assert heard.asked > EXAMPLES * len(operations)
    assert {200, 201, 404, 422} <= set(heard.statuses)
    # Refused at the door, or asked about what is not there, little would have been tried; unseen, no name is withheld.
    assert heard.statuses[401] < heard.asked // 20
    assert heard.statuses[404] < heard.asked // 2
    assert heard.shown > 0
    with database.transaction(write=False) as session:
        assert verify(session).ok
