"""What the codes of teamwork say, in English and Traditional Chinese. No words of a patient are among them."""

from coordinator.domain.teamwork import Desk, TaskKind

#: Kind -> its title in English and in Traditional Chinese.
TASKS: dict[TaskKind, tuple[str, str]] = {
    TaskKind.FOLLOW_UP_SYMPTOM: ("Follow up on a symptom score", "跟進症狀評分"),
    TaskKind.SCORE_AGAIN: ("Score the symptom again", "再次為症狀評分"),
    TaskKind.PROPOSE_VISIT: ("Decide about an extra visit", "決定是否加訪"),
    TaskKind.ASK_FOR_ORDER: ("Ask the physician for an order", "向醫師請求醫囑"),
    TaskKind.INFORM_PHYSICIAN: ("Inform the managing physician", "通知主治醫師"),
    TaskKind.REVIEW_DECLINE: ("Review what a loss of function asks for", "檢視功能下降所需的照護"),
    TaskKind.SAFETY_PROTOCOL: ("Open the safety protocol now", "立即啟動安全流程"),
    TaskKind.FOLLOW_UP_MOOD: ("Follow up on a screen of mood", "跟進情緒篩檢"),
    TaskKind.SUPPORT_CAREGIVER: ("Support a caregiver under strain", "支援負擔沉重的照護者"),
    TaskKind.OFFER_SPIRITUAL_CARE: ("Offer spiritual care", "提供靈性關懷"),
    TaskKind.ANSWER_QUESTION: ("Answer a question", "回答提問"),
    TaskKind.DRAFT_ORDER: ("Draft an order", "草擬醫囑"),
    TaskKind.CHANGE_PLAN: ("Change the plan of care", "修改照護計畫"),
    TaskKind.WRITE_HANDOFF: ("Write a handoff", "撰寫交班"),
    TaskKind.READ_HANDOFF: ("Read and acknowledge a handoff", "閱讀並確認交班"),
    TaskKind.ARRANGE_COVER: ("Arrange who stands in for a primary clinician", "安排主責人員的代理"),
    TaskKind.CARRY_OUT_DECISION: ("Carry out what the team conference decided", "執行團隊會議的決定"),
    TaskKind.REVIEW_DIRECTIVES: ("Review advance care documents", "檢視預立醫療照護文件"),
    TaskKind.ANSWER_REQUEST: ("Answer a request of the patient or family", "回覆病人或家屬的請求"),
    TaskKind.TELL_FAMILY: ("Tell the family of a change, in their language", "以家屬的語言告知變動"),
    TaskKind.TEACH_AGAIN: ("Teach again what is not safe yet", "再次指導尚未掌握的照護"),
    TaskKind.CALL_PATIENT: ("Call the patient", "致電病人"),
    TaskKind.CALL_PRACTITIONER: ("Call another practitioner or clinic", "致電其他醫師或診所"),
    TaskKind.FIND_RESOURCE: ("Look for a community resource", "尋找社區資源"),
    TaskKind.FOLLOW_UP_RESOURCE: ("Follow up on a resource referral", "跟進資源轉介"),
    TaskKind.CHECK_RESOURCE: ("Check an entry of the resource directory", "核對資源名錄的資料"),
    TaskKind.OBTAIN_SUPPLIES: ("Obtain equipment or supplies", "取得輔具或用品"),
    TaskKind.REACH_OTHERWISE: (
        "A message was not delivered: reach the person otherwise",
        "訊息未能送達：請以其他方式聯絡",
    ),
    TaskKind.OTHER: ("See the note of the task", "請見任務備註"),
}
#: Desk -> its name in English and in Traditional Chinese.
DESKS: dict[Desk, tuple[str, str]] = {
    Desk.SCHEDULER: ("the scheduler", "排班人員"),
    Desk.INTAKE: ("intake", "收案人員"),
    Desk.CLINICAL_MANAGER: ("the clinical manager", "臨床主管"),
    Desk.ADMINISTRATOR: ("the administrator", "系統管理員"),
    Desk.PHYSICIAN: ("the physician", "醫師"),
    Desk.NURSE: ("the nurse", "護理師"),
    Desk.THERAPIST: ("the therapist", "治療師"),
    Desk.SOCIAL_WORKER: ("the social worker", "社工"),
    Desk.CHAPLAIN: ("the chaplain", "靈性關懷師"),
    Desk.AIDE: ("the aide", "居家照護員"),
}
