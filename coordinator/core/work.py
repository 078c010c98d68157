"""A piece of work: one actor, one instant, one transaction. Every verb takes it first and never commits it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from sqlalchemy.orm import Session

from coordinator.core.audit import AuditLine
from coordinator.core.errors import Forbidden, Refusal

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in person, or the system for a named job."""

    name: str
    user_id: int | None = None
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    clinician_id: int | None = None
    physician_id: int | None = None
    branch_ids: frozenset[int] = frozenset()
    session_id: int | None = None
    #: The profession of an acting clinician: RN, CHHA, ...
    performer: str | None = None
    #: Signed in with less than their role asks for: nothing but setting up a second factor is open.
    confined: bool = False
    #: The session's last use was noted a minute ago or longer.
    touch_due: bool = False

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def has_role(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)


@dataclass(slots=True)
class Work:
    """What a verb needs: where to write, who acts, what time it is, which numbers hold, and whom to tell.

    `policy` is a `coordinator.rules.terms.Policy`, that of today; this room stands below the rules and does not name
    it. Whoever judges another day asks it for that day (`Policy.on`).
    """

    session: Session
    actor: Actor
    now: datetime
    policy: Any
    handlers: dict[type, tuple[Callable[["Work", Any], None], ...]] = field(default_factory=dict)
    #: Puts a job in the queue inside this transaction: (work, job name, key, arguments).
    enqueue: Callable[["Work", str, str, dict[str, Any]], None] | None = None
    trail: list[AuditLine] = field(default_factory=list)
    request_id: str | None = None
    #: A `coordinator.travel.atlas.Atlas`, which this room does not name either; None: the shipped one.
    atlas: Any = None

    def __post_init__(self) -> None:
        if self.policy is not None:
            self.policy = self.policy.on(self.now.date())

    def record(
        self, action: str, subject: str, *, patient_id: int | None = None, outcome: str = "ok", **facts: Any
    ) -> None:
        """Remember an audit line; it is sealed when the door commits. Facts are codes and ids, never names."""
        self.trail.append(
            AuditLine(
                at=self.now,
                actor=self.actor.name,
                user_id=self.actor.user_id,
                action=action,
                subject=subject,
                outcome=outcome,
                patient_id=patient_id,
                facts=facts,
                request_id=self.request_id,
            )
        )

    def publish(self, event: object) -> None:
        """Tell the rooms that asked to hear of it, in the order written in `wiring.py`, in this transaction."""
        for handler in self.handlers.get(type(event), ()):
            handler(self, event)

    def later(self, job: str, key: str, **arguments: Any) -> None:
        """Put a job in the queue; it runs after this transaction commits, once per key."""
        if self.enqueue is None:
            raise RuntimeError("this work has no queue")
        self.enqueue(self, job, key, arguments)


def _refuse_without(work: Work, permission: str) -> None:
    if not work.actor.may(permission):
        if work.actor.confined:
            raise Forbidden(
                "Your role asks for a second factor. Set one up: an authenticator app or a passkey.",
                code="second-factor-missing",
                permission=permission,
            )
        raise Forbidden(
            f"Your role does not include {permission}. Ask a clinical manager or an administrator.",
            permission=permission,
        )


def may_call(work: Work, verb: Callable[..., Any]) -> None:
    """Refuse whoever lacks the verb's permission: for doors that compare versions, or lock, before they call it.

    Otherwise somebody who may not change a row would hear which version it has.
    """
    _refuse_without(work, verb.permission)  # type: ignore[attr-defined]


def permitted(permission: str) -> Callable[[F], F]:
    """Mark a verb with the permission it needs; anybody without it is refused before anything is read."""

    def decorate(verb: F) -> F:
        @wraps(verb)
        def guarded(work: Work, *args: Any, **kwargs: Any) -> Any:
            _refuse_without(work, permission)
            return verb(work, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return cast(F, guarded)

    return decorate


def refused_line(work: Work, refusal: Refusal, action: str, subject: str) -> AuditLine:
    """The audit line for a refusal of access: a denied read leaves a trace as well (SEC-05)."""
    return AuditLine(
        at=work.now,
        actor=work.actor.name,
        user_id=work.actor.user_id,
        action=action,
        subject=refusal.subject or subject,
        outcome="deny",
        patient_id=refusal.patient_id,
        facts={"code": refusal.problem_code, **({"permission": p} if (p := refusal.extra.get("permission")) else {})},
        request_id=work.request_id,
    )
