"""The directory as a page in English and Traditional Chinese: for reading on a telephone, and for printing."""

from dataclasses import replace
from typing import Any

from flask import render_template, request

from coordinator.core.errors import Invalid
from coordinator.core.http import work
from coordinator.core.work import Actor, Work
from coordinator.directory import education, service
from coordinator.directory.model import Resource
from coordinator.directory.terms import (
    FOCUS,
    KINDS,
    LANGUAGES,
    POPULATIONS,
    REFERRAL_RULES,
    REFERRERS,
    SERVICES,
    SETTINGS,
    STATED_WORDS,
    Label,
)

#: What the page itself says. Titles of the two lists are the source's, with the preferred word for palliative care.
WORDS = {
    "title": Label("Help with palliative care in San Francisco", "三藩市緩和療護資源"),
    "lead": Label(
        "Where patients and those who care for them can turn. Telephone and address stand where they are known.",
        "病人和照護者可以尋求協助的地方。已知的電話和地址列於各機構之下。",
    ),
    "medical_provider": Label(
        "Palliative care resources through medical providers", "透過醫療提供者的緩和療護資源"
    ),
    "community_support": Label(
        "Palliative care supportive services in the community", "社區緩和療護支援服務"
    ),
    "search": Label("Search", "搜尋"),
    "words": Label("Words", "字詞"),
    "need": Label("Need", "需要"),
    "setting": Label("Where", "地點"),
    "who_refers": Label("Who can refer", "誰可轉介"),
    "any": Label("any", "不限"),
    "silent": Label("also where nothing is said about the place", "包括未說明地點的機構"),
    "none": Label(
        "Nothing in the directory meets all of this. Take one condition away.", "沒有符合所有條件的機構，請減少條件。"
    ),
    "referral": Label("How to be referred", "如何轉介"),
    "for_whom": Label("For whom", "服務對象"),
    "services": Label("Services", "服務"),
    "area": Label("Area", "地區"),
    "languages": Label("Languages", "語言"),
    "phone": Label("Telephone", "電話"),
    "address": Label("Address", "地址"),
    "web": Label("Web", "網址"),
    "documents": Label("Bring", "請攜帶"),
    "programs": Label("Programmes", "計劃"),
    "focus": Label("Knows especially well; everybody is served:", "特別熟悉以下社區，但服務所有人士："),
    "not_medical": Label("Stands beside medical care and does not replace it.", "與醫療並行，不能代替醫療。"),
    "missing": Label("Translation missing", "尚無中文翻譯"),
    "review": Label("Translation under review", "翻譯有待審核"),
    "checked": Label("Last checked", "上次核實"),
    "unchecked": Label("Not checked lately: ask before you rely on it.", "近期未經核實，使用前請先查詢。"),
    "questions": Label("Questions often asked", "常見問題"),
    "watch": Label("To watch and read", "影片和讀物"),
    "to_list": Label("To the list of providers", "前往醫療提供者名單"),
    "other_language": Label("繁體中文", "English"),
    "home": Label("Coordinator", "Coordinator"),
}  # fmt: skip
_READER = Actor(name="public-page", permissions=frozenset({"resource:read"}))


def _asked(reader: Work) -> tuple[dict[str, Any], str, list[Resource]]:
    """What was asked, the language, and what was found: nothing, if the question holds an unknown word."""
    given = {name: request.args.get(name, "").strip()[:200] for name in ("q", "need", "setting", "who_refers")}
    language = "zh-Hant" if request.args.get("lang") == "zh-Hant" else LANGUAGES[0]
    silent = request.args.get("silent") == "yes"
    try:
        found = service.search(
            reader, need=given["need"] or None, setting=given["setting"] or None, include_not_stated=silent,
            who_refers=given["who_refers"] or None, text=given["q"].replace("\x00", ""), language=language,
        )  # fmt: skip
    except Invalid:
        return given | {"silent": silent}, language, []
    return given | {"silent": silent}, language, found


def page() -> str:
    """Organisations and questions in one language, as HTML."""
    reader = replace(work(), actor=_READER)
    asked, language, found = _asked(reader)
    since = service.checked_since(reader)
    say = {name: label.of(language) for name, label in WORDS.items()}
    chinese = language == "zh-Hant"
    groups = [(kind, say[kind], [_entry(row, language, since) for row in found if row.kind == kind]) for kind in KINDS]
    items = [
        {
            "title": words.title,
            "missing": words.translation_missing,
            "body": words.body,
            "by": ", ".join(part for part in (words.producer, item.speaker) if part),
            "url": item.url,
            "faq": item.type == "faq",
        }
        for item, words in ((item, education.shown(item, language)) for item in education.items(reader))
    ]
    choices = {"need": SERVICES, "setting": SETTINGS, "who_refers": REFERRERS}
    return render_template(
        "directory.html", say=say, language=language, other="en" if chinese else "zh-Hant", asked=asked, groups=groups,
        items=items, found=bool(found),
        choices={name: [(code, label.of(language)) for code, label in of.items()] for name, of in choices.items()},
    )  # fmt: skip


def _entry(row: Resource, language: str, since: Any) -> dict[str, Any]:
    shown, extra = service.shown(row, language), row.extra

    def words(codes: Any, labels: Any) -> str:
        return ("、" if language == "zh-Hant" else ", ").join(labels[code].of(language) for code in codes)

    return {
        "key": row.key,
        "shown": shown,
        "english_name": row.name_en if language == "zh-Hant" and shown.name != row.name_en else None,
        "settings": [
            (SETTINGS[name].of(language), STATED_WORDS[row.settings.get(name, "not_stated")].of(language),
             row.settings.get(name, "not_stated"))
            for name in SETTINGS
            if name != "outpatient_unspecified" or row.settings.get(name) == "yes"
        ],
        "referral": REFERRAL_RULES[row.referral_rule].says.of(language),
        "for_whom": words(row.population, POPULATIONS),
        "services": words(row.services, SERVICES),
        "focus": words(extra.get("focus_communities", ()), FOCUS),
        "programs": [
            (one.get("name_zh_hant") if language == "zh-Hant" else None, one["name_en"])
            for one in extra.get("programs", ())
        ],
        "area": extra.get("area") or ", ".join(extra.get("counties", ())),
        "languages": ", ".join(extra.get("languages", ())),
        "documents": ", ".join(extra.get("required_documents", ())),
        "extra": extra,
        "medical": row.is_medical_care,
        "checked_on": row.checked_on,
        "stale": service.is_stale(row, since),
    }  # fmt: skip
