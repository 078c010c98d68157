"""Signing in and out, and the choice of language."""

from typing import Any

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext

from coordinator.access import cookies, entering, service
from coordinator.core.errors import Refusal
from coordinator.core.http import door, no_rehearsal, public, work
from coordinator.core.i18n import COOKIE, LOCALES
from coordinator.web.shell import Screens, asked_path

blueprint = Screens("sign_in", __name__)

_LANGUAGE_SECONDS = 365 * 24 * 3600


@blueprint.get("/sign-in")
@public
def show() -> Any:
    """The form; whoever is signed in already goes on to where they wanted."""
    if work().actor.user_id is not None:
        return redirect(asked_path(request.args.get("next")), 303)
    return _form(ended=request.args.get("ended") == "1")


def _form(*, problem: str | None = None, ended: bool = False, status: int = 200) -> Response:
    return make_response(
        render_template(
            "screens/sign_in.html", problem=problem, ended=ended, username=request.form.get("username", "")[:80],
            wanted=asked_path(request.values.get("next")),
        ),
        status,
    )  # fmt: skip


@blueprint.post("/sign-in")
@no_rehearsal
@public
def enter() -> Any:
    """Open a session, or ask for the second factor. A wrong pair counts: it is an answer, not an exception."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    if not username or not password or "\x00" in username + password or len(username) > 80 or len(password) > 200:
        return _form(problem=gettext("Fill in your user name and your password."), status=422)
    try:
        came = entering.sign_in(
            work(), cookies.doorman(), username, password, agent=request.headers.get("User-Agent", "")
        )
    except Refusal as refusal:
        return _form(problem=gettext(refusal.detail), status=refusal.status)
    if isinstance(came, entering.HalfOpen):
        wanted = asked_path(request.form.get("next"))
        return cookies.give(make_response(redirect(url_for("sign_in.factor", next=wanted), 303)), came)
    return _entered(came)


def _entered(came: entering.Entered) -> Response:
    session.clear()  # forms that were made before are somebody else's
    return cookies.give(make_response(redirect(asked_path(request.form.get("next")), 303)), came)


@blueprint.get("/sign-in/code")
@public
def factor() -> Any:
    """Ask for the code of the authenticator app, or one of the recovery codes; without a first step, for that."""
    if not request.cookies.get(entering.HALF_OPEN_COOKIE):
        return redirect(url_for("sign_in.show", next=asked_path(request.args.get("next"))), 303)
    return _code_form()


def _code_form(*, problem: str | None = None, status: int = 200) -> Response:
    wanted = asked_path(request.values.get("next"))
    return make_response(render_template("screens/sign_in_code.html", problem=problem, wanted=wanted), status)


@blueprint.post("/sign-in/code")
@no_rehearsal
@public
def give_factor() -> Any:
    """Open the session that waits for its second factor."""
    typed = "".join(request.form.get("code", "").split())[:40]
    if not typed or not typed.isprintable():
        return _code_form(problem=gettext("Type the six digits, or a recovery code."), status=422)
    given: dict[str, Any] = {"code": typed} if typed.isdecimal() and len(typed) <= 8 else {"recovery_code": typed}
    try:
        came = entering.give_factor(work(), cookies.doorman(), request.cookies.get(entering.HALF_OPEN_COOKIE), **given)
    except Refusal as refusal:
        if refusal.problem_code == "sign-in-again":
            return redirect(url_for("sign_in.show", next=asked_path(request.form.get("next"))), 303)
        return _code_form(problem=gettext(refusal.detail), status=refusal.status)
    return _entered(came)


@blueprint.post("/sign-out")
def leave() -> Any:
    """End the session, and let the browser forget what it kept for it."""
    service.sign_out(work())
    session.clear()
    answer = cookies.take_away(make_response(redirect(url_for("sign_in.show"), 303)))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.post("/language")
@public
def speak() -> Any:
    """Show everything in the other language, from the page where it was asked."""
    wanted = request.form.get("language", "")
    answer = make_response(redirect(asked_path(request.form.get("_page")), 303))
    if wanted in LOCALES:
        answer.set_cookie(
            COOKIE, wanted, max_age=_LANGUAGE_SECONDS, httponly=True, samesite="Lax",
            secure=door().settings.secure_cookies,
        )  # fmt: skip
    return answer
