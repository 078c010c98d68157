"""Differences between the source's two languages: listed, and reviewed by somebody who reads both (LNG-02)."""

import sqlalchemy as sa

from coordinator.core.errors import Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory import service
from coordinator.directory.model import Resource, TranslationDifference


@permitted("resource:read")
def differences(work: Work) -> list[TranslationDifference]:
    """Every difference, those that wait for a reader first, of them the ones that could harm."""
    rows = work.session.execute(sa.select(TranslationDifference)).scalars()
    return sorted(
        rows,
        key=lambda row: (row.review != "required", not row.safety, int("".join(filter(str.isdigit, row.key)) or 0)),
    )


@permitted("resource:read")
def difference(work: Work, key: str) -> TranslationDifference:
    """The difference of that key."""
    row = None
    if len(key) <= 20 and key.isascii() and key.isprintable():
        row = work.session.execute(sa.select(TranslationDifference).where(TranslationDifference.key == key)).scalar()
    if row is None:
        raise NotFound("difference")
    return row


@permitted("resource:edit")
def review(work: Work, key: str, display_zh: str | None) -> TranslationDifference:
    """Somebody who reads both languages has said what is shown; the source stays as it is written.

    An organisation whose differences have all been read loses its mark.
    """
    row = difference(work, key)
    if row.review == "not_needed":
        raise Invalid("This difference needs no review: the display does not rely on it.", pointer="/display_zh")
    row.display_zh = display_zh or row.suggested_zh
    if row.display_zh is None:
        raise Invalid("Say what is to be shown: nothing is suggested here.", pointer="/display_zh")
    row.review, row.reviewed_by_id, row.reviewed_at = "reviewed", work.actor.user_id, work.now
    work.session.flush()  # what is still open is counted next
    waiting = {name for other in differences(work) if other.review == "required" for name in other.resource_keys}
    for name in sorted(set(row.resource_keys) - waiting):
        entry = work.session.execute(sa.select(Resource).where(Resource.key == name).with_for_update()).scalar()
        if entry is not None:
            own = sorted({*entry.edited_fields, "translation_review"})
            service.put(work, entry, {"translation_review": "reviewed"}, "reviewed", edited_fields=own)
    work.session.flush()  # the new version is in the answer
    work.record("directory.translation-reviewed", f"translation-difference:{row.id}", difference=row.key)
    return row
