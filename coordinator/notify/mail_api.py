"""Over HTTP: where one wants to hear of notices outside the product, and the log of what was sent."""

from typing import Any

from marshmallow import fields, validate

from coordinator.core.errors import NotFound
from coordinator.core.fields import Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.notify import mail
from coordinator.notify.mail_model import Channel, Mail, MailStatus
from coordinator.notify.words import LETTER_LANGUAGES

blp = Blueprint("mail", __name__, url_prefix="/api/v1", description="Hearing of notices by mail and text message")

_ADDRESS = validate.Regexp(
    r"^[^@\s<>,;:\"()\\\[\]]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}\Z", error="This is no mail address."
)  # fmt: skip


#: E.164: a plus, the country, the number, without spaces.
_NUMBER = validate.Regexp(r"^\+[1-9][0-9]{6,14}\Z", error="A telephone number is written as +14155550100.")


class ContactSchema(Schema):
    email = Text(
        load_default=None, allow_none=True, max_length=200, validate=_ADDRESS,
        metadata={"example": "nurse@example.org"},
    )  # fmt: skip
    phone = Text(
        load_default=None, allow_none=True, max_length=20, validate=_NUMBER,
        metadata={"example": "+14155550100", "description": "Text messages: of single notices, never of several"},
    )  # fmt: skip
    language = Text(
        max_length=20, load_default="en", validate=validate.OneOf(LETTER_LANGUAGES), metadata={"example": "zh-Hant"}
    )  # fmt: skip
    of_roles = fields.Boolean(
        load_default=False,
        metadata={"description": "Hear of what comes for one's roles as well: gathered, but for what is urgent"},
    )


class DeliverySchema(Schema):
    id = Id()
    user_id = Id()
    branch_id = Id()
    channel = Word(Channel)
    kind = fields.String(metadata={"example": "notice"})
    number = Whole(allow_none=True, metadata={"description": "Of the notice; null where several are gathered"})
    status = Word(MailStatus)
    created_at = Instant()
    due_at = Instant(metadata={"description": "When it was first due: quiet hours and digests wait"})
    next_try_at = Instant()
    attempts = Whole()
    ended_at = Instant(allow_none=True)
    problem = fields.String(allow_none=True, metadata={"example": "server-down"})


class DeliveryQuery(PageQuery):
    status = Word(MailStatus, load_default=None)
    user_id = Id(load_default=None)
    channel = Word(Channel, load_default=None)


@blp.route("/notices/contact")
@blp.response(200, ContactSchema)
def read_contact() -> Any:
    """Where the asker hears of notices"""
    found = mail.my_contact(work())
    if found is None:
        raise NotFound("contact")
    return found


@blp.route("/notices/contact", methods=["PUT"])
@blp.arguments(ContactSchema)
@blp.response(200, ContactSchema)
def set_contact(args: dict[str, Any]) -> Any:
    """Hear of one's notices by mail, by text message, or both

    A message says that something waits, and never what. At night it waits for the morning, unless it is urgent;
    physicians get one mail a day. What comes for a role is gathered: one mail an hour at most.
    """
    return mail.set_contact(work(), **args)


@blp.route("/notices/contact", methods=["DELETE"])
@blp.response(204)
def forget_contact() -> Any:
    """Hear of notices in the product alone"""
    mail.forget_contact(work())


@blp.route("/deliveries")
@blp.arguments(DeliveryQuery, location="query")
@blp.response(200, page_schema(DeliverySchema))
def list_deliveries(args: dict[str, Any]) -> Any:
    """What was sent, what waits and what was given up, newest first"""
    paging = {name: args.pop(name) for name in ("limit", "cursor")}
    return page(work().session, mail.deliveries(work(), **args), (Mail.newest_first,), paging)
