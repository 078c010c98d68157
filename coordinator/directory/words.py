"""Different words for one thing, in both languages, so that a search by any of them finds the same. Pure.

Every group is one meaning; the first word is the one that is shown (programme notes E-6 to E-10).
"""

import re
import unicodedata

#: Note -> words that mean the same. Longer words of a group are folded before shorter ones.
SYNONYMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("E-6", ("緩和療護", "安寧療護", "緩和醫藥", "緩和醫療", "安寧緩和", "紓緩治療", "舒緩治療", "palliative care",
             "palliative medicine")),
    ("E-7", ("三藩市", "舊金山", "san francisco")),
    ("E-8", ("靈性關懷師", "牧師", "院牧", "chaplain")),
    ("E-9", ("家庭醫生", "主診醫生", "primary physician", "primary care physician", "family doctor")),
    ("E-9", ("凱撒醫療", "凱撒醫院", "凱薩", "kaiser permanente")),
    ("E-10", ("照護者", "護理人員", "照顧者", "caregiver", "carer")),
    ("E-1", ("整全照護", "holistic care")),
    ("E-2", ("晚期疾病管理", "advanced illness management")),
    ("", ("嚴重疾病", "重症", "重病", "serious illness")),
    ("", ("日常生活", "日程生活", "daily life")),
    ("", ("遠距醫療", "telehealth", "telemedicine")),
    ("", ("社工", "social worker")),
    ("", ("轉介", "referral")),
    ("", ("住院", "inpatient")),
    ("", ("門診", "outpatient")),
    ("", ("退伍軍人", "veteran")),
)  # fmt: skip
_FOLDED = sorted(
    ((word.casefold(), words[0].casefold()) for _, words in SYNONYMS for word in words[1:]),
    key=lambda pair: (-len(pair[0]), pair[0]),
)
_SPACE = re.compile(r"[\s,，、。;；/·()（）]+")


def plain_text(text: str) -> str:
    """The text without case, width or punctuation between words."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold())


def folded(text: str) -> str:
    """The text, plain, with one word for each meaning."""
    plain = plain_text(text)
    for word, instead in _FOLDED:
        plain = plain.replace(word, instead)
    return plain


def searchable(text: str) -> str:
    """What is looked in: the text as it is written and as it is meant, so that half a term is found as well."""
    return f"{plain_text(text)} {folded(text)}"


def wanted(text: str) -> list[str]:
    """What somebody who typed this looks for: each must occur."""
    return folded(text).split()
