"""The front page says what this is, and shows the demo's sign-ins only in the demo."""

from dataclasses import replace

from coordinator.app import create_app
from coordinator.core.http import Coordinator
from coordinator.core.settings import Settings


def test_the_front_page_points_to_the_document(app: Coordinator) -> None:
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert "/openapi.json" in answer.text
    assert "demo-home-care" not in answer.text
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    with app.test_client().get("/static/page.css") as sheet:
        assert sheet.status_code == 200


def test_the_demo_shows_how_to_begin(settings: Settings) -> None:
    demo = create_app(replace(settings, profile="demo"))
    assert "demo-home-care" in demo.test_client().get("/").text
    demo.extensions["database"].dispose()
