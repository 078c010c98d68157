"""Language tags as BCP 47 writes them (LNG-01): spoken and written languages are tags, never English words for them."""

import re

#: language, optional script, optional region: `en`, `yue`, `zh-Hant`, `es-US`, `zh-Hant-TW`, `es-419`.
_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)

_PRIMARY = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no
    nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te
    tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    aii ase ceb chk ckb cmn fil hak haw hil hmn ilo kar kjb kmr kos ksw mam mix mww nan pam pon prs quc rhg sgn war wuu
    yap yua yue
"""
#: Primary subtags of languages that there are: all of ISO 639-1, and those of ISO 639-3 that home care meets here.
KNOWN = frozenset(_PRIMARY.split())


def canonical(tag: str) -> str:
    """The tag with the letter case of BCP 47 (`ZH-hant` becomes `zh-Hant`); ValueError if it is not shaped like one."""
    found = _TAG.fullmatch(tag)
    if found is None:
        raise ValueError("This must be a language tag such as en, yue or zh-Hant.")
    language, script, region = found.groups()
    parts = [language.lower(), script.title() if script else None, region.upper() if region else None]
    return "-".join(part for part in parts if part)


#: Languages that are spoken differently and written in one: Chinese.
_WRITTEN_AS = dict.fromkeys(("yue", "cmn", "nan", "hak", "wuu"), "zh")


def reads(tag: str, written_in: str) -> bool:
    """Whether somebody whose written language is `tag` reads what is written in `written_in`.

    Regions do not matter; scripts do where both are named. Cantonese and Mandarin are written in one language. What is
    no tag is read by nobody else.
    """
    mine, its = _TAG.fullmatch(tag), _TAG.fullmatch(written_in)
    if mine is None or its is None:
        return tag == written_in
    scripts = {found.group(2).title() for found in (mine, its) if found.group(2)}
    return _language(mine) == _language(its) and len(scripts) < 2


def _language(found: re.Match[str]) -> str:
    language = found.group(1).lower()
    return _WRITTEN_AS.get(language, language)
