"""Programme profiles as TOML: read, checked, and every mistake told with its file, its line and its key.

`tomllib` says what the text means; it forgets where. `tree-sitter` says on which line each key stands. Nothing here
opens a file: the caller hands in names and texts. The format is in docs/programmes.md.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from coordinator.domain.vocabulary import Criterion, Discipline, Payer, PractitionerType, Programme
from coordinator.rules.profiles import (
    DEFAULT,
    AideSupervision,
    EvvUse,
    Exclusion,
    Noted,
    Profile,
    ProfileHistory,
    Programmes,
)

#: Where something stands in a file: keys, and positions in lists.
Path = tuple[str | int, ...]
E = TypeVar("E", bound=StrEnum)

_NOTE = ("value", "source", "effective_from", "verification")
_HEAD = ("code", "name", "based_on")
#: The settings of a profile, in the order in which people read them.
SETTINGS = tuple(item.name for item in fields(Profile) if item.name not in ("code", "name", "notes"))
_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: file, line (from 1), dotted key, and what is wrong."""

    file: str
    line: int
    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key + ': ' if self.key else ''}{self.problem}"


class ProfileError(ValueError):
    """Programme files that cannot be used: every mistake of all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: (one.file, one.line, one.key)))
        super().__init__("\n".join(map(str, self.problems)))


class _BadValue(Exception):  # noqa: N818  (told to nobody: the problem has been noted)
    """The value cannot be read; why is in the file's problems."""


# ------------------------------------------------------------------------------------ lines


def lines_of(text: str) -> dict[Path, int]:
    """On which line (from 1) each key and each item of a list of a sound TOML document begins."""
    lines: dict[Path, int] = {}
    counted: dict[Path, int] = {}
    root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
    for node in root.named_children:
        if node.type == "pair":
            _pair(node, (), lines)
        elif node.type in ("table", "table_array_element"):
            path = _key(node.named_children[0])
            lines.setdefault(path, node.start_point.row + 1)
            if node.type == "table_array_element":
                number = counted[path] = counted.get(path, -1) + 1
                path = (*path, number)
                lines[path] = node.start_point.row + 1
            for pair in node.named_children[1:]:
                _pair(pair, path, lines)
    return lines


def _key(node: Node) -> Path:
    """The keys of a bare, quoted or dotted key."""
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key(child))
    text = (node.text or b"").decode()
    if node.type == "quoted_key":
        return tuple(tomllib.loads(f"{text} = 0"))
    return (text,)


def _pair(node: Node, above: Path, lines: dict[Path, int]) -> None:
    if node.type != "pair":
        return  # a comment
    key, value = node.named_children[0], node.named_children[-1]
    path = above
    for part in _key(key):
        path = (*path, part)
        lines.setdefault(path, key.start_point.row + 1)
    _value(value, path, lines)


def _value(node: Node, path: Path, lines: dict[Path, int]) -> None:
    if node.type == "inline_table":
        for pair in node.named_children:
            _pair(pair, path, lines)
    elif node.type == "array":
        items = [child for child in node.named_children if child.type != "comment"]
        for number, item in enumerate(items):
            lines[(*path, number)] = item.start_point.row + 1
            _value(item, (*path, number), lines)


# ------------------------------------------------------------------------------------ one file


class _File:
    """One file as read, and what is wrong with it."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.problems = name, list[Problem]()
        self.code: Programme | None = None
        self.title = self.based_on = ""
        self.notes: dict[str, list[Noted]] = {}
        #: Other programmes that are named, and where.
        self.named: list[tuple[Path, Programme]] = []
        self._text = text
        self._lines: dict[Path, int] | None = None
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _LINE.search(str(error))
            line = int(found[1]) if found else text.count("\n") + 1
            self.problems.append(Problem(name, line, "", f"this is not TOML: {error}"))
            return
        self._head(tree)
        for key, raw in tree.items():
            if key in _HEAD:
                continue
            if key not in SETTINGS:
                self.note((key,), f"there is no such setting; there are {', '.join(SETTINGS)}")
                continue
            self._setting(key, raw)

    def line(self, path: Path) -> int:
        """The line of the key, or of the nearest one above it; the first line if it is missing altogether."""
        if self._lines is None:
            self._lines = lines_of(self._text)
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                return line
        return 1

    def note(self, path: Path, problem: str) -> None:
        """This is wrong, there."""
        dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        self.problems.append(Problem(self.name, self.line(path), dotted, problem))

    def bad(self, path: Path, problem: str) -> NoReturn:
        """This is wrong, there, and there is no value."""
        self.note(path, problem)
        raise _BadValue

    def _head(self, tree: Mapping[str, Any]) -> None:
        with suppress(_BadValue):
            self.code = _code(self, ("code",), tree.get("code"))
        for key in ("name", "based_on"):
            value = tree.get(key, "")
            if not isinstance(value, str) or (key in tree and not value.strip()):
                self.note((key,), "must be text")
            elif key == "name":
                self.title = value
            else:
                self.based_on = value

    def _setting(self, key: str, raw: object) -> None:
        rows: list[tuple[Path, object]] = (
            [((key, number), row) for number, row in enumerate(raw)] if isinstance(raw, list) else [((key,), raw)]
        )
        days = set()
        for path, row in rows:
            try:
                noted = self._row(key, path, row)
            except _BadValue:
                continue
            if noted.effective_from in days:
                self.note((*path, "effective_from"), "another row of this setting begins on the same day")
            days.add(noted.effective_from)
            self.notes.setdefault(key, []).append(noted)

    def _row(self, key: str, path: Path, row: object) -> Noted:
        if not isinstance(row, Mapping):
            self.bad(path, f"must be a table with {', '.join(_NOTE)}")
        sound = True
        for name in row:
            if name not in _NOTE:
                self.note((*path, name), f"there is no such note; a setting has {', '.join(_NOTE)}")
                sound = False
        for name in _NOTE:
            if name not in row:
                self.note(path, f"{name} is missing")
                sound = False
        if not sound:
            raise _BadValue
        if not isinstance(row["source"], str) or not row["source"].strip():
            self.bad((*path, "source"), "must say where the value comes from")
        if type(row["effective_from"]) is not date:
            self.bad((*path, "effective_from"), "must be a date, such as 2026-01-01")
        if row["verification"] not in ("V", "P", "K", "D"):
            self.bad((*path, "verification"), "must be V, P, K or D")
        value = _READERS[key](self, (*path, "value"), row["value"])
        return Noted(value, row["source"], row["effective_from"], row["verification"])


# ------------------------------------------------------------------------------------ single values


def _code(file: _File, path: Path, value: object) -> Programme:
    if not isinstance(value, str):
        file.bad(path, "is missing" if value is None else "must be text")
    try:
        return Programme(value)
    except ValueError as error:
        file.bad(path, str(error))


def _flag(file: _File, path: Path, value: object) -> bool:
    if not isinstance(value, bool):
        file.bad(path, f"must be true or false, not {value!r}")
    return value


def _whole(most: int) -> Callable[[_File, Path, object], int]:
    def read(file: _File, path: Path, value: object) -> int:
        if type(value) is not int or not 0 <= value <= most:
            file.bad(path, f"must be a whole number from 0 to {most}, not {value!r}")
        return value

    return read


def _word(of: type[E], file: _File, path: Path, value: object) -> E:
    try:
        return of(str(value))
    except ValueError:
        file.bad(path, f"{value!r} is not one of {', '.join(member.value for member in of)}")


def _list(of: type[E], file: _File, path: Path, value: object) -> tuple[E, ...]:
    if not isinstance(value, list):
        file.bad(path, f"must be a list, not {value!r}")
    return tuple(_word(of, file, (*path, number), item) for number, item in enumerate(value))


def _set_of(of: type[E], *, least: int = 0) -> Callable[[_File, Path, object], frozenset[E]]:
    def read(file: _File, path: Path, value: object) -> frozenset[E]:
        words = frozenset(_list(of, file, path, value))
        if len(words) < least:
            file.bad(path, "must not be empty")
        return words

    return read


def _table(of: type[StrEnum], item: Callable[[_File, Path, object], Any]) -> Callable[[_File, Path, object], Any]:
    """A table whose keys are `default` and words of `of`."""

    def read(file: _File, path: Path, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            file.bad(path, f"must be a table, not {value!r}")
        if DEFAULT not in value:
            file.bad(path, f"{DEFAULT} is missing")
        return {
            name if name == DEFAULT else _word(of, file, (*path, name), name).value: item(file, (*path, name), one)
            for name, one in value.items()
        }

    return read


_EXCLUSION = ("programme", "payers", "terminal_condition_only", "from_age")


def _exclusions(file: _File, path: Path, value: object) -> tuple[Exclusion, ...]:
    if not isinstance(value, list):
        file.bad(path, f"must be a list, not {value!r}")
    return tuple(_exclusion(file, (*path, number), row) for number, row in enumerate(value))


def _exclusion(file: _File, path: Path, row: object) -> Exclusion:
    if not isinstance(row, Mapping) or set(row) != set(_EXCLUSION):
        file.bad(path, f"must be a table with {', '.join(_EXCLUSION)}, all of them and nothing else")
    programme = _code(file, (*path, "programme"), row["programme"])
    file.named.append(((*path, "programme"), programme))
    return Exclusion(
        programme,
        _set_of(Payer, least=1)(file, (*path, "payers"), row["payers"]),
        _flag(file, (*path, "terminal_condition_only"), row["terminal_condition_only"]),
        _whole(150)(file, (*path, "from_age"), row["from_age"]),
    )


def _evv_use(file: _File, path: Path, value: object) -> EvvUse:
    return _word(EvvUse, file, path, value)


def _supervision(file: _File, path: Path, value: object) -> AideSupervision:
    return _word(AideSupervision, file, path, value)


def _criteria(file: _File, path: Path, value: object) -> tuple[Criterion, ...]:
    criteria = _list(Criterion, file, path, value)
    if len(set(criteria)) < len(criteria):
        file.bad(path, "names a criterion twice")
    return criteria


_READERS: dict[str, Callable[[_File, Path, object], object]] = {
    "payers": _set_of(Payer, least=1),
    "medicare_conditions": _flag,
    "criteria": _criteria,
    "homebound_required": _flag,
    "skilled_need_required": _flag,
    "referrer_types": _set_of(PractitionerType),
    "certifier_types": _set_of(PractitionerType),
    "orderer_types": _table(Discipline, _set_of(PractitionerType)),
    "allowed_practitioners": _flag,
    "evv": _table(Payer, _evv_use),
    "aide_supervision": _supervision,
    "idt_interval_days": _whole(366),
    "instruments_on_cadence": _flag,
    "excludes": _exclusions,
}
assert set(_READERS) == set(SETTINGS)


# ------------------------------------------------------------------------------------ all files together


def programmes_from(shipped: Iterable[tuple[str, str]], own: Iterable[tuple[str, str]] = ()) -> Programmes:
    """Every programme of these files, given as (name, text); ProfileError with every mistake of all of them.

    A file of the agency's `own` with a code that is shipped changes that programme, setting by setting, each from its
    first day on. One with a new code is complete, or says in `based_on` whose settings it takes over.
    """
    problems: list[Problem] = []
    known: dict[Programme, _File] = {}
    notes: dict[Programme, dict[str, list[Noted]]] = {}
    read: list[_File] = []
    for texts, changes in ((shipped, False), (own, True)):
        files = [_File(name, text) for name, text in sorted(texts)]
        read += files
        of_this_folder: dict[Programme, _File] = {}
        for file in files:
            problems += file.problems
            if file.code is None:
                continue
            if file.code in of_this_folder:
                file.note(("code",), f"{file.code} is in {of_this_folder[file.code].name} already")
                problems.append(file.problems[-1])
                continue
            of_this_folder[file.code] = file
        for code, file in _in_order(of_this_folder):
            count = len(file.problems)
            notes[code] = _completed(file, notes, changes=changes and code in known)
            problems += file.problems[count:]
            file.title = file.title or (known[code].title if code in known else code)
            known[code] = file
    for file in read:
        for path, programme in file.named:
            if programme not in known:
                file.note(path, f"there is no profile {str(programme)!r}")
                problems.append(file.problems[-1])
    if problems:
        raise ProfileError(problems)
    return Programmes({code: _history(code, file.title, notes[code]) for code, file in known.items()})


def _in_order(files: Mapping[Programme, _File]) -> Iterable[tuple[Programme, _File]]:
    """Whoever is built upon comes first; in a circle, anybody."""
    waiting = dict(files)
    while waiting:
        ready = [code for code, file in waiting.items() if file.based_on not in waiting] or list(waiting)[:1]
        for code in ready:
            yield code, waiting.pop(code)


def _completed(file: _File, notes: Mapping[Programme, dict[str, list[Noted]]], *, changes: bool) -> dict[str, Any]:
    """The rows of every setting: the file's own, with those of the profile that it changes or builds upon."""
    assert file.code is not None
    base: dict[str, list[Noted]] = {}
    if changes:
        base = notes[file.code]
        if file.based_on:
            file.note(("based_on",), f"{file.code} is shipped: this file changes it, and builds upon nothing else")
    elif file.based_on:
        if file.based_on not in notes:
            file.note(("based_on",), f"there is no profile {file.based_on!r} to build upon")
        else:
            base = notes[Programme(file.based_on)]
    rows: dict[str, list[Noted]] = {}
    for key in SETTINGS:
        own = file.notes.get(key, [])
        first = min((row.effective_from for row in own), default=date.max)
        earlier = [row for row in base.get(key, ()) if row.effective_from < first] if changes or not own else []
        rows[key] = sorted([*earlier, *own], key=lambda row: row.effective_from)
        named = any(problem.key.split(".")[0].split("[")[0] == key for problem in file.problems)
        if not rows[key] and not named:
            file.note((key,), "is missing")
    return rows


def _history(code: Programme, name: str, notes: Mapping[str, list[Noted]]) -> ProfileHistory:
    days = sorted({row.effective_from for rows in notes.values() for row in rows})
    return ProfileHistory(tuple(days), tuple(_profile(code, name, notes, day) for day in days))


def _profile(code: Programme, name: str, notes: Mapping[str, list[Noted]], day: date) -> Profile:
    in_force = {key: _latest(rows, day) for key, rows in notes.items()}
    values: dict[str, Any] = {key: noted.value for key, noted in in_force.items()}
    return Profile(code=code, name=name, notes=in_force, **values)


def _latest(rows: Sequence[Noted], day: date) -> Noted:
    """The row in force; before the first of them the first, for want of better."""
    return next((row for row in reversed(rows) if row.effective_from <= day), rows[0])
