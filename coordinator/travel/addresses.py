"""What a line of an American address says: house number, street, kind of street. No files, no rows."""

import re
import unicodedata
from dataclasses import dataclass

#: Kinds of street as people write them -> as the Postal Service abbreviates them (USPS Publication 28, appendix C1).
KINDS: dict[str, str] = {
    written: short
    for short, others in {
        "ALY": "ALLEY ALLY ALLEE", "AVE": "AVENUE AV AVEN AVENU AVN AVNUE", "BLVD": "BOULEVARD BOUL BOULV",
        "CIR": "CIRCLE CIRC CIRCL CRCL", "CT": "COURT CRT", "DR": "DRIVE DRIV DRV", "EXPY": "EXPRESSWAY EXP EXPR EXPW",
        "HL": "HILL", "HWY": "HIGHWAY HIGHWY HIWAY HIWY HWAY", "LN": "LANE", "LOOP": "LOOPS", "PARK": "PRK",
        "PATH": "PATHS", "PKWY": "PARKWAY PARKWY PKWAY PKY", "PL": "PLACE", "PLZ": "PLAZA PLZA", "RD": "ROAD",
        "ROW": "", "SQ": "SQUARE SQR SQRE SQU", "ST": "STREET STRT STR", "STWY": "STAIRWAY STEPS",
        "TER": "TERRACE TERR",
        "TRL": "TRAIL", "TUNL": "TUNNEL", "WALK": "", "WAY": "WY",
    }.items()
    for written in (short, *others.split())
}  # fmt: skip
DIRECTIONS = {
    "N": "NORTH", "S": "SOUTH", "E": "EAST", "W": "WEST",
    "NE": "NORTHEAST", "NW": "NORTHWEST", "SE": "SOUTHEAST", "SW": "SOUTHWEST",
}  # fmt: skip
_ORDINALS = {
    "FIRST": "1ST", "SECOND": "2ND", "THIRD": "3RD", "FOURTH": "4TH", "FIFTH": "5TH", "SIXTH": "6TH", "SEVENTH": "7TH",
    "EIGHTH": "8TH", "NINTH": "9TH", "TENTH": "10TH", "ELEVENTH": "11TH", "TWELFTH": "12TH",
}  # fmt: skip
#: From one of these on, the line says where in the building.
_UNITS = frozenset(
    [
        "APT",
        "APARTMENT",
        "UNIT",
        "STE",
        "SUITE",
        "FL",
        "FLOOR",
        "RM",
        "ROOM",
        "BLDG",
        "BUILDING",
        "LOT",
        "SPC",
        "SPACE",
        "TRLR",
        "PH",
        "PENTHOUSE",
        "DEPT",
        "NO",
    ]
)
_NUMBER = re.compile(r"([0-9]{1,6})(?:-?[A-Z])?(?:-[0-9A-Z]{1,6})?\Z", re.ASCII)
_FRACTION = re.compile(r"[0-9]/[0-9]\Z", re.ASCII)
_LETTERS = re.compile(r"[^A-Z0-9/#\- ]", re.ASCII)
#: No address line is longer; more is not read.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class AddressLine:
    """A line taken apart. `name` is in capitals with ordinals as 3RD and Saint written out."""

    number: int | None
    name: str
    kind: str | None
    #: NORTH, EAST ... before the name, or behind the kind of street.
    before: str | None = None
    behind: str | None = None


def read_line(text: str) -> AddressLine | None:
    """The line taken apart; None if it names no street (a post office box, nothing at all)."""
    words = _words(text)
    number = None
    if words and (found := _NUMBER.match(words[0])) and len(words) > 1:
        number = int(found[1])
        words = words[1:]
        if words and _FRACTION.match(words[0]):
            words = words[1:]
    words = _without_unit(words)
    if not words or {"BOX", "PO", "POB"} & set(words[:2]):
        return None
    behind = before = kind = None
    if len(words) > 2 and words[-1] in _SHORT_DIRECTIONS and words[-2] in KINDS:
        behind, words = _SHORT_DIRECTIONS[words[-1]], words[:-1]
    if len(words) > 1 and words[-1] in KINDS:
        kind, words = KINDS[words[-1]], words[:-1]
    if len(words) > 1 and words[0] in DIRECTIONS:
        before, words = DIRECTIONS[words[0]], words[1:]
    return AddressLine(number, street_name(" ".join(words)), kind, before, behind)


#: A direction behind the kind of street, short or written out.
_SHORT_DIRECTIONS = DIRECTIONS | {word: word for word in DIRECTIONS.values()}


def street_name(text: str) -> str:
    """A street's name as it is compared: capitals, plain letters, `03RD` and `Third` as 3RD, a leading ST as SAINT."""
    words = [_ordinal(word) for word in _words(text)]
    if len(words) > 1 and words[0] == "ST":
        words[0] = "SAINT"
    return " ".join(words).replace("-", " ")


def street_kind(text: str | None) -> str:
    """A kind of street in its usual abbreviation; empty for none."""
    words = _words(text or "")
    return KINDS.get(words[0], words[0]) if words else ""


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text[:_LONGEST]).encode("ascii", "ignore").decode().upper()
    # What stands behind a comma is the building's or the city's.
    first = plain.replace("'", "").replace(".", " ").split(",")[0]
    return _LETTERS.sub(" ", first).replace("#", " # ").split()


def _without_unit(words: list[str]) -> list[str]:
    for place, word in enumerate(words):
        if place and (word == "#" or (word in _UNITS and place + 1 < len(words) and place > 0)):
            return words[:place]
    return words


def _ordinal(word: str) -> str:
    found = re.fullmatch(r"0*([1-9][0-9]{0,3})(ST|ND|RD|TH)", word, re.ASCII)
    return f"{found[1]}{found[2]}" if found else _ORDINALS.get(word, word)
