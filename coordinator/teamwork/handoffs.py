"""Handing a patient over: cards that follow the plan, finished by who was there, read by who comes next.

`follow` makes the cards of some patients those that should be, whatever has happened; asked twice it changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import branches_of, patients_in_sight, sees_own_visits_only
from coordinator.agency import service as agency
from coordinator.core.db import fetch, in_sight
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.handoffs import LIVE_HANDOFF, UNREAD_HANDOFF, HandoffCause, HandoffStatus
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.teamwork import DESK_OF, Desk, TaskKind, TaskSource
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline, Role, VisitKind, VisitStatus
from coordinator.patients.model import Episode, Patient
from coordinator.rules import handoffs as rules
from coordinator.rules.handoffs import Coming, Entrusted, LiveCard, Seen, Wanted
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.teamwork.handoff_drafts import draft
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.tasks import cancel_tasks, finish_tasks, open_task
from coordinator.visits.model import Visit

Pair = tuple[int, Discipline]
#: A booked visit that nobody began is still the next one for so long after its hour.
STILL_COMING = timedelta(hours=12)
_BEGUN = frozenset({VisitStatus.IN_PROGRESS}) | DONE_VISIT
_AHEAD = frozenset({VisitStatus.BOOKED, VisitStatus.EN_ROUTE, VisitStatus.ARRIVED})


# ------------------------------------------------------------------------------------ following the plan


def follow(work: Work, pairs: Iterable[Pair], entrusted: Mapping[Pair, list[Entrusted]] | None = None) -> None:
    """The live cards of these patients and disciplines are those that should be. Asked by handlers, never by a door.

    `entrusted`: who becomes primary or stands in, besides those for whom a card is there already.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return
    work.session.flush()  # what has just changed is read back below
    patients = sorted({patient_id for patient_id, _ in wanted})
    last, coming = _seen(work, patients), _coming(work, patients)
    live = _live_cards(work, patients)
    for pair in wanted:
        cards = live.get(pair, [])
        given = [*_still_entrusted(work, cards), *((entrusted or {}).get(pair, []))]
        steps = rules.settle(
            [LiveCard(c.id, c.to_clinician_id or 0, c.cause, c.status, c.due_at, c.visit_id) for c in cards],
            rules.cards_wanted(last.get(pair), coming.get(pair), given),
        )
        _take(work, pair, {card.id: card for card in cards}, steps)


def _take(work: Work, pair: Pair, cards: Mapping[int, Handoff], steps: rules.Steps) -> None:
    """Withdrawn first, so that a receiver is free before somebody else's card comes to them."""
    for number in steps.withdrawn:
        withdraw(work, cards[number])
    for number, wish in steps.moved:
        cards[number].visit_id, cards[number].due_at = wish.visit_id, wish.due_at
        work.record("handoff.moved", f"handoff:{number}", patient_id=pair[0], visit=wish.visit_id)
    for number, wish in steps.readdressed:
        _readdress(work, cards[number], wish)
    for wish in steps.opened:
        _open(work, pair, wish)
    work.session.flush()  # the next change finds them


def _visits(patients: Iterable[int], statuses: Iterable[VisitStatus]) -> sa.Select[Visit]:
    return sa.select(Visit).where(
        Visit.patient_id.in_(list(patients)),
        Visit.status.in_(sorted(statuses)),
        Visit.joint_with_id.is_(None),
        Visit.kind != VisitKind.SUPERVISION,
    )


def _ranked(query: sa.Select[Visit], *, latest: bool) -> sa.Select[Any]:
    """The first or last visit of each patient and discipline: number, patient, discipline, clinician, begin."""
    order = (Visit.starts_at.desc(), Visit.id.desc()) if latest else (Visit.starts_at, Visit.id)
    place = sa.func.row_number().over(partition_by=(Visit.patient_id, Visit.discipline), order_by=order)
    inner = query.with_only_columns(
        Visit.id, Visit.patient_id, Visit.discipline, Visit.clinician_id, Visit.starts_at, place.label("place")
    ).subquery()
    return sa.select(inner.c.id, inner.c.patient_id, inner.c.discipline, inner.c.clinician_id, inner.c.starts_at).where(
        inner.c.place == 1
    )


def _seen(work: Work, patients: Iterable[int]) -> dict[Pair, Seen]:
    rows = work.session.execute(_ranked(_visits(patients, _BEGUN), latest=True))
    return {(row.patient_id, row.discipline): Seen(row.id, row.clinician_id) for row in rows}


def _coming(work: Work, patients: Iterable[int]) -> dict[Pair, Coming]:
    query = _visits(patients, _AHEAD).where(Visit.is_current, Visit.starts_at >= work.now - STILL_COMING)
    rows = work.session.execute(_ranked(query, latest=False))
    return {(row.patient_id, row.discipline): Coming(row.id, row.clinician_id, row.starts_at) for row in rows}


def _live_cards(work: Work, patients: Iterable[int]) -> dict[Pair, list[Handoff]]:
    rows = work.session.execute(
        sa.select(Handoff)
        .where(
            Handoff.patient_id.in_(list(patients)),
            Handoff.status.in_(sorted(LIVE_HANDOFF)),
            Handoff.to_clinician_id.is_not(None),
        )
        .order_by(Handoff.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalars()
    found: dict[Pair, list[Handoff]] = defaultdict(list)
    for card in rows:
        assert card.discipline is not None  # the guard `two_people`
        found[card.patient_id, card.discipline].append(card)
    return found


def _still_entrusted(work: Work, cards: Iterable[Handoff]) -> list[Entrusted]:
    """Of the cards for new primaries and for covers, those whose reason holds still."""
    found = []
    for card in cards:
        in_care = sa.select(Episode.id).where(Episode.patient_id == card.patient_id, Episode.discharged_on.is_(None))
        if work.session.execute(in_care.limit(1)).scalar() is None:
            continue
        day = local_day(work.now, agency.zone_of(work, card.branch_id))
        if card.cause is HandoffCause.COVER:
            cover = work.session.get(Cover, card.cover_id) if card.cover_id is not None else None
            holds = cover is not None and cover.withdrawn_at is None and cover.ends_on >= day
        elif card.cause is HandoffCause.PRIMARY_CHANGED:
            primary = sa.select(CareTeamMember.id).where(
                CareTeamMember.patient_id == card.patient_id,
                CareTeamMember.clinician_id == card.to_clinician_id,
                CareTeamMember.is_primary,
                sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= day),
            )
            holds = work.session.execute(primary.limit(1)).scalar() is not None
        else:
            holds = False
        if holds and card.to_clinician_id is not None and card.from_clinician_id is not None:
            found.append(
                Entrusted(card.to_clinician_id, card.from_clinician_id, card.cause, card.due_at, card.cover_id)
            )
    return found


def last_seen_by(work: Work, pair: Pair) -> int | None:
    """Who last began a visit of the discipline at the patient. Asked by handlers."""
    seen = _seen(work, [pair[0]]).get(pair)
    return None if seen is None else seen.clinician_id


# ------------------------------------------------------------------------------------ what becomes of a card


def task_ref(card: Handoff) -> str:
    """What its tasks are asked by: each receiver's are their own."""
    return f"handoff:{card.id}:{card.turn}"


def _open(work: Work, pair: Pair, wish: Wanted) -> None:
    patient = work.session.get_one(Patient, pair[0])
    card = Handoff(
        branch_id=patient.branch_id, patient_id=patient.id, discipline=pair[1], cause=wish.cause,
        status=HandoffStatus.DRAFT, from_clinician_id=wish.from_clinician_id, to_clinician_id=wish.to_clinician_id,
        visit_id=wish.visit_id, cover_id=wish.cover_id, due_at=wish.due_at, opened_at=work.now, turn=0,
    )  # fmt: skip
    work.session.add(card)
    work.session.flush()  # the card's number is in its tasks and in the trail
    work.record(
        "handoff.opened", f"handoff:{card.id}", patient_id=card.patient_id, cause=card.cause.value,
        giver=card.from_clinician_id, receiver=card.to_clinician_id, visit=card.visit_id,
    )  # fmt: skip
    ask(work, card, TaskKind.WRITE_HANDOFF)


def _readdress(work: Work, card: Handoff, wish: Wanted) -> None:
    """Another receiver; what was written stays, and the tasks of the one before are asked no more."""
    cancel_tasks(work, source=TaskSource.HANDOFF, source_ref=task_ref(card))
    card.to_clinician_id, card.visit_id, card.due_at = wish.to_clinician_id, wish.visit_id, wish.due_at
    card.cause, card.cover_id = wish.cause, wish.cover_id
    card.turn += 1
    if card.from_clinician_id == card.to_clinician_id:  # who was to write it comes after all
        card.from_clinician_id = wish.from_clinician_id
    work.session.flush()  # nobody has two cards when the next is opened
    work.record(
        "handoff.readdressed", f"handoff:{card.id}", patient_id=card.patient_id, receiver=card.to_clinician_id,
        visit=card.visit_id,
    )  # fmt: skip
    ask(work, card, TaskKind.WRITE_HANDOFF if card.status is HandoffStatus.DRAFT else TaskKind.READ_HANDOFF)


def ask(work: Work, card: Handoff, kind: TaskKind) -> None:
    """The giver is to write, or the receiver to read: on their own list where they sign in, and else on the list of
    their profession; what a physician who left is to write and cannot, on the clinical manager's.

    Asked by other verbs of this room.
    """
    writes = kind is TaskKind.WRITE_HANDOFF
    clinician_id = card.from_clinician_id if writes else card.to_clinician_id
    if clinician_id is not None:
        desk = DESK_OF[fetch(work.session, Clinician, clinician_id, "clinician").performer]
        whose = User.clinician_id == clinician_id
    else:
        desk = Desk.CLINICAL_MANAGER if writes else Desk.PHYSICIAN
        whose = User.physician_id == (card.from_physician_id if writes else card.to_physician_id)
    user_id = work.session.execute(sa.select(User.id).where(whose, User.active).order_by(User.id).limit(1)).scalar()
    open_task(
        work, patient_id=card.patient_id, kind=kind, source=TaskSource.HANDOFF, source_ref=task_ref(card),
        due=card.due_at, owner_role=desk, owner_id=user_id, about=f"handoff:{card.id}",
    )  # fmt: skip


def withdraw(work: Work, card: Handoff) -> None:
    """Nothing is to be handed over to that receiver any more. Asked by other verbs of this room."""
    card.status, card.ended_at = HandoffStatus.WITHDRAWN, work.now
    work.session.flush()  # the receiver is free for another card
    cancel_tasks(work, source=TaskSource.HANDOFF, source_ref=task_ref(card))
    work.record("handoff.withdrawn", f"handoff:{card.id}", patient_id=card.patient_id)


# ------------------------------------------------------------------------------------ whose, and reading


def to_write(work: Work) -> sa.ColumnElement[bool]:
    """Cards that the actor gives."""
    return sa.or_(
        Handoff.from_clinician_id == (work.actor.clinician_id or 0),
        Handoff.from_physician_id == (work.actor.physician_id or 0),
    )


def to_read(work: Work) -> sa.ColumnElement[bool]:
    """Cards that the actor receives."""
    return sa.or_(
        Handoff.to_clinician_id == (work.actor.clinician_id or 0),
        Handoff.to_physician_id == (work.actor.physician_id or 0),
    )


def _in_sight(work: Work) -> sa.ColumnElement[bool]:
    """Cards of patients in sight, and those that the actor is to write or to read, before they may see more.

    An aide sees their own alone.
    """
    own = sa.and_(sa.or_(to_write(work), to_read(work)), Handoff.status.in_(sorted(LIVE_HANDOFF)))
    if sees_own_visits_only(work.actor):
        return own
    if branches_of(work.actor) is None:
        return sa.true()
    return sa.or_(own, Handoff.patient_id.in_(patients_in_sight(work)))


def _visible(work: Work, handoff_id: int) -> Handoff:
    return in_sight(work.session, Handoff, handoff_id, _in_sight(work), "handoff")


def card_for_change(work: Work, handoff_id: int) -> Handoff:
    """The card, if it is the actor's to see, held until this transaction ends."""
    return in_sight(work.session, Handoff, handoff_id, _in_sight(work), "handoff", lock=True)


@permitted("handoff:read")
def get(work: Work, handoff_id: int) -> Handoff:
    """One card; the reading leaves a line in the trail, and is no acknowledgement."""
    card = _visible(work, handoff_id)
    work.record("handoff.read", f"handoff:{card.id}", patient_id=card.patient_id)
    return card


@permitted("handoff:list")
def search(
    work: Work, *, patient_id: int | None = None, clinician_id: int | None = None, unread: bool | None = None,
    live: bool | None = True,
) -> sa.Select[Handoff]:  # fmt: skip
    """Cards in sight, as a select for `page`: whose they are and how they stand, without what they say."""
    query = sa.select(Handoff).where(_in_sight(work))
    if patient_id is not None:
        query = query.where(Handoff.patient_id == patient_id)
    if clinician_id is not None:
        query = query.where(sa.or_(Handoff.from_clinician_id == clinician_id, Handoff.to_clinician_id == clinician_id))
    for wanted, statuses in ((unread, UNREAD_HANDOFF), (live, LIVE_HANDOFF)):
        if wanted is not None:
            fits = Handoff.status.in_(sorted(statuses))
            query = query.where(fits if wanted else sa.not_(fits))
    work.record("handoff.listed", "handoff:list", patient_id=patient_id)
    return query


# ------------------------------------------------------------------------------------ writing and reading it


@permitted("handoff:write")
def finish(work: Work, handoff_id: int, *, watch: str, changed: str | None = None) -> Handoff:
    """A person has finished the card: what the record says now is kept with their words, and the receiver is asked.

    Whoever was there last, or directed the care, finishes it, or the clinical manager. Until it is read it may be
    finished anew.
    """
    card = card_for_change(work, handoff_id)
    if not card.is_giver(work.actor) and not work.actor.has_role(Role.CLINICAL_MANAGER.value):
        raise Forbidden("Whoever was there last finishes the card, or the clinical manager.", code="not-the-giver")
    if card.status not in UNREAD_HANDOFF:
        raise _over(card)
    if not watch.strip():
        raise Invalid("Say what to watch.", pointer="/watch")
    again = card.status is HandoffStatus.FINISHED
    card.content, card.changed, card.watch = draft(work, card), changed, watch
    card.status, card.finished_at, card.finished_by_id = HandoffStatus.FINISHED, work.now, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    work.record("handoff.finished", f"handoff:{card.id}", patient_id=card.patient_id)
    if not again:
        finish_tasks(work, source=TaskSource.HANDOFF, source_ref=task_ref(card), kind=TaskKind.WRITE_HANDOFF)
        ask(work, card, TaskKind.READ_HANDOFF)
    return card


@permitted("handoff:acknowledge")
def acknowledge(work: Work, handoff_id: int) -> Handoff:
    """The receiver has read the card; a second time changes nothing. Nobody acknowledges for somebody else.

    A physician's card is used by that: no visit waits for it.
    """
    card = card_for_change(work, handoff_id)
    if not card.is_receiver(work.actor):
        raise Forbidden("Only whoever comes next acknowledges the card.", code="not-the-receiver")
    if card.status is HandoffStatus.ACKNOWLEDGED:
        return card
    if card.status is HandoffStatus.DRAFT:
        raise Conflict(
            "Nobody has finished this card yet. Ask who was there last, or begin the visit with a reason.",
            code="handoff-not-finished",
            blocking=[
                {"handoff": card.id, "clinician": card.from_clinician_id, "physician": card.from_physician_id}
            ],
        )  # fmt: skip
    if card.status is not HandoffStatus.FINISHED:
        raise _over(card)
    card.status, card.acknowledged_at, card.acknowledged_by_id = (
        HandoffStatus.ACKNOWLEDGED, work.now, work.actor.user_id,
    )  # fmt: skip
    if card.to_physician_id is not None:
        card.status, card.ended_at = HandoffStatus.USED, work.now
    work.session.flush()  # the new version is in the answer
    work.record("handoff.acknowledged", f"handoff:{card.id}", patient_id=card.patient_id)
    finish_tasks(work, source=TaskSource.HANDOFF, source_ref=task_ref(card), kind=TaskKind.READ_HANDOFF)
    return card


def _over(card: Handoff) -> Conflict:
    return Conflict(
        f"This card is {card.status.value}; nothing is written in it any more.", code="handoff-over",
        state=card.status.value,
    )  # fmt: skip


def discipline_of(work: Work, clinician_id: int) -> Discipline:
    """The discipline that a clinician visits for. Asked by handlers."""
    return DISCIPLINE_OF[fetch(work.session, Clinician, clinician_id, "clinician").performer]
