"""The scheduler's morning: a sick call becomes a proposal, is approved, and leaves a list of calls; a wanted visit gets
its place by an offer that was tried."""

import re

from playwright.sync_api import Page

from tests.browser.conftest import SignIn, faults_of


def _dragged(page: Page) -> None:
    """Drag the first visit of the second lane to the first lane."""
    block = page.locator(".track[data-clinician]").nth(4).locator(".block").first
    target = page.locator(".track[data-clinician]").nth(6)
    box = target.bounding_box()
    assert box is not None
    block.drag_to(target, target_position={"x": box["width"] * 0.6, "y": 10})


def test_the_morning_of_a_scheduler(site: str, sign_in: SignIn) -> None:
    page = sign_in(site, "scheduler")
    page.wait_for_url(re.compile("/board/"))
    assert page.locator(".block").count() > 20

    # 06:45: somebody calls in sick.
    page.keyboard.press("a")
    page.wait_for_url(re.compile("/board/absence"))
    page.select_option("[name=clinician]", label="Reyes, Ana (RN)")
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/board/repairs/\d+"))
    assert "Ana Reyes" in page.inner_text("h1")
    assert "Clinician " not in page.inner_text("main"), "people have names"
    assert faults_of(page) == []
    patients = page.locator("[name=patient]")
    ticked = patients.count()
    assert ticked > 0
    patients.first.uncheck()
    page.click("text=Approve what is ticked")
    page.wait_for_selector("text=Approved. Now call, in this order.")
    assert page.locator("#calls + ol li").count() >= ticked - 1
    assert page.locator("text=Still with whoever is away").count() == 1

    # A wanted visit: why not, and what was found to help.
    page.goto("/board/")
    before = int(re.findall(r"(\d+) without", page.inner_text(".waiting"))[0])
    page.locator(".cards li > a").first.click()
    page.wait_for_url(re.compile("/why-not"))
    assert page.locator("#answer ~ ul li").count() > 0
    page.locator("ol.lines form:has(input[name=steps]):not(:has([name=reason])) button").first.click()
    page.wait_for_selector("text=Done as offered.")
    after = int(re.findall(r"(\d+) without", page.inner_text(".waiting"))[0])
    assert after == before - 1


def test_a_drop_shows_what_it_would_do_before_it_does_it(site: str, sign_in: SignIn) -> None:
    page = sign_in(site, "scheduler")
    page.wait_for_url(re.compile("/board/"))
    _dragged(page)
    page.wait_for_url(re.compile(r"/board/visits/\d+\?clinician="))
    said = page.inner_text("main [role=status].said, main [role=status].problem")
    assert "This can be done." in said or "This cannot be done." in said
    chosen = page.locator("[name=clinician] option:checked").inner_text()
    assert "(RN)" in chosen
    page.fill("[name=minutes]", "720")
    page.click("text=Try")
    page.wait_for_selector("text=This cannot be done.")
