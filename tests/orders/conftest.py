"""Mrs Lee of San Francisco, her physician, her nurse and therapist, and the office; care started on 26 October 2026."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time

from coordinator.access import service as access
from coordinator.access.model import User
from coordinator.access.proof import Proof
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor, Work
from coordinator.domain import events
from coordinator.domain.vocabulary import Discipline, Performer, PractitionerType, Role
from coordinator.orders import service, signing
from coordinator.orders.cards import content_hash
from coordinator.orders.model import Order
from coordinator.orders.signing import SignItem, SignResult
from coordinator.teams.model import CareTeamMember
from tests import builders
from tests.conftest import NOW, WorkAs

#: Last day of the first certification period: start of care on 26 October is day 1 of sixty.
CERTIFICATION_END = date(2026, 12, 24)
WEDNESDAY = date(2026, 11, 11)


@dataclass
class Scene:
    """Numbers of what is there, and who acts."""

    branch: int = 0
    patient: int = 0
    episode: int = 0
    plan: int = 0
    physician: int = 0
    other_physician: int = 0
    nurse_id: int = 0
    therapist_id: int = 0
    aide_id: int = 0
    assistant_id: int = 0
    users: dict[str, User] = field(default_factory=dict)
    performers: dict[str, str] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        return access.actor_of(self.users[name], self.performers.get(name))


@pytest.fixture
def scene(app: Coordinator, database: Database) -> Scene:
    made = Scene()
    hashed = app.extensions["doorman"].hash(builders.PASSWORD)
    with database.transaction() as session:
        branch = builders.make_branch(session)
        physician = builders.make_physician(session)
        other = builders.make_physician(session)
        patient = builders.make_patient(session, branch, managing_physician_id=physician.id)
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, physician)
        made.branch, made.patient, made.episode, made.plan = branch.id, patient.id, episode.id, plan.id
        made.physician, made.other_physician = physician.id, other.id
        team = {
            "nurse": Performer.RN, "therapist": Performer.PT, "aide": Performer.CHHA, "assistant": Performer.PTA,
            "stranger": Performer.RN,
        }  # fmt: skip
        for name, performer in team.items():
            clinician = builders.make_clinician(session, branch, performer)
            made.performers[name] = performer.value
            made.users[name] = builders.make_user(
                session, hashed, Role.CLINICIAN, username=name, branch_ids=[branch.id], clinician_id=clinician.id
            )
            if name == "stranger":
                continue
            setattr(made, f"{name}_id", clinician.id)
            session.add(
                CareTeamMember(
                    patient_id=patient.id, clinician_id=clinician.id, role="team", is_primary=True,
                    starts_on=date(2026, 10, 26),
                )
            )  # fmt: skip
        for name, role in (
            ("scheduler", Role.SCHEDULER), ("manager", Role.CLINICAL_MANAGER), ("intake", Role.INTAKE),
        ):  # fmt: skip
            made.users[name] = builders.make_user(session, hashed, role, username=name, branch_ids=[branch.id])
        for name, key in (("physician", physician.id), ("colleague", other.id)):
            made.users[name] = builders.make_user(session, hashed, Role.PHYSICIAN, username=name, physician_id=key)
        elsewhere = builders.make_branch(session)
        made.users["elsewhere"] = builders.make_user(
            session, hashed, Role.CLINICAL_MANAGER, username="elsewhere", branch_ids=[elsewhere.id]
        )
        nurse_practitioner = builders.make_physician(session, practitioner_type=PractitionerType.NP)
        made.users["np"] = builders.make_user(
            session, hashed, Role.PHYSICIAN, username="np", physician_id=nurse_practitioner.id
        )
    return made


@dataclass
class Heard:
    """Events published in a work, in their order."""

    events: list[Any] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def listen(work: Work) -> Heard:
    """Hear what is published, and let no other room answer."""
    heard = Heard()
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)]
    work.handlers = {kind: ((lambda _work, event: heard.events.append(event)),) for kind in kinds}
    return heard


Draft = Callable[..., int]


@pytest.fixture
def draft(scene: Scene, work_as: WorkAs) -> Draft:
    """`draft(discipline, frequency, ...)`: the number of a new draft by the nurse."""

    def write(
        discipline: Discipline = Discipline.SN, frequency: str | None = "2w4", *, by: str = "nurse", **given: Any
    ) -> int:
        values = {
            "patient_id": scene.patient, "discipline": discipline, "frequency_text": frequency,
            "effective_from": builders.MONDAY, "physician_id": scene.physician, "treatments": ["assessment"],
            "goals_text": "Breathes easily at rest",
        } | given  # fmt: skip
        with work_as(scene.actor(by)) as work:
            return service.draft(work, **values).id

    return write


@pytest.fixture
def sent(scene: Scene, work_as: WorkAs, draft: Draft) -> Draft:
    """A draft that was sent for signature."""

    def write(*args: Any, **given: Any) -> int:
        number = draft(*args, **given)
        with work_as(scene.actor("nurse")) as work:
            listen(work)
            service.send(work, number)
        return number

    return write


@pytest.fixture
def verbal(scene: Scene, work_as: WorkAs, draft: Draft) -> Draft:
    """An order taken by the nurse by word of mouth, read back, its receipt signed: live."""

    def write(*args: Any, now: Any = NOW, **given: Any) -> int:
        number = draft(*args, **given)
        with work_as(scene.actor("nurse"), now=now) as work:
            listen(work)
            service.take_verbal(
                work, number, received_at=now, received_by_clinician_id=scene.nurse_id, read_back=True,
                responsible_clinician_id=scene.nurse_id,
            )  # fmt: skip
            service.sign_receipt(work, number)
        return number

    return write


Sign = Callable[..., list[SignResult]]


@pytest.fixture
def sign(app: Coordinator, scene: Scene, work_as: WorkAs) -> Sign:
    """`sign(number, ...)`: the physician reads those orders, and signs them in one batch."""

    def write(*numbers: int, by: str = "physician", now: Any = NOW) -> list[SignResult]:
        with work_as(scene.actor(by), now=now) as work:
            listen(work)
            items = []
            for number in numbers:
                order = work.session.get(Order, number)
                assert order is not None
                signing.mark_reviewed(work, number, order.version)
                items.append(SignItem(number, order.version, content_hash(order)))
            return signing.sign_batch(work, app.extensions["doorman"], items, Proof(builders.PASSWORD))

    return write


@pytest.fixture
def signed(sent: Draft, sign: Sign) -> Draft:
    """An order that its physician signed."""

    def write(*args: Any, now: Any = NOW, **given: Any) -> int:
        number = sent(*args, **given)
        assert [result.code for result in sign(number, now=now)] == ["signed"]
        return number

    return write


def get(database: Database, number: int) -> Order:
    """The order as it is stored now."""
    with database.transaction(write=False) as session:
        found = session.get(Order, number)
        assert found is not None
        return found


@pytest.fixture
def as_user(app: Coordinator, scene: Scene, work_as: WorkAs) -> Iterator[Callable[[str], FlaskClient]]:
    """`as_user("nurse")`: a client that carries that person's token; the door's clock stands at NOW."""

    def client_of(name: str) -> FlaskClient:
        user = scene.users[name]
        with work_as(scene.actor(name)) as work:
            _, secret = access.issue_token(work, app.extensions["doorman"], user_id=user.id, label="tests")
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return client

    with freeze_time(NOW):
        yield client_of
