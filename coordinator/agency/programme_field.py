"""A programme's code in what the API takes and says."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from coordinator.agency.programmes import unknown_words
from coordinator.core.fields import Text
from coordinator.core.http import work
from coordinator.domain.vocabulary import Programme

#: What a code looks like, for the document: which there are is said by files.
PATTERN = "^[A-Z][A-Z0-9_]{1,39}$"


class ProgrammeField(Text):
    """The code of a programme of this installation; what is loaded is a `Programme`."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": PATTERN, "example": "KP_HBPC"} | dict(kwargs.pop("metadata", {}))
        super().__init__(max_length=40, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        code = super()._deserialize(value, attr, data, **kwargs)
        if code not in work().policy.programmes:
            raise ma.ValidationError(unknown_words(work(), code))
        return Programme(code)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(value)
