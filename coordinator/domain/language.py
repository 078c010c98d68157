"""Language tags as BCP 47 writes them (LNG-01): spoken and written languages are tags, never English words for them."""

import re

#: language, optional script, optional region: `en`, `yue`, `zh-Hant`, `es-US`, `zh-Hant-TW`, `es-419`.
_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)


def canonical(tag: str) -> str:
    """The tag with the letter case of BCP 47 (`ZH-hant` becomes `zh-Hant`); ValueError if it is not shaped like one."""
    found = _TAG.fullmatch(tag)
    if found is None:
        raise ValueError("This must be a language tag such as en, yue or zh-Hant.")
    language, script, region = found.groups()
    parts = [language.lower(), script.title() if script else None, region.upper() if region else None]
    return "-".join(part for part in parts if part)
