"""The link in a physician's mail of the day: known by its keyed hash, for its reader alone, good once and for days.

It opens nothing by itself: whoever follows it signs in. It names nobody, and its address is in no log.
"""

from datetime import datetime

from coordinator.access.service import Doorman
from coordinator.access.steps import Step, find_step, open_step
from coordinator.core.errors import Conflict
from coordinator.core.work import Work, permitted


def make_link(work: Work, doorman: Doorman, user_id: int) -> str | None:
    """A new address for that person; None where this installation has no public one. Asked by this room alone."""
    if doorman.settings.public_url is None:
        return None
    secret, _ = open_step(work, doorman, Step.DIGEST, user_id=user_id)
    return f"{doorman.settings.public_url}/q/{secret}"


@permitted("notice:read")
def follow_link(work: Work, doorman: Doorman, secret: str) -> datetime:
    """The link is used up by the person whom it was sent to, at the instant answered.

    Conflict `link-over` for one that was used, is too old, was sent to somebody else or never was: all sound the same.
    """
    step = find_step(work, doorman, Step.DIGEST, secret)
    if step is None or step.user_id != work.actor.user_id:
        raise Conflict(
            "This link was used already, is too old, or was sent to somebody else. Open what waits for you from the "
            "menu.",
            code="link-over",
        )
    step.used_at = work.now
    work.record("digest-link.followed", f"user:{work.actor.user_id}")
    return work.now
