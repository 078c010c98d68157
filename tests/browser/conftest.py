"""A served demo agency, a browser, and people who are signed in to it.

Chromium and node are not Python's to install: `make test` installs them where it can. Where one is missing, every test
here is skipped, and the last lines of the run say so.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from coordinator.core.settings import ROOT
from coordinator.demo.agency import PASSWORD

HERE = Path(__file__).parent
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
JUDGES = HERE / "node_modules"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Where something is missing, each test here is skipped, and says so."""
    item.add_marker(pytest.mark.slow)
    missing = "no Chromium" if CHROMIUM is None else None if JUDGES.is_dir() else "no axe-core and html-validate"
    if missing:
        item.add_marker(pytest.mark.skip(reason=f"THE SCREENS WERE NOT TRIED IN A BROWSER: {missing} here"))


@contextmanager
def served(database: Path) -> Iterator[str]:
    """The address at which that database is served on the staged morning."""
    log = database.with_suffix(".log")  # a file: nobody reads it while the server writes
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.stage", "serve", str(database)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=told, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, log.read_text()[-2000:]
        yield address
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo agency with a published week, to be copied."""
    path = tmp_path_factory.mktemp("stage") / "stage.sqlite3"
    subprocess.run([sys.executable, "-m", "tests.browser.stage", "build", str(path)], cwd=ROOT, check=True,
                   capture_output=True)  # fmt: skip
    return path


@pytest.fixture(scope="session")
def reading_room(stage: Path) -> Iterator[str]:
    """One server for all tests that change nothing."""
    copy = stage.with_name("read.sqlite3")
    shutil.copy(stage, copy)
    with served(copy) as address:
        yield address


@pytest.fixture
def site(stage: Path, tmp_path: Path) -> Iterator[str]:
    """A server of this test's own, on a fresh copy."""
    copy = tmp_path / "site.sqlite3"
    shutil.copy(stage, copy)
    with served(copy) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


#: (address, user, language, size) -> a page of somebody signed in; closed with the test.
SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(chromium: Browser) -> Iterator[SignIn]:
    """`sign_in(site, "nurse", size=PHONE, language="zh-Hant")`: a page in a browser of that person's own.

    What the page complains of (a refused script, a fault) is in `page.complaints` and fails the test at its end.
    """
    contexts: list[tuple[BrowserContext, list[str]]] = []

    def opened(site: str, user: str | None, *, size: Any = DESK, language: str = "en", **given: Any) -> Page:
        context = chromium.new_context(
            viewport=size, locale="zh-TW" if language == "zh-Hant" else "en-US", base_url=site,
            timezone_id="America/Los_Angeles", **given,
        )  # fmt: skip
        context.set_default_timeout(20_000)
        page, complaints = context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type == "error"
                and "Failed to load resource" not in said.text
                and "ERR_INTERNET" not in said.text
                else None
            ),
        )
        contexts.append((context, complaints))
        if user is not None:
            page.goto("/sign-in")
            page.fill("[name=username]", user)
            page.fill("[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield opened
    for context, _ in contexts:
        context.close()
    assert [complaint for _, told in contexts for complaint in told] == []


def faults_of(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands: rule, and the first place."""
    page.evaluate((JUDGES / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:160]})" for one in found["violations"]]


def unsound(pages: dict[str, str], folder: Path) -> list[str]:
    """What html-validate finds in these pages: name of the page, line, rule."""
    for number, text in enumerate(pages.values()):
        (folder / f"{number}.html").write_text(text, encoding="utf-8")
    (folder / ".htmlvalidate.json").write_text((HERE / "htmlvalidate.json").read_text(encoding="utf-8"))
    told = subprocess.run(
        ["node", str(JUDGES / ".bin" / "html-validate"), "--formatter", "json", "*.html"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = list(pages)
    return [
        f"{names[int(Path(file['filePath']).stem)]}:{one['line']}: {one['ruleId']}: {one['message']}"
        for file in json.loads(told.stdout)
        for one in file["messages"]
    ]
