"""A patient at home and everybody who works with her, each in a browser of their own."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from coordinator.access import service as access
from coordinator.access.model import User
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import Performer, Role, VisitStatus
from coordinator.teams.model import CareTeamMember
from tests import builders
from tests.people import Browser, browser

ZONE = ZoneInfo("America/Los_Angeles")
#: Noon of a Tuesday in San Francisco.
TUESDAY = datetime(2026, 11, 10, 12, tzinfo=ZONE)


@dataclass
class Scene:
    """Numbers of what is there; `as_` gives the browser of somebody, `users` their number."""

    app: Coordinator
    database: Database
    branch: int = 0
    other_branch: int = 0
    patient: int = 0
    stranger: int = 0
    episode: int = 0
    visit: int = 0
    physician: int = 0
    users: dict[str, int] = field(default_factory=dict)
    clinicians: dict[str, int] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)

    def as_(self, name: str) -> Browser:
        return self.browsers[name]

    def actor(self, name: str) -> Actor:
        with self.database.session(write=False) as session:
            user = session.get_one(User, self.users[name])
            return access.actor_of(user, access.performer_of(session, user))

    def trail(self, action: str, outcome: str = "ok") -> list[tuple[int | None, int | None]]:
        """(user, patient) of the audit lines of an action, first to last."""
        with self.database.session(write=False) as session:
            rows = session.execute(
                sa.select(AuditEvent.user_id, AuditEvent.patient_id)
                .where(AuditEvent.action == action, AuditEvent.outcome == outcome)
                .order_by(AuditEvent.id)
            )
            return [(row.user_id, row.patient_id) for row in rows]


@pytest.fixture
def scene(app: Coordinator, database: Database) -> Scene:
    return set_scene(app, database)


def set_scene(app: Coordinator, database: Database) -> Scene:
    """In the team: `nurse`, `nurse2`, `social`, `chaplain`; `aide` visits; of the office: `scheduler`, `intake`,
    `manager`, `admin`; `doctor` manages; `outsider` is a nurse and `far` a manager who know nobody here."""
    made = Scene(app, database)
    staff = (
        ("nurse", Performer.RN), ("nurse2", Performer.RN), ("social", Performer.MSW), ("chaplain", Performer.CHAPLAIN),
        ("aide", Performer.CHHA), ("outsider", Performer.RN),
    )  # fmt: skip
    with database.transaction() as session:
        branch, other = builders.make_branch(session), builders.make_branch(session)
        physician = builders.make_physician(session)
        patient = builders.make_patient(session, branch, managing_physician_id=physician.id)
        stranger = builders.make_patient(session, branch)
        episode = builders.make_episode(session, patient)
        for name, performer in staff:
            clinician = builders.make_clinician(session, branch, performer)
            made.clinicians[name] = clinician.id
            if name not in ("outsider", "aide"):
                session.add(
                    CareTeamMember(
                        patient_id=patient.id, clinician_id=clinician.id, role="member", is_primary=False,
                        starts_on=episode.soc_date,
                    )
                )  # fmt: skip
        builders.make_visit(
            session, patient, episode, discipline="HHA", status=VisitStatus.BOOKED,
            clinician_id=made.clinicians["aide"], starts_at=datetime(2026, 11, 11, 9, tzinfo=ZONE),
            ends_at=datetime(2026, 11, 11, 10, tzinfo=ZONE),
        )  # fmt: skip
        visit = builders.make_visit(
            session, patient, episode, status=VisitStatus.BOOKED, clinician_id=made.clinicians["nurse"],
            starts_at=datetime(2026, 11, 10, 11, tzinfo=ZONE), ends_at=datetime(2026, 11, 10, 12, tzinfo=ZONE),
        )  # fmt: skip
        made.branch, made.other_branch, made.patient, made.stranger = branch.id, other.id, patient.id, stranger.id
        made.episode, made.visit, made.physician = episode.id, visit.id, physician.id
    people: dict[str, tuple[Role, dict[str, object]]] = {
        name: (Role.CLINICIAN, {"clinician_id": clinician_id}) for name, clinician_id in made.clinicians.items()
    }
    for name, role in (
        ("scheduler", Role.SCHEDULER), ("intake", Role.INTAKE), ("manager", Role.CLINICAL_MANAGER),
        ("admin", Role.ADMINISTRATOR),
    ):  # fmt: skip
        people[name] = (role, {"branch_ids": [made.branch]})
    people["doctor"] = (Role.PHYSICIAN, {"physician_id": made.physician})
    people["far"] = (Role.CLINICAL_MANAGER, {"branch_ids": [made.other_branch]})
    for name, (role, identity) in people.items():
        made.browsers[name] = browser(app, database, role.value, **identity)
    with database.session(write=False) as session:
        numbers = list(session.execute(sa.select(User.id).order_by(User.id)).scalars())
    made.users = dict(zip(people, numbers, strict=True))
    return made
