"""AID-02, AID-03, SUP-01, SUP-04, SUP-05, THX-01."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.vocabulary import Discipline, Performer, VisitKind
from coordinator.rules import aides, therapy
from coordinator.rules.facts import AidePlanFacts, Moment, SupervisionFacts, TherapyFacts
from coordinator.rules.visit import ask
from tests.rules.cases import (
    DAY,
    POLICY,
    SOC,
    day,
    make_case,
    make_clinician,
    make_episode,
    make_order,
    make_visit,
    rules_of,
)

# ------------------------------------------------------------------------------------ AID


@pytest.mark.example("AID-02", 1)
@pytest.mark.parametrize(
    "plan", [AidePlanFacts(), AidePlanFacts(DAY + timedelta(days=1), Performer.RN), AidePlanFacts(SOC, Performer.LVN)]
)
def test_aid_02_first_visit_without_a_plan_in_force(plan):
    case = make_case(Discipline.HHA, aide_plan=plan)
    assert rules_of(ask(case, Moment.HOLD, POLICY)) == [("AID-02", "BLOCK")]


def test_aid_02_the_new_version_is_not_acknowledged():
    case = make_case(Discipline.HHA, clinician=make_clinician(Performer.CHHA, aide_plan_acknowledged=False))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == [("AID-02", "WARN")]


@pytest.mark.example("AID-02", 2)
def test_aid_02_tasks():
    assert rules_of(aides.ask_aide_tasks(["HOUSEKEEPING"], ["HOUSEKEEPING"])) == [("AID-02", "HOLD-BILL")]
    assert rules_of(aides.ask_aide_tasks(["BATHING"], ["BATHING", "NAIL_CARE"])) == [("AID-02", "WARN")]
    assert aides.ask_aide_tasks(["BATHING", "HOUSEKEEPING"], ["BATHING", "HOUSEKEEPING"]) == ()


@pytest.mark.parametrize(
    ("last", "expected"),
    [("2024-11-20", [("AID-03", "BLOCK")]), ("2024-11-21", []), ("2024-11-22", [])],
)
@pytest.mark.example("AID-03", 1)
def test_aid_03_example(last, expected):
    aide = make_clinician(Performer.CHHA, last_paid_aide_work_on=day(last))
    case = make_case(Discipline.HHA, clinician=aide)
    case = replace(case, visit=replace(case.visit, day=day("2026-11-21")))
    assert rules_of(aides.ask_aide_competence(case, POLICY)) == expected
    requalified = replace(case, clinician=replace(aide, requalified_on=day("2026-11-01")))
    assert aides.ask_aide_competence(requalified, POLICY) is None


def test_aid_03_in_service_training_is_looked_at_in_month_ten():
    began = day("2026-01-15")
    assert aides.ask_in_service(began, 8, day("2026-11-14"), POLICY) is None
    task = aides.ask_in_service(began, 8, day("2026-11-15"), POLICY)
    assert (task.severity.value, task.due) == ("TASK", day("2027-01-14"))
    assert aides.ask_in_service(began, 12, day("2026-12-01"), POLICY) is None


# ------------------------------------------------------------------------------------ SUP


@pytest.mark.example("SUP-01", 1)
@pytest.mark.example("SUP-01", 2)
def test_sup_01_example_due_dates():
    first = SupervisionFacts(first_aide_visit_on=day("2026-10-05"))
    assert aides.supervision_due(first, POLICY) == day("2026-10-19")
    supervised = replace(first, last_on=day("2026-10-15"))
    assert aides.supervision_due(supervised, POLICY) == day("2026-10-29")
    assert aides.supervision_due(SupervisionFacts(), POLICY) is None
    # After a stretch without an aide order the clock begins anew.
    resumed = replace(supervised, first_aide_visit_on=day("2026-11-20"))
    assert aides.supervision_due(resumed, POLICY) == day("2026-12-04")


@pytest.mark.parametrize(
    ("visit_day", "word"),
    [("2026-10-25", None), ("2026-10-26", "is due by"), ("2026-10-29", "is due"), ("2026-10-30", "was due")],
)
@pytest.mark.example("SUP-01", 3)
def test_sup_01_warns_and_never_refuses(visit_day, word):
    case = make_case(Discipline.HHA, supervision=SupervisionFacts(day("2026-10-15"), day("2026-10-05")))
    case = replace(case, visit=replace(case.visit, day=day(visit_day)))
    found = aides.ask_supervised(case, POLICY)
    assert (found is None) == (word is None)
    if found:
        assert word in found.sentence()
        assert not found.refuses


@pytest.mark.example("SUP-01", 4)
@pytest.mark.example("SUP-01", 6)
def test_sup_01_who_and_how():
    assert aides.ask_supervisor(Performer.PT, POLICY) == ()
    for assistant in (Performer.PTA, Performer.LVN, Performer.COTA, Performer.MSW):
        assert rules_of(aides.ask_supervisor(assistant, POLICY)) == [("SUP-01", "BLOCK")]
    assert aides.ask_supervisor(Performer.RN, POLICY, virtual=True) == ()
    second = aides.ask_supervisor(Performer.RN, POLICY, virtual=True, virtual_in_period=1)
    assert rules_of(second) == [("SUP-01", "BLOCK")]
    assert rules_of(aides.ask_supervisor(Performer.RN, POLICY, audio_only=True)) == [("SUP-01", "BLOCK")]
    assert rules_of(aides.ask_supervisor(Performer.PT, POLICY, nursing_active=True)) == [("SUP-01", "WARN")]


@pytest.mark.example("SUP-01", 5)
def test_sup_01_a_supervisory_visit_by_a_vocational_nurse():
    case = make_case(visit=make_visit(kind=VisitKind.SUPERVISION), clinician=make_clinician(Performer.LVN))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == [("SUP-01", "BLOCK")]
    episode = make_episode(ordered_disciplines=frozenset({Discipline.PT, Discipline.HHA}))
    therapy_only = replace(case, clinician=make_clinician(Performer.PT), episode=episode)
    assert ask(therapy_only, Moment.CONFIRM, POLICY) == ()


@pytest.mark.example("SUP-04", 1)
def test_sup_04_examples():
    assert aides.unskilled_supervision_due(SOC, POLICY) == day("2026-11-30")
    assert aides.observation_due(SOC, POLICY) == day("2027-04-01")
    facts = SupervisionFacts(SOC, SOC, skilled_service=False)
    assert aides.supervision_due(facts, POLICY) == day("2026-11-30")
    case = make_case(Discipline.HHA, supervision=facts)
    case = replace(case, visit=replace(case.visit, day=day("2026-12-01")))
    assert rules_of(aides.ask_supervised(case, POLICY)) == [("SUP-04", "WARN")]


@pytest.mark.parametrize(
    "kind",
    [
        VisitKind.EVALUATION,
        VisitKind.REASSESSMENT,
        pytest.param(VisitKind.DISCHARGE, marks=pytest.mark.example("SUP-05", 1)),
    ],
)
def test_sup_05_what_an_assistant_may_not_do(kind):
    case = make_case(Discipline.PT, clinician=make_clinician(Performer.PTA))
    case = replace(case, visit=replace(case.visit, kind=kind))
    assert ("SUP-05", "BLOCK") in rules_of(ask(case, Moment.CONFIRM, POLICY))
    assert ask(replace(case, visit=replace(case.visit, kind=VisitKind.ROUTINE)), Moment.CONFIRM, POLICY) == ()


@pytest.mark.example("SUP-05", 2)
def test_sup_05_example_occupational_therapy_assistant():
    assert aides.assistant_supervision_due(Performer.COTA, day("2026-10-22"), POLICY) == day("2026-11-21")
    assert aides.assistant_supervision_due(Performer.LVN, day("2026-10-22"), POLICY) == day("2026-11-21")
    assert aides.assistant_supervision_due(Performer.PTA, day("2026-10-22"), POLICY) is None


# ------------------------------------------------------------------------------------ THX-01


@pytest.mark.example("THX-01", 1)
@pytest.mark.example("THX-01", 2)
def test_thx_01_examples_due():
    assert therapy.reassessment_due(day("2026-10-06"), POLICY) == day("2026-11-05")
    assert therapy.reassessment_due(day("2026-06-01"), POLICY) == day("2026-07-01")


def assistant_on(visit_day, performer=Performer.PTA, kind=VisitKind.ROUTINE, evaluated="2026-10-06"):
    case = make_case(
        Discipline.PT,
        clinician=make_clinician(performer),
        therapy=TherapyFacts(day(evaluated)),
        order=make_order(discipline=Discipline.PT),
    )
    return replace(case, visit=replace(case.visit, day=day(visit_day), kind=kind))


@pytest.mark.example("THX-01", 3)
def test_thx_01_example_assistant_after_the_due_day():
    found = therapy.ask_assistant_in_time(assistant_on("2026-11-06"), POLICY)
    assert rules_of(found) == [("THX-01", "BLOCK-OVR"), ("THX-01", "HOLD-BILL")]
    assert therapy.ask_assistant_in_time(assistant_on("2026-11-05"), POLICY) == ()
    assert rules_of(therapy.ask_reassessed(assistant_on("2026-11-10", Performer.PT), POLICY)) == [("THX-01", "WARN")]
    reassessment = assistant_on("2026-11-10", Performer.PT, VisitKind.REASSESSMENT)
    assert ask(reassessment, Moment.CONFIRM, POLICY) == ()


@pytest.mark.parametrize(
    ("visit_day", "covered"),
    [("2026-11-05", True), ("2026-11-06", False), ("2026-11-08", False), ("2026-11-09", True), ("2026-11-10", True)],
)
@pytest.mark.example("THX-01", 4)
def test_thx_01_example_coverage_resumes_with_the_reassessment(visit_day, covered):
    last, again = day("2026-10-06"), day("2026-11-09")
    assert therapy.is_covered(day(visit_day), last, again, POLICY) is covered


@pytest.mark.example("THX-01", 5)
def test_thx_01_other_disciplines_are_unaffected():
    # Physical therapy is late on 7 November; the occupational therapist evaluated on the 20th of October.
    assert rules_of(therapy.ask_assistant_in_time(assistant_on("2026-11-07"), POLICY)) != []
    occupational = make_case(
        Discipline.OT, clinician=make_clinician(Performer.COTA), therapy=TherapyFacts(day("2026-10-20")),
        order=make_order(discipline=Discipline.OT),
    )  # fmt: skip
    occupational = replace(occupational, visit=replace(occupational.visit, day=day("2026-11-07")))
    assert therapy.ask_assistant_in_time(occupational, POLICY) == ()
    nursing = make_case(therapy=TherapyFacts(day("2026-01-01")))
    assert ask(nursing, Moment.CONFIRM, POLICY) == ()


@pytest.mark.parametrize(
    ("today", "booked", "expected"),
    [
        ("2026-10-28", None, ["TASK"]),
        ("2026-10-29", None, ["TASK", "WARN"]),
        ("2026-10-29", "2026-11-05", ["TASK"]),
        ("2026-10-29", "2026-11-06", ["TASK", "WARN"]),
    ],
)
def test_thx_01_warns_a_week_before_unless_booked(today, booked, expected):
    found = therapy.ask_reassessment_booked(day("2026-10-06"), booked and day(booked), day(today), POLICY)
    assert [severity for _, severity in rules_of(found)] == expected
    assert found[0].due == day("2026-11-05")
