"""A clinician's sheet: credentials, skills, languages, shifts, absences, exclusions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.domain.vocabulary import Discipline, Performer, Role, VisitStatus
from coordinator.staff import service
from coordinator.teams import service as teams
from tests.builders import make_clinician, make_episode, make_physician, make_visit
from tests.conftest import WorkAs, actor_with
from tests.staff.conftest import Scene

TODAY = date(2026, 11, 9)
NEW: dict[str, Any] = {
    "employee_no": "E1", "given_name": "Bo", "family_name": "Chan", "performer": Performer.PT,
    "credentials": [{"issued_on": date(2024, 1, 1), "expires_on": date(2027, 1, 31), "verified_on": TODAY}],
    "skills": ["picc", "iv", "picc"], "languages": [{"code": "YUE", "qualified_on": date(2025, 1, 1)}],
    "weekly_shifts": [{"weekday": 0, "starts": time(8), "ends": time(16)}],
    "dated_shifts": [{"on_date": date(2026, 11, 26)}],
}  # fmt: skip


def test_a_clinician_is_whole_when_created(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        made = service.create_clinician(work, branch_id=scene.branch.id, **NEW)
        assert (made.start_lat, made.end_lon) == (scene.branch.office_lat, scene.branch.office_lon)
        assert [row.skill for row in made.skills] == ["iv", "picc"]
        assert made.languages[0].code == "yue"
        assert (made.credentials[0].kind, made.credentials[0].status) == ("licence", "active")
        assert service.working_hours(made, TODAY) == [(time(8), time(16))]
        assert service.working_hours(made, date(2026, 11, 26)) == []
        assert service.licence_expires_on(made) == date(2027, 1, 31)
        with pytest.raises(Conflict):
            service.create_clinician(work, branch_id=scene.branch.id, **NEW)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"weekly_minutes": 2800}, "/weekly_maximum_minutes"),
    ({"weekly_maximum_minutes": 99_999}, "/weekly_maximum_minutes"),
    ({"productivity_target": 9}, "/productivity_target"),
    ({"max_visits_per_day": 0}, "/max_visits_per_day"),
    ({"start_lat": 37.0}, "/start/lon"),
    ({"given_name": ""}, "/given_name"),
    ({"skills": ["Wound Vac"]}, "/skills/0"),
    ({"languages": [{"code": "Chinese!"}]}, "/languages/0/code"),
    ({"languages": [{"code": "es"}, {"code": "ES"}]}, "/languages/1/code"),
    ({"languages": [{"code": "es", "expires_on": TODAY}]}, "/languages/0/expires_on"),
    ({"credentials": [{"issued_on": date(2026, 2, 1), "expires_on": date(2026, 1, 1)}]}, "/credentials/0/expires_on"),
    ({"credentials": [{"issued_on": TODAY, "verified_on": date(2026, 11, 10)}]}, "/credentials/0/verified_on"),
    ({"credentials": [{"issued_on": TODAY, "status": "fine"}]}, "/credentials/0/status"),
    ({"credentials": [{}]}, "/credentials/0/issued_on"),
    ({"weekly_shifts": [{"weekday": 9, "starts": time(8), "ends": time(9)}]}, "/weekly_shifts/0/weekday"),
    ({"weekly_shifts": [{"weekday": 0, "starts": time(9), "ends": time(8)}]}, "/weekly_shifts/0/ends"),
    ({"weekly_shifts": [{"weekday": 0, "starts": time(9)}]}, "/weekly_shifts/0/ends"),
    ({"weekly_shifts": [{"weekday": 0, "starts": time(8), "ends": time(12)},
                        {"weekday": 0, "starts": time(11), "ends": time(13)}]}, "/weekly_shifts/1/starts"),
    ({"dated_shifts": [{"on_date": TODAY}, {"on_date": TODAY, "starts": time(8), "ends": time(9)}]},
     "/dated_shifts/1/on_date"),
    ({"dated_shifts": [{"starts": time(8), "ends": time(9)}]}, "/dated_shifts/0/on_date"),
    ({"shoe_size": 41}, "/shoe_size"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointer"), WRONG, ids=[f"{n}{pointer}" for n, (_, pointer) in enumerate(WRONG)])
def test_what_cannot_be_meant_is_refused_by_name(
    scene: Scene, work_as: WorkAs, change: dict[str, Any], pointer: str
) -> None:
    with work_as(scene.manager) as work:
        with pytest.raises(Invalid) as refusal:
            service.create_clinician(work, branch_id=scene.branch.id, **(NEW | change))
        assert [entry["pointer"] for entry in refusal.value.extra["errors"]] == [pointer]


def test_shifts_that_touch_do_not_overlap(scene: Scene, work_as: WorkAs) -> None:
    touching = [
        {"weekday": 0, "starts": time(8), "ends": time(12)},
        {"weekday": 0, "starts": time(12), "ends": time(16)},
        {"weekday": 1, "starts": time(8), "ends": time(16)},
    ]
    with work_as(scene.scheduler) as work:
        made = service.set_shifts(work, scene.nurse.id, weekly=touching)
        assert service.working_hours(made, TODAY) == [(time(8), time(12)), (time(12), time(16))]
        assert service.working_hours(made, date(2026, 11, 12)) == [], "the old Thursday is gone"
        service.set_shifts(work, scene.nurse.id, dated=[{"on_date": TODAY}])
        assert service.working_hours(made, TODAY) == []
        assert len(service.working_hours(made, date(2026, 11, 16))) == 2, "the weekly hours stayed"


def test_whose_clinicians_one_sees(scene: Scene, database: Database, work_as: WorkAs) -> None:
    def seen(actor: Any) -> set[int]:
        with work_as(actor) as work:
            return {row.id for row in service.search_clinicians(work)["items"]}

    assert seen(scene.scheduler) == {scene.nurse.id}
    assert seen(actor_with(Role.ADMINISTRATOR)) == {scene.nurse.id, scene.foreigner.id}
    assert seen(actor_with(Role.CLINICIAN, clinician_id=scene.foreigner.id)) == {scene.foreigner.id}
    with database.transaction() as session:
        physician = make_physician(session)
        session.merge(scene.patient).managing_physician_id = physician.id
    doctor = actor_with(Role.PHYSICIAN, physician_id=physician.id)
    assert seen(doctor) == set()
    with work_as(scene.manager) as work:
        teams.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", True, TODAY)
    assert seen(doctor) == {scene.nurse.id}
    with work_as(scene.scheduler) as work, pytest.raises(NotFound):
        service.set_shifts(work, scene.foreigner.id, weekly=[])


def test_search_by_what_somebody_can_do(scene: Scene, database: Database, work_as: WorkAs) -> None:
    with database.transaction() as session:
        branch = session.merge(scene.branch)
        therapist = make_clinician(session, branch, Performer.PTA, languages=("en", "yue"), skills=("lymph",))
    with work_as(scene.scheduler) as work:

        def found(**asked: Any) -> list[int]:
            return [row.id for row in service.search_clinicians(work, **asked)["items"]]

        assert found(discipline=Discipline.PT) == [therapist.id]
        assert found(performer=Performer.RN) == [scene.nurse.id]
        assert found(language="YUE") == [therapist.id]
        assert found(skill="lymph") == [therapist.id]
        assert found(text=therapist.employee_no.lower()) == [therapist.id]
        assert found(skill="flying") == []


def test_who_left_is_planned_no_more(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        before = scene.nurse.version
        assert service.edit_clinician(work, scene.nurse.id, active=False).version == before + 1
        assert service.search_clinicians(work)["items"] == []
        with pytest.raises(Invalid):
            service.edit_clinician(work, scene.nurse.id, family_name=None)
        with pytest.raises(Conflict):
            teams.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, TODAY)


# ------------------------------------------------------------------------------------ credentials


def test_a_credential_is_renewed_verified_and_revoked(scene: Scene, work_as: WorkAs) -> None:
    nurse, licence = scene.nurse.id, scene.nurse.credentials[0].id
    with work_as(scene.manager) as work:
        with pytest.raises(Invalid):
            service.renew_credential(work, nurse, licence, date(2028, 12, 31))
        renewed = service.renew_credential(work, nurse, licence, date(2030, 12, 31), verified_on=TODAY)
        assert (renewed.expires_on, renewed.verified_on) == (date(2030, 12, 31), TODAY)
        assert service.verify_credential(work, nurse, licence, date(2026, 11, 8)).verified_on == date(2026, 11, 8)
        service.revoke_credential(work, nurse, licence)
        assert service.licence_expires_on(service.get_clinician(work, nurse)) is None
        cpr = service.add_credential(work, nurse, kind="cpr", issued_on=date(2026, 1, 1))
        assert cpr.expires_on is None
        with pytest.raises(NotFound):
            service.verify_credential(work, nurse, 99_999, TODAY)
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        service.verify_credential(work, nurse, licence, TODAY)


def test_skills_and_languages_are_exactly_what_was_said(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        service.set_skills(work, scene.nurse.id, ["iv", "wound-vac"])
        assert [row.skill for row in service.set_skills(work, scene.nurse.id, ["picc", "iv"]).skills] == ["iv", "picc"]
        service.set_languages(work, scene.nurse.id, [{"code": "es", "qualified_on": TODAY}, {"code": "en"}])
        languages = service.set_languages(
            work, scene.nurse.id, [{"code": "es", "qualified_on": TODAY, "expires_on": date(2027, 1, 1)}]
        ).languages
        assert [(row.code, row.expires_on) for row in languages] == [("es", date(2027, 1, 1))]


# ------------------------------------------------------------------------------------ absences and exclusions


def test_an_absence_says_which_planned_visits_it_leaves_bare(scene: Scene, database: Database, work_as: WorkAs) -> None:
    start = datetime(2026, 11, 9, 17, tzinfo=UTC)
    with database.transaction() as session:
        patient = session.merge(scene.patient)
        episode = make_episode(session, patient)

        def visit(hours: int, status: VisitStatus, clinician_id: int) -> int:
            at = start + timedelta(hours=hours)
            return make_visit(
                session, patient, episode, clinician_id=clinician_id, starts_at=at, ends_at=at + timedelta(minutes=45),
                status=status,
            ).id  # fmt: skip

        visit(-1, VisitStatus.BOOKED, scene.nurse.id)  # ends before the absence begins
        visit(0, VisitStatus.COMPLETED, scene.nurse.id)
        booked = visit(2, VisitStatus.BOOKED, scene.nurse.id)
        held = visit(4, VisitStatus.PENDING, scene.nurse.id)
        visit(6, VisitStatus.CANCELLED, scene.nurse.id)
        visit(8, VisitStatus.BOOKED, scene.nurse.id)  # begins as the absence ends
    with work_as(scene.scheduler) as work:
        made = service.record_absence(
            work, scene.nurse.id, starts_at=start, ends_at=start + timedelta(hours=8), reason="sick"
        )
        assert made.visit_ids == (booked, held)
        assert made.affected_visits == 2
        with pytest.raises(Conflict):
            service.record_absence(
                work, scene.nurse.id, starts_at=start, ends_at=start + timedelta(hours=1), reason="sick"
            )
        service.remove_time_off(work, scene.nurse.id, made.time_off.id)
        with pytest.raises(NotFound):
            service.remove_time_off(work, scene.nurse.id, made.time_off.id)


@pytest.mark.parametrize("hours", [0, -1, 24 * 801])
def test_an_absence_ends_after_it_begins_and_some_day(scene: Scene, work_as: WorkAs, hours: int) -> None:
    start = datetime(2026, 11, 9, 17, tzinfo=UTC)
    with work_as(scene.scheduler) as work, pytest.raises(Invalid):
        service.record_absence(
            work, scene.nurse.id, starts_at=start, ends_at=start + timedelta(hours=hours), reason="sick"
        )


def test_an_exclusion_keeps_two_people_apart(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        service.add_exclusion(work, scene.nurse.id, scene.patient.id, "patient-request")
        with pytest.raises(Conflict):
            service.add_exclusion(work, scene.nurse.id, scene.patient.id, "again")
        with pytest.raises(Conflict, match="does not visit"):
            teams.add_to_team(work, scene.patient.id, scene.nurse.id, "nurse", False, TODAY)
        with pytest.raises(NotFound):
            service.add_exclusion(work, scene.nurse.id, scene.stranger.id, "patient-request")
        service.remove_exclusion(work, scene.nurse.id, scene.patient.id)
        with pytest.raises(NotFound):
            service.remove_exclusion(work, scene.nurse.id, scene.patient.id)
