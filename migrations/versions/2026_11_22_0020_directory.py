"""The directory is kept by the agency: history of entries, checks, translation differences, education, feedback.

Revision ID: 0020
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0020"
down_revision = "0021"
branch_labels = None
depends_on = None

_USER = ("app_user", False)
#: Columns that name a row of another table, and whether they must.
_NAMES = {
    "resource_version": {"resource_id": ("resource", True), "user_id": _USER},
    "translation_difference": {"reviewed_by_id": _USER},
    "education_item": {},
    "community_feedback": {
        "branch_id": ("branch", True), "resource_id": ("resource", False), "recorded_by_id": _USER,
        "shared_by_id": _USER,
    },
}  # fmt: skip


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    names = _NAMES[table]
    op.create_table(
        table,
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, ROW_ID, nullable=not needed) for name, (_, needed) in names.items()),
        *columns,
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))
            for name, (target, _) in names.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for name in names:
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _json(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def upgrade() -> None:
    with op.batch_alter_table("resource") as batch:
        batch.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("origin", sa.String(20), nullable=False, server_default="shipped"))
        batch.add_column(sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch.add_column(sa.Column("checked_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("checked_by_id", ROW_ID, nullable=True))
        batch.add_column(sa.Column("edited_fields", sa.JSON(), nullable=False, server_default="[]"))
        batch.create_foreign_key(op.f("fk_resource_checked_by_id"), "app_user", ["checked_by_id"], ["id"])
        batch.create_index(op.f("ix_resource_checked_by_id"), ["checked_by_id"])
    _withdrawn_to_inactive()
    with op.batch_alter_table("resource") as batch:
        for name in ("version", "origin", "active", "edited_fields"):
            batch.alter_column(name, server_default=None)
    _create(
        "resource_version", sa.Column("number", sa.Integer(), nullable=False), _text("act", 20),
        sa.Column("at", UtcDateTime(), nullable=False), *_json("changed", "entry"),
        sa.UniqueConstraint("resource_id", "number", name=op.f("uq_resource_version_resource_id_number")),
    )  # fmt: skip
    _create(
        "translation_difference", _text("key", 20), _text("kind", 20), *_json("resource_keys", "source_lines"),
        _text("source_en", 300, nullable=True), _text("source_zh", 300, nullable=True), _text("says", 500),
        _text("handling", 500), _text("suggested_zh", 200, nullable=True),
        sa.Column("safety", sa.Boolean(), nullable=False), _text("review", 20),
        _text("display_zh", 200, nullable=True), sa.Column("reviewed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("key", name=op.f("uq_translation_difference_key")),
    )  # fmt: skip
    _create(
        "education_item", _text("key", 40), _text("type", 20), _text("title_en", 300),
        _text("title_zh_hant", 300, nullable=True), sa.Column("body_en", sa.Text(), nullable=True),
        sa.Column("body_zh_hant", sa.Text(), nullable=True), _text("producer_en", 200, nullable=True),
        _text("producer_zh_hant", 200, nullable=True), _text("speaker", 200, nullable=True),
        _text("url", 500, nullable=True), *_json("topics", "source_lines"), _text("origin", 20),
        sa.Column("active", sa.Boolean(), nullable=False), sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("key", name=op.f("uq_education_item_key")),
    )  # fmt: skip
    _create(
        "community_feedback", _text("theme", 40), _text("language", 20), _text("voice", 20),
        sa.Column("words", sa.Text(), nullable=False), sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("shared_at", UtcDateTime(), nullable=True), sa.Column("version", sa.Integer(), nullable=False),
    )  # fmt: skip


def _withdrawn_to_inactive() -> None:
    """Entries that had left the shipped file were marked in `extra`; now they have a column."""
    table = sa.table(
        "resource", sa.column("id", ROW_ID), sa.column("extra", sa.JSON()), sa.column("active", sa.Boolean())
    )
    connection = op.get_bind()
    for number, extra in connection.execute(sa.select(table.c.id, table.c.extra)).all():
        if extra.get("withdrawn"):
            rest = {name: value for name, value in extra.items() if name != "withdrawn"}
            connection.execute(table.update().where(table.c.id == number).values(active=False, extra=rest))


def downgrade() -> None:
    for table in reversed(_NAMES):
        op.drop_table(table)
    table = sa.table(
        "resource", sa.column("id", ROW_ID), sa.column("extra", sa.JSON()), sa.column("active", sa.Boolean())
    )
    connection = op.get_bind()
    for number, extra in connection.execute(
        sa.select(table.c.id, table.c.extra).where(table.c.active.is_(False))
    ).all():
        marked = {**extra, "withdrawn": True}
        connection.execute(table.update().where(table.c.id == number).values(extra=marked))
    with op.batch_alter_table("resource") as batch:
        batch.drop_index(op.f("ix_resource_checked_by_id"))
        batch.drop_constraint(op.f("fk_resource_checked_by_id"), type_="foreignkey")
        for name in ("edited_fields", "checked_by_id", "checked_on", "active", "origin", "version"):
            batch.drop_column(name)
