"""The directory as a page: in two languages, for anybody, by telephone and on paper."""

import re
from html import unescape

from coordinator.access.service import installer_actor
from coordinator.core.http import Coordinator
from coordinator.core.settings import ROOT
from coordinator.directory import service
from tests.conftest import WorkAs


def page(app: Coordinator, query: str = "") -> str:
    answer = app.test_client().get(f"/directory{query}")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    return unescape(answer.text)


def entries(text: str) -> list[str]:
    return re.findall(r'<article id="(\w+)">', text)


def test_the_page_in_two_languages_for_anybody(app: Coordinator, work_as: WorkAs) -> None:
    with work_as(installer_actor("test")) as work:
        service.load(work, ROOT / "config" / "directory.toml")
    english, chinese = page(app), page(app, "?lang=zh-Hant")
    assert (
        set(entries(english))
        == set(entries(chinese))
        == {"ucsf", "sfva", "sutter_cpmc", "kp_sf", "zsfg", "mettle", "acca"}
    )
    assert '<html lang="en">' in english
    assert '<html lang="zh-Hant">' in chinese
    assert "病人可請醫生或護士轉介。" in chinese, "from the rule: the source's Chinese leaves it out"
    assert "Translation under review" not in english
    assert chinese.count("翻譯有待審核") == 3
    assert "不能代替醫療" in chinese
    assert "什麼是緩和療護？" in chinese
    assert "未說明" in chinese
    for text in (english, chinese):
        assert "<script" not in text
        assert "style=" not in text
        assert 'name="viewport"' in text
        assert 'href="#medical_provider"' in text, "from the questions to the list (S1-T3)"
    assert entries(page(app, "?setting=home")) == ["sutter_cpmc"]
    assert set(entries(page(app, "?setting=home&silent=yes&who_refers=nurse"))) == {"sutter_cpmc", "kp_sf"}
    assert set(entries(page(app, "?q=安寧療護&lang=zh-Hant"))) == set(entries(page(app, "?q=緩和療護&lang=zh-Hant")))
    nothing = page(app, '?q="><script>alert(1)</script>')
    assert entries(nothing) == []
    assert "Take one condition away" in nothing
    assert "<script>alert" not in app.test_client().get('/directory?q="><script>alert(1)</script>').text
    assert entries(page(app, "?setting=moon")) == []
    assert app.test_client().get("/directory?q=%00").status_code == 200
