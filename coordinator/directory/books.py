"""What the shipped file holds besides organisations: translation differences, and things to watch and read."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Invalid
from coordinator.core.work import Work
from coordinator.directory.entry import Check, key_mistake, list_of, one_of, text_up_to, web_address
from coordinator.directory.model import EducationItem, TranslationDifference
from coordinator.directory.terms import TOPICS

TYPES = ("video", "leaflet", "page", "faq")
REVIEWS = ("required", "reviewed", "not_needed")
_LINES: Check = list_of(lambda line: None if isinstance(line, int) and line > 0 else "A line is a number.")
_FLAG: Check = lambda value: None if isinstance(value, bool) else "This is true or false."  # noqa: E731
_DIFFERENCE: dict[str, Check] = {
    "key": text_up_to(20),
    "kind": one_of(("meaning", "omission", "typo", "synonym", "label", "missing")),
    "resource_keys": list_of(text_up_to(40)),
    "source_lines": _LINES,
    "source_en": text_up_to(300),
    "source_zh": text_up_to(300),
    "says": text_up_to(500),
    "handling": text_up_to(500),
    "suggested_zh": text_up_to(200),
    "safety": _FLAG,
    "review": one_of(REVIEWS),
}
#: What somebody may say of a thing to watch or read.
ITEM: dict[str, Check] = {
    "type": one_of(TYPES),
    "title_en": text_up_to(300),
    "title_zh_hant": text_up_to(300),
    "body_en": text_up_to(4000),
    "body_zh_hant": text_up_to(4000),
    "producer_en": text_up_to(200),
    "producer_zh_hant": text_up_to(200),
    "speaker": text_up_to(200),
    "url": web_address,
    "topics": list_of(one_of(TOPICS)),
}
_ITEM = ITEM | {"source_lines": _LINES}


def wrong(fields: Mapping[str, Check], needed: tuple[str, ...], given: Mapping[str, Any], pointer: str) -> list[Any]:
    """Every mistake in `given`, as a problem document lists them."""
    errors = [{"pointer": f"{pointer}/{name}", "detail": "There is no such field."} for name in given.keys() - fields]
    errors += [
        {"pointer": f"{pointer}/{name}", "detail": f"{name} is needed."} for name in needed if given.get(name) is None
    ]
    for name, value in given.items():
        said = fields[name](value) if name in fields and value is not None else None
        if said is not None:
            errors.append({"pointer": f"{pointer}/{name}", "detail": said})
    return sorted(errors, key=lambda error: error["pointer"])


def check(given: Mapping[str, Any], keys: frozenset[str]) -> None:
    """Refuse a file whose differences or items have mistakes, with all of them."""
    errors = []
    for place, row in enumerate(given.get("differences", [])):
        errors += wrong(_DIFFERENCE, ("key", "kind", "says", "handling", "review"), row, f"/differences/{place}")
        if not set(row.get("resource_keys", ())) <= keys:
            errors.append({"pointer": f"/differences/{place}/resource_keys", "detail": "There is no such entry."})
    for place, row in enumerate(given.get("education", [])):
        pointer = f"/education/{place}"
        errors += wrong(_ITEM | {"key": text_up_to(40)}, ("key", "type", "title_en"), row, pointer)
        found = key_mistake(row.get("key"))
        errors += [] if found is None else [{"pointer": f"{pointer}/key", "detail": found.says}]
    for name in ("differences", "education"):
        named = [row.get("key") for row in given.get(name, [])]
        if len(set(named)) != len(named):
            errors.append({"pointer": f"/{name}", "detail": "A key occurs twice."})
    if errors:
        raise Invalid("The directory's file has mistakes; nothing was loaded.", errors=errors)


def load(work: Work, given: Mapping[str, Any]) -> None:
    """Differences and items are what the file says; who reviewed what, and an agency's own items, stay."""
    differences = {row.key: row for row in work.session.execute(sa.select(TranslationDifference)).scalars()}
    for entry in given.get("differences", []):
        held = differences.pop(entry["key"], None)
        values = {name: entry.get(name) for name in _DIFFERENCE}
        values |= {"resource_keys": entry.get("resource_keys", []), "source_lines": entry.get("source_lines", [])}
        values["safety"] = entry.get("safety", False)
        if held is None:
            work.session.add(TranslationDifference(**values))
        else:
            _same(held, {name: value for name, value in values.items() if name != "review" or held.reviewed_at is None})
    for gone in differences.values():
        work.session.delete(gone)
    items = {row.key: row for row in work.session.execute(sa.select(EducationItem)).scalars()}
    for place, entry in enumerate(given.get("education", []), 1):
        item = items.pop(entry["key"], None)
        values = {name: entry.get(name) for name in ("key", *ITEM)}
        values |= {"topics": entry.get("topics", []), "source_lines": entry.get("source_lines", []), "position": place}
        if item is None:
            work.session.add(EducationItem(origin="shipped", active=True, **values))
        elif item.origin == "shipped":
            _same(item, values | {"active": True})
    for left in items.values():
        if left.origin == "shipped" and left.active:
            left.active = False


def _same(row: Any, values: Mapping[str, Any]) -> None:
    """Only what differs is written, so that loading twice raises no version."""
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
