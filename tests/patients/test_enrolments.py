"""Programmes elsewhere, what excuses from verification, and screenings for Medi-Cal palliative care (PRG-02, SB-01)."""

from datetime import date

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.http import Coordinator
from coordinator.domain.roles import permissions_of
from coordinator.domain.vocabulary import Determination, EvvCircumstanceKind, Payer, Programme, Role
from coordinator.patients import enrolments
from coordinator.patients import service as patients
from coordinator.patients.model import Patient
from coordinator.referrals.service import beside_other_programmes
from coordinator.rules.palliative import GENERAL
from coordinator.rules.terms import Severity
from tests.conftest import NOW, WorkAs
from tests.patients.conftest import Scene
from tests.people import at, browser, pointers

FIRST = date(2026, 11, 1)
ELECTION = {"programme": "HOSPICE", "payer": Payer.MEDI_CAL, "starts_on": FIRST}
GIVEN = {**dict.fromkeys(GENERAL, True), "oxygen_litres": 4}
SCREENED = date(2026, 11, 5)


@pytest.fixture
def adult(scene: Scene, database: Database) -> int:
    with database.transaction() as session:
        session.get_one(Patient, scene.patient.id).birth_date = date(1950, 1, 1)
    return scene.patient.id


def test_an_election_elsewhere_is_on_record_once_for_a_day_and_ends(scene: Scene, work_as: WorkAs) -> None:
    number = scene.patient.id
    with work_as(scene.intake) as work:
        before = work.session.get_one(Patient, number).version
        row = enrolments.add_enrolment(work, number, **ELECTION, condition="C34.90")
        assert (row.programme, row.condition) == (Programme.HOSPICE, "C34.90")
        assert work.session.get_one(Patient, number).version == before + 1
        with pytest.raises(Conflict) as refused:
            enrolments.add_enrolment(work, number, **ELECTION)
        assert refused.value.extra["blocking"][0]["enrolment"] == row.id
        assert "C34.90" not in str([line.facts for line in work.trail])
    with work_as(scene.intake) as work:
        with pytest.raises(Invalid):
            enrolments.end_enrolment(work, number, row.id, date(2026, 10, 31))
        enrolments.end_enrolment(work, number, row.id, date(2026, 11, 5))
        enrolments.add_enrolment(work, number, **ELECTION | {"starts_on": date(2026, 11, 6)})
        assert len(enrolments.enrolments(work, number)) == 2
        assert "patient.enrolments-read" in [line.action for line in work.trail]
        (first, second) = enrolments.enrolled_elsewhere(work, [number])[number]
        assert (first.holds_on(date(2026, 11, 5)), first.holds_on(date(2026, 11, 6))) == (True, False)
        assert second.last_day is None


def test_whoever_may_not_see_the_patient_hears_of_nothing(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        for ask in (enrolments.enrolments, enrolments.screenings):
            with pytest.raises(NotFound):
                ask(work, scene.stranger.id)
        with pytest.raises(NotFound):
            enrolments.add_enrolment(work, scene.stranger.id, **ELECTION)
    with work_as(scene.scheduler) as work:
        with pytest.raises(Forbidden):
            enrolments.screenings(work, scene.patient.id)
        with pytest.raises(Forbidden):
            enrolments.record_screening(work, scene.patient.id, screened_on=SCREENED, facts=GIVEN)
    assert "screening:record" not in permissions_of(frozenset({Role.CLINICIAN}), "CHHA")


def test_a_live_in_caregiver_is_named_and_nobody_else_is(scene: Scene, work_as: WorkAs) -> None:
    living, setting = EvvCircumstanceKind.LIVE_IN_CAREGIVER, EvvCircumstanceKind.CONGREGATE_24H
    add = enrolments.add_circumstance
    with work_as(scene.intake) as work:
        for kind, who in ((living, None), (setting, scene.aide.id), (living, 987654)):
            with pytest.raises(Invalid):
                add(work, scene.patient.id, kind=kind, starts_on=FIRST, clinician_id=who)
        add(work, scene.patient.id, kind=living, starts_on=FIRST, clinician_id=scene.aide.id, ends_on=FIRST)
        assert len(enrolments.circumstances_on(work, scene.patient.id, FIRST)) == 1
        assert enrolments.circumstances_on(work, scene.patient.id, date(2026, 11, 2)) == []


def test_what_excuses_from_verification_is_listed_and_ends(scene: Scene, work_as: WorkAs) -> None:
    number, last = scene.patient.id, date(2026, 11, 5)
    with work_as(scene.intake) as work:
        row = enrolments.add_circumstance(work, number, kind=EvvCircumstanceKind.CONGREGATE_24H, starts_on=FIRST)
        assert [one.ends_on for one in enrolments.circumstances(work, number)] == [None]
        assert "patient.evv-circumstances-read" in [line.action for line in work.trail]
        with pytest.raises(Invalid):
            enrolments.end_circumstance(work, number, row.id, date(2026, 10, 31))
        with pytest.raises(NotFound):
            enrolments.end_circumstance(work, number, row.id + 1, last)
        for ask in (enrolments.circumstances, lambda *given: enrolments.end_circumstance(*given, row.id, last)):
            with pytest.raises(NotFound):
                ask(work, scene.stranger.id)
        assert enrolments.end_circumstance(work, number, row.id, last).ends_on == last
        held = [bool(enrolments.circumstances_on(work, number, day)) for day in (last, date(2026, 11, 6))]
        assert held == [True, False]


def test_a_screening_is_on_record_with_its_answer(scene: Scene, adult: int, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        row, answer, finding = enrolments.record_screening(work, adult, screened_on=SCREENED, facts=GIVEN)
        assert row.answer is answer.answer is Determination.MET
        assert finding.facts["suggests"] == "MEDI_CAL_PC"
        facts = [line.facts for line in work.trail if line.action == "patient.screened"]
        assert facts == [{"answer": "met"}]
    with work_as(scene.manager) as work:
        assert [one.id for one in enrolments.screenings(work, adult)] == [row.id]


def test_an_election_under_medi_cal_answers_for_an_adult_and_not_for_a_child(
    scene: Scene, adult: int, work_as: WorkAs, database: Database
) -> None:
    with work_as(scene.intake) as work:
        enrolments.add_enrolment(work, adult, **ELECTION)
        answers = [enrolments.record_screening(work, adult, screened_on=SCREENED, facts=GIVEN)[1].answer]
        work.session.get_one(Patient, adult).birth_date = date(2010, 1, 1)
        answers.append(enrolments.record_screening(work, adult, screened_on=SCREENED, facts=GIVEN)[1].answer)
    assert answers == [Determination.NOT_MET, Determination.MET]


def test_who_is_in_hospice_is_taken_into_another_programme_with_a_warning_and_the_bill_is_held(
    scene: Scene, adult: int, work_as: WorkAs
) -> None:
    opening = {"patient_id": adult, "payer": Payer.MEDI_CAL, "accepted_at": NOW}
    with work_as(scene.intake) as work:
        enrolments.add_enrolment(work, adult, **ELECTION)
        patient = work.session.get_one(Patient, adult)
        hospice, other = Programme.HOSPICE, Programme.MEDI_CAL_PC
        for programme, said in ((other, [Severity.WARN, Severity.HOLD_BILL]), (Programme.MEDI_CAL_HH, [])):
            episode = patients.open_episode(work, programme=programme, **opening)
            found = beside_other_programmes(work, patient, episode)
            assert [(finding.rule, finding.severity) for finding in found] == [("PRG-02", one) for one in said]
        opened = [line.facts.get("excluded_by") for line in work.trail if line.action == "episode.opened"]
        assert opened == [[hospice], None]
        patient.birth_date = date(2010, 1, 1)
        assert enrolments.in_the_way(work, patient, other, SCREENED) == ()


def test_what_cannot_be_meant_is_refused_by_the_name_of_the_field(
    app: Coordinator, database: Database, scene: Scene
) -> None:
    path = f"/patients/{scene.patient.id}"
    intake = browser(app, database, Role.INTAKE, branch_ids=[scene.branch.id])
    with at():
        answer = intake.post(f"{path}/enrolments", ELECTION | {"programme": "NOBODY", "starts_on": "2026-11-01"})
        assert (answer.status_code, pointers(answer)) == (422, {"/programme"})
        body = {"screened_on": "2026-11-05", "facts": GIVEN}
        answer = intake.post(f"{path}/palliative-screenings", body | {"plan": "NOBODY"})
        assert (answer.status_code, pointers(answer)) == (422, {"/plan"})
        answer = intake.post(f"{path}/palliative-screenings", body | {"facts": {"nyha": 5}})
        assert (answer.status_code, pointers(answer)) == (422, {"/facts/nyha"})
        answer = intake.post(f"{path}/palliative-screenings", body | {"screened_on": "2199-01-01"})
        assert (answer.status_code, pointers(answer)) == (422, {"/screened_on"})
        assert intake.get(f"{path}/palliative-screenings").json["items"] == []


def test_the_door_screens_and_says_what_could_still_decide(app: Coordinator, database: Database, scene: Scene) -> None:
    path = f"/patients/{scene.patient.id}/palliative-screenings"
    intake = browser(app, database, Role.INTAKE, branch_ids=[scene.branch.id])
    with at():
        facts = {name: value for name, value in GIVEN.items() if name != "uses_hospital"}
        answer = intake.post(path, {"screened_on": "2026-11-05", "facts": facts})
        assert answer.status_code == 201
        assert (answer.json["answer"], answer.json["diseases"]["copd"]) == ("unknown", "met")
        assert "uses_hospital" in answer.json["not_known"]
        assert answer.json["finding"]["rule"] == "SB-01"
        (kept,) = intake.get(path).json["items"]
        assert kept["facts"] == facts
