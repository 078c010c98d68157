"""DIS-01 to DIS-04."""

from dataclasses import replace

import pytest

from coordinator.domain.vocabulary import Discipline, NoticeKind, Payer, Programme
from coordinator.rules import discharge
from coordinator.rules.discharge import REQUIRED, DischargeFacts, DisciplineFacts, NoticeFacts, Reason, Step
from coordinator.rules.terms import refusals
from tests.rules.cases import POLICY, day, rules_of

ON = day("2026-11-23")


def due_of(findings):
    return {finding.facts["task"]: finding.due for finding in findings if finding.due}


@pytest.mark.example("DIS-01", 1)
def test_dis_01_example_without_a_reason():
    assert rules_of(discharge.ask_discharge(DischargeFacts(ON))) == [("DIS-01", "BLOCK")]


@pytest.mark.example("DIS-01", 2)
def test_dis_01_example_for_cause_without_its_steps():
    found = discharge.ask_discharge(DischargeFacts(ON, Reason.CAUSE))
    assert rules_of(found)[0] == ("DIS-01", "BLOCK")
    assert {finding.facts["task"] for finding in found[1:]} >= {step.value for step in REQUIRED[Reason.CAUSE]}
    assert all(severity == "TASK" for _, severity in rules_of(found)[1:])


@pytest.mark.parametrize("reason", list(Reason))
def test_dis_01_with_every_required_step_nothing_refuses(reason):
    facts = DischargeFacts(ON, reason, dict.fromkeys(REQUIRED.get(reason, ()), ON))
    assert [finding for finding in discharge.ask_discharge(facts) if finding.refuses] == []


def test_dis_01_with_every_step_nothing_is_said():
    assert discharge.ask_discharge(DischargeFacts(ON, Reason.CAUSE, dict.fromkeys(Step, ON))) == ()


@pytest.mark.example("DIS-02", 1)
def test_dis_02_example_summary_across_a_holiday():
    owed = due_of(discharge.ask_summaries(ON, POLICY))
    assert owed == {"summary": day("2026-12-01"), "record": day("2026-12-23")}
    assert due_of(discharge.ask_summaries(ON, POLICY, frozenset({Step.SUMMARY}))) == {"record": day("2026-12-23")}


@pytest.mark.example("DIS-02", 2)
def test_dis_02_example_transfer_learned_before_thanksgiving():
    learned = day("2026-11-25")
    assert discharge.transfer_summary_due(False, day("2026-11-20"), learned, POLICY) == day("2026-11-30")
    assert discharge.transfer_summary_due(True, day("2026-11-20"), learned, POLICY) == day("2026-11-24")


@pytest.mark.example("DIS-03", 1)
def test_dis_03_example_therapy_ends_and_nursing_goes_on():
    told = {Step.PRACTITIONER_NOTIFIED: ON}
    found = discharge.ask_discipline(DisciplineFacts(Discipline.PT, ON, steps=told), POLICY)
    assert [finding for finding in found if finding.refuses] == []
    assert due_of(found)["written_schedule"] == day("2026-11-25")


def test_dis_03_an_order_that_goes_on_and_a_practitioner_who_was_not_told_refuse_together():
    facts = DisciplineFacts(Discipline.PT, ON, order_until=day("2026-12-05"), order_continues=True)
    refused = refusals(discharge.ask_discipline(facts, POLICY))
    assert rules_of(refused) == [("DIS-03", "BLOCK"), ("DIS-03", "BLOCK")]


NOTICE = NoticeFacts(NoticeKind.NOMNC, day("2026-12-11"))


@pytest.mark.example("DIS-04", 1)
def test_dis_04_example():
    (owed,) = discharge.ask_notice(NOTICE, POLICY)
    assert (owed.severity, owed.due) == ("TASK", day("2026-12-09"))


def test_dis_04_where_visits_are_far_apart_the_one_before_the_last():
    apart = replace(NOTICE, next_to_last_visit_on=day("2026-12-04"))
    assert discharge.notice_due(apart, POLICY) == day("2026-12-04")
    near = replace(NOTICE, next_to_last_visit_on=day("2026-12-10"))
    assert discharge.notice_due(near, POLICY) == day("2026-12-09")


def test_dis_04_delivered_in_time_says_nothing_and_late_warns():
    assert discharge.ask_notice(replace(NOTICE, delivered_on=day("2026-12-09")), POLICY) == ()
    late = discharge.ask_notice(replace(NOTICE, delivered_on=day("2026-12-10")), POLICY)
    assert rules_of(late) == [("DIS-04", "WARN")]


@pytest.mark.parametrize(("frequency", "refused"), [("1w2", False), ("1-2w2", True), ("now and then", True)])
def test_dis_04_a_notice_names_a_fixed_frequency(frequency, refused):
    found = discharge.ask_notice(replace(NOTICE, delivered_on=day("2026-12-09"), frequency=frequency), POLICY)
    assert rules_of(found) == ([("DIS-04", "BLOCK")] if refused else [])


def test_dis_04_only_medicare_asks_for_the_notices():
    medicare = (Programme.MEDICARE_HH, Payer.MEDICARE)
    assert discharge.notice_kind(*medicare, ends=True, policy=POLICY) is NoticeKind.NOMNC
    assert discharge.notice_kind(*medicare, ends=False, policy=POLICY) is NoticeKind.HHCCN
    assert discharge.notice_kind(Programme.KP_HBPC, Payer.KP, ends=True, policy=POLICY) is None
