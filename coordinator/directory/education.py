"""Things to watch and read, and questions often asked: listed, added and edited. Who is given which is not here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory.books import ITEM, wrong
from coordinator.directory.entry import KEY, key_mistake
from coordinator.directory.model import EducationItem
from coordinator.directory.words import searchable, wanted
from coordinator.rules.language import localised


@permitted("resource:read")
def items(work: Work, *, item_type: str | None = None, topic: str | None = None, text: str = "") -> list[EducationItem]:
    """What is offered, in the order of the file and the agency's own after it; words in either language."""
    rows = work.session.execute(
        sa.select(EducationItem).where(EducationItem.active).order_by(EducationItem.position, EducationItem.key)
    ).scalars()
    asked = wanted(text)
    return [
        row
        for row in rows
        if (item_type is None or row.type == item_type)
        and (topic is None or topic in row.topics)
        and all(word in _words(row) for word in asked)
    ]


def _words(row: EducationItem) -> str:
    said = (row.title_en, row.title_zh_hant, row.body_en, row.body_zh_hant, row.producer_en, row.producer_zh_hant)
    return searchable(" ".join(part for part in said if part))


@permitted("resource:read")
def item_by_key(work: Work, key: str) -> EducationItem:
    """The item of that key, whether or not it is still offered."""
    row = None
    if KEY.fullmatch(key):
        row = work.session.execute(sa.select(EducationItem).where(EducationItem.key == key)).scalar()
    if row is None:
        raise NotFound("education item")
    return row


@permitted("resource:edit")
def add_item(work: Work, key: str, **values: Any) -> EducationItem:
    """The agency offers this as well."""
    found = key_mistake(key)
    errors = [] if found is None else [{"pointer": "/key", "detail": found.says}]
    errors += wrong(ITEM, ("type", "title_en"), values, "")
    if errors:
        raise Invalid("The item has mistakes.", errors=errors)
    if work.session.execute(sa.select(EducationItem.id).where(EducationItem.key == key)).scalar() is not None:
        raise Conflict("There is an item of this key. Edit that one.", code="item-exists")
    row = EducationItem(
        key=key, origin="agency", active=True, position=1000, source_lines=[], topics=values.pop("topics", None) or [],
        **values,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("education.added", f"education-item:{row.id}")
    return row


@permitted("resource:edit")
def edit_item(work: Work, key: str, changes: Mapping[str, Any]) -> EducationItem:
    """The item says this now; `active` false takes it off the list. An edited item is the agency's from then on."""
    row = item_by_key(work, key)
    plain = {name: value for name, value in changes.items() if name != "active"}
    errors = wrong(ITEM, (), plain, "")
    errors += [
        {"pointer": f"/{name}", "detail": f"{name} is needed."}
        for name in ("type", "title_en", "topics")
        if name in plain and plain[name] is None
    ]
    if errors:
        raise Invalid("The item has mistakes.", errors=errors)
    for name, value in changes.items():
        setattr(row, name, value)
    row.origin = "agency"
    work.session.flush()  # the new version is in the answer
    work.record("education.edited", f"education-item:{row.id}", fields=sorted(changes))
    return row


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item's words in one language. Where any are missing, English stands in and the item says so (LNG-02)."""

    title: str
    body: str
    producer: str
    translation_missing: bool


def shown(row: EducationItem, language: str) -> ShownItem:
    """The item in that language, or in English with the missing translation marked."""
    parts = [
        localised({"en": row.title_en, "zh-Hant": row.title_zh_hant}, language),
        localised({"en": row.body_en, "zh-Hant": row.body_zh_hant}, language),
        localised({"en": row.producer_en, "zh-Hant": row.producer_zh_hant}, language),
    ]
    title, body, producer = (part.text for part in parts)
    return ShownItem(title, body, producer, any(part.translation_missing for part in parts))
