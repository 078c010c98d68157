"""ELG-00 to ELG-8, HB-01, HB-02."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.vocabulary import (
    Criterion,
    Determination,
    Discipline,
    Eligibility,
    HomeSafety,
    Payer,
    PractitionerType,
    Programme,
    VisitKind,
)
from coordinator.rules import eligibility
from coordinator.rules.facts import Absence, Coverage, HomeboundFacts, Moment
from coordinator.rules.visit import ask
from tests.rules.cases import DAY, MEDICARE, POLICY, day, make_case, make_patient, make_visit, rules_of

MET, NOT_MET, UNKNOWN = Determination.MET, Determination.NOT_MET, Determination.UNKNOWN
ALL_MET = dict.fromkeys(Criterion, MET)


def with_patient(case, **changes):
    return replace(case, patient=make_patient(**changes))


def pending(**changes):
    return make_patient(
        admitted=False,
        eligibility=Eligibility.PENDING,
        open_criteria=(Criterion.SAFE_HOME,),
        home_safety=HomeSafety.NOT_ASSESSED,
        **changes,
    )


# ------------------------------------------------------------------------------------ ELG-00


@pytest.mark.example("ELG-00", 1)
def test_elg_00_example_1_pending_allows_only_the_initial_visit():
    answer = eligibility.evaluate({**ALL_MET, Criterion.SAFE_HOME: UNKNOWN})
    assert (answer.status, answer.open_criteria) == (Eligibility.PENDING, (Criterion.SAFE_HOME,))
    therapy = replace(make_case(Discipline.PT), patient=pending())
    assert ("ELG-00", "BLOCK") in rules_of(ask(therapy, Moment.HOLD, POLICY))
    initial = replace(make_case(), patient=pending(), visit=make_visit(kind=VisitKind.INITIAL), order=None)
    assert ask(initial, Moment.CONFIRM, POLICY) == ()


@pytest.mark.example("ELG-00", 2)
def test_elg_00_example_2_no_wish_for_home_care():
    part = eligibility.condition_need_desire(True, ("pain",), False)
    assert part is NOT_MET
    answer = eligibility.evaluate({**ALL_MET, Criterion.CONDITION_NEED_DESIRE: part})
    assert answer.status is Eligibility.INELIGIBLE


@pytest.mark.example("ELG-00", 3)
def test_elg_00_example_3_the_care_address_decides():
    assert eligibility.service_area(True) is MET


def test_elg_00_an_ineligible_patient_is_not_even_visited_once():
    patient = make_patient(admitted=False, eligibility=Eligibility.INELIGIBLE, open_criteria=(Criterion.MEMBER,))
    initial = replace(make_case(), patient=patient, visit=make_visit(kind=VisitKind.INITIAL), order=None)
    found = ask(initial, Moment.HOLD, POLICY)
    assert rules_of(found) == [("ELG-00", "BLOCK")]
    assert found[0].sentence() == "The patient is not eligible. Not met or not known: membership (ELG-1)."


def test_elg_00_after_admission_a_lost_criterion_warns_and_is_a_task():
    case = with_patient(make_case(), eligibility=Eligibility.INELIGIBLE, open_criteria=(Criterion.WILLING,))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == [("ELG-00", "WARN")]
    task = eligibility.criterion_lost(Criterion.WILLING, day("2026-11-25"), POLICY)
    # Thanksgiving and the day after it are no working days in California.
    assert (task.severity.value, task.due, task.owner) == ("TASK", day("2026-11-30"), "clinical_manager")


def test_elg_00_does_not_concern_a_programme_without_criteria():
    case = replace(with_patient(make_case(), eligibility=Eligibility.PENDING), episode=MEDICARE)
    assert ask(case, Moment.CONFIRM, POLICY) == ()


@given(st.dictionaries(st.sampled_from(Criterion), st.sampled_from(Determination)))
def test_elg_00_is_a_conjunction(determinations):
    answer = eligibility.evaluate(determinations)
    values = [determinations.get(criterion, UNKNOWN) for criterion in Criterion]
    assert (answer.status is Eligibility.ELIGIBLE) == all(value is MET for value in values)
    assert (answer.status is Eligibility.INELIGIBLE) == (NOT_MET in values)
    assert len(answer.open_criteria) == sum(value is not MET for value in values)
    assert {finding.rule for finding in eligibility.ask_admission(answer)} == set(answer.open_criteria)


def test_elg_00_names_the_criterion_in_words():
    unknown = eligibility.ask_admission(eligibility.evaluate({**ALL_MET, Criterion.MEMBER: UNKNOWN}))
    assert [finding.sentence() for finding in unknown] == ["Membership (ELG-1) is not known."]
    not_met = eligibility.ask_admission(eligibility.evaluate({**ALL_MET, Criterion.SAFE_HOME: NOT_MET}))
    assert [finding.sentence() for finding in not_met] == ["Safety of the home (ELG-6) is not met."]


# ------------------------------------------------------------------------------------ the eight


@pytest.mark.parametrize(("visit_day", "covered"), [("2026-11-30", True), ("2026-12-01", False), ("2026-01-01", True)])
@pytest.mark.example("ELG-1", 1)
def test_elg_1_both_bounds_of_coverage_count(visit_day, covered):
    coverage = (Coverage(Payer.KP, day("2026-01-01"), day("2026-11-30")),)
    assert (eligibility.member(coverage, day(visit_day)) is MET) == covered
    case = with_patient(make_case(), coverage=coverage)
    found = eligibility.ask_covered(replace(case, visit=make_visit(day=day(visit_day))), POLICY)
    assert rules_of(found) == ([] if covered else [("ELG-1", "BLOCK-OVR")])


def test_elg_1_other_coverage_does_not_make_a_member():
    coverage = (Coverage(Payer.MEDICARE, day("2026-01-01")),)
    assert eligibility.member(coverage, DAY) is NOT_MET
    assert eligibility.member(None, DAY) is UNKNOWN
    assert rules_of(eligibility.ask_covered(with_patient(make_case(), coverage=None), POLICY)) == [("ELG-1", "WARN")]


@pytest.mark.example("ELG-2", 1)
def test_elg_2_has_three_parts():
    assert eligibility.condition_need_desire(True, ("other: hiccups",), True) is MET
    assert eligibility.condition_need_desire(True, (), True) is NOT_MET
    assert eligibility.condition_need_desire(None, ("pain",), True) is UNKNOWN


@pytest.mark.example("ELG-3", 1)
def test_elg_3_every_named_caregiver_must_be_willing():
    assert eligibility.willing(True) is MET
    assert eligibility.willing(True, (True, False)) is NOT_MET
    assert eligibility.willing(True, (True, None)) is UNKNOWN
    assert eligibility.willing(None, (True,)) is UNKNOWN


@pytest.mark.example("ELG-4", 1)
def test_elg_4_is_met_with_a_verbal_certification_and_holds_the_bill():
    assert eligibility.homebound_certified(MET, True) is MET
    assert eligibility.homebound_certified(MET, None) is UNKNOWN
    assert eligibility.homebound_certified(NOT_MET, True) is NOT_MET
    assert eligibility.homebound_certified(UNKNOWN, True) is UNKNOWN
    assert rules_of(eligibility.ask_homebound_signature(True, False)) == [("ELG-4", "HOLD-BILL")]
    assert eligibility.ask_homebound_signature(True, True) is None


@pytest.mark.parametrize(
    ("in_area", "expected"), [(True, []), (None, [("ELG-5", "WARN")]), (False, [("ELG-5", "BLOCK")])]
)
@pytest.mark.example("ELG-5", 1)
def test_elg_5_visit_at_an_address(in_area, expected):
    assert rules_of(ask(with_patient(make_case(), address_in_area=in_area), Moment.HOLD, POLICY)) == expected


@pytest.mark.example("ELG-6", 1)
def test_elg_6_safety():
    assert eligibility.safe_home(HomeSafety.SAFE_WITH_MITIGATION, True) is MET
    assert eligibility.safe_home(HomeSafety.SAFE_WITH_MITIGATION, False) is NOT_MET
    assert eligibility.safe_home(HomeSafety.NOT_ASSESSED, True) is UNKNOWN
    unsafe = with_patient(make_case(), home_safety=HomeSafety.UNSAFE)
    assert rules_of(ask(unsafe, Moment.CONFIRM, POLICY)) == [("ELG-6", "BLOCK-OVR")]
    open_mitigation = with_patient(make_case(), home_safety=HomeSafety.SAFE_WITH_MITIGATION)
    assert rules_of(ask(open_mitigation, Moment.CONFIRM, POLICY)) == [("ELG-6", "WARN")]


@pytest.mark.example("ELG-7", 1)
def test_elg_7_the_referrer_is_a_physician():
    assert eligibility.referred(PractitionerType.MD, Programme.KP_HBPC, POLICY) is MET
    assert eligibility.referred(PractitionerType.NP, Programme.KP_HBPC, POLICY) is NOT_MET
    assert eligibility.referred(PractitionerType.NP, Programme.MEDICARE_HH, POLICY) is MET
    assert eligibility.referred(None, Programme.KP_HBPC, POLICY) is UNKNOWN


@pytest.mark.example("ELG-8", 1)
def test_elg_8_direction_by_the_plan():
    assert eligibility.directed(True, True) is MET
    assert eligibility.directed(True, True, outside_orders=1) is NOT_MET
    assert eligibility.directed(True, None) is UNKNOWN
    assert rules_of(eligibility.ask_outside_orders(1, DAY)) == [("ELG-8", "WARN"), ("ELG-8", "TASK")]
    assert eligibility.ask_outside_orders(0, DAY) == ()


# ------------------------------------------------------------------------------------ homebound


def told(*leaves):
    return HomeboundFacts(**dict.fromkeys(leaves, True), narratives=dict.fromkeys(leaves, "seen on the visit"))


@pytest.mark.example("HB-01", 1)
def test_hb_01_example_walker_without_normal_inability():
    walker = told("needs_supportive_device", "considerable_and_taxing_effort")
    assert eligibility.homebound(walker) is NOT_MET


@pytest.mark.example("HB-01", 2)
def test_hb_01_example_contraindicated_and_both_of_two():
    contraindicated = told(
        "leaving_medically_contraindicated", "normal_inability_to_leave", "considerable_and_taxing_effort"
    )
    assert eligibility.homebound(contraindicated) is MET


@pytest.mark.example("HB-01", 3)
def test_hb_01_example_feeble_with_none_of_criterion_one():
    feeble = told("normal_inability_to_leave", "considerable_and_taxing_effort")
    assert eligibility.homebound(feeble) is NOT_MET


def test_hb_01_a_bare_check_box_is_no_evidence():
    bare = replace(
        told("needs_another_person", "normal_inability_to_leave", "considerable_and_taxing_effort"),
        narratives={"needs_another_person": "his daughter", "normal_inability_to_leave": " "},
    )
    assert eligibility.homebound(bare) is UNKNOWN


@pytest.mark.parametrize(
    ("purpose", "every", "minutes", "expected"),
    [
        pytest.param("HEALTH_CARE", 2, 300, [], marks=pytest.mark.example("HB-02", 1), id="dialysis"),
        pytest.param("RELIGIOUS", 7, 120, [], marks=pytest.mark.example("HB-02", 2), id="weekly church"),
        pytest.param(
            "OTHER", 1, 60, [("HB-02", "WARN"), ("HB-02", "TASK")], marks=pytest.mark.example("HB-02", 3), id="gym"
        ),
    ],
)
def test_hb_02_examples(purpose, every, minutes, expected):
    today = day("2026-11-20")
    out = [Absence(today - timedelta(days=d), purpose, minutes, taxing_effort=False) for d in range(0, 28, every)]
    assert rules_of(eligibility.ask_absences(out, today)) == expected


def test_hb_02_never_counts():
    today = day("2026-11-20")
    effortful = [Absence(today - timedelta(days=d), "OTHER", 60) for d in range(60)]
    assert eligibility.ask_absences(effortful, today) == ()
    assert eligibility.ask_absences([Absence(today, "OTHER", 60, taxing_effort=False)], today) == ()
