"""Languages of the screens: English is the key, Traditional Chinese is complete (a house test holds it so).

Each family of screens has a catalogue of its own, `translations/zh_Hant/LC_MESSAGES/<screens>.po`. The compiled form
that gettext reads is made from it when the app starts, wherever it is missing or older: a checkout needs no build step.
"""

import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, has_request_context, request
from flask_babel import Babel

TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"
#: Language as in the cookie, in an address and in `lang` -> the locale of babel and of the folder.
LOCALES = {"en": "en", "zh-Hant": "zh_Hant"}
#: What each language calls itself.
OWN_NAMES = {"en": "English", "zh-Hant": "繁體中文"}
COOKIE = "language"


def language() -> str:
    """The reader's language: what they chose; else what their browser asks for first; English if neither is ours."""
    if not has_request_context():
        return "en"
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LOCALES:
        return chosen
    for wanted, _weight in request.accept_languages:
        tag = wanted.lower()
        if tag.startswith("zh"):
            return "zh-Hant"
        if tag.startswith("en"):
            return "en"
    return "en"


def open_languages(app: Flask) -> None:
    """Compile what needs compiling, and give the templates `_()` and `ngettext()`."""
    catalogues = compiled()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([str(TRANSLATIONS)] * len(catalogues))
    app.config["BABEL_DOMAIN"] = ";".join(catalogues)
    Babel(app, default_locale="en", locale_selector=lambda: LOCALES[language()])


def compiled() -> list[str]:
    """Names of the catalogues, after each was compiled if it needed to be."""
    folder = TRANSLATIONS / "zh_Hant" / "LC_MESSAGES"
    sources = sorted(folder.glob("*.po"))
    for source in sources:
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
            _compile(source, target)
    return [source.stem for source in sources]


def _compile(source: Path, target: Path) -> None:
    """Several processes may start at once: each writes a file of its own and puts it in place whole."""
    with source.open("rb") as text:
        catalogue = read_po(text, locale="zh_Hant", abort_invalid=True)
    handle, made = tempfile.mkstemp(dir=target.parent, suffix=".new")
    with os.fdopen(handle, "wb") as binary:
        write_mo(binary, catalogue)
    # Stamped as its source is: a catalogue from yesterday that comes back with a checkout is noticed as well.
    stamp = source.stat()
    os.utime(made, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    Path(made).chmod(0o644)
    Path(made).replace(target)
