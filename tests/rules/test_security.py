"""SEC-02, SEC-03, SEC-09 to SEC-12; and that what keeps the others is there."""

import importlib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from coordinator.domain.vocabulary import DisclosurePurpose, RecordRequestKind
from coordinator.rules import security
from coordinator.rules.catalogue import RULES
from tests.rules.cases import POLICY, day, local

CLINICAL = RecordRequestKind.CLINICAL_RECORD


def due(requested: str, visit: str | None, kind: RecordRequestKind = CLINICAL) -> tuple[date, str]:
    answer = security.record_request_due(kind, day(requested), day(visit) if visit else None, POLICY)
    return answer.on, answer.by


@pytest.mark.example("SEC-09", 1)
def test_the_record_is_due_at_the_next_visit():
    assert due("2026-11-25", "2026-11-30") == (date(2026, 11, 30), "next_visit")


@pytest.mark.example("SEC-09", 2)
def test_without_a_visit_it_is_due_in_four_business_days():
    assert due("2026-11-25", None) == (date(2026, 12, 2), "federal")
    assert due("2026-11-25", "2026-12-03") == (date(2026, 12, 2), "federal")


def test_californias_days_never_come_later_than_the_federal_ones():
    for kind in RecordRequestKind:
        for step in range(366):
            requested = date(2026, 1, 1) + timedelta(days=step)
            answer = security.record_request_due(kind, requested, None, POLICY)
            assert requested < answer.on <= security.record_request_due(CLINICAL, requested, None, POLICY).on


@pytest.mark.parametrize(
    ("kind", "silent", "expected"),
    [
        (RecordRequestKind.COPY, {"request_business_days": 90}, (date(2026, 12, 10), "state")),
        (RecordRequestKind.INSPECT, {"request_business_days": 90}, (date(2026, 12, 4), "state")),
        (RecordRequestKind.COPY, {"request_business_days": 90, "copy_days": 90}, (date(2026, 12, 25), "federal")),
    ],
)
def test_each_law_binds_where_the_ones_before_it_are_silent(
    kind: RecordRequestKind, silent: dict[str, int], expected: tuple[date, str]
):
    """As the book stands the four business days always come first, so nothing else would notice a wrong number here."""
    policy = replace(POLICY, records=replace(POLICY.records, **silent))
    answer = security.record_request_due(kind, date(2026, 11, 25), None, policy)
    assert (answer.on, answer.by) == expected


@pytest.mark.example("SEC-11", 1)
def test_a_breach_is_told_in_fifteen_business_days_and_sixty_days():
    told = security.breach_due(day("2026-11-20"), POLICY)
    assert (told.state_on, told.federal_on) == (date(2026, 12, 15), date(2027, 1, 19))


@pytest.mark.example("SEC-12", 1)
def test_an_adults_record_is_kept_seven_years():
    assert security.keep_until(day("1944-05-01"), day("2026-11-21"), POLICY) == date(2033, 11, 21)


@pytest.mark.example("SEC-12", 2)
def test_a_minors_record_is_kept_until_nineteen():
    assert security.keep_until(day("2015-03-10"), day("2026-11-21"), POLICY) == date(2034, 3, 10)
    assert security.keep_until(day("2009-03-10"), day("2026-11-21"), POLICY) == date(2033, 11, 21)
    # Born on a leap day: the eighteenth birthday and the year after it have none.
    assert security.keep_until(day("2016-02-29"), day("2026-11-21"), POLICY) == date(2035, 2, 28)


def against(today: str, holds: int = 0, discharged: str | None = "2026-11-21"):
    gone = day(discharged) if discharged else None
    return [finding.message for finding in security.ask_destruction(day("1944-05-01"), gone, holds, day(today), POLICY)]


def test_nothing_is_destroyed_before_its_day_nor_under_a_hold():
    assert len(against("2033-11-21")) == 1
    assert against("2033-11-22") == []
    assert len(against("2033-11-22", holds=1)) == 1
    assert len(against("2033-11-21", holds=1)) == 2
    assert len(against("2099-01-01", discharged=None)) == 1


@pytest.mark.example("SEC-10", 1)
def test_an_accounting_goes_back_six_years_and_leaves_out_care():
    today = day("2026-11-09")
    assert security.is_accounted(DisclosurePurpose.COURT, day("2020-11-09"), today, POLICY)
    assert not security.is_accounted(DisclosurePurpose.COURT, day("2020-11-08"), today, POLICY)
    assert not security.is_accounted(DisclosurePurpose.TREATMENT, today, today, POLICY)


def test_an_emergency_needs_a_reason_and_ends():
    assert security.ask_emergency("", "He is on the floor") is not None
    assert security.ask_emergency("life-threat", " ") is not None
    assert security.ask_emergency("life-threat", "He is on the floor") is None
    opened = local("2026-11-25 20:00")
    assert security.emergency_ends_at(opened, POLICY) == local("2026-11-26 00:00")
    assert security.emergency_review_due(day("2026-11-25"), POLICY) == date(2026, 11, 27)


@pytest.mark.example("SEC-03", 1)
def test_a_session_ends_after_fifteen_idle_minutes_and_twelve_hours():
    opened = local("2026-11-09 08:00")

    def over(**later: float) -> bool:
        now = opened + timedelta(**later)
        return security.session_over(opened, opened, now, idle_minutes=15, absolute_minutes=720)

    assert not over(minutes=15)
    assert over(minutes=15, seconds=1)
    assert security.session_over(
        opened, opened + timedelta(hours=12), opened + timedelta(hours=12, seconds=1), idle_minutes=15,
        absolute_minutes=720,
    )  # fmt: skip


@pytest.mark.parametrize("number", [*range(1, 13)])
def test_what_keeps_a_rule_is_there(number: int):
    for dotted in RULES[f"SEC-{number:02d}"].functions:
        parts = dotted.split(".")
        place = importlib.import_module(".".join(parts[:3]))
        for name in parts[3:]:
            place = getattr(place, name)
        assert callable(place)
