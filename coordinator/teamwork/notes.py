"""Notes of the team: written once and addressed, answered in threads, completed by addenda, retracted with a reason.

Who reads what: the author, those it is addressed to, and those who may read clinical records of patients in their
sight. What is restricted (counselling) is for its author, social work, the clinical manager and physicians alone, and
for nobody else even where addressed; lists leave it out, and asking for it is refused and on record (SEC-08).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from coordinator.access.scope import branches_of, patients_in_sight, require_sight
from coordinator.core.audit import AuditEvent
from coordinator.core.db import ROW_ID, in_sight
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import NoteAddressed
from coordinator.domain.language import canonical
from coordinator.domain.teamwork import (
    CLINICAL_NOTES,
    COUNSELS,
    READS_RESTRICTED,
    RESTRICTED,
    Desk,
    NoteKind,
    Retraction,
    desks_of,
)
from coordinator.domain.vocabulary import Role
from coordinator.teamwork import teaching
from coordinator.teamwork.notes_model import Note, NoteAddress
from coordinator.teamwork.parts import FORMS, sound_parts
from coordinator.teamwork.people import my_desks, own_branch, place, require_able, stands_in

#: Rows that a note may name beside its patient; they must be hers.
_visit = sa.table("visit", sa.column("id", ROW_ID), sa.column("patient_id", ROW_ID))
_caregiver = sa.table("caregiver", sa.column("id", ROW_ID), sa.column("patient_id", ROW_ID))
_participant = sa.table("outside_participant", sa.column("id", ROW_ID), sa.column("patient_id", ROW_ID))
#: The note that an address is of, beside the one that a list is made of.
_of = aliased(Note)


@dataclass(frozen=True, slots=True)
class Addressee:
    """One of those a note is for: a person by their user's number, or a desk."""

    user_id: int | None = None
    desk: Desk | None = None


# ------------------------------------------------------------------------------------ who reads


def _reads_clinical(work: Work) -> bool:
    return work.actor.may("patient:read-clinical")


def _reads_restricted(work: Work) -> bool:
    return work.actor.has_role(Role.SYSTEM.value) or not my_desks(work.actor).isdisjoint(READS_RESTRICTED)


def to_me(work: Work, desks: frozenset[Desk] | None = None) -> sa.Select[Any]:
    """Numbers of addresses of notes that are the actor's: their own, those of whom they stand in for today, and those
    of their desks. With `desks`, of these alone."""
    to_desk = NoteAddress.desk.in_(sorted(my_desks(work.actor) if desks is None else desks))
    query = sa.select(NoteAddress.id).join(_of, _of.id == NoteAddress.note_id)
    if desks is not None:
        return query.where(to_desk)
    own = NoteAddress.user_id == (work.actor.user_id or 0)
    return query.where(sa.or_(own, to_desk, stands_in(work, NoteAddress.user_id, _of.patient_id)))  # type: ignore[arg-type]


def _addressed(work: Work) -> sa.ColumnElement[bool]:
    """Notes that are addressed to the actor in one of these ways."""
    return Note.id.in_(sa.select(NoteAddress.note_id).where(NoteAddress.id.in_(to_me(work))))


def in_reach(work: Work) -> sa.ColumnElement[bool]:
    """Notes that concern the actor, restricted or not: about patients in sight; between colleagues if about none."""
    if work.actor.has_role(Role.SYSTEM.value):
        return sa.true()
    own, addressed = Note.author_id == (work.actor.user_id or 0), _addressed(work)
    mine, makes_visits_for = branches_of(work.actor), own_branch(work)
    to_me_here = addressed
    if mine is not None:
        here = sorted(mine | (frozenset() if makes_visits_for is None else {makes_visits_for}))
        to_me_here = sa.and_(addressed, Note.branch_id.in_(here))
    about_none = sa.and_(Note.patient_id.is_(None), sa.or_(own, to_me_here))
    seen: sa.ColumnElement[bool] = Note.patient_id.in_(patients_in_sight(work))
    if not _reads_clinical(work):
        seen = sa.and_(seen, sa.or_(own, addressed))
    return sa.or_(seen, about_none)


def readable(work: Work) -> sa.ColumnElement[bool]:
    """Notes whose words the actor may read."""
    if _reads_restricted(work):
        return in_reach(work)
    return sa.and_(in_reach(work), sa.or_(Note.restricted.is_(False), Note.author_id == (work.actor.user_id or 0)))


def _readable(work: Work, note_id: int, *, lock: bool = False) -> Note:
    note = in_sight(work.session, Note, note_id, in_reach(work), "note", lock=lock)
    if note.restricted and note.author_id != work.actor.user_id and not _reads_restricted(work):
        raise Forbidden(
            "This note is for its author, social work, the clinical manager and physicians.",
            code="restricted-note",
        ).about(f"note:{note.id}", note.patient_id)
    return note


# ------------------------------------------------------------------------------------ writing


@permitted("note:write")
def write(
    work: Work, *, kind: NoteKind, patient_id: int | None = None, branch_id: int | None = None,
    text: str | None = None, parts: dict[str, Any] | None = None, language: str = "en", visit_id: int | None = None,
    to: Sequence[Addressee] = (), wants_acknowledgement: bool = False,
) -> Note:  # fmt: skip
    """A note of that kind is on record, and those it is addressed to hear of it."""
    form = FORMS[kind]
    if form.patient and patient_id is None:
        raise Invalid("Name the patient.", pointer="/patient_id")
    branch = place(work, patient_id, branch_id)
    _require_writer(work, kind)
    if form.text and text is None:
        raise Invalid("Say it in words.", pointer="/text")
    if kind is NoteKind.VISIT_SUMMARY and visit_id is None:
        raise Invalid("Name the visit.", pointer="/visit_id")
    sound = sound_parts(kind, parts or {})
    _require_hers(work, patient_id, visit_id, sound)
    note = _add(
        work, branch_id=branch, patient_id=patient_id, kind=kind, restricted=kind in RESTRICTED, text=text,
        parts=sound, language=_tag(language), visit_id=visit_id, wants_acknowledgement=wants_acknowledgement,
    )  # fmt: skip
    if kind is NoteKind.TEACHING:
        teaching.on_note(work, note)
    _address(work, note, to)
    return note


def _require_writer(work: Work, kind: NoteKind) -> None:
    if kind in CLINICAL_NOTES and not work.actor.may("note:write-clinical"):
        raise Forbidden(
            "Notes of this kind are written by those who care for the patient.", permission="note:write-clinical"
        )
    if kind in RESTRICTED and my_desks(work.actor).isdisjoint(COUNSELS):
        raise Forbidden("Counselling is noted by social workers, chaplains and physicians.")


def _require_hers(work: Work, patient_id: int | None, visit_id: int | None, parts: dict[str, Any]) -> None:
    for table, number, pointer in (
        (_visit, visit_id, "/visit_id"),
        (_caregiver, parts.get("caregiver_id"), "/parts/caregiver_id"),
        (_participant, parts.get("participant_id"), "/parts/participant_id"),
    ):
        if number is None:
            continue
        found = work.session.execute(sa.select(table.c.patient_id).where(table.c.id == number)).scalar()
        if found is None or found != patient_id:
            raise Invalid("This is not the patient's.", pointer=pointer)


def _tag(language: str) -> str:
    try:
        return canonical(language)
    except ValueError as error:
        raise Invalid(str(error), pointer="/language") from None


def _add(work: Work, **values: Any) -> Note:
    note = Note(author_id=work.actor.user_id, written_at=work.now, **values)
    work.session.add(note)
    work.session.flush()  # addresses and the trail name it
    work.record(
        "note.written", f"note:{note.id}", patient_id=note.patient_id, kind=note.kind.value, restricted=note.restricted
    )  # fmt: skip
    return note


def _address(work: Work, note: Note, to: Sequence[Addressee]) -> None:
    seen: set[Addressee] = set()
    for number, one in enumerate(to):
        pointer = f"/to/{number}"
        if (one.user_id is None) == (one.desk is None):
            raise Invalid("Name one person, or one role.", pointer=pointer)
        if one in seen:
            raise Invalid("This is named twice.", pointer=pointer)
        seen.add(one)
        desks = frozenset({one.desk}) if one.desk is not None else frozenset()
        if one.user_id is not None:
            them = require_able(
                work, one.user_id, note.patient_id, note.branch_id, permission="note:read", pointer=f"{pointer}/user_id"
            )  # fmt: skip
            desks = desks_of(them.roles, them.performer)
        if note.restricted and one.user_id != note.author_id and desks.isdisjoint(READS_RESTRICTED):
            raise Invalid("What is restricted cannot be addressed to those who may not read it.", pointer=pointer)
        work.session.add(NoteAddress(note_id=note.id, user_id=one.user_id, desk=one.desk))
    work.session.flush()  # who hears of it is read from the rows
    work.session.refresh(note, attribute_names=["to"])
    if to:
        work.publish(NoteAddressed(note_id=note.id))


@permitted("note:write")
def reply(
    work: Work, note_id: int, *, text: str, language: str = "en", to: Sequence[Addressee] = (),
    wants_acknowledgement: bool = False,
) -> Note:  # fmt: skip
    """An answer in the thread, to those named, or else to whoever wrote what is answered; its author has read it."""
    first = _readable(work, note_id)
    _require_standing(first)
    note = _add(
        work, branch_id=first.branch_id, patient_id=first.patient_id, kind=NoteKind.MESSAGE,
        restricted=first.restricted, thread_id=first.thread_id or first.id, reply_to_id=first.id, text=text, parts={},
        language=_tag(language), wants_acknowledgement=wants_acknowledgement,
    )  # fmt: skip
    if not to and first.author_id != work.actor.user_id:
        work.session.add(NoteAddress(note_id=note.id, user_id=first.author_id))
        _address(work, note, ())
        work.publish(NoteAddressed(note_id=note.id))
    else:
        _address(work, note, to)
    return note


@permitted("note:write")
def add(work: Work, note_id: int, *, text: str, language: str = "en") -> Note:
    """What the author completes or corrects stands beside the note, which stays as it was; its readers are asked anew.

    Only the author adds to a note; others answer it.
    """
    first = _readable(work, note_id)
    if first.author_id != work.actor.user_id:
        raise Forbidden("Only its author adds to a note. Answer it instead.")
    if first.addendum_to_id is not None:
        raise Conflict("This is an addendum itself. Add to the note that it completes.", code="addendum-of-addendum")
    _require_standing(first)
    note = _add(
        work, branch_id=first.branch_id, patient_id=first.patient_id, kind=first.kind, restricted=first.restricted,
        thread_id=first.thread_id or first.id, addendum_to_id=first.id, text=text, parts={}, language=_tag(language),
        wants_acknowledgement=first.wants_acknowledgement,
    )  # fmt: skip
    _address(work, note, [Addressee(user_id=one.user_id, desk=one.desk) for one in first.to])
    return note


def _require_standing(note: Note) -> None:
    if note.retracted_at is not None:
        raise Conflict("This note was retracted.", code="note-retracted")


@permitted("note:read")
def acknowledge(work: Work, note_id: int) -> Note:
    """The actor has it, for themselves and for the desks at which they sit; a second time changes nothing."""
    note = _readable(work, note_id)
    numbers = set(work.session.execute(to_me(work).where(NoteAddress.note_id == note.id)).scalars())
    mine = [one for one in note.to if one.id in numbers]
    if not mine:
        raise Forbidden("It is not addressed to you.")
    waiting = [one.id for one in mine if one.acknowledged_at is None]
    if waiting:
        work.session.execute(
            sa.update(NoteAddress)
            .where(NoteAddress.id.in_(waiting), NoteAddress.acknowledged_at.is_(None))
            .values(acknowledged_at=work.now, acknowledged_by_id=work.actor.user_id)
            .execution_options(synchronize_session="fetch")
        )
        work.record("note.acknowledged", f"note:{note.id}", patient_id=note.patient_id)
    return note


@permitted("note:write")
def for_change(work: Work, note_id: int) -> Note:
    """The note, locked until this transaction ends; refused as a reading of it would be."""
    return _readable(work, note_id, lock=True)


@permitted("note:write")
def retract(work: Work, note_id: int, reason: Retraction, why: str) -> Note:
    """The note stands no more: that it was there and why it went is shown, its words to its author and the manager."""
    note = _readable(work, note_id, lock=True)
    if note.author_id != work.actor.user_id and Desk.CLINICAL_MANAGER not in my_desks(work.actor):
        raise Forbidden("Only its author or the clinical manager may retract a note.")
    _require_standing(note)
    note.retracted_at, note.retracted_by_id = work.now, work.actor.user_id
    note.retracted_for, note.retraction_note = reason, why
    if note.kind is NoteKind.TEACHING:
        teaching.on_retracted(work, note)
    work.session.flush()  # the new version is in the answer
    work.record("note.retracted", f"note:{note.id}", patient_id=note.patient_id, reason=reason.value)
    return note


# ------------------------------------------------------------------------------------ reading


def shows_words(work: Work, note: Note) -> bool:
    """Whether the words of a note that the actor may read are shown: not those of a retracted one, but to its author
    and the clinical manager. Asked by the door of what a verb has answered."""
    return (
        note.retracted_at is None
        or note.author_id == work.actor.user_id
        or Desk.CLINICAL_MANAGER in my_desks(work.actor)
    )


@permitted("note:read")
def get(work: Work, note_id: int) -> Note:
    """One note with its words."""
    note = _readable(work, note_id)
    work.record("note.read", f"note:{note.id}", patient_id=note.patient_id)
    return note


@permitted("note:read")
def thread(work: Work, note_id: int) -> Sequence[Note]:
    """The whole thread of a note with its words, first to last, as far as the actor may read it."""
    note = _readable(work, note_id)
    root = note.thread_id or note.id
    found = (
        work.session.execute(
            sa.select(Note).where(sa.or_(Note.id == root, Note.thread_id == root), readable(work)).order_by(Note.id)
        )
        .scalars()
        .all()
    )
    for one in found:
        work.record("note.read", f"note:{one.id}", patient_id=one.patient_id)
    return found


@permitted("note:read")
def search(work: Work, *, waiting: bool | None = None, **wanted: Any) -> sa.Select[Any]:
    """Heads of the notes that the actor may read, as a select for `page`, to be ordered by `Note.newest_first`.

    `waiting`: whether somebody has still to acknowledge it. `wanted` are columns and what they must be.
    """
    if wanted.get("patient_id") is not None:
        require_sight(work, wanted["patient_id"])
    query = sa.select(Note).where(readable(work))
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Note, name) == value)
    if waiting is not None:
        open_ = sa.and_(
            Note.wants_acknowledgement.is_(True),
            Note.retracted_at.is_(None),
            Note.id.in_(sa.select(NoteAddress.note_id).where(NoteAddress.acknowledged_at.is_(None))),
        )
        query = query.where(open_ if waiting else sa.not_(open_))
    work.record("note.listed", "note:list", patient_id=wanted.get("patient_id"))
    return query


@permitted("note:read")
def readings(work: Work, note_id: int) -> Sequence[AuditEvent]:
    """Who wrote, read, acknowledged or retracted a note and when, first to last, and who was refused."""
    note = _readable(work, note_id)
    work.record("note.readings-read", f"note:{note.id}", patient_id=note.patient_id)
    return (
        work.session.execute(
            sa.select(AuditEvent)
            .where(AuditEvent.subject == f"note:{note.id}", AuditEvent.action != "note.readings-read")
            .order_by(AuditEvent.id)
        )
        .scalars()
        .all()
    )
