"""What a patient's record says, and what it refuses to say."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.domain.vocabulary import Gender, HomeSafety, InterpreterMode, Payer, Role
from coordinator.patients import service
from coordinator.patients.model import Patient
from tests.builders import make_patient
from tests.conftest import WorkAs, actor_with
from tests.patients.conftest import Scene

TODAY = date(2026, 11, 9)
HOME = {
    "address": "500 Noe Street",
    "city": "San Francisco",
    "state": "ca",
    "zip": "94114",
    "lat": 37.76,
    "lon": -122.43,
}
PERSON: dict[str, Any] = {"given_name": "Mei", "family_name": "Wong", "birth_date": date(1944, 5, 1), "home": HOME}


def test_a_patient_is_whole_when_it_is_created(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        patient = service.create(
            work, branch_id=scene.branch.id, **PERSON, spoken_language="YUE", written_language="zh-hant",
            interpreter_needed=True, interpreter_mode=InterpreterMode.PHONE, managing_physician_id=scene.physician.id,
            preferred_clinician_gender=Gender.FEMALE,
            caregivers=[{"name": "Ming", "relation": "daughter", "language": "en", "willing": True,
                         "availability": [{"weekday": 0, "from": time(9), "to": "13:00"}]}],
            coverages=[{"payer": "KP", "member_id": "1", "starts_on": date(2026, 1, 1)}],
            diagnoses=[{"code": "c3490"}, {"code": "I50.9", "rank": 1}],
            no_visit_windows=[{"weekday": 4, "starts": time(18), "ends": time(6), "reason": "prayer"}],
            unavailabilities=[{"starts_at": datetime(2026, 11, 12, 18, tzinfo=UTC),
                               "ends_at": datetime(2026, 11, 12, 22, tzinfo=UTC), "reason": "clinic"}],
        )  # fmt: skip
        number = patient.id
    with work_as(scene.intake) as work:
        patient = service.get(work, number)
        assert (patient.spoken_language, patient.written_language) == ("yue", "zh-Hant")
        assert patient.interpreter_mode == InterpreterMode.PHONE
        assert (patient.home.state, patient.home.safety, patient.home.point_source) == (
            "CA", HomeSafety.NOT_ASSESSED, "given",
        )  # fmt: skip
        assert [(row.rank, row.code) for row in patient.diagnoses] == [(1, "I50.9"), (2, "C34.90")]
        assert patient.diagnoses[1].display.startswith("Malignant neoplasm of unspecified part")
        assert patient.caregivers[0].availability == [{"weekday": 0, "from": "09:00", "to": "13:00"}]
        assert patient.mrn == f"P{number:07d}"
        assert patient.version == 2 or patient.version == 1
        assert patient.active


def test_a_record_number_given_by_hand_is_kept_and_never_given_twice(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        first = service.create(work, branch_id=scene.branch.id, **PERSON, mrn="KP-77.a")
        assert first.mrn == "KP-77.a"
        taken = service.create(work, branch_id=scene.branch.id, **PERSON, mrn=f"P{first.id + 2:07d}")
        made = service.create(work, branch_id=scene.branch.id, **PERSON)
        assert made.mrn == f"{taken.mrn}-1"
        with pytest.raises(Conflict, match="record number"):
            service.create(work, branch_id=scene.branch.id, **PERSON, mrn="KP-77.a")


def test_nobody_puts_a_patient_into_another_branch(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work, pytest.raises(NotFound):
        service.create(work, branch_id=scene.elsewhere.id, **PERSON)
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        service.create(work, branch_id=scene.branch.id, **PERSON)


SON = {"name": "Ming", "relation": "son"}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"birth_date": date(2026, 11, 10)}, "/birth_date"),
    ({"spoken_language": "Cantonese"}, "/spoken_language"),
    ({"written_language": ""}, "/written_language"),
    ({"interpreter_mode": InterpreterMode.ASL}, "/interpreter_mode"),
    ({"preferred_clinician_gender": Gender.UNKNOWN}, "/preferred_clinician_gender"),
    ({"decision_style": "council"}, "/decision_style"),
    ({"managing_physician_id": 99_999}, "/managing_physician_id"),
    ({"mrn": "a b"}, "/mrn"),
    ({"home": HOME | {"zip": "9411"}}, "/home/zip"),
    ({"home": HOME | {"zip": "٩٤١١٤"}}, "/home/zip"),
    ({"home": HOME | {"state": "California"}}, "/home/state"),
    ({"home": HOME | {"lon": None}}, "/home/lon"),
    ({"home": HOME | {"hazards": ["big dog"]}}, "/home/hazards/0"),
    ({"home": {"city": "San Francisco"}}, "/home/address"),
    ({"diagnoses": [{"code": "C34.90"}, {"code": "XX"}]}, "/diagnoses/1/code"),
    ({"diagnoses": [{"code": "C34"}]}, "/diagnoses/0/code"),
    ({"diagnoses": [{"code": "1"}]}, "/diagnoses/0/code"),
    ({"diagnoses": [{"code": "C34.90", "snomed": "abc"}]}, "/diagnoses/0/snomed"),
    ({"coverages": [{"payer": "KP", "starts_on": TODAY, "ends_on": date(2026, 11, 8)}]}, "/coverages/0/ends_on"),
    ({"caregivers": [{"name": "Ming"}]}, "/caregivers/0/relation"),
    ({"caregivers": [SON | {"availability": [{"weekday": 9, "from": "09:00", "to": "10:00"}]}]},
     "/caregivers/0/availability/0/weekday"),
    ({"caregivers": [SON | {"availability": [{"weekday": 1, "from": "10:00", "to": "09:00"}]}]},
     "/caregivers/0/availability/0/to"),
    ({"no_visit_windows": [{"weekday": 7, "starts": time(8), "ends": time(9), "reason": "x"}]},
     "/no_visit_windows/0/weekday"),
    ({"no_visit_windows": [{"starts": time(8), "ends": time(8), "reason": "x"}]}, "/no_visit_windows/0/ends"),
    ({"no_visit_windows": [{"weekday": 1, "on_date": TODAY, "starts": time(8), "ends": time(9), "reason": "x"}]},
     "/no_visit_windows/0/on_date"),
    ({"unavailabilities": [{"starts_at": datetime(2026, 1, 2, tzinfo=UTC), "ends_at": datetime(2026, 1, 1, tzinfo=UTC),
                            "reason": "x"}]}, "/unavailabilities/0/ends_at"),
    ({"unavailabilities": [{"starts_at": datetime(2026, 1, 1), "ends_at": datetime(2026, 1, 2), "reason": "x"}]},  # noqa: DTZ001
     "/unavailabilities/0/ends_at"),
    ({"shoe_size": 41}, "/shoe_size"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointer"), WRONG, ids=[pointer for _, pointer in WRONG])
def test_what_cannot_be_meant_is_refused_by_name(
    scene: Scene, work_as: WorkAs, change: dict[str, Any], pointer: str
) -> None:
    with work_as(scene.intake) as work:
        with pytest.raises(Invalid) as refusal:
            service.create(work, branch_id=scene.branch.id, **(PERSON | change))
        assert [entry["pointer"] for entry in refusal.value.extra["errors"]] == [pointer]


# ------------------------------------------------------------------------------------ reading


def test_every_read_leaves_a_line_in_the_trail(scene: Scene, database: Database, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work:
        service.get(work, scene.patient.id)
        service.search(work, text="lee")
    with database.transaction(write=False) as session:
        lines = session.execute(sa.select(AuditEvent).where(AuditEvent.patient_id == scene.patient.id)).scalars()
        assert [(line.action, line.subject) for line in lines] == [
            ("patient.read", f"patient:{scene.patient.id}"),
            ("patient.listed", f"patient:{scene.patient.id}"),
        ]


def test_search_finds_parts_of_names_and_turns_pages(scene: Scene, database: Database, work_as: WorkAs) -> None:
    with database.transaction() as session:
        branch = session.merge(scene.branch)
        for name in ("Adler", "adams", "Zu%ni", "陳"):
            make_patient(session, branch, family_name=name, given_name="Kim", mrn=f"KIM-{name.encode().hex()}")
        make_patient(session, branch, family_name="Adversane", active=False)
    with work_as(scene.scheduler) as work:

        def names(**asked: Any) -> set[str]:
            return {row.family_name for row in service.search(work, **asked)["items"]}

        assert names(text="AD") == {"Adler", "adams"}
        assert names(text="ad", active=None) == {"Adler", "adams", "Adversane"}
        assert names(text="ad", active=False) == {"Adversane"}
        assert names(text="kim 陳") == {"陳"}
        assert names(text="%") == {"Zu%ni"}, "a percent sign is a percent sign"
        assert names(text="kim-") == {"Adler", "adams", "Zu%ni", "陳"}
        assert names(branch_id=scene.elsewhere.id) == set()
        seen: list[int] = []
        cursor = None
        while True:
            found = service.search(work, limit=2, cursor=cursor)
            seen += [row.id for row in found["items"]]
            cursor = found["next"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 5


# ------------------------------------------------------------------------------------ changing


def test_a_change_raises_the_version_even_when_it_is_in_a_sub_row(scene: Scene, work_as: WorkAs) -> None:
    number = scene.patient.id
    with work_as(scene.manager) as work:
        versions = [service.require_visible(work, number).version]

        def after(_: object) -> None:
            versions.append(service.require_visible(work, number).version)

        after(service.edit(work, number, phone="415 555 0100"))
        after(service.add_caregiver(work, number, name="Ming", relation="son"))
        after(service.add_coverage(work, number, payer=Payer.MEDICARE, starts_on=TODAY))
        after(service.add_diagnosis(work, number, code="I50.9"))
        after(service.add_no_visit_window(work, number, starts=time(8), ends=time(9), reason="prayer"))
        after(
            service.add_unavailability(
                work, number, starts_at=datetime(2026, 11, 10, 18, tzinfo=UTC),
                ends_at=datetime(2026, 11, 10, 20, tzinfo=UTC), reason="clinic",
            )
        )  # fmt: skip
        after(service.record_home_safety(work, number, HomeSafety.SAFE, [], 0, TODAY))
        after(service.set_preferences(work, number, spoken_language="es"))
        assert versions == list(range(versions[0], versions[0] + len(versions)))


def test_another_address_is_another_home(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        home = service.edit(work, scene.patient.id, home={"access_notes": "Ring twice", "hazards": ["STAIRS"]}).home
        assert home.safety is HomeSafety.SAFE
        assert home.lat is not None
        home = service.edit(work, scene.patient.id, home={"address": "1 Castro Street", "access_notes": "Lift"}).home
        assert (home.safety, home.safety_assessed_on, home.hazards) == (HomeSafety.NOT_ASSESSED, None, [])
        assert (home.lat, home.lon, home.point_source) == (None, None, None)
        assert home.access_notes == "Lift"
        home = service.edit(work, scene.patient.id, home={"zip": "94131", "lat": 37.74, "lon": -122.43}).home
        assert (home.lat, home.point_source) == (37.74, "given")


def test_an_interpreter_no_longer_needed_has_no_mode(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work:
        patient = service.set_preferences(
            work, scene.patient.id, interpreter_needed=True, interpreter_mode=InterpreterMode.VIDEO
        )
        assert patient.interpreter_mode == InterpreterMode.VIDEO
        patient = service.set_preferences(work, scene.patient.id, interpreter_needed=False)
        assert patient.interpreter_mode is None
        with pytest.raises(Invalid):
            service.set_preferences(work, scene.patient.id, spoken_language=None)


def test_who_does_not_read_traditions_does_not_change_them(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        service.set_preferences(work, scene.patient.id, cultural_notes="…")
    with work_as(scene.intake) as work:
        service.set_preferences(work, scene.patient.id, cultural_notes="Shoes off", decision_style="family")
        assert service.get(work, scene.patient.id).cultural_notes == "Shoes off"


def test_one_payer_does_not_cover_a_day_twice(scene: Scene, work_as: WorkAs) -> None:
    number = scene.patient.id
    with work_as(scene.intake) as work:
        first = service.require_visible(work, number).coverages[0]
        with pytest.raises(Conflict) as refusal:
            service.add_coverage(work, number, payer=Payer.KP, starts_on=date(2026, 12, 1))
        assert refusal.value.extra["blocking"][0]["coverage"] == first.id
        service.end_coverage(work, number, first.id, date(2026, 11, 30))
        second = service.add_coverage(work, number, payer=Payer.KP, starts_on=date(2026, 12, 1))
        with pytest.raises(Conflict):
            service.end_coverage(work, number, first.id, date(2026, 12, 1))
        assert first.ends_on == date(2026, 11, 30)
        with pytest.raises(Conflict):
            service.end_coverage(work, number, first.id, None)
        with pytest.raises(Invalid):
            service.end_coverage(work, number, second.id, date(2026, 11, 1))
        service.add_coverage(work, number, payer=Payer.MEDICARE, starts_on=date(2026, 12, 1))
        with pytest.raises(NotFound):
            service.end_coverage(work, number, 99_999, None)


def test_diagnoses_keep_their_ranks_in_a_row(scene: Scene, work_as: WorkAs) -> None:
    number = scene.patient.id

    def ranked(patient: Patient) -> list[str]:
        rows = sorted(patient.diagnoses, key=lambda row: row.rank)
        assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
        return [row.code for row in rows]

    with work_as(scene.intake) as work:
        service.add_diagnosis(work, number, code="I50.9")
        service.add_diagnosis(work, number, code="J44.9", rank=1)
        patient = service.require_visible(work, number)
        assert ranked(patient) == ["J44.9", "C34.90", "I50.9"]
        with pytest.raises(Conflict):
            service.add_diagnosis(work, number, code="J449")
        service.remove_diagnosis(work, number, patient.diagnoses[0].id)
        assert len(ranked(patient)) == 2


def test_sub_rows_of_another_patient_are_missing(scene: Scene, database: Database, work_as: WorkAs) -> None:
    with database.transaction() as session:
        other = make_patient(session, session.merge(scene.branch))
    with work_as(scene.intake) as work, pytest.raises(NotFound):
        service.end_coverage(work, scene.patient.id, other.coverages[0].id, TODAY)
    with work_as(scene.intake) as work, pytest.raises(NotFound):
        service.end_coverage(work, scene.stranger.id, scene.stranger.coverages[0].id, TODAY)


def test_an_assessment_of_the_home_says_what_it_found(scene: Scene, work_as: WorkAs) -> None:
    number = scene.patient.id
    with work_as(scene.manager) as work:
        service.record_home_safety(
            work, number, HomeSafety.SAFE_WITH_MITIGATION, ["STAIRS", "FIREARM", "STAIRS"], 2, TODAY
        )
        home = service.require_visible(work, number).home
        assert (home.hazards, home.mitigations_open, home.safety_assessed_on) == (["FIREARM", "STAIRS"], 2, TODAY)
        for result, open_ones, day in (
            (HomeSafety.SAFE, 1, TODAY),
            (HomeSafety.SAFE_WITH_MITIGATION, -1, TODAY),
            (HomeSafety.NOT_ASSESSED, 0, TODAY),
            (HomeSafety.SAFE, 0, date(2026, 11, 10)),
        ):
            with pytest.raises(Invalid):
                service.record_home_safety(work, number, result, [], open_ones, day)
        with pytest.raises(Conflict):
            service.record_home_safety(work, number, HomeSafety.SAFE, [], 0, date(2026, 11, 8))
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        service.record_home_safety(work, number, HomeSafety.SAFE, [], 0, TODAY)
    with work_as(scene.clinician(scene.nurse)) as work, pytest.raises(NotFound):
        service.record_home_safety(work, number, HomeSafety.SAFE, [], 0, TODAY)


def test_an_audit_line_carries_no_words_of_the_patient(scene: Scene, database: Database, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        service.edit(work, scene.patient.id, family_name="Sensitive", phone="415 555 0199", cultural_notes="Private")
        service.add_caregiver(work, scene.patient.id, name="Hidden", relation="wife")
    with database.transaction(write=False) as session:
        text = repr([(line.subject, line.facts) for line in session.execute(sa.select(AuditEvent)).scalars()])
        assert all(word not in text for word in ("Sensitive", "0199", "Private", "Hidden", "wife"))
        assert "family_name" in text


def test_the_installer_may_do_all_of_it(scene: Scene, work_as: WorkAs) -> None:
    with work_as(actor_with(Role.ADMINISTRATOR)) as work, pytest.raises(Forbidden):
        service.create(work, branch_id=scene.branch.id, **PERSON)
