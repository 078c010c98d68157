"""Who may stand in for whom, and what may be told outside."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from coordinator.domain.team import SharedContent
from coordinator.domain.vocabulary import Performer
from coordinator.rules.teams import Agreed, CoverFacts, Stretch, may_share, obstacles, uncovered

MONDAY = date(2026, 11, 16)
FRIDAY = date(2026, 11, 20)
SOUND = CoverFacts(
    starts_on=MONDAY, ends_on=FRIDAY, today=date(2026, 11, 9), same_person=False, away=Performer.RN,
    stands_in=Performer.RN,
)  # fmt: skip


def codes(facts: CoverFacts) -> list[str]:
    return [one.code for one in obstacles(facts)]


def test_a_sound_cover_meets_no_obstacle_and_may_begin_today() -> None:
    assert codes(SOUND) == []
    assert codes(replace(SOUND, today=FRIDAY)) == []
    neighbours = (Stretch(1, MONDAY - timedelta(days=3), MONDAY - timedelta(days=1)),)
    assert codes(replace(SOUND, already=neighbours, own_absences=neighbours, promised=neighbours)) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"same_person": True}, "cover-of-oneself"),
        ({"ends_on": MONDAY - timedelta(days=1)}, "cover-backwards"),
        ({"ends_on": MONDAY + timedelta(days=366)}, "cover-too-long"),
        ({"today": FRIDAY + timedelta(days=1)}, "cover-past"),
        ({"stands_in_active": False}, "coverer-inactive"),
        ({"same_discipline": False}, "cover-discipline"),
        ({"stands_in": Performer.LVN}, "cover-assistant"),
        ({"already": (Stretch(7, FRIDAY, FRIDAY),)}, "cover-overlaps"),
        ({"own_absences": (Stretch(7, FRIDAY, FRIDAY),)}, "coverer-away"),
        ({"own_covers": (Stretch(7, date(2026, 11, 1), MONDAY),)}, "coverer-covered"),
        ({"promised": (Stretch(7, MONDAY, MONDAY),)}, "away-covers"),
        ({"excluded_patients": (4,)}, "cover-excluded"),
    ],
)
def test_each_obstacle_is_named(change: dict[str, object], code: str) -> None:
    assert codes(replace(SOUND, **change)) == [code]  # type: ignore[arg-type]


def test_all_obstacles_are_named_at_once_and_an_assistant_covers_an_assistant() -> None:
    assert codes(replace(SOUND, same_person=True, excluded_patients=(4, 5))) == [
        "cover-of-oneself", "cover-excluded", "cover-excluded",
    ]  # fmt: skip
    assert codes(replace(SOUND, away=Performer.LVN, stands_in=Performer.LVN)) == []


def test_consent_holds_from_its_day_until_it_is_taken_back() -> None:
    schedule, plan = SharedContent.SCHEDULE, SharedContent.CARE_PLAN
    agreed = [
        Agreed(frozenset({schedule}), MONDAY, withdrawn_on=FRIDAY),
        Agreed(frozenset({plan}), MONDAY, ends_on=FRIDAY),
    ]
    assert may_share(agreed, MONDAY - timedelta(days=1)) == frozenset()
    assert may_share(agreed, FRIDAY - timedelta(days=1)) == {schedule, plan}
    assert may_share(agreed, FRIDAY) == {plan}
    assert may_share(agreed, FRIDAY + timedelta(days=1)) == frozenset()
    assert may_share([], MONDAY) == frozenset()


def test_an_absence_is_covered_when_every_day_of_it_is() -> None:
    away, wednesday = Stretch(1, MONDAY, FRIDAY), MONDAY + timedelta(days=2)
    assert uncovered(away, [])
    assert not uncovered(away, [Stretch(2, MONDAY - timedelta(days=9), FRIDAY)])
    assert not uncovered(away, [Stretch(3, wednesday, FRIDAY), Stretch(2, MONDAY, wednesday)])
    assert uncovered(away, [Stretch(2, MONDAY, MONDAY), Stretch(3, wednesday, FRIDAY)])
    assert uncovered(away, [Stretch(2, MONDAY, wednesday)])
