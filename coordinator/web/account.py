"""My account: an authenticator app and recovery codes, my password, and where I am signed in."""

from typing import Any

from flask import Response, make_response, render_template, request, session
from flask_babel import gettext
from markupsafe import Markup

from coordinator.access import cookies, factors, passwords, sessions
from coordinator.access.model import SignInSession
from coordinator.access.proof import Proof
from coordinator.core.errors import Refusal
from coordinator.core.http import unrepeatable, work
from coordinator.web.shell import Screens, done, explained
from coordinator.web.zones import own_zone

blueprint = Screens("account_screen", __name__, url_prefix="/account")


def _page(*, problem: Refusal | None = None, **more: Any) -> Response:
    """`more`: what is shown once, an app that waits for its first code or recovery codes."""
    w, doorman = work(), cookies.doorman()
    opened = list(w.session.scalars(sessions.my_sessions(w, doorman).order_by(SignInSession.last_used_at.desc())))
    return make_response(
        render_template(
            "screens/account.html", factors=factors.factors(w, doorman), sessions=opened, mine=w.actor.session_id,
            zone=own_zone(w), confined=w.actor.confined, problem=explained(problem) if problem else None,
            **({"enrolment": None, "codes": None} | more),
        ),
        problem.status if problem else 200,
    )  # fmt: skip


def _proof() -> Proof:
    """The password and the code as they were typed; what no database takes is as wrong as any other."""
    password, code = (request.form.get(name, "")[:200].replace("\x00", "") for name in ("password", "code"))
    return Proof(password=password or None, code="".join(code.split()) or None)


@blueprint.get("/")
def show() -> Any:
    """What I have, and where I am signed in."""
    return _page()


@blueprint.post("/authenticator")
@unrepeatable
def set_up() -> Any:
    """Begin with an app: its picture and its text are shown once, and count after the first code."""
    try:
        made = factors.start_authenticator(work(), cookies.doorman(), _proof())
    except Refusal as refusal:
        return _page(problem=refusal)
    # The picture is drawn by segno of our own address, without style or script.
    return _page(enrolment=made, picture=Markup(made.svg))  # noqa: S704


@blueprint.post("/authenticator/confirm")
@unrepeatable
def confirm() -> Any:
    """The app showed its first code: it counts from now on, and recovery codes are shown once."""
    code = "".join(request.form.get("code", "")[:20].split())
    try:
        codes = factors.confirm_authenticator(work(), cookies.doorman(), code)
    except Refusal as refusal:
        return _page(problem=refusal, waits=True)
    return _page(codes=codes)


@blueprint.post("/authenticator/remove")
@unrepeatable
def remove() -> Any:
    """The app is asked for no longer."""
    try:
        factors.remove_authenticator(work(), cookies.doorman(), _proof())
    except Refusal as refusal:
        return _page(problem=refusal)
    return done("account_screen.show", gettext("The app is no longer asked for."))


@blueprint.post("/recovery-codes")
@unrepeatable
def renew_codes() -> Any:
    """Ten new codes; the old ones open nothing any more."""
    try:
        codes = factors.renew_recovery_codes(work(), cookies.doorman(), _proof())
    except Refusal as refusal:
        return _page(problem=refusal)
    return _page(codes=codes)


@blueprint.post("/password")
@unrepeatable
def change_password() -> Any:
    """A new password; everywhere else I am signed out."""
    try:
        passwords.change_password(
            work(), cookies.doorman(), _proof(), request.form.get("new_password", "")[:200].replace("\x00", "")
        )
    except Refusal as refusal:
        return _page(problem=refusal)
    return done("account_screen.show", gettext("Your password was changed. Everywhere else you are signed out."))


@blueprint.post("/sessions/<id:session_id>/end")
def end(session_id: int) -> Any:
    """Sign that browser out; of this one it is a sign-out."""
    sessions.end_session(work(), session_id)
    if session_id == work().actor.session_id:
        session.clear()
    return done("account_screen.show", gettext("Signed out there."))


@blueprint.post("/sessions/end-others")
def end_others() -> Any:
    """Sign out everywhere but here."""
    sessions.end_other_sessions(work())
    return done("account_screen.show", gettext("Signed out everywhere else."))
