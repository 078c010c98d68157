"""What an API field may hold. Every string refuses NUL and half characters, every number and date has bounds, so that
bad input is a clear problem document on both engines and never a fault of the database.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from webargs.multidictproxy import MultiDictProxy

FIRST_YEAR, LAST_YEAR = 1900, 2200
MAX_ID = 2**53 - 1  # what JSON numbers carry exactly
MAX_TEXT = 4000
_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)


class Schema(ma.Schema):
    """Base of every schema: an unknown field is refused by name, and the order of fields is as written."""

    class Meta:
        unknown = ma.RAISE


class Text(fields.String):
    """Text without NUL, at most `max_length` characters; `blank=False` refuses white space alone."""

    def __init__(self, *, max_length: int = MAX_TEXT, blank: bool = False, **kwargs: Any) -> None:
        self.max_length, self.blank = max_length, blank
        validators = [validate.Length(min=0 if blank else 1, max=max_length)]
        extra = kwargs.pop("validate", None)
        if extra is not None:
            validators += extra if isinstance(extra, list) else [extra]
        super().__init__(validate=validators, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text:
            raise ma.ValidationError("A NUL character is not text.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ma.ValidationError("Half a character (a lone surrogate) is not text.")
        if not self.blank and not text.strip():
            raise ma.ValidationError("This must not be blank.")
        return text


class Whole(fields.Integer):
    """A whole number between `low` and `high`, both included. In JSON, true and "3" are no numbers; in a query string,
    where all is text, digits are.
    """

    def __init__(self, *, low: int = 0, high: int = 2_000_000_000, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=low, max=high), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        if isinstance(value, str) and len(value) > 20:
            raise self.make_error("too_large", input="…")
        if isinstance(value, str) and isinstance(data, MultiDictProxy) and _DIGITS.fullmatch(value):
            value = int(value)
        return super()._deserialize(value, attr, data, **kwargs)


class Id(Whole):
    """The number of a row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=1, high=MAX_ID, **kwargs)


class Number(fields.Float):
    """A finite number between `low` and `high`."""

    def __init__(self, *, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(allow_nan=False, validate=validate.Range(min=low, max=high), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, bool | str) and not (isinstance(value, str) and data is not None and len(value) < 40):
            raise self.make_error("invalid", input=value)
        number = super()._deserialize(value, attr, data, **kwargs)
        if not math.isfinite(number):
            raise self.make_error("invalid", input=value)
        return number


class Day(fields.Date):
    """A calendar day in the branch's zone, ISO 8601, within living memory."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        day: date = super()._deserialize(value, attr, data, **kwargs)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ma.ValidationError(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
        return day


class Instant(fields.AwareDateTime):
    """A moment with its offset, ISO 8601; spoken back in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ma.ValidationError(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
        return moment.astimezone(UTC)


class Clock(fields.Time):
    """A wall-clock time of day in the branch's zone, HH:MM."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


class Word(Text):
    """One word of a closed list; what is loaded is the member of `of`."""

    def __init__(self, of: Any, **kwargs: Any) -> None:
        self.of = of
        words: list[str | None] = [member.value for member in of]
        if kwargs.get("allow_none") or kwargs.get("load_default", "") is None:
            words.append(None)  # the document must allow what the field does
        metadata = {"enum": words} | dict(kwargs.pop("metadata", {}))
        super().__init__(max_length=80, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.of(text)
        except ValueError:
            known = ", ".join(member.value for member in self.of)
            raise ma.ValidationError(f"This must be one of: {known}.") from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(getattr(value, "value", value))
