"""The front page: what runs here, and where its document is."""

from flask import Blueprint, render_template

from coordinator.core.http import door, public

pages = Blueprint(
    "pages", __name__, template_folder="../templates", static_folder="../static", static_url_path="/static"
)


@pages.get("/")
@public
def front_page() -> str:
    """What this is, for somebody who opens the address in a browser."""
    return render_template("index.html", demo=door().settings.is_demo)
