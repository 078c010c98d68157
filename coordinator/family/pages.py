"""The family's page: visits to come, the calendar to print, and a form to ask by, behind a link. No script runs.

The link's secret is in one address alone: opening it puts the secret in a cookie of these pages and goes on to an
address without it, so that it stands in no log, no history of the page itself, and no address that is passed on.
"""

import hmac
from datetime import timedelta
from itertools import groupby

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for

from coordinator.core.errors import Invalid, TooMany
from coordinator.core.http import door, now, public, work
from coordinator.domain.family import FamilyLanguage, RequestConcern, RequestTopic
from coordinator.family import links, requests, words
from coordinator.family.limits import Limiter
from coordinator.family.model import FamilyLink
from coordinator.family.schedule import Schedule, Stop, schedule

pages = Blueprint("family_pages", __name__, url_prefix="/family", template_folder="../templates")

COOKIE = "family"
_LIMITER = Limiter()


def _link() -> FamilyLink | None:
    """The live link of the cookie, with the request's work acting for it; None if there is none, or too many asked."""
    secret = request.cookies.get(COOKIE, "")
    return _opened(secret) if secret else None


def _opened(secret: str) -> FamilyLink | None:
    digested = current_app.extensions["doorman"].digest(secret[:200])
    most = door().policy.family.pages_a_minute
    if not _LIMITER.admits(f"link:{digested}", now(), most) or not _LIMITER.admits("everybody", now(), most * 100):
        raise TooMany("Too many pages were asked for at once.", retry_after=60)
    return links.opened(work(), digested)


def _gone() -> Response:
    """The link opens nothing: said in every language, since nobody knows whose it was."""
    answer = _said("gone", 404)
    answer.delete_cookie(COOKIE, path="/family")
    return answer


@pages.errorhandler(TooMany)
def _busy(refused: TooMany) -> Response:
    """Asked too often: said as a page, since a family reads it; the link stays good."""
    answer = _said("busy", refused.status)
    answer.headers["Retry-After"] = str(refused.extra["retry_after"])
    return answer


def _said(key: str, status: int) -> Response:
    said = [(one.value, words.say(key, one)) for one in FamilyLanguage]
    return _private(make_response(render_template("family_gone.html", said=said), status))


def _private(answer: Response) -> Response:
    """Kept by nobody on the way, found by no search engine, told to no other site."""
    answer.headers["Cache-Control"] = "no-store, private"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _form_token(link: FamilyLink) -> str:
    """What the form must send back: known to this installation and to the page that it gave to this link."""
    return hmac.new(door().settings.secret_key.encode(), f"form:{link.token_hash}".encode(), "sha256").hexdigest()


@pages.get("/open/<string:secret>")
@public
def open_link(secret: str) -> Response:
    """Take the secret out of the address and go on to the page."""
    link = _opened(secret)
    if link is None:
        return _gone()
    answer = redirect(url_for("family_pages.show"), 303)
    answer.set_cookie(
        COOKIE, secret, path="/family", httponly=True, samesite="Lax", secure=door().settings.secure_cookies,
        max_age=int((link.expires_at - now()) / timedelta(seconds=1)),
    )  # fmt: skip
    return _private(make_response(answer))


@pages.get("/")
@public
def show() -> Response:
    """The visits to come, in the link's language, and the form."""
    link = _link()
    return _gone() if link is None else _page(link, sent=request.args.get("sent") == "1")


def _page(link: FamilyLink, *, sent: bool = False, problem: str | None = None, status: int = 200) -> Response:
    found = schedule(work(), link)
    language = link.language
    by_day = [(day, list(stops)) for day, stops in groupby(found.stops, key=lambda stop: stop.at.date())]
    return _private(
        make_response(
            render_template(
                "family.html", language=language.value, say=lambda key, **facts: words.say(key, language, **facts),
                days=[(words.day_words(day, language), _stops(stops, language)) for day, stops in by_day],
                page_days=door().policy.family.page_days, sent=sent, problem=problem, form_token=_form_token(link),
                topics=words.topics(language), for_caregiver=link.caregiver_id is not None,
                as_of=words.moment(found.as_of, language), most_words=requests.MOST_WORDS,
            ),
            status,
        )
    )  # fmt: skip


def _stops(stops: list[Stop], language: FamilyLanguage) -> list[dict[str, object]]:
    return [
        {
            "time": words.time_words(stop.at.time(), language), "minutes": stop.minutes, "cancelled": stop.cancelled,
            "who": words.discipline(stop.discipline, language), "name": stop.first_name,
            "before": None if stop.before is None else words.moment(stop.before, language),
        }
        for stop in stops
    ]  # fmt: skip


@pages.get("/calendar")
@public
def calendar() -> Response:
    """The same days as weeks on a sheet to print."""
    link = _link()
    if link is None:
        return _gone()
    found = schedule(work(), link)
    language = link.language
    return _private(
        make_response(
            render_template(
                "family_calendar.html", language=language.value,
                say=lambda key, **facts: words.say(key, language, **facts), weekdays=words.weekdays(language),
                weeks=_weeks(found, language), as_of=words.moment(found.as_of, language),
            )
        )
    )  # fmt: skip


def _weeks(found: Schedule, language: FamilyLanguage) -> list[list[dict[str, object]]]:
    """Whole weeks, Monday first, around the page's days; a day outside them is empty."""
    day = found.first - timedelta(days=found.first.weekday())
    end = found.last + timedelta(days=6 - found.last.weekday())
    weeks: list[list[dict[str, object]]] = []
    while day <= end:
        if day.weekday() == 0:
            weeks.append([])
        inside = found.first <= day <= found.last
        stops = _stops([stop for stop in found.stops if stop.at.date() == day], language)
        weeks[-1].append({"date": f"{day.month}/{day.day}", "inside": inside, "stops": stops})
        day += timedelta(days=1)
    return weeks


@pages.post("/requests")
@public
def ask() -> Response:
    """Take what the form asks for. A form that this page did not give to this link changes nothing."""
    link = _link()
    if link is None:
        return _gone()
    form = request.form
    if not hmac.compare_digest(form.get("form_token", "").encode(), _form_token(link).encode()):
        return _page(link, problem="not_sent", status=403)
    try:
        requests.ask(
            work(), link, topic=RequestTopic(form.get("topic", "")), words=_text(form.get("words", "")),
            concern=RequestConcern(form.get("concern", RequestConcern.SELF.value)),
        )  # fmt: skip
    except (ValueError, Invalid):
        return _page(link, problem="not_sent", status=422)
    except TooMany:
        return _page(link, problem="too_many", status=429)
    return _private(make_response(redirect(url_for("family_pages.show", sent=1), 303)))


def _text(said: str) -> str:
    """What was typed, without what no database takes."""
    return "".join(one for one in said if one != "\x00" and not "\ud800" <= one <= "\udfff")
