"""What the rule book sets down without asking it of facts: calendar, words, codes, and what is kept by design.

Each line has a name of its own, so that the catalogue is whole: sections 0.1 to 0.4 are CAL and VOC, section 21 is COD.
"""

from dataclasses import dataclass

from coordinator.rules.terms import Verification

__all__ = ["CONVENTIONS", "Convention"]


@dataclass(frozen=True, slots=True)
class Convention:
    """One of them. `kept_by` are dotted names in the product; empty where the product does not have it yet."""

    id: str
    section: str
    citation: str
    verification: Verification
    sentence: str
    sentence_zh: str
    kept_by: tuple[str, ...] = ()


V, K, D, P = Verification.CHECKED, Verification.KNOWN, Verification.DECISION, Verification.PROGRAMME
_TIMELINE = "coordinator.domain.timeline."

CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        "CAL-01", "0.1", "42 CFR 424.22(b), 484.55, 484.205, 484.230(b)", V,
        "A certification counts start of care as day 1, an assessment as day 0; days are the branch's own.",
        "核證期以開始服務當日為第1天，評估以當日為第0天；日子按分部當地時間計算。",
        (_TIMELINE + "certification_period", _TIMELINE + "recertification_window", _TIMELINE + "payment_period",
         _TIMELINE + "assessment_due", _TIMELINE + "notice_of_admission_due"),
    ),
    Convention(
        "CAL-02", "0.2", "Agency policy", D,
        "A visit week runs from Sunday to Saturday; sixty days touch nine or ten weeks.",
        "探訪週由星期日至星期六；六十天橫跨九週或十週。",
        (_TIMELINE + "week_start", _TIMELINE + "weeks_touched", _TIMELINE + "order_week"),
    ),
    Convention(
        "CAL-03", "0.3", "42 CFR 484.110; 22 CCR 74697; federal and California holidays", K,
        "Business days are counted from the day after, in the calendar of whoever makes the rule.",
        "工作日由翌日起計算，並按訂立規定者的假期曆。",
        (_TIMELINE + "add_business_days", _TIMELINE + "holidays"),
    ),
    Convention(
        "VOC-01", "0.4", "42 CFR 484.115, 409.44, 409.45", V,
        "Disciplines and professions are closed lists, and each profession furnishes one discipline.",
        "專業類別和人員類別都是固定清單，每類人員只提供一個專業的服務。",
        ("coordinator.domain.vocabulary.Discipline", "coordinator.domain.vocabulary.Performer"),
    ),
    Convention(
        "AID-01", "7", "42 CFR 409.45(a)", V,
        "Aide care depends on a qualifying skilled service; QUAL-02 asks it.",
        "助理照護須附屬於符合資格的專業服務；由QUAL-02查核。",
        ("coordinator.rules.qualifying.ask_dependent",),
    ),
    Convention(
        "VIS-04", "10", "Agency policy; FHIR R4 Appointment", D,
        "A visit goes from state to state only by the ways that are written down.",
        "探訪的狀態只可按既定的步驟改變。",
        ("coordinator.domain.lifecycle.may_become",),
    ),
    Convention(
        "COD-01", "21.1", "Medicare Claims Processing Manual ch. 10; HCPCS", V,
        "Who performs a visit decides its service code, whatever the order says.",
        "服務代碼由實際探訪的人員決定，而非醫囑上的寫法。",
        ("coordinator.visits.doing.service_code",),
    ),
    Convention(
        "COD-02", "21.2", "SNOMED CT, ICD-10-CM", V,
        "Diagnoses that arrive in SNOMED CT are kept in ICD-10-CM by the project's own table.",
        "以SNOMED CT傳入的診斷，按本系統的對照表轉為ICD-10-CM。",
        ("coordinator.fhir.mapping.load_code_map",),
    ),
    Convention(
        "COD-03", "21.3", "HL7 FHIR R4", V,
        "Patients, coverage, caregivers and care teams are read from FHIR R4 bundles.",
        "病人、保險、照護者和照護團隊可由FHIR R4資料包讀入。",
        ("coordinator.fhir.mapping.map_bundle",),
    ),
)  # fmt: skip
