"""Lists by pages: the query of every list, its envelope, and a cursor that says where the next page begins."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.orm import Session

from coordinator.core.errors import Invalid
from coordinator.core.fields import MAX_ID, Schema, Text, Whole


class PageQuery(Schema):
    """Query of every list."""

    limit = Whole(low=1, high=200, load_default=50)
    cursor = Text(max_length=400, load_default=None, allow_none=True)


def page_schema(item: type[Schema]) -> type[Schema]:
    """Envelope of a list: `items`, and `next`, the cursor of the next page or null."""
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    return Schema.from_dict(  # type: ignore[return-value]
        {"items": fields.List(fields.Nested(item)), "next": fields.String(allow_none=True)}, name=name
    )


def page(session: Session, query: sa.Select[Any], keys: Sequence[Any], args: dict[str, Any]) -> dict[str, Any]:
    """One page of `query` ordered by `keys` (columns, the last of them unique), from the cursor in `args`."""
    limit, cursor = args["limit"], args.get("cursor")
    if cursor:
        query = query.where(sa.tuple_(*keys) > sa.tuple_(*_read_cursor(cursor, keys)))
    rows = list(session.execute(query.order_by(*keys).limit(limit + 1)).scalars())
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = _write_cursor([getattr(rows[-1], key.key) for key in keys])
    return {"items": rows, "next": following}


def _write_cursor(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, keys: Sequence[Any]) -> list[Any]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(plain, list) or len(plain) != len(keys):
            raise ValueError("wrong length")
        values: list[Any] = []
        for value, key in zip(plain, keys, strict=True):
            wanted = key.type.python_type
            if wanted is datetime:
                moment = datetime.fromisoformat(value)
                if moment.tzinfo is None:
                    raise ValueError("naive")
                values.append(sa.literal(moment, key.type))
            elif hasattr(wanted, "fromisoformat"):
                values.append(sa.literal(wanted.fromisoformat(value), key.type))
            elif wanted is int:
                if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_ID:
                    raise ValueError("not a number")
                values.append(sa.literal(value, key.type))
            else:
                if not isinstance(value, str) or "\x00" in value:
                    raise ValueError("not text")
                values.append(sa.literal(value, key.type))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Invalid("The cursor is not one of ours. Start again without it.", pointer="/query/cursor") from None
    return values
