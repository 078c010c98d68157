"""Cookies of signing in, for whoever answers a browser: the API's door and the pages."""

import flask
from flask import Response

from coordinator.access.entering import HALF_OPEN_COOKIE, Entered, HalfOpen
from coordinator.access.oidc import OIDC_COOKIE
from coordinator.access.service import COOKIE, Doorman
from coordinator.access.steps import AGE, Step


def doorman() -> Doorman:
    """This app's doorman."""
    found: Doorman = flask.current_app.extensions["doorman"]
    return found


def give(answer: Response, came: Entered | HalfOpen) -> Response:
    """The answer with the session's cookie, or with that of a half-open sign-in; never with both."""
    if isinstance(came, Entered):
        minutes = doorman().settings.session_absolute_minutes
        _set(answer, COOKIE, came.secret, seconds=minutes * 60)
        answer.delete_cookie(HALF_OPEN_COOKIE, path="/")
    else:
        _set(answer, HALF_OPEN_COOKIE, came.secret, seconds=int(AGE[Step.FACTOR].total_seconds()))
    return answer


def take_away(answer: Response) -> Response:
    """The answer that ends what the browser holds."""
    for name in (COOKIE, HALF_OPEN_COOKIE):
        answer.delete_cookie(name, path="/")
    return answer


def remember_departure(answer: Response, secret: str) -> Response:
    """The answer with what ties the provider's answer to this browser: sent along when another site leads back."""
    _set(answer, OIDC_COOKIE, secret, seconds=int(AGE[Step.OIDC].total_seconds()), samesite="Lax")
    return answer


def forget_departure(answer: Response) -> Response:
    """The answer after the return."""
    answer.delete_cookie(OIDC_COOKIE, path="/")
    return answer


def _set(answer: Response, name: str, secret: str, *, seconds: int, samesite: str = "Strict") -> None:
    answer.set_cookie(
        name, secret, httponly=True, samesite=samesite, secure=doorman().settings.secure_cookies, path="/",
        max_age=seconds,
    )  # fmt: skip
