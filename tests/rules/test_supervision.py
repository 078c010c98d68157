"""SUP-02, SUP-03, more of SUP-05, THX-01's exception, VIS-03, VIS-05."""

from dataclasses import replace

import pytest

from coordinator.domain.vocabulary import Discipline, Performer, VisitKind
from coordinator.rules import notes, supervision, therapy
from coordinator.rules.facts import AidePlanFacts, AssistantFacts, Moment
from coordinator.rules.visit import ask
from tests.rules.cases import CALIFORNIA, POLICY, SOC, day, local, make_case, make_clinician, make_order, rules_of


def aide(*blocked):
    case = make_case(Discipline.HHA, clinician=make_clinician(Performer.CHHA, blocked_tasks=frozenset(blocked)))
    return replace(case, aide_plan=AidePlanFacts(SOC, Performer.RN, frozenset({"BATHING", "TRANSFERS"})))


@pytest.mark.example("SUP-02", 1)
def test_a_concern_asks_for_an_observation_within_three_days():
    task = supervision.ask_concern(day("2026-11-16"), POLICY)
    assert (task.severity.value, task.due, task.owner) == ("TASK", day("2026-11-19"), "clinical_manager")


def test_tasks_in_question_are_not_the_aides():
    assert rules_of(ask(aide("TRANSFERS"), Moment.CONFIRM, POLICY)) == [("SUP-02", "BLOCK")]
    assert rules_of(ask(aide("TRANSFERS"), Moment.CHECK_IN, POLICY)) == [("SUP-02", "BLOCK")]
    assert rules_of(ask(aide(supervision.ALL), Moment.CONFIRM, POLICY)) == [("SUP-02", "BLOCK")]
    # Elsewhere, where nobody lists the task, the aide may go.
    assert ask(aide("FEEDING"), Moment.CONFIRM, POLICY) == ()
    assert ask(aide(), Moment.CONFIRM, POLICY) == ()


def test_a_deficiency_takes_in_all_related_skills():
    assert supervision.with_related(["TRANSFERS"]) == {"TRANSFERS", "AMBULATION", "POSITIONING"}
    assert supervision.with_related(["COMPANY"]) == {"COMPANY"}


@pytest.mark.example("SUP-03", 1)
def test_each_aide_is_observed_once_a_year():
    assert supervision.annual_observation_due(day("2026-01-15"), POLICY) == day("2027-01-15")

    def last(on):
        case = aide()
        return replace(case, clinician=replace(case.clinician, last_observed_on=on))

    assert supervision.ask_observed(last(day("2025-11-10")), POLICY) is None
    overdue = last(day("2025-11-09"))
    assert rules_of(supervision.ask_observed(overdue, POLICY)) == [("SUP-03", "WARN")]
    assert ("SUP-03", "WARN") in rules_of(ask(overdue, Moment.CONFIRM, POLICY)), "and so on the roster"
    assert supervision.ask_observed(last(None), POLICY) is None


def assistant(performer=Performer.PTA, **facts):
    return make_case(
        Discipline.PT, clinician=make_clinician(performer), assistant=AssistantFacts(**facts),
        order=make_order(discipline=Discipline.PT),
    )  # fmt: skip


def test_a_therapy_assistant_goes_only_while_the_therapist_of_record_can_be_reached():
    assert rules_of(ask(assistant(therapist_reachable=False), Moment.CONFIRM, POLICY)) == [("SUP-05", "BLOCK-OVR")]
    assert ask(assistant(therapist_reachable=True), Moment.CONFIRM, POLICY) == ()
    assert ask(assistant(), Moment.CONFIRM, POLICY) == ()


@pytest.mark.parametrize(("last", "expected"), [("2026-10-11", []), ("2026-10-10", [("SUP-05", "WARN")])])
def test_an_assistants_supervision_is_warned_of_when_it_is_overdue(last, expected):
    # Thirty days before Tuesday 10 November is 11 October.
    case = make_case(clinician=make_clinician(Performer.LVN), assistant=AssistantFacts(day(last)))
    assert rules_of(supervision.ask_assistant_supervised(case, POLICY)) == expected
    assert supervision.ask_assistant_supervised(assistant(counted_from=day("2020-01-01")), POLICY) is None


def test_thx_01_a_coded_exception_lifts_the_held_bill():
    late = day("2026-11-06"), day("2026-10-06"), None
    assert rules_of(therapy.ask_therapy_done(*late, POLICY)) == [("THX-01", "HOLD-BILL")]
    assert therapy.ask_therapy_done(*late, POLICY, "INPATIENT") is None
    assert rules_of(therapy.ask_therapy_done(*late, POLICY, "HOLIDAY")) == [("THX-01", "HOLD-BILL")]
    assert therapy.ask_therapy_done(day("2026-11-05"), day("2026-10-06"), None, POLICY) is None


@pytest.mark.example("VIS-03", 1)
def test_a_note_is_in_the_record_within_seven_working_days():
    friday = day("2026-11-20")
    assert notes.note_limit(friday, POLICY) == day("2026-12-03")
    assert notes.ask_note(friday, None, day("2026-12-03"), POLICY) is None
    assert rules_of(notes.ask_note(friday, None, day("2026-12-04"), POLICY)) == [("VIS-03", "HOLD-BILL")]
    assert notes.ask_note(friday, day("2026-12-01"), day("2026-12-04"), POLICY) is None


@pytest.mark.parametrize(
    ("made", "due"),
    [
        ("2026-11-20 15:00", "2026-11-21 15:00"),
        ("2026-11-21 15:00", "2026-11-23 15:00"),
        # Clocks go back on the first of November: hours elapse.
        ("2026-10-31 15:00", "2026-11-02 14:00"),
    ],
)
def test_a_note_is_due_in_a_day_and_in_two_at_the_weekend(made, due):
    assert notes.note_due(local(made), CALIFORNIA, POLICY) == local(due)


@pytest.mark.example("VIS-05", 1)
def test_a_new_frequency_is_brought_in_writing_by_the_next_visit():
    task = notes.ask_written_schedule(day("2026-11-10"), day("2026-11-12"), "zh-Hant")
    assert (task.severity.value, task.due) == ("TASK", day("2026-11-12"))
    assert "zh-Hant" in task.sentence()
    assert notes.ask_written_schedule(day("2026-11-10"), None, "en").due == day("2026-11-10")


def test_a_supervisory_visit_needs_no_therapist_of_record():
    case = assistant(therapist_reachable=False)
    assert supervision.ask_reach(replace(case, visit=replace(case.visit, kind=VisitKind.SUPERVISION))) is None
