"""When what is known of a patient is to be handed over, and what becomes of cards when a plan changes. Pure.

The agency's own rule: whoever comes next knows what whoever came last has seen. One live card per receiver and
discipline of a patient, however often the plan changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from coordinator.domain.handoffs import HandoffCause, HandoffStatus


@dataclass(frozen=True, slots=True)
class Seen:
    """The last visit that was begun: who came."""

    visit_id: int
    clinician_id: int


@dataclass(frozen=True, slots=True)
class Coming:
    """The next visit that is booked: who is to come, and when."""

    visit_id: int
    clinician_id: int
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Entrusted:
    """Somebody who becomes primary, or stands in for one, from an instant on."""

    to_clinician_id: int
    from_clinician_id: int
    cause: HandoffCause
    due_at: datetime
    cover_id: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A card that should be: from whom to whom, why, and by when it must have been read."""

    to_clinician_id: int
    from_clinician_id: int
    cause: HandoffCause
    due_at: datetime
    visit_id: int | None = None
    cover_id: int | None = None


@dataclass(frozen=True, slots=True)
class LiveCard:
    """A card that is there, neither used nor withdrawn."""

    id: int
    to_clinician_id: int
    cause: HandoffCause
    status: HandoffStatus
    due_at: datetime
    visit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """What makes the cards those that should be; every card and every wish is in one list at most."""

    opened: tuple[Wanted, ...] = ()
    #: The same receiver, another visit or hour.
    moved: tuple[tuple[int, Wanted], ...] = ()
    #: Another receiver for a card that nobody has read.
    readdressed: tuple[tuple[int, Wanted], ...] = ()
    withdrawn: tuple[int, ...] = ()


def cards_wanted(last: Seen | None, coming: Coming | None, entrusted: Iterable[Entrusted] = ()) -> Mapping[int, Wanted]:
    """The cards that should be, by receiver. Before anybody has come there is nothing to hand over for a visit."""
    wanted: dict[int, Wanted] = {}
    for one in entrusted:
        if one.to_clinician_id != one.from_clinician_id and (last is None or last.clinician_id != one.to_clinician_id):
            wanted[one.to_clinician_id] = Wanted(
                one.to_clinician_id, one.from_clinician_id, one.cause, one.due_at, cover_id=one.cover_id
            )
    if last is not None and coming is not None and last.clinician_id != coming.clinician_id:
        known = wanted.get(coming.clinician_id)
        wanted[coming.clinician_id] = Wanted(
            coming.clinician_id,
            last.clinician_id,
            HandoffCause.NEXT_VISIT if known is None else known.cause,
            coming.starts_at,
            visit_id=coming.visit_id,
            cover_id=None if known is None else known.cover_id,
        )
    return wanted


def settle(live: Iterable[LiveCard], wanted: Mapping[int, Wanted]) -> Steps:
    """From the cards that are there to those that should be, with as little change as can be, and none doubled.

    A card that nobody has read goes to another receiver; one that was read is withdrawn, and the next has its own.
    """
    opened, moved, readdressed, withdrawn = [], [], [], []
    missing = dict(wanted)
    left = []
    for card in live:
        wish = missing.pop(card.to_clinician_id, None)
        if wish is None:
            left.append(card)
        elif (wish.visit_id, wish.due_at) != (card.visit_id, card.due_at):
            moved.append((card.id, wish))
    unread = [card for card in left if card.status is not HandoffStatus.ACKNOWLEDGED]
    for wish in missing.values():
        if unread and wish.cause is HandoffCause.NEXT_VISIT:
            readdressed.append((unread.pop(0).id, wish))
        else:
            opened.append(wish)
    taken = {number for number, _ in readdressed}
    withdrawn = [card.id for card in left if card.id not in taken]
    return Steps(tuple(opened), tuple(moved), tuple(readdressed), tuple(withdrawn))
