"""The National Provider Identifier: ten digits whose last is a check digit (45 CFR 162.406; CERT-06)."""

from enum import IntEnum

#: The card issuer number that ISO Luhn arithmetic puts before an NPI: 80 for health applications, 840 for the USA.
PREFIX = "80840"
LENGTH = 10


class NpiKind(IntEnum):
    """Entity type as the NPPES registry gives it; the number itself does not tell."""

    INDIVIDUAL = 1
    ORGANISATION = 2


def is_valid(number: str) -> bool:
    """Whether `number` is ten ASCII digits, begins with 1 or 2, and its check digit is right."""
    if len(number) != LENGTH or not (number.isascii() and number.isdigit()) or number[0] not in "12":
        return False
    total = 0
    for place, digit in enumerate(reversed(PREFIX + number)):
        value = int(digit)
        if place % 2:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return total % 10 == 0


def is_individual(number: str, kind: NpiKind | None) -> bool:
    """Whether `number` is valid and known to belong to a person, who alone may order and certify."""
    return kind is NpiKind.INDIVIDUAL and is_valid(number)
