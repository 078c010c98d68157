"""Notes of the team, to whom they are addressed, and who said that they had them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from coordinator.core.db import Base, EnumText, UtcDateTime, Versioned, enum_column, may_refer_to, refers_to, row_id
from coordinator.domain.teamwork import Desk, NoteKind, Retraction


class Note(Versioned, Base):
    """What somebody of the team wrote, once: what is added or answered is a note of its own in the same thread.

    Its version is raised by a retraction alone, which takes its text out of sight.
    """

    __tablename__ = "note"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    patient_id: Mapped[int | None] = may_refer_to("patient.id")
    kind: Mapped[NoteKind] = enum_column(NoteKind, nullable=False)
    #: Copied from the first note of the thread: what answers a restricted note is as restricted.
    restricted: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    #: The first note of the thread; None for the first itself.
    thread_id: Mapped[int | None] = may_refer_to("note.id")
    reply_to_id: Mapped[int | None] = may_refer_to("note.id", index=False)
    #: The note that this one completes or corrects.
    addendum_to_id: Mapped[int | None] = may_refer_to("note.id")
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    text: Mapped[str | None] = mapped_column(sa.Text)
    #: What the kind asks for, as codes and words: see `parts`.
    parts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    #: Whether those it is addressed to are asked to say that they have it.
    wants_acknowledgement: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    author_id: Mapped[int] = refers_to("app_user.id")
    written_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    retracted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retracted_by_id: Mapped[int | None] = may_refer_to("app_user.id", index=False)
    retracted_for: Mapped[Retraction | None] = mapped_column(EnumText(Retraction))
    retraction_note: Mapped[str | None] = mapped_column(sa.Text)
    #: What lists are ordered by, newest first: pages go upwards, and this does when numbers go down.
    newest_first: Mapped[int] = column_property(-id)  # noqa: A003  (the column above)

    to: Mapped[list["NoteAddress"]] = relationship(lazy="selectin", order_by="NoteAddress.id")
    __table_args__ = (sa.Index("ix_note_patient_written", "patient_id", "written_at"),)


class NoteAddress(Base):
    """To whom a note is addressed: one person, or whoever sits at a desk and sees the patient; and who has it."""

    __tablename__ = "note_address"
    id: Mapped[int] = row_id()
    note_id: Mapped[int] = refers_to("note.id")
    user_id: Mapped[int | None] = may_refer_to("app_user.id")
    desk: Mapped[Desk | None] = mapped_column(EnumText(Desk))
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by_id: Mapped[int | None] = may_refer_to("app_user.id", index=False)
    __table_args__ = (
        sa.CheckConstraint("(user_id IS NULL) <> (desk IS NULL)", name="one_addressee"),
        sa.Index("ix_note_address_desk", "desk", "acknowledged_at"),
    )
