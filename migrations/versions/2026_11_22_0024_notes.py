"""What the team tells each other: notes in threads, and to whom each is addressed.

Revision ID: 0024
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0024"
down_revision = "0017"
branch_labels = None
depends_on = None

#: Columns that name a row of another table: (column, table, whether it must, whether it has an index).
_NAMES = {
    "note": (
        ("branch_id", "branch", True, True), ("patient_id", "patient", False, True), ("thread_id", "note", False, True),
        ("reply_to_id", "note", False, False), ("addendum_to_id", "note", False, True),
        ("visit_id", "visit", False, True), ("author_id", "app_user", True, True),
        ("retracted_by_id", "app_user", False, False),
    ),
    "note_address": (
        ("note_id", "note", True, True), ("user_id", "app_user", False, True),
        ("acknowledged_by_id", "app_user", False, False),
    ),
}  # fmt: skip


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, ROW_ID, nullable=not needed) for name, _, needed, _ in _NAMES[table]),
        *columns,
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))
            for name, target, _, _ in _NAMES[table]
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for name, _, _, indexed in _NAMES[table]:
        if indexed:
            op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def upgrade() -> None:
    _create(
        "note",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("wants_acknowledgement", sa.Boolean(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("retracted_at", UtcDateTime(), nullable=True),
        sa.Column("retracted_for", sa.String(40), nullable=True),
        sa.Column("retraction_note", sa.Text(), nullable=True),
    )
    op.create_index("ix_note_patient_written", "note", ["patient_id", "written_at"])
    _create(
        "note_address",
        sa.Column("desk", sa.String(40), nullable=True),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(user_id IS NULL) <> (desk IS NULL)", name=op.f("ck_note_address_one_addressee")),
    )
    op.create_index("ix_note_address_desk", "note_address", ["desk", "acknowledged_at"])


def downgrade() -> None:
    op.drop_table("note_address")
    op.drop_table("note")
