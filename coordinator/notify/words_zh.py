"""What a notice says in Traditional Chinese: a sentence for each kind, and the codes in it as people say them.

Words per the glossary. What is not here is said in English behind a mark (`words.NOT_TRANSLATED`); a test finds it.
Not yet read by a native reader.
"""

from coordinator.domain.family import FamilyLanguage
from coordinator.domain.vocabulary import Discipline
from coordinator.family import words as family

KINDS: dict[str, str] = {
    "referral.accepted": "轉介 {referral} 已獲接受：請為病人 {patient} 預約首次家訪{due}。",
    "hold.expired": "為轉介 {referral} 保留的 {day} 時段已逾時，不再保留。",
    "order.sent": "醫囑 {order}（{discipline}）待您簽署。",
    "order.signed": "醫囑 {order}（{discipline}）已簽署。",
    "order.declined": "醫囑 {order}（{discipline}）被退回：{reason}。新的草稿為醫囑 {replacement}。",
    "order.amended": "醫生在簽署前修改了醫囑 {order}（{discipline}）：請閱讀現在的內容。",
    "visit.late": "家訪 {visit} 的臨床人員約遲到 {minutes} 分鐘，請通知家屬。",
    "visit.missed": "病人 {patient} 的家訪 {visit}（{discipline}）未能進行：{reason}。",
    "visit.decide": "病人 {patient} 的家訪 {visit}（{discipline}）未能進行：{reason}。請決定如何處理。",
    "visit.decided": "醫生已就未進行的家訪 {visit} 作出決定：{decision}。",
    "visit.given": "{day} 的家訪 {visit} 現由您負責。",
    "visit.moved": "家訪 {visit} 已更改，現定於 {day}。",
    "visit.taken": "家訪 {visit} 不再由您負責。",
    "visit.cancelled": "{day} 的家訪 {visit} 已取消。",
    "visit.unheard": "家訪 {visit} 的臨床人員本應在 {due} 前{stage}，至今沒有消息。請立即致電。",
    "directives.differ": "病人 {patient} 的文件對是否急救說法不一：請於今天確定以哪一份為準。",
    "plan.changed": "病人 {patient} 的照護計畫已更改：請查看您是否同意。",
    "visit.proposed": "病人 {patient} 的評分顯示可能需要依醫囑安排一次按需要的{discipline}家訪。",
    "visit.asked": "病人 {patient} 的評分顯示需要{discipline}家訪，但醫囑的次數已用完：是否另開醫囑？",
    "family.tell": "請通知病人 {patient} 的家屬：有家訪已更改（通知 {notice}，語言：{language}）。",
    "safety.opened": "已為病人 {patient} 啟動安全應變程序：請立即處理。",
    "roster.published": "您的班表已公布（排程 {run}）。",
    "repair.waits": "調整方案 {repair} 待您處理：核准它需要您的職權。",
    "roster.repaired": "您的班表已更改（調整方案 {repair}）。",
    "note.to-you": "紀錄 {note} 是寫給您的。",
    "task.yours": "任務 {task} 已列入您的清單，期限為 {due_on}。",
    "task.late": "任務 {task} 的期限為 {due_on}，尚未完成。",
    "deadline.reminder": "{what}期限為 {due_on}（{rule}，{about}）。",
    "deadline.warning": "{what}期限將至，為 {due_on}（{rule}，{about}）。",
    "deadline.overdue": "{what}已於 {due_on} 逾期（{rule}，{about}）。",
}

#: Codes as people say them, by the fact that carries them.
SAID: dict[str, dict[str, str]] = {
    "reason": {
        "patient_refused": "病人拒絕",
        "patient_cancelled": "病人取消",
        "not_home_not_found": "無人在家",
        "md_appointment": "病人另有就診預約",
        "inpatient_er": "病人住院或在急診室",
        "family_request": "家屬要求",
        "unsafe_conditions": "入屋並不安全",
        "weather_disaster": "天氣或災害",
        "staff_illness": "臨床人員生病",
        "no_staff_available": "沒有人手可派",
        "interpreter_unavailable": "沒有口譯員",
        "agency_error": "機構出錯",
        "deceased": "病人已離世",
        "on_hold": "服務暫停中",
        "week_closed": "未在該週內進行",
        "goal_not_measurable": "有目標無法衡量",
        "frequency_too_high": "次數過多",
        "frequency_too_low": "次數過少",
        "wrong_discipline": "專業不符",
        "treatment_not_indicated": "並無此治療的需要",
        "not_my_patient": "並非該醫生的病人",
        "duplicate": "已有相同的醫囑",
        "needs_discussion": "需要商討",
        "other": "其他原因",
    },
    "decision": {"skip": "不補", "make_up": "補做", "other": "其他，請見該次家訪"},
    "discipline": {one.value: family.discipline(one, FamilyLanguage.CHINESE) for one in Discipline},
    "stage": {"begin": "開始", "end": "結束"},
    "language": {"en": "英文", "zh-Hant": "中文", "es": "西班牙文"},
}
#: What a subject is, as in `episode:33`.
NOUNS: dict[str, str] = {
    "aide": "照護員",
    "audit": "稽核紀錄",
    "authorisation": "授權",
    "breach": "資料外洩事件",
    "certification": "核證",
    "credential": "證照",
    "emergency": "緊急存取",
    "episode": "照護期",
    "exclusion": "除名查核",
    "notice": "通知",
    "order": "醫囑",
    "patient": "病人",
    "record-request": "病歷索取",
    "referral": "轉介",
    "supervision": "督導",
    "visit": "家訪",
}
