"""Views that compute before they write: they read, close, think with nothing open, and write what they found."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Request, g, request

from coordinator.core import audit
from coordinator.core.errors import Forbidden, NotFound, Refusal, Unauthenticated
from coordinator.core.idempotency import answered
from coordinator.core.work import Actor, Work, refused_line

if TYPE_CHECKING:
    from coordinator.core.http import Door

#: Reads, and answers what is to be computed; None: nothing.
Think = Callable[[Work], Callable[[], Any] | None]


def thinks_first(think: Think) -> Callable[..., Any]:
    """Mark a view that computes before it writes or tells, and keeps nobody from the writer or a connection meanwhile.

    `think` reads in a reading transaction of its own and answers what is to be computed; that is done with no
    transaction open, and the view, in one of its own, finds the result in `thought()`.
    """

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.think = think  # type: ignore[attr-defined]
        return view

    return mark


def thought() -> Any:
    """What was computed before this view; None if there was nothing to compute from."""
    return g.get("thought")


def think_ahead(d: "Door", think: Think, now: datetime, *, public: bool = False) -> None:
    """Read, close, compute. What was refused or read is on record; what was answered before is not thought over.

    Raises what `think` refuses, Unauthenticated, and the database's errors, which the caller answers as any view's.
    """
    with d.database.transaction(write=False) as session:
        actor = d.authenticate(session, request, now)
        if actor is None and public:
            actor = Actor(name="nobody")
        if actor is None:
            raise Unauthenticated("Sign in, or send a bearer token.")
        w = Work(
            session=session, actor=actor, now=now, policy=d.policy, handlers={}, request_id=g.get("request_id"),
            atlas=d.atlas,
        )  # fmt: skip
        if answered(w):
            return
        refused: Refusal | None = None
        try:
            compute = think(w)
        except (Forbidden, NotFound) as refusal:
            line = refused_line(w, refusal, door_of(request), "door")
            refused, compute = refusal, None
    if refused is not None:
        seal_apart(d, w, [line])
        raise refused
    seal_apart(d, w, w.trail)
    g.thought = compute() if compute is not None else None


def door_of(asked: Request) -> str:
    """The door of a request as an audit line names it: the method and the route, as much as the line holds."""
    return f"{asked.method} {asked.url_rule}"[: audit.LONGEST_ACTION]


def seal_apart(d: "Door", w: Work, lines: Sequence[audit.AuditLine]) -> None:
    """Seal lines in a short transaction of their own: those of a reader, and those of a refusal."""
    if not lines:
        return
    with d.database.transaction() as session:
        d.touch(session, w.actor, w.now)
        audit.seal(session, lines)
