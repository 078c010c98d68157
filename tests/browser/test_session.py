"""What a browser adds to signing in: typed words outlive the end of a session and a change of language."""

import re

from tests.browser.conftest import SignIn


def test_what_was_typed_is_there_again_after_the_session_ended(site: str, sign_in: SignIn) -> None:
    page = sign_in(site, "scheduler")
    page.goto("/inbox/")
    # A form of the page with words in it, as any screen has them.
    page.evaluate(
        """() => {
          const form = document.querySelector('.language').cloneNode(true);
          form.className = 'trial'; form.action = '/inbox/messages/1/acknowledge';
          form.innerHTML += '<label>Words <textarea name="text"></textarea></label><button>Send</button>';
          form.querySelector('[name=_page]').value = '/inbox/';
          document.querySelector('main').append(form);
        }"""
    )
    page.fill(".trial textarea", "She asked for the chaplain.")
    page.context.clear_cookies(name="coordinator_session")
    page.click(".trial button:last-child")
    page.wait_for_url(re.compile(r"/sign-in\?next=/inbox/&ended=1"))
    assert "what you typed will be there again" in page.inner_text("main")
    kept = page.evaluate("sessionStorage.getItem('coordinator:draft')")
    assert "She asked for the chaplain." in kept
    page.fill("[name=username]", "nurse")
    page.fill("[name=password]", "demo-home-care")
    page.click("main button[type=submit]")
    page.wait_for_url("**/inbox/")
    assert page.evaluate("sessionStorage.getItem('coordinator:draft')") is None, "it was another person's"


def test_signing_out_leaves_nothing_in_the_browser(site: str, sign_in: SignIn) -> None:
    page = sign_in(site, "scheduler")
    page.goto("/inbox/")
    page.evaluate("sessionStorage.setItem('kept', 'x'); localStorage.setItem('kept', 'x')")
    page.click(".who summary")
    page.click(".who button")
    page.wait_for_url("**/sign-in")
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]
    page.goto("/inbox/")
    assert "/sign-in" in page.url
