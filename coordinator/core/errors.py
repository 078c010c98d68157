"""Refusals: the few ways in which the product says no. Doors turn them into problem documents or pages (RFC 9457)."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self


class Refusal(Exception):  # noqa: N818  (a refusal is an answer, not an error)
    """A "no" with a stable code, a sentence for people and facts for programs. Nothing was changed."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problem_code = code or self.code
        self.extra = extra
        #: What was refused, for the audit line alone: the row, and whose it is.
        self.subject: str | None = None
        self.patient_id: int | None = None
        #: Whether the door keeps what was written before the refusal: a count of wrong guesses, and its line.
        self.keeps = False

    def about(self, subject: str, patient_id: int | None = None) -> Self:
        """The same refusal, whose audit line names the row; the answer does not."""
        self.subject, self.patient_id = subject, patient_id
        return self

    def kept(self) -> Self:
        """The same refusal, which does not undo what was written before it: for wrong passwords and codes alone.

        The verb writes nothing else before it is raised.
        """
        self.keeps = True
        return self


class NotFound(Refusal):
    """There is no such thing, or it is not the asker's to know about: both sound the same."""

    status = 404
    code = "not-found"
    title = "Not found"

    def __init__(self, what: str, **extra: Any) -> None:
        super().__init__(f"There is no such {what}, or it is not yours to see.", **extra)


class Unauthenticated(Refusal):
    """Nobody is signed in, or no longer."""

    status = 401
    code = "sign-in-required"
    title = "Sign in first"


class Forbidden(Refusal):
    """The person is known and may not do this."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class Invalid(Refusal):
    """What was said cannot be meant. `errors` is a list of {pointer, detail}."""

    status = 422
    code = "invalid"
    title = "The request cannot be understood"

    def __init__(self, detail: str, *, pointer: str | None = None, **extra: Any) -> None:
        if pointer is not None:
            extra.setdefault("errors", [{"pointer": pointer, "detail": detail}])
        super().__init__(detail, **extra)


class Conflict(Refusal):
    """The request is sound and the state of things stands against it. `blocking` names what does."""

    status = 409
    code = "conflict"
    title = "In conflict with what is already there"


class StaleVersion(Refusal):
    """Somebody changed it since it was read."""

    status = 412
    code = "stale-version"
    title = "Changed since you read it"


class VersionRequired(Refusal):
    """An edit must say which version it edits (RFC 6585)."""

    status = 428
    code = "version-required"
    title = "Say which version you are changing"


class TooMany(Refusal):
    """Asked too often; `retry_after` says in how many seconds to try again."""

    status = 429
    code = "too-many-attempts"
    title = "Too many attempts"


class Busy(Refusal):
    """Could not be done right now for want of a lock or a connection; the same request may go through later."""

    status = 503
    code = "busy"
    title = "Busy, try again"


class RuleBroken(Refusal):
    """One or more rules refuse. Carries every finding, so that nobody cures one only to meet the next."""

    status = 422
    code = "rule-broken"
    title = "A rule does not allow this"

    def __init__(self, findings: Sequence[Any], *, code: str | None = None, **extra: Any) -> None:
        self.findings = tuple(findings)
        #: Those that refuse; the others come along so that nobody meets them only afterwards.
        self.refusing = tuple(finding for finding in self.findings if finding.refuses)
        detail = " ".join(finding.sentence() for finding in self.refusing)
        super().__init__(detail, code=code, **extra)
