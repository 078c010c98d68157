"""A patient in palliative care at home, and everybody who works with her."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from coordinator.access import service as access
from coordinator.access.model import User
from coordinator.core.db import Database
from coordinator.core.work import Actor, Work
from coordinator.deadlines.model import Deadline
from coordinator.domain.vocabulary import DeadlineStatus, Performer, Role, VisitStatus
from coordinator.patients.model import Caregiver
from coordinator.teams.model import CareTeamMember
from tests import builders

ZONE = ZoneInfo("America/Los_Angeles")
#: Noon of a Tuesday in San Francisco, in the third week of care.
TUESDAY = datetime(2026, 11, 10, 12, tzinfo=ZONE)
TODAY = TUESDAY.date()
SOC = date(2026, 10, 26)


@dataclass
class Scene:
    """Numbers of what is there, and who acts."""

    branch: int = 0
    patient: int = 0
    episode: int = 0
    caregiver: int = 0
    physician: int = 0
    stranger: int = 0
    visit: int = 0
    people: dict[str, int] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    performers: dict[str, str] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        return access.actor_of(self.users[name], self.performers.get(name))


@pytest.fixture
def scene(database: Database) -> Scene:
    """Clinicians by their profession in small letters; `scheduler`, `manager`, `intake` and `physician` besides."""
    made = Scene()
    with database.transaction() as session:
        branch = builders.make_branch(session)
        physician = builders.make_physician(session)
        patient = builders.make_patient(
            session, branch, managing_physician_id=physician.id,
            caregivers=[Caregiver(name="Wei Lee", relation="daughter", language="en", availability=[])],
        )  # fmt: skip
        stranger = builders.make_patient(session, branch)
        episode = builders.make_episode(session, patient, soc=SOC)
        made.branch, made.patient, made.episode, made.physician = branch.id, patient.id, episode.id, physician.id
        made.caregiver, made.stranger = patient.caregivers[0].id, stranger.id
        for performer in (
            Performer.RN, Performer.LVN, Performer.PT, Performer.PTA, Performer.MSW, Performer.CHAPLAIN, Performer.CHHA,
        ):  # fmt: skip
            name = performer.value.lower()
            clinician = builders.make_clinician(session, branch, performer)
            made.people[name], made.performers[name] = clinician.id, performer.value
            made.users[name] = builders.make_user(session, "-", Role.CLINICIAN, clinician_id=clinician.id)
            session.add(
                CareTeamMember(
                    patient_id=patient.id, clinician_id=clinician.id, role="member", is_primary=False, starts_on=SOC
                )
            )
        session.flush()
        # An aide sees whom she visits.
        builders.make_visit(
            session, patient, episode, discipline="HHA", status=VisitStatus.BOOKED, clinician_id=made.people["chha"],
            starts_at=datetime(2026, 11, 11, 9, tzinfo=ZONE), ends_at=datetime(2026, 11, 11, 10, tzinfo=ZONE),
        )  # fmt: skip
        visit = builders.make_visit(
            session, patient, episode, status=VisitStatus.BOOKED, clinician_id=made.people["rn"],
            starts_at=datetime(2026, 11, 10, 11, tzinfo=ZONE), ends_at=datetime(2026, 11, 10, 12, tzinfo=ZONE),
        )  # fmt: skip
        made.visit = visit.id
        for role in (Role.SCHEDULER, Role.INTAKE):
            made.users[role.value] = builders.make_user(session, "-", role, branch_ids=[branch.id])
        made.users["manager"] = builders.make_user(session, "-", Role.CLINICAL_MANAGER, branch_ids=[branch.id])
        made.users["physician"] = builders.make_user(session, "-", Role.PHYSICIAN, physician_id=physician.id)
    return made


#: What a proposed visit asks of people, beside what the score itself does.
OF_PROPOSALS = frozenset({"answer-proposal", "ask-for-order"})


def owed(
    work: Work, rule: str, status: DeadlineStatus | None = DeadlineStatus.OPEN, *, proposals: bool = False
) -> list[tuple[str, date]]:
    """(task, due day) of the lines of the book under a rule, by due day; without those of proposals, unless asked."""
    work.session.flush()
    query = sa.select(Deadline).where(Deadline.rule == rule).order_by(Deadline.due_on, Deadline.id)
    if status is not None:
        query = query.where(Deadline.status == status)
    rows = [(str(row.facts["task"]), row.due_on) for row in work.session.execute(query).scalars()]
    return [row for row in rows if proposals or row[0] not in OF_PROPOSALS]
