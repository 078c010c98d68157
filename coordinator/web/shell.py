"""What every screen stands in: languages, forms that only our own pages can send, and refusals as pages.

A screen is a view on a `Screens` blueprint. It runs inside the door's transaction like a call of the API and uses the
same verbs; what it answers is HTML. A refusal that it does not catch becomes a page with every finding and its cure.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.dates import format_date, format_datetime, format_time
from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from coordinator.access.model import User
from coordinator.core.errors import Refusal, Unauthenticated
from coordinator.core.http import Coordinator, answer_fault, answer_http, door
from coordinator.core.i18n import LOCALES, OWN_NAMES, language
from coordinator.core.work import Work
from coordinator.rules.catalogue import RULES
from coordinator.web.navigation import home_of, places_of

csrf = CSRFProtect()

#: Marks words for the catalogue that are spoken elsewhere: titles of refusals, and sentences of the rooms below.
_ = str
SPOKEN_ELSEWHERE = (
    _("Refused"), _("Not found"), _("Sign in first"), _("Not allowed"), _("The request cannot be understood"),
    _("In conflict with what is already there"), _("Changed since you read it"),
    _("Say which version you are changing"),
    _("Too many attempts"), _("Busy, try again"), _("A rule does not allow this"),
    _("Too many wrong passwords or codes. Wait, or ask an administrator."),
    _("The code is not right, or was used already. Wait for the next one."),
)  # fmt: skip


class Screens(Blueprint):
    """Pages for people who are signed in, in both languages. Register views with `.get` and `.post`.

    A view that changes something answers with a redirect (`done`), so that going back or reloading repeats nothing.
    """

    def __init__(self, name: str, import_name: str, **given: Any) -> None:
        super().__init__(name, import_name, template_folder="../templates", **given)
        self.before_request(_refuse_foreign_forms)
        self.after_request(_as_our_own)
        self.register_error_handler(Refusal, answer_refusal)
        self.register_error_handler(HTTPException, _answer_http)
        self.register_error_handler(Exception, _answer_fault)


def open_screens(app: Coordinator) -> None:
    """Put on the app what the screens' templates use."""
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # the API has no forms; the screens' blueprints check theirs
        WTF_CSRF_TIME_LIMIT=None,  # a form lives as long as its session: a nurse may finish a sentence after an hour
        WTF_CSRF_SSL_STRICT=False,  # it would ask for a Referer, which our pages do not send to others
        SESSION_COOKIE_NAME="coordinator_forms",
        SESSION_COOKIE_SAMESITE="Lax",
    )
    csrf.init_app(app)
    app.jinja_env.filters.update(clock=clock, day=day, moment=moment)
    app.context_processor(_common)
    app.register_error_handler(404, _nothing_here)


def _refuse_foreign_forms() -> None:
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.protect()


def _as_our_own(answer: Response) -> Response:
    # With no referrer at all a browser calls the origin of our own forms "null", and the door would refuse them.
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers.add("Vary", "Cookie, Accept-Language")
    return answer


# ------------------------------------------------------------------------------------------ forms


def form_key() -> str:
    """A key for a form that is being shown: sent twice, it has one effect (`_key`)."""
    return secrets.token_urlsafe(16)


def done(endpoint: str, said: str | None = None, **values: Any) -> Response:
    """After a change: on to a page that may be reloaded, which says once what was done."""
    if said:
        flash(said, "done")
    answer = make_response(redirect(url_for(endpoint, **values), 303))
    if request.headers.get("HX-Request"):
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = url_for(endpoint, **values)
    return answer


def asked_path(text: str | None) -> str:
    """Where somebody wanted to go before they signed in: a path of our own, else the front page."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable():
        return "/"
    return text[:500]


@contextmanager
def attempt(work: Work) -> Iterator[None]:
    """A step whose refusal the view will say beside its form: then nothing of it is left, not even an audit line.

    The door commits what a view answers, whatever its status; so what was half done is undone here.
    """
    so_far = len(work.trail)
    try:
        with work.session.begin_nested():
            yield
            work.session.flush()  # what the database refuses is refused within the step
    except Refusal:
        del work.trail[so_far:]
        raise


# ------------------------------------------------------------------------------------------ refusals


def answer_refusal(refusal: Refusal) -> Response:
    """A "no" as a page: what, why by which rule, and the way out. Whoever is not signed in is asked to."""
    if isinstance(refusal, Unauthenticated) and refusal.problem_code == Unauthenticated.code:
        return _to_sign_in()
    if refusal.problem_code == "second-factor-missing" and request.method == "GET" and g.work.actor.confined:
        return make_response(redirect(url_for("account_screen.show"), 303))  # the one thing that is open
    said = explained(refusal)
    answer = make_response(render_template("screens/refusal.html", **said), refusal.status)
    retry_after = refusal.extra.get("retry_after")
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def explained(refusal: Refusal) -> dict[str, Any]:
    """A refusal in words for a page or for the form that caused it: title, detail, fields and findings."""
    chinese = language() == "zh-Hant"
    findings = [
        {
            "rule": finding.rule,
            "says": RULES[finding.rule].sentence_zh if chinese and finding.rule in RULES else None,
            "sentence": finding.sentence(),
            "cure": finding.cure_sentence(),
            "citation": finding.citation,
            "refuses": finding.refuses,
        }
        for finding in getattr(refusal, "findings", ())
    ]
    return {
        "status": refusal.status,
        "title": gettext(refusal.title),
        "detail": refusal.detail,
        "errors": refusal.extra.get("errors", ()),
        "found": findings,
    }


def _to_sign_in() -> Response:
    """To the sign-in page, and back from there to what was asked for, if it can be asked for again."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else _page_of_form()
    target = url_for("sign_in.show", next=wanted, ended=1 if request.method != "GET" else None)
    if request.headers.get("HX-Request"):
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = target
        return answer
    return make_response(redirect(target, 303))


def _page_of_form() -> str:
    """The page that a form was on, as its hidden `_page` says."""
    return asked_path(request.form.get("_page"))


def _page(status: int, title: str, detail: str) -> Response:
    return make_response(
        render_template("screens/refusal.html", status=status, title=title, detail=detail, errors=(), found=()), status
    )


def _answer_http(error: HTTPException) -> Response:
    if isinstance(error, CSRFError):
        title = gettext("This form can no longer be sent")
        return _page(403, title, gettext("It was made for another sign-in. Go back, reload the page, and try again."))
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    said = {
        404: (gettext("There is nothing here"), gettext("The address is wrong, or what it showed is gone.")),
        405: (gettext("This page cannot be asked like that"), gettext("Open it from the menu.")),
        413: (gettext("Too large"), gettext("Send less at once.")),
    }.get(code, (gettext("That did not work"), gettext("Go back and try again.")))
    return _page(code, *said)


def _nothing_here(error: HTTPException) -> Response:
    """An address that leads nowhere: a page for people, a problem document for programs."""
    asked = request.accept_mimetypes.best_match(("application/json", "text/html"))
    return _answer_http(error) if asked == "text/html" and not request.path.startswith("/api/") else answer_http(error)


def _answer_fault(error: Exception) -> Response:
    told = answer_fault(error)
    number = g.get("request_id", "")
    return _page(
        told.status_code, gettext("A fault of ours"), gettext("It was logged as %(number)s. Try again.", number=number)
    )


# ------------------------------------------------------------------------------------------ words


def _locale() -> str:
    return LOCALES[language()]


#: Shorter ways to write a time of day, in English and in Chinese: on the board, where the column says the rest.
_CLOCKS = {"hour": ("h a", "H:00"), "tight": ("h:mm", "H:mm")}


def clock(instant: datetime | time, zone: ZoneInfo | None = None, form: str = "short") -> str:
    """The time of day as the reader writes it (short, tight, hour); an instant needs the zone of whose day it is."""
    if isinstance(instant, datetime):
        if zone is None:
            raise ValueError("an instant is shown in somebody's zone")
        instant = instant.astimezone(zone).time()
    pattern = _CLOCKS[form][language() == "zh-Hant"] if form in _CLOCKS else form
    return format_time(instant, pattern, locale=_locale())


def day(value: date, form: str = "EEE d MMM") -> str:
    """A day as the reader writes it; `form` is a CLDR pattern, or short, medium, long, full."""
    patterns = {"EEE d MMM": "M月d日 EEE"} if language() == "zh-Hant" else {"EEE d MMM": "EEE, MMM d"}
    return format_date(value, patterns.get(form, form), locale=_locale())


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """Day and time of an instant in somebody's zone."""
    return format_datetime(instant.astimezone(zone), "M月d日 HH:mm" if language() == "zh-Hant" else "MMM d, h:mm a",
                           locale=_locale())  # fmt: skip


def _common() -> dict[str, Any]:
    """What `screens/base.html` shows around every screen; other pages pay nothing, since everything is asked lazily."""
    chosen = language()
    return {
        "language": chosen,
        "languages": OWN_NAMES,
        "form_key": form_key,
        "shell": Shell,
        "demo": door().settings.is_demo,
    }


class Shell:
    """What the frame of a page asks about whoever reads it."""

    @staticmethod
    def actor() -> Any:
        """Who reads; None before anybody signed in, and on pages about a request that nobody made."""
        found = g.get("work")
        return found.actor if found is not None and found.actor.user_id is not None else None

    @staticmethod
    def name() -> str:
        """How the reader is called."""
        with door().database.session(write=False) as session:  # the page may be about a transaction that was undone
            name = session.execute(sa.select(User.display_name).where(User.id == g.work.actor.user_id)).scalar()
        return name or ""

    @staticmethod
    def places() -> list[tuple[str, str, bool]]:
        """The menu: address, words, and whether it is here."""
        return [
            (url_for(place.endpoint), gettext(place.label), request.path.startswith(url_for(place.endpoint)))
            for place in places_of(g.work.actor)
        ]

    @staticmethod
    def home() -> str:
        """The reader's first screen."""
        return url_for(home_of(g.work.actor))
