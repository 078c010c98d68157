"""The directory as a sheet (CSV, RFC 4180, UTF-8): read with every mistake by line and column, and written. Pure.

Lists are separated by semicolons. A setting is a column of its own. A cell that a spreadsheet would take for a formula
is written with an apostrophe before it, which reading takes away again.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from coordinator.directory.entry import FIELDS, key_mistake, mistakes
from coordinator.directory.terms import SETTINGS

SETTING = "setting_"
LISTS = (
    "population", "services", "topics", "counties", "languages", "focus_communities", "required_documents",
)  # fmt: skip
MOST_LINES = 2000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLAIN = tuple(name for name in FIELDS if name not in {*LISTS, "settings", "programs", "is_medical_care"})
COLUMNS = (
    "key", "kind", "name_en", "name_zh_hant", "short_name_en", "short_name_zh_hant",
    *(f"{SETTING}{name}" for name in SETTINGS), "population", "services", "topics", "referral_rule", "is_medical_care",
    "health_system", "area", "counties", "languages", "focus_communities", "programs", "required_documents", "phone",
    "email", "url", "address", "fees", "description_en", "description_zh_hant", "checked_on",
)  # fmt: skip


class Wrong(NamedTuple):
    """A mistake: the line of the file (the header is line 1), the column's name, and what would be right."""

    line: int
    column: str
    says: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the sheet: the fields whose columns are there; None where the cell is empty."""

    line: int
    key: str
    values: Mapping[str, Any]
    checked_on: date | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def column_of(self, name: str) -> str:
        """The column in which a field stands."""
        return self.columns.get(name, name)


def read(text: str) -> tuple[list[Line], list[Wrong]]:
    """The lines of the sheet that can be read, and every mistake found on the way."""
    wrong: list[Wrong] = []
    if "\x00" in text:
        return [], [Wrong(1, "key", "The sheet holds a NUL character: it is no text.")]
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    lines: list[Line] = []
    seen: dict[str, int] = {}
    try:
        header = [name.strip() for name in next(reader, [])]
        wrong += _header(header)
        if wrong:
            return [], wrong
        while True:
            number = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                break
            if not any(cell.strip() for cell in cells):
                continue
            if len(lines) >= MOST_LINES:
                wrong.append(Wrong(number, "key", f"A sheet has at most {MOST_LINES} entries."))
                break
            if len(cells) != len(header):
                wrong.append(Wrong(number, "key", f"This line has {len(cells)} cells, the header {len(header)}."))
                continue
            line, found = _line(number, dict(zip(header, map(_plain, cells), strict=True)))
            wrong += found
            if line.key in seen:
                wrong.append(Wrong(number, "key", f"This key stands in line {seen[line.key]} as well."))
            seen.setdefault(line.key, number)
            lines.append(line)
    except csv.Error as error:
        wrong.append(Wrong(reader.line_num, "key", f"This is no CSV: {error}."))
    return lines, wrong


def _header(names: list[str]) -> list[Wrong]:
    wrong = [
        Wrong(1, name[:40] or "key", f"There is no such column. Columns are: {', '.join(COLUMNS)}.")
        for name in names
        if name not in COLUMNS
    ]
    wrong += [Wrong(1, name, "This column stands twice.") for name in sorted(set(names)) if names.count(name) > 1]
    return wrong if "key" in names else [*wrong, Wrong(1, "key", "The column key is needed.")]


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _line(number: int, cells: Mapping[str, str]) -> tuple[Line, list[Wrong]]:
    wrong: list[Wrong] = []
    values: dict[str, Any] = {}
    columns: dict[str, str] = {}
    key = cells["key"]
    found = key_mistake(key)
    if found is not None:
        wrong.append(Wrong(number, "key", found.says))
    for name in _PLAIN:
        if name in cells:
            values[name] = cells[name] or None
    for name in LISTS:
        if name in cells:
            items = [item.strip() for item in cells[name].split(";") if item.strip()]
            values[name] = items or ([] if name in ("population", "services") else None)
    if cells.get("is_medical_care"):
        values["is_medical_care"] = {"yes": True, "no": False}.get(cells["is_medical_care"].casefold())
        if values["is_medical_care"] is None:
            wrong.append(Wrong(number, "is_medical_care", "This says yes or no."))
    if cells.get("programs"):
        values["programs"] = _programs(cells["programs"])
    elif "programs" in cells:
        values["programs"] = None
    stated = {name: cells[SETTING + name] for name in SETTINGS if cells.get(SETTING + name)}
    if any(SETTING + name in cells for name in SETTINGS):
        values["settings"] = stated
        for name, value in stated.items():
            said = mistakes({"settings": {name: value}}, whole=False)
            wrong += [Wrong(number, SETTING + name, "This says yes, no or not_stated.") for _ in said]
        columns["settings"] = SETTING + next((name for name in SETTINGS if SETTING + name in cells), "home")
        if any(one.column.startswith(SETTING) for one in wrong):
            columns["settings"] = next(one.column for one in wrong if one.column.startswith(SETTING))
    checked_on = None
    if cells.get("checked_on"):
        try:
            checked_on = date.fromisoformat(cells["checked_on"])
        except ValueError:
            wrong.append(Wrong(number, "checked_on", "A day is written as 2026-11-30."))
    return Line(number, key, values, checked_on, columns), wrong


def _programs(cell: str) -> list[dict[str, Any]]:
    """`English name|Chinese name|setting+setting; ...`; the latter two may be left out."""
    programs = []
    for piece in cell.split(";"):
        name, chinese, settings, *_ = [*(part.strip() for part in piece.split("|")), "", ""]
        program: dict[str, Any] = {"name_en": name}
        if chinese:
            program["name_zh_hant"] = chinese
        program["settings"] = [part.strip() for part in settings.split("+") if part.strip()]
        programs.append(program)
    return programs


def write(entries: Iterable[tuple[str, Mapping[str, Any], date | None]]) -> str:
    """The sheet of these entries: key, values, and the day of the last check."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for key, entry, checked_on in entries:
        cells = {"key": key, "checked_on": checked_on.isoformat() if checked_on else ""}
        cells |= {name: str(entry.get(name) or "") for name in _PLAIN}
        cells |= {name: "; ".join(entry.get(name) or ()) for name in LISTS}
        cells |= {SETTING + name: entry["settings"].get(name, "") for name in SETTINGS}
        cells["is_medical_care"] = "yes" if entry["is_medical_care"] else "no"
        cells["programs"] = "; ".join(
            f"{one['name_en']}|{one.get('name_zh_hant', '')}|{'+'.join(one.get('settings', []))}"
            for one in entry.get("programs") or ()
        )
        writer.writerow([_guarded(cells[name]) for name in COLUMNS])
    return out.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
