"""A physician's morning, as product.md tells it: by single keys at a desk, and by taps on a phone without script."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, SignIn, faults_of


def _orders_wait(office: Page, number: int) -> list[int]:
    """So many new orders for the demo's physician, each of another frequency than the one that was signed."""
    signed = office.request.get("/api/v1/orders?status=active_signed&physician_id=1&discipline=SN&limit=50").json()
    made: list[int] = []
    for old in signed["items"]:
        if len(made) == number:
            break
        draft: dict[str, Any] = {
            "discipline": "SN", "physician_id": 1, "effective_from": "2026-11-20", "frequency": "1w4",
            "treatments": old["treatments"], "goals_text": "Breathes easily at rest",
        }  # fmt: skip
        answer = office.request.post(f"/api/v1/patients/{old['patient_id']}/orders", data=draft)
        if answer.status == 201 and office.request.post(f"/api/v1/orders/{answer.json()['id']}/send").ok:
            made.append(answer.json()["id"])
    assert len(made) == number
    return made


def test_a_morning_of_signing_by_single_keys(site: str, sign_in: SignIn) -> None:
    office = sign_in(site, "manager")
    _orders_wait(office, 4)
    page = sign_in(site, "physician")
    expect(page.locator("h1")).to_have_text("To sign")
    page.wait_for_url("**/orders-to-sign/")
    lines = page.locator(".items a")
    waiting = lines.count()
    assert waiting >= 4

    page.keyboard.press("j")
    page.wait_for_url("**/orders-to-sign/order/*")
    second = page.url
    page.keyboard.press("k")
    page.wait_for_url(lambda url: url != second)
    page.keyboard.press("j")
    page.wait_for_url(second)

    page.keyboard.press("q")
    page.locator("#question").fill("Does she sleep lying down? j k x")  # keys are letters while one writes
    assert page.url == second
    page.locator("form:has(#question) button").click()
    expect(page.locator(".said")).to_contain_text("Asked.")

    page.keyboard.press("e")
    page.locator("#frequency").fill("1w3")
    page.locator("form:has(#frequency) button").click()
    expect(page.locator("#plain")).to_contain_text("1 visit a week for 3 weeks")
    expect(page.locator(".said")).to_contain_text("Its author is told")

    page.keyboard.press("r")
    assert faults_of(page) == []
    page.locator("button[value=needs_discussion]").click()
    expect(page.locator(".said")).to_contain_text("Rejected.")
    assert lines.count() == waiting - 1

    for left in range(waiting - 1, 0, -1):
        assert page.locator(".items .done").count() == waiting - 1 - left
        page.keyboard.press("x")
        expect(page.locator("#said .said")).to_contain_text("Marked as reviewed.")
        page.wait_for_load_state()
    page.wait_for_url("**/orders-to-sign/sign")
    assert page.locator(".sheet li").count() == waiting - 1
    page.fill("#password", "demo-home-care")
    page.locator("form:has(#password) button").click()
    expect(page.locator(".said")).to_contain_text("signed.")
    expect(page.locator(".empty").first).to_contain_text("Nothing waits for your signature.")


def test_cards_are_read_and_signed_on_a_phone_without_script(site: str, sign_in: SignIn) -> None:
    office = sign_in(site, "manager")
    _orders_wait(office, 1)
    page = sign_in(site, "physician", size=PHONE, java_script_enabled=False, language="zh-Hant")
    page.locator(".items a").first.click()
    page.wait_for_url("**/orders-to-sign/order/*")
    assert not page.locator(".waiting").is_visible()
    button = page.locator(".acts > form button").bounding_box()
    assert button is not None
    assert button["height"] >= 44
    page.locator(".acts > form button").click()
    page.goto("/orders-to-sign/sign")
    page.fill("#password", "demo-home-care")
    page.locator("form:has(#password) button").click()
    expect(page.locator(".said")).to_contain_text("已簽署 1 項")
