"""REF-01 to REF-03."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.vocabulary import Criterion, ReferralDeclineReason, ReferralSetting
from coordinator.rules import referrals
from coordinator.rules.facts import ReferralClosing
from tests.rules.cases import CALIFORNIA, POLICY, day, local, make_referral, rules_of


def due_local(referral):
    due_at = referrals.initial_visit_due(referral, CALIFORNIA, POLICY).due_at
    return due_at and f"{due_at.astimezone(CALIFORNIA):%Y-%m-%d %H:%M %Z}"


# ------------------------------------------------------------------------------------ REF-01


@pytest.mark.example("REF-01", 1)
def test_ref_01_no_date_of_birth():
    referral = make_referral(date_of_birth=None)
    assert referrals.missing_content(referral) == ("date_of_birth",)
    task = referrals.ask_content(referral, day("2026-11-13"))
    assert (task.severity.value, task.due, task.owner) == ("TASK", day("2026-11-13"), "intake")
    assert "date_of_birth" in task.sentence()


@pytest.mark.example("REF-01", 2)
def test_ref_01_missing_npi_does_not_move_the_clock():
    referral = make_referral(practitioner_npi=" ")
    assert referrals.missing_content(referral) == ("practitioner_npi",)
    assert due_local(referral) == due_local(make_referral())


def test_ref_01_complete():
    assert referrals.missing_content(make_referral()) == ()
    assert referrals.ask_content(make_referral(), day("2026-11-13")) is None


def test_ref_01_an_inpatient_needs_an_expected_discharge():
    inpatient = make_referral(setting=ReferralSetting.INPATIENT)
    assert referrals.missing_content(inpatient) == ("expected_discharge_on",)
    assert referrals.missing_content(make_referral(setting=None)) == ("setting",)


# ------------------------------------------------------------------------------------ REF-02


@pytest.mark.example("REF-02", 1)
def test_ref_02_example_1_over_a_weekend():
    assert due_local(make_referral(received_at=local("2026-11-13 16:30"))) == "2026-11-15 16:30 PST"


@pytest.mark.example("REF-02", 2)
def test_ref_02_example_2_forty_eight_elapsed_hours_over_the_clock_change():
    assert due_local(make_referral(received_at=local("2026-10-31 10:00"))) == "2026-11-02 09:00 PST"
    assert due_local(make_referral(received_at=local("2026-03-07 10:00"))) == "2026-03-09 11:00 PDT"


@pytest.mark.example("REF-02", 3)
def test_ref_02_example_3_ordered_date():
    referral = make_referral(received_at=local("2026-11-10 09:00"), ordered_soc_date=day("2026-11-17"))
    due = referrals.initial_visit_due(referral, CALIFORNIA, POLICY)
    assert (due.on_day, due.due_at) == (day("2026-11-17"), local("2026-11-18 00:00"))
    now = local("2026-11-12 09:00")
    early = referrals.ask_initial_visit(referral, local("2026-11-16 10:00"), now, CALIFORNIA, POLICY)
    assert rules_of(early) == [("REF-02", "WARN")]
    assert "not on the ordered date 2026-11-17" in early.sentence()
    assert referrals.ask_initial_visit(referral, local("2026-11-17 23:30"), now, CALIFORNIA, POLICY) is None


def test_ref_02_from_hospital_the_clock_starts_at_home():
    referral = make_referral(setting=ReferralSetting.INPATIENT, expected_discharge_on=day("2026-11-16"))
    assert due_local(referral) is None
    waiting = referrals.ask_initial_visit(referral, None, local("2026-11-15 08:00"), CALIFORNIA, POLICY)
    assert (waiting.severity.value, waiting.due) == ("TASK", day("2026-11-15"))
    home = make_referral(setting=ReferralSetting.INPATIENT, returned_home_at=local("2026-11-16 15:00"))
    assert due_local(home) == "2026-11-18 15:00 PST"


def test_ref_02_a_later_day_counts_only_if_ordered_in_time():
    later = {"soc_date_changed_to": day("2026-11-20")}
    in_time = make_referral(soc_date_change_ordered_at=local("2026-11-15 16:00"), **later)
    too_late = make_referral(soc_date_change_ordered_at=local("2026-11-15 16:31"), **later)
    assert referrals.initial_visit_due(in_time, CALIFORNIA, POLICY).on_day == day("2026-11-20")
    assert due_local(too_late) == "2026-11-15 16:30 PST"


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-11-15 04:29", "TASK"), ("2026-11-15 04:30", "WARN"), ("2026-11-15 16:31", "WARN")],
)
def test_ref_02_warns_twelve_hours_before_and_never_refuses(now, expected):
    asked = referrals.ask_initial_visit(make_referral(), None, local(now), CALIFORNIA, POLICY)
    assert asked.severity.value == expected
    assert not asked.refuses


def test_ref_02_a_late_visit_is_warned_of():
    late = referrals.ask_initial_visit(
        make_referral(), local("2026-11-15 16:31"), local("2026-11-14 08:00"), CALIFORNIA, POLICY
    )
    assert rules_of(late) == [("REF-02", "WARN")]
    exact = referrals.ask_initial_visit(
        make_referral(), local("2026-11-15 16:30"), local("2026-11-14 08:00"), CALIFORNIA, POLICY
    )
    assert exact is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(CALIFORNIA)))  # noqa: DTZ001
def test_ref_02_is_always_forty_eight_elapsed_hours(received_at):
    received_at = received_at.astimezone(local("2026-01-01 00:00").tzinfo)
    due = referrals.initial_visit_due(make_referral(received_at=received_at), CALIFORNIA, POLICY)
    assert due.due_at - received_at == timedelta(hours=48)


def test_ref_02_needs_an_aware_instant():
    naive = datetime(2026, 11, 13, 16, 30)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone"):
        referrals.initial_visit_due(make_referral(received_at=naive), CALIFORNIA, POLICY)
    with pytest.raises(ValueError, match="not received"):
        referrals.initial_visit_due(make_referral(received_at=None), CALIFORNIA, POLICY)


# ------------------------------------------------------------------------------------ REF-03


@pytest.mark.example("REF-03", 1)
def test_ref_03_decline_without_reason():
    assert rules_of(referrals.ask_close(ReferralClosing(None, 1))) == [("REF-03", "BLOCK")]


@pytest.mark.example("REF-03", 2)
def test_ref_03_decline_for_the_service_area_with_a_resource():
    assert referrals.ask_close(ReferralClosing(ReferralDeclineReason.ELG_5, 1)) == ()


def test_ref_03_decline_without_resource():
    assert rules_of(referrals.ask_close(ReferralClosing(ReferralDeclineReason.CAPACITY))) == [("REF-03", "BLOCK")]


def test_ref_03_each_failed_criterion_is_a_reason():
    assert {criterion.value for criterion in Criterion} <= {reason.value for reason in ReferralDeclineReason}
