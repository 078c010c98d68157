"""F2F-01 to CERT-06, HB-03, ASM-02."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.npi import NpiKind
from coordinator.domain.vocabulary import Payer, PractitionerType, Programme, VisitKind
from coordinator.rules import certification
from coordinator.rules.facts import CertificationFacts, CertifierFacts, FaceToFaceFacts, Moment
from coordinator.rules.visit import ask
from tests.rules.cases import (
    CALIFORNIA,
    POLICY,
    SOC,
    day,
    local,
    make_case,
    make_order,
    make_patient,
    make_visit,
    make_week,
    rules_of,
)

# ------------------------------------------------------------------------------------ F2F


@pytest.mark.parametrize(
    ("encounter", "valid"),
    [
        pytest.param("2026-08-12", True, marks=pytest.mark.example("F2F-01", 1)),
        pytest.param("2026-08-11", False, marks=pytest.mark.example("F2F-01", 2)),
        pytest.param("2026-12-10", True, marks=pytest.mark.example("F2F-01", 3)),
        pytest.param("2026-12-11", False, marks=pytest.mark.example("F2F-01", 4)),
    ],
)
def test_f2f_01_examples(encounter, valid):
    soc = day("2026-11-10")
    facts = FaceToFaceFacts(day(encounter), PractitionerType.MD, True, True)
    found = certification.ask_face_to_face(facts, soc, soc + timedelta(days=31), POLICY)
    assert rules_of(found) == ([] if valid else [("F2F-01", "HOLD-BILL")])


def test_f2f_01_task_then_warning_then_hold():
    soc = day("2026-11-10")
    asked = [
        rules_of(certification.ask_face_to_face(FaceToFaceFacts(), soc, soc + timedelta(days=n), POLICY))
        for n in (0, 21, 31)
    ]
    assert asked == [[("F2F-01", "TASK")], [("F2F-01", "WARN"), ("F2F-01", "TASK")], [("F2F-01", "HOLD-BILL")]]
    (task,) = certification.ask_face_to_face(FaceToFaceFacts(), soc, soc, POLICY)
    assert (task.due, task.owner) == (day("2026-12-10"), "intake")


def test_f2f_01_must_be_about_the_reason_for_home_care():
    soc = day("2026-11-10")
    facts = FaceToFaceFacts(soc, PractitionerType.MD, related_to_primary_reason=False)
    assert "not about the reason" in certification.ask_face_to_face(facts, soc, soc, POLICY)[0].sentence()


@pytest.mark.example("F2F-02", 2)
@pytest.mark.parametrize(("soc", "expected"), [("2025-12-31", [("F2F-02", "HOLD-BILL")]), ("2026-01-01", [])])
def test_f2f_02_example_community_pa(soc, expected):
    pa = FaceToFaceFacts(day(soc), PractitionerType.PA, True, coordination_evidence=True)
    assert rules_of(certification.ask_face_to_face_performer(pa, day(soc), POLICY)) == expected


@pytest.mark.example("F2F-02", 1)
def test_f2f_02_example_optometrist():
    facts = FaceToFaceFacts(SOC, PractitionerType.OTHER, False)
    assert rules_of(certification.ask_face_to_face_performer(facts, SOC, POLICY)) == [("F2F-02", "HOLD-BILL")]


def test_f2f_02_coordination_is_shown_unless_same_practice():
    facts = FaceToFaceFacts(SOC, PractitionerType.CNM, True)
    assert rules_of(certification.ask_face_to_face_performer(facts, SOC, POLICY)) == [("F2F-02", "HOLD-BILL")]
    assert certification.ask_face_to_face_performer(replace(facts, same_practice=True), SOC, POLICY) is None


# ------------------------------------------------------------------------------------ CERT


@pytest.mark.example("CERT-01", 1)
def test_cert_01_without_encounter_date():
    facts = CertificationFacts(True, True, True, True, None, SOC)
    found = certification.ask_certification(facts)
    assert rules_of(found) == [("CERT-01", "HOLD-BILL")]
    assert "face_to_face_date" in found.sentence()
    assert certification.ask_certification(replace(facts, face_to_face_on=SOC)) is None


@pytest.mark.example("CERT-02", 5)
def test_cert_02_without_estimate():
    assert rules_of(certification.ask_recertification(CertificationFacts(signed_on=SOC))) == [("CERT-02", "HOLD-BILL")]
    complete = CertificationFacts(signed_on=SOC, estimated_further_duration="two more months")
    assert certification.ask_recertification(complete) is None


@pytest.mark.parametrize(
    ("assessed_on", "satisfied", "late"),
    [
        pytest.param("2026-11-24", False, False, marks=pytest.mark.example("CERT-02", 1)),
        pytest.param("2026-11-25", True, False, marks=pytest.mark.example("CERT-02", 2)),
        pytest.param("2026-11-29", True, False, marks=pytest.mark.example("CERT-02", 3)),
        pytest.param("2026-11-26", True, False, marks=pytest.mark.example("CERT-02", 4)),
        ("2026-11-30", True, True),
    ],
)
def test_cert_02_examples(assessed_on, satisfied, late):
    answer = certification.recertification_assessment(SOC, 1, day(assessed_on))
    assert (answer.satisfied, answer.late) == (satisfied, late)


def boundary_case(**changes):
    week = make_week(index=9, starts_on=day("2026-11-29"), ends_on=day("2026-12-05"))
    order = make_order(effective_to=None, week=week, **changes)
    return make_case(visit=make_visit(day=day("2026-11-30")), order=order)


@pytest.mark.example("CERT-03", 1)
def test_cert_03_example_only_orders_of_the_first_period():
    old = boundary_case()
    assert rules_of(ask(old, Moment.CONFIRM, POLICY)) == [("CERT-03", "BLOCK")]
    assert rules_of(ask(old, Moment.CHECK_IN, POLICY)) == [("CERT-03", "BLOCK")]
    assert rules_of(ask(old, Moment.HOLD, POLICY)) == [("CERT-03", "WARN")]


def test_cert_03_what_was_given_without_an_order_of_its_period_is_not_billed():
    given = certification.ask_period_given(boundary_case())
    assert rules_of(given) == [("CERT-03", "HOLD-BILL")]
    assert certification.ask_period_given(boundary_case(certification_number=2)) is None


@pytest.mark.example("CERT-03", 2)
def test_cert_03_example_verbal_recertification_order():
    received_at = local("2026-11-27 09:00")
    verbal = boundary_case(certification_number=2, effective_from=day("2026-11-30"), received_at=received_at)
    assert ask(verbal, Moment.CONFIRM, POLICY) == ()


def test_cert_03_without_a_number_the_effective_date_tells_the_period():
    unnumbered = boundary_case(certification_number=None)
    assert rules_of(ask(unnumbered, Moment.CONFIRM, POLICY)) == [("CERT-03", "BLOCK")]
    renewed = boundary_case(certification_number=None, effective_from=day("2026-11-30"))
    assert ask(renewed, Moment.CONFIRM, POLICY) == ()


@pytest.mark.example("CERT-04", 1)
def test_cert_04_sixty_days_not_sixty_two():
    assert certification.plan_review_due(SOC, 1, POLICY).due == day("2026-11-29")


@pytest.mark.parametrize(
    ("today", "expected"),
    [("2026-11-18", []), ("2026-11-19", [("CERT-05", "WARN")]), ("2026-12-04", [("CERT-05", "TASK")])],
)
@pytest.mark.example("CERT-05", 1)
def test_cert_05_example(today, expected):
    assert rules_of(certification.ask_idle_plan(day("2026-10-05"), day(today), POLICY)) == expected


def certifier(**changes):
    facts = CertifierFacts(
        Programme.MEDICARE_HH, Payer.MEDICARE, PractitionerType.MD, "1234567893", NpiKind.INDIVIDUAL, True
    )
    return replace(facts, **changes)


@pytest.mark.example("CERT-06", 1)
def test_cert_06_example_of_a_valid_number():
    assert certification.ask_certifier_fitness(certifier(), POLICY) == ()


@pytest.mark.example("CERT-06", 2)
def test_cert_06_example_of_an_invalid_number():
    invalid = certification.ask_certifier_fitness(certifier(npi="1234567890"), POLICY)
    assert rules_of(invalid) == [("CERT-06", "HOLD-BILL")]


@pytest.mark.example("CERT-06", 3)
def test_cert_06_example_of_an_organisation():
    organisation = certification.ask_certifier_fitness(certifier(npi_kind=NpiKind.ORGANISATION), POLICY)
    assert rules_of(organisation) == [("CERT-06", "HOLD-BILL")]


def test_cert_06_enrolment_matters_to_medicare_only():
    unchecked = certifier(medicare_enrolled=None)
    assert rules_of(certification.ask_certifier_fitness(unchecked, POLICY)) == [("CERT-06", "HOLD-BILL")]
    elsewhere = replace(unchecked, programme=Programme.KP_HBPC, payer=Payer.KP, financial_relationship=True)
    assert rules_of(certification.ask_certifier_fitness(elsewhere, POLICY)) == [("CERT-06", "WARN")]


# ------------------------------------------------------------------------------------ ASM-02


@pytest.mark.example("ASM-02", 1)
def test_asm_02_example_home_before_thanksgiving():
    due = certification.resumption_due(local("2026-11-24 15:00"), POLICY)
    assert due.astimezone(CALIFORNIA).isoformat(timespec="minutes") == "2026-11-26T15:00-08:00"
    assert certification.is_transfer(
        local("2026-11-17 09:00"), local("2026-11-24 14:00"), False, local("2026-11-24 16:00"), POLICY
    )


@pytest.mark.example("ASM-02", 2)
def test_asm_02_example_observation_is_no_transfer():
    now = local("2026-11-18 09:00")
    assert not certification.is_transfer(None, None, False, now, POLICY)
    assert not certification.is_transfer(local("2026-11-17 19:00"), now, False, now, POLICY)
    assert not certification.is_transfer(local("2026-11-10 19:00"), now, True, now, POLICY)
    assert certification.is_transfer(local("2026-11-17 09:00"), None, False, now, POLICY)


def test_asm_02_visits_rest_on_hold_and_resumption_comes_first():
    on_hold = make_case(patient=make_patient(on_hold=True))
    for moment in Moment:
        assert ("ASM-02", "BLOCK") in rules_of(ask(on_hold, moment, POLICY))
    returned = make_case(patient=make_patient(awaiting_resumption=True))
    assert rules_of(ask(returned, Moment.CONFIRM, POLICY)) == [("ASM-02", "BLOCK")]
    resumption = replace(returned, visit=make_visit(kind=VisitKind.RESUMPTION))
    assert ask(resumption, Moment.CONFIRM, POLICY) == ()


def test_asm_02_events_are_assessed_within_two_days():
    assert certification.event_assessment_due(day("2026-12-31"), POLICY) == day("2027-01-02")
