"""A person as they are shown to themselves and others."""

from marshmallow import fields

from coordinator.core.fields import Id, Schema, Text


class UserSchema(Schema):
    """Who it is, and what they are there to do."""

    id = Id()
    username = Text()
    display_name = Text()
    roles = fields.List(Text())
    branch_ids = fields.List(Id())
    clinician_id = Id(allow_none=True)
    physician_id = Id(allow_none=True)
