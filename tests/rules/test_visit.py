"""The askings of Appendix A: order, split, the three moments, and their price."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.vocabulary import (
    Discipline,
    Eligibility,
    Gender,
    HomeSafety,
    OrderStatus,
    Performer,
    VisitKind,
)
from coordinator.rules.facts import (
    AidePlanFacts,
    InterpreterFacts,
    Moment,
    NeighbourFacts,
    PatientFacts,
    PrnFacts,
    QualifyingFacts,
    SupervisionFacts,
    TherapyFacts,
    UsageFacts,
)
from coordinator.rules.terms import refusals
from coordinator.rules.visit import ROWS, ask, ask_clinician_side, ask_patient_side
from tests.rules.cases import (
    DAY,
    POLICY,
    local,
    make_case,
    make_clinician,
    make_credential,
    make_episode,
    make_order,
    make_patient,
    make_visit,
    make_week,
    rules_of,
)

DAYS = st.none() | st.dates(DAY - timedelta(days=80), DAY + timedelta(days=80))
BOOLS = st.booleans()
EIGHT = local("2026-11-10 08:00")
EXPIRED = make_credential(expires_on=DAY - timedelta(days=1))
NEAR = NeighbourFacts(local("2026-11-10 10:00"), 25, local("2026-11-10 11:00"), 10)


@st.composite
def cases(draw):
    """Any mixture of facts, sensible or not."""
    discipline = draw(st.sampled_from(Discipline))
    starts_at = draw(st.none() | st.integers(-600, 1200).map(lambda n: EIGHT + timedelta(minutes=n)))
    minutes = draw(st.integers(15, 500))
    visit = make_visit(
        kind=draw(st.sampled_from(VisitKind)),
        discipline=discipline,
        minutes=minutes,
        starts_at=starts_at,
        ends_at=starts_at and starts_at + timedelta(minutes=minutes),
        interpreter=InterpreterFacts(companion=draw(BOOLS), companion_age=draw(st.none() | st.integers(5, 80))),
    )
    order = make_order(
        discipline=draw(st.sampled_from([discipline, Discipline.SN])),
        status=draw(st.sampled_from(OrderStatus)),
        effective_from=draw(DAYS),
        effective_to=draw(DAYS),
        certification_number=draw(st.none() | st.integers(1, 3)),
        week=draw(st.none() | st.builds(make_week, used=st.integers(0, 3), used_on_day=st.integers(0, 2))),
        prn=draw(st.none() | st.builds(PrnFacts, st.integers(1, 2), st.integers(0, 2))),
        evaluate_and_treat=draw(BOOLS),
        evaluation_complete=draw(BOOLS),
        required_skills=draw(st.sampled_from([frozenset(), frozenset({"PICC"})])),
    )
    patient = draw(
        st.builds(
            make_patient,
            active=BOOLS,
            on_hold=BOOLS,
            awaiting_resumption=BOOLS,
            admitted=BOOLS,
            coverage=st.none() | st.just(()),
            eligibility=st.sampled_from(Eligibility),
            address_in_area=st.none() | BOOLS,
            home_safety=st.sampled_from(HomeSafety),
            interpreter_needed=BOOLS,
            preferred_gender=st.none() | st.sampled_from(Gender),
            hazards=st.sampled_from([frozenset(), frozenset({"VIOLENCE"})]),
        )
    )
    clinician = make_clinician(
        draw(st.sampled_from(Performer)),
        credentials=draw(st.sampled_from([(), (make_credential(),), (EXPIRED,)])),
        excluded=draw(BOOLS),
        aide_plan_acknowledged=draw(BOOLS),
        last_paid_aide_work_on=draw(st.none() | st.just(DAY - timedelta(days=900))),
    )
    return make_case(
        patient=patient,
        episode=make_episode(programme=draw(st.sampled_from(list(POLICY.programmes))), soc_date=draw(DAYS)),
        visit=visit,
        order=draw(st.none() | st.just(order)),
        usage=draw(st.none() | st.builds(UsageFacts, st.integers(0, 500), st.integers(0, 2200))),
        qualifying=draw(st.none() | st.builds(QualifyingFacts, DAYS)),
        aide_plan=draw(st.none() | st.builds(AidePlanFacts, DAYS)),
        supervision=draw(st.none() | st.builds(SupervisionFacts, DAYS, DAYS, BOOLS)),
        therapy=draw(st.none() | st.builds(TherapyFacts, DAYS)),
        clinician=draw(st.none() | st.just(clinician)),
        neighbours=draw(st.none() | st.just(NEAR)),
    )


@given(cases(), st.sampled_from(Moment))
def test_both_sides_together_are_the_whole_in_the_order_of_the_appendix(case, moment):
    whole = ask(case, moment, POLICY)
    sides = ask_patient_side(case, moment, POLICY) + ask_clinician_side(case, moment, POLICY)
    assert sorted(map(repr, whole)) == sorted(map(repr, sides))
    rows = [ROWS[finding.rule] for finding in whole]
    assert rows == sorted(rows)
    for finding in whole:
        assert finding.sentence()
        assert "{" not in finding.sentence() + finding.cure_sentence()
        assert finding.citation


@given(cases(), st.sampled_from(Moment))
def test_the_patient_side_does_not_look_at_the_clinician(case, moment):
    nobody = replace(case, clinician=None, neighbours=None)
    assert ask_patient_side(case, moment, POLICY) == ask_patient_side(nobody, moment, POLICY)
    assert ask_clinician_side(nobody, moment, POLICY) == ()


@given(cases())
def test_what_holds_a_slot_never_refuses_more_than_what_confirms_it(case):
    held = {finding.rule for finding in refusals(ask(case, Moment.HOLD, POLICY))}
    confirmed = {finding.rule for finding in refusals(ask(case, Moment.CONFIRM, POLICY))}
    assert held <= confirmed


@given(cases())
def test_at_the_door_only_rows_one_four_five_eight_and_nine_are_asked(case):
    assert {ROWS[finding.rule] for finding in ask(case, Moment.CHECK_IN, POLICY)} <= {1, 4, 5, 8, 9}


def test_nothing_is_said_of_a_case_in_order():
    for discipline in (Discipline.SN, Discipline.PT, Discipline.OT, Discipline.SLP, Discipline.MSW, Discipline.HHA):
        for moment in Moment:
            assert ask(make_case(discipline), moment, POLICY) == ()


@pytest.mark.example("PAT-01", 1)
def test_nothing_known_is_not_everything_in_order():
    found = ask(make_case(patient=PatientFacts()), Moment.CONFIRM, POLICY)
    assert rules_of(found) == [("PAT-01", "BLOCK"), ("ELG-1", "WARN"), ("ELG-00", "BLOCK"), ("ELG-5", "WARN")]


def test_all_findings_are_reported_cheap_to_dear():
    case = make_case(
        Discipline.PT,
        patient=make_patient(coverage=()),
        order=None,
        clinician=make_clinician(Performer.PTA, excluded=True),
        therapy=TherapyFacts(DAY - timedelta(days=31)),
    )
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == [
        ("ELG-1", "BLOCK-OVR"),
        ("ORD-01", "BLOCK"),
        ("ORD-09", "BLOCK"),
        ("CRD-01", "BLOCK"),
        ("THX-01", "WARN"),
        ("THX-01", "BLOCK-OVR"),
        ("THX-01", "HOLD-BILL"),
    ]


def test_a_call_costs_tens_of_microseconds():
    case = make_case(Discipline.PT, usage=UsageFacts(), qualifying=QualifyingFacts(DAY), therapy=TherapyFacts(DAY))
    best = min(_price(case) for _ in range(5))
    # Generous for a shared machine: a week's planning asks fifty thousand times.
    assert best < 200e-6


def _price(case):
    began = time.perf_counter()
    for _ in range(200):
        ask(case, Moment.HOLD, POLICY)
    return (time.perf_counter() - began) / 200
