"""Notices over HTTP: one's own, and those of the roles that one holds."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Id, Instant, Schema, Text
from coordinator.core.http import Blueprint, work
from coordinator.core.i18n import language
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.notify import service
from coordinator.notify.model import Notice
from coordinator.notify.words import sentence

blp = Blueprint("notices", __name__, url_prefix="/api/v1", description="What a person or a role should know")


class NoticeSchema(Schema):
    id = Id()
    kind = Text(metadata={"example": "order.signed"})
    subject = Text(metadata={"example": "order:12"})
    sentence = fields.Function(
        lambda row: sentence(row.kind, row.facts, language()),
        metadata={"type": "string", "description": "Codes and numbers, never a name; in the asker's language"},
    )
    facts = fields.Dict()
    branch_id = Id(allow_none=True)
    role = Text(allow_none=True, metadata={"description": "The role it is for; null if for the asker alone"})
    created_at = Instant()
    read_at = Instant(allow_none=True)
    read_by_id = Id(allow_none=True)


class NoticeQuery(PageQuery):
    unread = fields.Boolean(load_default=True, allow_none=True)
    kind = Text(max_length=60, load_default=None)


@blp.route("/notices")
@blp.arguments(NoticeQuery, location="query")
@blp.response(200, page_schema(NoticeSchema))
def list_notices(args: dict[str, Any]) -> Any:
    """What the asker should know, newest first

    Sentences are in English or Traditional Chinese, as Accept-Language asks; what is not translated says so. Unread
    notices, unless `unread` says otherwise. What comes in between two pages moves nothing on the next.
    """
    query = service.search(work(), unread=args["unread"], kind=args["kind"])
    return page(work().session, query, (Notice.newest_first,), args)


@blp.route("/notices/<id:notice_id>/read", methods=["POST"])
@blp.response(200, NoticeSchema)
def read_notice(notice_id: int) -> Any:
    """Mark a notice as read

    A notice to a role is then read for everybody who holds it.
    """
    return service.read(work(), notice_id)
