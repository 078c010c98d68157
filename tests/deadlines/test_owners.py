"""What the book gives to a case manager or a therapist is a person's of the patient's care team, where it names one."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.errors import Forbidden
from coordinator.core.work import Work
from coordinator.deadlines import owners, service
from coordinator.deadlines.book import open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import DeadlineReminded, DeadlinesReminded
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.vocabulary import Discipline, Performer, Role
from coordinator.notify.model import Notice
from coordinator.teams import service as teams
from coordinator.teamwork import inbox
from tests.builders import make_branch, make_clinician, make_patient, make_physician, make_user
from tests.conftest import NOW, WorkAs, actor_with

SN, PT = Discipline.SN, Discipline.PT
DUE = date(2026, 11, 12)
TODAY = NOW.date()


def test_the_team_s_person_is_told_sees_and_closes_what_is_theirs(database: Database, work_as: WorkAs) -> None:
    with database.transaction() as session:
        branch = make_branch(session)
        patient, other = (
            make_patient(session, branch, managing_physician_id=make_physician(session).id) for _ in range(2)
        )
        people = {
            name: make_clinician(session, branch, performer)
            for name, performer in (
                ("nurse", Performer.RN), ("colleague", Performer.RN), ("vocational", Performer.LVN),
                ("therapist", Performer.PT), ("assistant", Performer.PTA),
            )
        }  # fmt: skip
        users = {
            name: make_user(session, "-", Role.CLINICIAN, clinician_id=person.id, branch_ids=[branch.id]).id
            for name, person in people.items()
        }
        office = make_user(session, "-", Role.SCHEDULER, branch_ids=[branch.id]).id
    manager = actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({branch.id}), user_id=users["nurse"])
    who = {
        name: actor_with(
            Role.CLINICIAN, clinician_id=person.id, performer=person.performer.value, user_id=users[name],
            branch_ids=frozenset({branch.id}),
        )
        for name, person in people.items()
    }  # fmt: skip

    def owed(work: Work, rule: str, task: str, role: str, about: int, **facts: str) -> Deadline:
        return open_deadline(
            work, rule=rule, subject=f"patient:{about}:{task}", due_on=DUE, owner_role=role, branch_id=branch.id,
            patient_id=about, task=task, **facts,
        )  # fmt: skip

    with work_as() as work:
        rows = {
            "plan": owed(work, "CERT-04", "review-plan", "case_manager", patient.id).id,
            "therapy": owed(work, "THX-01", "reassess-therapy", "therapist", patient.id, discipline="PT").id,
            "order": owed(work, "ORD-06", "sign-order", "orders_desk", patient.id).id,
            "other": owed(work, "CERT-04", "review-plan", "case_manager", other.id).id,
        }

    def answers(work: Work) -> dict[str, set[int]]:
        found = owners.people_of(work, work.session.scalars(sa.select(Deadline)).all())
        return {name: set(found[number]) for name, number in rows.items() if number in found}

    def mine(name: str) -> set[str]:
        with work_as(who[name]) as work:
            found = set(work.session.scalars(service.search(work, mine=True)))
            waiting = set(work.session.scalars(inbox.deadlines_waiting(work)))
            assert found <= waiting
            return {key for key, number in rows.items() if number in {row.id for row in found}}

    with work_as(manager) as work:
        assert answers(work) == {}  # nobody of the team yet: the list of the role
        for name, discipline in (("vocational", SN), ("assistant", PT)):  # who may not do it is not asked
            teams.name_primary(work, patient.id, discipline, people[name].id, starts_on=TODAY - timedelta(days=9))
        assert answers(work) == {}
    assert mine("vocational") == set()
    with work_as(manager) as work:
        for name, discipline in (("nurse", SN), ("therapist", PT)):
            teams.name_primary(work, patient.id, discipline, people[name].id, starts_on=TODAY)
        assert answers(work) == {"plan": {users["nurse"]}, "therapy": {users["therapist"]}}
    assert (mine("nurse"), mine("therapist"), mine("colleague")) == ({"plan"}, {"therapy"}, set())

    with work_as() as work:
        every = tuple(DeadlineReminded(deadline_id=number, stage="overdue") for number in rows.values())
        work.publish(DeadlinesReminded(every))
        told = work.session.execute(sa.select(Notice.subject, Notice.user_id, Notice.role)).all()
        named = {f"deadline:{number}": name for name, number in rows.items()}
        assert {(named[subject], user_id or role) for subject, user_id, role in told if subject in named} == {
            ("plan", users["nurse"]), ("plan", "clinical_manager"),
            ("therapy", users["therapist"]), ("therapy", "clinical_manager"),
            ("order", "intake"), ("order", "clinical_manager"), ("other", "clinical_manager"),
        }  # fmt: skip

    with work_as(who["therapist"]) as work, pytest.raises(Forbidden):
        service.waive(work, rows["plan"], "not_applicable", "not mine")
    with work_as(manager) as work:
        teams.arrange(
            work, role=CoverRole.PRIMARY, reason=CoverReason.SICK, away_id=people["nurse"].id,
            by_id=people["colleague"].id, starts_on=TODAY, ends_on=TODAY + timedelta(days=2),
        )  # fmt: skip
        assert answers(work)["plan"] == {users["nurse"], users["colleague"]}
    assert mine("colleague") == {"plan"}
    with work_as(who["colleague"]) as work:
        assert service.done(work, rows["plan"], "reviewed with the practitioner").status.value == "done"
    with work_as(manager) as work:
        teams.name_primary(work, other.id, SN, people["nurse"].id, starts_on=TODAY)
        teams.name_coordinator(work, other.id, office)
        assert answers(work)["other"] == {office}  # whoever coordinates goes before the primary nurse
