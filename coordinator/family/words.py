"""What the family's page says, in three languages. English is the source; the others wait for a reviewer and say so."""

from collections.abc import Mapping
from datetime import date, datetime, time

from coordinator.domain.family import FamilyLanguage, RequestTopic, VisitChange
from coordinator.domain.vocabulary import Discipline

E, C, S = FamilyLanguage.ENGLISH, FamilyLanguage.CHINESE, FamilyLanguage.SPANISH

WORDS: Mapping[str, Mapping[FamilyLanguage, str]] = {
    "title": {E: "Home visits", C: "家訪安排", S: "Visitas a domicilio"},
    "lead": {
        E: "These are the visits planned for the next {days} days. Times may change: if you were told a time and it changes, we tell you.",
        C: "以下是未來{days}天的家訪安排。時間可能會有變動；如果我們告知過您的時間有更改，會再通知您。",
        S: "Estas son las visitas previstas para los próximos {days} días. Los horarios pueden cambiar: si cambia uno que ya le dijimos, le avisaremos.",
    },
    "none": {E: "No visit is planned in these days.", C: "這段時間沒有安排家訪。", S: "No hay visitas previstas en estos días."},
    "when": {E: "When", C: "時間", S: "Cuándo"},
    "who": {E: "Who comes", C: "到訪人員", S: "Quién viene"},
    "minutes": {E: "about {minutes} minutes", C: "約{minutes}分鐘", S: "unos {minutes} minutos"},
    "moved": {E: "Changed. Before: {before}", C: "已更改。原定：{before}", S: "Cambió. Antes: {before}"},
    "cancelled": {E: "Cancelled", C: "已取消", S: "Cancelada"},
    "ask": {E: "Ask us for something", C: "有什麼需要，請告訴我們", S: "¿Necesita algo? Escríbanos"},
    "emergency": {
        E: "In an emergency call 911. Nobody reads this form at once.",
        C: "如有緊急情況，請致電 911。我們不會即時查看此表格。",
        S: "En una emergencia, llame al 911. Nadie lee este formulario de inmediato.",
    },
    "concern": {E: "For whom?", C: "這是為誰提出的？", S: "¿Para quién?"},
    "concern.self": {E: "For me", C: "為我自己", S: "Para mí"},
    "concern.cared_for": {E: "For the person I care for", C: "為我照顧的人", S: "Para la persona a quien cuido"},
    "topic": {E: "What is it about?", C: "關於哪方面？", S: "¿De qué se trata?"},
    "topic.visit_time": {E: "The time of a visit", C: "家訪時間", S: "La hora de una visita"},
    "topic.symptom": {E: "How somebody feels", C: "身體感覺或症狀", S: "Síntomas o cómo se siente alguien"},
    "topic.medicine": {E: "Medicine", C: "藥物", S: "Medicamentos"},
    "topic.equipment": {E: "Equipment and supplies", C: "設備和用品", S: "Equipo y suministros"},
    "topic.help_for_caregiver": {E: "Help for the caregiver", C: "照護者支持", S: "Ayuda para la persona que cuida"},
    "topic.spiritual": {E: "Spiritual care", C: "靈性關懷", S: "Apoyo espiritual"},
    "topic.language": {E: "Language and interpreter", C: "語言和口譯", S: "Idioma e intérprete"},
    "topic.other": {E: "Something else", C: "其他", S: "Otra cosa"},
    "words": {E: "What do you need?", C: "您需要什麼？", S: "¿Qué necesita?"},
    "send": {E: "Send", C: "提交", S: "Enviar"},
    "sent": {
        E: "We have your request. Somebody of the team will answer.", C: "我們已收到您的訊息，團隊成員會回覆您。",
        S: "Recibimos su solicitud. Alguien del equipo le responderá.",
    },
    "not_sent": {
        E: "It was not sent. Choose what it is about and write a few words.", C: "未能提交。請選擇是哪方面的事，並簡單寫下您的需要。",
        S: "No se envió. Elija de qué se trata y escriba unas palabras.",
    },
    "too_many": {
        E: "We have had several requests from you today. Please call the office.", C: "我們今天已收到您多則訊息，請致電辦公室。",
        S: "Hoy ya recibimos varias solicitudes suyas. Por favor, llame a la oficina.",
    },
    "calendar": {E: "Print the calendar", C: "列印日程表", S: "Imprimir el calendario"},
    "back": {E: "Back", C: "返回", S: "Volver"},
    "as_of": {E: "As of {when}", C: "截至{when}", S: "Actualizado: {when}"},
    "private": {
        E: "This page is for you alone. Do not pass the link on.", C: "本頁僅供您本人使用，請勿轉發連結。",
        S: "Esta página es solo para usted. No comparta el enlace.",
    },
    # Said until somebody who knows the field has read them (45 CFR 92.201(c)(3)).
    "unreviewed": {
        E: "", C: "譯文尚未經母語人士審閱（translation not yet reviewed）。",
        S: "Traducción aún no revisada por un hablante nativo (translation not yet reviewed).",
    },
    "gone": {
        E: "This link is no longer valid. Ask the office for a new one.", C: "此連結已失效，請向辦公室索取新連結。",
        S: "Este enlace ya no es válido. Pida uno nuevo a la oficina.",
    },
    "busy": {
        E: "This page was opened very often just now. Please try again in a minute.",
        C: "此頁剛才開啟次數過多，請一分鐘後再試。",
        S: "Esta página se abrió muchas veces hace un momento. Vuelva a intentarlo en un minuto.",
    },
    "SN": {E: "Nurse", C: "護士", S: "Enfermera o enfermero"},
    "PT": {E: "Physical therapist", C: "物理治療師", S: "Fisioterapeuta"},
    "OT": {E: "Occupational therapist", C: "職能治療師", S: "Terapeuta ocupacional"},
    "SLP": {E: "Speech therapist", C: "語言治療師", S: "Terapeuta del habla"},
    "MSW": {E: "Social worker", C: "社工", S: "Trabajador o trabajadora social"},
    "HHA": {E: "Home health aide", C: "居家照護員", S: "Asistente de salud en el hogar"},
    "CHAP": {E: "Chaplain", C: "靈性關懷師", S: "Acompañante espiritual"},
    "MDV": {E: "Physician or nurse practitioner", C: "醫生或執業護士", S: "Médico o enfermero de práctica avanzada"},
    "notice.moved": {
        E: "The visit of {old} is on {new} now.", C: "原定{old}的家訪改為{new}。", S: "La visita del {old} ahora es el {new}.",
    },
    "notice.cancelled": {E: "The visit of {old} is cancelled.", C: "{old}的家訪已取消。", S: "La visita del {old} se canceló."},
}  # fmt: skip

_WEEKDAYS = {
    E: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    C: ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    S: ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    E: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    S: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}


def say(key: str, language: FamilyLanguage, **facts: object) -> str:
    """The page's words for `key`; KeyError for one that is not in the table."""
    return WORDS[key][language].format(**facts)


def discipline(one: Discipline, language: FamilyLanguage) -> str:
    """Who comes, by profession, as families say it."""
    return say(one.value, language)


def topics(language: FamilyLanguage) -> list[tuple[str, str]]:
    """What one may ask about: (value, words)."""
    return [(topic.value, say(f"topic.{topic.value}", language)) for topic in RequestTopic]


def weekdays(language: FamilyLanguage) -> tuple[str, ...]:
    """Monday to Sunday."""
    return _WEEKDAYS[language]


def day_words(day: date, language: FamilyLanguage) -> str:
    """The day in the reader's habit."""
    weekday = _WEEKDAYS[language][day.weekday()]
    if language is C:
        return f"{day.month}月{day.day}日（{weekday}）"
    month = _MONTHS[language][day.month - 1]
    return f"{weekday}, {month} {day.day}" if language is E else f"{weekday} {day.day} de {month}"


def time_words(at: time, language: FamilyLanguage) -> str:
    """The time of day in the reader's habit."""
    hour, half = at.hour % 12 or 12, at.hour >= 12
    if language is C:
        return f"{'下午' if half else '上午'}{hour}:{at.minute:02d}"
    ending = ("p. m." if half else "a. m.") if language is S else ("PM" if half else "AM")
    return f"{hour}:{at.minute:02d} {ending}"


def moment(local: datetime, language: FamilyLanguage) -> str:
    """A wall-clock instant: day and time."""
    joined = {E: " at ", C: "", S: " a la " if local.hour % 12 == 1 else " a las "}[language]
    return f"{day_words(local.date(), language)}{joined}{time_words(local.time(), language)}"


def notice(change: VisitChange, language: FamilyLanguage, old: datetime, new: datetime | None) -> str:
    """What is said of a visit that changed; `old` and `new` are wall clock."""
    told = "" if new is None else moment(new, language)
    return say(f"notice.{change.value}", language, old=moment(old, language), new=told)
