"""What every screen keeps to: both languages, no script or style inside a page, our own mark in every form."""

import hashlib
import re
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from coordinator.core.settings import ROOT

HOUSE = ROOT / "coordinator"
TEMPLATES = sorted((HOUSE / "templates" / "screens").rglob("*.html"))
CATALOGUES = sorted((HOUSE / "translations" / "zh_Hant" / "LC_MESSAGES").glob("*.po"))
VENDORED = tomllib.loads((HOUSE / "static" / "vendor" / "vendored.toml").read_text())
#: Pages that stand outside `screens/`; they keep to the same rules.
ALL_TEMPLATES = sorted((HOUSE / "templates").rglob("*.html"))

_MARKED = [("web/**.py", "python"), ("templates/screens/**.html", "jinja2")]


@lru_cache(maxsize=1)
def _said() -> dict[tuple[str, ...], str]:
    """Every text that the screens say through `_()` or `ngettext()`, with the place where it stands."""
    options = {"**.html": {"newstyle_gettext": "true"}}
    found: dict[tuple[str, ...], str] = {}
    for name, line, message, _comments, _context in extract_from_dir(
        HOUSE, method_map=_MARKED, options_map=options, keywords={"_": None, "gettext": None, "ngettext": (1, 2)}
    ):
        key = (message,) if isinstance(message, str) else tuple(message)
        found.setdefault(key, f"{name}:{line}")
    return found


def _spoken() -> dict[tuple[str, ...], tuple[str, str]]:
    """English -> (Chinese, catalogue)."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for path in CATALOGUES:
        with path.open("rb") as text:
            for message in read_po(text, locale="zh_Hant", abort_invalid=True):
                if message.id and not message.fuzzy:
                    key = (message.id,) if isinstance(message.id, str) else tuple(message.id)
                    said = message.string if isinstance(message.string, str) else message.string[0]
                    known = found.setdefault(key, (said, path.name))
                    assert known[0] == said, f"{key[0]!r} is {known[0]!r} in {known[1]}, and {said!r} in {path.name}"
    return found


def test_every_word_of_the_screens_is_said_in_chinese() -> None:
    spoken = _spoken()
    missing = {place: key[0] for key, place in _said().items() if not spoken.get(key, ("", ""))[0].strip()}
    assert missing == {}, "write them in translations/zh_Hant/LC_MESSAGES"
    assert len(_said()) > 20


def test_no_translation_is_left_over() -> None:
    assert sorted(key[0] for key in _spoken().keys() - _said().keys()) == []


def test_translations_fill_in_the_same_facts() -> None:
    def facts(text: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)", text))

    wrong = {key[0]: said for key, (said, _) in _spoken().items() if facts(key[-1]) != facts(said)}
    assert wrong == {}


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=lambda path: path.name)
def test_no_page_carries_script_or_style_inside(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style\b|\sstyle=", text)
    assert not re.search(r"\son[a-z]+=|javascript:|\shx-on", text)
    assert not re.search(r"(?:src|href)=[\"']https?://", text), "only what is our own is loaded"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_our_mark(path: Path) -> None:
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(encoding="utf-8"), re.S)
    assert [form[:80] for form in forms if "csrf_token" not in form and "begin(" not in form] == []


@pytest.mark.parametrize("name", VENDORED)
def test_what_is_others_is_unchanged_and_says_its_licence(name: str) -> None:
    folder, about = HOUSE / "static" / "vendor" / name, VENDORED[name]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(about["sha256"])
    for file, digest in about["sha256"].items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest, file
    assert about["licence"]
    assert any("licen" in file.lower() for file in files)


def test_nothing_of_others_stands_outside_the_list() -> None:
    folders = {path.name for path in (HOUSE / "static" / "vendor").iterdir() if path.is_dir()}
    assert folders == set(VENDORED)
