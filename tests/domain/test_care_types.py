"""The kinds of care and the groups of illnesses, as the programme's page names them."""

import pytest

from coordinator.domain.care_types import (
    ACTIVITIES_OF,
    CARE_TYPE_OF,
    NAMES,
    ON_ORDER_ALONE,
    Activity,
    CareType,
    ConditionGroup,
    condition_group,
)
from coordinator.domain.vocabulary import Discipline


@pytest.mark.parametrize(
    ("codes", "group"),
    [
        (("C34.90", "c91.10", "C96.9"), ConditionGroup.CANCER),
        (("I50.9", "I11.0", "I5A", "I27.20"), ConditionGroup.HEART),
        (("J44.9", "J84.112"), ConditionGroup.LUNG),
        (("G12.21", "F03.90", "I69.351"), ConditionGroup.NEUROLOGIC),
        (("N18.6", "I10", "D12.6", "K74.60", "Z51.5", ""), ConditionGroup.OTHER),
    ],
)
def test_every_diagnosis_is_in_a_group_and_the_list_stays_open(codes: tuple[str, ...], group: ConditionGroup) -> None:
    assert {condition_group(code) for code in codes} == {group}


def test_four_kinds_of_care_with_what_is_done_under_each_in_both_languages() -> None:
    assert set(CARE_TYPE_OF) == set(Discipline) - {Discipline.CHAP, Discipline.MDV}, "chaplains come with the team"
    assert set(ACTIVITIES_OF) == set(CareType)
    assert {one for many in ACTIVITIES_OF.values() for one in many} == set(Activity)
    assert {CareType.REHABILITATION} == ON_ORDER_ALONE
    assert set(NAMES) == {*CareType, *Activity}
    assert all(english.isascii() and not chinese.isascii() for english, chinese in NAMES.values())
