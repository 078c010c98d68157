"""Keeping the directory: entries added, edited, checked and withdrawn; their history; an agency's own list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory import service, sheet
from coordinator.directory.entry import FIELDS, Mistake, key_mistake, mistakes
from coordinator.directory.model import Resource, ResourceVersion
from coordinator.domain.events import ResourceChecked


def _refuse(found: list[Mistake]) -> None:
    if found:
        raise Invalid(
            " ".join(f"{one.field}: {one.says}" for one in found[:3]),
            errors=[{"pointer": f"/{one.field}", "detail": one.says} for one in found],
        )


@permitted("resource:edit")
def add(work: Work, key: str, values: Mapping[str, Any]) -> Resource:
    """The agency's own entry is in the directory."""
    said = {name: value for name, value in values.items() if value is not None}
    _refuse([*filter(None, [key_mistake(key)]), *_foreign(said), *mistakes(said)])
    if work.session.execute(sa.select(Resource.id).where(Resource.key == key)).scalar() is not None:
        raise Conflict("There is an entry of this key. Edit that one.", code="entry-exists")
    return service.add_row(work, key, said, "added")


def _foreign(values: Mapping[str, Any]) -> list[Mistake]:
    return [Mistake(name, "There is no such field.") for name in values if name not in FIELDS]


@permitted("resource:edit")
def edit(work: Work, key: str, changes: Mapping[str, Any]) -> Resource:
    """The entry says this now (None: not said any more); the shipped file will not change it back."""
    row = _for_change(work, key)
    if not changes:
        raise Invalid("Say what is to be changed.", pointer="/")
    _refuse([*_foreign(changes), *mistakes(changes, whole=False)])
    _change(work, row, changes, "edited")
    return row


def _for_change(work: Work, key: str) -> Resource:
    return locked(work.session, Resource, service.by_key(work, key).id, "resource")


def _change(work: Work, row: Resource, changes: Mapping[str, Any], act: str, **columns: Any) -> bool:
    own = row.edited_fields
    named = {name for name, value in changes.items() if service.entry_of(row).get(name) != value}
    if row.origin == "shipped" and not (named | set(columns)) <= set(own):
        columns["edited_fields"] = sorted({*own, *named, *(columns.keys() & {"active"})})
    changed = service.put(work, row, changes, act, **columns)
    if changed:
        fields = [name for name in changed if name != "edited_fields"]
        work.record(f"directory.{act}", f"resource:{row.id}", fields=fields)
    return bool(changed)


@permitted("resource:check")
def record_check(work: Work, key: str) -> Resource:
    """Somebody has asked the organisation today and all that the entry says is so."""
    row = _for_change(work, key)
    was_asked_as = service.asked_as(row)
    _change(work, row, {}, "checked", checked_on=service.today(work), checked_by_id=work.actor.user_id)
    work.publish(ResourceChecked(resource_id=row.id, was_asked_as=was_asked_as))
    return row


@permitted("resource:edit")
def set_active(work: Work, key: str, active: bool) -> Resource:
    """The organisation is offered, or is not any more; what was referred to it stays."""
    row = _for_change(work, key)
    if row.active is active:
        raise Conflict("It is offered already." if active else "It is withdrawn already.", code="nothing-to-change")
    _change(work, row, {}, "restored" if active else "withdrawn", active=active)
    return row


@permitted("resource:read")
def history(work: Work, key: str) -> list[ResourceVersion]:
    """The entry from its first version to its last: what changed, when, and by whom."""
    row = service.by_key(work, key)
    found = work.session.execute(
        sa.select(ResourceVersion).where(ResourceVersion.resource_id == row.id).order_by(ResourceVersion.number)
    )
    return list(found.scalars())


@permitted("resource:read")
def version(work: Work, key: str, number: int) -> ResourceVersion:
    """The entry as it was in that version."""
    row = service.by_key(work, key)
    found = work.session.execute(
        sa.select(ResourceVersion).where(ResourceVersion.resource_id == row.id, ResourceVersion.number == number)
    ).scalar()
    if found is None:
        raise NotFound("version")
    return found


# ------------------------------------------------------------------------------------ the agency's own list


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, by key."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


@permitted("resource:edit")
def import_sheet(work: Work, text: str) -> Imported:
    """The directory holds what the sheet says, by key; a second time changes nothing.

    A sheet with any mistake changes nothing: each is told by line and column. A cell that is empty takes a value away;
    a column that is not there leaves it. An entry that is not in the sheet stays.
    """
    lines, wrong = sheet.read(text)
    known = {row.key: row for row in work.session.execute(sa.select(Resource).with_for_update()).scalars()}
    day = service.today(work)
    for line in lines:
        if line.checked_on is not None and line.checked_on > day:
            # An entry that was checked tomorrow would never be stale.
            wrong.append(sheet.Wrong(line.line, "checked_on", f"This day lies in the future; today is {day}."))
        row = known.get(line.key)
        whole = dict(line.values) if row is None else service.entry_of(row) | dict(line.values)
        found = mistakes({name: value for name, value in whole.items() if value is not None})
        told = {(one.line, one.column) for one in wrong}
        wrong += [
            sheet.Wrong(line.line, line.column_of(one.field), one.says)
            for one in found
            if (line.line, line.column_of(one.field)) not in told
        ]
    if wrong:
        wrong.sort()
        raise Invalid(
            f"The sheet has {len(wrong)} mistakes; nothing was imported.",
            errors=[{"pointer": f"/csv/{one.line}/{one.column}", "detail": one.says} for one in wrong],
            mistakes=[{"line": one.line, "column": one.column, "detail": one.says} for one in wrong],
        )
    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    for line in lines:
        row = known.get(line.key)
        if row is None:
            said = {name: value for name, value in line.values.items() if value is not None}
            row = service.add_row(work, line.key, said, "imported")
            if line.checked_on is not None:
                service.put(work, row, {}, "imported", checked_on=line.checked_on)
            added.append(line.key)
            continue
        columns = {} if line.checked_on is None else {"checked_on": line.checked_on}
        (changed if _change(work, row, line.values, "imported", **columns) else unchanged).append(line.key)
    work.session.flush()  # what was imported is searched in the same transaction
    work.record("directory.imported", "directory:all", added=len(added), changed=len(changed))
    return Imported(tuple(added), tuple(changed), tuple(unchanged))


@permitted("resource:read")
def export_sheet(work: Work, *, own_alone: bool = False) -> str:
    """The directory as a sheet that `import_sheet` reads back without a change."""
    rows = [row for row in service.rows_in_force(work) if not own_alone or row.origin == "agency"]
    return sheet.write((row.key, service.entry_of(row), row.checked_on) for row in rows)
