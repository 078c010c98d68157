"""A nurse's day on a telephone: with a signal, without one, and after a session that ended meanwhile."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from coordinator.demo.agency import PASSWORD
from tests.browser.conftest import PHONE, SignIn
from tests.browser.stage import MORNING


@pytest.fixture
def phone(site: str, sign_in: SignIn) -> Page:
    """Ana's telephone, with today and tomorrow kept on it."""
    expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
    page = sign_in(site, "nurse", size=PHONE)
    page.clock.install(time=MORNING + timedelta(minutes=1))  # the telephone's clock is the server's
    page.goto("/roster/")
    _until(
        page,
        """async () => {
          const wanted = [...document.querySelectorAll('[data-keep]')].flatMap((one) => one.dataset.keep.split(' '));
          const pages = (await (await caches.open('roster-pages')).keys()).map((one) => new URL(one.url).pathname);
          const script = await caches.match('/static/screens/roster.js');
          return wanted.length > 2 && script
            && wanted.every((one) => pages.includes(one));
        }""",
    )
    return page


def _until(page: Page, holds: str) -> None:
    """Wait until that is true on the page. Playwright's own waiting would ask for `eval`, and for the page's clock."""
    for _ in range(1200):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(holds)


def _tap(page: Page, act: str) -> None:
    page.locator(f"form[data-outbox={act}]:not([hidden]) button").first.click()


def _shows(page: Page, visit: str, state: str) -> None:
    expect(page.locator(f"[data-visit='{visit}'] [data-chip]")).to_have_text(state)


def _next(page: Page) -> str:
    return str(page.locator(".stop.next").get_attribute("data-visit"))


def test_a_day_without_signal_arrives_whole_once_and_in_order(phone: Page) -> None:
    first = _next(phone)
    phone.context.set_offline(True)
    phone.goto("/roster/")  # from the telephone
    expect(phone.locator("#outbox")).to_be_hidden()
    _tap(phone, "on-my-way")
    expect(phone.locator("#waits")).to_have_text("1 action will send")
    _shows(phone, first, "on the way")
    phone.goto(f"/roster/visits/{first}")
    _shows(phone, first, "on the way")  # what was tapped shows on every page
    _tap(phone, "start")
    expect(phone.locator("#waits")).to_have_text("2 actions will send")
    phone.goto(f"/roster/visits/{first}/symptoms/ESAS-r")
    phone.locator("input[name=pain][value='7']").check(force=True)
    _tap(phone, "symptoms")
    expect(phone.locator("#waits")).to_have_text("3 actions will send")
    phone.goto("/roster/visits/999999")
    assert "No signal" in phone.inner_text("h1")
    phone.goto("/roster/")
    with phone.expect_event("load"):
        phone.context.set_offline(False)
    expect(phone.locator("#outbox")).to_be_hidden()
    _shows(phone, first, "in the home")
    phone.goto(f"/roster/visits/{first}")
    said = phone.inner_text("main")
    assert re.search(r"Begun at 6:4\d", said)
    assert "ESAS-r" in said
    assert "Pain 7" in said
    _tap(phone, "finish")
    expect(phone.locator("[data-state=completed]")).to_be_visible()


def test_what_is_refused_later_becomes_a_question_that_stays_until_it_is_answered(phone: Page) -> None:
    first = _next(phone)
    phone.context.set_offline(True)
    phone.goto("/roster/")
    phone.locator(".more summary").click()
    phone.get_by_role("button", name="Nobody answered").click()  # an hour too early: nobody can have been there
    expect(phone.locator("#waits")).to_have_text("1 action will send")
    phone.context.set_offline(False)
    asks = phone.locator(".question")
    expect(asks).to_contain_text("This was not accepted: Missed")
    expect(asks).to_contain_text("tap On my way first")
    _shows(phone, first, "planned")  # what was refused has not happened
    phone.reload()
    expect(asks).to_be_visible()  # the question stays until it is answered
    asks.get_by_role("button", name="Leave it out").click()
    asks.get_by_role("button", name="Leave it out for good").click()
    expect(phone.locator("#outbox")).to_be_hidden()


def test_a_session_that_ended_without_signal_asks_to_sign_in_and_goes_on(phone: Page) -> None:
    first = _next(phone)
    phone.context.set_offline(True)
    phone.goto("/roster/")
    _tap(phone, "on-my-way")
    expect(phone.locator("#waits")).to_be_visible()
    phone.context.clear_cookies()
    phone.context.set_offline(False)
    link = phone.locator("#waits a")
    expect(link).to_have_text("Sign in to send them")
    link.click()
    # Somebody else uses the telephone first: they neither see nor send it, and cannot lose it by signing out.
    _sign_in(phone, "therapist")
    expect(phone.locator("#outbox")).to_contain_text("Actions of somebody else wait on this phone")
    assert phone.locator("#waits").count() == 0
    _sign_out(phone)
    expect(phone.locator("#outbox")).to_contain_text("Signing out now would lose it")
    phone.context.clear_cookies()
    phone.goto("/roster/")
    _sign_in(phone, "nurse")
    expect(phone.locator("#outbox")).to_be_hidden()
    expect(phone.locator(f"[data-visit='{first}'][data-state=en_route]")).to_be_visible()


def _sign_in(page: Page, user: str) -> None:
    page.fill("[name=username]", user)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/roster/")


def _sign_out(page: Page) -> None:
    page.click(".who summary")
    page.click(".who button")


def test_signing_out_leaves_nothing_of_the_days_on_the_telephone(phone: Page) -> None:
    _sign_out(phone)
    phone.wait_for_url("**/sign-in")
    assert phone.evaluate("caches.has('roster-pages')") is False
    assert phone.evaluate("indexedDB.databases().then((all) => all.length)") == 0
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        phone.goto("/roster/")
