"""The front door: one transaction a request, who is asking, idempotency, versions, pages and problem documents.

A view runs inside the door's transaction and its answer is built there (rows handed out later would fail at the first
lazy attribute). Reading requests get a reading transaction; their audit lines are sealed in a short one of their own
before the answer leaves. `?dry_run=true` runs the same code and rolls back.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import flask
import structlog
from flask import Flask, Response, g, request
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from flask_smorest.utils import prepare_response
from marshmallow import ValidationError, fields
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter
from werkzeug.routing import ValidationError as NoMatch

from coordinator.core import audit
from coordinator.core.db import Database, broken_constraint, is_busy, is_retryable
from coordinator.core.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    StaleVersion,
    Unauthenticated,
    VersionRequired,
)
from coordinator.core.fields import MAX_ID, Schema
from coordinator.core.idempotency import IdempotencyRecord, claim, sent_key
from coordinator.core.settings import Settings
from coordinator.core.thinking import Think, door_of, seal_apart, think_ahead
from coordinator.core.work import Actor, Work, refused_line

log = structlog.get_logger("coordinator.http")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PROBLEM = "application/problem+json"
PROBLEM_BASE = "/problems/"
MAX_BODY = 2 * 1024 * 1024
TRIES = 4


class ProblemSchema(Schema):
    """RFC 9457 problem document."""

    type = fields.String(metadata={"description": "Stable name of the problem", "example": "/problems/double-booking"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String(metadata={"description": "One sentence for a person, with the way out"})
    instance = fields.String()
    errors = fields.List(fields.Dict(), metadata={"description": "JSON pointer and sentence per field"})
    blocking = fields.List(fields.Dict(), metadata={"description": "What stands in the way"})
    findings = fields.List(fields.Dict(), metadata={"description": "Rule, severity, citation, facts and cure"})


#: Said of every change in the document; the door itself reads them.
KEY_HEADER = {
    "name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255},
    "description": "The same key twice has one effect; the second answer is the first one's",
}  # fmt: skip
MATCH_HEADER = {
    "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}, "example": '"3"',
    "description": "The ETag that was read: 428 where it is needed and missing, 412 where it is old",
}  # fmt: skip
DRY_RUN = {
    "name": "dry_run", "in": "query", "required": False, "schema": {"type": "boolean"},
    "description": "Give the same answer and change nothing",
}  # fmt: skip


class Blueprint(SmorestBlueprint):
    """A room's routes; every change says in the document which headers the door reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_document_change)


def _document_change(doc: dict[str, Any], _info: Any, *, method: str, **_: Any) -> dict[str, Any]:
    if method.upper() not in SAFE:
        doc.setdefault("parameters", []).extend([KEY_HEADER, MATCH_HEADER, DRY_RUN])
    return doc


class CoordinatorApi(Api):
    """flask-smorest with problem documents for errors, in the document as on the wire."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        """The document's common answers: every refusal is a problem document."""
        named = {status.name: status.phrase for status in HTTPStatus} | {"DEFAULT_ERROR": "A problem document"}
        for name, said in named.items():
            response: dict[str, Any] = {"description": said, "schema": self.ERROR_SCHEMA}
            prepare_response(response, self.spec, PROBLEM)
            self.spec.components.response(name, response, lazy=True)

    def _register_error_handlers(self) -> None:
        """The front door registers its own, for pages and programs alike."""


class IdConverter(BaseConverter):
    """A row's number in a path: digits, no more than the database can hold."""

    regex = r"[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > MAX_ID:
            raise NoMatch  # no row has such a number: the path leads nowhere
        return number

    def to_url(self, value: Any) -> str:
        return str(int(value))


@dataclass(slots=True)
class Door:
    """What the front door needs from the rooms above it; filled in by `app.create_app`."""

    settings: Settings
    database: Database
    policy: Any
    handlers: dict[type, tuple[Callable[[Work, Any], None], ...]]
    enqueue: Callable[[Work, str, str, dict[str, Any]], None] | None
    #: (session, request, now) -> the actor, or None if nobody is signed in.
    authenticate: Callable[[Session, flask.Request, datetime], Actor | None]
    #: (session, actor, now): note that a signed-in session was used.
    touch: Callable[[Session, Actor, datetime], None]
    #: What `Work.atlas` carries.
    atlas: Any = None


def door() -> Door:
    found: Door = flask.current_app.extensions["door"]
    return found


def now() -> datetime:
    """The instant of this request; the only place that asks the computer for the time."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    return g.now  # type: ignore[no-any-return]


def work() -> Work:
    """The work of this request."""
    return g.work  # type: ignore[no-any-return]


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that anybody may call without signing in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def no_rehearsal(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that asks for a password: a dry run would be rolled back with its count of wrong ones."""
    view.no_rehearsal = True  # type: ignore[attr-defined]
    return view


def writes(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that changes something although it is asked by GET: another site sends the browser back to it."""
    view.is_writing = True  # type: ignore[attr-defined]
    return view


def quiet(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that a page asks by itself, not a person: the session ends as if it had not been asked."""
    view.is_quiet = True  # type: ignore[attr-defined]
    return view


def unrepeatable(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose answer holds a secret: it is shown once, so it is not kept for a caller's Idempotency-Key."""
    view.is_unrepeatable = True  # type: ignore[attr-defined]
    return no_rehearsal(view)


class Coordinator(Flask):
    """Flask whose every request is one transaction, opened and closed here and nowhere else."""

    def dispatch_request(self) -> Any:
        rule = request.url_rule
        if request.routing_exception is not None or rule is None or "door" not in self.extensions:
            return super().dispatch_request()
        view = self.view_functions[rule.endpoint]
        if rule.endpoint.endswith("static") or rule.endpoint.startswith("api-docs."):
            return super().dispatch_request()
        writing = request.method not in SAFE or getattr(view, "is_writing", False)
        think: Think | None = getattr(view, "think", None)
        for attempt in range(TRIES):
            try:
                if think is not None:
                    think_ahead(self.extensions["door"], think, now(), public=getattr(view, "is_public", False))
                    think = None  # a second try writes what the first has thought
                return self._in_transaction(view, writing=writing)
            except StaleDataError:
                raise StaleVersion("Somebody else changed it in the same moment. Read it again.") from None
            except IntegrityError as error:
                raise Conflict(
                    "The database refused: this is already there, or stands against something that is.",
                    constraint=broken_constraint(error),
                ) from error
            except DBAPIError as error:
                if is_retryable(error) and attempt + 1 < TRIES:
                    time.sleep(0.02 * (attempt + 1) * (1 + secrets.randbelow(100) / 100))
                    continue
                if is_retryable(error) or is_busy(error):
                    raise Busy("Others are working on the same rows. Try again.", retry_after=1) from error
                raise
            except PoolTimeout as error:
                raise Busy("The server has its hands full. Try again.", retry_after=2) from error
        raise AssertionError("unreachable")

    def _in_transaction(self, view: Callable[..., Any], *, writing: bool) -> Response:
        d: Door = self.extensions["door"]
        dry = request.args.get("dry_run", "").lower() in {"1", "true", "yes"}
        if dry and getattr(view, "no_rehearsal", False):
            raise Invalid("What asks for a password cannot be rehearsed.", pointer="/query/dry_run")
        if getattr(view, "is_unrepeatable", False) and sent_key() is not None:
            raise Invalid(
                "This answer is shown once and kept nowhere. Ask without Idempotency-Key.",
                code="idempotency-not-offered",
            )
        with d.database.session(write=writing) as session:
            actor = d.authenticate(session, request, now())
            if actor is None:
                if not getattr(view, "is_public", False):
                    raise Unauthenticated("Sign in, or send a bearer token.")
                actor = Actor(name="nobody")
            w = Work(
                session=session,
                actor=actor,
                now=now(),
                policy=d.policy,
                handlers=d.handlers,
                enqueue=d.enqueue,
                request_id=g.get("request_id"),
                atlas=d.atlas,
            )
            g.work = w
            record: IdempotencyRecord | Response | None = None
            try:
                record = None if dry or not writing else claim(w)
                if isinstance(record, Response):
                    session.rollback()
                    return record
                answer = self.make_response(super().dispatch_request())
                if dry:
                    session.rollback()
                    answer.headers["Dry-Run"] = "true"
                    answer.headers.pop("Location", None)
                    return answer
                if writing:
                    if record is not None and answer.status_code >= 400:
                        session.delete(record)  # a form that is shown again with its mistakes: nothing was done
                    elif record is not None:
                        record.status = answer.status_code
                        record.headers = {
                            name: answer.headers[name] for name in ("ETag", "Location") if name in answer.headers
                        }
                        record.body = answer.get_data(as_text=True)
                    d.touch(session, actor, w.now)
                    session.flush()  # so that a refusal by the database comes before the chain's lock is taken
                    audit.seal(session, w.trail)
                    session.commit()
                else:
                    session.rollback()
            except Refusal as refusal:
                if refusal.keeps and writing and not dry:
                    if record is not None:
                        session.delete(record)  # the same request may be right the next time
                    session.flush()  # as below: the database's own refusal before the chain's lock
                    audit.seal(session, [*w.trail, *_line_of(refusal, w)])
                    session.commit()
                    raise
                session.rollback()
                if not dry:
                    seal_apart(d, w, _line_of(refusal, w))
                raise
            except BaseException:
                session.rollback()
                raise
        if not writing:
            seal_apart(d, w, w.trail)
            if not w.trail and actor.touch_due and not getattr(view, "is_quiet", False):
                with d.database.transaction() as session:
                    d.touch(session, actor, w.now)
        return answer


def _line_of(refusal: Refusal, w: Work) -> list[audit.AuditLine]:
    """What the trail says of a refusal: nothing of those that refuse no access, or refuse nobody known."""
    if not isinstance(refusal, Forbidden | NotFound) or w.actor.user_id is None:
        return []
    return [refused_line(w, refusal, door_of(request), "door")]


# ------------------------------------------------------------------------------------------------ problems


def problem(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
    """A problem document. `detail` and `extra` never carry what the caller sent of a patient's words."""
    retry_after = extra.pop("retry_after", None)
    body = {"type": PROBLEM_BASE + code, "title": title, "status": status, "detail": detail, "instance": request.path}
    body.update({key: value for key, value in extra.items() if value is not None})
    # The name of an unknown field comes from the caller, and may hold half a character.
    said = json.dumps(body, default=str, ensure_ascii=False).encode(errors="replace")
    answer = Response(said, status=status, mimetype=PROBLEM)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="coordinator"'
    return answer


def answer_refusal(refusal: Refusal) -> Response:
    """A refusal as a problem document, with every finding of a broken rule."""
    extra = dict(refusal.extra)
    findings = getattr(refusal, "findings", None)
    if findings is not None:
        extra["findings"] = [finding.as_dict() for finding in findings]
        extra.setdefault("blocking", [{"rule": finding.rule} for finding in getattr(refusal, "refusing", findings)])
    current = extra.pop("etag", None)
    answer = problem(refusal.status, refusal.problem_code, refusal.title, refusal.detail, **extra)
    if current is not None:
        answer.headers["ETag"] = current
    return answer


def _pointers(messages: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(messages, dict):
        found: list[dict[str, str]] = []
        for key, value in messages.items():
            if path == "" and key in {"json", "query", "headers", "form", "path", "files", "_schema"}:
                found += _pointers(value, "" if key != "query" else "/query")
            else:
                found += _pointers(value, path if key == "_schema" else f"{path}/{str(key)[:80]}")
        return found
    if isinstance(messages, list):
        return [entry for message in messages for entry in _pointers(message, path)]
    return [{"pointer": path or "/", "detail": str(messages)}]


def _answer_validation(messages: Any) -> Response:
    errors = _pointers(messages)
    said = " ".join(f"{entry['pointer']}: {entry['detail']}" for entry in errors[:3])
    more = f" And {len(errors) - 3} more." if len(errors) > 3 else ""
    return problem(422, "invalid", "The request cannot be understood", said + more, errors=errors)


#: What is said instead of the framework's own words for people who mistyped an address.
_SAID = {
    404: "There is nothing at this address. /openapi.json lists every address.",
    405: "This address does not answer to that method; the Allow header names those it does.",
}


def answer_http(error: HTTPException) -> Response:
    """The framework's refusals as problem documents."""
    data = getattr(error, "data", None)
    if data and "messages" in data:
        return _answer_validation(data["messages"])
    code = error.code or 500
    name = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}.get(
        code, f"http-{code}"
    )
    answer = problem(code, name, error.name, _SAID.get(code) or error.description or error.name)
    if code == 405 and getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return answer


def answer_fault(error: Exception) -> Response:
    """A fault of ours: logged, and told without its insides."""
    if isinstance(error, RecursionError):
        return problem(400, "too-deep", "Nested too deeply", "The request is nested deeper than anything can mean.")
    if isinstance(error, IntegrityError):
        return answer_refusal(Conflict("The database refused it.", constraint=broken_constraint(error)))
    log.error("fault", exc_info=error, route=str(request.url_rule), request_id=g.get("request_id"))
    return problem(
        500, "fault", "A fault of ours", f"It was logged as {g.get('request_id')}; nothing was changed. Try again."
    )


# ------------------------------------------------------------------------------------------------ versions


def etag_of(row: Any) -> str:
    """Strong ETag of a versioned row."""
    return f'"{row.version}"'


def with_etag(row: Any) -> tuple[Any, dict[str, str]]:
    """The row to be dumped, and its ETag header: `return with_etag(row)` from a view."""
    return row, {"ETag": etag_of(row)}


def require_match(row: Any) -> None:
    """Refuse an edit that does not say which version it edits (428) or edits an old one (412).

    The row is locked first and its version read anew: of two who read the same version, one passes.
    """
    held = object_session(row)
    if held is not None:
        held.refresh(row, attribute_names=["version"], with_for_update=True)
    sent = request.headers.get("If-Match")
    if sent is None and "_version" in request.form:  # the screens' forms carry it along
        sent = f'"{request.form["_version"]}"'
    if sent is None:
        raise VersionRequired(
            "Send If-Match with the ETag you read, so that nobody's change is lost.", etag=etag_of(row)
        )
    if sent.strip() not in ("*", etag_of(row)):  # RFC 9110: an asterisk means whatever version there is
        raise StaleVersion("It was changed since you read it. Read it again and repeat your change.", etag=etag_of(row))


# ------------------------------------------------------------------------------------------------ putting it on

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


def open_door(app: Coordinator) -> None:
    """Put error handlers, request ids, security headers and the access log on the app."""
    app.url_map.converters["id"] = IdConverter
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    @app.before_request
    def _begin() -> None:
        g.started = time.perf_counter()
        g.request_id = secrets.token_hex(8)

    @app.after_request
    def _end(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        answer.headers["X-Request-Id"] = g.get("request_id", "")
        if not request.path.startswith(("/static/", "/openapi")):
            answer.headers.setdefault("Cache-Control", "no-store")
        log.info(
            "request",
            method=request.method,
            route=str(request.url_rule) if request.url_rule else None,
            status=answer.status_code,
            ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
            request_id=g.get("request_id"),
        )
        return answer

    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(ValidationError, lambda error: _answer_validation(error.messages))
    app.register_error_handler(Exception, answer_fault)
