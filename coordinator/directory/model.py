"""What the directory holds: organisations with their history, translation differences, education, and feedback.

Shipped entries come from `config/directory.toml`; an agency adds its own and edits what it knows better.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, may_refer_to, refers_to, row_id


class Resource(Versioned, Base):
    """An organisation that a patient or caregiver can be sent on to."""

    __tablename__ = "resource"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(sa.String(40), nullable=False, unique=True)
    kind: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    name_en: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    name_zh_hant: Mapped[str | None] = mapped_column(sa.String(200))
    #: Setting -> yes, no or not_stated.
    settings: Mapped[dict[str, str]] = mapped_column(sa.JSON, nullable=False)
    population: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    services: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    referral_rule: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    is_medical_care: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    #: Whatever else of `entry.FIELDS` is known; what is not there is not stated.
    extra: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    #: `shipped` with the product, or the `agency`'s own.
    origin: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="shipped")
    #: False: offered no more; the row stays, because a referral may name it.
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    #: The day on which somebody last asked the organisation whether all this is so; None: nobody has.
    checked_on: Mapped[date | None] = mapped_column(sa.Date)
    checked_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    #: What the agency has edited: loading the shipped file again leaves these as they are.
    edited_fields: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)


class ResourceVersion(Base):
    """An entry as it was from one change to the next: who made it so, when, and all its values."""

    __tablename__ = "resource_version"
    __table_args__ = (sa.UniqueConstraint("resource_id", "number"),)
    id: Mapped[int] = row_id()
    resource_id: Mapped[int] = refers_to("resource.id")
    number: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    #: loaded, added, edited, imported, checked, withdrawn, restored or reviewed.
    act: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    user_id: Mapped[int | None] = may_refer_to("app_user.id")
    changed: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    entry: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False)


class TranslationDifference(Versioned, Base):
    """Where the source's two languages say different things (LNG-02).

    The source's words are never repaired; what is shown instead stands in `display_zh`, with who reviewed it.
    """

    __tablename__ = "translation_difference"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(sa.String(20), nullable=False, unique=True)
    #: meaning, omission, typo, synonym, label or missing.
    kind: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: Keys of the organisations whose text it is in; empty: throughout.
    resource_keys: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    source_lines: Mapped[list[int]] = mapped_column(sa.JSON, nullable=False, default=list)
    source_en: Mapped[str | None] = mapped_column(sa.String(300))
    source_zh: Mapped[str | None] = mapped_column(sa.String(300))
    says: Mapped[str] = mapped_column(sa.String(500), nullable=False)
    handling: Mapped[str] = mapped_column(sa.String(500), nullable=False)
    suggested_zh: Mapped[str | None] = mapped_column(sa.String(200))
    #: Somebody could be frightened or sent the wrong way by it.
    safety: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    #: required, reviewed or not_needed.
    review: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    display_zh: Mapped[str | None] = mapped_column(sa.String(200))
    reviewed_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EducationItem(Versioned, Base):
    """Something to watch or read, or a question that is often asked with its answer."""

    __tablename__ = "education_item"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(sa.String(40), nullable=False, unique=True)
    #: video, leaflet, page or faq.
    type: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    title_en: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    title_zh_hant: Mapped[str | None] = mapped_column(sa.String(300))
    body_en: Mapped[str | None] = mapped_column(sa.Text)
    body_zh_hant: Mapped[str | None] = mapped_column(sa.Text)
    producer_en: Mapped[str | None] = mapped_column(sa.String(200))
    producer_zh_hant: Mapped[str | None] = mapped_column(sa.String(200))
    speaker: Mapped[str | None] = mapped_column(sa.String(200))
    #: Where it is found; the source names none, so an agency adds it.
    url: Mapped[str | None] = mapped_column(sa.String(500))
    topics: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False, default=list)
    source_lines: Mapped[list[int]] = mapped_column(sa.JSON, nullable=False, default=list)
    origin: Mapped[str] = mapped_column(sa.String(20), nullable=False, default="shipped")
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    position: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)


class CommunityFeedback(Versioned, Base):
    """What somebody of the community said about care, kept for the providers: a theme and words, and no patient."""

    __tablename__ = "community_feedback"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    theme: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    language: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    #: The organisation it is about; None: care in general.
    resource_id: Mapped[int | None] = may_refer_to("resource.id")
    #: patient, caregiver, community or staff.
    voice: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    words: Mapped[str] = mapped_column(sa.Text, nullable=False)
    received_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    recorded_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    #: When and by whom it was passed on to those it is about.
    shared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shared_by_id: Mapped[int | None] = may_refer_to("app_user.id")
