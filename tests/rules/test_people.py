"""ASM-01, CRD-01, CRD-02, LNG-01, LNG-02, CUL-01, CAR-01, LAB-04, LAB-06."""

from dataclasses import fields, replace
from datetime import date, time

import pytest

from coordinator.domain.vocabulary import (
    Conversation,
    Discipline,
    Gender,
    InterpreterMode,
    Payer,
    Performer,
    Programme,
    VisitKind,
)
from coordinator.planner.problem import Clinician, Visit
from coordinator.rules import staffing
from coordinator.rules.facts import (
    CaregiverFacts,
    ClinicianFacts,
    EpisodeFacts,
    InterpreterFacts,
    LanguageSkill,
    LocalWindow,
    LoneWorkFacts,
    Moment,
    NeighbourFacts,
    PatientFacts,
    VisitFacts,
)
from coordinator.rules.labour import heard_by
from coordinator.rules.language import Localised, ask_document, ask_understood, localised
from coordinator.rules.visit import ask
from tests.rules.cases import (
    DAY,
    MEDICARE,
    POLICY,
    at,
    day,
    local,
    make_case,
    make_clinician,
    make_credential,
    make_episode,
    make_order,
    make_patient,
    make_visit,
    rules_of,
)

SN, PT, OT, SLP = Discipline.SN, Discipline.PT, Discipline.OT, Discipline.SLP
CONFIRM, HOLD = Moment.CONFIRM, Moment.HOLD

# ------------------------------------------------------------------------------------ ASM-01


@pytest.mark.parametrize(
    ("ordered", "performer", "medicare", "allowed"),
    [
        ({SN, PT}, Performer.PT, True, False),
        ({PT, OT}, Performer.OT, True, True),
        ({OT}, Performer.OT, True, False),
        ({OT}, Performer.OT, False, True),
        ({SN, PT, OT}, Performer.OT, True, False),
        ({PT}, Performer.PT, True, True),
        ({SLP}, Performer.SLP, True, True),
        ({PT}, Performer.SLP, True, False),
        ({PT}, Performer.PTA, False, False),
        ({SN}, Performer.LVN, False, False),
        ({SN}, Performer.RN, True, True),
        ({SN}, Performer.MSW, True, False),
        ({PT}, Performer.RN, True, True),
    ],
)
@pytest.mark.example("ASM-01", 1)
@pytest.mark.example("ASM-01", 2)
@pytest.mark.example("ASM-01", 3)
@pytest.mark.example("ASM-01", 4)
@pytest.mark.example("ASM-01", 5)
def test_asm_01_who_opens_a_case(ordered, performer, medicare, allowed):
    episode = MEDICARE if medicare else make_episode(programme=Programme.MEDI_CAL_HH, payer=Payer.MEDI_CAL)
    patient = make_patient()
    case = make_case(
        patient=replace(patient, coverage=None),
        episode=replace(episode, ordered_disciplines=frozenset(ordered)),
        visit=make_visit(kind=VisitKind.INITIAL),
        order=None,
        clinician=make_clinician(performer),
    )
    found = [finding for finding in rules_of(ask(case, CONFIRM, POLICY)) if finding[0] == "ASM-01"]
    assert found == ([] if allowed else [("ASM-01", "BLOCK")])


@pytest.mark.parametrize("kind", [VisitKind.RECERTIFICATION, VisitKind.RESUMPTION, VisitKind.DISCHARGE])
@pytest.mark.parametrize(
    ("discipline", "performer", "allowed"),
    [
        (SN, Performer.RN, True),
        (SN, Performer.LVN, False),
        (PT, Performer.PT, True),
        (PT, Performer.PTA, False),
        (OT, Performer.COTA, False),
        (OT, Performer.OT, True),
    ],
)
def test_asm_01_later_assessments(kind, discipline, performer, allowed):
    case = make_case(
        visit=make_visit(kind=kind, discipline=discipline),
        order=make_order(discipline=discipline),
        clinician=make_clinician(performer),
    )
    assert (staffing.ask_performer(case, POLICY) is None) == allowed


def test_asm_01_a_profession_furnishes_its_own_discipline():
    case = make_case(PT, clinician=make_clinician(Performer.OT))
    (found,) = ask(case, CONFIRM, POLICY)
    assert found.sentence() == "OT does not furnish PT."
    assert found.cure_sentence() == "Assign one of PT, PTA."
    evaluation = make_case(visit=make_visit(kind=VisitKind.EVALUATION), clinician=make_clinician(Performer.LVN))
    assert rules_of(ask(evaluation, CONFIRM, POLICY)) == [("ASM-01", "BLOCK")]


# ------------------------------------------------------------------------------------ CRD


def licensed(visit_day, moment=CONFIRM, **credential):
    clinician = make_clinician(credentials=(make_credential(**credential),))
    case = make_case(clinician=clinician, visit=make_visit(day=day(visit_day)))
    return rules_of(staffing.ask_credentials(case, moment, POLICY))


@pytest.mark.example("CRD-01", 1)
def test_crd_01_example_the_last_day_is_valid():
    expiry = {"expires_on": day("2026-11-30")}
    assert licensed("2026-11-30", **expiry) == []
    assert licensed("2026-12-01", **expiry) == [("CRD-01", "BLOCK")]
    assert licensed("2026-12-01", Moment.CHECK_IN, **expiry) == [("CRD-01", "BLOCK")]
    assert licensed("2026-12-01", Moment.HOLD, **expiry) == [("CRD-01", "WARN")]


@pytest.mark.example("CRD-01", 3)
def test_crd_01_example_aide_on_her_birthday():
    certificate = make_credential(name="CHHA certificate", expires_on=day("2026-12-02"))
    aide = make_clinician(Performer.CHHA, credentials=(certificate,))
    for visit_day, expected in (("2026-12-02", []), ("2026-12-03", [("CRD-01", "BLOCK")])):
        case = make_case(Discipline.HHA, clinician=aide)
        case = replace(case, visit=replace(case.visit, day=day(visit_day)))
        assert rules_of(staffing.ask_credentials(case, CONFIRM, POLICY)) == expected


@pytest.mark.example("CRD-01", 2)
def test_crd_01_example_vocational_nurse_at_start_of_care():
    case = make_case(visit=make_visit(kind=VisitKind.INITIAL), order=None, clinician=make_clinician(Performer.LVN))
    assert rules_of(ask(case, CONFIRM, POLICY)) == [("ASM-01", "BLOCK")]


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"issued_on": day("2026-11-11")},
        {"issued_on": None},
        {"expires_on": None},
        {"verified_on": None},
        {"verified_on": day("2025-11-09")},
        {"restricted_kinds": frozenset({VisitKind.ROUTINE})},
    ],
)
def test_crd_01_what_makes_a_credential_invalid(change):
    assert licensed("2026-11-10", **change) == [("CRD-01", "BLOCK")]
    assert licensed("2026-11-10", verified_on=day("2025-11-10")) == []


def test_crd_01_exclusion_is_refused_at_every_moment():
    case = make_case(clinician=make_clinician(excluded=True))
    for moment in Moment:
        assert rules_of(ask(case, moment, POLICY)) == [("CRD-01", "BLOCK")]


def test_crd_01_no_licence_on_file():
    case = make_case(clinician=make_clinician(credentials=()))
    assert rules_of(ask(case, CONFIRM, POLICY)) == [("CRD-01", "BLOCK")]
    chaplain = make_case(
        order=None,
        visit=make_visit(discipline=Discipline.CHAP),
        clinician=make_clinician(Performer.CHAPLAIN, credentials=()),
    )
    assert ask(chaplain, CONFIRM, POLICY) == ()
    assert staffing.credential_reminders(day("2026-12-31"), POLICY)[0] == day("2026-10-02")


@pytest.mark.example("CRD-02", 1)
def test_crd_02_example_infusion():
    infusion = make_order(required_skills=frozenset({"IV_INFUSION"}))
    (found,) = ask(make_case(order=infusion), CONFIRM, POLICY)
    assert (found.rule, found.severity.value) == ("CRD-02", "BLOCK-OVR")
    assert "IV_INFUSION" in found.sentence()
    able = make_clinician(skills=frozenset({"IV_INFUSION", "PICC"}))
    assert ask(make_case(order=infusion, clinician=able), CONFIRM, POLICY) == ()


# ------------------------------------------------------------------------------------ LNG-01

CANTONESE = {"spoken_language": "yue", "interpreter_needed": True}


def spoken(languages=(), kind=VisitKind.REASSESSMENT, moment=CONFIRM, **interpreter):
    case = make_case(
        patient=make_patient(**CANTONESE),
        visit=make_visit(kind=kind, interpreter=InterpreterFacts(**interpreter)),
        clinician=make_clinician(languages=languages),
    )
    return rules_of(ask(case, moment, POLICY))


@pytest.mark.example("LNG-01", 1)
def test_lng_01_example_mandarin_is_not_cantonese():
    assert spoken((LanguageSkill("cmn", day("2025-01-01")),)) == [("LNG-01", "BLOCK-OVR")]
    assert spoken((LanguageSkill("yue", day("2025-01-01")),)) == []


def test_lng_01_qualification_has_dates():
    assert spoken((LanguageSkill("yue"),)) == [("LNG-01", "BLOCK-OVR")]
    assert spoken((LanguageSkill("yue", day("2025-01-01"), day("2026-11-09")),)) == [("LNG-01", "BLOCK-OVR")]
    assert spoken((LanguageSkill("yue", day("2026-11-11")),)) == [("LNG-01", "BLOCK-OVR")]


@pytest.mark.example("LNG-01", 2)
def test_lng_01_example_grandson():
    assert spoken(companion=True, companion_age=15) == [("LNG-01", "BLOCK")]
    assert spoken(companion=True, companion_age=15, emergency=True) == []
    assert spoken(companion=True, companion_age=40) == [("LNG-01", "BLOCK-OVR")]
    assert spoken(companion=True, companion_age=40, companion_requested=True) == []


@pytest.mark.example("LNG-01", 3)
def test_lng_01_example_telephone():
    assert spoken(mode=InterpreterMode.PHONE) == []
    assert spoken(mode=InterpreterMode.BILINGUAL_CLINICIAN) == [("LNG-01", "BLOCK-OVR")]


def test_lng_01_other_visits_and_held_slots_warn():
    assert spoken(kind=VisitKind.ROUTINE) == [("LNG-01", "WARN")]
    assert spoken(moment=Moment.HOLD) == [("LNG-01", "WARN")]
    declined = make_case(patient=make_patient(**CANTONESE, interpreter_declined=True))
    assert ask(declined, CONFIRM, POLICY) == ()


@pytest.mark.parametrize(
    ("reads", "given_in", "answer"),
    [
        ("zh-Hant", "zh-Hant", True), ("zh-Hant", "zh", True), ("zh-Hant-TW", "zh-Hant", True),
        ("yue", "zh-Hant", True), ("cmn", "yue", True), ("zh-Hant", "zh-Hans", False),
        ("zh-Hant", "en", False), ("es-US", "es", True),
        ("en", "english", False),
    ],
)  # fmt: skip
def test_lng_01_a_paper_that_the_patient_cannot_read_is_given_again_within_a_week(reads, given_in, answer):
    finding = ask_document(given_in, reads, day("2026-11-02"), POLICY)
    assert (finding is None) is answer
    if finding is not None:
        assert rules_of(finding) == [("LNG-01", "TASK")]
        assert (finding.due, finding.owner) == (day("2026-11-09"), "case_manager")


# ------------------------------------------------------------------------------------ LNG-02


@pytest.mark.example("LNG-02", 1)
def test_lng_02_english_stands_in_for_a_missing_translation_and_says_so():
    both = {"en": "Hospice", "zh-Hant": "善終服務"}
    assert localised(both, "zh-Hant") == Localised("善終服務", "zh-Hant", False)
    assert localised(both, "yue") == Localised("善終服務", "zh-Hant", False)
    assert localised(both, "zh-Hans") == Localised("Hospice", "en", True)
    assert localised(both, "es") == Localised("Hospice", "en", True)
    assert localised(both, "en-US") == Localised("Hospice", "en", False)
    assert localised({"en": "Hospice", "zh-Hant": ""}, "zh-Hant") == Localised("Hospice", "en", True)
    assert localised({"en": None, "zh-Hant": None}, "zh-Hant") == Localised("", "en", False)


# ------------------------------------------------------------------------------------ CUL-01, CAR-01

SABBATH = LocalWindow(time(17), time(17), weekday=4)


@pytest.mark.example("CUL-01", 1)
@pytest.mark.parametrize(
    ("when", "free"),
    [
        ("2026-11-13 18:30", False),
        ("2026-11-13 15:59", True),
        ("2026-11-13 16:01", False),
        ("2026-11-14 16:30", False),
        ("2026-11-14 17:00", True),
        ("2026-11-12 18:30", True),
    ],
)
@pytest.mark.example("CUL-01", 1)
def test_cul_01_example_sabbath(when, free):
    case = at(make_case(patient=make_patient(no_visit_windows=(SABBATH,))), when)
    assert rules_of(ask(case, CONFIRM, POLICY)) == ([] if free else [("CUL-01", "BLOCK-OVR")])


def test_cul_01_while_the_time_is_open_only_a_whole_day_is_in_the_way():
    whole = LocalWindow(time(), time(), day=DAY)
    assert rules_of(ask(make_case(patient=make_patient(no_visit_windows=(whole,))), Moment.HOLD, POLICY)) == [
        ("CUL-01", "BLOCK-OVR")
    ]
    friday = make_case(patient=make_patient(no_visit_windows=(SABBATH,)), visit=make_visit(day=day("2026-11-13")))
    assert ask(friday, Moment.HOLD, POLICY) == ()


@pytest.mark.parametrize("sunday", ["2026-03-08", "2026-11-01"])
def test_cul_01_windows_are_wall_clock_on_days_with_a_clock_change(sunday):
    church = LocalWindow(time(9), time(12), weekday=6)
    patient = make_patient(no_visit_windows=(church,))
    base = make_case(patient=patient, order=make_order(effective_from=day("2026-01-01"), certification_number=1))
    episode = make_episode(soc_date=None)
    for when, free in ((f"{sunday} 08:00", True), (f"{sunday} 08:01", False), (f"{sunday} 12:00", True)):
        found = ask(replace(at(base, when), episode=episode), CONFIRM, POLICY)
        assert ("CUL-01" not in [finding.rule for finding in found]) == free


def test_cul_01_gender():
    patient = make_patient(preferred_gender=Gender.FEMALE)
    man = make_clinician(gender=Gender.MALE)
    assert rules_of(ask(make_case(patient=patient, clinician=man), CONFIRM, POLICY)) == [("CUL-01", "WARN")]
    aide = make_case(Discipline.HHA, patient=patient, clinician=make_clinician(Performer.CHHA, gender=Gender.MALE))
    assert rules_of(ask(aide, CONFIRM, POLICY)) == [("CUL-01", "BLOCK-OVR")]
    required = replace(patient, gender_required=True)
    assert rules_of(ask(make_case(patient=required, clinician=man), CONFIRM, POLICY)) == [("CUL-01", "BLOCK-OVR")]


@pytest.mark.example("CUL-01", 2)
def test_cul_01_no_rule_and_no_plan_can_ask_for_race():
    known = {item.name for kind in (PatientFacts, ClinicianFacts, VisitFacts, EpisodeFacts) for item in fields(kind)}
    known |= {item.name for kind in (Visit, Clinician) for item in fields(kind)}
    assert "gender" in known
    assert not [name for name in known if "race" in name or "ethnic" in name]


def test_cul_01_a_declined_clinician():
    case = make_case(clinician=make_clinician(declined_by_patient=True))
    assert rules_of(ask(case, CONFIRM, POLICY)) == [("CUL-01", "BLOCK-OVR")]


def teaching(*caregivers, when="2026-11-10 14:00"):
    case = make_case(patient=make_patient(caregivers=caregivers), visit=make_visit(kind=VisitKind.TEACHING))
    return rules_of(ask(at(case, when), CONFIRM, POLICY))


@pytest.mark.example("CAR-01", 1)
def test_car_01_example_caregiver_at_work():
    evenings = (LocalWindow(time(17), time(22)), LocalWindow(time(6), time(9)))
    daughter = CaregiverFacts(True, evenings)
    assert teaching(daughter) == [("CAR-01", "BLOCK-OVR")]
    assert teaching(daughter, when="2026-11-10 17:00") == []
    assert teaching(daughter, when="2026-11-10 08:30") == [("CAR-01", "BLOCK-OVR")]


def test_car_01_nobody_or_nobody_asked():
    assert teaching() == [("CAR-01", "BLOCK-OVR")]
    assert teaching(CaregiverFacts(False, (LocalWindow(time(), time()),))) == [("CAR-01", "BLOCK-OVR")]
    assert teaching(CaregiverFacts(True, None)) == [("CAR-01", "WARN")]


# ------------------------------------------------------------------------------------ LAB


@pytest.mark.example("LAB-04", 1)
def test_lab_04_example():
    near = NeighbourFacts(local("2026-11-10 10:00"), 25, buffer_minutes=0)
    case = replace(make_case(), neighbours=near)
    (found,) = ask(at(case, "2026-11-10 10:20"), CONFIRM, POLICY)
    assert (found.rule, found.severity.value, found.params["earliest"]) == ("LAB-04", "BLOCK-OVR", "10:25")
    assert ask(at(case, "2026-11-10 10:25"), CONFIRM, POLICY) == ()
    with_buffer = replace(case, neighbours=replace(near, buffer_minutes=None))
    assert rules_of(ask(at(with_buffer, "2026-11-10 10:25"), CONFIRM, POLICY)) == [("LAB-04", "BLOCK-OVR")]
    assert ask(at(with_buffer, "2026-11-10 10:30"), CONFIRM, POLICY) == ()


def test_lab_04_the_stop_after():
    near = NeighbourFacts(next_starts_at=local("2026-11-10 12:00"), travel_to_next=20)
    case = replace(make_case(), neighbours=near)
    assert ask(at(case, "2026-11-10 10:35"), CONFIRM, POLICY) == ()
    assert rules_of(ask(at(case, "2026-11-10 10:36"), CONFIRM, POLICY)) == [("LAB-04", "BLOCK-OVR")]
    assert ask(case, CONFIRM, POLICY) == ()


@pytest.mark.example("LAB-06", 1)
def test_lab_06_example():
    patient = make_patient(hazards=frozenset({"VIOLENCE", "PETS"}))
    (found,) = ask(make_case(patient=patient), CONFIRM, POLICY)
    assert (found.rule, found.severity.value) == ("LAB-06", "WARN")
    assert found.facts["check_in_timer_required"] is True
    assert ask(make_case(patient=patient, visit=make_visit(clinicians=2)), CONFIRM, POLICY) == ()
    assert date(2026, 11, 10) == DAY


EVENING = LocalWindow(time(17, 10), time(0), None, date(2026, 11, 10), dark=True)


def test_lab_06_where_nobody_goes_after_dark_a_visit_ends_before_sunset():
    case = replace(make_case(), patient=make_patient(no_visit_windows=(EVENING,)))
    assert ask(case, CONFIRM, POLICY) == ()  # the hour is open yet
    assert ask(at(case, "2026-11-10 16:10"), CONFIRM, POLICY) == ()
    (found,) = ask(at(case, "2026-11-10 16:11"), CONFIRM, POLICY)
    assert (found.rule, found.severity.value, found.params) == (
        "LAB-06", "BLOCK-OVR", {"sunset": "17:10", "ends": "17:11"},
    )  # fmt: skip
    # It is the office's precaution, no wish of the patient's.
    assert rules_of(ask(at(case, "2026-11-10 20:00"), CONFIRM, POLICY)) == [("LAB-06", "BLOCK-OVR")]


@pytest.mark.parametrize(
    ("facts", "due"),
    [
        ({}, None),
        ({"hazards": frozenset({"PETS"})}, None),
        ({"hazards": frozenset({"VIOLENCE"})}, "10:20"),
        ({"check_in_minutes": 60}, "10:20"),
        # Begun late: the hour counts from then. 15 minutes are given.
        ({"hazards": frozenset({"VIOLENCE"}), "begun_at": "10:05"}, "11:20"),
        ({"check_in_minutes": 30, "begun_at": "10:05"}, "10:50"),
        ({"check_in_minutes": 30, "begun_at": "10:05", "heard_at": "10:40"}, "11:20"),
        ({"check_in_minutes": 30, "begun_at": "10:05", "heard_at": "11:05"}, "11:50"),
        # A word after the end puts the end off: by the home's interval, or by half an hour.
        ({"check_in_minutes": 60, "begun_at": "10:05", "heard_at": "11:15"}, "12:30"),
        ({"hazards": frozenset({"VIOLENCE"}), "begun_at": "10:05", "heard_at": "11:15"}, "12:00"),
        # A word from before the visit began says nothing of it.
        ({"check_in_minutes": 30, "begun_at": "10:05", "heard_at": "09:55"}, "10:50"),
    ],
)
def test_lab_06_when_the_office_hears_from_whoever_is_there(facts, due):
    given = {name: local(f"2026-11-10 {value}") if name.endswith("_at") else value for name, value in facts.items()}
    watched = LoneWorkFacts(local("2026-11-10 10:00"), 60, **given)
    assert heard_by(watched, POLICY) == (None if due is None else local(f"2026-11-10 {due}"))


@pytest.mark.parametrize(
    ("visit", "severity"),
    [
        ({}, "WARN"),
        ({"conversation": Conversation.CONSENT}, "BLOCK-OVR"),
        ({"conversation": Conversation.ADVANCE_CARE_PLANNING}, "BLOCK-OVR"),
        ({"kind": VisitKind.REASSESSMENT}, "BLOCK-OVR"),
    ],
)
def test_lng_01_what_rests_on_words_is_not_done_without_an_interpreter(visit, severity):
    patient = make_patient(spoken_language="yue", interpreter_needed=True)
    case = make_case(patient=patient, visit=make_visit(**visit))
    assert ("LNG-01", severity) in rules_of(ask(case, CONFIRM, POLICY))
    assert ("LNG-01", "WARN") in rules_of(ask(case, HOLD, POLICY))


def test_lng_01_a_social_worker_who_plans_care_in_advance_needs_an_interpreter():
    patient = make_patient(spoken_language="yue", interpreter_needed=True)
    visit = make_visit(discipline=Discipline.MSW, purpose="acp")
    case = make_case(patient=patient, visit=visit, clinician=make_clinician(Performer.MSW))
    assert ask_understood(case, CONFIRM, POLICY).severity.value == "BLOCK-OVR"
    other = replace(case, visit=replace(visit, purpose="counseling"))
    assert ask_understood(other, CONFIRM, POLICY).severity.value == "WARN"
