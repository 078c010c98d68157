"""One entry of the directory as plain values, and every mistake in it, field by field. Pure.

The shipped file, an agency's spreadsheet and the API all meet these rules, so that none lets in what another refuses.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from coordinator.directory.terms import (
    FOCUS,
    HEALTH_SYSTEMS,
    KINDS,
    POPULATIONS,
    REFERRAL_RULES,
    SERVICES,
    SETTINGS,
    STATED,
    TOPICS,
)

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
#: A language as BCP 47 writes the common ones: en, yue, zh-Hant.
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", re.ASCII)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)
MOST = 40
#: Words that the API uses in the place of a key.
RESERVED = frozenset({"differences", "export", "hsds", "import", "onward", "stale", "terms"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field, and which words would be right."""

    field: str
    says: str


Check = Callable[[Any], str | None]


def text_up_to(most: int) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, str) or not value.strip():
            return "This must be text."
        if len(value) > most or "\x00" in value:
            return f"This has at most {most} characters, and no NUL."
        return None

    return check


def one_of(of: Iterable[str]) -> Check:
    known = tuple(of)
    return lambda value: None if value in known else f"This must be one of: {', '.join(known)}."


def list_of(one: Check) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) > MOST:
            return f"This is a list of at most {MOST}."
        if len({str(item) for item in value}) != len(value):
            return "Something is named twice."
        return next((said for item in value if (said := one(item)) is not None), None)

    return check


def _people(value: Any) -> str | None:
    if value == []:
        return "Say whom it serves, or not_stated."
    return list_of(one_of(POPULATIONS))(value)


def _settings(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "This says yes, no or not_stated for each setting."
    for name, stated in value.items():
        if name not in SETTINGS or stated not in STATED:
            return f"{str(name)[:40]} is one of {', '.join(SETTINGS)} and says yes, no or not_stated."
    return None


def _programs(value: Any) -> str | None:
    if not isinstance(value, list) or len(value) > MOST:
        return f"This is a list of at most {MOST}."
    for program in value:
        if not isinstance(program, dict) or set(program) - {"name_en", "name_zh_hant", "settings"}:
            return "A programme has name_en, name_zh_hant and settings."
        said = text_up_to(200)(program.get("name_en")) or list_of(one_of(SETTINGS))(program.get("settings", []))
        if said is not None:
            return said
        if "name_zh_hant" in program and (said := text_up_to(200)(program["name_zh_hant"])) is not None:
            return said
    return None


def _source_names(value: Any) -> str | None:
    if not isinstance(value, dict) or set(value) - {"en", "zh_hant"}:
        return "Names as the source writes them: en and zh_hant."
    return next((said for name in value.values() if (said := text_up_to(200)(name)) is not None), None)


def web_address(value: Any) -> str | None:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc or len(value) > 500:
        return "This is an address that begins with http:// or https://."
    return text_up_to(500)(value)


def _mail(value: Any) -> str | None:
    if not isinstance(value, str) or not _MAIL.fullmatch(value) or len(value) > 200:
        return "This is an e-mail address."
    return None


def _tag(value: Any) -> str | None:
    if not isinstance(value, str) or not _TAG.fullmatch(value):
        return "A language is written as en, yue or zh-Hant."
    return None


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "This is true or false."


def _line(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "A line is a number."


#: Columns of the row; all others are in `extra`.
COLUMNS: dict[str, Check] = {
    "kind": one_of(KINDS),
    "name_en": text_up_to(200),
    "name_zh_hant": text_up_to(200),
    "settings": _settings,
    "population": _people,
    "services": list_of(one_of(SERVICES)),
    "referral_rule": one_of(REFERRAL_RULES),
    "is_medical_care": _flag,
}
#: What somebody may say of an organisation and need not.
OPTIONAL: dict[str, Check] = {
    "short_name_en": text_up_to(100),
    "short_name_zh_hant": text_up_to(100),
    "description_en": text_up_to(1000),
    "description_zh_hant": text_up_to(1000),
    "programs": _programs,
    "topics": list_of(one_of(TOPICS)),
    "health_system": one_of(HEALTH_SYSTEMS),
    "area": text_up_to(200),
    #: Counties that it serves; none: not stated.
    "counties": list_of(text_up_to(60)),
    #: In which it serves people without an interpreter; none: not stated.
    "languages": list_of(_tag),
    "focus_communities": list_of(one_of(FOCUS)),
    "required_documents": list_of(text_up_to(200)),
    "phone": text_up_to(40),
    "email": _mail,
    "url": web_address,
    "address": text_up_to(300),
    "fees": text_up_to(300),
}
#: What only the shipped file says: where it was read, and what was written there.
OF_SOURCE: dict[str, Check] = {
    "source_lines": list_of(_line),
    "source_names": _source_names,
    "translation_review": one_of(("required", "reviewed", "not_needed")),
}
REQUIRED = ("kind", "name_en", "settings", "population", "services", "referral_rule", "is_medical_care")
#: What an agency may edit.
FIELDS: dict[str, Check] = COLUMNS | OPTIONAL
_ALL = FIELDS | OF_SOURCE


def key_mistake(key: Any) -> Mistake | None:
    """What is wrong with an entry's key; nothing if it is one."""
    if isinstance(key, str) and key in RESERVED:
        return Mistake("key", "This word is taken by the address of a list. Choose another key.")
    if isinstance(key, str) and KEY.fullmatch(key):
        return None
    return Mistake("key", "A key is up to 40 small letters, digits and underscores, and begins with a letter.")


def mistakes(entry: Mapping[str, Any], *, whole: bool = True) -> list[Mistake]:
    """Every mistake in an entry (without its key), or in some changes of one if not `whole`; None means "not said"."""
    found = [Mistake(name, "There is no such field.") for name in entry if name not in _ALL]
    needed = REQUIRED if whole else ()
    found += [Mistake(name, f"{name} is needed.") for name in needed if entry.get(name) is None]
    for name, value in entry.items():
        if name not in _ALL:
            continue
        if value is None:
            if not whole and name in REQUIRED:
                found.append(Mistake(name, f"{name} is needed."))
            continue
        said = _ALL[name](value)
        if said is not None:
            found.append(Mistake(name, said))
    return found
