"""INT-01 to INT-04, QUAL-01, QUAL-02."""

from dataclasses import replace

import pytest

from coordinator.domain.vocabulary import Discipline, Payer, Programme
from coordinator.rules import intermittent, qualifying
from coordinator.rules.facts import Authorisation, CaseReview, Moment, QualifyingFacts, UsageFacts
from coordinator.rules.visit import ask
from tests.rules.cases import DAY, MEDICARE, POLICY, at, day, make_case, make_visit, rules_of

REVIEW = CaseReview("clinical manager", day("2026-11-08"), day("2026-11-14"))


def hours(minutes, discipline=Discipline.HHA, **usage):
    case = make_case(discipline, usage=UsageFacts(**usage))
    return rules_of(intermittent.ask_hours(replace(case, visit=replace(case.visit, minutes=minutes)), POLICY))


# ------------------------------------------------------------------------------------ INT-01


@pytest.mark.example("INT-01", 1)
@pytest.mark.example("INT-01", 2)
def test_int_01_less_than_eight_hours_a_day():
    assert hours(419, day_minutes=60) == []
    assert hours(420, day_minutes=60) == [("INT-01", "BLOCK-OVR")]


@pytest.mark.parametrize(
    ("week", "review", "expected"),
    [
        pytest.param(28 * 60, None, [], marks=pytest.mark.example("INT-01", 3)),
        pytest.param(28 * 60 + 1, None, [("INT-01", "WARN")], marks=pytest.mark.example("INT-01", 4)),
        (28 * 60 + 1, REVIEW, []),
        (35 * 60, None, [("INT-01", "WARN")]),
        pytest.param(35 * 60, REVIEW, [], marks=pytest.mark.example("INT-01", 5)),
        pytest.param(35 * 60 + 1, REVIEW, [("INT-01", "BLOCK-OVR")], marks=pytest.mark.example("INT-01", 6)),
        (35 * 60, replace(REVIEW, approved_by=" "), [("INT-01", "WARN")]),
        (35 * 60, replace(REVIEW, last_day=day("2026-11-09")), [("INT-01", "WARN")]),
    ],
)
def test_int_01_twenty_eight_hours_a_week_thirty_five_with_review(week, review, expected):
    assert hours(60, week_minutes=week - 60, review=review) == expected


@pytest.mark.example("INT-01", 7)
def test_int_01_therapy_does_not_count():
    assert hours(120, Discipline.PT, day_minutes=420) == []


def test_int_01_is_no_rule_of_medi_cal():
    case = make_case(Discipline.HHA, usage=UsageFacts(day_minutes=470))
    medi_cal = replace(case.episode, programme=Programme.MEDI_CAL_HH, payer=Payer.MEDI_CAL)
    assert intermittent.ask_hours(replace(case, episode=medi_cal), POLICY) == ()


def test_int_01_a_visit_across_midnight_is_split_by_day_and_by_week():
    # Saturday 23:00 to Sunday 01:00, in two weeks.
    case = at(make_case(Discipline.HHA), "2026-11-14 23:00", minutes=120)
    saturday_full = replace(case, usage=UsageFacts(day_minutes=420, week_minutes=1620))
    assert [f.params["day"] for f in intermittent.ask_hours(saturday_full, POLICY)] == [day("2026-11-14")]
    sunday_full = replace(case, usage=UsageFacts(next_day_minutes=420, next_week_minutes=1680))
    found = intermittent.ask_hours(sunday_full, POLICY)
    assert [(f.severity.value, f.params["day"]) for f in found] == [
        ("BLOCK-OVR", day("2026-11-15")),
        ("WARN", day("2026-11-15")),
    ]
    # In the middle of the week both parts are of one week.
    midweek = replace(at(case, "2026-11-10 23:00", minutes=120), usage=UsageFacts(week_minutes=1561))
    assert rules_of(intermittent.ask_hours(midweek, POLICY)) == [("INT-01", "WARN")]


# ------------------------------------------------------------------------------------ INT-02


def nursing(visit_day, before, **usage):
    case = make_case(visit=make_visit(day=day(visit_day)), usage=UsageFacts(nursing_days_before=before, **usage))
    return intermittent.ask_nursing_run(case, POLICY)


@pytest.mark.example("INT-02", 1)
@pytest.mark.example("INT-02", 2)
def test_int_02_twenty_one_days_and_not_one_more():
    # Daily nursing from Monday 2026-11-02.
    assert rules_of(nursing("2026-11-22", 20)) == [("INT-02", "TASK")]
    assert rules_of(nursing("2026-11-23", 21)) == [("INT-02", "BLOCK-OVR")]
    assert nursing("2026-11-23", 21, daily_nursing_ends_on=day("2026-12-01")) is None


def test_int_02_on_day_18_somebody_is_told():
    assert nursing("2026-11-18", 16) is None
    task = nursing("2026-11-19", 17)
    assert (task.severity.value, task.due, task.owner) == ("TASK", day("2026-11-22"), "case_manager")


def test_int_02_a_visit_that_closes_a_gap_joins_both_runs():
    assert rules_of(nursing("2026-11-12", 10, nursing_days_after=11)) == [("INT-02", "BLOCK-OVR")]


@pytest.mark.parametrize("excuse", [{"daily_insulin": True}, {"other_qualifying_service": True}])
def test_int_02_exceptions(excuse):
    assert nursing("2026-11-23", 21, **excuse) is None


# ------------------------------------------------------------------------------------ INT-03, INT-04


@pytest.mark.parametrize(("minutes", "expected"), [(240, []), (300, [("INT-03", "WARN")])])
@pytest.mark.example("INT-03", 1)
def test_int_03_long_aide_visit(minutes, expected):
    case = make_case(Discipline.HHA)
    case = replace(case, visit=replace(case.visit, minutes=minutes))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == expected
    assert intermittent.aide_review_due(day("2026-10-05"), POLICY) == day("2026-11-19")


@pytest.mark.parametrize(("used", "expected"), [(17, []), (18, [("INT-04", "WARN")]), (20, [("INT-04", "BLOCK-OVR")])])
@pytest.mark.example("INT-04", 1)
def test_int_04_example(used, expected):
    case = make_case(usage=UsageFacts(authorisation=Authorisation(20, used)))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == expected


# ------------------------------------------------------------------------------------ QUAL


def asked(*disciplines, programme=Programme.MEDICARE_HH, payer=Payer.MEDICARE, **more):
    return rules_of(qualifying.ask_qualifying_service(frozenset(disciplines), programme, payer, POLICY, **more))


@pytest.mark.example("QUAL-01", 1)
@pytest.mark.example("QUAL-01", 2)
@pytest.mark.example("QUAL-01", 3)
def test_qual_01_examples():
    assert asked(Discipline.OT) == [("QUAL-01", "BLOCK")]
    assert asked(Discipline.OT, ot_continuing=True) == []
    assert asked(Discipline.MSW, Discipline.HHA) == [("QUAL-01", "BLOCK")]
    assert asked(Discipline.SN, Discipline.HHA) == []
    assert asked(Discipline.SN, venipuncture_only=True) == [("QUAL-01", "BLOCK")]
    assert asked(Discipline.OT, programme=Programme.KP_HBPC, payer=Payer.KP) == [("QUAL-01", "WARN")]
    assert asked(Discipline.HHA, programme=Programme.MEDI_CAL_HH, payer=Payer.MEDI_CAL) == []


@pytest.mark.parametrize(
    ("visit_day", "expected"),
    [
        pytest.param("2026-12-12", [("QUAL-02", "BLOCK-OVR")], marks=pytest.mark.example("QUAL-02", 1)),
        pytest.param("2026-12-10", [], marks=pytest.mark.example("QUAL-02", 2)),
    ],
)
def test_qual_02_example_aide_after_the_last_therapy(visit_day, expected):
    facts = QualifyingFacts(day("2026-12-10"))
    case = make_case(Discipline.HHA, episode=MEDICARE, qualifying=facts)
    case = replace(case, visit=replace(case.visit, day=day(visit_day)))
    assert rules_of(qualifying.ask_dependent(case, POLICY)) == expected


@pytest.mark.example("QUAL-02", 3)
def test_qual_02_example_unexpected_admission():
    last = day("2026-12-05")
    assert rules_of(qualifying.ask_dependent_done(day("2026-12-08"), last)) == [("QUAL-02", "HOLD-BILL")]
    assert qualifying.ask_dependent_done(day("2026-12-08"), last, "INPATIENT") is None
    assert rules_of(qualifying.ask_dependent_done(day("2026-12-08"), None, "VACATION")) == [("QUAL-02", "HOLD-BILL")]


def test_qual_02_without_any_skilled_service():
    case = make_case(Discipline.HHA, qualifying=QualifyingFacts(None))
    (found,) = ask(case, Moment.CONFIRM, POLICY)
    assert found.sentence() == "No skilled visit is planned or ordered; HHA depends on one."


def test_qual_02_occupational_therapy_depends_until_it_continues():
    case = make_case(Discipline.OT, qualifying=QualifyingFacts(day("2026-11-09")))
    assert rules_of(qualifying.ask_dependent(case, POLICY)) == [("QUAL-02", "BLOCK-OVR")]
    continuing = replace(case, qualifying=QualifyingFacts(day("2026-11-09"), ot_continuing=True))
    assert qualifying.ask_dependent(continuing, POLICY) is None
    assert qualifying.ask_dependent(make_case(qualifying=QualifyingFacts(None)), POLICY) is None
    assert day("2026-11-10") == DAY
