"""The structure of an instrument, as data: which items it has, what they may hold, and how a score is made of them.

Nothing here opens a file: the caller hands in the parsed `config/instruments.toml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from coordinator.domain.care import InstrumentCode
from coordinator.domain.vocabulary import Performer


class InstrumentsError(ValueError):
    """The file of instruments, or of their texts, says something that cannot be meant. `key` is the place."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"instruments, {key}: {problem}")
        self.key = key
        self.problem = problem


class Scoring(StrEnum):
    """How a score is made: the sum of all items that count, one number that stands for itself, or none."""

    SUM = "sum"
    SINGLE = "single"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is asked: a number from `low` to `high` in steps, one of `choices`, or `words` characters."""

    code: str
    label: str
    low: int | None = None
    high: int | None = None
    step: int = 1
    choices: tuple[str, ...] = ()
    words: int = 0
    counts: bool = True
    optional: bool = False
    loinc: str | None = None

    @property
    def is_number(self) -> bool:
        return self.low is not None

    def problem(self, value: object) -> str | None:
        """Why the value cannot be an answer to this item; None if it can."""
        if self.low is not None and self.high is not None:
            if type(value) is not int:
                return "This must be a whole number."
            if not self.low <= value <= self.high or (value - self.low) % self.step:
                steps = f" in steps of {self.step}" if self.step > 1 else ""
                return f"This must be from {self.low} to {self.high}{steps}."
            return None
        if not isinstance(value, str):
            return "This must be text."
        if self.choices:
            return None if value in self.choices else f"This must be one of: {', '.join(self.choices)}."
        if not value.strip() or "\x00" in value or any("\ud800" <= one <= "\udfff" for one in value):
            return "This must be text."
        return None if len(value) <= self.words else f"This must have at most {self.words} characters."


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument of `config/instruments.toml`."""

    code: InstrumentCode
    title: str
    version: str
    about: str
    scoring: Scoring
    range: tuple[int, int] | None
    licence: str
    ships_text: bool
    coding: Mapping[str, str]
    record: frozenset[Performer]
    read: frozenset[Performer]
    items: tuple[Item, ...]

    def item(self, code: str) -> Item | None:
        return next((item for item in self.items if item.code == code), None)


@dataclass(frozen=True, slots=True)
class Score:
    """What the server makes of a set of answers. `missing`: items that are needed and have no answer."""

    total: int | None
    missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.missing


def problems(instrument: Instrument, answers: Mapping[str, object]) -> dict[str, str]:
    """Why the answers cannot be meant, by item; empty if they can. An unanswered item is no problem here."""
    found = {}
    for code, value in answers.items():
        item = instrument.item(code)
        said = "The instrument has no such item." if item is None else item.problem(value)
        if said is not None:
            found[code] = said
    return found


def score(instrument: Instrument, answers: Mapping[str, Any]) -> Score:
    """The score of sound answers: none while an item that counts is missing, and none where there is no score."""
    missing = tuple(item.code for item in instrument.items if not item.optional and item.code not in answers)
    if missing or instrument.scoring is Scoring.NONE:
        return Score(None, missing)
    return Score(sum(int(answers[item.code]) for item in instrument.items if item.counts and item.is_number))


# ------------------------------------------------------------------------------------ reading the file

_FIELDS = frozenset(
    {"title", "version", "about", "score", "range", "licence", "ships_text", "code", "record", "read", "items"}
)
_ITEM = frozenset({"code", "label", "low", "high", "step", "choices", "words", "counts", "optional", "loinc"})
E = TypeVar("E", bound=StrEnum)


def instruments_from(mapping: Mapping[str, Any]) -> dict[InstrumentCode, Instrument]:
    """Every instrument of the parsed file. InstrumentsError names the place that is missing, unknown or wrong."""
    for name in mapping:
        _word(InstrumentCode, name, name)
    for code in InstrumentCode:
        if code.value not in mapping:
            raise InstrumentsError(code.value, "missing")
    return {code: _instrument(code, mapping[code.value]) for code in InstrumentCode}


def _instrument(code: InstrumentCode, table: object) -> Instrument:
    if not isinstance(table, Mapping):
        raise InstrumentsError(code.value, "must be a table")
    _only(table, _FIELDS, code.value)
    scoring = _word(Scoring, f"{code.value}.score", table.get("score"))
    about = _text(table, "about", code.value)
    if about not in ("patient", "caregiver"):
        raise InstrumentsError(f"{code.value}.about", "must be patient or caregiver")
    items = tuple(_item(f"{code.value}.items[{number}]", item) for number, item in enumerate(table.get("items", ())))
    if len({item.code for item in items}) != len(items) or not items:
        raise InstrumentsError(f"{code.value}.items", "must be items with codes of their own")
    coding = table.get("code")
    if not isinstance(coding, Mapping) or not all(isinstance(part, str) for part in coding.values()):
        raise InstrumentsError(f"{code.value}.code", "must be a table of words")
    if type(table.get("ships_text")) is not bool:
        raise InstrumentsError(f"{code.value}.ships_text", "must be true or false")
    built = Instrument(
        code, _text(table, "title", code.value), _text(table, "version", code.value), about, scoring,
        _range(code, scoring, items, table.get("range")), _text(table, "licence", code.value), table["ships_text"],
        dict(coding), _performers(code, table, "record"), _performers(code, table, "read"), items,
    )  # fmt: skip
    if not built.record <= built.read:
        raise InstrumentsError(f"{code.value}.read", "whoever records must be able to read")
    return built


def _range(
    code: InstrumentCode, scoring: Scoring, items: tuple[Item, ...], given: object
) -> tuple[int, int] | None:  # fmt: skip
    """The range that the file states, which must be the one that the items make."""
    if scoring is Scoring.NONE:
        if given is not None:
            raise InstrumentsError(f"{code.value}.range", "there is no score, so there is no range")
        return None
    counted = [item for item in items if item.counts]
    if any(item.low is None or item.high is None or item.optional for item in counted):
        raise InstrumentsError(f"{code.value}.items", "what counts must be a number and may not be left out")
    if scoring is Scoring.SINGLE and len(counted) != 1:
        raise InstrumentsError(f"{code.value}.items", "one item alone may count")
    made = (sum(item.low or 0 for item in counted), sum(item.high or 0 for item in counted))
    if list(made) != given:
        raise InstrumentsError(f"{code.value}.range", f"the items make {made[0]} to {made[1]}")
    return made


def _item(place: str, table: object) -> Item:
    if not isinstance(table, Mapping):
        raise InstrumentsError(place, "must be a table")
    _only(table, _ITEM, place)
    numbered, kinds = "low" in table, sum(kind in table for kind in ("low", "choices", "words"))
    if kinds != 1 or numbered != ("high" in table):
        raise InstrumentsError(place, "must have low and high, or choices, or words")
    for name in ("low", "high", "step", "words"):
        if name in table and type(table[name]) is not int:
            raise InstrumentsError(f"{place}.{name}", "must be a whole number")
    for name in ("counts", "optional"):
        if name in table and type(table[name]) is not bool:
            raise InstrumentsError(f"{place}.{name}", "must be true or false")
    if numbered and (table["low"] >= table["high"] or table.get("step", 1) < 1):
        raise InstrumentsError(place, "low must be below high, and step at least 1")
    choices = table.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(choice, str) and choice for choice in choices):
        raise InstrumentsError(f"{place}.choices", "must be a list of words")
    return Item(
        _text(table, "code", place), _text(table, "label", place), table.get("low"), table.get("high"),
        table.get("step", 1), tuple(choices), table.get("words", 0), table.get("counts", True),
        table.get("optional", False), table.get("loinc"),
    )  # fmt: skip


def _only(table: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    for name in table:
        if name not in known:
            raise InstrumentsError(f"{place}.{name}", "no such field")


def _text(table: Mapping[str, Any], name: str, place: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InstrumentsError(f"{place}.{name}", "must be text")
    return value


def _word(kind: type[E], place: str, value: object) -> E:
    try:
        return kind(str(value))
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise InstrumentsError(place, f"{value!r} is not one of {known}") from None


def _performers(code: InstrumentCode, table: Mapping[str, Any], name: str) -> frozenset[Performer]:
    place = f"{code.value}.{name}"
    value = table.get(name)
    if not isinstance(value, list) or not value:
        raise InstrumentsError(place, "must be a list of professions")
    return frozenset(_word(Performer, place, one) for one in value)


# ------------------------------------------------------------------------------------ the agency's own texts

TITLE = "title"


@dataclass(frozen=True, slots=True)
class Wording:
    """The agency's own licensed words for one item, or for the title, in one language."""

    instrument: InstrumentCode
    item: str
    language: str
    text: str
    licence: str = field(repr=False)


def wordings_from(
    mapping: Mapping[str, Any], instruments: Mapping[InstrumentCode, Instrument]
) -> tuple[Wording, ...]:  # fmt: skip
    """The texts of a parsed file: per instrument a `licence`, and per language a table of item codes with their words.

    Every item that is needed must be there, so that nobody is asked half of one; InstrumentsError names the place.
    """
    found = []
    for name, table in mapping.items():
        code = _word(InstrumentCode, name, name)
        if not isinstance(table, Mapping):
            raise InstrumentsError(name, "must be a table")
        licence = _text(table, "licence", name)
        if len(licence) > 300:
            raise InstrumentsError(f"{name}.licence", "must have at most 300 characters")
        languages = {key: value for key, value in table.items() if key != "licence"}
        if not languages:
            raise InstrumentsError(name, "no language")
        for language, texts in languages.items():
            found += _language(instruments[code], language, texts, licence)
    return tuple(found)


def _language(instrument: Instrument, language: str, texts: object, licence: str) -> list[Wording]:
    place = f"{instrument.code.value}.{language}"
    if not isinstance(texts, Mapping) or not 2 <= len(language) <= 20:
        raise InstrumentsError(place, "must be a language with a table of texts")
    known = {item.code for item in instrument.items} | {TITLE}
    _only(texts, frozenset(known), place)
    for item in instrument.items:
        if not item.optional and item.code not in texts:
            raise InstrumentsError(f"{place}.{item.code}", "missing")
    words = {code: _text(texts, code, place) for code in texts}
    for code, text in words.items():
        if len(text) > 2000 or "\x00" in text:
            raise InstrumentsError(f"{place}.{code}", "must be text of at most 2000 characters")
    return [Wording(instrument.code, code, language, text, licence) for code, text in words.items()]
