"""The words of handing a patient over: why a card is due, how it lives, and why a visit may begin over it."""

from enum import StrEnum


class HandoffCause(StrEnum):
    """Why what is known of a patient is to be handed over."""

    #: The next visit is by somebody else than the last.
    NEXT_VISIT = "next-visit"
    PRIMARY_CHANGED = "primary-changed"
    COVER = "cover"
    #: Another physician directs the care; no visit waits for that card.
    PHYSICIAN_CHANGED = "physician-changed"


class HandoffStatus(StrEnum):
    """Life of a card."""

    #: Drafted from the record; nobody has finished it.
    DRAFT = "draft"
    #: Finished by a person; the receiver has not read it.
    FINISHED = "finished"
    ACKNOWLEDGED = "acknowledged"
    #: The visit for which it was read has begun; a physician's is used as soon as it is read.
    USED = "used"
    #: A visit began before it was read, for a reason.
    PASSED_OVER = "passed-over"
    #: Nothing is to be handed over any more: the plan has changed again.
    WITHDRAWN = "withdrawn"


LIVE_HANDOFF = frozenset({HandoffStatus.DRAFT, HandoffStatus.FINISHED, HandoffStatus.ACKNOWLEDGED})
UNREAD_HANDOFF = frozenset({HandoffStatus.DRAFT, HandoffStatus.FINISHED})


class StartOverHandoff(StrEnum):
    """Why a visit begins although its card was not read."""

    EMERGENCY = "emergency"
    NOT_FINISHED = "not-finished"
    TOLD_IN_PERSON = "told-in-person"
    OUT_OF_REACH = "out-of-reach"
