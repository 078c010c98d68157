"""ASM-01 as it is asked of assessments, ASM-03, and what an assessment recertifies (CERT-02)."""

import pytest

from coordinator.domain.vocabulary import AssessmentKind, Discipline, Payer, Performer, Programme, VisitKind
from coordinator.rules import assessments
from coordinator.rules.assessments import AssessorFacts
from coordinator.rules.facts import EpisodeFacts, Moment
from coordinator.rules.visit import ask
from tests.rules.cases import POLICY, SOC, day, make_case, make_clinician, make_order, make_visit, rules_of

SN, PT, OT, MSW = Discipline.SN, Discipline.PT, Discipline.OT, Discipline.MSW
START = AssessmentKind.START_OF_CARE


def asked(performer, *ordered, kind=START, programme=Programme.MEDICARE_HH, payer=Payer.MEDICARE):
    episode = EpisodeFacts(programme, payer, SOC, frozenset(ordered))
    return assessments.ask_assessor(AssessorFacts(kind, performer, episode), POLICY)


@pytest.mark.parametrize(
    ("performer", "ordered", "allowed"),
    [
        pytest.param(Performer.PT, (SN, PT), False, marks=pytest.mark.example("ASM-01", 1)),
        pytest.param(Performer.OT, (PT, OT), True, marks=pytest.mark.example("ASM-01", 2)),
        pytest.param(Performer.OT, (OT,), False, marks=pytest.mark.example("ASM-01", 3)),
        pytest.param(Performer.OT, (SN, PT, OT), False, marks=pytest.mark.example("ASM-01", 5)),
    ],
)
def test_asm_01_examples_of_medicare(performer, ordered, allowed):
    assert rules_of(asked(performer, *ordered)) == ([] if allowed else [("ASM-01", "BLOCK")])


@pytest.mark.example("ASM-01", 4)
def test_asm_01_example_of_another_payer():
    assert asked(Performer.OT, OT, programme=Programme.MEDI_CAL_HH, payer=Payer.MEDI_CAL) is None


@pytest.mark.parametrize("kind", list(AssessmentKind))
@pytest.mark.parametrize(
    "performer",
    [Performer.PTA, Performer.COTA, Performer.MSW, Performer.CHHA, Performer.LVN, Performer.CHAPLAIN],
)
def test_asm_01_some_never_assess(performer, kind):
    assert rules_of(asked(performer, *Discipline, kind=kind)) == [("ASM-01", "BLOCK")]


def test_asm_01_a_recertification_is_made_by_a_discipline_that_is_ordered():
    recertification = AssessmentKind.RECERTIFICATION
    assert asked(Performer.PT, PT, kind=recertification) is None
    assert rules_of(asked(Performer.PT, SN, kind=recertification)) == [("ASM-01", "BLOCK")]


def test_asm_01_is_asked_of_the_visit_in_the_same_words():
    case = make_case(
        visit=make_visit(kind=VisitKind.INITIAL, discipline=PT),
        order=make_order(discipline=PT),
        clinician=make_clinician(performer=Performer.PT),
        episode=EpisodeFacts(Programme.MEDICARE_HH, Payer.MEDICARE, SOC, frozenset({SN, PT})),
    )
    assert ("ASM-01", "BLOCK") in rules_of(ask(case, Moment.CONFIRM, POLICY))


# ------------------------------------------------------------------------------------ ASM-03


@pytest.mark.example("ASM-03", 1)
def test_asm_03_example():
    assert assessments.ask_comprehensive(SOC, day("2026-10-06"), day("2026-10-20"), POLICY) == ()
    late = assessments.ask_comprehensive(SOC, day("2026-10-07"), day("2026-10-20"), POLICY)
    assert rules_of(late) == [("ASM-03", "TASK")]


def test_asm_03_warns_from_the_sixth_day_until_it_is_completed():
    assert assessments.ask_comprehensive(SOC, None, day("2026-10-06"), POLICY) == ()
    lacking = assessments.ask_comprehensive(SOC, None, day("2026-10-07"), POLICY)
    assert rules_of(lacking) == [("ASM-03", "WARN"), ("ASM-03", "TASK")]


def test_asm_03_warns_on_every_visit_from_the_day_on_which_the_assessment_was_late():
    late = EpisodeFacts(Programme.KP_HBPC, Payer.KP, SOC, frozenset({SN}), assessment_late_from=day("2026-10-07"))
    before, after = (
        ask(make_case(visit=make_visit(day=day(on)), episode=late), Moment.CONFIRM, POLICY)
        for on in ("2026-10-06", "2026-10-07")
    )
    assert ("ASM-03", "WARN") not in rules_of(before)
    assert ("ASM-03", "WARN") in rules_of(after)


@pytest.mark.parametrize(
    ("kind", "due"),
    [(START, "2026-10-06"), (AssessmentKind.TRANSFER, "2026-10-03"), (AssessmentKind.DEATH, "2026-10-03")],
)
def test_events_are_assessed_in_two_days_and_the_start_in_five(kind, due):
    assert assessments.assessment_due(kind, SOC, POLICY) == day(due)


# ------------------------------------------------------------------------------------ CERT-02


@pytest.mark.parametrize(
    ("assessed_on", "served", "period", "findings"),
    [
        ("2026-11-24", (), None, [("CERT-02", "WARN")]),
        ("2026-11-25", (), 1, []),
        ("2026-11-29", (), 1, []),
        ("2026-12-02", (), 1, [("CERT-02", "TASK")]),
        ("2026-12-02", (1,), None, [("CERT-02", "WARN")]),
        ("2027-01-24", (), 2, []),
    ],
)
def test_an_assessment_serves_the_period_whose_window_it_is_in_or_that_was_missed(
    assessed_on, served, period, findings
):
    answer = assessments.ask_recertified(SOC, day(assessed_on), frozenset(served))
    assert answer.period == period
    assert rules_of(answer.findings) == findings
