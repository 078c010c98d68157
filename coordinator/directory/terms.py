"""The closed lists of the directory, each word with its display in English and Traditional Chinese. Pure."""

from collections.abc import Mapping
from typing import NamedTuple


class Label(NamedTuple):
    """What people read for a code; the Chinese is the preferred word of the glossary, not always the source's."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        """The word in that language."""
        return self.zh if language == "zh-Hant" else self.en


LANGUAGES = ("en", "zh-Hant")

KINDS: Mapping[str, Label] = {
    "medical_provider": Label("Medical provider", "醫療提供者"),
    "community_support": Label("Community support", "社區支援"),
}

STATED = ("yes", "no", "not_stated")
#: What somebody reads for the three values: silence is not a no.
STATED_WORDS: Mapping[str, Label] = {
    "yes": Label("yes", "有"),
    "no": Label("no", "沒有"),
    "not_stated": Label("not stated", "未說明"),
}

SETTINGS: Mapping[str, Label] = {
    "inpatient": Label("In hospital", "住院"),
    "outpatient_clinic": Label("Clinic", "門診"),
    "outpatient_unspecified": Label("Outpatient, place not said", "門診（未說明地點）"),
    "home": Label("At home", "居家"),
    "telehealth": Label("By video or telephone", "遠距醫療"),
}

SERVICES: Mapping[str, Label] = {
    "palliative_care": Label("Palliative care", "緩和療護"),
    "coaching": Label("Coaching", "輔導"),
    "expectation_setting": Label("Knowing what to expect", "了解病程"),
    "self_advocacy_training": Label("Speaking up for oneself", "自我倡導訓練"),
    "decision_support": Label("Help with decisions", "決策支援"),
    "bereavement_support": Label("Support in grief", "哀傷支持"),
    "advance_care_planning": Label("Advance care planning", "預立醫療照護計畫"),
    "caregiver_support": Label("Caregiver support", "照護者支持"),
    "emotional_support": Label("Emotional support", "情緒支持"),
    "spiritual_support": Label("Spiritual support", "精神支持"),
    "social_service_referral": Label("Referral to social services", "轉介社會服務"),
    # What agencies add of their own.
    "adult_day_care": Label("Adult day care", "成人日間照護"),
    "equipment": Label("Medical equipment", "醫療器材"),
    "financial_help": Label("Help with money", "經濟援助"),
    "food": Label("Food and meals", "食物及送餐"),
    "housing": Label("Housing", "住屋"),
    "interpreting": Label("Interpreting", "傳譯"),
    "legal_help": Label("Legal help", "法律協助"),
    "personal_care": Label("Personal care at home", "居家個人照護"),
    "respite": Label("Respite for caregivers", "照護者喘息服務"),
    "support_group": Label("Support group", "互助小組"),
    "transport": Label("Transport", "交通接送"),
}

TOPICS: Mapping[str, Label] = {
    "practical": Label("Practical concerns", "實際事務"),
    "emotional": Label("Feelings", "情緒"),
    "existential": Label("Meaning of life", "生命意義"),
    "chronic_illness": Label("Chronic illness", "長期疾病"),
    "serious_illness": Label("Serious illness", "嚴重疾病"),
    "short_term_concern": Label("Short-term health concern", "短期健康問題"),
    "disability": Label("Disability", "殘障"),
    "grief": Label("Grief", "哀傷"),
    "death": Label("Death and dying", "死亡"),
}

POPULATIONS: Mapping[str, Label] = {
    "cancer": Label("People with cancer", "癌症患者"),
    "other_serious_illness": Label("People with another serious illness", "其他嚴重疾病患者"),
    "veterans_va": Label("Veterans in the care of the VA", "退伍軍人管理局的病人"),
    "kaiser_members_with_serious_illness": Label("Kaiser members with a serious illness", "患有嚴重疾病的凱撒會員"),
    "anyone_living_in_us": Label("Anyone living in the United States", "任何居住在美國的人士"),
    "all_with_serious_illness": Label("Everyone with a serious illness", "所有嚴重疾病患者"),
    "caregivers": Label("Caregivers", "照護者"),
    "children": Label("Children", "兒童"),
    "older_adults": Label("Older adults", "長者"),
    "people_with_dementia": Label("People with dementia", "認知障礙症患者"),
    "anyone": Label("Anyone", "任何人士"),
    "not_stated": Label("Not stated", "未說明"),
}

HEALTH_SYSTEMS: Mapping[str, Label] = {
    "kaiser": Label("Kaiser Permanente", "凱撒醫療"),
    "sutter": Label("Sutter", "Sutter"),
    "ucsf": Label("UCSF", "三藩市加大"),
    "va": Label("Veterans Administration", "退伍軍人管理局"),
    "zsfg": Label("Zuckerberg San Francisco General", "祖克柏舊金山綜合醫院"),
    "other": Label("Another health system", "其他醫療系統"),
}

REFERRERS: Mapping[str, Label] = {
    "self": Label("The person or family", "本人或家人"),
    "nurse": Label("A nurse", "護士"),
    "physician": Label("A physician", "醫生"),
    "own_system_physician": Label("A physician of the health system itself", "該醫療系統的醫生"),
    "va_provider": Label("A VA primary or specialty provider", "退伍軍人管理局的家庭醫生或專科醫生"),
    "social_worker": Label("A social worker", "社工"),
}


class ReferralRule(NamedTuple):
    """Who may start a referral, and the sentence that says so; display never relies on a source's prose (E-3, E-4)."""

    who: frozenset[str]
    says: Label


REFERRAL_RULES: Mapping[str, ReferralRule] = {
    "default_own_system_physician": ReferralRule(
        frozenset({"physician", "own_system_physician"}),
        Label(
            "The patient's physician refers within their own health system.",
            "由病人的醫生在其所屬醫療系統內轉介。",
        ),
    ),
    "va_primary_or_specialty_provider": ReferralRule(
        frozenset({"va_provider"}),
        Label(
            "A primary or specialty provider of the VA refers.",
            "由退伍軍人管理局的家庭醫生或該局的專科醫生轉介。",
        ),
    ),
    "patient_asks_doctor_or_nurse": ReferralRule(
        frozenset({"physician", "nurse"}),
        Label("The patient asks a doctor or a nurse to refer.", "病人可請醫生或護士轉介。"),
    ),
    "primary_physician_or_any_specialty_physician_or_nurse": ReferralRule(
        frozenset({"physician", "nurse"}),
        Label(
            "The primary physician refers, or a physician or nurse of any specialty.",
            "由家庭醫生、任何專科的醫生或護士轉介。",
        ),
    ),
    "self_no_doctor_referral": ReferralRule(
        frozenset({"self"}),
        Label("No referral is needed: people turn to it themselves.", "無需轉介，可自行聯絡。"),
    ),
    "anyone": ReferralRule(
        frozenset({"self", "nurse", "physician", "social_worker"}),
        Label("Anybody may refer, and people may come by themselves.", "任何人均可轉介，亦可自行聯絡。"),
    ),
    "health_or_social_worker": ReferralRule(
        frozenset({"nurse", "physician", "social_worker"}),
        Label("A nurse, a physician or a social worker refers.", "由護士、醫生或社工轉介。"),
    ),
    "not_stated": ReferralRule(
        frozenset(),
        Label("How to be referred is not stated: ask the organisation.", "未說明轉介方式，請向機構查詢。"),
    ),
}

#: Communities that an organisation knows best: a hint on its page, and never a question about a patient (CUL-01).
FOCUS: Mapping[str, Label] = {
    "black": Label("Black communities", "黑人社區"),
    "latinx": Label("Latinx communities", "拉丁裔社區"),
    "chinese": Label("Chinese communities", "華人社區"),
    "lgbtq": Label("LGBTQ communities", "LGBTQ社群"),
    "veterans": Label("Veterans", "退伍軍人"),
}

#: What the community tells the providers (S1-M2).
FEEDBACK_THEMES: Mapping[str, Label] = {
    "access": Label("Getting care", "獲得照護"),
    "communication": Label("Being told and heard", "溝通"),
    "culture": Label("Respect for culture", "尊重文化"),
    "spirituality": Label("Respect for faith", "尊重信仰"),
    "language": Label("Language", "語言"),
    "caregivers": Label("Support of caregivers", "照護者支援"),
    "quality": Label("Quality of care", "照護品質"),
    "other": Label("Something else", "其他"),
}
