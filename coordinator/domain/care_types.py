"""The kinds of care of the programme's page, what is done under each, and the groups of illnesses that it names.

All lists are open where the page says "including": what is in none of them is not refused anywhere.
"""

from enum import StrEnum

from coordinator.domain.vocabulary import Discipline


class CareType(StrEnum):
    """The page's four kinds of care (K-T0). Chaplains and physicians come with the team, and are none of them."""

    SKILLED_NURSING = "skilled_nursing"
    REHABILITATION = "rehabilitation"
    SOCIAL_SERVICES = "social_services"
    HOME_HEALTH_AIDE = "home_health_aide"


#: Which kind of care a discipline furnishes; disciplines that are not here are none of the page's.
CARE_TYPE_OF: dict[Discipline, CareType] = {
    Discipline.SN: CareType.SKILLED_NURSING,
    Discipline.PT: CareType.REHABILITATION,
    Discipline.OT: CareType.REHABILITATION,
    Discipline.SLP: CareType.REHABILITATION,
    Discipline.MSW: CareType.SOCIAL_SERVICES,
    Discipline.HHA: CareType.HOME_HEALTH_AIDE,
}


class Activity(StrEnum):
    """What is done on a visit, as the page names it."""

    TEACH_SELF_MANAGEMENT = "teach_self_management"
    PLAN_AND_COORDINATE = "plan_and_coordinate"
    ADMINISTER_TREATMENT = "administer_treatment"
    ASSESS = "assess"
    THERAPY = "therapy"
    RESOURCE_LINKAGE = "resource_linkage"
    COUNSELLING = "counselling"
    PERSONAL_CARE = "personal_care"


ACTIVITIES_OF: dict[CareType, tuple[Activity, ...]] = {
    CareType.SKILLED_NURSING: (
        Activity.TEACH_SELF_MANAGEMENT, Activity.PLAN_AND_COORDINATE, Activity.ADMINISTER_TREATMENT, Activity.ASSESS,
    ),
    CareType.REHABILITATION: (Activity.THERAPY,),
    CareType.SOCIAL_SERVICES: (Activity.RESOURCE_LINKAGE, Activity.COUNSELLING),
    CareType.HOME_HEALTH_AIDE: (Activity.PERSONAL_CARE,),
}  # fmt: skip
#: Only when a physician orders it (K-R1).
ON_ORDER_ALONE = frozenset({CareType.REHABILITATION})
#: Code -> its name in English and in Traditional Chinese.
NAMES: dict[CareType | Activity, tuple[str, str]] = {
    CareType.SKILLED_NURSING: ("Skilled nursing care", "專業護理"),
    CareType.REHABILITATION: ("Rehabilitation services", "復健服務"),
    CareType.SOCIAL_SERVICES: ("Social services", "社會服務"),
    CareType.HOME_HEALTH_AIDE: ("Home health aides", "居家照護員"),
    Activity.TEACH_SELF_MANAGEMENT: ("Teaching to manage the treatment oneself", "指導自行管理治療"),
    Activity.PLAN_AND_COORDINATE: ("Planning and coordinating care", "規劃與協調照護"),
    Activity.ADMINISTER_TREATMENT: ("Treatments against symptoms", "症狀治療"),
    Activity.ASSESS: ("Assessing symptoms and function", "評估症狀與功能"),
    Activity.THERAPY: ("Physical, occupational and speech therapy", "物理、職能與語言治療"),
    Activity.RESOURCE_LINKAGE: ("Finding and securing resources", "尋找並取得資源"),
    Activity.COUNSELLING: ("Counselling", "心理輔導"),
    Activity.PERSONAL_CARE: ("Short, intermittent personal care", "短期間歇的個人照護"),
}


class ConditionGroup(StrEnum):
    """Groups of illnesses as tags (K-02): they sort and find; eligibility asks for none of them (K-C2)."""

    CANCER = "cancer"
    HEART = "heart"
    LUNG = "lung"
    NEUROLOGIC = "neurologic"
    OTHER = "other"


#: First and last category of ICD-10-CM, both included, by its chapters and blocks.
_BLOCKS: tuple[tuple[str, str, ConditionGroup], ...] = (
    ("C00", "C96", ConditionGroup.CANCER),
    ("I05", "I09", ConditionGroup.HEART),
    ("I11", "I11", ConditionGroup.HEART),
    ("I13", "I13", ConditionGroup.HEART),
    ("I20", "I5A", ConditionGroup.HEART),
    ("J40", "J99", ConditionGroup.LUNG),
    ("F01", "F03", ConditionGroup.NEUROLOGIC),
    ("G00", "G99", ConditionGroup.NEUROLOGIC),
    ("I60", "I69", ConditionGroup.NEUROLOGIC),
)


def condition_group(code: str) -> ConditionGroup:
    """The group of a diagnosis in ICD-10-CM; whatever is in no block is `other`."""
    category = code.strip().upper()[:3]
    return next((group for first, last, group in _BLOCKS if first <= category <= last), ConditionGroup.OTHER)
