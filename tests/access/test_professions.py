"""What a clinician may do and see depends on their profession: an aide is no nurse."""

from datetime import UTC, date, datetime, timedelta

import pytest

from coordinator.access.service import actor_of, performer_of
from coordinator.core.db import Database
from coordinator.domain.roles import LACKS, PERMISSIONS, permissions_of
from coordinator.domain.vocabulary import Discipline, Performer, Role, VisitStatus
from coordinator.orders.model import AideCarePlan
from coordinator.patients.scope import visible_patients
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember
from tests.access.conftest import Scene
from tests.builders import MONDAY, make_clinician, make_episode, make_user, make_visit
from tests.conftest import NOW, actor_with
from tests.people import at

CLINICIAN = frozenset({Role.CLINICIAN})


def test_an_aide_holds_this_and_no_more() -> None:
    assert permissions_of(CLINICIAN, "CHHA") == {
        "agency:read", "aide-plan:acknowledge", "aide-plan:read", "assessment:read", "clinician:read",
        "instrument:read", "notice:read", "patient:read", "physician:read", "reading:record", "resource:read",
        "roster:read", "schedule:give", "self:read", "self:secure", "token:issue", "visit:miss", "visit:perform",
        "visit:read",
        "meal:record", "workday:read", "feedback:record", "handoff:acknowledge", "handoff:list", "handoff:read",
        "handoff:write", "inbox:read", "note:read", "note:write", "task:act", "task:read", "team:read",
    }  # fmt: skip


@pytest.mark.parametrize("performer", ["PTA", "COTA", "CHAPLAIN"])
def test_assistants_and_chaplains_give_no_orders_and_judge_nothing(performer: str) -> None:
    assert permissions_of(CLINICIAN) - permissions_of(CLINICIAN, performer) == {
        "order:draft", "order:take-verbal", "order:send", "order:void", "eligibility:determine", "supervision:record",
        "home:assess-safety", "limit:set", "assessment:complete", "homebound:assess", "interval:justify",
    }  # fmt: skip


def test_a_vocational_nurse_takes_orders_and_does_not_judge() -> None:
    lost = permissions_of(CLINICIAN) - permissions_of(CLINICIAN, "LVN")
    assert lost == {
        "eligibility:determine", "supervision:record", "home:assess-safety", "limit:set", "assessment:complete",
        "homebound:assess",
    }  # fmt: skip


@pytest.mark.parametrize("performer", [None, "RN", "PT", "OT", "SLP", "MSW", "MD", "NP"])
def test_other_professions_lack_nothing(performer: str | None) -> None:
    assert permissions_of(CLINICIAN, performer) == permissions_of(CLINICIAN)


def test_another_role_gives_what_it_gives_whatever_the_profession() -> None:
    held = permissions_of(frozenset({Role.CLINICIAN, Role.SCHEDULER}), "CHHA")
    assert held == permissions_of(CLINICIAN, "CHHA") | permissions_of(frozenset({Role.SCHEDULER}))


def test_what_a_profession_lacks_is_something_that_clinicians_have() -> None:
    for lacks in LACKS.values():
        assert all(Role.CLINICIAN in PERMISSIONS[permission] for permission in lacks)


def test_the_profession_is_read_from_the_clinicians_row(scene: Scene) -> None:
    with scene.database.transaction() as session:
        for performer in Performer:
            clinician = make_clinician(session, session.merge(scene.branch), performer)
            user = make_user(session, "-", Role.CLINICIAN, clinician_id=clinician.id)
            assert performer_of(session, user) == performer.value
        assert performer_of(session, make_user(session, "-", Role.SCHEDULER)) is None


def test_the_door_knows_the_profession_by_token_and_by_cookie(scene: Scene, app) -> None:
    path = f"/patients/{scene.patient.id}/deadlines"
    assert scene.clinician(scene.aide).get("/deadlines").status_code == 403
    assert scene.clinician(scene.nurse).get("/deadlines").status_code == 200, path
    password = "a password for tests"
    with scene.database.transaction() as session:
        make_user(
            session, app.extensions["doorman"].hash(password), Role.CLINICIAN, username="ayda",
            clinician_id=scene.aide.id,
        )  # fmt: skip
    client = app.test_client()
    assert client.post("/api/v1/sessions", json={"username": "ayda", "password": password}).status_code == 201
    refused = client.get("/api/v1/deadlines")
    assert (refused.status_code, refused.json["permission"]) == (403, "deadline:read")


def _in_the_team(session, scene: Scene, clinician: Clinician) -> None:
    session.add(
        CareTeamMember(patient_id=scene.patient.id, clinician_id=clinician.id, role="team", starts_on=date(2026, 10, 1))
    )


def test_the_care_team_opens_no_record_to_an_aide(scene: Scene, database: Database) -> None:
    with database.transaction() as session:
        _in_the_team(session, scene, scene.aide)
        _in_the_team(session, scene, scene.nurse)
    with database.transaction(write=False) as session:
        for clinician, sees in ((scene.nurse, [scene.patient.id]), (scene.aide, [])):
            actor = actor_with(Role.CLINICIAN, clinician_id=clinician.id, performer=clinician.performer.value)
            assert list(session.scalars(visible_patients(actor, MONDAY))) == sees


@pytest.mark.parametrize(("days", "sees"), [(-8, False), (-7, True), (7, True), (8, False)])
def test_an_aide_sees_whom_they_visit_within_seven_days(scene: Scene, days: int, sees: bool) -> None:
    with scene.database.transaction() as session:
        _in_the_team(session, scene, scene.aide)
        patient = session.merge(scene.patient)
        begins = datetime(2026, 11, 9, 18, tzinfo=UTC) + timedelta(days=days)
        make_visit(
            session, patient, make_episode(session, patient), discipline=Discipline.HHA, clinician_id=scene.aide.id,
            status=VisitStatus.BOOKED, starts_at=begins, ends_at=begins + timedelta(minutes=45),
        )  # fmt: skip
    with at(NOW):
        answer = scene.clinician(scene.aide).get(f"/patients/{scene.patient.id}")
        assert answer.status_code == (200 if sees else 404)
        if sees:
            assert "diagnoses" not in answer.json, "no clinical detail"


def _two_visits(scene: Scene) -> tuple[int, int]:
    """The aide's own visit and the nurse's, to the same patient on the same day."""
    with scene.database.transaction() as session:
        patient = session.merge(scene.patient)
        episode = make_episode(session, patient)
        numbers = []
        for hours, clinician, discipline in ((0, scene.aide, Discipline.HHA), (2, scene.nurse, Discipline.SN)):
            begins = datetime(2026, 11, 9, 18 + hours, tzinfo=UTC)
            visit = make_visit(
                session, patient, episode, discipline=discipline, clinician_id=clinician.id, status=VisitStatus.BOOKED,
                starts_at=begins, ends_at=begins + timedelta(minutes=45),
            )  # fmt: skip
            numbers.append(visit.id)
        return numbers[0], numbers[1]


def test_an_aide_sees_no_visits_but_their_own(scene: Scene) -> None:
    own, nurses = _two_visits(scene)
    with at(NOW):
        aide, nurse = scene.clinician(scene.aide), scene.clinician(scene.nurse)
        assert [visit["id"] for visit in aide.get("/visits").json["items"]] == [own]
        assert aide.get(f"/visits?clinician_id={scene.nurse.id}").json["items"] == []
        assert aide.get(f"/visits/{own}").status_code == 200
        assert aide.get(f"/visits/{nurses}").status_code == 404
        assert {visit["id"] for visit in nurse.get("/visits").json["items"]} == {own, nurses}


def test_an_aide_reads_their_own_roster_alone(scene: Scene) -> None:
    own, _ = _two_visits(scene)
    with at(NOW):
        aide = scene.clinician(scene.aide)
        found = aide.get(f"/clinicians/{scene.aide.id}/roster/2026-11-09")
        assert found.status_code == 200, found.json
        assert str(own) in found.text
        assert aide.get(f"/clinicians/{scene.nurse.id}/roster/2026-11-09").status_code == 404


def test_an_aide_reads_the_instructions_they_work_by_and_no_plan(scene: Scene) -> None:
    _two_visits(scene)
    with scene.database.transaction() as session:
        session.add(
            AideCarePlan(
                patient_id=scene.patient.id, number=1, prepared_by_id=scene.nurse.id, effective_from=date(2026, 10, 26),
                tasks=["BATHING"], recorded_at=NOW,
            )
        )  # fmt: skip
    with at(NOW):
        aide = scene.clinician(scene.aide)
        found = aide.get(f"/patients/{scene.patient.id}/aide-instructions")
        assert found.status_code == 200
        assert "BATHING" in found.text
        assert aide.get(f"/patients/{scene.stranger.id}/aide-instructions").status_code == 404
        for path in ("care-plan", "deadlines"):
            assert aide.get(f"/patients/{scene.patient.id}/{path}").status_code == 403, path
        assert aide.get("/orders").status_code == 403


def test_an_aide_who_is_also_a_scheduler_schedules(scene: Scene) -> None:
    own, nurses = _two_visits(scene)
    both = scene.signed_in(
        Role.CLINICIAN, Role.SCHEDULER, clinician_id=scene.aide.id, branch_ids=[scene.branch.id]
    )  # fmt: skip
    with at(NOW):
        assert {visit["id"] for visit in both.get("/visits").json["items"]} == {own, nurses}


def test_the_actor_says_their_profession(scene: Scene) -> None:
    with scene.database.transaction() as session:
        user = make_user(session, "-", Role.CLINICIAN, clinician_id=scene.aide.id)
    assert actor_of(user, "CHHA").performer == "CHHA"
    assert not actor_of(user, "CHHA").may("order:draft")
