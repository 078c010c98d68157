"""Every page, in both languages: accessible by axe-core, sound by html-validate, no wider than the smallest phone."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, SignIn, faults_of, unsound
from tests.browser.pages import PAGES, Seen

SMALL = {"width": 320, "height": 640}


def _open(page: Page, seen: Seen) -> str:
    """Go there, and answer the HTML as the server sent it."""
    answer = page.goto(seen.path)
    if seen.link is not None:
        with page.expect_navigation() as led:
            page.click(seen.link)
        answer = led.value
    assert answer is not None
    return answer.text()


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_every_page_can_be_read_by_everybody(reading_room: str, sign_in: SignIn, language: str, tmp_path: Path) -> None:
    wrong: list[str] = []
    sent: dict[str, str] = {}
    for user in dict.fromkeys(seen.user for seen in PAGES):
        page = sign_in(reading_room, user, size=PHONE, language=language)
        for seen in PAGES:
            if seen.user != user:
                continue
            sent[seen.name] = _open(page, seen)
            assert page.evaluate("document.documentElement.lang") == language
            wrong += [f"{seen.name}: {fault}" for fault in faults_of(page)]
            page.set_viewport_size(SMALL)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > SMALL["width"]:
                wrong.append(f"{seen.name}: {wide} px wide on a phone of {SMALL['width']}")
            page.set_viewport_size(PHONE)
    wrong += unsound(sent, tmp_path)
    assert not wrong, "\n".join(wrong)
